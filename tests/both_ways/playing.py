# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs plays with waits in them, in Ansible's own process or by module."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import typing as t

from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.proxkit.tasks.tests.both_ways.rows import DATE, VAULT, Json, Row
from ansible_collections.proxkit.tasks.tests.mock_endpoint import TOKEN_ID, TOKEN_SECRET, Mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
WAIT = "proxkit.tasks.proxmox_task_wait"
VAULT_PASSWORD = "of the vault"
INVENTORY = "localhost ansible_connection=local\nelsewhere ansible_connection=local\n"
PATIENCE_SECONDS = 300  # on a busy machine
# Given to a task, a module of its own runs.
BY_MODULE = {"BY_MODULE": "1"}


def prepare(folder: pathlib.Path, mock: Mock) -> dict[str, str]:
    """Files that plays need, in ``play`` of the folder, and the environment to run them with."""
    installed = folder / "collections/ansible_collections/proxkit/tasks"
    installed.parent.mkdir(parents=True)
    installed.symlink_to(ROOT, target_is_directory=True)
    files = folder / "play/files"
    files.mkdir(parents=True)
    shutil.copy(mock.ca_path, files / "ca.pem")
    (files / "empty.pem").touch()
    (folder / "inventory").write_text(INVENTORY)
    (folder / "vault").write_text(VAULT_PASSWORD)
    settings = ("ANSIBLE", "PROXMOX", "PYTHONUNBUFFERED")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(settings)},
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "PROXMOX_CA_PATH": mock.ca_path,
        "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
        "ANSIBLE_INVENTORY": str(folder / "inventory"),
        # On another Python than the controller's where tests/matrix.py says so.
        "ANSIBLE_PYTHON_INTERPRETER": os.environ.get("TARGET_PYTHON", sys.executable),
        "ANSIBLE_ASYNC_DIR": str(folder / "async"),
        "ANSIBLE_REMOTE_TMP": str(folder / "modules"),
        "ANSIBLE_VAULT_PASSWORD_FILE": str(folder / "vault"),
    }


def book(mock: Mock | None, tasks: t.Sequence[Json], variables: Json, **keywords: t.Any) -> str:
    """A playbook of these tasks, with the connection set once for all; none: this machine is asked."""
    connection = (
        {}
        if mock is None
        else {
            "api_host": mock.host,
            "api_port": mock.port,
            "api_token_id": TOKEN_ID,
            "api_token_secret": TOKEN_SECRET,
        }
    )
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {**({} if mock is None else {"host": mock.host, "port": mock.port}), **variables},
        "module_defaults": {"group/proxkit.tasks.proxmox": connection},
        "tasks": list(tasks),
        **keywords,
    }
    secret = VaultLib([("default", VaultSecret(VAULT_PASSWORD.encode()))]).encrypt(TOKEN_SECRET)
    text = json.dumps([play], indent=1).replace(f'"{DATE}"', "2024-01-01")
    return text.replace(f'"{VAULT}"', f"!vault {json.dumps(secret.decode())}")


def task_of(number: int, name: str, row: Row) -> Json:
    """The task for a row of the table."""
    task = {"name": name, WAIT: row.options, "register": f"row_{number}", "ignore_errors": True, **row.keywords}
    return {"block": [task], **row.block} if row.block else task


@contextlib.contextmanager
def ansible(folder: pathlib.Path, env: t.Mapping[str, str], text: str) -> t.Iterator[subprocess.Popen[str]]:
    """ansible-playbook at work on a playbook, in a process group of its own that is gone when the block ends."""
    path = folder / "play/play.yml"
    path.write_text(text, encoding="utf-8")
    with subprocess.Popen(  # noqa: S603 - the tests' own playbooks, without a shell
        [sys.executable, "-m", "ansible.cli.playbook", str(path)],
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            yield child
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


def play(folder: pathlib.Path, env: t.Mapping[str, str], text: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a playbook."""
    with ansible(folder, env, text) as child:
        out, err = child.communicate(timeout=PATIENCE_SECONDS)
        return child.returncode, out, err
