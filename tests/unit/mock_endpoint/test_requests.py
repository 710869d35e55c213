# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How paths and parameters are taken apart, and which headers answers have, where the recording does not show it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.tests import mock_endpoint
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking import HEADERS, Got, ask, data, log_in, one, send

UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"
NOT_AN_INTEGER = "type check ('integer') failed - got {}"
ROOT, PASSWORD = "root@pam", mock_endpoint.ROOT_PASSWORD


def get(mock: Mock, path: str) -> Got:
    return send(mock, f"/api2/json/{path}", headers=HEADERS)


# --- paths ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["nodes/pve1%20/tasks", "nodes/%20/tasks", "nodes/pve1%09/tasks/x/log", "nodes/pve1/tasks/%0C/status"]
)
def test_a_part_with_white_space_is_no_part(mock: Mock, path: str) -> None:
    assert get(mock, path).status == 501


def test_line_breaks_in_a_path_do_not_get_into_the_reason(mock: Mock) -> None:
    got = send(mock, "/no%0Awhere")
    assert (got.status, got.reason, got.body) == (500, "no such file '/no", "no such file '/no\nwhere'\n")
    got = get(mock, "nodes/pve1/x%0Dy")
    assert (got.status, got.reason, got.body) == (400, "Bad Request", "")


@pytest.mark.parametrize("path", ["nodes//pve1/tasks", "nodes/pve1/tasks/", "/nodes/localhost/tasks"])
def test_slashes_too_many_do_not_matter(mock: Mock, path: str) -> None:
    assert get(mock, path).status == 200


def test_outside_of_the_api(mock: Mock) -> None:
    assert send(mock, "/").status == 200
    for target in ("/api2", "/api2/", "/api2/j-son/version", "/api2/json/nodes/x%0Ay", "/api2nonsense"):
        got = send(mock, target)
        assert (got.status, got.reason, got.body) == (501, "no such uri", "no such uri")
    got = send(mock, "/nowhere")
    assert (got.status, got.reason, got.body) == (500, "no such file '/nowhere'", "no such file '/nowhere'\n")


# --- parameters -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "since=-5",
        "until=%2B5",
        "limit",
        "limit&start&vmid&statusfilter&source",
        "limit=5&limit",
        "limit&limit=5",
        "statusfilter=ok%00warning",
        "statusfilter=ok,warning%20error%3Bunknown",
        "statusfilter=ok&statusfilter=error",
        "statusfilter=",
        "userfilter=a=b",
        "start=1;limit=2",
        "_dc=1234",
        "source=all&",
    ],
)
def test_queries_that_are_taken(mock: Mock, query: str) -> None:
    assert get(mock, f"nodes/pve1/tasks?{query}").status == 200


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("statusfilter=ok;error", {"error": UNKNOWN}),
        ("statusfilter=ok%00nonsense", {"statusfilter": "invalid format - invalid status 'nonsense'\n"}),
        ("statusfilter=ok%00warning,error", {"statusfilter": "invalid format - invalid status 'warning,error'\n"}),
        ("bogus", {"bogus": UNKNOWN}),
        ("vmid=", {"vmid": NOT_AN_INTEGER.format("''")}),
        ("vmid=abc", {"vmid": NOT_AN_INTEGER.format("'abc'")}),
        ("vmid=100&vmid=101", {"vmid": NOT_AN_INTEGER.format("ARRAY")}),
        ("vmid=99", {"vmid": "invalid format - value does not look like a valid VM ID\n"}),
        ("since=", {"since": NOT_AN_INTEGER.format("''")}),
        ("since=24h", {"since": NOT_AN_INTEGER.format("'24h'")}),
        ("limit=-1", {"limit": "value must have a minimum value of 0"}),
        ("a=1&&limit=5", {"a": UNKNOWN, "": UNKNOWN}),
    ],
)
def test_queries_that_are_refused(mock: Mock, query: str, errors: dict[str, str]) -> None:
    got = get(mock, f"nodes/pve1/tasks?{query}")
    assert (got.status, got.body["errors"]) == (400, errors)


def test_a_parameter_without_value_is_as_good_as_absent(mock: Mock) -> None:
    mock.tasks(count=60)
    assert len(data(mock, "nodes/pve1/tasks?limit")) == len(data(mock, "nodes/pve1/tasks")) == 50
    assert len(data(mock, "nodes/pve1/tasks?limit=7")) == 7


def test_the_query_goes_before_the_body(mock: Mock) -> None:
    upid = ask(mock, "nodes/pve1/selftest?seconds=5", "POST", seconds="1", lines="2")[2]["data"]
    mock.clock(advance=4)
    assert data(mock, f"nodes/pve1/tasks/{upid}/status")["status"] == "running"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"seconds": 5, "outcome": null}', 200),
        ('{"seconds": [1, 2]}', 400),
        ('{"outcome": true}', 400),
        ("[]", 500),
        ("{", 500),
    ],
)
def test_json_bodies(mock: Mock, body: str, code: int) -> None:
    headers = {**HEADERS, "Content-Type": "application/json"}
    assert send(mock, "/api2/json/nodes/pve1/selftest", "POST", headers, body).status == code


def test_a_realm_is_put_behind_the_user(mock: Mock) -> None:
    assert log_in(mock, "root", PASSWORD, realm="pam").status == 200
    assert log_in(mock, "root@pam", PASSWORD, realm="pam").status == 401


def test_roots_ticket_opens_every_user(mock: Mock) -> None:
    ticket = log_in(mock, ROOT, PASSWORD).body["data"]["ticket"]
    got = log_in(mock, mock_endpoint.VIEWER, ticket)
    assert got.body["data"]["username"] == mock_endpoint.VIEWER
    assert log_in(mock, ROOT, got.body["data"]["ticket"]).status == 401


# --- headers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("node", "protected", "wanted"),
    [
        ("pve1", False, ["Keep-Alive"]),
        ("localhost", False, ["Keep-Alive"]),
        ("pve2", False, ["Keep-Alive", "Keep-Alive"]),
        ("pve1", True, ["close", "Keep-Alive"]),
        ("localhost", True, ["close", "Keep-Alive"]),
        ("pve2", True, ["close,Keep-Alive", "Keep-Alive"]),
    ],
)
@pytest.mark.parametrize("form", ["json", "extjs"])
def test_connections_of_answers(mock: Mock, node: str, protected: bool, wanted: list[str], form: str) -> None:
    name = "pve1" if node == "localhost" else node
    upid = one(mock, node=name, log=["x" * 40] * 60)
    paths = [f"/{upid}/status", f"/{upid}/log", f"/{upid}/log?download=1"] if protected else ["", f"/{upid}"]
    for path in paths:
        got = send(mock, f"/api2/{form}/nodes/{node}/tasks{path}", headers=HEADERS)
        assert (got.status, got.header("Connection")) == (200, wanted)


@pytest.mark.parametrize("node", ["pve1", "pve2", "nowhere"])
def test_connections_end_with_an_error(mock: Mock, node: str) -> None:
    for path in ("tasks?bogus=1", "tasks/x/status", "tasks/x/log?bogus=1", "nothing"):
        got = get(mock, f"nodes/{node}/{path}")
        assert (got.status >= 400, got.header("Connection")) == (True, ["close"])


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api2/json/version", "/api2/json/access/domains", "/api2/json/x"])
def test_answers_tell_the_time(mock: Mock, path: str) -> None:
    got = send(mock, path)
    assert got.header("Date") == got.header("Expires") == ["Fri, 15 Jan 2027 08:00:00 GMT"]
    mock.clock(advance=3600)
    assert send(mock, path).header("Date") == ["Fri, 15 Jan 2027 09:00:00 GMT"]


def test_answers_of_faults_tell_it_too(mock: Mock) -> None:
    faults: list[dict[str, t.Any]] = [{"kind": "status"}, {"kind": "no_such_task"}, {"kind": "invalid_json"}]
    for fault in faults:
        mock.faults(**fault)
        got = get(mock, "version")
        assert len(got.header("Date")) == len(got.header("Expires")) == 1
    mock.faults(kind="html200")
    got = get(mock, "version")
    assert (len(got.header("Date")), got.header("Expires")) == (1, [])
