# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding UPIDs in any value. Pure. Private to the collection."""

from __future__ import annotations

import collections.abc
import re
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.grammar import (
    AUTHID,
    FREE,
    HEX,
    MASK,
    NODE,
    REMOTE,
    is_upid,
)

# Every repetition below stops at a colon or earlier, which keeps a search through any text linear. Text may be JSON,
# or JSON within JSON: the backslashes of a Backup Server id come doubled then. The prefix may be percent-encoded where
# the id is not. Compiled when it is first needed: modules never search.
_IN_TEXT = (
    rf"(?P<prefix>(?:pve|pbs)(?::|%3[Aa]){REMOTE}(?:!|%21))?"
    rf"(?P<upid>UPID:{NODE}:{HEX}{{8}}:{HEX}{{8,9}}:"
    rf"(?:{HEX}{{8}}:(?P<type>{FREE}+):{FREE}*:{AUTHID['pve']}"
    rf"|{HEX}{{8,16}}:{HEX}{{8}}:{FREE}+:(?P<pbs_id>(?:[A-Za-z0-9_.-]|\\+x{HEX}{{2}})*):{AUTHID['pbs']}):)"
)
_MASKED_IN_TEXT = rf"UPID(?::{FREE}*){{7}}:"
_ESCAPES = f"(?:%{HEX}{{2}})+"
# What the start time of a Backup Server id looks like where one of the colons after it is percent-encoded: as if the
# id were one of Proxmox VE, with a type that no server has.
_NO_TYPE = f"{HEX}{{8}}(?:%3[Aa]|$)"
# An id in a URL that is itself a part of another one is encoded twice.
ENCODED_TIMES = 3
# What is not of a task's answer in a registered result: what it was called with (the loop variable comes on top), and
# why a loop had nothing to do, which Ansible deprecates by a warning to whoever reads it.
_NO_ANSWER = ("invocation", "ansible_loop", "skipped_reason")


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
            found.update(dict.fromkeys(search(item)))
        elif isinstance(item, (bytes, bytearray)):
            found.update(dict.fromkeys(search(item.decode("utf-8", "replace"))))
        elif isinstance(item, collections.abc.Iterable) and id(item) not in seen:
            seen[id(item)] = item
            stack.append(_results_of(item) if isinstance(item, collections.abc.Mapping) else iter(item))
    return list(found)


_END = object()


def _results_of(mapping: collections.abc.Mapping[object, object]) -> t.Iterator[object]:
    loop_var: object = "item"
    # Not get(): some of Ansible's own mappings fail for keys that they do not have.
    if "ansible_loop_var" in mapping:
        loop_var = mapping["ansible_loop_var"]
    return (mapping[key] for key in mapping if key not in _NO_ANSWER and key != loop_var)


def search(text: str, times: int = ENCODED_TIMES) -> t.Iterator[str]:
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
        plain = decoded(prefix + upid)
        for text in (plain, _with_single_backslashes(plain)):
            if is_upid(text, ("pbs",)):
                return text
    # A prefix that contradicts its id is left off; an id that is not UTF-8 is none.
    texts = [decoded(prefix + upid)] if "%" in prefix else []
    texts += [decoded(prefix) + upid, upid]
    return next((text for text in texts if is_upid(text)), None)


def _with_single_backslashes(text: str) -> str:
    return re.sub(r"\\+x", r"\\x", text)


def _search_rest(text: str, times: int) -> t.Iterator[str]:
    if MASK in text:
        # Left out they would pass for no task at all; who is given one says what happened to it.
        yield from (found for found in re.findall(_MASKED_IN_TEXT, text) if MASK in found)
    if times and "%" in text and "UPID" in text:
        plain = decoded(text)
        if plain != text:
            yield from search(plain, times - 1)


def decoded(text: str) -> str:
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
