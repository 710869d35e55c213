# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of a request as the products written in Perl take them from query and body."""

from __future__ import annotations

import json
import re
import typing as t
import urllib.parse

from . import _schema as schema
from ._messages import ApiError, Request


def parameters(request: Request, http_server: str) -> schema.Params:
    """Parameters of the body, those of the query going before them; raises ApiError.

    :param http_server: the file that the server names where it cannot read JSON
    """
    params: schema.Params = {}
    if request.body:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method not in {"POST", "PUT"}:
            raise ApiError(501, f"Unexpected content for method '{request.method}'", form="plain", newline="")
        if kind == "application/json":
            params = _json_params(request.body, http_server)
        elif kind == "application/x-www-form-urlencoded":
            params = _decode_urlencoded(request.body.decode("latin-1"))
        else:
            raise ApiError(506, f"upload 'Content-Type '{kind}' not implemented", form="plain", newline="")
    params.update(_decode_urlencoded(request.query))
    params.pop("_dc", None)
    return params


def _decode_urlencoded(text: str) -> schema.Params:
    """Parameters of a query; one without ``=`` is there, but without a value.

    Semicolons separate as ampersands do, and what follows a second ``=`` is lost. Source: ``decode_urlencoded`` of the
    HTTP server that they share.
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


def _json_params(body: bytes, http_server: str) -> schema.Params:
    try:
        values = json.loads(body)
    except ValueError as exc:
        raise ApiError(
            500,
            "malformed JSON string, neither tag, array, object, number, string or atom, at character offset "
            f'{len(body)} (before "(end of string)") at {http_server} line 934.',
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
