# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refusal or a failed connection means, in words that a person can act on. Pure. Private to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._errors import (
    AccessError,
    ApiError,
    HostUnreachable,
    NodeUnreachable,
    NoSuchTask,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._log import clean, repair
from ansible_collections.proxkit.tasks.plugins.module_utils._options import Connection

# Statuses of pveproxy for "the node you ask about cannot be reached" (AnyEvent::HTTP).
_NODE_DOWN = (595, 596, 597, 598)
# A proxy on the way, or the API host itself, says that nobody behind it answers: another host may.
_HOST_DOWN = (502, 503, 504)
# What PVE says when it means it. All else, a busy server's or a proxy's word, may be over with the next request.
_FINAL = (400, 401, 403, 501)


def refusal(
    status: int,
    told: t.Mapping[str, t.Any],
    *,
    connection: Connection,
    host: str,
    node: str | None,
    upid: str | None,
    accepted: bool,
) -> ApiError:
    """The error that an HTTP status and its text mean (``task-api``: where the text sits differs by version)."""
    details: dict[str, t.Any] = {"host": host, "node": node, "upid": upid, "status": status}
    fields = told.get("errors")
    # Older servers have the text in the reason phrase alone.
    text = clean(repair(str(told.get("message") or _reason(told.get("reason"))))).strip()
    if isinstance(fields, dict):
        text += "".join(f" ({name}: {clean(repair(str(flaw))).strip()})" for name, flaw in fields.items())
    said = f"{host} says {status} {text}".rstrip()
    if status == 400 and isinstance(fields, dict) and "no such task" in str(fields.get("upid")):
        return NoSuchTask(f"node {node} knows no such task ({said})", **details)
    if status in (401, 403):
        hint = _check_credentials(connection) if status == 401 else _check_privilege(text, node, connection)
        # Whoever was let in before may be again: a node that restarts, a key that has not yet spread.
        return AccessError(f"{said}: {hint}", passing=status == 401 and accepted, **details)
    if status in _NODE_DOWN:
        return NodeUnreachable(f"node {node} cannot be reached ({said})", **details)
    if status == 500 and "hostname lookup" in text:
        return ApiError(f"the cluster has no node {node} ({said}): check api_host and the UPID", **details)
    if status in _HOST_DOWN:
        return HostUnreachable(said, passing=True, **details)
    return ApiError(said, passing=status not in _FINAL, **details)


def _reason(reason: t.Any) -> str:
    return reason.decode("latin-1") if isinstance(reason, bytes) else str(reason or "")


def _check_credentials(connection: Connection) -> str:
    if connection.token_name:
        return f"check api_token_id and api_token_secret of {connection.user}!{connection.token_name}"
    return f"check api_user ({connection.user}) and api_password"


def _check_privilege(text: str, node: str | None, connection: Connection) -> str:
    who = f"{connection.user}!{connection.token_name}" if connection.token_name else connection.user
    if "Sys.Modify" in text:
        return f"{who} needs Sys.Modify on /nodes/{node} to stop tasks of others"
    hint = " (a token does not see what its user started)" if connection.token_name else ""
    return f"{who} needs Sys.Audit on /nodes/{node} to see tasks of others{hint}"


def distrust(host: str, exc: Exception, connection: Connection) -> str:
    """Why there is no TLS connection that can be trusted."""
    text = str(exc)
    if "CERTIFICATE_VERIFY_FAILED" not in text and "doesn't match" not in text:
        return f"no TLS connection to {host}: {last_cause(exc)}: check api_port"
    if "mismatch" in text.lower() or "doesn't match" in text or "not valid for" in text:
        return f"the certificate of {host} is for another name: give that one as api_host ({_openssl(text)})"
    if connection.ca_path:
        return f"the certificate of {host} is not of the authority in ca_path {connection.ca_path} ({_openssl(text)})"
    return (
        f"the certificate of {host} is not trusted ({_openssl(text)}): set ca_path to the authority that signed it "
        "(PVE's own is /etc/pve/pve-root-ca.pem on any node)"
    )


def _openssl(text: str) -> str:
    """What OpenSSL says, without the layers around it."""
    _before, found, after = text.partition("certificate verify failed: ")
    return clean((after if found else text).split(" (_ssl.c")[0])[:200]


def last_cause(exc: BaseException) -> str:
    """The innermost reason; requests and urllib3 wrap theirs several times."""
    cause: BaseException = exc
    for _depth in range(8):
        wrapped = [getattr(cause, "reason", None), *cause.args]
        inner = next((arg for arg in wrapped if isinstance(arg, BaseException)), None)
        if not isinstance(inner, BaseException):
            break
        cause = inner
    text = str(cause).rpartition("Failed to establish a new connection: ")[2]
    return clean(text)[:200] or type(cause).__name__
