# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mocked endpoint of Proxmox: real HTTPS on a free loopback port, answers as genuine servers give, faults on demand.

In the process of a test::

    with serve() as mock:
        [upid] = mock.tasks(type="vzdump", id="100", duration=5, exitstatus="job errors")["upids"]
        api = ProxmoxAPI(mock.host, port=mock.port, user="root@pam", token_name=TOKEN_NAME, token_value=TOKEN_SECRET)

From anywhere else: ``python -m mock_endpoint --state-file FILE``, and the control calls as HTTP.
"""

from __future__ import annotations

import contextlib
import typing as t

from . import _world
from ._clock import Clock
from ._control import ControlError
from ._endpoint import Endpoint, Running, running
from ._server import IDLE_SECONDS
from ._task import Upid
from .products import PRODUCTS
from .pve.world import (
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
    "PRODUCTS",
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


class Mock(Running):
    """A running endpoint, used from another thread than its own.

    Every control call is a method here, with the same arguments and results as its HTTP form: ``tasks``, ``task``,
    ``scripts``, ``faults``, ``list_faults``, ``clear_faults``, ``listener``, ``expire_tickets``, ``settings``,
    ``node``, ``guest``, ``user``, ``clock``, ``counters``, ``reset_counters``, ``reset``.
    """

    world: _world.World


@contextlib.contextmanager
def serve(
    world: t.Optional[_world.World] = None,
    hosts: t.Sequence[str] = ("127.0.0.1",),
    wrong_name: bool = False,
    key_usage: bool = False,
    idle_seconds: float = IDLE_SECONDS,
    service: str = "pve",
) -> t.Iterator[Mock]:
    """Run an endpoint in a thread as long as the block lasts.

    :param world: state to serve; a new one by default; the other arguments as for Endpoint
    :param service: name of the product
    """
    product = PRODUCTS[service]
    state = product.world(product.nodes) if world is None else world
    served = product.service(state)
    with running(lambda: Endpoint(served, hosts, wrong_name, key_usage, idle_seconds), Mock) as mock:
        mock.world = state
        yield mock
