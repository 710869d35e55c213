# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to answers, by the rules of genuine PVE. Pure: a world goes in, text comes out; no sockets, no waiting."""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
import time
import typing as t
import urllib.parse

from . import _lists as lists
from . import _schema as schema
from ._task import UNEXPECTED, Task, TimedLog, Upid, bytes_as_text
from ._world import Guest, UnknownGuest, World

JSON_TYPE = "application/json;charset=UTF-8"
METHODS = ("GET", "POST", "PUT", "DELETE")
GZIP_ABOVE = 1024
DEFAULT_LIMIT = 50
BASE = "/api2"
COOKIE, TOKEN = "PVEAuthCookie", "PVEAPIToken"
# What is answered without credentials, even with bad ones.
OPEN = {("GET", "/access/domains"), ("GET", "/access/ticket"), ("POST", "/access/ticket")}
REALMS = {"pam": ("pam", "Linux PAM standard authentication"), "pve": ("pve", "Proxmox VE authentication server")}
INVALID = "Parameter verification failed."


@dataclasses.dataclass(frozen=True)
class Request:
    """One HTTP request; ``path`` and ``query`` as sent, header names in lower case."""

    method: str
    path: str
    query: str = ""
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""

    @property
    def decoded(self) -> str:
        """The path without percent escapes."""
        return urllib.parse.unquote(self.path)


@dataclasses.dataclass(frozen=True)
class Answer:
    """One HTTP answer.

    :param connection: values of the Connection headers, one header each
    :param not_before: epoch seconds of the world's clock before which it is not sent
    :param sized: whether it has a Content-Length
    :param foreign: no Proxmox server made it: it has none of the headers that all their answers have
    """

    status: int
    reason: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    connection: tuple[str, ...] = ("close",)
    not_before: float = 0.0
    sized: bool = True
    foreign: bool = False


class ApiError(Exception):
    """An answer other than success.

    :param form: ``json``; ``plain``: the text alone; ``empty``: no body, the text is in the reason phrase only
    :param newline: what follows the text in the body
    :param delay: seconds before it is sent
    """

    def __init__(
        self,
        status: int,
        message: str,
        errors: t.Optional[dict[str, str]] = None,
        form: str = "json",
        newline: str = "\n",
        delay: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.form = form
        self.newline = newline
        self.delay = delay


@dataclasses.dataclass(frozen=True)
class Result:
    """What a handler returns: JSON ``data``, or ``text`` to download under ``filename``; see Answer for not_before."""

    data: t.Any = None
    total: int = 0
    text: t.Optional[str] = None
    filename: str = ""
    not_before: float = 0.0


@dataclasses.dataclass(frozen=True)
class Call:
    """A checked request on its way to a handler; ``where`` holds the variable parts of the path."""

    world: World
    who: str
    where: t.Mapping[str, str]
    params: t.Mapping[str, schema.Value]

    def text(self, name: str, default: str = "") -> str:
        """A parameter that the schema knows as a single string."""
        return str(self.params.get(name, default))

    def words(self, name: str) -> list[str]:
        """A parameter that the schema knows as a list."""
        return schema.split_list(self.params.get(name) or "")

    def number(self, name: str, default: int) -> int:
        """A parameter that the schema knows as an integer."""
        return int(self.text(name, str(default)))

    def need(self, privilege: str, path: str) -> None:
        """Raise the 403 of a missing privilege."""
        if not self.world.users.may(self.who, privilege, path):
            raise ApiError(403, f"Permission check failed ({path}, {privilege})")


@dataclasses.dataclass(frozen=True)
class Route:
    """An endpoint; ``name`` is what counters call it, ``params`` None: anything goes (starters take many options)."""

    method: str
    path: str
    name: str
    handler: t.Callable[[Call], Result]
    protected: bool = False
    params: t.Optional[t.Mapping[str, schema.Check]] = dataclasses.field(default_factory=dict)
    required: tuple[str, ...] = ()


def answer(world: World, request: Request) -> Answer:
    """The answer to a request."""
    try:
        return _answer(world, request)
    except ApiError as error:
        return _one_line(_failure(world, request, error))


def daemon(world: World, request: Request) -> t.Optional[str]:
    """The node of whose workers one serves the request, None where the proxy in front of them answers by itself.

    Source: ``rest_handler`` in PVE::HTTPServer: pveproxy checks credentials, finds the method and the node, and hands
    on what is protected to pvedaemon.
    """
    try:
        order = _accept(world, request)
    except ApiError:
        return None
    return order.where.get("node", world.local) if order is not None and order.route.protected else None


def starved() -> Answer:
    """What a protected call is told that got no worker in time."""
    return Answer(596, "Connection timed out", sized=False)


def find(method: str, decoded: str) -> tuple[t.Optional[Route], dict[str, str]]:
    """The route of a decoded path, and the variable parts of the path."""
    parts = [part for part in _split(decoded)[1].split("/") if part]
    for route, pattern in _PATTERNS:
        if route.method == method and len(pattern) == len(parts):
            pairs = list(zip(pattern, parts))
            # Source: PVE::RESTHandler: a variable part is what matches \S+.
            if all(
                re.fullmatch(r"\S+", part, re.ASCII) if want.startswith("{") else want == part for want, part in pairs
            ):
                return route, {want[1:-1]: part for want, part in pairs if want.startswith("{")}
    return None, {}


def _split(path: str) -> tuple[str, str]:
    """Format and path within the API, both empty where it is none of the API's."""
    found = re.fullmatch(rf"{BASE}/+([a-z][a-z0-9]+)(/.*)?", path)
    return (found[1], found[2] or "/") if found else ("", "")


@dataclasses.dataclass(frozen=True)
class _Order:
    """A request that the proxy has accepted: where it goes, who sent it, what it says.

    :param elsewhere: another node than the one that was asked answers it
    """

    route: Route
    who: str
    where: dict[str, str]
    params: schema.Params
    extension: str
    elsewhere: bool


def _accept(world: World, request: Request) -> t.Optional[_Order]:
    """What pveproxy does with a request, None for one outside of the API; raises ApiError."""
    if request.method not in METHODS:
        raise ApiError(501, f"method '{request.method}' not available", form="empty")
    if request.headers.get("transfer-encoding", "").lower() == "chunked":
        raise ApiError(501, "chunked transfer encoding not supported", form="plain", newline="")
    if not request.decoded.startswith(BASE):
        return None
    extension, relative = _split(request.decoded)
    if not extension:
        raise ApiError(501, "no such uri", form="plain", newline="")
    who = _authenticate(world, request, relative)
    params = _params(request)
    if extension not in {"json", "extjs"}:
        raise ApiError(501, f"no formatter for uri {relative}, {extension}", form="plain", newline="")
    route, where = find(request.method, request.decoded)
    if route is None:
        raise ApiError(501, f"Method '{request.method} {relative}' not implemented", newline="")
    _locate(world, where, params)
    return _Order(route, who, where, params, extension, _is_elsewhere(world, where))


def _answer(world: World, request: Request) -> Answer:
    order = _accept(world, request)
    if order is None:
        return _outside(request)
    result = _call(world, order)
    connection = _connection(order.route.protected, order.elsewhere)
    if result.text is not None:
        return _download(result, connection)
    content = {"data": result.data}
    if result.total:
        content["total"] = result.total
    if order.extension == "extjs":
        content["success"] = 1
    return _json(request, 200, "OK", content, connection, result.not_before)


def _is_elsewhere(world: World, where: t.Mapping[str, str]) -> bool:
    return where.get("node", "localhost") not in {world.local, "localhost"}


def _locate(world: World, where: dict[str, str], params: schema.Params) -> None:
    if where.get("node") == "localhost":
        where["node"] = world.local
    twice = [name for name in params if name in where and params[name] != where[name]]
    if twice:
        said = "duplicate parameter (already defined in URI) with conflicting values!"
        raise ApiError(400, INVALID, dict.fromkeys(twice, said))
    if "node" in where:
        _reach(world, where["node"])


def _call(world: World, order: _Order) -> Result:
    given = {name: value for name, value in order.params.items() if name not in order.where}
    wrong = schema.errors(given, order.route.params, order.route.required)
    if wrong:
        raise ApiError(400, INVALID, wrong)
    valued = {name: value for name, value in given.items() if value is not None}
    return order.route.handler(Call(world, order.who, order.where, valued))


def _failure(world: World, request: Request, error: ApiError) -> Answer:
    not_before = world.clock.now() + error.delay
    if error.form == "empty":
        return Answer(error.status, error.message, not_before=not_before, sized=False)
    if error.form == "plain":
        return Answer(error.status, error.message, (error.message + error.newline).encode())
    extjs = _split(request.decoded)[0] == "extjs"
    content: dict[str, t.Any] = {"data": None}
    if world.settings.body_message or extjs:
        content["message"] = error.message + error.newline
    if error.errors:
        content["errors"] = error.errors
    if not extjs:
        return _json(request, error.status, error.message, content, ("close",), not_before)
    route, where = find(request.method, request.decoded)
    content.update(success=0, status=str(error.status))
    connection = _connection(route is not None and route.protected, _is_elsewhere(world, where))
    return _json(request, 200, "OK", content, connection, not_before)


def _one_line(answer: Answer) -> Answer:
    """The same with a reason phrase that is one line; a carriage return in it spoils the whole answer."""
    reason = answer.reason.partition("\n")[0]
    if "\r" in reason:
        return Answer(400, "Bad Request", not_before=answer.not_before, sized=False)
    return dataclasses.replace(answer, reason=reason)


def _outside(request: Request) -> Answer:
    if request.method == "GET" and request.decoded == "/":
        page = b"<!DOCTYPE html><html><head><title>pve1 - Proxmox Virtual Environment</title></head></html>"
        return Answer(200, "OK", page, (("Content-Type", "text/html; charset=utf-8"),), ("Keep-Alive",))
    raise ApiError(500, f"no such file '{request.decoded}'", form="plain")


def _authenticate(world: World, request: Request, relative: str) -> str:
    if (request.method, relative) in OPEN:
        return ""
    authorization = request.headers.get("authorization", "")
    cookie = _credential(request.headers.get("cookie", ""), COOKIE) or _credential(authorization, COOKIE)
    token = "" if cookie else _credential(authorization, TOKEN)
    if cookie:
        who = world.users.by_ticket(cookie, world.clock.now())
    elif token:
        who = world.users.by_token(token)
    else:
        raise ApiError(401, "No ticket", form="empty", delay=world.settings.auth_delay)
    if who is None:
        raise ApiError(401, "Authentication failed!", form="empty", delay=world.settings.auth_delay)
    by_ticket = cookie and request.method != "GET"
    if by_ticket and not world.users.csrf_valid(who, request.headers.get("csrfpreventiontoken", "")):
        said = "Permission denied - invalid csrf token"
        raise ApiError(401, said, form="empty", delay=world.settings.auth_delay)
    return who


def _credential(header: str, name: str) -> str:
    """A ticket or a token in a header's value, percent-decoded; empty where there is none.

    Source: ``extract_auth_value`` in PVE::APIServer::Formatter.
    """
    found = re.search(rf"(?:^|\s){name}[= ]([^;]*)", header)
    return urllib.parse.unquote(found[1]) if found else ""


def _params(request: Request) -> schema.Params:
    """Parameters of the body, those of the query going before them; raises ApiError."""
    params: schema.Params = {}
    if request.body:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method not in {"POST", "PUT"}:
            raise ApiError(501, f"Unexpected content for method '{request.method}'", form="plain", newline="")
        if kind == "application/json":
            params = _json_params(request.body)
        elif kind == "application/x-www-form-urlencoded":
            params = _decode_urlencoded(request.body.decode("latin-1"))
        else:
            raise ApiError(506, f"upload 'Content-Type '{kind}' not implemented", form="plain", newline="")
    params.update(_decode_urlencoded(request.query))
    params.pop("_dc", None)
    return params


def _decode_urlencoded(text: str) -> schema.Params:
    """Parameters of a query; one without ``=`` is there, but without a value.

    Semicolons separate as ampersands do, and what follows a second ``=`` is lost. Source: ``decode_urlencoded`` in
    PVE::APIServer::AnyEvent.
    """
    params: schema.Params = {}
    for pair in re.split("[&;]", text.rstrip("&;")) if text else ():
        name, *values = pair.split("=")
        name = urllib.parse.unquote_plus(name, "latin-1")
        value = urllib.parse.unquote_plus(values[0]) if values else None
        before = params.get(name)
        if value is None or before is None:
            params[name] = value
        else:
            params[name] = [*(before if isinstance(before, list) else [before]), value]
    return params


def _json_params(body: bytes) -> schema.Params:
    try:
        values = json.loads(body)
    except ValueError as exc:
        raise ApiError(
            500,
            "malformed JSON string, neither tag, array, object, number, string or atom, at character offset "
            f'{len(body)} (before "(end of string)") at /usr/share/perl5/PVE/APIServer/AnyEvent.pm line 934.',
            form="plain",
        ) from exc
    if not isinstance(values, dict):
        raise ApiError(500, "Not a HASH reference", form="plain")
    return {name: _json_value(value) for name, value in values.items()}


def _json_value(value: t.Any) -> t.Union[str, list[str], None]:
    if isinstance(value, list):
        return [str(item) for item in value]
    if isinstance(value, bool):
        return str(int(value))
    return None if value is None else str(value)


def _connection(protected: bool, elsewhere: bool) -> tuple[str, ...]:
    """Several values at once: pveproxy copies what pvedaemon answered, ``close`` included, and adds its own.

    That of another node does so too, and its headers of one name arrive as one.
    """
    values = ("close", "Keep-Alive") if protected else ("Keep-Alive",)
    return (",".join(values), "Keep-Alive") if elsewhere else values


def _reach(world: World, name: str) -> None:
    node = world.nodes.get(name)
    if node is None:
        unknown = f"hostname lookup '{name}' failed - failed to get address info for: {name}: Name or service not known"
        only_loopback = f"address lookup for '{name}' did not find any IP address"
        raise ApiError(500, only_loopback if world.settings.loopback_names else unknown)
    if not node.online:
        raise ApiError(595, node.reason, form="empty", delay=node.delay)


def _json(
    request: Request,
    status: int,
    reason: str,
    content: t.Mapping[str, t.Any],
    connection: tuple[str, ...],
    not_before: float,
) -> Answer:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    headers: tuple[tuple[str, str], ...] = (("Content-Type", JSON_TYPE),)
    if len(body) > GZIP_ABOVE and "gzip" in request.headers.get("accept-encoding", ""):
        body, headers = gzip.compress(body, 1), (("Content-Encoding", "gzip"), *headers)
    return Answer(status, reason, body, headers, connection, not_before)


def _download(result: Result, connection: tuple[str, ...]) -> Answer:
    body = (result.text or "").encode()
    headers: tuple[tuple[str, str], ...] = (
        ("Content-Type", "text/plain"),
        ("Content-Disposition", f'attachment; filename="{result.filename}"'),
    )
    if len(body) > GZIP_ABOVE:
        body, headers = gzip.compress(body, 1), (("Content-Encoding", "gzip"), *headers)
    # An empty file comes without a length: the client learns of the end when the idle connection is closed.
    return Answer(200, "OK", body, headers, connection, sized=bool(body))


# --- handlers ---------------------------------------------------------------------------------------------------


def _version(_call: Call) -> Result:
    return Result({"version": "9.2.11", "release": "9.2", "repoid": "14a22df35955d97d"})


def _domains(call: Call) -> Result:
    realms = dict.fromkeys([*REALMS, *(name.rpartition("@")[2] for name in call.world.users.known)])
    rows = [
        dict(zip(("type", "comment"), REALMS.get(realm, ("ad", f"realm {realm}"))), realm=realm) for realm in realms
    ]
    return Result(rows)


def _login_page(_call: Call) -> Result:
    """Nothing; PVE has it for formatters that show a page to log in."""
    return Result()


def _ticket(call: Call) -> Result:
    name = call.text("username") + (f"@{call.text('realm')}" if call.text("realm") else "")
    given = {key: str(value) for key, value in call.params.items()}
    data = call.world.users.login(name, given, call.world.clock.now())
    if data is None:
        raise ApiError(401, "authentication failure", delay=call.world.settings.auth_delay)
    return Result(data)


def _nodes(call: Call) -> Result:
    rows = []
    for node in call.world.nodes.values():
        status = node.reported or ("online" if node.online else "offline")
        row: dict[str, t.Any] = {
            "node": node.name,
            "id": f"node/{node.name}",
            "type": "node",
            "status": status,
            "ssl_fingerprint": ":".join(["00"] * 32),
        }
        if status == "online":
            row.update(cpu=0.02, maxcpu=8, mem=8 << 30, maxmem=32 << 30, disk=10 << 30, maxdisk=100 << 30)
            row.update(uptime=864000, level="")
        rows.append(row)
    return Result(rows)


def _subindex(_call: Call) -> Result:
    return Result([{"name": "log"}, {"name": "status"}])


def _upid(call: Call) -> Upid:
    upid = Upid.parse(call.where["upid"])
    if upid is None:
        raise ApiError(400, INVALID, {"upid": "unable to parse worker upid"})
    return upid


def _own(upid: Upid, who: str) -> bool:
    """A token sees its own tasks, a user its own and those of its tokens."""
    return who in {upid.user, upid.owner}


def _task(call: Call) -> tuple[Upid, Task]:
    upid = _upid(call)
    task = call.world.task(upid.text)
    if task is None or upid.node != call.where["node"]:
        raise ApiError(400, INVALID, {"upid": "no such task"})
    return upid, task


def _check_owner(call: Call, upid: Upid, privilege: str) -> None:
    if not _own(upid, call.who):
        call.need(privilege, f"/nodes/{call.where['node']}")


def _status(call: Call) -> Result:
    upid, task = _task(call)
    _check_owner(call, upid, "Sys.Audit")
    data = {**lists.parts(upid), **lists.split_user(upid), "pid": upid.pid, "pstart": upid.pstart}
    if not task.ended(call.world.clock.now(), task.status_lag):
        return Result({**data, "status": "running"})
    exitstatus = UNEXPECTED if task.cached_unexpected else task.final_status
    return Result({**data, "status": "stopped", "exitstatus": bytes_as_text(exitstatus)})


def _log(call: Call) -> Result:
    upid = _upid(call)
    _check_owner(call, upid, "Sys.Audit")
    task = call.world.task(upid.text) if upid.node == call.where["node"] else None
    now = call.world.clock.now()
    if call.text("download", "0") == "1":
        if "start" in call.params or "limit" in call.params:
            raise ApiError(500, "'download' cannot be used together with 'start' or 'limit' parameters")
        if task is None:
            folder = f"{upid.starttime & 15:X}"
            raise ApiError(
                500, f"Could not open file '/var/log/pve/tasks/{folder}/{upid.text}' - No such file or directory"
            )
        lines = task.lines(now, 0, task.total_lines(now))
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(upid.starttime))
        text = "".join(f"{line}\n" for line in lines)
        return Result(text=text, filename=f"task-{upid.node}-{upid.type}-{stamp}.log")
    if task is None:
        return Result([{"n": 1, "t": "unable to open file - No such file or directory"}], 1)
    total = task.total_lines(now)
    if total == 0:
        return Result([{"n": 1, "t": "no content"}], 1)
    start = call.number("start", 0)
    stop = start + (call.number("limit", DEFAULT_LIMIT) or total)
    page = task.lines(now, start, stop)
    return Result([{"n": start + n, "t": bytes_as_text(line)} for n, line in enumerate(page, 1)], total)


def _stop(call: Call) -> Result:
    upid, task = _task(call)
    _check_owner(call, upid, "Sys.Modify")
    world, now = call.world, call.world.clock.now()
    if task.ended(now):
        return Result()
    task.stop(now, world.settings.kill_seconds)
    return Result(not_before=max(now + world.settings.stop_seconds, task.end or now))


def _tasks(call: Call) -> Result:
    world, node = call.world, call.where["node"]
    source = call.text("source", "archive")
    rows = lists.active(world, node) if source != "archive" else []
    rows += lists.archive(world, node) if source != "active" else []
    auditor = world.users.may(call.who, "Sys.Audit", f"/nodes/{node}")
    rows = [row for row in rows if (auditor or lists.is_own(row, call.who)) and _matches(call, row)]
    start = call.number("start", 0)
    return Result(rows[start : start + call.number("limit", DEFAULT_LIMIT)], len(rows))


def _matches(call: Call, row: t.Mapping[str, t.Any]) -> bool:
    return (
        call.text("userfilter").lower() in row["user"].lower()
        and call.text("typefilter") in {"", row["type"]}
        and call.text("vmid") in {"", row["id"]}
        and row["starttime"] >= call.number("since", 0)
        and row["starttime"] <= call.number("until", 1 << 62)
        and lists.status_kind(row["status"]) in _wanted_kinds(call)
    )


def _wanted_kinds(call: Call) -> set[str]:
    """Outcomes asked for; ``errors`` goes before a list of them."""
    if call.text("errors", "0") == "1":
        return set(schema.STATUS_KINDS) - {"ok"}
    if "statusfilter" not in call.params:
        return set(schema.STATUS_KINDS)
    return {word.lower() for word in call.words("statusfilter")}


def _cluster_tasks(call: Call) -> Result:
    """Rows of all nodes; unlike the list of a node, a user is shown its tokens' running tasks, a token nothing."""
    auditor = call.world.users.may(call.who, "Sys.Audit", "/")
    rows = [row for node in call.world.nodes for row in lists.cluster(call.world, node)]
    return Result([row for row in rows if auditor or row["user"] == call.who])


# --- requests that start tasks ------------------------------------------------------------------------------------


def _guest(call: Call, kind: str, privilege: str) -> Guest:
    vmid, node = call.where["vmid"], call.where["node"]
    wrong = schema.vmid(vmid)
    if wrong:
        raise ApiError(400, INVALID, {"vmid": wrong})
    call.need(privilege, f"/vms/{vmid}")
    try:
        return call.world.guest(int(vmid), node, kind)
    except UnknownGuest as exc:
        folder = "qemu-server" if kind == "qemu" else "lxc"
        raise ApiError(500, f"Configuration file 'nodes/{node}/{folder}/{vmid}.conf' does not exist") from exc


def _acting(kind: str, action: str) -> t.Callable[[Call], Result]:
    def act(call: Call) -> Result:
        guest = _guest(call, kind, "VM.Migrate" if action == "migrate" else "VM.PowerMgmt")
        target = ""
        if action == "migrate":
            target = call.text("target")
            if target == guest.node or target not in call.world.nodes:
                said = "target is local node." if target == guest.node else f"no such cluster node '{target}'"
                raise ApiError(400, INVALID, {"target": said})
        return Result(call.world.act(guest, action, call.who, target))

    return act


def _clone(call: Call) -> Result:
    guest = _guest(call, "qemu", "VM.Clone")
    subject = str(guest.vmid)
    newid = int(call.text("newid"))
    if newid in call.world.guests:
        raise ApiError(500, f"unable to create VM {newid}: config file already exists")
    call.world.guests[newid] = Guest(newid, guest.node)
    return Result(call.world.start(guest.node, "qmclone", call.who, [guest.vmid], subject))


def _vzdump(call: Call) -> Result:
    node = call.where["node"]
    here = sorted(guest.vmid for guest in call.world.guests.values() if guest.node == node)
    if "vmid" in call.params:
        wanted = [int(vmid) for vmid in call.words("vmid")]
        here = [vmid for vmid in wanted if vmid in here]
    for vmid in here:
        call.need("VM.Backup", f"/vms/{vmid}")
    if not here:
        return Result("OK")
    return Result(call.world.start(node, "vzdump", call.who, here, str(here[0]) if len(here) == 1 else ""))


def _on_node(kind: str) -> t.Callable[[Call], Result]:
    def start(call: Call) -> Result:
        node = call.where["node"]
        call.need("Sys.Modify" if kind == "aptupdate" else "VM.PowerMgmt", "/nodes/" + node)
        vmids = sorted(guest.vmid for guest in call.world.guests.values() if guest.node == node)
        return Result(call.world.start(node, kind, call.who, vmids, ""))

    return start


def _selftest(call: Call) -> Result:
    """A worker that does as it is told; no part of PVE, but the one that its measured answers came from."""
    world, now = call.world, call.world.clock.now()
    lines, outcome = call.number("lines", 0), call.text("outcome", "ok")
    seconds = float(call.number("seconds", 0))
    log: list[tuple[float, str]] = [(seconds * n / lines, f"line {n} of {lines}") for n in range(1, lines + 1)]
    if outcome == "warn":
        log.append((seconds, "WARN: this is a test warning #1"))
    exitstatus = {"ok": "OK", "warn": "WARNINGS: 1", "error": "told to fail", "die": "unexpected: boom"}.get(outcome)
    upid = world.mint(call.where["node"], "selftest", "", call.who, now)
    world.add(Task(upid, now, seconds, TimedLog(log), exitstatus))
    return Result(upid.text)


_LIST_PARAMS: dict[str, schema.Check] = {
    "start": schema.integer(),
    "limit": schema.integer(),
    "userfilter": schema.string,
    "typefilter": schema.string,
    "vmid": schema.vmid,
    "errors": schema.boolean,
    "source": schema.choice("archive", "active", "all"),
    "since": schema.integer(None),
    "until": schema.integer(None),
    "statusfilter": schema.status_list,
}
_LOG_PARAMS: dict[str, schema.Check] = {
    "start": schema.integer(),
    "limit": schema.integer(),
    "download": schema.boolean,
}
_TICKET_PARAMS: dict[str, schema.Check] = {
    **dict.fromkeys(("username", "password", "realm", "otp", "path", "privs", "tfa-challenge"), schema.string),
    "new-format": schema.boolean,
}
_SELFTEST_PARAMS: dict[str, schema.Check] = {
    "lines": schema.integer(),
    "seconds": schema.integer(),
    "outcome": schema.choice("ok", "warn", "error", "die", "kill"),
}

_TASK = "nodes/{node}/tasks/{upid}"
_QEMU = "nodes/{node}/qemu/{vmid}"
_LXC = "nodes/{node}/lxc/{vmid}"
ROUTES = (
    Route("GET", "version", "version", _version),
    Route("GET", "access/domains", "access/domains", _domains),
    Route("GET", "access/ticket", "access/ticket", _login_page),
    Route("POST", "access/ticket", "access/ticket", _ticket, True, _TICKET_PARAMS, ("username", "password")),
    Route("GET", "nodes", "nodes", _nodes),
    Route("GET", "cluster/tasks", "cluster/tasks", _cluster_tasks),
    Route("GET", "nodes/{node}/tasks", "tasks", _tasks, params=_LIST_PARAMS),
    Route("GET", _TASK, "task", _subindex),
    Route("DELETE", _TASK, "task", _stop, True),
    Route("GET", f"{_TASK}/status", "status", _status, True),
    Route("GET", f"{_TASK}/log", "log", _log, True, _LOG_PARAMS),
    Route("POST", "nodes/{node}/vzdump", "vzdump", _vzdump, True, None),
    Route("POST", "nodes/{node}/apt/update", "apt/update", _on_node("aptupdate"), True, None),
    Route("POST", "nodes/{node}/startall", "startall", _on_node("startall"), True, None),
    Route("POST", "nodes/{node}/stopall", "stopall", _on_node("stopall"), True, None),
    Route("POST", "nodes/{node}/selftest", "selftest", _selftest, True, _SELFTEST_PARAMS),
    Route("POST", f"{_QEMU}/clone", "qemu/clone", _clone, True, None, ("newid",)),
    Route("POST", f"{_QEMU}/migrate", "qemu/migrate", _acting("qemu", "migrate"), True, None, ("target",)),
    Route("POST", f"{_LXC}/migrate", "lxc/migrate", _acting("lxc", "migrate"), True, None, ("target",)),
    *(
        Route("POST", f"{path}/status/{action}", f"{kind}/{action}", _acting(kind, action), True, None)
        for kind, path in (("qemu", _QEMU), ("lxc", _LXC))
        for action in ("start", "stop", "shutdown")
    ),
)
_PATTERNS = tuple((route, route.path.split("/")) for route in ROUTES)
