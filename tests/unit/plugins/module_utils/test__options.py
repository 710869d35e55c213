# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options: what they mean, and what is refused before anything is sent."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.proxkit.tasks.plugins.module_utils._errors import InvalidUpid, OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._options import (
    CONNECTION_CONSTRAINTS,
    CONNECTION_SPEC,
    connection,
    instant,
    line_count,
    node_names,
    positive_seconds,
    seconds,
    upids,
)

UPID = "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"
OTHER = "UPID:pve2:000AE992:00A21BA7:618C1D55:qmstart:101:ops@pve!ci:"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for options in CONNECTION_SPEC.values():
        for name in options["fallback"][1]:
            monkeypatch.delenv(name, raising=False)


def params(**options: t.Any) -> dict[str, t.Any]:
    result = ArgumentSpecValidator(CONNECTION_SPEC, **CONNECTION_CONSTRAINTS).validate(options)
    assert not result.error_messages
    return t.cast("dict[str, t.Any]", result.validated_parameters)


@pytest.mark.parametrize(
    ("api_host", "port", "hosts"),
    [
        ("pve1", None, ("pve1:8006",)),
        ("pve1.example.com", 443, ("pve1.example.com:443",)),
        ("pve1, pve2:8443 ,pve1", None, ("pve1:8006", "pve2:8443")),
        (["pve1", "pve2,pve3"], None, ("pve1:8006", "pve2:8006", "pve3:8006")),
        ("192.0.2.7", None, ("192.0.2.7:8006",)),
        ("fd00::1", None, ("[fd00::1]:8006",)),
        ("::1", 1234, ("[::1]:1234",)),
        ("[::1]", None, ("[::1]:8006",)),
        ("[fd00::1]:443", None, ("[fd00::1]:443",)),
        ("my_host", None, ("my_host:8006",)),
    ],
)
def test_hosts(api_host: t.Any, port: int | None, hosts: tuple[str, ...]) -> None:
    assert connection(params(api_host=api_host, api_port=port, api_user="root@pam", api_password="x")).hosts == hosts


@pytest.mark.parametrize(
    "host", ["https://pve1", "pve1/api2", "pve1?", "a b", "user@pve1", "[::1", "", " , ", "pve1:port"]
)
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(OptionError, match="api_host"):
        connection(params(api_host=[host], api_user="root@pam", api_password="x"))


@pytest.mark.parametrize(
    ("options", "user", "token"),
    [
        ({"api_user": "root@pam", "api_password": "x"}, "root@pam", None),
        ({"api_user": "root@pam", "api_token_id": "ci", "api_token_secret": "s"}, "root@pam", "ci"),
        ({"api_token_id": "root@pam!ci", "api_token_secret": "s"}, "root@pam", "ci"),
        ({"api_user": "root@pam", "api_token_id": "root@pam!ci", "api_token_secret": "s"}, "root@pam", "ci"),
        ({"api_token_id": "we!rd@pve!ci", "api_token_secret": "s"}, "we!rd@pve", "ci"),
    ],
)
def test_who_asks(options: dict[str, t.Any], user: str, token: str | None) -> None:
    who = connection(params(api_host="pve1", **options))
    assert (who.user, who.token_name) == (user, token)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"api_user": "a@pam", "api_token_id": "b@pam!ci", "api_token_secret": "s"},
            "belongs to b@pam, but api_user is a@pam",
        ),
        ({"api_token_id": "ci", "api_token_secret": "s"}, "api_user is missing"),
        ({"api_password": "x"}, "api_user is missing"),
        ({"api_user": "root", "api_password": "x"}, "no realm"),
        ({"api_token_id": "root@pam!", "api_token_secret": "s"}, "no token name"),
        ({"api_user": "root@pam", "api_password": "x", "api_timeout": 0}, "api_timeout"),
        ({"api_user": "root@pam", "api_password": "x", "api_timeout": "nan"}, "api_timeout"),
        ({"api_user": "root@pam", "api_password": "x", "api_port": 70000}, "api_port"),
        ({"api_user": "root@pam", "api_password": "x", "ca_path": "/no/such/file.pem"}, "ca_path: /no/such/file.pem"),
    ],
)
def test_contradictions(options: dict[str, t.Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        connection(params(api_host="pve1", **options))


def test_the_environment_fills_in(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()
    values = {
        "HOST": "pve1,pve2",
        "PORT": "443",
        "TOKEN_ID": "root@pam!ci",
        "TOKEN_SECRET": "s",
        "VALIDATE_CERTS": "false",
        "CA_PATH": str(authority),
        "API_TIMEOUT": "3.5",
        "SERVICE": "pve",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"PROXMOX_{name}", value)
    who = connection(params())
    assert who.hosts == ("pve1:443", "pve2:443")
    assert (who.user, who.token_name, who.token_secret) == ("root@pam", "ci", "s")
    assert (who.validate_certs, who.ca_path, who.timeout) == (False, str(authority), 3.5)


def test_secrets_do_not_show() -> None:
    who = connection(params(api_host="pve1", api_user="root@pam", api_password="hush", api_otp="123456"))
    assert "hush" not in repr(who)
    assert "123456" not in repr(who)


def test_tasks_come_once_each_and_in_order() -> None:
    found, no_task = upids([f"  {OTHER}\n", UPID, OTHER, f"pve:remote!{UPID}", None, "", "OK", "  "])
    assert [upid.native for upid in found] == [OTHER, UPID]
    assert no_task == [None, "", "OK", "  "]


@pytest.mark.parametrize("value", [None, "", "OK", [], [None]])
def test_no_task_at_all(value: t.Any) -> None:
    assert upids(value) == ([], [] if value == [] else [value] if not isinstance(value, list) else value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"upid": UPID}, "upid_extract"),
        ([{"upid": UPID}], "upid_extract"),
        ("nonsense", "does not begin with"),
        (42, "not text"),
        ([[UPID]], "not one id"),
        (UPID[:-1], "colon at its end"),
        (f"{UPID}comment", "comment"),
        (
            r"UPID:elsa:00004F37:0039E469:00000000:5CA78B83:garbage_collection::root@pam:",
            "id of pbs, but service is pve",
        ),
    ],
)
def test_what_names_no_task_is_refused(value: t.Any, words: str) -> None:
    with pytest.raises((OptionError, InvalidUpid), match=words):
        upids(value)


@pytest.mark.parametrize(
    ("value", "epoch"),
    [
        (None, None),
        ("1700000000", 1700000000),
        ("2023-11-14T22:13:20", 1700000000),
        ("2023-11-14T22:13:20Z", 1700000000),
        ("2023-11-14 23:13:20+01:00", 1700000000),
        ("2023-11-14", 1699920000),
        ("1700000000.75", 1700000000),
        ("2023-11-14T22:13:20.5Z", 1700000000),
        ("2023-11-14T23:13:20.123456789+0100", 1700000000),
    ],
)
def test_instants(value: str | None, epoch: int | None) -> None:
    assert instant("since", value) == epoch


@pytest.mark.parametrize("value", ["yesterday", "", "-5", "2023-13-01", "1e9"])
def test_what_is_no_instant(value: str) -> None:
    with pytest.raises(OptionError, match="since"):
        instant("since", value)


def test_numbers_that_cannot_be() -> None:
    assert (seconds("timeout", 0), positive_seconds("poll_interval", 0.1), line_count(0)) == (0, 0.1, 0)
    for value in (-1, float("nan"), float("inf"), 1e300):
        with pytest.raises(OptionError, match="timeout"):
            seconds("timeout", value)
        with pytest.raises(OptionError, match="poll_interval"):
            positive_seconds("poll_interval", value)
    with pytest.raises(OptionError, match="log_lines"):
        line_count(-1)


def test_node_names() -> None:
    assert node_names(["pve1", "pve-2", "pve1"]) == ["pve1", "pve-2"]
    for name in ("", "../x", "pve/1", "-pve", "pve.1"):
        with pytest.raises(OptionError, match="node"):
            node_names([name])
