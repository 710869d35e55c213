# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests' proxy does what it says, and leaves nothing behind."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import typing as t

import pytest
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock
from ansible_collections.proxkit.tasks.tests.unit.proxies import Mode, Proxy, proxy


def ask(way: Proxy, mock: Mock, seconds: float = 5, **headers: str) -> int:
    """The status of a request that goes through the proxy; where CONNECT is refused, an ``OSError`` names its."""
    context = ssl.create_default_context(cafile=mock.ca_path)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # it is like PVE's own, without a key usage
    connection = http.client.HTTPSConnection(way.host, way.port, timeout=seconds, context=context)
    connection.set_tunnel(mock.host, mock.port, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        connection.request("GET", "/api2/json/version")
        return connection.getresponse().status
    finally:
        connection.close()


def test_it_relays_and_counts(mock: Mock) -> None:
    with proxy() as way:
        assert [ask(way, mock), ask(way, mock)] == [401, 401]  # the endpoint's own words: no token was given
    assert way.targets == [f"{mock.host}:{mock.port}"] * 2
    assert way.denied == 0


def test_it_wants_its_credentials(mock: Mock) -> None:
    with proxy(user="ci", password="p/w@x") as way:
        assert way.url == f"http://ci:p%2Fw%40x@127.0.0.1:{way.port}"
        wrong: list[dict[str, t.Any]] = [{}, {"Proxy_Authorization": "Basic bm86bm8="}]
        for header in wrong:
            with pytest.raises(OSError, match="407"):
                ask(way, mock, **header)
        assert ask(way, mock, Proxy_Authorization="Basic Y2k6cC93QHg=") == 401
    assert (way.connects, way.denied) == (3, 2)


@pytest.mark.parametrize("status", [403, 502])
def test_it_refuses(mock: Mock, status: int) -> None:
    with proxy(mode="refuse", status=status) as way, pytest.raises(OSError, match=str(status)):
        ask(way, mock)
    assert way.connects == 1


@pytest.mark.parametrize(
    ("mode", "error"),
    [("hang", socket.timeout), ("mute", socket.timeout), ("close", (OSError, http.client.HTTPException))],
)
def test_it_gives_no_answer(mock: Mock, mode: Mode, error: type[Exception]) -> None:
    with proxy(mode=mode) as way, pytest.raises(error):
        ask(way, mock, seconds=0.1)
    assert way.connects == 1


@pytest.mark.parametrize("mode", ["normal", "hang", "mute"])
def test_it_ends_while_somebody_is_connected(mock: Mock, mode: Mode) -> None:
    before = threading.active_count()
    with proxy(mode=mode) as way:
        connection = http.client.HTTPConnection(way.host, way.port, timeout=5)
        connection.connect()
        connection.sock.sendall(f"CONNECT {mock.host}:{mock.port} HTTP/1.1\r\n\r\n".encode())
        while not way.connects:
            pass
    connection.close()
    assert threading.active_count() <= before + 1  # the endpoint's thread for the tunnel may still be ending
