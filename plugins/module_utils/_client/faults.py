# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it means that a request over HTTPS got no reply. Pure. Private to the collection.

No text of an exception from below leaves it: such texts quote header values and proxy URLs, passwords in them included,
in spellings that nobody could mask. Kinds of the libraries' exceptions go by their names.
"""

from __future__ import annotations

import http.client
import os
import re
import ssl
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._client.bounded import TooLarge
from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Fault,
    HostUnreachable,
    Refused,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import clean

_TUNNEL_STATUS = re.compile(r"Tunnel connection failed: ([0-9]{3})")
# Python's (_ssl.c): a connection there was, and nobody who speaks TLS. It is an error of reading otherwise.
_NO_HANDSHAKE = re.compile("handshake operation timed out")
_TIME_IS_OVER = (
    "requests.exceptions.ReadTimeout",
    "urllib3.exceptions.ReadTimeoutError",
    "builtins.TimeoutError",
    "socket.timeout",  # what it is before Python 3.10
)


class NoConnection(HostUnreachable):
    """There was no connection to begin with: nobody listens, or nobody who can be trusted."""


class BrokenOff(Fault):
    """A connection that ended before the answer did."""


class CutOff(HostUnreachable):
    """Whatever is sent to the host, the connection ends before an answer, or the answer is not HTTP."""


class NoAnswer(Fault):
    """The host took the request, or the connection alone, and gave no answer within ``seconds``."""

    def __init__(self, host: str, seconds: float) -> None:
        super().__init__(f"{host} gave no answer within {seconds:.3g} s")
        self.seconds = seconds


class Way(t.NamedTuple):
    """What a request to ``host`` (``name:port``) went by.

    ``proxy`` is the variable that names a proxy, None: there is none; ``trusted`` is who says whom to trust where
    ``connection`` does not.
    """

    host: str
    connection: Connection
    proxy: str | None
    trusted: str

    def fault(self, exc: Exception, connect: float, read: float) -> ApiError:
        """The error that a failed exchange means: nobody there, somebody not to be trusted, or cut off on the way.

        ``connect`` and ``read`` are the seconds that a connection and the answer were given.
        """
        causes = _causes(exc)
        text = self._proxy_fault(self.proxy, causes) if self.proxy else None
        if text is not None:
            # A proxy that cannot get through to the host says what a host that is down for a moment would.
            return HostUnreachable(text) if (_tunnel_status(causes) or 0) >= 500 else NoConnection(text)
        text = self._nobody_there(causes)
        if text is not None:
            return NoConnection(text)
        # Which of the two it was cannot be told any more.
        host = self.host + (f" (through the proxy that {self.proxy} names)" if self.proxy else "")
        large = next((cause for cause in causes if isinstance(cause, TooLarge)), None)
        if large is not None:
            return Refused(
                f"{host} gave an answer of more than {large.most}, which is not read: "
                "where it is a log, lower log_lines, else check api_host"
            )
        # In the middle of a body requests calls a time that is over a connection error.
        if _is(causes, *_TIME_IS_OVER):
            return NoAnswer(host, connect if _says(causes, _NO_HANDSHAKE) else read)
        around = f" (check {self.proxy}, {self._around})" if self.proxy else ""
        return BrokenOff(f"{host} broke the connection off: {_cause(causes)}{around}")

    @property
    def _around(self) -> str:
        return f"or set no_proxy to reach {self.host.rpartition(':')[0]} without it"

    def _proxy_fault(self, variable: str, causes: t.Sequence[BaseException]) -> str | None:
        """What is wrong with the proxy that ``variable`` names; None where it is not to blame."""
        status, host = _tunnel_status(causes), self.host
        proxy_error = _is(causes, "requests.exceptions.ProxyError")
        # urllib3 1.26 has an error of the proxy for it, later ones name the proxy's URL.
        silent = (proxy_error and _is(causes, *_TIME_IS_OVER)) or any(
            _is([cause], "urllib3.exceptions.ReadTimeoutError") and "://" in str(getattr(cause, "url", ""))
            for cause in causes
        )
        rows = (
            (status == 407, f"wants credentials, or refuses those in {variable} (407)"),
            (status is not None, f"does not let through to {host} (it says {status}): check api_host"),
            (
                _is(causes, "requests.exceptions.InvalidSchema"),
                "needs a Python library that is missing (PySocks for SOCKS): install it",
            ),
            (_names_no_host(causes), f"has a name that cannot be resolved: check {variable}"),
            # Of the host, not of the proxy.
            (_is(causes, "requests.exceptions.SSLError") and not proxy_error, None),
            (_is(causes, "requests.exceptions.ConnectTimeout"), f"accepts no connection in time: check {variable}"),
            (silent, f"gives no answer for {host}: check {variable}"),
            (
                proxy_error or _is(causes, "urllib3.exceptions.NewConnectionError"),
                f"fails ({_cause(causes)}): check {variable}",
            ),
            (
                # Our own URLs and headers were checked: what cannot be read or encoded is the proxy's.
                _is(causes, "requests.exceptions.InvalidURL", "urllib3.exceptions.LocationValueError")
                or (isinstance(causes[0], (ValueError, TypeError)) and not isinstance(causes[0], OSError)),
                "is not named by a proper URL: percent-encode what is special in its password",
            ),
        )
        text = next((text for applies, text in rows if applies), None)
        return text and f"the proxy that {variable} names {text}, {self._around}"

    def _nobody_there(self, causes: t.Sequence[BaseException]) -> str | None:
        """Why there was no connection to begin with, None where there was one."""
        if _is(causes, "requests.exceptions.SSLError"):
            return self._distrust(causes)
        if _is(causes, "requests.exceptions.ConnectTimeout"):
            return f"{self.host} accepts no connection in time: check api_host and api_port"
        no_url = _is(causes, "urllib3.exceptions.LocationValueError", "requests.exceptions.InvalidURL")
        if no_url or _names_no_host(causes):
            return f"the name of {self.host} cannot be resolved: check api_host"
        if _is(causes, "urllib3.exceptions.NewConnectionError"):
            return f"nobody answers at {self.host} ({_cause(causes)}): check api_host and api_port"
        return None

    def _distrust(self, causes: t.Sequence[BaseException]) -> str:
        """Why there is no TLS connection that can be trusted."""
        host, connection = self.host, self.connection
        if any(_compared_names(cause) for cause in causes):
            return f"the certificate of {host} is for another name: give that one as api_host"
        verify = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
        if verify is None:
            return f"no TLS connection to {host} ({_cause(causes)}): check api_port"
        why = clean(str(getattr(verify, "verify_message", "")))[:200]
        if "not valid for" in why or "mismatch" in why.lower():
            return f"the certificate of {host} is for another name: give that one as api_host ({why})"
        if connection.ca_path:
            path = f"{connection.ca_option} {connection.ca_path}"
            return f"the certificate of {host} is not of the authority in {path} ({why})"
        return (
            f"the certificate of {host} is not trusted by {self.trusted} ({why}): set ca_path to the authority that "
            "signed it (PVE's own is /etc/pve/pve-root-ca.pem on any node)"
        )


def _causes(exc: BaseException) -> list[BaseException]:
    """The exception and all that it wraps; requests and urllib3 wrap theirs several times."""
    causes: list[BaseException] = [exc]
    for cause in causes:
        inner = (getattr(cause, "reason", None), *cause.args, cause.__cause__, cause.__context__)
        causes += [arg for arg in inner if isinstance(arg, BaseException) and not any(arg is seen for seen in causes)]
        if len(causes) > 16:
            break
    return causes


def _is(causes: t.Iterable[BaseException], *names: str) -> bool:
    """Whether one of them is of a class that is called so, or of one below it."""
    return any(f"{kind.__module__}.{kind.__name__}" in names for cause in causes for kind in type(cause).__mro__)


def _names_no_host(causes: t.Sequence[BaseException]) -> bool:
    # urllib3 1.26 has no class of its own for a name that cannot be resolved.
    return any(
        isinstance(cause, OSError) and type(cause).__name__ in ("gaierror", "NameResolutionError") for cause in causes
    )


def _compared_names(cause: BaseException) -> bool:
    """Whether the error is of who compares names where OpenSSL does not: urllib3 1.26, by itself or by Python's ssl."""
    by_python = isinstance(cause, ssl.SSLCertVerificationError) and not hasattr(cause, "verify_message")
    return by_python or type(cause).__name__ == "CertificateError"


def _tunnel_status(causes: t.Iterable[BaseException]) -> int | None:
    # http.client's own words (HTTPConnection._tunnel); they have no other form.
    said = _says(causes, _TUNNEL_STATUS)
    return int(said[1]) if said else None


def _says(causes: t.Iterable[BaseException], words: re.Pattern[str]) -> re.Match[str] | None:
    texts = (arg for cause in causes for arg in cause.args if isinstance(arg, str))
    return next((match for match in map(words.search, texts) if match), None)


def _cause(causes: t.Sequence[BaseException]) -> str:
    """The innermost reason in words of the system's or our own, never in an exception's: see the file's beginning."""
    for cause in reversed(causes):
        reason = getattr(cause, "reason", None)
        if isinstance(cause, ssl.SSLError) and isinstance(reason, str):
            return clean(reason).replace("_", " ").lower()
        if isinstance(cause, OSError) and isinstance(cause.errno, int) and cause.errno > 0:
            return os.strerror(cause.errno)
    known: tuple[tuple[type[BaseException], str], ...] = (
        (http.client.RemoteDisconnected, "closed without an answer"),
        (http.client.IncompleteRead, "closed in the middle of an answer"),
        (http.client.HTTPException, "the answer is not HTTP"),
        (UnicodeError, "a header cannot be encoded"),
    )
    found = (text for kind, text in known if any(isinstance(cause, kind) for cause in causes))
    return next(found, type(causes[-1]).__name__)
