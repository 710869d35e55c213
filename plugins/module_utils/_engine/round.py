# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at the pending tasks of a node: lists first, /status for what they do not tell. Private to the collection.

A list costs one request for any number of tasks, and no API worker of the kind that logins and requests to stop need.
All times are monotonic seconds.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.entry import Entry
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.lists import LIST_FROM, without_log
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.look import look_at
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import ON_THE_WAY, Source
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.telling import Lists, Told
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Hopeless,
    NodeUnreachable,
    NoSuchTask,
    NotProxmox,
    Unreachable,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid

# A list of running tasks may be stale by some 9.5 s: a RUNNING row counts for this long, then /status is asked.
BELIEVE_SECONDS = 5.0
# ... this many times longer for each second that the question costs.
BELIEVE_GROWTH = 5.0
# Whether a list lags for long, or has only not yet heard of an end, shows this much later.
LAG_SECONDS = 0.2
# What no list shows is asked for singly, but not again so soon after it was seen running.
REST_SECONDS = 5.0
# What only an ended list tells is asked for less and less often: its rest is this many times as long as it has run, ...
REST_GROWTH = 2.0
# ... but no longer than this: that list shows its end, though not surely.
REST_MOST_SECONDS = 30.0
# This many are asked for singly where the list has a fault that may be over at the next look.
FEW = 4
# A list that hung while /status answered is done without for so long.
SHUN_SECONDS = 30.0
# An odd end stays in doubt for so long, where neither log nor list can be asked what they know of it.
DOUBT_SECONDS = 15.0
# A task's log appears a moment after its UPID: this long "no such task" may mean "not yet", for a UPID this young.
GRACE_SECONDS = 5.0
YOUNG_SECONDS = 60.0
# Clocks differ between machines, hence so generous; a UPID from a nearby future is young as well.
SKEW_SECONDS = 300.0


class Round:
    """Looks at the tasks of one node, as often as it is told to. Belongs to one thread."""

    def __init__(self, node: str, source: Source, clock: Clock, cost: float = 0) -> None:
        """Nothing is asked yet; for ``cost`` see ``Plan``."""
        self.fault: str | None = None
        self.not_proxmox = False
        self._node = node
        self._source = source
        self._clock = clock
        self._believed = BELIEVE_SECONDS * (1 + BELIEVE_GROWTH * cost)
        self._lists = Lists(node, source, clock)
        self._hung = False  # a list hung, and so did all that was asked since
        self._shunned = 0.0  # until when lists are done without
        self._deadline = self._now = 0.0
        self._last = False
        self._lost: dict[str, NoSuchTask] = {}  # whom the node does not know, by UPID
        self._entries: dict[str, Entry] = {}

    def make(self, entries: t.Iterable[Entry], deadline: float, last: bool) -> None:
        """One look at ``entries``; at ``deadline`` answers are of no more use, ``last``: no other look follows.

        Then ``fault`` is what kept from seeing all of them, ``not_proxmox`` that it was somebody else who answered.
        Raises ``ApiError`` where going on makes no sense.
        """
        self.fault, self.not_proxmox = None, False
        self._deadline, self._last, self._now = deadline, last, self._clock.monotonic()
        self._lists.begin(deadline)
        self._lost = {}
        self._entries = {entry.upid.native: entry for entry in entries}
        pending = sorted(
            (entry for entry in self._entries.values() if not entry.settled), key=lambda entry: entry.asked
        )
        try:
            if len(pending) < LIST_FROM:
                self._check_each(pending)
            else:
                self._go_by_lists(pending)
            self._settle_lost()
        except ApiError as exc:
            self._note(exc)
            self._settle_lost(ask=False)
            if isinstance(exc, Hopeless):
                raise
            if isinstance(exc, NodeUnreachable):
                self._go_by_cluster(pending)

    # Lists

    def _go_by_lists(self, pending: list[Entry]) -> None:
        """Believe what lists say, the one that tells most first; ask /status where that does not do."""
        if self._hung:
            # It may hang again, and the node as a whole: that is to cost one request.
            self._check(pending[0])
            self._hung = False
        untold = [entry for entry in pending if not entry.settled]
        if self._now < self._shunned:
            self._check_each(untold if self._last else untold[:FEW])
            return
        running: list[Entry] = []
        singly: list[Entry] = []
        for tell in (self._lists.running, self._tell_ended, self._lists.cluster):
            if not untold or (self._lists.hides and tell == self._lists.cluster):
                break
            try:
                told = tell([entry.upid for entry in untold])
            except Hopeless:
                raise
            except ApiError as exc:
                self._note(exc)
                if isinstance(exc, ON_THE_WAY):
                    self._ask_past(exc, untold)
                    untold = [entry for entry in untold if not entry.settled]
                # The server may still answer for each task; for a few of them until the fault is over.
                if exc.passing and not self._last:
                    untold = untold[:FEW]
                if exc.passing and (self._shunned > self._now or not self._last):
                    break
                continue
            shown = [entry for entry in untold if self._apply(entry, told.get(entry.upid.native), singly)]
            self._lists.hides = self._lists.hides or (tell == self._lists.cluster and bool(shown))
            running += shown
            untold = [entry for entry in untold if told.get(entry.upid.native) is None]
        rested = [entry for entry in untold if self._last or self._now - entry.ran > self._rest(entry)]
        self._check_each([*singly, *(entry for entry in rested if entry.asked < self._now)])
        self._probe(running)

    def _ask_past(self, fault: ApiError, untold: t.Sequence[Entry]) -> None:
        """What kept a list from coming may keep /status from it as well: one task's tells. Raises where it does."""
        hung = isinstance(fault, Unreachable) and fault.timed_out
        self._hung = self._hung or hung
        if self._clock.monotonic() >= self._deadline:
            raise fault
        self._check(untold[0])
        # Who answers now is Proxmox, and the node is there.
        self._hung = self.not_proxmox = False
        if hung:
            self._shunned = self._clock.monotonic() + SHUN_SECONDS

    def _rest(self, entry: Entry) -> float:
        """Seconds before a task that is in no list of running ones is asked for again."""
        if not self._lists.hides or entry.began is None:
            return REST_SECONDS
        return min(max(REST_SECONDS, REST_GROWTH * (entry.ran - entry.began)), REST_MOST_SECONDS)

    def _apply(self, entry: Entry, task: Task | None, singly: list[Entry]) -> bool:
        """Believe a list's word of a task; whether that is that it runs. An odd end is to be asked for singly."""
        if task is None:
            return False
        if task.sight == "running":
            entry.see(task)
            entry.missed = None
            entry.believed = self._now if entry.believed is None else entry.believed
            return True
        if task.outcome == "unknown":
            self._lists.listed[entry.upid.native] = task
            entry.see(task)
            singly.append(entry)
        else:
            entry.settle(task)
        return False

    def _tell_ended(self, upids: t.Sequence[Upid]) -> Told:
        """What has ended: however long ago, where it was not seen before."""
        return self._lists.ended(
            upids, {one.native for one in upids if self._entries[one.native].task.sight == "unseen"}
        )

    def _go_by_cluster(self, pending: t.Iterable[Entry]) -> None:
        """A node that is down: the cluster file system may know of tasks that ended on it before."""
        entries = [entry for entry in pending if not entry.settled]
        try:
            told = self._lists.cluster([entry.upid for entry in entries])
        except Hopeless:
            raise
        except ApiError:
            return
        for entry in entries:
            task = told[entry.upid.native]
            if task is not None and task.outcome == "running" and entry.task.sight == "unseen":
                entry.see(task)
            elif task is not None and task.outcome in ("ok", "warning", "error"):
                entry.settle(task)

    # Single tasks

    def _check_each(self, entries: t.Sequence[Entry]) -> None:
        for number, entry in enumerate(entries):
            if number and self._clock.monotonic() >= self._deadline:
                return
            self._check(entry)

    def _probe(self, running: t.Sequence[Entry]) -> None:
        """Ask for one of those that a list has long said to run; where the list turns out to lag, for all of them.

        In the last look for a few: nobody will see later what the list does not show yet.
        """
        doubtful = [entry for entry in running if self._now - (entry.believed or self._now) > self._believed]
        if self._last:
            doubtful = [entry for entry in running if self._now - entry.ran > REST_SECONDS]
        probes = sorted(doubtful, key=lambda entry: entry.asked)[: FEW if self._last else 1]
        self._check_each(probes)
        ended = [entry.upid for entry in probes if entry.settled]
        rest = [entry for entry in running if entry not in probes]
        if ended and rest and (self._last or self._lags(ended[0])):
            self._check_each(rest)

    def _lags(self, upid: Upid) -> bool:
        """Whether the list still says that a task runs that ended at least a moment ago."""
        self._clock.sleep(LAG_SECONDS)
        task = self._lists.running([upid])[upid.native]
        return task is not None and task.sight == "running"

    def _check(self, entry: Entry) -> None:
        """Ask the node about one task. Raises where that says something about the node or the host."""
        entry.asked = self._clock.monotonic()
        try:
            look = look_at(self._source, entry.upid, self._deadline, lambda: self._lists.one(entry.upid))
        except NoSuchTask as exc:
            if self._too_early(entry):
                entry.see(dataclasses.replace(entry.task, error=exc.message))
            else:
                self._lost[entry.upid.native] = exc
            return
        except (Hopeless, *ON_THE_WAY):
            raise
        except ApiError as exc:
            told = dataclasses.replace(entry.task, error=exc.message)
            (entry.see if exc.passing else entry.settle)(told)
            return
        entry.missed = None
        task, listed = look.task, self._lists.listed.get(entry.upid.native)
        if task.sight == "stopped" and listed is not None:
            task = dataclasses.replace(task, endtime=listed.endtime)
        if task.sight == "running":
            entry.ran = entry.believed = entry.asked
            entry.began = entry.ran if entry.began is None else entry.began
            entry.see(task)
        elif any(fault.passing for fault in look.faults) and not self._long_doubted(entry):
            # Log or list may know better, at the next look.
            entry.see(task)
        else:
            error = f"its log could not be asked: {look.faults[0].message}" if look.faults else None
            entry.settle(dataclasses.replace(task, error=error))
        for fault in look.faults:
            if isinstance(fault, Hopeless):
                raise fault

    def _long_doubted(self, entry: Entry) -> bool:
        """Whether an odd end has been doubted for as long as makes sense."""
        now = self._clock.monotonic()
        entry.doubted = now if entry.doubted is None else entry.doubted
        return now - entry.doubted >= DOUBT_SECONDS

    def _too_early(self, entry: Entry) -> bool:
        """Whether a task that its node does not know may only just have begun."""
        now = self._clock.monotonic()
        if entry.missed is None:
            age = self._clock.time() - entry.upid.starttime
            if entry.task.sight == "running" or not -SKEW_SECONDS < age < YOUNG_SECONDS:
                return False
            entry.missed = now
        return now - entry.missed < GRACE_SECONDS

    def _settle_lost(self, ask: bool = True) -> None:
        """Those that their node does not know: /status goes by the log file, a list may still know how they ended."""
        unlisted = [self._entries[native].upid for native in self._lost if native not in self._lists.listed]
        # Where the list could not be asked, it is asked again at the next look.
        again = not ask
        if ask and unlisted:
            try:
                self._lists.ended(unlisted)
            except Hopeless:
                raise
            except ApiError as exc:
                again = exc.passing
        for native, lost in self._lost.items():
            entry, told = self._entries[native], self._lists.listed.get(native)
            ran = ", though it was seen running: the node may have restarted" if entry.task.sight == "running" else ""
            task = without_log(entry.upid, told, f"{lost.message}{ran}")
            (entry.see if again and native not in self._lists.listed else entry.settle)(task)

    def _note(self, exc: ApiError) -> None:
        self.fault = exc.message
        self.not_proxmox = isinstance(exc, NotProxmox)
