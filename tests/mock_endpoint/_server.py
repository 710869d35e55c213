# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTPS side: carries requests to the service and its answers back, every header as it says, and the faults."""

from __future__ import annotations

import asyncio
import dataclasses
import email.utils
import re
import socket
import ssl
import typing as t
import weakref

from aiohttp import web

from ._counters import Counters
from ._faults import Fault, Faults
from ._messages import Answer, Headers, Request
from ._service import Service

IDLE_SECONDS = 5.0
LOOK_SECONDS = 0.02


class Response(web.Response):
    """A response whose headers go out exactly as given; aiohttp would add, merge and drop some.

    :param common: headers of every answer that is the service's own, without a value: with the date
    :param now: epoch seconds for the headers that name them
    """

    def __init__(self, answer: Answer, common: Headers, now: float) -> None:
        # The genuine servers send any character but line breaks, aiohttp no control characters.
        reason = re.sub(r"[\x00-\x1f\x7f]", " ", answer.reason)
        super().__init__(status=answer.status, reason=reason, body=answer.body)
        length = [("Content-Length", str(len(answer.body)))] if answer.sized else []
        connection = [("Connection", value) for value in answer.connection]
        date = email.utils.formatdate(now, usegmt=True)
        own = () if answer.foreign else [(name, value or date) for name, value in common]
        self.exact = [("Date", date), *own, *connection, *length, *answer.headers]
        if answer.connection == ("close",):
            self.force_close()

    @property
    def size(self) -> int:
        """Bytes of status line, headers and body."""
        assert isinstance(self.body, bytes)
        head = len(f"HTTP/1.1 {self.status} {self.reason}\r\n\r\n".encode())
        return head + sum(len(name) + len(value) + 4 for name, value in self.exact) + len(self.body)


@dataclasses.dataclass
class Listener:
    """One listening address; the placeholder keeps the port reserved while nobody listens."""

    placeholder: socket.socket
    server: t.Optional[asyncio.AbstractServer] = None
    revival: t.Optional[asyncio.TimerHandle] = None


class Server:
    """The endpoint on one port of some loopback addresses; every method belongs to the loop's thread.

    :param idle_seconds: how long an idle connection is kept
    """

    def __init__(
        self,
        service: Service,
        context: ssl.SSLContext,
        hosts: t.Sequence[str] = ("127.0.0.1",),
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._service = service
        self._clock = service.state.clock
        self.faults = Faults()
        self.counters = Counters()
        self.port = 0
        self._context = context
        self._listeners = {host: Listener(placeholder) for host, placeholder in zip(hosts, _reserve(hosts))}
        self._served: weakref.WeakKeyDictionary[asyncio.BaseTransport, int] = weakref.WeakKeyDictionary()
        app = web.Application()
        app.router.add_route("*", r"/{anything:[\s\S]*}", self._handle)
        app.on_response_prepare.append(_exact_headers)
        self._runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, keepalive_timeout=idle_seconds, shutdown_timeout=0.1
        )

    @property
    def hosts(self) -> list[str]:
        """The listening addresses."""
        return list(self._listeners)

    async def start(self) -> None:
        """Listen everywhere."""
        await self._runner.setup()
        for host, listener in self._listeners.items():
            self.port = listener.placeholder.getsockname()[1]
            await self.raise_listener(host)

    async def stop(self) -> None:
        """End for good; no connection and no socket is left."""
        for host, listener in self._listeners.items():
            self.drop_listener(host, None)
            listener.placeholder.close()
        await self._runner.cleanup()

    def drop_listener(self, host: str, seconds: t.Optional[float]) -> None:
        """Stop listening on an address and cut its connections; listen again after ``seconds``, None: when told."""
        listener = self._listeners[host]
        loop = asyncio.get_running_loop()
        if listener.revival is not None:
            listener.revival.cancel()
            listener.revival = None
        if listener.server is not None:
            listener.server.close()
            listener.server = None
        for connection in self._runner.server.connections if self._runner.server else ():
            transport = connection.transport
            if transport is not None and _address(transport) == host:
                transport.abort()
        if seconds is not None:
            listener.revival = loop.call_later(
                self._clock.real(seconds), lambda: loop.create_task(self.raise_listener(host))
            )

    async def raise_listener(self, host: str) -> None:
        """Listen on an address, if nobody does."""
        listener = self._listeners[host]
        if listener.server is None:
            listener.server = await asyncio.get_running_loop().create_server(
                self._protocol, host, self.port, ssl=self._context
            )

    def _protocol(self) -> asyncio.Protocol:
        self.counters.connections += 1
        server = self._runner.server
        assert server is not None, "listening begins after the runner's setup"
        return server()

    async def _handle(self, incoming: web.Request) -> web.StreamResponse:
        transport = incoming.transport
        request = await _read(incoming)
        host = _address(transport) if transport is not None else None
        if transport is None or host is None:
            return web.Response()
        fault = self._count(host, request)
        if fault is not None and fault.kind in {"drop", "hang"}:
            if fault.kind == "hang":
                await asyncio.Event().wait()  # until the client goes away
            transport.abort()
            return web.Response()
        answer = await self._answer(request, fault)
        served = self._served[transport] = self._served.get(transport, 0) + 1
        if served >= self._service.requests_per_connection or not incoming.keep_alive:
            answer = dataclasses.replace(answer, connection=("close",))
        response = Response(answer, self._service.headers, self._clock.now())
        self.counters.bytes_sent += response.size
        if fault is not None and fault.kind == "cut":
            await response.prepare(incoming)
            await response.write(answer.body[: len(answer.body) // 2])
            transport.abort()
        return response

    def _count(self, host: str, request: Request) -> t.Optional[Fault]:
        route, where = self._service.find(request)
        self.counters.request(host, f"{request.method} {route.name if route else 'other'}", where.get("node"))
        query = f"?{request.query}" if request.query else ""
        return self.faults.next(host, request.method, request.decoded + query)

    def _count_refusal(self, request: Request) -> None:
        route = self._service.find(request)[0]
        if route is not None and route.name == self._service.login:
            self.counters.failed_logins += 1
        else:
            self.counters.failed_authentications += 1

    async def _answer(self, request: Request, fault: t.Optional[Fault]) -> Answer:
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(self._clock.real(fault.delay))
        if fault is not None and fault.kind == "no_such_task":
            return self._service.no_such_task()
        instead = fault.answer() if fault is not None else None
        if instead is not None:
            return instead
        service, state = self._service, self._service.state
        while state.hangs(service.find(request)[1].get("node", "")):
            await asyncio.sleep(self._clock.real(LOOK_SECONDS))
        daemon = service.daemon(request)
        if daemon is not None and not await self._wait_for_worker(daemon):
            self.counters.starved += 1
            return service.starved()
        answer = service.answer(request)
        if answer.status == 401:
            self._count_refusal(request)
        if daemon is not None:
            state.workers[daemon].occupy(answer.not_before)
        while True:
            left = answer.not_before - self._clock.now()
            if left <= 0:
                return answer
            await asyncio.sleep(self._clock.real(min(left, LOOK_SECONDS)))

    async def _wait_for_worker(self, node: str) -> bool:
        """Wait in line for one of the node's workers; whether there was one in time."""
        state, clock = self._service.state, self._clock
        workers = state.workers[node]
        number, given_up = workers.join(), clock.now() + state.settings.starve_seconds
        try:
            while not workers.free_for(number, state.settings.workers, clock.now()):
                if clock.now() >= given_up:
                    return False
                await asyncio.sleep(self._clock.real(LOOK_SECONDS))
            return True
        finally:
            workers.leave(number)


def _address(transport: asyncio.BaseTransport) -> t.Optional[str]:
    """The address of our own that a connection was made to, None where it has been lost already."""
    name = transport.get_extra_info("sockname")
    return str(name[0]) if name else None


async def _read(incoming: web.Request) -> Request:
    path, _mark, query = incoming.raw_path.partition("?")
    headers = {name.lower(): value for name, value in incoming.headers.items()}
    # The genuine servers refuse chunked bodies from their headers, without reading them.
    body = b"" if "transfer-encoding" in headers else await incoming.read()
    return Request(incoming.method, path, query, headers, body)


async def _exact_headers(_request: web.Request, response: web.StreamResponse) -> None:
    if isinstance(response, Response):
        response.headers.clear()
        response.headers.extend(response.exact)


def _reserve(hosts: t.Sequence[str]) -> list[socket.socket]:
    """Sockets bound, not listening, to one port that is free on every address."""
    for _attempt in range(20):
        sockets: list[socket.socket] = []
        try:
            for host in hosts:
                sockets.append(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET))
                sockets[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sockets[-1].bind((host, sockets[0].getsockname()[1]))
        except OSError:
            for made in sockets:
                made.close()
            if len(sockets) == 1:
                raise
        else:
            return sockets
    raise OSError(f"no port is free on all of {', '.join(hosts)}")
