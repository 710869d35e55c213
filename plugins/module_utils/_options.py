# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that modules share, their constraints, and the values made of them. Private to the collection."""

from __future__ import annotations

import dataclasses
import datetime
import os
import re
import typing as t

from ansible.module_utils.basic import env_fallback
from ansible_collections.proxkit.tasks.plugins.module_utils._errors import InvalidUpid, OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._upid import Upid, parse, shown

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
CONNECTION_CONSTRAINTS: dict[str, t.Any] = {
    "required_together": [("api_token_id", "api_token_secret")],
    "required_one_of": [("api_password", "api_token_id")],
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
NODE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")


@dataclasses.dataclass(frozen=True)
class Connection:
    """How to reach a cluster and who asks. ``hosts`` are ready for a URL: ``name:port`` or ``[address]:port``."""

    hosts: tuple[str, ...]
    user: str
    password: str | None = dataclasses.field(default=None, repr=False)
    otp: str | None = dataclasses.field(default=None, repr=False)
    token_name: str | None = None
    token_secret: str | None = dataclasses.field(default=None, repr=False)
    validate_certs: bool = True
    ca_path: str | None = None
    ca_option: str = "ca_path"  # what to name where the path is of no use
    timeout: float = 15
    service: str = "pve"


def connection(params: t.Mapping[str, t.Any]) -> Connection:
    """The connection that validated connection options name.

    Raises ``OptionError`` where they contradict each other or cannot work.
    """
    user, token_name = _who(params["api_user"], params["api_token_id"])
    ca_path = params["ca_path"]
    if ca_path and params["validate_certs"] and not os.access(ca_path, os.R_OK):
        raise OptionError(f"ca_path: {ca_path} cannot be read on the machine where this task runs.")
    hosts = [part.strip() for entry in params["api_host"] for part in str(entry).split(",")]
    port = 8006 if params["api_port"] is None else params["api_port"]
    if not 0 < port < 65536:
        raise OptionError(f"api_port: {port} is no port number.")
    if not any(hosts):
        raise OptionError("api_host: no host is named.")
    return Connection(
        hosts=tuple(dict.fromkeys(_authority(host, port) for host in hosts if host)),
        user=user,
        password=None if token_name else params["api_password"],
        otp=params["api_otp"],
        token_name=token_name,
        token_secret=params["api_token_secret"],
        validate_certs=params["validate_certs"],
        ca_path=ca_path,
        timeout=positive_seconds("api_timeout", params["api_timeout"]),
        service=params["service"],
    )


def _who(user: str | None, token_id: str | None) -> tuple[str, str | None]:
    """User and token name; the token id may be the whole ``user@realm!name`` that the web interface shows."""
    token_user, bang, token_name = (token_id or "").rpartition("!")
    if bang and user and user != token_user:
        raise OptionError(f"api_token_id belongs to {token_user}, but api_user is {user}: leave api_user out.")
    user = token_user if bang else user
    if not user:
        raise OptionError("api_user is missing: api_password needs it, and an api_token_id that is a name only.")
    if "@" not in user:
        raise OptionError(f"api_user: {user} has no realm, for example {user}@pam.")
    if token_id and not token_name:
        raise OptionError("api_token_id: no token name comes after the exclamation mark.")
    return user, token_name or None


def _authority(host: str, port: int) -> str:
    match = _HOST.fullmatch(host)
    if not match:
        raise OptionError(f"api_host: {host!r} is no host name and no address (give it without https:// and path).")
    address = match["bracketed"] or match["bare"]
    own_port = match["port6"] or match["port"]
    return f"[{address}]:{own_port or port}" if address else f"{match['name']}:{own_port or port}"


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


def instant(option: str, value: str | None) -> int | None:
    """Epoch seconds of a time given as such or in ISO 8601 (UTC where it has no offset); None for None.

    Raises ``OptionError`` for all else.
    """
    if value is None:
        return None
    text = value.strip()
    try:
        if re.fullmatch(r"[0-9]+(?:\.[0-9]*)?", text):
            return int(float(text))
        # Python 3.9 and 3.10 know neither the Z, nor an offset without a colon, nor all fractions of a second.
        text = re.sub(r"[.,][0-9]+(?=$|[Zz+-])", "", text)
        text = re.sub(r"(?<=[+-][0-9]{2})(?=[0-9]{2}$)", ":", re.sub("[Zz]$", "+00:00", text))
        parsed = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise OptionError(f"{option}: {value!r} is neither epoch seconds nor a time in ISO 8601.") from None
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.timezone.utc)).timestamp())


def line_count(value: int) -> int:
    """``value`` where it is a number of lines, else ``OptionError``."""
    if value < 0:
        raise OptionError(f"log_lines: {value} is no number of lines (0 means all).")
    return value


def node_names(names: t.Iterable[str]) -> list[str]:
    """Node names that are safe in a path, once each; raises ``OptionError`` (grammar: ``pve-common`` JSONSchema)."""
    for name in names:
        if not NODE.fullmatch(name):
            raise OptionError(f"node: {name!r} is no node name (letters, digits and inner hyphens).")
    return list(dict.fromkeys(names))


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
        upid = parse(text)
        if upid.comment:
            raise InvalidUpid("comment", "it has a comment after the last colon, which no server accepts", shown(text))
        if upid.product != service:
            raise InvalidUpid("format", f"it is an id of {upid.product}, but service is {service}", shown(text))
        found.setdefault(upid.native, upid)
    return list(found.values()), no_task
