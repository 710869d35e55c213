# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""community.proxmox (2.0.0) starts tasks, ours tell what became of them; one connection for both.

What ``guide_moving`` says of theirs is held here.
"""

from __future__ import annotations

import ast
import pathlib
import sys
import sysconfig
import typing as t

import pytest
import yaml
from ansible_collections.proxkit.tasks.plugins.filter.upid_decode import upid_decode
from ansible_collections.proxkit.tasks.plugins.filter.upid_extract import upid_extract
from ansible_collections.proxkit.tasks.tests.mock_endpoint import TOKEN_NAME, TOKEN_SECRET, Mock
from ansible_collections.proxkit.tasks.tests.mock_endpoint import serve as serve_mock
from ansible_collections.proxkit.tasks.tests.neighbours.fake import serve
from ansible_collections.proxkit.tasks.tests.neighbours.plays import OURS, THEIRS, Json, call, results, upids_in
from ansible_collections.proxkit.tasks.tests.unit.documented import code_blocks

WAIT, INFO = f"{OURS}.proxmox_task_wait", f"{OURS}.proxmox_task_info"
CAUSE = "volume 'local-lvm:vm-101-disk-0' does not exist"
GUESTS: list[Json] = [
    {"vmid": 100, "name": "web"},
    {"vmid": 101, "name": "broken", "start_error": CAUSE},
    {"vmid": 102, "name": "other"},
    {"vmid": 103, "name": "golden"},
    {"vmid": 200, "name": "box", "type": "lxc", "status": "running", "shutdown_secs": 4},
]


class Job(t.NamedTuple):
    """A module of theirs with its options; type and id of the server's task; whether the result has its UPID."""

    module: str
    options: Json
    kind: str
    subject: str
    named: bool = False


JOBS = {
    "backup": Job("proxmox_backup", {"mode": "include", "vmids": [102], "storage": "local"}, "vzdump", "102", True),
    # A container's task that is not waited for to its end is named by the failure.
    "container": Job("proxmox", {"vmid": 200, "state": "stopped", "timeout": 1}, "vzshutdown", "200", True),
    # These do not name the task. They wait for it themselves, whether it ends well ...
    "power": Job("proxmox_kvm", {"vmid": 100, "state": "started"}, "qmstart", "100"),
    "snapshot": Job("proxmox_snap", {"vmid": 102, "snapname": "before"}, "qmsnapshot", "102"),
    "disk": Job("proxmox_disk", {"vmid": 102, "disk": "scsi1", "storage": "local-lvm", "size": 1}, "qmconfig", "102"),
    "clone": Job(
        "proxmox_kvm", {"node": "pve1", "vmid": 102, "clone": "other", "name": "copy", "newid": 300}, "qmclone", "102"
    ),
    "image": Job(
        "proxmox_template",
        {"node": "pve1", "storage": "local", "content_type": "iso", "url": "http://127.0.0.1/x.iso", "timeout": 20},
        "download",
        "local",
    ),
    # ... or not, which they take for one that has not ended yet ...
    "broken": Job("proxmox_kvm", {"vmid": 101, "state": "started", "timeout": 1}, "qmstart", "101"),
    # ... and this one does not even wait.
    "template": Job("proxmox_kvm", {"vmid": 103, "state": "template"}, "qmtemplate", "103"),
}


# --- at fakepve, by environment variables -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    folder = tmp_path_factory.mktemp("play")
    started = [call(name, f"{THEIRS}.{job.module}", job.options) for name, job in JOBS.items()]
    named = [name for name, job in JOBS.items() if job.named]
    waiting = call("wait", WAIT, {"upids": upids_in(*named)})
    lists = [
        call("ours", INFO, {"limit": 0}),
        call("theirs", f"{THEIRS}.proxmox_tasks_info", {"node": "pve1", "source": "all"}),
    ]
    with serve(folder, GUESTS) as fake:
        return results(folder, fake.environment, [*started[: len(named)], waiting, *started[len(named) :], *lists])


@pytest.mark.parametrize("name", JOBS)
def test_what_it_starts(told: dict[str, Json], name: str) -> None:
    """A task that the result does not name is found by type and guest."""
    job = JOBS[name]
    [task] = [task for task in told["ours"]["tasks"] if (task["type"], task["id"]) == (job.kind, job.subject)]
    assert upid_extract(told[name]) == ([task["upid"]] if job.named else [])


def test_what_is_named_is_waited_for(told: dict[str, Json]) -> None:
    assert told["container"]["failed"]
    assert not told["wait"]["failed"]
    assert [(task["type"], task["outcome"]) for task in told["wait"]["tasks"]] == [
        ("vzdump", "ok"),
        ("vzshutdown", "ok"),
    ]


def test_how_one_ended_is_known(told: dict[str, Json]) -> None:
    assert told["broken"]["failed"]
    assert "Reached timeout" in told["broken"]["msg"]
    [task] = [task for task in told["ours"]["tasks"] if task["id"] == "101"]
    assert (task["outcome"], task["exitstatus"]) == ("error", CAUSE)


def test_its_list_is_read(told: dict[str, Json]) -> None:
    assert sorted(upid_extract(told["theirs"])) == sorted(task["upid"] for task in told["ours"]["tasks"])


def test_a_verification_is_read() -> None:
    """As their documentation shows it: neither server here is one that stores backups elsewhere."""
    modules = pathlib.Path(sysconfig.get_path("purelib"), "ansible_collections/community/proxmox/plugins/modules")
    source = ast.parse((modules / "proxmox_storage_contents_info.py").read_text(encoding="utf-8"))
    [text] = [
        ast.literal_eval(node.value)
        for node in source.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "RETURN"
    ]
    content = yaml.safe_load(text)["proxmox_storage_content"]["contains"]
    [upid] = upid_extract({"verification": content["verification"]["sample"]})
    assert upid_decode(upid)["product"] == "pbs"


# --- at our own mock, by module_defaults ------------------------------------------------------------------------


def play_both(mock: Mock, folder: pathlib.Path, *tasks: Json, variables: t.Optional[Json] = None) -> dict[str, Json]:
    """Results of a play whose defaults are the same for both collections."""
    connection = {
        "api_host": mock.host,
        "api_port": mock.port,
        "api_user": "root@pam",
        "api_token_id": TOKEN_NAME,
        "api_token_secret": TOKEN_SECRET,
        "ca_path": mock.ca_path,
    }
    defaults = {f"group/{name}.proxmox": "{{ connection }}" for name in (OURS, THEIRS)}
    given = {"connection": connection, **(variables or {})}
    return results(folder, {}, tasks, vars=given, module_defaults=defaults)


def test_the_guide(tmp_path: pathlib.Path) -> None:
    """Theirs as the guide shows them, and what it has ours do with what they started."""
    look, start = (yaml.safe_load(block) for block in code_blocks("guide_moving", "yaml")[-2:])
    *_others, wait, find = (yaml.safe_load(block) for block in code_blocks("guide_moving", "yaml+jinja"))
    with serve_mock(key_usage=True) as mock:
        mock.scripts(type="vzdump", times=None, duration=0.5)
        mock.guest(vmid=100, template=True)
        [template] = mock.tasks(type="qmtemplate", id="100")["upids"]
        [upid] = mock.tasks(type="vzdump", id="100", duration=2)["upids"]
        tasks = [*look, *start, *wait, *find]
        for task, name in zip(tasks, ("look", "started", "waited", "found", "template")):
            task.update(name=name, register=name)
        look[0]["delay"] = 1
        told = play_both(mock, tmp_path, *tasks, variables={"upid": upid})
    assert [task["status"] for task in told["look"]["proxmox_tasks"]] == ["OK"]
    assert told["look"]["attempts"] > 1
    assert [task["outcome"] for task in told["waited"]["tasks"]] == ["ok", "ok"]
    assert [task["upid"] for task in told["template"]["tasks"]] == [template]


def test_backups_of_a_cluster(tmp_path: pathlib.Path) -> None:
    """A node with warnings, one that fails and one without a guest; then one that theirs waits for itself."""
    with serve_mock(key_usage=True) as mock:
        for exitstatus in ("WARNINGS: 1", "job errors"):
            mock.scripts(type="vzdump", times=1, duration=1, exitstatus=exitstatus)
        mock.scripts(type="vzdump", duration=0.1, exitstatus="WARNINGS: 1")
        waited = {"mode": "include", "vmids": [100], "storage": "backup", "node": "pve1", "wait": True}
        told = play_both(
            mock,
            tmp_path,
            call("backup", f"{THEIRS}.proxmox_backup", {"mode": "all", "storage": "backup", "wait": False}),
            call("wait", WAIT, {"upids": upids_in("backup"), "log": "always"}),
            call("answers", WAIT, {"upids": "{{ backup.backups | map(attribute='upid') }}", "fail_on": "never"}),
            call("waiting", f"{THEIRS}.proxmox_backup", {**waited, "wait_timeout": 1}),
            call("found", INFO, {"type": "vzdump", "vmid": 100, "outcome": "warning"}),
        )
    assert [row["upid"] == "OK" for row in told["backup"]["backups"]] == [False, False, True]
    assert told["wait"]["failed"]
    assert [task["outcome"] for task in told["wait"]["tasks"]] == ["warning", "error"]
    assert told["wait"]["failed_upids"] == [told["backup"]["backups"][1]["upid"]]
    assert "TASK ERROR: job errors" in told["wait"]["tasks"][1]["log"]
    assert (told["answers"]["failed"], told["answers"]["no_task"]) == (False, ["OK"])
    # Of warnings theirs knows nothing: it waits on, then forgets the UPID.
    assert told["waiting"]["failed"]
    assert "Reached timeout" in told["waiting"]["msg"]
    assert not upid_extract(told["waiting"])
    assert [(task["id"], task["warnings"]) for task in told["found"]["tasks"]] == [("100", 1)]


def test_a_start_that_lasts(tmp_path: pathlib.Path) -> None:
    """Theirs gives up; the task goes on, is found and waited for."""
    with serve_mock(key_usage=True) as mock:
        mock.guest(vmid=103, running=False)
        mock.scripts(type="qmstart", duration=5)
        told = play_both(
            mock,
            tmp_path,
            call("power", f"{THEIRS}.proxmox_kvm", {"vmid": 103, "state": "started", "timeout": 1}),
            call("running", INFO, {"vmid": 103, "type": "qmstart"}),
            call("wait", WAIT, {"upids": upids_in("running"), "poll_interval_max": 0.5}),
        )
    assert told["power"]["failed"]
    assert not upid_extract(told["power"])
    assert [task["outcome"] for task in told["wait"]["tasks"]] == ["ok"]
    assert not told["wait"]["failed"]


@pytest.mark.parametrize("key_usage", [True, False])
def test_which_authorities_are_taken(tmp_path: pathlib.Path, key_usage: bool) -> None:
    with serve_mock(key_usage=key_usage) as mock:
        told = play_both(
            mock,
            tmp_path,
            call("ours", INFO, {}),
            call("theirs", f"{THEIRS}.proxmox_tasks_info", {"node": "pve1"}),
        )
    assert not told["ours"]["failed"]
    assert told["theirs"]["failed"] == (not key_usage and sys.version_info >= (3, 13))
