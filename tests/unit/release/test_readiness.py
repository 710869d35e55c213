# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release is refused with reasons, all at once."""

from __future__ import annotations

import pytest
from ansible_collections.proxkit.tasks.release.readiness import State, obstacles

READY = State("0.2.0", released={"0.1.0", "0.2.0"})


@pytest.mark.parametrize("version", ["0.2.0", "10.20.30", "1.0.0-rc.1"])
def test_ready(version: str) -> None:
    assert obstacles(State(version, released={version}, tags_elsewhere={"0.1.0"})) == []


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        pytest.param(READY._replace(changed=["b", "a"]), "not as committed: a, b", id="changed"),
        pytest.param(READY._replace(released={"0.1.0"}), "changelog.yaml does not know 0.2.0", id="no entry"),
        pytest.param(READY._replace(fragments=["x.yml"]), "changelog lacks: x.yml", id="fragment left"),
        pytest.param(READY._replace(tags_elsewhere={"0.2.0"}), "the tag 0.2.0 is of another commit", id="tagged"),
        *(
            pytest.param(READY._replace(version=version, released={version}), "is no version of the form", id=version)
            for version in ("v0.2.0", "0.2", "0.02.0", "0.2.0+1", "0.2.0-dev", "0.2.0 ")
        ),
    ],
)
def test_obstacle(state: State, reason: str) -> None:
    (found,) = obstacles(state)
    assert reason in found


def test_all_obstacles_are_told() -> None:
    state = State("v1", released={}, fragments=["x.yml"], changed=["a"], tags_elsewhere={"v1"})
    assert len(obstacles(state)) == 4
