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

from ansible_collections.proxkit.tasks.plugins.module_utils._errors import (
    ApiError,
    HostUnreachable,
    InvalidUpid,
    NodeUnreachable,
    NoSuchTask,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._look import (
    LIST_FROM,
    Connect,
    LogWish,
    Reader,
    Rows,
    endtime_of,
    look_at,
    rows_by_upid,
    sees_others,
    with_endtimes,
    with_log,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._polling import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._upid import Upid, parse

T = t.TypeVar("T")

TRIES = 3
TRY_AGAIN_SECONDS = 0.3
PAGE_ROWS = 1000
# There is no deadline here: each request ends by its own time limit.
NEVER = float("inf")
_NODES_AT_ONCE = 16
_FINISHED_FILTERS = ("ok", "warning", "error", "unknown")


@dataclasses.dataclass(frozen=True)
class Filters:
    """Which tasks are wanted; an empty value means all.

    ``since`` and ``until`` are epoch seconds, ``limit`` is a number of tasks (0: no limit).
    """

    source: str = "all"
    types: tuple[str, ...] = ()
    vmid: int | None = None
    user: str | None = None
    outcomes: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None
    limit: int = 50

    def queries(self) -> list[dict[str, t.Any]]:
        """The queries that bring all that fits and as little else as the server can be told to leave out."""
        only_running = self.outcomes == ("running",)
        query: dict[str, t.Any] = {"source": "active" if only_running and self.source == "all" else self.source}
        if self.outcomes and not only_running:
            # The server counts what runs as unknown.
            names = {"unknown" if outcome == "running" else outcome for outcome in self.outcomes}
            query["statusfilter"] = ",".join(name for name in _FINISHED_FILTERS if name in names)
        if self.user:
            # The server looks for a part of the user, whose token stands elsewhere in rows of ended tasks.
            query["userfilter"] = self.user.rpartition("!")[0] or self.user
        given = {"vmid": self.vmid, "since": self.since, "until": self.until}
        query.update((name, value) for name, value in given.items() if value is not None)
        return [{**query, "typefilter": name} for name in self.types] or [query]

    @property
    def exact(self) -> bool:
        """Whether the server leaves out all that does not fit."""
        return not self.user and not {"running", "unknown"} & set(self.outcomes)

    def fit(self, task: Task) -> bool:
        """Whether ``task`` is wanted, by the whole of what was asked for."""
        upid = task.upid
        return (
            (not self.types or upid.type in self.types)
            and (self.vmid is None or upid.id == str(self.vmid))
            and (not self.user or self.user in (upid.user, upid.authid))
            and (not self.outcomes or task.outcome in self.outcomes)
            and (self.since is None or upid.starttime >= self.since)
            and (self.until is None or upid.starttime <= self.until)
        )


@dataclasses.dataclass(frozen=True)
class Found:
    """Tasks, and what kept one from finding more."""

    tasks: list[Task]
    asked: frozenset[str] = frozenset()
    unreachable: dict[str, str] = dataclasses.field(default_factory=dict)  # why, by node
    warnings: list[str] = dataclasses.field(default_factory=list)
    errors: list[ApiError] = dataclasses.field(default_factory=list)


class Patient:
    """A reader each of whose requests is tried three times at the most: a passing fault may be over a moment later."""

    def __init__(self, source: Reader, clock: Clock) -> None:
        """``source`` is asked; ``clock`` passes the time between two tries."""
        self._source = source
        self._clock = clock

    def status(self, upid: Upid, until: float) -> dict[str, t.Any]:
        """As of ``Reader``."""
        return self._ask(lambda: self._source.status(upid, until))

    def listed(self, node: str, until: float, /, **filters: t.Any) -> tuple[Rows, int | None]:
        """As of ``Reader``."""
        return self._ask(lambda: self._source.listed(node, until, **filters))

    def log(self, upid: Upid, start: int, limit: int, until: float) -> tuple[Rows, int]:
        """As of ``Reader``."""
        return self._ask(lambda: self._source.log(upid, start, limit, until))

    def node_names(self, until: float) -> list[str]:
        """As of ``Reader``."""
        return self._ask(lambda: self._source.node_names(until))

    def close(self) -> None:
        """As of ``Reader``."""
        self._source.close()

    def _ask(self, ask: t.Callable[[], T]) -> T:
        for _try in range(TRIES - 1):
            try:
                return ask()
            except ApiError as exc:
                # What took all the time of a request will hardly be faster now.
                if not exc.passing or exc.details.get("timed_out"):
                    raise
            self._clock.sleep(TRY_AGAIN_SECONDS)
        return ask()


Ask = t.Callable[[Reader, Found], None]


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
        tasks = sorted(found.tasks, key=lambda task: (task.upid.starttime, task.upid.pstart), reverse=True)
        return dataclasses.replace(found, tasks=tasks[: filters.limit or None])

    # One node

    def _namer(self, upids: t.Sequence[Upid]) -> Ask:
        def ask(source: Reader, found: Found) -> None:
            rows: dict[str, dict[str, t.Any]] = {}
            if len(upids) >= LIST_FROM:
                rows = rows_by_upid(source, upids[0].node, upids, NEVER)
            tasks = []
            for upid in upids:
                task = task_of_row(rows[upid.native]) if upid.native in rows else None
                # What a row says of a task that ended is final; else only the task itself knows.
                if task is None or task.outcome in ("running", "unknown"):
                    task = self._look(source, upid, found)
                tasks.append(task)
            tasks = with_endtimes(source, tasks, NEVER)
            found.tasks.extend(self._logged(source, tasks, found))

        return ask

    def _look(self, source: Reader, upid: Upid, found: Found) -> Task:
        try:
            return look_at(source, upid, NEVER)
        except NoSuchTask as exc:
            return Task(upid, "missing", error=exc.message)
        except (NodeUnreachable, HostUnreachable):
            raise
        except ApiError as exc:
            found.errors.append(exc)
            return Task(upid, error=exc.message)

    def _matcher(self, node: str, filters: Filters) -> Ask:
        def ask(source: Reader, found: Found) -> None:
            tasks: dict[str, Task] = {}
            for query in filters.queries():
                self._read_pages(source, node, query, filters, tasks, found)
            # Tasks of two users are proof enough.
            if len({task.upid.user for task in tasks.values()}) < 2:
                with contextlib.suppress(ApiError):
                    if not sees_others(source, node, NEVER):
                        own = f"Node {node} lists only one's own tasks: Sys.Audit on /nodes/{node} is missing."
                        found.warnings.append(own)
            latest = sorted(tasks.values(), key=lambda task: task.upid.starttime, reverse=True)
            found.tasks.extend(self._logged(source, latest[: filters.limit or None], found))

        return ask

    def _read_pages(
        self,
        source: Reader,
        node: str,
        query: dict[str, t.Any],
        filters: Filters,
        tasks: dict[str, Task],
        found: Found,
    ) -> None:
        start = fitting = 0
        # Where rows are dropped here, pages of the size of the limit would be many.
        size = min(filters.limit or PAGE_ROWS, PAGE_ROWS) if filters.exact else PAGE_ROWS
        while True:
            rows, total = source.listed(node, NEVER, **query, start=start, limit=size)
            for row in rows:
                task = task_of_row(row)
                if task is None:
                    found.warnings.append(f"Node {node} lists a task whose UPID is malformed; it is left out.")
                elif filters.fit(task) and task.upid.native not in tasks:
                    # The list may grow while it is read: the same row can come again on the next page.
                    tasks[task.upid.native] = task
                    fitting += 1
            start += len(rows)
            if not rows or (filters.limit and fitting >= filters.limit) or (total is not None and start >= total):
                return

    def _logged(self, source: Reader, tasks: t.Sequence[Task], found: Found) -> list[Task]:
        logged = []
        for task in tasks:
            logged.append(task)
            if task.outcome != "unseen" and self._log.wants(task):
                try:
                    logged[-1] = with_log(source, task, self._log.lines, NEVER)
                except (NodeUnreachable, HostUnreachable):
                    raise
                except ApiError as exc:
                    found.warnings.append(f"The log of {task.upid.native} could not be read: {exc.message}.")
        return logged

    # All nodes

    def _each_node(self, asks: t.Mapping[str, Ask]) -> Found:
        """Put each node's questions in a thread; a node that does not answer keeps nothing from the others."""
        everything = Found([], frozenset(asks))
        with concurrent.futures.ThreadPoolExecutor(max_workers=_NODES_AT_ONCE) as pool:
            futures = {node: pool.submit(self._ask_node, ask) for node, ask in asks.items()}
        for node, future in futures.items():
            found, error = future.result()
            everything.tasks.extend(found.tasks)
            everything.warnings.extend(found.warnings)
            everything.errors.extend(found.errors)
            if isinstance(error, NodeUnreachable):
                everything.unreachable[node] = error.message
            elif error is not None:
                everything.errors.append(error)
        return everything

    def _ask_node(self, ask: Ask) -> tuple[Found, ApiError | None]:
        found = Found([])
        source = self._patient()
        try:
            ask(source, found)
        except ApiError as exc:
            return found, exc
        finally:
            source.close()
        return found, None

    def _patient(self) -> Patient:
        return Patient(self._connect(), self._clock)


def task_of_row(row: t.Mapping[str, t.Any]) -> Task | None:
    """The task that a row of a list tells of; None where its UPID is malformed."""
    try:
        upid = parse(row.get("upid"))
    except InvalidUpid:
        return None
    status = row.get("status")
    if status == "RUNNING":
        return Task(upid, "running")
    return Task(upid, "stopped", status, endtime=endtime_of(row))
