# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding tasks without waiting: named ones, or all that fit a filter. Private to the collection.

Knows no Ansible and no proxmoxer. Nodes are asked side by side; times are monotonic seconds.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.lists import endtime_of, task_of, task_of_cluster
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.look import sees_others, with_log
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.named import NEVER, Named
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.patient import Patient
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Filters, LogWish
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import (
    ON_THE_WAY,
    Connect,
    Reader,
    Row,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Hopeless,
    InvalidUpid,
    NodeUnreachable,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.results import Found
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import in_sentence
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid, parse

PAGE_ROWS = 1000
MORE_ROWS = 20
_NODES_AT_ONCE = 16


class _Pages:
    """Tasks of one node that fit a filter."""

    def __init__(self, source: Reader, node: str, filters: Filters, found: Found) -> None:
        self._source = source
        self._node = node
        self._filters = filters
        self._found = found
        self._tasks: dict[str, Task] = {}

    @property
    def latest(self) -> list[Task]:
        """Those that started last, as many as are wanted."""
        return _latest(self._tasks.values(), self._filters.limit)

    def find(self) -> None:
        """Read as many pages as it takes. Raises ``ApiError``."""
        for query in self._filters.queries():
            self._read(query)
        # Tasks of two users are proof enough.
        if len({task.upid.user for task in self._tasks.values()}) < 2:
            with contextlib.suppress(ApiError):
                if not sees_others(self._source, self._node, NEVER):
                    self._be_blind()

    def _be_blind(self) -> None:
        own = f"Node {self._node} lists only one's own tasks: Sys.Audit on /nodes/{self._node} is missing."
        self._found.blind.append(self._node)
        self._found.warnings.append(own)
        if self._filters.source == "archive" or (self._filters.outcomes and "running" not in self._filters.outcomes):
            return
        # A user's tokens' running tasks are its own as well: the node's list hides them, the cluster's does not.
        for row in self._source.cluster_tasks(NEVER):
            upid = _upid_of(row)
            if upid is not None and upid.node == self._node:
                self._take(task_of_cluster(upid, row), running_only=True)

    def _read(self, query: dict[str, t.Any]) -> None:
        start, size = 0, self._page_size()
        while True:
            rows, total = self._source.listed(self._node, NEVER, **query, start=start, limit=size)
            for row in rows:
                if _upid_of(row) is None:
                    self._found.warnings.append(
                        f"Node {self._node} lists a task whose UPID is malformed; it is left out."
                    )
                else:
                    self._take(task_of_row(row))
            start += len(rows)
            size = min(2 * size, PAGE_ROWS)
            if not rows or (total is not None and start >= total) or self._enough(rows[-1]):
                return

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


def _latest(tasks: t.Iterable[Task], limit: int) -> list[Task]:
    """The ``limit`` tasks (0: all) that started last, the last one first."""
    return sorted(tasks, key=lambda task: (task.upid.starttime, task.upid.pstart), reverse=True)[: limit or None]


def _upid_of(row: Row) -> Upid | None:
    try:
        return parse(row.get("upid"))
    except InvalidUpid:
        return None


Search = t.Callable[[Reader, Found], None]


class Finder:
    """Asks nodes side by side."""

    def __init__(self, connect: Connect, clock: Clock, log: LogWish) -> None:
        """``connect`` gives a source of its own to each node's thread; ``log`` says whose log is wanted."""
        self._connect = connect
        self._clock = clock
        self._log = log

    def named(self, upids: t.Sequence[Upid]) -> Found:
        """These tasks, in this order; what a node no longer knows is ``missing``, what it did not tell ``unseen``."""
        by_node: dict[str, list[Upid]] = {}
        for upid in upids:
            by_node.setdefault(upid.node, []).append(upid)
        found = self._each_node({node: self._namer(members) for node, members in by_node.items()})
        known = {task.upid.native: task for task in found.tasks}
        return dataclasses.replace(found, tasks=[known.get(upid.native, Task(upid)) for upid in upids])

    def matching(self, nodes: t.Sequence[str], filters: Filters) -> Found:
        """The tasks that fit on these nodes (none named: on all), the latest first. Raises ``ApiError``."""
        if not nodes:
            source = self._patient()
            try:
                nodes = source.node_names(NEVER)
            finally:
                source.close()
        found = self._each_node({node: self._matcher(node, filters) for node in nodes})
        return dataclasses.replace(found, tasks=_latest(found.tasks, filters.limit))

    # One node

    def _namer(self, upids: t.Sequence[Upid]) -> Search:
        def search(source: Reader, found: Found) -> None:
            named = Named(source, upids)
            try:
                named.find()
            finally:
                # What a node told before it stopped answering counts.
                found.warnings.extend(named.warnings)
                found.errors.extend(named.errors)
                found.tasks.extend(self._logged(source, named.tasks, found))

        return search

    def _matcher(self, node: str, filters: Filters) -> Search:
        def search(source: Reader, found: Found) -> None:
            pages = _Pages(source, node, filters, found)
            try:
                pages.find()
            finally:
                found.tasks.extend(self._logged(source, pages.latest, found))

        return search

    def _logged(self, source: Reader, tasks: t.Sequence[Task], found: Found) -> list[Task]:
        """``tasks`` with the logs that are wanted; what keeps from those costs nothing else."""
        logged = list(tasks)
        for index, task in enumerate(tasks):
            if task.outcome == "unseen" or not self._log.wants(task):
                continue
            try:
                logged[index] = with_log(source, task, self._log.lines, NEVER)
            except ApiError as exc:
                found.warnings.append(f"The log of {task.upid.native} could not be read: {in_sentence(exc.message)}.")
                if isinstance(exc, (Hopeless, *ON_THE_WAY)):
                    break
        return logged

    # All nodes

    def _each_node(self, searches: t.Mapping[str, Search]) -> Found:
        """Put each node's questions in a thread; a node that does not answer keeps nothing from the others."""
        everything = Found([], frozenset(searches))
        with concurrent.futures.ThreadPoolExecutor(max_workers=_NODES_AT_ONCE) as pool:
            futures = {node: pool.submit(self._search_node, search) for node, search in searches.items()}
        for node, future in futures.items():
            found, error = future.result()
            everything.tasks.extend(found.tasks)
            everything.blind.extend(found.blind)
            everything.warnings.extend(found.warnings)
            everything.errors.extend(found.errors)
            if isinstance(error, NodeUnreachable):
                everything.unreachable[node] = error.message
            elif error is not None:
                everything.errors.append(error)
        return everything

    def _search_node(self, search: Search) -> tuple[Found, ApiError | None]:
        found = Found([])
        source = self._patient()
        try:
            search(source, found)
        except ApiError as exc:
            return found, exc
        finally:
            source.close()
        return found, None

    def _patient(self) -> Patient:
        return Patient(self._connect(), self._clock)


def task_of_row(row: Row) -> Task | None:
    """The task that a row of a list tells of; None where its UPID is malformed."""
    upid = _upid_of(row)
    if upid is None:
        return None
    return task_of(upid, row) or Task(upid, "stopped", row.get("status") or None)
