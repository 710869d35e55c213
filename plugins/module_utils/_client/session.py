# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a cluster over HTTPS: fail-over between hosts, logins, one answer a question. Private to the collection.

A ``Session`` belongs to one thread and keeps its connections; what the sessions of a call share is the ``Cluster``'s.
"""

from __future__ import annotations

import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import Request
from ansible_collections.proxkit.tasks.plugins.module_utils._client.cluster import Cluster
from ansible_collections.proxkit.tasks.plugins.module_utils._client.faults import BrokenOff, CutOff, NoAnswer
from ansible_collections.proxkit.tasks.plugins.module_utils._client.https import Wire
from ansible_collections.proxkit.tasks.plugins.module_utils._client.refusals import NoTicket, by_proxmox, data_of
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    HostUnreachable,
    LoginRefused,
    NodeUnreachable,
    NotProxmox,
)

# Proxmox holds the refusal of credentials back for 3 s: who sends them first waits for its words.
INTRODUCTION_SECONDS = 5.0
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
        self._kept: set[str] = set()  # hosts that answered what was asked: their connections are kept

    def close(self) -> None:
        """Close the connections; a request under way in another thread ends with an error."""
        self._signed.close()
        self._plain.close()

    def ask(self, request: Request, deadline: float) -> dict[str, t.Any]:
        """One answer from whichever host gives it; each host is tried once.

        ``deadline`` is a monotonic time in seconds after which no answer is of use. Raises ``ApiError``.
        """
        cluster, asked = self._cluster, self._cluster.clock.monotonic()
        errors: list[HostUnreachable | NotProxmox] = []
        while True:
            host = cluster.host
            try:
                return self._ask_host(host, request, deadline)
            except (HostUnreachable, NotProxmox) as exc:
                errors.append(exc)
                cluster.lost(host, exc.message)
            if len(errors) == len(cluster.connection.hosts) or cluster.clock.monotonic() >= deadline:
                raise cluster.nobody(errors, asked)

    def _ask_host(self, host: str, request: Request, deadline: float) -> dict[str, t.Any]:
        """One answer from ``host``, asked twice where that makes sense."""
        login, now = self._cluster.login, self._cluster.clock.monotonic

        def post(form: Request) -> dict[str, t.Any]:
            return self._post(host, form, deadline)

        login.ensure(post, now())
        ticket, sent = login.ticket, now()
        try:
            return self._send_signed(host, request, deadline)
        except BrokenOff as exc:
            # A kept connection, mostly one that the server closed in the same moment, is worth another one at once.
            if request.method != "GET" or not self._forget(host):
                raise self._cut_off(exc, host, request, deadline) from None
        except LoginRefused as exc:
            if ticket is None:
                raise self._noted(exc, sent) from None
            # An expired ticket, or a node that has not yet heard of it.
            login.ensure(post, now(), instead_of=ticket)
        sent = now()
        try:
            return self._send_signed(host, request, deadline)
        except BrokenOff as exc:
            raise self._cut_off(exc, host, request, deadline) from None
        except LoginRefused as exc:
            raise self._noted(exc, sent) from None

    def _forget(self, host: str) -> bool:
        """Whether there may have been a kept connection to ``host``; there is none now."""
        kept = host in self._kept
        self._kept.discard(host)
        return kept

    def _cut_off(self, exc: BrokenOff, host: str, request: Request, deadline: float) -> ApiError:
        """The error where a connection ended before the answer: of this request alone, or of all to that host."""
        if request.method != "GET" or self._host_lives(host, deadline):
            return exc
        return CutOff(exc.message)

    def _send_signed(self, host: str, request: Request, deadline: float) -> dict[str, t.Any]:
        """One request with credentials, which are new to everybody at first."""
        cluster = self._cluster
        if not cluster.introduced and (cluster.shared or self._seconds(deadline) < INTRODUCTION_SECONDS):
            self._introduce(host, deadline)
        answer = self._send(self._signed, host, request, deadline)
        self._kept.add(host)
        cluster.login.refusals.forget()
        return answer

    def _introduce(self, host: str, deadline: float) -> None:
        """Show the credentials once for all threads, for refusals are counted by those who refuse.

        The question is one that no node can keep waiting; it has the time in which a refusal is due.
        """
        cluster, asked = self._cluster, self._cluster.clock.monotonic()
        with cluster.introduction:
            cluster.login.refusals.check(cluster.clock.monotonic())
            failed = cluster.not_introduced
            if cluster.introduced:
                return
            if failed is not None and failed[0] >= asked:
                raise failed[1]
            sent = cluster.clock.monotonic()
            try:
                self._send(self._signed, host, _VERSION, deadline, patient=True)
            except LoginRefused as exc:
                if cluster.login.ticket is not None:
                    raise
                # Noted before the next one may try.
                raise self._noted(exc, sent) from None
            except ApiError as exc:
                cluster.not_introduced = (cluster.clock.monotonic(), exc)
                raise

    def _noted(self, refusal: LoginRefused, sent: float) -> ApiError:
        """The error that the refusal of a token, or of a ticket just earned, means."""
        cluster = self._cluster
        return cluster.login.refused(refusal, cluster.clock.monotonic(), sent=sent, known=cluster.accepted)

    def _seconds(self, deadline: float) -> float:
        """How long a request may take."""
        left = deadline - self._cluster.clock.monotonic()
        return max(_SHORTEST_REQUEST_SECONDS, min(self._cluster.connection.timeout, left))

    def _post(self, host: str, form: Request, deadline: float) -> dict[str, t.Any]:
        """Send a login. What was sent one and did not answer as Proxmox does must do so first, asked a plain thing."""
        if host in self._cluster.without_ticket:
            # To other questions it may well have answers.
            raise self._cluster.without_ticket[host]
        if host in self._cluster.unanswered:
            try:
                self._send(self._plain, host, Request("GET", self._cluster.connection.service.open_path), deadline)
            except BrokenOff as exc:
                raise CutOff(exc.message) from None
            except ApiError:
                if host in self._cluster.unanswered:
                    raise
        self._cluster.unanswered.add(host)
        try:
            answer = self._send(self._plain, host, form, deadline, patient=True)
        except BrokenOff as exc:
            raise CutOff(exc.message) from None
        except NoTicket as exc:
            self._cluster.without_ticket[host] = exc
            raise
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
                text = f"node {request.node} gave no answer within {exc.seconds:.3g} s (asked through {host})"
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
