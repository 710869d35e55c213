# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What products call what is wanted of them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import PVE


@pytest.mark.parametrize(
    ("wanted", "query"),
    [
        ({}, {}),
        (
            {"source": "active", "limit": 5, "start": 10, "since": 1, "until": 2},
            {"source": "active", "limit": 5, "start": 10, "since": 1, "until": 2},
        ),
        ({"type": "vzdump", "guest": 100}, {"typefilter": "vzdump", "vmid": 100}),
        ({"user": "root@pam"}, {"userfilter": "root@pam"}),
        ({"user": "root@pam!ci"}, {"userfilter": "root@pam"}),
        ({"user": None, "outcomes": ()}, {}),
        ({"outcomes": ("error", "ok")}, {"statusfilter": "ok,error"}),
        ({"outcomes": ("running",)}, {"statusfilter": "unknown"}),
        ({"outcomes": ("unknown", "running", "warning")}, {"statusfilter": "warning,unknown"}),
    ],
)
def test_the_list_of_proxmox_ve(wanted: dict[str, t.Any], query: dict[str, t.Any]) -> None:
    assert PVE.list_query(wanted) == query
