# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proxmox Mail Gateway as a service: who is let in, and with which role."""

from __future__ import annotations

import typing as t

from .._messages import ApiError, Request
from .._routes import Route
from .._world_control import WorldControl
from ..pve.service import TOKEN, Pve, credential
from .routes import ROUTES, RoleRoute
from .users import Users
from .world import World

if t.TYPE_CHECKING:
    from .._server import Server

COOKIE = "PMGAuthCookie"
# What is answered without credentials, even with bad ones.
OPEN = {("GET", "/access/auth-realm"), ("GET", "/access/ticket"), ("POST", "/access/ticket")}


class Pmg(Pve):
    """Mail Gateway, on the same HTTP server as Proxmox VE. Source: PMG::HTTPServer.

    Its certificate signs itself; here an authority signs it, so that there is one for clients to trust.
    """

    organization = "Proxmox Mail Gateway"
    authority = "PMG Test CA"
    routes = ROUTES
    page = b"<!DOCTYPE html><html><head><title>pmg1 - Proxmox Mail Gateway</title></head></html>"
    same_twice = False

    def __init__(self, world: World) -> None:
        super().__init__(world)

    @property
    def _users(self) -> Users:
        return t.cast(Users, self.state.users)

    def authenticate(self, request: Request, relative: str) -> str:
        """Who sent the request, by ticket; raises ApiError.

        The proxy has not changed the name that the server gives tokens, so it knows those of PVE, and has none.
        """
        if (request.method, relative) in OPEN:
            return ""
        authorization = request.headers.get("authorization", "")
        cookie = credential(request.headers.get("cookie", ""), COOKIE) or credential(authorization, COOKIE)
        if not cookie:
            raise self.unknown("API tokens not implemented" if credential(authorization, TOKEN) else "No ticket")
        who = self._users.holder(cookie, self.state.clock.now())
        if who is None:
            raise self.unknown("permission denied - invalid PMG ticket")
        self._check_enabled(who)
        if request.method != "GET" and not self._users.csrf_valid(who, request.headers.get("csrfpreventiontoken", "")):
            raise self.unknown("Permission denied - invalid csrf token")
        return who

    def _check_enabled(self, who: str) -> None:
        if who not in self._users.known:
            raise self.unknown(f"no such user ('{who}')")
        if not self._users.known[who].enabled:
            said = f"Permission check failed (user '{who}' is disabled)"
            raise ApiError(403, said, form="empty", delay=self.state.settings.auth_delay)

    def control(self, server: Server) -> WorldControl:
        """The control calls that all products have."""
        return WorldControl(server, self.state)

    def permit(self, route: Route, who: str) -> None:
        """Raise the 403 of a missing role. Source: ``check_api2_permissions`` in PMG::RESTEnvironment."""
        assert isinstance(route, RoleRoute)
        if who and not self._users.plays(who, route.roles):
            raise ApiError(403, "Permission check failed" + ("" if route.roles else " (user != root@pam)"))
