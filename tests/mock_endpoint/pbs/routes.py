# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of Proxmox Backup Server that the mock has, with what each takes. Source: src/api2."""

from __future__ import annotations

from . import access, schema, starters, tasks
from .calls import Route

_TICKET_PARAMS: dict[str, schema.Check] = {
    "username": schema.String(r"[^\s:/\x00-\x1f\x7f]+@[A-Za-z0-9_][A-Za-z0-9._\-]*", 3, 64),
    **dict.fromkeys(("password", "path", "privs", "tfa-challenge"), schema.String()),
    "port": schema.Integer(),
}
_TASK = "nodes/{node}/tasks/{upid}"
_STORE = "admin/datastore/{store}"
ROUTES = (
    Route("GET", "ping", "ping", access.ping, world=True),
    Route("GET", "version", "version", access.version),
    Route("GET", "access/domains", "access/domains", access.domains, world=True),
    Route(
        "POST",
        "access/ticket",
        "access/ticket",
        access.ticket,
        params=_TICKET_PARAMS,
        required=("username",),
        world=True,
    ),
    Route("GET", "nodes", "nodes", access.nodes),
    Route("GET", "nodes/{node}/tasks", "tasks", tasks.tasks, params=tasks.LIST_PARAMS),
    Route("GET", _TASK, "task", tasks.subindex, params=None),
    Route("DELETE", _TASK, "task", tasks.stop),
    Route("GET", f"{_TASK}/status", "status", tasks.status),
    Route("GET", f"{_TASK}/log", "log", tasks.log, params=tasks.LOG_PARAMS, query_only=True),
    Route(
        "POST",
        f"{_STORE}/gc",
        "gc",
        starters.garbage_collection,
        privilege=("/datastore/{store}", "Datastore.Modify"),
    ),
    Route("POST", f"{_STORE}/verify", "datastore/verify", starters.verify, params=None),
    Route("POST", "admin/verify/{id}/run", "verify/run", starters.verification_job),
    Route("POST", "admin/sync/{id}/run", "sync/run", starters.sync_job),
    Route("POST", "admin/prune/{id}/run", "prune/run", starters.prune_job),
)
