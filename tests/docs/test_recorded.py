# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output that README and guide show, which ``docs/record.py`` recorded."""

from __future__ import annotations

import re
import runpy

import yaml
from ansible_collections.proxkit.tasks.tests.unit.documented import ROOT

RECORDED = runpy.run_path(str(ROOT / "docs/record.py"))["recorded"]()


def test_readme_and_guide_show_the_same() -> None:
    readme, guide = RECORDED
    assert readme == guide


def test_it_is_what_the_first_playbook_shows() -> None:
    (play,) = yaml.safe_load((ROOT / "examples/first_playbook.yml").read_text(encoding="utf-8"))
    named = re.findall(r"^(?:PLAY|TASK) \[(.*)\]", RECORDED[0], re.MULTILINE)
    start, act = play["tasks"]
    assert named == [play["name"], start["name"], *(task["name"] for task in act["block"])]


def test_it_shows_progress() -> None:
    lines = [line for line in RECORDED[0].splitlines() if line.startswith("pve1 vzdump 100: ")]
    assert len(lines) > 3
    assert all(len(line) <= 100 for line in lines)
    assert " left" in lines[-1]
