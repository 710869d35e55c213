# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proxmox Backup Server as a service. Sources: proxmox-rest-server rest.rs and formatter.rs; proxmox-auth-api."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import typing as t
import urllib.parse
import zlib

from .. import _routes
from .._messages import JSON_TYPE, Answer, ApiError, Headers, Request
from .._service import Service
from .._world_control import WorldControl
from . import schema, tasks
from .calls import Call, Reply, Route
from .routes import ROUTES
from .world import World

if t.TYPE_CHECKING:
    from .._server import Server

COOKIES, TOKEN = ("__Host-PBSAuthCookie", "PBSAuthCookie"), "PBSAPIToken"
CLEARED = f"{COOKIES[0]}=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; SameSite=Lax; HttpOnly; Path=/;"
LONGEST = 3072
PAGE = b"<!DOCTYPE html><html><head><title>pbs - Proxmox Backup Server</title></head></html>"
# No reason is ever the server's own: the message is in the body.
REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    414: "URI Too Long",
}


class Pbs(Service):
    """Proxmox Backup Server. hyper writes no headers of its own but the date and the length, and closes nothing.

    Bodies come in one piece here, which genuine ones that are compressed do not. Its certificate signs itself; here an
    authority signs it, so that there is one for clients to trust.
    """

    headers = ()
    organization = "Proxmox Backup Server"
    authority = "Proxmox Backup CA"
    routes = ROUTES
    requests_per_connection = math.inf

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def state(self) -> World:
        """The server's state."""
        return self._world

    def control(self, server: Server) -> WorldControl:
        """The control calls that all products have."""
        return WorldControl(server, self._world)

    def daemon(self, request: Request) -> t.Optional[str]:
        """Nobody waits for a worker: requests are answered side by side."""
        return None

    def starved(self) -> Answer:
        """Never said."""
        return _plain(503, "")

    def no_such_task(self) -> Answer:
        """What is said of the log of a task that nobody knows; of its status nothing is wrong."""
        return _plain(400, tasks.NO_FILE, JSON_TYPE)

    def find(self, request: Request) -> tuple[t.Optional[Route], dict[str, str]]:
        """The route of a request, and the variable parts of its path, which may hold anything."""
        parts = [urllib.parse.unquote(part) for part in request.path.split("/") if part]
        found, where = _routes.match(ROUTES, request.method, parts[2:], r"(?s).+")
        return t.cast("t.Optional[Route]", found if parts[:1] == ["api2"] else None), where

    def answer(self, request: Request) -> Answer:
        """The answer to a request."""
        try:
            answer = self._answer(request)
        except ApiError as error:
            answer = self._failure(request, error)
        if answer.status == 401:
            answer = dataclasses.replace(answer, headers=(*answer.headers, ("set-cookie", CLEARED)))
        return answer

    def _answer(self, request: Request) -> Answer:
        parts = [part for part in request.path.split("/") if part]
        if any(part.startswith(".") for part in parts):
            raise ApiError(400, "path contains illegal components", form="plain")
        path = "".join(f"/{part}" for part in parts)
        if len(path) + len(request.query) > LONGEST:
            return _plain(414, "")
        if parts[:1] != ["api2"]:
            return _outside(request, parts)
        if not parts[1:]:
            raise ApiError(404, f"invalid api path '{path}'", form="plain")
        if parts[1] not in {"json", "extjs"}:
            raise ApiError(400, f"Unsupported output format '{parts[1]}'.", form="plain")
        route, where = self.find(request)
        who = "" if route is not None and route.world else self._authenticate(request)
        if route is None:
            raise ApiError(404, f"Path '{path}' not found.")
        where_allowed, privilege = route.privilege
        if privilege and not self._world.users.may(who, privilege, where_allowed.format(**where)):
            raise ApiError(403, "permission check failed", delay=self._world.settings.forbidden_delay)
        return _compressed(request, self._handled(request, route, who, where))

    def _handled(self, request: Request, route: Route, who: str, where: dict[str, str]) -> Answer:
        """What the route's handler makes of the request, its refusals included."""
        try:
            required = (*route.required, *where)
            params = schema.parameters(request, where, route.params, required, route.query_only)
            result = route.handler(Call(who, where, params, self._world))
        except ApiError as error:
            return self._failure(request, error)
        assert isinstance(result, Reply)
        if result.text is not None:
            name = ("content-disposition", f"attachment; filename={result.filename}")
            return _plain(200, result.text, "text/plain", (name,))
        content = {"data": result.data, **result.beside}
        if _is_extjs(request) and not result.content_type:
            content = {"success": True, "status": 200, **content}
        return _plain(200, _json(content), result.content_type or JSON_TYPE)

    def _authenticate(self, request: Request) -> str:
        """Who sent the request, by ticket or token; raises ApiError."""
        who = self._sender(request.headers, request.method)
        if who is None:
            raise ApiError(401, "authentication failed", form="plain", delay=self._world.settings.auth_delay)
        return who

    def _sender(self, headers: t.Mapping[str, str], method: str) -> t.Optional[str]:
        users = self._world.users
        tickets = [_cookie(headers.get("cookie", ""), name) for name in COOKIES]
        ticket = next((found for found in tickets if found is not None), None)
        if ticket is not None:
            who = users.by_ticket(ticket, self._world.clock.now())
            csrf = method == "GET" or (
                who is not None and users.csrf_valid(who, headers.get("csrfpreventiontoken", ""))
            )
            return who if csrf else None
        token = re.fullmatch(f"{TOKEN}[ =](.*)", headers.get("authorization", ""))
        return users.by_token(token[1]) if token else None

    def _failure(self, request: Request, error: ApiError) -> Answer:
        """An error's text is the body, as JSON or not; only the other formatter wraps it."""
        content_type = "" if error.form == "plain" else JSON_TYPE
        answer = _plain(error.status, error.message, content_type)
        if content_type and _is_extjs(request):
            errors = error.errors or {}
            said = "parameter verification errors" if errors else error.message
            wrapped = {"message": said, "errors": errors, "success": False, "status": error.status}
            answer = _plain(200, _json(wrapped), JSON_TYPE)
        return dataclasses.replace(answer, not_before=self._world.clock.now() + error.delay)


def _outside(request: Request, parts: t.Sequence[str]) -> Answer:
    """What is none of the API's: a page, and files that are not there."""
    if request.method != "GET":
        raise ApiError(400, "invalid http method for path", form="plain")
    if parts:
        raise ApiError(404, f"no such file: '{'/'.join(parts)}'", form="plain")
    return Answer(200, "OK", PAGE, (("content-type", "text/html"),), ())


def _cookie(header: str, name: str) -> t.Optional[str]:
    """A cookie's value, percent-decoded; nothing is found behind one that has no value."""
    for pair in header.split(";"):
        key, equals, value = pair.partition("=")
        if not equals:
            return None
        if key.strip() == name:
            return urllib.parse.unquote(value.strip())
    return None


def _is_extjs(request: Request) -> bool:
    return [part for part in request.path.split("/") if part][1:2] == ["extjs"]


def _json(content: t.Mapping[str, t.Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _plain(status: int, text: str, content_type: str = "", headers: Headers = ()) -> Answer:
    typed: Headers = (("content-type", content_type),) if content_type else ()
    return Answer(status, REASONS.get(status, "Error"), text.encode(), (*typed, *headers), ())


def _compressed(request: Request, answer: Answer) -> Answer:
    """The same, deflated where the client takes that; nothing else is known, no answer too short."""
    accepted = re.split("[, ]", request.headers.get("accept-encoding", ""))
    if not any(word == "deflate" or word.startswith("deflate;q=") for word in accepted):
        return answer
    headers = (*answer.headers, ("content-encoding", "deflate"))
    return dataclasses.replace(answer, body=zlib.compress(answer.body), headers=headers)
