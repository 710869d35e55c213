# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control calls that are about what a service tells of: its tasks, nodes and users."""

from __future__ import annotations

import dataclasses
import typing as t

from ._control import Control, ControlCall, ControlError, Json, Number
from ._server import Server
from ._task import Upid
from ._users import Token
from ._world import Node, Override, World, make_log


class WorldControl(Control):
    """The control calls that all products have."""

    def __init__(self, server: Server, world: World) -> None:
        super().__init__(server, world)
        self._world = world

    def calls(self) -> t.Sequence[ControlCall]:
        """All calls in their HTTP form."""
        return (
            ("POST", "/tasks", self.tasks),
            ("POST", "/tasks/(?P<upid>.+)", self.task),
            ("POST", "/scripts", self.scripts),
            ("POST", "/tickets/expire", self.expire_tickets),
            ("POST", "/settings", self.settings),
            ("POST", "/nodes/(?P<name>.+)", self.node),
            ("POST", "/users/(?P<name>.+)", self.user),
            *super().calls(),
        )

    def tasks(
        self,
        node: t.Union[str, t.Sequence[str], None] = None,
        type: t.Optional[str] = None,
        id: t.Union[str, int] = "",
        user: t.Optional[str] = None,
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

        :param node: one name, or several that are taken in turn; the node that is asked where none is given
        :param id: a number counts up with ``count``
        :param upid: use this id as it is, its parts instead of node, type, id and user
        :param duration: seconds, null: until stopped, ``[shortest, longest]``: spread evenly over ``count``
        :param start: seconds from now; negative ones are in the past, and the log with them
        :param log: lines, ``[seconds, line]`` pairs, or ``{"lines": n, "template": "line {n}"}``
        :param exitstatus: ``OK``, ``WARNINGS: n``, the text of an error, or null: killed
        """
        world = self._world
        begin = world.clock.now() + start
        nodes = [node or world.local] if node is None or isinstance(node, str) else list(node)
        kind, who = type or world.usual_type, user or world.usual_user
        made = []
        for number in range(count):
            subject = str(id + number) if isinstance(id, int) else id
            minted = self._mint(upid, nodes[number % len(nodes)], kind, subject, who, begin)
            began = float(minted.starttime) if upid is not None else begin
            task = world.kind(
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
            made.append(world.add(task).upid.text)
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

    def user(
        self,
        name: str,
        tokens: t.Optional[t.Mapping[str, t.Mapping[str, t.Any]]] = None,
        acl: t.Optional[t.Mapping[str, t.Sequence[str]]] = None,
        **changes: t.Any,
    ) -> Json:
        """Add or change a user: ``acl`` (privileges by path), ``tokens`` (by name), more as its product has it.

        Tickets given before stay good; an ``otp`` given is a fresh code, even if it is the one that was spent.
        """
        user = dataclasses.replace(self._world.users.known.get(name, self._world.users.kind("")), **changes)
        if "otp" in changes:
            user.spent = set()
        if acl is not None:
            user.acl = _acl(acl)
        for token, fields in (tokens or {}).items():
            user.tokens[token] = Token(**{**fields, "acl": _acl(fields.get("acl", {}))})
        self._world.users.known[name] = user
        return {}

    def _mint(self, upid: t.Optional[str], node: str, kind: str, subject: str, user: str, begin: float) -> Upid:
        if upid is None:
            return self._world.mint(node, kind, subject, user, begin)
        parsed = self._world.upids.parse(upid)
        if parsed is None:
            raise ControlError(f"not a UPID: {upid}")
        return parsed


def _spread(duration: t.Union[Number, t.Sequence[Number], None], number: int, count: int) -> t.Optional[float]:
    if duration is None or isinstance(duration, (int, float)):
        return duration
    shortest, longest = duration
    return shortest + (longest - shortest) * number / max(1, count - 1)


def _acl(given: t.Mapping[str, t.Sequence[str]]) -> dict[str, set[str]]:
    return {path: set(privileges) for path, privileges in given.items()}
