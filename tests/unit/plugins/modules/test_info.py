# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""proxmox_task_info against the mocked endpoint."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import InvalidUpid, OptionError
from ansible_collections.proxkit.tasks.tests.mock_endpoint import (
    VIEWER,
    VIEWER_PASSWORD,
    VIEWER_TOKEN_ID,
    VIEWER_TOKEN_SECRET,
    Mock,
)

if t.TYPE_CHECKING:
    from ansible_collections.proxkit.tasks.tests.unit.conftest import Call

KEYS = {"failed", "changed", "tasks", "missing", "blind_nodes", "unreachable_nodes", "no_task", "msg", "warnings"}
GONE = "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"


@pytest.fixture
def tasks(mock: Mock) -> dict[str, str]:
    """A cluster's day, by a short name each."""
    day: dict[str, dict[str, t.Any]] = {
        "ok": {"node": "pve1", "type": "vzdump", "id": "100", "start": -500},
        "warning": {"node": "pve2", "type": "vzdump", "id": "101", "start": -400, "exitstatus": "WARNINGS: 2"},
        "error": {
            "node": "pve1",
            "type": "qmstart",
            "id": "100",
            "start": -300,
            "exitstatus": "boom",
            "log": ["a", "b"],
        },
        "killed": {"node": "pve3", "type": "qmstart", "id": "102", "start": -200, "exitstatus": None},
        "user": {"node": "pve2", "type": "qmstop", "id": "103", "start": -100, "user": "viewer@pve"},
        "token": {"node": "pve2", "type": "qmstop", "id": "104", "start": -90, "user": "viewer@pve!ro"},
        "runs": {"node": "pve1", "type": "qmigrate", "id": "105", "start": -50, "duration": 600},
    }
    return {name: mock.tasks(**task)["upids"][0] for name, task in day.items()}


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["runs", "token", "user", "killed", "error", "warning", "ok"]),
        ({"node": "pve1"}, ["runs", "error", "ok"]),
        ({"node": ["pve1", "pve3"]}, ["runs", "killed", "error", "ok"]),
        ({"source": "archive"}, ["token", "user", "killed", "error", "warning", "ok"]),
        ({"type": "vzdump"}, ["warning", "ok"]),
        ({"type": ["vzdump", "qmigrate"]}, ["runs", "warning", "ok"]),
        ({"vmid": 100}, ["error", "ok"]),
        ({"vmid": [100, 103]}, ["user", "error", "ok"]),
        ({"vmid": "100, 103", "type": "vzdump, qmstop"}, ["user", "ok"]),
        ({"node": "pve1, pve3"}, ["runs", "killed", "error", "ok"]),
        ({"type": " vzdump , qmigrate"}, ["runs", "warning", "ok"]),
        ({"outcome": "ok, warning"}, ["token", "user", "warning", "ok"]),
        (
            {"type": "", "node": "", "vmid": "", "outcome": "", "user": " ", "since": "", "until": ""},
            ["runs", "token", "user", "killed", "error", "warning", "ok"],
        ),
        ({"user": "viewer@pve"}, ["token", "user"]),
        ({"user": "viewer@pve!ro"}, ["token"]),
        ({"user": "root@pam!ci", "outcome": "running"}, ["runs"]),
        ({"outcome": "error"}, ["error"]),
        ({"outcome": ["ok", "warning"]}, ["token", "user", "warning", "ok"]),
        ({"outcome": "unknown"}, ["killed"]),
        ({"outcome": "running"}, ["runs"]),
        ({"outcome": ["running", "unknown"]}, ["runs", "killed"]),
        ({"outcome": ["running", "error"]}, ["runs", "error"]),
        ({"limit": 2}, ["runs", "token"]),
        ({"limit": 0}, ["runs", "token", "user", "killed", "error", "warning", "ok"]),
        ({"type": "vzdump", "outcome": "ok", "vmid": 100}, ["ok"]),
    ],
)
def test_filters(call: Call, tasks: dict[str, str], filters: dict[str, t.Any], names: list[str]) -> None:
    result = call.info(**filters)
    assert result.keys() == KEYS
    assert not result["failed"]
    assert [task["upid"] for task in result["tasks"]] == [tasks[name] for name in names]
    for task in result["tasks"]:
        assert task["log"] is None
        assert (task["endtime"] is None) is (task["outcome"] == "running")


def test_since_and_until(mock: Mock, call: Call, tasks: dict[str, str]) -> None:
    now = int(mock.clock()["now"])
    result = call.info(since=str(now - 350), until=str(now - 150))
    assert [task["upid"] for task in result["tasks"]] == [tasks["killed"], tasks["error"]]


def test_times_ago_count_from_the_clock(mock: Mock, call: Call, tasks: dict[str, str]) -> None:
    assert abs(mock.clock()["now"] - time.time()) < 5
    result = call.info(since="350s", until="2m")
    assert [task["upid"] for task in result["tasks"]] == [tasks["killed"], tasks["error"]]


def test_one_request_a_guest_and_type(mock: Mock, call: Call, tasks: dict[str, str]) -> None:
    result = call.info(node="pve1", vmid=[100, 105], type=["vzdump", "qmstart", "qmigrate"])
    assert [task["upid"] for task in result["tasks"]] == [tasks["runs"], tasks["error"], tasks["ok"]]
    assert mock.counters()["requests"]["GET tasks"] == 6


def test_empty_filters_go_with_named_tasks(call: Call, tasks: dict[str, str]) -> None:
    result = call.info(upids=tasks["ok"], node="", type=[], user="", since="")
    assert [task["outcome"] for task in result["tasks"]] == ["ok"]


def test_logs_on_demand(call: Call, tasks: dict[str, str]) -> None:
    [task] = call.info(outcome="error", log="always", log_lines=2)["tasks"]
    assert task["log"] == ["b", "TASK ERROR: boom"]
    assert task["log_total"] == 3
    by_upid = {task["upid"]: task["log"] for task in call.info(log="not_ok")["tasks"]}
    assert by_upid[tasks["ok"]] is None
    assert by_upid[tasks["warning"]] == ["TASK WARNINGS: 2"]
    assert by_upid[tasks["runs"]] == []


def test_page_by_page(mock: Mock, call: Call) -> None:
    upids = mock.tasks(type="qmstart", id=100, start=-9000, count=2300)["upids"]
    result = call.info(node="pve1", limit=0)
    assert sorted(task["upid"] for task in result["tasks"]) == sorted(upids)
    assert mock.counters()["requests"]["GET tasks"] == 3
    assert len(call.info(node="pve1", limit=1200)["tasks"]) == 1200


def test_named_ones_come_as_asked(mock: Mock, call: Call, tasks: dict[str, str]) -> None:
    asked = [tasks["error"], GONE, tasks["runs"], tasks["ok"], tasks["killed"], tasks["warning"]]
    result = call.info(upids=[*asked, "OK", None])
    assert not result["failed"]
    assert [task["upid"] for task in result["tasks"]] == asked
    outcomes = [task["outcome"] for task in result["tasks"]]
    assert outcomes == ["error", "missing", "running", "ok", "unknown", "warning"]
    assert result["missing"] == [GONE]
    assert result["no_task"] == ["OK", None]
    # Four on one node: one list, and a status call only for what that does not settle.
    assert mock.counters()["by_node"]["pve1"]["GET status"] == 2


def test_one_by_name(call: Call, tasks: dict[str, str]) -> None:
    result = call.info(task=tasks["error"], log="always", upids=...)
    [task] = result["tasks"]
    assert (task["exitstatus"], task["log"]) == ("boom", ["a", "b", "TASK ERROR: boom"])
    assert isinstance(task["duration"], int)


@pytest.mark.pace(2)
@pytest.mark.parametrize("how", [{"online": False}, {"hangs": True}])
def test_a_node_that_is_down_is_a_warning(mock: Mock, call: Call, tasks: dict[str, str], how: dict[str, t.Any]) -> None:
    mock.node(name="pve1", **how)
    result = call.info(api_timeout=0.5)
    assert not result["failed"]
    assert result["unreachable_nodes"] == ["pve1"]
    assert tasks["warning"] in [task["upid"] for task in result["tasks"]]
    assert any("pve1" in text for text in result["warnings"])
    named = call.info(upids=[tasks["ok"], tasks["warning"]], api_timeout=0.5)
    assert [task["outcome"] for task in named["tasks"]] == ["unseen", "warning"]
    assert named["unreachable_nodes"] == ["pve1"]
    assert not named["failed"]


@pytest.mark.pace(5)
def test_none_answering_is_a_failure(mock: Mock, call: Call) -> None:
    mock.node(name="pve2", online=False)
    result = call.info(node="pve2")
    assert result["failed"]
    assert result["unreachable_nodes"] == ["pve2"]
    assert "pve2" in result["msg"]


def test_a_node_that_the_cluster_does_not_have(call: Call, tasks: dict[str, str]) -> None:
    result = call.info(node=["pve1", "pve9"])
    assert result["failed"]
    assert "the cluster has no node pve9" in result["msg"]
    # Nothing lost: what the others told is there.
    assert tasks["ok"] in [task["upid"] for task in result["tasks"]]


@pytest.mark.pace(5)
@pytest.mark.parametrize(
    "fault",
    [{"kind": "drop"}, {"kind": "status", "code": 500}, {"kind": "status", "code": 595}, {"kind": "html200"}],
    ids=lambda fault: f"{fault['kind']} {fault.get('code', '')}".strip(),
)
def test_passing_faults_are_tried_again(mock: Mock, call: Call, tasks: dict[str, str], fault: dict[str, t.Any]) -> None:
    mock.faults(path="/tasks", times=2, **fault)
    result = call.info(node="pve1")
    assert not result["failed"]
    assert len(result["tasks"]) == 3
    mock.clear_faults()
    mock.faults(path="/nodes$", times=2, **fault)
    assert not call.info()["failed"]
    assert tasks


@pytest.mark.pace(5)
def test_lasting_faults_are_tried_three_times(mock: Mock, call: Call) -> None:
    mock.faults(kind="status", code=500, reason="got timeout", path="/tasks", times=None)
    result = call.info(node="pve1")
    assert result["failed"]
    assert "got timeout" in result["msg"]
    assert mock.counters()["requests"]["GET tasks"] == 3


@pytest.mark.pace(5)
def test_a_list_that_fails_costs_no_outcome(mock: Mock, call: Call, tasks: dict[str, str]) -> None:
    mock.faults(kind="status", code=500, reason="got timeout", path=r"/tasks\?", times=None)
    mock.faults(kind="status", code=500, reason="got timeout", path="/log", times=None)
    for names in (["error"], ["error", "ok", "runs"]):
        mock.reset_counters()
        result = call.info(upids=[tasks[name] for name in names], log="always")
        assert not result["failed"]
        assert [task["outcome"] for task in result["tasks"]] == ["error", "ok", "running"][: len(names)]
        assert [task["endtime"] for task in result["tasks"]] == [None] * len(names)
        assert mock.counters()["requests"]["GET tasks"] == 3
        assert sum("got timeout" in text for text in result["warnings"]) == 1 + len(names)


@pytest.mark.pace(5)
@pytest.mark.parametrize("log", ["never", "always"])
def test_three_tries_in_all(mock: Mock, call: Call, tasks: dict[str, str], log: str) -> None:
    mock.faults(kind="status", code=500, reason="got timeout", path=r"/log|/tasks\?", times=None)
    result = call.info(upids=tasks["killed"], log=log)
    assert not result["failed"]
    assert [task["outcome"] for task in result["tasks"]] == ["unknown"]
    requests = mock.counters()["requests"]
    assert (requests["GET status"], requests["GET log"], requests["GET tasks"]) == (1, 3, 3)
    texts = [text for text in result["warnings"] if f"The log of {tasks['killed']} could not be read" in text]
    assert len(texts) == (log == "always")


@pytest.mark.pace(5)
def test_a_log_that_failed_is_not_asked_for_again_where_the_list_told_the_end(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="qmstart", id=100, start=-600, cached_unexpected=True, exitstatus="boom")["upids"]
    mock.faults(kind="status", code=500, reason="got timeout", path="/log", times=None)
    [task] = (result := call.info(upids=upid, log="always"))["tasks"]
    assert (task["exitstatus"], task["log"]) == ("boom", None)
    assert mock.counters()["requests"]["GET log"] == 3
    assert any(f"The log of {upid} could not be read" in text for text in result["warnings"])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_lists_word_counts_where_the_log_file_is_gone(mock: Mock, call: Call, count: int) -> None:
    upids = mock.tasks(type="qmstart", id=100, start=-600, count=count)["upids"]
    for upid in upids:
        mock.task(upid=upid, rotate=True)
    result = call.info(upids=upids, log="always")
    assert [task["outcome"] for task in result["tasks"]] == ["ok"] * count
    assert [task["log"] for task in result["tasks"]] == [None] * count
    assert result["missing"] == []
    for upid in upids:
        assert any(upid in text and "log of this task is gone" in text for text in result["warnings"])


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(
    ("exitstatus", "log", "wanted"),
    [("OK", "always", True), ("OK", "not_ok", False), ("boom", "not_ok", True), ("boom", "never", False)],
)
def test_a_lost_log_is_told_where_it_was_wanted_or_is_known(
    mock: Mock, call: Call, count: int, exitstatus: str, log: str, wanted: bool
) -> None:
    upids = mock.tasks(type="qmstart", id=100, start=-600, count=count, exitstatus=exitstatus)["upids"]
    for upid in upids:
        mock.task(upid=upid, rotate=True)
    for result in (call.info(upids=upids, log=log), call.wait(upids, log=log, fail_on="never")):
        assert [task["exitstatus"] for task in result["tasks"]] == [exitstatus] * count
        assert [task["log"] for task in result["tasks"]] == [None] * count
        # One task's status says so anyway; nobody asks for a log that is not wanted only to learn that it is gone.
        told = [upid for upid in upids if any(upid in text and "is gone" in text for text in result["warnings"])]
        assert told == (upids if wanted or count == 1 else [])


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_the_limit_keeps_those_that_started_last(mock: Mock, call: Call, limit: int) -> None:
    # The later they began, the earlier they ended.
    began = [mock.tasks(type="qmstart", id="1", start=n - 500, duration=300 - 2 * n)["upids"][0] for n in range(120)]
    mock.settings(index_duplicates=3)
    result = call.info(node="pve1", limit=limit)
    assert [task["upid"] for task in result["tasks"]] == began[::-1][:limit]


def test_the_limit_does_not_read_all(mock: Mock, call: Call) -> None:
    for n in range(300):
        mock.tasks(type="qmstart", id=100, start=n * 10 - 5000, duration=15)
    assert len(call.info(node="pve1", limit=5)["tasks"]) == 5
    assert mock.counters()["requests"]["GET tasks"] == 1
    mock.reset_counters()
    # All began together, so that any of them may be the last one: pages grow.
    mock.tasks(node="pve2", type="qmstart", id=100, start=-90000, duration=[1, 80000], count=3000)
    assert len(call.info(node="pve2", limit=5)["tasks"]) == 5
    assert mock.counters()["requests"]["GET tasks"] <= 8


@pytest.mark.parametrize(("source", "seen"), [("all", True), ("active", True), ("archive", False)])
def test_ones_own_tokens_running_tasks_are_shown(mock: Mock, call: Call, source: str, seen: bool) -> None:
    [own] = mock.tasks(node="pve2", type="qmstart", id="7", user=VIEWER_TOKEN_ID, duration=60)["upids"]
    mock.tasks(node="pve2", type="qmstop", id="8", user=VIEWER_TOKEN_ID, duration=60)
    login = {"api_token_id": ..., "api_token_secret": ..., "api_user": VIEWER, "api_password": VIEWER_PASSWORD}
    result = call.info(node="pve2", type="qmstart", outcome=["running"] if seen else [], source=source, **login)
    assert [task["upid"] for task in result["tasks"]] == ([own] if seen else [])
    assert result["blind_nodes"] == ["pve2"]


def test_wrong_credentials(call: Call) -> None:
    result = call.info(node="pve1", api_token_secret="wrong")
    assert result["failed"]
    assert "api_token_secret" in result["msg"]


def test_only_ones_own_tasks_are_told_to_be_so(call: Call, tasks: dict[str, str]) -> None:
    viewer = {"api_token_id": VIEWER_TOKEN_ID, "api_token_secret": VIEWER_TOKEN_SECRET}
    result = call.info(node="pve2", **viewer)
    assert [task["upid"] for task in result["tasks"]] == [tasks["token"]]
    assert result["warnings"] == ["Node pve2 lists only one's own tasks: Sys.Audit on /nodes/pve2 is missing."]
    assert result["blind_nodes"] == ["pve2"]
    assert call.info(node="pve2")["warnings"] == []


def test_pages_are_large_where_rows_are_dropped_here(mock: Mock, call: Call) -> None:
    mock.tasks(type="qmstart", id=100, start=-9000, count=300)
    [mine] = mock.tasks(type="qmstart", id="99", user="viewer@pve", start=-9500)["upids"]
    mock.reset_counters()
    assert [task["upid"] for task in call.info(node="pve1", user="viewer@pve", limit=1)["tasks"]] == [mine]
    assert mock.counters()["requests"]["GET tasks"] == 1


@pytest.mark.pace(5)
def test_the_next_host_is_asked_where_one_hangs(mock: Mock, call: Call, tasks: dict[str, str]) -> None:
    mock.faults(kind="hang", host="127.0.0.1", times=None)
    result = call.info(upids=tasks["ok"], api_host=["127.0.0.1", "127.0.0.2"], api_timeout=0.5)
    assert [task["outcome"] for task in result["tasks"]] == ["ok"]
    assert any("takes over" in text for text in result["warnings"])


def test_no_privilege_for_a_named_task(call: Call, tasks: dict[str, str]) -> None:
    viewer = {"api_token_id": VIEWER_TOKEN_ID, "api_token_secret": VIEWER_TOKEN_SECRET}
    result = call.info(upids=[tasks["ok"], tasks["token"]], **viewer)
    assert result["failed"]
    assert "Sys.Audit" in result["msg"]
    assert [task["outcome"] for task in result["tasks"]] == ["unseen", "ok"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"upids": "nonsense"}, InvalidUpid),
        ({"node": "../x"}, OptionError),
        ({"since": "yesterday"}, OptionError),
        ({"limit": -1}, OptionError),
        ({"user": "viewer"}, OptionError),
        ({"vmid": 99}, OptionError),
        ({"outcome": "ok, failed"}, OptionError),
        ({"since": "1h", "until": "2h"}, OptionError),
        ({"source": "archive", "outcome": "running"}, OptionError),
        ({"upids": GONE, "node": "pve1"}, OptionError),
        ({"upids": [], "since": "1h"}, OptionError),
    ],
)
def test_bad_input_sends_nothing(mock: Mock, call: Call, options: dict[str, t.Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        call.info(**options)
    assert mock.counters()["requests"]["total"] == 0


@pytest.mark.parametrize(("upids", "no_task"), [([], []), (None, [None]), ("", [""]), (["OK", None], ["OK", None])])
def test_no_task_named_finds_none(mock: Mock, call: Call, upids: t.Any, no_task: list[t.Any]) -> None:
    result = call.info(upids=upids)
    assert result["tasks"] == []
    assert result["no_task"] == no_task
    assert not result["failed"]
    assert mock.counters()["requests"]["total"] == 0


def test_a_malformed_row_is_left_out_and_told(mock: Mock, call: Call) -> None:
    body = '{"data":[{"upid":"UPID:pve1/../../x:","status":"OK"}],"total":1}'
    mock.faults(kind="status", code=200, reason="OK", path="/tasks", body=body, content_type="application/json")
    result = call.info(node="pve1")
    assert result["tasks"] == []
    assert "malformed" in result["warnings"][0]
