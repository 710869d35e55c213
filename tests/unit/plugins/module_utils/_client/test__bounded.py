# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a server sends, it is read neither for longer than a request has time nor beyond what has room."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import pathlib
import resource
import subprocess
import sys
import time
import typing as t
import zlib

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import Reply, Request
from ansible_collections.proxkit.tasks.plugins.module_utils._client.bounded import (
    MOST_BYTES,
    MOST_VALUES,
    TooLarge,
    read_whole,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._client.faults import BrokenOff, NoAnswer
from ansible_collections.proxkit.tasks.plugins.module_utils._client.https import Wire, tls_context
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import ApiError, Refused
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock
from ansible_collections.proxkit.tasks.tests.unit.hostile import (
    DRIPS,
    FLOODS,
    HEAD,
    Hostile,
    hostile,
    layers,
    most_values,
    sized,
)
from ansible_collections.proxkit.tasks.tests.unit.proxies import proxy

if t.TYPE_CHECKING:
    from ansible_collections.proxkit.tasks.tests.unit.conftest import Call

ROOT = pathlib.Path(__file__).resolve().parents[5]
VERSION = Request("GET", ("version",))
UPID = "UPID:pve1:0000ABCD:00112233:65000000:qmstart:100:root@pam:"
# All that an attack may cost.
MOST_GROWTH = 100 << 20
NAME = "ansible_collections.proxkit.tasks.tests.unit.plugins.module_utils._client.test__bounded"
SECONDS = 0.3
# A busy machine is late.
LATE = 0.5


def ask(server: Hostile, seconds: float = 30, connect: float = 5) -> Reply:
    connection = Connection((f"{server.host}:{server.port}",), "root@pam", ca_path=server.ca_path)
    wire = Wire(connection, tls_context(connection), lambda _request: None)
    with contextlib.closing(wire):
        return wire.exchange(connection.hosts[0], VERSION, connect, seconds)


@pytest.fixture(scope="module")
def attacked() -> dict[str, t.Any]:
    """What was said of each attack, and what all of them cost, in a process whose memory nobody else uses."""
    with contextlib.ExitStack() as stack:
        servers = {
            kind: stack.enter_context(hostile(make()))
            for kind, make in {**FLOODS, "layers": layers, "most values": most_values}.items()
        }
        run = f"import conftest, sys; from {NAME} import print_attacks; print_attacks(sys.argv[1])"
        command = [sys.executable, "-c", run, json.dumps(servers)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - as it says
    return t.cast("dict[str, t.Any]", json.loads(done.stdout))


def print_attacks(servers: str) -> None:
    """For the process above."""
    before, told = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, {}
    for kind, server in json.loads(servers).items():
        try:
            reply = ask(Hostile(*server))
            told[kind] = f"{len(reply.content)} bytes"
            reply.json()
        except (Refused, BrokenOff) as exc:
            told[kind] = exc.message
    print(json.dumps({**told, "growth": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10}))


@pytest.mark.parametrize("kind", FLOODS)
def test_what_has_no_room_is_an_error(attacked: dict[str, t.Any], kind: str) -> None:
    # Python itself has bounds for lines and headers.
    of_http = attacked[kind].endswith("broke the connection off: the answer is not HTTP")
    most = "100000 values" if kind == "values" else "8 MiB"
    assert of_http or f"gave an answer of more than {most}, which is not read: " in attacked[kind]


def test_what_attacks_cost_in_memory(attacked: dict[str, t.Any]) -> None:
    assert attacked["growth"] < MOST_GROWTH
    assert attacked["layers"].endswith(" bytes")  # what nobody asked for is handed on as it came
    assert attacked["most values"].endswith(" bytes")


@pytest.mark.parametrize("kind", DRIPS)
def test_drips_end_with_the_time_of_the_request(kind: str) -> None:
    with hostile(DRIPS[kind]) as server:
        begun = time.monotonic()
        with pytest.raises(NoAnswer, match=f"{server.port} gave no answer within {SECONDS} s"):
            ask(server, SECONDS)
        assert time.monotonic() - begun < SECONDS + LATE


def test_a_proxy_that_drips_is_blamed(monkeypatch: pytest.MonkeyPatch, mock: Mock) -> None:
    with proxy(mode="drip") as way:
        monkeypatch.setenv("HTTPS_PROXY", way.url)
        begun = time.monotonic()
        with pytest.raises(ApiError, match="the proxy that HTTPS_PROXY names gives no answer"):
            ask(Hostile(mock.host, mock.port, mock.ca_path), SECONDS, connect=SECONDS)
        assert time.monotonic() - begun < SECONDS + LATE


@pytest.mark.pace(5)
@pytest.mark.parametrize("kind", ["headers", "body"])
@pytest.mark.parametrize("tried", ["wait", "stop", "info"])
def test_modules_keep_their_time(call: Call, tried: str, kind: str) -> None:
    """The first request with credentials has 5 s, see ``INTRODUCTION_SECONDS``."""
    options = {} if tried == "info" else {"timeout": 2}
    with hostile(DRIPS[kind]) as server:
        there = {"api_port": server.port, "ca_path": server.ca_path, "api_timeout": 1}
        result = getattr(call, tried)(upids=UPID, **there, **options)
    assert result["failed"]
    assert "no answer" in result["msg"]  # the request's end or the wait's, whichever a busy machine gets to first
    assert call.seconds < 5 + 10 * LATE


@pytest.mark.parametrize("tried", ["wait", "stop", "info"])
def test_modules_say_what_is_too_large(call: Call, tried: str) -> None:
    with hostile(FLOODS["gzip bomb"]()) as server:
        result = getattr(call, tried)(upids=UPID, api_port=server.port, ca_path=server.ca_path)
    assert result["failed"]
    assert "gave an answer of more than 8 MiB, which is not read" in result["msg"]
    assert call.seconds < 10 * LATE


# Honest answers


def rows_of_a_log(lines: int, width: int) -> bytes:
    return json.dumps(
        {"data": [{"n": n, "t": (f"{n:,}: " + width // 32 * '{"[,x').ljust(width, "x")} for n in range(lines)]}
    ).encode()


def rows_of_a_list(count: int) -> bytes:
    row = {"upid": UPID, "status": "OK", **dict.fromkeys(["node", "pid", "pstart", "starttime", "endtime", "id"], "x")}
    return json.dumps({"data": [{**row, "type": "qmstart", "user": "root@pam"}] * count}).encode()


@pytest.mark.parametrize(
    "content",
    [rows_of_a_log(10_000, 780), rows_of_a_log(10_000, 60), rows_of_a_list(5000), b"", b'{"data":null}'],
    ids=len,
)
def test_honest_answers_have_room(content: bytes) -> None:
    with hostile(sized(content)) as server:
        assert ask(server).content == content


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("x", MOST_BYTES),
        ("\xff", MOST_BYTES),
        (r"\u00ff\n", MOST_BYTES),
        ("\u0100", MOST_BYTES // 2),
        ("\uffff", MOST_BYTES // 2),
        (r"\u0100", MOST_BYTES // 2),
        ("\N{GRINNING FACE}\u0100", MOST_BYTES // 4),
        (r"\uD83d\uDE00", MOST_BYTES // 4),
    ],
)
def test_the_most_text_that_is_read(text: str, most: int) -> None:
    content = f'"{text}"'.encode()
    for size, fits in ((most, True), (most + 1, False)):
        whole = content + b" " * (size - len(content))
        with contextlib.nullcontext() if fits else pytest.raises(TooLarge, match=f"^{most >> 20} MiB$"):
            assert read_whole(io.BytesIO(whole).read, None) == whole


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        (["1"] * (MOST_VALUES - 1), True),
        (["1"] * MOST_VALUES, True),
        ([1] * (MOST_VALUES + 1), False),
        ([{}] * (MOST_VALUES // 2 + 1), False),
        ([{"a": "b"}] * (MOST_VALUES // 2 - 1), True),
        ([{"a": {"b": []}}] * (MOST_VALUES // 4 + 1), False),
        (',[{"\\' * MOST_VALUES, True),
        ([f'{n},\\"' for n in range(MOST_VALUES)], True),
    ],
)
def test_the_most_values_that_are_read(value: object, fits: bool) -> None:
    parts = iter([json.dumps(value).encode(), b""])
    with contextlib.nullcontext() if fits else pytest.raises(TooLarge, match=r"^100000 values$"):
        assert json.loads(read_whole(lambda _count: next(parts), None)) == value


def test_a_heap_of_quotes_is_handed_on_at_once() -> None:
    parts = iter([b'"' * MOST_BYTES, b""])
    assert Reply(200, content=read_whole(lambda _count: next(parts), None)).json() is None


RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)
PACKED = {
    "gzip": gzip.compress(b"{}"),
    " GZIP ": gzip.compress(b"{}"),
    "deflate": zlib.compress(b"{}"),
    "Deflate": RAW.compress(b"{}") + RAW.flush(),
}


@pytest.mark.parametrize("encoding", PACKED)
def test_what_was_packed_is_unpacked(encoding: str) -> None:
    head = HEAD + b"Content-Encoding: %s\r\n" % encoding.encode()
    with hostile(sized(PACKED[encoding], head)) as server:
        assert ask(server).content == b"{}"


@pytest.mark.parametrize(
    ("encoding", "content"), [("br", b"{}"), ("gzip", b"\xff{}"), ("gzip, gzip", b"x"), (None, b"x")]
)
def test_what_cannot_be_unpacked_is_handed_on(encoding: str | None, content: bytes) -> None:
    parts = iter([content, b""])
    assert read_whole(lambda _count: next(parts), encoding) == content


@pytest.mark.parametrize(("size", "fits"), [(MOST_BYTES, True), (MOST_BYTES + 1, False)])
def test_the_most_that_is_read(size: int, fits: bool) -> None:
    packed = gzip.compress(b" " * size, 1)
    parts = iter([packed, b""])
    with contextlib.nullcontext() if fits else pytest.raises(TooLarge):
        assert len(read_whole(lambda _count: next(parts), "gzip")) == size


def test_a_connection_is_kept_and_has_its_time_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with hostile(sized(b"{}")) as server, proxy() as way:
        monkeypatch.setenv("HTTPS_PROXY", way.url)
        connection = Connection((f"{server.host}:{server.port}",), "root@pam", ca_path=server.ca_path)
        with contextlib.closing(Wire(connection, tls_context(connection), lambda _request: None)) as wire:
            for _request in range(3):
                assert wire.exchange(connection.hosts[0], VERSION, 5, 5).content == b"{}"
        assert way.connects == 1
