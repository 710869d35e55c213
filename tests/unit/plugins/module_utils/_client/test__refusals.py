# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replies and what they mean: who is taken for Proxmox, and what a person reads."""

from __future__ import annotations

import json
import typing as t
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import Reply, Request
from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._client.refusals import data_of
from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import PBS, PMG
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Fault,
    HostUnreachable,
    LoginRefused,
    NodeUnreachable,
    NoPrivilege,
    NoSuchTask,
    NotProxmox,
    Refused,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import parse
from hypothesis import given
from hypothesis import strategies as st

HOST = "pve1.example.com:8006"
TOKEN = Connection((HOST,), "ops@pve", token_name="ci", token_secret="s3cr3t")
PASSWORD = Connection((HOST,), "ops@pve", password="s3cr3t")
UPID = parse("UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:")
STATUS = Request("GET", ("nodes", UPID.node, "tasks", UPID.native, "status"), upid=UPID)
LIST = Request("GET", ("nodes", "pve1", "tasks"))
PVE = "pve-api-daemon/3.0"
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in - Example</title></head><body></body></html>"


def of_pve(status: int, message: str, server: str = PVE, **errors: str) -> Reply:
    """An error as servers since 2025 send it: the text in reason phrase and body."""
    body = {"data": None, "message": f"{message}\n", **({"errors": errors} if errors else {})}
    return Reply(status, message, server, json.dumps(body).encode())


def error_of(reply: Reply, request: Request = STATUS, connection: Connection = TOKEN) -> ApiError:
    with pytest.raises(ApiError) as caught:
        data_of(reply, request, HOST, connection, ["s3cr3t"])
    return caught.value


@pytest.mark.parametrize(
    ("reply", "kind", "passing", "words"),
    [
        # Proxmox's own words, however they come: its name kept or replaced on the way, with a body or without
        (
            Reply(401, "No ticket", PVE),
            LoginRefused,
            False,
            ["401 No ticket", "api_token_secret", "ops@pve!ci, and service (pve)"],
        ),
        (Reply(401, "Authentication failed!", "nginx"), LoginRefused, False, ["Authentication failed!"]),
        (of_pve(401, "authentication failure", "nginx"), LoginRefused, False, ["authentication failure"]),
        (Reply(401, "Permission denied - invalid csrf token", ""), LoginRefused, False, ["csrf"]),
        (Reply(401, "Unauthorized", PVE), LoginRefused, False, ["401"]),
        (Reply(403, "Permission check failed (/nodes/pve1, Sys.Audit)", ""), NoPrivilege, False, ["needs Sys.Audit"]),
        (of_pve(403, "Permission check failed (/nodes/pve1, Sys.Modify)"), NoPrivilege, False, ["Sys.Modify", "stop"]),
        (of_pve(403, "Permission check failed (/vms/100, VM.Audit)"), NoPrivilege, False, ["VM.Audit on /vms/100"]),
        (of_pve(400, "Parameter verification failed.", upid="no such task"), NoSuchTask, False, ["knows no such task"]),
        (of_pve(400, "Parameter verification failed.", limit="odd"), Refused, False, ["(limit: odd)"]),
        (of_pve(500, "got timeout"), Fault, True, ["500 got timeout"]),
        (of_pve(500, "hostname lookup 'pve1' failed - x"), Refused, False, ["has no node pve1", "check the UPID"]),
        (of_pve(500, "address lookup for 'pve1' did not find any IP address"), Refused, False, ["has no node pve1"]),
        (of_pve(501, "Method 'GET /x' not implemented"), Refused, False, ["501"]),
        (Reply(595, "No route to host", ""), NodeUnreachable, True, ["node pve1 cannot be reached"]),
        (Reply(596, "Connection timed out", PVE), NodeUnreachable, True, ["596"]),
        # Somebody else's
        (Reply(401, "Unauthorized", "nginx", b"<html>401</html>"), NotProxmox, True, ["gateway", "401"]),
        (Reply(401, "Unauthorized", "", b'{"error":"token expired"}'), NotProxmox, True, ["is it a Proxmox API"]),
        (Reply(401, "Authentication failed!", "x", PAGE), NotProxmox, True, ["Sign in - Example"]),
        (Reply(401, "Unauthorized", "kong", b'{"data":null,"error":"jwt missing"}'), NotProxmox, True, ["401"]),
        (Reply(403, "Forbidden", "envoy", b'{"data":null,"message":"denied by policy"}'), NotProxmox, True, ["403"]),
        (Reply(401, "Unauthorized", "nginx", b"Authentication failed"), NotProxmox, True, ["401"]),
        (Reply(403, "Forbidden", "cloudflare", PAGE), NotProxmox, True, ["403", "Sign in - Example"]),
        (Reply(404, "Not Found", "nginx", b"no such host"), NotProxmox, True, ["404", "no such host", "api_host"]),
        (Reply(302, "Found", PVE), NotProxmox, True, ["redirection"]),
        (Reply(200, "OK", PVE, PAGE), NotProxmox, True, ["200", "Sign in - Example"]),
        (Reply(200, "OK", "", b'{"data":{"status":"runn'), NotProxmox, True, ["is it a Proxmox API"]),
        (Reply(200, "OK", "", b"[" * 100_000), NotProxmox, True, ["is it a Proxmox API"]),
        (Reply(204), NotProxmox, True, ["204"]),
        (Reply(429, "Too Many Requests", "nginx"), NotProxmox, True, ["429"]),
        # A way that is closed for a while
        (Reply(502, "Bad Gateway", "nginx", PAGE), HostUnreachable, True, ["502"]),
        (Reply(503, "Service Unavailable", PVE), HostUnreachable, True, ["503"]),
        (Reply(500, "Internal Server Error", "nginx", PAGE), HostUnreachable, True, ["500"]),
        (Reply(520, "", "cloudflare", PAGE), HostUnreachable, True, ["520"]),
    ],
    ids=lambda value: f"{value.status} {value.reason} {value.server}" if isinstance(value, Reply) else "",
)
def test_what_a_reply_means(reply: Reply, kind: type[ApiError], passing: bool, words: list[str]) -> None:
    error = error_of(reply)
    assert error.__class__ is kind
    assert error.passing is passing
    for word in [*words, HOST]:
        assert word in error.message


ELSA = Connection(("elsa:8007",), "ops@pbs", token_name="ci", token_secret="s3cr3t", service=PBS)
MAIL = Connection(("mail:8006",), "ops@pmg", password="s3cr3t", service=PMG)
LOG = Request("GET", ("nodes", "localhost", "tasks", UPID.native, "log"), upid=UPID)
STOP = Request("DELETE", LOG.path[:4], upid=UPID)


def bare(status: int, reason: str, text: str) -> Reply:
    """An error of Backup Server: bare text, whatever its type says."""
    return Reply(status, reason, "", text.encode())


@pytest.mark.parametrize(
    ("request_", "reply", "connection", "kind", "words"),
    [
        # proxmox-rest-server: rest.rs, formatter.rs; proxmox-backup: src/api2/node/tasks.rs
        (STATUS, bare(401, "Unauthorized", "authentication failed"), ELSA, LoginRefused, ["ops@pbs!ci"]),
        (LIST, bare(401, "Unauthorized", "permission check failed."), ELSA, LoginRefused, ["permission check"]),
        (LIST, bare(403, "Forbidden", "permission check failed"), ELSA, NoPrivilege, ["Sys.Audit on /system/tasks"]),
        (LOG, bare(400, "Bad Request", "task access not allowed"), ELSA, NoPrivilege, ["a token does not see"]),
        (
            STOP,
            bare(400, "Bad Request", "missing permissions 'Sys.Modify' on '/system/tasks'"),
            ELSA,
            NoPrivilege,
            ["needs Sys.Modify on /system/tasks to stop"],
        ),
        (LOG, bare(400, "Bad Request", "No such file or directory (os error 2)"), ELSA, NoSuchTask, ["os error 2"]),
        (LIST, bare(400, "Bad Request", "No such file or directory (os error 2)"), ELSA, Fault, ["os error 2"]),
        (STATUS, bare(400, "Bad Request", "unable to acquire lock"), ELSA, Fault, ["unable to acquire lock"]),
        (STATUS, bare(400, "Bad Request", "unable to parse UPID 'x'"), ELSA, Refused, ["unable to parse UPID"]),
        (STATUS, bare(404, "Not Found", "Path '/api2/json/x' not found."), ELSA, Refused, ["not found"]),
        (STATUS, bare(404, "Not Found", "no such host"), ELSA, NotProxmox, ["no such host"]),
        (STATUS, Reply(400, "Bad Request", "nginx", PAGE), ELSA, NotProxmox, ["Sign in"]),
        (STATUS, bare(502, "Bad Gateway", "down"), ELSA, HostUnreachable, ["502"]),
        # PMG::RESTEnvironment, PMG::HTTPServer
        (
            STATUS,
            of_pve(403, "Permission check failed"),
            MAIL,
            NoPrivilege,
            ["needs the role admin or audit to see tasks"],
        ),
        (STOP, of_pve(403, "Permission check failed"), MAIL, NoPrivilege, ["needs the role admin to stop tasks"]),
        (LIST, Reply(401, "API tokens not implemented", ""), MAIL, LoginRefused, ["tokens not implemented"]),
        (
            STATUS,
            of_pve(400, "Parameter verification failed.", upid="no such task"),
            MAIL,
            NoSuchTask,
            ["no such task"],
        ),
    ],
    ids=lambda value: f"{value.status} {value.text}" if isinstance(value, Reply) else "",
)
def test_what_a_reply_of_the_other_products_means(
    request_: Request, reply: Reply, connection: Connection, kind: type[ApiError], words: list[str]
) -> None:
    error = error_of(reply, request_, connection)
    assert error.__class__ is kind
    for word in words:
        assert word in error.message


def test_an_answer_is_taken_whole() -> None:
    assert data_of(Reply(200, "OK", "", b'{"data":[],"total":7}'), LIST, HOST, TOKEN) == {"data": [], "total": 7}


def test_what_to_check_follows_what_was_asked() -> None:
    unknown = of_pve(500, "hostname lookup 'pve1' failed - x")
    assert "check its name" in error_of(unknown, LIST).message
    assert "api_password" in error_of(Reply(401, "No ticket", PVE), LIST, PASSWORD).message
    assert "a token does not see" not in error_of(of_pve(403, "Permission check failed"), LIST, PASSWORD).message


@given(st.sampled_from([200, 302, 400, 401, 403, 404, 500, 502, 595]), st.text(), st.text(), st.booleans())
def test_no_reply_shows_a_secret_or_reaches_a_terminal(status: int, before: str, after: str, html: bool) -> None:
    text = f"{before}PVEAPIToken=ops@pve!ci=s3cr3t{after}"
    body: t.Any = f"<html><title>{text}</title>" if html else json.dumps({"data": None, "message": text})
    content = body.encode("utf-8", "replace")
    if status == 200:
        content = b"x" + content
    message = error_of(Reply(status, text, "", content)).message
    assert "s3cr3t" not in message
    assert message.isprintable()


@pytest.mark.parametrize("secret", ['p"w/<&>ü', "a b+c%", "x" * 300])
def test_secrets_are_masked_in_every_spelling(secret: str) -> None:
    shown: list[str] = []
    for spelling in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret), escape(secret)):
        shown.append(Reply(200, spelling, "", f"<p>{spelling}</p>".encode()).masked([secret]).text)
    assert set(shown) == {"<p>********</p>"}
