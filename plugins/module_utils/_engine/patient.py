# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reader that asks again where a fault may pass: the one place that does. Private to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import Reader, Rows
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import ApiError, Unreachable
from ansible_collections.proxkit.tasks.plugins.module_utils._model.log import Page
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid

T = t.TypeVar("T")

TRIES = 3
TRY_AGAIN_SECONDS = 0.3


class Patient:
    """A reader that tries each request three times at most: a passing fault may be over a moment later."""

    def __init__(self, source: Reader, clock: Clock) -> None:
        """``source`` is asked; ``clock`` passes the time between two tries."""
        self._source = source
        self._clock = clock

    def status(self, upid: Upid, deadline: float) -> dict[str, t.Any]:
        """See ``Reader``."""
        return self._patiently(lambda: self._source.status(upid, deadline))

    def listed(self, node: str, deadline: float, **filters: t.Any) -> tuple[Rows, int | None]:
        """See ``Reader``."""
        return self._patiently(lambda: self._source.listed(node, deadline, **filters))

    def cluster_tasks(self, deadline: float) -> Rows:
        """See ``Reader``."""
        return self._patiently(lambda: self._source.cluster_tasks(deadline))

    def log(self, upid: Upid, start: int, limit: int, deadline: float) -> Page:
        """See ``Reader``."""
        return self._patiently(lambda: self._source.log(upid, start, limit, deadline))

    def node_names(self, deadline: float) -> list[str]:
        """See ``Reader``."""
        return self._patiently(lambda: self._source.node_names(deadline))

    def missing_right(self, node: str, deadline: float) -> str | None:
        """See ``Reader``."""
        return self._patiently(lambda: self._source.missing_right(node, deadline))

    def close(self) -> None:
        """See ``Reader``."""
        self._source.close()

    def _patiently(self, ask: t.Callable[[], T]) -> T:
        for _try in range(TRIES - 1):
            try:
                return ask()
            except ApiError as exc:
                # What took all the time of a request will hardly be faster now.
                if not exc.passing or (isinstance(exc, Unreachable) and exc.timed_out):
                    raise
            self._clock.sleep(TRY_AGAIN_SECONDS)
        return ask()
