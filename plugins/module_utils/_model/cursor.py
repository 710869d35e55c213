# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a log as it grows: where the last read ended, what the next one brings. Pure. Private to the collection."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.log import Row, lines_by_number, log_is_gone


@dataclasses.dataclass(frozen=True)
class Cursor:
    """How much of a log was read: so many ``lines`` wholly, and what there is of the next, which may be unfinished."""

    lines: int = 0
    unfinished: str | None = None

    @property
    def start(self) -> int:
        """From where to ask on, counted from 0: what may have been unfinished is read again."""
        return self.lines


@dataclasses.dataclass(frozen=True)
class Step:
    """What a read brought: the next cursor and the ``lines`` that are now whole, each once, ``skipped`` before them.

    ``anew``: the log is shorter than it was, so that it is to be read again from its beginning.
    """

    cursor: Cursor
    lines: tuple[str, ...] = ()
    skipped: int = 0
    anew: bool = False


def advance(cursor: Cursor, rows: t.Sequence[Row], total: int, ended: bool = False) -> Step:
    """The step that an answer is: ``rows`` from anywhere at or before the cursor on, of ``total`` lines in all.

    ``ended``: the task writes no more, so that its last line is whole as well.

    :raises OptionError: for what is no row, saying what is wrong.
    """
    numbered = lines_by_number(rows)
    if log_is_gone(rows):
        return Step(cursor)
    # Proxmox VE counts the row that says that a log is empty.
    if (total if numbered or not rows else 0) < cursor.lines + (cursor.unfinished is not None):
        return Step(Cursor(), anew=True)
    # Backup Server counts from 1, and so answers one row more.
    fresh = {number: text for number, text in numbered.items() if number > cursor.lines}
    if not fresh:
        return Step(cursor)
    first, last = min(fresh), max(fresh)
    # Only the last line of all can be one that is still being written.
    unfinished = fresh.pop(last) if last >= total and not ended else None
    after = Cursor(last if unfinished is None else last - 1, unfinished)
    return Step(after, tuple(fresh.values()), skipped=first - cursor.lines - 1)
