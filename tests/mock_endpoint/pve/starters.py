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
from . import schema
from .calls import Call
from .world import Guest, UnknownGuest


def _guest(call: Call, kind: str, privilege: str) -> Guest:
    vmid, node = call.where["vmid"], call.where["node"]
    wrong = schema.vmid(vmid)
    if wrong:
        raise ApiError(400, INVALID, {"vmid": wrong})
    call.need(privilege, f"/vms/{vmid}")
    try:
        return call.world.guest(int(vmid), node, kind)
    except UnknownGuest as exc:
        folder = "qemu-server" if kind == "qemu" else "lxc"
        raise ApiError(500, f"Configuration file 'nodes/{node}/{folder}/{vmid}.conf' does not exist") from exc


def acting(kind: str, action: str) -> t.Callable[[Call], Result]:
    def act(call: Call) -> Result:
        guest = _guest(call, kind, "VM.Migrate" if action == "migrate" else "VM.PowerMgmt")
        target = ""
        if action == "migrate":
            target = call.text("target")
            if target == guest.node or target not in call.world.nodes:
                said = "target is local node." if target == guest.node else f"no such cluster node '{target}'"
                raise ApiError(400, INVALID, {"target": said})
        return Result(call.world.act(guest, action, call.who, target))

    return act


def clone(call: Call) -> Result:
    guest = _guest(call, "qemu", "VM.Clone")
    subject = str(guest.vmid)
    newid = int(call.text("newid"))
    if newid in call.world.guests:
        raise ApiError(500, f"unable to create VM {newid}: config file already exists")
    call.world.guests[newid] = Guest(newid, guest.node)
    return Result(call.world.start(guest.node, "qmclone", call.who, [guest.vmid], subject))


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
