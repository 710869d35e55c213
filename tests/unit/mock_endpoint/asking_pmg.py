# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to the mocked Mail Gateway."""

from __future__ import annotations

import typing as t
import urllib.parse

from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock
from ansible_collections.proxkit.tasks.tests.mock_endpoint.pmg import world
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking import Got, Json, log_in, send

NOW = 1_800_000_000
UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"
Who = tuple[str, str]
ROOT = ("root@pam", world.ROOT_PASSWORD)
ADMIN = (world.ADMIN, world.ADMIN_PASSWORD)
AUDITOR = (world.AUDITOR, world.AUDITOR_PASSWORD)
HELPDESK = (world.HELPDESK, world.HELPDESK_PASSWORD)
VIEWER = (world.VIEWER, world.VIEWER_PASSWORD)
DISABLED = (world.DISABLED, world.DISABLED_PASSWORD)
OTP = (world.OTP_USER, world.OTP_PASSWORD)


def session(pmg: Mock, who: Who = ROOT) -> dict[str, str]:
    """Headers of somebody who has logged in."""
    got = log_in(pmg, *who).body["data"]
    ticket = urllib.parse.quote(got["ticket"])
    return {"Cookie": f"PMGAuthCookie={ticket}", "CSRFPreventionToken": got["CSRFPreventionToken"]}


def ask(pmg: Mock, path: str, method: str = "GET", who: Who = ROOT, **params: str) -> Got:
    return send(pmg, f"/api2/json/{path}", method, session(pmg, who), urllib.parse.urlencode(params))


def said(got: Got) -> tuple[int, str]:
    return got.status, got.reason


def rows(pmg: Mock, query: str = "") -> list[Json]:
    return t.cast("list[Json]", ask(pmg, f"nodes/pmg1/tasks?{query}").body["data"])


def status(pmg: Mock, upid: str) -> dict[str, Json]:
    return t.cast("dict[str, Json]", ask(pmg, f"nodes/{upid.split(':')[1]}/tasks/{upid}/status").body["data"])


def log(pmg: Mock, upid: str) -> list[str]:
    path = f"nodes/{upid.split(':')[1]}/tasks/{upid}/log?limit=0"
    return [row["t"] for row in ask(pmg, path).body["data"]]
