# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Following requests to the HA manager."""

from __future__ import annotations

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.follow import FOLLOW_SECONDS, Follow
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Fault,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid
from ansible_collections.proxkit.tasks.tests.unit.fakes import FakeClock, FakeSource, upid

PASSING = Fault("got timeout")


def followed(source: FakeSource, request: Upid, known: tuple[str, ...] = (), timeout: float = 300) -> Follow:
    follow = Follow(request, source, Plan(timeout=timeout), source.clock, source.clock.now + timeout)
    follow.run(lambda native: native in known)
    return follow


@pytest.mark.parametrize(
    ("request_type", "found_type", "found"),
    [
        ("hamigrate", "qmigrate", True),
        ("hamigrate", "vzmigrate", True),
        ("hamigrate", "qmstart", False),
        ("harelocate", "qmigrate", True),
        ("hastart", "qmstart", True),
        ("hastart", "vzstart", True),
        ("hastop", "qmshutdown", True),
        ("hastop", "vzstop", True),
        ("hastop", "qmstart", False),
        ("hanovelty", "qmreboot", True),
        ("hanovelty", "vzdump", False),
    ],
)
def test_right_types(request_type: str, found_type: str, found: bool) -> None:
    task = upid(2, node="pve2", type=found_type, age=-3)
    source = FakeSource(FakeClock(), cluster=[{"upid": "nonsense"}, {"upid": task.native}])
    follow = followed(source, upid(1, type=request_type))
    assert follow.found == (task if found else None)
    assert (follow.warning is None) is found


def test_right_guest_and_right_time() -> None:
    rows = [upid(2, id="101", age=-3), upid(3, age=60), upid(4, age=-9), upid(5, age=-5), upid(6, age=-2)]
    source = FakeSource(FakeClock(), cluster=[{"upid": row.native} for row in rows])
    # The earliest that is not followed already.
    assert followed(source, upid(1, type="hastart"), known=(rows[4].native,)).found == rows[3]


def test_the_search_ends_after_a_minute() -> None:
    source = FakeSource(FakeClock())
    began = source.clock.now
    follow = followed(source, upid(1, type="hastart"))
    assert source.clock.now - began == pytest.approx(FOLLOW_SECONDS)
    assert "the HA manager had nothing to do" in str(follow.warning)
    assert "guest 100" in str(follow.warning)


def test_the_search_ends_at_the_deadline() -> None:
    source = FakeSource(FakeClock())
    began = source.clock.now
    assert followed(source, upid(1, type="hastart"), timeout=5).warning
    assert source.clock.now - began == pytest.approx(5)


@pytest.mark.parametrize(
    ("answer", "words"),
    [("Sys.Audit on /nodes/pve1", "Sys.Audit on /nodes is missing"), (PASSING, "got timeout")],
)
def test_why_nothing_was_seen(answer: str | ApiError, words: str) -> None:
    source = FakeSource(FakeClock(), script={"missing_right": [answer]})
    assert words in str(followed(source, upid(1, type="hastart"), timeout=1).warning)


@pytest.mark.parametrize(("users", "asks"), [((), True), (("me@pve",), True), (("me@pve", "root@pam"), False)])
def test_the_node_is_asked_where_the_cluster_may_hide_tasks_of_others(users: tuple[str, ...], asks: bool) -> None:
    task = upid(2, type="qmstart", age=-1)
    rows = [{"upid": upid(9 + number, id="7").native, "user": user} for number, user in enumerate(users)]
    source = FakeSource(FakeClock(), cluster=rows, ends={task.native: 2000})
    follow = followed(source, upid(1, type="hastart"), timeout=5)
    assert follow.found == (task if asks else None)
    assert ("active" in source.calls) is asks


def test_faults_are_waited_out_or_told() -> None:
    task = upid(2, type="qmstart", age=-1)
    source = FakeSource(FakeClock(), cluster=[{"upid": task.native}], script={"cluster_tasks": [PASSING, PASSING]})
    assert followed(source, upid(1, type="hastart")).found == task
    source = FakeSource(FakeClock(), script={"cluster_tasks": [PASSING] * 900})
    assert "got timeout" in str(followed(source, upid(1, type="hastart")).warning)


def test_nobody_waits_any_more() -> None:
    source = FakeSource(FakeClock())
    follow = Follow(upid(1, type="hastart"), source, Plan(), source.clock, source.clock.now + 300)
    follow.finish.set()
    follow.run(lambda _native: False)
    assert source.calls["cluster_tasks"] == 1
