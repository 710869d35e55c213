# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted of a wait, of logs and of a search."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Filters, LogWish, Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import parse

UPID = parse("UPID:pve1:00001000:00020000:6B000000:vzdump:100:root@pam!ci:")
START = 0x6B000000
OK = Task(UPID, "stopped", "OK")


def test_nothing_else_is_asked_for_than_documented() -> None:
    assert dataclasses.asdict(Plan()) == {
        "timeout": 300,
        "interval": 0.5,
        "longest": 5,
        "wait_for": "all",
        "fail_on": "error",
        "fail_fast": False,
        "one_look": False,
        "follow_ha": False,
        "stop": False,
        "request_timeout": 15,
        "cost": 0,
        "progress": "none",
        "log": {"whose": "not_ok", "lines": 50},
    }
    assert dataclasses.asdict(Filters()) == {
        "source": "all",
        "types": (),
        "vmids": (),
        "stores": (),
        "nodes": (),
        "user": None,
        "outcomes": (),
        "since": None,
        "until": None,
        "limit": 50,
    }


@pytest.mark.parametrize(("cost", "slack"), [(0, 0), (1, 3), (0.5, 1.5)])
def test_the_last_questions_have_time_for_what_they_cost(cost: float, slack: float) -> None:
    assert Plan(cost=cost).slack == slack


@pytest.mark.parametrize(
    ("task", "not_ok", "always"),
    [
        (OK, False, True),
        (Task(UPID, "stopped", "WARNINGS: 1"), True, True),
        (Task(UPID, "stopped", "boom"), True, True),
        (Task(UPID, "stopped", "unknown"), True, True),
        (Task(UPID, "running"), True, True),
        (Task(UPID, "missing"), False, False),
        (Task(UPID, "stopped", "boom", lost_log=True), False, False),
        (dataclasses.replace(OK, lost_log=True), False, False),
    ],
)
def test_whose_log_is_wanted(task: Task, not_ok: bool, always: bool) -> None:
    wants = [LogWish(whose).wants(task) for whose in ("never", "not_ok", "always")]
    assert wants == [False, not_ok, always]


@pytest.mark.parametrize(
    ("filters", "queries"),
    [
        ({}, [{"source": "all"}]),
        ({"source": "archive"}, [{"source": "archive"}]),
        ({"outcomes": ("error",)}, [{"source": "all", "outcomes": ("error",)}]),
        ({"outcomes": ("error", "running")}, [{"source": "all", "outcomes": ("error", "running")}]),
        # What runs is in the short list.
        ({"outcomes": ("running",)}, [{"source": "active"}]),
        ({"outcomes": ("running",), "source": "archive"}, [{"source": "archive"}]),
        ({"user": "root@pam"}, [{"source": "all", "user": "root@pam"}]),
        ({"since": 0, "until": 7}, [{"source": "all", "since": 0, "until": 7}]),
        ({"until": 0}, [{"source": "all", "until": 0}]),
        # A request takes one of each.
        (
            {"types": ("vzdump", "qmstart"), "vmids": (100, 101)},
            [
                {"source": "all", "type": "vzdump", "guest": 100},
                {"source": "all", "type": "vzdump", "guest": 101},
                {"source": "all", "type": "qmstart", "guest": 100},
                {"source": "all", "type": "qmstart", "guest": 101},
            ],
        ),
        (
            {"types": ("verify",), "stores": ("a", "b")},
            [{"source": "all", "type": "verify", "store": "a"}, {"source": "all", "type": "verify", "store": "b"}],
        ),
        ({"vmids": tuple(range(100, 108))}, [{"source": "all", "guest": vmid} for vmid in range(100, 108)]),
        # What would take many is picked from one list.
        ({"vmids": tuple(range(100, 109)), "since": 7}, [{"source": "all", "since": 7}]),
        ({"types": ("a", "b", "c"), "vmids": (100, 101, 102)}, [{"source": "all"}]),
        # The node is a part of the path, and how many are wanted a matter of pages.
        ({"nodes": ("pve1",), "limit": 3}, [{"source": "all"}]),
    ],
)
def test_the_server_is_told_what_to_leave_out(filters: dict[str, t.Any], queries: list[dict[str, t.Any]]) -> None:
    assert Filters(**filters).queries() == queries


@pytest.mark.parametrize(
    ("filters", "exact"),
    [
        ({}, True),
        ({"types": ("vzdump",), "outcomes": ("error", "ok")}, True),
        ({"vmids": tuple(range(100, 108))}, True),
        ({"vmids": tuple(range(100, 109))}, False),
        ({"user": "root@pam"}, False),
        ({"user": "root@pam", "outcomes": ("error",)}, False),
        ({"outcomes": ("running",)}, False),
        ({"outcomes": ("error", "unknown")}, False),
    ],
)
def test_whether_the_server_leaves_out_all_that_does_not_fit(filters: dict[str, t.Any], exact: bool) -> None:
    assert Filters(**filters).exact is exact


@pytest.mark.parametrize(
    ("filters", "fits"),
    [
        ({}, True),
        ({"nodes": ("pve2", "pve1")}, True),
        ({"nodes": ("pve2",)}, False),
        ({"types": ("vzdump", "qmstart")}, True),
        ({"types": ("qmstart",)}, False),
        ({"vmids": (101, 100)}, True),
        ({"vmids": (101,)}, False),
        ({"user": "root@pam"}, True),
        ({"user": "root@pam!ci"}, True),
        ({"user": "root@pam!other"}, False),
        ({"user": "root"}, False),
        ({"outcomes": ("error", "ok")}, True),
        ({"outcomes": ("error",)}, False),
        ({"since": START, "until": START}, True),
        ({"since": START + 1}, False),
        ({"until": START - 1}, False),
        ({"since": 0}, True),
        ({"until": 0}, False),
        ({"types": ("vzdump",), "vmids": (101,)}, False),
    ],
)
def test_what_fits(filters: dict[str, t.Any], fits: bool) -> None:
    assert Filters(**filters).fit(OK) is fits
