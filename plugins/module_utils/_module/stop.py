# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""proxmox_task_stop: what it takes, and what it does. Private to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import LogWish, Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.stop import seconds_for
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.wait import STOP_PAUSES, wait
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock, SystemClock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import TasksError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid
from ansible_collections.proxkit.tasks.plugins.module_utils._module.access import CONNECTION, api_of, connection
from ansible_collections.proxkit.tasks.plugins.module_utils._module.credentials import mask_warnings
from ansible_collections.proxkit.tasks.plugins.module_utils._module.report import Result, refusal, stop_result
from ansible_collections.proxkit.tasks.plugins.module_utils._module.spec import Params, Spec
from ansible_collections.proxkit.tasks.plugins.module_utils._module.upids import UPIDS, upids
from ansible_collections.proxkit.tasks.plugins.module_utils._module.values import positive_seconds

# Enough for ten tasks of a node.
SECONDS = 30.0

SPEC = Spec({**CONNECTION, "upids": {**UPIDS, "required": True}, "timeout": {"type": "float"}})


def plan_of(params: Params, check_mode: bool, who: Connection, tasks: t.Sequence[Upid]) -> Plan:
    """The plan that the options describe for these tasks. Raises ``OptionError``."""
    given = params["timeout"]
    return Plan(
        timeout=seconds_for(tasks, SECONDS) if given is None else positive_seconds("timeout", given),
        interval=max(STOP_PAUSES[0], who.cost),
        longest=max(STOP_PAUSES[1], 2 * who.cost),
        one_look=check_mode,
        stop=True,
        request_timeout=who.timeout,
        cost=who.cost,
        log=LogWish("never"),
    )


def run(params: Params, check_mode: bool = False, *, clock: Clock | None = None) -> Result:
    """Stop as validated options say. Raises ``TasksError`` where nothing could be asked for."""
    who = connection(params)
    tasks, no_task = upids(params["upids"], who.service)
    plan = plan_of(params, check_mode, who, tasks)
    if not tasks:
        return stop_result(no_task=no_task)
    clock = clock or SystemClock()
    api = api_of(who, clock, (upid.node for upid in tasks))
    waited = wait(tasks, plan, api.connect, clock)
    warnings = [*api.warnings, *mask_warnings(params, [task.upid.text for task in waited.tasks])]
    return stop_result(waited, no_task=no_task, check_mode=check_mode, warnings=warnings)


def refused(error: TasksError) -> Result:
    """The result where ``run`` raised."""
    return {**stop_result(), "failed": True, "msg": refusal(error)}
