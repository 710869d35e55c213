# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and replies as values, and what is read from replies. Pure. Private to the collection."""

from __future__ import annotations

import dataclasses
import json
import re
import threading
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import Fault
from ansible_collections.proxkit.tasks.plugins.module_utils._model.grammar import MASK
from ansible_collections.proxkit.tasks.plugins.module_utils._model.masking import longest_first, masked
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import repair
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid

_TEXT_BYTES = 1 << 16
# What Proxmox VE says of a task that runs.
_RUNNING = "RUNNING"
# What is read takes several times as much room as its result: one thread at a time, which costs no time in Python.
_READING = threading.Lock()
LOGIN = ("access", "ticket")
# Escapes of JSON: a pair that is one character, half of one, any other.
_HEX = "[0-9a-fA-F]{2}"
_HALF = re.compile(rf"\\u[dD][89a-fA-F]{_HEX}")
_ESCAPE = re.compile(rf"\\u[dD][89abAB]{_HEX}\\u[dD][c-fC-F]{_HEX}|({_HALF.pattern})|\\.", re.DOTALL)

Rows = list[dict[str, t.Any]]


@dataclasses.dataclass(frozen=True)
class Request:
    """One question: ``path`` below ``/api2/json`` in parts not yet encoded, ``params`` for query or form."""

    method: str
    path: tuple[str, ...]
    params: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    upid: Upid | None = None

    @property
    def logs_in(self) -> bool:
        """Whether it is answered by a ticket."""
        return self.method == "POST" and self.path == LOGIN

    @property
    def node(self) -> str | None:
        """The node that is to answer; None for what the API host answers itself."""
        if self.upid is not None:
            return self.upid.node
        return self.path[1] if self.path[0] == "nodes" and len(self.path) > 1 else None


@dataclasses.dataclass(frozen=True)
class Reply:
    """What came back: an HTTP status and its words, whoever said them; ``server`` is that header."""

    status: int
    reason: str = ""
    server: str = ""
    content: bytes = b""

    @property
    def text(self) -> str:
        """The beginning of the body as text."""
        return self.content[:_TEXT_BYTES].decode("utf-8", "replace")

    def json(self) -> t.Any:
        """The body's JSON; None where it is none."""
        try:
            return json_of(self.content)
        except ValueError:
            return None

    def masked(self, secrets: t.Iterable[str]) -> Reply:
        """The same without these secrets, in whatever spelling a page may show them."""
        content = self.content
        for form in longest_first(secrets):
            content = content.replace(form.encode(), MASK.encode())
        return dataclasses.replace(self, content=content, reason=masked(self.reason, secrets))


def json_of(content: bytes) -> t.Any:
    """What JSON says; for half a character, which no result can hold, its texts have a sign. Raises ``ValueError``."""
    with _READING:
        text = content.decode("utf-8", "replace")
        if _HALF.search(text):
            text = _ESCAPE.sub(lambda match: "\\ufffd" if match[1] else match[0], text)
        try:
            return json.loads(text)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def mapping_of(answer: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The dictionary under ``data``; raises ``Fault`` where there is none."""
    if not isinstance(answer["data"], dict):
        raise _odd_form()
    return answer["data"]


def rows_of(answer: t.Mapping[str, t.Any]) -> Rows:
    """The rows under ``data``; raises ``Fault`` where there are none."""
    rows = answer["data"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _odd_form()
    return rows


def tasks_of(answer: t.Mapping[str, t.Any], bare: bool = False) -> Rows:
    """Rows that tell of tasks, their ``status`` text or None; ``bare``: one that has none and no end time runs."""
    rows = rows_of(answer)
    for row in rows:
        # In their place: there may be many.
        row["status"] = _RUNNING if bare and _is_bare(row) else text_of(row.get("status"))
    return rows


def _is_bare(row: t.Mapping[str, t.Any]) -> bool:
    return row.get("status") is None and row.get("endtime") is None


def total_of(answer: t.Mapping[str, t.Any]) -> int | None:
    """How many rows there are in all; None where the server does not say."""
    try:
        return int(answer["total"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def number_of(value: t.Any) -> int:
    """A whole number, 0 for all else."""
    return value if isinstance(value, int) else 0


def text_of(value: t.Any) -> str | None:
    """Text in its right characters; an empty one says nothing."""
    return repair(str(value)) if value not in (None, "") else None


def _odd_form() -> Fault:
    return Fault("the server's answer is not of the form that its documentation gives")
