# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts and numbers that options hold."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._module.values import (
    line_count,
    positive_seconds,
    seconds,
    words,
)


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        (None, ()),
        ([], ()),
        ([""], ()),
        ([" ", ","], ()),
        (["vzdump", " qmstart "], ("vzdump", "qmstart")),
        (["vzdump, qmstart", "vzdump", "a,,b"], ("vzdump", "qmstart", "a", "b")),
        ([100, "101"], ("100", "101")),
    ],
)
def test_words(value: list[t.Any] | None, elements: tuple[str, ...]) -> None:
    assert words(value) == elements


LONGEST = 1e9


def test_numbers_that_can_be() -> None:
    for value in (0.1, 1, LONGEST):
        assert seconds("timeout", value) == positive_seconds("poll_interval", value) == value
    assert (seconds("timeout", 0), line_count(0), line_count(50), line_count(10**6)) == (0, 0, 50, 10**6)


@pytest.mark.parametrize(
    ("made", "value", "text"),
    [
        *(
            (seconds, value, f"some_option: {value} is not a number of seconds, 0 or more.")
            for value in (-1, float("nan"), float("inf"), LONGEST + 1, 1e300)
        ),
        *(
            (positive_seconds, value, f"some_option: {value} is not a number of seconds above 0.")
            for value in (0, -1, float("nan"), float("inf"), LONGEST + 1, 1e300)
        ),
        (lambda _option, value: line_count(value), -1, "log_lines: -1 is no number of lines (0 means all)."),
        (
            lambda _option, value: line_count(value),
            1_000_001,
            "log_lines: 1000001 is above 1000000, the most lines of a log that are returned.",
        ),
    ],
)
def test_numbers_that_cannot_be(made: t.Callable[[str, float], float], value: float, text: str) -> None:
    with pytest.raises(OptionError) as caught:
        made("some_option", value)
    assert str(caught.value) == text
