# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the collection beside its peers: ``python benchmarks/run.py [SECTION...]``; see ``docs/benchmarks.md``.

Wants the environment that ``requirements-dev.txt`` describes, e.g. ``.venv/bin/python benchmarks/run.py``.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import pathlib
import platform
import signal
import sys
import tempfile
import typing as t

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import _call
import _decode
import _detect
import _log
import _many
from _common import Options, endpoint, table

importlib.import_module("conftest")  # makes the checkout importable under the collection's name

SECTIONS = {section.NAME: section for section in (_detect, _many, _log, _decode, _call)}
LIBRARIES = ("ansible-core", "proxmoxer", "requests", "aiohttp", "cryptography")


def main() -> int:
    """Measure the sections asked for, one after another, and print a table for each."""
    parser = argparse.ArgumentParser(description="Measure the collection beside its peers.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; default: all")
    parser.add_argument("--runs", type=int, default=5, help="runs of which the median is shown (default 5)")
    parser.add_argument("--long", action="store_true", help="also tasks of 60 s; many tasks of 2 to 20 s, up to 2,000")
    parser.add_argument("--with-ansible", action="store_true", help="also community.proxmox (fetches 50 MB once)")
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    except importlib.metadata.PackageNotFoundError as exc:
        sys.exit(f"{exc.name} is missing: install requirements-dev.txt, or use .venv/bin/python after dev.py test")
    print(f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}")
    print(f"{versions}; medians of {arguments.runs} runs", flush=True)
    with tempfile.TemporaryDirectory(prefix="proxkit-bench-") as scratch:
        options = Options(max(1, arguments.runs), arguments.long, arguments.with_ansible, pathlib.Path(scratch))
        with endpoint(options.scratch) as mock:
            for name in arguments.sections or SECTIONS:
                print(f"\n{name}\n\n{table(SECTIONS[name].measure(mock, options))}", end="", flush=True)
    return 0


def _interrupt(_signal: int, _frame: object) -> t.NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
