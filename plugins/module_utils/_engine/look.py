# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at single tasks: status and log with as few requests as can be. Private to the collection.

Nothing here asks a second time: who wants patience puts it into the source, or looks again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import Reader, Rows
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Fault,
    NoSuchTask,
    OptionError,
    Refused,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.log import (
    VERDICT_LINES,
    lines_of,
    log_is_gone,
    tail_start,
    verdict,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import Progress, ProgressReader
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import in_sentence
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid

# Lines of a log that one request brings at the most: a bound on memory and on the time of one answer.
PAGE_LINES = 10_000
# Lines of a whole log that are returned at the most.
MOST_LINES = 1_000_000
# What progress is read from: the beginning says how much there is to do, the end how far it is.
HEAD_LINES = 200
WINDOW_LINES = 1000


@dataclasses.dataclass(frozen=True)
class Look:
    """A task as its node told it; ``faults`` are what kept log and list from a second opinion on an odd end.

    ``unread_log`` is what kept the log from one, also where the list had one.
    """

    task: Task
    faults: tuple[ApiError, ...] = ()
    unread_log: ApiError | None = dataclasses.field(default=None, compare=False)


def look_at(source: Reader, upid: Upid, deadline: float, listed: t.Callable[[], Task | None]) -> Look:
    """The task as its node tells it now, an odd exit status checked against its log, then against the list.

    ``listed`` tells the task as a list has it. What a second opinion meets never costs the first. Raises ``ApiError``
    where there is no first one, ``NoSuchTask`` where the node does not know the task.
    """
    answer = source.status(upid, deadline)
    if answer["status"] == "running":
        return Look(Task(upid, "running"))
    task = Task(upid, "stopped", answer["exitstatus"])
    if task.outcome != "unknown":
        return Look(task)
    # PVE says so where the last output had no newline as well, and keeps the bad value in a cache.
    exitstatus, unread_log = _opinion(lambda: _told_by_log(source, upid, deadline))
    unread_list = None
    if exitstatus is None:
        exitstatus, unread_list = _opinion(lambda: _told_by_list(listed()))
    if exitstatus is not None:
        return Look(dataclasses.replace(task, exitstatus=exitstatus), unread_log=unread_log)
    return Look(task, tuple(fault for fault in (unread_log, unread_list) if fault is not None), unread_log)


def _opinion(ask: t.Callable[[], str | None]) -> tuple[str | None, ApiError | None]:
    """An exit status, if there is one to be had, and what kept from asking for it."""
    try:
        return ask(), None
    except ApiError as exc:
        return None, exc


def _told_by_log(source: Reader, upid: Upid, deadline: float) -> str | None:
    """The exit status by the log's last lines."""
    told = source.log(upid, 0, VERDICT_LINES, deadline)
    if told.total > VERDICT_LINES:
        told = source.log(upid, tail_start(told.total, VERDICT_LINES), VERDICT_LINES, deadline)
    return verdict(_lines(told.rows), upid.product)


def _told_by_list(task: Task | None) -> str | None:
    """The exit status by a list's word."""
    if task is None or task.sight != "stopped" or task.outcome == "unknown":
        return None
    return task.exitstatus


def _lines(rows: Rows) -> list[str]:
    """The lines of a log's rows. Raises ``ApiError`` where a server sent something else than rows."""
    with as_documented():
        return lines_of(rows)


@contextlib.contextmanager
def as_documented() -> t.Iterator[None]:
    """What is wrong with the rows of a log is a fault of who sent them."""
    try:
        yield
    except OptionError as exc:
        raise Fault(f"the log is not of the form its documentation gives: {in_sentence(exc.message)}") from exc


def with_log(source: Reader, task: Task, lines: int, deadline: float) -> Task:
    """The task with the last ``lines`` lines of its log (0: all) and the progress that it tells.

    One request where the log is short, else two and then pages. Raises ``ApiError``.
    """
    upid = task.upid
    try:
        head, total, _runs = source.log(
            upid, 0, min(max(lines, HEAD_LINES) if lines else PAGE_LINES, PAGE_LINES), deadline
        )
    except NoSuchTask:
        return dataclasses.replace(task, lost_log=True)
    # _lines comes first: it tells rows of odd form as a fault of the server.
    if _lines(head) and log_is_gone(head):
        return dataclasses.replace(task, lost_log=True)
    if not lines and total > MOST_LINES:
        raise Refused(f"the log has {total} lines, of which no more than {MOST_LINES} are returned: set log_lines")
    start = tail_start(total, max(lines, WINDOW_LINES) if lines else 0)
    tail = list(_pages(source, upid, max(start, len(head)), total, deadline))
    text = _lines([*head, *tail])
    # Where the two do not meet, the beginning is no part of the end.
    last = text if start <= len(head) else _lines(tail)
    # PVE fills an empty log with one row that says so.
    log_total = total if text else 0
    return dataclasses.replace(task, log=tuple(last[-lines:]), log_total=log_total, progress=_progress(text, total))


def _pages(source: Reader, upid: Upid, position: int, total: int, deadline: float) -> t.Iterator[dict[str, t.Any]]:
    """The rows of a log from ``position`` on; one that grows is read as far as it went at first."""
    while position < total:
        wanted = min(PAGE_LINES, total - position)
        rows = source.log(upid, position, wanted, deadline).rows
        yield from rows
        # A log that was cut meanwhile ends here.
        if len(rows) < wanted:
            return
        position += len(rows)


def _progress(text: t.Sequence[str], total: int) -> Progress | None:
    """What head and tail of a log of ``total`` lines tell, the same whatever more of it was read."""
    reader = ProgressReader()
    reader.feed(text[:HEAD_LINES])
    if total > HEAD_LINES + WINDOW_LINES:
        reader.leave_out()
    reader.feed(text[HEAD_LINES:][-WINDOW_LINES:])
    return reader.last
