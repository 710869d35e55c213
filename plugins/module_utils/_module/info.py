# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""proxmox_task_info: what it takes, and what it does. Private to the collection."""

from __future__ import annotations

import dataclasses

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.find import Finder
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import LogWish
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock, SystemClock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import TasksError
from ansible_collections.proxkit.tasks.plugins.module_utils._module.access import CONNECTION, api_of, connection
from ansible_collections.proxkit.tasks.plugins.module_utils._module.credentials import mask_warnings
from ansible_collections.proxkit.tasks.plugins.module_utils._module.filters import FILTERS, filters_of, node_names
from ansible_collections.proxkit.tasks.plugins.module_utils._module.report import Result, info_result, refusal
from ansible_collections.proxkit.tasks.plugins.module_utils._module.spec import Params, Spec
from ansible_collections.proxkit.tasks.plugins.module_utils._module.upids import UPIDS, upids
from ansible_collections.proxkit.tasks.plugins.module_utils._module.values import LOG_LINES, line_count

SPEC = Spec(
    {
        **CONNECTION,
        # Ansible makes a null of an option that is not given; a null that was given must not find everything.
        "upids": {**UPIDS, "aliases": ["upid", "task"], "default": {}},
        **FILTERS,
        "source": {"type": "str", "default": "all", "choices": ["archive", "active", "all"]},
        "limit": {"type": "int", "default": 50},
        "log": {"type": "str", "default": "never", "choices": ["never", "not_ok", "always"]},
        "log_lines": LOG_LINES,
    },
    filters=tuple(FILTERS),
)


def run(params: Params, _check_mode: bool = False, *, clock: Clock | None = None) -> Result:
    """Find what validated options ask for. Raises ``TasksError`` where nothing could be asked for."""
    clock = clock or SystemClock()
    who = connection(params)
    nodes, own_node = node_names(params["node"]), who.service.own_node
    filters = filters_of(params, clock.time(), who.service.product)
    if nodes and own_node:
        # It is asked by a name of its own, and says the other one in its UPIDs.
        filters = dataclasses.replace(filters, nodes=() if own_node in nodes else tuple(nodes))
        nodes = [own_node]
    log = LogWish(params["log"], line_count(params["log_lines"]))
    by_name = SPEC.by_name(params)
    tasks, no_task = upids(params["upids"], who.service) if by_name else ([], [])
    if by_name and not tasks:
        return info_result(no_task=no_task)
    api = api_of(who, clock, [*nodes, *(upid.node for upid in tasks)])
    finder = Finder(api.connect, clock, log)
    found = finder.named(tasks) if by_name else finder.matching(nodes, filters)
    warnings = [*api.warnings, *mask_warnings(params, [task.upid.text for task in found.tasks])]
    if filters.nodes and not found.tasks and not by_name:
        names = " or ".join(filters.nodes)
        warnings.append(f"{who.service.title} has one node, and lists no task of {names}: node localhost names it too.")
    return info_result(found, limit=0 if by_name else filters.limit, no_task=no_task, warnings=warnings)


def refused(error: TasksError) -> Result:
    """The result where ``run`` raised."""
    return {**info_result(), "failed": True, "msg": refusal(error)}
