# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``pvesh`` and ``pmgsh`` as a script: the mocked endpoint answers, here it is printed as the genuine ones print.

Read from pve-manager 9.2.11 (PVE/CLI/pvesh.pm), pve-common 9.2.1 (PVE/RESTHandler, PVE/Exception, PVE/Cmd,
PVE/CLIFormatter, PVE/RESTEnvironment), pve-cluster (PVE/Cluster, PVE/SSHInfo) and pmg-api (src/bin/pmgsh); each rule
names its source. Needs the standard library alone.
"""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import ssl
import subprocess
import sys
import time
import typing as t
from urllib.parse import quote, urlencode

METHODS = {"get": "GET", "create": "POST", "set": "PUT", "delete": "DELETE"}
# What Perl's die ends with as a rule; errno, where something left one.
DIED = 255
# PVE::Cluster::cfs_update warns three times, PVE::RPCEnvironment::init dies.
IPC = [f"ipcc_send_rec[{number}] failed: " for number in (1, 2, 3)] + ["Unable to load access control list: "]
# What OpenSSH says, with the carriage return that it ends its lines with.
SSH = "ssh: connect to host 192.0.2.2 port 22: No route to host\r\n"
LOG_BYTES = 40 << 20


class Die(Exception):
    """The text that goes to standard error, and the exit status."""

    def __init__(self, text: str, status: int = DIED) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


def main() -> int:
    """One call."""
    name, verb, path, *rest = sys.argv[1:]
    state = json.loads(pathlib.Path(os.environ["PVESH_STAND_IN"]).read_text())
    with pathlib.Path(state["starts"]).open("a") as starts:
        starts.write(json.dumps(sys.argv[1:]) + "\n")
    try:
        act(next((how for part, how in state["acts"].items() if how and part in path), ""))
        params = options_of(rest, name)
        print_data(name, data_of(state, name, verb, path, params))
    except Die as exc:
        sys.stderr.write(exc.text)
        return exc.status
    return 0


def act(how: str) -> None:
    """Behave otherwise than usual."""
    kind, _colon, value = how.partition(":")
    if kind == "hang":
        # Like ssh below it to a node that does not answer: a process of its own, which keeps the pipes open.
        child = subprocess.Popen(["sleep", "600"])  # noqa: S607 - wherever it is
        pathlib.Path(value).write_text(f"{os.getpid()} {child.pid}")
        child.wait()
    elif kind == "slow":
        time.sleep(float(value))
    elif kind == "much":
        sys.stdout.write('[{"n":1,"t":"' + "x" * LOG_BYTES)
    elif kind == "garbage":
        sys.stdout.write("not JSON")
        sys.exit(0)
    elif kind == "silent":
        raise Die("")
    elif kind == "killed":
        os.kill(os.getpid(), 9)
    elif kind == "not root":
        # PVE::RESTEnvironment::setup_default_cli_env
        raise Die("please run as root\n", 2)
    elif kind == "user":
        # pmxcfs (src/pmxcfs/server.c) refuses users other than root and www-data.
        raise Die("".join(f"{line}Unknown error -1\n" for line in IPC))
    elif kind == "no pmxcfs":
        raise Die("".join(f"{line}Connection refused\n" for line in IPC), 111)
    elif kind == "ssh":
        # PVE::Cmd::run: the last line that the command said, behind errmsg; all carriage returns end lines.
        raise Die("proxy handler failed: " + SSH.strip() + "\n")
    elif kind == "pmg ssh":
        # pmgsh lets ssh write, and has no word of it itself.
        raise Die(SSH + "proxy handler failed\n")
    elif kind == "die":
        raise Die(value + "\n")


def options_of(words: list[str], name: str) -> list[tuple[str, str]]:
    """PVE::JSONSchema::get_options: ``--name=value`` or ``--name value``, lists by repetition."""
    params: list[tuple[str, str]] = []
    rest = list(words)
    while rest:
        option, equals, value = rest.pop(0).partition("=")
        if not option.startswith("--"):
            raise Die("400 too many arguments\n")
        params.append((option[2:], value if equals else rest.pop(0)))
    formats = [value for option, value in params if option == "output-format"]
    # pmgsh knows no such option, pvesh prints tables without it.
    if formats != (["json"] if name == "pvesh" else []):
        raise Die("400 unable to parse option\n")
    return [(option, value) for option, value in params if option != "output-format"]


def data_of(
    state: dict[str, t.Any], name: str, verb: str, path: str, params: list[tuple[str, str]]
) -> tuple[bool, t.Any]:
    """Whether the call has a result, and what it is. PVE::CLI::pvesh::call_api_method."""
    parts = path.strip("/").split("/")
    node = parts[1] if parts[0] == "nodes" and len(parts) > 1 else None
    status, body = asked(state, name, METHODS[verb], parts, params)
    if status == 200:
        # What is of type null is not printed (PVE::CLIFormatter::print_api_result).
        return verb != "delete", body["data"]
    text = text_of(status, body, name, verb, path)
    if status in (595, 596):
        raise Die(f"proxy handler failed: {SSH.strip()}\n" if name == "pvesh" else SSH + "proxy handler failed\n")
    remote = node not in (None, "localhost", state["own_node"]) and not text.startswith(("hostname", "address"))
    if not remote:
        raise Die(text, 1 if status == 501 else DIED)
    if name == "pmgsh":
        raise Die(text + "proxy handler failed\n")
    # PVE::Cmd::run with errmsg: all lines but the last are printed, the last goes into the error.
    *before, last = text.splitlines()
    raise Die("".join(f"{line}\n" for line in before) + f"proxy handler failed: {last}\n")


def text_of(status: int, body: dict[str, t.Any], name: str, verb: str, path: str) -> str:
    """PVE::Exception::stringify, and cli_handler's usage below wrong parameters."""
    message = str(body.get("message") or "").strip()
    if status == 501:
        return (
            f"No '{verb}' handler defined for '{path}'\n" if name == "pvesh" else f"no '{verb}' handler for '{path}'\n"
        )
    if status == 500:
        return f"{message}\n"
    fields = "".join(f"{field}: {flaw}\n" for field, flaw in (body.get("errors") or {}).items())
    shown = f"pvesh {verb} <api_path>" if name == "pvesh" else f"{verb} {path.strip('/')} "
    formats = " [FORMAT_OPTIONS]" if name == "pvesh" else ""
    usage = f"{shown} [OPTIONS]{formats}\n" if status == 400 else ""
    return f"{status} {message}\n{fields}{usage}"


def print_data(name: str, result: tuple[bool, t.Any]) -> None:
    """Canonical JSON in UTF-8: one line of pvesh, pmgsh's pretty and with a line on standard error."""
    printed, data = result
    if name == "pmgsh":
        sys.stderr.write("200 OK\n")
    if printed:
        layout: dict[str, t.Any] = (
            {"separators": (",", ":")} if name == "pvesh" else {"indent": 3, "separators": (",", " : ")}
        )
        text = json.dumps(data, ensure_ascii=False, sort_keys=True, **layout) + "\n"
        sys.stdout.buffer.write(text.encode())


def asked(
    state: dict[str, t.Any], name: str, method: str, parts: list[str], params: list[tuple[str, str]]
) -> tuple[int, dict[str, t.Any]]:
    """The endpoint's status and body, asked as root."""
    context = ssl.create_default_context(cafile=state["ca_path"])
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    connection = http.client.HTTPSConnection(state["host"], state["port"], context=context)

    def ask(method: str, parts: list[str], form: list[tuple[str, str]], headers: dict[str, str]) -> t.Any:
        path = "/api2/json/" + "/".join(quote(part, safe="") for part in parts)
        query = urlencode(form)
        if method in ("POST", "PUT"):
            headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
            connection.request(method, path, query, headers)
        else:
            connection.request(method, path + (f"?{query}" if query else ""), headers=headers)
        response = connection.getresponse()
        content = response.read()
        try:
            body = json.loads(content)
        except ValueError:
            body = {}
        if not isinstance(body, dict) or not body.get("message"):
            body = {**(body if isinstance(body, dict) else {}), "message": response.reason}
        return response.status, body

    if name == "pvesh":
        headers = {"Authorization": f"PVEAPIToken={state['token_id']}={state['token_secret']}"}
    else:
        # Mail Gateway has no tokens.
        login = [("username", "root@pam"), ("password", state["password"])]
        ticket = ask("POST", ["access", "ticket"], login, {})[1]["data"]
        headers = {
            "Cookie": f"PMGAuthCookie={quote(ticket['ticket'], safe='')}",
            "CSRFPreventionToken": ticket["CSRFPreventionToken"],
        }
    return t.cast("tuple[int, dict[str, t.Any]]", ask(method, parts, params, headers))


if __name__ == "__main__":
    sys.exit(main())
