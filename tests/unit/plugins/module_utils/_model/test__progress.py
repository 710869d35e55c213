# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a task is: lines of genuine logs, one at a time and as they grow."""

from __future__ import annotations

import itertools
import time
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import Progress, ProgressReader, progress
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("line", "percent", "text"),
    [
        # the numbers are those of the patterns that are known of genuine logs
        pytest.param("drive-scsi0: transferred 1013.0 MiB of 8.0 GiB (12.37%) in 1s", 12.37, ..., id="1"),
        pytest.param(
            "mirror-scsi0: transferred 231.0 MiB of 200.0 GiB (0.11%) in 1s, still busy", 0.11, ..., id="1 QEMU 10"
        ),
        pytest.param(
            "2025-01-04 00:34:30 drive-scsi0: transferred 8.0 GiB of 8.0 GiB (100.00%) in 1m 1s, ready",
            100.0,
            "drive-scsi0: transferred 8.0 GiB of 8.0 GiB (100.00%) in 1m 1s, ready",
            id="1 dated",
        ),
        pytest.param("transferred 512.0 MiB of 8.0 GiB (6.25%)", 6.25, ..., id="2"),
        pytest.param(
            "2025-01-04 00:34:30 migration active, transferred 357.9 MiB of 4.0 GiB VM-state, 586.6 MiB/s",
            8.74,
            "migration active, transferred 357.9 MiB of 4.0 GiB VM-state, 586.6 MiB/s",
            id="3",
        ),
        pytest.param("migration active, transferred 4.1 GiB of 4.0 GiB VM-state, 1.0 B/s", 100.0, ..., id="3 beyond"),
        pytest.param("migration active, transferred 0.0 B of 0.0 B VM-state, 0.0 B/s", None, ..., id="3 of nothing"),
        pytest.param("migration completed, transferred 357.9 MiB VM-state", 100.0, ..., id="4 completed"),
        pytest.param("average migration speed: 1.0 GiB/s - downtime 41 ms", 100.0, ..., id="4 speed"),
        pytest.param("migration finished successfully (duration 00:00:09)", 100.0, ..., id="4 finished"),
        pytest.param(
            "2025-01-04 00:34:31 migration status: completed", 100.0, "migration status: completed", id="4 status"
        ),
        pytest.param(
            "Nov 24 12:26:46 migration speed: 341.33 MB/s - downtime 57 ms",
            100.0,
            "migration speed: 341.33 MB/s - downtime 57 ms",
            id="4 before 6.2",
        ),
        pytest.param(
            "Nov 24 12:26:45 migration status: active (transferred 133567908, remaining 930062336), total 1082789888)",
            14.11,
            "migration status: active (transferred 133567908, remaining 930062336), total 1082789888)",
            id="5",
        ),
        pytest.param(
            "transferred: 8306819 bytes remaining: 2178941 bytes total: 10485760 bytes progression: 79.22 %",
            79.22,
            ...,
            id="6",
        ),
        pytest.param(
            "INFO:   4% (972.0 MiB of 19.8 GiB) in 3s, read: 324.0 MiB/s, write: 324.0 MiB/s",
            4.0,
            "4% (972.0 MiB of 19.8 GiB) in 3s, read: 324.0 MiB/s, write: 324.0 MiB/s",
            id="7",
        ),
        pytest.param(
            "INFO: status: 12% (3865470976/30601641984), sparse 0% (0), duration 33, read/write 117/117 MB/s",
            12.0,
            "status: 12% (3865470976/30601641984), sparse 0% (0), duration 33, read/write 117/117 MB/s",
            id="8",
        ),
        pytest.param(
            "INFO: Starting Backup of VM 101 (qemu)", None, "VM 101: Starting Backup of VM 101 (qemu)", id="9 start"
        ),
        pytest.param(
            "INFO: Finished Backup of VM 101 (00:00:10)", None, "Finished Backup of VM 101 (00:00:10)", id="9 end"
        ),
        pytest.param(
            "ERROR: Backup of VM 101 failed - job aborted", None, "Backup of VM 101 failed - job aborted", id="9 error"
        ),
        pytest.param("INFO: Backup job finished with errors", None, "Backup job finished with errors", id="9 job"),
        pytest.param(
            "INFO: Total bytes written: 878131200 (838MiB, 82MiB/s)",
            None,
            "Total bytes written: 878131200 (838MiB, 82MiB/s)",
            id="10 tar",
        ),
        pytest.param("INFO: archive file size: 2.31GB", None, "archive file size: 2.31GB", id="10 size"),
        pytest.param(
            "INFO: transferred 4.00 GiB in 3 seconds (1.3 GiB/s)",
            None,
            "transferred 4.00 GiB in 3 seconds (1.3 GiB/s)",
            id="10 rate",
        ),
        pytest.param("progress 1% (read 343605248 bytes, duration 2 sec)", 1.0, ..., id="11 vma"),
        pytest.param(
            "progress 1% (read 130023424 bytes, zeroes = 45% (58720256 bytes), duration 0 sec)", 1.0, ..., id="11 pbs"
        ),
        pytest.param(
            "restore image complete (bytes=34359738368, duration=33.10s, speed=990.00MB/s)", None, ..., id="12"
        ),
        pytest.param("123456789 bytes (123 MB, 117 MiB) copied, 3 s, 41.1 MB/s", None, ..., id="13"),
        pytest.param(
            "10:30:27   1.21G   rpool/data/vm-100-disk-0@__migration__", None, ..., id="14 of an unknown total"
        ),
        pytest.param(
            "     0K ........ ........ ........ ........ 12% 11.2M 30s",
            12.0,
            "0K ........ ........ ........ ........ 12% 11.2M 30s",
            id="15",
        ),
        pytest.param("download of 'https://a/b.iso' to '/c' finished", 100.0, ..., id="15 finished"),
        pytest.param("Number of regular files transferred: 295", None, ..., id="16 files"),
        pytest.param("sent 1,234,567 bytes  received 89 bytes  1.00 bytes/sec", None, ..., id="16 sent"),
        pytest.param(
            "2025-09-29T09:52:36+02:00: percentage done: 12.50% (1/8 groups, 2/5 snapshots in group #2)",
            12.5,
            "percentage done: 12.50% (1/8 groups, 2/5 snapshots in group #2)",
            id="17",
        ),
        pytest.param("percentage done: 37.50% (3/8 groups)", 37.5, ..., id="17 groups"),
        pytest.param("percentage done: 40% (2/5 snapshots)", 40.0, ..., id="17 snapshots"),
        pytest.param(
            "2025-09-29T07:52:36Z: marked 1% (18 of 1843 index files)",
            1.0,
            "marked 1% (18 of 1843 index files)",
            id="18 phase 1",
        ),
        pytest.param("processed 90% (21188 chunks)", 90.0, ..., id="18 phase 2"),
        pytest.param("percentage done: 99, chunk count: 21188", 99.0, ..., id="19"),
        pytest.param("Chunkstore create: 42%", 42.0, ..., id="20"),
        pytest.param(
            "INFO: root.pxar: had to backup 1.2 GiB of 3.4 GiB (compressed 600 MiB) in 12.34s",
            None,
            "root.pxar: had to backup 1.2 GiB of 3.4 GiB (compressed 600 MiB) in 12.34s",
            id="21",
        ),
        pytest.param(
            "INFO: root.pxar: backup was done incrementally, reused 2.2 GiB (64.7%)",
            None,
            "root.pxar: backup was done incrementally, reused 2.2 GiB (64.7%)",
            id="21 reused",
        ),
        pytest.param(
            "INFO: backup was done incrementally, reused 59.39 GiB (98%)",
            None,
            "backup was done incrementally, reused 59.39 GiB (98%)",
            id="21 of a machine",
        ),
        pytest.param(
            "transferred 512.0 MiB of 8.0 GiB (6.25%) ", 6.25, "transferred 512.0 MiB of 8.0 GiB (6.25%)", id="2 blank"
        ),
        pytest.param("create full clone of drive scsi0 (local:100/vm-100-disk-0.qcow2)", None, ..., id="phase clone"),
        pytest.param(
            "2025-01-04 00:34:30 all 'mirror' jobs are ready", None, "all 'mirror' jobs are ready", id="phase ready"
        ),
        pytest.param(
            "2025-09-29T09:52:36+02:00: Start GC phase2 (sweep unused chunks)",
            None,
            "Start GC phase2 (sweep unused chunks)",
            id="phase gc",
        ),
        pytest.param("progress 999% (read 1 bytes, duration 1 sec)", 100.0, ..., id="capped"),
        pytest.param(
            "Chunkstore create: 1%\rChunkstore create: 2%",
            2.0,
            "Chunkstore create: 2%",
            id="overwritten",
        ),
        pytest.param("\x1b[32mChunkstore create: 42%\x1b[0m", 42.0, "Chunkstore create: 42%", id="coloured"),
    ],
)
def test_progress_of_one_line(line: str, percent: float | None, text: t.Any) -> None:
    expected = Progress(percent, line if text is ... else text)
    assert progress(["some line", line, "another line", "TASK OK"]) == expected


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["TASK OK"],
        ["all is well at 50%"],
        ["INFO: starting new backup job: vzdump 100 101 --mode snapshot"],
        ["total estimated size is 4.84G"],
        ["progress x% (read 1 bytes, duration 1 sec)"],
        ["I saw: progress 5% (read 1 bytes, duration 1 sec)"],
    ],
)
def test_no_progress_is_told(lines: list[str]) -> None:
    assert progress(lines) is None


def test_the_last_progress_counts() -> None:
    lines = ["progress 98% (read 98 bytes, duration 1 sec)", "progress 1% (read 1 bytes, duration 2 sec)"]
    assert progress(lines) == Progress(1.0, lines[1])


def test_drives_that_move_side_by_side_count_by_bytes() -> None:
    lines = [
        "drive-scsi0: transferred 1.0 GiB of 1.0 GiB (100.00%) in 9s, ready",
        "drive-scsi1: transferred 0.0 B of 1.0 TiB (0.00%) in 1s",
        "drive-scsi0: transferred 1.0 GiB of 1.0 GiB (100.00%) in 10s, ready",
        "drive-scsi1: transferred 255.0 GiB of 1023.0 GiB (24.93%) in 2s",
    ]
    assert progress(lines) == Progress(25.0, f"2 drives, {lines[-1]}")
    assert progress(lines[:1]) == Progress(100.0, lines[0])


def test_backup_of_several_guests_names_the_one_at_work() -> None:
    lines = [
        "INFO: starting new backup job: vzdump 100 101 102 --storage 103 --mode snapshot --quiet 1",
        "INFO: Starting Backup of VM 100 (qemu)",
        "INFO:  50% (1.0 GiB of 2.0 GiB) in 3s, read: 1.0 MiB/s, write: 1.0 MiB/s",
        "INFO: Finished Backup of VM 100 (00:00:06)",
        "INFO: Starting Backup of VM 101 (lxc)",
        "INFO: Total bytes written: 878131200 (838MiB, 82MiB/s)",
        "ERROR: Backup of VM 101 failed - job aborted",
        "INFO: Starting Backup of VM 102 (qemu)",
        "INFO:   7% (140.0 MiB of 2.0 GiB) in 3s, read: 1.0 MiB/s, write: 1.0 MiB/s",
        "INFO: Backup job finished with errors",
    ]
    told = [progress(lines[:count]) for count in range(1, len(lines) + 1)]
    assert [(one.percent, one.text.partition(": ")[0]) for one in told if one] == [
        (None, "VM 100 (1 of 3)"),
        (50.0, "VM 100 (1 of 3)"),
        (None, "Finished Backup of VM 100 (00:00:06)"),
        (None, "CT 101 (2 of 3)"),
        (None, "CT 101 (2 of 3)"),
        (None, "Backup of VM 101 failed - job aborted"),
        (None, "VM 102 (3 of 3)"),
        (7.0, "VM 102 (3 of 3)"),
        (None, "Backup job finished with errors"),
    ]


@pytest.mark.parametrize(
    "arguments", ["100 --mode stop", "100  --mode stop", "100 101x", "--all 1 --mode stop", "--quiet 1", ""]
)
def test_backup_of_one_or_of_nobody_knows_how_many_guests_has_no_counter(arguments: str) -> None:
    before = "INFO: starting new backup job: vzdump 100 101"
    lines = [before, f"INFO: starting new backup job: vzdump {arguments}", "INFO: Starting Backup of VM 100 (qemu)"]
    assert progress(lines) == Progress(None, "VM 100: Starting Backup of VM 100 (qemu)")


def test_a_zfs_stream_with_a_known_total_has_a_share() -> None:
    lines = ["total estimated size is 4.84G", "10:30:27   1.21G   rpool/data/vm-100-disk-0@__migration__"]
    assert progress(lines) == Progress(25.0, lines[1])


def test_progress_text_is_short() -> None:
    told = progress([f"INFO: Backup job finished {'x' * 1000}"])
    assert told is not None
    assert len(told.text) == 200


def test_progress_as_a_dictionary() -> None:
    assert Progress(12.5, "half").to_dict() == {"percent": 12.5, "text": "half"}


PIECES = (
    *(
        "progress ",
        "transferred ",
        "INFO: ",
        "drive-a: ",
        " of ",
        "1.5 GiB",
        "9" * 18,
        "%",
        "(",
        ")",
        " in ",
        "\r",
        "\x1b[",
    ),
    *("migration active, ", "VM-state", "12:00:00 ", "1G a@b", "total estimated size is ", "vzdump 1 2"),
)


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=10).map("".join), max_size=5))
def test_progress_of_any_lines_is_a_share_or_none(lines: list[str]) -> None:
    told = progress(lines)
    if told is not None:
        assert told.percent is None or 0 <= told.percent <= 100
        assert told.text.isprintable()


HOSTILE = [
    lambda n: "transferred: " * n,
    lambda n: "INFO: " * n + "a: " * n,
    lambda n: "[a]: " * n,
    lambda n: f"INFO: starting new backup job: vzdump {'1 ' * n}",
    lambda n: f"skip external VMs: {'1, ' * n}",
    lambda n: "0K" + " ." * n,
    lambda n: "9" * n,
    lambda n: "a" * n + ": percentage done: ",
    lambda n: f"download of '{chr(39) * n}",
    lambda n: "full send of a " + "b " * n,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_takes_linear_time(text: t.Callable[[int], str]) -> None:
    # Quadratic work would take minutes, linear takes well under a second.
    line = text(50_000)
    begun = time.process_time()
    progress([line[:4000]] * 50 + [line])
    assert time.process_time() - begun < 10


# --- what earlier lines say of later ones

MIRROR = "{drive}: transferred {done:.1f} GiB of {total:.1f} GiB ({percent:.2f}%) in 1s"
OLD_MIRROR = (
    "drive-{name}: transferred: {done} bytes remaining: {left} bytes total: {total} bytes progression: {percent} % "
    "busy: 1 ready: 0 "
)


def mirror(drive: str, done: float, total: float) -> str:
    return MIRROR.format(drive=drive, done=done, total=total, percent=100 * done / total)


def memory(done: int) -> str:
    return f"migration active, transferred {done}.0 GiB of 4.0 GiB VM-state, 586.6 MiB/s"


@pytest.mark.parametrize(
    ("lines", "percent", "text"),
    [
        pytest.param(
            [OLD_MIRROR.format(name="scsi0", done=1338572800, left=7251361792, total=8589934592, percent="15.58")],
            15.58,
            "drive-scsi0: transferred: 1338572800 bytes",
            id="old mirror",
        ),
        pytest.param(
            [
                OLD_MIRROR.format(name="scsi0", done=100, left=0, total=100, percent="100.00"),
                OLD_MIRROR.format(name="scsi1", done=100, left=200, total=300, percent="33.33"),
            ],
            50.0,
            "2 drives, drive-scsi1",
            id="old mirrors by bytes",
        ),
        pytest.param(
            [
                "drive mirror is starting for drive-scsi0",
                *(mirror("drive-scsi0", done, 8) for done in (1, 4, 8)),
                "drive mirror is starting for drive-scsi1",
                mirror("drive-scsi0", 8, 8),
                mirror("drive-scsi1", 1, 32),
                mirror("drive-scsi0", 8, 8),
            ],
            3.12,
            "drive-scsi1",
            id="one drive after the other",
        ),
        pytest.param(
            [
                "drive mirror is starting for drive-scsi0",
                mirror("mirror-scsi0", 8, 8),
                "drive mirror is starting for drive-scsi1",
                mirror("mirror-scsi1", 32, 32),
                "drive mirror is starting for drive-scsi0",
                mirror("mirror-scsi1", 32, 32),
                mirror("mirror-scsi0", 2, 8),
            ],
            25.0,
            "mirror-scsi0",
            id="a drive once more, by the names that QEMU 10 gives",
        ),
        pytest.param(
            ["drive mirror is starting for drive-scsi0", mirror("drive-scsi0", 8, 8), "drive mirror is starting for b"],
            None,
            "drive mirror is starting for b",
            id="the next drive has no figure yet",
        ),
        pytest.param(
            ["total estimated size is 8.64G", "17:19:09   7.50G   p/d@S1", "17:19:11    400M   p/d@S2"],
            91.33,
            "17:19:11    400M   p/d@S2",
            id="each snapshot counts anew",
        ),
        pytest.param(
            [
                "total estimated size is 1G",
                "17:19:09   1G   p/d@S1",
                "total estimated size is 4G",
                "17:20:09  1G  p/e@S1",
            ],
            25.0,
            "17:20:09  1G  p/e@S1",
            id="the next stream",
        ),
        pytest.param(
            ["full send of p/d@s estimated size is 84.4G"], None, "full send of p/d@s estimated size is 84.4G", id="zfs"
        ),
        pytest.param(
            [
                "INFO: starting new backup job: vzdump 100 101 102 103 104 --mode snapshot",
                "INFO: skip external VMs: 100, 102",
                "INFO: Starting Backup of VM 101 (qemu)",
            ],
            None,
            "VM 101 (1 of 3): Starting Backup of VM 101 (qemu)",
            id="guests of other nodes",
        ),
        pytest.param(
            [
                "INFO: starting new backup job: vzdump 100 101 102",
                "INFO: Starting Backup of VM 101 (qemu)",
                "INFO: Starting Backup of VM 102 (qemu)",
            ],
            None,
            "VM 102 (2 of 3): Starting",
            id="a guest that is not there",
        ),
        pytest.param(
            [
                "INFO: 100% (19.8 GiB of 19.8 GiB) in 3s, read: 1 MiB/s",
                "INFO: Waiting for server to finish backup validation...",
            ],
            None,
            "Waiting for server to finish backup validation...",
            id="phase after INFO",
        ),
        pytest.param(
            ["INFO:  50% (1 GiB of 2 GiB) in 3s, read: 1 MiB/s", "2025-09-29T07:52:36Z: [x]: Start GC phase2 (sweep)"],
            None,
            "Start GC phase2 (sweep)",
            id="phase after a time and a label",
        ),
        pytest.param(
            ["INFO: processed 5.277 GiB in 1m, uploaded 4.136 GiB"],
            None,
            "processed 5.277 GiB in 1m, uploaded 4.136 GiB",
            id="container to backup server",
        ),
        pytest.param(
            ["INFO: transferred 1.00 MiB in <1 seconds"],
            None,
            "transferred 1.00 MiB in <1 seconds",
            id="below a second",
        ),
        pytest.param(
            ["2025-01-04 00:34:30 migration device, transferred 1 GiB"],
            None,
            "migration device, transferred 1 GiB",
            id="device state",
        ),
        pytest.param(
            [
                "percentage done: 100.00% (1/1 groups)",
                "Finished syncing root namespace, current progress: 1 groups",
                "Syncing datastore 'st', namespace 'big' into datastore 'local', namespace 'big'",
            ],
            None,
            "Syncing datastore 'st', namespace 'big'",
            id="the next namespace",
        ),
        pytest.param(
            ["2025-09-29T09:52:36+02:00: Percentage done: 5.00% (1/20 groups)"],
            5.0,
            "Percentage done: 5.00%",
            id="case",
        ),
        pytest.param(
            ["2025-09-29T09:52:36+02:00: [vm/100]: group sync done: percentage done: 25.00% (5/20 groups)"],
            25.0,
            "group sync done: percentage done: 25.00% (5/20 groups)",
            id="labels",
        ),
        pytest.param(
            ["[ct/7]: Group sync done: PERCENTAGE DONE: 75.00% (15/20 groups)"],
            75.0,
            "Group sync done",
            id="any case",
        ),
        pytest.param(
            ["percentage done: 100.00% (19/19 groups)", "TASK ERROR: verification failed"],
            None,
            "percentage",
            id="failed",
        ),
        pytest.param(
            ["percentage done: 100.00% (19/19 groups)", "TASK unknown"], None, "percentage", id="no end is known"
        ),
        pytest.param(
            ["percentage done: 34.00% (1/3 groups)", "TASK ERROR: no space"], 34.0, "percentage", id="failed half way"
        ),
        pytest.param(
            [memory(3), "starting migration of VM 100", memory(1)], 25.0, "migration active", id="from the beginning"
        ),
        pytest.param(
            ["marked 99% (99 of 100 index files)", "Start GC phase2 (sweep unused chunks)", "processed 1% (9 chunks)"],
            1.0,
            "phase2: processed 1%",
            id="two passes",
        ),
    ],
)
def test_what_a_log_tells(lines: list[str], percent: float | None, text: str) -> None:
    told = progress(lines)
    assert told is not None
    assert told.percent == percent
    assert told.text.startswith(text)


JOB = f"INFO: starting new backup job: vzdump {' '.join(map(str, range(139, 99, -1)))} --mode snapshot"
SHARE = "INFO:  45% (1 GiB of 2 GiB) in 3s, read: 1 MiB/s"


@pytest.mark.parametrize(
    ("head", "tail", "percent", "text"),
    [
        pytest.param(
            [JOB, "INFO: Starting Backup of VM 100 (qemu)"],
            ["INFO: Starting Backup of VM 130 (qemu)", "INFO: Starting Backup of VM 131 (lxc)", SHARE],
            45.0,
            "CT 131 (32 of 40): 45%",
            id="guests that were not seen are counted",
        ),
        pytest.param(
            [JOB, "INFO: Starting Backup of VM 100 (qemu)"],
            ["INFO: Starting Backup of VM 999 (qemu)", "INFO: Starting Backup of VM 130 (qemu)"],
            None,
            "VM 130 (31 of 40): Starting",
            id="a guest that the job does not name",
        ),
        pytest.param(
            ["INFO: starting new backup job: vzdump 1000 200 300", "INFO: Starting Backup of VM 200 (qemu)"],
            ["INFO: Starting Backup of VM 1000 (qemu)"],
            None,
            "VM 1000 (3 of 3): Starting",
            id="by number",
        ),
        pytest.param(
            [JOB, "INFO: Starting Backup of VM 100 (qemu)"], [SHARE], 45.0, "45%", id="which guest is not known"
        ),
        pytest.param(
            ["INFO: starting new backup job: vzdump 100", "INFO: Starting Backup of VM 100 (qemu)"],
            [SHARE],
            45.0,
            "VM 100: 45%",
            id="there is but one guest",
        ),
        pytest.param(
            ["INFO: starting new backup job: vzdump --all 1", "INFO: Starting Backup of VM 100 (qemu)"],
            ["INFO: Starting Backup of VM 130 (qemu)"],
            None,
            "VM 130: Starting",
            id="nobody knows how many",
        ),
        pytest.param(
            [mirror("drive-scsi0", 4, 8)],
            [mirror("drive-scsi1", 8, 32)],
            25.0,
            "drive-scsi1",
            id="drives that were done meanwhile",
        ),
        pytest.param(
            ["total estimated size is 8G", "10:00:00  1G  p/d@S1"],
            ["11:00:00  4G  p/d@S1"],
            50.0,
            "11",
            id="one stream",
        ),
        pytest.param(
            ["total estimated size is 8G", "10:00:00  1G  p/d@S1"],
            ["11:00:00  4G  p/d@S2"],
            None,
            "11",
            id="what came before is not known",
        ),
        pytest.param(
            ["total estimated size is 8G", "10:00:00  1G  p/d@S1"],
            ["11:00:00  4G  p/e@S1", "total estimated size is 4G", "11:00:09  1G  p/f@S1"],
            25.0,
            "11:00:09",
            id="until the next stream",
        ),
        pytest.param(
            ["percentage done: 90.00% (9/10 groups)"], ["percentage done: 30.00% (3/10 groups)"], 30.0, "per", id="told"
        ),
        pytest.param([memory(3)], [memory(1)], 25.0, "migration active", id="memory once more"),
    ],
)
def test_lines_that_are_left_out_are_not_made_up(
    head: list[str], tail: list[str], percent: float | None, text: str
) -> None:
    reader = ProgressReader()
    reader.feed(head)
    reader.leave_out()
    reader.feed(tail)
    assert reader.last is not None
    assert reader.last.percent == percent
    assert reader.last.text.startswith(text)


def test_a_figure_from_before_the_lines_that_are_left_out_says_nothing() -> None:
    reader = ProgressReader()
    reader.feed(["Chunkstore create: 42%"])
    reader.leave_out()
    assert reader.last == Progress(None, "Chunkstore create: 42%")


def test_a_line_that_is_not_finished_is_only_looked_at() -> None:
    reader = ProgressReader()
    reader.feed(["INFO: starting new backup job: vzdump 100 101", "INFO: Starting Backup of VM 100 (qemu)"])
    for unfinished in ("INFO: Starting Backup of VM 101 (qemu)", "INFO: Starting Backup of VM 101 (qemu) "):
        told = reader.peek(unfinished)
        assert told is not None
        assert told.text.startswith("VM 101 (2 of 2)")
    assert reader.last is not None
    assert reader.last.text.startswith("VM 100 (1 of 2)")


def test_looking_at_a_line_leaves_no_trace() -> None:
    reader = ProgressReader()
    reader.feed(["total estimated size is 4G", "10:00:00  1G  a@b"])
    reader.peek("10:00:01  1G  a@c")
    reader.feed(["10:00:01  2G  a@b"])
    assert reader.last is not None
    assert reader.last.percent == 50.0


def test_fed_at_once_or_as_it_grows_a_log_tells_the_same() -> None:
    lines = ["total estimated size is 2G", "10:00:00  1G  a@b", "10:00:01  1G  a@c", "TASK OK"]
    reader = ProgressReader()
    for line in lines:
        reader.feed([line])
    assert reader.last == progress(lines) == Progress(100.0, lines[2])


SIZES = st.floats(0, 64, allow_nan=False)
DRIVES = st.sampled_from(["drive-scsi0", "drive-scsi1", "mirror-virtio2"])
LINES = st.one_of(
    st.builds(lambda drive, done, more: mirror(drive, done, done + more + 0.1), DRIVES, SIZES, SIZES),
    st.builds("drive mirror is starting for {}".format, DRIVES),
    st.builds("10:00:00  {}M  a@{}".format, st.integers(0, 5000), st.sampled_from("abc")),
    st.builds("total estimated size is {}M".format, st.integers(0, 9000)),
    st.builds("INFO: {:3d}% (1 GiB of 2 GiB) in 3s, read: 1 MiB/s".format, st.integers(0, 100)),
    st.builds("INFO: Starting Backup of VM {} (qemu)".format, st.integers(100, 104)),
    st.builds("percentage done: {:.2f}% (1/9 groups)".format, st.floats(0, 100)),
    st.builds("migration active, transferred {} MiB of {} MiB VM-state".format, st.integers(0, 99), st.integers(0, 99)),
    st.builds("progress {}% (read 1 bytes, duration 1 sec)".format, st.integers(0, 100)),
    st.sampled_from(["TASK ERROR: x", "Start GC phase2 x", "INFO: archive file size: 1GB", "migration completed, x"]),
)


@given(st.lists(LINES, max_size=40), st.sets(st.integers(0, 40)))
def test_within_a_phase_the_figure_never_falls(lines: list[str], cuts: set[int]) -> None:
    reader = ProgressReader()
    highest: dict[int, float] = {}
    for number, line in enumerate(lines):
        if number in cuts:
            reader.leave_out()
        reader.feed([line])
        if reader.last is not None and reader.last.percent is not None:
            assert reader.last.percent >= highest.get(reader.phase, 0.0)
            highest[reader.phase] = reader.last.percent


# --- what a figure is worked out of

GIB = 1024.0**3
GUESTS = ["INFO: starting new backup job: vzdump 100 101", "INFO: Starting Backup of VM 101 (qemu)"]


@pytest.mark.parametrize(
    ("lines", "done", "total", "part"),
    [
        ([*GUESTS, "INFO:   4% (1.5 GiB of 19.0 GiB) in 3s, read: 1.0 MiB/s"], 1.5 * GIB, 19 * GIB, "VM 101 (1 of 2)"),
        (["INFO: status: 12% (386/3060), sparse 0% (0), duration 33"], 386, 3060, ""),
        ([mirror("mirror-scsi0", 1, 8)], GIB, 8 * GIB, "scsi0"),
        ([mirror("drive-scsi0", 8, 8), mirror("drive-scsi1", 1, 32)], 9 * GIB, 40 * GIB, "2 drives"),
        ([OLD_MIRROR.format(name="scsi0", done=100, left=200, total=300, percent=33)], 100, 300, "scsi0"),
        (["transferred: 5 bytes remaining: 5 bytes total: 10 bytes progression: 50.0 %"], 5, 10, ""),
        (["transferred 512.0 MiB of 8.0 GiB (6.25%)"], GIB / 2, 8 * GIB, "drive"),
        (["migration active, transferred 1.0 GiB of 4.0 GiB VM-state, 586.6 MiB/s"], GIB, 4 * GIB, "memory"),
        (["migration status: active (transferred 1, remaining 93), total 108)"], 15, 108, "memory"),
        (["progress 1% (read 343605248 bytes, duration 2 sec)"], 343605248, None, ""),
        (
            [
                "total estimated size is 4G",
                "10:30:27  1G  rpool/data/vm-1-disk-0@a",
                "10:30:28  1G  rpool/data/vm-1-disk-0@b",
            ],
            2 * GIB,
            4 * GIB,
            "vm-1-disk-0",
        ),
        (["total estimated size is 4G", "10:30:27  2G  a@b@c", "10:30:28  1G  a@b@c"], 2 * GIB, 4 * GIB, "a"),
        (["total estimated size is 4G", "10:30:27  0B  a@b"], 0, 4 * GIB, "a"),
        (["percentage done: 12.50% (1/8 groups)"], None, None, ""),
        (["migration completed, transferred 357.9 MiB VM-state"], None, None, ""),
        (["marked 1% (18 of 1843 index files)"], None, None, "marking"),
        (["INFO: archive file size: 2.31GB"], None, None, ""),
    ],
)
def test_amounts(lines: list[str], done: float | None, total: float | None, part: str) -> None:
    told = progress(lines)
    assert told is not None
    assert (told.done, told.total, told.part) == (done, total, part)


def test_figures_of_one_part_have_one_phase() -> None:
    reader, phases = ProgressReader(), []
    marked = [f"marked {percent}% (9 of 99 index files)" for percent in (1, 9, 9)]
    for line in (*marked, "Start GC phase2 (sweep unused chunks)", "processed 1% (2 chunks)"):
        reader.feed([line])
        phases.append(reader.last and reader.last.phase)
    assert phases == [0, 0, 0, 1, 1]


FIGURES = [
    [mirror("drive-scsi0", 1, 8)],
    [mirror("drive-scsi1", 1, 8), mirror("drive-scsi2", 1, 8)],
    ["transferred 512.0 MiB of 8.0 GiB (6.25%)"],
    [memory(1)],
    ["transferred: 5 bytes remaining: 5 bytes total: 10 bytes progression: 50.0 %"],
    ["INFO:   4% (1.5 GiB of 19.0 GiB) in 3s, read: 1.0 MiB/s"],
    ["progress 1% (read 343605248 bytes, duration 2 sec)"],
    ["total estimated size is 4G", "10:30:27  1G  a@b"],
    ["percentage done: 12.50% (1/8 groups)"],
    ["[vm/101]: group sync done: percentage done: 35.00% (7/20 groups)"],
    ["Chunkstore create: 42%"],
    ["migration completed, transferred 357.9 MiB VM-state"],
]


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(FIGURES, 2)))
def test_figures_of_two_kinds_cannot_be_compared(one: list[str], other: list[str]) -> None:
    reader = ProgressReader()
    reader.feed(one)
    before = reader.last
    reader.feed(other)
    assert before is not None
    assert reader.last is not None
    assert reader.last.phase > before.phase


OLD_MEMORY = "migration status: active (transferred 1, remaining 93), total 108)"


@pytest.mark.parametrize("lines", list(itertools.product([memory(1), OLD_MEMORY], repeat=2)))
def test_memory_is_memory(lines: tuple[str, ...]) -> None:
    reader = ProgressReader()
    reader.feed([*lines, "migration completed, transferred 357.9 MiB VM-state"])
    assert reader.phase == 1


def test_what_is_told_without_more_is_of_the_first_phase() -> None:
    assert Progress(None, "").phase == 0
