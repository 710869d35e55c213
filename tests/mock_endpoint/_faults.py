# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that befall requests, each a set number of times, and the count of what happened."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ._messages import JSON_TYPE, Answer

HTML = "<html>\r\n<head><title>{0}</title></head>\r\n<body><center><h1>{0}</h1></center></body>\r\n</html>\r\n"
HTML_TYPE = "text/html"
KINDS = ("drop", "cut", "status", "html200", "invalid_json", "slow", "hang", "no_such_task")


@dataclasses.dataclass
class Fault:
    """One fault.

    :param kind: ``drop`` the connection before the answer; ``cut`` it in the middle of the body; answer with a
        ``status`` of one's own; an HTML page with 200 (``html200``); ``invalid_json``; the right answer after
        ``delay`` seconds (``slow``); never an answer (``hang``); ``no_such_task``
    :param headers: more headers of a ``status`` (``Location``, ``WWW-Authenticate``, ``Server`` …)
    :param gateway: a ``status`` comes from something in front of Proxmox, without any header of Proxmox's own
    :param path: regular expression, searched in the decoded path with its query
    :param method: only this one
    :param times: how often it strikes, None: until it is removed
    :param after: how many requests that match it lets pass first
    :param host: only at this listening address
    """

    kind: str
    path: str = ""
    method: t.Optional[str] = None
    times: t.Optional[int] = 1
    after: int = 0
    host: t.Optional[str] = None
    code: int = 500
    reason: str = "Internal Server Error"
    body: str = ""
    content_type: str = "text/plain"
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    gateway: bool = False
    delay: float = 1.0
    id: int = 0
    seen: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault '{self.kind}', known: {', '.join(KINDS)}")
        re.compile(self.path)

    def strikes(self, host: str, method: str, path: str) -> bool:
        """Whether it befalls this request; counts."""
        if self.method not in {None, method} or self.host not in {None, host} or not re.search(self.path, path):
            return False
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True

    def answer(self) -> t.Optional[Answer]:
        """What it says in place of the answer, None where it leaves that as it is, or the service knows it."""
        if self.kind == "status":
            content_type = (("Content-Type", self.content_type),) if self.body else ()
            headers, sized = (*content_type, *self.headers.items()), bool(self.body) or self.gateway
            return Answer(self.code, self.reason, self.body.encode(), headers, sized=sized, foreign=self.gateway)
        if self.kind == "html200":
            body = (self.body or HTML.format("Sign in")).encode()
            headers = (("Content-Type", HTML_TYPE), *self.headers.items())
            return Answer(200, "OK", body, headers, ("Keep-Alive",), foreign=True)
        if self.kind == "invalid_json":
            body = (self.body or '{"data":{"status":"runn').encode()
            return Answer(200, "OK", body, (("Content-Type", JSON_TYPE),), ("Keep-Alive",))
        return None


class Faults:
    """The faults that wait for their requests."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._last = 0

    def add(self, fault: Fault) -> int:
        """Set a fault, return its number."""
        self._last += 1
        fault.id = self._last
        self._faults.append(fault)
        return fault.id

    def remove(self, number: t.Optional[int] = None) -> None:
        """Remove one, or all."""
        self._faults = [fault for fault in self._faults if number is not None and fault.id != number]

    def next(self, host: str, method: str, path: str) -> t.Optional[Fault]:
        """The first fault that befalls this request."""
        return next((fault for fault in self._faults if fault.strikes(host, method, path)), None)

    def listed(self) -> list[dict[str, t.Any]]:
        """All of them with how often each has struck."""
        return [dataclasses.asdict(fault) for fault in self._faults]
