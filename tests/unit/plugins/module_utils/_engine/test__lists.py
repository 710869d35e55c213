# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of task lists."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine import lists
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.lists import (
    FEW_ROWS,
    PAGE_ROWS,
    PAST_ROWS,
    PAST_TASKS,
    by_upid,
    ended_rows,
    endtime_of,
    goes_on,
    past_durations,
    task_of,
    task_of_cluster,
    with_endtimes,
    without_log,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.tests.unit.fakes import EPOCH, FakeClock, FakeSource, upid

NATIVE = upid().native


def test_end_times_come_from_the_list_alone() -> None:
    clock = FakeClock()
    source = FakeSource(clock, ends={NATIVE: clock.now}, exits={NATIVE: "boom"})
    running = Task(upid(2), "running")
    known = Task(upid(3), "stopped", "OK", endtime=5)
    tasks = with_endtimes(source, [Task(upid(), "stopped", "boom"), running, known], 0)
    assert [task.endtime for task in tasks] == [EPOCH, None, 5]
    assert with_endtimes(source, [running], 0) == [running]
    assert source.calls == {"listed": 1}


@pytest.mark.parametrize(
    ("value", "endtime"),
    [
        (7, 7),
        ("7", 7),
        (None, None),
        ("", None),
        ("soon", None),
        (-1, None),
        ([], None),
        (0, 0),
        ("0", 0),
        (True, None),
        *((kind(10**12 - 1), 10**12 - 1) for kind in (int, str)),
        *((kind(10**12), None) for kind in (int, str)),
    ],
)
def test_end_times_of_rows(value: t.Any, endtime: int | None) -> None:
    assert endtime_of({"endtime": value}) == endtime


@pytest.mark.parametrize(
    ("row", "by_node", "by_cluster"),
    [
        (None, None, None),
        ({"status": "RUNNING"}, "running", "running"),
        # Only the cluster's rows of running tasks have neither.
        ({}, None, "running"),
        ({"status": "OK"}, None, None),
        ({"status": "OK", "endtime": 5}, "ok", "ok"),
        ({"status": "boom", "endtime": "5"}, "error", "error"),
        ({"status": "unexpected status", "endtime": 5}, "unknown", "unknown"),
        ({"status": None, "endtime": 5}, "unknown", "unknown"),
        ({"status": "", "endtime": 5}, "unknown", "unknown"),
    ],
)
def test_what_a_row_tells(row: dict[str, t.Any] | None, by_node: str | None, by_cluster: str | None) -> None:
    for told, outcome in ((task_of(upid(), row), by_node), (task_of_cluster(upid(), row), by_cluster)):
        assert (told and told.outcome) == outcome
        assert told is None or told.endtime == (5 if told.sight == "stopped" else None)


def test_of_two_rows_the_one_with_an_end_counts() -> None:
    end: dict[str, t.Any] = {"upid": "a", "status": "OK", "endtime": 5}
    runs: dict[str, t.Any] = {"upid": "a", "status": "RUNNING"}
    for rows in ([runs, end], [end, runs], [end, end]):
        assert by_upid(rows) == {"a": end}


def test_a_request_is_as_narrow_as_can_be() -> None:
    asked: list[dict[str, t.Any]] = []

    class Source(FakeSource):
        def listed(self, node: str, deadline: float, **filters: t.Any) -> tuple[t.Any, int | None]:
            asked.append(filters)
            return [], 0

    ended_rows(Source(FakeClock()), [upid(1, age=50), upid(2, age=9)], 0)
    ended_rows(Source(FakeClock()), [upid(1), upid(2, type="vzdump")], 0)
    window = {"source": "archive", "limit": PAGE_ROWS}
    assert asked == [
        {**window, "since": EPOCH - 50, "until": EPOCH - 9, "type": "qmstart"},
        {**window, "since": EPOCH, "until": EPOCH},
    ]


@pytest.mark.parametrize(
    ("place", "anew", "requests"),
    [
        (0, True, 1),
        (PAGE_ROWS, True, 2),
        (PAGE_ROWS, False, 1),
        (90, False, 1),
        (200, False, 1),
        (2 * PAGE_ROWS + 1, True, 3),
        (None, True, 3),
    ],
)
def test_pages_are_read_as_far_as_they_are_needed(place: int | None, anew: bool, requests: int) -> None:
    rows: list[dict[str, t.Any]] = [{"upid": f"other {n}", "status": "OK", "endtime": 5} for n in range(12_000)]
    if place is not None:
        rows[place]["upid"] = NATIVE

    class Source(FakeSource):
        def listed(self, node: str, deadline: float, **filters: t.Any) -> tuple[t.Any, int | None]:
            super().listed(node, deadline)
            start = filters.get("start", 0)
            return rows[start : start + filters["limit"]], None

    source = Source(FakeClock())
    found = ended_rows(source, [upid()], 0, None if anew else ())
    seen = requests * PAGE_ROWS if anew else FEW_ROWS + 2
    assert (NATIVE in found) is (place is not None and place < seen)
    assert source.calls["listed"] == requests


def test_pages_that_bring_nothing_new_are_not_read_for_ever() -> None:
    page = [{"upid": upid(number).native} for number in range(PAGE_ROWS)], 10**9
    source = FakeSource(FakeClock(), script={"listed": [page] * 9})
    assert len(ended_rows(source, [upid(PAGE_ROWS + 1)], 0)) == PAGE_ROWS
    assert source.calls == {"listed": 2}


def test_a_page_that_the_server_counts_as_the_last_one_is_the_last() -> None:
    page = [{"upid": upid(number).native} for number in range(PAGE_ROWS)], PAGE_ROWS
    source = FakeSource(FakeClock(), script={"listed": [page]})
    assert len(ended_rows(source, [upid(PAGE_ROWS + 1)], 0)) == PAGE_ROWS
    assert source.calls == {"listed": 1}


def test_no_more_is_read_than_any_archive_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST_ROWS", 3)
    seen: set[str] = set()
    assert goes_on([{"upid": "a"}, {"upid": "b"}], seen)
    assert not goes_on([{"upid": "b"}], seen)
    assert not goes_on([{"upid": "c"}], seen)
    assert seen == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("listed", "sight", "lost"),
    [
        (None, "missing", False),
        (Task(upid(), "running"), "missing", False),
        (Task(upid(), "stopped", "boom"), "stopped", True),
        (Task(upid(), "stopped", "unexpected status"), "stopped", True),
    ],
)
def test_what_has_no_log_any_more(listed: Task | None, sight: str, lost: bool) -> None:
    task = without_log(upid(), listed, "no such task")
    assert (task.sight, task.lost_log) == (sight, lost)
    assert task.error == (None if lost else "no such task")


class Past(FakeSource):
    """Tells of tasks that ended well, and keeps what it was asked."""

    def listed(self, node: str, deadline: float, **filters: t.Any) -> t.Any:
        self.asked = (node, filters)
        ends = [("100", 30), ("100", -5), ("101", 7), ("100", 0), *[("100", 60)] * 9]
        rows = [
            {"upid": upid(number, id=about).native, "status": "OK", "endtime": EPOCH + seconds}
            for number, (about, seconds) in enumerate(ends)
        ]
        return [{"upid": "odd"}, {"upid": upid(99).native}, *rows], None


def test_how_long_tasks_like_it_took() -> None:
    source = Past(FakeClock())
    # One that ended before it began has a clock that was set.
    assert past_durations(source, upid(50, node="pve2"), 0) == [30, 0, 0, 60, 60]
    assert PAST_TASKS == 5
    assert source.asked == (
        "pve2",
        {"source": "archive", "type": "qmstart", "outcomes": ("ok", "warning"), "guest": 100, "limit": PAST_ROWS},
    )


@pytest.mark.parametrize(
    ("about", "guest"), [("1", 1), ("999999999", 999999999), ("1234567890", None), ("local-zfs", None), ("", None)]
)
def test_only_a_guest_can_be_asked_for(about: str, guest: int | None) -> None:
    source = Past(FakeClock())
    past_durations(source, upid(50, id=about), 0)
    assert source.asked[1].get("guest") == guest
