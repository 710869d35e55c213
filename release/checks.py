# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an archive must stand before anybody gets it."""

from __future__ import annotations

import os
import pathlib
import re
import sys
import tarfile

from .commands import run

NEEDED = {
    "CHANGELOG.md",
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "README.md",
    "changelogs/changelog.yaml",
    "meta/execution-environment.yml",
    "meta/runtime.yml",
    "requirements.txt",
}
OF_USE = re.compile(r"(plugins|roles|playbooks|examples|docs|extensions/eda)/.*\.(py|ya?ml|j2|md|rst)")
# A definition of an execution environment as users write it; the archive stands for the name on Galaxy.
ENVIRONMENT = """
version: 3
images:
  base_image:
    name: registry.example.com/base:1
dependencies:
  ansible_core:
    package_pip: ansible-core
  ansible_runner:
    package_pip: ansible-runner
  galaxy:
    collections:
      - name: {archive}
        type: file
"""


def check(archive: pathlib.Path, scratch: pathlib.Path, importer: pathlib.Path) -> None:
    """Look at the archive as a user, a builder of execution environments and Galaxy will; the first fault ends it."""
    check_contents(archive)
    check_installation(archive, scratch)
    check_environment(archive, scratch)
    check_import(archive, scratch, importer)


def check_contents(archive: pathlib.Path) -> None:
    """What users need is there, and nothing else."""
    with tarfile.open(archive) as opened:
        files = {member.name for member in opened if not member.isdir()}
    if NEEDED - files:
        sys.exit(f"the archive lacks {sorted(NEEDED - files)}")
    useless = sorted(path for path in files - NEEDED if not OF_USE.fullmatch(path))
    if useless:
        sys.exit(f"the archive has files that no user needs (galaxy.yml, build_ignore): {useless}")


def check_installation(archive: pathlib.Path, scratch: pathlib.Path) -> None:
    """It can be installed without a network, and every file has the sum that the archive's list gives."""
    run("ansible-galaxy", "collection", "install", "--offline", "--force", str(archive), "-p", ".", cwd=scratch)
    run("ansible-galaxy", "collection", "verify", "--offline", "proxkit.tasks", "-p", ".", cwd=scratch)


def check_environment(archive: pathlib.Path, scratch: pathlib.Path) -> None:
    """A builder of execution environments finds what the installed collection needs."""
    found = run("ansible-builder", "introspect", str(scratch), cwd=scratch)
    if "proxmoxer>=" not in found:
        sys.exit("ansible-builder does not find the Python requirements (meta/execution-environment.yml)")
    (scratch / "environment.yml").write_text(ENVIRONMENT.format(archive=archive))
    run("ansible-builder", "create", "--file", "environment.yml", "--context", "context", cwd=scratch)


def check_import(archive: pathlib.Path, scratch: pathlib.Path, config: pathlib.Path) -> None:
    """Galaxy's importer takes it, asked for what Automation Hub asks for."""
    env = {**os.environ, "GALAXY_IMPORTER_CONFIG": str(config)}
    said = run(sys.executable, "-m", "galaxy_importer.main", str(archive), cwd=scratch, env=env)
    if re.search(r"^(ERROR|CRITICAL)", said, re.MULTILINE):
        sys.exit("Galaxy's importer found errors")
