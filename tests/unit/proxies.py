# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small HTTP proxy for tests: CONNECT only, on a free port of the loopback, with the faults that proxies have.

    with proxy(user="ci", password="p/w") as way:
        monkeypatch.setenv("HTTPS_PROXY", way.url)
        ...
    assert way.connects == 1

Modes: ``normal`` relays; ``refuse`` answers ``status`` (403, 502 ...) with a page that quotes nothing; ``hang`` never
answers the CONNECT; ``drip`` begins to answer it and never ends; ``mute`` answers 200 and then relays nothing;
``close`` ends the connection without an answer, ``babble`` with one that is not HTTP.
Whatever the mode, wrong or missing credentials are answered 407 where the proxy wants any.
"""

from __future__ import annotations

import base64
import contextlib
import http
import http.client
import select
import socket
import socketserver
import threading
import typing as t
from urllib.parse import quote

Mode = t.Literal["normal", "refuse", "hang", "drip", "mute", "close", "babble"]

_CHUNK_BYTES = 1 << 16
_DRIP_SECONDS = 0.02
_STUCK_SECONDS = 10.0  # for a peer that no longer takes what it is sent


class Proxy:
    """What the test sees: where the proxy is, and what it was asked."""

    def __init__(self, port: int, user: str | None, password: str | None) -> None:
        self.host = "127.0.0.1"
        self.port = port
        self.user = user
        self.password = password
        self.targets: list[str] = []  # the "host:port" of each CONNECT, refused ones too
        self.denied = 0  # how many of them lacked the right credentials

    @property
    def connects(self) -> int:
        """How often a CONNECT came."""
        return len(self.targets)

    @property
    def url(self) -> str:
        """What to set ``HTTPS_PROXY`` to, with the right credentials where there are any."""
        return self.url_with(self.user, self.password)

    def url_with(self, user: str | None, password: str | None) -> str:
        """The same with other credentials, or without."""
        who = "" if user is None else f"{quote(user, safe='')}:{quote(password or '', safe='')}@"
        return f"http://{who}{self.host}:{self.port}"

    def lets_in(self, header: str | None) -> bool:
        """Whether a ``Proxy-Authorization`` header is the right one."""
        if self.user is None:
            return True
        wanted = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return header == f"Basic {wanted}"


@contextlib.contextmanager
def proxy(
    *, mode: Mode = "normal", status: int = 403, user: str | None = None, password: str | None = None
) -> t.Iterator[Proxy]:
    """Run a proxy; when the block ends all its connections are cut and its threads have ended."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.mode, server.status = mode, status
        server.seen = Proxy(server.server_address[1], user, password)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="proxy")
        thread.start()
        try:
            yield server.seen
        finally:
            server.shutdown()
            thread.join()
            server.cut()


class _Server(socketserver.ThreadingTCPServer):
    """Knows its connections, so that it can end them; closing it joins their threads."""

    request_queue_size = 128
    mode: Mode
    status: int
    seen: Proxy

    def __init__(self, *args: t.Any) -> None:
        super().__init__(*args)
        self._open: list[socket.socket] = []

    def process_request(self, request: t.Any, client_address: t.Any) -> None:
        self._open.append(request)
        super().process_request(request, client_address)

    def cut(self) -> None:
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(socketserver.StreamRequestHandler):
    """One connection: a CONNECT, and what the mode makes of it."""

    rbufsize = 0  # what comes after the header is not ours to read
    server: _Server

    def handle(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            self._answer()

    def _answer(self) -> None:
        method, _space, rest = self.rfile.readline(_CHUNK_BYTES).decode("latin-1").partition(" ")
        header = http.client.parse_headers(self.rfile)
        if method != "CONNECT":
            return self._say(405)
        seen, mode = self.server.seen, self.server.mode
        seen.targets.append(rest.split(" ")[0])
        if not seen.lets_in(header["Proxy-Authorization"]):
            seen.denied += 1
            return self._say(407, 'Proxy-Authenticate: Basic realm="proxy"')
        if mode == "refuse":
            return self._say(self.server.status)
        if mode == "normal":
            return self._tunnel(seen.targets[-1])
        if mode == "mute":
            self._established()
        if mode == "drip":
            self._drip()
        if mode == "babble":
            self.connection.sendall(b"220 mail.example.com ESMTP\r\n")
        elif mode != "close":
            self._swallow()
        return None

    def _say(self, status: int, *more: str) -> None:
        phrase = http.HTTPStatus(status).phrase
        page = f"<html><body><h1>{status} {phrase}</h1></body></html>"
        lines = [f"HTTP/1.1 {status} {phrase}", "Content-Type: text/html", f"Content-Length: {len(page)}", *more]
        self.connection.sendall("\r\n".join([*lines, "Connection: close", "", page]).encode())

    def _established(self) -> None:
        self.connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

    def _drip(self) -> None:
        self.connection.sendall(b"HTTP/1.1 200 Connection established\r\n")
        while not select.select([self.connection], [], [], _DRIP_SECONDS)[0]:
            self.connection.sendall(b"X: 1\r\n")

    def _swallow(self) -> None:
        while self.connection.recv(_CHUNK_BYTES):
            pass

    def _tunnel(self, target: str) -> None:
        host, _colon, port = target.rpartition(":")
        try:
            upstream = socket.create_connection((host.strip("[]"), int(port)), _STUCK_SECONDS)
        except (OSError, ValueError):
            return self._say(502)
        with upstream:
            self.connection.settimeout(_STUCK_SECONDS)
            self._established()
            return self._relay(upstream)

    def _relay(self, upstream: socket.socket) -> None:
        others = {self.connection: upstream, upstream: self.connection}
        while True:
            readable, _writable, _odd = select.select(list(others), [], [])
            for one in readable:
                data = one.recv(_CHUNK_BYTES)
                if not data:
                    return
                others[one].sendall(data)
