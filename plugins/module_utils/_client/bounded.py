# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP answers with bounds in size and time, whoever sends them. Private to the collection.

Libraries bound each read from a socket: an answer that comes in drips, or without end, has no bound there.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import time
import typing as t
import zlib

# Room for 10,000 lines of a log with 800 characters each, the longest answer that is asked for.
MOST_BYTES = 1 << 23
# Each value in JSON takes some 100 bytes once it is read. 5000 rows of a task list have 55,000, that log has 30,000.
MOST_VALUES = 100_000
# Python gives all characters of a text as many bytes as the widest of them takes.
_WIDE = (
    (4, re.compile(rb"[\xf0-\xf4]|\\u[dD][89abAB]")),
    (2, re.compile(rb"[\xc4-\xef]|\\u(?!00)")),
)
_TEXT = re.compile(rb'"[^"]*"')
_CHUNK_BYTES = 1 << 16


class TooLarge(Exception):
    """Nobody reads on: there is more than ``most``."""

    def __init__(self, most: str = f"{MOST_BYTES >> 20} MiB") -> None:
        super().__init__(most)
        self.most = most


class Response(http.client.HTTPResponse):
    """A response of which all together, status line and headers among it, has the time limit of one read."""

    def __init__(self, sock: socket.socket, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Bounded(sock, self.fp.detach()))


class _Bounded(io.RawIOBase):
    """What a socket receives, ``raw`` is its file."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock, self._raw = sock, raw
        self._limit = sock.gettimeout()
        self._end = time.monotonic() + (self._limit if self._limit is not None else float("inf"))
        self._left = MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise socket.timeout("timed out")
        self._sock.settimeout(None if self._limit is None else seconds)
        try:
            count = self._raw.readinto(buffer)
        finally:
            # The connection may be kept for the next request.
            self._sock.settimeout(self._limit)
        self._left -= count or 0
        if self._left < 0:
            raise TooLarge
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def read_whole(read: t.Callable[[int], bytes], encoding: str | None) -> bytes:
    """The content that ``read`` gives in parts, decoded. Raises ``TooLarge``."""
    content = _decoded(b"".join(iter(lambda: read(_CHUNK_BYTES), b"")), (encoding or "").strip().lower())
    most = MOST_BYTES // next((width for width, characters in _WIDE if characters.search(content)), 1)
    if len(content) > most:
        raise TooLarge(f"{most >> 20} MiB")
    if _values(content) > MOST_VALUES:
        raise TooLarge(f"{MOST_VALUES} values")
    return content


def _values(content: bytes) -> int:
    """How many values JSON has: one of these characters comes before each, outside of texts."""
    bare = content.replace(rb"\\", b"").replace(rb"\"", b"")
    # A value is a text and has a name at the most; a heap of quotes is no JSON.
    if bare.count(b'"') <= 4 * MOST_VALUES:
        bare = _TEXT.sub(b"", bare)
    return sum(bare.count(mark) for mark in b",[{")


# What is asked for: zlib stops where it is told to, other decoders do not.
ENCODINGS = "gzip, deflate"


def _decoded(content: bytes, encoding: str) -> bytes:
    """The content without its compression, a byte more than the most where it is too large."""
    if encoding in ENCODINGS.split(", "):
        for form in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):  # with a header of either kind, without one
            try:
                return zlib.decompressobj(form).decompress(content, MOST_BYTES + 1)
            except zlib.error:
                continue
    # Not ours to read: no Proxmox API sends that.
    return content
