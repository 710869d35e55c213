# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stopping tasks, on a clock that all threads share."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import LogWish, Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.stop import (
    AGAIN_SECONDS,
    RETRY_SECONDS,
    SIDE_BY_SIDE,
    seconds_for,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.wait import wait
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Fault,
    LoginRefused,
    NoPrivilege,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.results import Waited
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid
from ansible_collections.proxkit.tasks.tests.unit.fakes import FakeSource, SharedClock, upid

PLAN = Plan(timeout=30, stop=True, interval=0.5, longest=1, log=LogWish("never"))


class Node:
    """One node's tasks, each of which takes ``seconds`` to stop."""

    def __init__(self, clock: SharedClock, ends: t.Sequence[float], seconds: float = 2.0) -> None:
        self.clock = clock
        self.seconds = seconds
        self.upids = [upid(number) for number in range(1, len(ends) + 1)]
        self.ends = {one.native: clock.now + end for one, end in zip(self.upids, ends)}
        self.exits: dict[str, str] = {}
        self.answers: list[ApiError | None] = []  # to the next requests to stop
        self.asked: list[int] = []
        self.side_by_side = 0
        self._now = 0

    def connect(self) -> FakeSource:
        return Stoppable(self)

    def stop(self, task: Upid) -> None:
        self.asked.append(task.pid)
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self._now += 1
        self.side_by_side = max(self.side_by_side, self._now)
        self.clock.sleep(self.seconds)
        self._now -= 1
        self.ends[task.native] = self.clock.now
        self.exits[task.native] = "received interrupt"

    def wait(self, **changes: t.Any) -> Waited:
        return wait(self.upids, Plan(**{**PLAN.__dict__, **changes}), self.connect, self.clock)


class Stoppable(FakeSource):
    """A way to ask the node."""

    def __init__(self, node: Node) -> None:
        super().__init__(node.clock, ends=node.ends, exits=node.exits)
        self._node = node

    def stop(self, upid: Upid, deadline: float) -> None:
        self._node.stop(upid)


@pytest.fixture
def clock() -> t.Iterator[SharedClock]:
    with SharedClock() as clock:
        yield clock


def test_two_side_by_side(clock: SharedClock) -> None:
    node = Node(clock, [900.0] * 6)
    waited = node.wait()
    assert sorted(node.asked) == [1, 2, 3, 4, 5, 6]
    assert node.side_by_side == SIDE_BY_SIDE == 2
    assert waited.stopped == tuple(one.native for one in node.upids)
    assert {task.exitstatus for task in waited.tasks} == {"received interrupt"}
    assert 6 <= waited.elapsed < 9


def test_what_ended_by_itself_is_told_nothing(clock: SharedClock) -> None:
    node = Node(clock, [-5.0, 900.0])
    waited = node.wait()
    assert node.asked == [2]
    assert waited.stopped == (node.upids[1].native,)
    assert [task.outcome for task in waited.tasks] == ["ok", "error"]


def test_a_request_that_got_lost_is_sent_again(clock: SharedClock) -> None:
    node = Node(clock, [900.0])
    node.answers = [Fault("broken off"), Fault("broken off")]
    waited = node.wait()
    assert node.asked == [1, 1, 1]
    assert waited.stopped == (node.upids[0].native,)
    assert 2 * RETRY_SECONDS + node.seconds <= waited.elapsed < 6


def test_who_only_takes_note_of_a_wish_is_asked_again(clock: SharedClock) -> None:
    class Deaf(Node):
        def stop(self, task: Upid) -> None:
            self.asked.append(task.pid)
            if len(self.asked) == 2:
                self.ends[task.native] = self.clock.now
                self.exits[task.native] = "received interrupt"

    node = Deaf(clock, [900.0])
    waited = node.wait()
    assert node.asked == [1, 1]
    assert AGAIN_SECONDS <= waited.elapsed < AGAIN_SECONDS + 2


def test_a_refusal_is_told_and_ends_the_waiting(clock: SharedClock) -> None:
    node = Node(clock, [900.0])
    node.answers = [NoPrivilege("403 Sys.Modify")]
    waited = node.wait()
    assert node.asked == [1]
    assert waited.elapsed < 2
    assert not waited.timed_out
    assert waited.stopped == ()
    assert (waited.tasks[0].outcome, waited.tasks[0].error) == ("running", "403 Sys.Modify")


def test_a_refused_login_ends_it_all(clock: SharedClock) -> None:
    node = Node(clock, [900.0, 900.0])
    node.answers = [LoginRefused("401")]
    assert isinstance(node.wait().fatal, LoginRefused)


def test_what_does_not_stop_in_time_is_left(clock: SharedClock) -> None:
    node = Node(clock, [900.0, 900.0, 900.0], seconds=60)
    waited = node.wait(timeout=5)
    assert waited.timed_out
    assert waited.stopped == ()
    assert 5 <= waited.elapsed <= 6.3
    # Two were asked side by side, the third had no turn.
    assert [task.error for task in waited.tasks] == [*["it was told to stop, but has not ended yet"] * 2, None]


def test_what_kept_from_stopping_is_told(clock: SharedClock) -> None:
    node = Node(clock, [900.0])
    node.answers = [Fault("pve1 says 500 got timeout")] * 100
    waited = node.wait(timeout=5)
    assert (waited.tasks[0].outcome, waited.stopped) == ("running", ())
    assert waited.tasks[0].error == "it was told to stop, but pve1 says 500 got timeout"


def test_one_look_stops_nothing(clock: SharedClock) -> None:
    node = Node(clock, [900.0])
    assert node.wait(one_look=True).stopped == ()
    assert node.asked == []


@pytest.mark.parametrize(
    ("nodes", "seconds"), [([], 30), ([10], 30), ([11], 31), ([25, 10, 10], 45), ([10, 10, 10, 10], 30)]
)
def test_how_long_it_may_take(nodes: list[int], seconds: float) -> None:
    upids = [upid(number, node=f"n{index}") for index, count in enumerate(nodes) for number in range(count)]
    assert seconds_for(upids, 30) == seconds
