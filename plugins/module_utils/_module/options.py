# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that modules share, their constraints, and the values made of them. Private to the collection."""

from __future__ import annotations

import datetime
import os
import re
import typing as t

from ansible.module_utils.basic import env_fallback
from ansible.module_utils.common import validation
from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import InvalidUpid, OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.extract import extract
from ansible_collections.proxkit.tasks.plugins.module_utils._model.grammar import (
    MASK,
    is_node_name,
    is_owner,
    is_worker_type,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import shown
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid, parse
from ansible_collections.proxkit.tasks.plugins.module_utils._module.credentials import credentials

# 'OK' is what PVE answers instead of a UPID where there was nothing to do.
NO_TASK = (None, "", "OK")

CONNECTION_SPEC: dict[str, dict[str, t.Any]] = {
    "api_host": {"type": "list", "elements": "str", "required": True, "fallback": (env_fallback, ["PROXMOX_HOST"])},
    "api_port": {"type": "int", "fallback": (env_fallback, ["PROXMOX_PORT"])},
    "api_user": {"type": "str", "fallback": (env_fallback, ["PROXMOX_USER"])},
    "api_password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["PROXMOX_PASSWORD"])},
    "api_otp": {"type": "str", "no_log": True, "fallback": (env_fallback, ["PROXMOX_OTP"])},
    "api_token_id": {"type": "str", "no_log": False, "fallback": (env_fallback, ["PROXMOX_TOKEN_ID"])},
    "api_token_secret": {"type": "str", "no_log": True, "fallback": (env_fallback, ["PROXMOX_TOKEN_SECRET"])},
    "validate_certs": {"type": "bool", "default": True, "fallback": (env_fallback, ["PROXMOX_VALIDATE_CERTS"])},
    "ca_path": {"type": "path", "fallback": (env_fallback, ["PROXMOX_CA_PATH"])},
    "api_timeout": {"type": "float", "default": 15, "fallback": (env_fallback, ["PROXMOX_API_TIMEOUT"])},
    "service": {"type": "str", "default": "pve", "choices": ["pve"], "fallback": (env_fallback, ["PROXMOX_SERVICE"])},
}

# Raw, because Ansible refuses or bends a null in a list of strings.
UPIDS_SPEC: dict[str, t.Any] = {"type": "raw", "aliases": ["upid"]}

LOG_LINES_SPEC: dict[str, t.Any] = {"type": "int", "default": 50}

_HOST = re.compile(
    r"\[(?P<bracketed>[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\](?::(?P<port6>[0-9]{1,5}))?"
    r"|(?P<name>[\w.-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"|(?P<bare>[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[\w.-]+)?)",
    re.ASCII,
)
# 30 years; somewhat above, waiting itself overflows.
_LONGEST_SECONDS = 1e9
# The last second that a UPID can tell.
_LATEST = 2**32 - 1
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
OUTCOMES = ("ok", "warning", "error", "unknown", "running")
_EXTRACT = "proxkit.tasks.upid_extract"
_OWNERS = {"pve": "Proxmox VE", "pbs": "Proxmox Backup Server"}


def connection(params: t.Mapping[str, t.Any]) -> Connection:
    """The connection that validated connection options name.

    Raises ``OptionError`` where they contradict each other or cannot work; a value from the environment is blamed on
    its variable. The message never holds a credential.
    """
    try:
        return Connection(
            hosts=_hosts(params["api_host"], params["api_port"]),
            **vars(credentials(params)),
            validate_certs=params["validate_certs"],
            ca_path=_authorities(params["ca_path"], params["validate_certs"]),
            ca_option=with_sources("ca_path", params),
            timeout=positive_seconds("api_timeout", params["api_timeout"]),
            service=params["service"],
        )
    except OptionError as exc:
        raise OptionError(with_sources(exc.message, params)) from None


def with_sources(text: str, params: t.Mapping[str, t.Any]) -> str:
    """``text`` with the variable named behind each connection option in it whose value came from the environment."""
    for option, spec in CONNECTION_SPEC.items():
        variable = spec["fallback"][1][0]
        if _is_from(os.environ.get(variable), params.get(option), spec["type"]):
            text = re.sub(rf"(?<![\w-]){option}(?![\w-])(?! \(from)", f"{option} (from {variable})", text, count=1)
    return text


_CONVERSIONS: dict[str, t.Callable[[str], t.Any]] = {
    "str": str,
    "list": validation.check_type_list,
    "int": validation.check_type_int,
    "float": validation.check_type_float,
    "path": validation.check_type_path,
    "bool": validation.check_type_bool,
}


def _is_from(raw: str | None, value: t.Any, kind: str) -> bool:
    """Whether an option's value, converted or refused, is what a variable holds."""
    if raw is None or raw == value:
        return raw is not None
    try:
        return bool(_CONVERSIONS[kind](raw) == value)
    except (TypeError, ValueError):
        return False


def _authorities(ca_path: str | None, validate_certs: bool) -> str | None:
    if ca_path and validate_certs and not os.access(ca_path, os.R_OK):
        raise OptionError(f"ca_path: {ca_path} cannot be read on the machine where this task runs.")
    return ca_path


def _hosts(api_host: t.Iterable[t.Any], api_port: int | None) -> tuple[str, ...]:
    port = 8006 if api_port is None else api_port
    if not 0 < port < 65536:
        raise OptionError(f"api_port: {port} is no port number.")
    # Before anything else, and in all of them: a comma in a password makes two entries of it.
    if any("@" in str(entry) for entry in api_host):
        raise OptionError(
            "api_host: an address with a user in it is not taken. Give the host alone, the user as api_user and the "
            "password as api_password."
        )
    hosts = [_authority(host, port) for host in words(api_host)]
    if not hosts:
        raise OptionError("api_host: no host is named.")
    return tuple(dict.fromkeys(hosts))


def _authority(given: str, port: int) -> str:
    """``host:port`` of an address; people paste the URL of the web interface."""
    scheme, mark, rest = given.rpartition("://")
    if mark and scheme.lower() != "https":
        raise OptionError(f"api_host: {given!r} is not https, and Proxmox has no other API: give the host alone.")
    match = _HOST.fullmatch(rest[:-1] if rest.endswith("/") else rest)
    if not match and re.search("[/?#]", rest):
        raise OptionError(f"api_host: {given!r} has a path: give the host alone, or https://host:port/.")
    if not match:
        raise OptionError(f"api_host: {given!r} is no host name and no address.")
    address = match["bracketed"] or match["bare"]
    own_port = match["port6"] or match["port"]
    if own_port and not 0 < int(own_port) < 65536:
        raise OptionError(f"api_host: {own_port} in {given!r} is no port number.")
    return f"[{address}]:{own_port or port}" if address else f"{match['name']}:{own_port or port}"


def words(value: t.Iterable[t.Any] | None) -> tuple[str, ...]:
    """The elements of a list, once each; text may hold several with commas between them. Blanks and empty ones go."""
    parts = [part.strip() for entry in value or () for part in str(entry).split(",")]
    return tuple(dict.fromkeys(part for part in parts if part))


def positive_seconds(option: str, value: float) -> float:
    """``value`` where it is a time one can wait for, else ``OptionError``."""
    if not 0 < value <= _LONGEST_SECONDS:
        raise OptionError(f"{option}: {value} is not a number of seconds above 0.")
    return value


def seconds(option: str, value: float) -> float:
    """``value`` where it is zero or a time one can wait for, else ``OptionError``."""
    if not 0 <= value <= _LONGEST_SECONDS:
        raise OptionError(f"{option}: {value} is not a number of seconds, 0 or more.")
    return value


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
    # Python 3.9 and 3.10 know neither the Z, nor an offset without a colon, nor all fractions of a second.
    text = re.sub(r"[.,][0-9]+(?=$|[Zz+-])", "", text)
    text = re.sub(r"(?<=[+-][0-9]{2})(?=[0-9]{2}$)", ":", re.sub("[Zz]$", "+00:00", text))
    parsed = datetime.datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.timezone.utc)).timestamp()


def period(since: str | None, until: str | None, now: float) -> tuple[int | None, int | None]:
    """Epoch seconds of both ends; raises ``OptionError`` where no time lies between them."""
    begin, end = instant("since", since, now), instant("until", until, now)
    if begin is not None and end is not None and begin > end:
        raise OptionError(f"since: {shown(since)} is later than until ({shown(until)}), so that no task can match.")
    return begin, end


def worker_types(value: t.Iterable[t.Any] | None) -> tuple[str, ...]:
    """Types of tasks; raises ``OptionError`` for what is none."""
    for name in words(value):
        if not is_worker_type(name):
            raise OptionError(f"type: {shown(name)} is no type of a task (no blanks, colons and slashes), see vzdump.")
    return words(value)


def guests(value: t.Iterable[t.Any] | None) -> tuple[int, ...]:
    """Ids of guests; raises ``OptionError`` for what is none (``pve-common`` JSONSchema: 100 to 999999999)."""
    for text in words(value):
        if not re.fullmatch("[1-9][0-9]{2,8}", text):
            raise OptionError(f"vmid: {shown(text)} is no id of a guest (100 to 999999999).")
    return tuple(int(text) for text in words(value))


def owner(value: str | None) -> str | None:
    """Who started tasks, ``user@realm`` or ``user@realm!token``; raises ``OptionError`` for what no task can have."""
    text = (value or "").strip()
    if text and not is_owner(text):
        raise OptionError(f"user: {shown(text)} is neither user@realm nor user@realm!token, so that no task can match.")
    return text or None


def outcomes(value: t.Iterable[t.Any] | None) -> tuple[str, ...]:
    """Outcomes to look for; raises ``OptionError`` for what is none."""
    for name in words(value):
        if name not in OUTCOMES:
            raise OptionError(f"outcome: {shown(name)} is none of {', '.join(OUTCOMES)}.")
    return words(value)


def line_count(value: int) -> int:
    """``value`` where it is a number of lines, else ``OptionError``."""
    if value < 0:
        raise OptionError(f"log_lines: {value} is no number of lines (0 means all).")
    return value


def node_names(names: t.Iterable[t.Any] | None) -> list[str]:
    """Node names that are safe in a path, once each; raises ``OptionError`` (grammar: ``pve-common`` JSONSchema)."""
    for name in words(names):
        if not is_node_name(name):
            raise OptionError(f"node: {shown(name)} is no node name (letters, digits and inner hyphens).")
    return list(words(names))


def upids(value: t.Any, service: str = "pve") -> tuple[list[Upid], list[t.Any]]:
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


def _named(text: t.Any, service: str) -> Upid:
    try:
        upid = parse(text)
    except InvalidUpid as exc:
        raise InvalidUpid(exc.field, exc.reason + _hint_at_extract(text, exc.reason), shown(text)) from None
    if upid.comment:
        raise InvalidUpid("comment", "it has a comment after the last colon, which no server accepts", shown(text))
    if upid.product != service:
        reason = f"it is an id of {upid.product}, but service is {service}: {_OWNERS[upid.product]} knows such tasks"
        raise InvalidUpid("format", reason, shown(text))
    return upid


def _hint_at_extract(text: t.Any, reason: str) -> str:
    """How to take out the UPIDs that a text holds beside other things; empty where it holds none."""
    # An id that Ansible masked is of no use, wherever it stands.
    if not isinstance(text, str) or MASK in text or _EXTRACT in reason or not extract(text):
        return ""
    return f'. Take the UPIDs out of text that holds more: "{{{{ text | {_EXTRACT} }}}}"'
