# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that are tried again."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.patient import TRIES, TRY_AGAIN_SECONDS, Patient
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import Reader
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Fault,
    HostUnreachable,
    LoginRefused,
    NodeUnreachable,
    NoPrivilege,
    NoSuchTask,
    NotProxmox,
)
from ansible_collections.proxkit.tasks.tests.unit.fakes import FakeClock, FakeSource, upid


@pytest.fixture
def source() -> FakeSource:
    return FakeSource(FakeClock(), ends={upid().native: 0.0})


QUESTIONS: dict[str, t.Callable[[Reader], object]] = {
    "status": lambda reader: reader.status(upid(), 0)["status"],
    "listed": lambda reader: reader.listed("pve1", 0)[1],
    "cluster_tasks": lambda reader: reader.cluster_tasks(0),
    "log": lambda reader: reader.log(upid(), 0, 1, 0)[1],
}


@pytest.mark.parametrize("call", QUESTIONS)
@pytest.mark.parametrize("faults", range(TRIES))
def test_a_fault_that_passes_is_waited_out(source: FakeSource, call: str, faults: int) -> None:
    expected = QUESTIONS[call](source)
    source.calls.clear()
    source.script[call] = [Fault("got timeout")] * faults
    began = source.clock.now
    assert QUESTIONS[call](Patient(source, source.clock)) == expected
    assert source.calls == {call: faults + 1}
    assert source.clock.now - began == pytest.approx(faults * TRY_AGAIN_SECONDS)


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (Fault("got timeout"), 3),
        (NodeUnreachable("595"), 3),
        (NodeUnreachable("no answer", timed_out=True), 1),
        (HostUnreachable("refused"), 3),
        (HostUnreachable("no answer", timed_out=True), 1),
        (NotProxmox("a page"), 3),
        (NoPrivilege("403"), 1),
        (NoSuchTask("no such task"), 1),
        (LoginRefused("401"), 1),
        (ApiError("501"), 1),
    ],
)
def test_how_often_a_request_is_tried(source: FakeSource, error: ApiError, tries: int) -> None:
    source.script["status"] = [error] * 9
    with pytest.raises(type(error)):
        Patient(source, source.clock).status(upid(), 0)
    assert source.calls == {"status": tries}


def test_who_has_patience_closes_what_it_asks(source: FakeSource) -> None:
    patient = Patient(source, source.clock)
    assert patient.node_names(0) == ["pve1"]
    patient.close()
    assert source.closed
