# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Version, realms, logins and nodes."""

from __future__ import annotations

import typing as t

from .._messages import ApiError
from .._routes import Result
from .calls import Call
from .users import CAPABILITIES

# Paths whose privileges are told to everybody who has some there.
TOP = ("/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms")
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


def permissions(call: Call) -> Result:
    """Who may do what where; 1 says that it holds below the path, as all do here.

    Source: ``get_effective_permissions`` in PVE::RPCEnvironment.
    """
    users = call.world.users
    who = call.text("userid", call.who)
    user = users.known.get(who.partition("!")[0])
    if call.who not in {who, who.partition("!")[0]}:
        call.need("Sys.Audit", "/access")
    acls = [] if user is None else [user.acl, *(token.acl for token in user.tokens.values())]
    paths = [call.text("path")] if call.text("path") else [*TOP, *(path for acl in acls for path in acl)]
    privileges = sorted({name for _path, names in CAPABILITIES.values() for name in names.split()})
    told = {path: {name: 1 for name in privileges if user and users.may(who, name, path)} for path in paths}
    return Result({path: held for path, held in told.items() if held})


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
