# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tries the collection on every ansible-core it supports and prints the table: ``python3 dev.py matrix``.

Each ansible-core gets two rows, one of all that is oldest and one of all that is newest. Two rows are tried at a time,
each cell to its end; what it said is in ``.dev/logs``. Nothing in the table is assumed, and what cannot be had here is
said.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import pathlib
import subprocess
import sys
import threading
import time
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.proxkit.tasks import dev
else:
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
    import dev

# Every ansible-core, and the Pythons (3.x) that its documentation says it runs on.
CORES = {
    "2.17.14": (10, 11, 12),
    "2.18.19": (11, 12, 13),
    "2.19.14": (11, 12, 13),
    "2.20.10": (12, 13, 14),
    "2.21.5": (12, 13, 14),
}
# What the modules import: the oldest that still gets Python 3.9 along (requests is RHEL 9's), and what is newest.
OLDEST = ("proxmoxer==2.0.1", "requests==2.25.1")
NEWEST = ("proxmoxer==2.3.0", "requests==2.34.2")
TARGET = 9  # the oldest Python of machines that modules run on

PYTEST = f"{dev.PYTEST} -q"
# By the name of the column. "target" has modules on Python 3.9 answer a table of calls as Ansible's own process does.
CELLS = {
    "units": (f"{PYTEST} -n 2 tests/unit",),
    "examples": (f"{PYTEST} tests/docs", dev.DEMO),
    "scenarios": ("molecule test --all",),
    "target": (f"{PYTEST} tests/both_ways",),
    "sanity": ("ansible-test sanity --venv --color no",),
}
# For the gate, which has little time: unit tests of what the versions differ in, examples of the plugins, one scenario.
DIFFERENT = ("action", "filter", "test", "modules/test_main.py", "module_utils/_module", "module_utils/_client")
BRIEF = {
    # In one process: other checks run beside it.
    "units": (f"{PYTEST} {' '.join(f'tests/unit/plugins/{part}' for part in DIFFERENT)}",),
    "examples": (f"{PYTEST} tests/docs/test_examples.py tests/docs/test_in_templates.py", dev.DEMO),
    "scenarios": ("molecule test -s pve",),
}
INSTALLING = threading.Lock()  # the target's environment, which all rows share


@dataclasses.dataclass(frozen=True)
class Row:
    """One combination of versions; ``newest``: of its ansible-core's two rows it is the one with the newest of all."""

    core: str
    minor: int
    newest: bool

    @property
    def libraries(self) -> tuple[str, ...]:
        """What is installed for the modules."""
        return NEWEST if self.newest else OLDEST

    @property
    def folder(self) -> pathlib.Path:
        """Where it is tried."""
        return dev.DEV / f"matrix-{self.core}-3.{self.minor}-{'newest' if self.newest else 'oldest'}"

    def has(self, cell: str) -> bool:
        """Whether the cell is tried here: the linters say the same on each Python."""
        return self.newest or cell != "sanity"


def rows_of(cores: t.Sequence[str]) -> list[Row]:
    """The oldest and the newest row of each ansible-core, of the Pythons that are found."""
    rows = []
    for core in cores:
        minors = [minor for minor in CORES[core] if minor in dev.find_pythons()]
        rows += [Row(core, minors[0], False), Row(core, minors[-1], True)] if minors else []
    return rows


def not_to_be_had(cores: t.Sequence[str]) -> list[str]:
    """What should be tried and cannot be here, in sentences."""
    lacking: dict[int, list[str]] = {}
    for core in cores:
        for minor in (TARGET, *CORES[core]):
            if minor not in dev.find_pythons():
                lacking.setdefault(minor, []).append(core)
    return [f"Not to be had here: Python 3.{minor} (ansible-core {', '.join(of)})." for minor, of in lacking.items()]


def try_cell(row: Row, cell: str, commands: t.Sequence[str], runner: dev.Runner) -> tuple[int, float]:
    """Exit status and seconds of a cell."""
    log, begun = dev.LOGS / f"{row.folder.name}-{cell}.log", time.monotonic()
    with log.open("wb") as out:
        try:
            python = dev.install(
                row.folder / "venv",
                dev.find_pythons()[row.minor],
                ["-r", "requirements-matrix.txt", f"ansible-core=={row.core}", *row.libraries],
            )
            tree = row.folder / dev.COLLECTION
            dev.stage(tree)
            with dev.environment(python, row.folder) as env:
                if cell == "target":
                    with INSTALLING:
                        target = dev.install(dev.DEV / "matrix-target", dev.find_pythons()[TARGET], OLDEST)
                    env["TARGET_PYTHON"] = str(target)
                if cell == "sanity":
                    dev.provide_get_pip(python, row.folder / "home/.ansible/test/cache")
                begun = time.monotonic()
                code = dev.run_each(commands, runner, out, cwd=tree, env=env)
        except (OSError, SystemExit, subprocess.CalledProcessError) as error:  # the other cells have a right to run
            out.write(f"{error}\n".encode())
            code = 1
    return code, time.monotonic() - begun


def table(rows: t.Sequence[Row], cells: t.Sequence[str], results: t.Mapping[tuple[Row, str], str]) -> str:
    """The table in text, the newest ansible-core first."""
    columns = [f"{cell} 3.{TARGET}" if cell == "target" else cell for cell in cells]
    head = ["ansible-core", "Python", "proxmoxer", "requests", *columns]
    lines = [head]
    for row in sorted(rows, key=lambda row: (list(CORES).index(row.core), row.newest), reverse=True):
        versions = [library.partition("==")[2] for library in row.libraries]
        told = [results.get((row, cell), "-") for cell in cells]
        lines.append([row.core, f"3.{row.minor}", *versions, *told])
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in lines)


def commit() -> str:
    """What was tried: the commit, and whether files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    done = subprocess.run(command, cwd=dev.ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "no checkout"


def run(arguments: argparse.Namespace, runner: dev.Runner) -> int:
    """Try what is asked for, print the table and keep it in ``.dev/logs/matrix.txt``."""
    commands = BRIEF if arguments.brief else CELLS
    cores = [core for core in CORES if not arguments.core or core.startswith(tuple(f"{c}." for c in arguments.core))]
    rows = rows_of(cores)[: 1 if arguments.brief else None]
    rows = [row for row in rows if not arguments.python or f"3.{row.minor}" in arguments.python]
    cells = [cell for cell in commands if not arguments.cell or cell in arguments.cell]
    if TARGET not in dev.find_pythons():
        cells = [cell for cell in cells if cell != "target"]
    dev.LOGS.mkdir(parents=True, exist_ok=True)
    results: dict[tuple[Row, str], str] = {}
    failures = []

    def try_row(row: Row) -> None:
        for cell in filter(row.has, cells):
            code, seconds = try_cell(row, cell, commands[cell], runner)
            results[row, cell] = f"{dev.verdict(code)} {seconds:.0f} s"
            log = f".dev/logs/{row.folder.name}-{cell}.log"
            print(f"{row.core:9} 3.{row.minor:<4} {cell:10} {results[row, cell]:14} {log}", flush=True)
            if code:
                failures.append(log)

    dev.two_at_a_time(try_row, rows, runner)
    for log in failures if arguments.brief else ():
        print((dev.ROOT / log).read_text(errors="replace"))
    said = "\n".join(
        [
            f"{commit()}, {datetime.date.today():%Y-%m-%d}",
            table(rows, cells, results),
            *not_to_be_had(sorted({row.core for row in rows})),
            f"{len(results) - len(failures)} passed, {len(failures)} failed",
        ]
    )
    (dev.LOGS / "matrix.txt").write_text(said + "\n")
    print(f"\n{said}")
    return 1 if failures or not results else 0


def main() -> int:
    """Do what the command line says; exit status 1 where a cell failed, 130 after an interrupt."""
    parser = argparse.ArgumentParser(prog="dev.py matrix", description=__doc__.partition("\n")[0])
    parser.add_argument("--core", nargs="+", help="only these, such as 2.17", default=[])
    parser.add_argument("--python", nargs="+", help="only rows with these, such as 3.12", default=[])
    parser.add_argument("--cell", nargs="+", choices=CELLS, help="only these columns", default=[])
    parser.add_argument("--brief", action="store_true", help="the oldest row in short, as the gate runs it")
    arguments = parser.parse_args()
    return dev.interruptible(lambda runner: run(arguments, runner))


if __name__ == "__main__":
    sys.exit(main())
