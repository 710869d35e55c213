# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a wait is over."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.ending import Standing, is_enough, wake_at
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.tests.unit.fakes import upid
from hypothesis import given
from hypothesis import strategies as st


def standing(**more: t.Any) -> Standing:
    """A wait of 300 s that began at 1000."""
    return Standing(**{"begun": 1000.0, "deadline": 1300.0, "request_timeout": 15.0, "looked": 1000.1, **more})


@pytest.mark.parametrize(
    ("now", "more", "wake"),
    [
        pytest.param(1000.2, {}, 1301.3, id="until the deadline and its grace"),
        pytest.param(1300.5, {}, 1301.3, id="the last look, and what is gathered"),
        pytest.param(1301.3, {}, None, id="the grace is over"),
        pytest.param(1000.2, {"busy": False}, None, id="all have done their work"),
        pytest.param(1000.2, {"fatal": True}, None, id="going on makes no sense"),
        # The first contact
        pytest.param(1000.0, {"deadline": 1000.0, "looked": None}, 1005.5, id="a refusal takes its time"),
        pytest.param(1005.5, {"deadline": 1000.0, "looked": None}, None, id="nobody ever answered"),
        pytest.param(1000.2, {"deadline": 1000.0}, 1001.3, id="one look, answered at once"),
        pytest.param(1003.1, {"deadline": 1000.0, "looked": 1003.1}, 1003.4, id="a moment for the others"),
        pytest.param(1003.4, {"deadline": 1000.0, "looked": 1003.1}, None, id="the moment is over"),
        pytest.param(1009.0, {"deadline": 1000.0, "looked": 1009.0}, None, id="answered too late"),
        pytest.param(1000.0, {"looked": None}, 1301.3, id="the deadline comes later than the first contact"),
        pytest.param(1000.2, {"deadline": 1003.0, "looked": None}, 1005.5, id="a deadline before the first contact"),
        # It is enough: any, fail_fast, all is stopped
        pytest.param(1050.0, {"enough": 1050.0}, 1050.8, id="others may end their look"),
        pytest.param(1050.0, {"enough": 1050.0, "request_timeout": 0.5}, 1050.5, id="no longer than a request"),
        pytest.param(1050.5, {"enough": 1050.0, "request_timeout": 0.5}, None, id="a request's time is over"),
        pytest.param(1050.8, {"enough": 1050.0}, None, id="others hang"),
        pytest.param(1050.8, {"enough": 1050.0, "gathering": True}, 1065.0, id="others fetch logs"),
        pytest.param(1065.0, {"enough": 1050.0, "gathering": True}, None, id="logs take too long"),
        pytest.param(1300.0, {"enough": 1299.0, "gathering": True}, 1301.3, id="logs at the deadline"),
        pytest.param(1300.9, {"enough": 1300.9}, 1301.3, id="enough after the deadline"),
        pytest.param(1050.0, {"enough": 1050.0, "busy": False}, None, id="enough, and nobody is at work"),
    ],
)
def test_when_a_wait_ends(now: float, more: dict[str, t.Any], wake: float | None) -> None:
    assert wake_at(now, standing(**more)) == (None if wake is None else pytest.approx(wake))


TIMES = st.none() | st.floats(0, 500)


@given(now=st.floats(0, 1000), timeout=st.floats(0, 400), looked=TIMES, enough=TIMES, gathering=st.booleans())
def test_whoever_is_awake_goes_on_later_or_never(
    now: float, timeout: float, looked: float | None, enough: float | None, gathering: bool
) -> None:
    wake = wake_at(now, Standing(0.0, timeout, request_timeout=15, gathering=gathering, looked=looked, enough=enough))
    assert wake is None or now < wake <= max(timeout + 1.3, 5.5)


OK, FAILED = Task(upid(1), "stopped", "OK"), Task(upid(2), "stopped", "boom")
WARNING, MISSING = Task(upid(3), "stopped", "WARNINGS: 1"), Task(upid(4), "missing")
REFUSED = Task(upid(5), error="403")


@pytest.mark.parametrize(
    ("plan", "settled", "enough"),
    [
        (Plan(), [OK, FAILED], False),
        (Plan(fail_fast=True), [], False),
        (Plan(fail_fast=True), [OK, WARNING, REFUSED], False),
        (Plan(fail_fast=True), [OK, FAILED], True),
        (Plan(fail_fast=True), [MISSING], True),
        (Plan(fail_fast=True, fail_on="warning"), [WARNING], True),
        (Plan(fail_fast=True, fail_on="never"), [FAILED], True),
        (Plan(wait_for="any"), [], False),
        (Plan(wait_for="any"), [REFUSED], False),
        (Plan(wait_for="any"), [OK], True),
        (Plan(wait_for="any"), [MISSING], True),
        (Plan(wait_for="any", fail_fast=True), [FAILED], True),
    ],
)
def test_what_is_enough(plan: Plan, settled: list[Task], enough: bool) -> None:
    assert is_enough(plan, settled) is enough


def test_a_request_that_has_half_ended_is_no_end() -> None:
    plan = Plan(wait_for="any")
    assert not is_enough(plan, [OK], half_ended={OK.upid.native})
    assert is_enough(plan, [OK, FAILED], half_ended={OK.upid.native})


def test_it_is_enough_when_nothing_is_left_to_stop() -> None:
    assert is_enough(Plan(stop=True), [], stopped=True)
    assert not is_enough(Plan(stop=True), [OK], stopped=False)


def test_a_first_look_that_nobody_has_ended_is_given_its_time() -> None:
    assert wake_at(0.0, Standing(begun=0.0, deadline=1.0, request_timeout=15.0)) == 5.5


def test_slow_answers_are_given_longer() -> None:
    standing = Standing(begun=0.0, deadline=100.0, request_timeout=15.0, looked=1.0, enough=10.0, slack=3.0)
    assert wake_at(10.0, standing) == pytest.approx(13.8)
    assert wake_at(14.0, standing) is None
