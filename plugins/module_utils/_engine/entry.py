# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task under watch: what is known of it, and when it was asked for. Private to the collection."""

from __future__ import annotations

import dataclasses
import threading
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid

_NEVER = float("-inf")


@dataclasses.dataclass(eq=False)
class Entry:
    """A task under watch; what is settled stays as it is. ``see`` and ``settle`` may be called from any thread."""

    task: Task
    settled: bool = False
    logged: bool = False
    asked: float = _NEVER  # when /status was last tried
    ran: float = _NEVER  # when /status last said that it runs
    believed: float | None = None  # since when its RUNNING row has been believed
    missed: float | None = None  # since when its node has not known it
    _lock: threading.Lock = dataclasses.field(default_factory=threading.Lock, repr=False)

    @property
    def upid(self) -> Upid:
        """Which task it is."""
        return self.task.upid

    def see(self, task: Task) -> None:
        """What is known for now."""
        with self._lock:
            if not self.settled:
                self.task = task

    def settle(self, task: Task) -> None:
        """What no further look can better."""
        with self._lock:
            if not self.settled:
                self.task = task
                self.settled = True

    def amend(self, **changes: t.Any) -> None:
        """What is known beside that, the log or the end time."""
        with self._lock:
            self.task = dataclasses.replace(self.task, **changes)
