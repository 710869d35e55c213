# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The watch over one node, on a clock that nobody waits for."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.lists import LIST_FROM
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import LogWish, Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.round import GRACE_SECONDS
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.watch import SHORT_PAUSE, Watch
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Fault,
    HostUnreachable,
    LoginRefused,
    NobodyThere,
    NodeUnreachable,
    NoPrivilege,
    NoSuchTask,
    NotProxmox,
    Refused,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import parse
from ansible_collections.proxkit.tasks.tests.unit.fakes import EPOCH, FakeClock, FakeSource, upid
from hypothesis import given
from hypothesis import strategies as st

PASSING = Fault("got timeout")


def watched(source: FakeSource, numbers: t.Sequence[int], **plan: t.Any) -> Watch:
    watch = Watch("pve1", [upid(number) for number in numbers], source, Plan(**plan), source.clock, source.clock.now)
    watch.run(lambda: None)
    return watch


def outcomes(watch: Watch) -> list[str]:
    return [task.outcome for task in watch.tasks.values()]


def cluster_of(clock: FakeClock, *ends: float) -> FakeSource:
    return FakeSource(clock, ends={upid(number).native: clock.now + end for number, end in enumerate(ends, 1)})


@pytest.mark.parametrize(("duration", "most"), [(0.3, 2), (10, 16), (1800, 400)])
def test_looks_are_few_and_the_end_is_seen_soon(duration: float, most: int) -> None:
    source = cluster_of(FakeClock(), duration)
    began = source.clock.now
    watch = watched(source, [1], timeout=4000)
    assert outcomes(watch) == ["ok"]
    assert source.calls["status"] <= most
    assert source.clock.now - began - duration <= max(0.6, min(5, 0.15 * duration))


@pytest.mark.parametrize(("recent", "ends"), [(25, 15), (0, 20)])
def test_many_cost_a_list_a_look_and_an_end_nothing(recent: int, ends: int) -> None:
    source = cluster_of(FakeClock(), *(2 + 18 * number / 49 for number in range(50)))
    source.recent = recent
    watch = watched(source, range(1, 51))
    assert outcomes(watch) == ["ok"] * 50
    assert [task.endtime for task in watch.tasks.values()] == [EPOCH + int(2 + 18 * n / 49) for n in range(50)]
    assert source.calls["active"] <= 25
    # A probe a look; the ends of those that are out of the list's sight in one request a look.
    assert source.calls["status"] <= 15
    assert source.calls.get("listed", 0) <= ends
    # Four nodes of this kind at 250 requests.
    assert sum(source.calls.values()) <= 250 / 4


def test_those_that_still_run_keep_none_that_ended_out_of_the_list() -> None:
    class Source(FakeSource):
        def listed(self, node: str, deadline: float, **filters: t.Any) -> tuple[t.Any, int | None]:
            rows, _total = super().listed(node, deadline)
            running = [row for row in self._listed({"status": "RUNNING"}) if "endtime" not in row]
            listed = rows if filters["source"] == "archive" else running + rows
            return listed[: filters["limit"]], len(listed)

    clock = FakeClock()
    ends = {upid(number).native: clock.now + (2 if number < 9 else 9) for number in range(1000)}
    source = Source(clock, ends=ends, recent=0)
    assert outcomes(watched(source, range(1000))) == ["ok"] * 1000
    # A probe a look after a while.
    assert source.calls.get("status", 0) <= 5


def test_those_that_ended_long_ago_cost_two_requests() -> None:
    source = cluster_of(FakeClock(), *([-100.0] * 400))
    source.exits = {upid(number).native: f"boom {number}" for number in range(1, 200)}
    watch = watched(source, range(1, 401), timeout=0, log=LogWish("never"))
    assert outcomes(watch) == ["error"] * 199 + ["ok"] * 201
    assert source.calls == {"active": 1, "listed": 1}


def test_two_go_by_the_list() -> None:
    assert LIST_FROM == 2
    source = cluster_of(FakeClock(), 4, 4)
    assert outcomes(watched(source, [1, 2])) == ["ok", "ok"]
    assert "status" not in source.calls


def test_a_list_that_lags_is_not_believed_for_long() -> None:
    source = cluster_of(FakeClock(), *([1] * 50))
    source.list_lag = 1000
    began = source.clock.now
    watch = watched(source, range(1, 51))
    assert outcomes(watch) == ["ok"] * 50
    # One is asked for after some seconds; that it has ended shows that the list lags: all are asked for at once.
    assert 5 < source.clock.now - began < 7
    assert source.calls["status"] == 50


@pytest.mark.parametrize(("count", "lag", "requests"), [(20, 60, 20), (20, 0, 4), (2, 60, 2)])
def test_the_last_look_takes_no_lists_word_alone(count: int, lag: float, requests: int) -> None:
    source = cluster_of(FakeClock(), *([-1.0 if lag else 60.0] * count))
    source.list_lag = lag
    watch = watched(source, range(1, count + 1), timeout=0, log=LogWish("never"))
    assert outcomes(watch) == ["ok" if lag else "running"] * count
    assert source.calls["status"] == requests


def test_a_list_that_has_only_not_heard_yet_is_believed() -> None:
    source = cluster_of(FakeClock(), *(5 + number / 100 for number in range(50)), *([60.0] * 50))
    source.list_lag = 0.05
    watch = watched(source, range(1, 101))
    assert outcomes(watch) == ["ok"] * 100
    assert source.calls["status"] < 25


@pytest.mark.parametrize("count", [50, 120])
def test_tokens_tasks_that_the_node_hides_go_by_the_cluster(count: int) -> None:
    source = cluster_of(FakeClock(), *(20 + 20 * number / count for number in range(count)))
    source.hidden = frozenset(source.ends)
    source.cluster_lists = True
    watch = watched(source, range(1, count + 1))
    assert outcomes(watch) == ["ok"] * count
    # Only the first look asks the list that shows nothing.
    assert source.calls["active"] == 1
    assert source.calls["cluster_tasks"] <= 32
    assert source.calls["status"] <= 32


def test_tasks_that_no_list_shows_are_asked_for_singly_now_and_then() -> None:
    source = cluster_of(FakeClock(), 3, 13, 13, 13)
    source.invisible = frozenset(source.ends)
    began = source.clock.now
    assert outcomes(watched(source, range(1, 5))) == ["ok"] * 4
    assert source.clock.now - began < 13 + 5 + 2.5
    assert source.calls["status"] <= 4 * 5


@pytest.mark.parametrize(("duration", "most"), [(25, 4), (60, 4), (600, 24)])
def test_hidden_tasks_are_asked_for_singly_less_and_less(duration: float, most: int) -> None:
    asked: dict[str, int] = {}

    class Cluster(FakeSource):
        """Its list holds 25 tasks of a node, and no node's list shows those that run."""

        def cluster_tasks(self, deadline: float) -> t.Any:
            return super().cluster_tasks(deadline)[:25]

        def status(self, upid: t.Any, deadline: float) -> dict[str, t.Any]:
            asked[upid.native] = asked.get(upid.native, 0) + 1
            return super().status(upid, deadline)

    ends = cluster_of(FakeClock(), *([float(duration)] * 50))
    source = Cluster(ends.clock, ends=ends.ends, hidden=frozenset(ends.ends), cluster_lists=True)
    began = source.clock.now
    assert outcomes(watched(source, range(1, 51), timeout=900)) == ["ok"] * 50
    assert source.clock.now - began - duration <= 5.1
    assert max(asked.values()) <= most


@pytest.mark.parametrize(("count", "duration", "most"), [(2, 20, 6), (20, 60, 5), (20, 600, 24)])
def test_where_no_list_shows_what_runs_the_one_of_what_ended_tells_the_end(
    count: int, duration: float, most: int
) -> None:
    source = cluster_of(FakeClock(), *([duration] * count))
    source.lists_running = False
    began = source.clock.now
    assert outcomes(watched(source, range(1, count + 1), timeout=900)) == ["ok"] * count
    assert source.clock.now - began - duration <= 5.1
    assert source.calls["active"] == 1
    assert source.calls["status"] <= most * count


HUNG = NodeUnreachable("node pve1 gave no answer", timed_out=True)
WAYS = [NodeUnreachable("595"), HostUnreachable("503"), NotProxmox("a page"), HUNG]


@pytest.mark.parametrize("fault", WAYS, ids=["595", "503", "a page", "a hang"])
@pytest.mark.parametrize("count", [2, 3, 50])
@pytest.mark.parametrize("timeout", [0.0, 60.0])
def test_a_list_never_costs_what_status_tells(fault: ApiError, count: int, timeout: float) -> None:
    source = cluster_of(FakeClock(), *([0.0] * count))
    source.script = {name: [fault] * 999 for name in ("active", "listed", "cluster_tasks")}
    watch = watched(source, range(1, count + 1), timeout=timeout, log=LogWish("never"))
    assert outcomes(watch) == ["ok"] * count
    assert len(watch.settled) == count
    assert source.calls["status"] <= count + 2


class Hanging(FakeSource):
    """Its list takes all the time that it is given, 15 s at most."""

    def active(self, node: str, deadline: float) -> dict[str, dict[str, t.Any]]:
        self.calls["active"] = self.calls.get("active", 0) + 1
        self.clock.now = min(self.clock.now + 15, deadline)
        raise HUNG

    def listed(self, node: str, deadline: float, **filters: t.Any) -> t.Any:
        return self.active(node, deadline)


@pytest.mark.parametrize("timeout", [0.0, 2.0, 10.0, 60.0])
def test_a_list_that_hangs_leaves_time_to_ask_singly(timeout: float) -> None:
    source = cluster_of(FakeClock(), 0.0, 0.0, 0.0)
    slow = Hanging(source.clock, ends=source.ends)
    watch = watched(slow, range(1, 4), timeout=timeout, log=LogWish("never"))
    assert outcomes(watch) == ["ok"] * 3


def test_a_list_that_hangs_is_done_without_for_a_while() -> None:
    source = cluster_of(FakeClock(), 100.0, 100.0)
    slow = Hanging(source.clock, ends=source.ends)
    watch = watched(slow, [1, 2], timeout=300, log=LogWish("never"))
    assert outcomes(watch) == ["ok"] * 2
    # Each costs 15 s, then half a minute goes without.
    assert slow.calls["active"] <= 100 / 45 + 2


@pytest.mark.parametrize(("fault", "requests"), [(WAYS[0], 2), (WAYS[1], 2), (WAYS[2], 2), (HUNG, 1)])
def test_a_node_that_is_down_costs_one_request_more_a_look(fault: ApiError, requests: int) -> None:
    source = cluster_of(FakeClock(), *([1.0] * 20))
    source.script = {name: [fault] * 999 for name in ("active", "status")}
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1

    watch = Watch("pve1", [upid(n) for n in range(1, 21)], source, Plan(timeout=60), source.clock, source.clock.now)
    watch.run(look)
    assert watch.fault == fault.message
    assert source.calls["active"] + source.calls["status"] <= requests * looks + 2


def test_a_list_that_is_refused_is_done_without() -> None:
    source = cluster_of(FakeClock(), 1, 1, 1)
    source.script["active"] = [Refused("501 not implemented")] * 50
    assert outcomes(watched(source, range(1, 4))) == ["ok"] * 3


def test_a_list_that_never_comes_hides_no_end() -> None:
    source = cluster_of(FakeClock(), 0, 0, 0, 0, 0, 0)
    source.script["active"] = [PASSING] * 100
    assert outcomes(watched(source, range(1, 7))) == ["ok"] * 6
    source = cluster_of(FakeClock(), 0, 0, 0, 0, 0, 0)
    source.script["active"] = [PASSING] * 100
    assert outcomes(watched(source, range(1, 7), timeout=0)) == ["ok"] * 6


def test_a_refusal_of_whom_was_let_in_before_is_waited_out() -> None:
    source = cluster_of(FakeClock(), 1)
    source.script["status"] = [Fault("401")] * 3
    assert outcomes(watched(source, [1])) == ["ok"]


def test_a_list_that_fails_for_a_moment_is_asked_again() -> None:
    source = cluster_of(FakeClock(), 1, 1, 1)
    source.script["active"] = [PASSING]
    assert outcomes(watched(source, range(1, 4))) == ["ok"] * 3


@pytest.mark.parametrize("call", ["status", "active"])
def test_credentials_that_are_refused_end_it(call: str) -> None:
    source = cluster_of(FakeClock(), 1, 1, 1)
    source.script[call] = [LoginRefused("401")]
    with pytest.raises(LoginRefused):
        watched(source, [1] if call == "status" else range(1, 4))


def test_a_host_that_never_was_ends_it() -> None:
    source = cluster_of(FakeClock(), 1)
    source.script["status"] = [NobodyThere("nobody answers")]
    with pytest.raises(NobodyThere):
        watched(source, [1])


def test_what_is_no_proxmox_is_asked_again_soon_and_may_end_it() -> None:
    source = cluster_of(FakeClock(), 1)
    source.script["status"] = [NotProxmox("a page")] * 5
    began = source.clock.now
    assert outcomes(watched(source, [1], interval=60, longest=60)) == ["ok"]
    assert source.clock.now - began == pytest.approx(5 * SHORT_PAUSE)
    source.script["status"] = [NotProxmox("a page"), NobodyThere("a page")]
    with pytest.raises(NobodyThere):
        watched(source, [1])


def test_a_host_that_is_away_is_waited_for() -> None:
    source = cluster_of(FakeClock(), 1)
    source.script["status"] = [HostUnreachable("nobody answers")] * 8
    assert outcomes(watched(source, [1], timeout=60)) == ["ok"]


def test_a_missing_privilege_settles_that_task_alone() -> None:
    source = cluster_of(FakeClock(), 1, 1)
    source.invisible = frozenset(source.ends)
    source.script["status"] = [NoPrivilege("403 Sys.Audit")]
    watch = watched(source, [1, 2])
    assert outcomes(watch) == ["unseen", "ok"]
    assert watch.tasks[upid(1).native].error == "403 Sys.Audit"
    assert len(watch.settled) == 2


def test_a_young_task_gets_a_short_grace() -> None:
    clock = FakeClock()
    source = FakeSource(clock, script={"status": [NoSuchTask("no such task")] * 3}, ends={upid(1).native: clock.now})
    assert outcomes(watched(source, [1])) == ["ok"]


def test_grace_has_an_end() -> None:
    source = FakeSource(FakeClock())
    began = source.clock.now
    assert outcomes(watched(source, [1])) == ["missing"]
    assert GRACE_SECONDS <= source.clock.now - began < GRACE_SECONDS + 2


@pytest.mark.parametrize(("age", "grace"), [(59, True), (61, False), (-200, True), (-400, False)])
def test_who_is_young(age: int, grace: bool) -> None:
    source = FakeSource(FakeClock())
    watch = Watch("pve1", [upid(1, age=age)], source, Plan(timeout=60), source.clock, source.clock.now)
    watch.run(lambda: None)
    assert (source.calls["status"] > 1) is grace


def test_one_look_at_a_young_task_proves_nothing() -> None:
    watch = watched(FakeSource(FakeClock()), [1], one_look=True)
    assert outcomes(watch) == ["unseen"]
    assert not watch.settled


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ({"status": "boom", "endtime": EPOCH + 5}, "error"),
        ({"status": "OK", "endtime": EPOCH + 5}, "ok"),
        ({"status": "unexpected status", "endtime": EPOCH + 5}, "unseen"),
        ({"status": "RUNNING"}, "running"),
        ({}, "running"),
        (None, "unseen"),
    ],
)
def test_the_cluster_knows_of_a_node_that_is_down(row: dict[str, t.Any] | None, outcome: str) -> None:
    source = cluster_of(FakeClock(), 1)
    source.script["status"] = [NodeUnreachable("595 no route")] * 500
    source.cluster = [{"upid": "UPID:other"}] + ([{"upid": upid(1).native, **row}] if row is not None else [])
    watch = watched(source, [1], timeout=20)
    assert outcomes(watch) == [outcome]
    if outcome == "unseen":
        assert watch.fault == "595 no route"


def test_a_cluster_that_does_not_tell_changes_nothing() -> None:
    source = cluster_of(FakeClock(), 1)
    source.script["status"] = [NodeUnreachable("595 no route")] * 3
    source.script["cluster_tasks"] = [PASSING] * 3
    assert outcomes(watched(source, [1])) == ["ok"]


def test_a_log_that_fails_once_comes_with_the_end() -> None:
    source = cluster_of(FakeClock(), 0)
    source.script["log"] = [PASSING]
    watch = watched(source, [1], log=LogWish("always"))
    assert watch.tasks[upid(1).native].log == ("TASK OK",)
    assert watch.unread == []


@pytest.mark.parametrize("error", [NodeUnreachable("595"), Refused("501")])
def test_a_log_that_cannot_be_had_costs_no_outcome(error: ApiError) -> None:
    source = cluster_of(FakeClock(), 0)
    source.script["log"] = [error] * 10
    source.script["listed"] = [PASSING] * 10
    watch = watched(source, [1], log=LogWish("always"))
    assert outcomes(watch) == ["ok"]
    assert watch.tasks[upid(1).native].log is None
    assert (watch.unread, watch.log_fault) == ([upid(1)], error.message)


def test_no_log_after_the_time_is_over() -> None:
    source = cluster_of(FakeClock(), 0)

    class Slow(FakeSource):
        def status(self, upid: t.Any, deadline: float) -> dict[str, t.Any]:
            self.clock.now = deadline + 1
            return {"status": "stopped", "exitstatus": "OK"}

    slow = Slow(source.clock, ends=source.ends)
    watch = watched(slow, [1], timeout=0, log=LogWish("always"))
    assert outcomes(watch) == ["ok"]
    assert watch.tasks[upid(1).native].log is None
    assert "log" not in slow.calls
    assert (watch.unread, watch.log_fault) == ([upid(1)], None)


def test_a_missing_task_has_no_log_to_ask_for() -> None:
    source = FakeSource(FakeClock())
    watch = Watch("pve1", [upid(1, age=600)], source, Plan(log=LogWish("always")), source.clock, source.clock.now)
    watch.run(lambda: None)
    assert outcomes(watch) == ["missing"]
    assert "log" not in source.calls


def test_what_finishes_early_stops_looking() -> None:
    source = cluster_of(FakeClock(), 1000)
    watch = Watch("pve1", [upid(1)], source, Plan(), source.clock, source.clock.now)
    watch.finish.set()
    watch.run(lambda: None)
    assert outcomes(watch) == ["running"]
    assert source.calls["status"] == 1
    assert [task.native for task in watch.running] == [upid(1).native]


LOST = {"status": [NoSuchTask("no such task")] * 99}


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(("exitstatus", "outcome"), [("OK", "ok"), ("boom", "error"), ("unexpected status", "unknown")])
def test_the_word_of_a_list_counts_where_the_log_file_is_gone(count: int, exitstatus: str, outcome: str) -> None:
    upids = [upid(number, age=600) for number in range(1, count + 1)]
    clock = FakeClock()
    source = FakeSource(clock, ends={one.native: 0.0 for one in upids}, exits={one.native: exitstatus for one in upids})
    source.script.update(LOST)
    source.recent = 0
    watch = Watch("pve1", upids, source, Plan(timeout=0, log=LogWish("never")), clock, clock.now)
    watch.run(lambda: None)
    assert outcomes(watch) == [outcome] * count
    assert all(task.endtime is not None for task in watch.tasks.values())
    # Where the list was asked first and told a clear end, nobody needs to know of the log.
    assert [task.lost_log for task in watch.tasks.values()] == [count == 1 or outcome == "unknown"] * count


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("exitstatus", "outcome"), [("unknown", "missing"), ("OK", "ok"), ("boom", "error")])
def test_unknown_in_a_list_of_backup_server_tells_no_end_where_the_log_is_gone(
    count: int, exitstatus: str, outcome: str
) -> None:
    numbers = range(1, count + 1)
    texts = [f"UPID:pve1:{number:08X}:00A21BA7:0000000A:{EPOCH - 600:08X}:prune:tank:root@pam:" for number in numbers]
    clock = FakeClock()
    source = FakeSource(clock, ends=dict.fromkeys(texts, 0.0), exits=dict.fromkeys(texts, exitstatus))
    source.script.update(LOST)
    watch = Watch("pve1", [parse(text) for text in texts], source, Plan(timeout=0), clock, clock.now)
    watch.run(lambda: None)
    assert outcomes(watch) == [outcome] * count


def test_those_that_nobody_knows_are_looked_up_once() -> None:
    upids = [upid(number, age=600) for number in range(1, 100)]
    source = FakeSource(FakeClock(), script={**LOST})
    watch = Watch("pve1", upids, source, Plan(timeout=0), source.clock, source.clock.now)
    watch.run(lambda: None)
    assert outcomes(watch) == ["missing"] * 99
    assert source.calls["listed"] == 1


@pytest.mark.parametrize(("timeout", "requests"), [(0, 1), (60, 4)])
def test_a_list_that_fails_leaves_a_missing_task_missing(timeout: float, requests: int) -> None:
    source = FakeSource(FakeClock(), script={**LOST, "listed": [PASSING, PASSING, PASSING]})
    watch = Watch("pve1", [upid(1, age=600)], source, Plan(timeout=timeout), source.clock, source.clock.now)
    watch.run(lambda: None)
    assert outcomes(watch) == ["missing"]
    assert len(watch.settled) == 1
    assert source.calls["listed"] == requests


@pytest.mark.parametrize("count", [1, 5])
def test_a_second_opinion_is_asked_for_again_at_the_next_look(count: int) -> None:
    source = cluster_of(FakeClock(), *([1.0] * count))
    source.exits = dict.fromkeys(source.ends, "unexpected status")
    source.logs = {native: ["100%TASK OK"] for native in source.ends}
    source.script["log"] = [PASSING] * 2 * count
    assert outcomes(watched(source, range(1, count + 1))) == ["ok"] * count
    # At the deadline, what /status told counts.
    source.script["log"] = [PASSING] * 500
    watch = watched(source, range(1, count + 1), timeout=3, log=LogWish("never"))
    assert outcomes(watch) == ["unknown"] * count
    assert len(watch.settled) == count
    assert source.calls["log"] < 30 * count


@pytest.mark.parametrize("count", [1, 5])
def test_a_second_opinion_that_is_not_to_be_had_is_not_waited_for_for_ever(count: int) -> None:
    source = cluster_of(FakeClock(), *([1.0] * count))
    source.exits = dict.fromkeys(source.ends, "unexpected status")
    source.logs = {native: ["100%TASK OK"] for native in source.ends}
    source.script["log"] = [PASSING] * 5000
    begun = source.clock.now
    watch = watched(source, range(1, count + 1), timeout=300, log=LogWish("never"))
    assert outcomes(watch) == ["unknown"] * count
    assert 15 <= source.clock.now - begun < 30
    assert {task.error for task in watch.tasks.values()} == {"its log could not be asked: got timeout"}


def test_what_was_seen_running_and_is_lost_is_told_so() -> None:
    source = cluster_of(FakeClock(), 900.0)
    clock = source.clock

    class Restarted(FakeSource):
        def status(self, upid: t.Any, deadline: float) -> dict[str, t.Any]:
            if clock.now - 1000.0 < 5:
                return {"status": "running"}
            raise NoSuchTask("no such task")

    watch = Watch("pve1", [upid(1, age=600)], Restarted(clock), Plan(), clock, clock.now)
    watch.run(lambda: None)
    [task] = watch.tasks.values()
    assert (task.outcome, task.error) == (
        "missing",
        "no such task, though it was seen running: the node may have restarted",
    )


def test_an_odd_end_that_a_list_told_is_an_end_without_time_to_ask() -> None:
    class Slow(FakeSource):
        def status(self, upid: t.Any, deadline: float) -> dict[str, t.Any]:
            self.clock.now += 0.3
            return super().status(upid, deadline)

    source = cluster_of(FakeClock(), *([-100.0] * 50))
    slow = Slow(source.clock, ends=source.ends, exits=dict.fromkeys(source.ends, "unexpected status"))
    slow.logs = {native: ["cut off"] for native in source.ends}
    watch = watched(slow, range(1, 51), timeout=0, log=LogWish("never"))
    assert outcomes(watch) == ["unknown"] * 50
    assert len(watch.settled) == 50
    assert slow.calls["status"] < 5


def test_a_refusal_in_a_second_opinion_costs_no_outcome() -> None:
    source = cluster_of(FakeClock(), 0.0)
    source.exits = dict.fromkeys(source.ends, "unexpected status")
    source.script["log"] = [LoginRefused("401")]
    watch = Watch("pve1", [upid(1)], source, Plan(), source.clock, source.clock.now)
    with pytest.raises(LoginRefused):
        watch.run(lambda: None)
    assert outcomes(watch) == ["unknown"]


def test_what_another_thread_tells_stays() -> None:
    source = cluster_of(FakeClock(), 100.0)
    watch = Watch("pve1", [upid(1)], source, Plan(), source.clock, source.clock.now)
    watch.learn(Task(upid(1), "stopped", "received interrupt"))
    watch.learn(Task(upid(1), "running"))
    watch.run(lambda: None)
    assert outcomes(watch) == ["error"]
    assert "status" not in source.calls


PASSED_OVER = (
    PASSING,
    Refused("501"),
    NoPrivilege("403"),
    NodeUnreachable("595"),
    HostUnreachable("refused"),
    NotProxmox("a page"),
)
# What befalls the next requests of a kind; None: nothing.
FAULTS = st.lists(st.sampled_from([None, None, *PASSED_OVER]), max_size=12)
PASSING_FAULTS = st.lists(st.sampled_from([None, *(error for error in PASSED_OVER if error.passing)]), max_size=12)


@given(
    ends=st.lists(st.floats(-5000, 60), min_size=1, max_size=8),
    exits=st.lists(st.sampled_from(["OK", "boom", "WARNINGS: 1", "unexpected status"]), min_size=8, max_size=8),
    unlisted=st.sets(st.integers(1, 8)),
    hidden=st.sets(st.integers(1, 8)),
    lag=st.sampled_from([0.0, 0.05, 9.5]),
    recent=st.sampled_from([0, 25]),
    cluster=st.booleans(),
    faults=st.fixed_dictionaries(
        {"status": PASSING_FAULTS, "active": FAULTS, "listed": FAULTS, "cluster_tasks": FAULTS, "log": FAULTS}
    ),
)
def test_nothing_that_passes_costs_an_outcome(
    ends: list[float],
    exits: list[str],
    unlisted: set[int],
    hidden: set[int],
    lag: float,
    recent: int,
    cluster: bool,
    faults: dict[str, list[t.Any]],
) -> None:
    source = cluster_of(FakeClock(), *ends)
    names = dict(enumerate(source.ends, 1))
    source.exits = dict(zip(source.ends, exits))
    source.logs = {native: ["cut off"] for native in source.ends}
    source.invisible = frozenset(names[number] for number in unlisted if number in names)
    source.hidden = frozenset(names[number] for number in hidden if number in names)
    source.list_lag, source.recent, source.cluster_lists = lag, recent, cluster
    source.script = {name: list(answers) for name, answers in faults.items()}
    began = source.clock.now
    watch = watched(source, range(1, len(ends) + 1), timeout=600)
    expected = [Task(upid(1), "stopped", exits[number]).outcome for number in range(len(ends))]
    assert outcomes(watch) == expected
    assert len(watch.settled) == len(ends)
    # The end of the last one is seen within what the longest pause, a list that lags and all those faults take.
    assert source.clock.now - began < max(0.0, *ends) + 10 + 5 * sum(map(len, faults.values())) + 10
