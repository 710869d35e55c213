# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the logs of a node's running tasks, for who watches the wait. Private to the collection.

All times are monotonic seconds. It has a thread and a source of its own: neither a look nor the end of the wait ever
waits for it.
"""

from __future__ import annotations

import functools
import math
import threading

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.entry import NEVER, Entry
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.growing import GrowingLogs, News
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.lists import past_durations
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.observer import Observer, Shielded
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.polling import UNKNOWN, Forecast, Outlook, pause_for
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import Source
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.watch import Watch
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import ApiError, Hopeless
from ansible_collections.proxkit.tasks.plugins.module_utils._model.log import verdict
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import clean

# Tasks of a node whose logs are read: more than a handful nobody follows.
HANDFUL = 5
# Short tasks end before anybody wants to see anything of them.
FIRST_SECONDS = 4.0
# Between two readings of all logs, ...
INTERVAL = 10.0
# ... which may take this long: a node that hangs has nothing to show.
READ_SECONDS = 3.0
# Where questions are dear, what each log adds to both, for each second that a question costs.
DEAR_INTERVAL = 6.0
DEAR_READ_SECONDS = 4.0
# Who reads a log in place of a look does it this much earlier than the look would be due.
AHEAD = 0.9


class _Log:
    """What a task's log told at the last reading.

    ``lines`` are the new ones, each once; ``over``: the last one says that the task has ended.
    """

    def __init__(self, entry: Entry) -> None:
        """Nothing yet."""
        self.entry = entry
        self.outlook = UNKNOWN
        self.percent: float | None = None
        self.past_wanted = True  # whether nothing has told yet how long it may take
        self.lines: list[str] = []
        self.over = False
        self.grown = NEVER  # when it was last found to have grown
        self.runs = False  # whether the node said so beside the log
        self._forecast = Forecast()
        self._unfinished: str | None = None
        self._ahead: str | None = None  # a line that was told before it was known to be whole

    def take(self, told: News, at: float) -> bool:
        """A reading that was begun at this time; whether the log has grown."""
        grew = bool(told.lines) or told.unfinished != self._unfinished
        self.grown = at if grew else self.grown
        self._unfinished = told.unfinished
        self.percent = told.progress.percent if told.progress else None
        self.runs = told.runs is True
        last, product = told.unfinished, self.entry.upid.product
        self.over = told.runs is False or (last is not None and verdict([last], product) is not None)
        self.past_wanted = self.past_wanted and self.percent is None
        self.outlook = self._forecast.note(at, self.percent)
        if self.over:
            self.outlook = Outlook(anew=at)
        self._gather(told)
        return grew

    def lives(self, at: float, longest: float) -> bool:
        """Whether its task runs as far as this reading tells, and readings tell it as often as looks are made."""
        if self.runs:
            return True
        step = self.outlook.step
        if math.isinf(step):
            return self.grown == at
        # Between two steps of the figure nothing need be written; where one takes long, looks cost less.
        return at - self.grown < step <= longest

    def _gather(self, told: News) -> None:
        self.lines = list(told.lines)
        if self.lines and self.lines[0] == self._ahead:
            del self.lines[0]
        if told.lines or not self.over:
            self._ahead = None
        if self.over and self._ahead is None:
            # What says that a task is over is hardly followed by more.
            self._ahead = told.unfinished
            self.lines.append(str(self._ahead))


class Reading:
    """The logs of the tasks that are under ``watch``. ``run`` belongs to one thread."""

    def __init__(
        self, watch: Watch, source: Source, plan: Plan, clock: Clock, begun: float, observer: Shielded
    ) -> None:
        """Nothing is read yet; ``begun`` is when the wait began."""
        self.source = source
        self.finish = threading.Event()
        self._watch = watch
        self._plan = plan
        self._clock = clock
        self._begun = begun
        self._deadline = begun + plan.timeout
        self._observer = observer
        self._growing = GrowingLogs(clock)
        self._logs: dict[str, _Log] = {}  # of tasks that ran at the last reading, by UPID
        self._pause = INTERVAL  # from one reading to the next
        # Never more often than looks would be made.
        self._replaces_looks = AHEAD * plan.longest > plan.interval

    def run(self) -> None:
        """Read until ``finish`` is set or the deadline is there. Raises nothing: there are those who look."""
        seconds = FIRST_SECONDS
        while not self._clock.wait(self.finish, seconds):
            at = self._clock.monotonic()
            if at >= self._deadline:
                return
            self._pause = INTERVAL
            # Nothing is read for nobody, and no log can hold what breaks a wait.
            self._observer.tell(functools.partial(self._read, at))
            # Where answers take long, the next one is to come no later for that.
            rest = at + self._pause - self._clock.monotonic()
            seconds = max(rest, min(self._plan.interval, self._pause))

    def _read(self, at: float, _observer: Observer) -> None:
        """What is new at this time in the logs of a handful of tasks."""
        pending = self._watch.pending
        running = [entry for entry in pending if entry.task.sight == "running"][:HANDFUL]
        ended = self._ended()
        self._logs = {
            **ended,
            **{entry.upid.native: self._logs.get(entry.upid.native) or _Log(entry) for entry in running},
        }
        upids = [log.entry.upid for log in self._logs.values()]
        self._pause = max(INTERVAL, len(upids) * DEAR_INTERVAL * self._plan.cost)
        until = at + READ_SECONDS + len(upids) * DEAR_READ_SECONDS * self._plan.cost
        try:
            news = self._growing.read_each(self.source, upids, min(until, self._deadline), ended)
        except Hopeless:
            self.finish.set()
            return
        for native, told in news.items():
            log = self._logs.pop(native) if native in ended else self._logs[native]
            self._take(log, told, at, alone=len(pending) == 1)
        if at - self._begun >= INTERVAL:
            self._look_back()

    def _ended(self) -> dict[str, _Log]:
        """Those whose last lines are still to be shown, where lines are."""
        if self._plan.progress != "log":
            return {}
        return {native: log for native, log in self._logs.items() if log.entry.settled}

    def _take(self, log: _Log, told: News, at: float, alone: bool) -> None:
        """What was new of a task; ``alone``: no other one of its node is waited for."""
        grew = log.take(told, at)
        entry = log.entry
        entry.note_progress(told.progress)
        entry.outlook = log.outlook
        if log.over:
            # No list need be believed that says otherwise.
            entry.believed = entry.asked = NEVER
            self._leave_to_look(entry)
        elif alone and self._replaces_looks:
            wanted = log.runs or log.percent is not None or self._plan.progress == "log"
            if wanted and log.lives(at, self._plan.longest):
                self._stand_in(log, at)
            elif entry.vouched > NEVER:
                self._leave_to_look(entry)
        if grew:
            task, lines = entry.task, [clean(line) for line in log.lines]
            self._observer.tell(lambda observer: observer.on_lines(task, lines))

    def _look_back(self) -> None:
        """How long others took, for those whose logs have told no figure: asked for once each."""
        for log in self._logs.values():
            now = self._clock.monotonic()
            if log.past_wanted and not log.entry.settled and now < self._deadline:
                log.past_wanted = False
                try:
                    until = now + READ_SECONDS * (1 + self._plan.cost)
                    durations = past_durations(self.source, log.entry.upid, min(until, self._deadline))
                except ApiError:
                    # The next reading meets what ends it all.
                    return
                self._tell_past(log.entry.task, durations)

    def _tell_past(self, task: Task, durations: list[int]) -> None:
        if durations:
            self._observer.tell(lambda observer: observer.on_past(task, durations))

    def _stand_in(self, log: _Log, at: float) -> None:
        """Whose log grows runs: nobody need ask for its status as long as its log is read as often."""
        entry = log.entry
        # Where a question is dear its answer takes long.
        entry.vouched = (at if log.runs else log.grown) + self._plan.longest + 2 * self._plan.cost
        longest = AHEAD * self._plan.longest
        self._pause = min(self._pause, pause_for(entry.outlook, at, self._begun, self._plan.interval, longest))

    def _leave_to_look(self, entry: Entry) -> None:
        """A log that ended or no longer grows: only its status says more."""
        entry.vouched = NEVER
        self._watch.wake.set()
