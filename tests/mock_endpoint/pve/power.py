# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a node fares, and how it is rebooted. Source: PVE::API2::Nodes."""

from __future__ import annotations

from .._routes import Result
from .calls import Call

GIB = 1 << 30


def status(call: Call) -> Result:
    node = call.where["node"]
    call.need("Sys.Audit", f"/nodes/{node}")
    return Result(
        {
            "uptime": call.world.uptime(node),
            "idle": 0,
            "loadavg": ["0.12", "0.10", "0.09"],
            "kversion": "Linux 7.0.6-1-pve #1 SMP PREEMPT_DYNAMIC PMX 7.0.6-1",
            "cpu": 0.02,
            "wait": 0,
            "cpuinfo": {"cores": 4, "cpus": 8, "model": "Virtual CPU", "sockets": 1},
            "memory": {"free": 20 * GIB, "total": 32 * GIB, "available": 24 * GIB, "used": 8 * GIB},
            "swap": {"free": 8 * GIB, "total": 8 * GIB, "used": 0},
            "ksm": {"shared": 0},
            "pveversion": "pve-manager/9.2.11/14a22df35955d97d",
            "rootfs": {"total": 100 * GIB, "avail": 90 * GIB, "used": 10 * GIB, "free": 90 * GIB},
        }
    )


def command(call: Call) -> Result:
    """Reboot it; one that is shut down stays away."""
    node = call.where["node"]
    call.need("Sys.PowerMgmt", f"/nodes/{node}")
    call.world.reboot(node, returns=call.text("command") == "reboot")
    return Result()
