# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to the mocked Backup Server."""

from __future__ import annotations

import typing as t
import urllib.parse

from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock
from ansible_collections.proxkit.tasks.tests.mock_endpoint.pbs import world
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking import Got, Json, log_in, send

NOW = 1_800_000_000
STAMP = "2027-01-15T08:00:00+00:00"
Who = tuple[str, str]
ROOT = (world.TOKEN_ID, world.TOKEN_SECRET)
VIEWER = (world.VIEWER_TOKEN_ID, world.VIEWER_TOKEN_SECRET)
AUDITOR = (world.AUDITOR_TOKEN_ID, world.AUDITOR_TOKEN_SECRET)
DISABLED = (world.DISABLED_TOKEN_ID, world.DISABLED_TOKEN_SECRET)


def by_token(who: Who) -> dict[str, str]:
    """Headers of a token."""
    return {"Authorization": "PBSAPIToken={}:{}".format(*who)}


def by_ticket(pbs: Mock, user: str, password: str) -> dict[str, str]:
    """Headers of somebody who has logged in."""
    got = log_in(pbs, user, password).body["data"]
    ticket = urllib.parse.quote(got["ticket"])
    return {"Cookie": f"PBSAuthCookie={ticket}", "CSRFPreventionToken": got["CSRFPreventionToken"]}


def ask(pbs: Mock, path: str, method: str = "GET", who: Who = ROOT, **params: str) -> Got:
    return send(pbs, f"/api2/json/{path}", method, by_token(who), urllib.parse.urlencode(params))


def data(pbs: Mock, path: str, method: str = "GET", who: Who = ROOT, **params: str) -> Json:
    """The data of a request that succeeds."""
    got = ask(pbs, path, method, who, **params)
    assert got.status == 200, got
    return got.body["data"]


def said(got: Got) -> tuple[int, Json]:
    """Status and text of a refusal, whose reason phrase is always the usual one."""
    usual = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 414: "URI Too Long"}
    assert got.reason == usual[got.status]
    return got.status, got.body


def path_of(upid: str, more: str = "") -> str:
    return f"nodes/localhost/tasks/{urllib.parse.quote(upid)}{more}"


def status(pbs: Mock, upid: str) -> dict[str, Json]:
    return t.cast("dict[str, Json]", data(pbs, path_of(upid, "/status")))


def log(pbs: Mock, upid: str) -> list[str]:
    return [row["t"] for row in data(pbs, path_of(upid, "/log?limit=0"))]


def listed(pbs: Mock, query: str = "", who: Who = ROOT) -> list[str]:
    return [row["upid"] for row in data(pbs, f"nodes/localhost/tasks?{query}", who=who)]
