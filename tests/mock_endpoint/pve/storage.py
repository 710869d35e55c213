# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storages, and files that get into one. Source: PVE::API2::Storage::Status, for the list Config beside it."""

from __future__ import annotations

import re
import urllib.parse

from .._messages import ApiError
from .._proxy import INVALID
from .._routes import Result
from . import scripts
from .calls import Call
from .world import STORAGES

FOLDERS = {"iso": "template/iso", "vztmpl": "template/cache", "import": "import"}
ENDINGS = {"iso": r"\.(?:iso|img)", "vztmpl": r"\.tar\.(?:gz|xz|zst)", "import": r"\.(?:ova|ovf|qcow2|raw|vmdk)"}
# What is not percent-encoded in the id of a task: all that can be printed, but for the percent sign and the colon.
PLAIN = "".join(map(chr, range(0x20, 0x7F))).replace("%", "").replace(":", "")


def storages(call: Call) -> Result:
    may, wanted = call.world.users.may, call.text("type", "dir")
    rights = ("Datastore.Audit", "Datastore.AllocateSpace")
    seen = [name for name in STORAGES if any(may(call.who, right, f"/storage/{name}") for right in rights)]
    common = {"type": "dir", "content": "iso,vztmpl,backup,import", "digest": "0" * 40}
    return Result([{"storage": name, "path": STORAGES[name], **common} for name in seen if wanted == "dir"])


def upload(call: Call) -> Result:
    """The node that was asked copies the file, wherever the storage is: its task is there."""
    call.need("Datastore.AllocateTemplate", f"/storage/{call.where['storage']}")
    receiver = call.where["receiver"]
    if receiver != "localhost" and receiver not in call.world.nodes:
        raise ApiError(500, call.world.not_found(receiver))
    path, _name = _destination(call)
    temporary = call.text("tmpfilename")
    size = int(temporary.rpartition("-")[2], 16)
    script = scripts.imported(temporary, receiver, path, size)
    return Result(call.world.run(call.world.local, "imgcopy", "", call.who, script))


def download(call: Call) -> Result:
    call.need("Datastore.AllocateTemplate", f"/storage/{call.where['storage']}")
    path, name = _destination(call)
    subject = urllib.parse.quote(name, safe=PLAIN)
    script = scripts.downloaded(call.text("url"), path)
    return Result(call.world.run(call.where["node"], "download", subject, call.who, script))


def _destination(call: Call) -> tuple[str, str]:
    """Path and name of the file that is made; raises ApiError."""
    storage, content = call.where["storage"], call.text("content")
    if storage not in STORAGES:
        raise ApiError(500, f"storage '{storage}' does not exist")
    name = re.sub(r"[^a-zA-Z0-9_.-]", "_", re.sub(r"^.*[/\\]", "", call.text("filename")))
    if not re.fullmatch(rf".+{ENDINGS[content]}", name, re.IGNORECASE):
        raise ApiError(400, INVALID, {"filename": "wrong file extension"})
    return f"{STORAGES[storage]}/{FOLDERS[content]}/{name}", name
