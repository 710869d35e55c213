# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When to look next: pure arithmetic, and the clock it runs on. Private to the collection."""

from __future__ import annotations

import random
import typing as t

# The pause grows with the time waited. 15 % is the delay a person accepts; less than that leaves room for the request
# that sees the end. Both ends are random so that many waits do not beat in step.
GROWTH = (0.138, 0.143)
# A floor that is only ever stretched: the shortest pause is a promise to the server.
FLOOR_STRETCH = (1.03, 1.1)
# A ceiling that is only ever shortened: the longest pause is a promise to the person.
CEILING_SHRINK = (0.96, 1.0)


def pause(
    waited: float, interval: float, longest: float, uniform: t.Callable[[float, float], float] = random.uniform
) -> float:
    """Seconds until the next look, after ``waited`` seconds.

    Never shorter than ``interval``, never longer than ``longest`` (both in seconds), between the two about 15 % of
    the time waited: a short task is seen at once, a long one costs little. Equal bounds give a fixed interval.
    """
    growing = max(interval * uniform(*FLOOR_STRETCH), waited * uniform(*GROWTH))
    return max(interval, min(growing, longest * uniform(*CEILING_SHRINK)))
