# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Following a request to the HA manager to the task that it leads to. Private to the collection."""

from __future__ import annotations

import threading
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.ending import LOOK_GRACE
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.polling import pause
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import Rows, Source
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import ApiError, Hopeless, TasksError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import in_sentence
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid, parse

# The HA manager takes up a request within some 20 s.
FOLLOW_SECONDS = 60.0
FOLLOW_TYPES: dict[str, tuple[str, ...]] = {
    "hamigrate": ("qmigrate", "vzmigrate"),
    "harelocate": ("qmigrate", "vzmigrate"),
    "hastart": ("qmstart", "vzstart"),
    "hastop": ("qmstop", "vzstop", "qmshutdown", "vzshutdown"),
    "hashutdown": ("qmstop", "vzstop", "qmshutdown", "vzshutdown"),
}


class Follow:
    """Looks for the task that the HA manager starts after a request ended."""

    def __init__(self, request: Upid, source: Source, plan: Plan, clock: Clock, deadline: float) -> None:
        """``request`` has just ended well; the search ends after a minute, or at ``deadline``."""
        self.request = request
        self.source = source
        self.finish = threading.Event()
        self.found: Upid | None = None
        self.warning: str | None = None
        self._plan = plan
        self._clock = clock
        self._begun = clock.monotonic()
        self._deadline = min(deadline, self._begun + FOLLOW_SECONDS)
        self._answer_deadline = deadline + LOOK_GRACE

    def run(self, known: t.Callable[[str], bool]) -> None:
        """Look until the task is found or the time is over; ``known`` tells which UPIDs are followed already.

        Raises ``ApiError`` where going on makes no sense.
        """
        fault: str | None = None
        while True:
            now = self._clock.monotonic()
            try:
                self.found = self._search(self._rows(), known)
                fault = None
            except Hopeless:
                raise
            except ApiError as exc:
                fault = exc.message
            if self.found is not None or now >= self._deadline or self.finish.is_set():
                break
            seconds = pause(now - self._begun, self._plan.interval, self._plan.longest)
            if self._clock.wait(self.finish, min(seconds, max(0.0, self._deadline - now))):
                break
        if self.found is None:
            self.warning = self._why_not(fault)

    def _rows(self) -> Rows:
        """What the cluster's list shows, and the node's where it may hide others' tasks: the former takes a right on /.

        Tasks of two users are proof that nothing is hidden.
        """
        rows = self.source.cluster_tasks(self._answer_deadline)
        if len({row.get("user") for row in rows}) > 1:
            return rows
        return [*rows, *(self.source.active(self.request.node, self._answer_deadline) or {}).values()]

    def _search(self, rows: Rows, known: t.Callable[[str], bool]) -> Upid | None:
        types = FOLLOW_TYPES.get(self.request.type)
        found: list[Upid] = []
        for row in rows:
            try:
                upid = parse(str(row.get("upid")))
            except TasksError:
                continue
            right = upid.type in types if types else upid.type.startswith(("qm", "vz")) and upid.type != "vzdump"
            ours = upid.id == self.request.id and upid.starttime >= self.request.starttime
            if right and ours and not known(upid.native):
                found.append(upid)
        return min(found, key=lambda upid: upid.starttime, default=None)

    def _why_not(self, fault: str | None) -> str:
        request = self.request
        waited = f"within {self._clock.monotonic() - self._begun:.0f} s"
        nothing = f"No task of guest {request.id} came {waited} after {request.type} on {request.node}"
        if fault:
            return f"{nothing}: {in_sentence(fault)}"
        try:
            if self.source.missing_right(request.node, self._answer_deadline):
                return f"{nothing} that could be seen: Sys.Audit on /nodes is missing to see what the HA manager starts"
        except ApiError as exc:
            return f"{nothing}: {in_sentence(exc.message)}"
        return f"{nothing}: the HA manager had nothing to do, or has not begun"
