# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told about tasks: their status, log and lists; and how they are stopped."""

from __future__ import annotations

import time
import typing as t

from .._messages import ApiError
from .._proxy import INVALID
from .._routes import Result
from .._task import Task, Upid, bytes_as_text
from . import lists
from .calls import Call
from .schema import STATUS_KINDS

DEFAULT_LIMIT = 50


def subindex(_call: Call) -> Result:
    return Result([{"name": "log"}, {"name": "status"}])


def _upid(call: Call) -> Upid:
    upid = Upid.parse(call.where["upid"])
    if upid is None:
        raise ApiError(400, INVALID, {"upid": "unable to parse worker upid"})
    return upid


def _own(upid: Upid, who: str) -> bool:
    """A token sees its own tasks, a user its own and those of its tokens."""
    return who in {upid.user, upid.owner}


def _task(call: Call) -> tuple[Upid, Task]:
    upid = _upid(call)
    task = call.world.task(upid.text)
    if task is None or upid.node != call.where["node"]:
        raise ApiError(400, INVALID, {"upid": "no such task"})
    return upid, task


def _check_owner(call: Call, upid: Upid, privilege: str) -> None:
    if not _own(upid, call.who):
        call.need(privilege, f"/nodes/{call.where['node']}")


def status(call: Call) -> Result:
    upid, task = _task(call)
    _check_owner(call, upid, "Sys.Audit")
    data = {**lists.parts(upid), **lists.split_user(upid), "pid": upid.pid, "pstart": upid.pstart}
    if not task.ended(call.world.clock.now(), task.status_lag):
        return Result({**data, "status": "running"})
    exitstatus = Task.lost if task.cached_unexpected else task.final_status
    return Result({**data, "status": "stopped", "exitstatus": bytes_as_text(exitstatus)})


def log(call: Call) -> Result:
    upid = _upid(call)
    _check_owner(call, upid, "Sys.Audit")
    task = call.world.task(upid.text) if upid.node == call.where["node"] else None
    now = call.world.clock.now()
    if call.text("download", "0") == "1":
        if "start" in call.params or "limit" in call.params:
            raise ApiError(500, "'download' cannot be used together with 'start' or 'limit' parameters")
        if task is None:
            folder = f"{upid.starttime & 15:X}"
            raise ApiError(
                500, f"Could not open file '/var/log/pve/tasks/{folder}/{upid.text}' - No such file or directory"
            )
        lines = task.lines(now, 0, task.total_lines(now))
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(upid.starttime))
        text = "".join(f"{line}\n" for line in lines)
        return Result(text=text, filename=f"task-{upid.node}-{upid.type}-{stamp}.log")
    if task is None:
        return Result([{"n": 1, "t": "unable to open file - No such file or directory"}], 1)
    total = task.total_lines(now)
    if total == 0:
        return Result([{"n": 1, "t": "no content"}], 1)
    start = call.number("start", 0)
    stop = start + (call.number("limit", DEFAULT_LIMIT) or total)
    page = task.lines(now, start, stop)
    return Result([{"n": start + n, "t": bytes_as_text(line)} for n, line in enumerate(page, 1)], total)


def stop(call: Call) -> Result:
    upid, task = _task(call)
    _check_owner(call, upid, "Sys.Modify")
    world, now = call.world, call.world.clock.now()
    if task.ended(now):
        return Result()
    task.stop(now, world.settings.kill_seconds)
    return Result(not_before=max(now + world.settings.stop_seconds, task.end or now))


def tasks(call: Call) -> Result:
    world, node = call.world, call.where["node"]
    source = call.text("source", "archive")
    rows = lists.active(world, node) if source != "archive" else []
    rows += lists.archive(world, node) if source != "active" else []
    auditor = world.users.may(call.who, "Sys.Audit", f"/nodes/{node}")
    rows = [row for row in rows if (auditor or lists.is_own(row, call.who)) and matches(call, row)]
    start = call.number("start", 0)
    return Result(rows[start : start + call.number("limit", DEFAULT_LIMIT)], len(rows))


def matches(call: Call, row: t.Mapping[str, t.Any]) -> bool:
    """Whether the filters of a list let a row pass."""
    return (
        call.text("userfilter").lower() in row["user"].lower()
        and call.text("typefilter") in {"", row["type"]}
        and call.text("vmid") in {"", row["id"]}
        and row["starttime"] >= call.number("since", 0)
        and row["starttime"] <= call.number("until", 1 << 62)
        and lists.status_kind(row["status"]) in _wanted_kinds(call)
    )


def _wanted_kinds(call: Call) -> set[str]:
    """Outcomes asked for; ``errors`` goes before a list of them."""
    if call.text("errors", "0") == "1":
        return set(STATUS_KINDS) - {"ok"}
    if "statusfilter" not in call.params:
        return set(STATUS_KINDS)
    return {word.lower() for word in call.words("statusfilter")}


def cluster_tasks(call: Call) -> Result:
    """Rows of all nodes; unlike the list of a node, a user is shown its tokens' running tasks, a token nothing."""
    auditor = call.world.users.may(call.who, "Sys.Audit", "/")
    rows = [row for node in call.world.nodes for row in lists.cluster(call.world, node)]
    return Result([row for row in rows if auditor or row["user"] == call.who])
