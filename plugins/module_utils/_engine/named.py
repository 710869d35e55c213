# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking once at tasks that are known by name. Private to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.lists import (
    LIST_FROM,
    add_endtimes,
    ended_rows,
    task_of,
    without_log,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.look import look_at
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import NO_DEADLINE, ON_THE_WAY, Reader
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import ApiError, Hopeless, NoSuchTask
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import in_sentence
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid


class Named:
    """Tasks of one node that were asked for by name.

    ``tasks`` is what is known of them, ``errors`` why nothing is known of some, ``warnings`` what else was not read,
    ``unread_logs`` by UPID what kept from reading logs that an end was to be checked against.
    """

    def __init__(self, source: Reader, upids: t.Sequence[Upid]) -> None:
        """Nothing is asked yet."""
        self.warnings: list[str] = []
        self.errors: list[ApiError] = []
        self.tasks: list[Task] = []
        self.unread_logs: dict[str, ApiError] = {}
        self._source = source
        self._upids = upids
        self._rows: dict[str, dict[str, t.Any]] | None = None

    def find(self) -> None:
        """Ask for them with as few requests as can be. Raises ``ApiError``."""
        for upid in self._upids:
            task = self._by_list(upid) if len(self._upids) >= LIST_FROM else None
            # What a row says of a task that ended is final; else only the task itself knows.
            if task is None or task.outcome in ("running", "unknown"):
                task = self._told_by_node(upid)
            self.tasks.append(task)
        if any(task.sight == "stopped" and task.endtime is None for task in self.tasks):
            self.tasks = add_endtimes(self.tasks, self._listed())

    def _listed(self) -> dict[str, dict[str, t.Any]]:
        """The rows of the node's list, asked for once: where it fails, it only had something to add."""
        if self._rows is None:
            self._rows = {}
            try:
                self._rows = ended_rows(self._source, self._upids, NO_DEADLINE)
            except Hopeless:
                raise
            except ApiError as exc:
                text = f"The task list of node {self._upids[0].node} could not be read: {in_sentence(exc.message)}."
                self.warnings.append(text)
        return self._rows

    def _by_list(self, upid: Upid) -> Task | None:
        return task_of(upid, self._listed().get(upid.native))

    def _told_by_node(self, upid: Upid) -> Task:
        try:
            look = look_at(self._source, upid, NO_DEADLINE, lambda: self._by_list(upid))
        except NoSuchTask as exc:
            return without_log(upid, self._by_list(upid), exc.message)
        except (Hopeless, *ON_THE_WAY):
            raise
        except ApiError as exc:
            self.errors.append(exc)
            return Task(upid, error=exc.message)
        if look.unread_log is not None:
            self.unread_logs[upid.native] = look.unread_log
        for fault in look.faults:
            text = f"How {upid.native} ended could not be checked against its log: {in_sentence(fault.message)}."
            self.warnings.append(text)
        return look.task
