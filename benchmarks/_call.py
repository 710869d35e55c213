# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one module call in a playbook costs."""

from __future__ import annotations

import itertools
import statistics
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
CALLS = 20
BY_MODULE = "the same by module"
# Ways to make that many calls in a playbook.
FORMS: dict[str, t.Callable[[Json], list[Json]]] = {
    "tasks": lambda task: [task] * CALLS,
    "loop": lambda task: [{**task, "loop": list(range(CALLS))}],
}


def measure(mock: Mock, options: Options) -> t.Iterator[Row]:
    """Our modules on a finished task against Ansible's own floor and community.proxmox; start of Ansible deducted."""
    [upid] = mock.tasks(node=NODES[0], start=-60, duration=10)
    wait: Json = {"proxkit.tasks.proxmox_task_wait": {**connection(mock), "upids": upid}}
    ours: dict[str, Json] = {
        "proxmox_task_wait": wait,
        "proxmox_task_info": {"proxkit.tasks.proxmox_task_info": {**connection(mock), "upids": upid}},
    }
    peers: dict[str, Json] = {
        "ansible.builtin.ping": {"ansible.builtin.ping": {}},
        # An environment of its own keeps it out of Ansible's own process.
        BY_MODULE: {**wait, "environment": {"BY": "module"}},
    }
    if options.with_ansible:
        _provide_community_proxmox(options)
        peers["community.proxmox.proxmox_tasks_info"] = {"community.proxmox.proxmox_tasks_info": _theirs(mock, upid)}
    tasks = {**ours, **peers}
    samples: dict[tuple[str, str], list[Sample]] = {(name, form): [] for name in tasks for form in FORMS}
    starts = []
    for run in range(options.runs):
        say(f"run {run + 1} of {options.runs}")
        starts.append(_run(mock, options, [{**peers["ansible.builtin.ping"], "loop": []}])[0])
        for (name, form), found in samples.items():
            seconds, cost = _run(mock, options, FORMS[form](tasks[name]))
            asked = {} if name == "ansible.builtin.ping" else {"requests a call": cost["requests"] / CALLS}
            found.append({"s a call": seconds / CALLS, **asked})
    start = statistics.median(starts)
    for sample in itertools.chain(*samples.values()):
        sample["s a call"] -= start / CALLS
    for name, form in itertools.product(ours, FORMS):
        for peer in (peer for peer in peers if peer != BY_MODULE or name == "proxmox_task_wait"):
            yield from compare(f"{name}, {form}", samples[name, form], peer, samples[peer, form])


def _run(mock: Mock, options: Options, tasks: list[Json]) -> tuple[float, Sample]:
    mock.call("counters/reset")
    command = playbook(options.scratch, tasks)
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
