# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C in the middle of a wait."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import time

import pytest
from ansible_collections.proxkit.tasks.tests.both_ways.playing import WAIT, ansible, book, prepare
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock, serve

MARK = "PROXKIT_TASKS_TEST"
BEGIN_SECONDS = 60


def marked(mark: str) -> list[int]:
    """The processes that have inherited ``mark`` in their environment, in whatever session they are."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"{MARK}={mark}".encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def until_asked(mock: Mock, times: int) -> None:
    end = time.monotonic() + BEGIN_SECONDS
    while mock.counters()["requests"].get("GET status", 0) < times:
        assert time.monotonic() < end, "nothing is waited for"
        time.sleep(0.05)


@pytest.mark.skipif(not pathlib.Path("/proc/self/environ").exists(), reason="needs /proc to find what is left running")
def test_ends_the_play_at_once_and_leaves_the_tasks_alone(tmp_path: pathlib.Path) -> None:
    with serve() as mock:
        upids = mock.tasks(type="vzdump", duration=None, count=2, node=["pve1", "pve2"])["upids"]
        env = {**prepare(tmp_path, mock), MARK: str(tmp_path)}
        with ansible(tmp_path, env, book(mock, [{WAIT: {"upids": upids}}, {"ansible.builtin.ping": {}}], {})) as child:
            until_asked(mock, 4)
            assert marked(str(tmp_path))
            begun = time.monotonic()
            os.killpg(child.pid, signal.SIGINT)
            out, err = child.communicate(timeout=BEGIN_SECONDS)
            assert time.monotonic() - begun < 5
        assert child.returncode != 0
        assert "ping" not in out
        assert "Traceback" not in out + err
        assert not marked(str(tmp_path))
        left = [mock.world.task(upid) for upid in upids]
        assert all(task is not None and task.end is None for task in left)
