# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a log as it grows."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.cursor import Cursor, Step, advance
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import OptionError
from hypothesis import given
from hypothesis import strategies as st

Rows = list[dict[str, t.Any]]


def rows(first: int, *texts: str) -> Rows:
    return [{"n": number, "t": text} for number, text in enumerate(texts, first)]


NONE, TWO = Cursor(), Cursor(2, "c")


@pytest.mark.parametrize(
    ("cursor", "answer", "total", "step"),
    [
        pytest.param(NONE, rows(1, "a", "b", "c"), 3, Step(TWO, ("a", "b")), id="the last line may be unfinished"),
        pytest.param(NONE, rows(1, "a", "b"), 3, Step(Cursor(2), ("a", "b")), id="but no other one"),
        pytest.param(TWO, rows(3, "c"), 3, Step(TWO), id="nothing new"),
        pytest.param(TWO, rows(3, "cd"), 3, Step(Cursor(2, "cd")), id="the last line grew"),
        pytest.param(TWO, rows(3, "cd", "e"), 4, Step(Cursor(3, "e"), ("cd",)), id="the last line is whole"),
        pytest.param(TWO, rows(2, "b", "cd", "e"), 4, Step(Cursor(3, "e"), ("cd",)), id="counted from 1: a row more"),
        pytest.param(TWO, rows(1, "a", "b", "c"), 3, Step(TWO), id="from the beginning again"),
        pytest.param(TWO, list(reversed(rows(3, "c", "d"))), 4, Step(Cursor(3, "d"), ("c",)), id="in any order"),
        pytest.param(TWO, [*rows(3, "c"), *rows(3, "cd", "e")], 4, Step(Cursor(3, "e"), ("cd",)), id="a row twice"),
        pytest.param(TWO, rows(3, "c", "d"), 9, Step(Cursor(4), ("c", "d")), id="a page of many"),
        pytest.param(Cursor(4), rows(5, "e"), 5, Step(Cursor(4, "e")), id="the next page"),
        pytest.param(TWO, rows(7, "g", "h"), 8, Step(Cursor(7, "h"), ("g",), skipped=4), id="lines in between"),
        pytest.param(NONE, rows(1, "no content"), 1, Step(NONE), id="an empty log"),
        pytest.param(NONE, [], 0, Step(NONE), id="an empty log without a row"),
        pytest.param(NONE, rows(1, "no content", "a"), 2, Step(Cursor(1, "a"), ("no content",)), id="words of a task"),
        pytest.param(NONE, rows(1, "unable to open file - gone"), 1, Step(NONE), id="no file yet"),
        pytest.param(TWO, rows(1, "unable to open file - gone"), 1, Step(TWO), id="no file any more"),
        pytest.param(TWO, [], 2, Step(NONE, anew=True), id="shorter"),
        pytest.param(TWO, [], 0, Step(NONE, anew=True), id="shorter, where a total of 0 is left out"),
        pytest.param(TWO, rows(1, "no content"), 1, Step(NONE, anew=True), id="emptied"),
        pytest.param(Cursor(0, "a"), rows(1, "no content"), 1, Step(NONE, anew=True), id="emptied after one line"),
        pytest.param(NONE, rows(1, "a\u00c3\u00a9"), 1, Step(Cursor(0, "aé")), id="readable"),
    ],
)
def test_a_step(cursor: Cursor, answer: Rows, total: int, step: Step) -> None:
    assert advance(cursor, answer, total) == step


@pytest.mark.parametrize(
    ("answer", "total", "step"),
    [
        (rows(3, "c"), 3, Step(Cursor(3), ("c",))),
        (rows(3, "c", "TASK OK"), 4, Step(Cursor(4), ("c", "TASK OK"))),
        (rows(3, "c", "d"), 9, Step(Cursor(4), ("c", "d"))),
    ],
)
def test_the_last_line_of_a_task_that_ended_is_whole(answer: Rows, total: int, step: Step) -> None:
    assert advance(TWO, answer, total, ended=True) == step


def test_what_is_no_row() -> None:
    with pytest.raises(OptionError, match="no dictionary"):
        advance(NONE, [{}], 1)


@given(
    lines=st.lists(st.text("ab", max_size=4), max_size=30),
    reads=st.lists(st.tuples(st.integers(0, 90), st.integers(1, 9)), max_size=20),
    first=st.integers(0, 1),
)
def test_every_line_comes_once_however_it_is_read(lines: list[str], reads: list[tuple[int, int]], first: int) -> None:
    written = "\n".join(lines)
    cursor = Cursor()
    seen: list[str] = []
    for length, limit in [*sorted(reads), *[(len(written), 9)] * 40]:
        text = written[:length]
        there = text.split("\n") if text else []
        ended = length == len(written)
        start = max(0, cursor.start - first)
        step = advance(cursor, rows(start + 1, *there[start : start + limit + first]), len(there), ended)
        assert not step.anew
        assert not step.skipped
        cursor = step.cursor
        seen += step.lines
    assert seen == (lines if written else [])
