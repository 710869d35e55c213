# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching the tasks of one node until they end. Private to the collection. All times are monotonic seconds."""

from __future__ import annotations

import threading
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.crew import Alarm
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.ending import GATHER_GRACE, LOOK_GRACE
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.entry import Entry
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.lists import with_endtimes
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.look import with_log
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.observer import Reporter, Shielded
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.polling import pause_for
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.round import Round
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import ON_THE_WAY, Source
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import ApiError, Hopeless
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid

# What answers is no Proxmox: whether that passes is to be known soon, whatever the pauses are.
SHORT_PAUSE = 1.5


class Watch:
    """The tasks of one node under watch. ``run`` belongs to one thread; ``tasks`` may be read from any."""

    def __init__(
        self,
        node: str,
        upids: t.Sequence[Upid],
        source: Source,
        plan: Plan,
        clock: Clock,
        begun: float,
        observer: Shielded | None = None,
    ) -> None:
        """``begun`` is when the wait began: it paces the looks, and the last one is made ``plan.timeout`` after it.

        ``observer`` is told what is seen.
        """
        self.node = node
        self.source = source
        self.looked = threading.Event()
        self.wake = threading.Event()  # to be set where a look makes sense now
        self.finish: threading.Event = Alarm(self.wake)
        self.gathering = False
        self.log_fault: str | None = None  # what kept the last log from being read
        self._plan = plan
        self._clock = clock
        self._begun = begun
        self._deadline = begun + plan.timeout
        self._round = Round(node, source, clock, plan.cost)
        self._entries = {upid.native: Entry(Task(upid)) for upid in upids}
        self._reporter = None if observer is None else Reporter(observer, node)

    @property
    def fault(self) -> str | None:
        """What kept the last look from seeing all of them."""
        return self._round.fault

    @property
    def tasks(self) -> dict[str, Task]:
        """What is known now, by UPID."""
        return {native: entry.task for native, entry in self._entries.items()}

    @property
    def running(self) -> list[Upid]:
        """The tasks that were seen running and not yet seen to end."""
        return [entry.upid for entry in self.pending if entry.task.sight == "running"]

    @property
    def settled(self) -> dict[str, Task]:
        """The tasks about which no more is to be found out."""
        return {native: entry.task for native, entry in self._entries.items() if entry.settled}

    @property
    def unread(self) -> list[Upid]:
        """The tasks that ended and whose log is wanted, but was not read."""
        ended = [entry.task for entry in self._entries.values() if entry.task.ended]
        return [task.upid for task in ended if task.log is None and self._plan.log.wants(task)]

    @property
    def pending(self) -> list[Entry]:
        """The tasks about which more is to be found out."""
        return [entry for entry in self._entries.values() if not entry.settled]

    def run(self, changed: t.Callable[[], None]) -> None:
        """Look until all is known, ``finish`` is set or the deadline is there, then fetch what is still wanted.

        ``changed`` is called after each look. Raises ``ApiError`` where going on makes no sense.
        """
        while True:
            at = self._clock.monotonic()
            answer_deadline = self._deadline + LOOK_GRACE + self._plan.slack
            self._make_round(answer_deadline, self._plan.one_look or at >= self._deadline)
            changed()
            self.gathering = True
            self._fetch_logs([entry for entry in self._entries.values() if entry.settled], answer_deadline)
            self.gathering = False
            now = self._clock.monotonic()
            # A look that began before the deadline is not the last one.
            last = self._plan.one_look or at >= self._deadline or now >= self._deadline + LOOK_GRACE / 2
            if last or not self.pending or self.finish.is_set():
                break
            self._await_look(now)
            if self.finish.is_set():
                break
        self.gathering = True
        self._gather(self._deadline + GATHER_GRACE + self._plan.slack)
        if self._reporter is not None:
            self._reporter.report_news(self._entries.values())

    def learn(self, task: Task) -> None:
        """What another thread has seen: that a task is gone. An odd end is left to the next look."""
        entry = self._entries[task.upid.native]
        if task.outcome == "unknown":
            entry.see(task)
        else:
            entry.settle(task)

    def _make_round(self, deadline: float, last: bool) -> None:
        try:
            self._round.make(self._entries.values(), deadline, last)
            self.looked.set()
        finally:
            if self._reporter is not None:
                self._reporter.report_look(list(self._entries.values()), self._round.fault)

    def _await_look(self, now: float) -> None:
        """Wait until the next look is due, somebody wakes, or the deadline is there."""
        due = now + self._seconds(now)
        while not self._clock.wait(self.wake, max(0.0, min(due, self._deadline) - now)):
            now = self._clock.monotonic()
            # Of one task, its log says as much as its status, and is read in time.
            due = min((entry.vouched for entry in self.pending), default=now)
            if due <= now or now >= self._deadline or self.fault:
                break
        self.wake.clear()

    def _seconds(self, now: float) -> float:
        """Seconds until the next look is due."""
        outlooks = {entry.outlook for entry in self.pending}
        pauses = (pause_for(one, now, self._begun, self._plan.interval, self._plan.longest) for one in outlooks)
        seconds = min(pauses, default=0.0)
        return min(seconds, SHORT_PAUSE) if self._round.not_proxmox else seconds

    def _fetch_logs(self, entries: t.Iterable[Entry], deadline: float) -> None:
        """Fetch the logs that are still wanted of ``entries``; what keeps from that costs nothing else."""
        for entry in entries:
            if entry.logged or not self._plan.log.wants(entry.task):
                continue
            if self._clock.monotonic() >= deadline:
                return
            try:
                task = with_log(self.source, entry.task, self._plan.log.lines, deadline)
            except ApiError as exc:
                self.log_fault = exc.message
                if isinstance(exc, (Hopeless, *ON_THE_WAY)):
                    return
                # Another try comes with gathering, unless there is no use.
                entry.logged = not exc.passing
                continue
            entry.amend(log=task.log, log_total=task.log_total, progress=task.progress, lost_log=task.lost_log)
            entry.logged = True

    def _gather(self, deadline: float) -> None:
        """Fetch the logs that are still wanted, and the end times that no list has told yet in one request."""
        entries = list(self._entries.values())
        for entry in entries:
            if entry.task.ended:
                # Nobody asks for a second opinion any more.
                entry.settle(entry.task)
        self._fetch_logs([entry for entry in entries if entry.task.sight != "unseen"], deadline)
        stopped = [entry for entry in entries if entry.task.sight == "stopped"]
        if not stopped or self._clock.monotonic() >= deadline:
            return
        try:
            tasks = with_endtimes(self.source, [entry.task for entry in stopped], deadline)
        except ApiError:
            return
        for entry, task in zip(stopped, tasks):
            entry.amend(endtime=task.endtime)
