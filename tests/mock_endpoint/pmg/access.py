# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Version, realms, logins and nodes."""

from __future__ import annotations

import re

from .._messages import ApiError
from .._routes import Result
from .._users import ROOT
from ..pve.access import login_page
from ..pve.calls import Call

__all__ = ["login_page", "nodes", "realms", "ticket", "version"]

REALMS = {"pam": "Linux PAM standard authentication", "pmg": "Proxmox Mail Gateway authentication server"}


def version(_call: Call) -> Result:
    return Result({"version": "9.1.0", "release": "9.1", "repoid": "0b3becae1f5a20c4"})


def realms(_call: Call) -> Result:
    """Source: PMG::API2::AuthRealm."""
    return Result([{"realm": realm, "type": realm, "comment": comment} for realm, comment in REALMS.items()])


def ticket(call: Call) -> Result:
    """A login. Nothing says why it failed. Source: ``create_ticket`` in PMG::API2::AccessControl.

    A user without a realm, or of one that is not known, is taken for one of the quarantine's, whose logins (by LDAP)
    always fail here. A code in ``otp`` is a response like the one to a challenge, and an empty one is none.
    """
    name = call.text("username")
    if not re.search(f"@({'|'.join(REALMS)}|quarantine)$", name):
        name += f"@{call.text('realm', 'quarantine')}"
    name = ROOT if name == "root@pmg" else name
    given = {key: str(value) for key, value in call.params.items() if value or key != "otp"}
    if "otp" in given:
        kind, _colon, code = given["otp"].partition(":")
        given["otp"] = code if kind == "totp" else ""
    data = call.world.users.login(name, given, call.world.clock.now())
    if data is None:
        raise ApiError(401, "authentication failure", delay=call.world.settings.auth_delay)
    return Result({"username": name} if "path" in given else data)


def nodes(call: Call) -> Result:
    """Names only, the node itself first; nobody says which of them are up. Source: PMG::API2::Nodes."""
    return Result([{"node": node} for node in call.world.nodes])
