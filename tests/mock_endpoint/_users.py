# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: users, tokens, privileges, tickets."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import secrets
import typing as t

ROOT = "root@pam"
TICKET_LIFETIME = 7200.0
PASSED, CHALLENGED = "passed", "challenged"
Acl = dict[str, set[str]]


@dataclasses.dataclass
class Token:
    """An API token; with ``separated`` privileges it has its own ``acl`` only, cut down to its user's."""

    secret: str
    separated: bool = False
    acl: Acl = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class User:
    """A user; ``acl`` holds privileges by path, each valid for everything below the path.

    :param otp: the code of the second factor, good for one login
    :param spent: codes that have been used
    """

    password: str
    otp: t.Optional[str] = None
    enabled: bool = True
    acl: Acl = dataclasses.field(default_factory=dict)
    tokens: dict[str, Token] = dataclasses.field(default_factory=dict)
    spent: set[str] = dataclasses.field(default_factory=set)

    def spend(self, code: t.Optional[str]) -> bool:
        """Use a code: whether it is the right one, for the first time."""
        if code is None or code != self.otp or code in self.spent:
            return False
        self.spent.add(code)
        return True


class Users:
    """All users, and the tickets they were given; what is said to those who log in is as the Perl products say it.

    :cvar prefix: what tickets begin with
    :cvar separator: what stands between the name and the secret of a token
    :cvar kind: what is known of a user
    """

    prefix: t.ClassVar[str]
    separator: t.ClassVar[str] = "="
    kind: t.ClassVar[type[User]] = User

    def __init__(self, users: dict[str, User]) -> None:
        self.known = users
        self.lifetime = TICKET_LIFETIME
        self._key = secrets.token_bytes(32)

    def expire_tickets(self) -> None:
        """Make every ticket given so far worthless, as a change of the key does."""
        self._key = secrets.token_bytes(32)

    def may(self, who: str, privilege: str, path: str) -> bool:
        """Whether user or token ``who`` has ``privilege`` on ``path``."""
        name, _mark, token_name = who.partition("!")
        user = self.known[name]
        by_user = name == ROOT or granted(user.acl, privilege, path)
        token = user.tokens.get(token_name)
        return by_user and (token is None or not token.separated or granted(token.acl, privilege, path))

    def by_token(self, text: str) -> t.Optional[str]:
        """``user@realm!name`` where name and secret are right."""
        name, _separator, secret = text.partition(self.separator)
        user = self.known.get(name.partition("!")[0])
        token = user.tokens.get(name.partition("!")[2]) if user and user.enabled else None
        return name if token and hmac.compare_digest(token.secret.encode(), secret.encode()) else None

    def by_ticket(self, ticket: str, now: float) -> t.Optional[str]:
        """``user@realm`` for the valid ticket of somebody who may still come in."""
        name = self.holder(ticket, now)
        user = self.known.get(name or "")
        return name if user is not None and user.enabled else None

    def holder(self, ticket: str, now: float) -> t.Optional[str]:
        """``user@realm`` for a valid ticket, whatever has become of the user."""
        kind, _colon, rest = ticket.partition(":")
        name, _colon, stamp = rest.partition("::")[0].rpartition(":")
        if kind != self.prefix:
            return None
        if not hmac.compare_digest(ticket.encode(), self._sign(self.prefix, name, stamp).encode()):
            return None
        return name if now - int(stamp, 16) < self.lifetime else None

    def login(self, name: str, given: t.Mapping[str, str], now: float) -> t.Optional[dict[str, t.Any]]:
        """What POST /access/ticket answers, None for a failed login.

        :param given: ``password`` (or a valid ticket of the same user) and, for a second factor, either ``otp`` or
            ``tfa-challenge`` with a password of the form ``totp:123456``
        """
        user = self.known.get(name)
        passed = user is not None and user.enabled and self._passed(name, user, given, now)
        if not passed:
            return None
        stamp = f"{int(now):08X}"
        if passed == CHALLENGED:
            return self.challenging(name, stamp)
        return {"username": name, "ticket": self._sign(self.prefix, name, stamp), **self.welcoming(name, stamp)}

    def challenging(self, name: str, stamp: str) -> dict[str, t.Any]:
        """The answer to the first of two factors."""
        return {
            "username": name,
            "ticket": self.challenge(name, stamp),
            "CSRFPreventionToken": self.csrf(name, stamp),
            "NeedTFA": 1,
        }

    def welcoming(self, name: str, stamp: str) -> dict[str, t.Any]:
        """What is said beside the ticket."""
        return {"CSRFPreventionToken": self.csrf(name, stamp)}

    def challenge(self, name: str, stamp: str) -> str:
        """The ticket that the first of two factors earns."""
        return self._sign(f"{self.prefix}:!tfa!", name, stamp)

    def renews(self, who: str, name: str) -> bool:
        """Whether a ticket of ``who`` is as good as the password of ``name``."""
        return who in {name, ROOT}

    def csrf(self, name: str, stamp: str) -> str:
        """The token that writing by ticket needs; ``stamp`` is the time in hexadecimal."""
        return f"{stamp}:{self._digest('csrf', name, stamp)}"

    def csrf_valid(self, name: str, given: str) -> bool:
        """Whether ``given`` is a token of that user."""
        return hmac.compare_digest(given.encode(), self.csrf(name, given.partition(":")[0]).encode())

    def _passed(self, name: str, user: User, given: t.Mapping[str, str], now: float) -> str:
        """What was earned: a ticket, a challenge, or the empty string."""
        password = given.get("password", "")
        challenge = given.get("tfa-challenge")
        if challenge is not None:
            stamp = challenge.partition("::")[0].rpartition(":")[2]
            right = challenge == self.challenge(name, stamp) and user.spend(password.partition(":")[2])
            return PASSED if right else ""
        renewing = self.by_ticket(password, now)
        if renewing is not None and self.renews(renewing, name):
            return PASSED
        if password != user.password:
            return ""
        if user.otp is not None and "otp" not in given:
            return CHALLENGED
        return PASSED if user.otp is None or user.spend(given.get("otp")) else ""

    def _sign(self, kind: str, name: str, stamp: str) -> str:
        return f"{kind}:{name}:{stamp}::{self._digest(kind, name, stamp)}"

    def _digest(self, *parts: str) -> str:
        digest = hmac.new(self._key, ":".join(parts).encode(), hashlib.sha256).digest()
        return base64.b64encode(digest).decode().rstrip("=")


def granted(acl: Acl, privilege: str, path: str) -> bool:
    """Whether an ACL has a privilege on a path or above it."""
    parts = path.strip("/").split("/")
    above = ["/"] + ["/" + "/".join(parts[: depth + 1]) for depth in range(len(parts))]
    return any(privilege in acl.get(step, ()) for step in above)
