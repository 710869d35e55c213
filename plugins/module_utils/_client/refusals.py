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

from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import Reply, Request
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
from ansible_collections.proxkit.tasks.plugins.module_utils._model.masking import masked
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import clean, repair

# Statuses of pveproxy for "the node you ask about cannot be reached" (AnyEvent::HTTP).
_NODE_DOWN = (595, 596, 597, 598)
# A proxy on the way, or the API host itself, says that nobody behind it answers: another host may.
_HOST_DOWN = (502, 503, 504)
_MARKUP = re.compile(r"\s*<(?:!doctype|html|head|body|\?xml)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,400})", re.IGNORECASE)
_SHOWN_LENGTH = 200


class NoTicket(NotProxmox):
    """A login was answered as by success, and without a ticket."""


def data_of(
    reply: Reply, request: Request, host: str, connection: Connection, secrets: t.Iterable[str] = ()
) -> dict[str, t.Any]:
    """The whole answer with its ``data``. Raises the ``ApiError`` that any other reply means.

    ``secrets`` are masked in its words: pages that show one's own request are not rare.
    """
    body = reply.json()
    if 200 <= reply.status < 300 and isinstance(body, dict) and "data" in body:
        if request.logs_in and not _holds_ticket(body["data"]):
            raise NoTicket(f"{host} answers a login without a ticket: is it a Proxmox API? Check api_host and api_port")
        return body
    error = _refusal(reply.masked(secrets), request, host, connection)
    # Once more: what was made safe to show may only now be spelled as a secret is.
    raise type(error)(masked(error.message, secrets))


def _holds_ticket(data: object) -> bool:
    return isinstance(data, dict) and isinstance(data.get("ticket"), str) and data["ticket"] != ""


def by_proxmox(reply: Reply, service: Service) -> bool:
    """Whether this reply, of which ``data_of`` is an error, is Proxmox's own, as far as it shows."""
    # What it answers with success has what was asked for; no call here is redirected, and no error of theirs is a page.
    if reply.status < 400 or _MARKUP.match(reply.text):
        return False
    if reply.server.lower().startswith(service.servers):
        return True
    if reply.status in _NODE_DOWN:
        return True
    body = _body(reply)
    if reply.status in (401, 403) or (service.plain and reply.status == 404):
        # What others say with these statuses is JSON as well, and some of it has data.
        return any(service.own_words.search(words) for words in (reply.reason, _words(reply, service)))
    return service.plain and reply.status == 400 if not body else "data" in body


def _words(reply: Reply, service: Service) -> str:
    """What a body says; servers written in Perl have had that since 2025-01, older ones have a reason phrase alone."""
    body = _body(reply)
    bare = service.plain and not body and not _MARKUP.match(reply.text)
    return (reply.text if bare else str(body.get("message") or "")).strip()


def said(reply: Reply, host: str, service: Service) -> str:
    """Who says what, safe to show."""
    text = _safe(_words(reply, service) or repair(reply.reason))
    fields = _body(reply).get("errors")
    if isinstance(fields, dict):
        text += "".join(f" ({_safe(str(name))}: {_safe(str(flaw))})" for name, flaw in fields.items())
    return f"{host} says {reply.status} {text}".rstrip(". ")


def _refusal(reply: Reply, request: Request, host: str, connection: Connection) -> ApiError:
    service = connection.service
    if not by_proxmox(reply, service):
        # Somebody on the way who cannot get through for the moment, or who has no business there.
        text = said(reply, host, service) if reply.status >= 500 else _not_of_proxmox(reply, host)
        return HostUnreachable(text) if reply.status >= 500 else NotProxmox(text)
    return _meant(reply, request, said(reply, host, service), connection)


def _meant(reply: Reply, request: Request, words: str, connection: Connection) -> ApiError:
    """What Proxmox itself says."""
    service, status, node = connection.service, reply.status, request.node
    if status == 401:
        return LoginRefused(f"{words}: {_check_credentials(connection)}")
    if status == 403 or (service.denied and service.denied.search(words)):
        return NoPrivilege(f"{words}: {_check_privilege(words, request, connection)}")
    if status == 400 and request.upid and service.no_such_task.search(_on_upid(reply, words)):
        return NoSuchTask(f"node {node} knows no such task ({words})")
    if status in _NODE_DOWN:
        return NodeUnreachable(f"node {node} cannot be reached ({words})")
    if status == 500 and any(text in words for text in service.no_such_node):
        check = "the UPID" if request.upid else "its name"
        host_too = " and api_host" if connection.hosts else ""
        return Refused(f"the cluster has no node {node} ({words}): check {check}{host_too}")
    return HostUnreachable(words) if status in _HOST_DOWN else _final_or_not(status, words, service)


def _final_or_not(status: int, words: str, service: Service) -> Refused | Fault:
    """What is meant as it is said; all else, such as a busy server's word, may be over with the next request."""
    final = status in service.final or (service.final_words and service.final_words.search(words))
    return Refused(words) if final else Fault(words)


def _on_upid(reply: Reply, words: str) -> str:
    """What is said of the UPID, where the body has a text for each parameter, else all that is said."""
    fields = _body(reply).get("errors")
    return str(fields.get("upid")) if isinstance(fields, dict) else words


def _not_of_proxmox(reply: Reply, host: str) -> str:
    """What a stranger answered, and what to look at."""
    if 300 <= reply.status < 400:
        return f"{host} answers with a redirection ({reply.status}): is it a Proxmox API? Check api_host and api_port"
    title = _TITLE.search(reply.text)
    text = _safe(title[1] if title else "" if _MARKUP.match(reply.text) else reply.text[:_SHOWN_LENGTH])
    shown = f"{reply.status} {_safe(repair(reply.reason))}".strip() + (f", '{text}'" if text else "")
    gateway = ", or does a gateway before it want a login" if reply.status in (200, 401, 403) else ""
    return (
        f"{host} answers otherwise than Proxmox does ({shown}): is it a Proxmox API{gateway}? "
        "Check api_host and service"
    )


def _body(reply: Reply) -> dict[str, t.Any]:
    body = reply.json()
    return body if isinstance(body, dict) else {}


def _safe(text: str) -> str:
    return clean(repair(text)).strip()[:_SHOWN_LENGTH]


def _check_credentials(connection: Connection) -> str:
    if connection.token_name:
        # A password's ticket tells the product; one product takes another's token for none at all.
        service = connection.service.name
        return f"check api_token_id and api_token_secret of {connection.authid}, and service ({service})"
    return f"check api_user ({connection.user}) and api_password"


def _check_privilege(text: str, request: Request, connection: Connection) -> str:
    asker, rights, node = connection.authid, connection.service.rights, request.node
    # Where PVE names what is missing, and on which path, that is what is needed.
    named = re.search(r"\((/[^,()]*), ([A-Za-z.|]+)\)", text)
    stops = request.method == "DELETE" or (named is not None and "Sys.Modify" in named[2])
    right = f"{named[2]} on {named[1]}" if named else (rights.stop if stops else rights.see).format(node=node)
    tasks = "tasks of others" if rights.stranger else "tasks"
    if stops:
        return f"{asker} needs {right} to stop {tasks}"
    if node is None:
        return f"{asker} needs {right}" if named else f"{asker} lacks a privilege"
    hint = " (a token does not see what its user started)" if connection.token_name else ""
    return f"{asker} needs {right} to see {tasks}{hint}"
