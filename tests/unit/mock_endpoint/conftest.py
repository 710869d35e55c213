# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint that the tests of this folder ask."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.tests import mock_endpoint
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Clock, Mock, World
from ansible_collections.proxkit.tasks.tests.mock_endpoint.pbs import world as pbs_world
from ansible_collections.proxkit.tasks.tests.mock_endpoint.pmg import world as pmg_world


@pytest.fixture
def mock() -> t.Iterator[Mock]:
    """An endpoint whose time stands still until it is moved."""
    with mock_endpoint.serve(World(clock=Clock(1_800_000_000, source=lambda: 0.0)), idle_seconds=1) as running:
        yield running


@pytest.fixture
def pbs() -> t.Iterator[Mock]:
    """A Backup Server of that kind."""
    world = pbs_world.World(clock=Clock(1_800_000_000, source=lambda: 0.0))
    with mock_endpoint.serve(world, idle_seconds=1, service="pbs") as running:
        yield running


@pytest.fixture
def pmg() -> t.Iterator[Mock]:
    """A Mail Gateway of that kind."""
    world = pmg_world.World(clock=Clock(1_800_000_000, source=lambda: 0.0))
    with mock_endpoint.serve(world, idle_seconds=1, service="pmg") as running:
        yield running
