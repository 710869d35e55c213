# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one module call in a playbook costs."""

from __future__ import annotations

import subprocess
import sys
import time
import typing as t
import zipfile

from _common import (
    NODES,
    ROOT,
    Json,
    Mock,
    Options,
    Row,
    Sample,
    ansible_environment,
    compare,
    connection,
    playbook,
    process,
    say,
)

NAME = "call"
CALLS = 10


def measure(mock: Mock, options: Options) -> t.Iterator[Row]:
    """Our modules on a finished task against Ansible's own floor and community.proxmox; start of Ansible deducted."""
    [upid] = mock.tasks(node=NODES[0], start=-60, duration=10)
    ours: dict[str, Json] = {
        "proxmox_task_info": {"proxkit.tasks.proxmox_task_info": {**connection(mock), "upids": upid}},
        "proxmox_task_wait": {"proxkit.tasks.proxmox_task_wait": {**connection(mock), "upids": upid}},
    }
    peers: dict[str, Json] = {"ansible.builtin.ping": {"ansible.builtin.ping": {}}}
    if options.with_ansible:
        _provide_community_proxmox(options)
        peers["community.proxmox.proxmox_tasks_info"] = {"community.proxmox.proxmox_tasks_info": _theirs(mock, upid)}
    tasks = {**ours, **peers}
    samples: dict[str, list[Sample]] = {name: [] for name in tasks}
    for run in range(options.runs):
        say(f"run {run + 1} of {options.runs}")
        nothing, _cost = _run(mock, options, peers["ansible.builtin.ping"], 0)
        for name, task in tasks.items():
            seconds, cost = _run(mock, options, task, CALLS)
            asked = {} if name == "ansible.builtin.ping" else {"requests a call": cost["requests"] / CALLS}
            samples[name].append({"s a call": (seconds - nothing) / CALLS, **asked})
    for name in ours:
        for peer in peers:
            yield from compare(name, samples[name], peer, samples[peer])


def _run(mock: Mock, options: Options, task: Json, calls: int) -> tuple[float, Sample]:
    mock.call("counters/reset")
    command = playbook(options.scratch, [{**task, "loop": list(range(calls))}])
    begun = time.monotonic()
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with process(command, env=ansible_environment(options.scratch), **streams) as child:
        output, _nothing = child.communicate()
    seconds = time.monotonic() - begun
    if child.returncode:
        sys.exit(output)
    return seconds, mock.cost()


def _theirs(mock: Mock, upid: str) -> Json:
    state = mock.state
    user, _mark, token = state["token_id"].partition("!")
    return {
        "api_host": state["host"],
        "api_port": state["port"],
        "api_user": user,
        "api_token_id": token,
        "api_token_secret": state["token_secret"],
        "validate_certs": False,
        "node": NODES[0],
        "task": upid,
    }


def _provide_community_proxmox(options: Options) -> None:
    """Take the collection out of PyPI's ansible package, which is kept for the next time."""
    kept = ROOT / ".dev/bench"
    wheels = list(kept.glob("ansible-*.whl"))
    if not wheels:
        say("fetching PyPI's ansible package (50 MB) into .dev/bench")
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--ignore-requires-python"]
        download += ["--only-binary", ":all:", "--dest", str(kept), "-r", str(ROOT / "benchmarks/requirements.txt")]
        subprocess.run(download, check=True)  # noqa: S603 - its own command
        wheels = list(kept.glob("ansible-*.whl"))
    with zipfile.ZipFile(wheels[0]) as wheel:
        wanted = [name for name in wheel.namelist() if name.startswith("ansible_collections/community/proxmox/")]
        wheel.extractall(options.scratch, wanted)
