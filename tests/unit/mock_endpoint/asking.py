# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to the endpoint by nothing but the standard library, so that no client's habits come between."""

from __future__ import annotations

import gzip
import http.client
import json
import ssl
import typing as t
import urllib.parse

from ansible_collections.proxkit.tasks.tests import mock_endpoint
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock
from ansible_collections.proxkit.tasks.tests.mock_endpoint._endpoint import Running

Json = t.Any
ROOT = (mock_endpoint.TOKEN_ID, mock_endpoint.TOKEN_SECRET)
HEADERS = {"Authorization": "PVEAPIToken={}={}".format(*ROOT)}


def trusting(mock: Running, strict: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=mock.ca_path)
    if strict:
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    else:
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def connect(mock: Running, host: str = "") -> http.client.HTTPSConnection:
    return http.client.HTTPSConnection(host or mock.host, mock.port, context=trusting(mock), timeout=10)


class Got(t.NamedTuple):
    """An answer as it came; ``body`` is decoded where it is JSON."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: Json

    def header(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key == name]


def send(
    mock: Running,
    target: str,
    method: str = "GET",
    headers: t.Optional[dict[str, str]] = None,
    body: str = "",
    host: str = "",
) -> Got:
    """One request on a connection of its own, with no other credentials than those in ``headers``."""
    connection = connect(mock, host)
    typed = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    try:
        connection.request(method, target, body or None, {**typed, **(headers or {})})
        response = connection.getresponse()
        raw = response.read()
        if response.getheader("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
    finally:
        connection.close()
    is_json = (response.getheader("Content-Type") or "").startswith("application/json")
    try:
        decoded = json.loads(raw) if is_json else raw.decode()
    except ValueError:
        decoded = raw.decode()
    return Got(response.status, response.reason, response.getheaders(), decoded)


def ask(
    mock: Mock, path: str, method: str = "GET", token: tuple[str, str] = ROOT, host: str = "", **params: str
) -> tuple[int, str, Json]:
    """Status, reason and body of one request by token."""
    headers = {"Authorization": "PVEAPIToken={}={}".format(*token)}
    got = send(mock, f"/api2/json/{path}", method, headers, urllib.parse.urlencode(params), host)
    return got.status, got.reason, got.body


def data(mock: Mock, path: str, method: str = "GET", **params: t.Any) -> Json:
    """The data of a request that succeeds."""
    status, reason, body = ask(mock, path, method, **params)
    assert status == 200, (status, reason, body)
    return body["data"]


def one(mock: Mock, **task: t.Any) -> str:
    return t.cast(str, mock.tasks(**task)["upids"][0])


def status(mock: Mock, upid: str) -> Json:
    found = data(mock, f"nodes/{upid.split(':')[1]}/tasks/{upid}/status")
    return found.get("exitstatus", found["status"])


def log(mock: Mock, upid: str, query: str = "") -> list[str]:
    return [row["t"] for row in data(mock, f"nodes/{upid.split(':')[1]}/tasks/{upid}/log{query}")]


def log_in(mock: Mock, user: str, password: str, **more: str) -> Got:
    """A login."""
    body = urllib.parse.urlencode({"username": user, "password": password, **more})
    return send(mock, "/api2/json/access/ticket", "POST", body=body)


def until(mock: Mock, requests: int) -> None:
    """Wait until the endpoint has got so many requests: each is then answered, or waits for what it waits for."""
    while mock.counters()["requests"]["total"] < requests:
        pass
