# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine's own time."""

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import SystemClock

CLOCK = SystemClock()


def test_it_is_the_time() -> None:
    assert time.monotonic() <= CLOCK.monotonic() <= time.monotonic()
    assert abs(CLOCK.time() - time.time()) < 60


def test_sleeping_takes_as_long_as_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    CLOCK.sleep(2.5)
    assert slept == [2.5]


def test_a_wait_ends_with_its_time_or_its_event() -> None:
    event = threading.Event()
    assert not CLOCK.wait(event, -1.0)
    begun = time.monotonic()
    assert not CLOCK.wait(event, 0.01)
    assert time.monotonic() - begun >= 0.01
    event.set()
    assert CLOCK.wait(event, 10.0)


def test_no_thread_keeps_the_process() -> None:
    ran: list[threading.Thread] = []
    done = threading.Event()

    def run() -> None:
        ran.append(threading.current_thread())
        done.set()

    CLOCK.start(run)
    assert done.wait(10)
    assert ran[0] is not threading.current_thread()
    assert ran[0].daemon
    assert ran[0].name == "proxkit.tasks"


def test_waiting_less_than_no_time_is_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    event = threading.Event()
    monkeypatch.setattr(event, "wait", waited.append)
    for seconds in (-5.0, 0.0, 0.25):
        CLOCK.wait(event, seconds)
    assert waited == [0.0, 0.0, 0.25]
