# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a text is no UPID, in words that help. Pure. Private to the collection."""

from __future__ import annotations

import collections.abc
import itertools
import re
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.extract import ENCODED_TIMES, decoded, search
from ansible_collections.proxkit.tasks.plugins.module_utils._model.grammar import (
    AUTHID,
    FIELDS,
    FREE,
    HEX,
    MASK,
    NODE,
    PBS_ID,
    REMOTE,
    Product,
    is_upid,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import shown

# By its full name: Ansible finds no short one of a collection's.
_EXTRACT = "proxkit.tasks.upid_extract"
_MASKED_WHOLE = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
# The beginning of a text is enough to look for a reason in: whole files are given by mistake.
_HEAD_LENGTH = 4096
Flaw = tuple[str, str]


def flaws(text: str) -> t.Iterator[Flaw]:
    """Field and flaw of a text that no grammar takes, the most telling first: only that one is asked for."""
    if text == "OK":
        yield "value", "'OK' is what Proxmox VE answers instead of a UPID where there was nothing to do"
    if not text.strip():
        yield "value", "it is empty"
    if MASK in text or text == _MASKED_WHOLE:
        yield "value", _why_masked()
    head = text[:_HEAD_LENGTH]
    if len(list(itertools.islice(search(head), 2))) > 1:
        yield "format", f"it holds more than one UPID (the filter {_EXTRACT} takes them apart)"
    plain = head
    for _time in range(ENCODED_TIMES):
        plain = decoded(plain)
    # Where the flaw is another one, or none, without the encoding, the encoding is what is wrong.
    if plain != head and (is_upid(plain) or _flaw_as_it_stands(plain) != _flaw_as_it_stands(head)):
        yield "format", "it is percent-encoded, as in a URL"
    yield _flaw_as_it_stands(text)


def _why_masked() -> str:
    return (
        f"Ansible put {MASK} in the place of a secret that occurs in it (a password, a token's secret or another "
        "value under no_log). The id itself is lost there: take it from a task that was not given that secret, or use "
        "an API token or a password that occurs in no node's, user's or task's name"
    )


def _flaw_as_it_stands(text: str) -> Flaw:
    return next(_flaws_as_it_stands(text))


def _flaws_as_it_stands(text: str) -> t.Iterator[Flaw]:
    if text != text.strip():
        yield "format", "there is white space around it"
    # The prefix ends at the first "!": the names of tokens come after one too.
    prefix, _mark, native = ("", "", text) if _begins(text) else text.partition("!")
    if not _begins(native):
        yield "format", _why_no_start(text)
    if not native.startswith("UPID:"):
        yield "format", "'UPID' must be in upper case: the server knows the task by its exact id only"
    kind, colon, remote = prefix.rpartition(":")
    if colon and kind not in FIELDS:
        yield "remote", f"the prefix begins with {shown(kind)}, not with 'pve' or 'pbs'"
    if native != text and not re.fullmatch(REMOTE, remote):
        yield "remote", "a remote's name is letters, digits, '.', '_' and '-', and begins with none of '.-'"
    parts = native.split(":", 10)
    yield from _flaws_of_count(parts, native.count(":"))
    product: Product = "pve" if len(parts) == 9 else "pbs"
    for field, part in zip(FIELDS[product], parts[1:]):
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
        return f"it does not begin with 'UPID:', there is other text before (the filter {_EXTRACT} finds ids in text)"
    return "it does not begin with 'UPID:'"


def _flaws_of_count(parts: list[str], colons: int) -> t.Iterator[Flaw]:
    # An id that only lacks its last colon has the fields of the other grammar, or none's, but the right ends.
    for product, fields in FIELDS.items():
        without_end = dict(zip(("UPID", *fields), parts))
        if (
            len(parts) == len(without_end) == len(fields) + 1
            and re.fullmatch(rf"{HEX}{{8}}", without_end["starttime"])
            and re.fullmatch(AUTHID[product], without_end["user"])
            and (product == "pve" or "@" not in without_end["id"])
        ):
            yield "format", "the colon at its end is missing"
    if len(parts) not in (9, 10):
        count = "1 colon" if colons == 1 else f"{colons} colons"
        yield "format", f"it has {count}, those of Proxmox VE have 8 and of Backup Server 9"


def _flaws_of_field(field: str, text: str, product: Product) -> t.Iterator[Flaw]:
    digits = {"pid": "8", "pstart": "8,9", "task_id": "8,16", "starttime": "8"}.get(field)
    if digits:
        if not re.fullmatch(rf"{HEX}{{{digits}}}", text):
            yield field, f"{field} must be {digits.replace(',', ' to ')} hexadecimal digits, not {shown(text)}"
        return
    if not text and field != "id":
        yield field, f"{field} is empty"
    if field == "node" and not re.fullmatch(NODE, text):
        yield field, "the node's name is letters, digits and '-', and begins and ends with a letter or digit"
    if field == "id" and product == "pbs":
        if "/" in text:
            yield field, "id holds a slash, which Backup Server writes as '-'"
        if not re.fullmatch(PBS_ID, text):
            yield field, r"id holds a character that Backup Server writes as '\xNN', or a broken '\xNN'"
    yield from _flaws_of_free(field, text)
    if field == "user" and not re.fullmatch(AUTHID[product], text):
        yield field, f"user must be 'user@realm' or 'user@realm!token', not {shown(text)}"


def _flaws_of_free(field: str, text: str) -> t.Iterator[Flaw]:
    if "/" in text:
        yield field, f"{field} holds a slash, which no server takes"
    if not re.fullmatch(rf"{FREE}*", text):
        yield field, f"{field} holds white space or control characters"


def why_no_text(value: object) -> str:
    """The flaw of a value that is no text."""
    if value is None:
        return "null is what a call answers that starts no task"
    if isinstance(value, (collections.abc.Mapping, list, tuple)):
        return f"it is not one id (the filter {_EXTRACT} finds those in any value)"
    return "it is not text"
