# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Telling somebody what a wait sees while it lasts. Private to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.entry import Entry
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task


class Observer(t.Protocol):
    """Who wants to know what a wait sees.

    Called by the threads that see it: in order for each node, side by side for several. A call that takes long holds
    up what is seen of its node, and nothing else.
    """

    def on_state(self, task: Task) -> None:
        """A task was seen in another state than before; the first one counts, if anything was seen."""

    def on_end(self, task: Task) -> None:
        """No more is to be found out about a task, mostly because it ended; log and end time may still come."""

    def on_fault(self, node: str, fault: str) -> None:
        """Something keeps from seeing all of a node's tasks; told again where it is something else."""

    def on_recovery(self, node: str) -> None:
        """That is over."""

    def on_look(self, node: str, tasks: t.Sequence[Task]) -> None:
        """A look at a node is over; what is known of its tasks now."""

    def on_lines(self, task: Task, lines: t.Sequence[str]) -> None:
        """The log of a running task was read: the task with its progress, and its new lines, clean, each once."""

    def on_past(self, task: Task, durations: t.Sequence[int]) -> None:
        """The seconds that the last tasks like this one took, whose log does not tell how far it is."""


class Shielded:
    """An observer that cannot break a wait: once it has raised something it is told nothing more."""

    def __init__(self, observer: Observer) -> None:
        """Nothing has gone wrong yet."""
        self._warning: str | None = None
        self._observer: Observer | None = observer

    def tell(self, tell: t.Callable[[Observer], None]) -> None:
        """Let ``tell`` call the observer, if it still listens."""
        observer = self._observer
        if observer is not None:
            try:
                tell(observer)
            except Exception as exc:
                self._observer = None
                # The name alone: nobody knows what foreign texts hold.
                self._warning = f"What the wait saw could not be shown to its end: {type(exc).__name__}."

    def leave(self) -> list[str]:
        """The wait is over: who still hangs in a look has nothing to tell any more. What a person should know of it."""
        self._observer = None
        return [self._warning] if self._warning else []


class Reporter:
    """Tells an observer what is new of one node since the last time. Belongs to one thread."""

    def __init__(self, observer: Shielded, node: str) -> None:
        """Nothing is told yet."""
        self._observer = observer
        self._node = node
        self._outcomes: dict[str, str] = {}
        self._ended: set[str] = set()
        self._fault: str | None = None

    def report_look(self, entries: t.Sequence[Entry], fault: str | None) -> None:
        """A look is over that met ``fault``, if any."""
        if fault != self._fault:
            self._fault = fault
            self._report_fault(fault)
        self.report_news(entries)
        tasks = [entry.task for entry in entries]
        self._observer.tell(lambda observer: observer.on_look(self._node, tasks))

    def report_news(self, entries: t.Iterable[Entry]) -> None:
        """What has changed, whoever saw it."""
        for entry in entries:
            native, ended, task = entry.upid.native, entry.settled, entry.task
            if self._outcomes.get(native, "unseen") != task.outcome:
                self._outcomes[native] = task.outcome
                self._report_state(task)
            if ended and native not in self._ended:
                self._ended.add(native)
                self._report_end(task)

    def _report_fault(self, fault: str | None) -> None:
        if fault is None:
            self._observer.tell(lambda observer: observer.on_recovery(self._node))
        else:
            self._observer.tell(lambda observer: observer.on_fault(self._node, fault))

    def _report_state(self, task: Task) -> None:
        self._observer.tell(lambda observer: observer.on_state(task))

    def _report_end(self, task: Task) -> None:
        self._observer.tell(lambda observer: observer.on_end(task))
