# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._module.plain import plain

SECRET = "a-secret"


class Text(str):
    """As Ansible marks texts."""


class Number(int):
    """As Ansible marks numbers."""


class Encrypted:
    """As a ``!vault`` before ansible-core 2.19."""

    __ENCRYPTED__ = True

    def __str__(self) -> str:
        return SECRET


@pytest.mark.parametrize(
    ("value", "copy"),
    [
        (None, None),
        (True, True),
        (Number(5), 5),
        (0.5, 0.5),
        (Text("text"), "text"),
        (Encrypted(), SECRET),
        ((Text("a"), [Number(1)]), ["a", [1]]),
        ({Text("key"): Text("value")}, {"key": "value"}),
    ],
)
def test_plain_values(value: t.Any, copy: t.Any) -> None:
    found = plain(value)
    assert (found, types_in(found)) == (copy, types_in(copy))


def types_in(value: t.Any) -> t.Any:
    """The type of a value and of all that it holds."""
    inside = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return type(value), [types_in(item) for item in inside]


@pytest.mark.parametrize(
    "value",
    [b"bytes", {1: 2}, [object()], {"at": datetime.datetime.min}, {1, 2}],
    ids=["bytes", "number as key", "object", "date", "set"],
)
def test_other_values_are_not_plain(value: t.Any) -> None:
    with pytest.raises(TypeError, match=r"^(?:bytes|datetime|dict|object|set)$"):
        plain(value)
