# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine: many tasks, one deadline. Knows no Ansible and no proxmoxer. Private to the collection.

Each node is watched in a thread of its own, so that one whose answers never come holds up nobody else; this file
starts the threads, listens to what they find out and decides when it is enough. All times are monotonic seconds.
"""

from __future__ import annotations

import dataclasses
import queue
import threading
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.follow import Follow
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import Connect
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.stop import (
    SIDE_BY_SIDE,
    StopList,
    Stopper,
    seconds_for,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.watch import GATHER_GRACE, LOOK_GRACE, Watch
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import TasksError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.results import Waited
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid

# What is left of 15 s when fetching logs has its share.
STOP_SECONDS = 13.0
# Shortest and longest pause between two looks while tasks are being stopped.
STOP_PAUSES = (0.5, 1.0)
# PVE holds the refusal of a login back for 3 s, so that the client gives the first request with credentials 5 s: a wait
# lasts until somebody has had a first answer, but no longer than this, ...
FIRST_LOOK_SECONDS = 5.2
# ... and a moment for the others.
_FIRST_GRACE = 0.3


def wait(upids: t.Sequence[Upid], plan: Plan, connect: Connect, clock: Clock) -> Waited:
    """Wait for tasks as ``plan`` says; ends at the latest 2 s after the deadline, whatever the servers do.

    Before anybody has answered it lasts for at least some 5.5 s: a refusal of the credentials takes that long.

    ``connect`` gives a source of its own to each thread. What could not be found out is in the result, never raised.
    """
    waiter = _Waiter(upids, plan, connect, clock)
    waiter.wait()
    return waiter.result()


def stop_rest(waited: Waited, plan: Plan, connect: Connect, clock: Clock) -> Waited:
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
        interval=min(plan.interval, STOP_PAUSES[0]),
        longest=STOP_PAUSES[1],
    )
    stopping = wait(rest, plan, connect, clock)
    after = {task.upid.native: task for task in stopping.tasks}
    return dataclasses.replace(
        waited,
        tasks=[_later(task, after.get(task.upid.native)) for task in waited.tasks],
        elapsed=waited.elapsed + stopping.elapsed,
        settled=waited.settled | stopping.settled,
        stopped=stopping.stopped,
        fatal=stopping.fatal,
    )


def _later(before: Task, after: Task | None) -> Task:
    """What is known after a second wait, where that saw anything."""
    if after is None or (after.sight == "unseen" and before.sight != "unseen"):
        return before
    return dataclasses.replace(after, follows=before.follows)


Worker = t.Union[Watch, Follow, Stopper]


class _Waiter:
    """One call of ``wait``: its threads, and what they have found out so far."""

    def __init__(self, upids: t.Sequence[Upid], plan: Plan, connect: Connect, clock: Clock) -> None:
        self._plan = plan
        self._connect = connect
        self._clock = clock
        self._begun = clock.monotonic()
        self._deadline = self._begun + plan.timeout
        self._looked_at: float | None = None  # when somebody's first look was over
        self._fatal: BaseException | None = None
        self._news: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._order = [upid.native for upid in upids]
        self._watches: list[Watch] = []
        self._stop_lists: list[StopList] = []
        self._follows: dict[str, Follow] = {}
        self._followed: dict[str, str] = {}  # the request's UPID by that of the task it led to
        self._workers: list[Worker] = []
        self._busy: set[Worker] = set()
        by_node: dict[str, list[Upid]] = {}
        for upid in upids:
            by_node.setdefault(upid.node, []).append(upid)
        for node, members in by_node.items():
            self._watch(node, members)

    # Threads

    def _start(self, worker: Worker, run: t.Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                run()
            except BaseException as exc:
                # For the caller's thread, which reports it or raises it.
                self._fatal = self._fatal or exc
            finally:
                worker.source.close()
                self._busy.discard(worker)
                self._note_news()

        # A daemon: a request that hangs must not keep the process when the deadline is over.
        self._workers.append(worker)
        self._busy.add(worker)
        threading.Thread(target=guarded, name="proxkit.tasks", daemon=True).start()

    def _note_news(self) -> None:
        self._news.put(None)

    def _watch(self, node: str, upids: t.Sequence[Upid]) -> None:
        watch = Watch(node, upids, self._connect(), self._plan, self._clock, self._begun)
        self._watches.append(watch)
        self._start(watch, lambda: watch.run(self._note_news))
        if self._plan.stop and not self._plan.one_look:
            todo = StopList(watch)
            self._stop_lists.append(todo)
            for _index in range(min(SIDE_BY_SIDE, len(upids))):
                stopper = Stopper(todo, self._connect(), self._clock, self._deadline, self._note_news)
                self._start(stopper, stopper.run)

    def _follow(self, request: Upid) -> None:
        follow = Follow(request, self._connect(), self._plan, self._clock, self._deadline)
        self._follows[request.native] = follow
        self._start(follow, lambda: follow.run(self._followed.__contains__))

    def _follow_requests(self) -> None:
        """Begin to follow requests that ended well, and to watch the tasks that were found."""
        for watch in list(self._watches):
            for native, task in watch.settled.items():
                if native not in self._follows and task.outcome == "ok" and task.upid.type.startswith("ha"):
                    self._follow(task.upid)
        for native, follow in self._follows.items():
            found = follow.found
            if found is not None and found.native not in self._followed:
                self._followed[found.native] = native
                if found.native not in self._order:
                    self._order.insert(self._order.index(native) + 1, found.native)
                    self._watch(found.node, [found])

    # The wait

    def wait(self) -> None:
        """Until the goal is reached, the deadline is over or something makes all further waiting vain."""
        enough_at: float | None = None
        enough_end = float("inf")
        while True:
            if self._plan.follow_ha and not self._plan.one_look:
                self._follow_requests()
            # A request to stop need not be answered once its tasks are seen to be gone.
            busy: list[Worker] = [worker for worker in list(self._busy) if not isinstance(worker, Stopper)]
            now = self._clock.monotonic()
            end = min(self._latest_end(now), enough_end)
            if not busy or self._fatal is not None or now >= end:
                break
            if enough_at is None and self._enough():
                # The others may end their look and fetch their logs; one that hangs has nothing to add.
                enough_at = now
                enough_end = now + self._plan.request_timeout
                end = min(end, enough_end)
                for worker in busy:
                    worker.finish.set()
            if enough_at is not None and now >= enough_at + LOOK_GRACE:
                if not any(isinstance(worker, Watch) and worker.gathering for worker in busy):
                    break
                next_end = end
            else:
                next_end = end if enough_at is None else min(end, enough_at + LOOK_GRACE)
            try:
                self._news.get(timeout=max(0.0, next_end - now))
            except queue.Empty:
                continue
        for worker in self._workers:
            worker.finish.set()

    def _latest_end(self, now: float) -> float:
        """When this wait ends, whoever has not answered."""
        if self._looked_at is None and any(watch.looked.is_set() for watch in self._watches):
            self._looked_at = now
        first = self._begun + FIRST_LOOK_SECONDS
        if self._looked_at is not None:
            first = min(first, self._looked_at)
        return max(self._deadline + GATHER_GRACE, first + _FIRST_GRACE)

    def _enough(self) -> bool:
        """Whether there is no need to wait for the rest."""
        settled = [task for watch in self._watches for task in watch.settled.values()]
        if self._plan.fail_fast and any(task.failed(self._plan.fail_on) for task in settled):
            return True
        if self._plan.wait_for == "any":
            # A request to the HA manager that is being followed has only half ended.
            open_requests = self._open_requests()
            return any(task.ended and task.upid.native not in open_requests for task in settled)
        return bool(self._stop_lists) and all(
            todo.hopeless or len(todo.watch.settled) == len(todo.watch.tasks) for todo in self._stop_lists
        )

    def _open_requests(self) -> set[str]:
        """Requests to the HA manager that have only half ended: what carries them out is looked for, or runs."""
        settled = {native for watch in self._watches for native in watch.settled}
        return {
            native
            for native, follow in self._follows.items()
            if (follow.warning is None if follow.found is None else follow.found.native not in settled)
        }

    # What came out

    def result(self) -> Waited:
        """What is known now. Raises what no thread was prepared for."""
        if self._fatal is not None and not isinstance(self._fatal, TasksError):
            raise self._fatal
        known: dict[str, Task] = {}
        settled: set[str] = set()
        for watch in self._watches:
            settled.update(watch.settled)
            for native, task in watch.tasks.items():
                if task.ended:
                    # Where a second opinion is still wanted, none will come any more.
                    settled.add(native)
                # Why the last look failed is why the end is not known.
                error = task.error or (None if task.ended else watch.fault)
                if self._fatal is not None:
                    # What ended it all is told once for all of them.
                    error = None if error == self._fatal.message else error
                elif error is None and task.sight == "unseen":
                    error = f"node {task.upid.node} has given no answer yet"
                known[native] = dataclasses.replace(task, error=error, follows=self._followed.get(native))
        refused = {native: error for todo in self._stop_lists for native, error in todo.refused.items()}
        tasks = [
            dataclasses.replace(task, error=refused.get(task.upid.native, task.error))
            for task in (known[native] for native in self._order)
        ]
        asked = {native for todo in self._stop_lists for native in todo.asked}
        elapsed = self._clock.monotonic() - self._begun
        complete = settled.issuperset(self._order) and not self._open_requests()
        over = elapsed >= self._plan.timeout and not self._plan.one_look and self._fatal is None
        return Waited(
            tasks=tasks,
            elapsed=elapsed,
            timed_out=over and not complete and not self._enough(),
            settled=frozenset(settled),
            stopped=tuple(
                task.upid.native
                for task in tasks
                if task.upid.native in asked and task.ended and task.outcome not in ("ok", "warning")
            ),
            warnings=[follow.warning for follow in self._follows.values() if follow.warning],
            fatal=self._fatal,
            timeout=self._plan.timeout,
        )
