# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials: tickets, what is sent of them, and when to try again what was refused. Private to the collection.

Directories lock accounts and Proxmox locks second factors after some refused logins: a password is never sent more
often than there is hope. All times are monotonic seconds.
"""

from __future__ import annotations

import string
import threading
import typing as t
from urllib.parse import quote

from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import LOGIN, Request, mapping_of
from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import SERVICES
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import ApiError, Fault, LoginRefused

# A ticket lives for two hours; renewed at half its life it survives a server that is away for a while.
RENEW_AFTER = 3600.0
TICKET_SECONDS = 7200.0
# A renewal that failed is tried again this much later: the ticket is still good.
RENEW_AGAIN = 300.0
# Pauses before the second and the third try with credentials that were good before: a directory may be away.
PAUSES = (10.0, 60.0)
# What a header value may hold as it is; Proxmox percent-decodes cookies and tokens (PVE::APIServer::AnyEvent), ...
_PLAIN = "!#$&'()*+-./:<=>?@[]^_`{|}~"
# ... but not all of it everywhere.
_PRINTABLE = string.ascii_letters + string.digits + string.punctuation

# Of a ticket that still wants a second factor; Backup Server says so nowhere else (proxmox-auth-api: ``ApiTicket``).
_PARTIAL = ":!tfa!"

# What it answers holds a ticket.
Post = t.Callable[[Request], dict[str, t.Any]]


class Ticket(t.NamedTuple):
    """What a login earns; ``renew_at`` is when it should be renewed, which is of no use from ``ends`` on."""

    text: str
    csrf: str
    renew_at: float
    ends: float


class Refusals:
    """Counts the refusals of credentials that had been good before, and says when they may be tried again.

    Any thread may tell it of a success at any time, so each decision reads the last refusal once.
    """

    def __init__(self, once: bool) -> None:
        """``once``: the first refusal is final, as for a one-time code."""
        self._tries = 1 if once else len(PAUSES) + 1
        self._count = 0
        self._due = 0.0
        self._noted = float("-inf")
        self._last: ApiError | None = None

    def check(self, now: float) -> None:
        """Raise the last refusal where it is too early, or no use, to try again."""
        last = self._last
        if last is not None and (now < self._due or isinstance(last, LoginRefused)):
            raise last

    def add(self, refusal: LoginRefused, now: float, *, sent: float, known: bool) -> ApiError:
        """The error to raise for a refusal of what was ``sent`` then; ``known``: these credentials were good before."""
        last = self._last
        if last is not None and sent <= self._noted:
            # Others asked in the same moment: that is no further try.
            return last
        self._noted = now
        error: ApiError = refusal
        if known:
            count = self._count = self._count + 1
            text = f"the login was lost: {refusal.message}"
            if count >= self._tries:
                error = LoginRefused(text)
            else:
                self._due = now + PAUSES[count - 1]
                error = Fault(text)
        self._last = error
        return error

    def forget(self) -> None:
        """The credentials are good (again)."""
        self._count, self._last = 0, None


class Login:
    """The ticket that the threads of one call share, and how to get another."""

    def __init__(self, connection: Connection) -> None:
        """Nothing is sent yet."""
        self._connection = connection
        self._lock = threading.Lock()
        self._first = True
        self.ticket: Ticket | None = None
        self.refusals = Refusals(once=bool(connection.otp) and connection.password is not None)

    @property
    def secrets(self) -> tuple[str, ...]:
        """All that no message may hold."""
        given, ticket = self._connection, self.ticket
        held = (ticket.text, ticket.csrf) if ticket else ()
        return tuple(secret for secret in (given.password, given.otp, given.token_secret, *held) if secret)

    def sign(self, request: t.Any) -> None:
        """Put credentials into the headers of a prepared request."""
        given, ticket = self._connection, self.ticket
        if given.token_name:
            owner = quote(given.authid, safe=_PLAIN if given.service.encoded_ids else _PRINTABLE)
            secret = quote(str(given.token_secret), safe=_PLAIN)
            request.headers["Authorization"] = str(given.service.token).format(who=owner, secret=secret)
        elif ticket is not None:
            request.headers["Cookie"] = f"{given.service.cookie}={quote(ticket.text, safe=_PLAIN)}"
            if request.method != "GET":
                request.headers["CSRFPreventionToken"] = ticket.csrf

    def ensure(self, post: Post, now: float, instead_of: Ticket | None = None) -> None:
        """See to it that there is a ticket, not ``instead_of``; one thread does it for all. Raises ``ApiError``."""
        if self._connection.password is None:
            self.refusals.check(now)
            return
        with self._lock:
            self.refusals.check(now)
            ticket = self.ticket
            if ticket is None or now >= ticket.ends or (instead_of and ticket.text == instead_of.text):
                self._by_password(post, now)
            elif now >= ticket.renew_at:
                self._renew(ticket, post, now)

    def refused(self, refusal: LoginRefused, now: float, *, sent: float, known: bool) -> ApiError:
        """The error to raise where a token, or a ticket just earned, is refused; ``known``: it was good before."""
        with self._lock:
            return self.refusals.add(refusal, now, sent=sent, known=known)

    def _by_password(self, post: Post, now: float) -> None:
        try:
            self.ticket = self._new_ticket(post, t.cast(str, self._connection.password), now)
        except LoginRefused as exc:
            # What it was to replace is of no use any more either.
            self.ticket = None
            raise self.refusals.add(exc, now, sent=now, known=not self._first) from None
        self._first = False
        self.refusals.forget()

    def _renew(self, ticket: Ticket, post: Post, now: float) -> None:
        try:
            self.ticket = self._new_ticket(post, ticket.text, now)
        except ApiError:
            # It is good for another hour; the request will tell if it is not.
            self.ticket = ticket._replace(renew_at=now + RENEW_AGAIN)

    def _new_ticket(self, post: Post, password: str, now: float) -> Ticket:
        data = self._ask(post, username=self._connection.user, password=password)
        self._check_product(data["ticket"])
        if data.get("NeedTFA") or _PARTIAL in data["ticket"]:
            data = self._second_factor(post, data["ticket"])
        csrf = str(data.get("CSRFPreventionToken") or "")
        return Ticket(data["ticket"], csrf, now + RENEW_AFTER, now + TICKET_SECONDS)

    def _check_product(self, ticket: str) -> None:
        """Raise ``LoginRefused`` for the ticket of another product, whose name it begins with."""
        name = self._connection.service.name
        other = next((one for one in SERVICES.values() if ticket.startswith(f"{one.name.upper()}:")), None)
        if other is not None and other.name != name:
            raise LoginRefused(f"the server is {other.title}, but service is {name}: set service to {other.name}")

    def _second_factor(self, post: Post, challenge: str) -> dict[str, t.Any]:
        user, otp = self._connection.user, self._connection.otp
        if not otp:
            raise LoginRefused(f"{user} has a second factor: give api_otp, {self._without_code()}")
        code = {"username": user, "password": f"totp:{otp}", "tfa-challenge": challenge}
        try:
            return self._ask(post, **code)
        except LoginRefused as exc:
            said = exc.message.partition(": check ")[0]
            text = (
                f"the password of {user} is right, its one-time code is not ({said}): a code is good once and for "
                f"half a minute, so give a fresh api_otp (in quotes, it may begin with 0), {self._without_code()}"
            )
            raise LoginRefused(text) from None

    def _without_code(self) -> str:
        """How plays log in that nobody is there to give a code to."""
        return "or use an API token" if self._connection.service.token else "or a user without a second factor"

    @staticmethod
    def _ask(post: Post, **fields: str) -> dict[str, t.Any]:
        return mapping_of(post(Request("POST", LOGIN, fields)))
