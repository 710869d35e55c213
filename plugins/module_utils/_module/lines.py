# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person reads while a wait lasts: what is known, to lines of text. Pure. Private to the collection.

Texts of others are made safe to show before they are cut: a secret that is cut in two is found by nobody.
"""

from __future__ import annotations

import dataclasses
import typing as t
import unicodedata

from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import TEXT_LENGTH, Progress
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import clean
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid

WIDTH = 100  # columns of a line
_MARK_WIDTH = 70  # of what says whose line it is: beyond that even a name is cut
_PART_WIDTH = 20
_GAP = "..."
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


@dataclasses.dataclass(frozen=True)
class Running:
    """A task that runs: what its log tells, seconds it has been waited for, bytes a second, seconds it may still take.

    None is what cannot be told.
    """

    upid: Upid
    progress: Progress | None = None
    waited: float = 0.0
    rate: float | None = None
    left: float | None = None


class Wording:
    """Words for a terminal: one line each, printable, at most ``WIDTH`` columns, without a secret."""

    def __init__(self, lead: str = "", mask: t.Callable[[str], str] = str) -> None:
        """``lead`` says at the beginning of each line where it is from; ``mask`` takes secrets out of a text."""
        self._mask = mask
        self._lead = self._safe(lead).rstrip(": ")

    def running(self, state: Running) -> str:
        """How far a task is."""
        name = name_of(state.upid)
        room = WIDTH - columns(self._mark(name))
        progress = state.progress
        if progress is None or progress.percent is None:
            return self._line(name, _times(state) + self._words(progress))
        part = cut(self._safe(progress.part), _PART_WIDTH) if not _is_own(progress.part, state.upid) else ""
        share = f"{part} {percentage(progress.percent)}".strip()
        rate = f"{size(state.rate)}/s" if state.rate else ""
        pieces = [share, amount(progress), rate, _times(state, part)]
        # Where it does not fit, it is what can be worked out of the rest that is left out.
        for index in (2, 1):
            if columns(_joined(pieces)) > room:
                pieces[index] = ""
        return self._line(name, _joined(pieces))

    def log(self, upid: Upid, text: str) -> str:
        """A line of a task's log."""
        return self._line(name_of(upid), self._safe(text))

    def end(self, task: Task) -> str:
        """A task ended other than well."""
        text = self._safe(task.exitstatus or "").strip()
        how = {
            "error": f"failed: {text}" if text else "failed without a text",
            "unknown": "ended, but nobody can say how",
            "missing": "is not known to its node",
        }.get(task.outcome, f"cannot be looked at: {self._safe(task.error or 'nobody answers')}")
        return self._line(name_of(task.upid), how)

    def fault(self, node: str, text: str, lasted: float) -> str:
        """Something has kept from looking at a node for so many seconds."""
        return self._line(clean(node), f"cannot be looked at for {duration(lasted)} now: {self._safe(text)}")

    def recovery(self, node: str, lasted: float) -> str:
        """That is over, after so many seconds."""
        return self._line(clean(node), f"can be looked at again, after {duration(lasted)}")

    def counts(self, finished: int, failed: int, running: int, unseen: int) -> str:
        """How many of the tasks are in which state; ``finished`` are those that ended well."""
        rest = ((failed, "failed"), (running, "running"), (unseen, "not seen yet"))
        counted = "".join(f", {count} {state}" for count, state in rest if count)
        return self._line("", f"{finished} of {finished + failed + running + unseen} finished{counted}")

    def left_out(self, count: int) -> str:
        """There were more lines about ends and faults than anybody wants to see at a time."""
        return self._line("", f"{count} more such {'line is' if count == 1 else 'lines are'} left out")

    def _words(self, progress: Progress | None) -> str:
        """The log's own words where it tells no share."""
        if progress is None:
            return ""
        # The end of a text that was cut may be half of a secret.
        whole = len(progress.text) < TEXT_LENGTH
        text = self._safe(progress.text)
        return f", log: {text if whole else text[: TEXT_LENGTH // 2]}"

    def _line(self, name: str, text: str) -> str:
        mark = self._mark(name)
        line = mark + cut(text, WIDTH - columns(mark))
        # What is no secret in parts may be one as a whole, and what takes its place may be wider.
        return cut(self._mask(line), WIDTH).rstrip()

    def _mark(self, name: str) -> str:
        """What stands before the words of a line; the lead has what room the name leaves."""
        name = self._mask(name)
        lead = cut(self._lead, max(10, _MARK_WIDTH - columns(name) - 4))
        mark = cut(": ".join(filter(None, (lead, name))), _MARK_WIDTH)
        return f"{mark}: " if mark else ""

    def _safe(self, text: str) -> str:
        # Before, because what is overwritten may be the end of a secret; after, because escapes may part one.
        return self._mask(clean(self._mask(text)))


def name_of(upid: Upid) -> str:
    """What a person calls a task: node, type and what it is about."""
    return " ".join(filter(None, map(clean, (upid.node, upid.type, upid.id))))


def _is_own(part: str, upid: Upid) -> bool:
    """Whether a part of the work is the guest that the task is about anyway."""
    return bool(upid.id) and part in (f"VM {upid.id}", f"CT {upid.id}")


def _times(state: Running, part: str = "") -> str:
    """What has passed, and what may be left, of the task or of the part of it that is at work."""
    left = "" if state.left is None else f", about {duration(_rough(state.left))} left{' of it' if part else ''}"
    return f"{duration(state.waited)} so far{left}"


def _joined(pieces: t.Iterable[str]) -> str:
    return ", ".join(filter(None, pieces))


# Numbers


def _rough(seconds: float) -> float:
    """An estimate should not look like more."""
    step = 1 if seconds < 20 else 5 if seconds < 600 else 60
    return max(1, round(seconds / step) * step)


def duration(seconds: float) -> str:
    """``45s``, ``1m10s``, ``2h03m``, ``3d04h``."""
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d{hour:02d}h"
    if hours:
        return f"{hours}h{minute:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


def percentage(percent: float) -> str:
    """Never more than it is: what is shown as 100 % is done."""
    return f"{int(percent)} %" if percent >= 10 or percent == int(percent) else f"{int(percent * 10) / 10} %"


def size(count: float) -> str:
    """So many bytes in the units of Proxmox: ``324 MiB``, ``6.7 GiB``."""
    unit = _unit(count)
    return f"{_number(count, unit)} {_UNITS[unit]}"


def amount(progress: Progress) -> str:
    """``6.7 of 19.8 GiB``; empty where the log does not tell it."""
    if progress.done is None:
        return ""
    if not progress.total:
        return size(progress.done)
    unit = _unit(progress.total)
    return f"{_number(progress.done, unit)} of {_number(progress.total, unit)} {_UNITS[unit]}"


def _unit(count: float) -> int:
    return max(index for index in range(len(_UNITS)) if index == 0 or count >= 1024**index)


def _number(count: float, unit: int) -> str:
    value = max(0.0, count) / 1024**unit
    return f"{value:.1f}" if unit and value < 99.95 else f"{value:.0f}"


# Columns


def columns(text: str) -> int:
    """How wide a printable text may get on a terminal."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, width: int) -> str:
    """``text`` in ``width`` columns, without its middle where it is wider."""
    if columns(text) <= width:
        return text
    room = max(0, width - len(_GAP))
    head = _fitting(text, (room + 1) // 2)
    tail = _fitting(text[::-1], room // 2)[::-1]
    return f"{head}{_GAP}{tail}"[:width]


def _fitting(text: str, width: int) -> str:
    """The beginning of ``text`` that fits."""
    for index, char in enumerate(text):
        width -= _width(char)
        if width < 0:
            return text[:index]
    return text
