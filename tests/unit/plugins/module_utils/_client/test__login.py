# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials: what is sent of them, how often, and what becomes of refusals. No network, no waiting."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import typing as t
from urllib.parse import unquote

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import Request
from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._client.login import (
    PAUSES,
    RENEW_AFTER,
    RENEW_AGAIN,
    TICKET_SECONDS,
    Login,
    Refusals,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import PBS, PMG, SERVICES, Service
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Fault,
    LoginRefused,
)
from hypothesis import given
from hypothesis import strategies as st

HOSTS = ("pve1:8006",)
PASSWORD = Connection(HOSTS, "root@pam", password="pw")
OTP = Connection(HOSTS, "root@pam", password="pw", otp="012345")


@dataclasses.dataclass
class Server:
    """Answers logins as told; keeps the passwords it was sent."""

    right: str = "pw"
    code: str | None = None
    tickets: int = 0
    sent: list[str] = dataclasses.field(default_factory=list)

    def post(self, request: Request) -> dict[str, t.Any]:
        assert request.path == ("access", "ticket")
        password = str(request.params["password"])
        self.sent.append(password)
        challenge = request.params.get("tfa-challenge")
        if password not in (self.right, f"ticket {self.tickets}", f"totp:{self.code}"):
            raise LoginRefused("pve1 says 401 authentication failure: check api_user (root@pam) and api_password")
        if self.code and challenge is None and password == self.right:
            return {"data": {"ticket": "challenge", "NeedTFA": 1}}
        self.code = None if challenge else self.code
        self.tickets += 1
        return {"data": {"ticket": f"ticket {self.tickets}", "CSRFPreventionToken": "csrf"}}


class Headers:
    """A prepared request."""

    def __init__(self, method: str = "GET") -> None:
        self.method = method
        self.headers: dict[str, str] = {}


def refused(login: Login, server: Server, now: float, **more: t.Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        login.ensure(server.post, now, **more)
    return caught.value


def test_one_ticket_serves_all_threads() -> None:
    login, server = Login(PASSWORD), Server()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _n: login.ensure(server.post, 0.0), range(8)))
    assert server.sent == ["pw"]


def test_a_refused_first_login_is_final_for_all_threads() -> None:
    login, server = Login(PASSWORD), Server(right="other")
    for now in (0.0, 0.0, 100.0):
        assert isinstance(refused(login, server, now), LoginRefused)
    assert server.sent == ["pw"]


def test_a_ticket_renews_itself_while_it_is_good() -> None:
    login, server = Login(PASSWORD), Server()
    for now in (0.0, RENEW_AFTER - 1, RENEW_AFTER, RENEW_AFTER + 1):
        login.ensure(server.post, now)
    assert server.sent == ["pw", "ticket 1"]
    # Slept through its life, it would only be a wrong password.
    login.ensure(server.post, RENEW_AFTER + TICKET_SECONDS)
    assert server.sent == ["pw", "ticket 1", "pw"]


def test_a_renewal_that_fails_is_not_tried_with_every_look() -> None:
    login, server = Login(PASSWORD), Server()
    login.ensure(server.post, 0.0)
    server.tickets = 99  # the key was changed: the old ticket is none
    for second in range(100):
        login.ensure(server.post, RENEW_AFTER + second)
    assert server.sent == ["pw", "ticket 1"]
    login.ensure(server.post, RENEW_AFTER + RENEW_AGAIN)
    assert server.sent == ["pw", "ticket 1", "ticket 1"]


def test_a_refused_ticket_is_replaced_by_password_at_once_and_once() -> None:
    login, server = Login(PASSWORD), Server()
    login.ensure(server.post, 0.0)
    old = login.ticket
    for _thread in range(3):
        login.ensure(server.post, 5.0, instead_of=old)
    assert server.sent == ["pw", "pw"]


def test_a_lost_login_is_tried_three_times_with_pauses() -> None:
    login, server = Login(PASSWORD), Server()
    login.ensure(server.post, 0.0)
    server.right = "changed"
    errors = [refused(login, server, float(now), instead_of=login.ticket) for now in range(10, 310)]
    assert server.sent == ["pw"] * 4
    final = [isinstance(error, LoginRefused) for error in errors].index(True)
    assert final == sum(PAUSES)
    assert all(error.passing for error in errors[:final])
    assert all("the login was lost" in error.message for error in errors)


def test_a_login_that_comes_back_is_no_longer_counted() -> None:
    login, server = Login(PASSWORD), Server()
    login.ensure(server.post, 0.0)
    for now in (100.0, 300.0, 500.0, 700.0):
        server.right = "away"
        assert refused(login, server, now, instead_of=login.ticket).passing
        server.right = "pw"
        login.ensure(server.post, now + PAUSES[0], instead_of=login.ticket)


def test_a_code_is_sent_once_and_once_more_when_the_login_is_lost() -> None:
    login, server = Login(OTP), Server(code="012345")
    login.ensure(server.post, 0.0)
    assert server.sent == ["pw", "totp:012345"]
    server.code = "999999"
    error = refused(login, server, 10.0, instead_of=login.ticket)
    assert isinstance(error, LoginRefused)
    assert isinstance(refused(login, server, 500.0, instead_of=login.ticket), LoginRefused)
    assert server.sent == ["pw", "totp:012345"] * 2


def test_a_wrong_code_is_told_from_a_wrong_password() -> None:
    error = refused(Login(OTP), Server(code="654321"), 0.0)
    assert "one-time code is not" in error.message
    assert "api_otp" in error.message
    assert "check api_user" not in error.message
    assert "second factor" in refused(Login(PASSWORD), Server(code="654321"), 0.0).message
    assert "check api_user" in refused(Login(OTP), Server(right="other", code="012345"), 0.0).message


@pytest.mark.parametrize(
    ("service", "instead"), [(PBS, "or use an API token"), (PMG, "or a user without a second factor")]
)
def test_what_to_do_without_a_code_is_what_the_product_can(service: Service, instead: str) -> None:
    for given_, code in ((PASSWORD, "654321"), (OTP, "654321")):
        assert instead in refused(Login(dataclasses.replace(given_, service=service)), Server(code=code), 0.0).message


@pytest.mark.parametrize("own", SERVICES.values())
@pytest.mark.parametrize("other", SERVICES.values())
def test_another_products_ticket_says_which_service_it_is(own: Service, other: Service) -> None:
    login = Login(dataclasses.replace(OTP, service=own))
    sent: list[Request] = []

    def post(form: Request) -> dict[str, t.Any]:
        sent.append(form)
        return {"data": {"ticket": f"{other.name.upper()}:!tfa!challenge" if len(sent) == 1 else "ticket"}}

    if own is other:
        login.ensure(post, 0.0)
        return
    with pytest.raises(LoginRefused, match=f"is {other.title}, but service is {own.name}: set service to {other.name}"):
        login.ensure(post, 0.0)
    # The code is not spent on it.
    assert len(sent) == 1


@pytest.mark.parametrize("known", [False, True])
def test_a_token_is_refused_once_or_three_times(known: bool) -> None:
    refusals = Refusals(once=False)
    kinds: list[type[Exception]] = []
    for now in (0.0, 10.0, 70.0):
        refusals_before = len(kinds)
        try:
            refusals.check(now)
        except LoginRefused:
            break
        kinds.append(type(refusals.add(LoginRefused("401"), now, sent=now, known=known)))
        assert len(kinds) == refusals_before + 1
    assert kinds == ([Fault, Fault, LoginRefused] if known else [LoginRefused])


def test_what_others_asked_in_the_same_moment_is_no_further_try() -> None:
    refusals = Refusals(once=False)
    first = refusals.add(LoginRefused("401"), 3.0, sent=0.0, known=True)
    for sent in (0.0, 1.0, 3.0):
        assert refusals.add(LoginRefused("401"), 4.0, sent=sent, known=True) is first
    assert isinstance(refusals.add(LoginRefused("401"), 14.0, sent=13.0, known=True), Fault)
    assert isinstance(refusals.add(LoginRefused("401"), 80.0, sent=79.0, known=True), LoginRefused)


def test_a_success_in_the_moment_of_a_refusal_is_no_error_of_ours() -> None:
    class Moment(float):
        """While it is compared, another thread has success."""

        def __lt__(self, other: float) -> bool:
            refusals.forget()
            return super().__lt__(other)

        def __le__(self, other: float) -> bool:
            refusals.forget()
            return super().__le__(other)

    refusals = Refusals(once=False)
    first = refusals.add(LoginRefused("401"), 1.0, sent=0.0, known=True)
    with pytest.raises(Fault, match="the login was lost: 401"):
        refusals.check(Moment(2.0))
    refusals.check(2.0)
    second = refusals.add(LoginRefused("401"), 3.0, sent=2.0, known=True)
    assert refusals.add(LoginRefused("401"), 4.0, sent=Moment(2.0), known=True) is second is not first


def test_a_dead_ticket_is_not_tried_again_before_the_password() -> None:
    login, server = Login(PASSWORD), Server()
    login.ensure(server.post, 0.0)
    server.right = "away"
    assert refused(login, server, 10.0, instead_of=login.ticket).passing
    assert login.ticket is None
    server.right = "pw"
    login.ensure(server.post, 10.0 + PAUSES[0])
    assert login.ticket is not None


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.text(st.characters(max_codepoint=126, min_codepoint=33)),
)
def test_header_values_are_encoded_and_mean_what_was_given(user: str, secret: str) -> None:
    request = Headers()
    Login(Connection(HOSTS, f"{user}@ad", token_name="ci", token_secret=secret)).sign(request)
    value = request.headers["Authorization"]
    assert value.isascii()
    assert value.isprintable()
    assert unquote(value) == f"PVEAPIToken={user}@ad!ci={secret}"
    login = Login(dataclasses.replace(PASSWORD, user=f"{user}@ad"))
    server = Server()
    login.ensure(lambda form: {"data": {"ticket": f"PVE:{form.params['username']}:sig+/="}}, 0.0)
    login.sign(request)
    cookie = request.headers["Cookie"]
    assert cookie.isascii()
    assert not set(cookie) & set(';, "\\\r\n')
    assert unquote(cookie) == f"PVEAuthCookie=PVE:{user}@ad:sig+/="
    assert server.sent == []


@given(st.text(st.characters(max_codepoint=126, min_codepoint=33), min_size=1), st.text(st.characters(codec="ascii")))
def test_backup_server_decodes_a_secret_but_no_id(user: str, secret: str) -> None:
    request = Headers()
    Login(Connection(HOSTS, f"{user}@ad", token_name="ci", token_secret=secret, service=PBS)).sign(request)
    name, mark, encoded = request.headers["Authorization"].partition("@ad!ci:")
    assert (name, mark) == (f"PBSAPIToken={user}", "@ad!ci:")
    assert unquote(encoded) == secret


def test_no_name_that_a_header_cannot_hold_reaches_one() -> None:
    request = Headers()
    Login(Connection(HOSTS, "jörg\r\n@ad", token_name="ci", token_secret="s", service=PBS)).sign(request)
    assert request.headers["Authorization"] == "PBSAPIToken=j%C3%B6rg%0D%0A@ad!ci:s"


def test_plain_values_stay_as_they_are_and_writing_carries_its_token() -> None:
    request = Headers("DELETE")
    Login(Connection(HOSTS, "root@pam", token_name="ci", token_secret="a-b")).sign(request)
    assert request.headers == {"Authorization": "PVEAPIToken=root@pam!ci=a-b"}
    login, request = Login(PASSWORD), Headers("DELETE")
    login.sign(request)
    assert request.headers == {}
    login.ensure(Server().post, 0.0)
    login.sign(request)
    assert request.headers == {"Cookie": "PVEAuthCookie=ticket%201", "CSRFPreventionToken": "csrf"}


def test_all_secrets_are_known() -> None:
    login = Login(OTP)
    login.ensure(Server(code="012345").post, 0.0)
    assert set(login.secrets) == {"pw", "012345", "ticket 1", "csrf"}
