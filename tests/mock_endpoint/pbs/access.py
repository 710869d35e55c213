# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Version, realms, logins and nodes. Sources: src/api2/{version,ping}.rs, node/mod.rs, access/domain.rs."""

from __future__ import annotations

from .._messages import ApiError
from .._routes import Result
from .calls import Call, Reply

REALMS = [
    {"realm": "pam", "type": "pam", "comment": "Linux PAM standard authentication", "default": True},
    {"realm": "pbs", "type": "pbs", "comment": "Proxmox Backup authentication server"},
]
DIGEST = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def ping(_call: Call) -> Result:
    return Reply({"pong": True})


def version(_call: Call) -> Result:
    return Reply({"version": "4.1", "release": "0", "repoid": "5b1d8a3e97c24a57"})


def domains(_call: Call) -> Result:
    return Reply(REALMS, beside={"digest": DIGEST})


def ticket(call: Call) -> Result:
    """A login. Source: ``handle_ticket_creation`` in proxmox-auth-api's access.rs."""
    if "password" not in call.params:
        raise ApiError(400, "no password provided")
    given = {key: str(value) for key, value in call.params.items()}
    data = call.world.users.login(call.text("username"), given, call.world.clock.now())
    if data is None:
        raise ApiError(401, "permission check failed.", delay=call.world.settings.auth_delay)
    return Reply(data)


def nodes(call: Call) -> Result:
    return Reply([{"node": call.world.local}])
