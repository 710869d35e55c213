# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time that passes faster than the machine's: a clock for modules, at the pace of the endpoint's."""

from __future__ import annotations

import threading
import time
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import Reply, Request
from ansible_collections.proxkit.tasks.plugins.module_utils._client.https import Wire
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import SystemClock
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock


class PacedClock(SystemClock):
    """Real waiting, cut short: ``pace`` of its seconds pass in a real one, as they do at the endpoint."""

    def __init__(self, mock: Mock, pace: float) -> None:
        self._world = mock.world.clock
        self._pace = pace

    def monotonic(self) -> float:
        """Seconds on a clock that is never set back."""
        return time.monotonic() * self._pace

    def time(self) -> float:
        """Seconds since the epoch, the endpoint's."""
        return self._world.now()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Sleep for ``seconds`` of this clock, less when ``event`` is set; tell whether it is."""
        return super().wait(event, seconds / self._pace)

    def sleep(self, seconds: float) -> None:
        """Sleep for ``seconds`` of this clock."""
        super().sleep(seconds / self._pace)


def paced_exchange(pace: float) -> t.Callable[..., Reply]:
    """``Wire.exchange`` whose limits are seconds of such a clock; sockets know only real ones."""
    exchange = Wire.exchange

    def shortened(self: Wire, host: str, request: Request, connect: float, read: float) -> Reply:
        return exchange(self, host, request, connect / pace, read / pace)

    return shortened
