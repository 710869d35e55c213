# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proxmox VE as a service: who is let in, which node can be reached, what pveproxy adds."""

from __future__ import annotations

import re
import typing as t
import urllib.parse

from .._messages import ApiError, Request
from .._proxy import Proxied
from .._routes import Call, Result, Route
from .._schema import Params
from .._world_control import WorldControl
from . import calls
from .control import PveControl
from .routes import ROUTES
from .uploads import uploaded
from .world import World

if t.TYPE_CHECKING:
    from .._server import Server

COOKIE, TOKEN = "PVEAuthCookie", "PVEAPIToken"
# What is answered without credentials, even with bad ones.
OPEN = {("GET", "/access/domains"), ("GET", "/access/ticket"), ("POST", "/access/ticket")}
UPLOAD = re.compile("/nodes/[^/]+/storage/[^/]+/upload")


class Pve(Proxied):
    """Proxmox VE. Source: ``rest_handler`` in PVE::HTTPServer."""

    headers = (
        ("Cache-Control", "max-age=0"),
        ("Pragma", "no-cache"),
        ("Server", "pve-api-daemon/3.0"),
        ("Expires", ""),
    )
    organization = "Proxmox Virtual Environment"
    authority = "PVE Cluster Manager CA"
    routes = ROUTES
    page = b"<!DOCTYPE html><html><head><title>pve1 - Proxmox Virtual Environment</title></head></html>"
    http_server = "/usr/share/perl5/PVE/APIServer/AnyEvent.pm"

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def state(self) -> World:
        """The cluster."""
        return self._world

    @property
    def body_message(self) -> bool:
        """Whether errors carry ``message`` in the body, as tests say."""
        return self._world.settings.body_message

    def control(self, server: Server) -> WorldControl:
        """The control calls for a cluster."""
        return PveControl(server, self._world)

    def handle(self, route: Route, call: Call) -> Result:
        """Have the route's handler answer; raises ApiError."""
        return route.handler(calls.Call(call.who, call.where, call.params, self._world))

    def authenticate(self, request: Request, relative: str) -> str:
        """Who sent the request, by ticket or token; raises ApiError."""
        if (request.method, relative) in OPEN:
            return ""
        users, now = self._world.users, self._world.clock.now()
        authorization = request.headers.get("authorization", "")
        cookie = credential(request.headers.get("cookie", ""), COOKIE) or credential(authorization, COOKIE)
        token = "" if cookie else credential(authorization, TOKEN)
        if not cookie and not token:
            raise self.unknown("No ticket")
        who = users.by_ticket(cookie, now) if cookie else users.by_token(token)
        if who is None:
            raise self.unknown("Authentication failed!")
        # Forms of plain HTML, which uploads came from once, send no token against forgery.
        by_ticket = cookie and request.method != "GET" and not UPLOAD.fullmatch(relative)
        if by_ticket and not users.csrf_valid(who, request.headers.get("csrfpreventiontoken", "")):
            raise self.unknown("Permission denied - invalid csrf token")
        return who

    def unknown(self, said: str) -> ApiError:
        """The late answer to somebody who is not let in."""
        return ApiError(401, said, form="empty", delay=self._world.settings.auth_delay)

    def parameters(self, request: Request, relative: str) -> Params:
        """Those of a request; a file that is uploaded is one of them."""
        upload = request.method == "POST" and UPLOAD.fullmatch(relative)
        return uploaded(request) if upload else super().parameters(request, relative)

    def permit(self, route: Route, who: str) -> None:
        """Nobody is refused yet: which privilege a call needs depends on what it is about, so its handler asks."""

    def reach(self, node: str) -> None:
        """Raise the ApiError of a node that cannot be reached."""
        found = self._world.nodes.get(node)
        if found is None:
            raise ApiError(500, self._world.not_found(node))
        if not found.online or self._world.down(node):
            raise ApiError(595, found.reason, form="empty", delay=found.delay)


def credential(header: str, name: str) -> str:
    """A ticket or a token in a header's value, percent-decoded; empty where there is none.

    Source: ``extract_auth_value`` in PVE::APIServer::Formatter.
    """
    found = re.search(rf"(?:^|\s){name}[= ]([^;]*)", header)
    return urllib.parse.unquote(found[1]) if found else ""
