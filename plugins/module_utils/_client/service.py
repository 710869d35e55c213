# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between the products that have this API: data, small translations. Pure. Private to the collection."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.grammar import Product

# What is wanted of a node's list: ``source`` (archive, active, all), ``type``, ``guest``, ``user``, ``outcomes``,
# ``since`` and ``until`` (epoch seconds, of the start), ``start`` and ``limit`` (rows). What is not named may be any.
Wanted = t.Mapping[str, t.Any]

_PVE_OUTCOMES = ("ok", "warning", "error", "unknown")


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
    first_line: int  # what it calls the first line of a log
    open_path: tuple[str, ...]  # what it tells to strangers
    servers: tuple[str, ...]  # how the name that it gives itself begins, in lower case
    own_words: re.Pattern[str]  # what it says with 401 and 403, where a proxy has put its own name over that
    no_such_node: tuple[str, ...]  # what it says of a node that it does not have
    list_query: t.Callable[[Wanted], dict[str, t.Any]]  # the query of a node's task list


def _pve_list(wanted: Wanted) -> dict[str, t.Any]:
    """PVE::API2::Tasks: one type and one guest a request; a part of the user, whose token may stand elsewhere."""
    names = {"type": "typefilter", "guest": "vmid"}
    query = {names.get(name, name): value for name, value in wanted.items() if name not in ("outcomes", "user")}
    if wanted.get("user"):
        query["userfilter"] = wanted["user"].rpartition("!")[0] or wanted["user"]
    if wanted.get("outcomes"):
        # What runs counts as unknown there.
        outcomes = {"unknown" if outcome == "running" else outcome for outcome in wanted["outcomes"]}
        query["statusfilter"] = ",".join(name for name in _PVE_OUTCOMES if name in outcomes)
    return query


PVE = Service(
    name="pve",
    title="Proxmox VE",
    product="pve",
    port=8006,
    cookie="PVEAuthCookie",
    token="PVEAPIToken={who}={secret}",  # noqa: S106 - a form, no secret
    first_line=0,
    open_path=("access", "domains"),
    # PVE::APIServer::AnyEvent, which Mail Gateway has too
    servers=("pve-api-daemon/",),
    # PVE::APIServer::AnyEvent, PVE::AccessControl, PVE::RPCEnvironment
    own_words=re.compile(
        r"no ticket$|authentication fail|permission check failed|permission denied - |invalid (?:\w+ )?ticket",
        re.IGNORECASE,
    ),
    no_such_node=("hostname lookup '", "address lookup for '"),
    list_query=_pve_list,
)
SERVICES = {service.name: service for service in (PVE,)}
