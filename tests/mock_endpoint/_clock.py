# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One clock for the whole endpoint, so that tests can move time instead of sleeping."""

from __future__ import annotations

import time
import typing as t


class Clock:
    """Epoch seconds that run with a monotonic source and can be moved by hand.

    :param start: epoch seconds of this moment; the real time by default
    :param source: seconds that only ever grow; a constant function stops the clock
    """

    def __init__(self, start: t.Optional[float] = None, source: t.Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._pace = 1.0
        self._offset = 0.0
        self.set(time.time() if start is None else start)

    def now(self) -> float:
        """Epoch seconds."""
        return self._offset + self._source() * self._pace

    def set(self, epoch: float) -> None:
        """Make it ``epoch`` now."""
        self._offset = epoch - self._source() * self._pace

    def run(self, pace: float) -> None:
        """Let ``pace`` seconds pass in each of the source's from now on."""
        now, self._pace = self.now(), pace
        self.set(now)

    def real(self, seconds: float) -> float:
        """In how many of the source's seconds so many pass."""
        return seconds / self._pace

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once."""
        self._offset += seconds
