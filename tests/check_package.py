# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the collection's archive, checks what is in it, installs it offline and shows it to Galaxy's importer.

Run it in the collection's root with the development set on PATH: ``python3 dev.py test package`` does.
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

NEEDED = {"README.md", "LICENSE", "meta/runtime.yml", "meta/execution-environment.yml", "MANIFEST.json", "FILES.json"}
OF_USE = re.compile(
    r"(plugins|roles|playbooks|examples|docs|extensions/eda)/.*\.(py|ya?ml|j2|md|rst)"
    r"|meta/[\w-]+\.(yml|txt)|CHANGELOG\.(md|rst)|changelogs/changelog\.yaml"
)


def run(*command: str, cwd: pathlib.Path) -> str:
    """Run a command, print what it says and return it; its failure ends the check."""
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(f"$ {' '.join(command)}\n{done.stdout}", flush=True)
    if done.returncode:
        sys.exit(f"{command[0]} ended with {done.returncode}")
    return done.stdout


def main() -> None:
    """Do all steps in a temporary folder; the first that fails ends it with a reason."""
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        run("ansible-galaxy", "collection", "build", "--output-path", name, cwd=pathlib.Path.cwd())
        (archive,) = scratch.glob("proxkit-tasks-*.tar.gz")
        with tarfile.open(archive) as opened:
            files = {member.name for member in opened if member.isfile()}
        if NEEDED - files:
            sys.exit(f"the archive lacks {sorted(NEEDED - files)}")
        useless = sorted(path for path in files - NEEDED if not OF_USE.fullmatch(path))
        if useless:
            sys.exit(f"the archive has files that no user needs (galaxy.yml, build_ignore): {useless}")
        run("ansible-galaxy", "collection", "install", "--offline", "--force", str(archive), "-p", name, cwd=scratch)
        installed = scratch / "ansible_collections/proxkit/tasks"
        lost = sorted(path for path in files if not (installed / path).is_file())
        if lost:
            sys.exit(f"the installation lacks {lost}")
        said = run(sys.executable, "-m", "galaxy_importer.main", archive.name, cwd=scratch)
        if re.search(r"^(ERROR|CRITICAL)", said, re.MULTILINE):
            sys.exit("Galaxy's importer found errors")
        print(f"{archive.name}: {len(files)} files")


if __name__ == "__main__":
    main()
