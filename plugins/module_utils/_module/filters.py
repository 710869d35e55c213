# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tasks to find: options that describe them, and the filters made of those. Pure. Private to the collection."""

from __future__ import annotations

import datetime
import re
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Filters
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.grammar import (
    Product,
    is_node_name,
    is_owner,
    is_worker_type,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import shown
from ansible_collections.proxkit.tasks.plugins.module_utils._module.spec import Options, Params
from ansible_collections.proxkit.tasks.plugins.module_utils._module.values import words

# What stands beside these and has a default, ``source`` and ``limit``, rules nothing out.
FILTERS: Options = {
    "node": {"type": "list", "elements": "str"},
    "type": {"type": "list", "elements": "str"},
    # Text, so that an empty one means not given; Ansible would check choices before blanks are dropped.
    "vmid": {"type": "list", "elements": "str"},
    "store": {"type": "list", "elements": "str"},
    "user": {"type": "str"},
    "outcome": {"type": "list", "elements": "str"},
    "since": {"type": "str"},
    "until": {"type": "str"},
}

OUTCOMES = ("ok", "warning", "error", "unknown", "running")
# The last second that a UPID can tell.
_LATEST = 2**32 - 1
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def filters_of(params: Params, now: float, product: Product = "pve") -> Filters:
    """The filters that the options describe, nodes aside; ``now`` in epoch seconds. Raises ``OptionError``."""
    if params["limit"] < 0:
        raise OptionError(f"limit: {params['limit']} is no number of tasks (0 means all).")
    since, until = period(params["since"], params["until"], now)
    filters = Filters(
        source=params["source"],
        types=worker_types(params["type"]),
        vmids=guests(params["vmid"]),
        stores=datastores(params["store"]),
        user=owner(params["user"], product),
        outcomes=outcomes(params["outcome"]),
        since=since,
        until=until,
        limit=params["limit"],
    )
    if filters.source == "archive" and filters.outcomes == ("running",):
        raise OptionError("outcome: what is running is in no archive, so that no task can match source=archive.")
    return filters


def instant(option: str, value: str | None, now: float) -> int | None:
    """Epoch seconds of a time: given as such, in ISO 8601 (UTC where it has no offset), or as a time before ``now``.

    None where none is given. Raises ``OptionError`` for all else, and for times that no task can have.
    """
    text = (value or "").strip()
    if not text:
        return None
    try:
        seconds_then = _instant(text, now)
    except (ValueError, OverflowError):
        raise OptionError(
            f"{option}: {shown(value)} is no time: give epoch seconds, ISO 8601, or a time ago such as 30m, 24h or 7d."
        ) from None
    if not 0 <= seconds_then <= _LATEST:
        raise OptionError(f"{option}: {shown(value)} is no time that a task can have (1970 to 2106).")
    return int(seconds_then)


def _instant(text: str, now: float) -> float:
    if re.fullmatch(r"[0-9]+(?:\.[0-9]*)?", text):
        return float(text)
    ago = re.fullmatch("([0-9]+)([smhdw])", text)
    if ago:
        return now - int(ago[1]) * _UNITS[ago[2]]
    parsed = datetime.datetime.fromisoformat(simple_iso(text))
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.timezone.utc)).timestamp()


def simple_iso(text: str) -> str:
    """ISO 8601 for Python 3.9 and 3.10: no Z, no offset without a colon, and no fraction of a second."""
    text = re.sub(r"[.,][0-9]+(?=$|[Zz+-])", "", text)
    return re.sub(r"(?<=[+-][0-9]{2})(?=[0-9]{2}$)", ":", re.sub("[Zz]$", "+00:00", text))


def period(since: str | None, until: str | None, now: float) -> tuple[int | None, int | None]:
    """Epoch seconds of both ends; raises ``OptionError`` where no time lies between them."""
    begin, end = instant("since", since, now), instant("until", until, now)
    if begin is not None and end is not None and begin > end:
        raise OptionError(f"since: {shown(since)} is later than until ({shown(until)}), so that no task can match.")
    return begin, end


def worker_types(value: t.Iterable[t.Any] | None) -> tuple[str, ...]:
    """Types of tasks; raises ``OptionError`` for what is none."""
    return _fitting("type", value, is_worker_type, "is no type of a task (no blanks, colons and slashes), see vzdump")


def guests(value: t.Iterable[t.Any] | None) -> tuple[int, ...]:
    """Ids of guests; raises ``OptionError`` for what is none (``pve-common`` JSONSchema: 100 to 999999999)."""
    fits = re.compile("[1-9][0-9]{2,8}").fullmatch
    return tuple(map(int, _fitting("vmid", value, fits, "is no id of a guest (100 to 999999999)")))


def datastores(value: t.Iterable[t.Any] | None) -> tuple[str, ...]:
    """Names of datastores; raises ``OptionError`` for what is none (``pbs-api-types``: 3 to 32 characters)."""
    fits = re.compile("[A-Za-z0-9_][A-Za-z0-9._-]{2,31}").fullmatch
    return _fitting("store", value, fits, "is no name of a datastore (letters, digits and . _ -, 3 to 32)")


def owner(value: str | None, product: Product = "pve") -> str | None:
    """Who started tasks, ``user@realm`` or ``user@realm!token``; raises ``OptionError`` for what no task can have."""
    text = (value or "").strip()
    if text and not is_owner(text, product):
        raise OptionError(f"user: {shown(text)} is neither user@realm nor user@realm!token, so that no task can match.")
    return text or None


def outcomes(value: t.Iterable[t.Any] | None) -> tuple[str, ...]:
    """Outcomes to look for; raises ``OptionError`` for what is none."""
    return _fitting("outcome", value, OUTCOMES.__contains__, f"is none of {', '.join(OUTCOMES)}")


def node_names(value: t.Iterable[t.Any] | None) -> list[str]:
    """Node names that are safe in a path, once each; raises ``OptionError`` (grammar: ``pve-common`` JSONSchema)."""
    return list(_fitting("node", value, is_node_name, "is no node name (letters, digits and inner hyphens)"))


def _fitting(
    option: str, value: t.Iterable[t.Any] | None, fits: t.Callable[[str], object], flaw: str
) -> tuple[str, ...]:
    """The words of a list; raises ``OptionError`` for the first that does not fit, with its ``flaw``."""
    for word in words(value):
        if not fits(word):
            raise OptionError(f"{option}: {shown(word)} {flaw}.")
    return words(value)
