# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reply means, in words that a person can act on. Pure. Private to the collection.

Much stands between us and a server: proxies, portals, other software at that address. Only what Proxmox itself says
counts as its word; all else is a fault of the way, never a refusal.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import Reply, Request, masked
from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import Service
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Fault,
    HostUnreachable,
    LoginRefused,
    NodeUnreachable,
    NoPrivilege,
    NoSuchTask,
    NotProxmox,
    Refused,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import clean, repair

# Statuses of pveproxy for "the node you ask about cannot be reached" (AnyEvent::HTTP).
_NODE_DOWN = (595, 596, 597, 598)
# A proxy on the way, or the API host itself, says that nobody behind it answers: another host may.
_HOST_DOWN = (502, 503, 504)
# What PVE says when it means it. All else, a busy server's or a proxy's word, may be over with the next request.
_FINAL = (400, 403, 501)
_MARKUP = re.compile(r"\s*<(?:!doctype|html|head|body|\?xml)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,400})", re.IGNORECASE)
_SHOWN_LENGTH = 200


def data_of(
    reply: Reply, request: Request, host: str, connection: Connection, secrets: t.Iterable[str] = ()
) -> dict[str, t.Any]:
    """The whole answer with its ``data``. Raises the ``ApiError`` that any other reply means.

    ``secrets`` are masked in its words: pages that show one's own request are not rare.
    """
    body = reply.json()
    if 200 <= reply.status < 300 and isinstance(body, dict) and "data" in body:
        return body
    error = _refusal(reply.masked(secrets), request, host, connection)
    # Once more: what was made safe to show may only now be spelled as a secret is.
    raise type(error)(masked(error.message, secrets))


def by_proxmox(reply: Reply, service: Service) -> bool:
    """Whether Proxmox itself gave this reply, as far as the reply shows it."""
    # No call here is redirected, and no error of theirs is a page.
    if 300 <= reply.status < 400 or _MARKUP.match(reply.text):
        return False
    if reply.server.lower().startswith(service.servers):
        return True
    if reply.status in _NODE_DOWN:
        return True
    body = _body(reply)
    if reply.status in (401, 403):
        # What others say with these statuses is JSON as well, and some of it has data.
        return any(service.own_words.search(words) for words in (reply.reason, str(body.get("message")).strip()))
    return "data" in body


def said(reply: Reply, host: str) -> str:
    """Who says what, safe to show; servers since 2025-01 have the text in the body too, older ones in the reason."""
    body = _body(reply)
    text = _safe(str(body.get("message") or repair(reply.reason)))
    fields = body.get("errors")
    if isinstance(fields, dict):
        text += "".join(f" ({_safe(str(name))}: {_safe(str(flaw))})" for name, flaw in fields.items())
    return f"{host} says {reply.status} {text}".rstrip(". ")


def _refusal(reply: Reply, request: Request, host: str, connection: Connection) -> ApiError:
    if reply.status < 300 or not by_proxmox(reply, connection.service):
        return _strange(reply, host)
    return _meant(reply, request, said(reply, host), connection)


def _strange(reply: Reply, host: str) -> HostUnreachable | NotProxmox:
    """Somebody on the way who cannot get through for the moment, or who has no business there."""
    return HostUnreachable(said(reply, host)) if reply.status >= 500 else NotProxmox(_not_of_proxmox(reply, host))


def _meant(reply: Reply, request: Request, words: str, connection: Connection) -> ApiError:
    """What Proxmox itself says."""
    status, node, fields = reply.status, request.node, _body(reply).get("errors")
    if status == 401:
        return LoginRefused(f"{words}: {_check_credentials(connection)}")
    if status == 403:
        return NoPrivilege(f"{words}: {_check_privilege(words, node, connection)}")
    if status == 400 and isinstance(fields, dict) and "no such task" in str(fields.get("upid")):
        return NoSuchTask(f"node {node} knows no such task ({words})")
    if status in _NODE_DOWN:
        return NodeUnreachable(f"node {node} cannot be reached ({words})")
    if status == 500 and any(text in words for text in connection.service.no_such_node):
        check = "the UPID" if request.upid else "its name"
        return Refused(f"the cluster has no node {node} ({words}): check {check} and api_host")
    kind = HostUnreachable if status in _HOST_DOWN else Refused if status in _FINAL else Fault
    return kind(words)


def _not_of_proxmox(reply: Reply, host: str) -> str:
    """What a stranger answered, and what to look at."""
    if 300 <= reply.status < 400:
        return f"{host} answers with a redirection ({reply.status}): is it a Proxmox API? Check api_host and api_port"
    title = _TITLE.search(reply.text)
    text = _safe(title[1] if title else "" if _MARKUP.match(reply.text) else reply.text[:_SHOWN_LENGTH])
    shown = f"{reply.status} {_safe(repair(reply.reason))}".strip() + (f", '{text}'" if text else "")
    gateway = ", or does a gateway before it want a login" if reply.status in (200, 401, 403) else ""
    return f"{host} answers otherwise than Proxmox does ({shown}): is it a Proxmox API{gateway}? Check api_host"


def _body(reply: Reply) -> dict[str, t.Any]:
    body = reply.json()
    return body if isinstance(body, dict) else {}


def _safe(text: str) -> str:
    return clean(repair(text)).strip()[:_SHOWN_LENGTH]


def who(connection: Connection) -> str:
    """Who asks: ``user@realm`` or ``user@realm!token``."""
    return f"{connection.user}!{connection.token_name}" if connection.token_name else connection.user


def _check_credentials(connection: Connection) -> str:
    if connection.token_name:
        return f"check api_token_id and api_token_secret of {who(connection)}"
    return f"check api_user ({connection.user}) and api_password"


def _check_privilege(text: str, node: str | None, connection: Connection) -> str:
    # Where PVE names what is missing, and on which path, that is what is needed.
    named = re.search(r"\((/[^,()]*), ([A-Za-z.|]+)\)", text)
    path, privilege = (named[1], named[2]) if named else (f"/nodes/{node}", "Sys.Audit")
    if "Sys.Modify" in privilege:
        return f"{who(connection)} needs {privilege} on {path} to stop tasks of others"
    if node is None:
        return f"{who(connection)} needs {privilege} on {path}" if named else f"{who(connection)} lacks a privilege"
    hint = " (a token does not see what its user started)" if connection.token_name else ""
    return f"{who(connection)} needs {privilege} on {path} to see tasks of others{hint}"
