# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter checks in the words of the genuine servers' schema, as far as the endpoints of the mock need them."""

from __future__ import annotations

import re
import typing as t

Value = t.Union[str, list[str]]
Params = dict[str, t.Optional[Value]]
Check = t.Callable[[Value], t.Optional[str]]

UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"
MISSING = "property is missing and it is not optional"


def integer(minimum: t.Optional[int] = 0) -> Check:
    """A whole number not below ``minimum``."""

    def check(value: Value) -> t.Optional[str]:
        if isinstance(value, list) or not re.fullmatch(r"[+-]?\d+", value):
            return _type_error("integer", value)
        low = minimum is not None and int(value) < minimum
        return f"value must have a minimum value of {minimum}" if low else None

    return check


def boolean(value: Value) -> t.Optional[str]:
    """0 or 1."""
    return None if value in {"0", "1"} else _type_error("boolean", value)


def string(value: Value) -> t.Optional[str]:
    """Any single string."""
    return _type_error("string", value) if isinstance(value, list) else None


def text(longest: int) -> Check:
    """A single string of at most so many characters."""

    def check(value: Value) -> t.Optional[str]:
        return string(value) or (f"value may only be {longest} characters long" if len(value) > longest else None)

    return check


def choice(*values: str) -> Check:
    """One of the given words."""

    def check(value: Value) -> t.Optional[str]:
        if value in values:
            return None
        return string(value) or f"value '{value}' does not have a value in the enumeration '{', '.join(values)}'"

    return check


def split_list(value: Value) -> list[str]:
    """Words of a list as the servers take it: separated by NUL, or else by commas, semicolons, blanks; or repeated."""
    text = value if isinstance(value, str) else ",".join(value)
    if "\0" in text:
        return text.rstrip("\0").split("\0")
    return [word for word in re.split(r"[,;\s]+", text) if word]


def errors(
    params: Params, schema: t.Optional[t.Mapping[str, Check]], required: t.Collection[str] = ()
) -> dict[str, str]:
    """What is wrong, by parameter; empty where nothing is. A schema of None takes anything.

    A parameter without a value is as good as absent, if it is known.
    """
    found = {name: MISSING for name in required if params.get(name) is None}
    if schema is not None:
        for name, value in params.items():
            complaint = UNKNOWN if name not in schema else schema[name](value) if value is not None else None
            if complaint is not None:
                found[name] = complaint
    return found


def _type_error(kind: str, value: Value) -> str:
    return f"type check ('{kind}') failed - got " + ("ARRAY" if isinstance(value, list) else f"'{value}'")
