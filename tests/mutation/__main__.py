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

import yaml
from ansible_collections.proxkit.tasks.tests.mutation.mutants import Mutant, mutants_of
from ansible_collections.proxkit.tasks.tests.mutation.selection import tests_of
from ansible_collections.proxkit.tasks.tests.mutation.trial import Trials

UTILS = pathlib.Path("plugins/module_utils")
PURE = {
    "_model": "clock cursor errors extract flaws grammar log progress progress_lines results task text upid",
    "_engine": "ending entry lists plan polling",
    "_client": "answers refusals service",
    "_module": "credentials filters lines report spec trend upids values",
}
EXPLAINED = pathlib.Path(__file__).with_name("explained.yml")
GOAL = 95.0


class Score(t.NamedTuple):
    """What became of a file's mutants; ``stale`` are explanations that none of them needs."""

    mutants: int
    killed: int
    explained: int
    survivors: list[Mutant]
    stale: list[str]

    @property
    def percent(self) -> float:
        """The share that was killed of what can be."""
        able = self.mutants - self.explained
        return 100.0 * self.killed / able if able else 100.0


def score(path: pathlib.Path, first: int, last: int, explained: dict[tuple[str, str], str]) -> Score:
    """Try the mutants of a file's lines."""
    source = path.read_text(encoding="utf-8")
    trials = Trials(path, tests_of(path))
    mutants = [mutant for mutant in mutants_of(source) if first <= mutant.line <= last]
    survivors = []
    for number, mutant in enumerate(mutants, 1):
        if trials.survives(mutant.source):
            survivors.append(mutant)
        if sys.stderr.isatty():
            print(f"\r{path} {number}/{len(mutants)}, {len(survivors)} survived ", end="", file=sys.stderr)
    there = {(mutant.was, mutant.now) for mutant in survivors}
    stale = [f"- {was}\n+ {now}" for was, now in explained if (was, now) not in there]
    left = [mutant for mutant in survivors if (mutant.was, mutant.now) not in explained]
    whole = last - first + 1 >= len(source.splitlines())
    killed = len(mutants) - len(survivors)
    return Score(len(mutants), killed, len(survivors) - len(left), left, stale if whole else [])


def diff(path: pathlib.Path, mutant: Mutant) -> str:
    """A mutant to read."""
    lines = [f"-{line}" for line in mutant.was.splitlines()] + [f"+{line}" for line in mutant.now.splitlines()]
    return "\n".join([f"{path}:{mutant.line}", *lines, "", ""])


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
    explained = explanations()
    print(f"{'file':56}{'mutants':>8}{'killed':>8}{'explained':>10}{'survived':>9}{'score':>9}{'':>6}s")
    fine = True
    with open(options.survivors, "w", encoding="utf-8") as out:
        for given in paths:
            begun = time.monotonic()
            name, _colon, lines = given.partition(":")
            path = pathlib.Path(name)
            first, _dash, last = lines.partition("-")
            found = score(path, int(first or 1), int(last or 10**9), explained.get(name, {}))
            out.writelines(diff(path, mutant) for mutant in found.survivors)
            out.flush()
            print(
                f"{name:56}{found.mutants:8}{found.killed:8}{found.explained:10}{len(found.survivors):9}"
                f"{found.percent:8.1f}%{time.monotonic() - begun:7.0f}",
                flush=True,
            )
            for text in found.stale:
                print(f"{EXPLAINED.name} explains what does not survive:\n{text}")
            fine = fine and found.percent >= GOAL and not found.stale
    return 0 if fine else 1


def explanations() -> dict[str, dict[tuple[str, str], str]]:
    """Why mutants are the same program after all: by file, then by what was and is there."""
    found: dict[str, dict[tuple[str, str], str]] = {}
    for name, rows in (yaml.safe_load(EXPLAINED.read_text(encoding="utf-8")) or {}).items():
        found[name] = {(row["was"], now): row["why"] for row in rows for now in row["now"]}
    return found


if __name__ == "__main__":
    sys.exit(main())
