# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tests speak of a file: those of its package that name it, then those that name what imports it, and so on."""

from __future__ import annotations

import pathlib
import re

UTILS = pathlib.Path("plugins/module_utils")
TESTS = pathlib.Path("tests/unit/plugins/module_utils")


def tests_of(path: pathlib.Path) -> list[pathlib.Path]:
    """Its package's tests that have to do with a file, the nearest first; those of all where there are none."""
    near = sorted(TESTS.joinpath(path.parent.name).glob("test_*.py"))
    return _nearest(path, near) or _nearest(path, sorted(TESTS.glob("*/test_*.py")))


def _nearest(path: pathlib.Path, tests: list[pathlib.Path]) -> list[pathlib.Path]:
    found: list[pathlib.Path] = []
    seen = {path}
    ring = [path]
    while ring:
        named = [test for test in tests if any(_names(test, source) for source in ring)]
        own = [test for test in tests if any(test.name.startswith(f"test__{source.stem}") for source in ring)]
        found += [test for test in [*own, *named] if test not in found]
        ring = [
            other
            for other in sorted(UTILS.glob("_*/*.py"))
            if other not in seen and any(_names(other, s) for s in ring)
        ]
        seen.update(ring)
    return list(dict.fromkeys(found))


def _names(path: pathlib.Path, source: pathlib.Path) -> bool:
    package, module = source.parent.name, source.stem
    return bool(re.search(rf"{package}(?:\.| import .*\b){module}\b", path.read_text(encoding="utf-8")))
