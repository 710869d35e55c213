# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control interface: what a test may change and read, in Python and, from another process, as plain HTTP."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from aiohttp import web

from ._faults import Fault
from ._server import Server
from ._task import Task, Upid
from ._users import Token, User
from ._world import TOKEN_ID, Guest, Node, Override, make_log

Number = t.Union[int, float]
Json = dict[str, t.Any]


class ControlError(ValueError):
    """A control call that makes no sense, with the reason."""


class Control:
    """All control calls; each returns what its HTTP form answers as JSON. Belongs to the loop's thread."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._world = server.world

    def tasks(
        self,
        node: t.Union[str, t.Sequence[str]] = "pve1",
        type: str = "qmstart",
        id: t.Union[str, int] = "",
        user: str = TOKEN_ID,
        upid: t.Optional[str] = None,
        duration: t.Union[Number, t.Sequence[Number], None] = 0,
        start: Number = 0,
        log: t.Any = None,
        exitstatus: t.Optional[str] = "OK",
        count: int = 1,
        glued: bool = False,
        ignores_term: bool = False,
        list_lag: Number = 0,
        status_lag: Number = 0,
        cached_unexpected: bool = False,
    ) -> Json:
        """Put tasks into the world: ``{"upids": [...]}``.

        :param node: one name, or several that are taken in turn
        :param id: a number counts up with ``count``
        :param upid: use this id as it is, its parts instead of node, type, id and user
        :param duration: seconds, null: until stopped, ``[shortest, longest]``: spread evenly over ``count``
        :param start: seconds from now; negative ones are in the past, and the log with them
        :param log: lines, ``[seconds, line]`` pairs, or ``{"lines": n, "template": "line {n}"}``
        :param exitstatus: ``OK``, ``WARNINGS: n``, the text of an error, or null: killed
        """
        begin = self._world.clock.now() + start
        nodes = [node] if isinstance(node, str) else list(node)
        made = []
        for number in range(count):
            subject = str(id + number) if isinstance(id, int) else id
            minted = self._mint(upid, nodes[number % len(nodes)], type, subject, user, begin)
            began = float(minted.starttime) if upid is not None else begin
            task = Task(
                minted,
                began,
                _spread(duration, number, count),
                make_log(log),
                exitstatus,
                glued,
                ignores_term,
                list_lag,
                status_lag,
                cached_unexpected,
            )
            made.append(self._world.add(task).upid.text)
        return {"upids": made}

    def task(
        self,
        upid: str,
        finish: t.Optional[str] = None,
        kill: bool = False,
        rotate: bool = False,
        forget: bool = False,
    ) -> Json:
        """Change a task.

        :param finish: end it now with that exit status
        :param kill: end it as KILL or a power loss does
        :param rotate: its log file is gone, the lists still have it
        :param forget: no trace of it is left
        """
        task = self._world.tasks.get(upid)
        if task is None:
            raise ControlError(f"no task {upid}")
        now = self._world.clock.now()
        if finish is not None and not task.ended(now):
            task.exitstatus, task.stopped_at = finish, now
        if kill:
            task.kill(now)
        task.rotated = task.rotated or rotate
        if forget:
            del self._world.tasks[upid]
        return {}

    def scripts(self, **override: t.Any) -> Json:
        """Say how the next tasks of a ``type`` that requests start go.

        :param override: type, id, times (null: always), duration, exitstatus, log (pairs), killed
        """
        kind = override.pop("type")
        self._world.overrides.append(Override(kind, **override))
        return {}

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

    def expire_tickets(self) -> Json:
        """Make every ticket given so far worthless."""
        self._world.users.expire_tickets()
        return {}

    def settings(self, ticket_lifetime: t.Optional[Number] = None, **settings: t.Any) -> Json:
        """Change how the servers behave; fields as in Settings."""
        if ticket_lifetime is not None:
            self._world.users.lifetime = ticket_lifetime
        self._world.settings = dataclasses.replace(self._world.settings, **settings)
        return {}

    def node(self, name: str, exists: bool = True, **changes: t.Any) -> Json:
        """Add, change or remove a node; fields as in Node."""
        node = self._world.nodes.pop(name, Node(name)) if not exists else self._world.nodes.setdefault(name, Node(name))
        if exists:
            self._world.nodes[name] = dataclasses.replace(node, **changes)
        return {}

    def guest(self, vmid: int, exists: bool = True, **changes: t.Any) -> Json:
        """Add, change (``node``, ``kind``, ``ha``) or remove a guest."""
        guest = self._world.guests.pop(vmid, Guest(vmid, self._world.local))
        if exists:
            self._world.guests[vmid] = dataclasses.replace(guest, **changes)
        return {}

    def user(
        self,
        name: str,
        tokens: t.Optional[t.Mapping[str, t.Mapping[str, t.Any]]] = None,
        acl: t.Optional[t.Mapping[str, t.Sequence[str]]] = None,
        **changes: t.Any,
    ) -> Json:
        """Add or change a user: password, otp, enabled, ``acl`` (privileges by path), ``tokens`` (by name).

        Tickets given before stay good; an ``otp`` given is a fresh code, even if it is the one that was spent.
        """
        user = dataclasses.replace(self._world.users.known.get(name, User("")), **changes)
        if "otp" in changes:
            user.spent = set()
        if acl is not None:
            user.acl = _acl(acl)
        for token, fields in (tokens or {}).items():
            user.tokens[token] = Token(**{**fields, "acl": _acl(fields.get("acl", {}))})
        self._world.users.known[name] = user
        return {}

    def clock(self, advance: Number = 0, set: t.Optional[Number] = None) -> Json:
        """Move the world's time, or set it (epoch seconds): ``{"now": epoch}``."""
        if set is not None:
            self._world.clock.set(set)
        self._world.clock.advance(advance)
        return {"now": self._world.clock.now()}

    def counters(self) -> Json:
        """Requests by endpoint, node and listening address, connections, bytes."""
        return self._server.counters.read()

    def reset_counters(self) -> Json:
        """Count from zero."""
        self._server.counters.reset()
        return {}

    async def reset(self) -> Json:
        """Everything back to the beginning, except the clock."""
        self._world.reset()
        self._server.faults.remove()
        self._server.counters.reset()
        return await self.listener(up=True)

    def _mint(self, upid: t.Optional[str], node: str, kind: str, subject: str, user: str, begin: float) -> Upid:
        if upid is None:
            return self._world.mint(node, kind, subject, user, begin)
        parsed = Upid.parse(upid)
        if parsed is None:
            raise ControlError(f"not a UPID: {upid}")
        return parsed


def application(control: Control) -> web.Application:
    """The control calls as plain HTTP: JSON in, JSON out, 400 with ``{"error": …}`` for calls that make no sense."""
    calls: t.Sequence[tuple[str, str, t.Callable[..., t.Union[Json, t.Awaitable[Json]]]]] = (
        ("POST", "/tasks", control.tasks),
        ("POST", "/tasks/(?P<upid>.+)", control.task),
        ("POST", "/scripts", control.scripts),
        ("POST", "/faults", control.faults),
        ("GET", "/faults", control.list_faults),
        ("DELETE", "/faults", control.clear_faults),
        ("POST", "/listener", control.listener),
        ("POST", "/tickets/expire", control.expire_tickets),
        ("POST", "/settings", control.settings),
        ("POST", "/nodes/(?P<name>.+)", control.node),
        ("POST", "/guests/(?P<vmid>[0-9]+)", control.guest),
        ("POST", "/users/(?P<name>.+)", control.user),
        ("POST", "/clock", control.clock),
        ("GET", "/counters", control.counters),
        ("POST", "/counters/reset", control.reset_counters),
        ("POST", "/reset", control.reset),
    )

    async def handle(request: web.Request) -> web.Response:
        given = await request.json() if request.can_read_body else {}
        for method, pattern, call in calls:
            found = re.fullmatch(pattern, request.path)
            if found and method == request.method:
                named = {key: int(text) if key == "vmid" else text for key, text in found.groupdict().items()}
                try:
                    result = call(**named, **given)
                    return web.json_response(result if isinstance(result, dict) else await result)
                except (TypeError, ValueError, LookupError, re.error) as exc:
                    return web.json_response({"error": f"{type(exc).__name__}: {exc}"}, status=400)
        return web.json_response({"error": f"no call {request.method} {request.path}"}, status=404)

    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", handle)
    return app


def _spread(duration: t.Union[Number, t.Sequence[Number], None], number: int, count: int) -> t.Optional[float]:
    if duration is None or isinstance(duration, (int, float)):
        return duration
    shortest, longest = duration
    return shortest + (longest - shortest) * number / max(1, count - 1)


def _acl(given: t.Mapping[str, t.Sequence[str]]) -> dict[str, set[str]]:
    return {path: set(privileges) for path, privileges in given.items()}
