# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter checks in the words of PVE::JSONSchema, as far as the endpoints of the mock need them."""

from __future__ import annotations

import re
import typing as t

Params = dict[str, t.Union[str, list[str]]]
Check = t.Callable[[t.Union[str, list[str]]], t.Optional[str]]

UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"
MISSING = "property is missing and it is not optional"
STATUS_KINDS = ("ok", "error", "warning", "unknown")


def integer(minimum: int = 0) -> Check:
    """A whole number not below ``minimum``."""

    def check(value: t.Union[str, list[str]]) -> t.Optional[str]:
        if isinstance(value, list) or not re.fullmatch(r"[+-]?\d+", value):
            return _type_error("integer", value)
        return f"value must have a minimum value of {minimum}" if int(value) < minimum else None

    return check


def boolean(value: t.Union[str, list[str]]) -> t.Optional[str]:
    """0 or 1."""
    return None if value in {"0", "1"} else _type_error("boolean", value)


def string(value: t.Union[str, list[str]]) -> t.Optional[str]:
    """Any single string."""
    return _type_error("string", value) if isinstance(value, list) else None


def choice(*values: str) -> Check:
    """One of the given words."""

    def check(value: t.Union[str, list[str]]) -> t.Optional[str]:
        if value in values:
            return None
        return string(value) or f"value '{value}' does not have a value in the enumeration '{', '.join(values)}'"

    return check


def vmid(value: t.Union[str, list[str]]) -> t.Optional[str]:
    """The number of a guest, at least 100."""
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{2,8}", value):
        return None
    return string(value) or "invalid format - value does not look like a valid VM ID\n"


def status_list(value: t.Union[str, list[str]]) -> t.Optional[str]:
    """Words of a status filter, in one list or in several."""
    for word in split_list(value):
        if word.lower() not in STATUS_KINDS:
            return f"invalid format - invalid status '{word}'\n"
    return None


def split_list(value: t.Union[str, list[str]]) -> list[str]:
    """The words of a list as PVE takes it: separated by commas, semicolons, blanks, or given repeatedly."""
    text = value if isinstance(value, str) else ",".join(value)
    return [word for word in re.split(r"[,;\s]+", text) if word]


def errors(
    params: Params, schema: t.Optional[t.Mapping[str, Check]], required: t.Collection[str] = ()
) -> dict[str, str]:
    """What is wrong, by parameter; empty where nothing is. A schema of None takes anything."""
    found = {name: MISSING for name in required if name not in params}
    if schema is not None:
        for name, value in params.items():
            complaint = schema[name](value) if name in schema else UNKNOWN
            if complaint is not None:
                found[name] = complaint
    return found


def _type_error(kind: str, value: t.Union[str, list[str]]) -> str:
    return f"type check ('{kind}') failed - got " + ("ARRAY" if isinstance(value, list) else f"'{value}'")
