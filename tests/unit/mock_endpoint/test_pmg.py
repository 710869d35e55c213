# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is let into the mocked Mail Gateway and may do what there; the file of its sources that says so is named."""

from __future__ import annotations

import typing as t
import urllib.parse

import proxmoxer
import pytest
from ansible_collections.proxkit.tasks.tests import mock_endpoint
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking import Got, log_in, one, send
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking_pmg import (
    ADMIN,
    AUDITOR,
    DISABLED,
    HELPDESK,
    OTP,
    ROOT,
    UNKNOWN,
    VIEWER,
    Who,
    ask,
    said,
    session,
)

# --- who is let in ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        # PMG/HTTPServer.pm, auth_handler
        ({}, "No ticket"),
        ({"Cookie": "PVEAuthCookie={ticket}"}, "No ticket"),
        # The name of tokens is PVE's: PVE/APIServer/AnyEvent.pm, new; PMG/Service/pmgproxy.pm does not change it
        ({"Authorization": "PVEAPIToken=root@pam!ci=secret"}, "API tokens not implemented"),
        ({"Authorization": "PMGAPIToken=root@pam!ci=secret"}, "No ticket"),
        # PVE/Ticket.pm, verify_rsa_ticket
        ({"Cookie": "PMGAuthCookie=PMG:root@pam:6B05180B::bm90"}, "permission denied - invalid PMG ticket"),
        ({"Cookie": "PMGAuthCookie=nonsense"}, "permission denied - invalid PMG ticket"),
        ({"Cookie": "PMGAuthCookie={challenge}"}, "permission denied - invalid PMG ticket"),
        # PVE/APIServer/AnyEvent.pm, authenticate_and_handle_request
        ({"Authorization": "PMGAuthCookie={ticket}"}, ""),
        ({"Cookie": "PMGAuthCookie={ticket}", "Authorization": "PVEAPIToken=root@pam!ci=secret"}, ""),
        ({"Cookie": "PVEAuthCookie=x; PMGAuthCookie={ticket}"}, ""),
    ],
)
def test_credentials(pmg: Mock, headers: dict[str, str], reason: str) -> None:
    known = {
        name: urllib.parse.quote(log_in(pmg, *who).body["data"]["ticket"], safe="")
        for name, who in {"ticket": ROOT, "challenge": OTP}.items()
    }
    got = send(pmg, "/api2/json/version", headers={name: value.format(**known) for name, value in headers.items()})
    assert said(got) == ((401, reason) if reason else (200, "OK"))
    assert got.body == "" or not reason


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("access/ticket", 200),  # PMG/API2/AccessControl.pm, get_ticket
        ("access/auth-realm", 200),  # PMG/API2/AuthRealm.pm, index
        ("access/domains", 401),  # PMG/HTTPServer.pm, auth_handler: not among the open ones
        ("nodes", 401),
    ],
)
def test_what_is_open_to_all(pmg: Mock, path: str, code: int) -> None:
    assert send(pmg, f"/api2/json/{path}").status == code


@pytest.mark.parametrize("token", [None, "nonsense", "6B49D200:wrong"])
def test_writing_needs_the_token_against_forgery(pmg: Mock, token: t.Optional[str]) -> None:
    """PMG/HTTPServer.pm, auth_handler; PVE/Ticket.pm, verify_csrf_prevention_token."""
    headers = {**session(pmg), "CSRFPreventionToken": token or ""}
    if token is None:
        del headers["CSRFPreventionToken"]
    upid = one(pmg, duration=None)
    refused = send(pmg, f"/api2/json/nodes/pmg1/tasks/{upid}", "DELETE", headers)
    assert said(refused) == (401, "Permission denied - invalid csrf token")
    assert send(pmg, "/api2/json/nodes/pmg1/tasks", headers=headers).status == 200


def test_a_ticket_is_worth_what_its_user_is(pmg: Mock) -> None:
    """PMG/AccessControl.pm, check_user_enabled; PMG/UserConfig.pm, lookup_user_data."""
    headers = session(pmg, AUDITOR)

    def ask_again() -> Got:
        return send(pmg, "/api2/json/version", headers=headers)

    pmg.user(name=AUDITOR[0], enabled=False)
    assert said(ask_again()) == (403, f"Permission check failed (user '{AUDITOR[0]}' is disabled)")
    pmg.user(name=AUDITOR[0], enabled=True, role="qmanager")
    assert said(ask_again()) == (200, "OK")
    assert send(pmg, "/api2/json/nodes/pmg1/tasks", headers=headers).status == 403
    pmg.clock(advance=7200)
    assert said(ask_again()) == (401, "permission denied - invalid PMG ticket")


# --- logins: PMG/API2/AccessControl.pm, create_ticket and create_or_verify_ticket --------------------------------


@pytest.mark.parametrize(
    ("user", "password", "more", "who"),
    [
        (*ROOT, {}, ("root@pam", "root")),
        ("root@pmg", ROOT[1], {}, ("root@pam", "root")),
        ("root", ROOT[1], {"realm": "pam"}, ("root@pam", "root")),
        ("root@pam", ROOT[1], {"realm": "pmg"}, ("root@pam", "root")),
        ("root", ROOT[1], {}, None),
        (*ADMIN, {}, (ADMIN[0], "admin")),
        (*HELPDESK, {"otp": "123456"}, (HELPDESK[0], "helpdesk")),
        (*AUDITOR, {}, (AUDITOR[0], "audit")),
        (*VIEWER, {}, (VIEWER[0], "qmanager")),
        ("admin@pve", ADMIN[1], {}, None),
        (ADMIN[0], "wrong", {}, None),
        (*DISABLED, {}, None),
        ("nobody@pmg", "secret", {}, None),
        (*OTP, {"otp": "123456"}, None),
        (*OTP, {"otp": "totp:123456"}, (OTP[0], "audit")),
        (*OTP, {"otp": "totp:654321"}, None),
    ],
)
def test_logins(pmg: Mock, user: str, password: str, more: dict[str, str], who: t.Optional[tuple[str, str]]) -> None:
    got = log_in(pmg, user, password, **more)
    if who is None:
        assert said(got) == (401, "authentication failure")
        assert got.body == {"data": None, "message": "authentication failure\n"}
        assert pmg.counters()["failed_logins"] == 1
    else:
        data = got.body["data"]
        assert (data["username"], data["role"]) == who
        assert data.keys() == {"username", "role", "ticket", "CSRFPreventionToken"}
        assert data["ticket"].startswith(f"PMG:{who[0]}:")


@pytest.mark.parametrize(
    ("more", "errors"),
    [
        ({"new-format": "1"}, {"new-format": UNKNOWN}),
        ({"privs": "x"}, {"privs": UNKNOWN}),
        ({"username": "u" * 61 + "@pmg"}, {"username": "value may only be 64 characters long"}),
    ],
)
def test_what_a_login_takes(pmg: Mock, more: dict[str, str], errors: dict[str, str]) -> None:
    body = urllib.parse.urlencode({"username": ROOT[0], "password": ROOT[1], **more})
    got = send(pmg, "/api2/json/access/ticket", "POST", body=body)
    assert (got.status, got.body["errors"]) == (400, errors)


def test_a_second_factor(pmg: Mock) -> None:
    """And TfaResponse in proxmox-tfa/src/api/mod.rs: a response says of which kind it is."""
    first = log_in(pmg, *OTP, otp="").body["data"]
    assert (first["NeedTFA"], first["role"], first["username"]) == (1, "audit", OTP[0])
    challenge = first["ticket"]
    assert challenge.startswith('PMG:!tfa!{"totp"%3Atrue}:')

    def answer(user: str, response: str) -> Got:
        return log_in(pmg, user, response, **{"tfa-challenge": challenge})

    assert answer(OTP[0], "123456").status == 401
    assert answer(ADMIN[0], "totp:123456").status == 401
    assert log_in(pmg, *OTP, **{"tfa-challenge": f"{challenge}x"}).status == 401
    got = answer(OTP[0], "totp:123456")
    assert (got.status, "NeedTFA" in got.body["data"]) == (200, False)
    assert answer(OTP[0], "totp:123456").status == 401, "a code is good for one login"


def test_a_ticket_is_as_good_as_a_password(pmg: Mock) -> None:
    ticket = log_in(pmg, *AUDITOR).body["data"]["ticket"]
    pmg.clock(advance=7000)
    assert log_in(pmg, AUDITOR[0], ticket).body["data"]["role"] == "audit"
    assert log_in(pmg, ADMIN[0], ticket).status == 401
    roots = log_in(pmg, *ROOT).body["data"]["ticket"]
    assert log_in(pmg, OTP[0], roots).body["data"]["username"] == OTP[0]
    assert log_in(pmg, AUDITOR[0], ticket, path="/x").body["data"] == {"username": AUDITOR[0]}


def test_proxmoxer_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with mock_endpoint.serve(key_usage=True, service="pmg") as pmg:
        login = {"user": AUDITOR[0], "password": AUDITOR[1], "service": "PMG"}
        api = proxmoxer.ProxmoxAPI(pmg.host, port=pmg.port, verify_ssl=pmg.ca_path, **login)
        assert api.version.get()["release"] == "9.1"


# --- rights -----------------------------------------------------------------------------------------------------

READ = {"root", "admin", "helpdesk", "audit"}
ALL = READ | {"qmanager"}
USERS = {"root": ROOT, "admin": ADMIN, "helpdesk": HELPDESK, "audit": AUDITOR, "qmanager": VIEWER}


@pytest.mark.parametrize(
    ("method", "path", "roles"),
    [
        # PMG/API2/Tasks.pm
        ("GET", "nodes/pmg1/tasks", READ),
        ("GET", "nodes/pmg1/tasks/{upid}", READ),
        ("GET", "nodes/pmg1/tasks/{upid}/status", READ),
        ("GET", "nodes/pmg1/tasks/{upid}/log", READ),
        ("DELETE", "nodes/pmg1/tasks/{upid}", {"root", "admin"}),
        # PMG/API2/Nodes.pm, PMG/API2.pm
        ("GET", "nodes", ALL),
        ("GET", "version", ALL),
        # PMG/API2/APT.pm, Backup.pm, ClamAV.pm, SpamAssassin.pm, Services.pm, PBS/Job.pm, Cluster.pm
        ("POST", "nodes/pmg1/apt/update", {"root", "admin"}),
        ("POST", "nodes/pmg1/backup", {"root", "admin"}),
        ("POST", "nodes/pmg1/clamav/database", {"root", "admin"}),
        ("POST", "nodes/pmg1/spamassassin/rules", {"root", "admin"}),
        ("POST", "nodes/pmg1/services/postfix/restart", {"root", "admin"}),
        ("POST", "nodes/pmg1/pbs/pbs1/snapshot", READ),
        ("POST", "config/cluster/create", {"root"}),
    ],
)
def test_roles(pmg: Mock, method: str, path: str, roles: set[str]) -> None:
    """PMG/RESTEnvironment.pm, check_api2_permissions: it asks for roles only, so nobody's own tasks are theirs."""
    allowed = set()
    for role, who in USERS.items():
        upid = one(pmg, user=who[0])
        got = ask(pmg, path.format(upid=upid), method, who)
        if got.status == 200:
            allowed.add(role)
        else:
            words = "Permission check failed" + (" (user != root@pam)" if roles == {"root"} else "")
            assert (*said(got), got.body) == (403, words, {"data": None, "message": f"{words}\n"})
    assert allowed == roles


@pytest.mark.parametrize(
    ("path", "who", "wanted"),
    [
        # PMG/HTTPServer.pm, rest_handler: method, parameters of the path, role, node, and all others, in this order
        ("access/domains", VIEWER, (501, "Method 'GET /access/domains' not implemented")),
        ("cluster/tasks", VIEWER, (501, "Method 'GET /cluster/tasks' not implemented")),
        ("nodes/pmg1/tasks?node=pmg1", VIEWER, (400, "Parameter verification failed.")),
        ("nodes/nowhere/tasks?source=all", VIEWER, (403, "Permission check failed")),
        # PMG/Cluster.pm, remote_node_ip; PVE/Network.pm, get_ip_from_hostname
        (
            "nodes/nowhere/tasks?source=all",
            AUDITOR,
            (
                500,
                "hostname lookup 'nowhere' failed - failed to get address info for: nowhere: Name or service not known",
            ),
        ),
        # PVE/APIServer/AnyEvent.pm, proxy_request
        ("nodes/pmg2/tasks?source=all", AUDITOR, (595, "No route to host")),
        ("nodes/pmg1/tasks?source=all", AUDITOR, (400, "Parameter verification failed.")),
        ("nodes/localhost/tasks", AUDITOR, (200, "OK")),
        ("nodes/pmg3/tasks", AUDITOR, (200, "OK")),
    ],
)
def test_what_is_looked_at_first(pmg: Mock, path: str, who: Who, wanted: tuple[int, str]) -> None:
    pmg.node(name="pmg2", online=False)
    assert said(ask(pmg, path, who=who)) == wanted


def test_a_parameter_may_not_repeat_the_path(pmg: Mock) -> None:
    """PMG/HTTPServer.pm, rest_handler; PVE lets those be that say the same."""
    got = ask(pmg, "nodes/pmg1/tasks?node=pmg1")
    assert got.body["errors"] == {"node": "duplicate parameter (already defined in URI)"}


def test_nodes_have_names_only(pmg: Mock) -> None:
    """PMG/API2/Nodes.pm, index."""
    pmg.node(name="pmg3", online=False)
    assert ask(pmg, "nodes", who=VIEWER).body["data"] == [{"node": f"pmg{number}"} for number in (1, 2, 3)]
