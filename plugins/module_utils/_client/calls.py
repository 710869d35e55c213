# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few calls that the collection makes, on whatever way leads to a cluster. Private to the collection.

Every call takes ``deadline``, a monotonic time in seconds after which no answer is of use, and raises ``ApiError``.
What differs between the products ends here: whoever calls is told of tasks in Proxmox VE's terms.
"""

from __future__ import annotations

import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import (
    Request,
    Rows,
    mapping_of,
    number_of,
    rows_of,
    tasks_of,
    text_of,
    total_of,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import Query, Service
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Fault,
    NoPrivilege,
    NoSuchTask,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.grammar import is_node_name
from ansible_collections.proxkit.tasks.plugins.module_utils._model.log import Page
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import outcome_of
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid, parse

# More rows than a node's list of active tasks can hold.
_ALL_ACTIVE = 10_000


class Transport(t.Protocol):
    """A way to a cluster."""

    def ask(self, request: Request, deadline: float) -> dict[str, t.Any]:
        """The whole answer to a request, with its ``data``; raises ``ApiError``."""

    def close(self) -> None:
        """End what is under way."""


class Calls:
    """What the collection asks of a cluster."""

    def __init__(self, transport: Transport, service: Service) -> None:
        """Nothing is asked yet."""
        self._service = service
        self._ask = transport.ask
        self.close = transport.close

    def version(self, deadline: float) -> dict[str, t.Any]:
        """The server's version; a cheap question that every host answers by itself."""
        return mapping_of(self._ask(Request("GET", ("version",)), deadline))

    def node_names(self, deadline: float) -> list[str]:
        """Names of all nodes of the cluster, those that are down too."""
        if self._service.own_node:
            return [self._service.own_node]
        names = [str(row.get("node")) for row in rows_of(self._ask(Request("GET", ("nodes",)), deadline))]
        if not all(is_node_name(name) for name in names):
            raise ApiError("the cluster lists a node by a name that no node can have")
        return sorted(names)

    def status(self, upid: Upid, deadline: float) -> dict[str, t.Any]:
        """The status of one task: ``status`` and, once it has stopped, ``exitstatus``. Raises ``NoSuchTask``."""
        answer = mapping_of(self._ask(self._of_task("GET", upid, "status"), deadline))
        if answer.get("status") not in ("running", "stopped"):
            raise Fault(f"node {upid.node} gave a status that is neither running nor stopped")
        told = {**answer, "exitstatus": text_of(answer.get("exitstatus"))}
        ended_somehow = told["status"] == "stopped" and outcome_of(told["exitstatus"], upid.product) == "unknown"
        if ended_somehow and self._service.vague:
            self._check_known(upid, deadline)
        return told

    def _check_known(self, upid: Upid, deadline: float) -> None:
        """A task that the server does not know has no log. Raises ``NoSuchTask``."""
        try:
            self.log(upid, 0, 1, deadline)
        except NoSuchTask:
            raise
        except ApiError:
            # What a log can add never costs what the status told.
            return

    def active(self, node: str, deadline: float) -> dict[str, dict[str, t.Any]] | None:
        """The rows of a node's running tasks, and of some that ended lately, by UPID; None where no list has them."""
        query = self._service.list_query({"source": "active", "limit": _ALL_ACTIVE})
        return None if query is None else {str(row.get("upid")): row for row in self._rows(node, query, deadline)[0]}

    def listed(self, node: str, deadline: float, **wanted: t.Any) -> tuple[Rows, int | None]:
        """One page of a node's task list, and how many rows there are in all (None where the server does not say)."""
        query = self._service.list_query(wanted)
        return ([], 0) if query is None else self._rows(node, query, deadline)

    def _rows(self, node: str, query: Query, deadline: float) -> tuple[Rows, int | None]:
        path = ("nodes", self._service.own_node or node, "tasks")
        answer = self._ask(Request("GET", path, query), deadline)
        # Where more is sent than was asked for, nobody has room for it.
        return tasks_of(answer, self._service.bare_rows)[: query.get("limit")], total_of(answer)

    def cluster_tasks(self, deadline: float) -> Rows:
        """Running and recent tasks of all nodes, those that are down too (25 a node, from the cluster file system).

        Empty where the product has no such list.
        """
        if not self._service.cluster_list:
            return []
        return tasks_of(self._ask(Request("GET", ("cluster", "tasks")), deadline))

    def log(self, upid: Upid, start: int, limit: int, deadline: float) -> Page:
        """Rows of a log from the 0-based line ``start`` on, ``limit`` at the most. Raises ``NoSuchTask``."""
        query = {"start": start + self._service.first_line, "limit": limit, **self._service.log_query}
        answer = self._ask(self._of_task("GET", upid, "log", query), deadline)
        rows, total = rows_of(answer), total_of(answer)
        if total is None:
            # A total of 0 is left out; where all totals are, a row's number is the least there can be.
            total = max((number_of(row.get("n")) for row in rows), default=0)
        return Page(rows, total, bool(answer["active"]) if answer.get("active") is not None else None)

    def stop(self, upid: Upid, deadline: float) -> None:
        """Ask for the end of a task. PVE answers when it is gone, up to about 6 s later, Backup Server at once."""
        self._ask(self._of_task("DELETE", upid), deadline)

    def missing_right(self, node: str, deadline: float) -> str | None:
        """What keeps one from seeing tasks of others on ``node``; None where nothing does."""
        rights = self._service.rights
        if rights.stranger is None:
            return None
        try:
            self.log(parse(rights.stranger.format(node=node)), 0, 1, deadline)
        except NoPrivilege:
            return rights.see.format(node=node)
        except NoSuchTask:
            pass
        return None

    def _of_task(self, method: str, upid: Upid, part: str = "", query: Query | None = None) -> Request:
        """A question about one task."""
        path = ("nodes", self._service.own_node or upid.node, "tasks", upid.native, *filter(None, [part]))
        return Request(method, path, query or {}, upid)
