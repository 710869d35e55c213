# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One table of calls, run in Ansible's own process and by module: the results are the same."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

import pytest
from ansible_collections.proxkit.tasks.tests.both_ways.playing import BY_MODULE, book, play, prepare, task_of
from ansible_collections.proxkit.tasks.tests.both_ways.rows import EXPORTED, ROWS, VAULT, Json, world
from ansible_collections.proxkit.tasks.tests.mock_endpoint import OTP_CODE, ROOT_PASSWORD, TOKEN_SECRET, serve

# What differs from one run to the next, and what ansible-core 2.19 adds to what modules return.
VARIED = ("ansible_job_id", "jid", "results_file", "failed_when_suppressed_exception")
STOPPED = "received interrupt"


@dataclasses.dataclass(frozen=True)
class Way:
    """What one way came to: a result for each row, all that was shown, and how many modules were started."""

    results: dict[str, Json]
    output: str
    modules: int


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> tuple[Way, Way]:
    """In Ansible's own process, and by module."""
    with serve() as mock:
        found = []
        # Pipelining starts modules faster, and leaves nothing to count.
        for environment, setting in (({}, "ANSIBLE_KEEP_REMOTE_FILES"), (BY_MODULE, "ANSIBLE_PIPELINING")):
            folder = tmp_path_factory.mktemp("way")
            env = {**prepare(folder, mock), **EXPORTED, "ANSIBLE_INJECT_INVOCATION": "1", setting: "1"}
            tasks = [task_of(number, name, row) for number, (name, row) in enumerate(ROWS.items())]
            all_rows = "{{ [" + ", ".join(f"row_{number}" for number in range(len(ROWS))) + "] | to_json }}"
            dump = {"ansible.builtin.copy": {"content": all_rows, "dest": str(folder / "results"), "mode": "0600"}}
            variables = {"u": world(mock), "from_vault": VAULT}
            code, out, err = play(folder, env, book(mock, [*tasks, dump], variables, environment=environment))
            assert code == 0, out + err
            results, output = (text.replace(str(folder), "") for text in ((folder / "results").read_text(), out + err))
            modules = len(list(folder.glob("modules/*/AnsiballZ_proxmox_task_wait.py")))
            found.append(Way(dict(zip(ROWS, json.loads(results))), output, modules))
    return found[0], found[1]


def steady(value: t.Any) -> t.Any:
    """Without what differs from one run to the next: seconds that passed, and when a task was stopped."""
    if isinstance(value, list):
        return [steady(item) for item in value]
    if not isinstance(value, dict):
        return value
    varied = [*VARIED, *(["endtime", "duration"] if value.get("exitstatus") == STOPPED else [])]
    told = {name: steady(item) for name, item in value.items() if name not in varied}
    return {**told, "elapsed": round(told["elapsed"] / 2)} if "elapsed" in told else told


@pytest.mark.parametrize("name", ROWS)
def test_results_are_the_same(ways: tuple[Way, Way], name: str) -> None:
    here, by_module = (way.results[name] for way in ways)
    assert steady(here) == steady(by_module)


def test_no_module_is_started_where_none_is_needed(ways: tuple[Way, Way]) -> None:
    assert ways[0].modules == sum(not row.here for row in ROWS.values())


def test_what_is_shown_is_the_same(ways: tuple[Way, Way]) -> None:
    """But for Ansible's word for who failed, a job's name; results have their own test."""
    varied = "(Module|Action) failed|=> [{].*|^ASYNC .*"
    here, by_module = (re.sub(varied, "", way.output, flags=re.MULTILINE) for way in ways)
    assert here.splitlines() == by_module.splitlines()
    assert "[WARNING]: vzdump 101 on pve1 ended with WARNINGS: 2" in here


def test_no_secret_is_shown(ways: tuple[Way, Way]) -> None:
    for way in ways:
        told = way.output + json.dumps(list(way.results.values()))
        assert not [
            secret for secret in (TOKEN_SECRET, ROOT_PASSWORD, OTP_CODE, "Sesam1", "exported-secret") if secret in told
        ]


def test_rows_are_what_they_say(ways: tuple[Way, Way]) -> None:
    results = ways[0].results
    assert results["ended well"]["msg"].startswith("vzdump 100 on pve1 ended OK")
    assert results["hostile status"]["tasks"][0]["exitstatus"].startswith("{{ 7 * 7 }}")
    assert results["on_timeout stop"]["changed"]
    assert results["HA"]["tasks"][1]["follows"] == results["HA"]["tasks"][0]["upid"]
    assert "********" in results["secret in an id"]["tasks"][0]["upid"]
    assert results["vault"] == {**results["ended well"], "elapsed": results["vault"]["elapsed"]}
    failed = {name for name, result in results.items() if result["failed"]}
    assert {"malformed", "wrong password", "undefined", "failed", "timed out", "one look", "no upids"} <= failed
    assert "nobody@pve!exported" in results["exported token"]["msg"]
    assert "from PROXMOX_TOKEN_ID" in results["exported token, another user"]["msg"]
    assert (
        not {
            "ended well",
            "omit",
            "password",
            "password, token exported",
            "second factor",
            "address",
            "delegated",
            "registered",
        }
        & failed
    )
