# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests over HTTPS: connections, proxies, and what it means where no reply comes. Private to the collection.

The only file that imports proxmoxer (and requests below it). No text of an exception from below leaves it: such texts
quote header values and proxy URLs, passwords in them included, in spellings that nobody could mask.
"""

from __future__ import annotations

import http.client
import io
import os
import re
import ssl
import time
import typing as t
from urllib.parse import quote
from urllib.request import getproxies

from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import Reply, Request
from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._client.libraries import missing_or_old
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import Fault, HostUnreachable, OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import clean

_UNUSABLE = missing_or_old()
if _UNUSABLE is None:
    import requests
    from proxmoxer.backends.https import ProxmoxHTTPAuthBase, ProxmoxHttpSession
    from proxmoxer.core import ProxmoxResource, ResourceException
    from requests.adapters import HTTPAdapter
    from urllib3 import __version__ as urllib3_version  # type: ignore[attr-defined]  # public, but in no __all__
    from urllib3.exceptions import LocationValueError, NewConnectionError, ReadTimeoutError
else:
    HTTPAdapter = ProxmoxHTTPAuthBase = object  # type: ignore[misc,assignment]  # so that this file can be read at all

_CHUNK_BYTES = 1 << 16
_TUNNEL_STATUS = re.compile(r"Tunnel connection failed: ([0-9]{3})")


def check_libraries() -> None:
    """Raise ``OptionError`` where the libraries cannot be used."""
    if _UNUSABLE is not None:
        raise OptionError(_UNUSABLE)


class NoConnection(HostUnreachable):
    """There was no connection to begin with: nobody listens, or nobody who can be trusted."""


class BrokenOff(Fault):
    """A connection that ended before the answer did."""


class CutOff(HostUnreachable):
    """Whatever is sent to the host, the connection ends before an answer, or the answer is not HTTP."""


class NoAnswer(Fault):
    """The host took the request and gave no answer in time."""


class Wire:
    """One thread's connections to any number of hosts."""

    def __init__(self, connection: Connection, context: ssl.SSLContext, sign: t.Callable[[t.Any], None]) -> None:
        """``sign`` puts credentials into a prepared request's ``headers``; ``context`` is from ``tls_context``."""
        self._connection = connection
        self._http = ProxmoxHttpSession()
        self._http.auth = _Auth(sign)
        self._http.headers["Accept"] = "application/json"
        # No Proxmox API redirects; whoever does is not to see what is sent.
        self._http.max_redirects = 0
        self._http.mount("https://", _Adapter(context))

    def close(self) -> None:
        """Close the connections; a request under way in another thread ends with an error."""
        self._http.close()

    def exchange(self, host: str, request: Request, connect: float, read: float) -> Reply:
        """The reply of ``host``, connected within ``connect`` seconds and whole ``read`` seconds later.

        Raises ``HostUnreachable``, ``NoConnection``, ``BrokenOff`` or ``NoAnswer``, whatever happens below.
        """
        resource = ProxmoxResource(base_url=f"https://{host}/api2/json", session=self._http, serializer=_Replies())
        for part in request.path:
            resource = resource(quote(part, safe=""))
        self._http.auth.timeout = (connect, read)
        try:
            reply = getattr(resource, request.method.lower())(**request.params)
        except ResourceException as exc:
            reply = exc.errors
        except requests.exceptions.TooManyRedirects as exc:
            reply = _reply(exc.response) if exc.response is not None else None
        except Exception as exc:  # anything that the layers below can raise, see above
            raise _fault(host, exc, read, self._connection) from None
        # proxmoxer has nothing to say of a status below 400 that is no success.
        return t.cast(Reply, reply if reply is not None else Reply(304))


class _Auth(ProxmoxHTTPAuthBase):
    """What proxmoxer asks for headers. Its own classes make connections that know no context, and encode nothing."""

    def __init__(self, sign: t.Callable[[t.Any], None]) -> None:
        super().__init__(verify_ssl=True)  # the adapter's context decides
        self._sign = sign

    def __call__(self, request: t.Any) -> t.Any:
        self._sign(request)
        return request


class _Replies:
    """proxmoxer's serializer: keeps the whole reply, for good answers and for others."""

    def loads(self, response: t.Any) -> Reply:
        return _reply(response)

    loads_errors = loads


def _reply(response: t.Any) -> Reply:
    reason = response.reason
    return Reply(
        status=response.status_code,
        reason=reason.decode("latin-1") if isinstance(reason, bytes) else str(reason or ""),
        server=str(response.headers.get("Server") or ""),
        content=response.content or b"",
    )


class _Adapter(HTTPAdapter):
    """Connections on one prepared TLS context: loading authorities anew for each of them costs more than the rest."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        if urllib3_version.startswith("1."):
            # It names no server to the context where the host is an address, and then compares the names itself.
            context.check_hostname = False
        super().__init__()

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)

    def proxy_manager_for(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        return super().proxy_manager_for(*args, ssl_context=self._context, **kwargs)

    def send(self, request: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        end = time.monotonic() + kwargs["timeout"][1]
        # A path here would be loaded into the context again, with every connection.
        kwargs["verify"] = self._context.verify_mode is not ssl.CERT_NONE
        response = super().send(request, *args, **{**kwargs, "stream": True})
        response.raw.enforce_content_length = True  # urllib3 1.26 takes what was cut off for whole
        # urllib3's time limit is for each read, so that an answer could come in drips for ever.
        if hasattr(response.raw, "read1"):
            response.raw = io.BytesIO(b"".join(_read_until(response.raw, end)))
        return response

    def cert_verify(self, conn: t.Any, *_args: t.Any, **_kwargs: t.Any) -> None:
        conn.cert_reqs = self._context.verify_mode


def _read_until(raw: t.Any, end: float) -> t.Iterator[bytes]:
    while True:
        chunk = raw.read1(_CHUNK_BYTES, decode_content=True)
        if not chunk:
            return
        yield chunk
        if time.monotonic() > end:
            raw.close()
            raise requests.exceptions.ReadTimeout("Read timed out: the answer came too slowly")


def tls_context(connection: Connection) -> ssl.SSLContext:
    """Whom to trust. Raises ``OptionError``: the file that names the authorities is of no use."""
    if not connection.validate_certs:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    option, path = (connection.ca_option, connection.ca_path) if connection.ca_path else _trusted_by_requests()
    try:
        folder = os.path.isdir(path)
        context = ssl.create_default_context(capath=path if folder else None, cafile=None if folder else path)
    except OSError as exc:
        why = os.strerror(exc.errno) if exc.errno and not isinstance(exc, ssl.SSLError) else "it is no PEM file"
        raise OptionError(f"{option}: {path} holds no certificate in PEM form ({why}).") from None
    if connection.ca_path:
        # The authority that older PVE makes has no key usage extension; this strictness of Python 3.13 refuses it.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _trusted_by_requests() -> tuple[str, str]:
    """What requests would trust, and who says so: the variables that its users set, else the bundle it brings."""
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if os.environ.get(variable):
            return variable, os.environ[variable]
    return "the bundle of requests", str(requests.utils.DEFAULT_CA_BUNDLE_PATH)


# Faults: what it means that there is no reply


def proxy_variable(host: str) -> str | None:
    """The environment variable that names the proxy on the way to ``host`` (``name:port``); None: there is none."""
    if requests.utils.should_bypass_proxies(f"https://{host}", no_proxy=None):
        return None
    proxies = getproxies()
    for scheme in ("https", "all"):
        if proxies.get(scheme):
            names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY")
            return next((name for name in names if os.environ.get(name)), "the system's proxy setting")
    return None


def _fault(host: str, exc: Exception, seconds: float, connection: Connection) -> Fault:
    """The error that a failed exchange means: nobody there, somebody who is not trusted, or cut off on the way."""
    causes = _causes(exc)
    variable = proxy_variable(host)
    text = _proxy_fault(host, variable, causes) if variable else None
    if text is not None:
        # A proxy that cannot get through to the host says what a host that is down for a moment would.
        return HostUnreachable(text) if (_tunnel_status(causes) or 0) >= 500 else NoConnection(text)
    text = _nobody_there(host, causes, connection)
    if text is not None:
        return NoConnection(text)
    # Which of the two it was cannot be told any more.
    host += f" (through the proxy that {variable} names)" if variable else ""
    # In the middle of a body requests calls a time that is over a connection error.
    if any(isinstance(cause, (requests.exceptions.ReadTimeout, ReadTimeoutError, TimeoutError)) for cause in causes):
        return NoAnswer(f"{host} gave no answer within {seconds:.3g} s")
    return BrokenOff(f"{host} broke the connection off: {_cause(causes)}")


def _causes(exc: BaseException) -> list[BaseException]:
    """The exception and all that it wraps; requests and urllib3 wrap theirs several times."""
    causes: list[BaseException] = [exc]
    for cause in causes:
        inner = (getattr(cause, "reason", None), *cause.args, cause.__cause__, cause.__context__)
        causes += [arg for arg in inner if isinstance(arg, BaseException) and not any(arg is seen for seen in causes)]
        if len(causes) > 16:
            break
    return causes


def _is(causes: t.Iterable[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(cause, kinds) for cause in causes)


def _names_no_host(causes: t.Sequence[BaseException]) -> bool:
    # urllib3 1.26 has no class of its own for a name that cannot be resolved.
    return _is(causes, OSError) and any(type(cause).__name__ in ("gaierror", "NameResolutionError") for cause in causes)


def _tunnel_status(causes: t.Iterable[BaseException]) -> int | None:
    # http.client's own words (HTTPConnection._tunnel); they have no other form.
    texts = (arg for cause in causes for arg in cause.args if isinstance(arg, str))
    matches = (_TUNNEL_STATUS.match(text) for text in texts)
    return next((int(match[1]) for match in matches if match), None)


def _proxy_fault(host: str, variable: str, causes: t.Sequence[BaseException]) -> str | None:
    """What is wrong with the proxy that ``variable`` names; None where it is not to blame."""
    status, errors = _tunnel_status(causes), requests.exceptions
    of_host = _is(causes, errors.SSLError) and not _is(causes, errors.ProxyError)
    silent = any(isinstance(cause, ReadTimeoutError) and "://" in str(cause.url) for cause in causes)
    rows = (
        (status == 407, f"wants credentials, or refuses those in {variable} (407)"),
        (status is not None, f"does not let through to {host} (it says {status}): check api_host"),
        (_is(causes, errors.InvalidSchema), "needs a Python library that is missing (PySocks for SOCKS): install it"),
        (_names_no_host(causes), f"has a name that cannot be resolved: check {variable}"),
        (of_host, None),
        (_is(causes, errors.ConnectTimeout), f"accepts no connection in time: check {variable}"),
        (silent, f"gives no answer for {host}: check {variable}"),
        (_is(causes, errors.ProxyError, NewConnectionError), f"fails ({_cause(causes)}): check {variable}"),
        (
            # Our own URLs and headers were checked: what cannot be read or encoded is the proxy's.
            _is(causes, errors.InvalidURL, LocationValueError)
            or (isinstance(causes[0], (ValueError, TypeError)) and not isinstance(causes[0], OSError)),
            "is not named by a proper URL: percent-encode what is special in its password",
        ),
    )
    text = next((text for applies, text in rows if applies), None)
    around = f"or set no_proxy to reach {host.rpartition(':')[0]} without it"
    return text and f"the proxy that {variable} names {text}, {around}"


def _nobody_there(host: str, causes: t.Sequence[BaseException], connection: Connection) -> str | None:
    """Why there was no connection to begin with, None where there was one."""
    if _is(causes, requests.exceptions.SSLError):
        return _distrust(host, causes, connection)
    if _is(causes, requests.exceptions.ConnectTimeout):
        return f"{host} accepts no connection in time: check api_host and api_port"
    if _names_no_host(causes) or _is(causes, LocationValueError, requests.exceptions.InvalidURL):
        return f"the name of {host} cannot be resolved: check api_host"
    if _is(causes, NewConnectionError):
        return f"nobody answers at {host} ({_cause(causes)}): check api_host and api_port"
    return None


def _distrust(host: str, causes: t.Sequence[BaseException], connection: Connection) -> str:
    """Why there is no TLS connection that can be trusted."""
    verify = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if verify is None:
        return f"no TLS connection to {host} ({_cause(causes)}): check api_port"
    why = clean(str(getattr(verify, "verify_message", "")))[:200]
    if "not valid for" in why or "mismatch" in why.lower():
        return f"the certificate of {host} is for another name: give that one as api_host ({why})"
    if connection.ca_path:
        path = f"{connection.ca_option} {connection.ca_path}"
        return f"the certificate of {host} is not of the authority in {path} ({why})"
    trusted = _trusted_by_requests()[0]
    return (
        f"the certificate of {host} is not trusted by {trusted} ({why}): set ca_path to the authority that signed it "
        "(PVE's own is /etc/pve/pve-root-ca.pem on any node)"
    )


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
    return next((text for kind, text in known if _is(causes, kind)), type(causes[-1]).__name__)
