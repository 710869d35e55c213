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
