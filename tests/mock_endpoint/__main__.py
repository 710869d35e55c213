# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint as a process: ``python -m mock_endpoint --state-file FILE [--daemon]``."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import pathlib
import signal
import sys
import tempfile
import typing as t

from . import Endpoint
from .products import PRODUCTS

LOOK_SECONDS = 0.5
READY = "listening on"


def main() -> int:
    """Parse the command line, serve until told to stop."""
    options = _parser().parse_args()
    if options.daemon:
        return _in_background(options)
    asyncio.run(_serve(options, print))
    return 0


def _in_background(options: argparse.Namespace) -> int:
    """Return once a child process serves, or tell why it does not."""
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        with os.fdopen(reading) as pipe:
            message = pipe.read()
        started = message.startswith(READY)
        (sys.stdout if started else sys.stderr).write(message)
        return 0 if started else 1
    os.close(reading)
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    # Until it is ready, what goes wrong is told through the pipe; afterwards nobody's terminal or pipe is held open.
    for stream, target in ((0, null), (1, null), (2, writing)):
        os.dup2(target, stream)

    def tell(text: str) -> None:
        os.write(writing, f"{text}\n".encode())
        os.dup2(null, 2)
        os.close(writing)

    asyncio.run(_serve(options, tell))
    return 0


async def _serve(options: argparse.Namespace, tell: t.Callable[[str], None]) -> None:
    product = PRODUCTS[options.service]
    world = product.world(options.nodes.split(",") if options.nodes else product.nodes)
    endpoint = Endpoint(
        product.service(world), options.hosts.split(","), options.wrong_name_cert, options.key_usage_cert
    )
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, done.set)
    await endpoint.start()
    ca_path = pathlib.Path(f"{options.state_file}.ca.pem").resolve()
    try:
        ca_path.write_bytes(endpoint.authority.pem)
        _write_state(
            options.state_file, {**_state(endpoint, str(ca_path)), "service": options.service, **product.known}
        )
        tell(f"{READY} {endpoint.server.hosts[0]}:{endpoint.server.port}, control {endpoint.control_url}")
        await _wait(done, options.exit_with, options.max_seconds)
    finally:
        for path in (ca_path, options.state_file):
            path.unlink(missing_ok=True)
        await endpoint.stop()


async def _wait(done: asyncio.Event, pid: t.Optional[int], seconds: float) -> None:
    """Wait until told to stop, a process is gone, or the time is over."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end and (pid is None or _alive(pid)):
        try:
            await asyncio.wait_for(done.wait(), min(LOOK_SECONDS, max(0.0, end - loop.time())))
        except asyncio.TimeoutError:
            continue
        return


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _state(endpoint: Endpoint, ca_path: str) -> dict[str, t.Any]:
    return {
        "host": endpoint.server.hosts[0],
        "hosts": endpoint.server.hosts,
        "port": endpoint.server.port,
        "control_url": endpoint.control_url,
        "ca_path": ca_path,
        "pid": os.getpid(),
    }


def _write_state(path: pathlib.Path, state: t.Mapping[str, t.Any]) -> None:
    """Write it so that nobody ever reads half of it."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as draft:
        json.dump(state, draft, indent=2)
    pathlib.Path(draft.name).replace(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mock_endpoint", description=__doc__)
    parser.add_argument("--state-file", type=pathlib.Path, required=True, help="where to write addresses and secrets")
    parser.add_argument("--daemon", action="store_true", help="go to the background once ready")
    parser.add_argument("--exit-with", type=int, metavar="PID", help="end when that process is gone")
    parser.add_argument("--max-seconds", type=float, default=3600, help="end after this time at the latest")
    parser.add_argument("--service", default="pve", choices=sorted(PRODUCTS), help="the product")
    parser.add_argument("--nodes", help="node names, separated by commas")
    parser.add_argument("--hosts", default="127.0.0.1", help="loopback addresses to listen on, separated by commas")
    parser.add_argument("--wrong-name-cert", action="store_true", help="use a certificate for another name")
    parser.add_argument("--key-usage-cert", action="store_true", help="give the authority a key usage, unlike PVE's")
    return parser


if __name__ == "__main__":
    sys.exit(main())
