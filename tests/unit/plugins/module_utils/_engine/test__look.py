# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single tasks: odd ends, logs, end times."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.look import (
    PAGE_LINES,
    Look,
    look_at,
    with_log,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Fault,
    LoginRefused,
    NodeUnreachable,
    Refused,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import parse
from ansible_collections.proxkit.tasks.tests.unit.fakes import EPOCH, FakeClock, FakeSource, upid

NATIVE = upid().native


def ended(exitstatus: str, **more: t.Any) -> FakeSource:
    clock = FakeClock()
    return FakeSource(clock, ends={NATIVE: clock.now}, exits={NATIVE: exitstatus}, **more)


def look(source: FakeSource, listed: Task | ApiError | None = None) -> Look:
    def by_list() -> Task | None:
        source.calls["list"] = source.calls.get("list", 0) + 1
        if isinstance(listed, ApiError):
            raise listed
        return listed

    return look_at(source, upid(), 0, by_list)


def listing(status: str | None) -> Task:
    return Task(upid(), "running") if status == "RUNNING" else Task(upid(), "stopped", status, endtime=EPOCH)


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
        ("cut off", None, "unexpected status"),
        ("TASK ERROR: ", "unexpected status", ""),
        ("TASK ERROR:", "unexpected status", ""),
    ],
)
def test_an_unexpected_status_gets_a_second_opinion(last_line: str, row: str | None, exitstatus: str) -> None:
    source = ended("unexpected status", logs={NATIVE: ["first", last_line]})
    task = look(source, listing(row)).task
    assert task.exitstatus == exitstatus
    assert task.outcome == ("error" if exitstatus == "" else Task(upid(), "stopped", exitstatus).outcome)


@pytest.mark.parametrize("before", [1, 60])
def test_an_error_of_several_lines_is_found_in_a_log_of_backup_server(before: int) -> None:
    time = "2025-09-29T09:52:36+02:00: "
    log = [*[f"{time}a"] * before, f"{time}TASK ERROR: wiping failed", "Caution: bad header", "Warning: no backup"]
    task = parse("UPID:pbs1:00000C0A:0000B5E2:00000007:68D9C3E0:wipedisk:sda:root@pam:")
    clock = FakeClock()
    source = FakeSource(clock, {task.native: clock.now}, {task.native: "unknown"}, {task.native: log})
    seen = look_at(source, task, 0, lambda: None).task
    assert (seen.exitstatus, seen.outcome) == ("wiping failed", "error")


def test_no_second_opinion_to_be_had() -> None:
    refused = Refused("501")
    source = ended("unexpected status", script={"log": [refused]})
    assert look(source) == Look(Task(upid(), "stopped", "unexpected status"), (refused,))
    source = ended("unexpected status", logs={NATIVE: []})
    assert look(source) == Look(Task(upid(), "stopped", "unexpected status"))


def test_a_clear_end_needs_one_request() -> None:
    source = ended("boom")
    assert look(source).task.exitstatus == "boom"
    assert source.calls == {"status": 1}


@pytest.mark.parametrize(
    ("total", "lines", "requests"),
    [
        (3, 50, 1),
        (50, 50, 1),
        (200, 50, 1),
        (201, 50, 2),
        (5000, 1, 2),
        (3, 0, 1),
        (2 * PAGE_LINES + 5, 0, 3),
        (90_000, 3 * PAGE_LINES, 4),
    ],
)
def test_logs_come_in_few_requests(total: int, lines: int, requests: int) -> None:
    text = [f"line {number}" for number in range(total)]
    source = ended("boom", logs={NATIVE: text})
    task = with_log(source, Task(upid(), "stopped", "boom"), lines, 0)
    assert list(task.log or ()) == text[-lines:]
    assert task.log_total == total
    assert source.calls["log"] == requests


@pytest.mark.parametrize("lines", [1, 50, 0])
def test_progress_does_not_depend_on_how_many_lines_are_returned(lines: int) -> None:
    text = [
        "total estimated size is 4G",
        *(f"noise {number}" for number in range(3000)),
        "10:00:00  1G  a@b",
        *"x" * 900,
    ]
    source = ended("boom", logs={NATIVE: text})
    task = with_log(source, Task(upid(), "running"), lines, 0)
    assert task.progress is not None
    assert task.progress.percent == 25.0


@pytest.mark.parametrize("lines", [1, 50, 1000, 2999, 5000, 0])
@pytest.mark.parametrize(("noise", "guest"), [(998, "VM 102 (3 of 3): "), (3000, "")])
def test_who_is_at_work_does_not_depend_on_how_many_lines_are_returned(lines: int, noise: int, guest: str) -> None:
    text = [
        "INFO: starting new backup job: vzdump 100 101 102",
        "INFO: Starting Backup of VM 100 (qemu)",
        *"x" * 198,
        "INFO: Starting Backup of VM 101 (qemu)",
        "INFO: Starting Backup of VM 102 (qemu)",
        *"x" * (noise - 1),
        "INFO:  45% (1 GiB of 2 GiB) in 3s, read: 1 MiB/s",
    ]
    source = ended("boom", logs={NATIVE: text})
    task = with_log(source, Task(upid(), "running"), lines, 0)
    assert task.progress is not None
    assert task.progress.text.startswith(f"{guest}45%")


def test_a_log_that_was_cut_meanwhile() -> None:
    source = ended("boom", script={"log": [([{"n": 1, "t": "a"}], 900), ([], 1)]})
    task = with_log(source, Task(upid(), "stopped", "boom"), 5, 0)
    # What is left of it is its end.
    assert task.log == ("a",)
    source = ended("boom", script={"log": [([{"n": 1, "t": "a"}], 9000), ([], 1)]})
    assert with_log(source, Task(upid(), "stopped", "boom"), 5, 0).log == ()


@pytest.mark.parametrize("row", [{}, {"n": "1", "t": "text"}, {"n": 1, "t": None}, {"n": True, "t": "text"}])
def test_rows_of_odd_form_are_a_passing_fault(row: dict[str, t.Any]) -> None:
    source = ended("unexpected status", script={"log": [([row], 1), ([row], 1), ([row], 1)]})
    with pytest.raises(ApiError, match="not of the form") as caught:
        with_log(source, Task(upid(), "stopped", "boom"), 5, 0)
    assert caught.value.passing


def test_each_opinion_is_asked_for_once_and_costs_nothing() -> None:
    passing = Fault("got timeout")
    # Where the log cannot be had, the list is asked.
    source = ended("unexpected status", script={"log": [passing]})
    assert look(source, listing("boom")).task.exitstatus == "boom"
    source = ended("unexpected status", script={"log": [NodeUnreachable("595")]})
    seen = look(source, LoginRefused("401"))
    assert seen.task.outcome == "unknown"
    assert [type(fault) for fault in seen.faults] == [NodeUnreachable, LoginRefused]
    assert source.calls == {"status": 1, "log": 1, "list": 1}


def test_a_log_that_is_said_to_have_no_end() -> None:
    head = [{"n": 1, "t": "one"}], 10**12
    task = Task(upid(), "stopped", "boom")
    with pytest.raises(Refused, match=r"has 1000000000000 lines, .*: set log_lines"):
        with_log(FakeSource(FakeClock(), script={"log": [head]}), task, 0, 0)
    # The end is asked for; what comes is less.
    source = FakeSource(FakeClock(), script={"log": [head] * 99})
    assert with_log(source, task, 5, 0).log == ("one",)
    assert source.calls == {"log": 2}
