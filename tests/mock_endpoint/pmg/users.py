# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: users have one role each, and there are no tokens."""

from __future__ import annotations

import dataclasses
import typing as t

from .. import _users
from .._users import ROOT

# A second factor that asks for a time-based code, as JSON whose colon is escaped. Source: TfaChallenge in proxmox-tfa.
CHALLENGE = '{"totp"%3Atrue}'
EVERY_ROLE = ("admin", "helpdesk", "qmanager", "audit")


@dataclasses.dataclass
class User(_users.User):
    """A user with a role; ``acl`` and ``tokens`` are nothing to Mail Gateway."""

    role: str = "admin"


class Users(_users.Users):
    """All users, and the tickets they were given. Source: PMG::API2::AccessControl, PMG::Ticket, PMG::UserConfig."""

    prefix = "PMG"
    kind = User

    def may(self, who: str, privilege: str, path: str) -> bool:
        """Always: the proxy has asked for the role before a handler could ask for more."""
        return True

    def role(self, name: str) -> str:
        """The role of somebody who is known."""
        user = self.known[name]
        return "root" if name == ROOT else t.cast(User, user).role

    def plays(self, name: str, roles: t.Collection[str]) -> bool:
        """Whether somebody has one of the roles; helpdesk is as good as qmanager and audit, root as all."""
        role = self.role(name)
        return name == ROOT or not {role, *(("qmanager", "audit") if role == "helpdesk" else ())}.isdisjoint(roles)

    def welcoming(self, name: str, stamp: str) -> dict[str, t.Any]:
        """What is said beside the ticket."""
        return {**super().welcoming(name, stamp), "role": self.role(name)}

    def challenging(self, name: str, stamp: str) -> dict[str, t.Any]:
        """The answer to the first of two factors."""
        return {**super().challenging(name, stamp), "role": self.role(name)}

    def challenge(self, name: str, stamp: str) -> str:
        """The ticket that the first of two factors earns: the name is signed with it, but not in it."""
        return f"PMG:!tfa!{CHALLENGE}:{stamp}::{self._digest('challenge', name, stamp)}"
