# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of something that stands in front of Proxmox: nothing in them is Proxmox's own."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking import data, send

PAGE = "<html><title>Sign in</title></html>"
OWN = "pve-api-daemon/3.0"
NOW = "Fri, 15 Jan 2027 08:00:00 GMT"


@pytest.mark.parametrize(
    ("code", "reason", "headers", "body"),
    [
        (302, "Found", {"Location": "https://sso.example.org/login", "Server": "cloudflare"}, ""),
        (401, "Unauthorized", {"WWW-Authenticate": 'Basic realm="lab"', "Server": "nginx"}, PAGE),
        (403, "Forbidden", {"Set-Cookie": "CF_AppSession=x; Secure"}, PAGE),
        (404, "Not Found", {}, PAGE),
        (503, "Service Unavailable", {"Retry-After": "30"}, PAGE),
    ],
)
def test_a_gateways_answer(mock: Mock, code: int, reason: str, headers: dict[str, str], body: str) -> None:
    mock.faults(
        kind="status", code=code, reason=reason, headers=headers, body=body, content_type="text/html", gateway=True
    )
    got = send(mock, "/api2/json/version")
    assert (got.status, got.reason, got.body) == (code, reason, body)
    typed = {"Content-Type": "text/html"} if body else {}
    plain = {"Date": NOW, "Connection": "close", "Content-Length": str(len(body))}
    assert dict(got.headers) == {**plain, **typed, **headers}
    assert mock.counters()["failed_authentications"] == 0
    assert data(mock, "version")


@pytest.mark.parametrize("headers", [{}, {"Server": "nginx"}])
def test_a_page_where_json_was_asked_for(mock: Mock, headers: dict[str, str]) -> None:
    mock.faults(kind="html200", headers=headers)
    got = send(mock, "/api2/json/version")
    assert (got.status, got.header("Content-Type")) == (200, ["text/html"])
    assert got.header("Server") == list(headers.values())


@pytest.mark.parametrize("fault", [{"kind": "status", "code": 500}, {"kind": "no_such_task"}, {"kind": "invalid_json"}])
def test_other_faults_are_proxmoxs_own(mock: Mock, fault: dict[str, t.Any]) -> None:
    mock.faults(**fault)
    assert send(mock, "/api2/json/version").header("Server") == [OWN]


def test_more_headers_of_proxmoxs_own_answer(mock: Mock) -> None:
    mock.faults(kind="status", code=301, reason="Moved Permanently", headers={"Location": "https://pve1:8006/"})
    got = send(mock, "/api2/json/version")
    assert (got.header("Location"), got.header("Server")) == (["https://pve1:8006/"], [OWN])
