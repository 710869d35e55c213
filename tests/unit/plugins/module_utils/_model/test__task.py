# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outcomes and the task dictionary."""

from __future__ import annotations

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import Progress
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Outcome, Sight, Task, outcome_of
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import parse

UPID = parse("UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam!ci:")
PBS = parse(r"UPID:elsa:00004F37:0039E469:00000000:5CA78B83:garbage_collection::root@pam:")


@pytest.mark.parametrize(
    ("exitstatus", "outcome"),
    [
        ("OK", "ok"),
        ("WARNINGS: 1", "warning"),
        ("WARNINGS: 0", "warning"),
        ("WARNINGS: 12345", "warning"),
        ("WARNINGS:1", "error"),
        ("WARNINGS: ", "error"),
        ("WARNINGS: 1\n", "error"),
        ("WARNINGS: \u0661", "error"),
        ("WARNINGS", "error"),
        ("ok", "error"),
        ("OK ", "error"),
        ("OK: all is well", "error"),
        ("job errors", "error"),
        ("received interrupt", "error"),
        ("migration problems", "error"),
        ("unable to get last line from task log - No such file", "error"),
        ("unknown", "error"),
        ("unexpected status", "unknown"),
        ("", "error"),
        (None, "unknown"),
    ],
)
def test_outcomes_are_pves(exitstatus: str | None, outcome: Outcome) -> None:
    assert outcome_of(exitstatus) == outcome
    assert Task(UPID, "stopped", exitstatus).outcome == outcome


def test_pbs_says_unknown_where_it_cannot_tell() -> None:
    assert outcome_of("unknown", "pbs") == "unknown"
    assert Task(PBS, "stopped", "unknown").outcome == "unknown"


@pytest.mark.parametrize(
    ("sight", "exitstatus", "fails"),
    [
        ("stopped", "OK", []),
        ("stopped", "WARNINGS: 2", ["warning"]),
        ("stopped", "boom", ["error", "warning", "never"]),
        ("stopped", "unexpected status", ["error", "warning", "never"]),
        ("missing", None, ["error", "warning", "never"]),
        ("running", None, []),
        ("unseen", None, []),
    ],
)
def test_failures(sight: Sight, exitstatus: str | None, fails: list[str]) -> None:
    task = Task(UPID, sight, exitstatus)
    assert [kind for kind in ("error", "warning", "never") if task.failed(kind)] == fails
    assert task.ended is (sight in ("stopped", "missing"))


def test_the_task_dictionary() -> None:
    task = Task(
        UPID,
        "stopped",
        "WARNINGS: 3",
        endtime=UPID.starttime + 7,
        log=("a",),
        log_total=1,
        progress=Progress(5.0, "5%"),
    )
    assert task.to_dict() == {
        **UPID.to_dict(),
        "status": "stopped",
        "exitstatus": "WARNINGS: 3",
        "outcome": "warning",
        "warnings": 3,
        "endtime": UPID.starttime + 7,
        "duration": 7,
        "follows": None,
        "log": ["a"],
        "log_total": 1,
        "progress": {"percent": 5.0, "text": "5%"},
    }


def test_warnings_beyond_counting() -> None:
    assert Task(UPID, "stopped", "WARNINGS: " + "9" * 5000).warnings == int("9" * 18)


def test_what_is_not_known_is_null() -> None:
    values = Task(UPID).to_dict()
    names = ("status", "exitstatus", "endtime", "duration", "follows", "log", "log_total", "progress")
    assert [values[name] for name in names] == [None] * len(names)
    assert (values["outcome"], values["warnings"]) == ("unseen", 0)
    assert Task(UPID, "missing").to_dict()["status"] is None
    assert (Task(UPID).error, Task(UPID).lost_log) == (None, False)


def test_a_running_task_is_said_to_run() -> None:
    assert Task(UPID, "running").to_dict()["status"] == "running"


@pytest.mark.parametrize(("seconds", "duration"), [(-5, 0), (0, 0), (1, 1)])
def test_no_clock_makes_a_task_shorter_than_nothing(seconds: int, duration: int) -> None:
    assert Task(UPID, "stopped", "OK", endtime=UPID.starttime + seconds).to_dict()["duration"] == duration
