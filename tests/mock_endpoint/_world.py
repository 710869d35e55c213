# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state that a service tells of: nodes, tasks, users, settings. Knows nothing of HTTP."""

from __future__ import annotations

import abc
import collections
import dataclasses
import itertools
import typing as t

from ._clock import Clock
from ._task import Script, Task, TemplateLog, TimedLog, Upid
from ._users import Users
from ._workers import Workers


@dataclasses.dataclass
class Node:
    """A node as its neighbours see it.

    :param reason: why it cannot be reached while it is not ``online``
    :param delay: seconds until that is known (3 for a real ``No route to host``)
    :param hangs: its own requests are never answered
    :param reported: what /nodes says; None: ``online`` or ``offline``, whichever it is
    """

    name: str
    online: bool = True
    reason: str = "No route to host"
    delay: float = 0.0
    hangs: bool = False
    reported: t.Optional[str] = None


@dataclasses.dataclass
class Settings:
    """How the servers behave; seconds.

    :param auth_delay: before a 401 is sent (genuine servers: 3)
    :param workers: protected calls that a node serves at once
    :param starve_seconds: how long a protected call waits for a worker before it is given up (Perl: 5 to 7)
    :param stop_seconds: how long a request to stop a task takes (Perl: about 1)
    :param kill_seconds: when a task that ignores TERM is killed (Perl: 5)
    """

    auth_delay: float = 0.0
    workers: int = 3
    starve_seconds: float = 5.0
    stop_seconds: float = 1.0
    kill_seconds: float = 5.0


@dataclasses.dataclass
class Override:
    """Says how the next tasks that requests start go; fields left None stay as scripted."""

    kind: str
    times: t.Optional[int] = 1
    id: t.Optional[str] = None
    duration: t.Optional[float] = None
    exitstatus: t.Optional[str] = None
    log: t.Optional[list[tuple[float, str]]] = None
    killed: bool = False


class World(abc.ABC):
    """Everything an endpoint knows, as far as the products have it in common.

    :cvar usual_type: type of tasks where tests name none
    :cvar usual_user: who starts them
    :cvar upids: how ids of tasks are read
    :cvar kind: how tasks behave
    :param nodes: node names; the first one is the node that the API host itself is
    """

    usual_type: t.ClassVar[str]
    usual_user: t.ClassVar[str]
    upids: t.ClassVar[type[Upid]] = Upid
    kind: t.ClassVar[type[Task]] = Task

    def __init__(self, nodes: t.Sequence[str], clock: t.Optional[Clock] = None) -> None:
        self.clock = clock or Clock()
        self._names = tuple(nodes)
        self.reset()

    @abc.abstractmethod
    def default_users(self) -> Users:
        """The users of the beginning."""

    def default_settings(self) -> Settings:
        """The settings of the beginning."""
        return Settings()

    def reset(self) -> None:
        """Back to the beginning; only the clock goes on."""
        self.nodes = {name: Node(name) for name in self._names}
        self.users = self.default_users()
        self.settings = self.default_settings()
        self.overrides: list[Override] = []
        self.tasks: dict[str, Task] = {}
        self.workers: collections.defaultdict[str, Workers] = collections.defaultdict(Workers)
        self._numbers = itertools.count(0x4000)

    @property
    def local(self) -> str:
        """Name of the node that answers the requests."""
        return next(iter(self.nodes))

    def hangs(self, node: str) -> bool:
        """Whether that node's own requests are not answered now."""
        return node in self.nodes and self.nodes[node].hangs

    def add(self, task: Task) -> Task:
        """Put a task into the world."""
        self.tasks[task.upid.text] = task
        return task

    def mint(self, node: str, kind: str, subject: str, user: str, begin: float) -> Upid:
        """A new task id."""
        return self.upids.mint(node, next(self._numbers), int(begin), kind, subject, user)

    def task(self, upid: str) -> t.Optional[Task]:
        """A task that has started, its log file still there."""
        found = self.tasks.get(upid)
        return found if found is not None and not found.rotated and found.started(self.clock.now()) else None

    def started(self, node: str) -> list[Task]:
        """Tasks of a node that have started, in the order they were made."""
        now = self.clock.now()
        return [task for task in self.tasks.values() if task.upid.node == node and task.started(now)]

    def play(self, upid: Upid, begin: float, script: Script) -> Task:
        """Put a task that goes by a script into the world, unless tests said how the next one of its type goes."""
        duration, lines = script
        exitstatus: t.Optional[str] = "OK"
        override = self._override(upid.type, upid.id)
        if override is not None:
            if override.log is not None:
                lines = override.log
            elif override.duration is not None:
                lines = [(at * override.duration / duration, line) for at, line in lines]
            duration = duration if override.duration is None else override.duration
            exitstatus = None if override.killed else override.exitstatus or exitstatus
        return self.add(self.kind(upid, begin, duration, TimedLog(lines), exitstatus))

    def _override(self, kind: str, subject: str) -> t.Optional[Override]:
        for override in self.overrides:
            if override.kind == kind and override.id in {None, subject} and override.times != 0:
                if override.times is not None:
                    override.times -= 1
                return override
        return None


def make_log(spec: t.Union[t.Mapping[str, t.Any], t.Sequence[t.Any], None]) -> t.Union[TimedLog, TemplateLog]:
    """A log from JSON: ``{"lines": n, "template": "line {n}"}`` or a list of lines and ``[seconds, line]`` pairs."""
    if isinstance(spec, t.Mapping):
        return TemplateLog(**spec)
    return TimedLog([(0.0, line) if isinstance(line, str) else (float(line[0]), str(line[1])) for line in spec or ()])
