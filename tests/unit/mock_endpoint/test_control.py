# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the recording cannot show: time, faults, tickets, starters, the control interface, certificates."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import typing as t
import urllib.parse
import urllib.request

import pytest
from ansible_collections.proxkit.tasks.tests import mock_endpoint
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock, Upid
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking import (
    HEADERS,
    Json,
    ask,
    connect,
    data,
    log,
    one,
    status,
    trusting,
)

NO_GUEST = "Configuration file 'nodes/{}.conf' does not exist"


# --- time -------------------------------------------------------------------------------------------------------


def test_a_task_lives_by_the_clock(mock: Mock) -> None:
    upid = one(mock, type="vzdump", id=100, duration=10, log=[[0, "first"], [6, "second"]], exitstatus="job errors")
    assert (status(mock, upid), log(mock, upid)) == ("running", ["first"])
    mock.clock(advance=6)
    assert (status(mock, upid), log(mock, upid)) == ("running", ["first", "second"])
    mock.clock(advance=4)
    assert (status(mock, upid), log(mock, upid)) == ("job errors", ["first", "second", "TASK ERROR: job errors"])
    [row] = data(mock, "nodes/pve1/tasks")
    assert (row["status"], row["endtime"] - row["starttime"]) == ("job errors", 10)


@pytest.mark.parametrize(
    ("exitstatus", "last_line", "said"),
    [
        ("OK", "TASK OK", "OK"),
        ("WARNINGS: 3", "TASK WARNINGS: 3", "WARNINGS: 3"),
        ("two\nlines", "TASK ERROR: two lines", "two lines"),
        (None, "output", "unexpected status"),
    ],
)
def test_ends(mock: Mock, exitstatus: t.Optional[str], last_line: str, said: str) -> None:
    upid = one(mock, log=["output"], exitstatus=exitstatus)
    assert (log(mock, upid)[-1], status(mock, upid)) == (last_line, said)


def test_a_task_to_come_is_unknown_until_then(mock: Mock) -> None:
    upid = one(mock, start=5, duration=1)
    assert ask(mock, f"nodes/pve1/tasks/{upid}/status")[0] == 400
    assert data(mock, "nodes/pve1/tasks?source=all") == data(mock, "cluster/tasks") == []
    mock.clock(advance=5)
    assert status(mock, upid) == "running"


def test_many_tasks_are_spread_over_nodes_guests_and_durations(mock: Mock) -> None:
    upids = mock.tasks(node=["pve1", "pve2"], id=100, count=5, duration=[2, 10])["upids"]
    parsed = [t.cast(Upid, Upid.parse(upid)) for upid in upids]
    assert [(upid.node, upid.id) for upid in parsed] == [
        ("pve1", "100"),
        ("pve2", "101"),
        ("pve1", "102"),
        ("pve2", "103"),
        ("pve1", "104"),
    ]
    running = []
    for _look in range(6):
        running.append(sum(status(mock, upid) == "running" for upid in upids))
        mock.clock(advance=2)
    assert running == [5, 4, 3, 2, 1, 0]


def test_lists_and_status_lag_as_told(mock: Mock) -> None:
    slow_list, slow_status = one(mock, duration=0, list_lag=9), one(mock, duration=0, status_lag=9)
    rows = {row["upid"]: row["status"] for row in data(mock, "nodes/pve1/tasks?source=all")}
    assert rows == {slow_list: "RUNNING", slow_status: "OK"}
    assert (status(mock, slow_list), status(mock, slow_status)) == ("OK", "running")
    mock.clock(advance=9)
    assert {row["status"] for row in data(mock, "nodes/pve1/tasks?source=all")} == {"OK"}
    assert status(mock, slow_status) == "OK"


def test_a_cached_bad_status_is_told_by_status_only(mock: Mock) -> None:
    upid = one(mock, cached_unexpected=True)
    assert (status(mock, upid), log(mock, upid)) == ("unexpected status", ["TASK OK"])
    assert [row["status"] for row in data(mock, "nodes/pve1/tasks")] == ["OK"]


def test_a_page_of_a_million_lines(mock: Mock) -> None:
    upid = one(mock, duration=100, log={"lines": 1_000_000, "template": "line {n}"})
    mock.clock(advance=50)
    assert log(mock, upid, "?start=499998&limit=5") == ["line 499999", "line 500000"]
    mock.clock(advance=50)
    mock.reset_counters()
    assert log(mock, upid, "?start=999999&limit=5") == ["line 1000000", "TASK OK"]
    assert ask(mock, f"nodes/pve1/tasks/{upid}/log?limit=1")[2]["total"] == 1_000_001
    assert mock.counters()["bytes_sent"] < 1000


def test_finish_kill_rotate_forget(mock: Mock) -> None:
    finished, killed, rotated, forgotten = mock.tasks(count=4, duration=None)["upids"]
    mock.task(upid=finished, finish="OK")
    mock.task(upid=killed, kill=True)
    mock.task(upid=rotated, finish="OK", rotate=True)
    mock.task(upid=forgotten, forget=True)
    assert (status(mock, finished), status(mock, killed)) == ("OK", "unexpected status")
    for gone in (rotated, forgotten):
        assert ask(mock, f"nodes/pve1/tasks/{gone}/status")[2]["errors"] == {"upid": "no such task"}
    assert log(mock, rotated) == ["unable to open file - No such file or directory"]
    assert {row["upid"] for row in data(mock, "nodes/pve1/tasks")} == {finished, killed, rotated}


def test_cluster_tasks_hold_25_rows_a_node(mock: Mock) -> None:
    mock.tasks(count=30)
    running = mock.tasks(count=3, duration=None)["upids"]
    other = one(mock, node="pve2")
    mock.node(name="pve2", online=False)
    rows = data(mock, "cluster/tasks")
    assert [row["upid"] for row in rows[:3]] == running
    assert (len(rows), rows[-1]["upid"]) == (26, other)
    mock.tasks(count=40, duration=None)
    assert len(data(mock, "cluster/tasks")) == 44


# --- stopping ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ignores", "seconds", "said"), [(False, 1, "received interrupt"), (True, 5, "unexpected status")]
)
def test_a_stop_lasts_as_long_as_the_task_takes_to_go(mock: Mock, ignores: bool, seconds: int, said: str) -> None:
    upid = one(mock, duration=None, ignores_term=ignores)
    answers: list[Json] = []
    thread = threading.Thread(target=lambda: answers.append(data(mock, f"nodes/pve1/tasks/{upid}", "DELETE")))
    thread.start()
    while mock.counters()["requests"]["total"] == 0:
        pass
    mock.clock(advance=seconds - 0.1)
    thread.join(0.1)
    assert thread.is_alive()
    assert status(mock, upid) == ("running" if ignores else said)
    mock.clock(advance=0.1)
    thread.join(10)
    assert answers == [None]
    assert status(mock, upid) == said


# --- faults -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        ({"kind": "drop"}, http.client.RemoteDisconnected),
        ({"kind": "cut"}, http.client.IncompleteRead),
        ({"kind": "status", "code": 595, "reason": "No route to host"}, (595, "No route to host", "")),
        (
            {"kind": "status", "code": 502, "reason": "Bad Gateway", "body": "<html>", "content_type": "text/html"},
            (502, "Bad Gateway", "<html>"),
        ),
        ({"kind": "html200", "body": "<html>"}, (200, "OK", "<html>")),
        ({"kind": "invalid_json", "body": "{"}, (200, "OK", "{")),
        ({"kind": "slow", "delay": 0.01}, (200, "OK", {"data": "version"})),
    ],
)
def test_faults_strike_as_often_as_told(mock: Mock, fault: dict[str, t.Any], wanted: t.Any) -> None:
    mock.faults(path="/version$", method="GET", after=1, times=2, **fault)
    outcomes: list[t.Any] = []
    for _request in range(4):
        try:
            code, reason, body = ask(mock, "version")
        except http.client.HTTPException as exc:
            outcomes.append(type(exc))
        else:
            outcomes.append((code, reason, {"data": "version"} if isinstance(body, dict) else body))
    right = (200, "OK", {"data": "version"})
    assert outcomes == [right, wanted, wanted, right]
    assert data(mock, "nodes")
    [listed] = mock.list_faults()["faults"]
    assert (listed["seen"], listed["hits"]) == (4, 2)


def test_no_such_task_for_a_while(mock: Mock) -> None:
    upid = one(mock)
    mock.faults(kind="no_such_task", path="/status")
    assert ask(mock, f"nodes/pve1/tasks/{upid}/status")[2]["errors"] == {"upid": "no such task"}
    assert status(mock, upid) == "OK"


@pytest.mark.parametrize("hang", [{"kind": "hang", "path": "nodes/pve2", "times": None}, {"node": "pve2"}])
def test_what_hangs_delays_nobody_else(mock: Mock, hang: dict[str, t.Any]) -> None:
    if "kind" in hang:
        mock.faults(**hang)
    else:
        mock.node(name="pve2", hangs=True)
    connection = connect(mock)
    connection.timeout = 0.2
    connection.request("GET", "/api2/json/nodes/pve2/tasks", headers=HEADERS)
    with pytest.raises(socket.timeout):
        connection.getresponse()
    connection.close()
    assert data(mock, "nodes/pve1/tasks") == []
    mock.clear_faults()
    mock.node(name="pve2", hangs=False)
    assert data(mock, "nodes/pve2/tasks") == []


def test_a_host_goes_down_and_comes_back_with_everything_it_knew(mock: Mock) -> None:
    upid = one(mock, duration=None)
    idle = connect(mock)
    idle.connect()
    mock.listener(up=False)
    with pytest.raises(ConnectionRefusedError):
        ask(mock, "version")
    assert idle.sock.recv(1) == b""
    idle.close()
    mock.listener(up=True)
    assert status(mock, upid) == "running"
    mock.listener(up=False, seconds=0.01)
    for _attempt in range(1000):
        try:
            assert status(mock, upid) == "running"
        except ConnectionRefusedError:
            continue
        break
    assert mock.counters()["requests"]["GET status"] == 2


def test_hosts_of_one_cluster_fail_one_by_one() -> None:
    with mock_endpoint.serve(hosts=("127.0.0.1", "127.0.0.2")) as mock:
        mock.faults(kind="status", code=500, reason="sick", host="127.0.0.1")
        upid = one(mock, duration=None)
        assert ask(mock, "version", host="127.0.0.2")[0] == 200
        assert ask(mock, "version", host="127.0.0.1")[:2] == (500, "sick")
        mock.listener(up=False, host="127.0.0.1")
        with pytest.raises(ConnectionRefusedError):
            ask(mock, "version", host="127.0.0.1")
        assert ask(mock, f"nodes/pve1/tasks/{upid}/status", host="127.0.0.2")[2]["data"]["status"] == "running"
        assert mock.counters()["by_host"] == {"127.0.0.1": 1, "127.0.0.2": 2}


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 in this Python")
def test_ipv6() -> None:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 loopback on this machine")
    with mock_endpoint.serve(hosts=("::1",)) as mock:
        assert ask(mock, "version")[0] == 200


def test_nodes_come_and_go(mock: Mock) -> None:
    mock.node(name="pve2", online=False, reason="Connection refused")
    assert ask(mock, "nodes/pve2/tasks") == (595, "Connection refused", "")
    assert {row["node"]: row["status"] for row in data(mock, "nodes")} == {
        "pve1": "online",
        "pve2": "offline",
        "pve3": "online",
    }
    mock.node(name="pve3", exists=False)
    assert ask(mock, "nodes/pve3/tasks")[0] == 500
    mock.node(name="pve4")
    assert data(mock, "nodes/pve4/tasks") == []


# --- users ------------------------------------------------------------------------------------------------------


def test_users_and_privileges_are_added(mock: Mock) -> None:
    tokens = {"all": {"secret": "s"}, "none": {"secret": "s", "separated": True}}
    mock.user(name="new@pve", password="p", acl={"/nodes/pve1": ["Sys.Audit"]}, tokens=tokens)
    upid, elsewhere = mock.tasks(node=["pve1", "pve2"], count=2)["upids"]
    assert ask(mock, f"nodes/pve1/tasks/{upid}/status", token=("new@pve!all", "s"))[0] == 200
    assert ask(mock, f"nodes/pve2/tasks/{elsewhere}/status", token=("new@pve!all", "s"))[0] == 403
    assert ask(mock, f"nodes/pve1/tasks/{upid}/status", token=("new@pve!none", "s"))[0] == 403
    assert ask(mock, "nodes/pve1/qemu/100/status/start", "POST", token=("new@pve!all", "s"))[:2] == (
        403,
        "Permission check failed (/vms/100, VM.PowerMgmt)",
    )


# --- starters ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "params", "kind", "subject", "line"),
    [
        ("nodes/pve1/vzdump", {"vmid": "100"}, "vzdump", "100", "INFO: 100% (8.0 GiB of 8.0 GiB) in 8s"),
        ("nodes/pve1/vzdump", {"all": "1"}, "vzdump", "", "INFO: Backup job finished successfully"),
        ("nodes/pve1/qemu/100/status/start", {}, "qmstart", "100", "TASK OK"),
        ("nodes/pve1/qemu/100/status/stop", {}, "qmstop", "100", "TASK OK"),
        ("nodes/pve1/qemu/100/status/shutdown", {}, "qmshutdown", "100", "TASK OK"),
        (
            "nodes/pve1/qemu/100/migrate",
            {"target": "pve2", "online": "1"},
            "qmigrate",
            "100",
            "of 4.0 GiB VM-state, 682.7 MiB/s",
        ),
        ("nodes/pve1/qemu/100/clone", {"newid": "900"}, "qmclone", "100", "transferred 1.6 GiB of 8.0 GiB (20.00%)"),
        ("nodes/pve1/lxc/200/status/start", {}, "vzstart", "200", "TASK OK"),
        (
            "nodes/pve1/lxc/200/migrate",
            {"target": "pve3", "restart": "1"},
            "vzmigrate",
            "200",
            "migration finished successfully",
        ),
        ("nodes/pve1/qemu/100/config", {"cores": "2"}, "qmconfig", "100", "TASK OK"),
        ("nodes/pve1/qemu/100/snapshot", {"snapname": "before"}, "qmsnapshot", "100", "TASK OK"),
        ("nodes/pve1/lxc/200/snapshot", {"snapname": "before"}, "vzsnapshot", "200", "TASK OK"),
        (
            "nodes/pve1/storage/local/download-url",
            {"content": "iso", "filename": "a:b.iso", "url": "https://example.com/b.iso"},
            "download",
            "a_b.iso",
            "download of 'https://example.com/b.iso' to '/var/lib/vz/template/iso/a_b.iso' finished",
        ),
        ("nodes/pve1/apt/update", {}, "aptupdate", "", "starting apt-get update"),
        ("nodes/pve1/startall", {}, "startall", "", "Starting VM 101"),
        ("nodes/pve1/stopall", {}, "stopall", "", "Stopping VM 103"),
    ],
)
def test_starters(mock: Mock, path: str, params: dict[str, str], kind: str, subject: str, line: str) -> None:
    upid = Upid.parse(data(mock, path, "POST", **params))
    assert upid is not None
    assert (upid.node, upid.type, upid.id, upid.user) == ("pve1", kind, subject, mock_endpoint.TOKEN_ID)
    assert status(mock, upid.text) == "running"
    mock.clock(advance=3600)
    assert status(mock, upid.text) == "OK"
    assert line in "\n".join(log(mock, upid.text, "?limit=0"))


def test_nothing_to_back_up(mock: Mock) -> None:
    assert data(mock, "nodes/pve3/vzdump", "POST", all="1") == "OK"


@pytest.mark.parametrize(
    ("path", "params", "code", "detail"),
    [
        (
            "nodes/pve1/qemu/999/status/start",
            {},
            500,
            NO_GUEST.format("pve1/qemu-server/999"),
        ),
        (
            "nodes/pve2/qemu/100/status/start",
            {},
            500,
            NO_GUEST.format("pve2/qemu-server/100"),
        ),
        ("nodes/pve1/qemu/abc/status/start", {}, 400, "Parameter verification failed."),
        (
            "nodes/pve1/qemu/100/migrate",
            {"target": "pve2"},
            500,
            "can't migrate running VM without --online",
        ),
        (
            "nodes/pve1/lxc/200/migrate",
            {"target": "pve2"},
            500,
            "can't migrate running container without --online or --restart",
        ),
        ("nodes/pve1/qemu/100/migrate", {}, 400, "Parameter verification failed."),
        ("nodes/pve1/qemu/100/migrate", {"target": "nowhere"}, 400, "Parameter verification failed."),
        ("nodes/pve1/qemu/100/clone", {"newid": "101"}, 500, "unable to create VM 101: config file already exists"),
    ],
)
def test_starters_refuse(mock: Mock, path: str, params: dict[str, t.Any], code: int, detail: str) -> None:
    assert ask(mock, path, "POST", **params)[:2] == (code, detail)


def test_scripts_tell_how_the_next_task_goes(mock: Mock) -> None:
    mock.scripts(type="vzdump", id="101", duration=2, exitstatus="job errors", log=[[1, "ERROR: no space left"]])
    good, bad, again = (data(mock, "nodes/pve1/vzdump", "POST", vmid=vmid) for vmid in ("100", "101", "101"))
    mock.clock(advance=2)
    assert (status(mock, good), status(mock, bad), status(mock, again)) == ("running", "job errors", "running")
    assert log(mock, bad) == ["ERROR: no space left", "TASK ERROR: job errors"]


@pytest.mark.parametrize(
    ("path", "params", "request_type", "real_type"),
    [
        ("nodes/pve2/qemu/111/status/start", {}, "hastart", "qmstart"),
        ("nodes/pve2/qemu/111/status/shutdown", {}, "hastop", "qmshutdown"),
        ("nodes/pve2/qemu/111/migrate", {"target": "pve1", "online": "1"}, "hamigrate", "qmigrate"),
        ("nodes/pve2/lxc/211/status/start", {}, "hastart", "vzstart"),
    ],
)
def test_ha_only_takes_the_request(
    mock: Mock, path: str, params: dict[str, str], request_type: str, real_type: str
) -> None:
    mock.settings(ha_delay=15)
    upid = data(mock, path, "POST", **params)
    mock.clock(advance=1)
    assert (t.cast(Upid, Upid.parse(upid)).type, status(mock, upid)) == (request_type, "OK")
    assert len(data(mock, "nodes/pve2/tasks?source=all")) == 1
    mock.clock(advance=15)
    [row] = data(mock, "nodes/pve2/tasks?source=active")
    assert (row["type"], row["user"], row["id"]) == (real_type, "root@pam", path.split("/")[3])


# --- costs and the control interface --------------------------------------------------------------------------


def test_counters(mock: Mock) -> None:
    upid = one(mock)
    connection = connect(mock)
    for path in ("nodes/pve1/tasks", "nodes/pve2/tasks", "cluster/tasks", f"nodes/pve1/tasks/{upid}/status"):
        connection.request("GET", f"/api2/json/{path}", headers=HEADERS)
        connection.getresponse().read()
    connection.close()
    counted = mock.counters()
    assert counted["requests"] == {"total": 4, "GET tasks": 2, "GET cluster/tasks": 1, "GET status": 1}
    assert counted["by_node"] == {"pve1": {"GET tasks": 1, "GET status": 1}, "pve2": {"GET tasks": 1}}
    assert (counted["connections"], counted["bytes_sent"] > 500) == (1, True)
    mock.reset_counters()
    assert mock.counters()["connections"] == 0


def test_connections_end_as_those_of_pve_do(mock: Mock) -> None:
    upid = one(mock)
    connection = connect(mock)
    for _request in range(101):
        connection.request("GET", "/api2/json/version", headers=HEADERS)
        connection.getresponse().read()
    assert mock.counters()["connections"] == 2
    for _request in range(3):
        connection.request("GET", f"/api2/json/nodes/pve1/tasks/{upid}/status", headers=HEADERS)
        connection.getresponse().read()
    connection.close()
    assert mock.counters()["connections"] == 4


def control(mock: Mock, method: str, call: str, **given: t.Any) -> tuple[int, Json]:
    return posted(mock, method, call, given)


def posted(mock: Mock, method: str, call: str, given: t.Any) -> tuple[int, t.Any]:
    request = urllib.request.Request(mock.control_url + call, json.dumps(given).encode(), method=method)  # noqa: S310 - a loopback URL
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - a loopback URL
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, json.load(exc)


def test_the_control_interface_over_http(mock: Mock) -> None:
    code, made = control(mock, "POST", "/tasks", type="vzdump", id="100", duration=None, count=2)
    assert (code, len(made["upids"])) == (200, 2)
    assert control(mock, "POST", f"/tasks/{made['upids'][0]}", finish="job errors") == (200, {})
    assert status(mock, made["upids"][0]) == "job errors"
    assert control(mock, "POST", "/faults", kind="drop", path="nothing") == (200, {"id": 1})
    assert control(mock, "GET", "/faults")[1]["faults"][0]["hits"] == 0
    assert control(mock, "DELETE", "/faults") == (200, {})
    assert control(mock, "POST", "/nodes/pve2", online=False) == (200, {})
    assert control(mock, "POST", "/guests/300", node="pve3", ha=True) == (200, {})
    assert control(mock, "POST", "/users/new@pve", password="p") == (200, {})
    assert control(mock, "POST", "/scripts", type="vzdump", duration=1) == (200, {})
    assert control(mock, "POST", "/settings", auth_delay=0) == (200, {})
    assert control(mock, "POST", "/tickets/expire") == (200, {})
    assert control(mock, "POST", "/clock", advance=5) == (200, {"now": 1_800_000_005})
    assert control(mock, "GET", "/counters")[1]["requests"] == {"total": 1, "GET status": 1}
    assert control(mock, "POST", "/counters/reset") == (200, {})
    assert control(mock, "POST", "/listener", up=False) == (200, {})
    assert control(mock, "POST", "/reset") == (200, {})
    assert data(mock, "cluster/tasks") == []


def test_many_control_calls_at_once(mock: Mock) -> None:
    calls = [{"path": "/reset"}, {"path": "/tasks", "body": {"count": 2}}, {"path": "/faults", "method": "GET"}]
    code, answers = posted(mock, "POST", "/calls", calls)
    assert (code, answers[0], len(answers[1]["upids"]), answers[2]) == (200, {}, 2, {"faults": []})


@pytest.mark.parametrize(
    ("call", "given", "code"),
    [
        ("/calls", [{"path": "/tasks", "body": {"nonsense": 1}}], 400),
        ("/calls", [{"path": "/nonsense"}], 404),
        ("/calls", [{"nonsense": 1}], 400),
        ("/tasks", {"nonsense": 1}, 400),
        ("/tasks", {"upid": "x"}, 400),
        ("/tasks/UPID:x", {"kill": True}, 400),
        ("/faults", {"kind": "nonsense"}, 400),
        ("/faults", {"kind": "drop", "path": "("}, 400),
        ("/listener", {"up": False, "host": "192.0.2.1"}, 400),
        ("/nonsense", {}, 404),
    ],
)
def test_control_calls_that_make_no_sense(mock: Mock, call: str, given: t.Any, code: int) -> None:
    assert posted(mock, "POST", call, given)[0] == code


# --- certificates -----------------------------------------------------------------------------------------------


def test_the_authority_is_made_as_pve_makes_its_own(mock: Mock) -> None:
    assert ask(mock, "version", host="localhost")[0] == 200
    with (
        socket.create_connection((mock.host, mock.port)) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match="key usage"),
    ):
        trusting(mock, strict=True).wrap_socket(plain, server_hostname="localhost")


def test_a_certificate_for_another_name() -> None:
    with (
        mock_endpoint.serve(wrong_name=True) as mock,
        socket.create_connection((mock.host, mock.port)) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match="not valid for"),
    ):
        trusting(mock).wrap_socket(plain, server_hostname=mock.host)
