# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task under watch: what is known of it, and when it was asked for. Private to the collection."""

from __future__ import annotations

import dataclasses
import threading
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.polling import UNKNOWN, Outlook
from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import Progress
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid

NEVER = float("-inf")


@dataclasses.dataclass(eq=False)
class Entry:
    """A task under watch; what is settled stays as it is. ``see`` and ``settle`` may be called from any thread."""

    task: Task
    settled: bool = False
    logged: bool = False
    asked: float = NEVER  # when /status was last tried
    ran: float = NEVER  # when /status last said that it runs
    began: float | None = None  # when /status first said so
    believed: float | None = None  # since when its RUNNING row has been believed
    missed: float | None = None  # since when its node has not known it
    doubted: float | None = None  # since when nobody could be asked for a second opinion on its odd end
    outlook: Outlook = UNKNOWN  # what its log leads one to expect
    vouched: float = NEVER  # until when whoever reads its log sees to it that an end is noticed
    _lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    @property
    def upid(self) -> Upid:
        """Which task it is."""
        return self.task.upid

    def see(self, task: Task) -> None:
        """What is known for now."""
        with self._lock:
            if not self.settled:
                self.task = self._with_progress(task)

    def settle(self, task: Task) -> None:
        """What no further look can improve on."""
        with self._lock:
            if not self.settled:
                self.task = self._with_progress(task)
                self.settled = True

    def amend(self, **changes: t.Any) -> None:
        """What is known beside that, the log or the end time."""
        with self._lock:
            self.task = dataclasses.replace(self.task, **changes)

    def note_progress(self, progress: Progress | None) -> None:
        """How far its log says that it is, while it runs."""
        with self._lock:
            if not self.settled:
                self.task = dataclasses.replace(self.task, progress=progress)

    def _with_progress(self, task: Task) -> Task:
        """What is seen of a task says nothing of how far it is; once it has ended well, nobody asks."""
        if self.task.progress is None or task.outcome in ("ok", "warning"):
            return task
        return dataclasses.replace(task, progress=self.task.progress)
