# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests over HTTPS: connections, proxies, whom to trust. Private to the collection.

The only file that imports proxmoxer (and requests below it).
"""

from __future__ import annotations

import functools
import http.client
import io
import os
import ssl
import typing as t
from urllib.parse import quote
from urllib.request import getproxies

from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import Reply, Request
from ansible_collections.proxkit.tasks.plugins.module_utils._client.bounded import ENCODINGS, Response, read_whole
from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._client.faults import Way
from ansible_collections.proxkit.tasks.plugins.module_utils._client.libraries import missing_or_old
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import OptionError

_UNUSABLE = missing_or_old()
if _UNUSABLE is None:
    import requests
    from proxmoxer.backends.https import ProxmoxHTTPAuthBase, ProxmoxHttpSession
    from proxmoxer.core import ProxmoxResource, ResourceException
    from requests.adapters import HTTPAdapter
    from urllib3 import __version__ as urllib3_version  # type: ignore[attr-defined]  # public, but in no __all__
    from urllib3 import disable_warnings
    from urllib3.exceptions import InsecureRequestWarning, ProxyError
else:
    HTTPAdapter = ProxmoxHTTPAuthBase = object  # type: ignore[misc,assignment]  # so that this file can be read at all


def check_libraries() -> None:
    """Raise ``OptionError`` where the libraries cannot be used."""
    if _UNUSABLE is not None:
        raise OptionError(_UNUSABLE)


class Wire:
    """One thread's connections to any number of hosts."""

    def __init__(self, connection: Connection, context: ssl.SSLContext, sign: t.Callable[[t.Any], None]) -> None:
        """``sign`` puts credentials into a prepared request's ``headers``; ``context`` is from ``tls_context``."""
        self._connection = connection
        self._http = ProxmoxHttpSession()
        self._http.auth = _Auth(sign)
        self._http.headers.update({"Accept": "application/json", "Accept-Encoding": ENCODINGS})
        # No Proxmox API redirects; whoever does is not to see what is sent.
        self._http.max_redirects = 0
        self._http.mount("https://", _Adapter(context))

    def close(self) -> None:
        """Close the connections; a request under way in another thread ends with an error."""
        self._http.close()

    def exchange(self, host: str, request: Request, connect: float, read: float) -> Reply:
        """The reply of ``host``, connected within ``connect`` seconds and whole ``read`` seconds later.

        Raises ``HostUnreachable``, ``NoConnection``, ``BrokenOff``, ``NoAnswer`` or, where there is more of it than can
        be read, ``Refused``, whatever happens below.
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
            way = Way(host, self._connection, proxy_variable(host), _trusted_by_requests()[0])
            raise way.fault(exc, connect, read) from None
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
        if context.verify_mode is ssl.CERT_NONE:
            # It is what was asked for; in Ansible's own process a warning of it would be shown for every task.
            disable_warnings(InsecureRequestWarning)
        super().__init__()

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        _bound(self.poolmanager)

    def proxy_manager_for(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        return _bound(super().proxy_manager_for(*args, ssl_context=self._context, **kwargs))

    def send(self, request: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        # A path here would be loaded into the context again, with every connection.
        kwargs["verify"] = self._context.verify_mode is not ssl.CERT_NONE
        response = super().send(request, *args, **{**kwargs, "stream": True})
        response.raw.enforce_content_length = True  # urllib3 1.26 takes what was cut off for whole
        read = functools.partial(response.raw.read, decode_content=False)
        response.raw = io.BytesIO(read_whole(read, response.headers.get("Content-Encoding")))
        return response

    def cert_verify(self, conn: t.Any, *_args: t.Any, **_kwargs: t.Any) -> None:
        conn.cert_reqs = self._context.verify_mode


def _bound(manager: t.Any) -> t.Any:
    """A manager of connections, those through proxies among them, whose answers have bounds."""
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _bounded(pool) for scheme, pool in pools.items()}
    return manager


def _bounded(pool: t.Any) -> t.Any:
    if pool.ConnectionCls.response_class is Response:
        return pool
    connection = type(pool.ConnectionCls.__name__, (_Tunnelling, pool.ConnectionCls), {"response_class": Response})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


class _Tunnelling:
    """A connection that tells the proxy's faults from those of the host beyond: nothing of a host comes before TLS."""

    def _tunnel(self) -> None:
        try:
            super()._tunnel()  # type: ignore[misc]  # http.client's, and urllib3's, which overrides it
        except (OSError, http.client.HTTPException) as exc:
            raise ProxyError("no tunnel", exc) from exc


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
