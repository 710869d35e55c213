# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How secrets are spelled, and that none of it is left."""

from __future__ import annotations

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.masking import masked, spellings
from hypothesis import given
from hypothesis import strategies as st

MASK = "********"


@pytest.mark.parametrize(
    ("secret", "written"),
    [
        ("hush", {"hush"}),
        (
            "a b€/+",
            {
                "a b€/+",
                "a%20b%E2%82%AC%2F%2B",
                "a%20b%e2%82%ac%2f%2b",
                "a%20b%E2%82%AC/%2B",
                "a+b%E2%82%AC%2F%2B",
                r"a b\u20ac/+",
                r"a b\xe2\x82\xac/+",
            },
        ),
        (
            "q'\"é",
            {
                "q'\"é",
                "q%27%22%C3%A9",
                "q%27%22%c3%a9",
                "q&#x27;&quot;é",
                "q'\\\"\\u00e9",
                "q\\'\"é",
                "q\\'\"\\xe9",
                "q\\'\"\\xc3\\xa9",
            },
        ),
        ("h\ud800", {"h\ud800", "h%ED%A0%80", "h%ed%a0%80", r"h\ud800", r"h\xed\xa0\x80"}),
    ],
)
def test_a_secret_is_written_in_many_ways(secret: str, written: set[str]) -> None:
    assert spellings(secret) == written


@pytest.mark.parametrize(
    ("text", "secrets", "left"),
    [
        ("a hush b", ["hush"], f"a {MASK} b"),
        ("hush&hushed", ["hush", "hushed"], f"{MASK}&{MASK}"),
        ("ab", ["b", "ab"], MASK),
        ("a+b a%20b", ["a b"], f"{MASK} {MASK}"),
        ("nothing", ["hush", ""], "nothing"),
    ],
)
def test_secrets_are_taken_out_the_longest_first(text: str, secrets: list[str], left: str) -> None:
    assert masked(text, secrets) == left


@given(st.text(), st.text(min_size=1).filter(lambda secret: "*" not in secret), st.text(), st.data())
def test_no_spelling_is_left(before: str, secret: str, after: str, data: st.DataObject) -> None:
    spelling = data.draw(st.sampled_from(sorted(spellings(secret))))
    left = masked(f"{before} {spelling} {after}", [secret])
    assert MASK in left
    assert secret not in left
