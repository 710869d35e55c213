# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and writes mutants: a line that says where, and why none notices it, then what was and what is there."""

from __future__ import annotations

import re
import typing as t

_CHANGE = re.compile(r"((?:^-.*\n)+)((?:^\+.*\n)+)", re.MULTILINE)


class Change(t.NamedTuple):
    """Some lines of a file, without their indentation, and what they are changed to."""

    path: str
    was: str
    now: str


def written(where: str, was: str, now: str) -> str:
    """A mutant to read."""
    lines = [f"-{line}" for line in was.splitlines()] + [f"+{line}" for line in now.splitlines()]
    return "\n".join([where, *lines, "", ""])


def read(text: str) -> set[Change]:
    """The mutants that a text explains; comments begin with ``#``."""
    found = set()
    for block in re.split("\n\n+", text.strip()):
        path, colon, rest = block.partition(":")
        if not path.startswith("#"):
            reason, _line, changes = rest.partition("\n")
            pairs = _CHANGE.findall(f"{changes.rstrip()}\n")
            if not (colon and reason.strip() and pairs):
                raise ValueError(f"this explains no mutant:\n{block}")
            found |= {Change(path, _unmarked(was), _unmarked(now)) for was, now in pairs}
    return found


def _unmarked(lines: str) -> str:
    return "\n".join(line[1:] for line in lines.splitlines())
