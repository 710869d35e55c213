# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to a cluster: which host answers, and the few calls the collection makes. Private to the collection.

A ``Cluster`` is what all sessions of one call share: which host answers, the login, what went wrong where. A
``Session`` belongs to one thread and keeps its connections. Every call takes ``until``, a monotonic time in seconds
after which no answer is of use.
"""

from __future__ import annotations

import threading
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._answers import (
    Request,
    Rows,
    mapping_of,
    number_of,
    rows_of,
    tasks_of,
    text_of,
    total_of,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._errors import (
    ApiError,
    HostUnreachable,
    LoginRefused,
    NodeUnreachable,
    NotProxmox,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._https import (
    BrokenOff,
    NoAnswer,
    Wire,
    check_libraries,
    tls_context,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._login import Login
from ansible_collections.proxkit.tasks.plugins.module_utils._options import NODE, Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._polling import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._refusals import by_proxmox, data_of
from ansible_collections.proxkit.tasks.plugins.module_utils._upid import Upid

# Proxmox holds the refusal of credentials back for 3 s: who sends them first waits for its words.
INTRODUCTION_SECONDS = 5.0
# What has never answered as Proxmox does in this time never will.
STRANGE_SECONDS = 10.0
# One request of a call introduces it, for the others wait this long: refusals are counted by those who refuse.
_INTRODUCED_BY_ANOTHER_SECONDS = 0.8
_PROBE_SECONDS = 2.0
_SHORTEST_PROBE_SECONDS = 0.2
_SHORTEST_REQUEST_SECONDS = 0.05
# More rows than a node's list of active tasks can hold.
_ALL_ACTIVE = 100_000
# Every host answers the first by itself, the second even to strangers.
_VERSION = Request("GET", ("version",))
_OPEN = Request("GET", ("access", "domains"))


class Cluster:
    """What the sessions of one call share; safe to use from several threads."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        """Nothing is sent yet. Raises ``OptionError``: a library is missing, or ``ca_path`` holds no certificate."""
        check_libraries()
        self.connection = connection
        self.clock = clock
        self.context = tls_context(connection)
        self.login = Login(connection)
        self.answered = False  # somebody answered as Proxmox does
        self.introduced = False  # ... and took the password, the ticket or the token
        self.accepted = False  # ... and what was then asked with ticket or token
        self.unanswered: set[str] = set()  # hosts that were sent a password and have not answered as Proxmox does
        self.warnings: list[str] = []
        self.last_errors: dict[str, str] = {}
        self.introducing = threading.Lock()
        self._strange_since: float | None = None
        self._lock = threading.Lock()
        self._current = 0

    @property
    def host(self) -> str:
        """The host that is asked at present."""
        return self.connection.hosts[self._current]

    def session(self) -> Session:
        """A session for one thread."""
        return Session(self)

    def heard(self, host: str, *, accepted: bool) -> None:
        """``host`` answered as Proxmox does; ``accepted``: it took the credentials."""
        self.answered = True
        self.accepted = self.accepted or accepted
        self.introduced = self.introduced or accepted
        self.unanswered.discard(host)
        self.last_errors.pop(host, None)

    def lost(self, host: str, error: str) -> None:
        """``host`` does not answer: the next one takes over, unless another thread has seen to that already."""
        with self._lock:
            self.last_errors[host] = error
            if host == self.host and len(self.connection.hosts) > 1:
                self._current = (self._current + 1) % len(self.connection.hosts)
                text = f"api_host {host} does not answer ({error}): {self.host} takes over."
                if text not in self.warnings:
                    self.warnings.append(text)

    def nobody(self, errors: t.Sequence[HostUnreachable | NotProxmox]) -> ApiError:
        """The error where every host that was tried failed."""
        known = dict(self.last_errors)
        text = "no api_host answers: " + "; ".join(known.values()) if len(known) > 1 else errors[-1].message
        if any(isinstance(error, NotProxmox) for error in errors):
            now = self.clock.monotonic()
            self._strange_since = now if self._strange_since is None else self._strange_since
            passing = self.answered or now - self._strange_since < STRANGE_SECONDS
            return NotProxmox(text, passing=passing, **errors[-1].details)
        # Before anybody has answered, a refusal is a wrong address; later it is a host that restarts.
        passing = self.answered or any(error.passing for error in errors)
        return HostUnreachable(text, passing=passing, **errors[-1].details)


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

    # What the collection asks for

    def version(self, until: float) -> dict[str, t.Any]:
        """The server's version; a cheap question that every host answers by itself."""
        return mapping_of(self._call(_VERSION, until))

    def node_names(self, until: float) -> list[str]:
        """Names of all nodes of the cluster, those that are down too."""
        names = [str(row.get("node")) for row in rows_of(self._call(Request("GET", ("nodes",)), until))]
        if not all(NODE.fullmatch(name) for name in names):
            raise ApiError("the cluster lists a node by a name that no node can have")
        return sorted(names)

    def status(self, upid: Upid, until: float) -> dict[str, t.Any]:
        """The status of one task: ``status`` and, once it has stopped, ``exitstatus``. Raises ``NoSuchTask``."""
        answer = mapping_of(self._call(Request.of_task("GET", upid, "status"), until))
        if answer.get("status") not in ("running", "stopped"):
            raise ApiError(f"node {upid.node} gave a status that is neither running nor stopped", passing=True)
        return {**answer, "exitstatus": text_of(answer.get("exitstatus"))}

    def active(self, node: str, until: float) -> dict[str, dict[str, t.Any]]:
        """The rows of a node's running tasks, and of some that ended lately, by UPID."""
        request = Request("GET", ("nodes", node, "tasks"), {"source": "active", "limit": _ALL_ACTIVE})
        return {str(row.get("upid")): row for row in tasks_of(self._call(request, until))}

    def listed(self, node: str, until: float, /, **filters: t.Any) -> tuple[Rows, int | None]:
        """One page of a node's task list, and how many rows there are in all (None where the server does not say)."""
        answer = self._call(Request("GET", ("nodes", node, "tasks"), filters), until)
        return tasks_of(answer), total_of(answer)

    def cluster_tasks(self, until: float) -> Rows:
        """Running and recent tasks of all nodes, those that are down too (25 a node, from the cluster file system)."""
        return tasks_of(self._call(Request("GET", ("cluster", "tasks")), until))

    def log(self, upid: Upid, start: int, limit: int, until: float) -> tuple[Rows, int]:
        """Rows of a log from the 0-based line ``start`` on, ``limit`` at the most, and the lines in all."""
        answer = self._call(Request.of_task("GET", upid, "log", start=start, limit=limit), until)
        rows, total = rows_of(answer), total_of(answer)
        # A total of 0 is left out; where all totals are, a row's number is the least there can be.
        return rows, total if total is not None else max((number_of(row.get("n")) for row in rows), default=0)

    def stop(self, upid: Upid, until: float) -> None:
        """Ask for the end of a task. PVE answers when it is gone, up to about 6 s later."""
        self._call(Request.of_task("DELETE", upid), until)

    # How it is asked

    def _call(self, request: Request, until: float) -> dict[str, t.Any]:
        """One answer from whichever host gives it; each host is tried once."""
        cluster = self._cluster
        errors: list[HostUnreachable | NotProxmox] = []
        while True:
            host = cluster.host
            try:
                return self._ask(host, request, until)
            except (HostUnreachable, NotProxmox) as exc:
                errors.append(exc)
                cluster.lost(host, exc.message)
            if len(errors) == len(cluster.connection.hosts) or cluster.clock.monotonic() >= until:
                raise cluster.nobody(errors)

    def _ask(self, host: str, request: Request, until: float) -> dict[str, t.Any]:
        """One answer from ``host``, asked twice where that makes sense."""
        login, now = self._cluster.login, self._cluster.clock.monotonic

        def post(form: Request) -> dict[str, t.Any]:
            return self._post(host, form, until)

        login.ensure(post, now())
        ticket = login.ticket
        try:
            return self._send_signed(host, request, until)
        except BrokenOff:
            # Mostly a kept connection that the server closed in the same moment: worth another one at once.
            if request.method != "GET":
                raise
        except LoginRefused as exc:
            if ticket is None:
                raise login.refused(exc, now(), known=self._cluster.accepted) from None
            # An expired ticket, or a node that has not yet heard of it.
            login.ensure(post, now(), instead_of=ticket)
        try:
            return self._send_signed(host, request, until)
        except BrokenOff as exc:
            if self._host_lives(host, until):
                raise
            raise HostUnreachable(exc.message, passing=True, **exc.details) from None
        except LoginRefused as exc:
            raise login.refused(exc, now(), known=self._cluster.accepted) from None

    def _send_signed(self, host: str, request: Request, until: float) -> dict[str, t.Any]:
        """One request with credentials; where they are new to everybody, one at a time and not in haste."""
        cluster = self._cluster
        if cluster.introduced:
            return self._send(self._signed, host, request, until)
        first = cluster.introducing.acquire(timeout=_INTRODUCED_BY_ANOTHER_SECONDS)
        try:
            cluster.login.refusals.check(cluster.clock.monotonic())
            if not cluster.introduced and self._seconds(until) < INTRODUCTION_SECONDS:
                # Not the request itself: a node that hangs would use up the time that a refusal is due.
                self._send(self._signed, host, _VERSION, until, patient=True)
            return self._send(self._signed, host, request, until)
        finally:
            if first:
                cluster.introducing.release()

    def _seconds(self, until: float) -> float:
        """How long a request may take."""
        left = until - self._cluster.clock.monotonic()
        return max(_SHORTEST_REQUEST_SECONDS, min(self._cluster.connection.timeout, left))

    def _post(self, host: str, form: Request, until: float) -> dict[str, t.Any]:
        """Send a login. What was sent one and did not answer as Proxmox does must do so first, asked a plain thing."""
        if host in self._cluster.unanswered:
            try:
                self._send(self._plain, host, _OPEN, until)
            except ApiError:
                if host in self._cluster.unanswered:
                    raise
        self._cluster.unanswered.add(host)
        answer = self._send(self._plain, host, form, until, patient=True)
        self._cluster.introduced = True
        return answer

    def _send(
        self, wire: Wire, host: str, request: Request, until: float, *, patient: bool = False
    ) -> dict[str, t.Any]:
        """One request to one host, its faults told apart; a ``patient`` one is given the time of an introduction."""
        cluster, hosts = self._cluster, self._cluster.connection.hosts
        seconds = self._seconds(until)
        # All hosts together get the time of one request to accept a connection.
        connect, read = seconds / len(hosts), max(seconds, INTRODUCTION_SECONDS) if patient else seconds
        try:
            reply = wire.exchange(host, request, connect, read)
        except NoAnswer as exc:
            if request.node is not None and self._host_lives(host, until):
                text = f"node {request.node} gave no answer within {read:.3g} s (asked through {host})"
                raise NodeUnreachable(text, timed_out=True, **exc.details) from None
            raise HostUnreachable(exc.message, passing=True, timed_out=True, **exc.details) from None
        signed = wire is self._signed
        try:
            answer = data_of(reply, request, host, cluster.connection, cluster.login.secrets)
        except ApiError as exc:
            if by_proxmox(reply):
                cluster.heard(host, accepted=signed and not isinstance(exc, LoginRefused))
            raise
        cluster.heard(host, accepted=signed)
        return answer

    def _host_lives(self, host: str, until: float) -> bool:
        """Whether ``host`` still answers what needs no other node; where no time is left to ask, it is not accused."""
        now = self._cluster.clock.monotonic()
        if until - now < _SHORTEST_PROBE_SECONDS:
            return True
        try:
            self._send(self._signed, host, _VERSION, min(until, now + _PROBE_SECONDS))
        except (HostUnreachable, NodeUnreachable, NotProxmox, BrokenOff):
            return False
        except ApiError:
            return True
        return True
