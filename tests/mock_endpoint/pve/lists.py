# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node's two lists of tasks hold: the file of active tasks, and the index of ended ones.

Source: ``active_workers`` in PVE::RESTEnvironment, ``node_tasks`` in PVE::API2::Tasks, ``broadcast_tasklist`` in
PVE::Cluster. A task leaves the active file's running ones when a worker of the API notices that it has ended; that
moment, not the end itself, is its end time. The same look writes it into the index, so what has ended is told by the
active list only where the index cannot be written.
"""

from __future__ import annotations

import json
import re
import typing as t

from .._task import Task, Upid, bytes_as_text
from .world import World

Row = dict[str, t.Any]

ACTIVE_MAX = 25
CLUSTER_BYTES = 32 * 1024
REREAD_SECONDS = 10.0


def active(world: World, node: str) -> list[Row]:
    """Rows of the active list: running tasks in the order they began, then those that the index does not hold."""
    running, ended = _file(world, node)
    unsaved = ended if world.settings.index_unwritable else []
    return [_active_row(task.upid, "RUNNING") for task in running] + [_unsaved_row(task) for task in unsaved]


def archive(world: World, node: str) -> list[Row]:
    """Rows of the index read backwards: the task that ended last comes first."""
    if world.settings.index_unwritable:
        return []
    every = world.settings.index_duplicates
    ended = sorted(enumerate(_ended(world, node)), key=lambda at: (_noticed(at[1]), at[0]))
    rows = []
    for number, (_made, task) in enumerate(ended, 1):
        # A line whose status begins with a blank cannot be read again.
        if re.match(r"\S", task.final_status):
            rows += [_archive_row(task) for _time in range(2 if every and number % every == 0 else 1)]
    return rows[::-1]


def cluster(world: World, node: str) -> list[Row]:
    """What all nodes know of a node's tasks: its active file, as much of it as fits into the message."""
    running, ended = _file(world, node)
    now = world.clock.now()
    latest = max((_noticed(task) for task in ended), default=0)
    rows = [_running_cluster_row(task.upid) for task in running]
    for task in ended:
        # Whoever wrote the file has a number, whoever has read it again, a text.
        fresh = _noticed(task) == latest and now < latest + REREAD_SECONDS
        rows.append(_ended_cluster_row(task, not world.settings.index_unwritable, fresh))
    size, kept = 0, []
    for row in rows:
        size += len(json.dumps(row)) + 1
        if size >= CLUSTER_BYTES:
            break
        kept.append(row)
    return kept


def is_own(row: t.Mapping[str, t.Any], who: str) -> bool:
    """Whether a list shows a row to somebody who may not see all.

    A token sees its own tasks, a user its own and those of its tokens; the latter only where the row names the token
    apart, which those of the active list do not.
    """
    full = f"{row['user']}!{row['tokenid']}" if "tokenid" in row else row["user"]
    return who in {full, row["user"]}


def status_kind(status: str) -> str:
    """How the filter for outcomes takes a row's status."""
    if status == "OK":
        return "ok"
    if status in {Task.lost, "RUNNING"}:
        return "unknown"
    return "warning" if re.fullmatch(r"WARNINGS: \d+", status) else "error"


def parts(upid: Upid) -> Row:
    """What all rows say of a task."""
    return {"upid": upid.text, "node": upid.node, "starttime": upid.starttime, "type": upid.type, "id": upid.id}


def split_user(upid: Upid) -> Row:
    """The user and, if it has one, its token."""
    return {"user": upid.owner, **({"tokenid": upid.tokenid} if upid.tokenid else {})}


def _file(world: World, node: str) -> tuple[list[Task], list[Task]]:
    """Tasks in the active file: all that run, and so many of the latest ended ones that they are 25 in all."""
    now = world.clock.now()
    running = [task for task in world.started(node) if not task.ended(now, task.list_lag)]
    running.sort(key=lambda task: task.begin)
    ended = sorted(_ended(world, node), key=lambda task: (-task.upid.starttime, task.upid.text))
    return running, ended[: max(0, ACTIVE_MAX - len(running))]


def _ended(world: World, node: str) -> list[Task]:
    now = world.clock.now()
    return [task for task in world.started(node) if task.ended(now, task.list_lag)]


def _noticed(task: Task) -> int:
    return int((task.end or 0) + task.list_lag)


def _numbers(upid: Upid) -> Row:
    return {"pid": upid.pid, "pstart": upid.pstart}


def _active_row(upid: Upid, status: str) -> Row:
    """The token stays in ``user``."""
    return {**parts(upid), **_numbers(upid), "user": upid.user, "saved": "0", "status": status}


def _end(task: Task) -> Row:
    return {"endtime": _noticed(task), "status": bytes_as_text(task.final_status)}


def _unsaved_row(task: Task) -> Row:
    return {**_active_row(task.upid, ""), **_end(task)}


def _archive_row(task: Task) -> Row:
    return {**parts(task.upid), **_numbers(task.upid), **split_user(task.upid), **_end(task)}


def _running_cluster_row(upid: Upid) -> Row:
    return {**parts(upid), **split_user(upid), "pid": upid.pid, "saved": "0"}


def _ended_cluster_row(task: Task, saved: bool, fresh: bool) -> Row:
    mark = int(saved) if fresh else str(int(saved))
    return {**parts(task.upid), **split_user(task.upid), "saved": mark, **_end(task)}
