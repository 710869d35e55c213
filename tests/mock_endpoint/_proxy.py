# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the proxy of a product written in Perl takes requests and words answers."""

from __future__ import annotations

import abc
import dataclasses
import gzip
import json
import typing as t

from . import _schema as schema
from ._messages import JSON_TYPE, Answer, ApiError, Headers, Request
from ._parameters import parameters
from ._routes import BASE, Call, Result, Route, split
from ._service import Service

METHODS = ("GET", "POST", "PUT", "DELETE")
GZIP_ABOVE = 1024
INVALID = "Parameter verification failed."


@dataclasses.dataclass(frozen=True)
class Order:
    """A request that the proxy has accepted: where it goes, who sent it, what it says.

    :param elsewhere: another node than the one that was asked answers it
    """

    route: Route
    who: str
    where: dict[str, str]
    params: schema.Params
    extension: str
    elsewhere: bool


class Proxied(Service):
    """A product whose proxy checks credentials, finds method and node, and hands on what is protected to a daemon.

    :cvar page: what is answered to ``GET /``
    :cvar http_server: the file that the server names where it cannot read JSON
    :cvar same_twice: whether a parameter may repeat what the path says already
    """

    page: bytes
    http_server: str
    same_twice = True

    @abc.abstractmethod
    def authenticate(self, request: Request, relative: str) -> str:
        """Who sent the request, empty where nobody needs to be known; raises ApiError.

        :param relative: the path within the API
        """

    @abc.abstractmethod
    def permit(self, route: Route, who: str) -> None:
        """Raise the ApiError of somebody who may not make such calls, whatever they are about."""

    @abc.abstractmethod
    def reach(self, node: str) -> None:
        """Raise the ApiError of a node that cannot be reached."""

    @abc.abstractmethod
    def handle(self, route: Route, call: Call) -> Result:
        """Have the route's handler answer; raises ApiError."""

    def parameters(self, request: Request, _relative: str) -> schema.Params:
        """Those of a request; raises ApiError."""
        return parameters(request, self.http_server)

    @property
    def body_message(self) -> bool:
        """Whether errors carry ``message`` in the body."""
        return True

    def answer(self, request: Request) -> Answer:
        """The answer to a request."""
        try:
            return self._answer(request)
        except ApiError as error:
            return _one_line(self._failure(request, error))

    def daemon(self, request: Request) -> t.Optional[str]:
        """The node of whose workers one serves the request, None where the proxy answers by itself."""
        try:
            order = self._accept(request)
        except ApiError:
            return None
        return order.where.get("node", self.state.local) if order is not None and order.route.protected else None

    def starved(self) -> Answer:
        """What a protected call is told that got no worker in time."""
        return Answer(596, "Connection timed out", sized=False)

    def no_such_task(self) -> Answer:
        """What is said of a task that nobody knows."""
        content = {"data": None, "message": f"{INVALID}\n", "errors": {"upid": "no such task"}}
        return Answer(400, INVALID, json.dumps(content).encode(), (("Content-Type", JSON_TYPE),))

    def _accept(self, request: Request) -> t.Optional[Order]:
        """What the proxy does with a request, None for one outside of the API; raises ApiError."""
        if request.method not in METHODS:
            raise ApiError(501, f"method '{request.method}' not available", form="empty")
        if request.headers.get("transfer-encoding", "").lower() == "chunked":
            raise ApiError(501, "chunked transfer encoding not supported", form="plain", newline="")
        if not request.decoded.startswith(BASE):
            return None
        extension, relative = split(request.decoded)
        if not extension:
            raise ApiError(501, "no such uri", form="plain", newline="")
        who = self.authenticate(request, relative)
        params = self.parameters(request, relative)
        if extension not in {"json", "extjs"}:
            raise ApiError(501, f"no formatter for uri {relative}, {extension}", form="plain", newline="")
        route, where = self.find(request)
        if route is None:
            raise ApiError(501, f"Method '{request.method} {relative}' not implemented", newline="")
        self._locate(where, params)
        self.permit(route, who)
        if "node" in where:
            self.reach(where["node"])
        return Order(route, who, where, params, extension, self._is_elsewhere(where))

    def _answer(self, request: Request) -> Answer:
        order = self._accept(request)
        if order is None:
            return self._outside(request)
        result = self._call(order)
        connection = _connection(order.route.protected, order.elsewhere)
        if result.text is not None:
            return _download(result, connection)
        content = {"data": result.data}
        if result.total:
            content["total"] = result.total
        if order.extension == "extjs":
            content["success"] = 1
        return _json(request, 200, "OK", content, connection, result.not_before)

    def _is_elsewhere(self, where: t.Mapping[str, str]) -> bool:
        return where.get("node", "localhost") not in {self.state.local, "localhost"}

    def _locate(self, where: dict[str, str], params: schema.Params) -> None:
        if where.get("node") == "localhost":
            where["node"] = self.state.local
        twice = [name for name in params if name in where and not (self.same_twice and params[name] == where[name])]
        if twice:
            how = " with conflicting values!" if self.same_twice else ""
            raise ApiError(400, INVALID, dict.fromkeys(twice, f"duplicate parameter (already defined in URI){how}"))

    def _call(self, order: Order) -> Result:
        given = {name: value for name, value in order.params.items() if name not in order.where}
        wrong = schema.errors(given, order.route.params, order.route.required)
        if wrong:
            raise ApiError(400, INVALID, wrong)
        valued = {name: value for name, value in given.items() if value is not None}
        return self.handle(order.route, Call(order.who, order.where, valued))

    def _failure(self, request: Request, error: ApiError) -> Answer:
        not_before = self.state.clock.now() + error.delay
        if error.form == "empty":
            return Answer(error.status, error.message, not_before=not_before, sized=False)
        if error.form == "plain":
            return Answer(error.status, error.message, (error.message + error.newline).encode())
        extjs = split(request.decoded)[0] == "extjs"
        content: dict[str, t.Any] = {"data": None}
        if self.body_message or extjs:
            content["message"] = error.message + error.newline
        if error.errors:
            content["errors"] = error.errors
        if not extjs:
            return _json(request, error.status, error.message, content, ("close",), not_before)
        route, where = self.find(request)
        content.update(success=0, status=str(error.status))
        connection = _connection(route is not None and route.protected, self._is_elsewhere(where))
        return _json(request, 200, "OK", content, connection, not_before)

    def _outside(self, request: Request) -> Answer:
        if request.method == "GET" and request.decoded == "/":
            return Answer(200, "OK", self.page, (("Content-Type", "text/html; charset=utf-8"),), ("Keep-Alive",))
        raise ApiError(500, f"no such file '{request.decoded}'", form="plain")


def _one_line(answer: Answer) -> Answer:
    """The same with a reason phrase that is one line; a carriage return in it spoils the whole answer."""
    reason = answer.reason.partition("\n")[0]
    if "\r" in reason:
        return Answer(400, "Bad Request", not_before=answer.not_before, sized=False)
    return dataclasses.replace(answer, reason=reason)


def _connection(protected: bool, elsewhere: bool) -> tuple[str, ...]:
    """Several values at once: the proxy copies what the daemon answered, ``close`` included, and adds its own.

    That of another node does so too, and its headers of one name arrive as one.
    """
    values = ("close", "Keep-Alive") if protected else ("Keep-Alive",)
    return (",".join(values), "Keep-Alive") if elsewhere else values


def _json(
    request: Request,
    status: int,
    reason: str,
    content: t.Mapping[str, t.Any],
    connection: tuple[str, ...],
    not_before: float,
) -> Answer:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    headers: Headers = (("Content-Type", JSON_TYPE),)
    if len(body) > GZIP_ABOVE and "gzip" in request.headers.get("accept-encoding", ""):
        body, headers = gzip.compress(body, 1), (("Content-Encoding", "gzip"), *headers)
    return Answer(status, reason, body, headers, connection, not_before)


def _download(result: Result, connection: tuple[str, ...]) -> Answer:
    body = (result.text or "").encode()
    headers: Headers = (
        ("Content-Type", "text/plain"),
        ("Content-Disposition", f'attachment; filename="{result.filename}"'),
    )
    if len(body) > GZIP_ABOVE:
        body, headers = gzip.compress(body, 1), (("Content-Encoding", "gzip"), *headers)
    # An empty file comes without a length: the client learns of the end when the idle connection is closed.
    return Answer(200, "OK", body, headers, connection, sized=bool(body))
