# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guide says of privileges, tried: exactly those named are enough, and without one it is named as shown."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock, serve
from ansible_collections.proxkit.tasks.tests.unit.conftest import Call, Result
from ansible_collections.proxkit.tasks.tests.unit.documented import ROOT

SECRET = "2d9f6c1e-7a4b-4e0d-9c35-8b1a6f4e2c70"
GUIDE = (ROOT / "docs/docsite/rst/guide_authentication.rst").read_text(encoding="utf-8")
NODES = {"pve": "pve1", "pbs": "localhost", "pmg": "pmg1"}
# What a cell of the guide's table stands for: privileges by path, or a role of Mail Gateway. A task is of node pve1.
NOTHING: dict[str, list[str]] = {}
SEE = {
    "pve": ("Sys.Audit on ``/nodes/NODE``", {"/nodes/pve1": ["Sys.Audit"]}),
    "pbs": ("Sys.Audit on ``/system/tasks``", {"/system/tasks": ["Sys.Audit"]}),
    "pmg": ("the role ``audit`` or ``admin``", "audit"),
}
STOP = {
    "pve": ("Sys.Audit and Sys.Modify on ``/nodes/NODE``", {"/nodes/pve1": ["Sys.Audit", "Sys.Modify"]}),
    "pbs": ("Sys.Audit and Sys.Modify on ``/system/tasks``", {"/system/tasks": ["Sys.Audit", "Sys.Modify"]}),
    "pmg": ("the role ``admin``", "admin"),
}
LESS: dict[str, t.Any] = {"pve": NOTHING, "pbs": NOTHING, "pmg": "qmanager"}
FOLLOW = ("Sys.Audit on ``/nodes``", {"/nodes": ["Sys.Audit"]})


@pytest.fixture(scope="module", params=NODES)
def endpoint(request: pytest.FixtureRequest) -> t.Iterator[tuple[str, Mock]]:
    with serve(service=request.param) as mock:
        yield request.param, mock


class Asker:
    """Calls of somebody with these privileges, or this role, and no other."""

    def __init__(self, service: str, mock: Mock, may: t.Any) -> None:
        name = f"ansible@{service}"
        if service == "pmg":
            mock.user(name=name, password=SECRET, role=may)
            self.who = name
            login = {"api_token_id": ..., "api_token_secret": ..., "api_user": name, "api_password": SECRET}
        else:
            mock.user(name=name, acl=may, tokens={"tasks": {"secret": SECRET, "separated": True, "acl": may}})
            self.who = f"{name}!tasks"
            login = {"api_token_id": self.who, "api_token_secret": SECRET}
        call = Call(mock)
        call.connection.update(service=service, **login)
        self.wait, self.info, self.stop = call.wait, call.info, call.stop


def shown(service: str, verb: str) -> str:
    """What the guide shows of a privilege that is missing."""
    (text,) = re.findall(rf"``(ansible@{service}\S* needs .* to {verb} tasks(?: of others)?)``", GUIDE)
    return str(text)


def task(mock: Mock, **more: t.Any) -> t.Any:
    return mock.tasks(**{"user": "root@pam", **more})["upids"][0]


def test_the_guide_has_these_cells() -> None:
    cells = re.findall(r"^ {5}- (.+)$", GUIDE, re.MULTILINE)
    for text, _may in (*SEE.values(), *STOP.values(), FOLLOW):
        assert text in cells


def test_who_may_see_waits_and_finds(endpoint: tuple[str, Mock]) -> None:
    service, mock = endpoint
    asker = Asker(service, mock, SEE[service][1])
    upid = task(mock)
    results = [asker.wait(upid, log="always"), asker.info(upids=upid), asker.info(node=[NODES[service]])]
    assert not [result for result in results if result["failed"] or result["warnings"]]
    assert all(upid in [task["upid"] for task in result["tasks"]] for result in results)


def test_who_may_not_see_is_told_what_is_missing(endpoint: tuple[str, Mock]) -> None:
    service, mock = endpoint
    asker = Asker(service, mock, LESS[service])
    upid = task(mock)
    said = shown(service, "see")
    assert asker.who in said
    for result in (asker.wait(upid), asker.info(upids=upid), asker.stop(upid)):
        assert result["failed"]
        assert said in result["msg"]
    found = asker.info(node=[NODES[service]])
    if service == "pmg":
        assert said in found["msg"]
    else:
        assert upid not in [task["upid"] for task in found["tasks"]]
        assert len(found["blind_nodes"]) == len(found["warnings"]) == 1


def test_who_may_stop_stops(endpoint: tuple[str, Mock]) -> None:
    service, mock = endpoint
    upid = task(mock, duration=None)
    assert Asker(service, mock, STOP[service][1]).stop(upid)["stopped_upids"] == [upid]


def test_who_may_not_stop_is_told_what_is_missing(endpoint: tuple[str, Mock]) -> None:
    service, mock = endpoint
    result = Asker(service, mock, SEE[service][1]).stop(task(mock, duration=None))
    assert result["failed"]
    assert shown(service, "stop") in result["msg"]


def test_ones_own_tasks_take_no_privilege(endpoint: tuple[str, Mock]) -> None:
    service, mock = endpoint
    if service == "pmg":
        return  # There are none; see above.
    asker = Asker(service, mock, NOTHING)
    upid = task(mock, user=asker.who, duration=None)
    results: list[Result] = [asker.info(upids=upid, log="always"), asker.stop(upid), asker.wait(upid, fail_on="never")]
    assert not [result for result in results if result["failed"]]


@pytest.mark.parametrize(("may", "followed"), [(FOLLOW[1], True), (NOTHING, False)])
def test_following_the_ha_manager(may: t.Any, followed: bool) -> None:
    with serve() as mock:
        asker = Asker("pve", mock, may)
        request = task(mock, type="hamigrate", id="111", user=asker.who, node="pve2", duration=0)
        task(mock, type="qmigrate", id="111", node="pve2", start=0.5, duration=0.5)
        result = asker.wait(request, follow_ha=True, timeout=5)
        seen = asker.info()
    assert [task["follows"] for task in result["tasks"]] == [None, request][: 1 + followed]
    assert bool(result["warnings"]) != followed
    # What the role wait_idle asks for.
    assert (not seen["blind_nodes"]) is followed
