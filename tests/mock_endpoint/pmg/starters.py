# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that start tasks."""

from __future__ import annotations

import re
import typing as t

from .._messages import ApiError
from .._proxy import INVALID
from .._routes import Result
from ..pve.calls import Call
from .world import REMOTES

Handler = t.Callable[[Call], Result]

SERVICES = (
    *("clamav-daemon", "clamav-freshclam", "fetchmail", "pmgproxy", "pmgdaemon", "pmgpolicy", "pmg-smtp-filter"),
    *(
        "pmgtunnel",
        "pmgmirror",
        "ssh",
        "rsyslog",
        "postfix",
        "postgres",
        "systemd-timesyncd",
        "pmg-hourly",
        "pmg-daily",
    ),
    *("pmgreport", "pmgspamreport", "chrony"),
)
_FILE = "pmg-backup_[0-9A-Za-z_-]+\\.tgz"


def _start(call: Call, kind: str, subject: str = "", target: str = "") -> Result:
    node = call.where.get("node", call.world.local)
    return Result(call.world.start(node, kind, call.who, (), subject, target))


def starting(kind: str) -> Handler:
    return lambda call: _start(call, kind)


def service(action: str) -> Handler:
    def act(call: Call) -> Result:
        name = call.where["service"]
        if name not in SERVICES:
            said = f"value '{name}' does not have a value in the enumeration '{', '.join(SERVICES)}'"
            raise ApiError(400, INVALID, {"service": said})
        return _start(call, f"srv{action}", name)

    return act


def restore(call: Call) -> Result:
    """Of a file that tests need not have made."""
    name = call.where["filename"]
    if not re.fullmatch(_FILE, name):
        raise ApiError(400, INVALID, {"filename": "value does not match the regex pattern"})
    _check_chosen(call)
    return _start(call, "restore", target=name)


def pbs_backup(call: Call) -> Result:
    _check_remote(call)
    return _start(call, "pbs_backup", target=call.where["node"])


def pbs_restore(call: Call) -> Result:
    _check_remote(call)
    _check_chosen(call)
    return _start(call, "pbs_restore", target="host/{backup-id}/{backup-time} from {remote}".format(**call.where))


def _check_remote(call: Call) -> None:
    if call.where["remote"] not in REMOTES:
        raise ApiError(500, f"PBS remote '{call.where['remote']}' does not exist")


def _check_chosen(call: Call) -> None:
    if call.text("database", "1") == "0" and call.text("config", "0") == "0":
        said = "nothing selected - please select what you want to restore (config or database?)"
        raise ApiError(500, said)
