# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids and ends of Proxmox Backup Server's tasks. Sources: upid.rs in proxmox-schema, worker_task.rs."""

from __future__ import annotations

import dataclasses
import re
import time
import typing as t

from .. import _task

PID, PSTART = 0x2B1, 0x5D2A  # workers are threads of the daemon: they share its process
ABORTED = {"syncjob": "sync aborted", "verificationjob": "verification failed - job aborted"}
# Types that do not look whether they are to stop.
DEAF = ("prune", "prunejob")

_UPID = re.compile(
    r"UPID:(?P<node>[a-zA-Z0-9]([a-zA-Z0-9\-]*[a-zA-Z0-9])?):(?P<pid>[0-9A-Fa-f]{8}):(?P<pstart>[0-9A-Fa-f]{8,9}):"
    r"(?P<task_id>[0-9A-Fa-f]{8,16}):(?P<starttime>[0-9A-Fa-f]{8}):"
    r"(?P<type>[^:\s]+):(?P<id>[^:\s]*):(?P<user>[^:\s]+):"
)


def escape(text: str) -> str:
    """How an id stands in a UPID: ``/`` is ``-``, what could be taken for something else a hexadecimal byte."""
    escaped = "".join(
        "-" if byte == b"/" else byte.decode() if re.fullmatch(rb"[A-Za-z0-9_.]", byte) else f"\\x{byte[0]:02x}"
        for byte in (bytes([number]) for number in text.encode())
    )
    return f"\\x2e{escaped[1:]}" if escaped.startswith(".") else escaped


def unescape(text: str) -> str:
    """The id itself; raises ValueError in the server's words."""
    data, rest = bytearray(), text.encode()
    while rest:
        if rest[:1] != b"\\":
            data += b"/" if rest[:1] == b"-" else rest[:1]
            rest = rest[1:]
            continue
        if len(rest) < 4 or rest[1:2] != b"x":
            raise ValueError("error in escape sequence")
        if not re.fullmatch(rb"[0-9A-Fa-f]{2}", rest[2:4]):
            raise ValueError("got invalid hex digit")
        data.append(int(rest[2:4], 16))
        rest = rest[4:]
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        raise ValueError(f"invalid utf-8 sequence of 1 bytes from index {exc.start}") from exc


@dataclasses.dataclass(frozen=True)
class Upid(_task.Upid):
    """The parts of a task id; ``id`` is unescaped."""

    task_id: int = 0

    @classmethod
    def parse(cls, text: str) -> t.Optional[Upid]:
        """Decode, None where the grammar is another; raises ValueError in the server's words."""
        found = _UPID.fullmatch(text)
        if found is None:
            return None
        numbers = {name: int(found[name], 16) for name in ("pid", "pstart", "starttime", "task_id")}
        return cls(
            text=text, node=found["node"], type=found["type"], id=unescape(found["id"]), user=found["user"], **numbers
        )

    @classmethod
    def mint(cls, node: str, number: int, starttime: int, kind: str, subject: str, user: str) -> Upid:
        """A new id; what tells tasks apart is their number in the process."""
        made = cls("", node, PID, PSTART, starttime, kind, subject, user, number)
        return dataclasses.replace(made, text=made.canonical)

    @property
    def canonical(self) -> str:
        """The id as the server writes it itself, and as it names the log file."""
        return (
            f"UPID:{self.node}:{self.pid:08X}:{self.pstart:08X}:{self.task_id:08X}:{self.starttime:08X}:"
            f"{self.type}:{escape(self.id)}:{self.user}:"
        )


class Task(_task.Task):
    """A scripted task, whose log has the time before each message."""

    lost = "unknown"
    upid: Upid

    @property
    def final_status(self) -> str:
        """The exit status as read from the last line that begins with a time: of an error, the first line."""
        if self.exitstatus is None:
            return self.lost
        return re.sub(r"^ERROR: ", "", self.exitstatus.partition("\n")[0])

    @property
    def listed_status(self) -> str:
        """The exit status as the lists read it once more from the archive; empty where they cannot."""
        return re.sub(r"^ERROR: ", "", self.final_status)

    @property
    def endtime(self) -> int:
        """Epoch seconds of the last message, or else of the start."""
        end = self.end or self.begin
        if self.exitstatus is not None:
            return int(end)
        count = self.log.count(end - self.begin, self.duration)
        times = [at for at in self.log.times(0, count, self.duration) if at is not None]
        return int(self.begin + times[-1]) if times else self.upid.starttime

    def stop(self, now: float, kill_seconds: float) -> None:
        """Ask it to end: it does ``kill_seconds`` later, unless it ends before, or never looks."""
        if self.ended(now) or self.stopped_at is not None:
            return
        if isinstance(self.log, _task.TimedLog):
            self.log.add(now - self.begin, "received abort request ...")
        later = now + kill_seconds
        if self.ignores_term or self.upid.type in DEAF or self.ended(later):
            return
        self.exitstatus = ABORTED.get(self.upid.type, "abort requested - aborting task")
        self.stopped_at = later

    def last_lines(self) -> list[str]:
        """What the log says of the end; an error of several lines takes several."""
        if self.exitstatus is None:
            return []
        well = self.exitstatus == "OK" or re.fullmatch(r"WARNINGS: \d+", self.exitstatus)
        text = f"TASK {self.exitstatus}" if well else f"TASK ERROR: {self.exitstatus}"
        return f"{stamp(self.end or self.begin)}: {text}".split("\n")

    def output(self, start: int, stop: int) -> list[str]:
        """Lines of its own, each message with its time."""
        times = self.log.times(start, stop, self.duration)
        return [
            line if at is None else f"{stamp(self.begin + at)}: {line}"
            for at, line in zip(times, self.log.lines(start, stop))
        ]


def stamp(epoch: float) -> str:
    """A time as logs have it; the server's time zone is UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(epoch))
