# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that start tasks."""

from __future__ import annotations

import typing as t

from .._messages import ApiError
from .._proxy import INVALID
from .._routes import Result
from .._task import Task, TimedLog
from .calls import Call
from .guests import guest_of
from .world import Guest


def _check_lock(call: Call, guest: Guest) -> None:
    """Some requests look for a lock at once, others leave that to the task. Only those of virtual machines do."""
    lock = call.world.lock(guest)
    if lock:
        raise ApiError(500, f"VM is locked ({lock})")


def acting(kind: str, action: str, privilege: str = "VM.PowerMgmt") -> t.Callable[[Call], Result]:
    def act(call: Call) -> Result:
        return Result(call.world.act(guest_of(call, kind, privilege), action, call.who))

    return act


def migrate_vm(call: Call) -> Result:
    """Source: ``migrate_vm`` in PVE::API2::Qemu."""
    guest = guest_of(call, "qemu", "VM.Migrate")
    target = _target(call, guest)
    _check_lock(call, guest)
    if guest.running and call.text("online", "0") != "1":
        raise ApiError(500, "can't migrate running VM without --online")
    return Result(call.world.act(guest, "migrate", call.who, target))


def migrate_container(call: Call) -> Result:
    """Source: ``migrate_vm`` in PVE::API2::LXC."""
    guest = guest_of(call, "lxc", "VM.Migrate")
    target = _target(call, guest)
    if guest.running and "1" not in {call.text("online"), call.text("restart")}:
        raise ApiError(500, "can't migrate running container without --online or --restart")
    return Result(call.world.act(guest, "migrate", call.who, target))


def _target(call: Call, guest: Guest) -> str:
    target = call.text("target")
    if target == guest.node or target not in call.world.nodes:
        said = "target is local node." if target == guest.node else f"no such cluster node '{target}'"
        raise ApiError(400, INVALID, {"target": said})
    return target


def clone(call: Call) -> Result:
    """Source: ``clone_vm`` in PVE::API2::Qemu."""
    guest = guest_of(call, "qemu", "VM.Clone")
    _check_lock(call, guest)
    newid = int(call.text("newid"))
    if newid in call.world.guests:
        raise ApiError(500, f"unable to create VM {newid}: config file already exists")
    name = call.text("name", f"Copy-of-VM-{guest.name or guest.vmid}")
    return Result(call.world.clone(guest, newid, name, call.text("target"), call.who))


def configure(call: Call) -> Result:
    """Source: ``update_vm_async`` in PVE::API2::Qemu."""
    guest = guest_of(call, "qemu", "VM.Config.Options")
    _check_lock(call, guest)
    return Result(call.world.act(guest, "config", call.who))


def vzdump(call: Call) -> Result:
    node = call.where["node"]
    here = sorted(guest.vmid for guest in call.world.guests.values() if guest.node == node)
    if "vmid" in call.params:
        wanted = [int(vmid) for vmid in call.words("vmid")]
        here = [vmid for vmid in wanted if vmid in here]
    for vmid in here:
        call.need("VM.Backup", f"/vms/{vmid}")
    if not here:
        return Result("OK")
    return Result(call.world.start(node, "vzdump", call.who, here, str(here[0]) if len(here) == 1 else ""))


def on_node(kind: str) -> t.Callable[[Call], Result]:
    def start(call: Call) -> Result:
        node = call.where["node"]
        call.need("Sys.Modify" if kind == "aptupdate" else "VM.PowerMgmt", "/nodes/" + node)
        vmids = sorted(guest.vmid for guest in call.world.guests.values() if guest.node == node)
        return Result(call.world.start(node, kind, call.who, vmids, ""))

    return start


def selftest(call: Call) -> Result:
    """A worker that does as it is told; no part of PVE, but the one that its measured answers came from."""
    world, now = call.world, call.world.clock.now()
    lines, outcome = call.number("lines", 0), call.text("outcome", "ok")
    seconds = float(call.number("seconds", 0))
    log: list[tuple[float, str]] = [(seconds * n / lines, f"line {n} of {lines}") for n in range(1, lines + 1)]
    if outcome == "warn":
        log.append((seconds, "WARN: this is a test warning #1"))
    exitstatus = {"ok": "OK", "warn": "WARNINGS: 1", "error": "told to fail", "die": "unexpected: boom"}.get(outcome)
    upid = world.mint(call.where["node"], "selftest", "", call.who, now)
    world.add(Task(upid, now, seconds, TimedLog(log), exitstatus))
    return Result(upid.text)
