# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences that hold the words of others."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import ApiError, LoginRefused
from ansible_collections.proxkit.tasks.plugins.module_utils._model.results import Found, Waited
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._module.report import (
    describe,
    info_result,
    stop_result,
    wait_result,
)
from ansible_collections.proxkit.tasks.tests.unit.fakes import upid
from hypothesis import given
from hypothesis import strategies as st

UPID = upid()
WHAT = "qmstart 100 on pve1"


@pytest.mark.parametrize(
    ("exitstatus", "words"),
    [
        ("boom", "failed: boom"),
        ("boom.", "failed: boom"),
        ("50 %\r100 %", "failed: 100 %"),
        ("red \x1b[31malert\x1b[0m", "failed: red alert"),
        ("", "failed without a text"),
        ("OK", "ended OK"),
        ("WARNINGS: 2", "ended with WARNINGS: 2"),
    ],
)
def test_ends(exitstatus: str, words: str) -> None:
    assert describe(Task(UPID, "stopped", exitstatus)) == f"{WHAT} {words} ({UPID.native})"


def test_what_stood_in_the_way() -> None:
    task = Task(UPID, "running", error="pve1 says 500\rgot timeout.")
    assert describe(task) == f"{WHAT} is still running: got timeout ({UPID.native})"


@given(text=st.text(alphabet="ab. \r\n\b\x1b[m", max_size=12))
def test_texts_of_others_leave_ours_whole(text: str) -> None:
    seen = (Task(UPID, "stopped", text or "x"), Task(UPID, "unseen", error=text))
    results: list[dict[str, t.Any]] = []
    for task in seen:
        waited = Waited([task], 9.0, True, frozenset(), (), [], timeout=2.0)
        results += [wait_result(waited), stop_result(waited)]
        results.append(info_result(Found([task], frozenset({"pve1"}), {"pve1": text}, errors=[ApiError(text)])))
    for result in results:
        assert result["msg"].endswith(".")
        assert not result["msg"].endswith("..")
        assert result["msg"].isprintable()
    assert results[0]["msg"].startswith(f"Timed out after 2.0 s: {WHAT} ")
    assert results[0]["elapsed"] == 9.0


def test_what_ended_it_all_comes_first() -> None:
    waited = Waited([Task(UPID)], 1.0, False, frozenset(), (), [], fatal=LoginRefused("the token is refused."))
    for result in (wait_result(waited), stop_result(waited)):
        assert result["msg"] == f"the token is refused. {WHAT} could not be looked at ({UPID.native})."
        assert result["failed"]


def test_lost_logs_are_told_the_first_few_by_name() -> None:
    tasks = [Task(upid(number), "stopped", "OK", endtime=5, lost_log=True) for number in range(5)]
    waited = Waited(tasks, 1.0, False, frozenset(), (), [])
    for warnings in (wait_result(waited)["warnings"], info_result(Found(tasks))["warnings"]):
        assert len(warnings) == 4
        assert tasks[0].upid.native in warnings[0]
        assert "log of this task is gone" in warnings[0]
        assert warnings[3] == "The logs of 2 tasks more are gone."
