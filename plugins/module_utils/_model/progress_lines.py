# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of logs that tell how far a task is, by regular expressions. Pure. Private to the collection.

They are matched at a line's beginning, after what ``bare`` takes away. What groups are named tells how they are read;
those without a name have to be ``(?:...)``.
"""

from __future__ import annotations

import re

from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import clean

# The end of a line is its last state.
_READ_BACK = 4096
# Backup Server puts a time before each message; that of migrations has another form, in old Proxmox VE without a year,
# that of freshclam a third.
_TIME = re.compile(
    r"(?:(?P<message>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:Z|[+-][0-9:]{5}): )"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} |[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} "
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4} -> )"
)
# Backups say how bad a line is, parallel jobs of Backup Server which group it is about.
_BEFORE = re.compile(r"^(?:(?:INFO|ERROR|WARN): ?|\[[^\]]{1,200}\]: )+")
# What says which kind of job works on a drive.
_JOB = re.compile(r"^(?:restore-|mirror-|drive-)+")
_UNITS = "BKMGTPE"

SIZE = r"[0-9]{1,18}(?:\.[0-9]{1,6})? ?[KMGTPE]?i?B?"
_PERCENT = r"(?P<percent>[0-9]{1,3}(?:\.[0-9]{1,9})?)"
_DONE_OF_TOTAL = rf"(?P<done>{SIZE}) of (?P<total>{SIZE})"

# Block jobs of running guests, as before Proxmox VE 6.3 too, then of stopped ones (BlockJob.pm, QemuImage.pm)
DRIVE = rf"(?P<drive>\S+): transferred {_DONE_OF_TOTAL} \({_PERCENT}%\)"
OLD_DRIVE = (
    r"(?P<drive>[^\s:]+): transferred: (?P<done>[0-9]{1,20}) bytes remaining: [0-9]+ bytes "
    rf"total: (?P<total>[0-9]{{1,20}}) bytes progression: {_PERCENT} %"
)
OLD_BLOCK_JOB = (
    r"transferred: (?P<done>[0-9]{1,20}) bytes remaining: [0-9]+ bytes "
    rf"total: (?P<total>[0-9]{{1,20}}) bytes progression: {_PERCENT} %"
)
DRIVE_BEGINS = r"drive mirror is starting for (?P<drive>\S+)"
IMAGE = rf"transferred {_DONE_OF_TOTAL} \({_PERCENT}%\)\s*$"

# Live migration (QemuMigrate.pm), then as before Proxmox VE 6.2
MEMORY = rf"migration active, transferred {_DONE_OF_TOTAL} VM-state"
OLD_MEMORY = (
    r"migration status: active \(transferred [0-9]{1,20}, remaining (?P<remaining>[0-9]{1,20})\), "
    r"total (?P<total>[0-9]{1,20})\)"
)
MIGRATED = (
    r"migration completed, |(?:average )?migration speed: |migration status: completed"
    r"|migration finished successfully"
)

# Backups (VZDump.pm, VZDump/QemuServer.pm), then as before Proxmox VE 6.2
BACKUP = rf"\s*{_PERCENT}% \({_DONE_OF_TOTAL}\) in "
OLD_BACKUP = rf"status: {_PERCENT}% \((?P<done>[0-9]{{1,20}})/(?P<total>[0-9]{{1,20}})\), "
BACKUP_JOB = r"starting new backup job: vzdump(?P<arguments>.*)"
BACKUP_ELSEWHERE = r"skip external VMs: (?P<guests>[0-9, ]+)"
GUEST_BEGINS = r"Starting Backup of VM (?P<guest>[0-9]+) \((?P<kind>qemu|lxc)\)"
GUEST_ENDS = r"Finished Backup of VM [0-9]+ |Backup of VM [0-9]+ failed|Backup job finished "
BACKED_UP = r"Backup job finished successfully"

# Restores: the percentage begins anew with each disk
RESTORE = rf"progress {_PERCENT}% \(read (?P<done>[0-9]{{1,20}}) bytes, "

# Storage migration: zfs; downloads: wget
STREAM_BEGINS = rf"total estimated size is (?P<total>{SIZE})$"
STREAM = rf"[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}\s+(?P<done>{SIZE})\s+(?P<snapshot>\S+@\S+)"
DOWNLOAD = rf"\s*[0-9]+[KM][ .]+ {_PERCENT}%\s"
DOWNLOADED = r"download of '.*' finished"

# Backup Server: groups and snapshots (store_progress.rs), then groups that are synced side by side
STORE = (
    rf"(?:[A-Za-z ]{{1,40}}: )?(?i:percentage done): {_PERCENT}%"
    r"(?: \([0-9]+(?:/| of )[0-9]+ (?:groups|snapshots)|$)"
)
GROUPS = (
    rf"(?i:group sync done: percentage done): {_PERCENT}% \("
    r"|snapshot [0-9]+/[0-9]+ within \S{1,200} is done, (?P<ready>[0-9]{1,18})/(?P<groups>[0-9]{1,18}) groups done"
)
NAMESPACE = r"Syncing datastore '[^']{1,200}', (?P<part>root namespace|namespace '[^']{1,300}') "
NAMESPACE_ENDS = r"Finished syncing |Encountered errors while syncing |Summary: |(?:sync|pull) .{1,200} end$"

# Its garbage collection, in two passes of 0 to 100, with an object store in three; the words differ since 1.0
COLLECTION = r"Start GC (?P<part>phase[0-9])"
MARKED = rf"(?:marked|percentage done: phase1) {_PERCENT}% \([0-9]+ of [0-9]+ index files\)"
SWEPT = (
    rf"(?:processed|percentage done:(?: phase2)?) {_PERCENT}"
    r"(?:% \((?:processed )?[0-9]+ chunks\)|, chunk count: )"
)
COLLECTED = r"Removed (?:garbage|bytes): "

# Its tapes; a new datastore
TAPE_RESTORE = r"(?P<part>Phase [0-9]): "
TAPE_RESTORED = r"Restore mediaset '.{0,200}' done"
TAPE_NEEDED = r"Please insert media "
CHUNK_STORE = rf"Chunkstore create: {_PERCENT}%"

# Any other message of Backup Server, but for those that tell nothing new
MESSAGE = r"\s*\S"
NO_NEWS = (
    r"TASK (?:OK|WARNINGS: [0-9]+)$|-+$|task triggered by schedule |queued notification "
    r"|Original data |On-Disk |Disk (?:bytes|chunks): |Deduplication factor: |Average chunk size: "
)

PHASES = (
    r"create full clone of drive |all '[a-z]+' jobs are ready|Completing block job"
    r"|starting (?:VM|CT) [0-9]+ on remote node|starting (?:online/live )?migration|start migrate command to "
    r"|download and verify backup index|Waiting for server to finish backup validation"
    r"|restore image complete \(bytes=[0-9]+, "
    r"|Syncing |[Dd]elete vanished group |append media catalog|Failed to verify (?:the )?following "
)
SIGNS_OF_LIFE = (
    rf"Total bytes written: [0-9]|archive file size: |transferred {SIZE} in [<0-9.]+ seconds"
    rf"|(?:\S+: )?(?:had to backup {SIZE} of |backup was done incrementally, )|processed {SIZE} in .{{1,20}}, uploaded "
    rf"|migration device, transferred |(?:full )?send (?:of|from) \S+ .{{0,200}}estimated size is "
    r"|[0-9]+ bytes \([^)]*\) copied, "
    r"|Number of regular files transferred: |Total bytes (?:sent|received): |sent [0-9]\S* bytes "
    r"|Starting backup: [a-z]+/|Upload (?:directory|image|config file) "
    # apt; Mail Gateway: freshclam, sa-update, its own backup and its cluster
    r"|starting apt-get update|(?:Get|Hit|Ign|Err):[0-9]+ \S|Fetched [0-9]|Reading package lists"
    r"|ClamAV update process started|(?:Testing database|Downloading)[: ]|Database test passed"
    r"|(?:daily|main|bytecode)(?:\.c[lv]d| database available) |Clamd successfully notified"
    r"|Update (?:available for channel|was available|finished)|Updating \S+$|Importing gpg key from "
    r"|starting (?:backup to|restore|update of current backup state|prune of )|(?:backup|restore|prune) finished"
    r"|pruned snapshot: |stop all services accessing |save new cluster |cluster (?:node|master) successfully "
    r"|(?i:(?:copying|insert|delete|destroy|create|restoring) .{0,40}(?:database|table))|creating indexes"
    r"|run (?:upgradedb|analyze) to |Analyzing/Upgrading existing Databases|syncing quarantine data"
)
FAILED = r"TASK (?:ERROR|unknown)"

# What the figures of lines that do not name it are about, where it is known to be less than the whole.
PARTS = {IMAGE: "drive", MARKED: "marking", SWEPT: "sweeping"}


def bare(line: str) -> tuple[str, str]:
    """The last state of a line, clean and without what stands before its words; then the message, if it is one."""
    text = clean(line[-_READ_BACK:])
    time = _TIME.match(text)
    if time is None:
        return _BEFORE.sub("", text), ""
    text = text[time.end() :]
    return _BEFORE.sub("", text), text if time["message"] else ""


def bytes_of(size: str) -> float:
    """The bytes that a size such as ``1.5 GiB`` or ``400M`` is."""
    number = size.rstrip(f"{_UNITS}i ")
    unit = size[len(number) :].strip()[:1]
    return float(number) * 1024.0 ** _UNITS.index(unit)


def drive_of(job: str) -> str:
    """The drive that a block job is about: QEMU 10 names jobs by their kind, the line that begins one the drive."""
    return _JOB.sub("", job)
