# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted: of a wait, of logs, of a search. Private to the collection."""

from __future__ import annotations

import dataclasses
import math
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import FailOn, Task

# A last look, a log and the end times.
SLACK = 3.0
# More questions than this to one list cost more than to read it and pick.
MOST_QUERIES = 8


@dataclasses.dataclass(frozen=True)
class LogWish:
    """Whose logs are wanted (``not_ok``, ``always``, ``never``) and how many of the last lines (0: all)."""

    whose: str = "not_ok"
    lines: int = 50

    def wants(self, task: Task) -> bool:
        """Whether this task's log is to be read."""
        if self.whose == "never" or task.outcome == "missing" or task.lost_log:
            return False
        return self.whose == "always" or task.outcome != "ok"


@dataclasses.dataclass(frozen=True)
class Plan:
    """How to wait; times in seconds. ``one_look``: look once, whatever it shows; ``stop``: end what runs.

    ``cost`` is what one question takes of a processor's time: where that is much, less is asked, and waited for longer.

    ``progress`` says what an observer shows of the logs of running tasks: ``summary``, ``log`` or ``none``, when none
    is read.
    """

    timeout: float = 300
    interval: float = 0.5
    longest: float = 5
    wait_for: str = "all"
    fail_on: FailOn = "error"
    fail_fast: bool = False
    one_look: bool = False
    follow_ha: bool = False
    stop: bool = False
    request_timeout: float = 15
    cost: float = 0
    progress: str = "none"
    log: LogWish = dataclasses.field(default_factory=LogWish)

    @property
    def slack(self) -> float:
        """How much longer than others the last questions of a wait may take, together."""
        return SLACK * self.cost


@dataclasses.dataclass(frozen=True)
class Filters:
    """Which tasks are wanted; an empty value means all. ``nodes`` are for a server that is asked under another name.

    ``since`` and ``until`` are epoch seconds, ``limit`` is a number of tasks (0: no limit).
    """

    source: str = "all"
    types: tuple[str, ...] = ()
    vmids: tuple[int, ...] = ()
    stores: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    user: str | None = None
    outcomes: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None
    limit: int = 50

    def queries(self) -> list[dict[str, t.Any]]:
        """The queries that bring all that fits and as little else as the server can be told to leave out."""
        only_running = self.outcomes == ("running",)
        query: dict[str, t.Any] = {"source": "active" if only_running and self.source == "all" else self.source}
        if self.outcomes and not only_running:
            query["outcomes"] = self.outcomes
        if self.user:
            query["user"] = self.user
        given = {"since": self.since, "until": self.until}
        query.update((name, value) for name, value in given.items() if value is not None)
        if not self._put_singly:
            return [query]
        # The server takes one of each in a request.
        by_type: list[dict[str, t.Any]] = [{"type": name} for name in self.types] or [{}]
        by_guest: list[dict[str, t.Any]] = [{"guest": vmid} for vmid in self.vmids] or [{}]
        by_store: list[dict[str, t.Any]] = [{"store": name} for name in self.stores] or [{}]
        return [{**query, **kind, **guest, **store} for kind in by_type for guest in by_guest for store in by_store]

    @property
    def exact(self) -> bool:
        """Whether the server leaves out all that does not fit."""
        return self._put_singly and not self.user and not {"running", "unknown"} & set(self.outcomes)

    @property
    def _put_singly(self) -> bool:
        """Whether each type, guest and store gets a question of its own."""
        return math.prod(max(1, len(names)) for names in (self.types, self.vmids, self.stores)) <= MOST_QUERIES

    def fit(self, task: Task) -> bool:
        """Whether ``task`` is wanted, by the whole of what was asked for."""
        upid = task.upid
        return (
            (not self.nodes or upid.node in self.nodes)
            and (not self.types or upid.type in self.types)
            and (not self.vmids or upid.id in map(str, self.vmids))
            and (not self.user or self.user in (upid.user, upid.authid))
            and (not self.outcomes or task.outcome in self.outcomes)
            and (self.since is None or upid.starttime >= self.since)
            and (self.until is None or upid.starttime <= self.until)
        )
