# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages that the guide explains are such as the code has."""

from __future__ import annotations

import ast
import re

import pytest
from ansible_collections.proxkit.tasks.tests.unit.documented import ROOT

GUIDE = (ROOT / "docs/docsite/rst/guide_troubleshooting.rst").read_text(encoding="utf-8")
# Each is the term of a definition; dots stand for what differs.
MESSAGES = re.findall(r"^``(.+)``\n    \S", GUIDE, re.MULTILINE)
# Those of Ansible and Python stand in italics.
OTHERS = re.findall(r"^\*(.+)\*\n    \S", GUIDE, re.MULTILINE)


def _texts() -> list[str]:
    """All texts of the code, with dots in the place of values."""
    found = []
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [str(part.value) if isinstance(part, ast.Constant) else "..." for part in node.values]
                found.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return found


TEXTS = _texts()


def test_there_are_messages() -> None:
    assert len(MESSAGES) == len(set(MESSAGES)) > 40
    terms = re.findall(r"^\S.*\n    \S", GUIDE, re.MULTILINE)
    assert len(terms) == len(MESSAGES) + len(OTHERS)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_one_of_the_code(message: str) -> None:
    pattern = ".*".join(re.escape(part.strip()) for part in message.split("..."))
    assert any(re.search(pattern, text) for text in TEXTS)
