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
import contextlib
import itertools
import re
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import InvalidUpid
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import shown

Product = t.Literal["pve", "pbs"]

# Control characters cannot reach a log file's name in practice, and surrogates no request: neither is let in.
_FREE = r"[^:/\s\x00-\x1f\x7f-\x9f\ud800-\udfff]"
_NODE = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HEX = r"[0-9A-Fa-f]"
_REMOTE = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_PBS_ID = r"(?:[A-Za-z0-9_.-]|\\x[0-9A-Fa-f]{2})*"
_FIELDS: dict[Product, tuple[str, ...]] = {
    "pve": ("node", "pid", "pstart", "starttime", "type", "id", "user"),
    "pbs": ("node", "pid", "pstart", "task_id", "starttime", "type", "id", "user"),
}
_NAME: dict[Product, str] = {"pve": r"[A-Za-z][A-Za-z0-9._-]*", "pbs": r"[A-Za-z0-9_][A-Za-z0-9._-]*"}
# A user name may hold "@" and "!" itself. Being greedy finds the last "@" that leaves a realm, with or without token.
_AUTHID: dict[Product, str] = {product: rf"{_FREE}+@{name}(?:!{name})?" for product, name in _NAME.items()}


def _grammar(product: Product) -> re.Pattern[str]:
    """The whole of a UPID; its groups are remote, fields, token and comment, in this order."""
    parts = {
        "node": _NODE,
        "pid": rf"{_HEX}{{8}}",
        "pstart": rf"{_HEX}{{8,9}}",
        "task_id": rf"{_HEX}{{8,16}}",
        "starttime": rf"{_HEX}{{8}}",
        "type": rf"{_FREE}+",
        "id": rf"{_FREE}*" if product == "pve" else _PBS_ID,
        "user": rf"{_FREE}+@{_NAME[product]}",
    }
    fields = ":".join(f"({parts[field]})" for field in _FIELDS[product])
    comment = rf"{_FREE}*" if product == "pve" else ""
    return re.compile(rf"(?:(?:{product}:)?({_REMOTE})!)?UPID:{fields}(?:!({_NAME[product]}))?:({comment})")


_GRAMMARS: dict[Product, re.Pattern[str]] = {product: _grammar(product) for product in _FIELDS}
# Most ids are of Proxmox VE, and come by the thousands: what is looked up once need not be each time.
_fullmatch_pve = _GRAMMARS["pve"].fullmatch
_tuple = tuple.__new__
# What Ansible puts in the place of a secret, and in that of a value that is the secret as a whole.
MASK = "*" * 8
_MASKED_WHOLE = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
# Every repetition below stops at a colon or earlier, which keeps a search through any text linear. Text may be JSON,
# or JSON within JSON: the backslashes of a Backup Server id come doubled then. The prefix may be percent-encoded where
# the id is not. Compiled when it is first needed: modules never search.
_IN_TEXT = (
    rf"(?P<prefix>(?:pve|pbs)(?::|%3[Aa]){_REMOTE}(?:!|%21))?"
    rf"(?P<upid>UPID:{_NODE}:{_HEX}{{8}}:{_HEX}{{8,9}}:"
    rf"(?:{_HEX}{{8}}:(?P<type>{_FREE}+):{_FREE}*:{_AUTHID['pve']}"
    rf"|{_HEX}{{8,16}}:{_HEX}{{8}}:{_FREE}+:(?P<pbs_id>(?:[A-Za-z0-9_.-]|\\+x{_HEX}{{2}})*):{_AUTHID['pbs']}):)"
)
_MASKED_IN_TEXT = rf"UPID(?::{_FREE}*){{7}}:"
_ESCAPES = f"(?:%{_HEX}{{2}})+"
# What the start time of a Backup Server id looks like where one of the colons after it is percent-encoded: as if the
# id were one of Proxmox VE, with a type that no server has.
_NO_TYPE = f"{_HEX}{{8}}(?:%3[Aa]|$)"
# An id in a URL that is itself a part of another one is encoded twice.
_ENCODED_TIMES = 3
# What a task was called with, in a registered result; the loop variable comes on top.
_CALLED_WITH = ("invocation", "ansible_loop")


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
        match = _fullmatch_pve(value)
        # No text fits both grammars: they differ in the number of colons. There is room for asterisks in them, but no
        # server mints that many.
        if match and MASK not in value:
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


def is_node_name(text: str) -> bool:
    """Whether a node can have this name (``pve-common`` JSONSchema)."""
    return bool(re.fullmatch(_NODE, text))


def is_owner(text: str) -> bool:
    """Whether a task of Proxmox VE can belong to this ``user@realm`` or ``user@realm!token``."""
    return bool(re.fullmatch(_AUTHID["pve"], text))


def is_worker_type(text: str) -> bool:
    """Whether a task can be of this type."""
    return bool(re.fullmatch(f"{_FREE}+", text))


def extract(value: object) -> list[str]:
    """Every UPID found in nested mappings, iterables and text, in order, once each.

    What a task was called with is not searched: ``invocation``, ``ansible_loop`` and the loop's variable, which
    ``ansible_loop_var`` beside it names (else ``item``). Nor are the keys of mappings: no server puts an id there.
    An id is taken as servers mint it, so without a comment; a Datacenter Manager prefix in its present form only.
    A percent-encoded id, as in a URL, comes decoded; where text is a UPID as it stands, it is taken as it stands.
    An id in which Ansible masked a secret comes with its asterisks, although ``parse`` refuses it.
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


def _parse_other(value: object) -> Upid:
    """Decode what is no UPID of Proxmox VE's grammar; raises ``InvalidUpid``."""
    if not isinstance(value, str):
        raise InvalidUpid("value", _why_no_text(value), shown(value))
    text = str.__str__(value)
    match = _GRAMMARS["pbs"].fullmatch(text)
    if match is None or MASK in text:
        field, reason = next(_flaws(text))
        raise InvalidUpid(field, reason, shown(text))
    return _of_pbs(text, match)


def _of_pbs(text: str, match: re.Match[str]) -> Upid:
    remote, node, pid, pstart, task_id, starttime, kind, escaped, user, token, comment = match.groups("")
    try:
        task_for = _unescape(escaped)
    except UnicodeDecodeError:
        raise InvalidUpid("id", "id is not UTF-8 once it is unescaped", shown(text)) from None
    numbers = int(pid, 16), int(pstart, 16), int(starttime, 16)
    return Upid(text, node, *numbers, kind, task_for, user, token, comment, int(task_id, 16), "pbs", remote or None)


def _unescape(text: str) -> str:
    r"""Undo what Backup Server does to a task's id: ``-`` stands for ``/``, ``\xNN`` for a byte of UTF-8."""
    raw = re.sub(r"\\x(..)|-", lambda match: chr(int(match[1], 16)) if match[1] else "/", text)
    return raw.encode("latin-1").decode("utf-8")


_Flaw = tuple[str, str]


def _flaws(text: str) -> t.Iterator[_Flaw]:
    """Field and flaw of a text that no grammar takes, the most telling first: only that one is asked for."""
    if text == "OK":
        yield "value", "'OK' is what Proxmox VE answers instead of a UPID where there was nothing to do"
    if not text.strip():
        yield "value", "it is empty"
    if MASK in text or text == _MASKED_WHOLE:
        yield "value", _why_masked()
    if len(list(itertools.islice(_search(text), 2))) > 1:
        yield "format", "it holds more than one UPID (the filter proxkit.tasks.upid_extract takes them apart)"
    flaw = _flaw_as_it_stands(text)
    plain = text
    for _time in range(_ENCODED_TIMES):
        plain = _decoded(plain)
    # Where the flaw is another one, or none, without the encoding, the encoding is what is wrong.
    if plain != text and (_is_upid(plain) or _flaw_as_it_stands(plain) != flaw):
        yield "format", "it is percent-encoded, as in a URL"
    yield flaw


def _why_masked() -> str:
    return (
        f"Ansible put {MASK} in the place of a secret that occurs in it (a password, a token's secret or another "
        "value under no_log). The id itself is lost there: take it from a task that was not given that secret, or use "
        "an API token or a password that occurs in no node's, user's or task's name"
    )


def _flaw_as_it_stands(text: str) -> _Flaw:
    return next(_flaws_as_it_stands(text))


def _flaws_as_it_stands(text: str) -> t.Iterator[_Flaw]:
    if text != text.strip():
        yield "format", "there is white space around it"
    # The prefix ends at the first "!": the names of tokens come after one too.
    prefix, _mark, native = ("", "", text) if _begins(text) else text.partition("!")
    if not _begins(native):
        yield "format", _why_no_start(text)
    if not native.startswith("UPID:"):
        yield "format", "'UPID' must be in upper case: the server knows the task by its exact id only"
    kind, colon, remote = prefix.rpartition(":")
    if colon and kind not in _FIELDS:
        yield "remote", f"the prefix begins with {shown(kind)}, not with 'pve' or 'pbs'"
    if native != text and not re.fullmatch(_REMOTE, remote):
        yield "remote", "a remote's name is letters, digits, '.', '_' and '-', and begins with none of '.-'"
    parts = native.split(":")
    yield from _flaws_of_count(parts)
    product: Product = "pve" if len(parts) == 9 else "pbs"
    for field, part in zip(_FIELDS[product], parts[1:]):
        yield from _flaws_of_field(field, part, product)
    if product == "pbs" and parts[-1]:
        yield "comment", "nothing may follow the last colon of a Backup Server id"
    yield from _flaws_of_free("comment", parts[-1])
    names = {"pve": "Proxmox VE", "pbs": "Proxmox Backup Server"}
    yield "remote", f"the prefix '{kind}:' says {names.get(kind)}, but the id is one of {names[product]}"


def _begins(text: str) -> bool:
    return text[:5].upper() == "UPID:"


def _why_no_start(text: str) -> str:
    if "UPID:" in text:
        return "it does not begin with 'UPID:', there is other text before (the filter upid_extract finds ids in text)"
    return "it does not begin with 'UPID:'"


def _flaws_of_count(parts: list[str]) -> t.Iterator[_Flaw]:
    # An id that only lacks its last colon has the fields of the other grammar, or none's, but the right ends.
    for product, fields in _FIELDS.items():
        without_end = dict(zip(("UPID", *fields), parts))
        if (
            len(parts) == len(without_end) == len(fields) + 1
            and re.fullmatch(rf"{_HEX}{{8}}", without_end["starttime"])
            and re.fullmatch(_AUTHID[product], without_end["user"])
            and (product == "pve" or "@" not in without_end["id"])
        ):
            yield "format", "the colon at its end is missing"
    if len(parts) not in (9, 10):
        yield "format", f"it has {len(parts) - 1} colons, those of Proxmox VE have 8 and of Backup Server 9"


def _flaws_of_field(field: str, text: str, product: Product) -> t.Iterator[_Flaw]:
    digits = {"pid": "8", "pstart": "8,9", "task_id": "8,16", "starttime": "8"}.get(field)
    if digits:
        if not re.fullmatch(rf"{_HEX}{{{digits}}}", text):
            yield field, f"{field} must be {digits.replace(',', ' to ')} hexadecimal digits, not {shown(text)}"
        return
    if not text and field != "id":
        yield field, f"{field} is empty"
    if field == "node" and not re.fullmatch(_NODE, text):
        yield field, "the node's name is letters, digits and '-', and begins and ends with a letter or digit"
    if field == "id" and product == "pbs":
        if "/" in text:
            yield field, "id holds a slash, which Backup Server writes as '-'"
        if not re.fullmatch(_PBS_ID, text):
            yield field, r"id holds a character that Backup Server writes as '\xNN', or a broken '\xNN'"
    yield from _flaws_of_free(field, text)
    if field == "user" and not re.fullmatch(_AUTHID[product], text):
        yield field, f"user must be 'user@realm' or 'user@realm!token', not {shown(text)}"


def _flaws_of_free(field: str, text: str) -> t.Iterator[_Flaw]:
    if "/" in text:
        yield field, f"{field} holds a slash, which no server takes"
    if not re.fullmatch(rf"{_FREE}*", text):
        yield field, f"{field} holds white space or control characters"


def _why_no_text(value: object) -> str:
    if value is None:
        return "null is what a call answers that starts no task"
    if isinstance(value, (collections.abc.Mapping, list, tuple)):
        return "it is not one id (the filter upid_extract finds those in any value)"
    return "it is not text"


def _results_of(mapping: collections.abc.Mapping[object, object]) -> t.Iterator[object]:
    loop_var: object = "item"
    # Not get(): some of Ansible's own mappings fail for keys that they do not have.
    if "ansible_loop_var" in mapping:
        loop_var = mapping["ansible_loop_var"]
    return (value for key, value in mapping.items() if key not in _CALLED_WITH and key != loop_var)


def _search(text: str, times: int = _ENCODED_TIMES) -> t.Iterator[str]:
    """Every UPID in a text as it stands, and those in what is left between them once that is decoded."""
    end = 0
    for match in re.finditer(_IN_TEXT, text):
        found = _taken(match)
        if found is not None:
            yield from _search_rest(text[end : match.start()], times)
            yield found
            end = match.end()
    yield from _search_rest(text[end:], times)


def _taken(match: re.Match[str]) -> str | None:
    upid = match["upid"]
    if match["pbs_id"]:
        start, end = (place - match.start("upid") for place in match.span("pbs_id"))
        upid = upid[:start] + _with_single_backslashes(match["pbs_id"]) + upid[end:]
    prefix = match["prefix"] or ""
    if match["type"] and re.match(_NO_TYPE, match["type"]):
        plain = _decoded(prefix + upid)
        for text in (plain, _with_single_backslashes(plain)):
            if _is_upid(text, ("pbs",)):
                return text
    # A prefix that contradicts its id is left off; an id that is not UTF-8 is none.
    texts = [_decoded(prefix + upid)] if "%" in prefix else []
    texts += [_decoded(prefix) + upid, upid]
    return next((text for text in texts if _is_upid(text)), None)


def _with_single_backslashes(text: str) -> str:
    return re.sub(r"\\+x", r"\\x", text)


def _is_upid(text: str, products: t.Container[str] = ("pve", "pbs")) -> bool:
    if MASK in text:
        return False
    if "pve" in products and _fullmatch_pve(text):
        return True
    match = _GRAMMARS["pbs"].fullmatch(text) if "pbs" in products else None
    with contextlib.suppress(InvalidUpid):
        return match is not None and bool(_of_pbs(text, match))
    return False


def _search_rest(text: str, times: int) -> t.Iterator[str]:
    if MASK in text:
        # Left out they would pass for no task at all; who is given one says what happened to it.
        yield from (found for found in re.findall(_MASKED_IN_TEXT, text) if MASK in found)
    if times and "%" in text and "UPID" in text:
        plain = _decoded(text)
        if plain != text:
            yield from _search(plain, times - 1)


def _decoded(text: str) -> str:
    """``text`` without percent-encoding; what is no UTF-8 stays as it is."""
    return re.sub(_ESCAPES, _decoded_run, text) if "%" in text else text


def _decoded_run(match: re.Match[str]) -> str:
    run = match[0]
    plain = []
    position = 0
    for char in bytes.fromhex(run.replace("%", "")).decode("utf-8", "surrogateescape"):
        undecodable = "\ud800" <= char <= "\udfff"
        end = position + 3 * (1 if undecodable else len(char.encode()))
        plain.append(run[position:end] if undecodable else char)
        position = end
    return "".join(plain)
