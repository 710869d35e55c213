# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for tasks, and stopping what is left. Private to the collection.

Each node is watched in a thread of its own, so that one whose answers never come holds up nobody else; this file
says who works, and listens to what they find out until it is enough. All times are monotonic seconds.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.crew import Crew, Worker
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.ending import Standing, wake_at
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.follow import Follow
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.known import Known
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.observer import Observer, Shielded
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.reading import Reading
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import Connect
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.stop import (
    SIDE_BY_SIDE,
    StopList,
    Stopper,
    seconds_for,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.watch import Watch
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import TasksError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.results import Waited
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid, by_node

# What is left of 15 s when fetching logs has its share.
STOP_SECONDS = 13.0
# Shortest and longest pause between two looks while tasks are being stopped.
STOP_PAUSES = (0.5, 1.0)


def wait(
    upids: t.Sequence[Upid], plan: Plan, connect: Connect, clock: Clock, observer: Observer | None = None
) -> Waited:
    """Wait for tasks as ``plan`` says; ends at the latest 2 s after the deadline, whatever the servers do.

    Before anybody has answered it lasts for at least some 5.5 s: a refusal of the credentials takes that long.

    ``connect`` gives a source of its own to each thread; ``observer`` is told what they see, and if it fails there is a
    warning. What could not be found out is in the result, never raised.
    """
    return _Waiter(upids, plan, connect, clock, observer).result()


def stop_rest(waited: Waited, plan: Plan, connect: Connect, clock: Clock, observer: Observer | None = None) -> Waited:
    """Stop what still runs after a wait that timed out, and see to it that it is gone.

    Takes 15 s at the most, and a second more for every task beyond ten on the busiest node.
    """
    rest = [task.upid for task in waited.tasks if task.upid.native not in waited.settled]
    plan = dataclasses.replace(
        plan,
        timeout=seconds_for(rest, STOP_SECONDS),
        stop=True,
        wait_for="all",
        fail_fast=False,
        follow_ha=False,
        interval=max(min(plan.interval, STOP_PAUSES[0]), plan.cost),
        longest=max(STOP_PAUSES[1], 2 * plan.cost),
        progress="none",
    )
    stopping = wait(rest, plan, connect, clock, observer)
    after = {task.upid.native: task for task in stopping.tasks}
    return dataclasses.replace(
        waited,
        tasks=[_later(task, after.get(task.upid.native)) for task in waited.tasks],
        elapsed=waited.elapsed + stopping.elapsed,
        settled=waited.settled | stopping.settled,
        stopped=stopping.stopped,
        warnings=list(dict.fromkeys([*waited.warnings, *stopping.warnings])),
        fatal=stopping.fatal,
    )


def _later(before: Task, after: Task | None) -> Task:
    """What is known after a second wait, where that saw anything."""
    if after is None or (after.sight == "unseen" and before.sight != "unseen"):
        return before
    return dataclasses.replace(after, follows=before.follows)


class _Waiter:
    """One call of ``wait``."""

    def __init__(
        self, upids: t.Sequence[Upid], plan: Plan, connect: Connect, clock: Clock, observer: Observer | None
    ) -> None:
        """All nodes' watches are begun."""
        self._plan = plan
        self._connect = connect
        self._clock = clock
        self._begun = clock.monotonic()
        self._deadline = self._begun + plan.timeout
        self._looked: float | None = None
        self._enough: float | None = None
        self._crew = Crew(clock)
        self._known = Known(upids, plan)
        self._observer = None if observer is None else Shielded(observer)
        for node, members in by_node(upids).items():
            self._watch(node, members)

    def result(self) -> Waited:
        """What is known once the wait is over. Raises what no thread was prepared for."""
        self._until_over()
        fatal = self._crew.fatal
        if fatal is not None and not isinstance(fatal, TasksError):
            raise fatal
        warnings = [] if self._observer is None else self._observer.leave()
        return self._known.waited(self._clock.monotonic() - self._begun, fatal, warnings)

    # Who works

    def _watch(self, node: str, upids: t.Sequence[Upid]) -> None:
        watch = Watch(node, upids, self._connect(), self._plan, self._clock, self._begun, self._observer)
        self._known.watches.append(watch)
        self._crew.put_to_work(watch, lambda: watch.run(self._crew.note_news))
        if self._observer is not None and self._plan.progress != "none" and not self._plan.one_look:
            reading = Reading(watch, self._connect(), self._plan, self._clock, self._begun, self._observer)
            self._crew.put_to_work(reading, reading.run)
        if self._plan.stop and not self._plan.one_look:
            todo = StopList(watch)
            self._known.stop_lists.append(todo)
            for _index in range(min(SIDE_BY_SIDE, len(upids))):
                stopper = Stopper(todo, self._connect(), self._clock, self._deadline, self._crew.note_news)
                self._crew.put_to_work(stopper, stopper.run)

    def _follow(self, request: Upid) -> None:
        follow = Follow(request, self._connect(), self._plan, self._clock, self._deadline)
        self._known.follows[request.native] = follow
        self._crew.put_to_work(follow, lambda: follow.run(self._known.requests.__contains__))

    def _follow_requests(self) -> None:
        """Begin to follow requests that ended well, and to watch the tasks that were found."""
        for request in self._known.requests_that_ended():
            self._follow(request)
        for found in self._known.take_found():
            self._watch(found.node, [found])

    # The wait

    def _until_over(self) -> None:
        """Wait until the goal is reached, the deadline is over or something makes all further waiting vain."""
        while True:
            self._crew.heard()
            if self._plan.follow_ha and not self._plan.one_look:
                self._follow_requests()
            # A request to stop need not be answered once its tasks are seen to be gone, nor a log be read.
            busy = [worker for worker in self._crew.busy if not isinstance(worker, (Stopper, Reading))]
            now = self._clock.monotonic()
            wake = self._wake(now, busy)
            if wake is None:
                break
            self._crew.await_news(wake - now)
        self._crew.call_off()

    def _wake(self, now: float, busy: t.Sequence[Worker]) -> float | None:
        """When to go on where no news comes before; None where the wait is over."""
        if self._looked is None and self._known.looked:
            self._looked = now
        wake = wake_at(now, self._standing(busy))
        if wake is not None and self._enough is None and self._known.enough:
            self._enough = now
            self._crew.call_off(busy)
            wake = wake_at(now, self._standing(busy))
        return wake

    def _standing(self, busy: t.Sequence[Worker]) -> Standing:
        return Standing(
            begun=self._begun,
            deadline=self._deadline,
            request_timeout=self._plan.request_timeout,
            busy=bool(busy),
            gathering=any(isinstance(worker, Watch) and worker.gathering for worker in busy),
            fatal=self._crew.fatal is not None,
            looked=self._looked,
            enough=self._enough,
            slack=self._plan.slack,
        )
