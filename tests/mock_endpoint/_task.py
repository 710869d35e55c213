# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One background task: everything the endpoint tells about it is worked out from the time asked for, no timers run."""

from __future__ import annotations

import bisect
import dataclasses
import re
import typing as t

Line = tuple[float, str]

# Of the products written in Perl. Source: their common UPID.pm (the last colon is part of the id, a comment is not).
_UPID = re.compile(
    r"UPID:(?P<node>[a-zA-Z0-9]([a-zA-Z0-9\-]*[a-zA-Z0-9])?):(?P<pid>[0-9A-Fa-f]{8}):(?P<pstart>[0-9A-Fa-f]{8,9}):"
    r"(?P<starttime>[0-9A-Fa-f]{8}):(?P<type>[^:\s/]+):(?P<id>[^:\s/]*):(?P<user>[^:\s/]+):"
)


def bytes_as_text(text: str) -> str:
    """Perl takes the bytes of its files for characters: each byte of the UTF-8 becomes one."""
    return text.encode().decode("latin-1")


@dataclasses.dataclass(frozen=True)
class Upid:
    """The parts of a task id; ``user`` is the whole ``user@realm!token``. As the products written in Perl have them."""

    text: str
    node: str
    pid: int
    pstart: int
    starttime: int
    type: str
    id: str
    user: str

    @classmethod
    def parse(cls, text: str) -> t.Optional[Upid]:
        """Decode, or None where the servers are unable to."""
        found = _UPID.fullmatch(text)
        if found is None:
            return None
        return cls(
            text,
            found["node"],
            int(found["pid"], 16),
            int(found["pstart"], 16),
            int(found["starttime"], 16),
            found["type"],
            found["id"],
            found["user"],
        )

    @classmethod
    def mint(cls, node: str, number: int, starttime: int, kind: str, subject: str, user: str) -> Upid:
        """A new id; ``number`` tells it from others."""
        pid, pstart = number, 0x50000 + number * 4
        text = f"UPID:{node}:{pid:08X}:{pstart:08X}:{starttime:08X}:{kind}:{subject}:{user}:"
        return cls(text, node, pid, pstart, starttime, kind, subject, user)

    @property
    def owner(self) -> str:
        """``user@realm`` without the token."""
        return self.user.partition("!")[0]

    @property
    def tokenid(self) -> str:
        """Name of the token, or the empty string."""
        return self.user.partition("!")[2]


class Script(t.NamedTuple):
    """Seconds a task takes, and its output with the seconds of each line."""

    duration: float
    lines: list[Line]


class TimedLog:
    """Lines that appear at their seconds after the start; a message of several lines does so at once."""

    def __init__(self, messages: t.Iterable[Line] = ()) -> None:
        self._messages = list(messages)
        self._lay_out()

    def _lay_out(self) -> None:
        ordered = sorted(self._messages, key=lambda message: message[0])
        lines = [(at, line, n == 0) for at, text in ordered for n, line in enumerate(text.split("\n"))]
        self._times = [at for at, _line, _first in lines]
        self._lines = [line for _at, line, _first in lines]
        self._first = [first for _at, _line, first in lines]

    def add(self, at: float, message: str) -> None:
        """Have a message more."""
        self._messages.append((at, message))
        self._lay_out()

    def times(self, start: int, stop: int, _duration: t.Optional[float]) -> list[t.Optional[float]]:
        """When lines were written; None: with the line before."""
        return [at if first else None for at, first in zip(self._times[start:stop], self._first[start:stop])]

    def count(self, elapsed: float, _duration: t.Optional[float]) -> int:
        """Number of lines written after ``elapsed`` seconds."""
        return bisect.bisect_right(self._times, elapsed)

    def lines(self, start: int, stop: int) -> list[str]:
        """Lines ``start`` to ``stop``, counted from 0, the last one not included."""
        return self._lines[start:stop]


class TemplateLog:
    """Any number of lines spread evenly over the task's duration; only those asked for are ever made."""

    def __init__(self, lines: int, template: str = "line {n}") -> None:
        self._count = lines
        self._template = template

    def count(self, elapsed: float, duration: t.Optional[float]) -> int:
        """Number of lines written after ``elapsed`` seconds; all of them at once where no duration is known."""
        if not duration or elapsed >= duration:
            return self._count
        return int(self._count * elapsed / duration)

    def times(self, start: int, stop: int, duration: t.Optional[float]) -> list[t.Optional[float]]:
        """When lines were written."""
        step = (duration or 0.0) / max(1, self._count)
        return [(number + 1) * step for number in range(start, min(stop, self._count))]

    def lines(self, start: int, stop: int) -> list[str]:
        """Lines ``start`` to ``stop``, counted from 0, the last one not included."""
        return [self._template.format(n=number + 1) for number in range(start, min(stop, self._count))]


@dataclasses.dataclass
class Task:
    """A scripted task.

    :cvar lost: exit status of a task whose log just stops
    :cvar stopped: exit status of one that was told to stop
    :param begin: epoch seconds; before them nobody knows the task
    :param duration: seconds, None: runs until it is stopped
    :param exitstatus: ``OK``, ``WARNINGS: n``, the text of an error (it may be empty), or None: killed, the log stops
    :param glued: the last line of output has no newline, so that ``TASK OK`` sticks to it
    :param ignores_term: only a KILL ends it when it is stopped
    :param list_lag: seconds the lists go on calling it running after its end; its end time is then that much later
    :param status_lag: seconds /status does
    :param cached_unexpected: /status answers ``unexpected status`` whatever log and lists say
    :param rotated: its log file is gone
    """

    lost: t.ClassVar[str] = "unexpected status"
    stopped: t.ClassVar[str] = "received interrupt"

    upid: Upid
    begin: float
    duration: t.Optional[float]
    log: t.Union[TimedLog, TemplateLog]
    exitstatus: t.Optional[str] = "OK"
    glued: bool = False
    ignores_term: bool = False
    list_lag: float = 0.0
    status_lag: float = 0.0
    cached_unexpected: bool = False
    rotated: bool = False
    stopped_at: t.Optional[float] = None

    def started(self, now: float) -> bool:
        """Whether anybody can know of it."""
        return now >= self.begin

    @property
    def end(self) -> t.Optional[float]:
        """Epoch seconds of the end, past or to come; None where nothing ends it."""
        if self.stopped_at is not None:
            return self.stopped_at
        return None if self.duration is None else self.begin + self.duration

    def ended(self, now: float, lag: float = 0.0) -> bool:
        """Whether it had ended ``lag`` seconds ago."""
        return self.end is not None and now >= self.end + lag

    def stop(self, now: float, kill_seconds: float) -> None:
        """Send TERM, and KILL ``kill_seconds`` later to one that ignores it."""
        if self.ended(now) or self.stopped_at is not None:
            return
        self.exitstatus = None if self.ignores_term else self.stopped
        self.stopped_at = now + kill_seconds if self.ignores_term else now

    def kill(self, now: float) -> None:
        """End it as KILL or a power loss does."""
        if not self.ended(now):
            self.exitstatus, self.stopped_at = None, now

    @property
    def final_status(self) -> str:
        """The exit status that is read from the last line of the log once the task has ended.

        An error without a text cannot be told from a log that just stops.
        """
        if not self.exitstatus or self.glued:
            return self.lost
        return self.exitstatus.replace("\n", " ")

    def last_lines(self) -> list[str]:
        """What the log says of the end."""
        if self.exitstatus is None:
            return []
        if self.exitstatus == "OK" or re.fullmatch(r"WARNINGS: \d+", self.exitstatus):
            return [f"TASK {self.exitstatus}"]
        return ["TASK ERROR: " + self.exitstatus.replace("\n", " ")]

    def output(self, start: int, stop: int) -> list[str]:
        """Lines ``start`` to ``stop`` of what the task itself says, counted from 0, the last one not included."""
        return self.log.lines(start, stop)

    def total_lines(self, now: float) -> int:
        """Lines in the log file now."""
        return self._output(now) + (0 if self.glued or not self.ended(now) else len(self.last_lines()))

    def lines(self, now: float, start: int, stop: int) -> list[str]:
        """Lines ``start`` to ``stop`` of the log file, counted from 0, the last one not included."""
        output = self._output(now)
        page = self.output(start, min(stop, output))
        last = self.last_lines() if self.ended(now) else []
        if not self.glued:
            return page + last[max(0, start - output) : max(0, stop - output)]
        if page and stop >= output:
            page[-1] += "".join(last)
        return page

    def _output(self, now: float) -> int:
        until = now if self.end is None else min(now, self.end)
        return self.log.count(until - self.begin, self.duration)
