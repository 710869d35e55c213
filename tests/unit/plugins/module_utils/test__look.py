# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single tasks: odd ends, logs, end times."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._errors import AccessError, ApiError, NodeUnreachable
from ansible_collections.proxkit.tasks.plugins.module_utils._look import (
    PAGE_LINES,
    endtime_of,
    look_at,
    sees_others,
    with_endtimes,
    with_log,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._task import Task
from ansible_collections.proxkit.tasks.tests.unit.fakes import EPOCH, FakeClock, FakeSource, upid

NATIVE = upid().native


def ended(exitstatus: str, **more: t.Any) -> FakeSource:
    clock = FakeClock()
    return FakeSource(clock, ends={NATIVE: clock.now}, exits={NATIVE: exitstatus}, **more)


def listing(status: str | None) -> list[t.Any]:
    return [([{"upid": NATIVE, "status": status, "endtime": EPOCH}], 1)]


@pytest.mark.parametrize(
    ("last_line", "row", "exitstatus"),
    [
        ("progress 100%TASK OK", None, "OK"),
        ("TASK WARNINGS: 3", "boom", "WARNINGS: 3"),
        ("TASK ERROR: no space", None, "no space"),
        ("cut off", "OK", "OK"),
        ("cut off", "boom", "boom"),
        ("cut off", "RUNNING", "unexpected status"),
        ("cut off", "unexpected status", "unexpected status"),
        ("cut off", "", "unexpected status"),
    ],
)
def test_an_unexpected_status_gets_a_second_opinion(last_line: str, row: str | None, exitstatus: str) -> None:
    source = ended("unexpected status", logs={NATIVE: ["first", last_line]}, script={"listed": listing(row)})
    assert look_at(source, upid(), 0).exitstatus == exitstatus


def test_no_second_opinion_to_be_had() -> None:
    source = ended("unexpected status", script={"log": [ApiError("501")], "listed": [([], None)]})
    assert look_at(source, upid(), 0).outcome == "unknown"
    source = ended("unexpected status", logs={NATIVE: []}, script={"listed": [([], None)]})
    assert look_at(source, upid(), 0).outcome == "unknown"


def test_a_clear_end_needs_one_request() -> None:
    source = ended("boom")
    assert look_at(source, upid(), 0).exitstatus == "boom"
    assert source.calls == {"status": 1}


@pytest.mark.parametrize(
    ("total", "lines", "requests"),
    [(3, 50, 1), (50, 50, 1), (51, 50, 2), (1000, 1, 2), (3, 0, 1), (2 * PAGE_LINES + 5, 0, 3), (90_000, 60_000, 4)],
)
def test_logs_come_in_few_requests(total: int, lines: int, requests: int) -> None:
    text = [f"line {number}" for number in range(total)]
    source = ended("boom", logs={NATIVE: text})
    task = with_log(source, Task(upid(), "stopped", "boom"), lines, 0)
    assert list(task.log or ()) == text[-lines:]
    assert task.log_total == total
    assert source.calls["log"] == requests


def test_a_log_that_was_cut_meanwhile() -> None:
    source = ended("boom", script={"log": [([{"n": 1, "t": "a"}], 900), ([], 1)]})
    task = with_log(source, Task(upid(), "stopped", "boom"), 5, 0)
    assert task.log == ()


def test_end_times_come_from_the_list_alone() -> None:
    source = ended("boom")
    running = Task(upid(2), "running")
    known = Task(upid(3), "stopped", "OK", endtime=5)
    tasks = with_endtimes(source, [Task(upid(), "stopped", "boom"), running, known], 0)
    assert [task.endtime for task in tasks] == [EPOCH + 1000, None, 5]
    assert with_endtimes(source, [running], 0) == [running]
    assert source.calls == {"listed": 1}


@pytest.mark.parametrize(
    ("value", "endtime"), [(7, 7), ("7", 7), (None, None), ("", None), ("soon", None), (-1, None), ([], None)]
)
def test_end_times_of_rows(value: t.Any, endtime: int | None) -> None:
    assert endtime_of({"endtime": value}) == endtime


@pytest.mark.parametrize("row", [{}, {"n": "1", "t": "text"}, {"n": 1, "t": None}, {"n": True, "t": "text"}])
def test_rows_of_odd_form_are_a_passing_fault(row: dict[str, t.Any]) -> None:
    source = ended("unexpected status", script={"log": [([row], 1), ([row], 1), ([row], 1)]})
    with pytest.raises(ApiError, match="not of the form") as caught:
        with_log(source, Task(upid(), "stopped", "boom"), 5, 0)
    assert caught.value.passing


def test_a_second_opinion_outlives_passing_faults() -> None:
    passing = ApiError("got timeout", passing=True)
    source = ended("unexpected status", logs={NATIVE: ["100%TASK OK"]}, script={"log": [passing, passing]})
    assert look_at(source, upid(), 0).outcome == "ok"
    # Where the log cannot be had at all, the list is asked.
    source = ended("unexpected status", script={"log": [passing] * 9, "listed": listing("boom")})
    assert look_at(source, upid(), 0).exitstatus == "boom"
    source = ended("unexpected status", script={"log": [NodeUnreachable("595")], "listed": [NodeUnreachable("595")]})
    assert look_at(source, upid(), 0).outcome == "unknown"


@pytest.mark.parametrize(("error", "sees"), [(AccessError("403", status=403), False), (None, True)])
def test_who_sees_the_tasks_of_others(error: ApiError | None, sees: bool) -> None:
    source = FakeSource(FakeClock(), script={"log": [error]})
    assert sees_others(source, "pve1", 0) is sees
