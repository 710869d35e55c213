# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a cluster: nodes, guests, tasks, users, settings. Knows nothing of HTTP."""

from __future__ import annotations

import dataclasses
import math
import typing as t

from .. import _users, _world
from .._clock import Clock
from .._task import Script, Task
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
LOCKS = {"migrate": "migrate", "snapshot": "snapshot"}
STORAGES = {"local": "/var/lib/vz", "backup": "/mnt/backup"}  # their folders
REBOOT_AFTER = 2.0
UPTIME = 864000


class UnknownGuest(LookupError):
    """No guest of that id and kind on that node."""


@dataclasses.dataclass
class Guest:
    """A virtual machine (``qemu``) or container (``lxc``).

    :param ha: the HA manager looks after it
    :param lock: why nobody may change it, beside the task that is at work on it
    """

    vmid: int
    node: str
    kind: str = "qemu"
    ha: bool = False
    running: bool = True
    template: bool = False
    lock: str = ""
    name: str = ""


class Change(t.NamedTuple):
    """What a guest is once a task has ended well, and how it is locked as long as that lasts.

    :param new: the task makes the guest: there is none if it fails
    """

    task: Task
    vmid: int
    lock: str = ""
    fields: t.Mapping[str, t.Any] = {}
    new: bool = False


@dataclasses.dataclass
class Settings(_world.Settings):
    """How the servers behave; seconds.

    :param ha_delay: between an HA request's end and the task the HA manager starts
    :param body_message: errors carry ``message`` in the body (servers since 2025-01)
    :param index_unwritable: no ended task gets into the index: the latest stay in the active list, with their end
    :param index_duplicates: every n-th ended task is in the index twice, as happens under load; 0: none
    :param loopback_names: the names of unknown nodes resolve, but to loopback addresses only
    :param boot_seconds: how long a node is away that is told to reboot
    """

    ha_delay: float = 2.0
    body_message: bool = True
    index_unwritable: bool = False
    index_duplicates: int = 0
    loopback_names: bool = False
    boot_seconds: float = 60.0


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
        self._guests = {guest.vmid: guest for guest in _default_guests(self._names)}
        self._changes: list[Change] = []
        self.boots: dict[str, tuple[float, float]] = {}

    def default_settings(self) -> Settings:
        """The settings of the beginning."""
        return Settings()

    def default_users(self) -> _users.Users:
        """The users of the beginning."""
        return Users(_default_users())

    @property
    def guests(self) -> dict[int, Guest]:
        """All guests by their numbers, as the tasks that have ended left them."""
        now = self.clock.now()
        for change in [change for change in self._changes if change.task.ended(now)]:
            self._changes.remove(change)
            guest = self._guests.get(change.vmid)
            if guest is not None and change.task.final_status.startswith(("OK", "WARNINGS: ")):
                self._guests[change.vmid] = dataclasses.replace(guest, **change.fields)
            elif change.new:
                self._guests.pop(change.vmid, None)
        return self._guests

    def guest(self, vmid: int, node: str, kind: str) -> Guest:
        """A guest; raises UnknownGuest."""
        guest = self.guests.get(vmid)
        if guest is None or (guest.node, guest.kind) != (node, kind):
            raise UnknownGuest(vmid)
        return guest

    def lock(self, guest: Guest) -> str:
        """Why nobody may change a guest now; empty where everybody may."""
        locks = [c.lock for c in self._changes if c.vmid == guest.vmid and c.task.started(self.clock.now())]
        return next(filter(None, locks), guest.lock)

    def start(self, node: str, kind: str, user: str, vmids: t.Sequence[int], subject: str, target: str = "") -> str:
        """Start a task of a realistic script and return its UPID."""
        return self._start(self.clock.now(), node, kind, user, vmids, subject, target).upid.text

    def run(self, node: str, kind: str, subject: str, user: str, script: Script) -> str:
        """Start a task by a script of its own and return its UPID."""
        now = self.clock.now()
        return self.play(self.mint(node, kind, subject, user, now), now, script).upid.text

    def act(self, guest: Guest, action: str, user: str, target: str = "") -> str:
        """Have something done to a guest: its task's UPID, or that of the request to the HA manager.

        A guest that is locked makes the task fail.
        """
        kind = "qmigrate" if (guest.kind, action) == ("qemu", "migrate") else f"{PREFIXES[guest.kind]}{action}"
        node, begin, subject, who = guest.node, self.clock.now(), str(guest.vmid), user
        request = None
        if guest.ha and action in HA_KINDS:
            request = self._start(begin, node, f"ha{HA_KINDS[action]}", user, [guest.vmid], subject, target)
            if request.exitstatus != "OK" or request.end is None:
                return request.upid.text
            begin, who = request.end + self.settings.ha_delay, ROOT
        task = self._start(begin, node, kind, who, [guest.vmid], subject, target)
        lock = self.lock(guest)
        if lock:
            task.exitstatus = f"{'VM' if guest.kind == 'qemu' else 'CT'} is locked ({lock})"
        self._changes.append(Change(task, guest.vmid, LOCKS.get(action, ""), _after(action, target)))
        return (request or task).upid.text

    def clone(self, guest: Guest, newid: int, name: str, target: str, user: str) -> str:
        """Have a copy of a guest made, locked as long as that takes: the task's UPID."""
        task = self._start(self.clock.now(), guest.node, "qmclone", user, [guest.vmid], str(guest.vmid))
        self.guests[newid] = Guest(newid, guest.node, running=False, name=name)
        self._changes.append(Change(task, newid, "clone", {"node": target or guest.node}, new=True))
        return task.upid.text

    def reboot(self, node: str, returns: bool = True) -> None:
        """Have a node go down, and come up again where it ``returns``, when its guests are started."""
        down = self.clock.now() + REBOOT_AFTER
        up = down + self.settings.boot_seconds if returns else math.inf
        self.boots[node] = (down, up)
        if returns:
            here = [guest.vmid for guest in self.guests.values() if guest.node == node]
            self._start(up, node, "startall", ROOT, here)

    def not_found(self, node: str) -> str:
        """What is said of a node that the cluster does not have."""
        if self.settings.loopback_names:
            return f"address lookup for '{node}' did not find any IP address"
        return f"hostname lookup '{node}' failed - failed to get address info for: {node}: Name or service not known"

    def down(self, node: str) -> bool:
        """Whether a node is rebooting."""
        down, up = self.boots.get(node, (0, 0))
        return down <= self.clock.now() < up

    def uptime(self, node: str) -> int:
        """Seconds that a node is up."""
        _down, up = self.boots.get(node, (0, 0))
        now = self.clock.now()
        return int(now - up) if 0 < up <= now else UPTIME

    def _start(
        self,
        begin: float,
        node: str,
        kind: str,
        user: str,
        vmids: t.Sequence[int],
        subject: str = "",
        target: str = "",
    ) -> Task:
        upid = self.mint(node, kind, subject, user, begin)
        return self.play(upid, begin, script(kind, vmids, begin, target))


def _after(action: str, target: str) -> dict[str, t.Any]:
    """What a guest is after an action that went well."""
    if action == "migrate":
        return {"node": target}
    return {"running": action == "start"} if action in {"start", "stop", "shutdown"} else {}


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
