# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stopping the running tasks of one node while they are being watched. Private to the collection."""

from __future__ import annotations

import threading
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.ending import LOOK_GRACE
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.look import look_at
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import Source
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.watch import Watch
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import ApiError, Hopeless, NoSuchTask
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid, by_node

# PVE answers a request to stop when the task is gone, 1 to 6 s later, and holds one of the node's three API workers as
# long: with more side by side nobody could log in.
SIDE_BY_SIDE = 2
# How many tasks of a node the shortest time is enough for, and the seconds that each further one adds.
_FIRST_TASKS = 10
_TASK_SECONDS = 1.0
# A task that still runs this long after its stop was accepted is asked again: PBS only takes note of the wish.
AGAIN_SECONDS = 6.0
RETRY_SECONDS = 1.0
# What a request to stop does is seen about a second later: none is sent in the end that the last look would not show.
_MARGIN_SECONDS = 1.2
_IDLE_SECONDS = 0.2


def seconds_for(upids: t.Iterable[Upid], base: float) -> float:
    """How long stopping these tasks may take: ``base`` seconds, and one more for every task beyond ten on a node."""
    most = max(map(len, by_node(upids).values()), default=0)
    return base + _TASK_SECONDS * max(0, most - _FIRST_TASKS)


class StopList:
    """What is to be stopped on one node, shared by its stoppers."""

    def __init__(self, watch: Watch) -> None:
        """``watch`` tells which tasks run."""
        self.watch = watch
        self.asked: set[str] = set()  # who was running when it was told to stop
        self.refused: dict[str, str] = {}
        self.vain: dict[str, str] = {}  # what came of the last request, for those that run on
        self._due: dict[str, float] = {}  # when to ask, where not at once
        self._lock = threading.Lock()

    def take(self, now: float) -> Upid | None:
        """A running task whose stop is due; nobody else gets it before it was put back."""
        with self._lock:
            for upid in self.watch.running:
                if upid.native not in self.refused and self._due.get(upid.native, now) <= now:
                    self._due[upid.native] = float("inf")
                    return upid
            return None

    def put_back(self, upid: Upid, due: float) -> None:
        """``upid`` is to be asked again at ``due``, where it still runs then."""
        with self._lock:
            self._due[upid.native] = due

    @property
    def hopeless(self) -> bool:
        """Whether nothing is left but what may not be stopped."""
        unsettled = self.watch.tasks.keys() - self.watch.settled.keys()
        return bool(unsettled) and unsettled <= self.refused.keys()


class Stopper:
    """One of the threads that send a node's requests to stop."""

    def __init__(
        self, todo: StopList, source: Source, clock: Clock, deadline: float, changed: t.Callable[[], None]
    ) -> None:
        """Works through ``todo``; ``deadline`` is that of the wait. ``changed`` is called when a task is gone."""
        self.source = source
        self.finish = threading.Event()
        self._todo = todo
        self._clock = clock
        self._deadline = deadline - min(_MARGIN_SECONDS, max(0.0, deadline - clock.monotonic()) / 4)
        self._answer_deadline = deadline + LOOK_GRACE
        self._changed = changed

    def run(self) -> None:
        """Stop until all tasks have ended, ``finish`` is set or no time is left.

        Raises ``ApiError`` where going on makes no sense.
        """
        watch = self._todo.watch
        self._clock.wait(watch.looked, max(0.0, self._deadline - self._clock.monotonic()))
        while len(watch.settled) < len(watch.tasks) and self._clock.monotonic() < self._deadline:
            upid = self._todo.take(self._clock.monotonic())
            if upid is not None:
                self._todo.put_back(upid, self._stop_one(upid))
            elif self._clock.wait(self.finish, _IDLE_SECONDS):
                return

    def _stop_one(self, upid: Upid) -> float:
        """Stop one task, and see whether it is gone. When to try again, where it is not."""
        # Rows of lists may be stale: what ended by itself is not ours, and is told nothing any more.
        if not self._runs(upid):
            return self._clock.monotonic() + RETRY_SECONDS
        pause = AGAIN_SECONDS
        self._todo.asked.add(upid.native)
        self._todo.vain[upid.native] = "it was told to stop, but has not ended yet"
        try:
            self.source.stop(upid, self._answer_deadline)
        except Hopeless:
            raise
        except ApiError as exc:
            if not exc.passing:
                self._todo.asked.discard(upid.native)
                self._todo.refused[upid.native] = exc.message
            self._todo.vain[upid.native] = f"it was told to stop, but {exc.message}"
            pause = RETRY_SECONDS
        else:
            self._runs(upid)
        self._changed()
        return self._clock.monotonic() + pause

    def _runs(self, upid: Upid) -> bool:
        """Whether the task is seen to run; where it is not, the watch is told what is seen."""
        try:
            task = look_at(self.source, upid, self._answer_deadline, lambda: None).task
        except NoSuchTask:
            return False
        except Hopeless:
            raise
        except ApiError as exc:
            # Who may not look may still stop, once.
            return not exc.passing and upid.native not in self._todo.asked
        if task.sight != "running":
            self._todo.watch.learn(task)
        return task.sight == "running"
