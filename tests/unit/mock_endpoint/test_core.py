# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The core of the endpoint with a product that is made up: what is Proxmox VE's own is in its folder."""

from __future__ import annotations

import collections
import dataclasses
import json
import pathlib
import re
import typing as t

import pytest
from ansible_collections.proxkit.tasks.tests import mock_endpoint
from ansible_collections.proxkit.tasks.tests.mock_endpoint._clock import Clock
from ansible_collections.proxkit.tasks.tests.mock_endpoint._control import Control
from ansible_collections.proxkit.tasks.tests.mock_endpoint._endpoint import Endpoint, Running, running
from ansible_collections.proxkit.tasks.tests.mock_endpoint._messages import Answer, Request
from ansible_collections.proxkit.tasks.tests.mock_endpoint._routes import Call, Result, Route
from ansible_collections.proxkit.tasks.tests.mock_endpoint._server import Server
from ansible_collections.proxkit.tasks.tests.mock_endpoint._service import Service
from ansible_collections.proxkit.tasks.tests.mock_endpoint._workers import Workers
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking import send

CORE = sorted(pathlib.Path(mock_endpoint.__file__).parent.glob("_[a-z]*.py"))
NOT_ALLOWED = (403, "Forbidden", "not allowed")


@dataclasses.dataclass(frozen=True)
class Limits:
    workers: int = 1
    starve_seconds: float = 1.0


class State:
    """One node, nothing on it."""

    def __init__(self) -> None:
        self.clock = Clock(1_800_000_000, source=lambda: 0.0)
        self.local = "alone"
        self.settings = Limits()
        self.workers: collections.defaultdict[str, Workers] = collections.defaultdict(Workers)
        self.resets = 0

    def hangs(self, node: str) -> bool:
        return node == "stuck"

    def reset(self) -> None:
        self.resets += 1


class Other(Service):
    """Another product: errors are plain text, and one header says who one is."""

    headers = (("Server", "other/1"),)
    organization = "Other"
    authority = "Other CA"
    routes = (Route("GET", "nodes/{node}/echo", "echo", lambda call: Result(call.where["node"]), protected=True),)

    def __init__(self) -> None:
        self._state = State()

    @property
    def state(self) -> State:
        return self._state

    def answer(self, request: Request) -> Answer:
        route, where = self.find(request)
        if route is None or "x-me" not in request.headers:
            return Answer(403, "Forbidden", b"not allowed")
        result = route.handler(Call(request.headers["x-me"], where, {}))
        return Answer(200, "OK", json.dumps({"data": result.data}).encode(), (("Content-Type", "application/json"),))

    def daemon(self, request: Request) -> t.Optional[str]:
        return self.find(request)[1].get("node")

    def starved(self) -> Answer:
        return Answer(503, "Busy")

    def no_such_task(self) -> Answer:
        return Answer(404, "Not Found", b"no task")

    def control(self, server: Server) -> Control:
        return Control(server, self._state)


@pytest.fixture
def other() -> t.Iterator[Running]:
    with running(lambda: Endpoint(Other(), idle_seconds=1), Running) as endpoint:
        yield endpoint


def get(other: Running, path: str, **headers: str) -> tuple[int, str, t.Any]:
    got = send(other, path, headers=headers)
    assert got.header("Server") == ["other/1"]
    return got.status, got.reason, got.body


def test_another_product_answers_in_its_own_way(other: Running) -> None:
    assert get(other, "/api2/json/nodes/alone/echo", **{"X-Me": "me"}) == (200, "OK", {"data": "alone"})
    assert get(other, "/api2/json/nodes/alone/echo") == NOT_ALLOWED
    assert get(other, "/api2/json/version", **{"X-Me": "me"}) == NOT_ALLOWED
    counters = other.counters()
    assert counters["requests"] == {"total": 3, "GET echo": 2, "GET other": 1}
    assert counters["by_node"] == {"alone": {"GET echo": 2}}


def test_faults_and_control_are_the_cores(other: Running) -> None:
    other.faults(kind="no_such_task")
    assert get(other, "/api2/json/nodes/alone/echo") == (404, "Not Found", "no task")
    other.faults(kind="status", code=502, reason="Bad Gateway", times=None)
    assert get(other, "/api2/json/nodes/alone/echo")[:2] == (502, "Bad Gateway")
    assert other.clock(advance=5) == {"now": 1_800_000_005}
    other.reset()
    assert get(other, "/api2/json/nodes/alone/echo", **{"X-Me": "me"})[0] == 200
    with pytest.raises(AttributeError):
        other.tasks()


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_the_core_knows_no_product(path: pathlib.Path) -> None:
    assert not re.search(
        r"pve|pbs|pmg|virtual environment|qemu|vzdump", path.read_text(encoding="utf-8"), re.IGNORECASE
    )
