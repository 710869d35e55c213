# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several plugins return is documented with the same words: those of the fragment that they are copied from."""

from __future__ import annotations

import pathlib
import re

import pytest
from ansible_collections.proxkit.tasks.docs import generate

HEAD = "# both: from plugins/doc_fragments/_returned.py by docs/generate.py\n"
# Who has copies of which blocks.
USED = {
    "proxmox_task_info": ["upid", "task", "no_task"],
    "proxmox_task_stop": ["upid", "task", "call", "no_task"],
    "proxmox_task_wait": ["upid", "task", "call", "no_task"],
    "task_log_decode": [],
    "upid_decode": ["upid"],
    "upid_extract": [],
}


@pytest.mark.parametrize(
    ("text", "after"),
    [
        pytest.param("a:\n  b: c\n", "a:\n  b: c\n", id="no copy"),
        pytest.param(f"{HEAD}# end of both\nz:\n", f"{HEAD}a:\n  b: c\n\nd:\n# end of both\nz:\n", id="a new one"),
        pytest.param(
            f"y:\n  {HEAD}  old:\n  # end of both\nz:\n",
            f"y:\n  {HEAD}  a:\n    b: c\n\n  d:\n  # end of both\nz:\n",
            id="an old one, indented",
        ),
        pytest.param(
            f"{HEAD}# end of both\nz:\n{HEAD}# end of both\n",
            f"{HEAD}a:\n  b: c\n\nd:\n# end of both\nz:\n{HEAD}a:\n  b: c\n\nd:\n# end of both\n",
            id="two",
        ),
    ],
)
def test_copies_are_brought_up_to_date(text: str, after: str) -> None:
    words = {"both": "a:\n  b: c\n\nd:\n"}
    assert generate.filled(text, words) == after
    assert generate.filled(after, words) == after


def test_a_block_that_there_is_not_is_an_error() -> None:
    with pytest.raises(KeyError, match="both"):
        generate.filled(f"{HEAD}# end of both\n", {})


@pytest.mark.parametrize("path", generate.TARGETS, ids=lambda path: path.stem)
def test_every_copy_is_up_to_date(path: pathlib.Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert generate.filled(text, generate.blocks()) == text, "run: python3 docs/generate.py"
    assert re.findall(r"^ *# end of (\w+)$", text, re.MULTILINE) == USED[path.stem]
