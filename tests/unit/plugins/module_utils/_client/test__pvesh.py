# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking on a node itself: what is run, and what each way to fail means."""

from __future__ import annotations

import dataclasses
import math
import pathlib
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._client import pvesh
from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import Request
from ansible_collections.proxkit.tasks.plugins.module_utils._client.api import Api
from ansible_collections.proxkit.tasks.plugins.module_utils._client.calls import Calls
from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._client.process import Done, Runner
from ansible_collections.proxkit.tasks.plugins.module_utils._client.pvesh import Machine, Pvesh, error_of
from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import PVE
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import SystemClock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Fault,
    HostUnreachable,
    LoginRefused,
    NodeUnreachable,
    NoPrivilege,
    NoSuchTask,
    OptionError,
    Refused,
    Unreachable,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import parse
from ansible_collections.proxkit.tasks.plugins.module_utils._module.access import CONNECTION
from ansible_collections.proxkit.tasks.tests.mock_endpoint import TOKEN_NAME, TOKEN_SECRET, Mock
from ansible_collections.proxkit.tasks.tests.pvesh_stand_in import OWN_NODE, StandIn

HERE = Connection(hosts=(), user="root@pam")
MAIL_GATEWAY = dataclasses.replace(HERE, service=dataclasses.replace(PVE, command=("pmgsh",)))
UPID = parse("UPID:pve2:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:")
STATUS = Request("GET", ("nodes", "pve2", "tasks", UPID.native, "status"), {}, UPID)
NODES = Request("GET", ("nodes",))
USAGE = "pvesh get <api_path> [OPTIONS] [FORMAT_OPTIONS]"
BAD = "400 Parameter verification failed.\n"
NO_TASK = f"{BAD}upid: no such task\n"
FORBIDDEN = "403 Permission check failed (/nodes/pve2, Sys.Audit)"
NO_NAME = "hostname lookup 'pve2' failed - failed to get address info for: pve2: Name or service not known"
NO_ACCESS = "Unable to load access control list:"
BAD_USER = "Unknown error -1"
SSH = "ssh: connect to host 192.0.2.2 port 22: No route to host"


@pytest.fixture
def machine(mock: Mock, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """This machine, a node that has the commands."""
    stand_in = StandIn(tmp_path, mock)
    for name, value in stand_in.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(pvesh, "_own_name", lambda: OWN_NODE)
    return stand_in


def calls(connection: Connection = HERE) -> Calls:
    return Machine(connection, SystemClock()).connect()


def one(mock: Mock, **task: t.Any) -> t.Any:
    return parse(mock.tasks(**{"type": "vzdump", "id": "100", "duration": 0, **task})["upids"][0])


# What is asked, and what comes


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("node", ["pve1", "pve2"])
def test_answers_are_those_of_the_api(mock: Mock, node: str) -> None:
    upid = one(mock, node=node, log=["größer", *map(str, range(9))], exitstatus="Mühe")
    over_https = Connection((f"{mock.host}:{mock.port}",), "root@pam", token_name=TOKEN_NAME, token_secret=TOKEN_SECRET)
    ways = [calls(), Api(dataclasses.replace(over_https, ca_path=mock.ca_path), SystemClock()).connect()]
    asks: list[t.Callable[[Calls], object]] = [
        lambda way: way.node_names(math.inf),
        lambda way: way.status(upid, math.inf),
        lambda way: way.log(upid, 0, 200, math.inf),
        lambda way: way.log(upid, 0, 1, math.inf),
        lambda way: way.log(upid, 5, 3, math.inf),
        lambda way: way.log(upid, 11, 3, math.inf),
        lambda way: way.active(node, math.inf),
        lambda way: way.listed(node, math.inf, type="vzdump", guest=100, outcomes=("ok", "error"))[0],
        lambda way: way.cluster_tasks(math.inf),
    ]
    for ask in asks:
        answers = [ask(way) for way in ways]
        assert answers[0] == answers[1]
    for way in ways:
        way.close()


def test_no_credential_is_handed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """Exported for others, they would show in the environment of the command and of all that it starts."""
    for option in CONNECTION.values():
        for name in option.get("fallback", (None, []))[1]:
            monkeypatch.setenv(name, "s3cr3t")
    (tmp_path / "pvesh").write_text('#!/bin/sh\nprintf \'{"secrets": "%s"}\' "$(env | grep -c s3cr3t)"\n')
    (tmp_path / "pvesh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert calls().version(math.inf) == {"secrets": "0"}


def test_half_a_character_costs_no_result(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    (tmp_path / "pvesh").write_text("#!/bin/sh\ncat <<'E'\n" + r'{"text": "\ud83d x"}' + "\nE\n")
    (tmp_path / "pvesh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert calls().version(math.inf) == {"text": "\N{REPLACEMENT CHARACTER} x"}


def test_what_is_run(mock: Mock, machine: StandIn) -> None:
    upid = one(mock, duration=60)
    way = calls()
    way.status(upid, math.inf)
    way.log(upid, 3, 5, math.inf)
    assert way.missing_right("pve2", math.inf) is None  # root asks
    assert way.stop(upid, math.inf) is None  # type: ignore[func-returns-value]  # what prints nothing says nothing
    path = f"/nodes/{upid.node}/tasks/{upid.native}"
    options = ["--output-format=json"]
    assert machine.starts == [
        ["pvesh", "get", f"{path}/status", *options],
        ["pvesh", "get", f"{path}/log", "--start=3", f"--limit={2**31 - 1}", *options],
        ["pvesh", "delete", path, *options],
    ]


PRETTY = b'{\n   "exitstatus" : "OK",\n   "status" : "stopped"\n}\n'


def test_pmgsh(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    started: list[t.Sequence[str]] = []

    def run(_runner: Runner, words: t.Sequence[str], *_limits: object) -> Done:
        started.append(words)
        return Done(0, PRETTY, b"200 OK\n")

    (tmp_path / "pmgsh").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(Runner, "run", run)
    assert calls(MAIL_GATEWAY).status(UPID, math.inf)["exitstatus"] == "OK"
    assert started == [[str(tmp_path / "pmgsh"), "get", f"/nodes/pve2/tasks/{UPID.native}/status"]]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        (("nodes", "..", "tasks"), {}),
        (("nodes", "", "tasks"), {}),
        (("nodes", "pve2", "tasks", "a/b", "status"), {}),
        (("nodes", "pve2", "tasks", "UPID:pve2:$(reboot):"), {}),
        (("nodes", "pve2", "tasks", "UPID:pve2:`reboot`:"), {}),
        (("nodes", "pve2", "tasks", "UPID:pve2:a;reboot:"), {}),
        (("nodes", "pve2", "tasks"), {"userfilter": "a b"}),
        (("nodes", "pve2", "tasks"), {"typefilter": ["vzdump", "a|b"]}),
    ],
    ids=str,
)
def test_what_is_not_asked(machine: StandIn, path: tuple[str, ...], params: dict[str, t.Any]) -> None:
    with pytest.raises(Refused, match=r"^pvesh cannot be asked for "):
        Pvesh(Machine(HERE, SystemClock())).ask(Request("GET", path, params), math.inf)
    assert machine.starts == []


@pytest.mark.usefixtures("machine")
def test_on_the_node_itself_no_shell_reads_anything() -> None:
    with pytest.raises(NoSuchTask):
        calls().status(parse("UPID:pve1:000AE992:00A21BA7:618C1D55:vz$(reboot):100:root@pam:"), math.inf)
    assert calls().listed("pve1", math.inf, user="-x 'y'@pam")[0] == []


# What it means that nothing comes


@pytest.mark.parametrize(
    ("errors", "kind", "words"),
    [
        (f"{NO_TASK}{USAGE}\n", NoSuchTask, "node pve2 knows no such task (pvesh says 400"),
        (f"{NO_TASK}proxy handler failed: {USAGE}\n", NoSuchTask, "(upid: no such task)"),
        (f"{NO_TASK}get nodes/pmg/tasks  [OPTIONS]\nproxy handler failed\n", NoSuchTask, "(upid: no such task)"),
        (f"{BAD}start: too small\n{USAGE}\n", Refused, "says 400 Parameter verification failed. (start: too small)"),
        (f"proxy handler failed: {FORBIDDEN}\n", NoPrivilege, "root@pam needs Sys.Audit on /nodes/pve2"),
        (f"{NO_NAME}\n", Refused, f"the cluster has no node pve2 (pvesh says 500 {NO_NAME}): check the UPID"),
        ("address lookup for 'pve2' did not find any IP address\n", Refused, "the cluster has no node pve2"),
        (f"proxy handler failed: {SSH}\n", NodeUnreachable, f"node pve2 cannot be reached (pvesh says {SSH})"),
        (f"{SSH}\r\nproxy handler failed\n", NodeUnreachable, f"node pve2 cannot be reached (pvesh says {SSH})"),
        ("proxy handler failed\n", NodeUnreachable, "pvesh says nothing of why"),
        ("please run as root\n", LoginRefused, "pvesh wants to be run as root: set become to true"),
        (f"ipcc_send_rec[1] failed: {BAD_USER}\n{NO_ACCESS} {BAD_USER}\n", LoginRefused, "set become to true"),
        (
            f"ipcc_send_rec[1] failed: Connection refused\n{NO_ACCESS} Connection refused\n",
            HostUnreachable,
            "the cluster file system of this node does not answer "
            f"(pvesh says {NO_ACCESS} Connection refused): is pve-cluster running",
        ),
        ("No 'get' handler defined for '/nodes/pve2/x'\n", Refused, "pvesh says 501 No 'get' handler"),
        ("no 'get' handler for 'nodes/pve2/x'\n", Refused, "pvesh says 501 no 'get' handler"),
        ("unable to open database \x1b[31mfile\n", Fault, "pvesh says 500 unable to open database file"),
        ("Außer Betrieb\n", Fault, "pvesh says 500 Außer Betrieb"),
        ("", Unreachable, "node pve2 gave no answer (pvesh ended with status 255)"),
    ],
)
def test_what_errors_mean(errors: str, kind: type[ApiError], words: str) -> None:
    error = error_of(Done(255, b"", errors.encode()), STATUS, HERE)
    assert isinstance(error, kind)
    assert words in error.message
    assert "OPTIONS" not in error.message


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ("not root", LoginRefused, "set become to true"),
        ("user", LoginRefused, "set become to true"),
        ("no pmxcfs", HostUnreachable, "is pve-cluster running"),
        ("ssh", NodeUnreachable, f"node pve2 cannot be reached (pvesh says {SSH})"),
        ("pmg ssh", NodeUnreachable, f"node pve2 cannot be reached (pvesh says {SSH})"),
        ("die:out of order", Fault, "pvesh says 500 out of order"),
        ("silent", NodeUnreachable, "pvesh ended with status 255"),
        ("killed", NodeUnreachable, "pvesh ended with status -9"),
        ("garbage", Fault, "pvesh printed something that is no JSON"),
        ("much", Refused, "pvesh printed more than 32 MiB: with api_host it can be read in parts"),
    ],
)
def test_ways_to_fail(machine: StandIn, how: str, kind: type[ApiError], words: str) -> None:
    machine.act(how)
    with pytest.raises(kind) as caught:
        calls().status(UPID, math.inf)
    assert words in caught.value.message


@pytest.mark.usefixtures("machine")
def test_what_the_cluster_says(mock: Mock) -> None:
    with pytest.raises(NoSuchTask):
        calls().status(UPID, math.inf)
    with pytest.raises(Refused, match=r"the cluster has no node pve9 .*: check the UPID$"):
        calls().status(parse(UPID.native.replace("pve2", "pve9")), math.inf)
    mock.node(name="pve2", online=False)
    with pytest.raises(NodeUnreachable, match="node pve2 cannot be reached"):
        calls().status(UPID, math.inf)


@pytest.mark.parametrize(
    ("request_", "kind", "words"), [(STATUS, NodeUnreachable, "node pve2"), (NODES, HostUnreachable, "this machine")]
)
def test_what_hangs_is_killed(
    machine: StandIn, tmp_path: pathlib.Path, request_: Request, kind: type[Unreachable], words: str
) -> None:
    machine.act(f"hang:{tmp_path / 'numbers'}")
    way = Machine(dataclasses.replace(HERE, timeout=0.5), SystemClock())
    # What has answered once has no need for the time of a first answer.
    way.answered = True
    with pytest.raises(kind, match=rf"^{words} gave no answer within 0.5 s \(asked by pvesh\)$") as caught:
        Pvesh(way).ask(request_, math.inf)
    assert caught.value.timed_out


def test_closed_for_good(machine: StandIn) -> None:
    way = calls()
    way.close()
    with pytest.raises(Fault, match="pvesh was ended before its answer came"):
        way.node_names(math.inf)
    assert machine.starts == []


def test_a_machine_without_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(pvesh, "_PLACES", str(tmp_path))
    with pytest.raises(
        OptionError, match=r"there is no pvesh on .*: set api_host, or run this on a node of Proxmox VE"
    ):
        Machine(HERE, SystemClock())
    (tmp_path / "pvesh").touch(mode=0o755)
    way = Pvesh(Machine(HERE, SystemClock()))
    (tmp_path / "pvesh").unlink()
    with pytest.raises(Fault, match="pvesh cannot be started: No such file or directory"):
        way.ask(NODES, math.inf)
