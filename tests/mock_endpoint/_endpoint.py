# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Server and control interface together, in an event loop of one's own or in a thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import pathlib
import tempfile
import threading
import typing as t

from aiohttp import web

from ._certs import NAMES, OTHER_NAMES, Authority
from ._control import Json, application
from ._server import IDLE_SECONDS, Server
from ._service import Service

R = t.TypeVar("R", bound="Running")


class Endpoint:
    """Server and control interface in the running event loop.

    :param service: what is served
    :param hosts: loopback addresses, all on the same port: the API hosts of one cluster
    :param wrong_name: the certificate is for another name
    :param key_usage: the authority has a key usage extension, which the products' own lack
    :param idle_seconds: how long idle connections are kept
    """

    def __init__(
        self,
        service: Service,
        hosts: t.Sequence[str] = ("127.0.0.1",),
        wrong_name: bool = False,
        key_usage: bool = False,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.authority = Authority(key_usage, service.organization, service.authority)
        context = self.authority.server_context(OTHER_NAMES if wrong_name else NAMES)
        self.server = Server(service, context, hosts, idle_seconds)
        self.control = service.control(self.server)
        self.control_url = ""
        self._runner = web.AppRunner(application(self.control), access_log=None, shutdown_timeout=0.1)

    async def start(self) -> None:
        """Listen."""
        await self.server.start()
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.control_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Leave no socket behind."""
        await self._runner.cleanup()
        await self.server.stop()


class Running:
    """A running endpoint, used from another thread than its own.

    Every control call is a method here, with the same arguments and results as its HTTP form.
    """

    def __init__(self, endpoint: Endpoint, loop: asyncio.AbstractEventLoop, ca_path: str) -> None:
        self.host = endpoint.server.hosts[0]
        self.hosts = endpoint.server.hosts
        self.port = endpoint.server.port
        self.ca_path = ca_path
        self.control_url = endpoint.control_url
        self._control = endpoint.control
        self._loop = loop

    def __getattr__(self, name: str) -> t.Callable[..., Json]:
        call = getattr(self._control, name)

        def run(**arguments: t.Any) -> Json:
            async def in_loop() -> Json:
                result = call(**arguments)
                return result if isinstance(result, dict) else t.cast(Json, await result)

            return asyncio.run_coroutine_threadsafe(in_loop(), self._loop).result()

        return run


@contextlib.contextmanager
def running(make: t.Callable[[], Endpoint], kind: type[R]) -> t.Iterator[R]:
    """Run an endpoint in a thread as long as the block lasts.

    :param make: called in the thread, whose event loop runs
    :param kind: how it is used
    """
    ready: concurrent.futures.Future[tuple[Endpoint, asyncio.AbstractEventLoop, asyncio.Event]]
    ready = concurrent.futures.Future()

    async def main() -> None:
        done = asyncio.Event()
        endpoint = make()
        try:
            await endpoint.start()
            ready.set_result((endpoint, asyncio.get_running_loop(), done))
            await done.wait()
        finally:
            await endpoint.stop()

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as exc:
            if ready.done():
                raise
            ready.set_exception(exc)

    thread = threading.Thread(target=run, name="mock-endpoint", daemon=True)
    thread.start()
    endpoint, loop, done = ready.result()
    try:
        with tempfile.TemporaryDirectory(prefix="mock-endpoint-") as folder:
            ca_path = pathlib.Path(folder, "ca.pem")
            ca_path.write_bytes(endpoint.authority.pem)
            yield kind(endpoint, loop, str(ca_path))
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
