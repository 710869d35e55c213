# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs that are read as they grow."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.growing import GrowingLog, GrowingLogs, News
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.look import HEAD_LINES, PAGE_LINES, WINDOW_LINES
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    Fault,
    HostUnreachable,
    LoginRefused,
    NoPrivilege,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.log import Page
from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import Progress
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid
from ansible_collections.proxkit.tasks.tests.unit.fakes import FakeClock, FakeSource, upid

NATIVE = upid().native


class Noting(FakeSource):
    """Notes what is asked for."""

    def __init__(self, clock: FakeClock, **more: t.Any) -> None:
        super().__init__(clock, **more)
        self.asked: list[tuple[int, int]] = []

    def log(self, upid: Upid, start: int, limit: int, deadline: float) -> Page:
        self.asked.append((start, limit))
        return super().log(upid, start, limit, deadline)


@pytest.fixture
def source() -> Noting:
    return Noting(FakeClock(), logs={NATIVE: []})


def test_each_reading_goes_on_where_the_last_one_ended(source: Noting) -> None:
    log, text = GrowingLog(upid()), source.logs[NATIVE]
    assert log.read_on(source, 0) == News((), None, 0, False, None)
    text += ["Chunkstore create: 1%", "Chunkstore cre"]
    assert log.read_on(source, 0) == News(
        ("Chunkstore create: 1%",), "Chunkstore cre", 0, False, Progress(1.0, "Chunkstore create: 1%")
    )
    text[1:] = ["Chunkstore create: 2%", "Chunkstore create: 3%"]
    assert log.read_on(source, 0) == News(
        ("Chunkstore create: 2%",), "Chunkstore create: 3%", 0, False, Progress(3.0, "Chunkstore create: 3%")
    )
    text.append("TASK OK")
    assert log.read_on(source, 0, ended=True).lines == ("Chunkstore create: 3%", "TASK OK")
    assert source.asked == [(0, HEAD_LINES), (0, HEAD_LINES), (1, PAGE_LINES), (2, PAGE_LINES)]


def test_of_a_long_log_beginning_and_end_are_read_at_first(source: Noting) -> None:
    text = source.logs[NATIVE]
    text += ["total estimated size is 4G", "10:00:00  1G  a@b", *(f"noise {number}" for number in range(8000))]
    text += ["11:00:00  2G  a@b", "more"]
    log = GrowingLog(upid())
    news = log.read_on(source, 0)
    assert news.lines == tuple(text[-WINDOW_LINES:-1])
    assert news.skipped + len(news.lines) + 1 == len(text)
    assert news.progress == Progress(50.0, "11:00:00  2G  a@b")
    text.append("11:00:01  3G  a@b")
    assert log.read_on(source, 0).progress == Progress(75.0, "11:00:01  3G  a@b")
    assert source.asked == [
        (0, HEAD_LINES),
        (len(text) - 1 - WINDOW_LINES, PAGE_LINES),
        (len(text) - 2, PAGE_LINES),
    ]


def test_a_log_of_middling_length_is_read_wholly(source: Noting) -> None:
    text = source.logs[NATIVE]
    text += [f"line {number}" for number in range(HEAD_LINES + 50)]
    news = GrowingLog(upid()).read_on(source, 0, ended=True)
    assert news.lines == tuple(text)
    assert news.skipped == 0


def test_a_first_reading_that_fails_half_way_begins_again(source: Noting) -> None:
    source.logs[NATIVE] += [f"line {number}" for number in range(5000)]
    source.script["log"] = [None, Fault("got timeout")]
    log = GrowingLog(upid())
    with pytest.raises(Fault):
        log.read_on(source, 0)
    assert len(log.read_on(source, 0).lines) == WINDOW_LINES - 1
    assert [start for start, _limit in source.asked] == [0, 4000, 0, 4000]


def test_a_log_that_shrank_begins_anew(source: Noting) -> None:
    log = GrowingLog(upid())
    source.logs[NATIVE] = ["Chunkstore create: 90%", "x"]
    log.read_on(source, 0)
    source.logs[NATIVE] = ["Chunkstore create: 1%"]
    assert log.read_on(source, 0) == News((), None, 0, True, None)
    assert log.read_on(source, 0).progress == Progress(1.0, "Chunkstore create: 1%")


def test_a_log_that_shrinks_while_it_is_first_read(source: Noting) -> None:
    source.script["log"] = [([{"n": number, "t": "x"} for number in range(1, 201)], 5000), ([], 3)]
    log = GrowingLog(upid())
    assert log.read_on(source, 0) == News((), None, 0, True, None)
    source.logs[NATIVE] = ["a", "b"]
    assert log.read_on(source, 0).lines == ("a",)


def test_rows_of_odd_form_are_a_fault_and_cost_nothing(source: Noting) -> None:
    log = GrowingLog(upid())
    source.script["log"] = [([{"n": "1", "t": "a"}], 1)]
    with pytest.raises(Fault, match="not of the form"):
        log.read_on(source, 0)
    source.logs[NATIVE] = ["a", "b"]
    assert log.read_on(source, 0).lines == ("a",)


def logs_of(source: Noting, *numbers: int) -> list[Upid]:
    upids = [upid(number) for number in numbers]
    source.logs = {one.native: [f"first of {one.pid}", "second"] for one in upids}
    return upids


@pytest.mark.parametrize(
    ("fault", "read"),
    [(Fault("got timeout"), [1, 3]), (NoPrivilege("403"), [1, 3]), (HostUnreachable("refused"), [1])],
)
def test_what_keeps_from_one_log_keeps_from_no_other(source: Noting, fault: Exception, read: list[int]) -> None:
    upids = logs_of(source, 1, 2, 3)
    source.script["log"] = [None, fault]
    logs = GrowingLogs(source.clock)
    assert list(logs.read_each(source, upids, 9e9)) == [upid(number).native for number in read]
    source.asked.clear()
    # The next reading brings what was not read.
    news = logs.read_each(source, upids, 9e9, ended={upids[1].native})
    assert [news[one.native].lines for one in upids][1] == ("first of 2", "second")
    assert len(source.asked) == 3


def test_what_ends_all_is_raised(source: Noting) -> None:
    source.script["log"] = [LoginRefused("401")]
    with pytest.raises(LoginRefused):
        GrowingLogs(source.clock).read_each(source, logs_of(source, 1), 9e9)


def test_nothing_is_read_after_the_deadline(source: Noting) -> None:
    assert GrowingLogs(source.clock).read_each(source, logs_of(source, 1, 2), source.clock.now) == {}
    assert source.asked == []
