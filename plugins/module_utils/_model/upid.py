# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A UPID as a value. Pure. Private to the collection; the grammars and their sources are in ``grammar``."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import InvalidUpid
from ansible_collections.proxkit.tasks.plugins.module_utils._model.flaws import flaws, why_no_text
from ansible_collections.proxkit.tasks.plugins.module_utils._model.grammar import (
    GRAMMARS,
    MASK,
    Product,
    fullmatch_pve,
    unescape,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import shown

_tuple = tuple.__new__


class Upid(t.NamedTuple):
    """A decoded UPID; a tuple, because thousands of them are made at a time.

    ``text`` is the id as given, ``user`` is ``user@realm`` without the token, ``starttime`` is in epoch seconds,
    ``pstart`` in the node's clock ticks. ``tokenid`` and ``comment`` are empty where there is none, ``task_id`` (PBS)
    and ``remote`` (Datacenter Manager) are None. ``product`` is what the grammar tells: Mail Gateway's ids are PVE's.
    """

    text: str
    node: str
    pid: int
    pstart: int
    starttime: int
    type: str
    id: str
    user: str
    tokenid: str
    comment: str
    task_id: int | None
    product: Product
    remote: str | None

    @property
    def native(self) -> str:
        """The id as the node's own server knows it: without the Datacenter Manager's prefix."""
        return self.text if self.remote is None else self.text.partition("!")[2]

    @property
    def authid(self) -> str:
        """Who started the task: ``user@realm`` or ``user@realm!token``."""
        return f"{self.user}!{self.tokenid}" if self.tokenid else self.user

    def to_dict(self) -> dict[str, t.Any]:
        """The dictionary that ``upid_decode`` gives, and each task dictionary begins with."""
        values = self._asdict()
        return {"upid": values.pop("text"), **values}


def parse(value: object) -> Upid:
    """Decode a UPID of any grammar.

    :raises InvalidUpid: for every value, of whatever type, that is none; names the field and the flaw.
    """
    if isinstance(value, str):
        match = fullmatch_pve(value)
        # No text fits both grammars: they differ in the number of colons. There is room for asterisks in them, but no
        # server mints that many; one is looked for first, which is faster.
        if match and ("*" not in value or MASK not in value):
            remote, node, pid, pstart, start, kind, task_for, user, token, comment = match.groups("")
            return _tuple(
                Upid,
                (
                    match[0],
                    node,
                    int(pid, 16),
                    int(pstart, 16),
                    int(start, 16),
                    kind,
                    task_for,
                    user,
                    token,
                    comment,
                    None,
                    "pve",
                    remote or None,
                ),
            )
    return _parse_other(value)


def _parse_other(value: object) -> Upid:
    """Decode what is no UPID of Proxmox VE's grammar; raises ``InvalidUpid``."""
    if not isinstance(value, str):
        raise InvalidUpid("value", why_no_text(value), shown(value))
    text = str.__str__(value)
    match = GRAMMARS["pbs"].fullmatch(text)
    if match is None or MASK in text:
        field, reason = next(flaws(text))
        raise InvalidUpid(field, reason, shown(text))
    return _of_pbs(text, match)


def _of_pbs(text: str, match: re.Match[str]) -> Upid:
    remote, node, pid, pstart, task_id, starttime, kind, escaped, user, token, comment = match.groups("")
    try:
        task_for = unescape(escaped)
    except UnicodeDecodeError:
        raise InvalidUpid("id", "id is not UTF-8 once it is unescaped", shown(text)) from None
    numbers = int(pid, 16), int(pstart, 16), int(starttime, 16)
    return Upid(text, node, *numbers, kind, task_for, user, token, comment, int(task_id, 16), "pbs", remote or None)


def by_node(upids: t.Iterable[Upid]) -> dict[str, list[Upid]]:
    """The ids by node, in the order in which they come."""
    found: dict[str, list[Upid]] = {}
    for upid in upids:
        found.setdefault(upid.node, []).append(upid)
    return found
