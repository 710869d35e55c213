# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is taken for Proxmox, what it is sent, and how often: passwords and tokens counted by the endpoint."""

from __future__ import annotations

import json
import time
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._client import cluster as _cluster
from ansible_collections.proxkit.tasks.plugins.module_utils._client import login as _login
from ansible_collections.proxkit.tasks.tests.mock_endpoint import (
    OTP_CODE,
    OTP_PASSWORD,
    OTP_USER,
    ROOT_PASSWORD,
    TOKEN_SECRET,
    Mock,
)
from ansible_collections.proxkit.tasks.tests.unit.plugins.modules.test_faults import once_it_waits, outcomes

if t.TYPE_CHECKING:
    from ansible_collections.proxkit.tasks.tests.unit.conftest import Call

PASSWORD: dict[str, t.Any] = {
    "api_token_id": ...,
    "api_token_secret": ...,
    "api_user": "root@pam",
    "api_password": ROOT_PASSWORD,
}
OTP: dict[str, t.Any] = {**PASSWORD, "api_user": OTP_USER, "api_password": OTP_PASSWORD}
PORTAL = "<html><head><title>Sign in</title></head><body></body></html>"
STRANGERS: list[dict[str, t.Any]] = [
    {"code": 302, "reason": "Found", "headers": {"Location": "https://login.example.com/"}},
    {"code": 200, "reason": "OK", "body": PORTAL, "content_type": "text/html"},
    {"code": 401, "reason": "Unauthorized", "body": PORTAL, "content_type": "text/html"},
    {"code": 401, "reason": "Unauthorized", "body": '{"error":"no"}', "content_type": "application/json"},
    {"code": 403, "reason": "Forbidden", "body": PORTAL, "content_type": "text/html"},
    {"code": 404, "reason": "Not Found", "body": "404 page not found"},
    {"code": 200, "reason": "OK", "headers": {"Server": "pve-api-daemon/3.0"}, "body": "{}"},
]
# What is a Proxmox API to all that asks it for no ticket.
NO_TICKETS = ["null", "[]", '"x"', "{}", '{"ticket":null}', '{"ticket":""}', '{"ticket":{}}', '{"username":"x"}']


def stranger(mock: Mock, **fault: t.Any) -> None:
    """Something else answers at that address from now on."""
    mock.faults(kind="status", gateway=True, **{"times": None, **fault})


def logins(mock: Mock) -> int:
    return int(mock.counters()["requests"].get("POST access/ticket", 0))


@pytest.mark.pace(5)
@pytest.mark.parametrize("who", [PASSWORD, {}], ids=["password", "token"])
@pytest.mark.parametrize("fault", STRANGERS, ids=lambda fault: f"{fault['code']} {fault.get('body', '')[:9]}")
def test_what_never_answers_as_proxmox_fails_soon_and_hears_a_password_once(
    monkeypatch: pytest.MonkeyPatch, mock: Mock, call: Call, fault: dict[str, t.Any], who: dict[str, t.Any]
) -> None:
    monkeypatch.setattr(_cluster, "STRANGE_SECONDS", 0.6)
    [upid] = mock.tasks(type="qmstart", duration=0)["upids"]
    stranger(mock, **fault)
    result = call.wait(upid, timeout=7200, poll_interval=0.2, **who)
    assert call.seconds < 4
    assert result["failed"]
    assert not result["timed_out"]
    assert "is it a Proxmox API" in result["msg"]
    assert logins(mock) == (1 if who else 0)


@pytest.mark.pace(5)
@pytest.mark.parametrize("path", [".*", "/access/ticket"])
@pytest.mark.parametrize("data", NO_TICKETS)
def test_who_answers_a_login_without_a_ticket_hears_a_password_once(
    monkeypatch: pytest.MonkeyPatch, mock: Mock, call: Call, data: str, path: str
) -> None:
    monkeypatch.setattr(_cluster, "STRANGE_SECONDS", 0.6)
    [upid] = mock.tasks(type="qmstart", duration=0)["upids"]
    stranger(mock, code=200, reason="OK", body=f'{{"data":{data}}}', content_type="application/json", path=path)
    result = call.wait(upid, timeout=7200, poll_interval=0.2, **PASSWORD)
    assert call.seconds < 4
    assert result["failed"]
    assert "answers a login without a ticket: is it a Proxmox API" in result["msg"]
    assert logins(mock) == 1


@pytest.mark.parametrize("who", [PASSWORD, {}], ids=["password", "token"])
@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_one_maintenance_page_at_first_contact_is_survived(
    mock: Mock, call: Call, code: int, who: dict[str, t.Any]
) -> None:
    [upid] = mock.tasks(type="qmstart", duration=0)["upids"]
    stranger(mock, code=code, reason="x", body=PORTAL, content_type="text/html", times=1)
    result = call.wait(upid, timeout=20, poll_interval=0.1, **who)
    assert outcomes(result) == ["ok"]
    # The first password met the page; before the second, somebody answered as Proxmox does.
    if who:
        assert logins(mock) == 2
        assert mock.counters()["requests"]["GET access/domains"] == 1


@pytest.mark.pace(5)
def test_pages_in_mid_wait_are_waited_out_and_hear_no_second_password(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="qmstart", duration=2)["upids"]

    def portal() -> None:
        mock.expire_tickets()
        stranger(mock, code=403, body=PORTAL, content_type="text/html", times=8)

    with once_it_waits(mock, portal):
        result = call.wait(upid, timeout=30, poll_interval=0.1, **PASSWORD)
    assert outcomes(result) == ["ok"]
    assert logins(mock) <= 3


@pytest.mark.pace(5)
@pytest.mark.parametrize("limits", [{"timeout": 0}, {"timeout": 2}, {"api_timeout": 2, "timeout": 60}])
@pytest.mark.parametrize(
    ("who", "word"),
    [({"api_token_secret": "wrong"}, "api_token_secret"), ({**PASSWORD, "api_password": "wrong"}, "api_password")],
    ids=["token", "password"],
)
def test_a_refusal_that_is_held_back_is_still_told(
    mock: Mock, call: Call, limits: dict[str, t.Any], who: dict[str, t.Any], word: str
) -> None:
    mock.settings(auth_delay=3)
    upids = mock.tasks(node=["pve1", "pve2"], type="qmstart", duration=0, count=2)["upids"][:1]
    result = call.wait(upids, **limits, **who)
    assert result["failed"]
    assert word in result["msg"]
    assert "401" in result["msg"]
    counters = mock.counters()
    assert counters["failed_logins"] + counters["failed_authentications"] == 1


@pytest.mark.pace(4)
@pytest.mark.parametrize("limits", [{}, {"timeout": 1}])
def test_a_refused_token_is_shown_once_however_many_nodes_there_are(
    mock: Mock, call: Call, limits: dict[str, t.Any]
) -> None:
    mock.settings(auth_delay=1)
    upids = mock.tasks(node=["pve1", "pve2", "pve3"], type="qmstart", duration=0, count=3)["upids"]
    assert "401" in call.wait(upids, api_token_secret="wrong", **limits)["msg"]
    assert mock.counters()["failed_authentications"] == 1
    assert "401" in call.info(upids=upids, api_token_secret="wrong")["msg"]
    assert mock.counters()["failed_authentications"] == 2


@pytest.mark.pace(4)
def test_one_outage_of_a_token_is_one_try_however_many_nodes_there_are(
    monkeypatch: pytest.MonkeyPatch, mock: Mock, call: Call
) -> None:
    monkeypatch.setattr(_login, "PAUSES", (2.0, 60.0))
    upids = mock.tasks(node=["pve1", "pve2", "pve3"], type="qmstart", duration=2.5, count=3)["upids"]

    def outage() -> None:
        mock.faults(kind="status", code=401, reason="Authentication failed!", times=None)
        time.sleep(0.1)
        mock.clear_faults()

    with once_it_waits(mock, outage):
        result = call.wait(upids, timeout=20, poll_interval=0.1)
    assert outcomes(result) == ["ok"] * 3, result["msg"]


@pytest.mark.parametrize("who", [PASSWORD, {}], ids=["password", "token"])
@pytest.mark.parametrize(
    "fault",
    [{"kind": "drop"}, {"kind": "cut"}, {"kind": "status", "code": 521, "gateway": True, "body": PORTAL}],
    ids=["drop", "cut", "521"],
)
def test_a_host_of_which_no_answer_can_be_had_is_left_for_another(
    mock: Mock, call: Call, fault: dict[str, t.Any], who: dict[str, t.Any]
) -> None:
    mock.faults(**{"host": "127.0.0.1", "times": None, **fault})
    [upid] = mock.tasks(type="qmstart", duration=0)["upids"]
    result = call.wait(upid, timeout=20, api_host=["127.0.0.1", "127.0.0.2"], **who)
    assert call.seconds < 5
    assert outcomes(result) == ["ok"]


@pytest.mark.pace(4)
@pytest.mark.parametrize("who", [PASSWORD, {}], ids=["password", "token"])
def test_what_breaks_everything_off_from_the_beginning_fails_soon(
    monkeypatch: pytest.MonkeyPatch, mock: Mock, call: Call, who: dict[str, t.Any]
) -> None:
    monkeypatch.setattr(_cluster, "STRANGE_SECONDS", 1.0)
    mock.faults(kind="drop", times=None)
    result = call.wait("UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:", timeout=7200, **who)
    assert call.seconds < 5
    assert result["failed"]
    assert "is it a Proxmox API" in result["msg"]
    assert logins(mock) == (1 if who else 0)


def test_a_server_that_closes_is_asked_three_times(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="qmstart", duration=0)["upids"]
    mock.faults(kind="drop", path="/status", times=None)
    result = call.info(upids=upid)
    assert result["failed"]
    assert mock.counters()["requests"]["GET status"] == 3


@pytest.mark.pace(5)
def test_a_password_that_is_changed_in_mid_wait(monkeypatch: pytest.MonkeyPatch, mock: Mock, call: Call) -> None:
    monkeypatch.setattr(_login, "PAUSES", (0.2, 0.3))
    [done] = mock.tasks(node="pve2", type="qmstart", duration=0)["upids"]
    [upid] = mock.tasks(type="qmstart", duration=60)["upids"]

    def change() -> None:
        mock.user(name="root@pam", password="changed")
        mock.expire_tickets()

    with once_it_waits(mock, change):
        result = call.wait([upid, done], timeout=60, poll_interval=0.05, **PASSWORD)
    assert call.seconds < 10
    assert mock.counters()["failed_logins"] == 3
    assert result["failed"]
    assert "the login was lost" in result["msg"]
    # Nothing lost of what was learned before.
    assert outcomes(result) == ["running", "ok"]


def test_a_code_is_used_once_and_tried_once_more(mock: Mock, call: Call) -> None:
    mock.user(name=OTP_USER, acl={"/": ["Sys.Audit"]})
    [upid] = mock.tasks(type="qmstart", duration=60)["upids"]
    with once_it_waits(mock, mock.expire_tickets):
        result = call.wait(upid, timeout=60, poll_interval=0.05, **OTP, api_otp=OTP_CODE)
    assert mock.counters()["failed_logins"] == 1
    assert result["failed"]
    assert "one-time code" in result["msg"]


def test_a_wrong_code_does_not_blame_the_password(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="qmstart", duration=0)["upids"]
    result = call.wait(upid, **OTP, api_otp="000000")
    assert result["failed"]
    assert "api_otp" in result["msg"]
    assert "api_password" not in result["msg"]


def test_names_and_passwords_of_any_letters(mock: Mock, call: Call) -> None:
    mock.user(
        name="łukasz ü%2F@ad", password="pä ss%wörd", acl={"/": ["Sys.Audit"]}, tokens={"ci": {"secret": TOKEN_SECRET}}
    )
    [upid] = mock.tasks(type="qmstart", duration=0)["upids"]
    user: dict[str, t.Any] = {"api_user": "łukasz ü%2F@ad"}
    assert outcomes(call.wait(upid, **{**PASSWORD, **user, "api_password": "pä ss%wörd"})) == ["ok"]
    assert outcomes(call.wait(upid, api_token_id="ci", **user)) == ["ok"]


def test_a_page_that_shows_ones_own_request_shows_no_secret(mock: Mock, call: Call) -> None:
    [upid] = mock.tasks(type="qmstart", duration=0)["upids"]
    stranger(mock, code=403, body=f"you sent Authorization: PVEAPIToken=root@pam!ci={TOKEN_SECRET}")
    result = call.wait(upid, timeout=0)
    assert "you sent" in result["msg"]
    assert TOKEN_SECRET not in json.dumps(result)
