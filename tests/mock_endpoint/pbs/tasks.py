# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of tasks: their status, log and list; and how they are stopped. Source: src/api2/node/tasks.rs.

Left out: who may run a job sees its tasks, even without Sys.Audit (``check_job_privs``).
"""

from __future__ import annotations

import re
import time
import typing as t

from .._messages import ApiError
from .._routes import Result
from . import schema
from .calls import Call, Reply
from .task import Task, Upid

DEFAULT_LIMIT = 50
TASKS = "/system/tasks"
NO_FILE = "No such file or directory (os error 2)"
STATES = ("ok", "warning", "error", "unknown")


def _visible(call: Call, upid: Upid) -> bool:
    """A token sees its own tasks, a user its own and those of its tokens, an auditor all."""
    return call.who in {upid.user, upid.owner} or call.world.users.may(call.who, "Sys.Audit", TASKS)


def _accessible(call: Call) -> Upid:
    upid = call.upid()
    if not _visible(call, upid):
        raise ApiError(400, "task access not allowed")
    return upid


def _active(call: Call, task: t.Optional[Task]) -> bool:
    return task is not None and not task.ended(call.world.clock.now(), task.status_lag)


def subindex(_call: Call) -> Result:
    return Reply([{"subdir": "log"}, {"subdir": "status"}])


def status(call: Call) -> Result:
    """A task that nobody knows has stopped, with an unknown outcome."""
    upid = _accessible(call)
    task = call.world.known(upid)
    data = {
        "upid": upid.text,
        "node": upid.node,
        "pid": upid.pid,
        "pstart": upid.pstart,
        "starttime": upid.starttime,
        "type": upid.type,
        "id": upid.id or None,
        "user": upid.owner,
        **({"tokenid": upid.tokenid} if upid.tokenid else {}),
    }
    if _active(call, task):
        return Reply({**data, "status": "running"})
    return Reply({**data, "status": "stopped", "exitstatus": task.final_status if task else Task.lost})


def log(call: Call) -> Result:
    """Rows from the line ``start`` on, counted from 1; ``active`` only where it is asked for."""
    upid = _accessible(call)
    download = call.truth("download")
    if download and {"start", "limit", "test-status"} & call.params.keys():
        raise ApiError(400, "Parameter 'download' cannot be used with other parameters")
    task = call.world.known(upid)
    if task is None:
        raise ApiError(400, NO_FILE)
    now = call.world.clock.now()
    total = task.total_lines(now)
    if download:
        began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(upid.starttime))
        text = "".join(f"{line}\n" for line in task.lines(now, 0, total))
        return Reply(text=text, filename=f"task-{upid.node}-{upid.type}-{began}.log")
    first = max(1, call.number("start", 0))
    limit = call.number("limit", DEFAULT_LIMIT) or total
    page = task.lines(now, first - 1, first - 1 + limit)
    beside = {"total": total, "success": 1}
    if call.truth("test-status"):
        beside["active"] = _active(call, task)
    rows = [{"n": n, "t": line} for n, line in enumerate(page, first)]
    return Reply(rows, beside=beside, content_type="application/json")


def stop(call: Call) -> Result:
    """Only ask the task to end; nobody waits, and nobody is told that there is no such task."""
    upid = call.upid()
    if call.who != upid.user:
        call.need("Sys.Modify", TASKS)
    task = call.world.known(upid)
    if task is not None:
        task.stop(call.world.clock.now(), call.world.settings.kill_seconds)
    return Reply()


def tasks(call: Call) -> Result:
    """Running tasks, the latest start first, then ended ones, the latest end first.

    What ended before ``since`` ends the search: what follows ended earlier still. The total is not the number there is:
    it is one more than was told as long as there may be more.
    """
    start, limit = call.number("start", 0), call.number("limit", DEFAULT_LIMIT)
    found: list[dict[str, t.Any]] = []
    skipped = 0
    for task, ended in _listed(call):
        if task.upid.starttime > call.number("until", 1 << 62):
            continue
        if ended and "since" in call.params and task.endtime < call.number("since", 0):
            break
        if not _wanted(call, task, ended):
            continue
        if skipped < start:
            skipped += 1
            continue
        found.append(_row(task, ended))
        if len(found) == limit:
            break
    more = bool(found) and len(found) == limit
    return Reply(found, beside={"total": len(found) + start + more})


def _listed(call: Call) -> list[tuple[Task, bool]]:
    """Tasks in the lists' order, and whether each has ended; what cannot be read from the archive is not there."""
    now = call.world.clock.now()
    known = [(task, task.ended(now, task.list_lag)) for task in call.world.listed()]
    running = [task for task, ended in known if not ended]
    archive = sorted((task for task, ended in known if ended), key=lambda task: (task.end or 0) + task.list_lag)
    return [(task, False) for task in running[::-1]] + [(task, True) for task in archive[::-1] if task.listed_status]


def _wanted(call: Call, task: Task, ended: bool) -> bool:
    upid = task.upid
    if upid.starttime < call.number("since", 0) or not _visible(call, upid):
        return False
    if call.text("userfilter") not in upid.user or call.text("typefilter") not in upid.type:
        return False
    if "store" in call.params and not _of_store(upid, call.text("store")):
        return False
    state = _state(task.listed_status) if ended else ""
    if (ended and call.truth("running")) or (state == "ok" and call.truth("errors")):
        return False
    return "statusfilter" not in call.params or state in call.params["statusfilter"]


def _of_store(upid: Upid, store: str) -> bool:
    """Whether a task is about a datastore, by its id. Source: ``check_job_store``."""
    parts = upid.id.split(":")
    if upid.type == "syncjob":
        return len(parts) > 3 and parts[2] == store
    about = ("prune", "prunejob", "backup", "garbage_collection")
    return (upid.type in about or upid.type.startswith("verif")) and parts[0] == store


def _state(exitstatus: str) -> str:
    if exitstatus == "OK":
        return "ok"
    if exitstatus == Task.lost:
        return "unknown"
    return "warning" if re.fullmatch(r"WARNINGS: \d+", exitstatus) else "error"


def _row(task: Task, ended: bool) -> dict[str, t.Any]:
    upid = task.upid
    return {
        "upid": upid.text,
        "node": "localhost",
        "pid": upid.pid,
        "pstart": upid.pstart,
        "starttime": upid.starttime,
        "worker_type": upid.type,
        "worker_id": upid.id or None,
        "user": upid.user,
        **({"endtime": task.endtime, "status": task.listed_status} if ended else {}),
    }


LIST_PARAMS: dict[str, schema.Check] = {
    "start": schema.Integer(0),
    "limit": schema.Integer(0),
    "store": schema.STORE,
    "running": schema.Boolean(),
    "errors": schema.Boolean(),
    "userfilter": schema.String(),
    "since": schema.Integer(),
    "until": schema.Integer(),
    "typefilter": schema.String(),
    "statusfilter": schema.Several(schema.String(words=STATES)),
}
LOG_PARAMS: dict[str, schema.Check] = {
    "start": schema.Integer(0),
    "limit": schema.Integer(0),
    "download": schema.Boolean(),
    "test-status": schema.Boolean(),
}
