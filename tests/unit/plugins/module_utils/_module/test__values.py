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


def test_numbers_that_cannot_be() -> None:
    assert (seconds("timeout", 0), positive_seconds("poll_interval", 0.1), line_count(0)) == (0, 0.1, 0)
    for value in (-1, float("nan"), float("inf"), 1e300):
        with pytest.raises(OptionError, match="timeout"):
            seconds("timeout", value)
        with pytest.raises(OptionError, match="poll_interval"):
            positive_seconds("poll_interval", value)
    with pytest.raises(OptionError, match="log_lines"):
        line_count(-1)
