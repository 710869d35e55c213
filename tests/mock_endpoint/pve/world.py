# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a cluster: nodes, guests, tasks, users, settings. Knows nothing of HTTP."""

from __future__ import annotations

import dataclasses
import typing as t

from .. import _users, _world
from .._clock import Clock
from .._task import Task
from .._users import ROOT, Token, User
from .scripts import script
from .users import Users

ROOT_PASSWORD = "secret-password"
TOKEN_NAME = "ci"
TOKEN_ID = "root@pam!ci"
TOKEN_SECRET = "0d0e8a5c-6d3a-4c1f-9f6a-2b7c1e5f4a10"
VIEWER = "viewer@pve"
VIEWER_PASSWORD = "viewer-password"
VIEWER_TOKEN_ID = "viewer@pve!ro"
VIEWER_TOKEN_SECRET = "5b1d8a3e-97c2-4a57-8c3b-6d9f2e1a7b20"
AUDITOR_TOKEN_ID = "auditor@pve!audit"
AUDITOR_TOKEN_SECRET = "c7e2a9d4-1b6f-4e38-a5d0-3f8b7c6e9a30"
SEPARATED_TOKEN_ID = "root@pam!sep"
SEPARATED_TOKEN_SECRET = "a4f6c1b8-5e2d-4907-b3a9-8d1e7f2c6b40"
DISABLED_TOKEN_ID = "disabled@pve!off"
DISABLED_TOKEN_SECRET = "e9b3d7f1-8a4c-4625-97de-1c5a6b8f3d50"
OTP_USER = "otp@pve"
OTP_PASSWORD = "otp-password"
OTP_CODE = "123456"

NODES = ("pve1", "pve2", "pve3")
PREFIXES = {"qemu": "qm", "lxc": "vz"}
HA_KINDS = {"start": "start", "stop": "stop", "shutdown": "stop", "migrate": "migrate"}


class UnknownGuest(LookupError):
    """No guest of that id and kind on that node."""


@dataclasses.dataclass
class Guest:
    """A virtual machine (``qemu``) or container (``lxc``); ``ha``: the HA manager looks after it."""

    vmid: int
    node: str
    kind: str = "qemu"
    ha: bool = False


@dataclasses.dataclass
class Settings(_world.Settings):
    """How the servers behave; seconds.

    :param ha_delay: between an HA request's end and the task the HA manager starts
    :param body_message: errors carry ``message`` in the body (servers since 2025-01)
    :param index_unwritable: no ended task gets into the index: the latest stay in the active list, with their end
    :param index_duplicates: every n-th ended task is in the index twice, as happens under load; 0: none
    :param loopback_names: the names of unknown nodes resolve, but to loopback addresses only
    """

    ha_delay: float = 2.0
    body_message: bool = True
    index_unwritable: bool = False
    index_duplicates: int = 0
    loopback_names: bool = False


class World(_world.World):
    """A cluster.

    :param nodes: node names; the first one is the node that the API host itself is
    """

    usual_type = "qmstart"
    usual_user = TOKEN_ID
    settings: Settings

    def __init__(self, nodes: t.Sequence[str] = NODES, clock: t.Optional[Clock] = None) -> None:
        super().__init__(nodes, clock)

    def reset(self) -> None:
        """Back to the beginning; only the clock goes on."""
        super().reset()
        self.guests = {guest.vmid: guest for guest in _default_guests(self._names)}

    def default_settings(self) -> Settings:
        """The settings of the beginning."""
        return Settings()

    def default_users(self) -> _users.Users:
        """The users of the beginning."""
        return Users(_default_users())

    def guest(self, vmid: int, node: str, kind: str) -> Guest:
        """A guest; raises UnknownGuest."""
        guest = self.guests.get(vmid)
        if guest is None or (guest.node, guest.kind) != (node, kind):
            raise UnknownGuest(vmid)
        return guest

    def start(self, node: str, kind: str, user: str, vmids: t.Sequence[int], subject: str, target: str = "") -> str:
        """Start a task of a realistic script and return its UPID."""
        return self._start(self.clock.now(), node, kind, user, vmids, subject, target).upid.text

    def act(self, guest: Guest, action: str, user: str, target: str = "") -> str:
        """Start, stop, shut down or migrate a guest: its task's UPID, or that of the request to the HA manager."""
        kind = "qmigrate" if (guest.kind, action) == ("qemu", "migrate") else f"{PREFIXES[guest.kind]}{action}"
        node, now, subject = guest.node, self.clock.now(), str(guest.vmid)
        if not guest.ha:
            task = self._start(now, node, kind, user, [guest.vmid], subject, target)
        else:
            request = f"ha{HA_KINDS[action]}"
            task = self._start(now, node, request, user, [guest.vmid], subject, target)
            if task.exitstatus == "OK" and task.end is not None:
                later = task.end + self.settings.ha_delay
                self._start(later, node, kind, ROOT, [guest.vmid], subject, target)
        if target:
            guest.node = target
        return task.upid.text

    def _start(
        self, begin: float, node: str, kind: str, user: str, vmids: t.Sequence[int], subject: str, target: str
    ) -> Task:
        upid = self.mint(node, kind, subject, user, begin)
        return self.play(upid, begin, script(kind, vmids, begin, target))


def _default_guests(nodes: t.Sequence[str]) -> list[Guest]:
    first, second = nodes[0], nodes[min(1, len(nodes) - 1)]
    return [
        *(Guest(vmid, first) for vmid in (100, 101, 102, 103)),
        Guest(200, first, "lxc"),
        Guest(110, second),
        Guest(111, second, ha=True),
        Guest(210, second, "lxc"),
        Guest(211, second, "lxc", ha=True),
    ]


def _default_users() -> dict[str, User]:
    audit = {"/": {"Sys.Audit"}}
    return {
        ROOT: User(
            ROOT_PASSWORD,
            tokens={TOKEN_NAME: Token(TOKEN_SECRET), "sep": Token(SEPARATED_TOKEN_SECRET, separated=True)},
        ),
        VIEWER: User(VIEWER_PASSWORD, tokens={"ro": Token(VIEWER_TOKEN_SECRET)}),
        "auditor@pve": User("auditor-password", acl=audit, tokens={"audit": Token(AUDITOR_TOKEN_SECRET)}),
        "disabled@pve": User("disabled-password", enabled=False, tokens={"off": Token(DISABLED_TOKEN_SECRET)}),
        OTP_USER: User(OTP_PASSWORD, otp=OTP_CODE, acl=audit),
    }
