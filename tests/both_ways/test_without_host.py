# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays on a node itself, without ``api_host``: ``pvesh`` is asked, in both ways."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import time

import pytest
from ansible_collections.proxkit.tasks.tests.both_ways.playing import BY_MODULE, WAIT, ansible, book, play, prepare
from ansible_collections.proxkit.tasks.tests.both_ways.test_both_ways import steady
from ansible_collections.proxkit.tasks.tests.both_ways.test_interrupt import BEGIN_SECONDS, MARK, marked
from ansible_collections.proxkit.tasks.tests.mock_endpoint import serve
from ansible_collections.proxkit.tasks.tests.pvesh_stand_in import StandIn

LOG = ["größer", "INFO:  50% (1.0 GiB of 2.0 GiB) in 3s"]


def test_results_are_the_same(tmp_path: pathlib.Path) -> None:
    found = []
    with serve() as mock:
        [ended] = mock.tasks(type="vzdump", id="100", duration=0, exitstatus="job errors", log=LOG)["upids"]
        [runs] = mock.tasks(type="vzdump", id="101", duration=None, log=LOG)["upids"]
        for name, environment in (("here", {}), ("module", BY_MODULE)):
            folder = tmp_path / name
            env = prepare(folder, mock)
            machine = StandIn(folder, mock)
            # No library can be imported.
            for library in ("proxmoxer", "requests"):
                (folder / f"{library}.py").write_text("raise ImportError")
            env = {**env, **machine.variables, "PYTHONPATH": str(folder), "ANSIBLE_PIPELINING": "1"}
            env["ANSIBLE_KEEP_REMOTE_FILES"] = "1"
            del env["PROXMOX_CA_PATH"]
            task = {WAIT: {"upids": [ended, runs], "timeout": 6}, "register": "it", "ignore_errors": True}
            dump = {
                "ansible.builtin.copy": {
                    "content": "{{ it | to_json }}",
                    "dest": str(folder / "result"),
                    "mode": "0600",
                }
            }
            code, out, err = play(folder, env, book(None, [task, dump], {}, environment=environment))
            assert code == 0, out + err
            found.append(json.loads((folder / "result").read_text()))
            assert ("pve1 vzdump 101: 50 %" in err) == (name == "here")
            assert 2 <= len(machine.starts) <= 12
    here, by_module = map(steady, found)
    assert here == by_module
    assert [task["outcome"] for task in here["tasks"]] == ["error", "running"]
    assert here["tasks"][0]["log"] == [*LOG, "TASK ERROR: job errors"]
    assert here["timed_out"]


@pytest.mark.skipif(not pathlib.Path("/proc/self/environ").exists(), reason="needs /proc to find what is left running")
@pytest.mark.parametrize("environment", [{}, BY_MODULE], ids=["here", "module"])
@pytest.mark.parametrize("ends", ["interrupt", "deadline"])
def test_nothing_is_left_of_what_hangs(tmp_path: pathlib.Path, environment: dict[str, str], ends: str) -> None:
    with serve() as mock:
        [upid] = mock.tasks(type="vzdump", duration=None)["upids"]
        env = prepare(tmp_path, mock)
        machine = StandIn(tmp_path, mock)
        env = {**env, **machine.variables, MARK: str(tmp_path)}
        here = tmp_path / "numbers"
        machine.act(f"hang:{here}")
        task = {WAIT: {"upids": upid, "timeout": 300 if ends == "interrupt" else 1}}
        with ansible(tmp_path, env, book(None, [task], {}, environment=environment)) as child:
            if ends == "interrupt":
                end = time.monotonic() + BEGIN_SECONDS
                while not here.exists():
                    assert time.monotonic() < end, "nothing is asked"
                    time.sleep(0.05)
                os.killpg(child.pid, signal.SIGINT)
            out, err = child.communicate(timeout=BEGIN_SECONDS)
        assert child.returncode != 0
        assert "Traceback" not in out + err
        end = time.monotonic() + 5
        while marked(str(tmp_path)) and time.monotonic() < end:
            time.sleep(0.05)
        assert not marked(str(tmp_path))
