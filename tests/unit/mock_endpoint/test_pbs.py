# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the mocked Backup Server takes requests and logins; the file of its sources that says so is named."""

from __future__ import annotations

import http.client
import json
import typing as t
import urllib.parse
import zlib

import pytest
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Clock, Mock
from ansible_collections.proxkit.tasks.tests.mock_endpoint._messages import Request
from ansible_collections.proxkit.tasks.tests.mock_endpoint.pbs import world
from ansible_collections.proxkit.tasks.tests.mock_endpoint.pbs.service import Pbs
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking import Got, connect, log_in, one, send
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking_pbs import (
    AUDITOR,
    DISABLED,
    NOW,
    ROOT,
    VIEWER,
    Who,
    ask,
    by_ticket,
    by_token,
    data,
    path_of,
    said,
)

JSON_TYPE = "application/json;charset=UTF-8"
PASSWORD = ("root@pam", world.ROOT_PASSWORD)
FAILED = "parameter verification failed"

# Target, method, body, content type of the body, and what is answered: status, content type and text.
REFUSALS: list[tuple[str, str, str, str, str, int, t.Optional[str], str]] = [
    ("rest.rs", "/api2/json/nothing", "GET", "", "", 404, JSON_TYPE, "Path '/api2/json/nothing' not found."),
    ("rest.rs", "/api2//json/a%20b/", "GET", "", "", 404, JSON_TYPE, "Path '/api2/json/a%20b' not found."),
    ("rest.rs", "/api2/json/version", "POST", "", "", 404, JSON_TYPE, "Path '/api2/json/version' not found."),
    ("rest.rs", "/api2/html/version", "GET", "", "", 400, None, "Unsupported output format 'html'."),
    ("rest.rs", "/api2/", "GET", "", "", 404, None, "invalid api path '/api2'"),
    ("rest.rs", "/nothing/here", "GET", "", "", 404, None, "no such file: 'nothing/here'"),
    ("rest.rs", "/nothing/here", "PUT", "", "", 400, None, "invalid http method for path"),
    ("rest.rs", f"/api2/json/version?{'x' * 3100}", "GET", "", "", 414, None, ""),
    ("lib.rs", "/api2/json/.hidden", "GET", "", "", 400, None, "path contains illegal components"),
    (
        "rest.rs",
        "/api2/json/admin/verify/nightly-verify/run",
        "POST",
        "a",
        "text/plain",
        400,
        JSON_TYPE,
        'unsupported content type Ok("text/plain")',
    ),
]


@pytest.mark.parametrize(("source", "target", "method", "body", "kind", "status", "content_type", "text"), REFUSALS)
def test_refusals(
    pbs: Mock,
    source: str,
    target: str,
    method: str,
    body: str,
    kind: str,
    status: int,
    content_type: t.Optional[str],
    text: str,
) -> None:
    headers = {**by_token(ROOT), **({"Content-Type": kind} if kind else {})}
    got = send(pbs, target, method, headers, body)
    assert said(got) == (status, text), source
    assert got.header("content-type") == ([content_type] if content_type else [])


@pytest.mark.parametrize(
    ("source", "path", "text"),
    [
        ("schema.rs", "nodes/localhost/tasks?nope=1", "'nope': schema does not allow additional properties."),
        ("schema.rs", "nodes/localhost/tasks?limit=x", "'limit': invalid digit found in string"),
        ("schema.rs", "nodes/localhost/tasks?limit=", "'limit': cannot parse integer from empty string"),
        (
            "schema.rs",
            "nodes/localhost/tasks?since=9223372036854775808",
            "'since': number too large to fit in target type",
        ),
        ("schema.rs", "nodes/localhost/tasks?limit=-1", "'limit': value must have a minimum value of 0 (got -1)"),
        ("schema.rs", "nodes/localhost/tasks?limit=1&limit=2", "'limit': duplicate parameter."),
        ("schema.rs", "nodes/localhost/tasks?node=pbs", "'node': duplicate parameter."),
        ("schema.rs", "nodes/localhost/tasks?running=maybe", "'running': Unable to parse boolean option."),
        (
            "schema.rs",
            "nodes/localhost/tasks?statusfilter=ok&statusfilter=OK",
            "'statusfilter': value 'OK' is not defined in the enumeration.",
        ),
        ("api_types.rs", "nodes/a.b/tasks", "'node': value does not match the regex pattern"),
        ("datastore.rs", "nodes/localhost/tasks?store=ab", "'store': value must be at least 3 characters long"),
        ("datastore.rs", f"nodes/pbs/tasks?store={'a' * 33}", "'store': value may only be 32 characters long"),
        ("upid.rs", "nodes/localhost/tasks/UPID/status", "'upid': value must be at least 36 characters long"),
        (
            "upid.rs",
            "nodes/localhost/tasks/UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:/status",
            "'upid': value does not match the regex pattern",
        ),
    ],
)
def test_wrong_parameters(pbs: Mock, source: str, path: str, text: str) -> None:
    assert said(ask(pbs, path)) == (400, f"{FAILED} - {text}"), source


def test_several_wrong_parameters(pbs: Mock) -> None:
    """schema.rs: ParameterError."""
    text = f"{FAILED}:\n- 'limit': invalid digit found in string\n- 'x': schema does not allow additional properties."
    assert said(ask(pbs, "nodes/localhost/tasks?limit=a&x=1&_dc=5")) == (400, text)


def test_the_other_formatter(pbs: Mock) -> None:
    """formatter.rs: EXTJS_FORMATTER."""
    got = send(pbs, "/api2/extjs/nodes/localhost/tasks?limit=a", headers=by_token(ROOT))
    assert (got.status, got.body) == (
        200,
        {
            "message": "parameter verification errors",
            "errors": {"limit": "invalid digit found in string"},
            "success": False,
            "status": 400,
        },
    )
    got = send(pbs, "/api2/extjs/nothing", headers=by_token(ROOT))
    assert (got.status, got.body["status"], got.body["errors"]) == (200, 404, {})
    got = send(pbs, "/api2/extjs/nodes", headers=by_token(ROOT))
    assert got.body == {"data": [{"node": "pbs"}], "success": True, "status": 200}
    # What is refused before there is a method is in no format.
    assert said(send(pbs, "/api2/extjs/nodes")) == (401, "authentication failed")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"limit": "5"}', f"{FAILED} - 'limit': Expected integer value."),
        ('{"running": 1, "x": 2}', None),
        ("[]", "Expected object - got array."),
        ("7", "Expected object - got scalar value."),
        ('{"statusfilter": "ok"}', f"{FAILED} - 'statusfilter': Expected array - got scalar value."),
        ("no json", "expected value at line 1 column 1"),
    ],
)
def test_json_bodies(pbs: Mock, body: str, text: t.Optional[str]) -> None:
    """rest.rs: get_request_parameters, by which types are strict and the query counts for nothing."""
    headers = {**by_token(ROOT), "Content-Type": "application/json"}
    got = send(pbs, "/api2/json/nodes/localhost/tasks?limit=x", headers=headers, body=body)
    two = f"{FAILED}:\n- 'running': Expected boolean value.\n- 'x': schema does not allow additional properties"
    assert said(got) == (400, text or two)
    fine = '{"limit": 5, "running": true, "statusfilter": ["ok"]}'
    assert send(pbs, "/api2/json/nodes/localhost/tasks?limit=x", headers=headers, body=fine).status == 200


def test_headers(pbs: Mock) -> None:
    """hyper adds a date and a length, nothing else."""
    got = ask(pbs, "version")
    assert sorted(name.lower() for name, _value in got.headers) == ["content-length", "content-type", "date"]
    assert got.header("content-type") == [JSON_TYPE]


def test_a_connection_serves_any_number_of_requests(pbs: Mock) -> None:
    connection = connect(pbs)
    for _number in range(150):
        connection.request("GET", "/api2/json/ping")
        assert json.loads(connection.getresponse().read()) == {"data": {"pong": True}}
    connection.close()
    assert pbs.counters()["connections"] == 1


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip", None), ("gzip, deflate", "deflate"), ("deflate;q=0.5", "deflate"), ("br", None)],
)
@pytest.mark.parametrize("path", ["nodes", "nodes/localhost/tasks?limit=x"])
def test_compression(pbs: Mock, path: str, accepted: str, encoding: t.Optional[str]) -> None:
    """compression.rs: DEFLATE is the only one, and errors of methods are compressed as well."""
    connection: http.client.HTTPSConnection = connect(pbs)
    connection.request("GET", f"/api2/json/{path}", headers={**by_token(ROOT), "Accept-Encoding": accepted})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.getheader("content-encoding") == encoding
    plain = zlib.decompress(body) if encoding else body
    assert plain.startswith((b'{"data"', FAILED.encode()))


# --- who one is: proxmox-auth-api ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "headers", "known"),
    [
        ("mod.rs", {"Authorization": "PBSAPIToken={}:{}".format(*ROOT)}, True),
        ("mod.rs", {"Authorization": "PBSAPIToken {}:{}".format(*ROOT)}, True),
        ("mod.rs", {"Authorization": "PBSAPIToken={}:{}".format(ROOT[0], ROOT[1].replace("-", "%2D"))}, True),
        ("mod.rs", {"Authorization": "PBSAPIToken={}={}".format(*ROOT)}, False),
        ("mod.rs", {"Authorization": "PVEAPIToken={}={}".format(*ROOT)}, False),
        ("mod.rs", {"Authorization": " PBSAPIToken:{}:{}".format(*ROOT)}, False),
        ("mod.rs", {"Authorization": f"PBSAPIToken={ROOT[0]}:wrong"}, False),
        ("mod.rs", {"Authorization": "PBSAPIToken={}:{}".format(*DISABLED)}, False),
        ("mod.rs", {"Authorization": "PBSAPIToken=nobody@pam!no:secret"}, False),
        ("mod.rs", {"Cookie": "PBSAuthCookie=x", "Authorization": "PBSAPIToken={}:{}".format(*ROOT)}, False),
        ("lib.rs", {"Cookie": "broken; PBSAuthCookie=x", "Authorization": "PBSAPIToken={}:{}".format(*ROOT)}, True),
        ("mod.rs", {"Cookie": "PVEAuthCookie=x"}, False),
        ("mod.rs", {}, False),
    ],
)
def test_credentials(pbs: Mock, source: str, headers: dict[str, str], known: bool) -> None:
    got = send(pbs, "/api2/json/version", headers=headers)
    assert got.status == (200 if known else 401), source
    if not known:
        assert said(got) == (401, "authentication failed")
        assert got.header("content-type") == []
        [cookie] = got.header("set-cookie")
        assert cookie.startswith("__Host-PBSAuthCookie=; Expires=Thu, 01 Jan 1970 00:00:00 GMT;"), "rest.rs"
        assert pbs.counters()["failed_authentications"] == 1


def test_what_needs_nobody(pbs: Mock) -> None:
    """Permission::World."""
    assert send(pbs, "/api2/json/ping", headers={"Cookie": "PBSAuthCookie=x"}).body == {"data": {"pong": True}}
    got = send(pbs, "/api2/json/access/domains")
    assert [row["realm"] for row in got.body["data"]] == ["pam", "pbs"]
    assert got.body["digest"]
    assert said(send(pbs, "/api2/json/access/ticket")) == (401, "authentication failed"), "there is no GET"


@pytest.mark.parametrize(
    ("method", "path", "who", "seconds"),
    [
        ("GET", "version", None, 3),
        ("POST", "access/ticket", None, 3),
        ("POST", "admin/datastore/backup/gc", VIEWER, 0.5),
        ("POST", "admin/verify/nightly-verify/run", VIEWER, 0),
        ("GET", "nothing", ROOT, 0),
    ],
)
def test_refusals_that_are_held_back(method: str, path: str, who: t.Optional[Who], seconds: float) -> None:
    """rest.rs: delay_unauth_time, access_forbidden_time."""
    state = world.World(clock=Clock(NOW, source=lambda: 0.0))
    state.settings = world.Settings(auth_delay=3, forbidden_delay=0.5)
    headers = {name.lower(): value for name, value in by_token(who).items()} if who else {}
    body = b"username=root%40pam&password=x" if path == "access/ticket" else b""
    answer = Pbs(state).answer(Request(method, f"/api2/json/{path}", headers=headers, body=body))
    assert (answer.status >= 400, answer.not_before) == (True, NOW + seconds)


def ticket(got: Got) -> str:
    return t.cast(str, got.body["data"]["ticket"])


def test_login(pbs: Mock) -> None:
    """access.rs: handle_ticket_creation."""
    got = log_in(pbs, *PASSWORD)
    assert (got.status, sorted(got.body), sorted(got.body["data"])) == (
        200,
        ["data"],
        ["CSRFPreventionToken", "ticket", "username"],
    )
    assert ticket(got).startswith("PBS:root@pam:6B49D200::")
    headers = by_ticket(pbs, *PASSWORD)
    csrf = headers.pop("CSRFPreventionToken")
    upid = one(pbs, duration=None)
    target = f"/api2/json/{path_of(upid)}"
    assert send(pbs, f"{target}/status", headers=headers).status == 200
    assert said(send(pbs, target, "DELETE", headers)) == (401, "authentication failed")
    assert said(send(pbs, target, "DELETE", {**headers, "CSRFPreventionToken": "6B49D200:x"}))[0] == 401
    assert send(pbs, target, "DELETE", {**headers, "CSRFPreventionToken": csrf}).body == {"data": None}
    newer = {"Cookie": headers["Cookie"].replace("PBS", "x=y; __Host-PBS", 1)}
    assert send(pbs, f"{target}/status", headers=newer).status == 200
    assert send(pbs, f"{target}/status", headers={"Cookie": f"{newer['Cookie']}; PBSAuthCookie=x"}).status == 200


@pytest.mark.parametrize(
    ("user", "password", "more", "answer"),
    [
        ("root@pam", "wrong", {}, (401, "permission check failed.")),
        ("nobody@pam", "wrong", {}, (401, "permission check failed.")),
        ("disabled@pbs", "disabled-password", {}, (401, "permission check failed.")),
        ("root", "x", {}, (400, f"{FAILED} - 'username': value does not match the regex pattern")),
        ("root@pam", "x", {"realm": "pam"}, (400, f"{FAILED} - 'realm': schema does not allow additional properties.")),
        ("root@pam", "x", {"otp": "1"}, (400, f"{FAILED} - 'otp': schema does not allow additional properties.")),
    ],
)
def test_refused_logins(pbs: Mock, user: str, password: str, more: dict[str, str], answer: tuple[int, str]) -> None:
    """access.rs: create_ticket; types.rs: CreateTicket."""
    got = log_in(pbs, user, password, **more)
    assert said(got) == answer
    assert got.header("content-type") == [JSON_TYPE]
    assert len(got.header("set-cookie")) == (answer[0] == 401)
    assert pbs.counters()["failed_logins"] == (answer[0] == 401)


def test_a_login_without_name_or_password(pbs: Mock) -> None:
    """access.rs and types.rs."""
    target = "/api2/json/access/ticket"
    missing = f"{FAILED} - 'username': parameter is missing and it is not optional."
    assert said(send(pbs, target, "POST")) == (400, missing)
    assert said(send(pbs, target, "POST", body="username=root%40pam")) == (400, "no password provided")


def test_a_ticket_is_renewed_by_itself_for_two_hours(pbs: Mock) -> None:
    """access.rs: authenticate_user; ticket.rs."""
    first = ticket(log_in(pbs, *PASSWORD))
    pbs.clock(advance=7000)
    assert said(log_in(pbs, "viewer@pbs", first))[0] == 401, "not even root's is as good as another's password"
    second = ticket(log_in(pbs, "root@pam", first))
    pbs.clock(advance=300)
    assert said(log_in(pbs, "root@pam", first))[0] == 401
    cookie = {"Cookie": f"PBSAuthCookie={urllib.parse.quote(second)}"}
    assert send(pbs, "/api2/json/version", headers=cookie).status == 200
    pbs.expire_tickets()
    assert send(pbs, "/api2/json/version", headers=cookie).status == 401


def test_a_second_factor(pbs: Mock) -> None:
    """access.rs: AuthResult::Partial: nothing but the ticket itself shows that it is not enough."""
    user, password, code = world.OTP_USER, world.OTP_PASSWORD, world.OTP_CODE
    got = log_in(pbs, user, password)
    assert sorted(got.body["data"]) == ["CSRFPreventionToken", "ticket", "username"]
    assert got.body["data"]["CSRFPreventionToken"] == "invalid"
    challenge = ticket(got)
    assert urllib.parse.unquote(challenge).startswith('PBS:!tfa!{"totp":true}:')
    half = {"Cookie": f"PBSAuthCookie={urllib.parse.quote(challenge)}"}
    assert send(pbs, "/api2/json/version", headers=half).status == 401
    for who, response in ((user, "totp:654321"), ("viewer@pbs", f"totp:{code}"), (user, password)):
        assert said(log_in(pbs, who, response, **{"tfa-challenge": challenge}))[0] == 401
    full = ticket(log_in(pbs, user, f"totp:{code}", **{"tfa-challenge": challenge}))
    assert full.startswith(f"PBS:{user}:")
    assert said(log_in(pbs, user, f"totp:{code}", **{"tfa-challenge": challenge}))[0] == 401, "a code is good once"


@pytest.mark.parametrize(
    ("source", "who", "path", "method", "answer"),
    [
        ("datastore.rs", VIEWER, "admin/datastore/backup/gc", "POST", (403, "permission check failed")),
        (
            "hierarchy.rs",
            VIEWER,
            "admin/datastore/backup/verify",
            "POST",
            (403, "permission check failed - missing Datastore.Verify|Datastore.Backup on /datastore/backup"),
        ),
        (
            "cached_user_info.rs",
            VIEWER,
            "admin/verify/nightly-verify/run",
            "POST",
            (400, "missing permissions 'Datastore.Verify' on '/datastore/backup'"),
        ),
        ("sync.rs", VIEWER, "admin/sync/offsite-sync/run", "POST", (400, "permission check failed")),
        (
            "cached_user_info.rs",
            AUDITOR,
            "admin/prune/daily-prune/run",
            "POST",
            (400, "missing permissions 'Datastore.Modify' on '/datastore/backup'"),
        ),
        ("proxmox-section-config", ROOT, "admin/verify/nothing/run", "POST", (400, "no such verification 'nothing'")),
        ("proxmox-section-config", ROOT, "admin/datastore/nothing/gc", "POST", (400, "no such datastore 'nothing'")),
    ],
)
def test_who_may_start_what(pbs: Mock, source: str, who: Who, path: str, method: str, answer: tuple[int, str]) -> None:
    assert said(ask(pbs, path, method, who)) == answer, source


def test_a_token_may_only_what_it_was_given_itself(pbs: Mock) -> None:
    """cached_user_info.rs: root's token is no superuser."""
    pbs.user(name="root@pam", tokens={"bare": {"secret": "s"}})
    assert said(ask(pbs, "admin/datastore/backup/gc", "POST", ("root@pam!bare", "s")))[0] == 403
    pbs.user(name="root@pam", tokens={"bare": {"secret": "s", "acl": {"/datastore/backup": ["Datastore.Modify"]}}})
    assert data(pbs, "admin/datastore/backup/gc", "POST", ("root@pam!bare", "s")).startswith("UPID:pbs:")
