# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies what several plugins return from ``plugins/doc_fragments/_returned.py`` into their RETURN.

A copy stands between two comments, ``# task: ...`` and ``# end of task``, as deep as these are. After a change of the
words run ``python3 docs/generate.py``; the unit tests fail where a copy is old.
"""

from __future__ import annotations

import pathlib
import re
import runpy
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCE = ROOT / "plugins/doc_fragments/_returned.py"
TARGETS = sorted([*ROOT.glob("plugins/modules/*.py"), *ROOT.glob("plugins/filter/*.py")])

_COPY = re.compile(r"^( *)# (\w+): from \S+/_returned\.py.*\n(?:.*\n)*?\1# end of \2\n", re.MULTILINE)
_HEAD = "# {name}: from plugins/doc_fragments/_returned.py by docs/generate.py"


def blocks() -> dict[str, str]:
    """The text of each block by its name in small letters."""
    fragment = runpy.run_path(str(SOURCE))["ModuleDocFragment"]
    return {name.lower(): text.lstrip("\n") for name, text in vars(fragment).items() if name.isupper()}


def filled(text: str, words: t.Mapping[str, str]) -> str:
    """A plugin's text with its copies brought up to date.

    Raises ``KeyError`` where it names a block that there is not.
    """

    def copy(match: re.Match[str]) -> str:
        indent, name = match.groups()
        lines = [_HEAD.format(name=name), *words[name].splitlines(), f"# end of {name}"]
        return "".join(f"{indent}{line}\n" if line else "\n" for line in lines)

    return _COPY.sub(copy, text)


if __name__ == "__main__":
    for path in TARGETS:
        path.write_text(filled(path.read_text(encoding="utf-8"), blocks()), encoding="utf-8")
