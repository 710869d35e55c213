# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cluster consists of. Source: PVE::API2::Cluster."""

from __future__ import annotations

import itertools
import typing as t

from .._messages import ApiError
from .._proxy import INVALID
from .._routes import Result
from . import access
from .calls import Call
from .world import STORAGES, Guest

Row = dict[str, t.Any]


def resources(call: Call) -> Result:
    wanted = call.text("type")
    rows: list[Row] = []
    if wanted in {"", "vm"}:
        visible = [
            g for g in call.world.guests.values() if call.world.users.may(call.who, "VM.Audit", f"/vms/{g.vmid}")
        ]
        rows += [_guest(call, guest) for guest in sorted(visible, key=lambda guest: str(guest.vmid))]
    if wanted in {"", "node"}:
        rows += [{key: row[key] for key in row if key != "ssl_fingerprint"} for row in access.nodes(call).data]
    if wanted in {"", "storage"}:
        rows += [_storage(name, node) for name in STORAGES for node in call.world.nodes]
    return Result(rows)


def nextid(call: Call) -> Result:
    """A number that no guest has, as text."""
    asked = call.text("vmid")
    if asked and int(asked) in call.world.guests:
        raise ApiError(400, INVALID, {"vmid": f"VM {asked} already exists"})
    return Result(asked or str(next(number for number in itertools.count(100) if number not in call.world.guests)))


def _guest(call: Call, guest: Guest) -> Row:
    lock = call.world.lock(guest)
    return {
        "id": f"{guest.kind}/{guest.vmid}",
        "vmid": guest.vmid,
        "node": guest.node,
        "type": guest.kind,
        "status": "running" if guest.running else "stopped",
        "name": guest.name or f"guest{guest.vmid}",
        "template": int(guest.template),
        "uptime": 86400 if guest.running else 0,
        **dict.fromkeys(("cpu", "disk", "netin", "netout", "diskread", "diskwrite"), 0),
        "maxcpu": 2,
        "mem": 1 << 30 if guest.running else 0,
        "maxmem": 4 << 30,
        "maxdisk": 8 << 30,
        **({"lock": lock} if lock else {}),
        **({"hastate": "started" if guest.running else "stopped"} if guest.ha else {}),
    }


def _storage(name: str, node: str) -> Row:
    return {
        "id": f"storage/{node}/{name}",
        "type": "storage",
        "storage": name,
        "node": node,
        "status": "available",
        "plugintype": "dir",
        "content": "iso,vztmpl,backup,import",
        "shared": 0,
        "disk": 10 << 30,
        "maxdisk": 100 << 30,
    }
