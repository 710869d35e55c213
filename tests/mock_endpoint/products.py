# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The products that can be served, one row each."""

from __future__ import annotations

import typing as t

from ._service import Service
from .pbs import world as pbs
from .pbs.service import Pbs
from .pmg import world as pmg
from .pmg.service import Pmg
from .pve import world as pve
from .pve.service import Pve


class Product(t.NamedTuple):
    """How a product is served.

    :param world: makes its state, of nodes with these names
    :param service: makes the service that tells of that state
    :param nodes: names of the nodes where nobody says others
    :param known: who may log in, in the words of the state file
    """

    world: t.Callable[[t.Sequence[str]], t.Any]
    service: t.Callable[[t.Any], Service]
    nodes: tuple[str, ...]
    known: t.Mapping[str, str]


PRODUCTS = {
    "pve": Product(
        pve.World,
        Pve,
        pve.NODES,
        {
            "user": "root@pam",
            "password": pve.ROOT_PASSWORD,
            "token_id": pve.TOKEN_ID,
            "token_secret": pve.TOKEN_SECRET,
            "viewer_token_id": pve.VIEWER_TOKEN_ID,
            "viewer_token_secret": pve.VIEWER_TOKEN_SECRET,
            "otp_user": pve.OTP_USER,
            "otp_password": pve.OTP_PASSWORD,
            "otp": pve.OTP_CODE,
        },
    ),
    "pbs": Product(
        pbs.World,
        Pbs,
        pbs.NODES,
        {
            "user": "root@pam",
            "password": pbs.ROOT_PASSWORD,
            "token_id": pbs.TOKEN_ID,
            "token_secret": pbs.TOKEN_SECRET,
            "viewer_token_id": pbs.VIEWER_TOKEN_ID,
            "viewer_token_secret": pbs.VIEWER_TOKEN_SECRET,
            "otp_user": pbs.OTP_USER,
            "otp_password": pbs.OTP_PASSWORD,
            "otp": pbs.OTP_CODE,
        },
    ),
    "pmg": Product(
        pmg.World,
        Pmg,
        pmg.NODES,
        {
            "user": "root@pam",
            "password": pmg.ROOT_PASSWORD,
            "auditor_user": pmg.AUDITOR,
            "auditor_password": pmg.AUDITOR_PASSWORD,
            "viewer_user": pmg.VIEWER,
            "viewer_password": pmg.VIEWER_PASSWORD,
            "otp_user": pmg.OTP_USER,
            "otp_password": pmg.OTP_PASSWORD,
            "otp": pmg.OTP_CODE,
        },
    ),
}
