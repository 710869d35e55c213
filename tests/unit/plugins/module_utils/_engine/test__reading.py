# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs that are read while a wait lasts: what it costs, what it tells and what it may not do."""

from __future__ import annotations

import random
import statistics
import threading
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.ending import GATHER_GRACE
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import LogWish, Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.polling import pause
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import Rows
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.wait import wait
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import LoginRefused, NodeUnreachable
from ansible_collections.proxkit.tasks.plugins.module_utils._model.log import Page
from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import Progress
from ansible_collections.proxkit.tasks.plugins.module_utils._model.results import Waited
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid
from ansible_collections.proxkit.tasks.tests.unit.fakes import EPOCH, FakeClock, FakeSource, SharedClock, upid

SUMMARY = Plan(timeout=900, progress="summary", log=LogWish("never"))


@pytest.fixture
def clock() -> t.Iterator[SharedClock]:
    with SharedClock() as clock:
        yield clock


class Working(FakeSource):
    """Each task's log tells how far it is, by the whole percent."""

    def log(self, upid: Upid, start: int, limit: int, deadline: float) -> Page:
        self.logs[upid.native] = self.lines(upid)
        return super().log(upid, start, limit, deadline)

    def lines(self, upid: Upid) -> list[str]:
        begun, ended = 1000.0, self.ends[upid.native]
        percent = int(100 * min(1.0, (self.clock.now - begun) / (ended - begun)))
        lines = [f"INFO: {number:3d}% (1.0 GiB of 9.0 GiB) in 3s" for number in range(percent + 1)]
        return [*lines, "TASK OK"] if self.clock.now >= ended else lines


class Listener:
    """Notes what it is told of logs."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.tasks: list[Task] = []
        self.ended: dict[str, Task] = {}
        self.past: list[tuple[int, list[int]]] = []

    def on_state(self, task: Task) -> None:
        pass

    def on_end(self, task: Task) -> None:
        self.ended[task.upid.native] = task

    def on_fault(self, node: str, fault: str) -> None:
        pass

    def on_recovery(self, node: str) -> None:
        pass

    def on_look(self, node: str, tasks: t.Sequence[Task]) -> None:
        pass

    def on_lines(self, task: Task, lines: t.Sequence[str]) -> None:
        self.lines += lines
        self.tasks.append(task)

    def on_past(self, task: Task, durations: t.Sequence[int]) -> None:
        self.past.append((task.upid.pid, list(durations)))


def working(clock: FakeClock, *durations: float) -> Working:
    return Working(clock, ends={upid(number).native: clock.now + end for number, end in enumerate(durations, 1)})


def waited(source: FakeSource, plan: Plan = SUMMARY, listener: Listener | None = None) -> tuple[Waited, Listener]:
    listener = listener or Listener()
    upids = [upid(number) for number in range(1, len(source.ends) + 1)]
    return wait(upids, plan, lambda: source, source.clock, listener), listener


# What it costs and what it brings


@pytest.mark.parametrize(("duration", "late", "more"), [(10, 0.5, 1), (30, 0.6, 0), (60, 0.6, 0)])
def test_the_end_of_a_task_that_tells_how_far_it_is_is_seen_at_once_for_no_more_requests(
    duration: float, late: float, more: int
) -> None:
    lateness: list[float] = []
    requests: list[int] = []
    before: list[int] = []
    for seed in range(120):
        random.seed(seed)
        seconds = duration * random.uniform(0.9, 1.1)
        with SharedClock() as clock:
            source = working(clock, seconds)
            elapsed = waited(source)[0].elapsed
        lateness.append(elapsed - seconds)
        requests.append(source.calls["status"] + source.calls["log"])
        before.append(looks_by_growing_pauses(seconds))
    assert statistics.median(lateness) <= late
    assert max(lateness) <= 1.2
    assert statistics.mean(requests) <= statistics.mean(before) + more


@pytest.mark.parametrize("figure", [True, False])
@pytest.mark.parametrize("duration", [30, 300])
def test_where_a_log_says_whether_its_task_runs_a_look_is_one_request(duration: float, figure: bool) -> None:
    class Silent(Working):
        def lines(self, upid: Upid) -> list[str]:
            return super().lines(upid) if figure else ["begun"]

    with SharedClock() as clock:
        source = Silent(clock, ends={upid(1).native: clock.now + duration}, tells_runs=True)
        result, _listener = waited(source)
    assert result.tasks[0].outcome == "ok"
    assert result.elapsed - duration <= 5
    # What comes before anything is shown, and the end.
    assert source.calls["status"] <= 10
    assert source.calls["status"] + source.calls["log"] <= looks_by_growing_pauses(duration) * 1.25 + 3


def looks_by_growing_pauses(seconds: float) -> int:
    now, count = 0.0, 1
    while now < seconds:
        now += pause(now, 0.5, 5)
        count += 1
    return count


def test_answers_that_take_their_time_are_not_asked_for_twice(clock: SharedClock) -> None:
    class Distant(Working):
        def status(self, upid: Upid, deadline: float) -> dict[str, t.Any]:
            self.clock.sleep(0.3)
            return super().status(upid, deadline)

        def log(self, upid: Upid, start: int, limit: int, deadline: float) -> Page:
            self.clock.sleep(0.3)
            return super().log(upid, start, limit, deadline)

    source = Distant(clock, ends={upid(1).native: clock.now + 60})
    assert waited(source)[0].elapsed < 61.2
    assert source.calls["status"] <= 10


@pytest.mark.parametrize(
    ("tasks", "progress", "most"),
    [(1, "none", 16), (1, "summary", 20), (1, "log", 20), (20, "none", 22), (20, "summary", 34)],
)
def test_who_is_dear_to_ask_is_asked_less(tasks: int, progress: str, most: int) -> None:
    """A minute of waiting where each question takes 0.8 s, as on a node itself."""

    class Dear(Working):
        def _scripted(self, name: str) -> t.Any:
            self.clock.sleep(0.8)
            return super()._scripted(name)

    for seed in range(5):
        random.seed(seed)
        with SharedClock() as clock:
            durations = [60 * random.uniform(0.95, 1.05) for _task in range(tasks)]
            source = Dear(clock, ends={upid(number).native: clock.now + end for number, end in enumerate(durations, 1)})
            result, _listener = waited(source, Plan(timeout=900, interval=3, cost=1, progress=progress))
        assert sum(source.calls.values()) <= most
        assert all(task.outcome == "ok" for task in result.tasks)
        assert result.elapsed - max(durations) <= 7


def test_who_is_dear_to_ask_is_given_the_time_for_it(clock: SharedClock) -> None:
    source = working(clock, 59, 90)
    source.status = _slowly(source.status, clock)  # type: ignore[method-assign]  # a fake's own answers
    source.active = _slowly(source.active, clock)  # type: ignore[method-assign]  # as above
    plan = Plan(timeout=60, interval=30, longest=30, cost=1, log=LogWish("always"))
    result, _listener = waited(source, plan)
    assert [task.outcome for task in result.tasks] == ["ok", "running"]
    assert result.tasks[0].log is not None
    assert result.elapsed <= 60 + GATHER_GRACE + plan.slack


def _slowly(ask: t.Callable[..., t.Any], clock: FakeClock) -> t.Callable[..., t.Any]:
    def asked(*arguments: t.Any) -> t.Any:
        clock.sleep(1.5)
        return ask(*arguments)

    return asked


def test_many_are_paced_by_the_first_that_may_end(clock: SharedClock) -> None:
    source = working(clock, 60, 90, 90, 90)
    noted: list[float] = []
    source.active = _noting(source.active, noted, clock)  # type: ignore[method-assign]  # a fake's own answers
    waited(source)
    assert any(60 <= at - 1000 < 61.4 for at in noted)
    assert any(90 <= at - 1000 < 91.4 for at in noted)


def _noting(ask: t.Callable[..., t.Any], noted: list[float], clock: FakeClock) -> t.Callable[..., t.Any]:
    def asked(*arguments: t.Any) -> t.Any:
        noted.append(clock.now)
        return ask(*arguments)

    return asked


@pytest.mark.parametrize("observer", [None, Listener()])
@pytest.mark.parametrize("plan", [SUMMARY, Plan(timeout=900, log=LogWish("never"))])
def test_nobody_who_wants_to_see_it_no_cost(clock: SharedClock, plan: Plan, observer: Listener | None) -> None:
    source = working(clock, 60)
    sources: list[FakeSource] = []

    def connect() -> FakeSource:
        sources.append(source)
        return source

    waited = wait([upid(1)], plan, connect, clock, observer)
    shown = observer is not None and plan is SUMMARY
    assert len(sources) == (2 if shown else 1)
    assert ("log" in source.calls) is shown
    assert waited.tasks[0].outcome == "ok"


@pytest.mark.parametrize("plan", [Plan(progress="summary", one_look=True), Plan(progress="summary", timeout=3)])
def test_what_is_over_soon_is_not_read(clock: SharedClock, plan: Plan) -> None:
    source = working(clock, 100)
    _waited, listener = waited(source, plan=plan)
    assert source.calls.get("log", 0) <= 1  # the result's
    assert listener.tasks == []


def test_a_handful_is_read_and_those_that_follow_when_some_end(clock: SharedClock) -> None:
    source = working(clock, 20, *([60] * 7))
    _waited, listener = waited(source)
    read = [task.upid.pid for task in listener.tasks]
    assert read[:5] == [1, 2, 3, 4, 5]
    assert set(read) == {1, 2, 3, 4, 5, 6}


def test_pauses_that_are_fixed_stay_so(clock: SharedClock) -> None:
    source = working(clock, 61)
    waited(source, Plan(timeout=900, interval=2, longest=2, progress="summary", log=LogWish("never")))
    assert source.calls["status"] == 32
    assert source.calls["log"] == 6


# What it tells


def test_lines_are_told_each_once_and_clean(clock: SharedClock) -> None:
    class Colourful(Working):
        def lines(self, upid: Upid) -> list[str]:
            return [f"\x1b[31m{line}" for line in super().lines(upid)]

    source = Colourful(clock, ends={upid(1).native: clock.now + 60})
    _waited, listener = waited(source, Plan(timeout=900, progress="log", log=LogWish("never")))
    assert listener.lines == Working.lines(source, upid(1))
    percents = [task.progress.percent for task in listener.tasks if task.progress]
    assert len(percents) == len(listener.tasks)
    assert percents == sorted(t.cast("list[float]", percents))


@pytest.mark.parametrize(("progress", "last"), [("summary", "INFO:  "), ("log", "TASK OK")])
def test_the_last_lines_of_one_of_many(clock: SharedClock, progress: str, last: str) -> None:
    class Sudden(Working):
        def lines(self, upid: Upid) -> list[str]:
            lines = super().lines(upid)
            return lines if self.clock.now < self.ends[upid.native] else [*lines[:50], "TASK OK"]

    source = Sudden(clock, ends={upid(1).native: clock.now + 26, upid(2).native: clock.now + 60})
    _waited, listener = waited(source, Plan(timeout=900, progress=progress, log=LogWish("never")))
    first = [task for task in listener.tasks if task.upid.pid == 1]
    assert listener.lines.count("TASK OK") <= 1
    assert any(line.startswith(last) for line in listener.lines)
    assert len(first) == (4 if progress == "log" else 3)


def test_a_last_line_that_is_told_before_the_end_is_told_once(clock: SharedClock) -> None:
    class Slow(Working):
        def lines(self, upid: Upid) -> list[str]:
            return ["a", "TASK WARNINGS: 1"] if upid.pid == 1 else super().lines(upid)

    source = Slow(clock, ends={upid(1).native: clock.now + 20, upid(2).native: clock.now + 60})
    _waited, listener = waited(source, Plan(timeout=900, progress="log", log=LogWish("never")))
    assert listener.lines.count("TASK WARNINGS: 1") == 1
    assert listener.lines[:2] == ["a", "TASK WARNINGS: 1"]


@pytest.mark.parametrize("figure", [True, False])
def test_how_long_others_took_is_told_once_where_the_log_does_not_tell(clock: SharedClock, figure: bool) -> None:
    class Remembering(Working):
        asked: t.ClassVar[list[tuple[float, dict[str, t.Any]]]] = []

        def lines(self, upid: Upid) -> list[str]:
            return super().lines(upid) if figure else ["Formatting", str(self.clock.now)]

        def listed(self, node: str, deadline: float, **filters: t.Any) -> tuple[Rows, int | None]:
            self.asked.append((self.clock.now - 1000, filters))
            assert deadline - self.clock.now <= 3
            own = {"upid": upid(9).native, "endtime": EPOCH + 40, "status": "OK"}
            others = [upid(8, id="101").native, upid(7, type="qmstop").native, "UPID:odd", None, upid(6).native]
            return [own, *({"upid": other, "endtime": EPOCH + 50} for other in others), {"upid": upid(5).native}], None

    source = Remembering(clock, ends={upid(1).native: clock.now + 50})
    Remembering.asked = []
    plan = Plan(timeout=40, progress="summary", log=LogWish("never"))
    _waited, listener = waited(source, plan)
    assert listener.past == ([] if figure else [(1, [40, 50])])
    wanted = {"source": "archive", "type": "qmstart", "outcomes": ("ok", "warning"), "guest": 100, "limit": 20}
    assert [filters for _at, filters in source.asked] == ([] if figure else [wanted])
    assert all(10 <= at < 20 for at, _filters in source.asked)


def test_a_list_that_fails_costs_the_estimate_alone(clock: SharedClock) -> None:
    source = FakeSource(clock, ends={upid(1).native: clock.now + 60}, logs={upid(1).native: ["Formatting"]})
    source.script["listed"] = [NodeUnreachable("595")]
    result, listener = waited(source)
    assert result.tasks[0].outcome == "ok"
    assert result.warnings == []
    assert listener.past == []


def test_what_is_told_stands_in_the_result_of_what_did_not_end_well(clock: SharedClock) -> None:
    source = working(clock, 100)
    task = waited(source, Plan(timeout=50, progress="summary", log=LogWish("never")))[0].tasks[0]
    assert task.outcome == "running"
    assert task.progress is not None
    assert task.progress.percent is not None
    assert 40 < task.progress.percent <= 50


@pytest.mark.parametrize(("exitstatus", "kept"), [("boom", True), ("OK", False), ("WARNINGS: 1", False)])
def test_what_ended_well_is_not_told_to_be_on_its_way(clock: SharedClock, exitstatus: str, kept: bool) -> None:
    source = working(clock, 60)
    source.exits = {upid(1).native: exitstatus}
    listener = Listener()
    result = wait([upid(1)], SUMMARY, lambda: source, clock, listener)
    assert (result.tasks[0].progress is not None) is kept
    assert (listener.ended[upid(1).native].progress is not None) is kept


# What it may not do


@pytest.mark.parametrize("progress", ["none", "summary"])
def test_a_log_that_never_comes_delays_nothing(clock: SharedClock, progress: str) -> None:
    class Stuck(Working):
        def log(self, upid: Upid, start: int, limit: int, deadline: float) -> Page:
            self.clock.wait(threading.Event(), float("inf"))
            raise AssertionError

    source = Stuck(clock, ends={upid(1).native: clock.now + 60})
    plan = Plan(timeout=900, longest=2, progress=progress, log=LogWish("never"))
    result, listener = waited(source, plan)
    assert 60 <= result.elapsed <= 62
    assert source.calls["status"] <= 42
    assert not listener.tasks
    source.ends[upid(1).native] = clock.now + 9000
    began = clock.now
    result, _listener = waited(source, Plan(timeout=50, progress=progress, log=LogWish("never")))
    assert result.timed_out
    assert clock.now - began <= 50 + GATHER_GRACE


def test_who_answers_late_tells_nothing_after_the_end(clock: SharedClock) -> None:
    class Late(Working):
        def log(self, upid: Upid, start: int, limit: int, deadline: float) -> Page:
            assert deadline - self.clock.now <= 3
            self.clock.sleep(100)
            return super().log(upid, start, limit, deadline)

    source = Late(clock, ends={upid(1).native: clock.now + 60})
    result, listener = waited(source)
    clock.sleep(100)
    assert result.tasks[0].outcome == "ok"
    assert source.calls["log"] == 1
    assert not listener.tasks


def test_a_node_whose_logs_hang_costs_its_own_lines_only(clock: SharedClock) -> None:
    class Half(Working):
        def log(self, upid: Upid, start: int, limit: int, deadline: float) -> Page:
            if upid.node == "pve2":
                self.clock.now = deadline
                raise NodeUnreachable("no answer", timed_out=True)
            return super().log(upid, start, limit, deadline)

    upids = [upid(1), upid(2, node="pve2")]
    source = Half(clock, ends={one.native: clock.now + 60 for one in upids})
    listener = Listener()
    result = wait(upids, SUMMARY, lambda: source, clock, listener)
    assert [task.outcome for task in result.tasks] == ["ok", "ok"]
    assert {task.upid.pid for task in listener.tasks} == {1}
    assert len(listener.tasks) > 5


@pytest.mark.parametrize("error", [LoginRefused("401"), NodeUnreachable("595")])
def test_a_log_that_cannot_be_had_costs_no_more_than_that(clock: SharedClock, error: Exception) -> None:
    source = working(clock, 60)
    source.script["log"] = [error]
    result, listener = waited(source)
    assert result.tasks[0].outcome == "ok"
    assert result.warnings == []
    # After a refusal nobody asks again; a fault may pass.
    assert bool(listener.tasks) is isinstance(error, NodeUnreachable)


def test_nothing_in_a_log_can_break_a_wait(clock: SharedClock) -> None:
    source = working(clock, 60)
    source.script["log"] = [ZeroDivisionError()]
    result, _listener = waited(source)
    assert result.tasks[0].outcome == "ok"
    assert result.warnings == ["What the wait saw could not be shown to its end: ZeroDivisionError."]
    assert source.calls["log"] == 1


def test_a_task_that_is_killed_without_a_last_word_is_noticed() -> None:
    class Killed(Working):
        def lines(self, upid: Upid) -> list[str]:
            return [f"INFO: {percent:3d}% (1.0 GiB of 9.0 GiB) in 3s" for percent in range(int(self.end - 1000))]

        @property
        def end(self) -> float:
            return min([self.clock.now, *self.ends.values()])

    for end in range(5, 60, 5):
        with SharedClock() as clock:
            source = Killed(clock, ends={upid(1).native: clock.now + end}, exits={upid(1).native: "boom"})
            # A log stands in for one status at the most once its task is gone.
            assert waited(source)[0].elapsed - end < 2 * SUMMARY.longest


def test_a_last_line_is_taken_for_more_than_a_list_that_says_otherwise(clock: SharedClock) -> None:
    asked: list[tuple[int, float]] = []

    class Asked(Working):
        def status(self, upid: Upid, deadline: float) -> dict[str, t.Any]:
            asked.append((upid.pid, self.clock.now - 1000))
            return super().status(upid, deadline)

    source = Asked(clock, ends={upid(number).native: clock.now + 60 for number in range(1, 5)}, list_lag=1000)
    source.ends[upid(4).native] = clock.now + 33.9
    waited(source)
    # The fourth reading is at 34 s.
    assert (4, 34.0) in asked


def test_a_last_line_alone_ends_nothing(clock: SharedClock) -> None:
    class Boasting(Working):
        def lines(self, upid: Upid) -> list[str]:
            return ["TASK OK"] if self.clock.now < self.ends[upid.native] else ["TASK OK", "TASK ERROR: boom"]

    source = Boasting(clock, ends={upid(1).native: clock.now + 30}, exits={upid(1).native: "boom"})
    result, listener = waited(source)
    assert result.tasks[0].outcome == "error"
    assert result.elapsed >= 30
    assert listener.lines[0] == "TASK OK"


def test_progress_that_lists_tell_nothing_of_stays(clock: SharedClock) -> None:
    source = working(clock, 100, 100)
    result, _listener = waited(source, Plan(timeout=50, progress="summary", log=LogWish("never")))
    percents = [task.progress.percent for task in result.tasks if isinstance(task.progress, Progress)]
    assert len(percents) == 2
