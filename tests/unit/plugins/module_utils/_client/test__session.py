# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions on real proxmoxer over real TLS, with an injected clock."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import pathlib
import socket
import ssl
import threading
import time
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._client import cluster as _cluster
from ansible_collections.proxkit.tasks.plugins.module_utils._client import https as _https
from ansible_collections.proxkit.tasks.plugins.module_utils._client import session as _session
from ansible_collections.proxkit.tasks.plugins.module_utils._client.calls import Calls
from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import PVE
from ansible_collections.proxkit.tasks.plugins.module_utils._client.session import Session
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import SystemClock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    HostUnreachable,
    LoginRefused,
    NobodyThere,
    NodeUnreachable,
    NoSuchTask,
    NotProxmox,
    OptionError,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import parse
from ansible_collections.proxkit.tasks.tests.mock_endpoint import ROOT_PASSWORD, TOKEN_SECRET, Mock, serve
from ansible_collections.proxkit.tasks.tests.mock_endpoint._certs import Authority

GATEWAY = {"body": "<html><head><title>Portal</title></head></html>", "content_type": "text/html"}


class Cluster(_cluster.Cluster):
    """With sessions that make the collection's calls."""

    def session(self) -> Calls:
        return Calls(Session(self), PVE)


class HandClock(SystemClock):
    """Real time, moved forward by hand."""

    def __init__(self) -> None:
        self.moved = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.moved

    def time(self) -> float:
        return super().time() + self.moved

    def sleep(self, seconds: float) -> None:
        self.moved += seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def by_token(mock: Mock) -> Connection:
    return Connection(
        hosts=(f"{mock.host}:{mock.port}",),
        user="root@pam",
        token_name="ci",
        token_secret=TOKEN_SECRET,
        ca_path=mock.ca_path,
        timeout=5,
    )


def by_password(mock: Mock) -> Connection:
    return dataclasses.replace(by_token(mock), token_name=None, token_secret=None, password=ROOT_PASSWORD)


def test_what_is_asked_for(mock: Mock, clock: HandClock) -> None:
    session = Cluster(by_token(mock), clock).session()
    deadline = clock.monotonic() + 5
    [text] = mock.tasks(type="imgcopy", duration=0, start=-3, exitstatus="Größe", log=["größer"])["upids"]
    upid = parse(text)
    assert session.version(deadline)["release"]
    assert session.node_names(deadline) == ["pve1", "pve2", "pve3"]
    assert session.status(upid, deadline)["exitstatus"] == "Größe"
    [runs] = mock.tasks(type="qmstart", duration=60)["upids"]
    assert (session.active("pve1", deadline) or {})[runs]["status"] == "RUNNING"
    rows, total = session.listed("pve1", deadline, type="imgcopy")
    assert (total, rows[0]["status"], rows[0]["upid"]) == (1, "Größe", text)
    assert "Größe" in [row["status"] for row in session.cluster_tasks(deadline)]
    assert session.log(upid, 1, 1, deadline).total == 2
    session.stop(upid, deadline)
    session.close()


def test_a_list_without_a_total(mock: Mock, clock: HandClock) -> None:
    session = Cluster(by_token(mock), clock).session()
    # PVE leaves out a total of 0.
    assert session.listed("pve2", clock.monotonic() + 5) == ([], None)


def test_lists_keep_their_connection(mock: Mock, clock: HandClock) -> None:
    session = Cluster(by_token(mock), clock).session()
    for _number in range(5):
        session.active("pve1", clock.monotonic() + 5)
    assert mock.counters()["connections"] == 1


def test_an_id_cannot_lead_to_another_path(mock: Mock, clock: HandClock) -> None:
    session = Cluster(by_token(mock), clock).session()
    upid = parse("UPID:pve1:000AE992:00A21BA7:618C1D55:..:%2e%2e?x=1#:root@pam:")
    with pytest.raises(NoSuchTask):
        session.status(upid, clock.monotonic() + 10)
    assert mock.counters()["requests"] == {"total": 1, "GET status": 1}


def test_one_login_for_all_threads(mock: Mock, clock: HandClock) -> None:
    cluster = Cluster(by_password(mock), clock)
    deadline = clock.monotonic() + 10
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _number: cluster.session().version(deadline), range(8)))
    assert len(answers) == 8
    assert mock.counters()["requests"]["POST access/ticket"] == 1


def test_a_ticket_is_renewed_after_an_hour(mock: Mock, clock: HandClock) -> None:
    cluster = Cluster(by_password(mock), clock)
    session = cluster.session()
    session.version(clock.monotonic() + 5)
    first = cluster.login.ticket
    clock.moved += 3000
    session.version(clock.monotonic() + 5)
    assert cluster.login.ticket is first
    clock.moved += 700
    session.version(clock.monotonic() + 5)
    assert cluster.login.ticket is not first
    assert mock.counters()["requests"]["POST access/ticket"] == 2


def test_a_ticket_writes_with_its_token(mock: Mock, clock: HandClock) -> None:
    mock.settings(stop_seconds=0.1)
    [text] = mock.tasks(type="vzdump", duration=60)["upids"]
    session = Cluster(by_password(mock), clock).session()
    session.stop(parse(text), clock.monotonic() + 5)
    assert session.status(parse(text), clock.monotonic() + 5)["exitstatus"] == "received interrupt"


def test_a_second_401_is_meant(mock: Mock, clock: HandClock) -> None:
    mock.faults(kind="status", code=401, reason="Authentication failed!", path="/version", times=None)
    with pytest.raises(LoginRefused, match="Authentication failed"):
        Cluster(by_password(mock), clock).session().version(clock.monotonic() + 5)
    assert mock.counters()["requests"]["GET version"] == 2


@pytest.mark.parametrize(
    ("fault", "error", "passing", "words"),
    [
        ({"kind": "status", "code": 501, "reason": "Method not implemented"}, ApiError, False, "501"),
        ({"kind": "status", "code": 404, "reason": "Not Found", **GATEWAY}, NotProxmox, True, "404 Not Found"),
        ({"kind": "status", "code": 502, "reason": "Bad Gateway"}, HostUnreachable, True, "502 Bad Gateway"),
        ({"kind": "status", "code": 301, "reason": "Moved", **GATEWAY}, NotProxmox, True, "redirection"),
        ({"kind": "status", "code": 200, "reason": "OK", "body": "[1]"}, NotProxmox, True, "otherwise than Proxmox"),
        ({"kind": "status", "code": 200, "reason": "OK", "body": '{"data":7}'}, ApiError, True, "not of the form"),
        ({"kind": "status", "code": 200, "reason": "OK", "body": '{"data":{}}'}, ApiError, True, "neither running"),
        ({"kind": "drop", "times": 2}, ApiError, True, "broke the connection off"),
        ({"kind": "cut", "times": 2}, ApiError, True, "broke the connection off"),
        ({"kind": "status", "code": 595, "reason": "No route to host"}, NodeUnreachable, True, "node pve1 cannot be"),
        ({"kind": "status", "code": 500, "reason": "hostname lookup 'x' failed"}, ApiError, False, "has no node"),
        ({"kind": "hang"}, NodeUnreachable, True, "node pve1 gave no answer"),
    ],
    ids=lambda value: (
        f"{value['kind']} {value.get('code', '')} {value.get('body', '')}" if isinstance(value, dict) else ""
    ),
)
def test_faults_are_told_apart(
    mock: Mock, clock: HandClock, fault: dict[str, t.Any], error: type[ApiError], passing: bool, words: str
) -> None:
    mock.faults(path="/status", **fault)
    upid = parse("UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:")
    session = Cluster(dataclasses.replace(by_token(mock), timeout=0.5), clock).session()
    session.version(clock.monotonic() + 5)
    with pytest.raises(error, match=words) as caught:
        session.status(upid, clock.monotonic() + 5)
    assert caught.value.passing is passing


class Drips:
    """A TLS server that begins an answer and goes on a byte at a time, until it is closed."""

    def __init__(self) -> None:
        authority = Authority()
        self.pem = authority.pem
        self._context = authority.server_context(["127.0.0.1"])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Drips:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._over.set()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        self._listener.settimeout(0.05)
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                connection, _address = self._listener.accept()
                with self._context.wrap_socket(connection, server_side=True) as tls:
                    tls.recv(65536)
                    tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
                    while not self._over.wait(0.05):
                        tls.sendall(b" ")


def test_an_answer_in_drips_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, clock: HandClock, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr(_session, "INTRODUCTION_SECONDS", 0)
    with Drips() as server:
        path = tmp_path / "ca.pem"
        path.write_bytes(server.pem)
        who = Connection((f"127.0.0.1:{server.port}",), "root@pam", token_name="ci", ca_path=str(path), timeout=0.4)
        began = time.monotonic()
        with pytest.raises(HostUnreachable, match="gave no answer within"):
            Cluster(who, clock).session().version(clock.monotonic() + 5)
        assert time.monotonic() - began < 3


def test_an_error_in_the_reason_phrase_alone(mock: Mock, clock: HandClock) -> None:
    mock.settings(body_message=False)
    upid = parse("UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:")
    with pytest.raises(NoSuchTask, match="Parameter verification failed"):
        Cluster(by_token(mock), clock).session().status(upid, clock.monotonic() + 5)


def test_what_a_server_says_reaches_no_terminal_unchecked(mock: Mock, clock: HandClock) -> None:
    body = '{"data":null,"message":"\\u001b[31mred\\u0007\\n"}'
    mock.faults(kind="status", code=500, body=body, content_type="application/json")
    with pytest.raises(ApiError) as caught:
        Cluster(by_token(mock), clock).session().version(clock.monotonic() + 5)
    assert "red" in caught.value.message
    assert not set(caught.value.message) & set("\x1b\x07\n")


def test_a_login_without_a_ticket(mock: Mock, clock: HandClock) -> None:
    mock.faults(
        kind="status", code=200, reason="OK", path="/access/ticket", body='{"data":{}}', content_type="application/json"
    )
    with pytest.raises(ApiError, match="without a ticket"):
        Cluster(by_password(mock), clock).session().version(clock.monotonic() + 5)


def test_hosts_in_turn(mock: Mock, clock: HandClock) -> None:
    connection = dataclasses.replace(by_token(mock), hosts=("127.0.0.1:1", f"{mock.host}:{mock.port}"))
    cluster = Cluster(connection, clock)
    assert cluster.session().version(clock.monotonic() + 5)["release"]
    assert cluster.host == f"{mock.host}:{mock.port}"
    assert len(cluster.warnings) == 1
    cluster.lost("127.0.0.1:1", "told by a thread that was late")
    assert cluster.host == f"{mock.host}:{mock.port}"


def test_no_host_in_no_time(mock: Mock, clock: HandClock) -> None:
    connection = dataclasses.replace(by_token(mock), hosts=("127.0.0.1:1", "127.0.0.1:2"))
    cluster = Cluster(connection, clock)
    with pytest.raises(NobodyThere) as caught:
        cluster.session().version(clock.monotonic() - 1)
    assert not caught.value.passing
    cluster.answered = True
    with pytest.raises(HostUnreachable) as later:
        cluster.session().version(clock.monotonic() + 5)
    assert later.value.passing
    assert "127.0.0.1:1" in later.value.message
    assert "127.0.0.1:2" in later.value.message


@pytest.mark.parametrize(("asked_ago", "kind"), [(1.0, NotProxmox), (10.0, NobodyThere)])
def test_the_time_of_strangers_counts_from_the_question(
    mock: Mock, clock: HandClock, asked_ago: float, kind: type[ApiError]
) -> None:
    cluster = Cluster(by_token(mock), clock)
    error = cluster.nobody([NotProxmox("a page: is it a Proxmox API?")], clock.monotonic() - asked_ago)
    assert error.__class__ is kind


def test_a_name_that_cannot_be_one(clock: HandClock) -> None:
    who = Connection(hosts=(f"{'x' * 70}.invalid:8006",), user="root@pam", token_name="ci", token_secret="s")
    with pytest.raises(NobodyThere, match="cannot be resolved"):
        Cluster(who, clock).session().version(clock.monotonic() + 5)


def test_no_tls_at_that_port(mock: Mock, clock: HandClock) -> None:
    port = mock.control_url.rpartition(":")[2]
    connection = dataclasses.replace(by_token(mock), hosts=(f"127.0.0.1:{port}",))
    with pytest.raises(NobodyThere, match="no TLS connection"):
        Cluster(connection, clock).session().version(clock.monotonic() + 5)


def test_ipv6(clock: HandClock) -> None:
    with serve(hosts=("::1",)) as mock:
        connection = dataclasses.replace(by_token(mock), hosts=(f"[::1]:{mock.port}",))
        assert Cluster(connection, clock).session().version(clock.monotonic() + 5)["release"]


def test_a_folder_of_authorities(mock: Mock, clock: HandClock, tmp_path: pathlib.Path) -> None:
    # Without OpenSSL's hashed names an empty folder trusts nobody, which is what can be seen here.
    with pytest.raises(NobodyThere, match="not of the authority in ca_path"):
        Cluster(dataclasses.replace(by_token(mock), ca_path=str(tmp_path)), clock).session().version(
            clock.monotonic() + 5
        )


def test_a_file_that_holds_no_certificate(mock: Mock, clock: HandClock, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("nonsense")
    with pytest.raises(OptionError, match="holds no certificate"):
        Cluster(dataclasses.replace(by_token(mock), ca_path=str(path)), clock)


def test_the_variables_of_requests_are_respected(monkeypatch: pytest.MonkeyPatch, mock: Mock, clock: HandClock) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", mock.ca_path)
    connection = dataclasses.replace(by_token(mock), ca_path=None)
    # Python 3.13 and later refuse an authority without key usage where nobody named it with ca_path.
    strict = ssl.create_default_context().verify_flags & ssl.VERIFY_X509_STRICT
    with pytest.raises(NobodyThere, match="ca_path") if strict else contextlib.nullcontext():
        Cluster(connection, clock).session().version(clock.monotonic() + 5)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, mock: Mock, clock: HandClock) -> None:
    monkeypatch.setattr(_https, "_UNUSABLE", "Python 3.12 lacks the library proxmoxer")
    with pytest.raises(OptionError, match="proxmoxer"):
        Cluster(by_token(mock), clock)
