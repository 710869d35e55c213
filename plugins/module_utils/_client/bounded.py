# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP answers with bounds in size and time, whoever sends them. Private to the collection.

Libraries bound each read from a socket: an answer that comes in drips, or without end, has no bound there.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
import typing as t
import zlib

# Room for 20,000 lines of a log with 800 characters each, the longest answer that is asked for.
MOST_BYTES = 1 << 24
# Each value in JSON takes up to 72 bytes once it is read; that log has 60,000 of them.
MOST_VALUES = 1_000_000
_CHUNK_BYTES = 1 << 16


class TooLarge(Exception):
    """Nobody reads on."""


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
    # Texts may hold these as well; an honest page of a log stays far below.
    if len(content) > MOST_BYTES or sum(content.count(mark) for mark in b",[{") > MOST_VALUES:
        raise TooLarge
    return content


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
