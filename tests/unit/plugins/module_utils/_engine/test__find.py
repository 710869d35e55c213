# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding tasks, on a clock that nobody waits for."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine import lists
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.find import Finder
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Filters, LogWish
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Fault,
    HostUnreachable,
    LoginRefused,
    NodeUnreachable,
    NoPrivilege,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.results import Found
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid
from ansible_collections.proxkit.tasks.tests.unit.fakes import EPOCH, FakeClock, FakeSource, upid

QUIET = LogWish("never")


@pytest.fixture
def source() -> FakeSource:
    """Three tasks of one node: two that ended, one that runs."""
    clock = FakeClock()
    ends = {
        upid(number, age=60 * number).native: clock.now + end for number, end in ((1, 900.0), (2, -10.0), (3, -9.0))
    }
    return FakeSource(clock, ends=ends, exits={upid(3, age=180).native: "boom"})


def tasks(*numbers: int) -> list[Upid]:
    return [upid(number, age=60 * number) for number in numbers]


def named(source: FakeSource, *numbers: int, log: LogWish = QUIET) -> Found:
    return Finder(lambda: source, source.clock, log).named(tasks(*numbers))


def matching(source: FakeSource, *nodes: str, **filters: t.Any) -> Found:
    return Finder(lambda: source, source.clock, QUIET).matching(nodes, Filters(**filters))


def test_named_ones_come_in_the_order_asked_for(source: FakeSource) -> None:
    found = named(source, 3, 1, 9, 2)
    assert [(task.upid.pid, task.outcome) for task in found.tasks] == [
        (3, "error"),
        (1, "running"),
        (9, "missing"),
        (2, "ok"),
    ]
    assert found.tasks[3].endtime == EPOCH - 10
    assert (found.warnings, found.errors, source.closed) == ([], [], True)


def test_a_node_that_does_not_answer_keeps_nothing_from_the_others(source: FakeSource) -> None:
    down = FakeSource(source.clock, script={"status": [NodeUnreachable("595")] * 9})
    sources = [source, down]
    upids = [*tasks(2), upid(7, node="pve2")]
    found = Finder(lambda: sources.pop(0), source.clock, QUIET).named(upids)
    assert [task.outcome for task in found.tasks] == ["ok", "unseen"]
    assert found.unreachable == {"pve2": "595"}
    assert found.asked == {"pve1", "pve2"}


@pytest.mark.parametrize("error", [LoginRefused("401"), HostUnreachable("refused")])
def test_what_keeps_from_all_is_an_error(source: FakeSource, error: ApiError) -> None:
    source.script["status"] = [error] * 9
    found = named(source, 2)
    assert found.errors == [error]
    assert found.unreachable == {}
    assert found.tasks[0].outcome == "unseen"


def test_a_refusal_is_that_tasks_alone(source: FakeSource) -> None:
    source.script["status"] = [NoPrivilege("403")]
    source.script["listed"] = [([], 0)]
    found = named(source, 1, 2)
    assert [(task.outcome, task.error) for task in found.tasks] == [("unseen", "403"), ("ok", None)]


@pytest.mark.parametrize(("error", "warnings"), [(Fault("got timeout"), 2), (HostUnreachable("refused"), 1)])
def test_a_log_that_cannot_be_read_costs_no_outcome(source: FakeSource, error: ApiError, warnings: int) -> None:
    source.script["log"] = [error] * 99
    found = named(source, 2, 3, log=LogWish("always"))
    assert [task.outcome for task in found.tasks] == ["ok", "error"]
    assert [task.log for task in found.tasks] == [None, None]
    assert len(found.warnings) == warnings
    assert "could not be read" in found.warnings[0]


def test_a_list_that_fails_is_a_warning(source: FakeSource) -> None:
    source.script["listed"] = [Fault("got timeout")] * 99
    found = named(source, 2, 3)
    assert [task.outcome for task in found.tasks] == ["ok", "error"]
    assert found.warnings == ["The task list of node pve1 could not be read: got timeout."]


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({}, [2, 3]),
        ({"limit": 1}, [2]),
        ({"outcomes": ("error",)}, [3]),
        ({"types": ("vzdump",)}, []),
        ({"vmids": (100,), "limit": 0}, [2, 3]),
        ({"since": EPOCH - 130}, [2]),
        ({"until": EPOCH - 130}, [3]),
        ({"user": "root@pam!backup"}, []),
    ],
)
def test_the_latest_that_fit(source: FakeSource, filters: dict[str, t.Any], numbers: list[int]) -> None:
    # Nobody named a node: all are asked.
    assert [task.upid.pid for task in matching(source, **filters).tasks] == numbers


@pytest.mark.parametrize(("total", "pages"), [(None, 1), (1, 1), (3, 3)])
def test_pages_are_read_to_the_total_and_where_none_is_told_to_one_that_is_not_full(
    source: FakeSource, total: int | None, pages: int
) -> None:
    natives = [upid(number).native for number in range(3)]
    source.script["listed"] = [([{"upid": native, "status": "OK", "endtime": EPOCH}], total) for native in natives]
    assert len(matching(source, "pve1", limit=0).tasks) == pages
    assert source.calls["listed"] == pages


def test_a_malformed_row_is_a_warning(source: FakeSource) -> None:
    source.script["listed"] = [([{"upid": "UPID:nonsense"}], 1)]
    found = matching(source, "pve1")
    assert found.tasks == []
    assert found.warnings == ["Node pve1 lists a task whose UPID is malformed; it is left out."]


def test_who_sees_only_ones_own_goes_by_the_cluster_for_what_runs(source: FakeSource) -> None:
    source.script["missing_right"] = ["Sys.Audit on /nodes/pve1"]
    source.cluster_lists = True
    found = matching(source, "pve1")
    assert found.blind == ["pve1"]
    assert [(task.upid.pid, task.outcome) for task in found.tasks] == [(1, "running"), (2, "ok"), (3, "error")]
    assert "Sys.Audit on /nodes/pve1 is missing" in found.warnings[0]


def test_a_cluster_that_cannot_name_its_nodes_is_an_error(source: FakeSource) -> None:
    class Nameless(FakeSource):
        def node_names(self, deadline: float) -> list[str]:
            raise NoPrivilege("403")

    nameless = Nameless(source.clock)
    with pytest.raises(NoPrivilege):
        matching(nameless)
    assert nameless.closed


def endless(start: int) -> t.Any:
    """A page of a list that says of itself that it has a billion rows."""
    rows = [
        {"upid": upid(number, age=60).native, "status": "OK", "endtime": EPOCH} for number in range(start, start + 9)
    ]
    return rows, 10**9


def test_a_list_that_repeats_itself_is_not_read_for_ever(source: FakeSource) -> None:
    source.script["listed"] = [endless(0), endless(5), *[endless(5)] * 99]
    found = matching(source, "pve1", limit=0)
    assert len(found.tasks) == 14
    assert source.calls["listed"] == 3
    assert found.warnings == ["Node pve1 lists more tasks than it shows: 14 were read, further pages bring no others."]


def test_a_list_without_end_is_read_up_to_a_bound(source: FakeSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST_ROWS", 50)
    source.script["listed"] = [endless(9 * page) for page in range(99)]
    assert len(matching(source, "pve1", limit=0).tasks) == 54
    assert source.calls["listed"] == 6


def test_a_list_of_nonsense_ends_with_one_warning(source: FakeSource) -> None:
    source.script["listed"] = [([{"upid": "nonsense"}] * 9, 10**9)] * 99
    [warning] = [text for text in matching(source, "pve1", limit=0).warnings if "malformed" in text]
    assert warning == "Node pve1 lists a task whose UPID is malformed; it is left out."
    assert source.calls["listed"] == 2
