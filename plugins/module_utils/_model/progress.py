# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a task is: a reader that is fed the lines of its log as they come. Pure. Private to the collection.

No API tells progress, only the lines of logs do. A line alone is often not enough: how large a stream will be, which
drives move and which guests are backed up stands in earlier ones. So the reader remembers, and what it says depends
on the lines it was fed, never on how many of them somebody wants to see.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import re
import typing as t

import ansible_collections.proxkit.tasks.plugins.module_utils._model.progress_lines as lines
from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress_lines import bytes_of, drive_of

# What is shown of a line should fit a person's line or two.
TEXT_LENGTH = 200


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a task says it is: 0 to 100, None where its log gives no share; ``text`` is one line, safe to show.

    With a share comes what it is worked out of, where the log tells that: ``done`` of ``total`` bytes, and the ``part``
    of the work that it is about (empty: the whole, or nobody knows). Figures of different ``phase`` cannot be compared.
    """

    percent: float | None
    text: str
    done: float | None = dataclasses.field(default=None, compare=False)
    total: float | None = dataclasses.field(default=None, compare=False)
    part: str = dataclasses.field(default="", compare=False)
    phase: int = dataclasses.field(default=0, compare=False)

    def to_dict(self) -> dict[str, t.Any]:
        """The dictionary under ``progress`` in a task dictionary."""
        return {"percent": self.percent, "text": self.text}


def progress(log: t.Iterable[str]) -> Progress | None:
    """The last progress that the lines of ``log`` tell; None where they tell none."""
    reader = ProgressReader()
    reader.feed(log)
    return reader.last


class ProgressReader:
    """Reads a log as it grows.

    ``last`` is the progress that the lines so far tell, ``phase`` counts the parts of the work that have a figure of
    their own: a drive, a guest, a pass. Within a phase the figure never falls; the percentage is that of the drive or
    the guest at work, or of the whole where the log tells it.
    """

    def __init__(self) -> None:
        self.last: Progress | None = None
        self.phase = 0
        self._meter: t.Hashable = None  # what the figure at hand measures
        self._highest = 0.0
        self._drives: dict[str, tuple[float, float]] = {}  # bytes moved and in all, of those at work
        self._moved: set[str] = set()  # drives that were done before those at work began
        self._part = ""  # what the lines are about: a guest, a namespace, a pass
        self._guests: list[str] = []
        self._begun = 0
        self._counted = True  # whether all guests that were begun were seen to
        self._stream = 0  # which of a log's ZFS streams
        self._stream_bytes = 0.0
        self._streams: dict[str, float] = {}  # bytes sent by snapshot
        self._cut = False  # whether lines are missing since

    def feed(self, log: t.Iterable[str]) -> None:
        """Take the next lines in; each once, in the order of the log."""
        for line in log:
            self._read(*lines.bare(line))

    def peek(self, line: str) -> Progress | None:
        """What would be told if this were the next line, which may be unfinished: it is to be fed when it is not."""
        ahead = copy.deepcopy(self)
        ahead.feed([line])
        return ahead.last

    def leave_out(self) -> None:
        """Some lines are not fed: what stood in them must not be mistaken for what stood before."""
        self._end_phase()
        # What was told before may be long over.
        self.last = self.last and dataclasses.replace(self.last, percent=None)
        self._drives = {}
        if len(self._guests) != 1:
            self._part = ""
        self._counted = False
        self._cut = True

    def _read(self, text: str, message: str) -> None:
        any_known, kinds, other = _kinds()
        known = any_known.match(text)
        pattern, handle = kinds[(known.lastindex or 0) - 1] if known else other
        match = pattern.match(text if known else message)
        if match:
            self.last = handle(self, match) or self.last

    # What a line can be

    def told(self, match: re.Match[str]) -> Progress:
        """A percentage of the server's own; where it falls, it begins anew."""
        percent = float(match["percent"])
        meter = match.re.pattern
        if meter == self._meter and percent < self._highest:
            self._end_phase()
        return self._figure(meter, percent, match, *_sizes(match), part=lines.PARTS.get(meter, ""))

    def worked_out(self, match: re.Match[str]) -> Progress:
        """A size and a total."""
        done, total = _sizes(match)
        return self._figure("memory", _share(done, total), match, done, total, part="memory")

    def remaining(self, match: re.Match[str]) -> Progress:
        """Old migrations: what was transferred leaves zero pages out, what remains does not."""
        total = bytes_of(match["total"])
        done = total - bytes_of(match["remaining"])
        return self._figure("memory", _share(done, total), match, done, total, part="memory")

    def drive_begins(self, match: re.Match[str]) -> Progress:
        """The mirror of a drive begins: those before it are done, though their lines may go on."""
        self._moved |= self._drives.keys()
        self._moved.discard(drive_of(match["drive"]))
        self._drives = {}
        return self.new_phase(match)

    def drive(self, match: re.Match[str]) -> Progress | None:
        """One of the block jobs: where more than one is at work, their bytes are what counts."""
        name = drive_of(match["drive"])
        if name in self._moved:
            return None
        self._drives[name] = (bytes_of(match["done"]), bytes_of(match["total"]))
        if len(self._drives) == 1:
            return self._figure(("drive", name), float(match["percent"]), match, *_sizes(match), part=name)
        done, total = (sum(sizes) for sizes in zip(*self._drives.values()))
        drives = f"{len(self._drives)} drives"
        told = self._figure(tuple(self._drives), _share(done, total), match, done, total, part=drives)
        return dataclasses.replace(told, text=_short(f"{self._part}{drives}, {_said(match)}"))

    def job_begins(self, match: re.Match[str]) -> None:
        """A backup job with its guests, where it was given them by number."""
        self._begun = 0
        self._guests = re.findall(r"(?<= )[0-9]+(?= |$)", re.split(r" -", match["arguments"], maxsplit=1)[0])

    def elsewhere(self, match: re.Match[str]) -> None:
        """Guests of the job that other nodes take care of."""
        others = set(re.findall(r"[0-9]+", match["guests"]))
        self._guests = [guest for guest in self._guests if guest not in others]

    def guest_begins(self, match: re.Match[str]) -> Progress:
        """The backup of a guest."""
        self._begun = self._begun + 1 if self._counted else self._place_of(match["guest"])
        self._counted = self._begun > 0
        of = f" ({self._begun} of {len(self._guests)})" if self._begun and len(self._guests) > 1 else ""
        self._part = f"{'CT' if match['kind'] == 'lxc' else 'VM'} {match['guest']}{of}: "
        return self.new_phase(match)

    def _place_of(self, guest: str) -> int:
        """Which of the job's guests it is, from 1 on: VZDump.pm goes by their numbers. 0 where nobody knows."""
        order = sorted(self._guests, key=int)
        return order.index(guest) + 1 if guest in order else 0

    def part_begins(self, match: re.Match[str]) -> Progress:
        """A part of the work that its first line names."""
        told = self.part_ends(match)
        self._part = f"{match['part']}: "
        return told

    def part_ends(self, match: re.Match[str]) -> Progress:
        """The end of a guest's backup or of another part, or of all."""
        self._part = ""
        return self.new_phase(match)

    def groups(self, match: re.Match[str]) -> Progress:
        """Groups side by side: each tells of all, and may do so late. So a lower figure is no new beginning."""
        percent = match["percent"]
        share = float(percent) if percent else _share(float(match["ready"]), float(match["groups"]))
        return self._figure("groups", share, match)

    def stream_begins(self, match: re.Match[str]) -> None:
        """The size that a ZFS stream will have."""
        self._stream += 1
        self._stream_bytes, self._streams, self._cut = bytes_of(match["total"]), {}, False

    def stream(self, match: re.Match[str]) -> Progress:
        """What a ZFS stream has sent of a snapshot; each snapshot counts anew."""
        snapshot = match["snapshot"]
        if self._cut and self._streams and snapshot != list(self._streams)[-1]:
            # It may be of another stream, and what others before it came to is not known.
            self._stream_bytes, self._streams = 0.0, {}
        self._cut = False
        self._streams[snapshot] = max(bytes_of(match["done"]), self._streams.get(snapshot, 0.0))
        done, total = sum(self._streams.values()), self._stream_bytes
        volume = snapshot.partition("@")[0].rpartition("/")[2]
        return self._figure(("stream", self._stream), _share(done, total), match, done, total, part=volume)

    def complete(self, match: re.Match[str]) -> Progress:
        """A line that says the work is done."""
        return self._figure("complete", 100.0, match)

    def new_phase(self, match: re.Match[str]) -> Progress:
        """A line that begins or ends a part of the work; the figure before it says nothing of what comes."""
        self._end_phase()
        return self.text_only(match)

    def text_only(self, match: re.Match[str]) -> Progress:
        """A sign of life that tells no share."""
        return Progress(None, _short(f"{self._part}{_said(match)}"), phase=self.phase)

    def message(self, match: re.Match[str]) -> Progress:
        """What Backup Server is about; a figure before it still stands, unless it was the last of its kind."""
        last = self.last
        if last is None or last.percent is None or last.percent == 100.0:
            return self.new_phase(match)
        return dataclasses.replace(last, text=_short(f"{self._part}{_said(match)}"))

    def no_news(self, _match: re.Match[str]) -> None:
        """A line that adds nothing to what was told."""

    def failed(self, _match: re.Match[str]) -> Progress | None:
        """The task failed: it got as far as it got, but not to its end."""
        if self.last is None or self.last.percent != 100.0:
            return None
        return dataclasses.replace(self.last, percent=None)

    # Figures

    def _figure(
        self,
        meter: t.Hashable,
        percent: float | None,
        match: re.Match[str],
        done: float | None = None,
        total: float | None = None,
        part: str = "",
    ) -> Progress:
        text = _short(f"{self._part}{_said(match)}")
        if percent is None:
            return Progress(None, text, phase=self.phase)
        if meter != self._meter:
            self._end_phase()
            self._meter = meter
        # Totals grow while guests write, and memory gets dirty again: the person should not see that as a step back.
        self._highest = max(self._highest, min(100.0, max(0.0, percent)))
        return Progress(round(self._highest, 2), text, done, total, part or self._part.rstrip(": "), self.phase)

    def _end_phase(self) -> None:
        self.phase += self._meter is not None
        self._meter, self._highest = None, 0.0


def _said(match: re.Match[str]) -> str:
    return match.string.strip()


def _sizes(match: re.Match[str]) -> tuple[float | None, float | None]:
    """The bytes that are done, and those in all, where the line tells them."""
    told = match.groupdict()
    done, total = (bytes_of(told[name]) if told.get(name) else None for name in ("done", "total"))
    return done, total


def _short(text: str) -> str:
    return text[:TEXT_LENGTH]


def _share(done: float | None, total: float | None) -> float | None:
    return None if done is None or not total else 100.0 * done / total


_Handler = t.Callable[[ProgressReader, "re.Match[str]"], t.Optional[Progress]]
_Kind = tuple[re.Pattern[str], _Handler]
# The first that matches counts.
_KINDS: tuple[tuple[str, _Handler], ...] = (
    (lines.DRIVE, ProgressReader.drive),
    (lines.OLD_DRIVE, ProgressReader.drive),
    (lines.DRIVE_BEGINS, ProgressReader.drive_begins),
    (lines.IMAGE, ProgressReader.told),
    (lines.MEMORY, ProgressReader.worked_out),
    (lines.MIGRATED, ProgressReader.complete),
    (lines.OLD_MEMORY, ProgressReader.remaining),
    (lines.OLD_BLOCK_JOB, ProgressReader.told),
    (lines.BACKUP, ProgressReader.told),
    (lines.OLD_BACKUP, ProgressReader.told),
    (lines.BACKUP_JOB, ProgressReader.job_begins),
    (lines.BACKUP_ELSEWHERE, ProgressReader.elsewhere),
    (lines.GUEST_BEGINS, ProgressReader.guest_begins),
    (lines.BACKED_UP, ProgressReader.complete),
    (lines.GUEST_ENDS, ProgressReader.part_ends),
    (lines.RESTORE, ProgressReader.told),
    (lines.STREAM_BEGINS, ProgressReader.stream_begins),
    (lines.STREAM, ProgressReader.stream),
    (lines.DOWNLOAD, ProgressReader.told),
    (lines.DOWNLOADED, ProgressReader.complete),
    (lines.GROUPS, ProgressReader.groups),
    (lines.STORE, ProgressReader.told),
    (lines.NAMESPACE, ProgressReader.part_begins),
    (lines.NAMESPACE_ENDS, ProgressReader.part_ends),
    (lines.COLLECTION, ProgressReader.part_begins),
    (lines.MARKED, ProgressReader.told),
    (lines.SWEPT, ProgressReader.told),
    (lines.COLLECTED, ProgressReader.part_ends),
    (lines.TAPE_RESTORE, ProgressReader.part_begins),
    (lines.TAPE_RESTORED, ProgressReader.part_ends),
    (lines.TAPE_NEEDED, ProgressReader.text_only),
    (lines.CHUNK_STORE, ProgressReader.told),
    (lines.PHASES, ProgressReader.new_phase),
    (lines.SIGNS_OF_LIFE, ProgressReader.text_only),
    (lines.FAILED, ProgressReader.failed),
    (lines.NO_NEWS, ProgressReader.no_news),
)


@functools.cache
def _kinds() -> tuple[re.Pattern[str], tuple[_Kind, ...], _Kind]:
    """The table compiled, when a log is first read: most calls read none.

    First one pattern that tells by a group's number which kind a line is of, for most lines are of none; last the kind
    of all other messages.
    """
    any_known = "|".join(f"({_NAMES.sub('(?:', pattern)})" for pattern, _handle in _KINDS)
    kinds = tuple((re.compile(pattern), handle) for pattern, handle in _KINDS)
    return re.compile(any_known), kinds, (re.compile(lines.MESSAGE), ProgressReader.message)


_NAMES = re.compile(r"\(\?P<[a-z]+>")
