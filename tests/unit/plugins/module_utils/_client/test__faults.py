# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it means that there was no reply, by what requests and urllib3 raise."""

from __future__ import annotations

import errno
import http.client
import os
import socket
import ssl
import typing as t

import pytest
import requests.exceptions as by_requests
import urllib3.exceptions as by_urllib3
from ansible_collections.proxkit.tasks.plugins.module_utils._client.bounded import TooLarge
from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._client.faults import (
    BrokenOff,
    NoAnswer,
    NoConnection,
    Way,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import ApiError, HostUnreachable, Refused

NO_HANDSHAKE = TimeoutError("_ssl.c:983: The handshake operation timed out")
POOL: t.Any = None  # what urllib3 would quote, and nobody here reads
PVE = Connection(("pve1:8006",), "root@pam")
DIRECT = Way("pve1:8006", PVE, None, "this machine")
PROXIED = Way("pve1:8006", PVE, "HTTPS_PROXY", "this machine")
BEYOND = "pve1:8006 (through the proxy that HTTPS_PROXY names)"
REFUSED = os.strerror(errno.ECONNREFUSED)
RESET = by_requests.ConnectionError(ConnectionResetError(errno.ECONNRESET, "quoted"))


def wrapped(reason: Exception, outer: type[Exception] = by_requests.ConnectionError) -> Exception:
    """As requests hands on what urllib3 gave up for."""
    return outer(by_urllib3.MaxRetryError(POOL, "/api2/json/version", reason))


def refused() -> by_urllib3.NewConnectionError:
    error = by_urllib3.NewConnectionError(POOL, "Failed to establish a new connection")
    error.__cause__ = ConnectionRefusedError(errno.ECONNREFUSED, "quoted")
    return error


def unresolved() -> Exception:
    error = by_urllib3.NewConnectionError(POOL, "Failed to resolve")
    error.__cause__ = socket.gaierror(-2, "Name or service not known")
    return error


def distrusted(why: str) -> Exception:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = why
    return by_requests.SSLError(error)


def tls(reason: str) -> Exception:
    error = ssl.SSLError(1, "quoted")
    error.reason = reason
    return by_requests.SSLError(error)


def tunnel(status: int) -> Exception:
    return wrapped(
        by_urllib3.ProxyError("Unable to connect to proxy", OSError(f"Tunnel connection failed: {status} x"))
    )


NO_TLS = tls("WRONG_VERSION_NUMBER")


@pytest.mark.parametrize(
    ("exc", "kind", "text"),
    [
        # Nobody there
        (wrapped(refused()), NoConnection, f"nobody answers at pve1:8006 ({REFUSED}): check api_host and api_port"),
        (wrapped(unresolved()), NoConnection, "the name of pve1:8006 cannot be resolved: check api_host"),
        (
            by_requests.InvalidURL("x"),
            NoConnection,
            "the name of pve1:8006 cannot be resolved: check api_host",
        ),
        (
            by_requests.ConnectionError(by_urllib3.LocationValueError("x")),
            NoConnection,
            "the name of pve1:8006 cannot be resolved: check api_host",
        ),
        (
            wrapped(by_urllib3.ConnectTimeoutError(POOL, "x"), by_requests.ConnectTimeout),
            NoConnection,
            "pve1:8006 accepts no connection in time: check api_host and api_port",
        ),
        # Nobody to be trusted
        (NO_TLS, NoConnection, "no TLS connection to pve1:8006 (wrong version number): check api_port"),
        *(
            (
                distrusted(why),
                NoConnection,
                f"the certificate of pve1:8006 is for another name: give that one as api_host ({why})",
            )
            for why in ("certificate is not valid for 'pve1'.", "Hostname mismatch", "IP address mismatch")
        ),
        (
            distrusted("unable to get local issuer certificate"),
            NoConnection,
            "the certificate of pve1:8006 is not trusted by this machine (unable to get local issuer certificate): set "
            "ca_path to the authority that signed it (PVE's own is /etc/pve/pve-root-ca.pem on any node)",
        ),
        # No answer, or not a whole one
        (by_requests.ReadTimeout("x"), NoAnswer, "pve1:8006 gave no answer within 1.5 s"),
        (by_requests.ConnectionError(TimeoutError("x")), NoAnswer, "pve1:8006 gave no answer within 1.5 s"),
        (by_requests.ReadTimeout(NO_HANDSHAKE), NoAnswer, "pve1:8006 gave no answer within 0.5 s"),
        *(
            (error, BrokenOff, f"pve1:8006 broke the connection off: {why}")
            for error, why in (
                (http.client.RemoteDisconnected("x"), "closed without an answer"),
                (
                    by_urllib3.ProtocolError("x", http.client.IncompleteRead(b"", 5)),
                    "closed in the middle of an answer",
                ),
                (by_requests.ConnectionError(http.client.BadStatusLine("x")), "the answer is not HTTP"),
                (RESET, os.strerror(errno.ECONNRESET)),
                (UnicodeEncodeError("latin-1", "x", 0, 1, "quoted"), "a header cannot be encoded"),
                (RuntimeError("quoted"), "RuntimeError"),
            )
        ),
        (
            by_requests.ConnectionError(TooLarge()),
            Refused,
            "pve1:8006 gave an answer of more than 8 MiB, which is not read: where it is a log, lower log_lines, else "
            "check api_host",
        ),
        (
            TooLarge("7 values"),
            Refused,
            "pve1:8006 gave an answer of more than 7 values, which is not read: where it is a log, lower log_lines, "
            "else check api_host",
        ),
    ],
)
def test_what_no_reply_of_a_host_means(exc: Exception, kind: type[ApiError], text: str) -> None:
    fault = DIRECT.fault(exc, 0.5, 1.5)
    assert (type(fault), fault.message) == (kind, text)


@pytest.mark.parametrize(
    ("exc", "kind", "text"),
    [
        (tunnel(407), NoConnection, "wants credentials, or refuses those in HTTPS_PROXY (407)"),
        *(
            (tunnel(status), kind, f"does not let through to pve1:8006 (it says {status}): check api_host")
            for status, kind in (
                (403, NoConnection),
                (499, NoConnection),
                (500, HostUnreachable),
                (503, HostUnreachable),
            )
        ),
        (
            by_requests.InvalidSchema("Missing dependencies for SOCKS support."),
            NoConnection,
            "needs a Python library that is missing (PySocks for SOCKS): install it",
        ),
        (
            wrapped(by_urllib3.ProxyError("x", unresolved()), by_requests.ProxyError),
            NoConnection,
            "has a name that cannot be resolved: check HTTPS_PROXY",
        ),
        (
            wrapped(by_urllib3.ConnectTimeoutError(POOL, "x"), by_requests.ConnectTimeout),
            NoConnection,
            "accepts no connection in time: check HTTPS_PROXY",
        ),
        *(
            (error, NoConnection, "gives no answer for pve1:8006: check HTTPS_PROXY")
            for error in (
                wrapped(by_urllib3.ProxyError("x", TimeoutError("timed out")), by_requests.ProxyError),
                by_requests.ReadTimeout(by_urllib3.ReadTimeoutError(POOL, "http://proxy:3128", "x")),
            )
        ),
        *(
            (
                by_requests.ProxyError(by_urllib3.ProxyError("x", error)),
                NoConnection,
                f"fails ({why}): check HTTPS_PROXY",
            )
            for error, why in (
                (http.client.RemoteDisconnected("x"), "closed without an answer"),
                (http.client.BadStatusLine("x"), "the answer is not HTTP"),
                (ConnectionResetError(errno.ECONNRESET, "quoted"), os.strerror(errno.ECONNRESET)),
            )
        ),
        *(
            (error, NoConnection, f"fails ({REFUSED}): check HTTPS_PROXY")
            for error in (
                wrapped(refused()),
                wrapped(by_urllib3.ProxyError("x", refused()), by_requests.ProxyError),
            )
        ),
        *(
            (
                error,
                NoConnection,
                "is not named by a proper URL: percent-encode what is special in its password",
            )
            for error in (
                by_requests.InvalidURL("x"),
                by_requests.ConnectionError(by_urllib3.LocationValueError("x")),
                ValueError("x"),
                TypeError("x"),
            )
        ),
    ],
)
def test_what_a_proxy_is_to_blame_for(exc: Exception, kind: type[ApiError], text: str) -> None:
    fault = PROXIED.fault(exc, 0.5, 1.5)
    told = f"the proxy that HTTPS_PROXY names {text}, or set no_proxy to reach pve1 without it"
    assert (type(fault), fault.message) == (kind, told)


@pytest.mark.parametrize(
    ("exc", "kind", "text"),
    [
        (NO_TLS, NoConnection, "no TLS connection to pve1:8006 (wrong version number): check api_port"),
        (
            by_requests.ReadTimeout(by_urllib3.ReadTimeoutError(POOL, "/api2/json/version", "x")),
            NoAnswer,
            f"{BEYOND} gave no answer within 1.5 s",
        ),
        (
            RESET,
            BrokenOff,
            f"{BEYOND} broke the connection off: {os.strerror(errno.ECONNRESET)} "
            "(check HTTPS_PROXY, or set no_proxy to reach pve1 without it)",
        ),
        (
            RuntimeError("quoted"),
            BrokenOff,
            f"{BEYOND} broke the connection off: RuntimeError "
            "(check HTTPS_PROXY, or set no_proxy to reach pve1 without it)",
        ),
    ],
)
def test_what_is_beyond_a_proxy_is_not_its_fault(exc: Exception, kind: type[ApiError], text: str) -> None:
    fault = PROXIED.fault(exc, 0.5, 1.5)
    assert (type(fault), fault.message) == (kind, text)


def test_whoever_named_the_authority_is_told() -> None:
    connection = Connection(("pve1:8006",), "root@pam", ca_path="/etc/own.pem", ca_option="REQUESTS_CA_BUNDLE")
    message = (
        DIRECT._replace(connection=connection).fault(distrusted("self-signed\x1b[2J certificate"), 0.5, 1.5).message
    )
    assert message == (
        "the certificate of pve1:8006 is not of the authority in REQUESTS_CA_BUNDLE /etc/own.pem "
        "(self-signed certificate)"
    )


def test_a_long_reason_is_cut() -> None:
    message = DIRECT.fault(distrusted("x" * 1000), 0.5, 1.5).message
    assert "x" * 200 in message
    assert "x" * 201 not in message


def test_causes_that_cause_each_other_come_to_an_end() -> None:
    outer, inner = by_requests.ConnectionError("x"), OSError(errno.EPIPE, "x")
    outer.__cause__, inner.__cause__ = inner, outer
    assert DIRECT.fault(outer, 0.5, 1.5).message == f"pve1:8006 broke the connection off: {os.strerror(errno.EPIPE)}"


def test_an_address_is_named_whole() -> None:
    message = PROXIED._replace(host="[fd00::1]:8006").fault(tunnel(407), 0.5, 1.5).message
    assert message.endswith(", or set no_proxy to reach [fd00::1] without it")
