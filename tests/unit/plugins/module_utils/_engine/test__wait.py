# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as a whole: threads, deadlines and what they may not do."""

from __future__ import annotations

import threading
import time
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.ending import (
    FIRST_GRACE,
    FIRST_LOOK_SECONDS,
    GATHER_GRACE,
    LOOK_GRACE,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import Source
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.stop import seconds_for
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.wait import STOP_SECONDS, stop_rest, wait
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import SystemClock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import LoginRefused
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid
from ansible_collections.proxkit.tasks.tests.unit.fakes import FakeClock, FakeSource, SharedClock, upid

REAL_SECONDS = 5.0  # of a wait whose time is not real: some milliseconds, on a machine that is not busy


@pytest.fixture
def clock() -> t.Iterator[SharedClock]:
    with SharedClock() as clock:
        yield clock


class Broken(FakeSource):
    """Meets an error that nobody was prepared for."""

    def status(self, upid: Upid, deadline: float) -> dict[str, t.Any]:
        raise ZeroDivisionError


class Stuck(FakeSource):
    """Never answers, whatever time it is given, but for the second node's task."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock, ends={upid(2, node="pve2").native: 0.0})

    def status(self, upid: Upid, deadline: float) -> dict[str, t.Any]:
        if upid.native not in self.ends:
            self.clock.wait(threading.Event(), float("inf"))
        return super().status(upid, deadline)


def test_what_nobody_was_prepared_for_is_raised(clock: SharedClock) -> None:
    with pytest.raises(ZeroDivisionError):
        wait([upid()], Plan(), lambda: Broken(clock), clock)


def test_an_answer_that_never_comes_does_not_move_the_deadline(clock: SharedClock) -> None:
    began = time.monotonic()
    waited = wait([upid(), upid(2, node="pve2")], Plan(timeout=300), lambda: Stuck(clock), clock)
    assert time.monotonic() - began < REAL_SECONDS
    assert waited.elapsed == pytest.approx(300 + GATHER_GRACE)
    assert waited.timed_out
    assert [task.outcome for task in waited.tasks] == ["unseen", "ok"]
    assert "has given no answer yet" in str(waited.tasks[0].error)


@pytest.mark.parametrize("plan", [Plan(wait_for="any"), Plan(fail_fast=True, fail_on="warning")])
def test_who_hangs_does_not_keep_from_ending_early(clock: SharedClock, plan: Plan) -> None:
    def connect() -> Source:
        source = Stuck(clock)
        source.exits[upid(2, node="pve2").native] = "WARNINGS: 1"
        return source

    waited = wait([upid(), upid(2, node="pve2")], plan, connect, clock)
    assert waited.elapsed == pytest.approx(LOOK_GRACE)
    assert not waited.timed_out


def test_stopping_ends_too_where_nobody_answers(clock: SharedClock) -> None:
    plan = Plan(timeout=1)
    waited = wait([upid()], plan, lambda: Stuck(clock), clock)
    first = waited.elapsed
    stopped = stop_rest(waited, plan, lambda: Stuck(clock), clock)
    assert stopped.elapsed - first == pytest.approx(seconds_for([upid()], STOP_SECONDS) + GATHER_GRACE)
    assert stopped.stopped == ()


@pytest.mark.parametrize("nodes", [1, 3])
def test_a_refusal_of_the_credentials_is_waited_for(clock: SharedClock, nodes: int) -> None:
    class Refusing(FakeSource):
        def status(self, upid: Upid, deadline: float) -> dict[str, t.Any]:
            self.clock.sleep(3)  # as long as PVE holds it back
            raise LoginRefused("the token is refused")

    upids = [upid(number, node=f"pve{number}") for number in range(nodes)]
    waited = wait(upids, Plan(timeout=0), lambda: Refusing(clock), clock)
    assert isinstance(waited.fatal, LoginRefused)
    assert not waited.timed_out
    assert waited.elapsed == pytest.approx(3)


def test_a_first_answer_is_not_waited_for_without_end(clock: SharedClock) -> None:
    waited = wait([upid()], Plan(timeout=0), lambda: Stuck(clock), clock)
    assert waited.elapsed == pytest.approx(FIRST_LOOK_SECONDS + FIRST_GRACE)
    assert waited.timed_out


def test_every_wait_is_the_same_on_a_clock_that_is_shared() -> None:
    upids = [upid(number, node=f"pve{number % 3}") for number in range(9)]

    def once() -> tuple[float, list[tuple[str, float]]]:
        looks: list[tuple[str, float]] = []

        class Noting(FakeSource):
            def status(self, upid: Upid, deadline: float) -> dict[str, t.Any]:
                looks.append((upid.native, self.clock.now))
                return super().status(upid, deadline)

        with SharedClock() as clock:
            ends = {one.native: clock.now + 3 * number for number, one in enumerate(upids)}
            plan = Plan(interval=2, longest=2)
            return wait(upids, plan, lambda: Noting(clock, ends=dict(ends), recent=0), clock).elapsed, looks

    assert once() == once()


def test_on_the_machines_clock() -> None:
    ends = {upid(1).native: 0.0, upid(2, node="pve2").native: 0.0}
    sources: list[FakeSource] = []

    def connect() -> Source:
        sources.append(FakeSource(FakeClock(), ends=ends))
        return sources[-1]

    waited = wait([upid(1), upid(2, node="pve2")], Plan(), connect, SystemClock())
    assert [task.outcome for task in waited.tasks] == ["ok", "ok"]
    assert [source.closed for source in sources] == [True, True]


def test_the_same_task_of_the_ha_manager_is_watched_once(clock: SharedClock) -> None:
    request, real = upid(1, type="hastart"), upid(2, node="pve2", age=-1)

    def connect() -> Source:
        return FakeSource(clock, ends={request.native: 0.0, real.native: 0.0}, cluster=[{"upid": real.native}])

    waited = wait([request, real], Plan(follow_ha=True), connect, clock)
    assert [task.upid for task in waited.tasks] == [request, real]
    assert [task.follows for task in waited.tasks] == [None, request.native]


def test_the_task_of_the_ha_manager_is_found_and_watched(clock: SharedClock) -> None:
    request, real = upid(1, type="hastart"), upid(2, node="pve2", age=-1)
    ends = {request.native: clock.now + 1, real.native: clock.now + 30}

    def connect() -> Source:
        return FakeSource(clock, ends=ends, cluster=[{"upid": real.native}])

    waited = wait([request], Plan(follow_ha=True, interval=1, longest=1), connect, clock)
    assert [(task.upid, task.outcome) for task in waited.tasks] == [(request, "ok"), (real, "ok")]
    assert 30 <= waited.elapsed <= 31
