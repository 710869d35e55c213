# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts and numbers that options hold, whichever option it is. Pure. Private to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.look import MOST_LINES
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import OptionError

# What modules that return logs take as ``log_lines``.
LOG_LINES: dict[str, t.Any] = {"type": "int", "default": 50}

# 30 years; somewhat above, waiting itself overflows.
_LONGEST_SECONDS = 1e9


def words(value: t.Iterable[t.Any] | None) -> tuple[str, ...]:
    """The elements of a list, once each; text may hold several with commas between them. Blanks and empty ones go."""
    parts = [part.strip() for entry in value or () for part in str(entry).split(",")]
    return tuple(dict.fromkeys(part for part in parts if part))


def positive_seconds(option: str, value: float) -> float:
    """``value`` where it is a time one can wait for, else ``OptionError``."""
    if not 0 < value <= _LONGEST_SECONDS:
        raise OptionError(f"{option}: {value} is not a number of seconds above 0.")
    return value


def seconds(option: str, value: float) -> float:
    """``value`` where it is zero or a time one can wait for, else ``OptionError``."""
    if not 0 <= value <= _LONGEST_SECONDS:
        raise OptionError(f"{option}: {value} is not a number of seconds, 0 or more.")
    return value


def line_count(value: int) -> int:
    """``value`` where it is a number of lines, else ``OptionError``."""
    if value < 0:
        raise OptionError(f"log_lines: {value} is no number of lines (0 means all).")
    if value > MOST_LINES:
        raise OptionError(f"log_lines: {value} is above {MOST_LINES}, the most lines of a log that are returned.")
    return value
