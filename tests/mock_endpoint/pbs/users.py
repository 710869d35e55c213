# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of Proxmox Backup Server. Sources: proxmox-auth-api access.rs and mod.rs, pbs-config cached_user_info.rs."""

from __future__ import annotations

import typing as t
import urllib.parse

from .. import _users

PRIVILEGES = (
    "Sys.Audit",
    "Sys.Modify",
    "Datastore.Audit",
    "Datastore.Modify",
    "Datastore.Verify",
    "Datastore.Backup",
    "Datastore.Prune",
    "Remote.Read",
)


class Users(_users.Users):
    """All users of the server."""

    prefix = "PBS"
    separator = ":"

    def may(self, who: str, privilege: str, path: str) -> bool:
        """Whether a user or token has a privilege; a token has none that it was not given itself, root's neither."""
        name, _mark, token = who.partition("!")
        own = not token or _users.granted(self.known[name].tokens[token].acl, privilege, path)
        return own and super().may(name, privilege, path)

    def by_token(self, text: str) -> t.Optional[str]:
        """``user@realm!name`` where name and percent-encoded secret are right."""
        name, separator, secret = text.partition(self.separator)
        return super().by_token(f"{name}{separator}{urllib.parse.unquote(secret)}")

    def challenging(self, name: str, stamp: str) -> dict[str, t.Any]:
        """The answer to the first of two factors: only the ticket shows that it is not enough."""
        return {"username": name, "ticket": self.challenge(name, stamp), "CSRFPreventionToken": "invalid"}

    def challenge(self, name: str, stamp: str) -> str:
        """A ticket that holds what may follow, not the user."""
        signed = self._sign(self.prefix, '!tfa!{"totp"%3Atrue}', stamp)
        return signed + self._digest("challenge", name, stamp)

    def renews(self, who: str, name: str) -> bool:
        """Whether a ticket of ``who`` is as good as the password of ``name``."""
        return who == name
