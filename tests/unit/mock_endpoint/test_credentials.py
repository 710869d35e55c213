# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins, tickets, tokens and one-time codes, and what is answered without any."""

from __future__ import annotations

import functools
import typing as t
import urllib.parse

import proxmoxer
import pytest
from ansible_collections.proxkit.tasks.tests import mock_endpoint
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking import ask, data, log_in, send

ROOT, PASSWORD = "root@pam", mock_endpoint.ROOT_PASSWORD
OTP = (mock_endpoint.OTP_USER, mock_endpoint.OTP_PASSWORD)
UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"


def ticket(mock: Mock, user: str = ROOT, password: str = PASSWORD, **more: str) -> tuple[int, str]:
    """Status and ticket of a login."""
    got = log_in(mock, user, password, **more)
    return got.status, got.body["data"]["ticket"] if got.body["data"] else ""


def refused(mock: Mock, given: str) -> str:
    """Why a ticket does not open the version, empty if it does."""
    got = send(mock, "/api2/json/version", headers={"Cookie": f"PVEAuthCookie={given}"})
    return "" if got.status == 200 else f"{got.status} {got.reason}"


# --- tickets ----------------------------------------------------------------------------------------------------


def test_a_ticket_is_renewed_until_it_has_expired(mock: Mock) -> None:
    _code, first = ticket(mock)
    mock.clock(advance=7000)
    code, second = ticket(mock, password=first)
    assert (code, refused(mock, first), refused(mock, second)) == (200, "", "")
    mock.clock(advance=7000)
    assert (refused(mock, first), refused(mock, second)) == ("401 Authentication failed!", "")
    assert [ticket(mock, password=given)[0] for given in (first, second, PASSWORD)] == [401, 200, 200]


def test_all_tickets_expire_at_once(mock: Mock) -> None:
    _code, given = ticket(mock)
    mock.expire_tickets()
    assert refused(mock, given) == "401 Authentication failed!"
    assert ticket(mock, password=given)[0] == 401
    mock.settings(ticket_lifetime=10)
    _code, given = ticket(mock)
    assert refused(mock, given) == ""
    mock.clock(advance=10)
    assert refused(mock, given) == "401 Authentication failed!"


def test_a_changed_password_leaves_tickets_alone(mock: Mock) -> None:
    _code, given = ticket(mock)
    mock.user(name=ROOT, password="another-password")
    assert (ticket(mock)[0], ticket(mock, password="another-password")[0]) == (401, 200)
    assert refused(mock, given) == ""
    assert ticket(mock, password=given)[0] == 200
    assert mock.counters()["failed_logins"] == 1
    assert ask(mock, "version")[0] == 200, "its tokens are as they were"


@pytest.mark.parametrize("header", ["Cookie", "Authorization"])
@pytest.mark.parametrize("name", ["root@pam", "łukasz@ad", "o'neil;x=y@pve", "a b%41@pve"])
def test_tickets_are_percent_decoded(mock: Mock, header: str, name: str) -> None:
    mock.user(name=name, password="pässword")
    code, given = ticket(mock, name, "pässword")
    assert (code, given.split(":")[1]) == (200, name)
    headers = {header: f"PVEAuthCookie={urllib.parse.quote(given, safe='')}"}
    assert send(mock, "/api2/json/version", headers=headers).status == 200


# --- tokens -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("between", ["=", " "])
@pytest.mark.parametrize("name", ["root@pam", "łukasz@ad", "a;b@pve", "a%41@pve"])
def test_tokens_are_percent_decoded(mock: Mock, name: str, between: str) -> None:
    mock.user(name=name, tokens={"ci": {"secret": "s"}})
    value = urllib.parse.quote(f"{name}!ci=s", safe="")
    assert send(mock, "/api2/json/version", headers={"Authorization": f"PVEAPIToken{between}{value}"}).status == 200


@pytest.mark.parametrize("value", ["%", "%c5", "%ff%fe=x", "root@pam!ci", "root@pam%21ci%3Dwrong", ""])
def test_what_is_no_token_is_refused(mock: Mock, value: str) -> None:
    got = send(mock, "/api2/json/version", headers={"Authorization": f"PVEAPIToken={value}"})
    assert (got.status, got.reason, got.body) == (401, "Authentication failed!" if value else "No ticket", "")
    assert mock.counters()["failed_authentications"] == 1
    assert mock.counters()["failed_logins"] == 0


# --- the second factor ------------------------------------------------------------------------------------------


# proxmoxer silences the warning when it is imported, pytest makes it heard again.
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize(("code", "passes"), [(mock_endpoint.OTP_CODE, True), ("654321", False), (None, False)])
def test_proxmoxer_passes_a_second_factor(mock: Mock, code: t.Optional[str], passes: bool) -> None:
    user, password = OTP
    login = functools.partial(proxmoxer.ProxmoxAPI, port=mock.port, verify_ssl=False)
    if passes:
        assert login(mock.host, user=user, password=password, otp=code).version.get()
    else:
        with pytest.raises(proxmoxer.AuthenticationError):
            login(mock.host, user=user, password=password, otp=code)


def test_a_challenge_is_no_ticket(mock: Mock) -> None:
    first = log_in(mock, *OTP).body["data"]
    assert first["NeedTFA"] == 1
    assert refused(mock, first["ticket"]) == "401 Authentication failed!"


def answer_challenge(mock: Mock, code: str) -> int:
    challenge = log_in(mock, *OTP).body["data"]["ticket"]
    return log_in(mock, OTP[0], f"totp:{code}", **{"tfa-challenge": challenge}).status


@pytest.mark.parametrize("first", ["otp", "challenge"])
@pytest.mark.parametrize("second", ["otp", "challenge"])
def test_a_code_is_good_once(mock: Mock, first: str, second: str) -> None:
    def login(way: str, code: str) -> int:
        return log_in(mock, *OTP, otp=code).status if way == "otp" else answer_challenge(mock, code)

    assert (login(first, mock_endpoint.OTP_CODE), login(second, mock_endpoint.OTP_CODE)) == (200, 401)
    mock.user(name=OTP[0], otp="111111")
    assert (login(second, mock_endpoint.OTP_CODE), login(second, "111111")) == (401, 200)
    mock.reset()
    assert login(second, mock_endpoint.OTP_CODE) == 200


def test_a_wrong_password_spends_no_code_and_a_ticket_needs_none(mock: Mock) -> None:
    code = mock_endpoint.OTP_CODE
    assert log_in(mock, OTP[0], "wrong", otp=code).status == 401
    status, given = ticket(mock, *OTP, otp=code)
    assert (status, ticket(mock, OTP[0], given)[0]) == (200, 200)


# --- what is open, and parameters -------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"Cookie": "PVEAuthCookie=x"}, {"Authorization": "PVEAPIToken=x"}])
def test_what_is_answered_to_everybody(mock: Mock, headers: dict[str, str]) -> None:
    mock.user(name="łukasz@ad", password="p")
    domains = send(mock, "/api2/json/access/domains", headers=headers)
    assert {row["realm"]: row["type"] for row in domains.body["data"]} == {"pam": "pam", "pve": "pve", "ad": "ad"}
    assert send(mock, "/api2/json/access/ticket", headers=headers).body == {"data": None}
    assert send(mock, "/", headers=headers).header("Content-Type") == ["text/html; charset=utf-8"]
    for path in ("version", "nodes", "cluster/tasks", "access/domains/", "access"):
        assert send(mock, f"/api2/json/{path}", headers=headers).status == 401
    requests = mock.counters()["requests"]
    assert (requests["GET access/domains"], requests["GET access/ticket"]) == (2, 1)
    assert mock.counters()["failed_logins"] == 0


@pytest.mark.parametrize(
    ("more", "errors"),
    [
        ({"bogus": "1"}, {"bogus": UNKNOWN}),
        ({"new-format": "maybe"}, {"new-format": "type check ('boolean') failed - got 'maybe'"}),
        ({"new-format": "1", "realm": "pam"}, None),
    ],
)
def test_parameters_of_a_login(mock: Mock, more: dict[str, str], errors: t.Optional[dict[str, str]]) -> None:
    got = log_in(mock, "root" if "realm" in more else ROOT, PASSWORD, **more)
    assert (got.status, got.body.get("errors")) == (400 if errors else 200, errors)
    assert mock.counters()["failed_logins"] == 0


def test_a_login_without_password(mock: Mock) -> None:
    got = send(mock, "/api2/json/access/ticket", "POST", body="username=root%40pam")
    assert got.body["errors"] == {"password": "property is missing and it is not optional"}


@pytest.mark.parametrize(
    ("loopback", "said"),
    [
        (
            False,
            "hostname lookup 'nowhere' failed - failed to get address info for: nowhere: Name or service not known",
        ),
        (True, "address lookup for 'nowhere' did not find any IP address"),
    ],
)
@pytest.mark.parametrize("path", ["tasks", "tasks/UPID/status"])
def test_unknown_nodes(mock: Mock, loopback: bool, said: str, path: str) -> None:
    mock.settings(loopback_names=loopback)
    assert ask(mock, f"nodes/nowhere/{path}") == (500, said, {"data": None, "message": f"{said}\n"})
    assert data(mock, "nodes/pve2/tasks") == []
