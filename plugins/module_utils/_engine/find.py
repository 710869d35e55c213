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

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.look import with_log
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.matching import Matching, latest_of
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.named import Named
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.patient import Patient
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Filters, LogWish
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import (
    NO_DEADLINE,
    ON_THE_WAY,
    Connect,
    Reader,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import ApiError, Hopeless, NodeUnreachable
from ansible_collections.proxkit.tasks.plugins.module_utils._model.results import Found
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import in_sentence
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid, by_node

_NODES_AT_ONCE = 16

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
        found = self._each_node({node: self._namer(members) for node, members in by_node(upids).items()})
        known = {task.upid.native: task for task in found.tasks}
        return dataclasses.replace(found, tasks=[known.get(upid.native, Task(upid)) for upid in upids])

    def matching(self, nodes: t.Sequence[str], filters: Filters) -> Found:
        """The tasks that fit on these nodes (none named: on all), the latest first. Raises ``ApiError``."""
        if not nodes:
            with self._patient() as source:
                nodes = source.node_names(NO_DEADLINE)
        found = self._each_node({node: self._matcher(node, filters) for node in nodes})
        return dataclasses.replace(found, tasks=latest_of(found.tasks, filters.limit))

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
                found.tasks.extend(self._logged(source, named.tasks, found, named.unread_logs))

        return search

    def _matcher(self, node: str, filters: Filters) -> Search:
        def search(source: Reader, found: Found) -> None:
            pages = Matching(source, node, filters, found)
            try:
                pages.find()
            finally:
                found.tasks.extend(self._logged(source, pages.latest, found))

        return search

    def _logged(
        self, source: Reader, tasks: t.Sequence[Task], found: Found, unread: t.Mapping[str, ApiError] | None = None
    ) -> list[Task]:
        """``tasks`` with the logs that are wanted; what keeps from those costs nothing else.

        ``unread`` are logs that were asked for in vain, by UPID: they have had their tries.
        """
        logged = list(tasks)
        for index, task in enumerate(tasks):
            if task.outcome == "unseen" or not self._log.wants(task):
                continue
            try:
                if unread and task.upid.native in unread:
                    raise unread[task.upid.native]
                logged[index] = with_log(source, task, self._log.lines, NO_DEADLINE)
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
        try:
            with self._patient() as source:
                search(source, found)
        except ApiError as exc:
            return found, exc
        return found, None

    def _patient(self) -> contextlib.closing[Patient]:
        return contextlib.closing(Patient(self._connect(), self._clock))
