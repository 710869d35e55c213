# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation, executed: examples and the first playbook run against the mocked endpoint."""

from __future__ import annotations

import json
import pathlib
import re
import sys
import typing as t

import pytest
import yaml
from ansible_collections.proxkit.tasks.tests.docs.playing import exported, play
from ansible_collections.proxkit.tasks.tests.mock_endpoint import (
    OTP_CODE,
    OTP_PASSWORD,
    OTP_USER,
    ROOT_PASSWORD,
    TOKEN_ID,
    TOKEN_SECRET,
    Mock,
    serve,
)
from ansible_collections.proxkit.tasks.tests.mock_endpoint.pbs import world as pbs
from ansible_collections.proxkit.tasks.tests.unit.documented import ROOT, check_result, examples

HOSTS = ("127.0.0.1", "127.0.0.2")

# What examples say and a test cannot have, and what it has instead. All else is run as it is written.
STAND_INS = {
    ":8006/": ":{{ proxmox_port }}/",  # the endpoint listens on a free port
    "pve1.example.com": HOSTS[0],  # there is no name server
    "pve2.example.com": HOSTS[1],
    "/usr/bin/python3.12": sys.executable,  # there may be no other
}


Tasks = list[dict[str, t.Any]]
EXAMPLES = examples()


# Examples as they are written


@pytest.mark.parametrize("where", EXAMPLES)
def test_an_example_is_a_list_of_named_tasks_with_full_names(where: str) -> None:
    tasks = yaml.safe_load(EXAMPLES[where])
    assert tasks
    for task in tasks:
        assert re.match("[A-Z]", task["name"])
        used = {key for key in task if "." in key}
        assert used or "block" in task
        assert all(re.fullmatch(r"(ansible\.builtin|proxkit\.tasks)\.\w+", key) for key in used)


@pytest.mark.parametrize("text", STAND_INS)
def test_a_stand_in_is_needed(text: str) -> None:
    assert any(text in example for example in EXAMPLES.values())


# Running playbooks


@pytest.fixture
def company() -> t.Iterator[Mock]:
    """A cluster with certificates that ``uri`` takes on every Python, unlike those of PVE's own authority."""
    with serve(hosts=HOSTS, key_usage=True) as mock:
        yield mock


@pytest.fixture
def backup_server(company: Mock) -> t.Iterator[Mock]:
    """The company's Backup Server, trusted where the cluster is."""
    with serve(service="pbs") as mock:
        with open(company.ca_path, "ab") as file:
            file.write(pathlib.Path(mock.ca_path).read_bytes())
        yield mock


def test_all_examples_run_and_say_what_they_promise(company: Mock, backup_server: Mock, tmp_path: pathlib.Path) -> None:
    company.scripts(type="vzdump", duration=0.3)
    company.scripts(type="qmstart", times=None, duration=0.3)
    company.tasks(upid="UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:", duration=60, log=["a", "b"])
    company.tasks(node="pve2", type="vzdump", id="110", start=-300, duration=60, exitstatus="job errors", log=["c"])
    company.tasks(node="pve2", type="vzdump", id="111", duration=None)
    migrations = company.tasks(node=["pve1", "pve2"], type="qmigrate", id=100, duration=0.5, count=3)["upids"]
    failed = company.tasks(type="vzdump", id="103", start=-9, duration=5, exitstatus="job errors")["upids"]
    company.settings(ha_delay=0.5, stop_seconds=0.2)
    request = company.tasks(node="pve2", type="hamigrate", id="111", duration=0.1)["upids"]
    company.tasks(node="pve2", type="qmigrate", id="111", user="root@pam", start=0.5, duration=1)
    variables = {
        **_credentials(company),
        "upid": migrations[0],
        "migrations": {"results": [{"json": {"data": upid}} for upid in migrations]},
        "started": {"results": [{"json": {"data": upid}} for upid in [*migrations, *failed]]},
        "ha_request": {"json": {"data": request[0]}},
        "api": f"https://{company.host}:{company.port}/api2/json",
        "token": f"{TOKEN_ID}={TOKEN_SECRET}",
        "backup_host": f"{backup_server.host}:{backup_server.port}",
        "backup_token_id": pbs.TOKEN_ID,
        "backup_token_secret": pbs.TOKEN_SECRET,
    }
    plays = [yaml.safe_load(example) for example in EXAMPLES.values()]

    played = play(company, tmp_path, _playbook(tmp_path, plays, variables))

    assert played.code == 0, played.output
    wanted = [name for example in EXAMPLES.values() for name in _names(yaml.safe_load(example))]
    assert [row["task"] for row in played.rows] == wanted
    said = [row["result"]["msg"] for row in played.rows if row["action"] == "ansible.builtin.debug"]
    promised = _promised()
    assert promised
    for name, message in promised.items():
        (told,) = [row["result"]["msg"] for row in played.rows if row["task"] == name and "msg" in row["result"]]
        assert str(told) == str(message)
    assert all(said), "a message that is empty shows nothing"
    for row in played.rows:
        if row["action"].startswith("proxkit.tasks."):
            check_result(row["action"].rpartition(".")[2], row["result"])


def test_one_code_is_enough_for_several_tasks(company: Mock, tmp_path: pathlib.Path) -> None:
    [upid] = company.tasks(type="vzdump", id="100", start=-9, duration=5, exitstatus="job errors")["upids"]
    tasks = yaml.safe_load(EXAMPLES["guide_authentication"])
    names = [task["name"] for task in tasks]
    first, last = names.index("Log in"), names.index("Do all else with the ticket")
    who = {"proxmox_user": OTP_USER, "proxmox_password": OTP_PASSWORD, "proxmox_otp": OTP_CODE}
    company.reset_counters()

    playbook = _playbook(tmp_path, [tasks[first : last + 1]], {**_credentials(company), **who})
    # The token that the README exports is no matter to it.
    token = {"PROXMOX_TOKEN_ID": TOKEN_ID, "PROXMOX_TOKEN_SECRET": TOKEN_SECRET}
    played = play(company, tmp_path, playbook, {"PROXMOX_PORT": str(company.port), **token})

    assert played.code == 0, played.output
    assert [row["task"] for row in played.rows] == list(_names(tasks[first : last + 1]))
    assert [task["upid"] for task in played.rows[-1]["result"]["tasks"]] == [upid]
    counters = company.counters()
    assert counters["failed_logins"] == counters["failed_authentications"] == 0
    assert not [secret for secret in (OTP_PASSWORD, OTP_CODE) if secret in played.output]


@pytest.mark.parametrize(
    ("exitstatus", "code", "last"),
    [
        ("OK", 0, {"task": "Go on with what needs the backup", "says": "vzdump 100 on pve1 ended OK"}),
        ("job errors", 2, {"task": "Say why there is no backup", "says": "vzdump 100 on pve1 failed: job errors"}),
    ],
)
def test_the_first_playbook_acts_on_how_the_job_ended(
    company: Mock, tmp_path: pathlib.Path, exitstatus: str, code: int, last: dict[str, str]
) -> None:
    company.scripts(type="vzdump", duration=0.3, exitstatus=exitstatus, log=[[0.1, "INFO: Starting Backup of VM 100"]])
    played = play(company, tmp_path, ROOT / "examples/first_playbook.yml")
    assert played.code == code, played.output
    assert played.rows[-1]["task"] == last["task"]
    assert played.rows[-1]["result"]["msg"].startswith(last["says"])
    assert ("TASK ERROR: job errors" in played.output) == bool(code)


def test_the_first_playbook_takes_no_backup_for_none_at_all(company: Mock, tmp_path: pathlib.Path) -> None:
    company.guest(vmid=100, node="pve2")
    played = play(company, tmp_path, ROOT / "examples/first_playbook.yml")
    assert played.code == 2, played.output
    assert played.rows[0]["result"]["json"]["data"] == "OK"
    assert played.rows[-1]["task"] == "Say why there is no backup"
    assert played.rows[-1]["result"]["msg"] == "There was no task to wait for."


def test_the_first_playbook_says_what_was_refused_before_anything_was_asked(
    company: Mock, tmp_path: pathlib.Path
) -> None:
    environment = {**exported(company), "PROXMOX_VALIDATE_CERTS": "perhaps"}
    played = play(company, tmp_path, ROOT / "examples/first_playbook.yml", environment)
    assert played.code == 2, played.output
    assert played.rows[-1]["task"] == "Say why there is no backup"
    assert "PROXMOX_VALIDATE_CERTS" in played.rows[-1]["result"]["msg"]


# Parts of the above


def _credentials(mock: Mock) -> dict[str, t.Any]:
    """The variables that examples read, for the user without a second factor."""
    return {
        "proxmox_host": mock.host,
        "proxmox_port": mock.port,
        "proxmox_token_id": TOKEN_ID,
        "proxmox_token_secret": TOKEN_SECRET,
        "proxmox_user": "root@pam",
        "proxmox_password": ROOT_PASSWORD,
        "proxmox_ca_path": mock.ca_path,
    }


def _playbook(folder: pathlib.Path, plays: list[Tasks], variables: dict[str, t.Any]) -> pathlib.Path:
    """A play for each list of tasks, with the stand-ins."""
    common = {"hosts": "localhost", "gather_facts": False, "vars": variables}
    text = json.dumps([{**common, "tasks": tasks} for tasks in plays])
    for written, stand_in in STAND_INS.items():
        text = text.replace(written, stand_in)
    path = folder / "examples.yml"
    path.write_text(text)
    return path


def _names(tasks: Tasks) -> t.Iterator[str]:
    for task in tasks:
        if "block" in task:
            yield from _names([*task["block"], *task.get("rescue", ())])
        else:
            yield task["name"]


def _promised() -> dict[str, t.Any]:
    """What examples say in a comment that their message will be, by the task's name."""
    found = {}
    for text in EXAMPLES.values():
        for task in re.split("^(?=- name: )", text, flags=re.MULTILINE):
            comment = re.search("^# (msg: .*)$", task, re.MULTILINE)
            if comment:
                found[yaml.safe_load(task)[0]["name"]] = yaml.safe_load(comment[1])["msg"]
    return found
