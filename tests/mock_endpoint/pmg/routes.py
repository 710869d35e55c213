# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of Proxmox Mail Gateway that the mock has, with what each takes and who may call it."""

from __future__ import annotations

import dataclasses

from .._routes import Route
from .._schema import Check, boolean, choice, integer, string, text
from ..pve.schema import status_list
from ..pve.tasks import status, stop, subindex
from . import access, starters, tasks
from .users import EVERY_ROLE


@dataclasses.dataclass(frozen=True)
class RoleRoute(Route):
    """An endpoint.

    :param roles: who may call it beside root@pam; source: ``permissions`` of each call in PMG::API2
    """

    roles: tuple[str, ...] = ()


_LIST_PARAMS: dict[str, Check] = {
    "start": integer(),
    "limit": integer(),
    "userfilter": string,
    "errors": boolean,
    "typefilter": string,
    "since": integer(None),
    "until": integer(None),
    "statusfilter": status_list,
}
_LOG_PARAMS: dict[str, Check] = {"start": integer(), "limit": integer(), "download": boolean}
_TICKET_PARAMS: dict[str, Check] = {
    **dict.fromkeys(("password", "otp", "tfa-challenge"), string),
    "username": text(64),
    "realm": text(32),
    "path": text(64),
}
_BACKUP_PARAMS: dict[str, Check] = {"statistic": boolean, "notify": choice("always", "error", "never")}
_RESTORE_PARAMS: dict[str, Check] = dict.fromkeys(("config", "database", "statistic"), boolean)
_APT_PARAMS: dict[str, Check] = {"notify": boolean, "quiet": boolean}
_JOIN_PARAMS: dict[str, Check] = {"master_ip": string, "fingerprint": string, "password": text(128)}

_NODE = "nodes/{node}"
_TASK = f"{_NODE}/tasks/{{upid}}"
_SNAPSHOT = f"{_NODE}/pbs/{{remote}}/snapshot"
_SERVICE = f"{_NODE}/services/{{service}}"
_READERS, _WRITERS = ("admin", "audit"), ("admin",)
ROUTES = (
    RoleRoute("GET", "version", "version", access.version, roles=EVERY_ROLE),
    RoleRoute("GET", "access/auth-realm", "access/auth-realm", access.realms),
    RoleRoute("GET", "access/ticket", "access/ticket", access.login_page),
    RoleRoute("POST", "access/ticket", "access/ticket", access.ticket, True, _TICKET_PARAMS, ("username", "password")),
    RoleRoute("GET", "nodes", "nodes", access.nodes, roles=EVERY_ROLE),
    RoleRoute("GET", f"{_NODE}/tasks", "tasks", tasks.tasks, params=_LIST_PARAMS, roles=_READERS),
    RoleRoute("GET", _TASK, "task", subindex, roles=_READERS),
    RoleRoute("DELETE", _TASK, "task", stop, True, roles=_WRITERS),
    RoleRoute("GET", f"{_TASK}/status", "status", status, True, roles=_READERS),
    RoleRoute("GET", f"{_TASK}/log", "log", tasks.log, True, _LOG_PARAMS, roles=_READERS),
    *(
        RoleRoute("POST", path, name, starters.starting(kind), True, params, roles=_WRITERS)
        for path, name, kind, params in (
            (f"{_NODE}/apt/update", "apt/update", "aptupdate", _APT_PARAMS),
            (f"{_NODE}/backup", "backup", "backup", _BACKUP_PARAMS),
            (f"{_NODE}/clamav/database", "clamav/database", "avupdate", {}),
            (f"{_NODE}/spamassassin/rules", "spamassassin/rules", "saupdate", {}),
        )
    ),
    RoleRoute(
        "POST", f"{_NODE}/backup/{{filename}}", "restore", starters.restore, True, _RESTORE_PARAMS, roles=_WRITERS
    ),
    RoleRoute("POST", _SNAPSHOT, "pbs/backup", starters.pbs_backup, True, _BACKUP_PARAMS, roles=_READERS),
    RoleRoute(
        "POST",
        f"{_SNAPSHOT}/{{backup-id}}/{{backup-time}}",
        "pbs/restore",
        starters.pbs_restore,
        True,
        _RESTORE_PARAMS,
        roles=_WRITERS,
    ),
    *(
        RoleRoute("POST", f"{_SERVICE}/{action}", f"service/{action}", starters.service(action), True, roles=_WRITERS)
        for action in ("start", "stop", "restart", "reload")
    ),
    RoleRoute("POST", "config/cluster/create", "cluster/create", starters.starting("clustercreate"), True),
    RoleRoute(
        "POST",
        "config/cluster/join",
        "cluster/join",
        starters.starting("clusterjoin"),
        True,
        _JOIN_PARAMS,
        tuple(_JOIN_PARAMS),
    ),
)
