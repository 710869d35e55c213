# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of line, in all its forms; what only looks like one; what stands before a line's words."""

from __future__ import annotations

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import Progress, progress

SIGNS_OF_LIFE = [
    "Completing block job...",
    "starting VM 100 on remote node 'pve2'",
    "starting CT 100 on remote node 'pve2'",
    "starting migration of CT 100 to node 'pve2' (192.0.2.12)",
    "starting online/live migration on tcp:192.0.2.12:60000",
    "start migrate command to unix:/run/qemu-server/100.migrate",
    "download and verify backup index",
    "Waiting for server to finish backup validation...",
    "Backup of VM 101 failed - job aborted",
    "Failed to verify following snapshots/groups:",
    "Failed to verify the following snapshots/groups:",
    "Syncing what has no name",
    "delete vanished group vm/100",
    "Delete vanished group vm/100",
    "Please insert media 'TAPE2' into standalone drive 'drive'",
    "Encountered errors while syncing namespace a - gone",
    "Summary: sync job pulled 12 MiB in 5 chunks",
    "sync job 's-1' end",
    "pull datastore 'st' end",
    "Removed bytes: 411368505",
    "transferred 1.00 GiB in 3.5 seconds (292 MiB/s)",
    "transferred 1.00 GiB in 35 seconds (29 MiB/s)",
    "drive-scsi0: had to backup 1.2 GiB of 3.4 GiB compressed",
    "send from @__base__ to p/d@__replicate__ estimated size is 1.2G",
    "send of p/d@__replicate__ estimated size is 1.2G",
    "full send of p/d@__replicate__ estimated size is 1.2G",
    "4096 bytes () copied, 1 s, 4.1 kB/s",
    "Total bytes sent: 1,234,567",
    "Total bytes received: 89",
    "sent 5 bytes  received 89 bytes",
    "sent 1,234 bytes  received 89 bytes",
    "sent 1.23M bytes  received 89 bytes",
    "Starting backup: ct/100/2025-09-29T08:00:00Z",
    "Upload directory '/tmp/x' to 'u@pbs@192.0.2.20:st' as root.pxar.didx",
    "Upload image '/dev/sda' to 'u@pbs@192.0.2.20:st' as drive.img.fidx",
    "Upload config file '/tmp/pct.conf' to 'u@pbs@192.0.2.20:st' as pct.conf.blob",
    *(f"{word}:12 http://deb.example trixie InRelease" for word in ("Get", "Hit", "Ign", "Err")),
    "Testing database: '/var/lib/clamav/tmp/x' ...",
    "Downloading daily-27000.cdiff [100%]",
    "Downloading: daily.cvd",
    *(f"{name} database available for download" for name in ("daily", "main", "bytecode")),
    *(f"{name} updated (version: 63)" for name in ("daily.cld", "main.cvd", "bytecode.cvd")),
    "Clamd successfully notified about the update.",
    "Update was available, and was downloaded and installed successfully",
    "Importing gpg key from /etc/x",
    "restore finished",
    "prune finished",
    "cluster master successfully created",
    "cluster node successfully joined",
    *(f"{verb} quarantine tables" for verb in ("insert into", "Delete from", "restoring", "create")),
    "creating indexes",
    "run analyze to speed up database queries",
]


@pytest.mark.parametrize("line", SIGNS_OF_LIFE)
def test_a_line_that_tells_no_share_is_told(line: str) -> None:
    assert progress(["Chunkstore create: 42%", line, "another line"]) == Progress(None, line)


@pytest.mark.parametrize(
    "line",
    [
        ": transferred 1.0 GiB of 8.0 GiB (12.5%)",
        ": transferred: 5 bytes remaining: 5 bytes total: 10 bytes progression: 50.0 %",
        "a b: transferred: 5 bytes remaining: 5 bytes total: 10 bytes progression: 50.0 %",
        "a:b: transferred: 5 bytes remaining: 5 bytes total: 10 bytes progression: 50.0 %",
        "drive-a: transferred: 5 bytes remaining:  bytes total: 10 bytes progression: 50.0 %",
        "transferred: 5 bytes remaining:  bytes total: 10 bytes progression: 50.0 %",
        "drive mirror is starting for  x",
        "transferred 1.0 GiB of 8.0 GiB (12.5%)!",
        "transferred 1.0 GiB of 8.0 GiB (12.5%) in 3s",
        "transferred 1.1234567 GiB of 8.0 GiB (12.5%)",
        "Starting Backup of VM  (qemu)",
        "Finished Backup of VM  (00:00:10)",
        "Backup of VM  failed - job aborted",
        "progress 1000% (read 5 bytes, duration 2 sec)",
        "progress 1.0123456789% (read 5 bytes, duration 2 sec)",
        "10:30:271G a@b",
        "10:30:27 1Ga@b",
        "10:30:27 1G @b",
        "10:30:27 1G a@",
        "K .......... 12% 11.2M 30s",
        "0K 12% 11.2M 30s",
        "percentage done: 12.5% (/8 groups)",
        "percentage done: 12.5% (1/ groups)",
        "percentage done: 12.5% (1/8)",
        "5: percentage done: 12.5% (1/8 groups)",
        "snapshot /4 within vm/100 is done, 4/20 groups done",
        "snapshot 1/ within vm/100 is done, 4/20 groups done",
        "marked 1% ( of 1843 index files)",
        "marked 1% (18 of  index files)",
        "processed 1% ( chunks)",
        "sync job 's-1' ended",
        "transferred 1.00 GiB in  seconds",
        "transferred 1.00 GiB in a while",
        ": had to backup 1.2 GiB of 3.4 GiB",
        "send of  estimated size is 1.2G",
        " bytes (1 MB) copied, 1 s, 1.0 MB/s",
        "sent more bytes than ever",
        "sent a lot of bytes",
        "Starting backup: /x",
        "Starting backup: CT/100",
        "Get: http://deb.example trixie InRelease",
        "Downloading-daily.cvd",
        "Updating a b",
        "restore image complete (bytes=, duration=33.10s)",
        "all '' jobs are ready",
        "starting VM  on remote node 'pve2'",
    ],
)
def test_what_only_looks_like_such_a_line_tells_nothing(line: str) -> None:
    assert progress([line]) is None


@pytest.mark.parametrize(
    ("line", "percent"),
    [
        ("INFO: Backup job finished successfully", 100.0),
        ("INFO: 100% (2.0 GiB of 2.0 GiB) in 3s, read: 1.0 MiB/s", 100.0),
        ("0K .......... .......... 12% 11.2M 30s", 12.0),
        ("  3072K .......... .......... 12% 11.2M 30s", 12.0),
        ("9M .......... .......... 12% 11.2M 30s", 12.0),
        ("download of '' finished", 100.0),
        ("Verify done by Then Percentage done: 12.5% (1/8 groups)", None),
        ("Verify by Then: Percentage done: 12.5% (1/8 groups)", 12.5),
        ("percentage done: 12.5% (1 of 8 groups)", 12.5),
        ("percentage done: 12.5%", 12.5),
    ],
)
def test_what_has_more_than_one_form(line: str, percent: float | None) -> None:
    told = progress([line])
    assert (told and told.percent) == percent


WORDS = "Chunkstore create: 42%"


@pytest.mark.parametrize(
    "before",
    [
        "2025-09-29T09:52:36+02:00: ",
        "2025-09-29T02:52:36-05:00: ",
        "2025-09-29T07:52:36Z: ",
        "2025-09-29 09:52:36 ",
        "Nov 24 12:26:46 ",
        "Nov  4 12:26:46 ",
        "Mon Sep 29 09:52:36 2025 -> ",
        "Mon Sep  1 09:52:36 2025 -> ",
        "INFO: ",
        "INFO:",
        "ERROR: ",
        "WARN: ",
        "[vm/100]: ",
        "INFO: [vm/100]: ",
    ],
)
def test_what_stands_before_the_words(before: str) -> None:
    assert progress([f"{before}{WORDS}"]) == Progress(42.0, WORDS)


def test_what_stands_elsewhere_is_a_part_of_the_words() -> None:
    assert progress([f"Upload image INFO: {WORDS}"]) == Progress(None, f"Upload image INFO: {WORDS}")


@pytest.mark.parametrize(("power", "unit"), [*enumerate(["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])])
def test_units(power: int, unit: str) -> None:
    for short in (f" {unit}", unit, unit[0]):
        told = progress([f"transferred 1.5{short} of 200{short} (0.75%)"])
        assert told is not None
        assert (told.done, told.total) == (1.5 * 1024.0**power, 200 * 1024.0**power)


@pytest.mark.parametrize(
    ("job", "drive"),
    [
        ("drive-scsi0", "scsi0"),
        ("mirror-scsi0", "scsi0"),
        ("restore-drive-scsi0", "scsi0"),
        ("scsi0", "scsi0"),
        ("my-drive-scsi0", "my-drive-scsi0"),
    ],
)
def test_jobs_by_their_drives(job: str, drive: str) -> None:
    told = progress([f"{job}: transferred 1.0 GiB of 8.0 GiB (12.5%) in 1s"])
    assert told is not None
    assert told.part == drive


def test_a_stream_of_which_more_is_said_has_no_total() -> None:
    before = ["Chunkstore create: 42%", "marked 1% (1 of 9 index files)"]
    told = progress([*before, "total estimated size is 4G or so", "10:30:27  1G  p/d@s"])
    assert told is not None
    assert (told.percent, told.phase) == (None, 1)


TIME = "2025-09-29T09:52:36+02:00: "


@pytest.mark.parametrize("line", ["TASK OK", "TASK WARNINGS: 12", "-", "----", "On-Disk usage: 5", "Disk chunks: 5"])
def test_messages_that_are_no_news(line: str) -> None:
    assert progress([f"{TIME}begun", f"{TIME}{line}"]) == Progress(None, "begun")


@pytest.mark.parametrize("line", ["TASK WARNINGS: ", "TASK OK, nearly", "--force was given"])
def test_messages_that_are(line: str) -> None:
    assert progress([f"{TIME}begun", f"{TIME}{line}"]) == Progress(None, line.strip())
