# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the logs of running tasks as they grow, one request each. Private to the collection."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.look import (
    HEAD_LINES,
    PAGE_LINES,
    WINDOW_LINES,
    as_documented,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import ON_THE_WAY, Reader
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.cursor import Cursor, advance
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import ApiError, Hopeless
from ansible_collections.proxkit.tasks.plugins.module_utils._model.log import Page, tail_start
from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import Progress, ProgressReader
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid


@dataclasses.dataclass(frozen=True)
class News:
    """What is new in a log: whole ``lines``, each once, and what there is of the next one.

    ``skipped`` is how many lines before those are told by nobody; ``anew``: the log began anew, and what was told of it
    before is no part of it any more; ``progress`` is what the whole of it tells, ``runs`` whether its task does, None
    where nobody says.
    """

    lines: tuple[str, ...]
    unfinished: str | None
    skipped: int
    anew: bool
    progress: Progress | None
    runs: bool | None = None


class GrowingLog:
    """The log of one task: it is read from where the last read ended. Belongs to one thread."""

    def __init__(self, upid: Upid) -> None:
        """Nothing is read yet."""
        self._upid = upid
        self._cursor = Cursor()
        self._reader = ProgressReader()

    def read_on(self, source: Reader, deadline: float, ended: bool = False) -> News:
        """What is new, by one request; by two where the first reading meets a long log, the end of which is new then.

        ``ended``: the task writes no more. Raises ``ApiError``.
        """
        if self._cursor == Cursor():
            return self._begin(source, deadline, ended)
        return self._take(source.log(self._upid, self._cursor.start, PAGE_LINES, deadline), ended)

    def _begin(self, source: Reader, deadline: float, ended: bool) -> News:
        head = source.log(self._upid, 0, HEAD_LINES, deadline)
        if head.total <= HEAD_LINES:
            return self._take(head, ended)
        start = max(HEAD_LINES, tail_start(head.total, WINDOW_LINES))
        tail = source.log(self._upid, start, PAGE_LINES, deadline)
        beginning = self._take(head._replace(total=tail.total)).lines
        news = self._take(tail, ended)
        if news.anew:
            return news
        if news.skipped:
            # The beginning says how much there is to do; nobody wants to see it now.
            return dataclasses.replace(news, skipped=len(beginning) + news.skipped)
        return dataclasses.replace(news, lines=beginning + news.lines)

    def _take(self, page: Page, ended: bool = False) -> News:
        with as_documented():
            step = advance(self._cursor, page.rows, page.total, ended)
        self._cursor = step.cursor
        if step.anew:
            self._reader = ProgressReader()
        if step.skipped:
            self._reader.leave_out()
        self._reader.feed(step.lines)
        unfinished = step.cursor.unfinished
        told = self._reader.last if unfinished is None else self._reader.peek(unfinished)
        return News(step.lines, unfinished, step.skipped, step.anew, told, page.runs)


class GrowingLogs:
    """The logs of any number of tasks. Belongs to one thread."""

    def __init__(self, clock: Clock) -> None:
        """Nothing is read yet."""
        self._clock = clock
        self._logs: dict[str, GrowingLog] = {}

    def read_each(
        self, source: Reader, upids: t.Iterable[Upid], deadline: float, ended: t.Container[str] = ()
    ) -> dict[str, News]:
        """What is new in the logs of these tasks by their UPIDs, of which those in ``ended`` write no more.

        A log that cannot be read now is left out, so are all others where the way is out of order or ``deadline`` has
        come: the next reading brings what this one did not. Raises ``Hopeless``.
        """
        news: dict[str, News] = {}
        for upid in upids:
            if self._clock.monotonic() >= deadline:
                break
            log = self._logs.setdefault(upid.native, GrowingLog(upid))
            try:
                news[upid.native] = log.read_on(source, deadline, upid.native in ended)
            except Hopeless:
                raise
            except ON_THE_WAY:
                break
            except ApiError:
                continue
        return news
