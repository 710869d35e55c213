# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster of plain values and clocks that nobody waits for: the engine's cases without network and sleep."""

from __future__ import annotations

import dataclasses
import threading
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import Rows
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import NoSuchTask
from ansible_collections.proxkit.tasks.plugins.module_utils._model.log import Page
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid, parse

EPOCH = 1_800_000_000


class FakeClock:
    """Time passes only by waiting."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return EPOCH + self.now - 1000.0

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.now += max(0.0, seconds)
        return event.is_set()

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def start(self, run: t.Callable[[], None]) -> None:
        raise NotImplementedError("threads need a SharedClock")


@dataclasses.dataclass(eq=False)
class _Sleeper:
    """A thread that waits: until ``due``, or until ``event`` is set, then for its ``turn``."""

    due: float
    event: threading.Event | None = None
    turn: threading.Event = dataclasses.field(default_factory=threading.Event)

    def awake_at(self, now: float) -> float:
        return now if self.event is not None and self.event.is_set() else self.due


class SharedClock(FakeClock):
    """Time for several threads, the same in every run: one thread is awake at a time, and time moves when none is.

    Whoever waits hands over to the next one, who is the first of those whose event is set or whose time has come. On
    leaving the context all threads have ended: whatever they wait for comes to pass.
    """

    REAL_SECONDS = 30.0  # what no test takes
    LONG = 1e6  # nobody waits longer than this

    def __init__(self) -> None:
        super().__init__()
        self._sleepers: list[_Sleeper] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> SharedClock:
        return self

    def __exit__(self, *_exc: object) -> None:
        while self._sleepers:
            self.sleep(2 * self.LONG)
        for thread in self._threads:
            thread.join(self.REAL_SECONDS)
            assert not thread.is_alive()

    def start(self, run: t.Callable[[], None]) -> None:
        sleeper = self._put(_Sleeper(self.now))

        def take_turns() -> None:
            self._await_turn(sleeper)
            try:
                run()
            finally:
                self._hand_over()

        self._threads.append(threading.Thread(target=take_turns, daemon=True))
        self._threads[-1].start()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self._pause(_Sleeper(self.now + min(max(0.0, seconds), self.LONG), event))
        return event.is_set()

    def sleep(self, seconds: float) -> None:
        self._pause(_Sleeper(self.now + seconds))

    def _pause(self, sleeper: _Sleeper) -> None:
        self._put(sleeper)
        self._hand_over()
        self._await_turn(sleeper)

    def _put(self, sleeper: _Sleeper) -> _Sleeper:
        self._sleepers.append(sleeper)
        return sleeper

    def _await_turn(self, sleeper: _Sleeper) -> None:
        assert sleeper.turn.wait(self.REAL_SECONDS), "nobody hands over"

    def _hand_over(self) -> None:
        awake = min(self._sleepers, key=lambda sleeper: sleeper.awake_at(self.now))
        self._sleepers.remove(awake)
        self.now = max(self.now, awake.awake_at(self.now))
        awake.turn.set()


def upid(number: int = 1, *, node: str = "pve1", type: str = "qmstart", id: str = "100", age: int = 0) -> Upid:
    """A UPID of a task that began ``age`` seconds before the fake clock's beginning."""
    return parse(f"UPID:{node}:{number:08X}:00A21BA7:{EPOCH - age:08X}:{type}:{id}:root@pam:")


@dataclasses.dataclass
class FakeSource:
    """Answers from tables; an answer that is an exception is raised. Counts what it is asked."""

    clock: FakeClock
    ends: dict[str, float] = dataclasses.field(default_factory=dict)  # when a task ends, by UPID
    exits: dict[str, str] = dataclasses.field(default_factory=dict)  # exit statuses other than OK
    logs: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    cluster: Rows = dataclasses.field(default_factory=list)
    invisible: frozenset[str] = frozenset()  # tasks that no list shows
    hidden: frozenset[str] = frozenset()  # tasks that the node's list of running ones does not show
    recent: int = 25  # rows of the list of running tasks, up to which it has ended ones too
    list_lag: float = 0.0  # seconds that the list goes on saying RUNNING after the end
    cluster_lists: bool = False  # the cluster's list has the tasks as well
    lists_running: bool = True  # there is a list of running tasks
    tells_runs: bool = False  # a log says beside its lines whether its task runs
    script: dict[str, list[t.Any]] = dataclasses.field(default_factory=dict)  # next answers of a call
    calls: dict[str, int] = dataclasses.field(default_factory=dict)
    closed: bool = False

    def _scripted(self, name: str) -> t.Any:
        self.calls[name] = self.calls.get(name, 0) + 1
        answers = self.script.get(name)
        answer = answers.pop(0) if answers else None
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _runs(self, native: str, lag: float = 0.0) -> bool:
        return self.clock.now < self.ends[native] + lag

    def _ended_row(self, native: str) -> dict[str, t.Any]:
        endtime = EPOCH + int(self.ends[native] - 1000.0)
        return {"upid": native, "status": self.exits.get(native, "OK"), "endtime": endtime}

    def _listed(self, running: dict[str, t.Any]) -> Rows:
        """Running tasks, then the ones that ended, the last one first."""
        rows: Rows = []
        for native in sorted(self.ends, key=lambda native: -self.ends[native]):
            if native not in self.invisible and not self._runs(native, self.list_lag):
                rows.append(self._ended_row(native))
            elif native not in self.invisible:
                rows.insert(0, {"upid": native, **running})
        return rows

    def status(self, upid: Upid, deadline: float) -> dict[str, t.Any]:
        answer = self._scripted("status")
        if answer is not None:
            return t.cast("dict[str, t.Any]", answer)
        if upid.native not in self.ends:
            raise NoSuchTask("node knows no such task")
        if self._runs(upid.native):
            return {"status": "running", "exitstatus": None}
        return {"status": "stopped", "exitstatus": self.exits.get(upid.native, "OK")}

    def active(self, node: str, deadline: float) -> dict[str, dict[str, t.Any]] | None:
        self._scripted("active")
        if not self.lists_running:
            return None
        rows = [row for row in self._listed({"status": "RUNNING"}) if row["upid"] not in self.hidden]
        running = sum("endtime" not in row for row in rows)
        return {str(row["upid"]): row for row in rows[: max(running, self.recent)]}

    def listed(self, node: str, deadline: float, **filters: t.Any) -> tuple[Rows, int | None]:
        answer = self._scripted("listed")
        if answer is not None:
            return t.cast("tuple[Rows, int | None]", answer)
        rows = [row for row in self._listed({}) if "endtime" in row]
        return rows, len(rows)

    def node_names(self, deadline: float) -> list[str]:
        return ["pve1"]

    def cluster_tasks(self, deadline: float) -> Rows:
        self._scripted("cluster_tasks")
        return self._listed({}) if self.cluster_lists else self.cluster

    def missing_right(self, node: str, deadline: float) -> str | None:
        return t.cast("str | None", self._scripted("missing_right"))

    def log(self, upid: Upid, start: int, limit: int, deadline: float) -> Page:
        answer = self._scripted("log")
        if answer is not None:
            return Page(*answer)
        lines = self.logs.get(upid.native, ["TASK OK"])
        rows: Rows = [{"n": number + 1, "t": text} for number, text in enumerate(lines)]
        runs = self._runs(upid.native) if self.tells_runs and upid.native in self.ends else None
        return Page(rows[start : start + limit], len(lines), runs)

    def stop(self, upid: Upid, deadline: float) -> None:
        self._scripted("stop")

    def close(self) -> None:
        self.closed = True
