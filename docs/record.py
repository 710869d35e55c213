# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the README's playbook on the mocked endpoint and puts what it shows into README and guide.

``.venv/bin/python docs/record.py`` takes a minute, the time that the mocked backup lasts: nothing is made up.
"""

from __future__ import annotations

import importlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[1]
PLAYBOOK = ROOT / "examples/first_playbook.yml"
README, GUIDE = ROOT / "README.md", ROOT / "docs/docsite/rst/guide_waiting.rst"
GIB, SECONDS, STEP = 19.8, 45, 3
# The record stands in a block of code behind these lines.
_IN_README = re.compile(r"(?<=<!-- recorded by docs/record.py -->\n```text\n).*?(?=```\n)", re.DOTALL)
_IN_GUIDE = re.compile(r"(?<=\.\. recorded by docs/record.py\n\n\.\. code-block:: text\n\n)(?:    .*\n|\n)*?(?=\n\S)")


def recorded() -> tuple[str, str]:
    """The record as README and guide have it."""
    readme, guide = (pattern.search(path.read_text(encoding="utf-8")) for path, pattern in _PLACES.items())
    if readme is None or guide is None:
        raise LookupError("README or guide have no place for the record")
    return readme[0], textwrap.dedent(guide[0])


def main() -> None:
    """Record, and write it down."""
    text = _record()
    for path, pattern in _PLACES.items():
        told = text if path == README else textwrap.indent(text, "    ")
        # A backslash in what was told would mean something to sub().
        told = told.replace("\\", r"\\")
        path.write_text(pattern.sub(told, path.read_text(encoding="utf-8"), count=1), encoding="utf-8")


def _record() -> str:
    """What a terminal shows of the playbook."""
    sys.path.insert(0, str(ROOT))
    importlib.import_module("conftest")  # makes the checkout importable under the collection's name
    endpoint: t.Any = importlib.import_module("ansible_collections.proxkit.tasks.tests.mock_endpoint")
    with endpoint.serve(key_usage=True) as mock, tempfile.TemporaryDirectory() as folder:
        mock.scripts(type="vzdump", duration=SECONDS, log=_log())
        installed = pathlib.Path(folder, "ansible_collections/proxkit/tasks")
        installed.parent.mkdir(parents=True)
        installed.symlink_to(ROOT)
        done = subprocess.run(  # noqa: S603 - the checkout's own playbook
            [sys.executable, "-m", "ansible.cli.playbook", "-i", "localhost,", "-c", "local", str(PLAYBOOK)],
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE", "PROXMOX"))},
                "PYTHONUNBUFFERED": "1",  # both streams in their order
                "COLUMNS": "80",
                "ANSIBLE_COLLECTIONS_PATH": folder,
                "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
                "PROXMOX_HOST": mock.host,
                "PROXMOX_PORT": str(mock.port),
                "PROXMOX_CA_PATH": mock.ca_path,
                "PROXMOX_TOKEN_ID": endpoint.TOKEN_ID,
                "PROXMOX_TOKEN_SECRET": endpoint.TOKEN_SECRET,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
    shown, _mark, _recap = done.stdout.partition("PLAY RECAP")
    return re.sub(r"\*{4,}", "****", shown).strip() + "\n"


def _log() -> list[tuple[float, str]]:
    """What vzdump writes about a disk that is read at an even pace."""
    mib = GIB * 1024 / SECONDS
    steps = range(STEP, SECONDS, STEP)
    return [
        (0.0, "INFO: starting new backup job: vzdump 100 --storage backup --mode snapshot"),
        (0.1, "INFO: Starting Backup of VM 100 (qemu)"),
        *(
            (
                float(at),
                f"INFO: {100 * at // SECONDS:3}% ({GIB * at / SECONDS:.1f} GiB of {GIB} GiB) in {at}s, "
                f"read: {mib:.1f} MiB/s, write: {mib * 0.8:.1f} MiB/s",
            )
            for at in steps
        ),
        (SECONDS - 0.5, f"INFO: 100% ({GIB} GiB of {GIB} GiB) in {SECONDS}s, read: {mib:.1f} MiB/s, write: 0.0 B/s"),
        (SECONDS - 0.2, "INFO: Finished Backup of VM 100 (00:00:45)"),
    ]


_PLACES = {README: _IN_README, GUIDE: _IN_GUIDE}

if __name__ == "__main__":
    main()
