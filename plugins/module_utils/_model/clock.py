# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where time comes from, and the threads that live in it. Private to the collection.

Who starts threads and lets them wait through the clock can be tested without a second passing: a clock that knows all
threads can tell when each of them waits, and move time then.
"""

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

    def start(self, run: t.Callable[[], None]) -> None:
        """Call ``run`` in a thread of its own, which keeps no process from ending."""


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

    def start(self, run: t.Callable[[], None]) -> None:
        """Call ``run`` in a thread of its own, which keeps no process from ending."""
        threading.Thread(target=run, name="proxkit.tasks", daemon=True).start()
