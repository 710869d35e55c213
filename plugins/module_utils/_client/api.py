# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster as the engine is given it: something that makes a source for each thread. Private to the collection."""

from __future__ import annotations

from ansible_collections.proxkit.tasks.plugins.module_utils._client.calls import Calls
from ansible_collections.proxkit.tasks.plugins.module_utils._client.cluster import Cluster
from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._client.session import Session
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock


class Api:
    """Who answers, for the duration of one call."""

    def __init__(self, connection: Connection, clock: Clock, nodes: int = 1) -> None:
        """Nothing is sent yet; ``nodes`` is how many are asked side by side.

        Raises ``OptionError``: a library is missing, or ``ca_path`` holds no certificate.
        """
        self.cluster = Cluster(connection, clock, shared=nodes > 1)

    @property
    def warnings(self) -> list[str]:
        """What happened on the way that a person should know."""
        return self.cluster.warnings

    def connect(self) -> Calls:
        """A source for one thread."""
        return Calls(Session(self.cluster), self.cluster.connection.service)
