# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a cluster, and which faults mean what for the next question. Private to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import NotProxmox, Unreachable
from ansible_collections.proxkit.tasks.plugins.module_utils._model.log import Page
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid

Row = t.Mapping[str, t.Any]
Rows = list[dict[str, t.Any]]
# What says nothing of the task that was asked for, but of the way to its node: the others need not be asked now.
ON_THE_WAY = (Unreachable, NotProxmox)
# For callers without a deadline: each request ends by its own time limit.
NO_DEADLINE = float("inf")


class Reader(t.Protocol):
    """What is asked of a cluster once; ``deadline`` is when an answer is of no more use (see ``_client.calls``)."""

    def status(self, upid: Upid, deadline: float) -> dict[str, t.Any]:
        """``status`` and ``exitstatus`` of a task."""

    def listed(self, node: str, deadline: float, **filters: t.Any) -> tuple[Rows, int | None]:
        """A page of a node's task list."""

    def cluster_tasks(self, deadline: float) -> Rows:
        """Running and recent tasks of all nodes."""

    def log(self, upid: Upid, start: int, limit: int, deadline: float) -> Page:
        """Rows of a log, and what is told beside them."""

    def node_names(self, deadline: float) -> list[str]:
        """Names of all nodes of the cluster."""

    def missing_right(self, node: str, deadline: float) -> str | None:
        """What is missing to see tasks of others on a node; None where nothing is."""

    def close(self) -> None:
        """End what is under way."""


class Source(Reader, t.Protocol):
    """What a wait asks for beside that."""

    def active(self, node: str, deadline: float) -> dict[str, dict[str, t.Any]] | None:
        """Rows of a node's running tasks, and of some that ended lately, by UPID; None where no list has them."""

    def stop(self, upid: Upid, deadline: float) -> None:
        """Ask for the end of a task."""


Connect = t.Callable[[], Source]
