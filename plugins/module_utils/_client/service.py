# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between the products that have this API: data, small translations. Pure. Private to the collection."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.grammar import Product

# What is wanted of a node's list: ``source`` (archive, active, all), ``type``, ``guest``, ``store``, ``user``,
# ``outcomes``, ``since`` and ``until`` (epoch seconds, of the start), ``start`` and ``limit`` (rows). What is not named
# may be any. It may bring more than what is wanted, never less.
Wanted = t.Mapping[str, t.Any]
Query = dict[str, t.Any]

_ENDED = ("ok", "warning", "error", "unknown")


class Unserved(t.NamedTuple):
    """An option, or one value of it (None: any), that a product cannot serve; ``instead`` says what can be done."""

    option: str
    value: str | None
    instead: str


@dataclasses.dataclass(frozen=True)
class Rights:
    """What it takes to see and to stop tasks of others; ``{node}`` stands for the node's name.

    ``stranger`` is the UPID of a task that nobody ever had: whether its log is refused tells who may see others' tasks.
    None where there is no seeing of one's own tasks alone.
    """

    see: str
    stop: str
    stranger: str | None


@dataclasses.dataclass(frozen=True)
class Service:
    """One product as its API shows it.

    ``name`` is what the option ``service`` says, ``product`` the grammar of its UPIDs, ``port`` its own port.
    """

    name: str
    title: str
    product: Product
    port: int
    cookie: str  # the name of a ticket's cookie
    token: str | None  # the form of a token's header value; None: it knows no tokens
    encoded_ids: bool  # it percent-decodes the whole of that, the id before the secret as well
    open_path: tuple[str, ...]  # what it tells to strangers
    rights: Rights
    unserved: tuple[Unserved, ...]
    # What its replies look like
    servers: tuple[str, ...]  # how the name that it gives itself begins, in lower case
    own_words: re.Pattern[str]  # what it says with 401, 403 and 404, where a proxy has put its own name over that
    plain: bool  # its errors are bare text
    final: tuple[int, ...]  # the statuses with which it means what it says, whatever the time
    final_words: re.Pattern[str] | None  # ... and the words, where the status does not tell
    denied: re.Pattern[str] | None  # how it refuses for lack of a privilege with another status than 403
    no_such_task: re.Pattern[str]  # what it says with 400 where there is no log file of a task
    vague: bool  # of a task that it does not know it says what it says of one whose end it does not know
    no_such_node: tuple[str, ...]  # what it says of a node that it does not have
    # Its lists and logs
    own_node: str | None  # what its only node is called in paths; None: each by its name
    cluster_list: bool  # whether one list tells of all nodes
    list_query: t.Callable[[Wanted], Query | None]  # the query of a node's task list; None: there is no such list
    bare_rows: bool  # a row of a running task has no status
    first_line: int  # what it calls the first line of a log
    log_query: Query  # what a log is asked for beside lines
    # On a node itself
    command: tuple[str, ...]  # what asks it there, and its options; none: there is nothing


def _renamed(wanted: Wanted, **names: str) -> Query:
    """What is wanted under a product's own names; what it has none for is left out."""
    names = {"type": "typefilter", "since": "since", "until": "until", "start": "start", "limit": "limit", **names}
    return {names[name]: value for name, value in wanted.items() if name in names and value is not None}


def _user(wanted: Wanted) -> Query:
    """A part of the user: a token may stand elsewhere than the filter of lists written in Perl looks."""
    user = wanted.get("user")
    return {"userfilter": user.rpartition("!")[0] or user} if user else {}


def _pve_list(wanted: Wanted) -> Query:
    """PVE::API2::Tasks: one type and one guest a request."""
    query = {**_renamed(wanted, guest="vmid", source="source"), **_user(wanted)}
    if wanted.get("outcomes"):
        # What runs counts as unknown there.
        outcomes = {"unknown" if outcome == "running" else outcome for outcome in wanted["outcomes"]}
        query["statusfilter"] = ",".join(name for name in _ENDED if name in outcomes)
    return query


def _pbs_list(wanted: Wanted) -> Query:
    """src/api2/node/tasks.rs: a part of the type; what runs is in the list, and has no outcome to filter by."""
    query = _renamed(wanted, store="store", user="userfilter")
    outcomes = set(wanted.get("outcomes") or ())
    if wanted.get("source") == "active":
        query["running"] = 1
    elif wanted.get("source") == "archive" or (outcomes and "running" not in outcomes):
        query["statusfilter"] = [name for name in _ENDED if not outcomes or name in outcomes]
    return query


def _pmg_list(wanted: Wanted) -> Query | None:
    """PMG::API2::Tasks: tasks that ended."""
    if wanted.get("source") == "active":
        return None
    query = {**_renamed(wanted), **_user(wanted)}
    if wanted.get("outcomes"):
        query["statusfilter"] = ",".join(name for name in _ENDED if name in wanted["outcomes"])
    return query


# PVE::APIServer::AnyEvent, PVE::AccessControl, PVE::RPCEnvironment, PVE::Exception
_PERL_WORDS = (
    r"no ticket$|authentication fail|permission check failed|permission denied - |invalid (?:\w+ )?ticket|"
    r"api tokens not implemented"
)

PVE = Service(
    name="pve",
    title="Proxmox VE",
    product="pve",
    port=8006,
    cookie="PVEAuthCookie",
    token="PVEAPIToken={who}={secret}",  # noqa: S106 - a form, no secret
    encoded_ids=True,
    open_path=("access", "domains"),
    rights=Rights(
        see="Sys.Audit on /nodes/{node}",
        stop="Sys.Modify on /nodes/{node}",
        # PVE checks that right before it looks for the log (recorded: "log no log file, viewer").
        stranger="UPID:{node}:00000000:00000000:00000000:none::root@pam:",
    ),
    unserved=(Unserved("store", None, "only Backup Server has datastores; take type, vmid or user"),),
    # PVE::APIServer::AnyEvent, which Mail Gateway has too
    servers=("pve-api-daemon/",),
    own_words=re.compile(_PERL_WORDS, re.IGNORECASE),
    plain=False,
    # All else, a busy server's or a proxy's word, may be over with the next request.
    final=(400, 403, 501),
    final_words=None,
    denied=None,
    no_such_task=re.compile("no such task"),
    vague=False,
    no_such_node=("hostname lookup '", "address lookup for '"),
    own_node=None,
    cluster_list=True,
    list_query=_pve_list,
    bare_rows=False,
    first_line=0,
    log_query={},
    command=("pvesh", "--output-format=json"),
)
PMG = dataclasses.replace(
    PVE,
    name="pmg",
    title="Proxmox Mail Gateway",
    cookie="PMGAuthCookie",
    token=None,
    # PMG::HTTPServer: ``auth_handler``
    open_path=("access", "ticket"),
    # PMG::API2::Tasks: by role, whosever task it is
    rights=Rights(see="the role admin or audit", stop="the role admin", stranger=None),
    unserved=(
        Unserved("api_token_id", None, "Mail Gateway has no API tokens; give api_user and api_password"),
        Unserved("follow_ha", "True", "only Proxmox VE has an HA manager; leave follow_ha out"),
        Unserved("vmid", None, "Mail Gateway has no guests; take type or user"),
        Unserved("store", None, "only Backup Server has datastores; take type or user"),
        Unserved("source", "active", "Mail Gateway lists only what has ended; name running tasks by upids"),
        Unserved("outcome", "running", "Mail Gateway lists only what has ended; name running tasks by upids"),
    ),
    cluster_list=False,
    list_query=_pmg_list,
    command=("pmgsh",),
)
PBS = Service(
    name="pbs",
    title="Proxmox Backup Server",
    product="pbs",
    port=8007,
    cookie="PBSAuthCookie",
    token="PBSAPIToken={who}:{secret}",  # noqa: S106 - a form, no secret
    # proxmox-auth-api: ``http_check_auth``
    encoded_ids=False,
    open_path=("access", "domains"),
    # src/api2/node/tasks.rs: ``check_task_access`` comes before all else
    rights=Rights(
        see="Sys.Audit on /system/tasks",
        stop="Sys.Modify on /system/tasks",
        stranger="UPID:{node}:00000000:00000000:00000000:00000000:none::root@pam:",
    ),
    unserved=(
        Unserved("follow_ha", "True", "only Proxmox VE has an HA manager; leave follow_ha out"),
        Unserved("vmid", None, "Backup Server's list knows no guests; take type, store or user"),
    ),
    # hyper gives no name
    servers=(),
    # The words of proxmox-rest-server (rest.rs) and proxmox-auth-api (access.rs)
    own_words=re.compile(
        r"authentication failed|permission check failed|no permission|path '/api2/|no authentication", re.IGNORECASE
    ),
    plain=True,
    # 400 is said of everything else (formatter.rs).
    final=(403, 404),
    final_words=re.compile("unable to parse|parameter|schema"),
    denied=re.compile("task access not allowed|missing permissions|permission check failed"),
    no_such_task=re.compile(r"os error 2\)"),
    # ``get_task_status``
    vague=True,
    no_such_node=(),
    own_node="localhost",
    cluster_list=False,
    list_query=_pbs_list,
    bare_rows=True,
    first_line=1,
    log_query={"test-status": 1},
    command=(),
)
SERVICES = {service.name: service for service in (PVE, PBS, PMG)}
