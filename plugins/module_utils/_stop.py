# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stopping the running tasks of one node while they are being watched. Private to the collection."""

from __future__ import annotations

import threading

from ansible_collections.proxkit.tasks.plugins.module_utils._errors import ApiError
from ansible_collections.proxkit.tasks.plugins.module_utils._look import Source
from ansible_collections.proxkit.tasks.plugins.module_utils._polling import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._upid import Upid
from ansible_collections.proxkit.tasks.plugins.module_utils._watch import LOOK_GRACE, Watch

# PVE answers a request to stop when the task is gone, up to 6 s later: this many are sent side by side to a node.
SIDE_BY_SIDE = 8
# A task that still runs this long after its stop was accepted is asked again: PBS only takes note of the wish.
AGAIN_SECONDS = 6.0
RETRY_SECONDS = 1.0
_IDLE_SECONDS = 0.2


class StopList:
    """What is to be stopped on one node, shared by its stoppers."""

    def __init__(self, watch: Watch) -> None:
        """``watch`` tells which tasks run."""
        self.watch = watch
        self.asked: set[str] = set()
        self.refused: dict[str, str] = {}
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

    def __init__(self, todo: StopList, source: Source, clock: Clock, deadline: float) -> None:
        """Works through ``todo`` until ``deadline`` (monotonic seconds) at the latest."""
        self.source = source
        self.finish = threading.Event()
        self._todo = todo
        self._clock = clock
        self._deadline = deadline

    def run(self) -> None:
        """Stop until all tasks have ended, ``finish`` is set or the deadline is there."""
        watch = self._todo.watch
        self._clock.wait(watch.looked, max(0.0, self._deadline - self._clock.monotonic()))
        while len(watch.settled) < len(watch.tasks) and self._clock.monotonic() < self._deadline:
            upid = self._todo.take(self._clock.monotonic())
            if upid is not None:
                self._stop(upid)
            elif self._clock.wait(self.finish, _IDLE_SECONDS):
                return

    def _stop(self, upid: Upid) -> None:
        pause = AGAIN_SECONDS
        self._todo.asked.add(upid.native)
        try:
            self.source.stop(upid, self._deadline + LOOK_GRACE)
        except ApiError as exc:
            if not exc.passing:
                self._todo.asked.discard(upid.native)
                self._todo.refused[upid.native] = exc.message
            pause = RETRY_SECONDS
        self._todo.put_back(upid, self._clock.monotonic() + pause)
