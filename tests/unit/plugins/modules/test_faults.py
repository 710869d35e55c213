# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting through faults: the whole way from options to result, over real TLS, each fault counted."""

from __future__ import annotations

import contextlib
import threading
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._client import login as _login
from ansible_collections.proxkit.tasks.plugins.module_utils._client import session as _session
from ansible_collections.proxkit.tasks.tests.mock_endpoint import (
    DISABLED_TOKEN_ID,
    DISABLED_TOKEN_SECRET,
    OTP_CODE,
    OTP_PASSWORD,
    OTP_USER,
    ROOT_PASSWORD,
    VIEWER_TOKEN_ID,
    VIEWER_TOKEN_SECRET,
    Mock,
    serve,
)

if t.TYPE_CHECKING:
    from ansible_collections.proxkit.tasks.tests.unit.conftest import Call

PASSWORD: dict[str, t.Any] = {
    "api_token_id": ...,
    "api_token_secret": ...,
    "api_user": "root@pam",
    "api_password": ROOT_PASSWORD,
}
HTML = {"body": "<html><body>Bad Gateway</body></html>", "content_type": "text/html"}


@contextlib.contextmanager
def once_it_waits(mock: Mock, action: t.Callable[[], object]) -> t.Iterator[None]:
    """Do ``action`` when the wait of the block has had its first answer: it has begun its second look."""
    over = threading.Event()

    def act() -> None:
        while mock.counters()["requests"].get("GET status", 0) < 2:
            if over.wait(0.01):
                return
        action()

    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def outcomes(result: dict[str, t.Any]) -> list[str]:
    return [task["outcome"] for task in result["tasks"]]


@pytest.mark.pace(5)
@pytest.mark.parametrize("count", [1, 4], ids=["one task", "four by the list"])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop"},
        {"kind": "cut"},
        {"kind": "status", "code": 502, "reason": "Bad Gateway", **HTML},
        {"kind": "status", "code": 500, "reason": "got timeout"},
        {"kind": "status", "code": 595, "reason": "No route to host"},
        {"kind": "status", "code": 596, "reason": "Connection timed out"},
        {"kind": "status", "code": 599, "reason": "Too many redirections"},
        {"kind": "status", "code": 503, "reason": "Service Unavailable"},
        {"kind": "status", "code": 429, "reason": "Too Many Requests"},
        {"kind": "html200"},
        {"kind": "invalid_json"},
        {"kind": "slow", "delay": 1.0},
        {"kind": "status", "code": 401, "reason": "Unauthorized", "gateway": True, **HTML},
        {"kind": "status", "code": 403, "reason": "Forbidden", "gateway": True, **HTML},
        {"kind": "status", "code": 302, "reason": "Found", "gateway": True, "headers": {"Location": "/login"}},
        {"kind": "status", "code": 404, "reason": "Not Found", "gateway": True, **HTML},
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('code', '')}".strip(),
)
def test_passing_faults_are_survived(mock: Mock, call: Call, fault: dict[str, t.Any], count: int) -> None:
    mock.faults(path="/tasks", **{"times": 2, **fault})
    upids = mock.tasks(type="qmstart", id=100, duration=0.4, count=count)["upids"]
    result = call.wait(upids, timeout=20, api_timeout=0.4, poll_interval=0.1)
    assert not result["failed"]
    assert outcomes(result) == ["ok"] * count
    assert mock.list_faults()["faults"][0]["hits"] == fault.get("times", 2)


@pytest.mark.pace(5)
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "hang"},
        {"kind": "status", "code": 503, "reason": "Service Unavailable"},
        {"kind": "status", "code": 595, "reason": "No route to host"},
        {"kind": "status", "code": 403, "reason": "Forbidden", "gateway": True, **HTML},
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('code', '')}".strip(),
)
def test_a_list_costs_no_outcome(mock: Mock, call: Call, fault: dict[str, t.Any], count: int) -> None:
    mock.faults(path=r"/tasks\?", times=None, **fault)
    upids = mock.tasks(type="qmstart", id=100, duration=1, count=count)["upids"]
    result = call.wait(upids, timeout=20, api_timeout=2, poll_interval=0.1)
    assert not result["failed"]
    assert outcomes(result) == ["ok"] * count
    assert call.seconds < 8


@pytest.mark.pace(5)
@pytest.mark.parametrize("kind", ["drop", "hang", "html200"])
def test_the_deadline_holds_through_lasting_faults(mock: Mock, call: Call, kind: str) -> None:
    mock.faults(kind=kind, times=None)
    [upid] = mock.tasks(type="qmstart", id="100", duration=0)["upids"]
    result = call.wait(upid, timeout=1)
    # Whoever sends credentials first waits 5 s for the answer.
    assert call.seconds < (7 if kind == "hang" else 3)
    assert result["failed"]
    assert result["timed_out"]
    assert outcomes(result) == ["unseen"]
    assert result["unfinished_upids"] == [upid]
    assert f"{mock.host}:{mock.port}" in result["msg"]


@pytest.mark.pace(5)
def test_an_api_host_that_is_down_for_a_while(mock: Mock, call: Call) -> None:
    upids = mock.tasks(type="qmstart", id=100, duration=2, count=2)["upids"]
    with once_it_waits(mock, lambda: mock.listener(up=False, seconds=1.5)):
        result = call.wait(upids, timeout=20, poll_interval=0.1)
    assert outcomes(result) == ["ok", "ok"]
    assert not result["failed"]
    assert call.seconds > 1.5


@pytest.mark.pace(5)
def test_another_host_takes_over_in_mid_wait(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="qmstart", id="100", duration=2)["upids"]
    hosts = ["127.0.0.1", "127.0.0.2"]

    with once_it_waits(mock, lambda: mock.listener(up=False, host="127.0.0.1")):
        result = call.wait(upid, timeout=20, api_host=hosts, poll_interval=0.1, **PASSWORD)
    assert outcomes(result) == ["ok"]
    assert not result["failed"]
    assert any("127.0.0.1" in text and "127.0.0.2" in text and "takes over" in text for text in result["warnings"])
    # The session goes on: nobody logs in again.
    assert mock.counters()["requests"]["POST access/ticket"] == 1


@pytest.mark.pace(5)
def test_all_hosts_down_until_the_deadline_are_all_named(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="qmstart", id="100", duration=30)["upids"]
    with once_it_waits(mock, lambda: [mock.listener(up=False, host=host) for host in ("127.0.0.1", "127.0.0.2")]):
        result = call.wait(upid, timeout=1.5, api_host="127.0.0.1,127.0.0.2", poll_interval=0.1)
    assert result["failed"]
    assert result["timed_out"]
    assert outcomes(result) == ["running"]
    for host in ("127.0.0.1", "127.0.0.2"):
        assert f"nobody answers at {host}:{mock.port}" in result["msg"]


def test_nobody_at_any_host_fails_at_once(mock: Mock, call: Call) -> None:
    mock.listener(up=False)
    result = call.wait("UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:", api_host=["127.0.0.1", "127.0.0.2"])
    assert call.seconds < 2
    assert result["failed"]
    assert "127.0.0.1" in result["msg"]
    assert "127.0.0.2" in result["msg"]
    assert "Connection refused" in result["msg"]


@pytest.mark.pace(5)
def test_a_ticket_that_expires_is_made_anew_by_password(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="qmstart", id="100", duration=2)["upids"]
    with once_it_waits(mock, mock.expire_tickets):
        result = call.wait(upid, timeout=20, poll_interval=0.1, **PASSWORD)
    assert outcomes(result) == ["ok"]
    # The first login and a new one: what was refused as a ticket is not sent as a password.
    assert mock.counters()["requests"]["POST access/ticket"] == 2
    assert mock.counters()["failed_logins"] == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"api_token_secret": "wrong"}, ["401", "Authentication failed", "api_token_secret", "root@pam!ci"]),
        ({"api_token_id": DISABLED_TOKEN_ID, "api_token_secret": DISABLED_TOKEN_SECRET}, ["401", "api_token_id"]),
        ({**PASSWORD, "api_password": "wrong"}, ["401", "authentication failure", "api_password", "root@pam"]),
        ({**PASSWORD, "api_user": OTP_USER, "api_password": OTP_PASSWORD}, ["second factor", "api_otp"]),
        (
            {"api_token_id": VIEWER_TOKEN_ID, "api_token_secret": VIEWER_TOKEN_SECRET},
            ["403", "Sys.Audit", "/nodes/pve1", "viewer@pve!ro"],
        ),
        ({"ca_path": ...}, ["is not trusted", "self-signed", "ca_path"]),
        ({"api_port": 1}, ["nobody answers", "Connection refused", "api_port"]),
        ({"api_host": "no-such-host.invalid"}, ["no-such-host.invalid", "cannot be resolved", "api_host"]),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[0],
)
def test_what_cannot_pass_fails_at_once(mock: Mock, call: Call, options: dict[str, t.Any], words: list[str]) -> None:
    [upid] = mock.tasks(type="qmstart", id="100", duration=30)["upids"]
    result = call.wait(upid, timeout=30, **options)
    assert call.seconds < 3
    assert result["failed"]
    assert not result["timed_out"]
    assert outcomes(result) == ["unseen"]
    assert result["unfinished_upids"] == [upid]
    for word in [*words, upid]:
        assert word in result["msg"]


@pytest.mark.pace(5)
def test_a_node_that_the_cluster_does_not_have(mock: Mock, call: Call) -> None:
    [known] = mock.tasks(type="qmstart", id="100", duration=0.3)["upids"]
    unknown = "UPID:pve9:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"
    result = call.wait([unknown, known], timeout=30)
    assert outcomes(result) == ["unseen", "ok"]
    assert result["failed"]
    assert result["unfinished_upids"] == [unknown]
    assert "hostname lookup 'pve9' failed" in result["msg"]


def test_one_time_password(mock: Mock, call: Call) -> None:
    mock.user(name=OTP_USER, acl={"/": ["Sys.Audit"]})
    [upid] = mock.tasks(type="qmstart", id="100", duration=0)["upids"]
    login = {**PASSWORD, "api_user": OTP_USER, "api_password": OTP_PASSWORD, "api_otp": OTP_CODE}
    assert outcomes(call.wait(upid, **login)) == ["ok"]


def test_a_certificate_for_another_name(call: Call) -> None:
    with serve(wrong_name=True) as other:
        result = type(call)(other).wait("UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:", timeout=30)
    assert result["failed"]
    assert "is for another name" in result["msg"]


def test_validate_certs_off(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="qmstart", id="100", duration=0)["upids"]
    assert outcomes(call.wait(upid, ca_path=..., validate_certs=False)) == ["ok"]


@pytest.mark.pace(5)
def test_a_young_task_may_not_be_there_yet(mock: Mock, call: Call) -> None:
    mock.faults(kind="no_such_task", path="/status", times=3)
    [upid] = mock.tasks(type="qmstart", id="100", duration=0.5)["upids"]
    result = call.wait(upid, timeout=20, poll_interval=0.1)
    assert outcomes(result) == ["ok"]
    assert mock.list_faults()["faults"][0]["hits"] == 3


def test_an_old_task_that_is_not_there_is_missing_at_once(call: Call) -> None:
    upid = "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"
    result = call.wait(upid, timeout=20)
    assert call.seconds < 1
    assert outcomes(result) == ["missing"]
    assert result["failed_upids"] == [upid]
    assert "no such task" in result["msg"]
    assert result["tasks"][0]["status"] is None


def test_a_running_task_whose_log_vanishes_is_missing(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="qmstart", id="100", duration=30)["upids"]
    mock.faults(kind="no_such_task", path="/status", times=None, after=1)
    result = call.wait(upid, timeout=20, poll_interval=0.1)
    assert call.seconds < 2
    assert outcomes(result) == ["missing"]


@pytest.mark.pace(5)
def test_a_node_that_is_down_for_a_while(mock: Mock, call: Call) -> None:
    [down] = mock.tasks(node="pve2", type="qmstart", id="100", duration=0.6, exitstatus="start failed")["upids"]
    [fine] = mock.tasks(node="pve1", type="qmstart", id="101", duration=0.6)["upids"]
    mock.node(name="pve2", online=False)
    result = call.wait([down, fine], timeout=20, poll_interval=0.1, fail_on="never")
    # The cluster file system tells of the end, though the node itself says nothing.
    assert outcomes(result) == ["error", "ok"]
    assert result["tasks"][0]["exitstatus"] == "start failed"
    assert isinstance(result["tasks"][0]["endtime"], int)
    assert result["tasks"][0]["log"] is None


@pytest.mark.pace(2)
def test_a_node_that_never_answers_holds_up_no_other(mock: Mock, call: Call) -> None:
    [stuck] = mock.tasks(node="pve2", type="qmstart", id="100", duration=0)["upids"]
    fine = mock.tasks(node="pve1", type="qmstart", id=101, duration=0.5, count=2, exitstatus="boom")["upids"]
    mock.node(name="pve2", hangs=True)
    result = call.wait([stuck, *fine], timeout=30, fail_fast=True, api_timeout=15)
    assert call.seconds < 2.5
    assert outcomes(result) == ["unseen", "error", "error"]
    assert result["tasks"][1]["log"] == ["TASK ERROR: boom"]


@pytest.mark.pace(1)  # a request's time limit is what this is about: it must hold on a busy machine
def test_a_hanging_node_does_not_move_the_wait_to_another_host(mock: Mock, call: Call) -> None:
    [stuck] = mock.tasks(node="pve2", type="qmstart", id="100", duration=30)["upids"]
    [fine] = mock.tasks(node="pve1", type="qmstart", id="101", duration=1.5)["upids"]
    mock.node(name="pve2", hangs=True)
    result = call.wait([stuck, fine], timeout=2, api_timeout=0.8, api_host=["127.0.0.1", "127.0.0.2"])
    # Through the cluster file system the task is at least known to run.
    assert outcomes(result) == ["running", "ok"]
    assert not any("takes over" in text for text in result["warnings"])
    assert mock.counters()["by_host"].get("127.0.0.2", 0) == 0
    assert "node pve2 gave no answer" in result["msg"]


@pytest.mark.pace(2)
def test_a_host_that_hangs_is_left_for_another(monkeypatch: pytest.MonkeyPatch, mock: Mock, call: Call) -> None:
    monkeypatch.setattr(_session, "INTRODUCTION_SECONDS", 0.4)
    [upid] = mock.tasks(type="qmstart", id="100", duration=0)["upids"]
    mock.faults(kind="hang", host="127.0.0.1", times=None)
    result = call.wait(upid, timeout=20, api_timeout=0.4, api_host=["127.0.0.1", "127.0.0.2"])
    assert outcomes(result) == ["ok"]
    assert any("takes over" in text for text in result["warnings"])


def test_a_host_that_breaks_every_connection_off_is_left_for_another(mock: Mock, call: Call) -> None:
    mock.faults(kind="drop", host="127.0.0.1", times=None)
    [upid] = mock.tasks(type="qmstart", id="100", duration=0)["upids"]
    result = call.wait(upid, timeout=20, api_host=["127.0.0.1", "127.0.0.2"])
    assert outcomes(result) == ["ok"]
    assert any("takes over" in text for text in result["warnings"])


@pytest.mark.pace(5)
def test_credentials_that_are_refused_for_a_moment_in_mid_wait(
    monkeypatch: pytest.MonkeyPatch, mock: Mock, call: Call
) -> None:
    monkeypatch.setattr(_login, "PAUSES", (0.1, 0.2))
    [upid] = mock.tasks(type="qmstart", id="100", duration=1)["upids"]
    mock.faults(kind="status", code=401, reason="Authentication failed!", path="/status", after=1, times=2)
    result = call.wait(upid, timeout=20, poll_interval=0.1)
    assert outcomes(result) == ["ok"]


@pytest.mark.pace(5)
def test_a_list_that_lags_is_not_believed_for_long(mock: Mock, call: Call) -> None:
    upids = mock.tasks(type="qmstart", id=100, duration=0.5, count=4, list_lag=60)["upids"]
    result = call.wait(upids, timeout=30)
    assert outcomes(result) == ["ok"] * 4
    assert call.seconds < 12


@pytest.mark.parametrize(
    ("task", "exitstatus", "outcome"),
    [
        ({"glued": True, "log": ["progress 100%"]}, "OK", "ok"),
        ({"cached_unexpected": True, "log": ["done"], "exitstatus": "WARNINGS: 1"}, "WARNINGS: 1", "warning"),
        ({"exitstatus": None, "log": ["still at it"]}, "unexpected status", "unknown"),
        ({"exitstatus": "Größe: été 5 €"}, "Größe: été 5 €", "error"),
        ({"exitstatus": "WARNINGS: x"}, "WARNINGS: x", "error"),
    ],
    ids=["glued", "cached", "killed", "not ASCII", "no number"],
)
def test_odd_ends(mock: Mock, call: Call, task: dict[str, t.Any], exitstatus: str, outcome: str) -> None:
    [upid] = mock.tasks(type="imgcopy", duration=0, start=-5, **task)["upids"]
    result = call.wait(upid, fail_on="never")
    assert result["tasks"][0]["exitstatus"] == exitstatus
    assert outcomes(result) == [outcome]


@pytest.mark.pace(5)
def test_a_token_that_sees_no_list_still_waits_for_many(mock: Mock, call: Call) -> None:
    upids = mock.tasks(type="qmstart", id=100, duration=0.7, count=5)["upids"]
    mock.faults(kind="status", code=403, reason="Permission check failed", path=r"/tasks\?", times=None)
    result = call.wait(upids, timeout=20)
    assert outcomes(result) == ["ok"] * 5


def test_password_and_authority_as_pve_makes_it(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="qmstart", id="100", duration=0)["upids"]
    assert outcomes(call.wait(upid, **PASSWORD)) == ["ok"]
    with serve() as other:
        result = call.wait(upid, **{**PASSWORD, "ca_path": other.ca_path})
    assert result["failed"]
    assert "is not of the authority in ca_path" in result["msg"]
