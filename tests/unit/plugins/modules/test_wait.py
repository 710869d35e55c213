# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""proxmox_task_wait: every option, against the mocked endpoint."""

from __future__ import annotations

import typing as t
from unittest.mock import create_autospec

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.observer import Observer
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import InvalidUpid, OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._module import wait
from ansible_collections.proxkit.tasks.tests.mock_endpoint import (
    VIEWER,
    VIEWER_PASSWORD,
    VIEWER_TOKEN_ID,
    VIEWER_TOKEN_SECRET,
    Mock,
)

if t.TYPE_CHECKING:
    from ansible_collections.proxkit.tasks.tests.unit.conftest import Call

KEYS = {
    "failed",
    "changed",
    "timed_out",
    "elapsed",
    "tasks",
    "failed_upids",
    "unfinished_upids",
    "no_task",
    "msg",
    "warnings",
}
UPID = "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"


def outcomes(result: dict[str, t.Any]) -> list[str]:
    return [task["outcome"] for task in result["tasks"]]


def test_many_ends_in_one_call(mock: Mock, call: Call) -> None:
    ends = ["OK", "WARNINGS: 2", "job errors", None]
    upids = [
        mock.tasks(
            node=f"pve{1 + index % 2}", type="vzdump", id=str(100 + index), duration=0.3, exitstatus=end, log=["x"]
        )["upids"][0]
        for index, end in enumerate(ends)
    ]
    result = call.wait([*upids, "OK", None, upids[0]])
    assert result.keys() == KEYS
    assert result["failed"]
    assert not result["changed"]
    assert not result["timed_out"]
    assert outcomes(result) == ["ok", "warning", "error", "unknown"]
    assert [task["upid"] for task in result["tasks"]] == upids
    assert [task["warnings"] for task in result["tasks"]] == [0, 2, 0, 0]
    assert result["failed_upids"] == upids[2:]
    assert result["unfinished_upids"] == []
    assert result["no_task"] == ["OK", None]
    assert [task["log"] for task in result["tasks"]] == [
        None,
        ["x", "TASK WARNINGS: 2"],
        ["x", "TASK ERROR: job errors"],
        ["x"],
    ]
    assert "4 tasks: 1 ok, 1 warning, 1 error, 1 unknown" in result["msg"]
    assert "vzdump 102 on pve1 failed: job errors" in result["msg"]
    assert len(result["warnings"]) == 1
    assert "WARNINGS: 2" in result["warnings"][0]


def test_nothing_sleeps_after_the_end(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="qmstart", id="100", duration=0, start=-60)["upids"]
    result = call.wait(upid, poll_interval=5)
    assert call.seconds < 1
    assert outcomes(result) == ["ok"]
    task = result["tasks"][0]
    assert task["endtime"] == task["starttime"]
    assert task["duration"] == 0
    # One look, and one request for the end time.
    assert mock.counters()["requests"] == {"total": 2, "GET status": 1, "GET tasks": 1}


@pytest.mark.parametrize(
    ("fail_on", "end", "failed"),
    [
        ("error", "OK", False),
        ("error", "WARNINGS: 1", False),
        ("error", "boom", True),
        ("error", "received interrupt", True),
        ("warning", "WARNINGS: 1", True),
        ("warning", "OK", False),
        ("never", "boom", False),
        ("never", "WARNINGS: 1", False),
    ],
)
def test_fail_on(mock: Mock, call: Call, fail_on: str, end: str, failed: bool) -> None:
    [upid] = mock.tasks(type="qmstart", id="100", duration=0, exitstatus=end)["upids"]
    result = call.wait(upid, fail_on=fail_on)
    assert result["failed"] is failed
    # Under "never" it tells what would have failed under "error".
    assert result["failed_upids"] == ([upid] if end in ("boom", "received interrupt") or failed else [])
    assert bool(result["warnings"]) is (end == "WARNINGS: 1" and fail_on != "warning")


@pytest.mark.parametrize("timeout", [0, 0.5])
def test_a_task_that_still_runs_at_the_deadline(mock: Mock, call: Call, timeout: float) -> None:
    log = ["transferred 2.0 GiB of 8.0 GiB (25.00%)"]
    [upid] = mock.tasks(type="qmclone", id="100", duration=60, log=log)["upids"]
    result = call.wait(upid, timeout=timeout)
    assert result["failed"]
    assert result["timed_out"]
    assert timeout <= result["elapsed"] < timeout + 2
    assert outcomes(result) == ["running"]
    assert result["unfinished_upids"] == [upid]
    assert result["failed_upids"] == []
    assert result["tasks"][0]["log"] == log
    assert result["tasks"][0]["progress"]["percent"] == 25.0
    assert "still running" in result["msg"]
    assert "Timed out" in result["msg"]


@pytest.mark.pace(2)
def test_the_last_look_is_at_the_deadline(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="qmstart", id="100", duration=0.9)["upids"]
    result = call.wait(upid, timeout=1, poll_interval=30, poll_interval_max=30)
    assert outcomes(result) == ["ok"]
    assert not result["timed_out"]


def test_on_timeout_continue(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="qmstart", id="100", duration=60)["upids"]
    result = call.wait(upid, timeout=0, on_timeout="continue")
    assert not result["failed"]
    assert result["timed_out"]
    assert result["unfinished_upids"] == [upid]


def test_on_timeout_stop(mock: Mock, call: Call) -> None:
    mock.settings(stop_seconds=0.3)
    [done] = mock.tasks(type="qmstart", id="100", duration=0)["upids"]
    [upid] = mock.tasks(node="pve2", type="vzdump", id="100", duration=60, log=["at it"])["upids"]
    result = call.wait([done, upid], timeout=0.3, on_timeout="stop")
    assert result["failed"]
    assert result["changed"]
    assert result["timed_out"]
    assert outcomes(result) == ["ok", "error"]
    assert result["tasks"][1]["exitstatus"] == "received interrupt"
    assert result["tasks"][1]["log"] == ["at it", "TASK ERROR: received interrupt"]
    assert result["unfinished_upids"] == []
    # The time that there was to wait, the stopping left out.
    assert result["msg"].startswith("Timed out after 0.3 s: ")
    assert result["elapsed"] >= 0.6


def test_on_timeout_stop_without_the_privilege(mock: Mock, call: Call) -> None:
    mock.user(name="viewer@pve", acl={"/": ["Sys.Audit"]})
    [upid] = mock.tasks(type="vzdump", id="100", duration=60)["upids"]
    result = call.wait(
        upid, timeout=0.2, on_timeout="stop", api_token_id=VIEWER_TOKEN_ID, api_token_secret=VIEWER_TOKEN_SECRET
    )
    assert call.seconds < 5
    assert result["failed"]
    assert not result["changed"]
    assert outcomes(result) == ["running"]
    assert "Sys.Modify" in result["msg"]


def test_an_observer_is_told_of_the_wait_and_the_stopping(mock: Mock, call: Call) -> None:
    mock.settings(stop_seconds=0.1)
    [done] = mock.tasks(type="qmstart", id="100", duration=0)["upids"]
    [runs] = mock.tasks(node="pve2", type="vzdump", id="100", duration=60)["upids"]
    observer = create_autospec(Observer, instance=True)
    params = call.params(wait.SPEC, upids=[done, runs], timeout=0, on_timeout="stop")
    wait.run(params, observer=observer)
    assert [seen.args[0].upid.text for seen in observer.on_end.call_args_list] == [done, runs]


@pytest.mark.pace(5)
def test_wait_for_any(mock: Mock, call: Call) -> None:
    [slow] = mock.tasks(type="qmstart", id="100", duration=60)["upids"]
    [fast] = mock.tasks(node="pve2", type="qmstart", id="101", duration=0.4)["upids"]
    result = call.wait([slow, fast], wait_for="any", poll_interval=0.1)
    assert call.seconds < 3
    assert not result["failed"]
    assert not result["timed_out"]
    assert outcomes(result) == ["running", "ok"]
    assert result["unfinished_upids"] == [slow]


def test_fail_fast(mock: Mock, call: Call) -> None:
    [slow] = mock.tasks(type="qmstart", id="100", duration=60)["upids"]
    [bad] = mock.tasks(type="qmstart", id="101", duration=0.3, exitstatus="boom")["upids"]
    result = call.wait([slow, bad], fail_fast=True, poll_interval=0.1)
    assert call.seconds < 3
    assert result["failed"]
    assert not result["timed_out"]
    assert result["failed_upids"] == [bad]
    assert result["unfinished_upids"] == [slow]


def test_check_mode_looks_once_and_stops_nothing(mock: Mock, call: Call) -> None:
    [runs] = mock.tasks(type="qmstart", id="100", duration=60)["upids"]
    result = call.wait(runs, check_mode=True, timeout=0.1, on_timeout="stop")
    assert not result["failed"]
    assert not result["changed"]
    assert not result["timed_out"]
    assert result["unfinished_upids"] == [runs]
    assert mock.counters()["requests"]["GET status"] == 1
    assert "DELETE" not in str(mock.counters()["requests"])
    [bad] = mock.tasks(type="qmstart", id="101", duration=0, exitstatus="boom")["upids"]
    result = call.wait([runs, bad], check_mode=True)
    assert result["failed"]
    assert result["failed_upids"] == [bad]


@pytest.mark.parametrize("value", [[], [None, "OK", ""]])
def test_no_task_is_success_at_once(mock: Mock, call: Call, value: list[t.Any]) -> None:
    result = call.wait(value)
    assert result.keys() == KEYS
    assert not result["failed"]
    assert result["no_task"] == value
    assert mock.counters()["requests"]["total"] == 0


@pytest.mark.parametrize("value", ["nonsense", UPID[:-1], f"{UPID}x", {"a": UPID}, [UPID, 7]])
def test_a_malformed_upid_fails_before_any_request(mock: Mock, call: Call, value: t.Any) -> None:
    with pytest.raises((InvalidUpid, OptionError)):
        call.wait(value)
    assert mock.counters()["requests"]["total"] == 0


@pytest.mark.parametrize(
    "options",
    [{"timeout": -1}, {"timeout": "nan"}, {"poll_interval": 0}, {"poll_interval_max": -1}, {"log_lines": -1}],
)
def test_numbers_that_cannot_be(call: Call, options: dict[str, t.Any]) -> None:
    with pytest.raises(OptionError, match=next(iter(options))):
        call.wait(UPID, **options)


@pytest.mark.parametrize(
    ("log", "lines", "expected"),
    [
        ("always", 2, ["line 3", "TASK OK"]),
        ("always", 0, ["line 1", "line 2", "line 3", "TASK OK"]),
        ("never", 50, None),
    ],
)
def test_logs(mock: Mock, call: Call, log: str, lines: int, expected: list[str] | None) -> None:
    [upid] = mock.tasks(type="qmstart", id="100", duration=0, log=["line 1", "line 2", "line 3"])["upids"]
    task = call.wait(upid, log=log, log_lines=lines)["tasks"][0]
    assert task["log"] == expected
    assert task["log_total"] == (None if expected is None else 4)


def test_an_empty_log(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="qmstart", id="100", duration=0, exitstatus=None)["upids"]
    task = call.wait(upid)["tasks"][0]
    assert (task["log"], task["log_total"], task["progress"]) == ([], 0, None)


def test_the_tail_of_a_long_log_costs_little(mock: Mock, call: Call) -> None:
    log = {"lines": 1_000_000, "template": "line {n}"}
    [upid] = mock.tasks(type="vzdump", id="100", duration=0, exitstatus="boom", log=log)["upids"]
    task = call.wait(upid, log_lines=3)["tasks"][0]
    assert task["log"] == ["line 999999", "line 1000000", "TASK ERROR: boom"]
    assert task["log_total"] == 1_000_001
    assert mock.counters()["requests"]["GET log"] == 2
    assert mock.counters()["bytes_sent"] < 100_000


def test_a_whole_log_comes_in_pages(mock: Mock, call: Call) -> None:
    log = {"lines": 45_000, "template": "line {n}"}
    [upid] = mock.tasks(type="vzdump", id="100", duration=0, exitstatus="boom", log=log)["upids"]
    task = call.wait(upid, log_lines=0)["tasks"][0]
    assert len(task["log"]) == 45_001
    assert task["log"][44_999:] == ["line 45000", "TASK ERROR: boom"]
    assert mock.counters()["requests"]["GET log"] == 5


def test_a_log_that_is_gone(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="vzdump", id="100", duration=0, exitstatus="boom")["upids"]
    gone = '{"data":[{"n":1,"t":"unable to open file - No such file or directory"}],"total":1}'
    mock.faults(
        kind="status", code=200, reason="OK", path="/log", body=gone, content_type="application/json", times=None
    )
    task = call.wait(upid)["tasks"][0]
    assert task["exitstatus"] == "boom"
    assert (task["log"], task["log_total"]) == (None, None)


def test_a_log_that_cannot_be_read_costs_no_outcome(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="vzdump", id="100", duration=0, exitstatus="boom")["upids"]
    mock.faults(kind="status", code=500, path="/log", times=None)
    mock.faults(kind="status", code=500, path="source=archive", times=None)
    result = call.wait(upid)
    assert call.seconds < 2
    assert outcomes(result) == ["error"]
    assert result["tasks"][0]["log"] is None
    assert result["tasks"][0]["endtime"] is None
    [warning] = result["warnings"]
    assert warning.startswith(f"The log of {upid} could not be read: ")
    assert "says 500" in warning


def test_logs_that_cannot_be_read_are_told_node_by_node(mock: Mock, call: Call) -> None:
    upids = mock.tasks(node=["pve1", "pve2"], type="qmstart", id=100, duration=0, count=6)["upids"]
    mock.faults(kind="status", code=501, path="/log", times=None)
    result = call.wait(upids, log="always")
    assert outcomes(result) == ["ok"] * 6
    assert [text.partition(" could not be read: ")[0] for text in result["warnings"]] == [
        "The logs of 3 tasks of node pve1",
        "The logs of 3 tasks of node pve2",
    ]


@pytest.mark.pace(2)
def test_cost_grows_with_nodes_not_with_tasks(mock: Mock, call: Call) -> None:
    nodes = ["pve1", "pve2", "pve3"]
    upids = mock.tasks(node=nodes, type="qmstart", id=100, duration=[0.5, 3], count=84)["upids"]
    # The last ones of a node end together: one that is left alone would be asked for by itself.
    upids += mock.tasks(node=nodes, type="qmstart", id=100, duration=3, count=6)["upids"]
    result = call.wait(upids)
    assert outcomes(result) == ["ok"] * 90
    assert all(isinstance(task["endtime"], int) for task in result["tasks"])
    requests = mock.counters()["requests"]
    # Lists tell how each of them ended, and when.
    assert "GET status" not in requests
    assert requests["GET tasks"] <= 3 * 16
    assert call.seconds < 6


@pytest.mark.pace(5)
def test_the_ends_of_many_cost_nothing_of_their_own(mock: Mock, call: Call) -> None:
    nodes = ["pve1", "pve2", "pve3", "pve4"]
    mock.node(name="pve4")
    upids = mock.tasks(node=nodes, type="qmstart", id=100, duration=[0.5, 4], count=200)["upids"]
    # As 2 to 16 s at a quarter of the pauses.
    result = call.wait(upids, poll_interval=0.125, poll_interval_max=1.25)
    assert outcomes(result) == ["ok"] * 200
    assert mock.counters()["requests"]["total"] <= 220
    assert call.seconds < 6


def test_those_that_ended_long_ago_are_never_a_timeout(mock: Mock, call: Call) -> None:
    upids = mock.tasks(type="qmstart", id=100, start=-300, duration=[1, 60], count=400)["upids"]
    result = call.wait(upids, timeout=0)
    assert outcomes(result) == ["ok"] * 400
    assert not result["failed"]
    assert not result["timed_out"]
    assert all(isinstance(task["endtime"], int) for task in result["tasks"])
    assert mock.counters()["requests"]["total"] <= 15
    assert call.seconds < 1


@pytest.mark.pace(5)
def test_ones_own_tokens_tasks_go_by_the_clusters_list(mock: Mock, call: Call) -> None:
    mock.user(name="viewer@pve", acl={})
    upids = mock.tasks(type="qmstart", id=100, user=VIEWER_TOKEN_ID, duration=[1, 6], count=50)["upids"]
    login: dict[str, t.Any] = {"api_token_id": ..., "api_token_secret": ...}
    result = call.wait(upids, **login, api_user=VIEWER, api_password=VIEWER_PASSWORD)
    assert outcomes(result) == ["ok"] * 50
    assert mock.counters()["requests"].get("GET status", 0) <= 10
    assert call.seconds < 8


@pytest.mark.pace(2)
def test_two_on_a_node_go_by_the_list(mock: Mock, call: Call) -> None:
    upids = mock.tasks(type="qmstart", id=100, duration=0.7, count=2)["upids"]
    assert outcomes(call.wait(upids, poll_interval=0.1)) == ["ok", "ok"]
    assert "GET status" not in mock.counters()["requests"]


@pytest.mark.parametrize("timeout", [0, 20])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_lists_word_counts_where_the_log_file_is_gone(mock: Mock, call: Call, count: int, timeout: float) -> None:
    upids = mock.tasks(type="qmstart", id=100, start=-600, count=count)["upids"]
    [bad] = mock.tasks(node="pve2", type="vzdump", id="9", start=-600, exitstatus="job errors.")["upids"]
    for upid in [*upids, bad]:
        mock.task(upid=upid, rotate=True)
    result = call.wait([*upids, bad], timeout=timeout, log="always")
    assert outcomes(result) == ["ok"] * count + ["error"]
    assert [task["log"] for task in result["tasks"]] == [None] * (count + 1)
    assert result["failed_upids"] == [bad]
    for upid in [*upids, bad][:3]:
        assert any(upid in text and "log of this task is gone" in text for text in result["warnings"])
    assert f"vzdump 9 on pve2 failed: job errors ({bad})" in result["msg"]


@pytest.mark.parametrize(("age", "outcome"), [(600, "missing"), (0, "unseen")])
@pytest.mark.parametrize("count", [1, 3])
def test_one_look_at_what_its_node_does_not_know(mock: Mock, call: Call, age: int, outcome: str, count: int) -> None:
    upids = mock.tasks(type="qmstart", id=100, start=-age, count=count)["upids"]
    for upid in upids:
        mock.task(upid=upid, forget=True)
    assert outcomes(call.wait(upids, timeout=0)) == [outcome] * count


def test_an_error_without_a_text(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="qmstart", id="100", log=["a", "TASK ERROR: "], exitstatus=None, start=-5)["upids"]
    result = call.wait(upid)
    assert outcomes(result) == ["error"]
    assert result["tasks"][0]["exitstatus"] == ""
    assert "qmstart 100 on pve1 failed without a text (" in result["msg"]


def test_texts_of_others_leave_the_sentence_whole(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="qmstart", id="100", exitstatus="50 %\rall over.")["upids"]
    assert call.wait(upid)["msg"] == f"qmstart 100 on pve1 failed: all over ({upid})."


@pytest.mark.pace(5)
@pytest.mark.parametrize(("request_type", "real_type"), [("start", "qmstart"), ("stop", "qmstop")])
def test_follow_ha(mock: Mock, call: Call, request_type: str, real_type: str) -> None:
    mock.settings(ha_delay=0.5)
    [request] = mock.tasks(node="pve1", type=f"ha{request_type}", id="105", duration=0)["upids"]
    [real] = mock.tasks(node="pve2", type=real_type, id="105", user="root@pam", start=0.5, duration=0.5)["upids"]
    mock.tasks(node="pve2", type=real_type, id="106", user="root@pam", duration=60)
    mock.tasks(node="pve2", type="vzdump", id="105", user="root@pam", duration=60)
    mock.tasks(node="pve2", type=real_type, id="105", user="root@pam", start=-600, duration=1)
    result = call.wait(request, follow_ha=True, poll_interval=0.1, timeout=20)
    assert not result["failed"]
    assert outcomes(result) == ["ok", "ok"]
    assert [task["upid"] for task in result["tasks"]] == [request, real]
    assert [task["follows"] for task in result["tasks"]] == [None, request]
    assert result["warnings"] == []


def test_follow_ha_fails_with_the_real_task(mock: Mock, call: Call) -> None:
    [request] = mock.tasks(type="hamigrate", id="105", duration=0)["upids"]
    [real] = mock.tasks(type="qmigrate", id="105", user="root@pam", duration=0.2, exitstatus="migration aborted")[
        "upids"
    ]
    result = call.wait(request, follow_ha=True, poll_interval=0.1, timeout=20)
    assert result["failed"]
    assert result["failed_upids"] == [real]


@pytest.mark.pace(5)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "the HA manager had nothing to do"),
        ({"api_token_id": VIEWER_TOKEN_ID, "api_token_secret": VIEWER_TOKEN_SECRET}, "Sys.Audit on /nodes"),
    ],
)
def test_follow_ha_that_leads_nowhere(mock: Mock, call: Call, options: dict[str, t.Any], words: str) -> None:
    [request] = mock.tasks(type="hastart", id="105", user=VIEWER_TOKEN_ID, duration=0)["upids"]
    result = call.wait(request, follow_ha=True, poll_interval=0.1, timeout=0.5, **options)
    assert outcomes(result) == ["ok"]
    assert not result["failed"]
    assert len(result["warnings"]) == 1
    assert words in result["warnings"][0]


@pytest.mark.pace(5)
def test_any_waits_for_what_carries_a_request_out(mock: Mock, call: Call) -> None:
    [request] = mock.tasks(type="hamigrate", id="105", duration=0)["upids"]
    [real] = mock.tasks(type="qmigrate", id="105", user="root@pam", duration=1)["upids"]
    [slow] = mock.tasks(node="pve2", type="vzdump", id="106", duration=60)["upids"]
    result = call.wait([request, slow], follow_ha=True, wait_for="any", poll_interval=0.1, timeout=20)
    assert {task["upid"]: task["outcome"] for task in result["tasks"]} == {request: "ok", real: "ok", slow: "running"}


@pytest.mark.pace(5)
def test_any_is_not_ended_by_what_cannot_be_seen(mock: Mock, call: Call) -> None:
    viewer: dict[str, t.Any] = {"api_token_id": VIEWER_TOKEN_ID, "api_token_secret": VIEWER_TOKEN_SECRET}
    [other] = mock.tasks(type="qmstart", id="100", duration=0)["upids"]
    slow, own = mock.tasks(type="qmstart", id="101", user=VIEWER_TOKEN_ID, duration=[60, 0.5], count=2)["upids"]
    result = call.wait([other, slow, own], wait_for="any", poll_interval=0.1, timeout=20, **viewer)
    assert outcomes(result) == ["unseen", "running", "ok"]
    # What keeps one from seeing a task is no flaw of its neighbours.
    assert result["msg"].count("needs Sys.Audit") == 1


def test_never_only_reports_what_cannot_be_seen(mock: Mock, call: Call) -> None:
    viewer: dict[str, t.Any] = {"api_token_id": VIEWER_TOKEN_ID, "api_token_secret": VIEWER_TOKEN_SECRET}
    [other] = mock.tasks(type="qmstart", id="100", duration=0)["upids"]
    result = call.wait(other, fail_on="never", **viewer)
    assert not result["failed"]
    assert result["unfinished_upids"] == [other]
    assert "Sys.Audit" in result["warnings"][0]


def test_without_follow_ha_a_request_is_all(mock: Mock, call: Call) -> None:
    [request] = mock.tasks(type="hastart", id="105", duration=0)["upids"]
    result = call.wait(request)
    assert outcomes(result) == ["ok"]
    assert "GET cluster/tasks" not in mock.counters()["requests"]
