# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's archive, the same bytes from the same files.

``ansible-galaxy`` lists files as the file system does, and writes down when it was run and how old the files are.
Here the list is sorted and every time is the one given. Another zlib may still compress to other bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import pathlib
import tarfile
import tempfile

from .commands import run


def build(tree: pathlib.Path, into: pathlib.Path, epoch: int) -> pathlib.Path:
    """Build the archive of the collection in ``tree``; every time in it is ``epoch``."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "HOME": folder}
        run("ansible-galaxy", "collection", "build", "--output-path", folder, cwd=tree, env=env)
        (built,) = pathlib.Path(folder).glob("*.tar.gz")
        archive = into / built.name
        archive.write_bytes(normalised(built.read_bytes(), epoch))
    return archive


def normalised(archive: bytes, epoch: int) -> bytes:
    """An archive of ``ansible-galaxy`` with sorted lists and one time."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        members = {member.name: (member, _content(opened, member)) for member in opened}
    files, manifest = (json.loads(members[name][1]) for name in ("FILES.json", "MANIFEST.json"))
    files["files"].sort(key=lambda entry: entry["name"])
    listed = json.dumps(files, indent=True).encode()
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(listed).hexdigest()
    contents = {"MANIFEST.json": json.dumps(manifest, indent=True).encode(), "FILES.json": listed}
    raw = io.BytesIO()
    # Galaxy reads these two first, the others follow in the order of the list.
    with (
        gzip.GzipFile("", "wb", 9, raw, mtime=epoch) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as written,
    ):
        for name in [*contents, *sorted(members.keys() - contents.keys())]:
            member, content = members[name]
            content = contents.get(name, content)
            member.size, member.mtime, member.pax_headers = len(content), epoch, {}
            written.addfile(member, io.BytesIO(content))
    return raw.getvalue()


def _content(opened: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = opened.extractfile(member) if member.isfile() else None
    return file.read() if file else b""
