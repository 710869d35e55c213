# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The threads of a wait, and the news that they have for it. Private to the collection."""

from __future__ import annotations

import threading
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._engine.source import Source
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock


class Worker(t.Protocol):
    """Whoever has work in a thread of its own, and a source of its own for it."""

    source: Source
    finish: threading.Event


class Alarm(threading.Event):
    """An event that wakes who waits for ``wake`` as well."""

    def __init__(self, wake: threading.Event) -> None:
        """Not set yet."""
        super().__init__()
        self._wake = wake

    def set(self) -> None:
        """It has come to pass."""
        super().set()
        self._wake.set()


class Crew:
    """Who is at work. Its methods are for the thread that waits, ``note_news`` is for all."""

    def __init__(self, clock: Clock) -> None:
        """Nobody is at work yet; ``clock`` starts the threads and passes the time between two pieces of news."""
        self.fatal: BaseException | None = None  # what ended somebody's work: reported by who waits, or raised
        self._clock = clock
        self._news = threading.Event()
        self._workers: list[Worker] = []
        self._idle: set[Worker] = set()

    @property
    def busy(self) -> list[Worker]:
        """Who is at work, in the order of their beginning."""
        return [worker for worker in self._workers if worker not in self._idle]

    def put_to_work(self, worker: Worker, run: t.Callable[[], None]) -> None:
        """Let ``worker`` do its work, which is ``run``."""

        def guarded() -> None:
            try:
                run()
            except BaseException as exc:
                self.fatal = self.fatal or exc
            finally:
                worker.source.close()
                self._idle.add(worker)
                self.note_news()

        self._workers.append(worker)
        # A request that hangs must not keep the process when the deadline is over.
        self._clock.start(guarded)

    def note_news(self) -> None:
        """There is news."""
        self._news.set()

    def await_news(self, seconds: float) -> None:
        """Wait until there is news since ``heard``, or ``seconds`` are over."""
        self._clock.wait(self._news, seconds)

    def heard(self) -> None:
        """What is known is about to be looked at: what comes from now on is news."""
        self._news.clear()

    def call_off(self, workers: t.Iterable[Worker] | None = None) -> None:
        """Ask these, or all, to come to an end."""
        for worker in self._workers if workers is None else workers:
            worker.finish.set()
