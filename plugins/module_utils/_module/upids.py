# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks by name: the option ``upids``, and the ids made of it. Private to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import PVE, SERVICES, Service
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import InvalidUpid, OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.extract import extract
from ansible_collections.proxkit.tasks.plugins.module_utils._model.grammar import MASK
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import shown
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid, parse

# Raw, because Ansible refuses or bends a null in a list of strings.
UPIDS: dict[str, t.Any] = {"type": "raw", "aliases": ["upid"]}

# 'OK' is what PVE answers instead of a UPID where there was nothing to do.
NO_TASK = (None, "", "OK")

_EXTRACT = "proxkit.tasks.upid_extract"


def upids(value: t.Any, service: Service = PVE) -> tuple[list[Upid], list[t.Any]]:
    """The tasks that the ``upids`` option names, once each, and the given values that name none.

    Raises ``OptionError`` or ``InvalidUpid`` before anything was asked of a server.
    """
    if isinstance(value, t.Mapping):
        raise OptionError(
            "upids: a dictionary is no UPID. Where it is a registered result, take the UPIDs out of it: "
            '"{{ result | proxkit.tasks.upid_extract }}".'
        )
    found: dict[str, Upid] = {}
    no_task: list[t.Any] = []
    for entry in value if isinstance(value, (list, tuple)) else [value]:
        text = entry.strip() if isinstance(entry, str) else entry
        if text in NO_TASK:
            no_task.append(entry)
            continue
        if isinstance(text, t.Mapping):
            raise OptionError(
                "upids: the list holds a dictionary, which is no UPID. Where it comes from registered results, take "
                'the UPIDs out of them: "{{ results | proxkit.tasks.upid_extract }}".'
            )
        upid = _named(text, service)
        found.setdefault(upid.native, upid)
    return list(found.values()), no_task


def _named(text: t.Any, service: Service) -> Upid:
    try:
        upid = parse(text)
    except InvalidUpid as exc:
        raise _invalid(text, exc.field, exc.reason + _hint_at_extract(text, exc.reason)) from None
    if upid.comment:
        raise _invalid(text, "comment", "it has a comment after the last colon, which no server accepts")
    if not _fits(upid, service):
        owners = [one for one in SERVICES.values() if _fits(upid, one)]
        names = " or ".join(f"{one.name} ({one.title})" for one in owners)
        raise OptionError(f"upids: {shown(text)} belongs to service {names}, but service is {service.name}.")
    return upid


def _invalid(text: t.Any, field: str, reason: str) -> InvalidUpid:
    return InvalidUpid(field, reason, f"upids: {shown(text)}")


def _fits(upid: Upid, service: Service) -> bool:
    """Mail Gateway's grammar is Proxmox VE's, but no Datacenter Manager has it for a remote."""
    return upid.product == (service.product if upid.remote is None else service.name)


def _hint_at_extract(text: t.Any, reason: str) -> str:
    """How to take out the UPIDs that a text holds beside other things; empty where it holds none."""
    # An id that Ansible masked is of no use, wherever it stands.
    if not isinstance(text, str) or MASK in text or _EXTRACT in reason or not extract(text):
        return ""
    return f'. Take the UPIDs out of text that holds more: "{{{{ text | {_EXTRACT} }}}}"'
