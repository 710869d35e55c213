# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our modules at a server that our own mock has nothing to do with.

Where it is not like the genuine one (0.5.0), the tests say so beside what comes of it. Beyond them: no task of its own
ends with warnings; its log has no ``total``; ``GET /cluster/tasks`` is made up; no list looks at ``source``, ``since``,
``until``, ``typefilter``, ``userfilter`` or ``statusfilter``.
"""

from __future__ import annotations

import pytest
from ansible_collections.proxkit.tasks.tests.neighbours.fake import serve
from ansible_collections.proxkit.tasks.tests.neighbours.plays import OURS, Json, call, results
from ansible_collections.proxkit.tasks.tests.unit.documented import check_result

WAIT, INFO, STOP = (f"{OURS}.proxmox_task_{what}" for what in ("wait", "info", "stop"))
CAUSE = "volume 'local-lvm:vm-101-disk-0' does not exist"
UNKNOWN = "UPID:pve1:00001000:00001000:6700AAAA:qmstart:100:root@pam:"
# The first three are waited for by Ansible itself, the next by the module; the last one outlasts all.
GUESTS: list[Json] = [
    {"vmid": 100, "name": "slow", "start_secs": 3},
    {"vmid": 101, "name": "broken", "start_error": CAUSE},
    {"vmid": 102, "name": "quick"},
    {"vmid": 110, "name": "slower", "start_secs": 6},
    {"vmid": 111, "name": "as-broken", "start_error": CAUSE},
    {"vmid": 112, "name": "as-quick"},
    {"vmid": 120, "name": "endless", "start_secs": 600},
]
EXPECTED = [("ok", "OK"), ("error", CAUSE), ("ok", "OK")]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    folder = tmp_path_factory.mktemp("play")
    with serve(folder, GUESTS) as fake:
        *started, endless = [fake.start(guest["vmid"]) for guest in GUESTS]
        report = {"log": "always", "fail_on": "never", "timeout": 60}
        tasks = [
            call("itself", WAIT, {"upids": started[:3], **report}),
            call("module", WAIT, {"upids": started[3:], **report}, environment={"BY_MODULE": "1"}),
            call("failing", WAIT, {"upids": started}),
            call("named", INFO, {"upids": started, "log": "not_ok"}),
            call("listed", INFO, {"type": "qmstart", "outcome": "error", "vmid": 101, "since": "1h"}),
            call("running", INFO, {"node": "pve1", "outcome": "running", "source": "all"}),
            call("stop", STOP, {"upids": [endless, started[0]], "timeout": 1}),
            call("unknown", WAIT, {"upids": UNKNOWN, "timeout": 0}),
            call("refused", WAIT, {"upids": started[0], "api_password": "wrong"}),
        ]
        return results(folder, fake.environment, tasks)


@pytest.mark.parametrize("way", ["itself", "module"])
def test_how_tasks_end(told: dict[str, Json], way: str) -> None:
    check_result("proxmox_task_wait", told[way])
    tasks = told[way]["tasks"]
    assert [(task["outcome"], task["exitstatus"]) for task in tasks] == EXPECTED
    assert told[way]["failed_upids"] == [tasks[1]["upid"]]
    assert [task["log"][-1] for task in tasks] == ["TASK OK", f"TASK ERROR: {CAUSE}", "TASK OK"]
    assert tasks[0]["endtime"] - tasks[0]["starttime"] == tasks[0]["duration"] >= 3


def test_one_that_failed_fails_the_play(told: dict[str, Json]) -> None:
    assert told["failing"]["failed"]
    assert CAUSE in told["failing"]["msg"]
    assert [task["outcome"] for task in told["failing"]["tasks"]] == ["ok", "error", "ok"] * 2


def test_named_tasks(told: dict[str, Json]) -> None:
    check_result("proxmox_task_info", told["named"])
    assert [(task["outcome"], task["exitstatus"]) for task in told["named"]["tasks"]] == EXPECTED * 2
    assert [task["log"] for task in told["named"]["tasks"][:2]] == [None, [CAUSE, f"TASK ERROR: {CAUSE}"]]


def test_listed_tasks(told: dict[str, Json]) -> None:
    """Of all filters its lists heed ``vmid`` alone; what comes is held to the others."""
    assert [task["upid"] for task in told["listed"]["tasks"]] == [told["named"]["tasks"][1]["upid"]]


def test_running_tasks(told: dict[str, Json]) -> None:
    """Its lists do not say ``RUNNING`` of a task that runs, as the genuine ones do, so none is taken for running."""
    assert not told["running"]["tasks"]
    assert not told["running"]["failed"]


def test_what_cannot_be_stopped(told: dict[str, Json]) -> None:
    """It answers a request to stop as the genuine server does, and goes on: nobody claims that the task is gone."""
    check_result("proxmox_task_stop", told["stop"])
    assert told["stop"]["failed"]
    assert told["stop"]["timed_out"]
    assert [task["outcome"] for task in told["stop"]["tasks"]] == ["running", "ok"]
    assert not told["stop"]["stopped_upids"]


def test_an_unknown_task(told: dict[str, Json]) -> None:
    """It says 500 where the genuine server says 400, so it may be a fault that passes: waited out, and quoted."""
    assert told["unknown"]["failed"]
    assert "says 500 unable to parse worker upid" in told["unknown"]["msg"]
    assert [task["outcome"] for task in told["unknown"]["tasks"]] == ["unseen"]


def test_a_refused_login(told: dict[str, Json]) -> None:
    assert told["refused"]["failed"]
    assert "says 401 authentication failure: check api_user (root@pam) and api_password" in told["refused"]["msg"]
