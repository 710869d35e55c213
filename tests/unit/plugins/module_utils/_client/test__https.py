# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exchanges that bring no reply: what is blamed, and that nothing from below leaves in an exception's own words."""

from __future__ import annotations

import contextlib
import gc
import http.client
import json
import pathlib
import socket
import ssl
import traceback
import typing as t

import proxmoxer.core
import pytest
import requests
import urllib3
import urllib3.util.ssl_match_hostname
from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import Request
from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._client.faults import NoAnswer, Way
from ansible_collections.proxkit.tasks.plugins.module_utils._client.https import Wire, proxy_variable, tls_context
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import ApiError, HostUnreachable, OptionError
from ansible_collections.proxkit.tasks.tests.mock_endpoint import TOKEN_ID, TOKEN_SECRET, Mock
from ansible_collections.proxkit.tasks.tests.unit.proxies import Mode, proxy

if t.TYPE_CHECKING:
    from ansible_collections.proxkit.tasks.tests.unit.conftest import Call

SECRET = "s3cr3t-p4ss"
VERSION = Request("GET", ("version",))
PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


def sign(request: t.Any) -> None:
    request.headers["Authorization"] = f"PVEAPIToken={TOKEN_ID}={TOKEN_SECRET}"


@contextlib.contextmanager
def wire_to(mock: Mock) -> t.Iterator[tuple[Wire, str]]:
    connection = Connection((f"{mock.host}:{mock.port}",), "root@pam", ca_path=mock.ca_path)
    wire = Wire(connection, tls_context(connection), sign)
    yield wire, connection.hosts[0]
    wire.close()


def exceptions() -> list[Exception]:
    """One of each class that requests, urllib3, http.client, ssl, socket, json and proxmoxer have, quoting a secret."""
    found: list[Exception] = []
    modules = (requests.exceptions, urllib3.exceptions, http.client, ssl, socket, json, proxmoxer.core)
    kinds = {kind for module in modules for kind in vars(module).values() if isinstance(kind, type)}
    builtin: set[type] = {OSError, ValueError, TypeError, KeyError, UnicodeError, RuntimeError, RecursionError}
    for kind in sorted({*kinds, *builtin}, key=lambda kind: f"{kind.__module__}.{kind.__qualname__}"):
        if not issubclass(kind, Exception) or issubclass(kind, Warning):
            continue
        for arguments in ((SECRET,), (1, SECRET), (None, SECRET), (None, SECRET, None), (SECRET, SECRET, 0), ()):
            with contextlib.suppress(TypeError, AttributeError):
                error = kind(*arguments)
                error.__cause__ = ValueError(SECRET)
                found += [error, requests.exceptions.ConnectionError(error)]
                break
    return found


def test_the_table_of_exceptions_is_worth_its_name() -> None:
    kinds = {type(error) for error in exceptions()}
    assert {requests.exceptions.InvalidHeader, urllib3.exceptions.ProxyError, http.client.InvalidURL} <= kinds
    assert {ssl.SSLCertVerificationError, json.JSONDecodeError, socket.gaierror, UnicodeError} <= kinds
    assert len(kinds) > 60


@pytest.mark.parametrize("proxied", [False, True], ids=["direct", "proxied"])
def test_whatever_is_raised_below_leaves_as_our_own_error(
    monkeypatch: pytest.MonkeyPatch, mock: Mock, proxied: bool
) -> None:
    if proxied:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ci:{SECRET}@127.0.0.1:1")
    with wire_to(mock) as (wire, host):
        for error in exceptions():

            def send(*_args: object, thrown: Exception = error, **_kwargs: object) -> t.NoReturn:
                raise thrown

            monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
            shown = "a reply: a redirection, or proxmoxer's own word for a status"
            try:
                wire.exchange(host, VERSION, 1, 1)
            except ApiError as exc:
                told = "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))
                shown = f"{exc.message} {exc!r} {vars(exc)} {told}"
            assert SECRET not in shown, type(error)
            assert mock.host in shown or shown.startswith("a reply"), type(error)


@pytest.mark.parametrize("tried", ["wait", "stop", "info"])
def test_the_result_of_a_module_keeps_all_its_keys(
    monkeypatch: pytest.MonkeyPatch, mock: Mock, call: Call, tried: str
) -> None:
    [upid] = mock.tasks(type="qmstart", duration=0)["upids"]
    known = getattr(call, tried)(upids=upid)

    def send(*_args: object, **_kwargs: object) -> t.NoReturn:
        raise ValueError(f"Invalid header value b'{SECRET}\\n'")

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    options = {} if tried == "info" else {"timeout": 0.1}
    result = getattr(call, tried)(upids=upid, api_token_secret=SECRET, **options)
    assert result["failed"]
    assert result.keys() == known.keys()
    assert SECRET not in json.dumps(result)


@pytest.mark.parametrize(
    "error",
    [
        urllib3.util.ssl_match_hostname.CertificateError(f"hostname 'pve1' doesn't match '{SECRET}'"),
        ssl.CertificateError(f"hostname 'pve1' doesn't match '{SECRET}'"),
    ],
    ids=["urllib3 1.26", "urllib3 1.26.7 and older"],
)
def test_a_certificate_for_another_name_is_told_by_whoever_compares_names(error: Exception) -> None:
    way = Way("pve1:8006", Connection(("pve1:8006",), "root@pam"), None, "")
    message = way.fault(requests.exceptions.SSLError(error), 0.5, 1.5).message
    assert message == "the certificate of pve1:8006 is for another name: give that one as api_host"


# Python before 3.11 leaves the socket of a tunnel that failed to the garbage collector: let it be found here.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("mode", "user", "words"),
    [
        ("refuse", None, ["does not let through", "403"]),
        ("normal", "ci", ["wants credentials", "407"]),
        ("hang", None, ["gives no answer"]),
        ("close", None, ["the proxy that HTTPS_PROXY names fails (closed without an answer): check", "set no_proxy"]),
        ("babble", None, ["the proxy that HTTPS_PROXY names fails (the answer is not HTTP): check", "set no_proxy"]),
        ("mute", None, ["gives no answer"]),
    ],
)
def test_the_proxy_is_blamed_for_what_it_does(
    monkeypatch: pytest.MonkeyPatch, mock: Mock, mode: Mode, user: str | None, words: list[str]
) -> None:
    with proxy(mode=mode, user=user, password=user and "other") as way, wire_to(mock) as (wire, host):
        monkeypatch.setenv("HTTPS_PROXY", way.url_with("ci", SECRET))
        with pytest.raises(ApiError) as caught:
            wire.exchange(host, VERSION, 0.3, 0.3)
        assert way.connects == 1
    message = caught.value.message
    for word in [*words, "HTTPS_PROXY", mock.host]:
        assert word in message
    assert SECRET not in message
    del caught
    gc.collect()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://ci:s3cr3t-p4ss@no-such-proxy.invalid:3128", ["cannot be resolved"]),
        ("http://ci:s3cr3t-p4ss@127.0.0.1:1", ["Connection refused"]),
        ("http://ci:s3cr3t-p4ss#/?@127.0.0.1:1", []),
        ("http://ci:s3cr3t-p4ss@[::1", ["no", "URL"]),
        ("http://ci:s3cr3t-p4ss@127.0.0.1:99999", ["URL"]),
        ("http://", ["URL"]),
        ("socks5h://ci:s3cr3t-p4ss@127.0.0.1:1", []),
        ("nonsense://ci:s3cr3t-p4ss@127.0.0.1:1", []),
        ("http://ci:s3cr3t-p4ss[word@127.0.0.1:1", ["URL"]),
        ("http://ci:s3cr3t-p4ss]word@127.0.0.1:1", ["URL"]),
        ("http://ci:s3cr3t-p4ss€@127.0.0.1:1", ["URL"]),
        ("http://ci:s3cr3t-p4ss@", ["URL"]),
    ],
)
@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, mock: Mock, variable: str, url: str, words: list[str]
) -> None:
    monkeypatch.setenv(variable, url)
    with wire_to(mock) as (wire, host), pytest.raises(ApiError) as caught:
        wire.exchange(host, VERSION, 0.5, 0.5)
    for word in [*words, variable]:
        assert word in caught.value.message
    assert SECRET not in caught.value.message


def test_what_a_proxy_carries_is_the_hosts(monkeypatch: pytest.MonkeyPatch, mock: Mock) -> None:
    with proxy(user="ci", password="p/w") as way:
        monkeypatch.setenv("HTTPS_PROXY", way.url)
        with wire_to(mock) as (wire, host):
            assert wire.exchange(host, VERSION, 1, 1).status == 200
        distrusting = Connection((f"{mock.host}:{mock.port}",), "root@pam")
        wire = Wire(distrusting, tls_context(distrusting), sign)
        with pytest.raises(HostUnreachable, match=r"the certificate of .* is not trusted"):
            wire.exchange(distrusting.hosts[0], VERSION, 1, 1)
        wire.close()


def test_which_variable_names_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_variable("pve1:8006") is None
    monkeypatch.setenv("ALL_PROXY", "http://p:1")
    assert proxy_variable("pve1:8006") == "ALL_PROXY"
    monkeypatch.setenv("https_proxy", "http://p:1")
    assert proxy_variable("pve1:8006") == "https_proxy"
    monkeypatch.setenv("no_proxy", "pve1,10.0.0.0/8")
    assert proxy_variable("pve1:8006") is None
    assert proxy_variable("10.1.2.3:8006") is None
    assert proxy_variable("pve2:8006") == "https_proxy"


def test_the_time_that_is_told_is_the_one_that_was_given() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"
        connection = Connection((host,), "root@pam", validate_certs=False)
        with (
            contextlib.closing(Wire(connection, tls_context(connection), sign)) as wire,
            pytest.raises(NoAnswer) as none,
        ):
            wire.exchange(host, VERSION, 0.2, 5)
    assert none.value.message == f"{host} gave no answer within 0.2 s"


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_whoever_names_the_authorities_is_blamed_for_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, variable: str
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "none.pem"))
    with pytest.raises(OptionError, match=f"^{variable}: .*none.pem holds no certificate"):
        tls_context(Connection(("pve1:8006",), "root@pam"))
    named = Connection(("pve1:8006",), "root@pam", ca_path=str(tmp_path / "x.pem"), ca_option="ca_path (from X)")
    with pytest.raises(OptionError, match=r"^ca_path \(from X\): "):
        tls_context(named)
