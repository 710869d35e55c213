# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What products call what is wanted of them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import PBS, PMG, PVE, SERVICES, Service

PAGE = {"limit": 5, "start": 10, "since": 1, "until": 2}


@pytest.mark.parametrize(
    ("service", "wanted", "query"),
    [
        # PVE::API2::Tasks
        (PVE, {}, {}),
        (PVE, {"source": "active", **PAGE}, {"source": "active", **PAGE}),
        (PVE, {"type": "vzdump", "guest": 100}, {"typefilter": "vzdump", "vmid": 100}),
        (PVE, {"user": "root@pam"}, {"userfilter": "root@pam"}),
        (PVE, {"user": "root@pam!ci"}, {"userfilter": "root@pam"}),
        (PVE, {"user": None, "outcomes": ()}, {}),
        (PVE, {"outcomes": ("error", "ok")}, {"statusfilter": "ok,error"}),
        (PVE, {"outcomes": ("running",)}, {"statusfilter": "unknown"}),
        (PVE, {"outcomes": ("unknown", "running", "warning")}, {"statusfilter": "warning,unknown"}),
        # src/api2/node/tasks.rs
        (PBS, {"source": "all", **PAGE}, PAGE),
        (PBS, {"source": "active", "limit": 5}, {"running": 1, "limit": 5}),
        (PBS, {"source": "archive"}, {"statusfilter": ["ok", "warning", "error", "unknown"]}),
        (PBS, {"source": "archive", "outcomes": ("running", "ok")}, {"statusfilter": ["ok"]}),
        (PBS, {"source": "all", "outcomes": ("error", "ok")}, {"statusfilter": ["ok", "error"]}),
        # What runs has no outcome there, so that a filter would leave it out.
        (PBS, {"source": "all", "outcomes": ("running", "ok")}, {}),
        (PBS, {"type": "sync", "store": "tank"}, {"typefilter": "sync", "store": "tank"}),
        (PBS, {"user": "root@pam!ci", "guest": 100}, {"userfilter": "root@pam!ci"}),
        # PMG::API2::Tasks
        (PMG, {"source": "all", "type": "aptupdate", **PAGE}, {"typefilter": "aptupdate", **PAGE}),
        (PMG, {"source": "archive", "user": "root@pam"}, {"userfilter": "root@pam"}),
        (PMG, {"outcomes": ("error", "unknown")}, {"statusfilter": "error,unknown"}),
        (PMG, {"source": "active"}, None),
    ],
    ids=lambda value: value.name if isinstance(value, Service) else str(value),
)
def test_the_query_of_a_list(service: Service, wanted: dict[str, t.Any], query: dict[str, t.Any] | None) -> None:
    assert service.list_query(wanted) == query


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_what_a_service_cannot_do_is_said_with_what_it_can(service: Service) -> None:
    for unserved in service.unserved:
        reason, _mark, advice = unserved.instead.partition("; ")
        assert reason
        assert advice
    assert (service.token is None) == ("api_token_id" in {unserved.option for unserved in service.unserved})
