# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to a cluster: sessions, logins, fail-over, and the few calls the collection makes.

The only file that imports proxmoxer (and requests below it). Private to the collection.

A ``Cluster`` is what all sessions of one call share: which host answers, the ticket, what went wrong where. A
``Session`` belongs to one thread and keeps its connections. Every call takes ``until``, a monotonic time in seconds
after which no answer is of use.
"""

from __future__ import annotations

import io
import json
import os
import ssl
import threading
import time
import typing as t
from urllib.parse import quote

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.proxkit.tasks.plugins.module_utils._errors import (
    AccessError,
    ApiError,
    HostUnreachable,
    NodeUnreachable,
    OptionError,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._fault import distrust, last_cause, refusal
from ansible_collections.proxkit.tasks.plugins.module_utils._log import clean, repair
from ansible_collections.proxkit.tasks.plugins.module_utils._options import NODE, Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._polling import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._upid import Upid

_MISSING: ImportError | None = None
try:
    # requests first: proxmoxer's https backend ends the whole process where it is missing.
    import requests
    from proxmoxer.backends.https import ProxmoxHTTPApiTokenAuth, ProxmoxHTTPAuthBase, ProxmoxHttpSession
    from proxmoxer.core import ProxmoxResource, ResourceException
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import HTTPError, LocationValueError
except ImportError as missing:
    _MISSING = missing
    HTTPAdapter = ProxmoxHTTPAuthBase = object  # type: ignore[misc,assignment]  # so that this file can be read at all

Rows = list[dict[str, t.Any]]

# A ticket lives for two hours; renewed at half its life it survives a server that is away for a while.
RENEW_AFTER = 3600.0
_PROBE_SECONDS = 2.0
_SHORTEST_PROBE_SECONDS = 0.2
_SHORTEST_REQUEST_SECONDS = 0.05
_CHUNK_BYTES = 1 << 16
# More rows than a node's list of active tasks can hold.
_ALL_ACTIVE = 100_000


class _Adapter(HTTPAdapter):
    """Connections on one prepared TLS context: loading authorities anew for each of them costs more than the rest."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)

    def proxy_manager_for(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        return super().proxy_manager_for(*args, ssl_context=self._context, **kwargs)

    def send(self, request: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        end = time.monotonic() + kwargs["timeout"][1]
        # A path here would be loaded into the context again, with every connection.
        kwargs["verify"] = self._context.verify_mode is not ssl.CERT_NONE
        response = super().send(request, *args, **{**kwargs, "stream": True})
        # urllib3's time limit is for each read, so that an answer could come in drips for ever.
        if hasattr(response.raw, "read1"):
            response.raw = io.BytesIO(b"".join(_read_until(response.raw, end)))
        return response

    def cert_verify(self, conn: t.Any, *_args: t.Any, **_kwargs: t.Any) -> None:
        conn.cert_reqs = self._context.verify_mode


def _read_until(raw: t.Any, end: float) -> t.Iterator[bytes]:
    while True:
        chunk = raw.read1(_CHUNK_BYTES, decode_content=True)
        if not chunk:
            return
        yield chunk
        if time.monotonic() > end:
            raw.close()
            raise requests.exceptions.ReadTimeout("Read timed out: the answer came too slowly")


class _Serializer:
    """Keeps the whole answer: ``total`` stands beside ``data``, an error's text beside its details."""

    def loads(self, response: t.Any) -> dict[str, t.Any]:
        try:
            answer = json.loads(response.content)
        except (ValueError, RecursionError) as exc:
            raise _NoJson(clean(response.text[:200])) from exc
        if not isinstance(answer, dict) or "data" not in answer:
            raise _NoJson(clean(response.text[:200]))
        return answer

    def loads_errors(self, response: t.Any) -> dict[str, t.Any]:
        try:
            answer = json.loads(response.content)
        except (ValueError, RecursionError):
            answer = None
        body = answer if isinstance(answer, dict) else {}
        return {"reason": response.reason, "message": body.get("message"), "errors": body.get("errors")}


class _BrokenOff(ApiError):
    """A connection that ended before the answer did."""


class _NoJson(Exception):
    """An answer that is no JSON object with data, with its beginning."""


class _TicketAuth(ProxmoxHTTPAuthBase):
    """Sends the ticket that the cluster's sessions share. proxmoxer's own makes connections that know no context."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__()
        self._cluster = cluster

    def __call__(self, request: t.Any) -> t.Any:
        ticket = self._cluster.ticket
        if ticket is not None:
            request.headers["Cookie"] = f"PVEAuthCookie={ticket.text}"
            if request.method != "GET":
                request.headers["CSRFPreventionToken"] = ticket.csrf
        return request


class _Ticket(t.NamedTuple):
    text: str
    csrf: str
    born: float


class Cluster:
    """What the sessions of one call share; safe to use from several threads."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        """Nothing is sent yet. Raises ``OptionError``: a library is missing, or ``ca_path`` holds no certificate."""
        if _MISSING is not None:
            raise OptionError(missing_required_lib(_MISSING.name or "proxmoxer", reason="to talk to Proxmox"))
        self.connection = connection
        self.clock = clock
        self.context = _context(connection)
        self.answered = False
        self.accepted = False
        self.ticket: _Ticket | None = None
        self.login_lock = threading.Lock()
        self.warnings: list[str] = []
        self.last_errors: dict[str, str] = {}
        self._lock = threading.Lock()
        self._current = 0

    @property
    def host(self) -> str:
        """The host that is asked at present."""
        return self.connection.hosts[self._current]

    def session(self) -> Session:
        """A session for one thread."""
        return Session(self)

    def heard(self, host: str) -> None:
        """``host`` answered."""
        self.answered = True
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


def _context(connection: Connection) -> ssl.SSLContext:
    if not connection.validate_certs:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    # Without ca_path: what requests would trust, the variables that its users set, else the bundle it brings.
    path = connection.ca_path or requests.Session().merge_environment_settings("", {}, None, None, None)["verify"]
    path = path if isinstance(path, str) else requests.utils.DEFAULT_CA_BUNDLE_PATH
    try:
        folder = os.path.isdir(path)
        context = ssl.create_default_context(capath=path if folder else None, cafile=None if folder else path)
    except OSError as exc:
        raise OptionError(f"ca_path: {path} holds no certificate in PEM form ({exc}).") from exc
    if connection.ca_path:
        # The authority that PVE makes has no key usage extension; this one strictness of Python 3.13 refuses it.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


class Session:
    """One thread's way to the cluster."""

    def __init__(self, cluster: Cluster) -> None:
        """Nothing is sent yet."""
        self._cluster = cluster
        adapter = _Adapter(cluster.context)
        who = cluster.connection
        auth: ProxmoxHTTPAuthBase = (
            ProxmoxHTTPApiTokenAuth(who.user, who.token_name, who.token_secret, verify_ssl=True, service="PVE")
            if who.token_name
            else _TicketAuth(cluster)
        )
        self._http = _http_session(auth, adapter)
        self._login_http = _http_session(ProxmoxHTTPAuthBase(), adapter)

    def close(self) -> None:
        """Close the connections; a request under way in another thread ends with an error."""
        self._http.close()

    # What the collection asks for

    def version(self, until: float) -> dict[str, t.Any]:
        """The server's version; a cheap question that every host answers by itself."""
        return _mapping(self._get(["version"], until))

    def node_names(self, until: float) -> list[str]:
        """Names of all nodes of the cluster, those that are down too."""
        names = [str(row.get("node")) for row in _rows(self._get(["nodes"], until))]
        if not all(NODE.fullmatch(name) for name in names):
            raise ApiError("the cluster lists a node by a name that no node can have")
        return sorted(names)

    def status(self, upid: Upid, until: float) -> dict[str, t.Any]:
        """The status of one task: ``status`` and, once it has stopped, ``exitstatus``. Raises ``NoSuchTask``."""
        answer = _mapping(self._get([*_path(upid), "status"], until, upid))
        if answer.get("status") not in ("running", "stopped"):
            raise ApiError(f"node {upid.node} gave a status that is neither running nor stopped", passing=True)
        return {**answer, "exitstatus": _text(answer.get("exitstatus"))}

    def active(self, node: str, until: float) -> dict[str, dict[str, t.Any]]:
        """The rows of a node's running tasks (and a few that ended lately) by UPID."""
        rows = _rows(self._get(["nodes", node, "tasks"], until, source="active", limit=_ALL_ACTIVE))
        return {str(row.get("upid")): row for row in rows}

    def listed(self, node: str, until: float, /, **filters: t.Any) -> tuple[Rows, int | None]:
        """One page of a node's task list, and how many rows there are in all (None where the server does not say)."""
        answer = self._get(["nodes", node, "tasks"], until, **filters)
        rows = [{**row, "status": _text(row.get("status"))} for row in _rows(answer)]
        return rows, _total(answer)

    def cluster_tasks(self, until: float) -> Rows:
        """Running and recent tasks of all nodes, those that are down too (25 a node, from the cluster file system)."""
        return [{**row, "status": _text(row.get("status"))} for row in _rows(self._get(["cluster", "tasks"], until))]

    def log(self, upid: Upid, start: int, limit: int, until: float) -> tuple[Rows, int]:
        """Rows of a log from the 0-based line ``start`` on, ``limit`` at the most, and the lines in all."""
        answer = self._get([*_path(upid), "log"], until, upid, start=start, limit=limit)
        rows, total = _rows(answer), _total(answer)
        # A total of 0 is left out; where all totals are, a row's number is the least there can be.
        return rows, total if total is not None else max((_number(row.get("n")) for row in rows), default=0)

    def stop(self, upid: Upid, until: float) -> None:
        """Ask for the end of a task. PVE answers when it is gone, up to about 6 s later."""
        self._call("DELETE", _path(upid), until, upid, {})

    # How it is asked

    def _get(
        self, path: t.Sequence[str], until: float, upid: Upid | None = None, /, **query: t.Any
    ) -> dict[str, t.Any]:
        return self._call("GET", path, until, upid, query)

    def _call(
        self, method: str, path: t.Sequence[str], until: float, upid: Upid | None, query: dict[str, t.Any]
    ) -> dict[str, t.Any]:
        """One answer from whichever host gives it; each host is tried once."""
        errors: list[HostUnreachable] = []
        while True:
            host = self._cluster.host
            try:
                return self._ask(host, method, path, until, upid, query)
            except HostUnreachable as exc:
                errors.append(exc)
                self._cluster.lost(host, exc.message)
            if len(errors) == len(self._cluster.connection.hosts) or self._cluster.clock.monotonic() >= until:
                raise self._nobody(errors) from errors[-1]

    def _nobody(self, errors: list[HostUnreachable]) -> HostUnreachable:
        known = dict(self._cluster.last_errors)
        text = "no api_host answers: " + "; ".join(known.values()) if len(known) > 1 else errors[-1].message
        # Before anybody has answered, a refusal is a wrong address; later it is a host that restarts.
        passing = self._cluster.answered or any(error.passing for error in errors)
        return HostUnreachable(text, passing=passing, **errors[-1].details)

    def _ask(
        self, host: str, method: str, path: t.Sequence[str], until: float, upid: Upid | None, query: dict[str, t.Any]
    ) -> dict[str, t.Any]:
        node = path[1] if path[0] == "nodes" and len(path) > 1 else None
        ticket = self._ticket(host, until) if self._cluster.connection.password is not None else None
        try:
            return self._send(self._http, host, method, path, until, query, upid, node)
        except _BrokenOff:
            # Mostly a kept connection that the server closed in the same moment: worth another one at once.
            if method != "GET":
                raise
        except AccessError as exc:
            if exc.details.get("status") != 401:
                raise
            # Once: an expired ticket, or a node that has not yet heard of it. A second time it is meant.
            if ticket is not None:
                self._login(host, until, instead_of=ticket)
        try:
            return self._send(self._http, host, method, path, until, query, upid, node)
        except _BrokenOff as exc:
            if self._host_lives(host, until):
                raise
            raise HostUnreachable(exc.message, passing=True, **exc.details) from exc

    def _send(
        self,
        http: ProxmoxHttpSession,
        host: str,
        method: str,
        path: t.Sequence[str],
        until: float,
        query: dict[str, t.Any],
        upid: Upid | None = None,
        node: str | None = None,
    ) -> dict[str, t.Any]:
        """One request to one host, its faults told apart."""
        resource = ProxmoxResource(base_url=f"https://{host}/api2/json", session=http, serializer=_Serializer())
        for part in path:
            resource = resource(quote(part, safe=""))
        seconds = max(
            _SHORTEST_REQUEST_SECONDS, min(self._cluster.connection.timeout, until - self._cluster.clock.monotonic())
        )
        # All hosts together get the time of one request to accept a connection.
        http.auth.timeout = (seconds / len(self._cluster.connection.hosts), seconds)
        details: dict[str, t.Any] = {"host": host, "node": node, "upid": upid.native if upid else None}
        try:
            answer = getattr(resource, method.lower())(**query)
        except ResourceException as exc:
            self._cluster.heard(host)
            raise refusal(
                exc.status_code,
                exc.errors or {},
                connection=self._cluster.connection,
                accepted=self._cluster.accepted,
                **details,
            ) from exc
        except _NoJson as exc:
            self._cluster.heard(host)
            raise ApiError(f"{host} answered with something else than JSON: {exc}", passing=True, **details) from exc
        except (OSError, UnicodeError, HTTPError) as exc:
            # Mostly requests' own errors, which are an OSError; names that cannot be one come through as they are.
            if not _timed_out(exc):
                raise _connection_fault(host, exc, self._cluster.connection, details) from exc
            if node is not None and self._host_lives(host, until):
                text = f"node {node} gave no answer within {seconds:.3g} s (asked through {host})"
                raise NodeUnreachable(text, timed_out=True, **details) from exc
            text = f"{host} gave no answer within {seconds:.3g} s"
            raise HostUnreachable(text, passing=True, timed_out=True, **details) from exc
        if answer is None:
            raise ApiError(f"{host} answered with a redirection", passing=True, **details)
        self._cluster.heard(host)
        self._cluster.accepted = True
        return t.cast("dict[str, t.Any]", answer)

    def _host_lives(self, host: str, until: float) -> bool:
        """Whether ``host`` still answers what needs no other node; where no time is left to ask, it is not accused."""
        now = self._cluster.clock.monotonic()
        if until - now < _SHORTEST_PROBE_SECONDS:
            return True
        try:
            self._send(self._http, host, "GET", ["version"], min(until, now + _PROBE_SECONDS), {})
        except (HostUnreachable, NodeUnreachable, _BrokenOff):
            return False
        except ApiError:
            return True
        return True

    # Tickets

    def _ticket(self, host: str, until: float) -> _Ticket:
        ticket = self._cluster.ticket
        if ticket is None:
            return self._login(host, until, instead_of=None)
        if self._cluster.clock.monotonic() - ticket.born > RENEW_AFTER:
            try:
                return self._login(host, until, instead_of=ticket)
            except ApiError:
                # It is good for another hour; the request will tell if it is not.
                return ticket
        return ticket

    def _login(self, host: str, until: float, instead_of: _Ticket | None) -> _Ticket:
        """A new ticket: by the old one while that is good, else by the password. One thread does it for all."""
        with self._cluster.login_lock:
            ticket = self._cluster.ticket
            if ticket is not None and ticket is not instead_of:
                return ticket
            if ticket is not None:
                try:
                    return self._new_ticket(host, until, ticket.text)
                except AccessError:
                    pass  # too old to be renewed
            return self._new_ticket(host, until, t.cast(str, self._cluster.connection.password))

    def _new_ticket(self, host: str, until: float, password: str) -> _Ticket:
        who = self._cluster.connection
        data = self._ticket_data(host, until, username=who.user, password=password)
        if data.get("NeedTFA"):
            if not who.otp:
                text = f"{who.user} has a second factor: give api_otp, or use an API token"
                raise AccessError(text, status=401, host=host)
            data = self._ticket_data(
                host, until, username=who.user, password=f"totp:{who.otp}", **{"tfa-challenge": data["ticket"]}
            )
        if not isinstance(data.get("ticket"), str):
            raise ApiError(f"{host} answered the login without a ticket", passing=True, host=host)
        ticket = _Ticket(data["ticket"], str(data.get("CSRFPreventionToken") or ""), self._cluster.clock.monotonic())
        self._cluster.ticket = ticket
        return ticket

    def _ticket_data(self, host: str, until: float, **fields: str) -> dict[str, t.Any]:
        return _mapping(self._send(self._login_http, host, "POST", ["access", "ticket"], until, fields))


def _http_session(auth: ProxmoxHTTPAuthBase, adapter: _Adapter) -> ProxmoxHttpSession:
    auth.verify_ssl = True  # the adapter's context decides
    http = ProxmoxHttpSession()
    http.auth = auth
    http.headers["Accept"] = "application/json"
    # No Proxmox API redirects; whoever does is not to see what is sent.
    http.max_redirects = 0
    http.mount("https://", adapter)
    return http


def _path(upid: Upid) -> list[str]:
    return ["nodes", upid.node, "tasks", upid.native]


# Answers


def _mapping(answer: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    if not isinstance(answer["data"], dict):
        raise _odd_form()
    return answer["data"]


def _rows(answer: t.Mapping[str, t.Any]) -> Rows:
    rows = answer["data"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _odd_form()
    return rows


def _odd_form() -> ApiError:
    return ApiError("the server's answer is not of the form that its documentation gives", passing=True)


def _total(answer: t.Mapping[str, t.Any]) -> int | None:
    try:
        return int(answer["total"])
    except (KeyError, TypeError, ValueError):
        return None


def _number(value: t.Any) -> int:
    return value if isinstance(value, int) else 0


def _text(value: t.Any) -> str | None:
    return None if value is None else repair(str(value))


# Faults


def _connection_fault(host: str, exc: Exception, connection: Connection, details: dict[str, t.Any]) -> ApiError:
    """The error that a failed exchange means: nobody there, somebody who is not trusted, or cut off on the way."""
    if isinstance(exc, requests.exceptions.TooManyRedirects):
        return ApiError(f"{host} answered with a redirection: is it a Proxmox API?", passing=True, **details)
    text = _nobody_there(host, exc, connection)
    if text is not None:
        return HostUnreachable(text, passing=False, **details)
    return _BrokenOff(f"{host} broke the connection off: {last_cause(exc)}", passing=True, **details)


def _nobody_there(host: str, exc: Exception, connection: Connection) -> str | None:
    """Why there was no connection to begin with, None where there was one."""
    text = str(exc)
    if isinstance(exc, requests.exceptions.SSLError):
        return distrust(host, exc, connection)
    if isinstance(exc, requests.exceptions.ConnectTimeout):
        return f"{host} accepts no connection in time: check api_host and api_port"
    if "NameResolutionError" in text or "getaddrinfo" in text or isinstance(exc, (UnicodeError, LocationValueError)):
        return f"the name of {host} cannot be resolved: check api_host"
    if isinstance(exc, requests.exceptions.ProxyError):
        return f"the proxy on the way to {host} fails: {last_cause(exc)}"
    if "NewConnectionError" in text or isinstance(
        exc, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)
    ):
        return f"nobody answers at {host}: {last_cause(exc)}: check api_host and api_port"
    return None


def _timed_out(exc: Exception) -> bool:
    """Whether the answer did not come in time; in the middle of its body requests calls that a connection error."""
    return isinstance(exc, requests.exceptions.ReadTimeout) or "Read timed out" in str(exc)
