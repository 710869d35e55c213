# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few workers that a node has for some of its calls: who is busy until when, who waits. No timers, no sockets."""

from __future__ import annotations

import itertools


class Workers:
    """The workers of one node; waiting requests are served first come first served."""

    def __init__(self) -> None:
        self.most = 0  # how many were busy at the same time
        self._busy: list[float] = []
        self._line: list[int] = []
        self._numbers = itertools.count(1)

    def join(self) -> int:
        """Go to the end of the line; the number says who one is."""
        self._line.append(next(self._numbers))
        return self._line[-1]

    def leave(self, number: int) -> None:
        """Wait no longer, served or not."""
        self._line.remove(number)

    def free_for(self, number: int, count: int, now: float) -> bool:
        """Whether one of ``count`` workers is free and it is that one's turn."""
        self._busy = [until for until in self._busy if until > now]
        return self._line[0] == number and len(self._busy) < count

    def occupy(self, until: float) -> None:
        """Keep a worker busy until that time, even if nobody waits for what it does any more."""
        self._busy.append(until)
        self.most = max(self.most, len(self._busy))
