# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lists tell of the tasks of one node. Private to the collection. All times are monotonic seconds."""

from __future__ import annotations

import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.lists import (
    by_upid,
    ended_rows,
    task_of,
    task_of_cluster,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import Source
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid

# A list gets so much of the time that is left, /status the rest: a list that hangs must not cost what that tells.
LIST_SHARE = 0.7

Told = dict[str, t.Optional[Task]]


class Lists:
    """The lists that tell of a node's tasks, in one look after the other. Each method raises ``ApiError``."""

    def __init__(self, node: str, source: Source, clock: Clock) -> None:
        """Nothing is asked yet."""
        self.hides = False  # no list of the node shows running tasks, or it hides those that the cluster's shows
        self.listed: Told = {}  # what the node's whole list says in this look, by UPID
        self._node = node
        self._source = source
        self._clock = clock
        self._end = 0.0

    def begin(self, deadline: float) -> None:
        """Another look: at ``deadline`` answers are of no more use."""
        self.listed = {}
        self._end = deadline

    def running(self, upids: t.Sequence[Upid]) -> Told:
        """What runs, and what ended lately, by the list that shows it."""
        if self.hides:
            return self.cluster(upids)
        rows = self._source.active(self._node, self._deadline)
        if rows is None:
            self.hides = True
            return self.cluster(upids)
        return {upid.native: task_of(upid, rows.get(upid.native)) for upid in upids}

    def ended(self, upids: t.Sequence[Upid], anew: t.Collection[str] | None = None) -> Told:
        """What has ended: those in ``anew`` (by UPID; None: all) however long ago, the others lately."""
        anew = {upid.native for upid in upids} if anew is None else anew
        rows = ended_rows(self._source, upids, self._deadline, anew)
        told = {upid.native: task_of(upid, rows.get(upid.native)) for upid in upids}
        self.listed.update((native, task) for native, task in told.items() if task is not None or native in anew)
        return told

    def cluster(self, upids: t.Sequence[Upid]) -> Told:
        """What the cluster file system has: a user's tokens' running tasks too, which the node's list hides."""
        rows = by_upid(self._source.cluster_tasks(self._deadline))
        return {upid.native: task_of_cluster(upid, rows.get(upid.native)) for upid in upids}

    def one(self, upid: Upid) -> Task | None:
        """One task by the node's whole list, asked once a look."""
        if upid.native not in self.listed:
            self.ended([upid])
        return self.listed[upid.native]

    @property
    def _deadline(self) -> float:
        now = self._clock.monotonic()
        return now + LIST_SHARE * (self._end - now)
