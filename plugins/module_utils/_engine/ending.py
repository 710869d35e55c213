# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a wait is over, and when to look at that again. Pure; times in monotonic seconds. Private to the collection."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task

# A request may outlast the deadline by this much, ...
LOOK_GRACE = 0.8
# ... and fetching logs and end times by this much.
GATHER_GRACE = 1.3
# PVE holds the refusal of a login back for 3 s, so that the client gives the first request with credentials 5 s: a wait
# lasts until somebody has had a first answer, but no longer than this, ...
FIRST_LOOK_SECONDS = 5.2
# ... and a moment for the others.
FIRST_GRACE = 0.3


@dataclasses.dataclass(frozen=True)
class Standing:
    """Where a wait stands.

    ``request_timeout`` is in seconds; ``looked`` is when somebody's first look was over, ``enough`` since when there is
    no need to wait for the rest. ``gathering``: some of those who are ``busy`` fetch what is wanted of what ended.
    ``slack`` is how much longer than others answers may take at the end.
    """

    begun: float
    deadline: float
    request_timeout: float
    busy: bool = True
    gathering: bool = False
    fatal: bool = False
    looked: float | None = None
    enough: float | None = None
    slack: float = 0.0


def wake_at(now: float, standing: Standing) -> float | None:
    """When to look again whether the wait is over, where no news comes before; None: it is over."""
    end = _latest_end(standing)
    if not standing.busy or standing.fatal or now >= end:
        return None
    if standing.enough is None:
        return end
    # The others may end their look and fetch their logs; one that hangs has nothing to add.
    looks_end = standing.enough + LOOK_GRACE + standing.slack
    if now < looks_end:
        return min(end, looks_end)
    return end if standing.gathering else None


def _latest_end(standing: Standing) -> float:
    """When the wait ends, whoever has not answered."""
    first = standing.begun + FIRST_LOOK_SECONDS
    if standing.looked is not None:
        first = min(first, standing.looked)
    end = max(standing.deadline + GATHER_GRACE, first + FIRST_GRACE) + standing.slack
    return end if standing.enough is None else min(end, standing.enough + standing.request_timeout)


def is_enough(plan: Plan, settled: t.Iterable[Task], half_ended: t.Container[str] = (), stopped: bool = False) -> bool:
    """Whether there is no need to wait for what is not yet settled.

    ``half_ended`` are the UPIDs of requests to the HA manager whose task is yet to end; ``stopped`` says that nothing
    is left that could be stopped.
    """
    settled = list(settled)
    if plan.fail_fast and any(task.failed(plan.fail_on) for task in settled):
        return True
    if plan.wait_for == "any":
        return any(task.ended and task.upid.native not in half_ended for task in settled)
    return stopped
