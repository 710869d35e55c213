# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a wait and a search found out. Private to the collection."""

from __future__ import annotations

import dataclasses

from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import ApiError, TasksError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task


@dataclasses.dataclass(frozen=True)
class Waited:
    """What a wait found out: tasks in the order asked for, and what kept it from finding out more.

    ``elapsed`` is in seconds, a stopping included, ``timeout`` is the time there was, without it; ``timed_out``: the
    deadline came first; ``settled`` and ``stopped`` hold the UPIDs about which no more is to be found out, and of the
    tasks that ran and were stopped.
    """

    tasks: list[Task]
    elapsed: float
    timed_out: bool
    settled: frozenset[str]
    stopped: tuple[str, ...]
    warnings: list[str]
    fatal: TasksError | None = None
    timeout: float = 0.0


@dataclasses.dataclass(frozen=True)
class Found:
    """Tasks, and what kept one from finding more."""

    tasks: list[Task]
    asked: frozenset[str] = frozenset()  # nodes
    unreachable: dict[str, str] = dataclasses.field(default_factory=dict)  # why, by node
    blind: list[str] = dataclasses.field(default_factory=list)  # nodes that show one's own tasks only
    warnings: list[str] = dataclasses.field(default_factory=list)
    errors: list[ApiError] = dataclasses.field(default_factory=list)  # each of them a failure
