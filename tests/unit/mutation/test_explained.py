# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written of mutants is read again once it says why."""

from __future__ import annotations

import pytest
from ansible_collections.proxkit.tasks.tests.mutation.explained import Change, read, written

CHANGES = [("a = 1", "a = 2"), ("-a", "+a"), ("f(\n1)", "None"), ("x", "pass\nx")]


def test_what_is_written_is_read() -> None:
    text = "# a comment\n\n" + "".join(written(f"p.py: since {was}", was, now) for was, now in CHANGES[:2])
    assert read(text) == {Change("p.py", was, now) for was, now in CHANGES[:2]}


def test_one_reason_may_be_that_of_many() -> None:
    changes = "\n".join(written("", was, now).strip() for was, now in CHANGES)
    assert read(f"p.py: all the same\n{changes}\n") == {Change("p.py", was, now) for was, now in CHANGES}


@pytest.mark.parametrize("text", ["p.py", "p.py:\n-a\n+b", "p.py: why\n-a", "p.py: why"])
def test_nothing_goes_unexplained(text: str) -> None:
    with pytest.raises(ValueError, match="explains no mutant"):
        read(text)
