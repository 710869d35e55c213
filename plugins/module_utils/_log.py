# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What task logs say: rows to text, paging, the verdict, safe display, progress. Private to the collection.

Pure functions. A row is ``{n, t}``: the line's number, counted from 1, and its text.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import functools
import re
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._errors import OptionError

Row = t.Mapping[str, t.Any]

_EMPTY = "no content"
_GONE = "unable to open file - "


def repair(text: str) -> str:
    """Proxmox VE sends UTF-8 as if each byte were a Latin-1 character: put right what is valid UTF-8."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def log_is_gone(rows: t.Iterable[object]) -> bool:
    """Whether the answer only says that there is no log file (a row of Proxmox VE's own, under status 200)."""
    numbered = _numbered(rows)
    return len(numbered) == 1 and numbered.get(1, "").startswith(_GONE)


def lines_of(rows: t.Iterable[object]) -> list[str]:
    """The readable lines in order, each number once.

    Of two rows with one number the later wins: a line that was still being written when it was first read. The row
    that Proxmox VE sends for an empty log is no line.

    :raises OptionError: for what is no row, saying what is wrong.
    """
    numbered = _numbered(rows)
    return [] if numbered == {1: _EMPTY} else [repair(text) for _n, text in sorted(numbered.items())]


def tail_start(total: int, lines: int) -> int:
    """The ``start`` from which to ask for the last ``lines`` (0: all) of ``total``.

    Backup Server counts from 1 and so answers one row more: keep the last ``lines`` of what comes.
    """
    return max(0, total - lines) if lines else 0


def decode_rows(rows: object) -> str:
    """The text of a log, from its rows in any order.

    :raises OptionError: for all else than an iterable of rows, saying what is wrong.
    """
    if isinstance(rows, collections.abc.Mapping):
        raise OptionError("a task's log is a list of rows, not a dictionary: give what the answer has under 'data'")
    if isinstance(rows, (str, bytes, bytearray)) or not isinstance(rows, collections.abc.Iterable):
        raise OptionError(f"a task's log is a list of rows, not a value of type {type(rows).__name__}")
    return "\n".join(lines_of(rows))


def _checked(index: int, row: object) -> Row:
    if not isinstance(row, collections.abc.Mapping) or not {"n", "t"} <= row.keys():
        raise OptionError(f"row {index} of the log is no dictionary with 'n' (number) and 't' (text)")
    if isinstance(row["n"], bool) or not isinstance(row["n"], int):
        raise OptionError(f"'n' of row {index} of the log is no whole number")
    if not isinstance(row["t"], str):
        raise OptionError(f"'t' of row {index} of the log is no text")
    return row


def _numbered(rows: t.Iterable[object]) -> dict[int, str]:
    checked = (_checked(index, row) for index, row in enumerate(rows))
    return {row["n"]: row["t"] for row in checked}


# --- safe display

# No part matches across another control character, which keeps the search linear on unended sequences.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x00-\x1f\x7f-\x9f]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]"  # all shorter ones
)


def clean(text: str) -> str:
    r"""One line that is safe on a terminal: nothing in it moves a cursor, colours, hides or reorders text.

    Progress that overwrites itself (``\r``, ``\b``) is collapsed to its last state; line breaks become blanks.
    """
    if text.isprintable():
        return text.rstrip()
    lines = [_overwritten(line) for line in _ESCAPES.sub("", text).split("\n")]
    # What is not printable includes the characters that reorder text (bidi) or have no width.
    shown = (char if char.isprintable() else " " if char.isspace() else "" for char in " ".join(lines))
    return "".join(shown).rstrip()


def in_sentence(text: str) -> str:
    """A text of others as a part of a sentence of ours: one clean line, its full stop left to the sentence."""
    return clean(text).strip().rstrip(".")


def _overwritten(line: str) -> str:
    states = [state for state in line.split("\r") if state.strip()]
    shown: list[str] = []
    for char in states[-1] if states else "":
        if char != "\b":
            shown.append(char)
        elif shown:
            shown.pop()
    return "".join(shown)


# --- the verdict

_VERDICT = re.compile(r"TASK (?:ERROR:(?:\s*$| (?P<error>.*\S))|(?P<end>OK|WARNINGS: [0-9]+|unknown)\s*$)", re.DOTALL)


def verdict(lines: t.Sequence[str]) -> str | None:
    """The exit status that a log's last line tells; None where it is no verdict.

    The line is matched at its end: output without a line break leaves ``progress 100%TASK OK``, which makes Proxmox VE
    itself answer ``unexpected status``. So does an error without a text (``PVE::Tools::upid_read_status`` wants a
    character of it): its exit status is the empty text here. Backup Server puts a time in front.
    """
    match = _VERDICT.search(lines[-1]) if lines else None
    return match and (match["end"] or match["error"] or "")


# --- progress

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


def progress(lines: t.Sequence[str]) -> Progress | None:
    """The last progress that the tail of a log tells, whatever the type of the task; None where it tells none."""
    reader = _Reader()
    for line in lines:
        reader.read(clean(line[-_READ_BACK:]))
    return reader.last


class _Reader:
    """Reads a log line by line; keeps what later lines need: drives that move side by side, guests, a total.

    A backup's percentage is that of one guest: sizes differ, and the tail of a log seldom says how many there are.
    """

    def __init__(self) -> None:
        self.last: Progress | None = None
        self._drives: dict[str, tuple[float, float]] = {}
        self._guest = ""
        self._guests_begun = 0
        self._guests_total = 0
        self._zfs_total = 0.0

    def read(self, line: str) -> None:
        """Take one clean line in."""
        text = _TIME.sub("", line)
        for pattern, handle in _patterns():
            match = pattern.match(text)
            if match:
                found = handle(self, match)
                self.last = found or self.last
                return

    def told(self, match: re.Match[str]) -> Progress:
        """A line that tells its percentage."""
        return _progress(float(match["percent"]), _said(match))

    def worked_out(self, match: re.Match[str]) -> Progress:
        """A line with a size and a total."""
        return _progress(_share(_bytes(match["done"]), _bytes(match["total"])), _said(match))

    def remaining(self, match: re.Match[str]) -> Progress:
        """Old migrations: what was transferred leaves zero pages out, what remains does not."""
        total = _bytes(match["total"])
        return _progress(_share(total - _bytes(match["remaining"]), total), _said(match))

    def drive(self, match: re.Match[str]) -> Progress:
        """One of several block jobs: with more than one the whole is what counts."""
        self._drives[match["drive"]] = (_bytes(match["done"]), _bytes(match["total"]))
        if len(self._drives) == 1:
            return self.told(match)
        done, total = (sum(sizes) for sizes in zip(*self._drives.values()))
        return _progress(_share(done, total), f"{len(self._drives)} drives, {_said(match)}")

    def job(self, match: re.Match[str]) -> None:
        """The start of a backup job: its guests, where it was given them by number."""
        self._guests_begun = 0
        self._guests_total = len(re.findall(r"(?<= )[0-9]+(?= |$)", re.split(r" -", match["arguments"], maxsplit=1)[0]))

    def guest(self, match: re.Match[str]) -> Progress:
        """The start of a guest's backup."""
        self._guests_begun += 1
        of = f" ({self._guests_begun} of {self._guests_total})" if self._guests_total > 1 else ""
        self._guest = f"{'CT' if match['kind'] == 'lxc' else 'VM'} {match['guest']}{of}: "
        return _progress(None, f"{self._guest}{_said(match)}")

    def of_guest(self, match: re.Match[str]) -> Progress:
        """A percentage of the guest being backed up."""
        return _progress(float(match["percent"]), f"{self._guest}{_said(match)}")

    def of_guest_text(self, match: re.Match[str]) -> Progress:
        """A size told of the guest being backed up."""
        return _progress(None, f"{self._guest}{_said(match)}")

    def guest_ended(self, match: re.Match[str]) -> Progress:
        """The end of a guest's backup."""
        self._guest = ""
        return _progress(None, _said(match))

    def zfs_total(self, match: re.Match[str]) -> None:
        """The size a ZFS stream will have."""
        self._zfs_total = _bytes(match["total"])

    def zfs(self, match: re.Match[str]) -> Progress:
        """What a ZFS stream has sent."""
        return _progress(_share(_bytes(match["done"]), self._zfs_total), _said(match))

    def complete(self, match: re.Match[str]) -> Progress:
        """A line that says the work is done."""
        return _progress(100.0, _said(match))

    def text_only(self, match: re.Match[str]) -> Progress:
        """A line worth showing that tells no share."""
        return _progress(None, _said(match))


def _said(match: re.Match[str]) -> str:
    return re.sub(r"^(?:INFO|ERROR):\s*", "", match.string).strip()


def _progress(percent: float | None, text: str) -> Progress:
    return Progress(None if percent is None else round(min(100.0, max(0.0, percent)), 2), text[:_TEXT_LENGTH])


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
_PERCENT = r"(?P<percent>[0-9]{1,3}(?:\.[0-9]{1,9})?)"
_DONE_OF_TOTAL = rf"(?P<done>{_SIZE}) of (?P<total>{_SIZE})"
_PHASES = (
    "create full clone of drive |drive mirror is starting for |all '[a-z]+' jobs are ready|Completing block job"
    "|starting (?:VM|CT) [0-9]+ on remote node|starting (?:online/live )?migration|start migrate command to "
    "|Start GC phase[12]|download and verify backup index|Waiting for server to finish backup validation"
)
_Handler = t.Callable[[_Reader, "re.Match[str]"], t.Optional[Progress]]
_PATTERNS: tuple[tuple[str, _Handler], ...] = (
    # Block jobs of running guests, then of stopped ones (qemu-server BlockJob.pm, QemuImage.pm)
    (rf"(?P<drive>\S+): transferred {_DONE_OF_TOTAL} \({_PERCENT}%\)", _Reader.drive),
    (rf"transferred {_DONE_OF_TOTAL} \({_PERCENT}%\)$", _Reader.told),
    # Live migration (QemuMigrate.pm), then as before Proxmox VE 6.2
    (rf"migration active, transferred {_DONE_OF_TOTAL} VM-state", _Reader.worked_out),
    (r"migration completed, |average migration speed: |migration finished successfully", _Reader.complete),
    (
        r"migration status: active \(transferred [0-9]{1,20}, remaining (?P<remaining>[0-9]{1,20})\), "
        r"total (?P<total>[0-9]{1,20})\)",
        _Reader.remaining,
    ),
    (
        rf"transferred: [0-9]+ bytes remaining: [0-9]+ bytes total: [0-9]+ bytes progression: {_PERCENT} %",
        _Reader.told,
    ),
    # Backups (VZDump.pm, VZDump/QemuServer.pm), then as before Proxmox VE 6.2
    (rf"INFO:\s+{_PERCENT}% \({_SIZE} of {_SIZE}\) in ", _Reader.of_guest),
    (rf"INFO: status: {_PERCENT}% \([0-9]+/[0-9]+\), ", _Reader.of_guest),
    (r"INFO: starting new backup job: vzdump(?P<arguments>.*)", _Reader.job),
    (r"INFO: Starting Backup of VM (?P<guest>[0-9]+) \((?P<kind>qemu|lxc)\)", _Reader.guest),
    (r"INFO: Finished Backup of VM [0-9]+ |ERROR: Backup of VM [0-9]+ failed", _Reader.guest_ended),
    (r"INFO: Backup job finished successfully", _Reader.complete),
    (r"INFO: Backup job finished ", _Reader.text_only),
    (
        rf"INFO: (?:Total bytes written: [0-9]|archive file size: |transferred {_SIZE} in [0-9.]+ seconds"
        r"|\S+: (?:had to backup |backup was done incrementally, ))",
        _Reader.of_guest_text,
    ),
    # Restores: the percentage begins anew with each disk
    (rf"progress {_PERCENT}% \(read [0-9]+ bytes, ", _Reader.told),
    (r"restore image complete \(bytes=[0-9]+, ", _Reader.text_only),
    # Storage migration: dd, zfs send, wget, rsync
    (r"[0-9]+ bytes \([^)]*\) copied, ", _Reader.text_only),
    (rf"total estimated size is (?P<total>{_SIZE})$", _Reader.zfs_total),
    (rf"[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}\s+(?P<done>{_SIZE})\s+\S+@\S+", _Reader.zfs),
    (rf"\s*[0-9]+[KM][ .]+ {_PERCENT}%\s", _Reader.told),
    (r"download of '.*' finished", _Reader.complete),
    (
        r"Number of regular files transferred: |Total bytes (?:sent|received): |sent [0-9,.]+\S* bytes ",
        _Reader.text_only,
    ),
    # Backup Server: store_progress.rs, garbage collection (two passes of 0 to 100), a new datastore
    (rf"percentage done: {_PERCENT}(?:% \([0-9]+/[0-9]+ (?:groups|snapshots)|, chunk count: )", _Reader.told),
    (rf"marked {_PERCENT}% \([0-9]+ of [0-9]+ index files\)", _Reader.told),
    (rf"processed {_PERCENT}% \([0-9]+ chunks\)", _Reader.told),
    (rf"Chunkstore create: {_PERCENT}%", _Reader.told),
    (_PHASES, _Reader.text_only),
)


@functools.cache
def _patterns() -> tuple[tuple[re.Pattern[str], _Handler], ...]:
    """The table compiled, when a log is first read: most calls read none."""
    return tuple((re.compile(pattern), handler) for pattern, handler in _PATTERNS)
