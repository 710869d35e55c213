# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How regular expressions are changed to see whether a test notices."""

from __future__ import annotations

import pytest
from ansible_collections.proxkit.tasks.tests.mutation.patterns import changed_patterns


@pytest.mark.parametrize(
    ("pattern", "changed"),
    [
        ("plain", []),
        ("a*b+c?", ["a+b+c?", "a*b*c?", "a*b+c"]),
        ("^a$", ["a$", "^a"]),
        (r"\sx\S", [r"\Sx\S", r"\sx\s"]),
        (r"\*\\x2a", []),
        ("a{2}", ["a{3}"]),
        ("a{1,9}", ["a{2,9}", "a{1,10}"]),
        ("a{1,200}", []),
        ("{{8}}", ["{{9}}"]),
        ("{name}", []),
        ("[a-z_.-]", ["[^a-z_.-]", "[_.-]", "[a-z.-]", "[a-z_-]", "[a-z_.]"]),
        ("[^:]", ["[:]"]),
        (r"[^\]\s\x00-\x1f]", [r"[\]\s\x00-\x1f]", r"[^\s\x00-\x1f]", r"[^\]\x00-\x1f]", r"[^\]\s]"]),
        ("a|b|c", ["b|c", "a|c", "a|b"]),
        ("x(?:a|b)y", ["x(?:b)y", "x(?:a)y"]),
        ("(?P<one>a|(b|c))", ["(?P<one>a|(c))", "(?P<one>a|(b))", "(?P<one>(b|c))", "(?P<one>a)"]),
        # a piece of one, as long ones are written
        ("(?:a|b", ["(?:b", "(?:a"]),
        ("|c)d", ["c)d", ")d"]),
    ],
)
def test_one_thing_at_a_time(pattern: str, changed: list[str]) -> None:
    assert list(changed_patterns(pattern)) == changed
