# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first playbook of each service's page, run as it is written, by somebody with no more than the page asks for."""

from __future__ import annotations

import concurrent.futures
import pathlib
import time

import pytest
from ansible_collections.proxkit.tasks.tests.docs.playing import Played, play
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock, serve
from ansible_collections.proxkit.tasks.tests.pvesh_stand_in import OWN_NODE, StandIn
from ansible_collections.proxkit.tasks.tests.unit.documented import playbooks

SECRET = "2d9f6c1e-7a4b-4e0d-9c35-8b1a6f4e2c70"
PASSWORD = "of-the-gateway"
PLAYBOOKS = playbooks()


def token_of(mock: Mock, name: str, **acl: list[str]) -> dict[str, str]:
    """A user with a token of these privileges; what is exported for them."""
    mock.user(name=name, acl=acl, tokens={"tasks": {"secret": SECRET, "separated": True, "acl": acl}})
    return {
        "PROXMOX_HOST": mock.host,
        "PROXMOX_PORT": str(mock.port),
        "PROXMOX_TOKEN_ID": f"{name}!tasks",
        "PROXMOX_TOKEN_SECRET": SECRET,
        "PROXMOX_CA_PATH": mock.ca_path,
    }


def run(
    mock: Mock, folder: pathlib.Path, guide: str, environment: dict[str, str], inventory: str = "localhost,"
) -> Played:
    book = folder / "playbook.yml"
    # Those who run tests are root already, or cannot become it.
    book.write_text(PLAYBOOKS[guide].replace("  become: true\n", ""), encoding="utf-8")
    return play(mock, folder, book, environment, inventory)


def test_each_service_has_a_playbook() -> None:
    assert set(PLAYBOOKS) == {"guide_proxmox_ve", "guide_backup_server", "guide_mail_gateway", "guide_on_the_node"}


@pytest.mark.parametrize(
    ("node", "exitstatus", "code", "says"),
    [
        ("pve1", "OK", 0, "verify backup:vm/100/6B07737B on pbs ended OK"),
        (
            "pve1",
            "verification failed",
            2,
            "There is a backup, but nobody has verified it: Wait for the verification: ",
        ),
        ("pve2", "OK", 2, "There was no task to wait for."),
    ],
)
def test_proxmox_ve_and_what_its_backup_server_verifies(
    tmp_path: pathlib.Path, node: str, exitstatus: str, code: int, says: str
) -> None:
    # Python 3.13 refuses PVE's own kind of authority in "uri"; the guide says so.
    with serve(key_usage=True) as pve, serve(service="pbs") as pbs:
        pve.scripts(type="vzdump", duration=0.3)
        pve.guest(vmid=100, node=node)
        mine = token_of(pve, "ansible@pve", **{"/vms/100": ["VM.Backup"]})
        storage = token_of(pbs, "pve@pbs")
        # The backup has yet to come, so what verifies it starts later than now.
        pbs.clock(advance=600)
        for guest in (100, 101):
            pbs.tasks(
                type="verify", id=f"backup:vm/{guest}/6B07737B", user="pve@pbs!tasks", duration=2, exitstatus=exitstatus
            )
        theirs = {
            "PBS_HOST": pbs.host,
            "PBS_PORT": str(pbs.port),
            "PBS_TOKEN_ID": storage["PROXMOX_TOKEN_ID"],
            "PBS_TOKEN_SECRET": SECRET,
            "PBS_CA_PATH": pbs.ca_path,
        }
        played = run(pve, tmp_path, "guide_proxmox_ve", {**mine, **theirs})
    assert played.code == code, played.output
    assert played.rows[-1]["result"]["msg"].startswith(says)
    assert SECRET not in played.output


@pytest.mark.parametrize(("exitstatus", "code"), [("OK", 0), ("verification failed", 2)])
def test_backup_server(tmp_path: pathlib.Path, exitstatus: str, code: int) -> None:
    with serve(service="pbs", key_usage=True) as mock:
        mock.scripts(type="garbage_collection", duration=0.3)
        mock.scripts(type="verificationjob", duration=0.5, exitstatus=exitstatus, log=[[0.1, "found 2 groups"]])
        right = {"/datastore/backup": ["Datastore.Modify", "Datastore.Verify"]}
        played = run(mock, tmp_path, "guide_backup_server", token_of(mock, "ansible@pbs", **right))
    assert played.code == code, played.output
    told = "2 tasks: 1 ok, 1 error; verificationjob backup:nightly-verify on pbs failed: verification failed"
    assert played.rows[-1]["result"]["msg"].startswith("2 tasks: 2 ok" if code == 0 else told)
    assert ("found 2 groups" in played.output) == bool(code)


def test_backup_server_where_one_of_two_is_refused(tmp_path: pathlib.Path) -> None:
    with serve(service="pbs", key_usage=True) as mock:
        mock.scripts(type="garbage_collection", duration=0.5)
        token = token_of(mock, "ansible@pbs", **{"/datastore/backup": ["Datastore.Modify"]})
        played = run(mock, tmp_path, "guide_backup_server", token)
    assert played.code == 2, played.output
    told = played.rows[-1]["result"]["msg"].splitlines()
    assert told[0].startswith("garbage_collection backup on pbs ended OK")
    assert told[1].startswith("verify/nightly-verify/run was not started: Status code was 4")


def test_mail_gateway(tmp_path: pathlib.Path) -> None:
    with serve(service="pmg", key_usage=True) as mock:
        mock.user(name="ansible@pmg", password=PASSWORD, role="admin")
        for kind in ("backup", "aptupdate"):
            mock.scripts(type=kind, duration=0.3)
        exported = {
            "PROXMOX_HOST": mock.host,
            "PROXMOX_PORT": str(mock.port),
            "PROXMOX_USER": "ansible@pmg",
            "PROXMOX_PASSWORD": PASSWORD,
            "PROXMOX_CA_PATH": mock.ca_path,
        }
        played = run(mock, tmp_path, "guide_mail_gateway", exported)
    assert played.code == 0, played.output
    assert played.rows[-1]["result"]["msg"] == "2 tasks: 2 ok."
    assert PASSWORD not in played.output


@pytest.mark.parametrize(("exitstatus", "code"), [("OK", 0), ("job errors", 2)])
def test_on_the_node(tmp_path: pathlib.Path, exitstatus: str, code: int) -> None:
    inventory = tmp_path / "hosts"
    inventory.write_text(f"[proxmox]\n{OWN_NODE}\n")
    with serve() as mock, concurrent.futures.ThreadPoolExecutor(1) as pool:
        [upid] = mock.tasks(node=OWN_NODE, type="vzdump", duration=None)["upids"]
        machine = StandIn(tmp_path, mock)
        playing = pool.submit(run, mock, tmp_path, "guide_on_the_node", machine.variables, str(inventory))
        while not (playing.done() or _seen(tmp_path / "results")):
            time.sleep(0.05)
        mock.task(upid=upid, finish=exitstatus)
        played = playing.result()
    assert played.code == code, played.output
    assert machine.starts
    (waited,) = [row["result"] for row in played.rows if row["action"].endswith("_wait")]
    assert [task["exitstatus"] for task in waited["tasks"]] == [exitstatus]
    assert ("TASK ERROR: job errors" in str(played.rows[-1]["result"].get("msg"))) == bool(code)


def _seen(results: pathlib.Path) -> bool:
    """Whether the first task is done: the backup was found running."""
    return results.exists() and results.stat().st_size > 0
