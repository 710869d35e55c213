# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoints: which request goes where, and what its handler is given."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from . import _schema as schema

BASE = "/api2"


@dataclasses.dataclass(frozen=True)
class Result:
    """What a handler returns: JSON ``data``, or ``text`` to download under ``filename``; see Answer for not_before."""

    data: t.Any = None
    total: int = 0
    text: t.Optional[str] = None
    filename: str = ""
    not_before: float = 0.0


@dataclasses.dataclass(frozen=True)
class Call:
    """A checked request on its way to a handler, ``who`` sent it; ``where`` holds the variable parts of the path."""

    who: str
    where: t.Mapping[str, str]
    params: t.Mapping[str, schema.Value]

    def text(self, name: str, default: str = "") -> str:
        """A parameter that the schema knows as a single string."""
        return str(self.params.get(name, default))

    def words(self, name: str) -> list[str]:
        """A parameter that the schema knows as a list."""
        return schema.split_list(self.params.get(name) or "")

    def number(self, name: str, default: int) -> int:
        """A parameter that the schema knows as an integer."""
        return int(self.text(name, str(default)))


@dataclasses.dataclass(frozen=True)
class Route:
    """An endpoint.

    :param path: with variable parts in braces
    :param name: what counters call it
    :param handler: takes the Call that its service makes
    :param protected: a worker of the node's daemon serves it, not the proxy itself
    :param params: checks by name; None: anything goes (starters take many options)
    """

    method: str
    path: str
    name: str
    handler: t.Callable[[t.Any], Result]
    protected: bool = False
    params: t.Optional[t.Mapping[str, schema.Check]] = dataclasses.field(default_factory=dict)
    required: tuple[str, ...] = ()


def find(routes: t.Iterable[Route], method: str, decoded: str) -> tuple[t.Optional[Route], dict[str, str]]:
    """The route of a decoded path, and the variable parts of the path; one holds no white space."""
    return match(routes, method, [part for part in split(decoded)[1].split("/") if part], r"\S+")


def match(
    routes: t.Iterable[Route], method: str, parts: t.Sequence[str], variable: str
) -> tuple[t.Optional[Route], dict[str, str]]:
    """The route of the parts of a path; what is variable must match ``variable``."""
    for route in routes:
        pattern = route.path.split("/")
        if route.method == method and len(pattern) == len(parts):
            pairs = list(zip(pattern, parts))
            if all(
                re.fullmatch(variable, part, re.ASCII) if want.startswith("{") else want == part for want, part in pairs
            ):
                return route, {want[1:-1]: part for want, part in pairs if want.startswith("{")}
    return None, {}


def split(path: str) -> tuple[str, str]:
    """Format and path within the API, both empty where it is none of the API's."""
    found = re.fullmatch(rf"{BASE}/+([a-z][a-z0-9]+)(/.*)?", path)
    return (found[1], found[2] or "/") if found else ("", "")
