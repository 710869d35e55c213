# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What task logs say: rows to text, paging, the verdict. Private to the collection.

Pure functions. A row is ``{n, t}``: the line's number, counted from 1, and its text.
"""

from __future__ import annotations

import collections.abc
import re
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.grammar import Product
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import repair, shown

Row = t.Mapping[str, t.Any]


class Page(t.NamedTuple):
    """Some rows of a log, of ``total`` lines in all; ``runs`` is whether its task does, None where that is not told."""

    rows: list[dict[str, t.Any]]
    total: int
    runs: bool | None = None


_EMPTY = "no content"
_GONE = "unable to open file - "


def log_is_gone(rows: t.Iterable[object]) -> bool:
    """Whether the answer only says that there is no log file (a row of Proxmox VE's own, under status 200)."""
    numbered = _numbered(rows)
    return len(numbered) == 1 and numbered.get(1, "").startswith(_GONE)


def lines_of(rows: t.Iterable[object]) -> list[str]:
    """The readable lines in order, each number once.

    :raises OptionError: for what is no row, saying what is wrong.
    """
    return list(lines_by_number(rows).values())


def lines_by_number(rows: t.Iterable[object]) -> dict[int, str]:
    """The readable lines in order, by their numbers.

    Of two rows with one number the later wins: a line that was still being written when it was first read. The row
    that Proxmox VE sends for an empty log is no line.

    :raises OptionError: for what is no row, saying what is wrong.
    """
    numbered = _numbered(rows)
    return {} if numbered == {1: _EMPTY} else {number: repair(text) for number, text in sorted(numbered.items())}


def tail_start(total: int, lines: int) -> int:
    """The ``start`` from which to ask for the last ``lines`` (0: all) of ``total``.

    Backup Server counts from 1 and so answers one row more: keep the last ``lines`` of what comes.
    """
    return max(0, total - lines) if lines else 0


def decode_rows(rows: object) -> str:
    """The text of a log, from its rows in any order.

    :raises OptionError: for all else than an iterable of rows, saying what is wrong.
    """
    if isinstance(rows, collections.abc.Mapping):
        raise OptionError("a task's log is a list of rows, not a dictionary: give what the answer has under 'data'.")
    if isinstance(rows, (str, bytes, bytearray)) or not isinstance(rows, collections.abc.Iterable):
        kind = "text" if isinstance(rows, str) else shown(rows)
        raise OptionError(f"a task's log is a list of rows, not {kind}.")
    rows = list(rows)
    if rows and isinstance(rows[0], str):
        raise OptionError(
            "a task's log is a list of rows, not of text: tasks[].log of the modules is text already: join it."
        )
    return "\n".join(lines_of(rows))


def _checked(index: int, row: object) -> Row:
    if not isinstance(row, collections.abc.Mapping) or not {"n", "t"} <= row.keys():
        raise OptionError(f"row {index} of the log is no dictionary with 'n' (number) and 't' (text).")
    if isinstance(row["n"], bool) or not isinstance(row["n"], int):
        raise OptionError(f"'n' of row {index} of the log is no whole number.")
    if not isinstance(row["t"], str):
        raise OptionError(f"'t' of row {index} of the log is no text.")
    return row


def _numbered(rows: t.Iterable[object]) -> dict[int, str]:
    checked = (_checked(index, row) for index, row in enumerate(rows))
    return {row["n"]: row["t"] for row in checked}


# --- the verdict

_VERDICT = re.compile(r"TASK (?:ERROR:(?:\s*$| (?P<error>.*\S))|(?P<end>OK|WARNINGS: [0-9]+|unknown)\s*$)", re.DOTALL)
_MESSAGE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:Z|[+-][0-9:]{5}): ")
# How many of a log's last lines hold a verdict, if there is one.
VERDICT_LINES = 50


def verdict(lines: t.Sequence[str], product: Product = "pve") -> str | None:
    """The exit status that a log tells by its last line; None where that is no verdict.

    Proxmox VE's line is matched at its end: output without a line break leaves ``progress 100%TASK OK``, which makes it
    answer ``unexpected status`` itself. So does an error without a text (``PVE::Tools::upid_read_status`` wants a
    character of it): its exit status is the empty text here. Backup Server's is the last one with a time in front, and
    nothing else (``upid_read_status`` in worker_task.rs): an error's further lines have none, which older versions take
    for an unknown end and newer ones leave out.
    """
    if product == "pbs":
        last = next((message for message in map(_MESSAGE.match, reversed(lines)) if message), None)
        match = last and _VERDICT.match(last.string, last.end())
    else:
        match = _VERDICT.search(lines[-1]) if lines else None
    return (match["end"] or match["error"] or "") if match else None
