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

import collections.abc
import dataclasses
import re
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._errors import InvalidUpid

Product = t.Literal["pve", "pbs"]

# Control characters cannot reach a log file's name in practice, and surrogates no request: neither is let in.
_FREE = r"[^:/\s\x00-\x1f\x7f-\x9f\ud800-\udfff]"
_NODE = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HEX = r"[0-9A-Fa-f]"
_REMOTE = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_PBS_ID = r"(?:[A-Za-z0-9_.-]|\\x[0-9A-Fa-f]{2})*"
# A user name may hold "@" and "!" itself. Being greedy finds the last "@" that leaves a realm, with or without token.
_AUTHID: dict[Product, str] = {
    "pve": rf"{_FREE}+@[A-Za-z][A-Za-z0-9._-]*(?:![A-Za-z][A-Za-z0-9._-]*)?",
    "pbs": rf"{_FREE}+@[A-Za-z0-9_][A-Za-z0-9._-]*(?:![A-Za-z0-9_][A-Za-z0-9._-]*)?",
}
_FIELDS: dict[Product, tuple[str, ...]] = {
    "pve": ("node", "pid", "pstart", "starttime", "type", "id", "user"),
    "pbs": ("node", "pid", "pstart", "task_id", "starttime", "type", "id", "user"),
}
# Every repetition below stops at a colon or earlier, which keeps a search through any text linear. Text may be JSON,
# or JSON within JSON: the backslashes of a Backup Server id come doubled then.
_IN_TEXT = re.compile(
    rf"(?:(?:pve|pbs):{_REMOTE}!)?UPID:{_NODE}:{_HEX}{{8}}:{_HEX}{{8,9}}:"
    rf"(?:{_HEX}{{8}}:{_FREE}+:{_FREE}*:{_AUTHID['pve']}"
    rf"|{_HEX}{{8,16}}:{_HEX}{{8}}:{_FREE}+:(?P<pbs_id>(?:[A-Za-z0-9_.-]|\\+x{_HEX}{{2}})*):{_AUTHID['pbs']}):"
)
_SHOWN_LENGTH = 120
# What a task was called with, in a registered result; the loop variable comes on top.
_CALLED_WITH = ("invocation", "ansible_loop")


@dataclasses.dataclass(frozen=True)
class Upid:
    """A decoded UPID.

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
        values = dataclasses.asdict(self)
        return {"upid": values.pop("text"), **values}


def parse(value: object) -> Upid:
    """Decode a UPID of any grammar.

    :raises InvalidUpid: for every value, of whatever type, that is none; names the field and the flaw.
    """
    if not isinstance(value, str):
        raise InvalidUpid("value", _why_no_text(value), _show(value))
    text = str.__str__(value)
    try:
        return _parse(text)
    except _Flaw as flaw:
        raise InvalidUpid(flaw.field, flaw.reason, _show(text)) from None


def extract(value: object) -> list[str]:
    """Every UPID found in nested mappings, iterables and text, in order, once each.

    What a task was called with is not searched: ``invocation``, ``ansible_loop`` and the loop's variable, which
    ``ansible_loop_var`` beside it names (else ``item``). Nor are the keys of mappings: no server puts an id there.
    An id is taken as servers mint it, so without a comment; a Datacenter Manager prefix in its present form only.
    """
    found: dict[str, None] = {}
    # The values are kept, not only their ids: the id of a passing object may be used again.
    seen: dict[int, object] = {}
    stack: list[t.Iterator[object]] = [iter((value,))]
    while stack:
        item = next(stack[-1], _END)
        if item is _END:
            stack.pop()
        elif isinstance(item, str):
            found.update(dict.fromkeys(_search(item)))
        elif isinstance(item, (bytes, bytearray)):
            found.update(dict.fromkeys(_search(item.decode("utf-8", "replace"))))
        elif isinstance(item, collections.abc.Iterable) and id(item) not in seen:
            seen[id(item)] = item
            stack.append(_results_of(item) if isinstance(item, collections.abc.Mapping) else iter(item))
    return list(found)


_END = object()


class _Flaw(Exception):
    """What is wrong with which field, before anybody knows how to show the value."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


def _parse(text: str) -> Upid:
    kind, remote, native = _split_remote(text)
    parts = native.split(":")
    product = _product_of(parts)
    fields = dict(zip(_FIELDS[product], parts[1:]))
    comment = parts[-1]
    node = _node(fields["node"])
    pid = _hex("pid", fields["pid"], 8, 8)
    pstart = _hex("pstart", fields["pstart"], 8, 9)
    task_id = _hex("task_id", fields["task_id"], 8, 16) if product == "pbs" else None
    starttime = _hex("starttime", fields["starttime"], 8, 8)
    kind_of_task = _free("type", fields["type"], may_be_empty=False)
    task_for = _unescape(fields["id"]) if product == "pbs" else _free("id", fields["id"])
    user, tokenid = _user(fields["user"], product)
    if product == "pbs" and comment:
        raise _Flaw("comment", "nothing may follow the last colon of a Backup Server id")
    _free("comment", comment)
    if kind and kind != product:
        says = {"pve": "Proxmox VE", "pbs": "Proxmox Backup Server"}
        raise _Flaw("remote", f"the prefix '{kind}:' says {says[kind]}, but the id is one of {says[product]}")
    return Upid(
        text=text,
        node=node,
        pid=pid,
        pstart=pstart,
        starttime=starttime,
        type=kind_of_task,
        id=task_for,
        user=user,
        tokenid=tokenid,
        comment=comment,
        task_id=task_id,
        product=product,
        remote=remote,
    )


def _split_remote(text: str) -> tuple[str | None, str | None, str]:
    """Take the Datacenter Manager's prefix off, by the first ``!``: token names come after one too."""
    if text != text.strip():
        raise _Flaw("format", "there is white space around it")
    if not text:
        raise _Flaw("value", "it is empty")
    if text == "OK":
        raise _Flaw("value", "'OK' is what Proxmox VE answers instead of a UPID where there was nothing to do")
    before, mark, native = "", "", text
    if not _begins(text):
        before, mark, native = text.partition("!")
        if not _begins(native):
            raise _Flaw("format", _why_no_start(text))
    if not native.startswith("UPID:"):
        raise _Flaw("format", "'UPID' must be in upper case: the server knows the task by its exact id only")
    if not mark:
        return None, None, native
    kind, colon, remote = before.partition(":") if ":" in before else ("", "", before)
    if colon and kind not in ("pve", "pbs"):
        raise _Flaw("remote", f"the prefix begins with {_show(kind)}, not with 'pve' or 'pbs'")
    if not re.fullmatch(_REMOTE, remote):
        raise _Flaw("remote", "a remote's name is letters, digits, '.', '_' and '-', and begins with none of '.-'")
    return kind or None, remote, native


def _begins(text: str) -> bool:
    return text[:5].upper() == "UPID:"


def _why_no_start(text: str) -> str:
    if re.search("upid%3a", text, re.IGNORECASE):
        return "it is percent-encoded, as in a URL"
    if "UPID:" in text:
        return "it does not begin with 'UPID:', there is other text before (the filter upid_extract finds ids in text)"
    return "it does not begin with 'UPID:'"


def _product_of(parts: list[str]) -> Product:
    """Which grammar the number of fields tells. An id that only lacks its last colon is told so."""
    without_end = {"pve": 8, "pbs": 9}
    for product in t.get_args(Product):
        fields = _FIELDS[product]
        if (
            len(parts) == without_end[product]
            and re.fullmatch(rf"{_HEX}{{8}}", parts[1 + fields.index("starttime")])
            and re.fullmatch(_AUTHID[product], parts[-1])
            and (product == "pve" or "@" not in parts[7])
        ):
            raise _Flaw("format", "the colon at its end is missing")
    if len(parts) == 9:
        return "pve"
    if len(parts) == 10:
        return "pbs"
    raise _Flaw("format", f"it has {len(parts) - 1} colons, those of Proxmox VE have 8 and of Backup Server 9")


def _node(text: str) -> str:
    if not text:
        raise _Flaw("node", "the node's name is empty")
    if not re.fullmatch(_NODE, text):
        raise _Flaw("node", "the node's name is letters, digits and '-', and begins and ends with a letter or digit")
    return text


def _hex(field: str, text: str, least: int, most: int) -> int:
    if not re.fullmatch(rf"{_HEX}{{{least},{most}}}", text):
        count = f"{least}" if least == most else f"{least} to {most}"
        raise _Flaw(field, f"{field} must be {count} hexadecimal digits, not {_show(text)}")
    return int(text, 16)


def _free(field: str, text: str, *, may_be_empty: bool = True) -> str:
    if not text and not may_be_empty:
        raise _Flaw(field, f"{field} is empty")
    if "/" in text:
        raise _Flaw(field, f"{field} holds a slash, which no server takes")
    if not re.fullmatch(rf"{_FREE}*", text):
        raise _Flaw(field, f"{field} holds white space or control characters")
    return text


def _unescape(text: str) -> str:
    r"""Undo what Backup Server does to a task's id: ``-`` stands for ``/``, ``\xNN`` for a byte of UTF-8."""
    if "/" in text:
        raise _Flaw("id", "id holds a slash, which Backup Server writes as '-'")
    if not re.fullmatch(_PBS_ID, text):
        raise _Flaw("id", r"id holds a character that Backup Server would have written as '\xNN', or a broken '\xNN'")
    raw = re.sub(r"\\x(..)|-", lambda match: chr(int(match[1], 16)) if match[1] else "/", text)
    try:
        return raw.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        raise _Flaw("id", "id is not UTF-8 once it is unescaped") from None


def _user(text: str, product: Product) -> tuple[str, str]:
    _free("user", text, may_be_empty=False)
    if not re.fullmatch(_AUTHID[product], text):
        raise _Flaw("user", f"user must be 'user@realm' or 'user@realm!token', not {_show(text)}")
    user, at, rest = text.rpartition("@")
    realm, _mark, tokenid = rest.partition("!")
    return f"{user}{at}{realm}", tokenid


def _why_no_text(value: object) -> str:
    if value is None:
        return "null is what a call answers that starts no task"
    if isinstance(value, collections.abc.Mapping):
        return "it is a dictionary (the filter upid_extract finds the ids in a result)"
    if isinstance(value, (list, tuple)):
        return "it is a list, not one id (see the filter upid_extract)"
    return "it is no text"


def _show(value: object) -> str:
    """A value for a message: printable and short. Of what is no text only the type, its own words may be anything."""
    if value is None:
        return "null"
    if not isinstance(value, str):
        return f"A value of type {type(value).__name__[:_SHOWN_LENGTH]}"
    shown = repr(value[:_SHOWN_LENGTH])
    if len(value) <= _SHOWN_LENGTH and len(shown) <= _SHOWN_LENGTH:
        return shown
    return f"{shown[: _SHOWN_LENGTH - 4]}...{shown[0]}"


def _results_of(mapping: collections.abc.Mapping[object, object]) -> t.Iterator[object]:
    loop_var = mapping.get("ansible_loop_var", "item")
    return (value for key, value in mapping.items() if key not in _CALLED_WITH and key != loop_var)


def _search(text: str) -> t.Iterator[str]:
    for match in _IN_TEXT.finditer(text):
        upid = match[0] if match["pbs_id"] is None else re.sub(r"\\+x", r"\\x", match[0])
        for candidate in (upid, upid[upid.index("UPID:") :]):
            try:
                yield parse(candidate).text
                break
            except InvalidUpid:
                # A prefix that contradicts its id is left off; an id that is not UTF-8 is none.
                continue
