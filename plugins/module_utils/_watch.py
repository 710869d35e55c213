# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching the tasks of one node until they end. Private to the collection. All times are monotonic seconds."""

from __future__ import annotations

import dataclasses
import threading
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._errors import (
    ApiError,
    HostUnreachable,
    NodeUnreachable,
    NoSuchTask,
    TasksError,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._look import (
    LIST_FROM,
    LogWish,
    Source,
    endtime_of,
    look_at,
    with_endtimes,
    with_log,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._polling import Clock, pause
from ansible_collections.proxkit.tasks.plugins.module_utils._task import FailOn, Task
from ansible_collections.proxkit.tasks.plugins.module_utils._upid import Upid

# The list of running tasks may be stale by some 9.5 s: a RUNNING row counts for this long, then /status is asked ...
BELIEVE_SECONDS = 5.0
# ... for this many tasks a look, the ones not asked about for longest.
PROBES = 4
# A task's log appears a moment after its UPID: this long "no such task" may mean "not yet", for a UPID this young.
GRACE_SECONDS = 5.0
YOUNG_SECONDS = 60.0
# Clocks differ between machines, hence so generous; a UPID from a nearby future is young as well.
SKEW_SECONDS = 300.0
# A request may outlast the deadline by this much, ...
LOOK_GRACE = 0.8
# ... and fetching logs and end times by this much.
GATHER_GRACE = 1.3


@dataclasses.dataclass(frozen=True)
class Plan:
    """How to wait; times in seconds. ``one_look``: look once, whatever it shows; ``stop``: end what runs."""

    timeout: float = 300
    interval: float = 0.5
    longest: float = 5
    wait_for: str = "all"
    fail_on: FailOn = "error"
    fail_fast: bool = False
    one_look: bool = False
    follow_ha: bool = False
    stop: bool = False
    request_timeout: float = 15
    log: LogWish = dataclasses.field(default_factory=LogWish)


@dataclasses.dataclass
class _Entry:
    """A task under watch."""

    task: Task
    asked: float = float("-inf")  # when /status was last tried
    believed: float | None = None  # since when its RUNNING row has been believed
    missed: float | None = None  # since when its node has not known it
    settled: bool = False
    logged: bool = False


class Watch:
    """The tasks of one node under watch. ``run`` belongs to one thread; ``tasks`` may be read from any."""

    def __init__(
        self, node: str, upids: t.Sequence[Upid], source: Source, plan: Plan, clock: Clock, begun: float
    ) -> None:
        """``begun`` is when the wait began: it paces the looks, and the last one is made ``plan.timeout`` after it."""
        self.node = node
        self.source = source
        self.fault: str | None = None
        self.looked = threading.Event()
        self.finish = threading.Event()
        self.gathering = False
        self._plan = plan
        self._clock = clock
        self._begun = begun
        self._deadline = begun + plan.timeout
        self._entries = {upid.native: _Entry(Task(upid)) for upid in upids}

    @property
    def tasks(self) -> dict[str, Task]:
        """What is known now, by UPID."""
        return {native: entry.task for native, entry in self._entries.items()}

    @property
    def running(self) -> list[Upid]:
        """The tasks that were seen running and not yet seen to end."""
        return [entry.task.upid for entry in self._pending() if entry.task.sight == "running"]

    @property
    def settled(self) -> dict[str, Task]:
        """The tasks about which no more is to be found out."""
        return {native: entry.task for native, entry in self._entries.items() if entry.settled}

    def run(self, changed: t.Callable[[], None]) -> None:
        """Look until all is known, ``finish`` is set or the deadline is there, then fetch what is still wanted.

        ``changed`` is called after each look. Raises ``ApiError`` where going on makes no sense.
        """
        while True:
            at = self._clock.monotonic()
            until = self._deadline + LOOK_GRACE
            self._look(at, until)
            if self._plan.log.whose != "never":
                self._fetch_logs([entry for entry in self._entries.values() if entry.settled], until)
            self.looked.set()
            changed()
            now = self._clock.monotonic()
            # A look that began before the deadline is not the last one.
            last = self._plan.one_look or at >= self._deadline or now >= self._deadline + LOOK_GRACE / 2
            if last or not self._pending() or self.finish.is_set():
                break
            wait = pause(now - self._begun, self._plan.interval, self._plan.longest)
            if self._clock.wait(self.finish, min(wait, max(0.0, self._deadline - now))):
                break
        self.gathering = True
        self._gather(self._deadline + GATHER_GRACE)

    def _pending(self) -> list[_Entry]:
        return [entry for entry in self._entries.values() if not entry.settled]

    def _look(self, now: float, until: float) -> None:
        """One round over all tasks that may still run."""
        self.fault = None
        try:
            for entry in self._to_ask(now, until):
                self._ask(entry, until)
        except NodeUnreachable as exc:
            self._note(exc)
            self._ask_cluster(until)
        except HostUnreachable as exc:
            if not exc.passing:
                raise
            self._note(exc)

    def _to_ask(self, now: float, until: float) -> list[_Entry]:
        """The tasks that only /status can tell more about, the one not asked about for longest first."""
        pending = sorted(self._pending(), key=lambda entry: entry.asked)
        if len(pending) < LIST_FROM:
            return pending
        try:
            rows = self.source.active(self.node, until)
        except (NodeUnreachable, HostUnreachable):
            raise
        except ApiError as exc:
            self._note(exc)
            if exc.details.get("status") == 401 and not exc.passing:
                raise
            # The server may still answer for each task. Where the fault may be over at the next look, a few will do.
            return pending[:PROBES] if exc.passing and now < self._deadline else pending
        ask, doubtful = [], []
        for entry in pending:
            if rows.get(entry.task.upid.native, {}).get("status") != "RUNNING":
                # Ended, or out of sight: that it is missing here proves nothing.
                ask.append(entry)
                continue
            entry.task = Task(entry.task.upid, "running")
            entry.missed = None
            entry.believed = now if entry.believed is None else entry.believed
            if now - entry.believed > BELIEVE_SECONDS:
                doubtful.append(entry)
        return ask + doubtful[:PROBES]

    def _ask(self, entry: _Entry, until: float) -> None:
        """Ask the node about one task. Raises where that says something about the node or the host."""
        entry.asked = self._clock.monotonic()
        try:
            entry.task = look_at(self.source, entry.task.upid, until)
        except NoSuchTask as exc:
            if self._too_early(entry):
                entry.task = dataclasses.replace(entry.task, error=exc.message)
            else:
                self._settle(entry, Task(entry.task.upid, "missing", error=exc.message))
            return
        except (NodeUnreachable, HostUnreachable):
            raise
        except ApiError as exc:
            if exc.details.get("status") == 401 and not exc.passing:
                raise
            entry.task = dataclasses.replace(entry.task, error=exc.message)
            if not exc.passing:
                self._settle(entry, entry.task)
            return
        entry.missed = None
        entry.believed = entry.asked
        if entry.task.ended:
            self._settle(entry, entry.task)

    def _too_early(self, entry: _Entry) -> bool:
        """Whether a task that its node does not know may only just have begun."""
        now = self._clock.monotonic()
        if entry.missed is None:
            age = self._clock.time() - entry.task.upid.starttime
            if entry.task.sight == "running" or not -SKEW_SECONDS < age < YOUNG_SECONDS:
                return False
            entry.missed = now
        return now - entry.missed < GRACE_SECONDS

    def _settle(self, entry: _Entry, task: Task) -> None:
        entry.task = task
        entry.settled = True

    def _note(self, exc: TasksError) -> None:
        self.fault = exc.message

    def _ask_cluster(self, until: float) -> None:
        """A node that is down: the cluster file system may know of tasks that ended on it before."""
        try:
            rows = {str(row.get("upid")): row for row in self.source.cluster_tasks(until)}
        except ApiError:
            return
        for entry in self._pending():
            row = rows.get(entry.task.upid.native)
            if row is None:
                continue
            if endtime_of(row) and row.get("status"):
                task = Task(entry.task.upid, "stopped", row["status"], endtime=endtime_of(row))
                if task.outcome != "unknown":
                    self._settle(entry, task)
            elif entry.task.sight == "unseen":
                entry.task = Task(entry.task.upid, "running")

    def _fetch_logs(self, entries: t.Iterable[_Entry], until: float) -> None:
        for entry in entries:
            if entry.logged or not self._plan.log.wants(entry.task):
                continue
            if self._clock.monotonic() >= until:
                return
            try:
                entry.task = with_log(self.source, entry.task, self._plan.log.lines, until)
                entry.logged = True
            except (NodeUnreachable, HostUnreachable):
                return
            except ApiError as exc:
                # Another try comes with gathering, unless there is no use.
                entry.logged = not exc.passing

    def _gather(self, until: float) -> None:
        """Fetch the logs that are still wanted, and the end times in one request."""
        entries = list(self._entries.values())
        if self._plan.log.whose != "never":
            self._fetch_logs((entry for entry in entries if entry.task.sight != "unseen"), until)
        stopped = [entry for entry in entries if entry.task.sight == "stopped"]
        if not stopped or self._clock.monotonic() >= until:
            return
        try:
            tasks = with_endtimes(self.source, [entry.task for entry in stopped], until)
        except ApiError:
            return
        for entry, task in zip(stopped, tasks):
            entry.task = task
