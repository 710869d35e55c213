# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint as a process of its own: its state file, and the ways it ends."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import typing as t
import urllib.request

from ansible_collections.proxkit.tasks.tests import mock_endpoint

TESTS = pathlib.Path(mock_endpoint.__file__).parent.parent


def run(folder: pathlib.Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Start it in the background."""
    return subprocess.run(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "mock_endpoint", "--state-file", str(folder / "state.json"), "--daemon", *options],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def start(folder: pathlib.Path, *options: str) -> dict[str, t.Any]:
    """Start it and return what its state file says."""
    done = run(folder, *options)
    state = json.loads((folder / "state.json").read_text())
    said = f"listening on {state['host']}:{state['port']}, control {state['control_url']}\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")
    return t.cast("dict[str, t.Any]", state)


def wait_until_gone(folder: pathlib.Path) -> None:
    """Wait until it has taken away everything it made."""
    for _look in range(500):
        if not list(folder.iterdir()):
            return
        time.sleep(0.02)  # another process is waited for: no clock to inject
    raise AssertionError(f"still there: {list(folder.iterdir())}")


def test_state_file_and_end_by_signal(tmp_path: pathlib.Path) -> None:
    state = start(tmp_path, "--service", "pve", "--nodes", "alpha,beta", "--max-seconds", "60")
    try:
        assert pathlib.Path(state["ca_path"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
        assert (state["token_id"], state["token_secret"]) == (mock_endpoint.TOKEN_ID, mock_endpoint.TOKEN_SECRET)
        assert state["service"] == "pve"
        url = f"{state['control_url']}/tasks"
        with urllib.request.urlopen(url, b'{"node": "beta"}', timeout=10) as answer:  # noqa: S310 - a loopback URL
            assert ":beta:" in json.load(answer)["upids"][0].replace("UPID", "")
    finally:
        os.kill(state["pid"], signal.SIGTERM)
    wait_until_gone(tmp_path)


def test_a_backup_server_is_told_of_as_a_cluster_is(tmp_path: pathlib.Path) -> None:
    state = start(tmp_path, "--service", "pbs", "--max-seconds", "60")
    try:
        assert state["service"] == "pbs"
        assert {*mock_endpoint.PRODUCTS["pve"].known} <= {*state}
    finally:
        os.kill(state["pid"], signal.SIGTERM)
    wait_until_gone(tmp_path)


def test_a_mail_gateway_has_no_tokens(tmp_path: pathlib.Path) -> None:
    state = start(tmp_path, "--service", "pmg", "--max-seconds", "60")
    try:
        assert (state["service"], state["user"], state["auditor_user"]) == ("pmg", "root@pam", "auditor@pmg")
        assert not [name for name in state if "token" in name]
    finally:
        os.kill(state["pid"], signal.SIGTERM)
    wait_until_gone(tmp_path)


def test_it_ends_with_the_process_it_was_started_for(tmp_path: pathlib.Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as owner:
        start(tmp_path, "--exit-with", str(owner.pid), "--max-seconds", "60")
        assert owner.poll() is None
    wait_until_gone(tmp_path)


def test_it_ends_in_time_of_its_own(tmp_path: pathlib.Path) -> None:
    assert run(tmp_path, "--max-seconds", "0.01").returncode == 0
    wait_until_gone(tmp_path)


def test_why_it_did_not_start(tmp_path: pathlib.Path) -> None:
    done = run(tmp_path, "--hosts", "192.0.2.1")
    assert (done.returncode, done.stdout, "OSError" in done.stderr) == (1, "", True)
    assert not list(tmp_path.iterdir())
