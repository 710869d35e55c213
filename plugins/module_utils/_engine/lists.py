# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What rows of task lists tell, and asking for those of known tasks. Private to the collection."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import Reader, Row, Rows
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import InvalidUpid
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid, parse

# From this many tasks on a node, one list costs less than a status call for each.
LIST_FROM = 2
# Rows of a list that one request brings at the most, when the rows of known tasks are looked for.
PAGE_ROWS = 5000
# More rows than the archive of any server holds.
MOST_ROWS = 500_000
# Rows that are enough to see what ended since the last look.
FEW_ROWS = 100
# How long a task takes is told by so many others like it, ...
PAST_TASKS = 5
# ... found among this many: not all that a node is asked for can be narrowed to one guest.
PAST_ROWS = 20
# Digits of an end time: more than any clock shows, and few enough to be a number everywhere.
_MAX_DIGITS = 12


def endtime_of(row: Row) -> int | None:
    """The end time of a list's row in epoch seconds; None where it has none that could be one."""
    endtime = row.get("endtime")
    if isinstance(endtime, str) and re.fullmatch(f"[0-9]{{1,{_MAX_DIGITS}}}", endtime):
        return int(endtime)
    if isinstance(endtime, int) and not isinstance(endtime, bool) and 0 <= endtime < 10**_MAX_DIGITS:
        return endtime
    return None


def task_of(upid: Upid, row: Row | None) -> Task | None:
    """The task as a node's list tells it; None where it says nothing.

    What a row says of a task that ended is final, unless the outcome is unknown: then log or status may know better.
    """
    if row is None:
        return None
    if row.get("status") == "RUNNING":
        return Task(upid, "running")
    endtime = endtime_of(row)
    return None if endtime is None else Task(upid, "stopped", row.get("status") or None, endtime=endtime)


def task_of_cluster(upid: Upid, row: Row | None) -> Task | None:
    """The same for the cluster's list, where rows of running tasks have neither status nor end time."""
    if row is not None and endtime_of(row) is None and not row.get("status"):
        return Task(upid, "running")
    return task_of(upid, row)


def without_log(upid: Upid, listed: Task | None, why: str) -> Task:
    """A task that has no log any more, as ``/status`` has it: a list may still know how it ended.

    Backup Server's ``unknown`` is no such knowledge: it says so where there is no log (``worker_task.rs``).
    """
    if listed is None or listed.sight != "stopped" or (upid.product == "pbs" and listed.outcome == "unknown"):
        return Task(upid, "missing", error=why)
    return dataclasses.replace(listed, lost_log=True)


def by_upid(rows: Rows) -> dict[str, dict[str, t.Any]]:
    """Rows by UPID. PVE has some tasks twice; of two rows the one that tells an end counts."""
    found: dict[str, dict[str, t.Any]] = {}
    for row in rows:
        native = str(row.get("upid"))
        if native not in found or endtime_of(found[native]) is None:
            found[native] = row
    return found


def ended_rows(
    source: Reader, upids: t.Sequence[Upid], deadline: float, anew: t.Collection[str] | None = None
) -> dict[str, dict[str, t.Any]]:
    """The rows that a node's list of what ended has for these tasks of one node, by UPID: as narrow as can be.

    It comes by end time, the latest first (what runs would come before them all): pages are read until those in
    ``anew`` (by UPID; None: all) are found or there are no more. The others ended lately if at all, and stand in its
    beginning. Raises ``ApiError``.
    """
    wanted = {upid.native for upid in upids} if anew is None else set(anew)
    size = PAGE_ROWS if wanted else min(FEW_ROWS + 2 * len(upids), PAGE_ROWS)
    filters: dict[str, t.Any] = {
        "source": "archive",
        "since": min(upid.starttime for upid in upids),
        "until": max(upid.starttime for upid in upids),
        "limit": size,
    }
    types = {upid.type for upid in upids}
    if len(types) == 1:
        filters["type"] = types.pop()
    found: Rows = []
    seen: set[str] = set()
    while True:
        rows, total = source.listed(upids[0].node, deadline, **filters, **({"start": len(found)} if found else {}))
        found += rows
        wanted -= {str(row.get("upid")) for row in rows}
        ends = len(rows) < size or (total is not None and len(found) >= total)
        if ends or not wanted or not goes_on(rows, seen):
            return by_upid(found)


def goes_on(rows: Rows, seen: set[str]) -> bool:
    """Whether a page brought what those before it had not, and more of it has room; ``seen`` is added to.

    A server that repeats itself, or never comes to an end, is not read on.
    """
    before = len(seen)
    seen.update(str(row.get("upid")) for row in rows)
    return before < len(seen) < MOST_ROWS


def with_endtimes(source: Reader, tasks: t.Sequence[Task], deadline: float) -> list[Task]:
    """The tasks of one node, those that stopped with the end time of the node's list where it has one."""
    wanted = [task.upid for task in tasks if task.sight == "stopped" and task.endtime is None]
    return add_endtimes(tasks, ended_rows(source, wanted, deadline) if wanted else {})


def add_endtimes(tasks: t.Sequence[Task], rows: t.Mapping[str, Row]) -> list[Task]:
    """The tasks, those that stopped with the end time of their rows where they have one."""
    return [
        dataclasses.replace(task, endtime=endtime_of(rows[task.upid.native]))
        if task.sight == "stopped" and task.endtime is None and task.upid.native in rows
        else task
        for task in tasks
    ]


def past_durations(source: Reader, upid: Upid, deadline: float) -> list[int]:
    """Seconds that tasks like this one took which ended well on its node: of its type and guest, the latest first.

    One request, a few tasks. Raises ``ApiError``.
    """
    filters: dict[str, t.Any] = {"source": "archive", "type": upid.type, "outcomes": ("ok", "warning")}
    if re.fullmatch(r"[0-9]{1,9}", upid.id):
        filters["guest"] = int(upid.id)
    rows, _total = source.listed(upid.node, deadline, **filters, limit=PAST_ROWS)
    durations: list[int] = []
    for row in rows:
        try:
            other = parse(str(row.get("upid")))
        except InvalidUpid:
            continue
        endtime = endtime_of(row)
        if (other.type, other.id) == (upid.type, upid.id) and endtime is not None:
            durations.append(max(0, endtime - other.starttime))
    return durations[:PAST_TASKS]
