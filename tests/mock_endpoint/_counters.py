# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients asked for and what it cost."""

from __future__ import annotations

import collections
import typing as t


class Counters:
    """Counts since the start or the last reset."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Count from zero."""
        self.connections = 0
        self.bytes_sent = 0
        self.failed_logins = 0
        self.failed_authentications = 0
        self.starved = 0
        self._requests: t.Counter[str] = collections.Counter()
        self._by_node: collections.defaultdict[str, t.Counter[str]] = collections.defaultdict(collections.Counter)
        self._by_host: t.Counter[str] = collections.Counter()

    def request(self, host: str, name: str, node: t.Optional[str]) -> None:
        """Count a request; ``name`` is like ``GET status``."""
        self._requests[name] += 1
        self._requests["total"] += 1
        self._by_host[host] += 1
        if node is not None:
            self._by_node[node][name] += 1

    def read(self) -> dict[str, t.Any]:
        """The counts.

        ``connections`` are TCP connections accepted, ``bytes_sent`` is without TLS's own bytes, ``failed_logins`` were
        refused a ticket, ``failed_authentications`` had a bad ticket or token, ``starved`` got no worker in time.
        """
        return {
            "requests": {"total": 0, **self._requests},
            "connections": self.connections,
            "bytes_sent": self.bytes_sent,
            "failed_logins": self.failed_logins,
            "failed_authentications": self.failed_authentications,
            "starved": self.starved,
            "by_node": {node: dict(counts) for node, counts in self._by_node.items()},
            "by_host": dict(self._by_host),
        }
