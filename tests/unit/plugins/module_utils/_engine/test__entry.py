# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a task under watch."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.entry import NEVER, Entry
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.polling import UNKNOWN
from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import Progress
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.tests.unit.fakes import upid

RUNNING = Task(upid(), "running")
FAILED = Task(upid(), "stopped", "boom")
HALF = Progress(50.0, "50 %")


def test_nothing_is_known_at_first() -> None:
    entry = Entry(RUNNING)
    assert entry.upid == upid()
    assert not entry.settled
    assert not entry.logged
    assert entry.asked == entry.ran == entry.vouched == NEVER < 0
    assert entry.began is entry.believed is entry.missed is None
    assert entry.outlook == UNKNOWN


def test_what_is_settled_stays_but_may_be_amended() -> None:
    entry = Entry(RUNNING)
    entry.see(Task(upid(), "unseen"))
    assert (entry.task.sight, entry.settled) == ("unseen", False)
    entry.settle(FAILED)
    assert (entry.task, entry.settled) == (FAILED, True)
    entry.see(RUNNING)
    entry.settle(Task(upid(), "stopped", "OK"))
    entry.note_progress(HALF)
    assert entry.task == FAILED
    assert entry.task.progress is None
    entry.amend(endtime=5, log=("TASK ERROR: boom",))
    assert (entry.task.exitstatus, entry.task.endtime, entry.task.log) == ("boom", 5, ("TASK ERROR: boom",))


@pytest.mark.parametrize(
    ("exitstatus", "progress"), [(None, HALF), ("boom", HALF), ("unknown", HALF), ("OK", None), ("WARNINGS: 1", None)]
)
@pytest.mark.parametrize("tell", [Entry.see, Entry.settle])
def test_how_far_it_was_is_kept_unless_it_ended_well(
    tell: t.Callable[[Entry, Task], None], exitstatus: str | None, progress: Progress | None
) -> None:
    entry = Entry(RUNNING)
    entry.note_progress(HALF)
    assert entry.task.progress == HALF
    tell(entry, RUNNING if exitstatus is None else Task(upid(), "stopped", exitstatus))
    assert (entry.task.exitstatus, entry.task.progress) == (exitstatus, progress)


def test_what_brings_its_own_progress_has_none_that_is_older() -> None:
    entry = Entry(RUNNING)
    entry.note_progress(HALF)
    entry.note_progress(None)
    entry.see(FAILED)
    assert entry.task.progress is None
