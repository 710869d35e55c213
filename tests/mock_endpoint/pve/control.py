# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control calls that only Proxmox VE has: guests."""

from __future__ import annotations

import dataclasses
import typing as t

from .._control import ControlCall, Json
from .._server import Server
from .._world_control import WorldControl
from .world import Guest, World


class PveControl(WorldControl):
    """All control calls."""

    _world: World

    def __init__(self, server: Server, world: World) -> None:
        super().__init__(server, world)

    def calls(self) -> t.Sequence[ControlCall]:
        """All calls in their HTTP form."""
        return (("POST", "/guests/(?P<vmid>[0-9]+)", self.guest), *super().calls())

    def guest(self, vmid: t.Union[int, str], exists: bool = True, **changes: t.Any) -> Json:
        """Add, change or remove a guest; fields as in Guest."""
        number = int(vmid)
        guest = self._world.guests.pop(number, Guest(number, self._world.local))
        if exists:
            self._world.guests[number] = dataclasses.replace(guest, **changes)
        return {}
