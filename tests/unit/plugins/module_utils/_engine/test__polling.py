# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schedule of looks."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.polling import pause
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import SystemClock
from hypothesis import given
from hypothesis import strategies as st

SECONDS = st.floats(min_value=0, max_value=1e6, allow_nan=False)
DRAW = st.floats(min_value=0, max_value=1)


def looks(duration: float, share: float) -> tuple[int, float]:
    """Looks at a task of ``duration`` seconds and how late its end is seen, where chance draws ``share``."""
    now, count = 0.0, 1
    while now < duration:
        now += pause(now, 0.5, 5, lambda low, high: low + share * (high - low))
        count += 1
    return count, now - duration


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("duration", "most"), [(0.3, 2), (1, 4), (10, 16), (60, 32), (1800, 400)])
def test_looks_are_few(duration: float, most: int, share: float) -> None:
    assert looks(duration, share)[0] <= most


@given(duration=st.floats(min_value=0.01, max_value=4000), share=DRAW)
def test_an_end_is_seen_soon(duration: float, share: float) -> None:
    assert looks(duration, share)[1] <= min(5, max(0.6, 0.15 * duration))


@given(waited=SECONDS, interval=st.floats(min_value=0.01, max_value=100), more=SECONDS, share=DRAW)
def test_the_bounds_hold(waited: float, interval: float, more: float, share: float) -> None:
    longest = interval + more
    assert interval <= pause(waited, interval, longest, lambda low, high: low + share * (high - low)) <= longest


@given(waited=SECONDS)
def test_equal_bounds_are_a_fixed_interval(waited: float) -> None:
    assert pause(waited, 2, 2) == 2


def test_many_waits_do_not_beat_in_step() -> None:
    assert len({pause(20, 0.5, 5) for _number in range(50)}) > 40
    assert len({pause(1000, 0.5, 5) for _number in range(50)}) > 40


def test_the_machines_clock() -> None:
    clock = SystemClock()
    event = threading.Event()
    before = clock.monotonic()
    assert clock.wait(event, -1) is False
    event.set()
    assert clock.wait(event, 60) is True
    clock.sleep(0)
    assert clock.monotonic() - before < 30
    assert clock.time() > 1_700_000_000
