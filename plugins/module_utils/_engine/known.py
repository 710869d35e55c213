# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What those who work for a wait have found out, taken together, and what comes of it. Private to the collection."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.ending import is_enough
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.follow import Follow
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.stop import StopList
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.watch import Watch
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import TasksError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.results import Waited
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import in_sentence
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid


class Known:
    """What is known at present. For the thread that waits, while the others go on."""

    def __init__(self, upids: t.Iterable[Upid], plan: Plan) -> None:
        """Nobody is at work yet."""
        self.order = [upid.native for upid in upids]
        self.watches: list[Watch] = []
        self.stop_lists: list[StopList] = []
        self.follows: dict[str, Follow] = {}  # by the request's UPID
        self.requests: dict[str, str] = {}  # the request's UPID by that of the task it led to
        self._plan = plan

    @property
    def looked(self) -> bool:
        """Whether somebody's first look is over."""
        return any(watch.looked.is_set() for watch in self.watches)

    @property
    def settled(self) -> dict[str, Task]:
        """The tasks about which no more is to be found out, by UPID."""
        return {native: task for watch in self.watches for native, task in watch.settled.items()}

    @property
    def enough(self) -> bool:
        """Whether there is no need to wait for the rest."""
        settled = self.settled
        stopped = bool(self.stop_lists) and all(
            todo.hopeless or len(todo.watch.settled) == len(todo.watch.tasks) for todo in self.stop_lists
        )
        return is_enough(self._plan, settled.values(), self._half_ended(settled), stopped)

    def requests_that_ended(self) -> list[Upid]:
        """Requests to the HA manager that ended well and that nobody follows yet."""
        return [
            task.upid
            for native, task in self.settled.items()
            if native not in self.follows and task.outcome == "ok" and task.upid.type.startswith("ha")
        ]

    def take_found(self) -> list[Upid]:
        """Tasks that the HA manager was found to have started, each told once and only where nobody watches it."""
        new: list[Upid] = []
        for native, follow in self.follows.items():
            found = follow.found
            if found is not None and found.native not in self.requests:
                self.requests[found.native] = native
                if found.native not in self.order:
                    self.order.insert(self.order.index(native) + 1, found.native)
                    new.append(found)
        return new

    def _half_ended(self, settled: t.Container[str]) -> set[str]:
        """Requests to the HA manager that have only half ended: what carries them out is looked for, or runs."""
        return {
            native
            for native, follow in self.follows.items()
            if (follow.warning is None if follow.found is None else follow.found.native not in settled)
        }

    # What came out

    def waited(self, elapsed: float, fatal: TasksError | None, warnings: t.Iterable[str] = ()) -> Waited:
        """The result of a wait of ``elapsed`` seconds that ``fatal`` ended, if anything did."""
        told = self.settled  # before the tasks, which may only be newer
        tasks = self._tasks(fatal)
        # Where a second opinion is still wanted, none will come any more.
        settled = frozenset(told) | {task.upid.native for task in tasks if task.ended}
        complete = settled.issuperset(self.order) and not self._half_ended(told)
        over = elapsed >= self._plan.timeout and not self._plan.one_look and fatal is None
        return Waited(
            tasks=tasks,
            elapsed=elapsed,
            timed_out=over and not complete and not self.enough,
            settled=settled,
            stopped=self._stopped(tasks),
            warnings=[
                *(follow.warning for follow in self.follows.values() if follow.warning),
                *(text for watch in self.watches for text in _unread(watch)),
                *warnings,
            ],
            fatal=fatal,
            timeout=self._plan.timeout,
        )

    def _tasks(self, fatal: TasksError | None) -> list[Task]:
        """The tasks in their order, each with why no more is known of it."""
        refused: dict[str, str] = {}
        vain: dict[str, str] = {}
        for todo in self.stop_lists:
            # In one piece: a stopper whose answer comes late may add to it meanwhile.
            refused.update(todo.refused)
            vain.update(todo.vain)
        known: dict[str, Task] = {}
        for watch in self.watches:
            for native, task in watch.tasks.items():
                error = refused.get(native, _why(task, watch.fault, fatal))
                if error is None and not task.ended:
                    error = vain.get(native)
                known[native] = dataclasses.replace(task, error=error, follows=self.requests.get(native))
        return [known[native] for native in self.order]

    def _stopped(self, tasks: t.Iterable[Task]) -> tuple[str, ...]:
        """The tasks that ran, were told to stop and did."""
        # In one piece, as in _tasks.
        asked = set[str]().union(*(todo.asked for todo in self.stop_lists))
        return tuple(
            task.upid.native
            for task in tasks
            if task.upid.native in asked and task.ended and task.outcome not in ("ok", "warning")
        )


def _unread(watch: Watch) -> list[str]:
    """What is said of logs that are wanted and were not read, if there are such."""
    upids = watch.unread
    if not upids:
        return []
    which = f"log of {upids[0].native}" if len(upids) == 1 else f"logs of {len(upids)} tasks of node {watch.node}"
    return [f"The {which} could not be read: {in_sentence(watch.log_fault or 'no time was left')}."]


def _why(task: Task, fault: str | None, fatal: TasksError | None) -> str | None:
    """Why no more is known of a task of a node whose last look met ``fault``."""
    # Why the last look failed is why the end is not known.
    error = task.error or (None if task.ended else fault)
    if fatal is not None:
        # What ended it all is told once for all of them.
        return None if error == fatal.message else error
    if error is None and task.sight == "unseen":
        return f"node {task.upid.node} has given no answer yet"
    return error
