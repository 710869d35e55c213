# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast a task gets on, and how long it may still take. Pure; seconds and bytes. Private to the collection."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import Progress

# The rate is that of the last minutes; a figure that rises seldom is followed for longer.
_WINDOW = 180.0
_FEWEST = 4
# A figure that stands still for so many of its steps, and for so long, tells no longer when it will be at its end.
_STILL = 3.0
_STILL_SECONDS = 15.0
# Past runs whose durations differ by more than this factor tell nothing of the next one.
_SPREAD = 2.0


@dataclasses.dataclass(frozen=True)
class _Point:
    at: float
    share: float
    done: float | None


class Trend:
    """The figures of one part of a task's work, each with the time when it was seen first."""

    def __init__(self) -> None:
        """No figure is known."""
        self._phase: int | None = None
        self._points: list[_Point] = []
        self._tells = False

    def note(self, now: float, progress: Progress) -> None:
        """What the log tells at the monotonic time ``now``."""
        self._tells = progress.percent is not None
        if progress.percent is None:
            return
        point = _Point(now, _share(progress), progress.done)
        if progress.phase != self._phase or (self._points and point.share < self._points[-1].share):
            self._phase, self._points = progress.phase, []
        if not self._points or (point.share, point.done) != (self._points[-1].share, self._points[-1].done):
            self._points.append(point)
        while len(self._points) > _FEWEST and self._points[0].at < now - _WINDOW:
            self._points.pop(0)

    def rate(self, now: float) -> float | None:
        """Bytes per second; None where that cannot be told."""
        if not self._moves(now):
            return None
        first, last = self._points[0], self._points[-1]
        if first.done is None or last.done is None or last.done <= first.done:
            return None
        return (last.done - first.done) / (last.at - first.at)

    def left(self, now: float) -> float | None:
        """Seconds until the figure is at its end, at the rate so far; None where that cannot be told."""
        if not self._moves(now):
            return None
        first, last = self._points[0], self._points[-1]
        if last.share >= 100 or last.share <= first.share:
            return None
        left = (100 - last.share) * (last.at - first.at) / (last.share - first.share) - (now - last.at)
        return left if left > 0 else None

    def _moves(self, now: float) -> bool:
        """Whether there are two points at least, and the last one is not long ago for steps like these."""
        if not self._tells or len(self._points) < 2:
            return False
        first, last = self._points[0], self._points[-1]
        step = (last.at - first.at) / (len(self._points) - 1)
        return step > 0 and now - last.at <= max(_STILL_SECONDS, _STILL * step)


def _share(progress: Progress) -> float:
    """The percentage; most logs give whole ones, and bytes that are finer, or coarser where there are many of them."""
    by_bytes = 100 * progress.done / progress.total if progress.done is not None and progress.total else 0.0
    return min(100.0, max(progress.percent or 0.0, by_bytes))


def left_by_past(durations: t.Sequence[float], age: float) -> float | None:
    """Seconds that a task of this ``age`` has left if it takes as long as others did; None where they do not tell."""
    by_length = sorted(durations)
    if len(by_length) < 2 or by_length[-1] > _SPREAD * by_length[0]:
        return None
    median = (by_length[(len(by_length) - 1) // 2] + by_length[len(by_length) // 2]) / 2
    left = median - age
    return left if left > 0 else None
