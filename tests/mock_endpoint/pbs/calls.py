# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoints of Proxmox Backup Server, what a handler is given, and what it returns."""

from __future__ import annotations

import dataclasses
import typing as t

from .. import _routes
from .._messages import ApiError
from . import schema
from .task import Upid
from .world import World


@dataclasses.dataclass(frozen=True)
class Route(_routes.Route):
    """An endpoint.

    :param world: nobody needs to log in for it
    :param privilege: a path, with variable parts in braces, and what one must be allowed there
    :param query_only: its handler reads no body
    """

    world: bool = False
    privilege: tuple[str, str] = ("", "")
    query_only: bool = False


@dataclasses.dataclass(frozen=True)
class Reply(_routes.Result):
    """A result with what stands beside its ``data``, of another content type where that is said."""

    beside: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    content_type: str = ""


@dataclasses.dataclass(frozen=True)
class Call(_routes.Call):
    """A checked request, and the server that it is about; ``params`` hold the variable parts of the path too."""

    world: World

    def need(self, privilege: str, path: str) -> None:
        """Raise the error of a missing privilege: unlike a route's own, no 403."""
        if not self.world.users.may(self.who, privilege, path):
            raise ApiError(400, f"missing permissions '{privilege}' on '{path}'")

    def truth(self, name: str) -> bool:
        """A parameter that the schema knows as a boolean, false where it is not given."""
        return schema.truth(self.text(name))

    def upid(self) -> Upid:
        """The task that the path names; raises ApiError."""
        text = self.text("upid")
        try:
            upid = Upid.parse(text)
        except ValueError as exc:
            raise ApiError(400, str(exc)) from exc
        if upid is None:
            raise ApiError(400, f"unable to parse UPID '{text}'")
        return upid
