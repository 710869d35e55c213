# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials: what pasted values come to, what is refused, and where secrets could show."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import quote

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._module.credentials import (
    credentials,
    mask_warnings,
    secrets,
)
from ansible_collections.proxkit.tasks.tests.unit.upid_strategies import anything
from hypothesis import given
from hypothesis import strategies as st

OPTIONS = ("api_user", "api_password", "api_otp", "api_token_id", "api_token_secret")
UPID = "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"
# What surrounds a value that was pasted or read from a file.
AROUND = st.text(" \t\r\n\u00a0\ufeff", max_size=4)


def params(**given_options: t.Any) -> dict[str, t.Any]:
    return {**dict.fromkeys(OPTIONS), **given_options}


# As pages, JSON, and Python in three ways show it.
QUOTED = {"q&#x27;&quot;é", "q'\\\"\\u00e9", "q\\'\"é", "q\\'\"\\xe9", "q\\'\"\\xc3\\xa9"}


@pytest.mark.parametrize(
    ("options", "user", "token"),
    [
        ({"api_user": "root@pam", "api_password": "x"}, "root@pam", None),
        ({"api_user": "łukasz@ad", "api_password": "x"}, "łukasz@ad", None),
        ({"api_user": "a=b c;d@e@ad", "api_password": "x"}, "a=b c;d@e@ad", None),
        ({"api_user": "a@b!c@ad", "api_password": "x"}, "a@b!c@ad", None),
        ({"api_user": "a!b@ad", "api_password": "x"}, "a!b@ad", None),
        ({"api_user": "root@pam", "api_token_id": "ci", "api_token_secret": "s"}, "root@pam", "ci"),
        ({"api_token_id": "root@pam!ci", "api_token_secret": "s"}, "root@pam", "ci"),
        ({"api_user": "root@pam", "api_token_id": "root@pam!ci", "api_token_secret": "s"}, "root@pam", "ci"),
        ({"api_token_id": "we!rd@pve!ci", "api_token_secret": "s"}, "we!rd@pve", "ci"),
        ({"api_token_id": "łukasz@ad!ci", "api_token_secret": "s", "api_password": "x"}, "łukasz@ad", "ci"),
    ],
)
def test_who_asks(options: dict[str, t.Any], user: str, token: str | None) -> None:
    who = credentials(params(**options))
    assert (who.user, who.token_name) == (user, token)
    assert (who.password is None) is (token is not None)


@given(AROUND, AROUND)
def test_what_surrounds_pasted_values_is_dropped(before: str, after: str) -> None:
    token = {"api_token_id": f"{before}root@pam!ci{after}", "api_token_secret": f"{before}X-secret-X{after}"}
    who = credentials(params(**token))
    assert (who.user, who.token_name, who.token_secret) == ("root@pam", "ci", "X-secret-X")
    login = {
        "api_user": f"{before}root@pam{after}",
        "api_otp": f"{before}012345{after}",
        "api_password": " a b X \r\n\n",
    }
    who = credentials(params(**login))
    assert (who.user, who.otp, who.password) == ("root@pam", "012345", " a b X ")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "No credentials are given: api_token_id and api_token_secret are missing or empty, so is api_password."),
        ({"api_user": "root@pam", "api_password": "\n"}, "No credentials are given"),
        (
            {"api_user": "root@pam", "api_token_id": "ci"},
            "api_token_secret is missing or empty: api_token_id needs it.",
        ),
        ({"api_token_id": "root@pam!ci", "api_token_secret": " "}, "api_token_secret is missing or empty"),
        ({"api_user": "root@pam", "api_token_secret": "hush"}, "api_token_id is missing or empty"),
        ({"api_password": "hush", "api_user": "a@b", "api_token_secret": "hush"}, "api_token_id is missing or empty"),
        (
            {"api_user": "a@pam", "api_token_id": "b@pam!ci", "api_token_secret": "s"},
            "api_token_id belongs to b@pam, but api_user is a@pam",
        ),
        ({"api_token_id": "ci", "api_token_secret": "s"}, "api_user is missing"),
        ({"api_password": "hush"}, "api_user is missing"),
        ({"api_user": "root", "api_password": "hush"}, "api_user: root has no realm, for example root@pam"),
        ({"api_user": "root@", "api_password": "hush"}, "no realm, for example root@pam"),
        ({"api_token_id": "root!ci", "api_token_secret": "hush"}, "api_token_id: root has no realm"),
        ({"api_token_id": "root@pam!", "api_token_secret": "hush"}, "no token name"),
        ({"api_token_id": "root@pam!ci=hush"}, "what follows it is the secret and belongs in api_token_secret"),
        ({"api_token_id": "ci=hush", "api_user": "root@pam"}, "belongs in api_token_secret"),
        ({"api_token_id": "PVEAPIToken=root@pam!ci=hush", "api_token_secret": "hush"}, "api_token_id holds an equals"),
        ({"api_user": "root@pam!ci=hush", "api_password": "hush"}, "api_user holds the id of a token"),
        ({"api_user": "root@pam!ci", "api_token_secret": "hush"}, "api_user holds the id of a token"),
        (
            {"api_token_id": "root@pam!ci", "api_token_secret": "hush€"},
            "api_token_secret holds a character that is not",
        ),
        ({"api_user": "root@pam", "api_password": "hush", "api_otp": "5349"}, "api_otp is not 6 to 8 digits"),
        ({"api_user": "root@pam", "api_password": "hush", "api_otp": "123 456"}, "Put it in quotes"),
        ({"api_user": "root@pam", "api_password": "hush", "api_otp": "123456789"}, "api_otp"),
        ({"api_user": "root@pam", "api_password": "hush", "api_otp": "١٢٣٤٥٦"}, "api_otp"),
        *(
            (
                {"api_token_id": "a@b!c", "api_token_secret": "hush", option: f"hush{char}hush"},
                f"^{option} holds a control",
            )
            for option in OPTIONS
            for char in "\n\t\x00\x7f\x85\ud800"
        ),
    ],
)
def test_what_cannot_be_a_credential_is_refused_by_name(options: dict[str, t.Any], text: str) -> None:
    with pytest.raises(OptionError, match=text) as caught:
        credentials(params(**options))
    assert "hush" not in caught.value.message
    assert "\n" not in caught.value.message


UUID = "d0e8a5c1-0f0b-4b7e-9c1a-3d5f7a9b1c2d"
LOGIN = {"api_user": "root@pam", "api_password": "hush"}
TOKEN = {"api_token_id": "root@pam!ci", "api_token_secret": "hush"}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {**LOGIN, "api_otp": "1\t"},
            "api_otp is not 6 to 8 digits. Put it in quotes: to YAML 012345 alone is a number, and its zero gets lost.",
        ),
        (
            {**LOGIN, "api_user": "a\tb@pam"},
            "api_user holds a control character, such as a line break or a tab: no credential does.",
        ),
        (
            {**TOKEN, "api_token_id": "root@pam!ci=hush"},
            "api_token_id holds an equals sign: what follows it is the secret and belongs in api_token_secret.",
        ),
        (
            {**TOKEN, "api_token_secret": "é"},
            "api_token_secret holds a character that is not ASCII: no token's secret does.",
        ),
        (
            {**LOGIN, "api_user": "root@pam!ci"},
            "api_user holds the id of a token: it belongs in api_token_id, and the token's secret in api_token_secret.",
        ),
        *(
            (
                {"api_user": user, "api_token_id": token_id, "api_token_secret": secret},
                "api_token_id holds what looks like a token's secret: id and secret may have changed places.",
            )
            for user, token_id, secret in (
                ("root@pam", UUID, "ci"),
                ("root@pam", f" {UUID.upper()}\n", "root@pam!ci"),
                (None, UUID, "root@pam!ci"),
                (None, f"root@pam!{UUID}", "ci"),
            )
        ),
        ({**TOKEN, "api_token_secret": ""}, "api_token_secret is missing or empty: api_token_id needs it."),
        ({**TOKEN, "api_token_id": ""}, "api_token_id is missing or empty: api_token_secret needs it."),
        (
            {**LOGIN, "api_password": ""},
            "No credentials are given: api_token_id and api_token_secret are missing or empty, so is api_password.",
        ),
        (
            {**TOKEN, "api_user": "a@pam"},
            "api_token_id belongs to root@pam, but api_user is a@pam: leave api_user out.",
        ),
        (
            {**LOGIN, "api_user": ""},
            "api_user is missing: api_password needs it, and an api_token_id that is a name only.",
        ),
        ({**LOGIN, "api_user": "root"}, "api_user: root has no realm, for example root@pam."),
        (
            {**TOKEN, "api_user": "root", "api_token_id": "root!ci"},
            "api_user: root has no realm, for example root@pam.",
        ),
        ({**TOKEN, "api_token_id": "root!ci"}, "api_token_id: root has no realm, for example root@pam."),
        ({**LOGIN, "api_user": "a@@"}, "api_user: a@@ has no realm, for example a@pam."),
        ({**LOGIN, "api_user": "MAX@"}, "api_user: MAX@ has no realm, for example MAX@pam."),
        ({**TOKEN, "api_token_id": "root@pam!"}, "api_token_id: no token name comes after the exclamation mark."),
    ],
)
def test_what_is_wrong_is_said(options: dict[str, t.Any], text: str) -> None:
    with pytest.raises(OptionError) as caught:
        credentials(params(**options))
    assert caught.value.message == text


@pytest.mark.parametrize(
    ("name", "secret"),
    [(UUID, UUID), *((name, "hush") for name in (UUID[:-1], f"{UUID}0", f"x{UUID}", UUID.replace("-", "")))],
)
def test_a_name_may_look_like_a_secret_beside_one(name: str, secret: str) -> None:
    token_id = f"root@pam!{name}"
    assert credentials(params(api_token_id=token_id, api_token_secret=secret)).token_name == name
    assert secrets({"api_token_id": token_id, "api_token_secret": secret}) == secrets({"api_token_secret": secret})


def test_secrets_do_not_show() -> None:
    who = credentials(params(api_user="root@pam", api_password="hush", api_otp="123456"))
    assert "hush" not in repr(who)
    assert "123456" not in repr(who)
    assert "hush" not in repr(credentials(params(api_token_id="root@pam!ci", api_token_secret="hush")))


@pytest.mark.parametrize(
    ("option", "value", "shown"),
    [
        (
            "api_password",
            "a b€/ \n",
            {"a b€/ \n", "a b€/ ", "a%20b%E2%82%AC%2F%20", "a%20b%e2%82%ac%2f%20", "a+b%E2%82%AC%2F+"},
        ),
        ("api_token_secret", " hush\n", {" hush\n", "hush", "%20hush%0A", r" hush\n"}),
        ("api_otp", 123456, {"123456"}),
        ("api_password", ["hush", {"a": "hash"}], {"hush", "hash"}),
        ("api_token_id", "root@pam!ci=hush", {"hush"}),
        ("api_token_id", "PVEAPIToken=root@pam!ci=hush ", {"hush"}),
        ("api_token_id", "['root@pam!ci=hush']", {"hush"}),
        ("api_token_id", ["root@pam!ci=hush"], {"hush"}),
        ("api_user", "root@pam!ci=hush", {"hush"}),
        ("api_host", ["https://root:hu%20sh@pve1"], {"hu%20sh", "hu sh"}),
        ("api_host", "root:hush@pve1", {"hush"}),
        ("api_host", ["pve2", "https://root:hush", "hash@pve1"], {"hush,hash", "hush", "hash"}),
        ("api_password", "q'\"é", QUOTED),
        ("api_password", "h\ud800", {"h%ED%A0%80"}),
        ("api_token_id", "root@pam!ci=hu=sh", {"hu=sh", "sh"}),
        *(("api_token_id", f"root@pam!ci=hush{end}x", {"hush", f"hush{end}x"}) for end in " \n'\"[]{},"),
        ("api_host", ["https://root:hu:sh@pve1"], {"hu:sh"}),
        ("api_host", ["https://root:hu//sh@pve1"], {"hu//sh"}),
        ("api_host", ["root:hu:sh@pve1"], {"hu:sh"}),
        ("api_host", ["https://root:h%75sh@pve1"], {"h%75sh", "hush"}),
        # Ansible shows options that it does not know.
        ("api_tokensecret", "hush", {"hush"}),
        ("passwort", "hush", {"hush"}),
        ("API_Password", "hush", {"hush"}),
    ],
)
def test_secrets_in_every_form(option: str, value: t.Any, shown: set[str]) -> None:
    assert shown <= secrets({option: value})


@pytest.mark.parametrize("token_id", [UUID, f"root@pam!{UUID}", [f" {UUID}\n"]])
@pytest.mark.parametrize("secret", [None, "", "ci", "root@pam!ci"])
def test_a_secret_in_the_place_of_the_id_is_masked(token_id: t.Any, secret: str | None) -> None:
    assert UUID in secrets({"api_token_id": token_id, "api_token_secret": secret})


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("api_token_id", "root@pam!ci"),
        ("api_token_id", "root@pam!ci="),
        ("api_user", "a=b@pam"),
        ("api_host", ["pve1", "https://pve2:8006/"]),
        ("api_password", None),
        ("api_password", " \n"),
        ("api_password", "\ufeff"),
        ("api_token_secret", " \u200b\n"),
        ("upids", "a=b"),
        ("_ansible_password", "x"),
        ("no_password", True),
    ],
)
def test_what_is_no_secret_is_not_masked(option: str, value: t.Any) -> None:
    assert secrets({option: value}) == set()


def test_no_more_is_masked_than_must_be() -> None:
    assert "hush" not in secrets({"api_password": "hushX"})


def test_a_kind_of_str_is_a_text() -> None:
    class Tagged(str):
        def __str__(self) -> str:
            raise AssertionError("must not be asked")

    assert "hush" in secrets({"api_password": Tagged("hush")})


@given(st.dictionaries(st.sampled_from([*OPTIONS, "api_host", "upids", "token"]), anything()))
def test_no_value_raises_anything(values: dict[str, t.Any]) -> None:
    assert "" not in secrets(values)


@given(st.text(min_size=1).filter(lambda text: re.sub("[\\s\ufeff\u200b\u2060]", "", text)))
def test_a_password_is_found_as_given_and_percent_encoded(password: str) -> None:
    forms = secrets({"api_password": password})
    assert {password, quote(password, safe=""), quote(password)} <= forms


@pytest.mark.parametrize(
    ("option", "value", "count"),
    [
        ("api_password", "pve1\n", 1),
        ("api_token_secret", "root", 2),
        ("api_otp", "618C1D", 2),
        ("api_password", "hush", 0),
    ],
)
def test_a_secret_that_occurs_in_ids_is_told(option: str, value: str, count: int) -> None:
    texts = mask_warnings(params(**{option: value}), [UPID, UPID.replace("pve1", "pve2")])
    assert len(texts) == (1 if count else 0)
    for text in texts:
        assert text == (
            f"The value of {option} occurs in {count} of the 2 UPIDs, where Ansible puts ******** in its place: such "
            "an id names no task when it is handed on. Use an API token, or a password that occurs in no node's, "
            "user's or task's name."
        )
