# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far tasks of Backup Server and of Mail Gateway are: whole logs, line by line."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import Progress, ProgressReader, progress
from hypothesis import given
from hypothesis import strategies as st

TIME = "2025-09-29T09:52:36+02:00: "
SNAPSHOT = "vm/100/2025-09-29T07:00:00Z"

# Each line with what is told once it was read: the percentage, and the text where it is not the line's own words.
Log = list[tuple[str, t.Optional[float], str]]

COLLECTION: Log = [
    ("starting garbage collection on store st", None, ""),
    ("task triggered by schedule 'daily'", None, "starting garbage collection on store st"),
    ("Access time update check successful, proceeding with GC.", None, ""),
    ("Start GC phase1 (mark used chunks)", None, ""),
    ("marked 1% (18 of 1843 index files)", 1, "phase1: marked 1% (18 of 1843 index files)"),
    ("warning: unable to access non-existent chunk ab, required by x", 1, "phase1: warning: unable to"),
    ("marked 100% (1843 of 1843 index files)", 100, "phase1: marked 100%"),
    ("Start GC phase2 (sweep unused chunks)", None, ""),
    ("processed 1% (2125 chunks)", 1, "phase2: processed 1%"),
    ("processed 99% (211888 chunks)", 99, "phase2: processed 99%"),
    ("Removed garbage: 1.2 GiB", None, ""),
    ("Removed chunks: 500", None, ""),
    ("Pending removals: 10.25 GiB (in 5021 chunks)", None, ""),
    ("Original data usage: 12.5 TiB", None, "Pending removals: "),
    ("On-Disk usage: 500 GiB (3.91%)", None, "Pending removals: "),
    ("On-Disk chunks: 214000", None, "Pending removals: "),
    ("Deduplication factor: 25.60", None, "Pending removals: "),
    ("Average chunk size: 2.393 MiB", None, "Pending removals: "),
    ("TASK OK", None, "Pending removals: "),
]
OBJECT_STORE: Log = [
    ("Start GC phase1 (mark used chunks)", None, ""),
    ("marked 100% (12 of 12 index files)", 100, "phase1: "),
    ("Start GC phase2 (sweep unused chunks)", None, ""),
    ("processed 2500 total chunks", None, "phase2: processed 2500 total chunks"),
    ("Start GC phase3 (sweep unused chunk markers)", None, ""),
    ("processed 50% (1250 chunks)", 50, "phase3: processed 50%"),
    ("Chunk cache: hits 5, misses 6 (hit ratio 45.45%)", 50, "phase3: Chunk cache: "),
    ("Removed garbage: 0 B", None, ""),
]
# as before 1.1
OLD_COLLECTION: Log = [
    ("starting garbage collection on store st", None, ""),
    ("Start GC phase1 (mark used chunks)", None, ""),
    ("percentage done: phase1 50% (10 of 20 index files)", 50, "phase1: percentage done: phase1 50%"),
    ("Start GC phase2 (sweep unused chunks)", None, ""),
    ("percentage done: phase2 7% (processed 219 chunks)", 7, "phase2: percentage done: phase2 7%"),
    ("Removed bytes: 411368505", None, ""),
    ("Disk bytes: 52767414743 (16 %)", None, "Removed bytes: "),
]
VERIFY: Log = [
    ("Starting datastore verify job 'st:v-12ab'", None, ""),
    ("verify datastore st", None, ""),
    ("found 2 groups", None, ""),
    ("verify group st:vm/100 (2 snapshots)", None, ""),
    (f"verify st:{SNAPSHOT}", None, ""),
    ("  check drive-scsi0.img.fidx", None, "check drive-scsi0.img.fidx"),
    ("  verified 12.00/34.00 MiB in 0.50 seconds, speed 24.00/68.00 MiB/s (0 errors)", None, "verified 12.00/34.00"),
    ("percentage done: 25.00% (0/2 groups, 1/2 snapshots in group #1)", 25, ""),
    (f"SKIPPED: verify st:{SNAPSHOT} (recently verified)", 25, ""),
    ("percentage done: 50.00% (1/2 groups)", 50, ""),
    ("verify group st:vm/101 (1 snapshots)", 50, ""),
    ("chunk ab was marked as corrupt", 50, ""),
    ("percentage done: 100.00% (2/2 groups)", 100, ""),
    ("Failed to verify the following snapshots/groups:", None, ""),
    ("\tvm/101/2025-09-29T08:00:00Z", None, "vm/101/2025-09-29T08:00:00Z"),
    ("TASK ERROR: verification failed - please check the log for details", None, "vm/101/"),
]
VERIFIED: Log = [
    ("verify group st:vm/100 (2 snapshots)", None, ""),
    ("percentage done: 50.00% (1/2 snapshots)", 50, ""),
    ("percentage done: 100.00% (2/2 snapshots)", 100, ""),
    ("TASK OK", 100, "percentage done: 100.00%"),
]
OLD_VERIFY: Log = [
    ("verify datastore st", None, ""),
    ("percentage done: 33.33% (1 of 3 snapshots)", 33.33, ""),
    ("percentage done: 100.00% (3 of 3 snapshots)", 100, ""),
    ("Failed to verify following snapshots/groups:", None, ""),
]
SYNC: Log = [
    ("Starting datastore sync job 'remote:st:local:ns:s-1'", None, ""),
    ("sync datastore 'local' from 'remote/st'", None, ""),
    ("----", None, "sync datastore 'local'"),
    ("Syncing datastore 'st', root namespace into datastore 'local', root namespace", None, ""),
    ("found 1 groups to sync (out of 3 total)", None, "root namespace: found 1 groups"),
    ("sync snapshot vm/100/2025-09-29T07:00:00Z", None, "root namespace: sync snapshot"),
    ("downloaded 12 MiB (34 MiB/s)", None, "root namespace: downloaded"),
    ("percentage done: 100.00% (1/1 groups)", 100, "root namespace: percentage done"),
    ("delete vanished group 'vm/99'", None, "root namespace: delete vanished"),
    ("Finished syncing root namespace, current progress: 1 groups, 1 snapshots", None, ""),
    ("----", None, "Finished syncing root namespace"),
    ("Syncing datastore 'st', namespace 'a/big' into datastore 'local', namespace 'a/big'", None, ""),
    ("percentage done: 5.00% (1/20 groups)", 5, "namespace 'a/big': percentage done"),
    ("sync archive drive-scsi0.img.fidx", 5, "namespace 'a/big': sync archive"),
    ("percentage done: 6.25% (1/20 groups, 1/4 snapshots in group #2)", 6.25, "namespace 'a/big': percentage"),
    ("Encountered errors while syncing namespace a/big - gone", None, ""),
    ("Summary: sync job pulled 12 MiB in 5 chunks (average rate: 34 MiB/s)", None, ""),
    ("sync job 'remote:st:local:ns:s-1' end", None, ""),
    ("queued notification (id=1)", None, "sync job"),
    ("TASK ERROR: sync failed with some errors.", None, "sync job"),
]
# since 4.2, with worker-threads: what a group tells of all may be old, and it is told a second late
SIDE_BY_SIDE: Log = [
    ("Syncing datastore 'st', namespace 'n' into datastore 'local', root namespace", None, ""),
    ("Found 20 groups to sync (out of 20 total)", None, "namespace 'n': Found 20"),
    ("[vm/100]: 2025-09-29T07:00:00Z: sync done", None, "namespace 'n': [vm/100]: 2025-09-29T07:00:00Z: sync done"),
    ("[vm/100]: snapshot 1/4 within vm/100 is done, 4/20 groups done", 20, "namespace 'n': snapshot 1/4"),
    ("[vm/101]: group sync done: percentage done: 35.00% (7/20 groups)", 35, "namespace 'n': group sync done"),
    ("[vm/100]: group sync done: percentage done: 25.00% (5/20 groups)", 35, "namespace 'n': group sync done"),
    ("[vm/102]: snapshot 2/2 within vm/102 is done, 9/20 groups done", 45, "namespace 'n': snapshot 2/2"),
    ("[vm/102]: sync group vm/102 failed - connection reset", 45, "namespace 'n': [vm/102]: sync group vm/102"),
    ("Finished syncing namespace n, current progress: 20 groups, 31 snapshots", None, ""),
]
# as before 1.0.5
OLD_SYNC: Log = [
    ("sync datastore 'local' start", None, ""),
    ('re-sync snapshot "vm/100/2020-11-20T07:00:00Z"', None, ""),
    ("percentage done: 12.50%", 12.5, ""),
    ('re-sync snapshot "vm/100/2020-11-21T07:00:00Z" done', 12.5, ""),
    ("sync datastore 'local' end", None, ""),
]
PRUNE: Log = [
    ("prune job 'p-1'", None, ""),
    ("Starting datastore prune on datastore 'st', root namespace, down to full depth", None, ""),
    ("retention options: --keep-last 3", None, ""),
    ('Pruning group a/b:"vm/100"', None, ""),
    (f"keep {SNAPSHOT}", None, ""),
    (f"would remove {SNAPSHOT}", None, ""),
    ('failed to remove dir "vm/100": busy', None, ""),
    ("TASK WARNINGS: 1", None, "failed to remove"),
]
TAPE: Log = [
    ("Starting tape backup job 'st:pool:drive'", None, ""),
    ("update media online status", None, ""),
    ("found 2 groups (out of 2 total)", None, ""),
    ('backup snapshot "vm/100/2025-09-29T07:00:00Z"', None, ""),
    ("percentage done: 50.00% (1/2 groups)", 50, ""),
    ("wrote 1200 chunks (4294.97 MB at 250.00 MB/s)", 50, ""),
    ("Please insert media 'TAPE2' into standalone drive 'drive'", None, ""),
    ("found media label TAPE2 (1234)", None, ""),
    ("percentage done: 75.00% (1/2 groups, 1/2 snapshots in group #2)", 75, ""),
    (f"skip snapshot {SNAPSHOT}", 75, ""),
    ("append media catalog", None, ""),
    ("TASK OK", None, "append media catalog"),
]
TAPE_RESTORE: Log = [
    ("Mediaset '1234'", None, ""),
    ("Phase 1: temporarily restore snapshots to temp dir", None, ""),
    (f"File 3: snapshot archive st:{SNAPSHOT}", None, "Phase 1: File 3"),
    ("Phase 2: restore chunks to datastores", None, ""),
    ("restored 1.2 GB (250.00 MB/s)", None, "Phase 2: restored"),
    ("Restore mediaset '1234' done", None, ""),
]
CATALOG: Log = [
    ("no catalog found", None, ""),
    ("scanning entire media to reconstruct catalog", None, ""),
    ("File 12: chunk archive for datastore 'st'", None, ""),
]
DATASTORE: Log = [
    ("Chunkstore create: 1%", 1, ""),
    ("Chunkstore create: 100%", 100, ""),
    ("TASK OK", 100, "Chunkstore create: 100%"),
]
APT: Log = [("starting apt-get update", None, ""), ("Get:1 http://deb.example/x InRelease [9 kB]", None, "")]

BACKUP_SERVER = {
    "garbage collection": COLLECTION,
    "garbage collection with an object store": OBJECT_STORE,
    "garbage collection, old": OLD_COLLECTION,
    "verify job": VERIFY,
    "verify of a group": VERIFIED,
    "verify, old": OLD_VERIFY,
    "sync job": SYNC,
    "sync side by side": SIDE_BY_SIDE,
    "sync, old": OLD_SYNC,
    "prune job": PRUNE,
    "tape backup": TAPE,
    "tape restore": TAPE_RESTORE,
    "tape catalog": CATALOG,
    "datastore": DATASTORE,
    "apt": APT,
}
MAIL_GATEWAY: dict[str, Log] = {
    "apt": [
        ("starting apt-get update", None, ""),
        ("Hit:1 http://deb.example trixie InRelease", None, ""),
        ("Fetched 99 kB in 1s (120 kB/s)", None, ""),
        ("Reading package lists...", None, ""),
        ("TASK OK", None, "Reading package lists..."),
    ],
    "virus scanner": [
        (
            "Mon Sep 29 09:52:36 2025 -> ClamAV update process started at Mon Sep 29 09:52:36 2025",
            None,
            "ClamAV update",
        ),
        ("ClamAV update process started at Mon Sep 29 09:52:36 2025", None, ""),
        ("daily database available for update (local version: 26999, remote version: 27000)", None, ""),
        ("Database test passed.", None, ""),
        ("daily.cld updated (version: 27000, sigs: 2000000, f-level: 90, builder: x)", None, ""),
    ],
    "spam rules": [
        ("Update available for channel updates.spamassassin.example: 1901 -> 1902", None, ""),
        ("Updating kam.example", None, ""),
        ("Update finished, no fresh updates were available", None, ""),
    ],
    "backup": [
        ("starting backup to: pmg-backup_2025.tgz", None, ""),
        ("backup finished", None, ""),
        ("starting prune of host/pmg", None, ""),
        ("pruned snapshot: host/pmg/2025-09-29T07:00:00Z", None, ""),
        ("TASK ERROR: no", None, "pruned snapshot: "),
    ],
    "backup to Backup Server": [
        ("starting update of current backup state", None, ""),
        ("Upload directory '/tmp/x' to 'u@pbs@192.0.2.20:st' as pmgbackup.pxar.didx", None, ""),
    ],
    "restore": [
        ("starting restore: /var/lib/pmg/backup/x.tgz", None, ""),
        ("Destroy existing rule database", None, ""),
        ("Analyzing/Upgrading existing Databases...done", None, ""),
        ("restore finished", None, ""),
    ],
    "cluster": [
        ("stop all services accessing the database", None, ""),
        ("save new cluster configuration", None, ""),
        ("cluster node successfully joined", None, ""),
        ("copying master database from '192.0.2.1'", None, ""),
        ("create new local database", None, ""),
        ("run upgradedb to latest schema", None, ""),
        ("syncing quarantine data finished", None, ""),
    ],
}
CASES = [
    *(pytest.param(TIME, log, id=f"backup server: {name}") for name, log in BACKUP_SERVER.items()),
    *(pytest.param("", log, id=f"mail gateway: {name}") for name, log in MAIL_GATEWAY.items()),
]


@pytest.mark.parametrize(("time", "log"), CASES)
def test_what_each_line_of_a_log_tells(time: str, log: Log) -> None:
    reader = ProgressReader()
    for line, percent, text in log:
        reader.feed([time + line])
        assert reader.last is not None, line
        assert (reader.last.percent, reader.last.text[: len(text or line)]) == (percent, text or line), line


NAMESPACE = "Syncing datastore 's', namespace 'n' into datastore 't', namespace 'n'"


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        (["marked 5% (1 of 20 index files)"], "marking"),
        (["processed 5% (10 chunks)"], "sweeping"),
        (["percentage done: 99, chunk count: 21188"], "sweeping"),
        (["percentage done: 5.00% (1/20 groups)"], ""),
        ([NAMESPACE, "percentage done: 5.00% (1/20 groups)"], "namespace 'n'"),
        ([NAMESPACE, "Finished syncing namespace n", "percentage done: 5.00% (1/20 groups)"], ""),
    ],
)
def test_what_a_figure_is_about(lines: list[str], part: str) -> None:
    told = progress(lines)
    assert told is not None
    assert told.part == part


def test_only_messages_of_backup_server_are_told_whatever_they_say() -> None:
    assert progress([f"{TIME}some words"]) == Progress(None, "some words")
    assert progress(["2025-09-29T07:52:36Z: some words"]) == Progress(None, "some words")
    for line in ("some words", "2025-09-29 09:52:36 some words", f"INFO: {TIME}some words", TIME, f"{TIME}TASK OK"):
        assert progress([line]) is None


@pytest.mark.parametrize(("figure", "percent", "phase"), [("99.00", 99.0, 0), ("100.00", None, 1)])
def test_a_message_leaves_a_figure_but_the_last(figure: str, percent: float | None, phase: int) -> None:
    told = progress([f"{TIME}percentage done: {figure}% (1/1 groups)", f"{TIME}some words"])
    assert told == Progress(percent, "some words")
    assert told.phase == phase


def test_lines_that_go_on_after_a_message_are_not_told() -> None:
    log = [
        f"{TIME}percentage done: 50.00% (1/2 groups)",
        f"{TIME}TASK ERROR: command failed - status code: 2",
        "Caution",
    ]
    assert progress(log) == Progress(50.0, "percentage done: 50.00% (1/2 groups)")


BOTH = ((TIME, BACKUP_SERVER), ("", MAIL_GATEWAY))
LINES = st.sampled_from([time + line for time, logs in BOTH for log in logs.values() for line, _percent, _text in log])


@given(st.lists(LINES, max_size=30), st.sets(st.integers(0, 30)))
def test_in_any_order_and_any_pieces_a_log_tells_the_same(log: list[str], cuts: set[int]) -> None:
    whole, pieces = ProgressReader(), ProgressReader()
    whole.feed(log)
    edges = [0, *sorted(cut for cut in cuts if cut < len(log)), len(log)]
    for begin, end in zip(edges, edges[1:]):
        if begin < end:
            pieces.peek(log[begin])
        pieces.feed(log[begin:end])
    assert (pieces.last, pieces.phase) == (whole.last, whole.phase)


@given(st.lists(LINES, max_size=30), st.sets(st.integers(0, 30)))
def test_within_a_phase_the_figure_never_falls_and_a_failed_task_is_not_done(log: list[str], cuts: set[int]) -> None:
    reader = ProgressReader()
    highest: dict[int, float] = {}
    for number, line in enumerate(log):
        if number in cuts:
            reader.leave_out()
        reader.feed([line])
        if reader.last is not None and reader.last.percent is not None:
            assert reader.last.phase == reader.phase
            assert reader.last.percent >= highest.get(reader.phase, 0.0)
            highest[reader.phase] = reader.last.percent
    reader.feed([f"{TIME}TASK ERROR: no"])
    assert reader.last is None or reader.last.percent != 100.0
