# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kind of an error says what it means."""

from __future__ import annotations

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Fault,
    Hopeless,
    HostUnreachable,
    LoginRefused,
    NobodyThere,
    NodeUnreachable,
    NoPrivilege,
    NoSuchTask,
    NotProxmox,
    Refused,
    TasksError,
    Unreachable,
)


@pytest.mark.parametrize(
    ("error", "passing", "ends_all"),
    [
        (Fault("500"), True, False),
        (NodeUnreachable("595"), True, False),
        (HostUnreachable("502", timed_out=True), True, False),
        (NotProxmox("a page"), True, False),
        (Refused("501"), False, False),
        (NoPrivilege("403"), False, False),
        (NoSuchTask("no such task"), False, False),
        (LoginRefused("401"), False, True),
        (NobodyThere("refused"), False, True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, TasksError) else "",
)
def test_kinds(error: ApiError, passing: bool, ends_all: bool) -> None:
    assert error.passing is passing
    assert isinstance(error, Hopeless) is ends_all


@pytest.mark.parametrize("error", [Unreachable("no answer", timed_out=True), Unreachable("no answer"), Refused("no")])
def test_texts_are_the_message(error: ApiError) -> None:
    assert str(error) == error.message


def test_who_does_not_answer_may_have_had_the_time() -> None:
    assert Unreachable("no answer", timed_out=True).timed_out is True
    assert Unreachable("no answer").timed_out is False
