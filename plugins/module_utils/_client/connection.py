# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach a cluster and who asks. Private to the collection."""

from __future__ import annotations

import dataclasses

from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import PVE, Service

# 0.6 to 1 s on a node that has nothing else to do.
COMMAND_COST = 1.0


@dataclasses.dataclass(frozen=True)
class Connection:
    """How to reach a cluster and who asks.

    ``hosts`` are ready for a URL: ``name:port`` or ``[address]:port``; without any, this machine is asked.
    """

    hosts: tuple[str, ...]
    user: str
    password: str | None = dataclasses.field(default=None, repr=False)
    otp: str | None = dataclasses.field(default=None, repr=False)
    token_name: str | None = None
    token_secret: str | None = dataclasses.field(default=None, repr=False)
    validate_certs: bool = True
    ca_path: str | None = None
    ca_option: str = "ca_path"  # what to name where the path is of no use
    timeout: float = 15
    service: Service = PVE

    @property
    def authid(self) -> str:
        """Who asks: ``user@realm`` or ``user@realm!token``."""
        return f"{self.user}!{self.token_name}" if self.token_name else self.user

    @property
    def cost(self) -> float:
        """Seconds of this machine's processor that a question costs: one that starts Perl is dear."""
        return 0.0 if self.hosts else COMMAND_COST
