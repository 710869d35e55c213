# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When to look next: pure arithmetic. Private to the collection. Times are monotonic seconds."""

from __future__ import annotations

import dataclasses
import math
import random
import typing as t

# The pause grows with the time waited. 15 % is the delay a person accepts; less than that leaves room for the request
# that sees the end. Both ends are random so that many waits do not beat in step.
GROWTH = (0.138, 0.143)
# A floor that is only ever stretched: the shortest pause is a promise to the server.
FLOOR_STRETCH = (1.03, 1.1)
# A ceiling that is only ever shortened: the longest pause is a promise to the person.
CEILING_SHRINK = (0.96, 1.0)
# Seconds over which a rate is measured at least: a figure in steps makes it look too fast over less.
RATE_SPAN = 10.0

Uniform = t.Callable[[float, float], float]


@dataclasses.dataclass(frozen=True)
class Outlook:
    """What the figure of a task leads one to expect.

    ``earliest`` is when it can end at the earliest, None where nobody knows; ``step`` the seconds that one step of the
    figure takes; ``anew`` since when nothing is known of how long the rest takes, where something was before.
    """

    earliest: float | None = None
    step: float = math.inf
    anew: float = -math.inf


UNKNOWN = Outlook()


def pause(
    waited: float,
    interval: float,
    longest: float,
    uniform: Uniform = random.uniform,
    *,
    remains: float = 0.0,
    step: float = math.inf,
) -> float:
    """Seconds until the next look, after ``waited`` seconds.

    Never shorter than ``interval``, never longer than ``longest`` (both in seconds), between the two about 15 % of
    the time waited: a short task is seen at once, a long one costs little. Equal bounds give a fixed interval.

    Where a task tells how far it is, it is at least half of what ``remains``, or if that is more, about 15 % of
    the time that one ``step`` of its figure takes.
    """
    growing = max(min(waited, step) * uniform(*GROWTH), remains / 2)
    return max(interval, min(max(interval * uniform(*FLOOR_STRETCH), growing), longest * uniform(*CEILING_SHRINK)))


def pause_for(
    outlook: Outlook,
    now: float,
    begun: float,
    interval: float,
    longest: float,
    uniform: Uniform = random.uniform,
) -> float:
    """Seconds until the next look at a task with this outlook, in a wait that has ``begun`` then."""
    waited = now - max(begun, outlook.anew)
    if outlook.earliest is None:
        return pause(waited, interval, longest, uniform)
    remains = max(0.0, outlook.earliest - now)
    return pause(waited, interval, longest, uniform, remains=remains, step=outlook.step)


class Forecast:
    """The outlook of one task, from the figures that its log tells one after the other."""

    def __init__(self) -> None:
        """No figure is known yet."""
        self._figure: float | None = None
        self._anew = -math.inf
        self._begin(0.0, None)

    def note(self, at: float, percent: float | None) -> Outlook:
        """What is to be expected after the log told ``percent`` at the time ``at``; None: it told no figure."""
        # What comes after 100 % has no figure.
        figure = percent if percent is not None and percent < 100 else None
        if figure is None or self._figure is None or figure < self._figure:
            self._begin(at, figure)
        else:
            self._go_on(at, figure)
        return Outlook(self._earliest(at), self._step_seconds(at), self._anew)

    def _begin(self, at: float, figure: float | None) -> None:
        """A part of the work begins that has a figure of its own, or none."""
        if self._figure is not None:
            self._anew = at
        self._figure = figure
        self._first = self._anchor = (at, figure or 0.0)  # of the first one, and where a rate is measured from
        self._changed = at  # when the figure took its last step
        self._fastest = self._latest = 0.0  # percent a second
        self._step = 0  # of the figure, in hundredths of a percent

    def _go_on(self, at: float, figure: float) -> None:
        if figure != self._figure:
            self._step = math.gcd(self._step, round(100 * (figure - (self._figure or 0.0))))
            self._figure, self._changed = figure, at
        if at - self._anchor[0] >= RATE_SPAN:
            self._latest = _rate(self._anchor, (at, figure)) or self._latest
            self._fastest = max(self._fastest, self._latest)
            self._anchor = (at, figure)

    def _earliest(self, at: float) -> float | None:
        if self._figure is None:
            return None
        rate = self._fastest or _rate(self._first, (at, self._figure))
        # The figure may be about to take its next step.
        return at + max(0.0, 100 - self._figure - self._step / 100) / rate if rate > 0 else None

    def _step_seconds(self, at: float) -> float:
        rate = self._latest or _rate(self._first, (at, self._figure or 0.0))
        # One that has taken longer will hardly be faster.
        return max(self._step / 100 / rate, at - self._changed) if rate > 0 else math.inf


def _rate(before: tuple[float, float], after: tuple[float, float]) -> float:
    """Percent a second between two times and figures."""
    seconds = after[0] - before[0]
    return (after[1] - before[1]) / seconds if seconds > 0 else 0.0
