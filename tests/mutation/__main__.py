# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints a table of the mutants that tests notice, and writes those that none notices to a file.

``python3 dev.py mutation [PATH[:FIRST-LAST]...]``, by default all of the pure files. Ends with 1 where the score of a
file is too low, or where what explains a survivor explains none.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import time
import typing as t

from ansible_collections.proxkit.tasks.tests.mutation.explained import Change, read, written
from ansible_collections.proxkit.tasks.tests.mutation.mutants import mutants_of
from ansible_collections.proxkit.tasks.tests.mutation.selection import tests_of
from ansible_collections.proxkit.tasks.tests.mutation.trial import Trials

UTILS = pathlib.Path("plugins/module_utils")
PURE = {
    "_model": "clock cursor errors extract flaws grammar log masking progress progress_lines results task text upid",
    "_engine": "ending entry lists plan polling",
    "_client": "answers faults refusals service",
    "_module": "credentials filters lines plain report spec trend upids values",
}
EXPLAINED = pathlib.Path(__file__).with_name("explained.txt")
GOAL = 95.0


class Score(t.NamedTuple):
    """What became of a file's mutants; ``stale`` are explanations that none of them needs."""

    mutants: int
    killed: int
    explained: int
    stale: set[Change]

    @property
    def survived(self) -> int:
        """How many neither a test nor an explanation accounts for."""
        return self.mutants - self.killed - self.explained

    @property
    def percent(self) -> float:
        """The share that was killed of what can be."""
        able = self.mutants - self.explained
        return 100.0 * self.killed / able if able else 100.0


def score(path: pathlib.Path, first: int, last: int, explained: set[Change], out: t.TextIO) -> Score:
    """Try the mutants of a file's lines; those that survive for no known reason go to ``out``."""
    source = path.read_text(encoding="utf-8")
    trials = Trials(path, tests_of(path))
    mutants = [mutant for mutant in mutants_of(source) if first <= mutant.line <= last]
    survivors = []
    for number, mutant in enumerate(mutants, 1):
        if trials.survives(mutant.source):
            survivors.append(Change(str(path), mutant.was, mutant.now))
            if survivors[-1] not in explained:
                out.write(written(f"{path}:{mutant.line}", mutant.was, mutant.now))
                out.flush()
        if sys.stderr.isatty():
            print(f"\r{path} {number}/{len(mutants)}, {len(survivors)} survived ", end="", file=sys.stderr)
    whole = first == 1 and last >= len(source.splitlines())
    stale = {change for change in explained if whole and change.path == str(path)} - set(survivors)
    known = sum(1 for change in survivors if change in explained)
    return Score(len(mutants), len(mutants) - len(survivors), known, stale)


def main() -> int:
    """Run, print, and say by the exit status whether all is well."""
    parser = argparse.ArgumentParser(prog="dev.py mutation", description=__doc__)
    parser.add_argument("paths", nargs="*", metavar="PATH[:FIRST-LAST]")
    parser.add_argument("--survivors", default="survivors.diff", help="where to write them")
    options = parser.parse_args()
    sys.dont_write_bytecode = False  # each mutant imports all of the collection anew
    paths = options.paths or [
        str(UTILS / package / f"{n}.py") for package, names in PURE.items() for n in names.split()
    ]
    explained = read(EXPLAINED.read_text(encoding="utf-8"))
    print(f"{'file':56}{'mutants':>8}{'killed':>8}{'explained':>10}{'survived':>9}{'score':>9}{'':>6}s")
    fine = True
    with open(options.survivors, "w", encoding="utf-8") as out:
        for given in paths:
            begun = time.monotonic()
            name, _colon, lines = given.partition(":")
            path = pathlib.Path(name)
            first, _dash, last = lines.partition("-")
            found = score(path, int(first or 1), int(last or 10**9), explained, out)
            print(
                f"{name:56}{found.mutants:8}{found.killed:8}{found.explained:10}{found.survived:9}"
                f"{found.percent:8.1f}%{time.monotonic() - begun:7.0f}",
                flush=True,
            )
            for _path, was, now in sorted(found.stale):
                print(written(f"{EXPLAINED.name} explains what does not survive:", was, now))
            fine = fine and found.percent >= GOAL and not found.stale
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
