# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task is and how it ended: pure values and rules. Private to the collection."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import Progress
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid

Outcome = t.Literal["ok", "warning", "error", "unknown", "running", "missing", "unseen"]
Sight = t.Literal["running", "stopped", "missing", "unseen"]
FailOn = t.Literal["error", "warning", "never"]

UNEXPECTED = "unexpected status"
_MAX_DIGITS = 18  # a number that no server counted to is not worth a failure
_WARNINGS = re.compile(r"WARNINGS: ([0-9]+)")


def outcome_of(exitstatus: str | None, product: str = "pve") -> Outcome:
    """The outcome that an exit status means.

    The rule is PVE's own (``PVE::UPID``: ``OK``, ``WARNINGS: <n>``, none or ``unexpected status``, all else an
    error). PBS says ``unknown`` where it cannot tell (``worker_task.rs``). An empty text is an error that has none: a
    log's last line told it, no server does.
    """
    if exitstatus == "OK":
        return "ok"
    if exitstatus is not None and _WARNINGS.fullmatch(exitstatus):
        return "warning"
    if exitstatus is None or exitstatus == UNEXPECTED or (product == "pbs" and exitstatus == "unknown"):
        return "unknown"
    return "error"


@dataclasses.dataclass(frozen=True)
class Task:
    """What is known of one task.

    ``endtime`` is in epoch seconds and comes from the server's lists alone; ``log`` is None where none was asked
    for or none could be read; ``lost_log`` says that there is no log file any more; ``error`` says why nothing (more)
    could be found out.
    """

    upid: Upid
    sight: Sight = "unseen"
    exitstatus: str | None = None
    endtime: int | None = None
    follows: str | None = None
    log: tuple[str, ...] | None = None
    log_total: int | None = None
    progress: Progress | None = None
    error: str | None = None
    lost_log: bool = False

    @property
    def outcome(self) -> Outcome:
        """How the task ended, or what is known instead."""
        return outcome_of(self.exitstatus, self.upid.product) if self.sight == "stopped" else self.sight

    @property
    def ended(self) -> bool:
        """Whether the task is known to run no longer."""
        return self.sight in ("stopped", "missing")

    @property
    def warnings(self) -> int:
        """How many warnings the exit status tells of."""
        match = _WARNINGS.fullmatch(self.exitstatus or "")
        return int(match.group(1)[:_MAX_DIGITS]) if match else 0

    def failed(self, fail_on: FailOn) -> bool:
        """Whether this task is a failure under ``fail_on`` (``never`` judges as ``error`` does)."""
        bad: tuple[Outcome, ...] = ("error", "unknown", "missing")
        return self.outcome in (("warning", *bad) if fail_on == "warning" else bad)

    def to_dict(self) -> dict[str, t.Any]:
        """The task dictionary that all modules return."""
        return {
            **self.upid.to_dict(),
            "status": self.sight if self.sight in ("running", "stopped") else None,
            "exitstatus": self.exitstatus,
            "outcome": self.outcome,
            "warnings": self.warnings,
            "endtime": self.endtime,
            "duration": None if self.endtime is None else max(0, self.endtime - self.upid.starttime),
            "follows": self.follows,
            "log": None if self.log is None else list(self.log),
            "log_total": self.log_total,
            "progress": None if self.progress is None else self.progress.to_dict(),
        }
