# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Python too old for the modules is told so in a sentence, before it meets what it cannot read."""

from __future__ import annotations

import ast
import json
import pathlib
import re
import subprocess
import sys

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._module.python import refusal

ROOT = pathlib.Path(__file__).resolve().parents[4]
FIRST = ROOT / "plugins/module_utils/_module/python.py"
MODULES = sorted((ROOT / "plugins/modules").glob("*.py"))
ONLY = "ansible_collections.proxkit.tasks.plugins.module_utils._module.python"

# Python's own libraries are not to notice what they run on, so the version changes last.
PROGRAM = """
import json, os, runpy, sys, typing
conftest, module, version = sys.argv[1:]
runpy.run_path(conftest)
sys.version_info = (*map(int, version.split(".")), "final", 0)
try:
    runpy.run_path(module, run_name="__main__")
finally:
    print(sorted(name for name in sys.modules if name.startswith("ansible")), file=sys.stderr)
"""


@pytest.mark.parametrize("path", [FIRST, *MODULES], ids=lambda path: path.stem)
def test_python_3_7_can_read_it(path: pathlib.Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 7))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
@pytest.mark.parametrize("version", ["3.7.16", "3.8.0"])
def test_a_module_fails_on_it_properly(path: pathlib.Path, version: str) -> None:
    command = [sys.executable, "-I", "-S", "-c", PROGRAM, str(ROOT / "conftest.py"), str(path), version]
    done = subprocess.run(command, input="{}", capture_output=True, text=True, check=False)  # noqa: S603 - as above
    assert done.returncode == 1, done.stderr
    result = json.loads(done.stdout)
    assert result["failed"] is True
    assert result["msg"].startswith(f"Python {version} ({sys.executable} on ")
    assert "need 3.9 or later. Let ansible_python_interpreter name a newer one" in result["msg"]
    # Nothing was loaded but this file and the packages above it.
    assert ast.literal_eval(done.stderr) == [ONLY[: match.start()] for match in re.finditer(r"\.|$", ONLY)]


@pytest.mark.parametrize("version", [(3, 9), (3, 9, 0, "alpha", 1), (3, 13, 1), (3, 100), (4, 0)])
def test_new_enough(version: tuple[object, ...]) -> None:
    assert refusal(version, "python3") is None


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 15), (3, 8, 99), (0,)])
def test_too_old(version: tuple[object, ...]) -> None:
    assert refusal(version, "python3")
