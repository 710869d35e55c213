# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a cluster from one of its nodes: the command that brings the API to a shell. Private to the collection.

``pvesh`` (PVE::CLI::pvesh) prints the data alone, ``pmgsh`` of Mail Gateway too. Both start Perl with the whole API for
each question, and go to other nodes through ssh.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import Reply, Request, json_of
from ansible_collections.proxkit.tasks.plugins.module_utils._client.calls import Calls
from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._client.process import Done, Ended, Runner, TooMuch
from ansible_collections.proxkit.tasks.plugins.module_utils._client.refusals import data_of
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Fault,
    HostUnreachable,
    LoginRefused,
    NodeUnreachable,
    OptionError,
    Refused,
    Unreachable,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import clean, repair

# Where Proxmox installs it; a shell that is no login shell may not look there.
_PLACES = "/usr/sbin:/usr/bin:/sbin:/bin"
_VERBS = {"GET": "get", "POST": "create", "PUT": "set", "DELETE": "delete"}
# Some half a million lines of a log. Once read, they take many times as much room.
MOST_BYTES = 1 << 25
# What asks for all rows of a log: its total is not printed. 0 meant 50 before pve-manager 7.3.
_ALL_ROWS = 2**31 - 1
# A first answer takes longer: nothing of it is in memory yet.
_FIRST_SECONDS = 5.0
_SHORTEST_SECONDS = 0.05
_SHOWN_LENGTH = 200
# Words that a shell takes as they are: on the way to another node one reads them, with the rights of root there
# (PVE::CLI::pvesh::proxy_handler quotes no path, PMG's pmgsh nothing at all).
_PLAIN = re.compile(r"[\w./:@!+=,%-]*")
# PVE::RESTEnvironment::setup_default_cli_env; what the cluster file system refuses to others comes before that.
_NOT_ROOT = re.compile(r"^please run as root$|^ipcc_send_rec\[\d+\] failed: Unknown error -1$", re.MULTILINE)
# PVE::Exception::stringify; of what another node says the last line comes with its own lead (PVE::Cmd::run).
_PROXY = "proxy handler failed"
_CODED = re.compile(rf"^(?:{_PROXY}: )?([45][0-9]{{2}}) (.*)$", re.MULTILINE)
_FIELD = re.compile(r"([\w-]+): (.*)")
_NO_HANDLER = re.compile(r"no '\w+' handler ", re.IGNORECASE)
# PVE::Cluster: pmxcfs, which has the cluster's configuration, does not answer.
_NO_CLUSTER = "ipcc_send_rec["


class Machine:
    """The machine where this runs as who answers, for the duration of one call."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        """Nothing is asked yet. Raises ``OptionError`` where the command is not there."""
        self.connection = connection
        self.clock = clock
        self.warnings: list[str] = []
        self.answered = False
        # What the API would be asked with over HTTPS, secrets among it, is not for others.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PROXMOX_")}
        self.environment = {**kept, "LC_ALL": "C", "PATH": f"{kept.get('PATH', '')}:{_PLACES}".lstrip(":")}
        name = connection.service.command[0]
        self.path = shutil.which(name, path=self.environment["PATH"])
        if self.path is None:
            raise OptionError(
                f"api_host is missing, and there is no {name} on {os.uname().nodename}: "
                f"set api_host, or run this on a node of {connection.service.title}."
            )

    def connect(self) -> Calls:
        """A source for one thread."""
        service = self.connection.service
        # It is root who asks, and root sees all tasks: that need not be found out.
        rights = dataclasses.replace(service.rights, stranger=None)
        return Calls(Pvesh(self), dataclasses.replace(service, rights=rights))


class Pvesh:
    """One thread's way."""

    def __init__(self, machine: Machine) -> None:
        """Nothing is asked yet."""
        self._machine = machine
        self._runner = Runner()
        self.close = self._runner.close

    def ask(self, request: Request, deadline: float) -> dict[str, t.Any]:
        """One answer. ``deadline`` is a monotonic time in seconds after which none is of use. Raises ``ApiError``."""
        machine = self._machine
        seconds = min(machine.connection.timeout, deadline - machine.clock.monotonic())
        seconds = max(seconds, _SHORTEST_SECONDS if machine.answered else _FIRST_SECONDS)
        log = request.path[-1] == "log"
        asked = dataclasses.replace(request, params={**request.params, "limit": _ALL_ROWS}) if log else request
        data = self._data_of(self._run(asked, seconds), request)
        return _page(data, request.params) if log else {"data": data}

    def _run(self, request: Request, seconds: float) -> Done:
        machine = self._machine
        name, *options = machine.connection.service.command
        words = [str(machine.path), *_words_of(request, name), *options]
        try:
            return self._runner.run(words, machine.environment, seconds, MOST_BYTES)
        except TimeoutError:
            text = f"gave no answer within {seconds:.3g} s (asked by {name})"
            raise _unreachable(request, text, timed_out=True) from None
        except TooMuch:
            size = f"{MOST_BYTES >> 20} MiB"
            raise Refused(f"{name} printed more than {size}: with api_host it can be read in parts") from None
        except Ended:
            raise Fault(f"{name} was ended before its answer came") from None
        except OSError as exc:
            raise Fault(f"{name} cannot be started: {os.strerror(exc.errno or 0)}") from None

    def _data_of(self, done: Done, request: Request) -> t.Any:
        machine = self._machine
        if done.status != 0:
            raise error_of(done, request, machine.connection)
        machine.answered = True
        # What there is nothing of is not printed, as the result of a request to stop.
        if not done.output.strip():
            return None
        try:
            return json_of(done.output)
        except ValueError:
            raise Fault(f"{machine.connection.service.command[0]} printed something that is no JSON") from None


def _page(rows: t.Any, asked: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The answer that the API gives of all rows from ``start`` on: ``limit`` of them, and the lines in all.

    Each row has its number; where there are none, there are no more lines than were left out.
    """
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows[-1:]):
        return {"data": rows}
    return {"data": rows[: asked["limit"]], "total": rows[-1].get("n") if rows else asked["start"]}


def _words_of(request: Request, name: str) -> list[str]:
    """Verb, path and options as the command takes them: nothing is percent-decoded there. Raises ``Refused``."""
    words = [_VERBS[request.method], "/" + "/".join(request.path)]
    for option, value in request.params.items():
        words += [f"--{option}={one}" for one in (value if isinstance(value, (list, tuple)) else [value])]
    if any(part in ("", ".", "..") or "/" in part for part in request.path):
        raise Refused(f"{name} cannot be asked for {words[1]}")
    odd = next((word for word in words if not _PLAIN.fullmatch(word)), None)
    if odd is not None and request.node not in (None, "localhost", _own_name()):
        raise Refused(
            f"{name} cannot be asked for {clean(odd)} of node {request.node}: it hands that to a shell there, which "
            "reads characters in it as commands. Set api_host, or run this on that node"
        )
    return words


def _own_name() -> str:
    """What this node is called (PVE::INotify::nodename)."""
    return os.uname().nodename.partition(".")[0]


def error_of(done: Done, request: Request, connection: Connection) -> ApiError:
    """What the command's failure means, in the words that the API's would have where it is the API's. Pure."""
    name = connection.service.command[0]
    text = done.errors.decode("utf-8", "replace").replace("\r", "")
    last = next((line for line in reversed(text.splitlines()) if line.strip()), "")
    shown = f"{name} says {_safe(last)}" if last else f"{name} ended with status {done.status}"
    if _NOT_ROOT.search(text):
        return LoginRefused(f"{name} wants to be run as root: set become to true")
    coded = _CODED.search(text)
    if coded:
        return _told(request, connection, int(coded[1]), coded[2], _fields(text[coded.end() :]))
    if last.startswith(_PROXY):
        # pmgsh leaves the reason to the line before.
        reason = _safe(last[len(_PROXY) :].lstrip(": ") or text[: text.rindex(_PROXY)])
        return NodeUnreachable(f"node {request.node} cannot be reached ({name} says {reason or 'nothing of why'})")
    if _NO_CLUSTER in text:
        return HostUnreachable(
            f"the cluster file system of this node does not answer ({shown}): is pve-cluster running"
        )
    if not last or done.status < 0:
        return _unreachable(request, f"gave no answer ({shown})")
    return _told(request, connection, 501 if _NO_HANDLER.match(last) else 500, last, {})


def _told(request: Request, connection: Connection, status: int, message: str, fields: t.Mapping[str, str]) -> ApiError:
    """The error that the same words mean over HTTPS."""
    body = {"data": None, "message": message, **({"errors": fields} if fields else {})}
    reply = Reply(status, server=connection.service.servers[0], content=json.dumps(body).encode())
    try:
        data_of(reply, request, connection.service.command[0], connection)
    except ApiError as exc:
        return exc
    raise AssertionError("an error was taken for an answer")


def _fields(text: str) -> dict[str, str]:
    """What is wrong with which parameter, before the usage begins."""
    fields: dict[str, str] = {}
    for line in text.strip("\n").splitlines():
        match = _FIELD.fullmatch(line)
        if match is None:
            break
        fields[match[1]] = match[2]
    return fields


def _unreachable(request: Request, text: str, *, timed_out: bool = False) -> Unreachable:
    if request.node is None:
        return HostUnreachable(f"this machine {text}", timed_out=timed_out)
    return NodeUnreachable(f"node {request.node} {text}", timed_out=timed_out)


def _safe(text: str) -> str:
    return clean(repair(text)).strip()[:_SHOWN_LENGTH].rstrip(".")
