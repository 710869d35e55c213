# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest, and how it fares."""

from __future__ import annotations

import typing as t

from .._messages import ApiError
from .._proxy import INVALID
from .._routes import Result
from . import schema
from .calls import Call
from .world import Guest, UnknownGuest


def guest_of(call: Call, kind: str, privilege: str) -> Guest:
    """The guest that a request is about; raises ApiError."""
    vmid, node = call.where["vmid"], call.where["node"]
    wrong = schema.vmid(vmid)
    if wrong:
        raise ApiError(400, INVALID, {"vmid": wrong})
    call.need(privilege, f"/vms/{vmid}")
    try:
        return call.world.guest(int(vmid), node, kind)
    except UnknownGuest as exc:
        folder = "qemu-server" if kind == "qemu" else "lxc"
        raise ApiError(500, f"Configuration file 'nodes/{node}/{folder}/{vmid}.conf' does not exist") from exc


def status(kind: str) -> t.Callable[[Call], Result]:
    """Source: ``vm_status`` in PVE::API2::Qemu and PVE::API2::LXC::Status."""

    def tell(call: Call) -> Result:
        guest = guest_of(call, kind, "VM.Audit")
        lock = call.world.lock(guest)
        said = "running" if guest.running else "stopped"
        return Result(
            {
                "vmid": guest.vmid,
                "name": guest.name or f"guest{guest.vmid}",
                "status": said,
                **({"qmpstatus": said} if kind == "qemu" else {"type": "lxc"}),
                "cpus": 2,
                "cpu": 0,
                "mem": 1 << 30 if guest.running else 0,
                "maxmem": 4 << 30,
                "maxdisk": 8 << 30,
                "uptime": 86400 if guest.running else 0,
                "ha": {"managed": int(guest.ha)},
                **({"template": 1} if guest.template else {}),
                **({"lock": lock} if lock else {}),
            }
        )

    return tell
