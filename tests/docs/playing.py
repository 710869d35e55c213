# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs playbooks as a user does who installed the collection."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import typing as t

from ansible_collections.proxkit.tasks.tests.mock_endpoint import TOKEN_ID, TOKEN_SECRET, Mock
from ansible_collections.proxkit.tasks.tests.unit.documented import ROOT, code_blocks

NAME = "ansible_collections/proxkit/tasks"

# Writes a line for each result, so that the test sees values and not what a terminal shows of them.
CALLBACK = """
import json, os
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME = 2.0, "notification", "results"

    def write(self, result, *args, **kwargs):
        task = result._task if hasattr(result, "_task") else result.task
        values = result._result if hasattr(result, "_result") else result.result
        row = {"task": task.name, "action": task.action, "result": self._clean(values)}
        with open(os.environ["RESULTS_FILE"], "a") as file:
            file.write(json.dumps(row, default=str) + "\\n")

    def _clean(self, values):
        return {key: value for key, value in values.items() if not key.startswith("_ansible")}

    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_skipped = v2_runner_on_unreachable = write
"""


@dataclasses.dataclass(frozen=True)
class Played:
    """How a playbook ended: exit status, output, and one row for each task that ran."""

    code: int
    output: str
    rows: list[dict[str, t.Any]]


def play(
    mock: t.Optional[Mock],
    folder: pathlib.Path,
    playbook: pathlib.Path,
    environment: t.Optional[dict[str, str]] = None,
    inventory: str = "localhost,",
) -> Played:
    """Run a playbook as a user does who installed the collection; the configuration is the guide's own.

    ``environment`` replaces the connection's variables; where there is no mock, they lead elsewhere.
    """
    installed = folder / "home/.ansible/collections" / NAME
    installed.parent.mkdir(parents=True)
    installed.symlink_to(ROOT, target_is_directory=True)
    (config,) = code_blocks("guide_upids", "ini")
    (folder / "ansible.cfg").write_text(config)
    (folder / "callback").mkdir()
    (folder / "callback/results.py").write_text(CALLBACK)
    results = folder / "results"
    results.touch()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PROXMOX_"))}
    done = subprocess.run(  # noqa: S603 - the tests' own playbooks, without a shell
        [sys.executable, "-m", "ansible.cli.playbook", "-i", inventory, "-c", "local", str(playbook)],
        cwd=folder,
        env={
            **inherited,
            "HOME": str(folder / "home"),
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_CALLBACK_PLUGINS": str(folder / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "results",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "RESULTS_FILE": str(results),
            "LC_ALL": "C.UTF-8",
            **(exported(mock) if mock and environment is None else environment or {}),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return Played(done.returncode, done.stdout, [json.loads(line) for line in results.read_text().splitlines()])


def exported(mock: Mock) -> dict[str, str]:
    """What a user exports for all playbooks."""
    return {
        "PROXMOX_HOST": mock.host,
        "PROXMOX_PORT": str(mock.port),
        "PROXMOX_TOKEN_ID": TOKEN_ID,
        "PROXMOX_TOKEN_SECRET": TOKEN_SECRET,
        "PROXMOX_CA_PATH": mock.ca_path,
    }
