# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the security guide says is guarded is guarded."""

from __future__ import annotations

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/docsite/rst/guide_security.rst").read_text(encoding="utf-8")


def test_each_row_names_tests_that_there_are() -> None:
    rows = re.findall(r"^   \* -.*?(?=^   \* -|^\S)", GUIDE, re.MULTILINE | re.DOTALL)[1:]
    named = [re.findall("``(test_[a-z_]+)``", row) for row in rows]
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    defined = {name for text in texts for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)}
    assert len(rows) > 15
    assert all(named)
    assert {name for names in named for name in names} <= defined
