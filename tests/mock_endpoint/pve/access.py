# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Version, realms, logins and nodes."""

from __future__ import annotations

import typing as t

from .._messages import ApiError
from .._routes import Result
from .calls import Call

REALMS = {"pam": ("pam", "Linux PAM standard authentication"), "pve": ("pve", "Proxmox VE authentication server")}


def version(_call: Call) -> Result:
    return Result({"version": "9.2.11", "release": "9.2", "repoid": "14a22df35955d97d"})


def domains(call: Call) -> Result:
    realms = dict.fromkeys([*REALMS, *(name.rpartition("@")[2] for name in call.world.users.known)])
    rows = [
        dict(zip(("type", "comment"), REALMS.get(realm, ("ad", f"realm {realm}"))), realm=realm) for realm in realms
    ]
    return Result(rows)


def login_page(_call: Call) -> Result:
    """Nothing; PVE has it for formatters that show a page to log in."""
    return Result()


def ticket(call: Call) -> Result:
    name = call.text("username") + (f"@{call.text('realm')}" if call.text("realm") else "")
    given = {key: str(value) for key, value in call.params.items()}
    data = call.world.users.login(name, given, call.world.clock.now())
    if data is None:
        raise ApiError(401, "authentication failure", delay=call.world.settings.auth_delay)
    return Result(data)


def nodes(call: Call) -> Result:
    rows = []
    for node in call.world.nodes.values():
        up = node.online and not call.world.down(node.name)
        status = node.reported or ("online" if up else "offline")
        row: dict[str, t.Any] = {
            "node": node.name,
            "id": f"node/{node.name}",
            "type": "node",
            "status": status,
            "ssl_fingerprint": ":".join(["00"] * 32),
        }
        if status == "online":
            row.update(cpu=0.02, maxcpu=8, mem=8 << 30, maxmem=32 << 30, disk=10 << 30, maxdisk=100 << 30)
            row.update(uptime=call.world.uptime(node.name), level="")
        rows.append(row)
    return Result(rows)
