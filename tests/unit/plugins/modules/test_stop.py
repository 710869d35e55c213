# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""proxmox_task_stop against the mocked endpoint."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.stop import seconds_for
from ansible_collections.proxkit.tasks.tests.mock_endpoint import (
    VIEWER_TOKEN_ID,
    VIEWER_TOKEN_SECRET,
    Mock,
)
from ansible_collections.proxkit.tasks.tests.unit import fakes

if t.TYPE_CHECKING:
    from ansible_collections.proxkit.tasks.tests.unit.conftest import Call

KEYS = {
    "failed",
    "changed",
    "timed_out",
    "elapsed",
    "tasks",
    "stopped_upids",
    "unfinished_upids",
    "no_task",
    "msg",
    "warnings",
}


def test_stop_is_idempotent(mock: Mock, call: Call) -> None:
    mock.settings(stop_seconds=0.3)
    [done] = mock.tasks(type="qmstart", id="100", duration=0)["upids"]
    [runs] = mock.tasks(type="vzdump", id="101", duration=60)["upids"]
    gone = "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"
    first = call.stop([done, runs, gone, "OK"])
    assert first.keys() == KEYS
    assert not first["failed"]
    assert first["changed"]
    assert first["stopped_upids"] == [runs]
    assert [task["outcome"] for task in first["tasks"]] == ["ok", "error", "missing"]
    assert first["no_task"] == ["OK"]
    assert mock.counters()["requests"]["DELETE task"] == 1
    second = call.stop([done, runs, gone])
    assert not second["failed"]
    assert not second["changed"]
    assert second["stopped_upids"] == []
    assert mock.counters()["requests"]["DELETE task"] == 1


@pytest.mark.pace(2)
def test_many_do_not_queue_and_leave_a_worker_to_others(mock: Mock, call: Call) -> None:
    mock.settings(stop_seconds=0.5)
    upids = mock.tasks(node=["pve1", "pve2"], type="vzdump", id=100, duration=60, count=16)["upids"]
    result = call.stop(upids)
    assert result["stopped_upids"] == upids
    assert not result["failed"]
    assert mock.counters()["requests"]["DELETE task"] == 16
    # Of three: who logs in needs one.
    assert [mock.world.workers[node].most for node in ("pve1", "pve2")] == [2, 2]


def test_the_time_grows_with_the_work() -> None:
    upids = [fakes.upid(number, node=("pve1", "pve1", "pve2")[number % 3]) for number in range(36)]
    assert seconds_for(upids, 30) == 44
    assert seconds_for(upids[:3], 30) == 30
    assert seconds_for([], 30) == 30


@pytest.mark.pace(2)
def test_too_little_time_is_told_as_it_is(mock: Mock, call: Call) -> None:
    mock.settings(stop_seconds=0.4)
    upids = mock.tasks(type="vzdump", id=100, duration=60, count=20)["upids"]
    result = call.stop(upids, timeout=2)
    assert result["failed"]
    assert result["timed_out"]
    running = [upid for upid in upids if not mock.world.tasks[upid].ended(mock.world.clock.now())]
    assert 0 < len(running) < 20
    assert result["unfinished_upids"] == running
    assert len(result["stopped_upids"]) == 20 - len(running)
    assert f"{len(running)} running" in result["msg"]


def test_what_ended_by_itself_was_not_stopped(mock: Mock, call: Call) -> None:
    # The list still says that they run.
    ended = mock.tasks(type="vzdump", id=100, start=-3, duration=2, count=3, exitstatus="boom", list_lag=60)["upids"]
    [runs] = mock.tasks(type="vzdump", id="103", duration=60)["upids"]
    mock.settings(stop_seconds=0.1)
    result = call.stop([*ended, runs])
    assert not result["failed"]
    assert result["stopped_upids"] == [runs]
    assert mock.counters()["requests"]["DELETE task"] == 1


def test_check_mode_tells(mock: Mock, call: Call) -> None:
    upids = mock.tasks(type="vzdump", id=100, duration=60, count=2)["upids"]
    [done] = mock.tasks(type="vzdump", id="1", duration=0)["upids"]
    result = call.stop([*upids, done], check_mode=True)
    assert not result["failed"]
    assert result["changed"]
    assert result["stopped_upids"] == upids
    assert "DELETE task" not in mock.counters()["requests"]


@pytest.mark.pace(5)
def test_a_request_that_got_lost_is_sent_again(mock: Mock, call: Call) -> None:
    mock.settings(stop_seconds=0.1)
    [upid] = mock.tasks(type="vzdump", id="100", duration=60)["upids"]
    mock.faults(kind="drop", method="DELETE")
    result = call.stop(upid)
    assert result["stopped_upids"] == [upid]
    assert mock.counters()["requests"]["DELETE task"] == 2


@pytest.mark.pace(5)
def test_what_ignores_the_request_is_a_failure(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="vzdump", id="100", duration=60, ignores_term=True)["upids"]
    result = call.stop(upid, timeout=1)
    assert call.seconds < 3
    assert result["failed"]
    assert result["timed_out"]
    assert not result["changed"]
    assert result["unfinished_upids"] == [upid]
    assert "still running" in result["msg"]


def test_without_the_privilege(mock: Mock, call: Call) -> None:
    mock.user(name="viewer@pve", acl={"/": ["Sys.Audit"]})
    [upid] = mock.tasks(type="vzdump", id="100", duration=60)["upids"]
    result = call.stop(upid, api_token_id=VIEWER_TOKEN_ID, api_token_secret=VIEWER_TOKEN_SECRET)
    assert call.seconds < 3
    assert result["failed"]
    assert not result["changed"]
    assert "Sys.Modify" in result["msg"]
    assert upid in result["msg"]


def test_nothing_to_stop(mock: Mock, call: Call) -> None:
    result = call.stop([])
    assert result.keys() == KEYS
    assert not result["failed"]
    assert not result["changed"]
    assert mock.counters()["requests"]["total"] == 0
