# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a secret could show while plays run, and what they leave: at ``-vvvv``, all modules, both ways."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pathlib
import tempfile
import threading
import typing as t
from urllib.parse import quote

import pytest
from ansible_collections.proxkit.tasks.tests.both_ways.playing import BY_MODULE, PATIENCE_SECONDS, ansible, prepare
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

WRONG = "not the pass/word €"
SECRETS = {"right": ROOT_PASSWORD, "first": OTP_PASSWORD, "second": OTP_CODE, "token": TOKEN_SECRET, "wrong": WRONG}
FORMS = {form for text in SECRETS.values() for form in (text, quote(text, safe=""), json.dumps(text)[1:-1])}
ROOT = {"api_user": "root@pam", "api_password": "{{ right }}"}
# Who asks, with names of the secrets above.
CASES: dict[str, dict[str, t.Any]] = {
    "token": {"api_token_id": TOKEN_ID, "api_token_secret": "{{ token }}"},
    "password": ROOT,
    "code": {"api_user": OTP_USER, "api_password": "{{ first }}", "api_otp": "{{ second }}"},
    "wrong token": {"api_token_id": TOKEN_ID, "api_token_secret": "{{ wrong | urlencode }}"},
    "wrong password": {"api_user": "root@pam", "api_password": "{{ wrong }}"},
    "token pasted": {"api_token_id": f"{TOKEN_ID}={{{{ token }}}}"},
    "in an address": {"api_host": "https://root:{{ token }}@pve1/", **ROOT},
    "odd option": {**ROOT, "api_timeout": "{{ right }}"},
    "nobody there": {**ROOT, "api_port": 1},
}
FEW = ("password", "wrong password", "odd option")
# What the others do is by module in any case.
TASKS = [("wait", case) for case in CASES] + [(module, case) for module in ("info", "stop") for case in FEW]


def book(mock: Mock, upid: str, environment: dict[str, str]) -> str:
    there = {"api_host": mock.host, "api_port": mock.port, "upids": upid}
    tasks = [
        {"name": case, f"proxkit.tasks.proxmox_task_{module}": {**there, **CASES[case]}, "ignore_errors": True}
        for module, case in TASKS
        if module == "wait" or not environment
    ]
    play = {"hosts": "localhost", "gather_facts": False, "vars_files": ["secrets.json"], "environment": environment}
    return json.dumps([{**play, "tasks": tasks}], indent=1)


def descendants(pid: int) -> set[int]:
    """The process and all below it."""
    found: set[int] = {pid}
    parents: dict[int, int] = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    while True:
        more = {child for child, parent in parents.items() if parent in found} - found
        if not more:
            return found
        found |= more


class Onlooker:
    """Notes what a process and those below it show to others, as long as the block lasts."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.seen: set[bytes] = set()

    def __enter__(self) -> Onlooker:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            for pid in descendants(self._pid):
                for name in ("cmdline", "environ"):
                    with contextlib.suppress(OSError):
                        self.seen.add(pathlib.Path(f"/proc/{pid}/{name}").read_bytes())


@pytest.fixture
def temporary() -> t.Iterator[str]:
    """For temporary files; below the test's own folder, the names of Ansible's sockets there may get too long."""
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        yield folder


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no other way to see what processes show")
@pytest.mark.parametrize("environment", [{}, BY_MODULE], ids=["here", "by module"])
def test_no_secret_shows_or_is_left(tmp_path: pathlib.Path, temporary: str, environment: dict[str, str]) -> None:
    with serve() as mock:
        [upid] = mock.tasks(type="qmstart", id=100, duration=0)["upids"]
        log = tmp_path / "ansible.log"
        env = {
            **prepare(tmp_path, mock),
            "ANSIBLE_VERBOSITY": "4",
            "ANSIBLE_LOG_PATH": str(log),
            "ANSIBLE_INJECT_INVOCATION": "1",
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
            "TMPDIR": temporary,
        }
        given = tmp_path / "play/secrets.json"
        given.write_text(json.dumps(SECRETS))
        with ansible(tmp_path, env, book(mock, upid, environment)) as child, Onlooker(child.pid) as onlooker:
            out, err = child.communicate(timeout=PATIENCE_SECONDS)
    assert child.returncode == 0, out + err
    assert out.count('"outcome": "ok"') == 3 + 2 * (not environment)
    assert any(b"ansible" in shown for shown in onlooker.seen)
    found = {"output": out + err, "processes": b"\n".join(onlooker.seen).decode("utf-8", "replace")}
    # Walking follows no link to the clone.
    for folder, _folders, names in itertools.chain(os.walk(tmp_path), os.walk(temporary)):
        for path in (pathlib.Path(folder, name) for name in names):
            if path != given:
                found[str(path)] = path.read_bytes().decode("utf-8", "replace")
    assert str(log) in found
    assert {where for where, text in found.items() for form in FORMS if form in text} == set()
    # Modules are files with all that they are given, as long as they run.
    assert not [path for path in (tmp_path / "modules").rglob("*") if path.is_file()]
