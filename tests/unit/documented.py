# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is documented: examples, guides, results; and what holds a real result to its documentation."""

from __future__ import annotations

import importlib
import pathlib
import re
import typing as t

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = tuple(sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py")))
PLUGINS = tuple(
    (kind, path.stem) for kind in ("filter", "test") for path in sorted((ROOT / "plugins" / kind).glob("*.py"))
)
GUIDES = tuple(sorted(path.stem for path in (ROOT / "docs/docsite/rst").glob("*.rst")))
# Keys that Ansible knows of every module, which their own documentation does not repeat.
ANSIBLES_OWN = {"failed", "changed", "warnings", "invocation", "exception", "deprecations", "failed_when_result"}


def documents(kind: str, name: str) -> t.Any:
    """A plugin's file as a module."""
    return importlib.import_module(f"ansible_collections.proxkit.tasks.plugins.{kind}.{name}")


def code_blocks(guide: str, language: str) -> list[str]:
    """The code blocks of a guide in one language."""
    text = (ROOT / f"docs/docsite/rst/{guide}.rst").read_text(encoding="utf-8")
    found = re.findall(rf"^\.\. code-block:: {re.escape(language)}\n\n((?:    .*\n|\n)+)", text, re.MULTILINE)
    return [re.sub("^    ", "", block, flags=re.MULTILINE) for block in found]


def examples() -> dict[str, str]:
    """All examples, YAML of task lists, by where they stand."""
    texts = {f"{kind}/{name}": documents(kind, name).EXAMPLES for kind, name in PLUGINS}
    texts.update({f"modules/{name}": documents("modules", name).EXAMPLES for name in MODULES})
    for guide in GUIDES:
        lists = [block for block in code_blocks(guide, "yaml+jinja") if not _is_play(block)]
        texts.update({guide: "".join(lists)} if lists else {})
    return texts


def playbooks() -> dict[str, str]:
    """The whole playbooks of guides; each has one at the most."""
    found = {}
    for guide in GUIDES:
        for block in filter(_is_play, code_blocks(guide, "yaml+jinja")):
            assert guide not in found
            found[guide] = block
    return found


def _is_play(block: str) -> bool:
    return "\n  hosts: " in block


def check_result(module: str, result: dict[str, t.Any]) -> None:
    """A result has exactly the documented keys, at every depth, with values of the documented types."""
    documented = yaml.safe_load(documents("modules", module).RETURN)
    returned = {key: value for key, value in result.items() if key not in ANSIBLES_OWN}
    _check_dict(module, returned, documented)


def _check_dict(where: str, value: dict[str, t.Any], documented: dict[str, t.Any]) -> None:
    assert {spec["returned"] for spec in documented.values()} == {"always"}
    assert set(value) == set(documented), where
    for key, spec in documented.items():
        check_value(f"{where}.{key}", value[key], spec)


def check_value(where: str, value: t.Any, spec: dict[str, t.Any]) -> None:
    """A value is of the documented type, at every depth; ``where`` says in a failure what it was."""
    if value is None:
        assert spec["type"] == "raw" or re.search(r"\bnull\b", str(spec["description"])), f"{where} is null"
        return
    if spec["type"] == "raw":
        return
    kinds: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}
    # True and False are ints to Python, not to a reader.
    right = isinstance(value, kinds[spec["type"]]) and isinstance(value, bool) == (spec["type"] == "bool")
    assert right, f"{where} is {value!r}"
    if isinstance(value, list):
        for number, element in enumerate(value):
            check_value(f"{where}[{number}]", element, {**spec, "type": spec["elements"], "description": ""})
    elif isinstance(value, dict):
        _check_dict(where, value, spec["contains"])
