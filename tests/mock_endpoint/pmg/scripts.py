# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tasks that requests start write and how long they take; line shapes as Mail Gateway's workers print them.

Source: the workers' code in PMG::API2 (APT, Backup, ClamAV, SpamAssassin, Cluster, PBS::Job, Services), PMG::Backup,
PMG::Cluster, PMG::DBTools; freshclam and sa-update print what they do themselves.
"""

from __future__ import annotations

import time

from .._task import Line, Script
from ..pve.scripts import script as pve

BACKUPS = "/var/lib/pmg/backup"


def script(kind: str, begin: float, target: str = "") -> Script:
    """The script of a task; what restarts services and the like has nothing to say.

    :param begin: epoch seconds of its start, for the names of files and for time stamps
    :param target: what it works on: a file, a node, a snapshot
    """
    if kind == "aptupdate":
        return pve(kind, (), begin)
    if kind == "avupdate":
        return _avupdate(begin)
    steps = {
        "backup": _backup(begin),
        "restore": _restore(target),
        "pbs_backup": _pbs_backup(begin, target),
        "pbs_restore": [f"starting restore of {target}", "starting restore of PMG config", *_restore(target)[1:]],
        "saupdate": _SAUPDATE,
        "clustercreate": [*_CLUSTER, "cluster master successfully created"],
        "clusterjoin": [*_CLUSTER, *_JOIN],
    }.get(kind, [])
    return Script(1.0 + len(steps), [(0.5 + number, step) for number, step in enumerate(steps)])


_CLUSTER = ("stop all services accessing the database", "save new cluster configuration")
_JOIN = (
    "cluster node successfully joined",
    "updated /etc/pmg/user.conf",
    "copying master database from '192.0.2.11'",
    "copying master database finished (got 48213 bytes)",
    "delete local database",
    "create new local database",
    "insert received data into local database",
    "creating indexes",
    "run upgradedb to latest schema",
    "run analyze to speed up database queries",
    "syncing quarantine data",
    "syncing quarantine data finished",
)
_SAUPDATE = [
    "Update available for channel updates.spamassassin.org: 1929301 -> 1929417",
    "Importing gpg key from /etc/mail/spamassassin/channel.d/KAM_channel.conf",
    "Updating kam.sa-channels.mcgrail.com",
    "Update finished, no fresh updates were available",
]


def _backup(begin: float) -> list[str]:
    day = time.strftime("%Y_%m_%d", time.gmtime(begin))
    return [f"starting backup to: {BACKUPS}/pmg-backup_{day}_{int(begin):08X}.tgz", "backup finished"]


def _restore(target: str) -> list[str]:
    return [
        f"starting restore: {BACKUPS}/{target}",
        "config_backup.tar: OK",
        "Proxmox_ruledb.sql: OK",
        "version.txt: OK",
        "Destroy existing rule database",
        "Create new database",
        "run analyze to speed up database queries",
        "ANALYZE",
        "Analyzing/Upgrading existing Databases...done",
        "restore finished",
    ]


def _pbs_backup(begin: float, node: str) -> list[str]:
    now, month_ago = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begin - days * 86400)) for days in (0, 30))
    return [
        "starting update of current backup state",
        f"Starting backup: host/{node}/{now}",
        f"Client name: {node}",
        "Downloading previous manifest",
        f"Upload directory '/tmp/pbsbackup_{int(begin)}' to 'backup@pbs@192.0.2.20:store' as pmgbackup.pxar.didx",
        "pmgbackup.pxar: had to backup 1.211 MiB of 3.5 MiB (compressed 312.4 KiB) in 0.21 s (average 5.77 MiB/s)",
        "pmgbackup.pxar: backup was done incrementally, reused 2.289 MiB (65.4%)",
        "Duration: 0.44s",
        "backup finished",
        f"starting prune of host/{node}",
        f"pruned snapshot: host/{node}/{month_ago}",
        "prune finished",
    ]


def _avupdate(begin: float) -> Script:
    """Without a terminal freshclam draws no progress bar."""
    lines: list[Line] = [
        (0.1, f"ClamAV update process started at {time.strftime('%a %b %d %H:%M:%S %Y', time.gmtime(begin))}"),
        (0.5, "daily database available for update (local version: 27820, remote version: 27821)"),
        (1.0, "Current database is 1 version behind."),
        (1.0, "Downloading database patch # 27821..."),
        (3.5, "Testing database: '/var/lib/clamav/tmp.4a1f/clamav-7c2e.tmp-daily.cld' ..."),
        (5.0, "Database test passed."),
        (5.0, "daily.cld updated (version: 27821, sigs: 2077214, f-level: 90, builder: raynman)"),
        (5.1, "main.cvd database is up-to-date (version: 62, sigs: 6647427, f-level: 90, builder: sigmgr)"),
        (5.2, "bytecode.cvd database is up-to-date (version: 339, sigs: 80, f-level: 90, builder: nrandolp)"),
        (5.5, "Clamd successfully notified about the update."),
    ]
    return Script(6.0, lines)
