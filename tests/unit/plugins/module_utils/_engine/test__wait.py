# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as a whole: threads, deadlines and what they may not do."""

from __future__ import annotations

import threading
import time
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine import wait as _wait
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import Source
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.wait import wait
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import SystemClock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import LoginRefused
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid
from ansible_collections.proxkit.tasks.tests.unit.fakes import FakeClock, FakeSource, upid


class Broken(FakeSource):
    """Meets an error that nobody was prepared for."""

    def status(self, upid: Upid, until: float) -> dict[str, t.Any]:
        raise ZeroDivisionError


class Stuck(FakeSource):
    """Never answers, whatever time it is given."""

    def __init__(self) -> None:
        super().__init__(FakeClock(), ends={upid(2, node="pve2").native: 0.0})
        self.released = threading.Event()

    def status(self, upid: Upid, until: float) -> dict[str, t.Any]:
        if upid.native in self.ends:
            return super().status(upid, until)
        self.released.wait(30)
        return {"status": "stopped", "exitstatus": "OK"}

    def close(self) -> None:
        self.released.set()


def test_what_nobody_was_prepared_for_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        wait([upid()], Plan(), lambda: Broken(FakeClock()), SystemClock())


def test_an_answer_that_never_comes_does_not_move_the_deadline() -> None:
    began = time.monotonic()
    sources: list[Stuck] = []

    def connect() -> Source:
        sources.append(Stuck())
        return sources[-1]

    waited = wait([upid(), upid(2, node="pve2")], Plan(timeout=0.2), connect, SystemClock())
    assert time.monotonic() - began < 2.2
    sources[0].close()
    assert waited.timed_out
    assert waited.tasks[0].outcome == "unseen"
    assert "has given no answer yet" in str(waited.tasks[0].error)


@pytest.mark.parametrize("nodes", [1, 3])
def test_a_refusal_of_the_credentials_is_waited_for(nodes: int) -> None:
    class Refusing(FakeSource):
        def status(self, upid: Upid, until: float) -> dict[str, t.Any]:
            time.sleep(1.7)  # PVE holds it back for 3 s
            raise LoginRefused("the token is refused")

    upids = [upid(number, node=f"pve{number}") for number in range(nodes)]
    waited = wait(upids, Plan(timeout=0), lambda: Refusing(FakeClock()), SystemClock())
    assert isinstance(waited.fatal, LoginRefused)
    assert not waited.timed_out
    assert waited.elapsed < 2


def test_a_first_answer_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wait, "FIRST_LOOK_SECONDS", 1.5)
    stuck = Stuck()
    waited = wait([upid()], Plan(timeout=0), lambda: stuck, SystemClock())
    stuck.close()
    assert 1.5 <= waited.elapsed < 2.2
    assert waited.timed_out


def test_every_source_is_closed() -> None:
    sources: list[FakeSource] = []

    def connect() -> Source:
        sources.append(FakeSource(FakeClock(), ends={upid(1).native: 0.0, upid(2, node="pve2").native: 0.0}))
        return sources[-1]

    waited = wait([upid(1), upid(2, node="pve2")], Plan(), connect, SystemClock())
    assert [task.outcome for task in waited.tasks] == ["ok", "ok"]
    assert [source.closed for source in sources] == [True, True]


def test_the_same_task_of_the_ha_manager_is_watched_once() -> None:
    request, real = upid(1, type="hastart"), upid(2, node="pve2", age=-1)
    clock = FakeClock()

    def connect() -> Source:
        return FakeSource(clock, ends={request.native: 0.0, real.native: 0.0}, cluster=[{"upid": real.native}])

    waited = wait([request, real], Plan(follow_ha=True), connect, SystemClock())
    assert [task.upid for task in waited.tasks] == [request, real]
    assert [task.follows for task in waited.tasks] == [None, request.native]
