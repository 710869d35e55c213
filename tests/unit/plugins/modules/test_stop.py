# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""proxmox_task_stop against the mocked endpoint."""

from __future__ import annotations

import typing as t

from ansible_collections.proxkit.tasks.tests.mock_endpoint import VIEWER_TOKEN_ID, VIEWER_TOKEN_SECRET, Mock

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


def test_many_do_not_queue_behind_each_other(mock: Mock, call: Call) -> None:
    mock.settings(stop_seconds=0.5)
    upids = mock.tasks(node=["pve1", "pve2"], type="vzdump", id=100, duration=60, count=16)["upids"]
    result = call.stop(upids)
    assert result["stopped_upids"] == upids
    assert call.seconds < 4


def test_check_mode_tells(mock: Mock, call: Call) -> None:
    upids = mock.tasks(type="vzdump", id=100, duration=60, count=2)["upids"]
    [done] = mock.tasks(type="vzdump", id="1", duration=0)["upids"]
    result = call.stop([*upids, done], check_mode=True)
    assert not result["failed"]
    assert result["changed"]
    assert result["stopped_upids"] == upids
    assert "DELETE task" not in mock.counters()["requests"]


def test_a_request_that_got_lost_is_sent_again(mock: Mock, call: Call) -> None:
    mock.settings(stop_seconds=0.1)
    [upid] = mock.tasks(type="vzdump", id="100", duration=60)["upids"]
    mock.faults(kind="drop", method="DELETE")
    result = call.stop(upid)
    assert result["stopped_upids"] == [upid]
    assert mock.counters()["requests"]["DELETE task"] == 2


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
