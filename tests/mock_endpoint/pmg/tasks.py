# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs from Proxmox VE in what is told about tasks. Source: PMG::API2::Tasks.

Nobody has tasks of their own: who may read one may read all. The list is the index alone, so it never has a task that
runs, and there is no other list. A task gets into the index when ``active_workers`` (PVE::RESTEnvironment) looks: in
the worker of pmgdaemon that started it, as soon as it ends; and in any, when a task of the node starts or ends. Unlike
on PVE no other daemon looks from time to time. So a task whose worker was replaced meanwhile (after 1000 requests, or
by a restart) is in no list until the next one comes, and has that moment as its end: tests say so by ``list_lag``.
"""

from __future__ import annotations

from .._messages import ApiError
from .._routes import Result
from ..pve import lists
from ..pve import tasks as pve
from ..pve.calls import Call


def tasks(call: Call) -> Result:
    """Ended tasks, the latest end first; a limit of 0 is none given."""
    rows = [row for row in lists.archive(call.world, call.where["node"]) if pve.matches(call, row)]
    start = call.number("start", 0)
    return Result(rows[start : start + (call.number("limit", 0) or pve.DEFAULT_LIMIT)], len(rows))


def log(call: Call) -> Result:
    """A page of a log, or the file."""
    if call.text("download") == "1" and not call.params.keys().isdisjoint({"start", "limit"}):
        raise ApiError(500, "Parameter 'download' can't be used with other parameters")
    return pve.log(call)
