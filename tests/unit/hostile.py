# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that answers every request so as to harm who asks.

with hostile(ANSWERS["gzip bomb"]) as server:
    ...  # it listens at 127.0.0.1, server.port, its certificate is signed by server.ca_path
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import pathlib
import socket
import socketserver
import ssl
import tempfile
import threading
import typing as t
import zlib

from ansible_collections.proxkit.tasks.tests.mock_endpoint._certs import Authority

HEAD = b"HTTP/1.1 200 OK\r\nServer: pve-api-daemon/3.0\r\nContent-Type: application/json\r\n"
GZIP = HEAD + b"Content-Encoding: gzip\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
MIB = 1 << 20
HUGE = 150 * MIB
DRIP_SECONDS = 0.02


@dataclasses.dataclass(frozen=True)
class Answer:
    """``first``, then ``again`` for ever; ``drips``: a byte at a time, with a pause after each."""

    first: bytes
    again: bytes = b""
    drips: bool = False


def sized(content: bytes, head: bytes = HEAD) -> Answer:
    """A whole answer."""
    return Answer(head + b"Content-Length: %d\r\n\r\n" % len(content) + content)


@functools.cache
def gzipped(times: int = 1) -> bytes:
    """150 MiB of blanks."""
    content = b" " * HUGE
    for _time in range(times):
        deflate = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        content = deflate.compress(content) + deflate.flush()
    return content


# Without end, or of a size that is meant to fill the memory.
FLOODS: dict[str, t.Callable[[], Answer]] = {
    "body": lambda: Answer(HEAD + b"Content-Length: %d\r\n\r\n" % HUGE, b" " * MIB),
    "size of an exabyte": lambda: Answer(HEAD + b"Content-Length: %d\r\n\r\n" % 10**18, b" " * MIB),
    "body without a size": lambda: Answer(HEAD + b"Connection: close\r\n\r\n", b" " * MIB),
    "gzip bomb": lambda: sized(gzipped(), GZIP),
    "deflate bomb": lambda: sized(zlib.compress(b" " * HUGE, 1), HEAD + b"Content-Encoding: deflate\r\n"),
    "chunks": lambda: Answer(CHUNKED, b"100000\r\n" + b" " * MIB + b"\r\n"),
    "size of a chunk": lambda: Answer(CHUNKED, b"0" * MIB),
    "trailers": lambda: Answer(CHUNKED + b"0\r\n", b"X-Trailer: 1\r\n" * 1000),
    "headers": lambda: Answer(HEAD, b"X-Header: 1\r\n" * 1000),
    "one header": lambda: Answer(HEAD + b"X-Header: ", b"x" * MIB),
    "status line": lambda: Answer(b"HTTP/1.1 200 ", b"O" * MIB),
    "preliminary answers": lambda: Answer(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "values": lambda: sized(b'{"data":[' + b"[]," * (2 * MIB) + b"[]]}"),
}
# Of these nothing is too large, and none ever ends.
DRIPS: dict[str, Answer] = {
    "status line": Answer(b"HTTP/1.1 200 ", b"O", drips=True),
    "headers": Answer(HEAD, b"X: 1\r\n", drips=True),
    "one header": Answer(HEAD + b"X: ", b"1", drips=True),
    "preliminary answers": Answer(b"", b"HTTP/1.1 100 Continue\r\n\r\n", drips=True),
    "body": Answer(HEAD + b"Content-Length: 1000000\r\n\r\n", b" ", drips=True),
    "chunks": Answer(CHUNKED, b"1\r\n \r\n", drips=True),
    "size of a chunk": Answer(CHUNKED, b"0", drips=True),
    "trailers": Answer(CHUNKED + b"0\r\n", b"X: 1\r\n", drips=True),
}


# What is just about read, and takes the most room then.
def most_values() -> Answer:
    return sized(b'{"data":[' + b'{"a":1},' * 49_000 + b"{}]}")


# All that it says is in its compression's other layer: nobody asked for two of them.
def layers() -> Answer:
    return sized(gzipped(2), HEAD + b"Content-Encoding: gzip, gzip\r\n")


class Hostile(t.NamedTuple):
    """Where it is."""

    host: str
    port: int
    ca_path: str


@contextlib.contextmanager
def hostile(answer: Answer) -> t.Iterator[Hostile]:
    """Run the server; when the block ends all its connections are cut and its threads have ended."""
    authority = Authority()
    with tempfile.TemporaryDirectory() as folder, _Server(("127.0.0.1", 0), _Handler) as server:
        path = pathlib.Path(folder, "ca.pem")
        path.write_bytes(authority.pem)
        server.answer, server.context = answer, authority.server_context()
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="hostile")
        thread.start()
        try:
            yield Hostile("127.0.0.1", server.server_address[1], str(path))
        finally:
            server.shutdown()
            thread.join()
            server.over.set()
            server.cut()


class _Server(socketserver.ThreadingTCPServer):
    """Knows its connections, so that it can end them; closing it joins their threads."""

    answer: Answer
    context: ssl.SSLContext

    def __init__(self, *args: t.Any) -> None:
        super().__init__(*args)
        self.over = threading.Event()
        self._open: list[socket.socket] = []

    def process_request(self, request: t.Any, client_address: t.Any) -> None:
        # TLS takes the connection itself away.
        self._open.append(request.dup())
        super().process_request(request, client_address)

    def cut(self) -> None:
        for connection in self._open:
            with contextlib.suppress(OSError), connection:
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(socketserver.BaseRequestHandler):
    """One connection: whatever is asked."""

    server: _Server

    def handle(self) -> None:
        # Who asks goes away in the middle of it.
        with (
            contextlib.suppress(OSError),
            self.server.context.wrap_socket(self.request, server_side=True) as connection,
        ):
            asked = b""
            while not self.server.over.is_set():
                while b"\r\n\r\n" not in asked:
                    received = connection.recv(MIB)
                    if not received:
                        return
                    asked += received
                asked = b""
                self._answer(connection)

    def _answer(self, connection: ssl.SSLSocket) -> None:
        answer, over = self.server.answer, self.server.over
        connection.sendall(answer.first)
        size = 1 if answer.drips else len(answer.again)
        while answer.again:
            for start in range(0, len(answer.again), size):
                connection.sendall(answer.again[start : start + size])
                if over.wait(DRIP_SECONDS if answer.drips else 0):
                    return
