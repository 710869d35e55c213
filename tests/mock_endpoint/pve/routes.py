# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of Proxmox VE that the mock has, with what each takes."""

from __future__ import annotations

from .._routes import Route
from .._schema import Check, boolean, choice, integer, string, text
from . import access, guests, power, resources, starters, storage, tasks
from .schema import status_list, vmid

_LIST_PARAMS: dict[str, Check] = {
    "start": integer(),
    "limit": integer(),
    "userfilter": string,
    "typefilter": string,
    "vmid": vmid,
    "errors": boolean,
    "source": choice("archive", "active", "all"),
    "since": integer(None),
    "until": integer(None),
    "statusfilter": status_list,
}
_LOG_PARAMS: dict[str, Check] = {
    "start": integer(),
    "limit": integer(),
    "download": boolean,
}
_TICKET_PARAMS: dict[str, Check] = {
    **dict.fromkeys(("username", "password", "realm", "otp", "path", "privs", "tfa-challenge"), string),
    "new-format": boolean,
}
_SELFTEST_PARAMS: dict[str, Check] = {
    "lines": integer(),
    "seconds": integer(),
    "outcome": choice("ok", "warn", "error", "die", "kill"),
}
_RESOURCES_PARAMS: dict[str, Check] = {"type": choice("vm", "storage", "node", "sdn")}
_POWER_PARAMS: dict[str, Check] = {"command": choice("reboot", "shutdown")}
_CONTENT_PARAMS: dict[str, Check] = {
    "content": choice("iso", "vztmpl", "import"),
    "filename": text(255),
    "checksum": string,
    "checksum-algorithm": choice("md5", "sha1", "sha224", "sha256", "sha384", "sha512"),
}

_TASK = "nodes/{node}/tasks/{upid}"
_QEMU = "nodes/{node}/qemu/{vmid}"
_LXC = "nodes/{node}/lxc/{vmid}"
ROUTES = (
    Route("GET", "version", "version", access.version),
    Route("GET", "access/domains", "access/domains", access.domains),
    Route("GET", "access/ticket", "access/ticket", access.login_page),
    Route("POST", "access/ticket", "access/ticket", access.ticket, True, _TICKET_PARAMS, ("username", "password")),
    Route("GET", "access/permissions", "permissions", access.permissions, params={"userid": string, "path": string}),
    Route("GET", "nodes", "nodes", access.nodes),
    Route("GET", "storage", "storage", storage.storages, params={"type": string}),
    Route("GET", "cluster/tasks", "cluster/tasks", tasks.cluster_tasks),
    Route("GET", "nodes/{node}/tasks", "tasks", tasks.tasks, params=_LIST_PARAMS),
    Route("GET", _TASK, "task", tasks.subindex),
    Route("DELETE", _TASK, "task", tasks.stop, True),
    Route("GET", f"{_TASK}/status", "status", tasks.status, True),
    Route("GET", f"{_TASK}/log", "log", tasks.log, True, _LOG_PARAMS),
    Route("POST", "nodes/{node}/vzdump", "vzdump", starters.vzdump, True, None),
    Route("POST", "nodes/{node}/apt/update", "apt/update", starters.on_node("aptupdate"), True, None),
    Route("POST", "nodes/{node}/startall", "startall", starters.on_node("startall"), True, None),
    Route("POST", "nodes/{node}/stopall", "stopall", starters.on_node("stopall"), True, None),
    Route("POST", "nodes/{node}/selftest", "selftest", starters.selftest, True, _SELFTEST_PARAMS),
    Route("POST", f"{_QEMU}/clone", "qemu/clone", starters.clone, True, None, ("newid",)),
    Route("POST", f"{_QEMU}/config", "qemu/config", starters.configure, True, None),
    Route("POST", f"{_QEMU}/migrate", "qemu/migrate", starters.migrate_vm, True, None, ("target",)),
    Route("POST", f"{_LXC}/migrate", "lxc/migrate", starters.migrate_container, True, None, ("target",)),
    *(
        Route(
            "POST",
            f"{path}/snapshot",
            f"{kind}/snapshot",
            starters.acting(kind, "snapshot", "VM.Snapshot"),
            True,
            None,
            ("snapname",),
        )
        for kind, path in (("qemu", _QEMU), ("lxc", _LXC))
    ),
    *(
        Route("POST", f"{path}/status/{action}", f"{kind}/{action}", starters.acting(kind, action), True, None)
        for kind, path in (("qemu", _QEMU), ("lxc", _LXC))
        for action in ("start", "stop", "shutdown")
    ),
    *(
        Route("GET", f"{path}/status/current", f"{kind}/current", guests.status(kind), True)
        for kind, path in (("qemu", _QEMU), ("lxc", _LXC))
    ),
    Route("GET", "cluster/resources", "cluster/resources", resources.resources, params=_RESOURCES_PARAMS),
    Route("GET", "cluster/nextid", "cluster/nextid", resources.nextid, params={"vmid": vmid}),
    Route("GET", "nodes/{node}/status", "node/status", power.status),
    Route("POST", "nodes/{node}/status", "node/command", power.command, True, _POWER_PARAMS, ("command",)),
    # The one request about a node that is not handed on to it.
    Route(
        "POST",
        "nodes/{receiver}/storage/{storage}/upload",
        "upload",
        storage.upload,
        True,
        {**_CONTENT_PARAMS, "tmpfilename": string},
        ("content", "filename"),
    ),
    Route(
        "POST",
        "nodes/{node}/storage/{storage}/download-url",
        "download-url",
        storage.download,
        True,
        {**_CONTENT_PARAMS, "url": string, "compression": string, "verify-certificates": boolean},
        ("content", "filename", "url"),
    ),
)
