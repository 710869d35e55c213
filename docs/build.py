# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the site, guides and plugins, as docs.ansible.com shows it; a warning is an error.

``.venv/bin/python docs/build.py`` writes ``.dev/site/html``. Nothing is fetched.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
SITE = ROOT / ".dev/site"


def main() -> int:
    """Build; the exit status of what failed, else 0."""
    pages = SITE / "rst"
    # antsibull-docs wants a folder that nobody else can write to.
    pages.mkdir(mode=0o755, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        installed = pathlib.Path(folder, "ansible_collections/proxkit/tasks")
        installed.parent.mkdir(parents=True)
        installed.symlink_to(ROOT, target_is_directory=True)
        read = ["antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error"]
        write = ["sphinx-build", "-c", str(ROOT / "docs"), "-q", "-W", "--keep-going", "--fresh-env", "--write-all"]
        tools = pathlib.Path(sys.executable).parent
        environment = {
            **os.environ,
            "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "ANSIBLE_COLLECTIONS_PATH": folder,
        }
        for command in (
            [*read, "--cleanup", "everything", "--dest-dir", str(pages), "proxkit.tasks"],
            [*write, str(pages), str(SITE / "html")],
        ):
            code = subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - the two above
            if code:
                return code
    print(f"The site is in {SITE / 'html'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
