# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive has the same bytes, whenever and wherever it was built, and its lists hold what it holds."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile

from ansible_collections.proxkit.tasks.release.archive import normalised
from hypothesis import given
from hypothesis import strategies as st

FILES = {"README.md": b"# Tasks\n", "plugins": None, "plugins/modules": None, "plugins/modules/wait.py": b"pass\n"}
EPOCH = 1_764_000_000


def built(names: list[str], time: float) -> bytes:
    """What ansible-galaxy builds: its two lists first, the rest as the file system has it, with the times of files."""
    entries = [{"name": name, "ftype": "dir" if FILES[name] is None else "file"} for name in names]
    listed = json.dumps({"files": [{"name": ".", "ftype": "dir"}, *entries], "format": 1}).encode()
    manifest = {"file_manifest_file": {"name": "FILES.json", "chksum_sha256": hashlib.sha256(listed).hexdigest()}}
    contents = {"MANIFEST.json": json.dumps(manifest).encode(), "FILES.json": listed}
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as written:
        for name in [*contents, *names]:
            content = contents[name] if name in contents else FILES[name]
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            member.size, member.mtime = len(content or b""), time
            written.addfile(member, io.BytesIO(content or b""))
    return raw.getvalue()


@given(st.permutations(list(FILES)), st.floats(0, 2**32))
def test_same_bytes_whatever_the_order_and_the_time(names: list[str], time: float) -> None:
    assert normalised(built(names, time), EPOCH) == normalised(built(list(FILES), 0), EPOCH)


def test_lists_hold_what_the_archive_holds() -> None:
    with tarfile.open(fileobj=io.BytesIO(normalised(built(list(FILES)[::-1], 1.5), EPOCH))) as opened:
        names = opened.getnames()
        contents = {name: file.read() for name in names if (file := opened.extractfile(name))}
        assert {member.mtime for member in opened} == {EPOCH}
    assert names == ["MANIFEST.json", "FILES.json", *sorted(FILES)]
    assert [entry["name"] for entry in json.loads(contents["FILES.json"])["files"]] == [".", *sorted(FILES)]
    listed = json.loads(contents["MANIFEST.json"])["file_manifest_file"]
    assert listed["chksum_sha256"] == hashlib.sha256(contents["FILES.json"]).hexdigest()
    assert contents["README.md"] == FILES["README.md"]


def test_another_time_or_content_makes_other_bytes() -> None:
    assert normalised(built(list(FILES), 0), EPOCH) != normalised(built(list(FILES), 0), EPOCH + 1)
    assert normalised(built(list(FILES), 0), EPOCH) != normalised(built(list(FILES)[:1], 0), EPOCH)
