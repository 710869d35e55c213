# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an observer is told of a wait."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine import watch as _watch
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.observer import Observer
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import LogWish, Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import Source
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.wait import stop_rest, wait
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import Fault, LoginRefused, NodeUnreachable
from ansible_collections.proxkit.tasks.plugins.module_utils._model.results import Waited
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid
from ansible_collections.proxkit.tasks.tests.unit.fakes import FakeSource, SharedClock, upid

PLAN = Plan(interval=1, longest=1)
Event = tuple[t.Any, ...]


@pytest.fixture
def clock() -> t.Iterator[SharedClock]:
    with SharedClock() as clock:
        yield clock


class Listener:
    """Notes what it is told, looks only where it should."""

    def __init__(self, looks: bool = False) -> None:
        self.events: list[Event] = []
        self._looks = looks

    def on_state(self, task: Task) -> None:
        self.events.append(("state", task.upid.pid, task.outcome))

    def on_end(self, task: Task) -> None:
        self.events.append(("end", task.upid.pid, task.outcome))

    def on_fault(self, node: str, fault: str) -> None:
        self.events.append(("fault", node, fault))

    def on_recovery(self, node: str) -> None:
        self.events.append(("recovery", node))

    def on_look(self, node: str, tasks: t.Sequence[Task]) -> None:
        if self._looks:
            self.events.append(("look", node, [task.outcome for task in tasks]))

    def on_lines(self, task: Task, lines: t.Sequence[str]) -> None:
        self.events.append(("lines", task.upid.pid, list(lines)))

    def on_past(self, task: Task, durations: t.Sequence[int]) -> None:
        self.events.append(("past", task.upid.pid, list(durations)))


def told(
    clock: SharedClock,
    durations: t.Sequence[float],
    *,
    plan: Plan = PLAN,
    script: dict[str, list[t.Any]] | None = None,
    exits: t.Sequence[str] = (),
    looks: bool = False,
) -> list[Event]:
    """What is told of tasks of one node that take so many seconds."""
    upids = [upid(number) for number in range(1, len(durations) + 1)]
    listener = Listener(looks)
    source = FakeSource(
        clock,
        ends={one.native: clock.now + seconds for one, seconds in zip(upids, durations)},
        exits={one.native: status for one, status in zip(upids, exits)},
        logs={one.native: ["cut off"] for one in upids},
        script=script or {},
    )
    wait(upids, plan, lambda: source, clock, listener)
    return listener.events


def test_a_task_that_ends_well(clock: SharedClock) -> None:
    assert told(clock, [2.5]) == [("state", 1, "running"), ("state", 1, "ok"), ("end", 1, "ok")]


def test_every_look(clock: SharedClock) -> None:
    assert told(clock, [1.5], looks=True) == [
        ("state", 1, "running"),
        ("look", "pve1", ["running"]),
        ("look", "pve1", ["running"]),
        ("state", 1, "ok"),
        ("end", 1, "ok"),
        ("look", "pve1", ["ok"]),
    ]


def test_each_of_many_once(clock: SharedClock) -> None:
    events = told(clock, [0.0, 2.5, 5.5], exits=["boom", "WARNINGS: 2", "OK"])
    assert [event for event in events if event[0] == "end"] == [
        ("end", 1, "error"),
        ("end", 2, "warning"),
        ("end", 3, "ok"),
    ]
    assert len(events) == len(set(events)) == 8


def test_what_still_runs_has_no_end(clock: SharedClock) -> None:
    assert told(clock, [900], plan=Plan(timeout=5)) == [("state", 1, "running")]


@pytest.mark.parametrize("faults", [1, 3])
def test_a_fault_and_its_end_are_told_once(clock: SharedClock, faults: int) -> None:
    events = told(clock, [1.0], script={"status": [NodeUnreachable("595")] * faults})
    assert events == [("fault", "pve1", "595"), ("recovery", "pve1"), ("state", 1, "ok"), ("end", 1, "ok")]


def test_another_fault_is_told(clock: SharedClock) -> None:
    script = {"status": [NodeUnreachable("595"), NodeUnreachable("no route")]}
    assert told(clock, [0.0], script=script)[:2] == [("fault", "pve1", "595"), ("fault", "pve1", "no route")]


def test_what_ends_it_all_is_a_fault_too(clock: SharedClock) -> None:
    assert told(clock, [0.0], script={"status": [LoginRefused("401")]}) == [("fault", "pve1", "401")]


def test_an_odd_end_is_told_when_nobody_asks_any_more(clock: SharedClock) -> None:
    # The second opinion is wanted until the deadline.
    events = told(
        clock,
        [0.0],
        plan=Plan(timeout=3, log=LogWish("never")),
        exits=["unexpected status"],
        script={"log": [Fault("got timeout")] * 99, "listed": [Fault("got timeout")] * 99},
    )
    assert events == [("state", 1, "unknown"), ("end", 1, "unknown")]


class Raising(Listener):
    """Cannot show anything."""

    def on_state(self, task: Task) -> None:
        super().on_state(task)
        raise OSError("\x1b[31mwords of others")


def test_an_observer_that_fails_breaks_nothing_and_is_told_no_more(clock: SharedClock) -> None:
    upids = [upid(1), upid(2, node="pve2")]
    listener = Raising()

    def connect() -> Source:
        return FakeSource(clock, ends={one.native: clock.now + 2 for one in upids})

    waited = wait(upids, PLAN, connect, clock, listener)
    assert [task.outcome for task in waited.tasks] == ["ok", "ok"]
    assert listener.events == [("state", 1, "running")]
    assert waited.warnings == ["What the wait saw could not be shown to its end: OSError."]


def test_stopping_is_seen_too_and_warns_once(clock: SharedClock) -> None:
    class Stoppable(FakeSource):
        def stop(self, upid: Upid, deadline: float) -> None:
            self.ends[upid.native] = self.clock.now
            self.exits[upid.native] = "received interrupt"

    source = Stoppable(clock, ends={upid(1).native: clock.now + 900})

    def run(observer: Observer) -> Waited:
        source.ends[upid(1).native] = clock.now + 900
        plan = Plan(timeout=2)
        waited = wait([upid(1)], plan, lambda: source, clock, observer)
        return stop_rest(waited, plan, lambda: source, clock, observer)

    listener = Listener()
    assert run(listener).warnings == []
    assert listener.events[-2:] == [("state", 1, "error"), ("end", 1, "error")]
    assert len(run(Raising()).warnings) == 1


def test_who_hangs_tells_nothing_after_the_end(clock: SharedClock) -> None:
    class Late(FakeSource):
        def status(self, upid: Upid, deadline: float) -> dict[str, t.Any]:
            self.clock.sleep(60)
            return super().status(upid, deadline)

    listener = Listener()
    source = Late(clock, ends={upid(1).native: 0.0})
    assert wait([upid(1)], Plan(timeout=10), lambda: source, clock, listener).timed_out
    clock.sleep(100)
    assert source.calls == {"status": 1}
    assert listener.events == []


def test_no_observer_no_cost(clock: SharedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(*_arguments: object) -> None:
        raise AssertionError

    monkeypatch.setattr(_watch, "Reporter", made)
    source = FakeSource(clock, ends={upid(1).native: clock.now})
    assert wait([upid(1)], PLAN, lambda: source, clock).tasks[0].outcome == "ok"
