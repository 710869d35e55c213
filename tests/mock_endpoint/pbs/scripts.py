# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tasks write and how long they take; line shapes as genuine Proxmox Backup Server prints them.

Sources: pbs-datastore datastore.rs, chunk_store.rs and store_progress.rs; src/backup/verify.rs; src/server/pull.rs,
verify_job.rs, gc_job.rs and prune_job.rs; src/api2/pull.rs.
"""

from __future__ import annotations

import time
import typing as t

from .._task import Line, Script
from .world import Job

GROUPS = ("ct/200", "vm/100")
SNAPSHOTS = 2
MIB = 1 << 20
NAMESPACES = ("", "nightly")


class Told:
    """Lines in the order they are written, and the time that passes between them."""

    def __init__(self) -> None:
        self.at = 0.1
        self.lines: list[Line] = []

    def say(self, *texts: str) -> None:
        """Write lines now."""
        self.lines += [(self.at, text) for text in texts]

    def script(self) -> Script:
        """The whole."""
        return Script(self.at + 0.1, self.lines)


def garbage_collection(store: str) -> Script:
    """Both phases: used chunks are marked, index file by index file; then the others are swept away."""
    told, files, chunks = Told(), 20, 6400
    told.say(f"starting garbage collection on store {store}", "Start GC phase1 (mark used chunks)")
    for done in range(1, files + 1):
        told.at += 0.2
        told.say(f"marked {100 * done // files}% ({done} of {files} index files)")
    told.say("Start GC phase2 (sweep unused chunks)")
    for percent in range(5, 100, 5):
        told.at += 0.2
        told.say(f"processed {percent}% ({chunks * percent // 100} chunks)")
    told.at += 0.2
    told.say(
        f"Removed garbage: {human(1234 * MIB)}",
        "Removed chunks: 617",
        f"Pending removals: {human(96 * MIB)} (in 48 chunks)",
        f"Original data usage: {human(81920 * MIB)}",
        f"On-Disk usage: {human(10240 * MIB)} (12.50%)",
        f"On-Disk chunks: {chunks - 617}",
        "Deduplication factor: 8.00",
        f"Average chunk size: {human(10240 * MIB // (chunks - 617))}",
    )
    return told.script()


def verification(store: str, begin: float, job: t.Optional[Job] = None) -> Script:
    """All snapshots of all groups, those of a job in its words."""
    told = Told()
    if job is not None:
        told.say(f"Starting datastore verify job '{store}:{job.id}'")
    told.say(f"verify datastore {store}", f"found {len(GROUPS)} groups")
    for position, group in enumerate(GROUPS):
        told.say(f"verify group {store}:{group} ({SNAPSHOTS} snapshots)")
        for number in range(SNAPSHOTS):
            told.say(f"verify {store}:{snapshot(group, begin, number)}", "  check drive-scsi0.img.fidx")
            told.at += 1.0
            told.say(
                "  verified 512.00/1024.00 MiB in 1.00 seconds, speed 512.00/1024.00 MiB/s (0 errors)",
                f"percentage done: {progress(position, len(GROUPS), number + 1, SNAPSHOTS)}",
            )
    return told.script()


def synchronization(job: Job, begin: float) -> Script:
    """Pull all groups of some namespaces of a remote datastore."""
    told, name = Told(), sync_id(job)
    told.say(
        f"Starting datastore sync job '{name}'", f"sync datastore '{job.store}' from '{job.remote}/{job.remote_store}'"
    )
    pulled = 0
    for layer, namespace in enumerate(NAMESPACES, 1):
        told.say("----", f"Syncing {_place(job.remote_store, namespace)} into {_place(job.store, namespace)}")
        told.say(f"found {len(GROUPS)} groups to sync (out of {len(GROUPS)} total)")
        for position, group in enumerate(GROUPS):
            for number in range(SNAPSHOTS):
                one = snapshot(group, begin, number)
                told.say(f"sync snapshot {one}", "sync archive drive-scsi0.img.fidx")
                told.at += 0.5
                pulled += 1
                told.say(
                    f"downloaded {human(128 * MIB)} ({human(256 * MIB)}/s)",
                    f"sync snapshot {one} done",
                    f"percentage done: {progress(position, len(GROUPS), number + 1, SNAPSHOTS)}",
                )
        told.say(
            f"Finished syncing namespace {namespace}, current progress: {layer * len(GROUPS)} groups, "
            f"{layer * len(GROUPS) * SNAPSHOTS} snapshots"
        )
    told.say(
        f"Summary: sync job pulled {human(pulled * 128 * MIB)} in {pulled * 32} chunks (average rate: "
        f"{human(256 * MIB)}/s)",
        f"sync job '{name}' end",
    )
    return told.script()


def prune(job: Job, begin: float) -> Script:
    """Keep the latest snapshot of every group."""
    told = Told()
    told.say(
        f"prune job '{job.id}'",
        f"Starting datastore prune on {_place(job.store, job.ns)}, down to full depth",
        "retention options: --keep-last 1",
    )
    for group in GROUPS:
        told.say(f'Pruning group {job.ns}:"{group}"')
        for number in range(SNAPSHOTS):
            mark = "keep" if number == SNAPSHOTS - 1 else "remove"
            told.at += 0.2
            told.say(f"{mark} {snapshot(group, begin, number)}")
    return told.script()


def sync_id(job: Job) -> str:
    """What a sync job's task is about."""
    return f"{job.remote or '-'}:{job.remote_store}:{job.store}:{job.ns}:{job.id}"


def snapshot(group: str, begin: float, number: int) -> str:
    """The path of a snapshot: one a day, the last one a day before ``begin``."""
    made = begin - 86400 * (SNAPSHOTS - number)
    return f"{group}/{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(made))}"


def progress(groups: int, of_groups: int, snapshots: int, of_snapshots: int) -> str:
    """How far one is, after some snapshots of the group that follows ``groups`` done ones."""
    percent = 100 * (groups + snapshots / of_snapshots) / of_groups
    if of_groups == 1:
        return f"{percent:.2f}% ({snapshots}/{of_snapshots} snapshots)"
    if snapshots == of_snapshots:
        return f"{percent:.2f}% ({groups + 1}/{of_groups} groups)"
    return f"{percent:.2f}% ({groups}/{of_groups} groups, {snapshots}/{of_snapshots} snapshots in group #{groups + 1})"


def human(size: float) -> str:
    """Bytes as proxmox-human-byte prints them."""
    unit = "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{round(size, 3):.10g} {unit}"


def _place(store: str, namespace: str) -> str:
    return f"datastore '{store}', " + (f"namespace '{namespace}'" if namespace else "root namespace")
