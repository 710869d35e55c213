# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the core is told of a product: one object with its routes, its logins, its headers and its error bodies."""

from __future__ import annotations

import abc
import typing as t

from ._clock import Clock
from ._messages import Answer, Headers, Request
from ._routes import Route, find
from ._workers import Workers

if t.TYPE_CHECKING:
    from ._control import Control
    from ._server import Server


class Limits(t.Protocol):
    """How much a node's daemon serves at once, and how long one waits for it (seconds)."""

    @property
    def workers(self) -> int:
        """Protected calls that a node serves at once."""

    @property
    def starve_seconds(self) -> float:
        """How long a protected call waits for a worker before it is given up."""


class State(t.Protocol):
    """The world that a service tells of, as far as the core asks."""

    @property
    def clock(self) -> Clock:
        """The time of all that happens."""

    @property
    def local(self) -> str:
        """Name of the node that answers the requests."""

    @property
    def settings(self) -> Limits:
        """What tests may change."""

    @property
    def workers(self) -> t.MutableMapping[str, Workers]:
        """Those of each node."""

    def hangs(self, node: str) -> bool:
        """Whether that node's own requests are not answered now."""

    def reset(self) -> None:
        """Back to the beginning; only the clock goes on."""


class Service(abc.ABC):
    """A product. Pure: requests go in, answers come out; no sockets, no waiting.

    ``headers`` are in every answer of its own (without a value: with the date), ``authority`` and ``organization`` in
    certificates.
    """

    headers: Headers
    organization: str
    authority: str
    routes: tuple[Route, ...]
    requests_per_connection: float = 100
    login: str = "access/ticket"  # name of the route that tickets come from

    @property
    @abc.abstractmethod
    def state(self) -> State:
        """The world it tells of."""

    @abc.abstractmethod
    def answer(self, request: Request) -> Answer:
        """The answer to a request."""

    @abc.abstractmethod
    def daemon(self, request: Request) -> t.Optional[str]:
        """The node of whose workers one serves the request, None where the proxy answers by itself."""

    @abc.abstractmethod
    def starved(self) -> Answer:
        """What a protected call is told that got no worker in time."""

    @abc.abstractmethod
    def no_such_task(self) -> Answer:
        """What is said of a task that nobody knows."""

    @abc.abstractmethod
    def control(self, server: Server) -> Control:
        """The control calls for this product."""

    def find(self, request: Request) -> tuple[t.Optional[Route], dict[str, str]]:
        """The route of a request, and the variable parts of its path."""
        return find(self.routes, request.method, request.decoded)
