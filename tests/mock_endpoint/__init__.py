# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mocked Proxmox VE endpoint: real HTTPS on a free loopback port, the behaviour of genuine PVE, faults on demand.

In the process of a test::

    with serve() as mock:
        [upid] = mock.tasks(type="vzdump", id="100", duration=5, exitstatus="job errors")["upids"]
        api = ProxmoxAPI(mock.host, port=mock.port, user="root@pam", token_name=TOKEN_NAME, token_value=TOKEN_SECRET)

From anywhere else: ``python -m mock_endpoint --state-file FILE``, and the control calls as HTTP.
"""

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
from ._clock import Clock
from ._control import Control, ControlError, Json, application
from ._server import IDLE_SECONDS, Server
from ._task import Upid
from ._world import (
    AUDITOR_TOKEN_ID,
    AUDITOR_TOKEN_SECRET,
    DISABLED_TOKEN_ID,
    DISABLED_TOKEN_SECRET,
    NODES,
    OTP_CODE,
    OTP_PASSWORD,
    OTP_USER,
    ROOT_PASSWORD,
    SEPARATED_TOKEN_ID,
    SEPARATED_TOKEN_SECRET,
    TOKEN_ID,
    TOKEN_NAME,
    TOKEN_SECRET,
    VIEWER,
    VIEWER_PASSWORD,
    VIEWER_TOKEN_ID,
    VIEWER_TOKEN_SECRET,
    World,
)

__all__ = [
    "AUDITOR_TOKEN_ID",
    "AUDITOR_TOKEN_SECRET",
    "DISABLED_TOKEN_ID",
    "DISABLED_TOKEN_SECRET",
    "NODES",
    "OTP_CODE",
    "OTP_PASSWORD",
    "OTP_USER",
    "ROOT_PASSWORD",
    "SEPARATED_TOKEN_ID",
    "SEPARATED_TOKEN_SECRET",
    "TOKEN_ID",
    "TOKEN_NAME",
    "TOKEN_SECRET",
    "VIEWER",
    "VIEWER_PASSWORD",
    "VIEWER_TOKEN_ID",
    "VIEWER_TOKEN_SECRET",
    "Clock",
    "ControlError",
    "Endpoint",
    "Mock",
    "Upid",
    "World",
    "serve",
]


class Endpoint:
    """Server and control interface in the running event loop.

    :param world: state to serve; a new one by default
    :param hosts: loopback addresses, all on the same port: the API hosts of one cluster
    :param wrong_name: the certificate is for another name
    :param key_usage: the authority has a key usage extension, which PVE's own lacks
    :param idle_seconds: how long idle connections are kept
    """

    def __init__(
        self,
        world: t.Optional[World] = None,
        hosts: t.Sequence[str] = ("127.0.0.1",),
        wrong_name: bool = False,
        key_usage: bool = False,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.authority = Authority(key_usage)
        context = self.authority.server_context(OTHER_NAMES if wrong_name else NAMES)
        self.world = world or World()
        self.server = Server(self.world, context, hosts, idle_seconds)
        self.control = Control(self.server)
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


class Mock:
    """A running endpoint, used from another thread than its own.

    Every control call is a method here, with the same arguments and results as its HTTP form: ``tasks``, ``task``,
    ``scripts``, ``faults``, ``list_faults``, ``clear_faults``, ``listener``, ``expire_tickets``, ``settings``,
    ``node``, ``guest``, ``user``, ``clock``, ``counters``, ``reset_counters``, ``reset``.
    """

    def __init__(self, endpoint: Endpoint, loop: asyncio.AbstractEventLoop, ca_path: str) -> None:
        self.host = endpoint.server.hosts[0]
        self.hosts = endpoint.server.hosts
        self.port = endpoint.server.port
        self.ca_path = ca_path
        self.control_url = endpoint.control_url
        self.world = endpoint.world
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
def serve(
    world: t.Optional[World] = None,
    hosts: t.Sequence[str] = ("127.0.0.1",),
    wrong_name: bool = False,
    key_usage: bool = False,
    idle_seconds: float = IDLE_SECONDS,
) -> t.Iterator[Mock]:
    """Run an endpoint in a thread as long as the block lasts; arguments as for Endpoint."""
    ready: concurrent.futures.Future[tuple[Endpoint, asyncio.AbstractEventLoop, asyncio.Event]]
    ready = concurrent.futures.Future()

    async def main() -> None:
        done = asyncio.Event()
        endpoint = Endpoint(world, hosts, wrong_name, key_usage, idle_seconds)
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
            yield Mock(endpoint, loop, str(ca_path))
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
