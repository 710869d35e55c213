# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control interface: what a test may change and read, in Python and, from another process, as plain HTTP."""

from __future__ import annotations

import re
import typing as t

from aiohttp import web

from ._faults import Fault
from ._server import Server
from ._service import State

Number = t.Union[int, float]
Json = dict[str, t.Any]
# HTTP method, pattern of the path whose named parts are arguments, and what is called.
ControlCall = tuple[str, str, t.Callable[..., t.Union[Json, t.Awaitable[Json]]]]


class ControlError(ValueError):
    """A control call that makes no sense, with the reason."""


class Control:
    """The control calls of every service; each returns what its HTTP form answers as JSON.

    Belongs to the loop's thread.
    """

    def __init__(self, server: Server, state: State) -> None:
        self._server = server
        self._state = state

    def calls(self) -> t.Sequence[ControlCall]:
        """All calls in their HTTP form."""
        return (
            ("POST", "/faults", self.faults),
            ("GET", "/faults", self.list_faults),
            ("DELETE", "/faults", self.clear_faults),
            ("POST", "/listener", self.listener),
            ("POST", "/clock", self.clock),
            ("GET", "/counters", self.counters),
            ("POST", "/counters/reset", self.reset_counters),
            ("POST", "/reset", self.reset),
        )

    def faults(self, **fault: t.Any) -> Json:
        """Set a fault: ``{"id": n}``; fields as in Fault."""
        return {"id": self._server.faults.add(Fault(**fault))}

    def list_faults(self) -> Json:
        """Faults with how often each was seen and has struck."""
        return {"faults": self._server.faults.listed()}

    def clear_faults(self, id: t.Optional[int] = None) -> Json:
        """Remove one fault, or all."""
        self._server.faults.remove(id)
        return {}

    async def listener(self, up: bool, seconds: t.Optional[Number] = None, host: t.Optional[str] = None) -> Json:
        """Stop listening (connections are cut, state is kept), for ``seconds`` or until told; or listen again."""
        for name in [host] if host else self._server.hosts:
            if name not in self._server.hosts:
                raise ControlError(f"no listening address {name}")
            if up:
                await self._server.raise_listener(name)
            else:
                self._server.drop_listener(name, seconds)
        return {}

    def clock(self, advance: Number = 0, set: t.Optional[Number] = None, pace: t.Optional[Number] = None) -> Json:
        """Move the world's time, set it (epoch seconds), or let it run faster: ``{"now": epoch}``.

        :param pace: how many of its seconds pass in a real one
        """
        if pace is not None:
            self._state.clock.run(pace)
        if set is not None:
            self._state.clock.set(set)
        self._state.clock.advance(advance)
        return {"now": self._state.clock.now()}

    def counters(self) -> Json:
        """Requests by endpoint, node and listening address, connections, bytes."""
        return self._server.counters.read()

    def reset_counters(self) -> Json:
        """Count from zero."""
        self._server.counters.reset()
        return {}

    async def reset(self) -> Json:
        """Everything back to the beginning, except the clock."""
        self._state.reset()
        self._server.faults.remove()
        self._server.counters.reset()
        return await self.listener(up=True)


def application(control: Control) -> web.Application:
    """The control calls as plain HTTP: JSON in, JSON out, 400 with ``{"error": …}`` for calls that make no sense.

    ``POST /calls`` makes many in turn, a list of ``{"path": …, "method": POST, "body": {…}}``, and answers the list of
    what each answers.
    """

    async def called(path: str, method: str = "POST", body: t.Optional[Json] = None) -> Json:
        for known, pattern, call in control.calls():
            found = re.fullmatch(pattern, path)
            if found and known == method:
                result = call(**found.groupdict(), **(body or {}))
                return result if isinstance(result, dict) else await result
        raise web.HTTPNotFound(text=f"no call {method} {path}")

    async def handle(request: web.Request) -> web.Response:
        given = await request.json() if request.can_read_body else {}
        try:
            if request.path == "/calls":
                return web.json_response([await called(**one) for one in given])
            return web.json_response(await called(request.path, request.method, given))
        except web.HTTPNotFound as exc:
            return web.json_response({"error": exc.text}, status=404)
        except (TypeError, ValueError, LookupError, re.error) as exc:
            return web.json_response({"error": f"{type(exc).__name__}: {exc}"}, status=400)

    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", handle)
    return app
