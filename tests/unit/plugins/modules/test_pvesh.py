# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules without ``api_host``: on a machine that stands for a node, ``pvesh`` is asked."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import time
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._client import pvesh
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import OptionError
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock, serve
from ansible_collections.proxkit.tasks.tests.pvesh_stand_in import OWN_NODE, StandIn

if t.TYPE_CHECKING:
    from ansible_collections.proxkit.tasks.tests.unit.conftest import Call

GONE = "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"


@pytest.fixture
def machine(mock: Mock, call: Call, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """This machine, a node that has ``pvesh``; calls name no host."""
    stand_in = StandIn(tmp_path, mock)
    for name, value in stand_in.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PROXMOX_HOST", raising=False)
    monkeypatch.setattr(pvesh, "_own_name", lambda: OWN_NODE)
    call.connection = {}
    return stand_in


def made(mock: Mock, **task: t.Any) -> str:
    return str(mock.tasks(**{"type": "vzdump", "id": "100", "duration": 0, **task})["upids"][0])


def outcomes(result: dict[str, t.Any]) -> list[str]:
    return [task["outcome"] for task in result["tasks"]]


@pytest.mark.pace(5)
def test_a_wait(mock: Mock, call: Call, machine: StandIn) -> None:
    upids = [
        made(mock, duration=8, log=["größer", "INFO: 50% done"]),
        made(mock, id="101", duration=5, exitstatus="job errors", log=["Mühe"]),
        made(mock, id="102", node="pve2", duration=1),
        GONE,
    ]
    result = call.wait(upids, log="always", fail_on="never")
    assert outcomes(result) == ["ok", "error", "ok", "missing"]
    assert result["tasks"][0]["log"] == ["größer", "INFO: 50% done", "TASK OK"]
    assert result["tasks"][1]["log"] == ["Mühe", "TASK ERROR: job errors"]
    assert all(task["endtime"] for task in result["tasks"][:3])
    assert "pvesh says 400 Parameter verification failed. (upid: no such task)" in result["msg"]
    assert result["elapsed"] < 20
    assert len(machine.starts) < 30


def test_one_look_at_what_has_ended_is_one_start(mock: Mock, call: Call, machine: StandIn) -> None:
    assert outcomes(call.wait(made(mock), timeout=0)) == ["ok"]
    verbs = [(words[1], words[2].rpartition("/")[2]) for words in machine.starts]
    assert verbs == [("get", "status"), ("get", "tasks")]


@pytest.mark.pace(5)
def test_stop(mock: Mock, call: Call, machine: StandIn) -> None:
    mock.settings(stop_seconds=0.5)
    upids = [made(mock, id=str(number), duration=600) for number in (100, 101)]
    result = call.stop([*upids, GONE])
    assert result["stopped_upids"] == upids
    assert not result["failed"]
    assert sum(words[1] == "delete" for words in machine.starts) == 2


def test_info(mock: Mock, call: Call, machine: StandIn) -> None:
    failed = made(mock, node="pve2", exitstatus="job errors", log=["Mühe"])
    result = call.info(type=["vzdump"], outcome=["error"], log="always")
    assert [task["upid"] for task in result["tasks"]] == [failed]
    assert result["tasks"][0]["log"] == ["Mühe", "TASK ERROR: job errors"]
    named = call.info(upids=[failed, GONE])
    assert outcomes(named) == ["error", "missing"]
    mock.node(name="pve3", online=False)
    down = call.info(type=["vzdump"])
    assert list(down["unreachable_nodes"]) == ["pve3"]
    assert machine.starts


def test_mail_gateway(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    monkeypatch.delenv("PROXMOX_HOST", raising=False)
    call.connection = {"service": "pmg"}
    with serve(service="pmg") as mock:
        machine = StandIn(tmp_path, mock, own_node="pmg1")
        for name, value in machine.variables.items():
            monkeypatch.setenv(name, value)
        gone = "UPID:pmg2:000AE992:00A21BA7:618C1D55:aptupdate::root@pam:"
        upids = [
            made(mock, type="aptupdate", id="", node="pmg1", log=["Größe"], exitstatus="apt failed"),
            made(mock, type="aptupdate", id="", node="pmg2"),
            gone,
        ]
        result = call.wait(upids, fail_on="never")
        assert outcomes(result) == ["error", "ok", "missing"]
        assert result["tasks"][0]["log"] == ["Größe", "TASK ERROR: apt failed"]
        assert "pmgsh says 400 Parameter verification failed. (upid: no such task)" in result["msg"]
        found = call.info(node=["pmg1", "pmg2"], type=["aptupdate"])
        assert sorted(task["upid"] for task in found["tasks"]) == sorted(upids[:2])
        runs = made(mock, type="aptupdate", id="", node="pmg2", duration=600)
        assert call.stop(runs)["stopped_upids"] == [runs]
        mock.node(name="pmg2", online=False)
        down = call.wait(upids[1], timeout=0)
        assert "node pmg2 cannot be reached (pmgsh says ssh: connect to host 192.0.2.2 port 22: No route" in down["msg"]
        assert {words[0] for words in machine.starts} == {"pmgsh"}


@pytest.mark.parametrize(
    ("how", "words"),
    [("not root", "pvesh wants to be run as root: set become to true"), ("user", "set become to true")],
)
def test_not_as_root(mock: Mock, call: Call, machine: StandIn, how: str, words: str) -> None:
    machine.act(how)
    began = time.monotonic()
    result = call.wait(made(mock, duration=60))
    assert result["failed"]
    assert words in result["msg"]
    assert time.monotonic() - began < 10


@pytest.mark.pace(5)
@pytest.mark.usefixtures("machine")
def test_a_node_that_is_down_does_not_keep_the_others(mock: Mock, call: Call) -> None:
    upids = [made(mock, node="pve1", duration=1), made(mock, node="pve2", duration=600)]
    mock.node(name="pve2", online=False)
    result = call.wait(upids, timeout=8)
    assert outcomes(result)[0] == "ok"
    assert result["timed_out"]
    assert "node pve2 cannot be reached (pvesh says ssh: connect to host" in result["msg"]


def test_what_hangs_ends_with_the_wait(mock: Mock, call: Call, machine: StandIn, tmp_path: pathlib.Path) -> None:
    here = tmp_path / "numbers"
    upids = [made(mock), made(mock, node="pve2", start=0, duration=600)]
    machine.act(f"hang:{here}", "/nodes/pve2/")
    result = call.wait(upids, timeout=1)
    # Where there is time left, the cluster's list tells of the other.
    assert outcomes(result) in (["ok", "unseen"], ["ok", "running"])
    assert result["elapsed"] < 10
    end = time.monotonic() + 20
    while _lives(here) and time.monotonic() < end:
        time.sleep(0.01)
    assert not _lives(here)


def _lives(here: pathlib.Path) -> bool:
    """Whether one of the processes lives whose numbers stand there, or none has written them yet."""
    numbers = here.read_text().split() if here.exists() else []
    states = [
        path.read_text() for path in map(pathlib.Path, (f"/proc/{number}/stat" for number in numbers)) if path.exists()
    ]
    return not numbers or any(state.rpartition(")")[2].split()[0] != "Z" for state in states)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"service": "pbs"}, "^api_host is missing: service pbs cannot be asked without it"),
        (
            {"api_user": "root@pam", "api_password": "x"},
            "^api_host is missing, but api_user and api_password are given",
        ),
    ],
    ids=str,
)
@pytest.mark.usefixtures("machine")
def test_what_needs_a_host(call: Call, options: dict[str, str], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        call.info(type=["vzdump"], **options)


def test_no_library_is_imported(mock: Mock, machine: StandIn) -> None:
    """A module's own way, in a Python where proxmoxer and requests cannot be imported."""
    code = (
        "import sys, conftest; sys.modules.update(proxmoxer=None, requests=None, urllib3=None)\n"
        "from ansible.module_utils.common.arg_spec import ArgumentSpecValidator\n"
        "from ansible_collections.proxkit.tasks.plugins.module_utils._module import wait\n"
        f"given = {{'upids': [{made(mock)!r}]}}\n"
        "params = ArgumentSpecValidator(wait.SPEC.options).validate(given).validated_parameters\n"
        "print(wait.run(params)['tasks'][0]['outcome'])"
    )
    root = pathlib.Path(__file__).resolve().parents[4]
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=root, env=machine.environment, capture_output=True, text=True, check=True)  # noqa: S603 - as it says
    assert done.stdout == "ok\n"
