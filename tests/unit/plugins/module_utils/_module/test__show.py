# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown of a wait, and when."""

from __future__ import annotations

import dataclasses
import threading
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import Progress, progress
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._module.lines import duration
from ansible_collections.proxkit.tasks.plugins.module_utils._module.show import Show
from ansible_collections.proxkit.tasks.tests.unit.fakes import FakeClock, upid
from hypothesis import given
from hypothesis import strategies as st

NAME = "pve1 vzdump 100"


def backup(percent: int | None = None, number: int = 1, node: str = "pve1", age: int = 0) -> Task:
    """A backup that runs, of 100 GiB."""
    told = percent is not None and progress([f"INFO: {percent}% ({percent}.0 GiB of 100.0 GiB) in 3s, read: 1 B/s"])
    known = upid(number, node=node, type="vzdump", id=str(99 + number), age=age)
    return Task(known, "running", progress=told or None)


def ended(exitstatus: str, number: int = 1) -> Task:
    return dataclasses.replace(backup(number=number), sight="stopped", exitstatus=exitstatus)


class Screen:
    """Shows on a clock that nobody waits for, and notes when what was shown."""

    def __init__(self, **options: t.Any) -> None:
        self.clock = FakeClock()
        self.lines: list[tuple[float, str]] = []
        self.show = Show(self._emit, self.clock, **options)

    def _emit(self, line: str) -> None:
        self.lines.append((self.clock.now - 1000.0, line))

    def at(self, seconds: float) -> Show:
        """What is told now is told so many seconds after the beginning."""
        self.clock.now = 1000.0 + seconds
        return self.show

    def look(self, seconds: float, *tasks: Task) -> None:
        self.at(seconds).on_look("pve1", tasks)

    def texts(self) -> list[str]:
        """What was shown since this was last asked."""
        texts = [line for _at, line in self.lines]
        self.lines = []
        return texts


def test_a_backup() -> None:
    screen = Screen()
    screen.at(0.2).on_state(backup())
    for seconds in range(1, 41):
        if seconds % 10 == 4:
            screen.at(seconds).on_lines(backup(seconds), ["INFO: ..."])
        screen.look(seconds, backup())
    screen.at(41).on_end(ended("OK"))
    assert screen.lines == [
        (5, f"{NAME}: 4 %, 4.0 of 100 GiB, 5s so far"),
        (14, f"{NAME}: 14 %, 14.0 of 100 GiB, 1.0 GiB/s, 14s so far, about 1m25s left"),
        (23, f"{NAME}: 14 %, 14.0 of 100 GiB, 1.0 GiB/s, 23s so far, about 1m15s left"),
        (32, f"{NAME}: 24 %, 24.0 of 100 GiB, 1.0 GiB/s, 32s so far, about 1m10s left"),
    ]


def test_nothing_in_the_first_seconds() -> None:
    screen = Screen(mode="log")
    show = screen.at(0)
    show.on_state(backup())
    show.on_fault("pve2", "595")
    screen.at(4).on_lines(backup(4), ["one", "two"])
    show.on_end(ended("boom", 2))
    screen.look(4.9, backup())
    assert screen.lines == []
    screen.look(5, backup())
    assert screen.texts() == [
        f"{NAME}: one",
        f"{NAME}: two",
        "pve1 vzdump 101: failed: boom",
        "pve2: cannot be looked at for 5s now: 595",
    ]


def test_nothing_at_all() -> None:
    screen = Screen(mode="none")
    screen.at(9).on_lines(backup(4), ["one"])
    screen.look(20, backup())
    screen.at(30).on_end(ended("boom"))
    assert screen.lines == []


@pytest.mark.parametrize(
    ("task", "lines"),
    [
        (ended("OK"), []),
        (ended("WARNINGS: 3"), []),
        (ended("job errors"), [f"{NAME}: failed: job errors"]),
        (ended("unexpected status"), [f"{NAME}: ended, but nobody can say how"]),
        (dataclasses.replace(backup(), sight="missing"), [f"{NAME}: is not known to its node"]),
        (dataclasses.replace(backup(), sight="unseen", error="403"), [f"{NAME}: cannot be looked at: 403"]),
    ],
)
def test_ends(task: Task, lines: list[str]) -> None:
    screen = Screen()
    screen.at(6).on_end(task)
    screen.at(7).on_end(task)
    screen.look(8, task)
    assert screen.texts() == lines


def test_lines_that_come_late_do_not_make_a_task_run_again() -> None:
    screen = Screen(mode="log")
    screen.at(6).on_end(ended("OK"))
    screen.at(6).on_lines(backup(99), ["TASK OK"])
    screen.look(20)
    assert screen.texts() == [f"{NAME}: TASK OK"]


def test_a_fault_that_lasts_is_told_once_and_its_end_too() -> None:
    screen = Screen()
    screen.at(20).on_fault("pve1", "595")
    screen.look(24)
    assert screen.texts() == []
    screen.look(26)
    screen.at(27).on_fault("pve1", "500")
    screen.look(50)
    screen.at(90).on_recovery("pve1")
    assert screen.texts() == [
        "pve1: cannot be looked at for 6s now: 595",
        "pve1: can be looked at again, after 1m10s",
    ]


def test_a_fault_that_is_soon_over_is_not_told() -> None:
    screen = Screen()
    for seconds in range(10, 100, 4):
        screen.at(seconds).on_fault("pve1", "595")
        screen.at(seconds + 3).on_recovery("pve1")
    screen.at(100).on_recovery("pve2")
    assert screen.lines == []


def test_many_nodes_at_fault_are_no_burst() -> None:
    screen = Screen()
    screen.look(5.5)
    for number in range(30):
        screen.at(6).on_fault(f"n{number}", "595")
    screen.look(12)
    assert len(screen.texts()) == 5
    screen.look(13)
    screen.look(15)
    assert screen.texts() == ["25 more such lines are left out"]
    screen.look(30)
    assert screen.texts() == []


def test_the_lines_of_a_log_instead_of_what_they_tell() -> None:
    screen = Screen(mode="log")
    silent = backup(number=2)
    screen.at(4).on_lines(backup(4), ["one"])
    screen.look(6, backup(), silent)
    assert screen.texts() == [f"{NAME}: one", "pve1 vzdump 101: 0s so far"]
    screen.at(14).on_lines(backup(5), ["two", "two"])
    assert screen.texts() == [f"{NAME}: two"] * 2
    screen.at(14.5).on_lines(backup(5), [])
    screen.look(16, backup(), silent)
    assert screen.texts() == ["pve1 vzdump 101: 10s so far"]
    screen.look(26, backup(), silent)
    assert screen.texts() == [
        f"{NAME}: 5 %, 5.0 of 100 GiB, 102 MiB/s, 26s so far, about 16m00s left",
        "pve1 vzdump 101: 20s so far",
    ]


def test_what_all_logs_told_is_shown_together() -> None:
    screen = Screen()
    screen.look(5, backup(), backup(number=2))
    assert len(screen.texts()) == 2
    screen.at(15).on_lines(backup(20), [])
    screen.at(15.5).on_lines(backup(30, 2), [])
    assert screen.texts() == []
    screen.look(16, backup(), backup(number=2))
    assert [text.partition("%")[0] for text in screen.texts()] == [f"{NAME}: 20 ", "pve1 vzdump 101: 30 "]
    screen.at(30).on_lines(backup(40), [])
    assert len(screen.texts()) == 2


def test_where_it_is_from_and_what_is_masked() -> None:
    screen = Screen(lead="site-a", mask=lambda text: text.replace("hunter2", "***"))
    screen.at(6).on_end(ended("boom: hunter2"))
    assert screen.texts() == [f"site-a: {NAME}: failed: boom: ***"]


def test_past_runs_tell_what_the_log_does_not() -> None:
    screen = Screen()
    tasks = [backup(age=20), backup(number=2), backup(50, 3)]
    screen.look(0, *tasks)
    for task in (tasks[0], tasks[2]):
        screen.at(4).on_past(task, [100, 110, 120])
    # The one that was begun before the wait, one of which nothing is known, one whose log says how far it is.
    for seconds, left in ((10, ", about 1m20s left"), (20, ", about 1m10s left"), (40, ", about 50s left"), (100, "")):
        screen.look(seconds, *tasks)
        assert sorted(screen.texts()) == [
            f"{NAME}: {duration(seconds)} so far{left}",
            f"pve1 vzdump 101: {duration(seconds)} so far",
            f"pve1 vzdump 102: 50 %, 50.0 of 100 GiB, {duration(seconds)} so far",
        ]


PERCENTS = ((10, 20), (10, 12), (90, 90), (40, 70), (40, 50))  # at two times


@pytest.mark.parametrize(
    ("count", "named"),
    [
        pytest.param(5, [100, 101, 102, 103, 104], id="as they were given"),
        pytest.param(6, [101, 100, 104], id="the slowest of many"),
    ],
)
def test_tasks_that_have_a_line(count: int, named: list[int]) -> None:
    screen = Screen()
    screen.look(0, *(backup(number=number) for number in range(1, count + 1)))
    for number, percents in enumerate(PERCENTS, 1):
        screen.at(1).on_lines(backup(percents[0], number), [])
        screen.at(4).on_lines(backup(percents[1], number), [])
    screen.look(5)
    lines = [text.partition(": ")[0] for text in screen.texts() if "finished" not in text]
    assert lines == [f"pve1 vzdump {id}" for id in named]


def many(screen: Screen, minutes: int = 10) -> None:
    """40 tasks on 4 nodes, that end one after the other; every fourth badly. Each node is looked at every 4 s."""
    begun = {number: backup(number=number, node=f"pve{number % 4}") for number in range(40)}
    for second in range(minutes * 60):
        for node in range(4):
            mine = [task for number, task in begun.items() if number % 4 == node]
            if second % 4 == node:
                screen.at(second + 0.5).on_look(f"pve{node}", mine)
            running = [task for task in mine if task.sight == "running"]
            if second % 10 == 4:
                for task in running[:5]:
                    share = progress([f"INFO:  {second // 7}% (1.0 GiB of 9.0 GiB) in 1s, read: 1 B/s"])
                    screen.show.on_lines(dataclasses.replace(task, progress=share), [f"line at {second}"])
        if second % 14 == 13 and second // 14 < 40:
            number = second // 14
            status = "boom" if number % 4 == 3 else "OK"
            begun[number] = dataclasses.replace(begun[number], sight="stopped", exitstatus=status)
            screen.show.on_end(begun[number])


def test_many_tasks_are_counted_and_the_slowest_and_the_failed_named() -> None:
    screen = Screen()
    many(screen)
    counts = [line for _at, line in screen.lines if "finished" in line]
    assert counts[0] == "0 of 40 finished, 40 running"
    assert counts[20] == "10 of 40 finished, 3 failed, 27 running"
    assert counts[-1] == "30 of 40 finished, 10 failed"
    assert len([line for _at, line in screen.lines if "failed: boom" in line]) == 10
    assert len(counts) == pytest.approx(60, abs=8)
    assert len(screen.lines) <= 4 * len(counts) + 10
    assert screen.lines[0][0] >= 5


def test_many_ends_at_once_are_no_burst() -> None:
    screen = Screen()
    screen.look(6, *(backup(number=number) for number in range(100)))
    assert screen.texts()[0] == "0 of 100 finished, 100 running"
    gone = [ended("boom", number) for number in range(100)]
    for task in gone:
        screen.at(7).on_end(task)
    assert screen.texts() == [f"pve1 vzdump {id}: failed: boom" for id in range(99, 104)]
    screen.look(16, *gone)
    assert screen.texts() == ["95 more such lines are left out", "0 of 100 finished, 100 failed"]


EVENTS = st.lists(
    st.tuples(
        st.floats(0, 4),
        st.sampled_from(("state", "end", "fault", "recovery", "look", "lines")),
        st.integers(1, 8),
        st.sampled_from(("", "OK", "boom\x1b[2J\r", "x" * 300, "\u5099" * 90)),
        st.one_of(st.none(), st.floats(0, 100)),
    ),
    max_size=60,
)


@given(events=EVENTS, mode=st.sampled_from(("summary", "log", "none")))
def test_whatever_is_told(events: list[tuple[t.Any, ...]], mode: str) -> None:
    screen, now, logged = Screen(mode=mode), 0.0, 0
    for pause, kind, number, text, percent in events:
        now += pause
        show = screen.at(now)
        task = dataclasses.replace(backup(number=number), progress=Progress(percent, "x", phase=number % 2))
        if kind == "state":
            show.on_state(task)
        elif kind == "end":
            show.on_end(dataclasses.replace(task, sight="stopped", exitstatus=text))
        elif kind == "fault":
            show.on_fault(f"pve{number}", text)
        elif kind == "recovery":
            show.on_recovery(f"pve{number}")
        elif kind == "look":
            show.on_look("pve1", [task, backup(number=number + 1)])
        else:
            logged += 1
            show.on_lines(task, [f"log line {logged} of the task"])
    screen.look(now + 20)
    # No column is wider than its character's bytes.
    assert all(line.isprintable() and sum(1 + (char == "\u5099") for char in line) <= 100 for _at, line in screen.lines)
    assert all(at >= 5 for at, _line in screen.lines)
    assert mode != "none" or not screen.lines
    told = [line.split("log line ")[1] for _at, line in screen.lines if "log line " in line]
    assert told == [f"{number} of the task" for number in range(1, logged + 1)] * (mode == "log")
    for at, _line in screen.lines:
        near = [line for when, line in screen.lines if at <= when < at + 9 and "log line " not in line]
        assert len(near) <= 2 * 12


def test_it_is_told_by_several_threads() -> None:
    screen = Screen(mode="log")
    screen.at(6)

    def tell(number: int) -> None:
        for line in range(50):
            screen.show.on_lines(backup(number=number), [str(line)])

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = screen.texts()
    for number in range(1, 5):
        mine = [line.partition(": ")[2] for line in lines if line.startswith(f"pve1 vzdump {99 + number}: ")]
        assert [line for line in mine if "so far" not in line] == [str(line) for line in range(50)]
