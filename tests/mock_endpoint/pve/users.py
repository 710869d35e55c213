# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of Proxmox VE, and what a login tells of their privileges."""

from __future__ import annotations

import typing as t

from .. import _users

# Areas of the web interface, the path of each, its privileges.
CAPABILITIES = {
    "access": ("/access", "User.Modify Group.Allocate Permissions.Modify"),
    "dc": ("/", "Sys.Audit Sys.Modify SDN.Allocate SDN.Audit SDN.Use"),
    "mapping": ("/mapping", "Mapping.Audit Mapping.Modify Mapping.Use Permissions.Modify"),
    "nodes": (
        "/nodes",
        "Sys.AccessNetwork Sys.Audit Sys.Console Sys.Incoming Sys.Modify Sys.PowerMgmt Sys.Syslog Permissions.Modify",
    ),
    "sdn": ("/sdn", "SDN.Allocate SDN.Audit SDN.Use Permissions.Modify"),
    "storage": (
        "/storage",
        "Datastore.Allocate Datastore.AllocateSpace Datastore.AllocateTemplate Datastore.Audit Permissions.Modify",
    ),
    "vms": (
        "/vms",
        "VM.Allocate VM.Audit VM.Backup VM.Clone VM.Config.CDROM VM.Config.CPU VM.Config.Cloudinit VM.Config.Disk "
        "VM.Config.HWType VM.Config.Memory VM.Config.Network VM.Config.Options VM.Console VM.GuestAgent.Audit "
        "VM.GuestAgent.FileRead VM.GuestAgent.FileSystemMgmt VM.GuestAgent.FileWrite VM.GuestAgent.Unrestricted "
        "VM.Migrate VM.PowerMgmt VM.Replicate VM.Snapshot VM.Snapshot.Rollback Permissions.Modify",
    ),
}


class Users(_users.Users):
    """All users of the cluster."""

    prefix = "PVE"

    def welcoming(self, name: str, stamp: str) -> dict[str, t.Any]:
        """What is said beside the ticket: privileges too."""
        return {**super().welcoming(name, stamp), "cap": self._capabilities(name)}

    def _capabilities(self, name: str) -> dict[str, dict[str, int]]:
        return {
            area: {privilege: 1 for privilege in privileges.split() if self.may(name, privilege, path)}
            for area, (path, privileges) in CAPABILITIES.items()
        }
