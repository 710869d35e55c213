# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach a cluster: the options of all modules, and the connection made of them. Private to the collection."""

from __future__ import annotations

import os
import re
import typing as t

from ansible.module_utils.common import validation
from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._client.pvesh import Machine
from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import SERVICES, Service
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._module.credentials import (
    CREDENTIALS,
    credentials,
    without_unwanted,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._module.spec import (
    Exported,
    Options,
    Params,
    exported,
    is_given,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._module.values import positive_seconds, words

if t.TYPE_CHECKING:
    from ansible_collections.proxkit.tasks.plugins.module_utils._client.api import Api
    from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock

CONNECTION: Options = {
    "api_host": {"type": "list", "elements": "str", "fallback": (exported, ["PROXMOX_HOST"])},
    "api_port": {"type": "int", "fallback": (exported, ["PROXMOX_PORT"])},
    "api_user": {"type": "str", "fallback": (exported, ["PROXMOX_USER"])},
    "api_password": {"type": "str", "no_log": True, "fallback": (exported, ["PROXMOX_PASSWORD"])},
    "api_otp": {"type": "str", "no_log": True, "fallback": (exported, ["PROXMOX_OTP"])},
    "api_token_id": {"type": "str", "no_log": False, "fallback": (exported, ["PROXMOX_TOKEN_ID"])},
    "api_token_secret": {"type": "str", "no_log": True, "fallback": (exported, ["PROXMOX_TOKEN_SECRET"])},
    "validate_certs": {"type": "bool", "default": True, "fallback": (exported, ["PROXMOX_VALIDATE_CERTS"])},
    "ca_path": {"type": "path", "fallback": (exported, ["PROXMOX_CA_PATH"])},
    "api_timeout": {"type": "float", "default": 15, "fallback": (exported, ["PROXMOX_API_TIMEOUT"])},
    "service": {
        "type": "str",
        "default": "pve",
        "choices": list(SERVICES),
        "fallback": (exported, ["PROXMOX_SERVICE"]),
    },
}

# Who may look at everything, on a node itself.
_ROOT = "root@pam"
_HOST = re.compile(
    r"\[(?P<bracketed>[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\](?::(?P<port6>[0-9]{1,5}))?"
    r"|(?P<name>[\w.-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"|(?P<bare>[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[\w.-]+)?)",
    re.ASCII,
)


def connection(params: Params) -> Connection:
    """The connection that validated connection options name.

    Raises ``OptionError`` where they contradict each other or cannot work; a value from the environment is blamed on
    its variable. The message never holds a credential.
    """
    try:
        service = SERVICES[params["service"]]
        hosts = words(params["api_host"])
        params = without_unwanted(params, asked=bool(hosts), tokens=service.token is not None)
        _check_served(params, service)
        if not hosts:
            return _this_machine(params, service)
        return Connection(
            hosts=_hosts(params["api_host"], _port(params)),
            **vars(credentials(params)),
            validate_certs=params["validate_certs"],
            ca_path=_authorities(params["ca_path"], params["validate_certs"]),
            ca_option=with_sources("ca_path", params),
            timeout=positive_seconds("api_timeout", params["api_timeout"]),
            service=service,
        )
    except OptionError as exc:
        raise OptionError(with_sources(exc.message, params)) from None


def _check_served(params: Params, service: Service) -> None:
    """Raise ``OptionError`` for what this product cannot serve; of whatever module."""
    for option, value, instead in service.unserved:
        given = params.get(option)
        if value in words(given if isinstance(given, list) else [given]) if value is not None else is_given(given):
            raise OptionError(f"{option}: {instead} (service is {service.name}).")


def _this_machine(params: Params, service: Service) -> Connection:
    """The connection where no host is named: the machine where the module runs answers."""
    if not service.command:
        raise OptionError(f"api_host is missing: service {service.name} cannot be asked without it.")
    given = [name for name in CREDENTIALS if params[name]]
    if given:
        raise OptionError(
            f"api_host is missing, but {' and '.join(given)} {'is' if len(given) == 1 else 'are'} given: set api_host. "
            f"Without credentials, {service.command[0]} is asked on the machine where this task runs."
        )
    timeout = positive_seconds("api_timeout", params["api_timeout"])
    return Connection(hosts=(), user=_ROOT, timeout=timeout, service=service)


def api_of(who: Connection, clock: Clock, nodes: t.Iterable[str]) -> Api | Machine:
    """Who answers there for these nodes.

    Raises ``OptionError``: a library or the command is missing, or ``ca_path`` holds no certificate.
    """
    if not who.hosts:
        return Machine(who, clock)
    # Late: bad input needs no requests, whose import takes 0.2 s.
    from ansible_collections.proxkit.tasks.plugins.module_utils._client.api import Api  # noqa: PLC0415 - as above

    return Api(who, clock, len(set(nodes)))


def with_sources(text: str, params: Params) -> str:
    """``text`` with the variable named behind each connection option in it whose value came from the environment."""
    for option, spec in CONNECTION.items():
        variable = spec["fallback"][1][0]
        if _is_from(os.environ.get(variable), params.get(option), spec["type"]):
            text = re.sub(rf"(?<![\w-]){option}(?![\w-])(?! \(from)", f"{option} (from {variable})", text, count=1)
    return text


_CONVERSIONS: dict[str, t.Callable[[str], t.Any]] = {
    "list": validation.check_type_list,
    "int": validation.check_type_int,
    "float": validation.check_type_float,
    "path": validation.check_type_path,
    "bool": validation.check_type_bool,
}


def _is_from(raw: str | None, value: t.Any, kind: str) -> bool:
    """Whether an option's value came from a variable; once it is converted, that it is the same must do."""
    if isinstance(value, Exported):
        return True
    convert = _CONVERSIONS.get(kind)
    try:
        return bool(convert and raw and convert(raw) == value)
    except (TypeError, ValueError):
        return False


def _authorities(ca_path: str | None, validate_certs: bool) -> str | None:
    if ca_path and validate_certs and not os.access(ca_path, os.R_OK):
        raise OptionError(f"ca_path: {ca_path} cannot be read on the machine where this task runs.")
    return ca_path


def _port(params: Params) -> int:
    port: int | None = params["api_port"]
    if port is None:
        return SERVICES[params["service"]].port
    if not 0 < port < 65536:
        raise OptionError(f"api_port: {port} is no port number.")
    return port


def _hosts(api_host: t.Iterable[t.Any], port: int) -> tuple[str, ...]:
    # Before anything else, and in all of them: a comma in a password makes two entries of it.
    if any("@" in str(entry) for entry in api_host):
        raise OptionError(
            "api_host: an address with a user in it is not taken. Give the host alone, the user as api_user and the "
            "password as api_password."
        )
    return tuple(dict.fromkeys(_authority(host, port) for host in words(api_host)))


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
