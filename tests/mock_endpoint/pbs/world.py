# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a backup server: datastores, jobs, tasks, users, settings. Knows nothing of HTTP."""

from __future__ import annotations

import dataclasses
import typing as t

from .. import _world
from .._clock import Clock
from .._task import Script
from .._users import ROOT, Token, User
from .task import Task, Upid
from .users import PRIVILEGES, Users

ROOT_PASSWORD = "secret-password"
TOKEN_ID = "root@pam!ci"
TOKEN_SECRET = "3c9a6f52-8d1e-4b07-a4c3-7e5f0b2d9a10"
VIEWER = "viewer@pbs"
VIEWER_PASSWORD = "viewer-password"
VIEWER_TOKEN_ID = "viewer@pbs!ro"
VIEWER_TOKEN_SECRET = "8f2b7d61-0c4e-4e9a-b6d5-1a3c5e7f9b20"
AUDITOR_TOKEN_ID = "auditor@pbs!audit"
AUDITOR_TOKEN_SECRET = "6d4e9c83-2f5a-4d1b-8e7c-9b0a1c2d3e30"
DISABLED_TOKEN_ID = "disabled@pbs!off"
DISABLED_TOKEN_SECRET = "1e5d8b94-7a3c-4f60-9c2e-4d6b8a0c2e40"
OTP_USER = "otp@pbs"
OTP_PASSWORD = "otp-password"
OTP_CODE = "123456"

NODES = ("pbs",)
STORES = ("backup", "archive")


@dataclasses.dataclass(frozen=True)
class Job:
    """A configured job; a sync job pulls ``remote_store`` of ``remote``."""

    kind: str
    id: str
    store: str
    ns: str = ""
    remote: str = ""
    remote_store: str = ""


JOBS = (
    Job("verification", "nightly-verify", "backup"),
    Job("sync", "offsite-sync", "archive", remote="offsite", remote_store="main"),
    Job("prune", "daily-prune", "backup"),
)


@dataclasses.dataclass
class Settings(_world.Settings):
    """How the server behaves; seconds.

    :param forbidden_delay: before a 403 is sent (genuine: 0.5)
    :param kill_seconds: how long a task takes to end that was asked to
    """

    forbidden_delay: float = 0.0
    kill_seconds: float = 1.0


class World(_world.World):
    """A backup server.

    :param nodes: its one name
    """

    usual_type = "garbage_collection"
    usual_user = TOKEN_ID
    upids = Upid
    kind = Task
    settings: Settings

    def __init__(self, nodes: t.Sequence[str] = NODES, clock: t.Optional[Clock] = None) -> None:
        super().__init__(nodes, clock)

    def reset(self) -> None:
        """Back to the beginning; only the clock goes on."""
        super().reset()
        self.stores = set(STORES)
        self.jobs = {(job.kind, job.id): job for job in JOBS}

    def default_settings(self) -> Settings:
        """The settings of the beginning."""
        return Settings()

    def default_users(self) -> Users:
        """The users of the beginning."""
        everything, audit = {"/": set(PRIVILEGES)}, {"/": {"Sys.Audit", "Datastore.Audit"}}
        off = Token(DISABLED_TOKEN_SECRET, acl=everything)
        return Users(
            {
                ROOT: User(ROOT_PASSWORD, tokens={"ci": Token(TOKEN_SECRET, acl=everything)}),
                VIEWER: User(VIEWER_PASSWORD, tokens={"ro": Token(VIEWER_TOKEN_SECRET)}),
                "auditor@pbs": User(
                    "auditor-password", acl=audit, tokens={"audit": Token(AUDITOR_TOKEN_SECRET, acl=audit)}
                ),
                "disabled@pbs": User("disabled-password", enabled=False, acl=everything, tokens={"off": off}),
                OTP_USER: User(OTP_PASSWORD, otp=OTP_CODE, acl=audit),
            }
        )

    def hangs(self, node: str) -> bool:
        """Whether requests that name a node are not answered now; every name is this server's."""
        return bool(node) and any(known.hangs for known in self.nodes.values())

    def known(self, upid: Upid) -> t.Optional[Task]:
        """A task whose log file is there."""
        return t.cast("t.Optional[Task]", self.task(upid.canonical))

    def listed(self) -> list[Task]:
        """Tasks that have started, in the order they were made."""
        now = self.clock.now()
        return t.cast("list[Task]", [task for task in self.tasks.values() if task.started(now)])

    def start(self, kind: str, subject: str, user: str, script: Script) -> str:
        """Start a task and return its UPID."""
        now = self.clock.now()
        return self.play(self.mint(self.local, kind, subject, user, now), now, script).upid.text
