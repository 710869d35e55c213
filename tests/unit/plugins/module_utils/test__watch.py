# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The watch over one node, on a clock that nobody waits for."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._errors import (
    AccessError,
    ApiError,
    HostUnreachable,
    NodeUnreachable,
    NoSuchTask,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._look import LogWish
from ansible_collections.proxkit.tasks.plugins.module_utils._watch import GRACE_SECONDS, PROBES, Plan, Watch
from ansible_collections.proxkit.tasks.tests.unit.fakes import EPOCH, FakeClock, FakeSource, upid

PASSING = ApiError("got timeout", passing=True)


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


def test_many_cost_a_list_a_look_and_a_status_an_end() -> None:
    source = cluster_of(FakeClock(), *(2 + 18 * number / 49 for number in range(50)))
    watch = watched(source, range(1, 51))
    assert outcomes(watch) == ["ok"] * 50
    assert source.calls["status"] <= 2.5 * 50
    assert source.calls["active"] <= 25
    assert source.calls["listed"] == 1


def test_a_list_that_lags_is_not_believed_for_long() -> None:
    source = cluster_of(FakeClock(), 1, 1, 1, 1, 1)
    source.always_listed = True
    began = source.clock.now
    watch = watched(source, range(1, 6))
    assert outcomes(watch) == ["ok"] * 5
    # Probes come after some seconds, at most so many a look.
    assert 5 < source.clock.now - began < 12
    assert source.calls["status"] == 5
    assert PROBES == 4


def test_tasks_that_no_list_shows_are_asked_for_singly() -> None:
    source = cluster_of(FakeClock(), 3, 3, 3, 3)
    source.invisible = frozenset(source.ends)
    assert outcomes(watched(source, range(1, 5))) == ["ok"] * 4


def test_a_list_that_is_refused_is_done_without() -> None:
    source = cluster_of(FakeClock(), 1, 1, 1)
    source.script["active"] = [ApiError("501 not implemented")] * 50
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
    source.script["status"] = [AccessError("401", status=401, passing=True)] * 3
    assert outcomes(watched(source, [1])) == ["ok"]


def test_a_list_that_fails_for_a_moment_is_asked_again() -> None:
    source = cluster_of(FakeClock(), 1, 1, 1)
    source.script["active"] = [PASSING]
    assert outcomes(watched(source, range(1, 4))) == ["ok"] * 3


@pytest.mark.parametrize("call", ["status", "active"])
def test_credentials_that_are_refused_end_it(call: str) -> None:
    source = cluster_of(FakeClock(), 1, 1, 1)
    source.script[call] = [AccessError("401", status=401)]
    with pytest.raises(AccessError):
        watched(source, [1] if call == "status" else range(1, 4))


def test_a_host_that_never_was_ends_it() -> None:
    source = cluster_of(FakeClock(), 1)
    source.script["status"] = [HostUnreachable("nobody answers", passing=False)]
    with pytest.raises(HostUnreachable):
        watched(source, [1])


def test_a_host_that_is_away_is_waited_for() -> None:
    source = cluster_of(FakeClock(), 1)
    source.script["status"] = [HostUnreachable("nobody answers", passing=True)] * 8
    assert outcomes(watched(source, [1], timeout=60)) == ["ok"]


def test_a_missing_privilege_settles_that_task_alone() -> None:
    source = cluster_of(FakeClock(), 1, 1)
    source.script["status"] = [AccessError("403 Sys.Audit", status=403)]
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


@pytest.mark.parametrize("error", [NodeUnreachable("595"), ApiError("501")])
def test_a_log_that_cannot_be_had_costs_no_outcome(error: ApiError) -> None:
    source = cluster_of(FakeClock(), 0)
    source.script["log"] = [error] * 10
    source.script["listed"] = [PASSING] * 10
    watch = watched(source, [1], log=LogWish("always"))
    assert outcomes(watch) == ["ok"]
    assert watch.tasks[upid(1).native].log is None


def test_no_log_after_the_time_is_over() -> None:
    source = cluster_of(FakeClock(), 0)

    class Slow(FakeSource):
        def status(self, upid: t.Any, until: float) -> dict[str, t.Any]:
            self.clock.now = until + 1
            return {"status": "stopped", "exitstatus": "OK"}

    slow = Slow(source.clock, ends=source.ends)
    watch = watched(slow, [1], timeout=0, log=LogWish("always"))
    assert outcomes(watch) == ["ok"]
    assert watch.tasks[upid(1).native].log is None
    assert "log" not in slow.calls


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
