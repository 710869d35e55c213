# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks of one node that fit a filter, read page by page. Private to the collection."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.lists import (
    endtime_of,
    goes_on,
    task_of,
    task_of_cluster,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Filters
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import NO_DEADLINE, Reader, Row
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import ApiError, InvalidUpid
from ansible_collections.proxkit.tasks.plugins.module_utils._model.results import Found
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid, parse

# Rows of a list that one request brings at the most.
PAGE_ROWS = 1000
# Rows that are asked for beside those wanted: they mostly tell that none behind them started later.
MORE_ROWS = 20


class Matching:
    """Tasks of one node that fit a filter."""

    def __init__(self, source: Reader, node: str, filters: Filters, found: Found) -> None:
        """Nothing is asked yet; ``found`` is told what a person should know."""
        self._source = source
        self._node = node
        self._filters = filters
        self._found = found
        self._tasks: dict[str, Task] = {}

    @property
    def latest(self) -> list[Task]:
        """Those that started last, as many as are wanted."""
        return latest_of(self._tasks.values(), self._filters.limit)

    def find(self) -> None:
        """Read as many pages as it takes. Raises ``ApiError``."""
        for query in self._filters.queries():
            self._read(query)
        # Tasks of two users are proof enough.
        if len({task.upid.user for task in self._tasks.values()}) < 2:
            with contextlib.suppress(ApiError):
                missing = self._source.missing_right(self._node, NO_DEADLINE)
                if missing:
                    self._be_blind(missing)

    def _be_blind(self, missing: str) -> None:
        own = f"Node {self._node} lists only one's own tasks: {missing} is missing."
        self._found.blind.append(self._node)
        self._found.warnings.append(own)
        if self._filters.source == "archive" or (self._filters.outcomes and "running" not in self._filters.outcomes):
            return
        # A user's tokens' running tasks are its own as well: the node's list hides them, the cluster's does not.
        for row in self._source.cluster_tasks(NO_DEADLINE):
            upid = _upid_of(row)
            if upid is not None and upid.node == self._node:
                self._take(task_of_cluster(upid, row), running_only=True)

    def _read(self, query: dict[str, t.Any]) -> None:
        start, size = 0, self._page_size()
        seen: set[str] = set()
        while True:
            rows, total = self._source.listed(self._node, NO_DEADLINE, **query, start=start, limit=size)
            for row in rows:
                task = _task_of_row(row)
                if task is not None:
                    self._take(task)
                else:
                    self._warn("lists a task whose UPID is malformed; it is left out")
            start += len(rows)
            last = len(rows) < size if total is None else start >= total
            if not rows or last or self._enough(rows[-1]):
                return
            if not goes_on(rows, seen):
                self._warn(f"lists more tasks than it shows: {len(seen)} were read, further pages bring no others")
                return
            size = min(2 * size, PAGE_ROWS)

    def _warn(self, text: str) -> None:
        warning = f"Node {self._node} {text}."
        if warning not in self._found.warnings:
            self._found.warnings.append(warning)

    def _page_size(self) -> int:
        """Rows a page: some more than wanted, as the last ones wanted are told by those that follow."""
        limit = self._filters.limit
        # Where rows are dropped here, pages of the size of the limit would be many.
        if not limit or not self._filters.exact:
            return PAGE_ROWS
        return min(2 * limit + MORE_ROWS, PAGE_ROWS)

    def _enough(self, row: Row) -> bool:
        """Whether no task behind this row can have started later than those found.

        Lists come by end time, the latest first, and nothing starts after its end (PVE: ``file_read_lines`` of the
        index backwards).
        """
        limit, endtime = self._filters.limit, endtime_of(row)
        if not limit or len(self._tasks) < limit or endtime is None:
            return False
        return self.latest[-1].upid.starttime > endtime

    def _take(self, task: Task | None, running_only: bool = False) -> None:
        """Keep a task that fits, once: a list that grows while it is read shows the same row again."""
        if task is None or not self._filters.fit(task) or (running_only and task.sight != "running"):
            return
        known = self._tasks.get(task.upid.native)
        if known is None or (known.sight == "running" and task.sight == "stopped"):
            self._tasks[task.upid.native] = task


def latest_of(tasks: t.Iterable[Task], limit: int) -> list[Task]:
    """The ``limit`` tasks (0: all) that started last, the last one first."""
    return sorted(tasks, key=lambda task: (task.upid.starttime, task.upid.pstart), reverse=True)[: limit or None]


def _upid_of(row: Row) -> Upid | None:
    try:
        return parse(row.get("upid"))
    except InvalidUpid:
        return None


def _task_of_row(row: Row) -> Task | None:
    """The task that a row of a list tells of; None where its UPID is malformed."""
    upid = _upid_of(row)
    if upid is None:
        return None
    return task_of(upid, row) or Task(upid, "stopped", row.get("status") or None)
