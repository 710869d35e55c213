# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""proxmox_task_wait: what it takes, and what it does. Private to the collection."""

from __future__ import annotations

from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.observer import Observer
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import LogWish, Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.wait import stop_rest, wait
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock, SystemClock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import TasksError
from ansible_collections.proxkit.tasks.plugins.module_utils._module.access import CONNECTION, api_of, connection
from ansible_collections.proxkit.tasks.plugins.module_utils._module.credentials import mask_warnings
from ansible_collections.proxkit.tasks.plugins.module_utils._module.report import Result, refusal, wait_result
from ansible_collections.proxkit.tasks.plugins.module_utils._module.spec import Params, Spec
from ansible_collections.proxkit.tasks.plugins.module_utils._module.upids import UPIDS, upids
from ansible_collections.proxkit.tasks.plugins.module_utils._module.values import (
    LOG_LINES,
    line_count,
    positive_seconds,
    seconds,
)

# The shortest pause where none is given, and the same for each second that a question costs.
INTERVAL = 0.5
DEAR_INTERVAL = 3.0

SPEC = Spec(
    {
        **CONNECTION,
        "upids": {**UPIDS, "required": True},
        "timeout": {"type": "float", "default": 300},
        "poll_interval": {"type": "float"},
        "poll_interval_max": {"type": "float", "default": 5},
        "wait_for": {"type": "str", "default": "all", "choices": ["all", "any"]},
        "fail_on": {"type": "str", "default": "error", "choices": ["error", "warning", "never"]},
        "fail_fast": {"type": "bool", "default": False},
        "on_timeout": {"type": "str", "default": "fail", "choices": ["fail", "continue", "stop"]},
        "log": {"type": "str", "default": "not_ok", "choices": ["not_ok", "always", "never"]},
        "log_lines": LOG_LINES,
        "follow_ha": {"type": "bool", "default": False},
        "progress": {"type": "str", "default": "summary", "choices": ["summary", "log", "none"]},
    }
)


def plan_of(params: Params, check_mode: bool, who: Connection, observed: bool = False) -> Plan:
    """The plan that the options describe; ``observed``: somebody watches. Raises ``OptionError``."""
    given = params["poll_interval"]
    interval = max(INTERVAL, DEAR_INTERVAL * who.cost) if given is None else positive_seconds("poll_interval", given)
    return Plan(
        timeout=seconds("timeout", params["timeout"]),
        interval=interval,
        longest=max(interval, positive_seconds("poll_interval_max", params["poll_interval_max"])),
        wait_for=params["wait_for"],
        fail_on=params["fail_on"],
        fail_fast=params["fail_fast"],
        one_look=check_mode,
        follow_ha=params["follow_ha"],
        request_timeout=who.timeout,
        cost=who.cost,
        progress=params["progress"] if observed else "none",
        log=LogWish(params["log"], line_count(params["log_lines"])),
    )


def run(
    params: Params, check_mode: bool = False, *, clock: Clock | None = None, observer: Observer | None = None
) -> Result:
    """Wait as validated options say, and tell ``observer`` what is seen of it.

    Raises ``TasksError`` where nothing could be asked for.
    """
    who = connection(params)
    plan = plan_of(params, check_mode, who, observer is not None)
    tasks, no_task = upids(params["upids"], who.service)
    if not tasks:
        return wait_result(no_task=no_task)
    clock = clock or SystemClock()
    api = api_of(who, clock, (upid.node for upid in tasks))
    waited = wait(tasks, plan, api.connect, clock, observer)
    if waited.timed_out and params["on_timeout"] == "stop":
        waited = stop_rest(waited, plan, api.connect, clock, observer)
    return wait_result(
        waited,
        no_task=no_task,
        fail_on=params["fail_on"],
        on_timeout=params["on_timeout"],
        check_mode=check_mode,
        warnings=[*api.warnings, *mask_warnings(params, [task.upid.text for task in waited.tasks])],
    )


def refused(error: TasksError) -> Result:
    """The result where ``run`` raised."""
    return {**wait_result(), "failed": True, "msg": refusal(error)}
