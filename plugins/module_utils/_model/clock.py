# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time as the collection sees it. Private to the collection."""

from __future__ import annotations

import threading
import time
import typing as t


class Clock(t.Protocol):
    """Time as the collection sees it; tests inject their own."""

    def monotonic(self) -> float:
        """Seconds on a clock that is never set back."""

    def time(self) -> float:
        """Seconds since the epoch."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Sleep for ``seconds``, less when ``event`` is set; tell whether it is."""

    def sleep(self, seconds: float) -> None:
        """Sleep for ``seconds``."""


class SystemClock:
    """The machine's own time."""

    def monotonic(self) -> float:
        """Seconds on a clock that is never set back."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Sleep for ``seconds``, less when ``event`` is set; tell whether it is."""
        return event.wait(max(0.0, seconds))

    def sleep(self, seconds: float) -> None:
        """Sleep for ``seconds``."""
        time.sleep(seconds)
