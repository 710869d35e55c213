# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test ``upid``: true exactly where decoding would not fail."""

from __future__ import annotations

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid
from ansible_collections.proxkit.tasks.plugins.test.upid import TestModule as Plugin
from ansible_collections.proxkit.tasks.tests.unit.upid_strategies import any_minted, anything
from hypothesis import given
from jinja2 import StrictUndefined, Undefined, UndefinedError

UPID = "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"
TESTS = Plugin().tests()
is_upid = TESTS["upid"]


def test_it_has_the_name_of_its_file() -> None:
    assert list(TESTS) == ["upid"]


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (UPID, True),
        (f"{UPID}comment", True),
        (f"pve:remote!{UPID}", True),
        (f"{UPID} ", False),
        (UPID[:-1], False),
        (UPID.encode(), False),
        ([UPID], False),
        ({"upid": UPID}, False),
        ("OK", False),
        ("", False),
        (None, False),
        (5, False),
        (Undefined(name="lenient"), False),
    ],
)
def test_verdicts(value: object, verdict: bool) -> None:
    assert is_upid(value) is verdict


def test_an_undefined_variable_is_told_as_such() -> None:
    with pytest.raises(UndefinedError, match="'backup' is undefined"):
        is_upid(StrictUndefined(name="backup"))


@given(any_minted())
def test_what_servers_mint_is_one(upid: Upid) -> None:
    assert is_upid(upid.text)
    assert not is_upid(upid)


@given(anything())
def test_never_raises(value: object) -> None:
    assert is_upid(value) in (True, False)
