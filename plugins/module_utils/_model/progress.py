# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a task is: a reader that is fed the lines of its log as they come. Pure. Private to the collection.

No API tells progress, only the lines of logs do. A line alone is often not enough: how large a stream will be, which
drives move and which guests are backed up stands in earlier ones. So the reader remembers, and what it says depends
on the lines it was fed, never on how many of them somebody wants to see.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import clean

# The end of a line is its last state; what is shown of it should fit a person's line or two.
_READ_BACK = 4096
_TEXT_LENGTH = 200
_SIZE = r"[0-9]{1,18}(?:\.[0-9]{1,6})? ?[KMGTPE]?i?B?"
_UNITS = "BKMGTPE"


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a task says it is: 0 to 100, None where its log gives no share; ``text`` is one line, safe to show."""

    percent: float | None
    text: str

    def to_dict(self) -> dict[str, t.Any]:
        """The dictionary under ``progress`` in a task dictionary."""
        return dataclasses.asdict(self)


def progress(lines: t.Iterable[str]) -> Progress | None:
    """The last progress that these lines tell; None where they tell none."""
    reader = ProgressReader()
    reader.feed(lines)
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
        self._guest = ""
        self._guests: list[str] = []
        self._begun = 0
        self._stream = 0  # which of a log's ZFS streams
        self._stream_bytes = 0.0
        self._streams: dict[str, float] = {}  # bytes sent by snapshot

    def feed(self, lines: t.Iterable[str]) -> None:
        """Take the next lines in; each once, in the order of the log."""
        for line in lines:
            self._read(_BEFORE.sub("", _TIME.sub("", clean(line[-_READ_BACK:]))))

    def _read(self, line: str) -> None:
        for pattern, handle in _patterns():
            match = pattern.match(line)
            if match:
                self.last = handle(self, match) or self.last
                return

    # What a line can be

    def told(self, match: re.Match[str]) -> Progress:
        """A percentage of the server's own; where it falls, it begins anew."""
        percent = float(match["percent"])
        meter = match.re.pattern
        if meter == self._meter and percent < self._highest:
            self._end_phase()
        return self._figure(meter, percent, match)

    def worked_out(self, match: re.Match[str]) -> Progress:
        """A size and a total."""
        return self._figure("memory", _share(_bytes(match["done"]), _bytes(match["total"])), match)

    def remaining(self, match: re.Match[str]) -> Progress:
        """Old migrations: what was transferred leaves zero pages out, what remains does not."""
        total = _bytes(match["total"])
        return self._figure("memory", _share(total - _bytes(match["remaining"]), total), match)

    def drive_begins(self, match: re.Match[str]) -> Progress:
        """The mirror of a drive begins: those before it are done, though their lines may go on."""
        self._moved |= self._drives.keys()
        self._moved.discard(match["drive"])
        self._drives = {}
        return self.new_phase(match)

    def drive(self, match: re.Match[str]) -> Progress | None:
        """One of the block jobs: where more than one is at work, their bytes are what counts."""
        name = match["drive"]
        if name in self._moved:
            return None
        self._drives[name] = (_bytes(match["done"]), _bytes(match["total"]))
        if len(self._drives) == 1:
            return self._figure(("drive", name), float(match["percent"]), match)
        done, total = (sum(sizes) for sizes in zip(*self._drives.values()))
        return self._figure(tuple(self._drives), _share(done, total), match, f"{len(self._drives)} drives, ")

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
        self._begun += 1
        of = f" ({self._begun} of {len(self._guests)})" if len(self._guests) > 1 else ""
        self._guest = f"{'CT' if match['kind'] == 'lxc' else 'VM'} {match['guest']}{of}: "
        return self.new_phase(match)

    def guest_ends(self, match: re.Match[str]) -> Progress:
        """The end of a guest's backup, or of all."""
        self._guest = ""
        return self.new_phase(match)

    def stream_begins(self, match: re.Match[str]) -> None:
        """The size that a ZFS stream will have."""
        self._stream += 1
        self._stream_bytes, self._streams = _bytes(match["total"]), {}

    def stream(self, match: re.Match[str]) -> Progress:
        """What a ZFS stream has sent of a snapshot; each snapshot counts anew."""
        self._streams[match["snapshot"]] = max(_bytes(match["done"]), self._streams.get(match["snapshot"], 0.0))
        return self._figure(("stream", self._stream), _share(sum(self._streams.values()), self._stream_bytes), match)

    def complete(self, match: re.Match[str]) -> Progress:
        """A line that says the work is done."""
        return self._figure("complete", 100.0, match)

    def new_phase(self, match: re.Match[str]) -> Progress:
        """A line that begins or ends a part of the work; the figure before it says nothing of what comes."""
        self._end_phase()
        return self.text_only(match)

    def text_only(self, match: re.Match[str]) -> Progress:
        """A sign of life that tells no share."""
        return Progress(None, _short(f"{self._guest}{_said(match)}"))

    def failed(self, _match: re.Match[str]) -> Progress | None:
        """The task failed: it got as far as it got, but not to its end."""
        if self.last is None or self.last.percent != 100.0:
            return self.last
        return dataclasses.replace(self.last, percent=None)

    # Figures

    def _figure(self, meter: t.Hashable, percent: float | None, match: re.Match[str], lead: str = "") -> Progress:
        text = _short(f"{self._guest}{lead}{_said(match)}")
        if percent is None:
            return Progress(None, text)
        if meter != self._meter:
            self._end_phase()
            self._meter = meter
        # Totals grow while guests write, and memory gets dirty again: the person should not see that as a step back.
        self._highest = max(self._highest, min(100.0, max(0.0, percent)))
        return Progress(round(self._highest, 2), text)

    def _end_phase(self) -> None:
        self.phase += self._meter is not None
        self._meter, self._highest = None, 0.0


def _said(match: re.Match[str]) -> str:
    return match.string.strip()


def _short(text: str) -> str:
    return text[:_TEXT_LENGTH]


def _share(done: float, total: float) -> float | None:
    return 100.0 * done / total if total > 0 else None


def _bytes(size: str) -> float:
    number = size.rstrip(f"{_UNITS}i ")
    unit = size[len(number) :].strip()[:1]
    return float(number) * 1024.0 ** _UNITS.index(unit)


# Backup Server and migrations put a time before each line, old Proxmox VE one without a year.
_TIME = re.compile(
    r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{8}(?:Z|[+-][0-9:]{5})?:? |[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} )"
)
# Backups say how bad a line is, parallel jobs of Backup Server which group it is about.
_BEFORE = re.compile(r"^(?:(?:INFO|ERROR|WARN): ?|\[[^\]]{1,200}\]: )+")
_PERCENT = r"(?P<percent>[0-9]{1,3}(?:\.[0-9]{1,9})?)"
_DONE_OF_TOTAL = rf"(?P<done>{_SIZE}) of (?P<total>{_SIZE})"
_OLD_MIRROR = (
    r"(?P<drive>[^\s:]+): transferred: (?P<done>[0-9]{1,20}) bytes remaining: [0-9]+ bytes "
    rf"total: (?P<total>[0-9]{{1,20}}) bytes progression: {_PERCENT} %"
)
_PHASES = (
    "create full clone of drive |all '[a-z]+' jobs are ready|Completing block job"
    "|starting (?:VM|CT) [0-9]+ on remote node|starting (?:online/live )?migration|start migrate command to "
    "|Start GC phase[12]|download and verify backup index|Waiting for server to finish backup validation"
    "|Syncing datastore |Finished syncing |restore image complete \\(bytes=[0-9]+, "
)
_SIGNS_OF_LIFE = (
    rf"Total bytes written: [0-9]|archive file size: |transferred {_SIZE} in [<0-9.]+ seconds"
    rf"|\S+: (?:had to backup |backup was done incrementally, )|processed {_SIZE} in .{{1,20}}, uploaded "
    rf"|migration device, transferred |(?:full )?send (?:of|from) \S+ .{{0,200}}estimated size is "
    r"|[0-9]+ bytes \([^)]*\) copied, "
    r"|Number of regular files transferred: |Total bytes (?:sent|received): |sent [0-9,.]+\S* bytes "
)
_Handler = t.Callable[[ProgressReader, "re.Match[str]"], t.Optional[Progress]]
_PATTERNS: tuple[tuple[str, _Handler], ...] = (
    # Block jobs of running guests, as before Proxmox VE 6.3 too, then of stopped ones (BlockJob.pm, QemuImage.pm)
    (rf"(?P<drive>\S+): transferred {_DONE_OF_TOTAL} \({_PERCENT}%\)", ProgressReader.drive),
    (_OLD_MIRROR, ProgressReader.drive),
    (r"drive mirror is starting for (?P<drive>\S+)", ProgressReader.drive_begins),
    (rf"transferred {_DONE_OF_TOTAL} \({_PERCENT}%\)$", ProgressReader.told),
    # Live migration (QemuMigrate.pm), then as before Proxmox VE 6.2
    (rf"migration active, transferred {_DONE_OF_TOTAL} VM-state", ProgressReader.worked_out),
    (r"migration completed, |average migration speed: |migration finished successfully", ProgressReader.complete),
    (
        r"migration status: active \(transferred [0-9]{1,20}, remaining (?P<remaining>[0-9]{1,20})\), "
        r"total (?P<total>[0-9]{1,20})\)",
        ProgressReader.remaining,
    ),
    (
        rf"transferred: [0-9]+ bytes remaining: [0-9]+ bytes total: [0-9]+ bytes progression: {_PERCENT} %",
        ProgressReader.told,
    ),
    # Backups (VZDump.pm, VZDump/QemuServer.pm), then as before Proxmox VE 6.2
    (rf"\s*{_PERCENT}% \({_SIZE} of {_SIZE}\) in ", ProgressReader.told),
    (rf"status: {_PERCENT}% \([0-9]+/[0-9]+\), ", ProgressReader.told),
    (r"starting new backup job: vzdump(?P<arguments>.*)", ProgressReader.job_begins),
    (r"skip external VMs: (?P<guests>[0-9, ]+)", ProgressReader.elsewhere),
    (r"Starting Backup of VM (?P<guest>[0-9]+) \((?P<kind>qemu|lxc)\)", ProgressReader.guest_begins),
    (r"Backup job finished successfully", ProgressReader.complete),
    (r"Finished Backup of VM [0-9]+ |Backup of VM [0-9]+ failed|Backup job finished ", ProgressReader.guest_ends),
    # Restores: the percentage begins anew with each disk
    (rf"progress {_PERCENT}% \(read [0-9]+ bytes, ", ProgressReader.told),
    # Storage migration: zfs, wget
    (rf"total estimated size is (?P<total>{_SIZE})$", ProgressReader.stream_begins),
    (rf"[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}\s+(?P<done>{_SIZE})\s+(?P<snapshot>\S+@\S+)", ProgressReader.stream),
    (rf"\s*[0-9]+[KM][ .]+ {_PERCENT}%\s", ProgressReader.told),
    (r"download of '.*' finished", ProgressReader.complete),
    # Backup Server: store_progress.rs, garbage collection (two passes of 0 to 100), a new datastore
    (
        rf"(?:[a-z ]{{1,40}}: )?[Pp]ercentage done: {_PERCENT}"
        r"(?:% \([0-9]+/[0-9]+ (?:groups|snapshots)|, chunk count: )",
        ProgressReader.told,
    ),
    (rf"marked {_PERCENT}% \([0-9]+ of [0-9]+ index files\)", ProgressReader.told),
    (rf"processed {_PERCENT}% \([0-9]+ chunks\)", ProgressReader.told),
    (rf"Chunkstore create: {_PERCENT}%", ProgressReader.told),
    (_PHASES, ProgressReader.new_phase),
    (_SIGNS_OF_LIFE, ProgressReader.text_only),
    (r"TASK ERROR", ProgressReader.failed),
)


@functools.cache
def _patterns() -> tuple[tuple[re.Pattern[str], _Handler], ...]:
    """The table compiled, when a log is first read: most calls read none."""
    return tuple((re.compile(pattern), handler) for pattern, handler in _PATTERNS)
