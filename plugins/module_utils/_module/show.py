# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Showing what a wait sees while it lasts. Private to the collection. All times are monotonic seconds."""

from __future__ import annotations

import dataclasses
import threading
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import Progress
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._module.lines import Running, Wording
from ansible_collections.proxkit.tasks.plugins.module_utils._module.trend import Trend, left_by_past

# Most waits end at once: nothing is worth a line before.
QUIET_SECONDS = 5.0
# About every 10 s: who is told something that often only by chance should not be late by as much again.
BLOCK_SECONDS = 9.0
# Logs are read one after the other, and it is best to show what all of them told.
READING_SECONDS = 2.0
# A fault that is over sooner is none that anybody wants to hear of.
LASTING_SECONDS = 5.0
# Tasks that get a line each; where there are more, they are counted, and so many are named.
HANDFUL = 5
NAMED = 3


@dataclasses.dataclass
class _Watched:
    """A task, since when it has been waited for, and what its log tells. ``quiet``: no line of it was shown of late."""

    task: Task
    since: float
    progress: Progress | None = None
    trend: Trend = dataclasses.field(default_factory=Trend)
    past: t.Sequence[int] = ()
    over: bool = False
    quiet: bool = True

    @property
    def percent(self) -> float | None:
        """How far it is, where its log tells that."""
        return None if self.progress is None else self.progress.percent

    def slowness(self, now: float) -> tuple[int, float]:
        """What sorts those first that will take longest: by the estimate, else by the share, else as they came."""
        left = self.trend.left(now)
        if left is not None:
            return 0, -left
        return (2, 0.0) if self.percent is None else (1, self.percent)


@dataclasses.dataclass
class _Fault:
    since: float
    text: str
    told: bool = False


class Show:
    """An observer that calls ``emit`` with lines for a person, some time after what they tell was seen.

    It has no thread: what is due is shown when it is next told something. All calls are thread-safe.
    """

    def __init__(
        self,
        emit: t.Callable[[str], None],
        clock: Clock,
        *,
        mode: str = "summary",
        lead: str = "",
        mask: t.Callable[[str], str] = str,
    ) -> None:
        """``mode`` is ``summary``, ``log`` (the lines of logs too) or ``none``, ``lead`` stands before each line.

        ``mask`` takes secrets out of a text, before it may be cut.
        """
        self._emit = emit
        self._clock = clock
        self._mode = mode
        self._words = Wording(lead, mask)
        self._lock = threading.Lock()
        self._begun = clock.monotonic()
        self._loud_at = self._begun + QUIET_SECONDS
        self._block_at = self._loud_at
        self._tasks: dict[str, _Watched] = {}
        self._faults: dict[str, _Fault] = {}
        self._waiting: list[str] = []  # lines of logs
        self._news: list[str] = []  # lines about ends and faults
        self._told = 0  # how many of those since the last block

    # What it is told

    def on_state(self, task: Task) -> None:
        """A task was seen in another state."""
        self._hear(lambda now: self._know(task, now))

    def on_end(self, task: Task) -> None:
        """No more is to be found out about a task."""
        self._hear(lambda now: self._end(task, now))

    def on_fault(self, node: str, fault: str) -> None:
        """Something keeps from seeing all of a node's tasks."""
        self._hear(lambda now: self._fail(node, fault, now))

    def on_recovery(self, node: str) -> None:
        """That is over."""
        self._hear(lambda now: self._recover(node, now))

    def on_look(self, node: str, tasks: t.Sequence[Task]) -> None:  # noqa: ARG002  # a task knows its node
        """A look at a node is over."""
        self._hear(lambda now: [self._know(task, now) for task in tasks])

    def on_lines(self, task: Task, lines: t.Sequence[str]) -> None:
        """What is new in a task's log, and how far the task is."""
        self._hear(lambda now: self._read(task, lines, now), READING_SECONDS)

    def on_past(self, task: Task, durations: t.Sequence[int]) -> None:
        """How many seconds the last tasks like this one took."""
        self._hear(lambda now: self._remember(task, durations, now))

    def _hear(self, take: t.Callable[[float], object], more_seconds: float = 0.0) -> None:
        """Take something in; of other tasks more may come for so many seconds."""
        if self._mode == "none":
            return
        with self._lock:
            now = self._clock.monotonic()
            take(now)
            if now >= self._loud_at:
                self._show(now, now >= self._block_at + (more_seconds if len(self._tasks) > 1 else 0.0))

    def _know(self, task: Task, now: float) -> _Watched:
        watched = self._tasks.get(task.upid.native)
        if watched is None:
            # What is there in the beginning was waited for all the time, whenever its node first answered.
            since = now if now >= self._loud_at else self._begun
            watched = self._tasks[task.upid.native] = _Watched(task, since)
        # Who reads logs may be late with what was known before the end.
        if not watched.over:
            watched.task = task
        if watched.progress is None:
            watched.progress = task.progress
        return watched

    def _end(self, task: Task, now: float) -> None:
        watched = self._know(task, now)
        if not watched.over and not _ended_well(task):
            self._news.append(self._words.end(task))
        watched.over = True

    def _fail(self, node: str, text: str, now: float) -> None:
        self._faults.setdefault(node, _Fault(now, text)).text = text

    def _recover(self, node: str, now: float) -> None:
        fault = self._faults.pop(node, None)
        if fault and fault.told:
            self._news.append(self._words.recovery(node, now - fault.since))

    def _read(self, task: Task, lines: t.Sequence[str], now: float) -> None:
        watched = self._know(task, now)
        watched.progress = task.progress
        if task.progress is not None:
            watched.trend.note(now, task.progress)
        if self._mode == "log" and lines:
            self._waiting += [self._words.log(task.upid, line) for line in lines]
            watched.quiet = False

    def _remember(self, task: Task, durations: t.Sequence[int], now: float) -> None:
        self._know(task, now).past = durations

    # What is shown

    def _show(self, now: float, block: bool) -> None:
        self._find_lasting_faults(now)
        lines, self._waiting = self._waiting, []
        lines += self._take_news(block)
        if block:
            self._block_at = now + BLOCK_SECONDS
            lines += self._block(now)
        for line in lines:
            self._emit(line)

    def _find_lasting_faults(self, now: float) -> None:
        for node, fault in self._faults.items():
            if not fault.told and now - fault.since >= LASTING_SECONDS:
                fault.told = True
                self._news.append(self._words.fault(node, fault.text, now - fault.since))

    def _take_news(self, block: bool) -> list[str]:
        """A handful between two blocks; how many more there were comes with the next block."""
        news = self._news[: max(0, HANDFUL - self._told)]
        self._news = self._news[len(news) :]
        self._told += len(news)
        if block:
            if self._news:
                news.append(self._words.left_out(len(self._news)))
            self._news, self._told = [], 0
        return news

    def _block(self, now: float) -> list[str]:
        many = len(self._tasks) > HANDFUL
        running = [watched for watched in self._tasks.values() if watched.task.sight == "running"]
        quiet = [watched for watched in running if watched.quiet]
        for watched in running:
            watched.quiet = True
        if not many:
            # Each line in its place: nothing jumps from one block to the next.
            return [self._words.running(self._state(watched, now)) for watched in quiet]
        slowest = sorted(quiet, key=lambda watched: watched.slowness(now))[:NAMED]
        return [self._counts(), *(self._words.running(self._state(watched, now)) for watched in slowest)]

    def _state(self, watched: _Watched, now: float) -> Running:
        waited, left = now - watched.since, watched.trend.left(now)
        if watched.percent is None:
            # Both clocks may be wrong, but no task is younger than the wait for it.
            left = left_by_past(watched.past, max(waited, self._clock.time() - watched.task.upid.starttime))
        return Running(watched.task.upid, watched.progress, waited, watched.trend.rate(now), left)

    def _counts(self) -> str:
        tasks = [watched.task for watched in self._tasks.values()]
        well = sum(map(_ended_well, tasks))
        running = sum(task.sight == "running" for task in tasks)
        unseen = sum(task.sight == "unseen" for task in tasks)
        return self._words.counts(well, len(tasks) - well - running - unseen, running, unseen)


def _ended_well(task: Task) -> bool:
    """Warnings are no failure, and Ansible has a way of its own to show them."""
    return task.outcome in ("ok", "warning")
