# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and answers as values: what the server carries, what services make. No sockets, no waiting."""

from __future__ import annotations

import dataclasses
import typing as t
import urllib.parse

Headers = tuple[tuple[str, str], ...]

JSON_TYPE = "application/json;charset=UTF-8"


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
    :param foreign: no server of Proxmox made it: it has none of the headers that all their answers have
    """

    status: int
    reason: str
    body: bytes = b""
    headers: Headers = ()
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
