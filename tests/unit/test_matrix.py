# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the matrix of supported versions tries and says, and that others say the same."""

from __future__ import annotations

import re

import pytest
import yaml
from ansible_collections.proxkit.tasks.plugins.module_utils._client.libraries import OLDEST_PROXMOXER
from ansible_collections.proxkit.tasks.tests.matrix import CORES, OLDEST, Row, not_to_be_had, rows_of, table
from ansible_collections.proxkit.tasks.tests.unit.documented import ROOT

MINORS = [core.rpartition(".")[0] for core in CORES]


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {minor: f"python3.{minor}" for minor in (12, 11, 9)}
    monkeypatch.setattr("dev.find_pythons", lambda: found)


def test_rows_are_the_oldest_and_the_newest_of_what_is_found() -> None:
    assert rows_of(["2.18.19", "2.21.5"]) == [
        Row("2.18.19", 11, newest=False),
        Row("2.18.19", 12, newest=True),
        Row("2.21.5", 12, newest=False),
        Row("2.21.5", 12, newest=True),
    ]


def test_the_two_rows_of_one_python_have_folders_of_their_own() -> None:
    assert len({row.folder for row in rows_of(list(CORES))}) == 2 * len(CORES)


def test_what_is_not_found_is_said() -> None:
    assert not_to_be_had(["2.20.10", "2.21.5"]) == [
        "Not to be had here: Python 3.13 (ansible-core 2.20.10, 2.21.5).",
        "Not to be had here: Python 3.14 (ansible-core 2.20.10, 2.21.5).",
    ]


def test_the_table_has_a_line_for_each_row_the_newest_first() -> None:
    rows = [Row("2.18.19", 11, newest=False), Row("2.21.5", 12, newest=True)]
    results = {(rows[0], "units"): "ok 61 s", (rows[0], "target"): "FAILED 9 s", (rows[1], "units"): "ok 7 s"}
    lines = re.sub("  +", "\t", table(rows, ["units", "target"], results)).splitlines()
    assert [line.split("\t") for line in lines] == [
        ["ansible-core", "Python", "proxmoxer", "requests", "units", "target 3.9"],
        ["2.21.5", "3.12", "2.3.0", "2.34.2", "ok 7 s", "-"],
        ["2.18.19", "3.11", "2.0.1", "2.25.1", "ok 61 s", "FAILED 9 s"],
    ]


def test_metadata_and_readme_promise_what_is_tried() -> None:
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
    assert runtime["requires_ansible"] == f">={MINORS[0]}.0"
    assert OLDEST[0] == f"proxmoxer=={OLDEST_PROXMOXER}"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"ansible-core {', '.join(MINORS[:-1])} and {MINORS[-1]}" in readme
    assert "requests 2.25 or later" in readme
    fragment = (ROOT / "plugins/doc_fragments/_proxmox.py").read_text(encoding="utf-8")
    assert "requests >= 2.25 where" in fragment
    assert OLDEST[1].startswith("requests==2.25.")
