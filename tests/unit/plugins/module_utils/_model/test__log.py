# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows to text, safe display and verdicts."""

from __future__ import annotations

import random
import time
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import OptionError, TasksError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.log import (
    VERDICT_LINES,
    Page,
    decode_rows,
    lines_of,
    log_is_gone,
    tail_start,
    verdict,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import clean, in_sentence, repair
from ansible_collections.proxkit.tasks.tests.unit.upid_strategies import anything
from hypothesis import given
from hypothesis import strategies as st

ROWS = [{"n": 1, "t": "one"}, {"n": 2, "t": "two"}, {"n": 3, "t": "TASK OK"}]
GONE = {"n": 1, "t": "unable to open file - No such file or directory"}
EMPTY = {"n": 1, "t": "no content"}


# --- rows


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("plain", "plain"),
        ("BÃ¼ro", "Büro"),
        ("â\x82¬ 5", "€ 5"),
        ("Büro", "Büro"),
        ("€", "€"),
        ("\xff", "\xff"),
        ("", ""),
    ],
)
def test_repair(text: str, repaired: str) -> None:
    assert repair(text) == repaired


@given(st.text())
def test_repair_undoes_what_the_server_does(text: str) -> None:
    assert repair(text.encode("utf-8").decode("latin-1")) == text


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([], []),
        (ROWS, ["one", "two", "TASK OK"]),
        (ROWS[::-1], ["one", "two", "TASK OK"]),
        ([*ROWS[1:], *ROWS], ["one", "two", "TASK OK"]),
        ([{"n": 1, "t": "10"}, {"n": 1, "t": "10%"}], ["10%"]),
        ([EMPTY], []),
        ([EMPTY, ROWS[1]], ["no content", "two"]),
        ([{"n": 2, "t": "no content"}], ["no content"]),
        ([{"n": 10, "t": "b"}, {"n": 9, "t": "a"}], ["a", "b"]),
        ([{"n": 1, "t": "BÃ¼ro"}], ["Büro"]),
    ],
)
def test_lines_of(rows: list[dict[str, t.Any]], lines: list[str]) -> None:
    assert lines_of(rows) == lines
    assert decode_rows(rows) == "\n".join(lines)


@given(st.dictionaries(st.integers(1, 10**6), st.text(max_size=5), min_size=2), st.randoms(use_true_random=False))
def test_rows_come_out_in_order_from_any_pages(numbered: dict[int, str], shuffle: random.Random) -> None:
    rows = [{"n": n, "t": text} for n, text in numbered.items()] * 2
    shuffle.shuffle(rows)
    assert lines_of(rows) == [repair(text) for _n, text in sorted(numbered.items())]


@pytest.mark.parametrize(
    ("rows", "gone"),
    [
        ([GONE], True),
        ([EMPTY], False),
        ([], False),
        (ROWS, False),
        ([GONE, ROWS[1]], False),
        ([{**GONE, "n": 2}], False),
    ],
)
def test_log_is_gone(rows: list[dict[str, t.Any]], gone: bool) -> None:
    assert log_is_gone(rows) is gone


@pytest.mark.parametrize(("total", "lines", "start"), [(100, 10, 90), (5, 10, 0), (10, 10, 0), (0, 10, 0), (100, 0, 0)])
def test_tail_start(total: int, lines: int, start: int) -> None:
    assert tail_start(total, lines) == start


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (None, "a task's log is a list of rows, not null."),
        (5, "a task's log is a list of rows, not a number."),
        ("text", "a task's log is a list of rows, not text."),
        (b"text", "a task's log is a list of rows, not a value of type bytes."),
        ({"data": ROWS}, "a task's log is a list of rows, not a dictionary: give what the answer has under 'data'."),
        (
            ["text"],
            "a task's log is a list of rows, not of text: tasks[].log of the modules is text already: join it.",
        ),
        ([5], "row 0 of the log is no dictionary with 'n' (number) and 't' (text)."),
        ([*ROWS, {"n": 4}], "row 3 of the log is no dictionary with 'n' (number) and 't' (text)."),
        ([{"n": "1", "t": "x"}], "'n' of row 0 of the log is no whole number."),
        ([{"n": True, "t": "x"}], "'n' of row 0 of the log is no whole number."),
        ([{"n": 1, "t": None}], "'t' of row 0 of the log is no text."),
    ],
)
def test_decode_rows_says_what_is_wrong(rows: object, reason: str) -> None:
    with pytest.raises(OptionError) as caught:
        decode_rows(rows)
    assert str(caught.value) == reason


def test_whether_the_task_runs_is_not_known_where_it_is_not_told() -> None:
    assert Page([], 0).runs is None


def test_decode_rows_takes_any_iterable() -> None:
    assert decode_rows(row for row in ROWS) == decode_rows(tuple(ROWS)) == "one\ntwo\nTASK OK"


@given(anything())
def test_decode_rows_raises_nothing_else(value: object) -> None:
    try:
        text = decode_rows(value)
    except TasksError:
        return
    assert isinstance(text, str)


# --- safe display

# OSC, DCS, SOS, PM and APC, in both of their forms
SEQUENCES = ("\x1b]", "\x1bP", "\x1bX", "\x1b^", "\x1b_", "\x9d", "\x90", "\x98", "\x9e", "\x9f")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain Büro €", "plain Büro €"),
        ("  indented  ", "  indented"),
        ("a\tb\nc\x0bd", "a b c d"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b31mred\x9bm", "red"),
        ("a\x1b]0;title\x07b\x1b]8;;http://x\x1b\\c", "abc"),
        ("a\x9d0;title\x9cb", "ab"),
        ("a\x1bPdevice\x1b\\b\x1b_app\x1b\\c\x90d\x9cd", "abcd"),
        ("a\x1b(Bb\x1bcc\x1b=", "abc"),
        *((f"a{begin}hidden{end}b", "ab") for begin in SEQUENCES for end in ("\x07", "\x1b\\", "\x9c")),
        ("open \x1b]important text", "open important text"),
        ("half \x1b[", "half"),
        ("half \x1b", "half"),
        ("a\x1b[\x1b[2Jb", "ab"),
        ("10%\r20%\r30%", "30%"),
        ("10%\r20%\r", "20%"),
        ("10%\r20%\r  ", "20%"),
        ("\r", ""),
        ("dos\r\nlines\r\n", "dos lines"),
        ("done\n10%\r20%", "done 20%"),
        ("groups: 0/57\b\b\b\b    \b\b\b\bdone", "groups: done"),
        ("\b\bx", "x"),
        ("\u202eevil\u2066x\u200b\ufeff", "evilx"),
        ("a\u2028b\u00a0c", "a b c"),
        ("null\x00bell\x07c1\x85", "nullbellc1"),
        ("lone \ud800", "lone"),
        ("", ""),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text(st.one_of(st.characters(), st.sampled_from("\x1b\x9b\x9d[]\\\r\b\n;m\x07"))))
def test_clean_text_is_one_safe_line_and_stays_so(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.isprintable()
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no space left.", "no space left"),
        ("  two lines\nand more...\n", "two lines and more"),
        (".hidden: gone", ".hidden: gone"),
        ("it is an X.", "it is an X"),
        ("\x1b[31mred", "red"),
        ("", ""),
    ],
)
def test_a_text_of_others_in_a_sentence(text: str, words: str) -> None:
    assert in_sentence(text) == words


# --- the verdict


@pytest.mark.parametrize(
    ("line", "exitstatus"),
    [
        ("TASK OK", "OK"),
        ("progress 100%TASK OK", "OK"),
        ("progress 50%\rprogress 100%TASK OK", "OK"),
        ("TASK OK\n", "OK"),
        ("TASK OK  ", "OK"),
        ("TASK OKAY", None),
        ("TASK WARNINGS: 2", "WARNINGS: 2"),
        ("glued TASK WARNINGS: 12", "WARNINGS: 12"),
        ("TASK ERROR: command 'x' failed: exit code 1", "command 'x' failed: exit code 1"),
        ("50%TASK ERROR: job errors ", "job errors"),
        ("TASK ERROR: it said TASK OK", "it said TASK OK"),
        ("TASK ERROR: a TASK ERROR: b", "a TASK ERROR: b"),
        ("TASK ERROR: of more\nthan one line\n", "of more\nthan one line"),
        ("TASK ERROR: 5", "5"),
        ("progress 100%", None),
        ("TASK OK, or not", None),
        ("TASK WARNINGS: many", None),
        ("TASK WARNINGS: ", None),
        ("TASK WARNINGS: \u0661", None),
        ("TASK ERROR: ", ""),
        ("TASK ERROR:", ""),
        ("progress 100%TASK ERROR: ", ""),
        ("TASK ERROR:boom", None),
        ("task ok", None),
        ("", None),
    ],
)
def test_verdict(line: str, exitstatus: str | None) -> None:
    assert verdict(["begin", "TASK ERROR: an earlier line does not matter", line]) == exitstatus


MESSAGE = "2025-09-29T09:52:36+02:00: "


@pytest.mark.parametrize(
    ("lines", "exitstatus"),
    [
        ([f"{MESSAGE}TASK OK"], "OK"),
        ([f"{MESSAGE}TASK WARNINGS: 1"], "WARNINGS: 1"),
        ([f"{MESSAGE}TASK ERROR: sync failed with some errors."], "sync failed with some errors."),
        ([f"{MESSAGE}TASK unknown"], "unknown"),
        # Of several lines
        ([f"{MESSAGE}a", f"{MESSAGE}TASK ERROR: failed - code: 2", "Caution: bad header", ""], "failed - code: 2"),
        (["2025-09-29T07:52:36Z: TASK ERROR: no - code: 1", "more"], "no - code: 1"),
        (["2025-09-29T02:52:36-05:00: TASK ERROR: no - code: 1", "more"], "no - code: 1"),
        ([f"{MESSAGE}TASK ERROR: what was run said", "TASK OK"], "what was run said"),
        # No verdict: killed while it told of another's end, or before it had told one
        ([f"{MESSAGE}a", f"{MESSAGE}TASK ERROR: no", f"{MESSAGE}but it goes on"], None),
        ([f"{MESSAGE}the remote's log ends in TASK OK"], None),
        ([f"{MESSAGE}a", "TASK OK"], None),
        ([f"{MESSAGE}a", "b"], None),
        (["TASK OK"], None),
        ([], None),
    ],
)
def test_the_verdict_of_backup_server(lines: list[str], exitstatus: str | None) -> None:
    assert verdict(lines, "pbs") == exitstatus


def test_a_message_of_backup_server_in_another_log_is_no_verdict() -> None:
    assert verdict([f"{MESSAGE}TASK OK", "killed while it went on"]) is None


def test_the_lines_that_are_asked_for_hold_an_error_of_many() -> None:
    log = [f"{MESSAGE}TASK ERROR: no", *["more"] * (VERDICT_LINES - 1)]
    assert verdict(log[-VERDICT_LINES:], "pbs") == "no"


def test_no_lines_are_no_verdict() -> None:
    assert verdict([]) is None


HOSTILE = [
    lambda n: "\x1b]" * n,
    lambda n: "\x9d" * n,
    lambda n: "\x1b[" + "1;" * n,
    lambda n: "\b\r" * n,
    lambda n: "a" * n + "\b" * n,
    lambda n: "TASK ERROR: " * n + " " * n,
    lambda n: "TASK OK " * n + "!",
    lambda n: "\n" * n,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_takes_linear_time(text: t.Callable[[int], str]) -> None:
    # Quadratic work would take minutes, linear takes well under a second.
    line = text(50_000)
    begun = time.process_time()
    assert clean(line).isprintable()
    verdict([line])
    verdict([MESSAGE + line], "pbs")
    assert time.process_time() - begun < 10
