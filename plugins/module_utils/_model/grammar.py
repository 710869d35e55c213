# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
r"""The grammars of UPIDs, the names of background tasks: pure functions. Private to the collection.

Proxmox VE and Mail Gateway (pve-common, ``PVE::UPID``)::

    UPID:NODE:PID:PSTART:STARTTIME:TYPE:ID:USER:[COMMENT]

Backup Server (proxmox-schema, ``upid.rs``), with ID escaped: ``/`` is ``-``, other bytes are ``\xNN``::

    UPID:NODE:PID:PSTART:TASK_ID:STARTTIME:TYPE:ID:AUTHID:

Datacenter Manager (``remote_upid.rs``) puts ``pve:REMOTE!`` or ``pbs:REMOTE!`` before either, formerly ``REMOTE!``.

The number of colons, 8 or 9, tells the two apart. So a comment holds no colon; like the other free fields it holds no
slash, white space or control character either. No server mints a comment, it is only known from proxmoxer.
"""

from __future__ import annotations

import re
import typing as t

Product = t.Literal["pve", "pbs"]
# Control characters cannot reach a log file's name in practice, and surrogates no request: neither is let in.
FREE = r"[^:/\s\x00-\x1f\x7f-\x9f\ud800-\udfff]"
NODE = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
HEX = r"[0-9A-Fa-f]"
REMOTE = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
PBS_ID = r"(?:[A-Za-z0-9_.-]|\\x[0-9A-Fa-f]{2})*"
FIELDS: dict[Product, tuple[str, ...]] = {
    "pve": ("node", "pid", "pstart", "starttime", "type", "id", "user"),
    "pbs": ("node", "pid", "pstart", "task_id", "starttime", "type", "id", "user"),
}
NAME: dict[Product, str] = {"pve": r"[A-Za-z][A-Za-z0-9._-]*", "pbs": r"[A-Za-z0-9_][A-Za-z0-9._-]*"}
# A user name may hold "@" and "!" itself. Being greedy finds the last "@" that leaves a realm, with or without token.
AUTHID: dict[Product, str] = {product: rf"{FREE}+@{name}(?:!{name})?" for product, name in NAME.items()}


def _grammar(product: Product) -> re.Pattern[str]:
    """The whole of a UPID; its groups are remote, fields, token and comment, in this order."""
    parts = {
        "node": NODE,
        "pid": rf"{HEX}{{8}}",
        "pstart": rf"{HEX}{{8,9}}",
        "task_id": rf"{HEX}{{8,16}}",
        "starttime": rf"{HEX}{{8}}",
        "type": rf"{FREE}+",
        "id": rf"{FREE}*" if product == "pve" else PBS_ID,
        "user": rf"{FREE}+@{NAME[product]}",
    }
    fields = ":".join(f"({parts[field]})" for field in FIELDS[product])
    comment = rf"{FREE}*" if product == "pve" else ""
    return re.compile(rf"(?:(?:{product}:)?({REMOTE})!)?UPID:{fields}(?:!({NAME[product]}))?:({comment})")


GRAMMARS: dict[Product, re.Pattern[str]] = {product: _grammar(product) for product in FIELDS}
# Most ids are of Proxmox VE, and come by the thousands: what is looked up once need not be each time.
fullmatch_pve = GRAMMARS["pve"].fullmatch
# What Ansible puts in the place of a secret, and in that of a value that is the secret as a whole.
MASK = "*" * 8


def is_node_name(text: str) -> bool:
    """Whether a node can have this name (``pve-common`` JSONSchema)."""
    return bool(re.fullmatch(NODE, text))


def is_owner(text: str, product: Product) -> bool:
    """Whether a task can belong to this ``user@realm`` or ``user@realm!token``."""
    return bool(re.fullmatch(AUTHID[product], text))


def is_worker_type(text: str) -> bool:
    """Whether a task can be of this type."""
    return bool(re.fullmatch(f"{FREE}+", text))


def unescape(text: str) -> str:
    r"""Undo what Backup Server does to a task's id: ``-`` stands for ``/``, ``\xNN`` for a byte of UTF-8."""
    raw = re.sub(r"\\x(..)|-", lambda match: chr(int(match[1], 16)) if match[1] else "/", text)
    return raw.encode("latin-1").decode("utf-8")


def is_upid(text: str, products: t.Container[str] = ("pve", "pbs")) -> bool:
    """Whether a text is a UPID of one of these grammars."""
    if MASK in text:
        return False
    if "pve" in products and fullmatch_pve(text):
        return True
    match = GRAMMARS["pbs"].fullmatch(text) if "pbs" in products else None
    if match is None:
        return False
    try:
        unescape(match[8])
    except UnicodeDecodeError:
        return False
    return True
