# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a handler of Proxmox VE is given."""

from __future__ import annotations

import dataclasses

from .. import _routes
from .._messages import ApiError
from .world import World


@dataclasses.dataclass(frozen=True)
class Call(_routes.Call):
    """A checked request, and the cluster that it is about."""

    world: World

    def need(self, privilege: str, path: str) -> None:
        """Raise the 403 of a missing privilege."""
        if not self.world.users.may(self.who, privilege, path):
            raise ApiError(403, f"Permission check failed ({path}, {privilege})")
