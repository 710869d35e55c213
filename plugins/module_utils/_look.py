# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at single tasks: status, log and end time with as few requests as can be. Private to the collection."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._errors import (
    AccessError,
    ApiError,
    HostUnreachable,
    NodeUnreachable,
    OptionError,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._log import (
    lines_of,
    log_is_gone,
    progress,
    tail_start,
    verdict,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._task import Task, outcome_of
from ansible_collections.proxkit.tasks.plugins.module_utils._upid import Upid, parse

# Lines of a log that one request brings at the most: a bound on memory and on the time of one answer.
PAGE_LINES = 20_000
# From this many tasks on a node, one list costs less than a status call for each.
LIST_FROM = 3
# Rows of a list that one request brings at the most, when the rows of known tasks are looked for.
_MOST_ROWS = 5000
_TRIES = 3

Rows = list[dict[str, t.Any]]


class Reader(t.Protocol):
    """What is asked of a cluster once; ``until`` is when an answer is of no more use (see ``_api.Session``)."""

    def status(self, upid: Upid, until: float) -> dict[str, t.Any]:
        """``status`` and ``exitstatus`` of a task."""

    def listed(self, node: str, until: float, /, **filters: t.Any) -> tuple[Rows, int | None]:
        """A page of a node's task list."""

    def log(self, upid: Upid, start: int, limit: int, until: float) -> tuple[Rows, int]:
        """Rows of a log and its lines in all."""

    def node_names(self, until: float) -> list[str]:
        """Names of all nodes of the cluster."""

    def close(self) -> None:
        """End what is under way."""


class Source(Reader, t.Protocol):
    """What a wait asks for beside that."""

    def active(self, node: str, until: float) -> dict[str, dict[str, t.Any]]:
        """Rows of a node's running tasks by UPID."""

    def cluster_tasks(self, until: float) -> Rows:
        """Running and recent tasks of all nodes."""

    def stop(self, upid: Upid, until: float) -> None:
        """Ask for the end of a task."""


Connect = t.Callable[[], Source]


@dataclasses.dataclass(frozen=True)
class LogWish:
    """Whose logs are wanted (``not_ok``, ``always``, ``never``) and how many of the last lines (0: all)."""

    whose: str = "not_ok"
    lines: int = 50

    def wants(self, task: Task) -> bool:
        """Whether this task's log is to be read."""
        if self.whose == "never" or task.outcome == "missing":
            return False
        return self.whose == "always" or task.outcome != "ok"


def look_at(source: Reader, upid: Upid, until: float) -> Task:
    """The task as its node tells it now, an odd exit status checked against log and list.

    Raises ``ApiError`` where it could not be found out, ``NoSuchTask`` where the node does not know it.
    """
    answer = source.status(upid, until)
    if answer["status"] == "running":
        return Task(upid, "running")
    exitstatus: str | None = answer["exitstatus"]
    if outcome_of(exitstatus, upid.product) == "unknown":
        # PVE says so where the last output had no newline as well, and keeps the bad value in a cache.
        second = _tried(lambda: _told_by_log(source, upid, until)) or _tried(lambda: _told_by_list(source, upid, until))
        exitstatus = second or exitstatus
    return Task(upid, "stopped", exitstatus)


def _tried(ask: t.Callable[[], str | None]) -> str | None:
    """What ``ask`` returns, asked again after passing faults; None where it cannot be had."""
    for _try in range(_TRIES):
        try:
            return ask()
        except (NodeUnreachable, HostUnreachable):
            return None
        except ApiError as exc:
            if not exc.passing:
                return None
    return None


def _told_by_log(source: Reader, upid: Upid, until: float) -> str | None:
    """The exit status by the log's last line."""
    _rows, total = source.log(upid, 0, 1, until)
    return verdict(_lines(source.log(upid, tail_start(total, 1), 1, until)[0])) if total else None


def _told_by_list(source: Reader, upid: Upid, until: float) -> str | None:
    """The exit status by the node's list."""
    status = rows_by_upid(source, upid.node, [upid], until).get(upid.native, {}).get("status")
    return None if status == "RUNNING" or outcome_of(status) == "unknown" else status


def sees_others(source: Reader, node: str, until: float) -> bool:
    """Whether one may see tasks of others on ``node``: who may not is refused the log of one that never was.

    PVE checks that right before it looks for the log (recorded: "log no log file, viewer"). Raises ``ApiError``.
    """
    try:
        source.log(parse(f"UPID:{node}:00000000:00000000:00000000:none::root@pam:"), 0, 1, until)
    except AccessError:
        return False
    return True


def _lines(rows: Rows) -> list[str]:
    """The lines of a log's rows. Raises ``ApiError`` where a server sent something else than rows."""
    try:
        return lines_of(rows)
    except OptionError as exc:
        raise ApiError(f"the log is not of the form its documentation gives: {exc.message}", passing=True) from exc


def with_log(source: Reader, task: Task, lines: int, until: float) -> Task:
    """The task with the last ``lines`` lines of its log (0: all) and the progress they tell.

    One request where the log is short, else two and then pages. Raises ``ApiError``.
    """
    upid = task.upid
    limit = min(lines or PAGE_LINES, PAGE_LINES)
    rows, total = source.log(upid, 0, limit, until)
    # _lines comes first: it tells rows of odd form as a fault of the server.
    if _lines(rows) and log_is_gone(rows):
        return dataclasses.replace(task, error=task.error or "its log is gone")
    found = rows
    start = tail_start(total, lines) if lines else 0
    if start > 0:
        found = []
    position = start + len(found)
    while position < total:
        rows, _total = source.log(upid, position, min(PAGE_LINES, total - position), until)
        # A log that was cut meanwhile ends here; one that grows is read as far as it went at first.
        if not rows:
            break
        found += rows
        position += len(rows)
    text = _lines(found)[-lines:]
    # PVE fills an empty log with one row that says so.
    return dataclasses.replace(task, log=tuple(text), log_total=total if text else 0, progress=progress(text))


def rows_by_upid(source: Reader, node: str, upids: t.Sequence[Upid], until: float) -> dict[str, dict[str, t.Any]]:
    """The rows that a node's list has for these tasks, by UPID: one request, as narrow as the server can make it."""
    filters: dict[str, t.Any] = {
        "source": "all",
        "since": min(upid.starttime for upid in upids),
        "until": max(upid.starttime for upid in upids),
        "limit": _MOST_ROWS,
    }
    types = {upid.type for upid in upids}
    if len(types) == 1:
        filters["typefilter"] = types.pop()
    rows, _total = source.listed(node, until, **filters)
    return {str(row.get("upid")): row for row in rows}


def with_endtimes(source: Reader, tasks: t.Sequence[Task], until: float) -> list[Task]:
    """The tasks of one node, those that stopped with the end time of the node's list where it has one."""
    wanted = [task for task in tasks if task.sight == "stopped" and task.endtime is None]
    rows = rows_by_upid(source, wanted[0].upid.node, [task.upid for task in wanted], until) if wanted else {}
    return [
        dataclasses.replace(task, endtime=endtime_of(rows[task.upid.native]))
        if task.endtime is None and task.upid.native in rows
        else task
        for task in tasks
    ]


def endtime_of(row: t.Mapping[str, t.Any]) -> int | None:
    """The end time of a list's row in epoch seconds."""
    endtime = row.get("endtime")
    return int(endtime) if isinstance(endtime, (int, str)) and str(endtime).isdigit() else None
