# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tasks that requests start write and how long they take; line shapes as genuine PVE prints them."""

from __future__ import annotations

import time
import typing as t

from .._task import Line, Script

DISK_GIB = 8.0
MEMORY_GIB = 4.0


def script(kind: str, vmids: t.Sequence[int], begin: float, target: str = "") -> Script:
    """The script of a task.

    :param kind: task type
    :param vmids: the guests it works on
    :param begin: epoch seconds of its start, for the time stamps some logs carry
    :param target: name of the other node in a migration
    """
    if kind == "vzdump":
        return _vzdump(vmids, begin)
    if kind in {"qmigrate", "vzmigrate"}:
        return _migrate(kind, vmids[0], begin, target)
    if kind == "qmclone":
        return _clone(vmids[0])
    if kind == "aptupdate":
        return _aptupdate()
    return _short(kind, vmids, target)


def _short(kind: str, vmids: t.Sequence[int], target: str) -> Script:
    if kind in {"startall", "stopall"}:
        verb = "Starting" if kind == "startall" else "Stopping"
        return Script(1.0 + len(vmids), [(0.5 + number, f"{verb} VM {vmid}") for number, vmid in enumerate(vmids)])
    if kind.startswith("ha"):
        where = f" to node '{target}'" if target else ""
        return Script(0.3, [(0.1, f"Requesting HA {kind[2:]} for VM {vmids[0]}{where}")])
    return Script({"qmstart": 2.0, "vzstart": 2.0, "qmshutdown": 3.0, "vzshutdown": 3.0}.get(kind, 1.0), [])


def _vzdump(vmids: t.Sequence[int], begin: float) -> Script:
    seconds = 8
    lines: list[Line] = [
        (0.0, f"INFO: starting new backup job: vzdump {' '.join(map(str, vmids))} --storage local --mode snapshot")
    ]
    at = 0.2
    for vmid in vmids:
        lines += [
            (at, f"INFO: Starting Backup of VM {vmid} (qemu)"),
            (at, f"INFO: Backup started at {_stamp(begin + at)}"),
            (at, "INFO: status = running"),
            (at, f"INFO: VM Name: guest{vmid}"),
            (at, f"INFO: include disk 'scsi0' 'local-lvm:vm-{vmid}-disk-0' {DISK_GIB:.0f}G"),
            (at, "INFO: backup mode: snapshot"),
            (at, "INFO: ionice priority: 7"),
            (at, f"INFO: creating vzdump archive '/var/lib/vz/dump/vzdump-qemu-{vmid}.vma.zst'"),
            (at + 0.2, "INFO: started backup task '6ba7b810-9dad-11d1-80b4-00c04fd430c8'"),
            (at + 0.2, "INFO: resuming VM again"),
        ]
        for second in range(1, seconds + 1):
            done = DISK_GIB * second / seconds
            lines.append(
                (
                    at + second,
                    f"INFO: {100 * second // seconds:3d}% ({_gib(done)} of {_gib(DISK_GIB)}) in {second}s, "
                    f"read: {_gib(DISK_GIB / seconds)}/s, write: {_gib(DISK_GIB / seconds / 2)}/s",
                )
            )
        at += seconds + 0.2
        lines += [
            (at, f"INFO: transferred {DISK_GIB:.2f} GiB in {seconds} seconds ({DISK_GIB / seconds:.1f} GiB/s)"),
            (at, "INFO: archive file size: 3.21GB"),
            (at, f"INFO: Finished Backup of VM {vmid} (00:00:{seconds:02d})"),
            (at, f"INFO: Backup finished at {_stamp(begin + at)}"),
        ]
        at += 0.2
    return Script(at, [*lines, (at, "INFO: Backup job finished successfully")])


def _migrate(kind: str, vmid: int, begin: float, target: str) -> Script:
    if kind == "vzmigrate":
        steps: list[Line] = [
            (0.1, f"shutdown CT {vmid}"),
            (1.5, f"starting migration of CT {vmid} to node '{target}' (192.0.2.12)"),
            (3.0, "start final cleanup"),
            (3.5, f"start container on target node '{target}'"),
            (4.5, "migration finished successfully (duration 00:00:05)"),
        ]
        duration = 5.0
    else:
        steps = [
            (0.1, f"starting migration of VM {vmid} to node '{target}' (192.0.2.12)"),
            (0.5, f"starting VM {vmid} on remote node '{target}'"),
            (1.0, "start remote tunnel"),
            (1.2, "ssh tunnel ver 1"),
            (1.4, f"starting online/live migration on unix:/run/qemu-server/{vmid}.migrate"),
            (1.4, "set migration capabilities"),
            (1.4, "migration downtime limit: 100 ms"),
            (1.5, f"start migrate command to unix:/run/qemu-server/{vmid}.migrate"),
        ]
        steps += [
            (
                1.5 + second,
                f"migration active, transferred {_gib(MEMORY_GIB * second / 6)} of {_gib(MEMORY_GIB)} VM-state, "
                f"{_gib(MEMORY_GIB / 6)}/s",
            )
            for second in range(1, 6)
        ]
        steps += [
            (7.5, "average migration speed: 682.7 MiB/s - downtime 52 ms"),
            (7.5, f"migration completed, transferred {_gib(MEMORY_GIB)} VM-state"),
            (7.9, "migration finished successfully (duration 00:00:08)"),
        ]
        duration = 8.0
    return Script(duration, [(at, f"{_stamp(begin + at)} {text}") for at, text in steps])


def _clone(vmid: int) -> Script:
    seconds = 5
    lines: list[Line] = [(0.2, f"create full clone of drive scsi0 (local-lvm:vm-{vmid}-disk-0)")]
    for second in range(seconds + 1):
        done = DISK_GIB * second / seconds
        lines.append((0.5 + second, f"transferred {_gib(done)} of {_gib(DISK_GIB)} ({100 * done / DISK_GIB:.2f}%)"))
    return Script(seconds + 1.0, lines)


def imported(source: str, node: str, path: str, size: int) -> Script:
    """An uploaded file is put into a storage of a node."""
    lines = (
        f"starting file import from: {source}",
        f"target node: {node}",
        f"target file: {path}",
        f"file size is: {size}",
        f"command: cp -- {source} {path}",
        "finished file import successfully",
    )
    return Script(2.0, [(at / 4, line) for at, line in enumerate(lines)])


def downloaded(url: str, path: str) -> Script:
    """A file is fetched into a storage by wget, whose dots are 1 MiB here."""
    lines: list[Line] = [(0.0, f"downloading {url} to {path}")]
    for quarter in range(1, 5):
        lines.append(
            (0.5 * quarter, f"{8192 * quarter}K ........ ........ ........ ........ {25 * quarter:3d}% 100M 0s")
        )
    return Script(2.5, [*lines, (2.3, f"download of '{url}' to '{path}' finished")])


def _aptupdate() -> Script:
    return Script(
        4.0,
        [
            (0.1, "starting apt-get update"),
            (1.0, "Hit:1 http://deb.example.com/debian trixie InRelease"),
            (2.0, "Get:2 http://deb.example.com/debian trixie-updates InRelease [47.1 kB]"),
            (3.0, "Fetched 47.1 kB in 1s (47.1 kB/s)"),
            (3.5, "Reading package lists..."),
        ],
    )


def _gib(size: float) -> str:
    """A size as PVE's render_bytes prints it, from GiB."""
    number, unit = size * 1024**3, "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if number < 1024:
            break
        number, unit = number / 1024, larger
    return f"{number:.1f} {unit}"


def _stamp(epoch: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(epoch))
