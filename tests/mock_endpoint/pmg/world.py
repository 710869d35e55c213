# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a cluster of mail gateways."""

from __future__ import annotations

import typing as t

from .._clock import Clock
from .._users import ROOT
from ..pve import world as pve
from .scripts import script
from .users import User, Users

ROOT_PASSWORD = pve.ROOT_PASSWORD
ADMIN, ADMIN_PASSWORD = "admin@pmg", "admin-password"
AUDITOR, AUDITOR_PASSWORD = "auditor@pmg", "auditor-password"
HELPDESK, HELPDESK_PASSWORD = "helpdesk@pmg", "helpdesk-password"
VIEWER, VIEWER_PASSWORD = "viewer@pmg", "viewer-password"
DISABLED, DISABLED_PASSWORD = "disabled@pmg", "disabled-password"
OTP_USER, OTP_PASSWORD, OTP_CODE = "otp@pmg", "otp-password", "123456"

NODES = ("pmg1", "pmg2", "pmg3")
REMOTES = ("pbs1",)


class World(pve.World):
    """A cluster without guests; the first node is the one that the API host itself is, and the master."""

    usual_type = "aptupdate"
    usual_user = ROOT

    def __init__(self, nodes: t.Sequence[str] = NODES, clock: t.Optional[Clock] = None) -> None:
        super().__init__(nodes, clock)

    def reset(self) -> None:
        """Back to the beginning; only the clock goes on."""
        super().reset()
        self.guests.clear()

    def default_users(self) -> Users:
        """The users of the beginning."""
        return Users(
            {
                ROOT: User(ROOT_PASSWORD, role="root"),
                ADMIN: User(ADMIN_PASSWORD),
                AUDITOR: User(AUDITOR_PASSWORD, role="audit"),
                HELPDESK: User(HELPDESK_PASSWORD, role="helpdesk"),
                VIEWER: User(VIEWER_PASSWORD, role="qmanager"),
                DISABLED: User(DISABLED_PASSWORD, enabled=False),
                OTP_USER: User(OTP_PASSWORD, otp=OTP_CODE, role="audit"),
            }
        )

    def start(self, node: str, kind: str, user: str, vmids: t.Sequence[int], subject: str, target: str = "") -> str:
        """Start a task of a realistic script and return its UPID; ``target`` is what it works on."""
        now = self.clock.now()
        return self.play(self.mint(node, kind, subject, user, now), now, script(kind, now, target)).upid.text
