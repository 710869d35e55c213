# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees while a wait lasts, and where nothing is to be seen."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible_collections.proxkit.tasks.tests.both_ways.playing import BY_MODULE, WAIT, book, play, prepare
from ansible_collections.proxkit.tasks.tests.mock_endpoint import TOKEN_SECRET, Mock, serve

# Nothing is shown in the first 5 s, and a look is made at the latest a second after that.
SECONDS = 7
# Hosts of one play, all on the controller, and what is special about each.
HOSTS: dict[str, dict[str, t.Any]] = {
    "summary": {},
    "log": {"progress": "log"},
    "none": {"progress": "none"},
    "hidden": {"hide": True},
    "module": {"with": BY_MODULE},
    "look": {"check": True},
}
LOG = [
    [0, "INFO: starting new backup job: vzdump 100"],
    [1, "INFO:  34% (6.7 GiB of 19.8 GiB) in 21s"],
    [1, f"INFO: token {TOKEN_SECRET}\x1b[31m"],
    [1, "INFO: the last line may not be whole yet"],
]
PROGRESS = "pve1 vzdump 100: 34 %, 6.7 of 19.8 GiB, "
RUNNING = {"type": "vzdump", "id": "100", "duration": None, "log": LOG, "start": -20}


@pytest.fixture(scope="module")
def mock() -> t.Iterator[Mock]:
    with serve() as mock:
        yield mock


def shown(
    mock: Mock,
    folder: pathlib.Path,
    hosts: dict[str, dict[str, t.Any]],
    callback: str = "default",
    strategy: str = "linear",
) -> tuple[str, list[str]]:
    """Standard output and the lines on standard error of a play on these hosts, each with a wait that times out."""
    [upid] = mock.tasks(**RUNNING)["upids"]
    env = prepare(folder, mock)
    common = {"ansible_connection": "local", "progress": "summary", "hide": False, "with": {}, "check": False}
    rows = [
        " ".join([host, *(f'{name}="{value}"' for name, value in {**common, **own}.items())])
        for host, own in hosts.items()
    ]
    (folder / "inventory").write_text("\n".join(rows))
    wait = {
        WAIT: {
            "upids": upid,
            "timeout": SECONDS,
            "on_timeout": "continue",
            "progress": "{{ progress }}",
            "log": "never",
        },
        "no_log": "{{ hide }}",
        "environment": "{{ with }}",
        "check_mode": "{{ check }}",
    }
    env = {**env, "ANSIBLE_FORKS": "10", "ANSIBLE_STDOUT_CALLBACK": callback}
    code, out, err = play(folder, env, book(mock, [wait], {}, hosts="all", strategy=strategy))
    assert code == 0, out + err
    return out, err.splitlines()


def test_each_host_shows_what_it_is_told_to(mock: Mock, tmp_path: pathlib.Path) -> None:
    out, lines = shown(mock, tmp_path, HOSTS)
    ours = [line for line in lines if "vzdump 100" in line]
    assert {line.partition(":")[0] for line in ours} == {"summary", "log"}
    assert [line.startswith(f"summary: {PROGRESS}") for line in ours if line.startswith("summary")] == [True]
    assert [line.partition("100: ")[2] for line in ours if line.startswith("log")] == [
        "INFO: starting new backup job: vzdump 100",
        "INFO:  34% (6.7 GiB of 19.8 GiB) in 21s",
        "INFO: token ********",
    ]
    assert not [line for line in ours if line in out]
    assert TOKEN_SECRET not in str(lines)
    assert all(line.isprintable() and len(line) <= 100 for line in ours)


@pytest.mark.parametrize(("callback", "strategy"), [("minimal", "free"), ("oneline", "linear")])
def test_one_host_is_not_named(mock: Mock, tmp_path: pathlib.Path, callback: str, strategy: str) -> None:
    out, lines = shown(mock, tmp_path, {"localhost": {}}, callback, strategy)
    assert [line for line in lines if line.startswith(PROGRESS)]
    # What a callback prints stays what it is: some print what programs read.
    assert PROGRESS not in out
