# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a cluster over HTTPS: fail-over between hosts, logins, one answer a question. Private to the collection.

A ``Session`` belongs to one thread and keeps its connections; what the sessions of a call share is the ``Cluster``'s.
"""

from __future__ import annotations

import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import (
    Request,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._client.cluster import Cluster
from ansible_collections.proxkit.tasks.plugins.module_utils._client.https import (
    BrokenOff,
    NoAnswer,
    Wire,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._client.refusals import by_proxmox, data_of
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    HostUnreachable,
    LoginRefused,
    NodeUnreachable,
    NotProxmox,
)

# Proxmox holds the refusal of credentials back for 3 s: who sends them first waits for its words.
INTRODUCTION_SECONDS = 5.0
# One request of a call introduces it, for the others wait this long: refusals are counted by those who refuse.
_INTRODUCED_BY_ANOTHER_SECONDS = 0.8
_PROBE_SECONDS = 2.0
_SHORTEST_PROBE_SECONDS = 0.2
_SHORTEST_REQUEST_SECONDS = 0.05
# Every host answers this by itself.
_VERSION = Request("GET", ("version",))


class Session:
    """One thread's way to the cluster."""

    def __init__(self, cluster: Cluster) -> None:
        """Nothing is sent yet."""
        self._cluster = cluster
        self._signed = Wire(cluster.connection, cluster.context, cluster.login.sign)
        self._plain = Wire(cluster.connection, cluster.context, lambda _request: None)

    def close(self) -> None:
        """Close the connections; a request under way in another thread ends with an error."""
        self._signed.close()
        self._plain.close()

    def ask(self, request: Request, deadline: float) -> dict[str, t.Any]:
        """One answer from whichever host gives it; each host is tried once.

        ``deadline`` is a monotonic time in seconds after which no answer is of use. Raises ``ApiError``.
        """
        cluster = self._cluster
        errors: list[HostUnreachable | NotProxmox] = []
        while True:
            host = cluster.host
            try:
                return self._ask_host(host, request, deadline)
            except (HostUnreachable, NotProxmox) as exc:
                errors.append(exc)
                cluster.lost(host, exc.message)
            if len(errors) == len(cluster.connection.hosts) or cluster.clock.monotonic() >= deadline:
                raise cluster.nobody(errors)

    def _ask_host(self, host: str, request: Request, deadline: float) -> dict[str, t.Any]:
        """One answer from ``host``, asked twice where that makes sense."""
        login, now = self._cluster.login, self._cluster.clock.monotonic

        def post(form: Request) -> dict[str, t.Any]:
            return self._post(host, form, deadline)

        login.ensure(post, now())
        ticket = login.ticket
        try:
            return self._send_signed(host, request, deadline)
        except BrokenOff:
            # Mostly a kept connection that the server closed in the same moment: worth another one at once.
            if request.method != "GET":
                raise
        except LoginRefused as exc:
            if ticket is None:
                raise self._noted(exc) from None
            # An expired ticket, or a node that has not yet heard of it.
            login.ensure(post, now(), instead_of=ticket)
        try:
            return self._send_signed(host, request, deadline)
        except BrokenOff as exc:
            if self._host_lives(host, deadline):
                raise
            raise HostUnreachable(exc.message) from None
        except LoginRefused as exc:
            raise login.refused(exc, now(), known=self._cluster.accepted) from None

    def _send_signed(self, host: str, request: Request, deadline: float) -> dict[str, t.Any]:
        """One request with credentials; where they are new to everybody, one at a time and not in haste."""
        cluster = self._cluster
        if cluster.introduced:
            return self._send(self._signed, host, request, deadline)
        first = cluster.introducing.acquire(timeout=_INTRODUCED_BY_ANOTHER_SECONDS)
        try:
            # A node that hangs would keep everybody waiting, and use up the time in which a refusal is due.
            if not first or self._seconds(deadline) < INTRODUCTION_SECONDS:
                self._introduce(host, deadline)
            cluster.login.refusals.check(cluster.clock.monotonic())
            return self._send(self._signed, host, request, deadline)
        except LoginRefused as exc:
            # Noted before the next one may try.
            raise self._noted(exc) from None
        finally:
            if first:
                cluster.introducing.release()

    def _introduce(self, host: str, deadline: float) -> None:
        """Show the credentials with a question that the host answers by itself; one thread does it for all."""
        with self._cluster.introduction:
            self._cluster.login.refusals.check(self._cluster.clock.monotonic())
            if not self._cluster.introduced:
                try:
                    self._send(self._signed, host, _VERSION, deadline, patient=True)
                except LoginRefused as exc:
                    raise self._noted(exc) from None

    def _noted(self, refusal: LoginRefused) -> ApiError:
        """The error that the refusal of a token means; a refused ticket may only be too old."""
        cluster = self._cluster
        if cluster.login.ticket is not None:
            return refusal
        return cluster.login.refused(refusal, cluster.clock.monotonic(), known=cluster.accepted)

    def _seconds(self, deadline: float) -> float:
        """How long a request may take."""
        left = deadline - self._cluster.clock.monotonic()
        return max(_SHORTEST_REQUEST_SECONDS, min(self._cluster.connection.timeout, left))

    def _post(self, host: str, form: Request, deadline: float) -> dict[str, t.Any]:
        """Send a login. What was sent one and did not answer as Proxmox does must do so first, asked a plain thing."""
        if host in self._cluster.unanswered:
            try:
                self._send(self._plain, host, Request("GET", self._cluster.connection.service.open_path), deadline)
            except ApiError:
                if host in self._cluster.unanswered:
                    raise
        self._cluster.unanswered.add(host)
        answer = self._send(self._plain, host, form, deadline, patient=True)
        self._cluster.introduced = True
        return answer

    def _send(
        self, wire: Wire, host: str, request: Request, deadline: float, *, patient: bool = False
    ) -> dict[str, t.Any]:
        """One request to one host, its faults told apart; a ``patient`` one is given the time of an introduction."""
        cluster, hosts = self._cluster, self._cluster.connection.hosts
        seconds = self._seconds(deadline)
        # All hosts together get the time of one request to accept a connection.
        connect, read = seconds / len(hosts), max(seconds, INTRODUCTION_SECONDS) if patient else seconds
        try:
            reply = wire.exchange(host, request, connect, read)
        except NoAnswer as exc:
            if request.node is not None and self._host_lives(host, deadline):
                text = f"node {request.node} gave no answer within {read:.3g} s (asked through {host})"
                raise NodeUnreachable(text, timed_out=True) from None
            raise HostUnreachable(exc.message, timed_out=True) from None
        signed = wire is self._signed
        try:
            answer = data_of(reply, request, host, cluster.connection, cluster.login.secrets)
        except ApiError as exc:
            if by_proxmox(reply, cluster.connection.service):
                cluster.heard(host, accepted=signed and not isinstance(exc, LoginRefused))
            raise
        cluster.heard(host, accepted=signed)
        return answer

    def _host_lives(self, host: str, deadline: float) -> bool:
        """Whether ``host`` still answers what needs no other node; where no time is left to ask, it is not accused."""
        now = self._cluster.clock.monotonic()
        if deadline - now < _SHORTEST_PROBE_SECONDS:
            return True
        try:
            self._send(self._signed, host, _VERSION, min(deadline, now + _PROBE_SECONDS))
        except (HostUnreachable, NodeUnreachable, NotProxmox, BrokenOff):
            return False
        except ApiError:
            return True
        return True
