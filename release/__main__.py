# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds a release twice, compares and checks it: ``python -m release [CHECKOUT]`` in a copy of the tree.

Without a checkout it is a rehearsal, as ``python3 dev.py test package`` holds it. ``python3 dev.py release`` names the
checkout: it must be ready for the release, gives it the time of its last commit, and gets it in ``.dev/release``.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import sys
import tempfile

import yaml
from packaging.requirements import Requirement

from .archive import build
from .checks import check
from .commands import run
from .readiness import State, obstacles
from .sbom import bill

OLD = 315532800  # 1980: the time of a rehearsal, and of the files in one of two copies
NEXT = """
{into} is ready, and nothing is published yet. RELEASING.md goes on:

  git tag --sign --message "proxkit.tasks {version}" {version}
  git push origin {version}
"""


def main() -> None:
    """Rehearse or make a release; the first fault ends it."""
    tree = pathlib.Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        if len(sys.argv) == 1:
            lay_out(tree, scratch, OLD)
            return
        checkout = pathlib.Path(sys.argv[1])
        state = State.of(checkout)
        reasons = obstacles(state)
        if reasons:
            sys.exit("\n- ".join([f"{state.version} cannot be released:", *reasons]))
        made = lay_out(tree, scratch, int(run("git", "log", "-1", "--format=%ct", cwd=checkout)))
        into = checkout / ".dev/release"
        shutil.rmtree(into, ignore_errors=True)
        shutil.copytree(made, into)
        print(NEXT.format(into=into, version=state.version))


def lay_out(tree: pathlib.Path, scratch: pathlib.Path, epoch: int) -> pathlib.Path:
    """A folder in ``scratch`` with archive, bill of materials and their sums."""
    for name in ("release", "again", "user"):
        (scratch / name).mkdir()
    archive = build(copy(tree, scratch / "copy", other=False), scratch / "release", epoch)
    again = build(copy(tree, scratch / "other/copy", other=True), scratch / "again", epoch)
    if archive.read_bytes() != again.read_bytes():
        sys.exit("two builds of the same files differ")
    document = archive.with_name(f"{archive.name.removesuffix('.tar.gz')}.cdx.json")
    document.write_text(bill(archive, *read(tree), epoch))
    check(archive, scratch / "user", tree / ".ci/galaxy-importer.cfg")
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in (archive, document)]
    (scratch / "release/SHA256SUMS").write_text("".join(sums))
    print("Built twice, with the same bytes:\n", *sums, sep="")
    return scratch / "release"


def read(tree: pathlib.Path) -> tuple[dict[str, str], list[Requirement]]:
    """What the tree says about the collection, and what that needs where it runs."""
    runtime = yaml.safe_load((tree / "meta/runtime.yml").read_text())
    lines = (tree / "requirements.txt").read_text().splitlines()
    needed = [f"ansible-core{runtime['requires_ansible']}", *(line for line in lines if line and line[0] != "#")]
    return yaml.safe_load((tree / "galaxy.yml").read_text()), [Requirement(line) for line in needed]


def copy(tree: pathlib.Path, to: pathlib.Path, *, other: bool) -> pathlib.Path:
    """A copy without empty folders; the other one differs in all that must not matter."""
    paths = (path for path in tree.rglob("*") if path.is_file() and ".git" not in path.relative_to(tree).parts)
    for path in sorted(paths, reverse=other):
        copied = to / path.relative_to(tree)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copied)
        if other:
            copied.chmod(copied.stat().st_mode & ~0o077)
            os.utime(copied, (OLD, OLD))
    return to


if __name__ == "__main__":
    main()
