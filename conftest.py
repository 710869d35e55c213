# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets plain pytest import the clone as ``ansible_collections.proxkit.tasks``, wherever it lies.

Where it is found under that name already, as under ``ansible-test units``, this file changes nothing.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent
NAME = "ansible_collections.proxkit.tasks"


def is_found() -> bool:
    """Whether an import of the collection leads to this clone, and not nowhere or to an installed one."""
    try:
        spec = importlib.util.find_spec(NAME)
    except ModuleNotFoundError:
        return False
    folders = (spec and spec.submodule_search_locations) or ()
    return any(pathlib.Path(folder).resolve() == ROOT for folder in folders)


if not is_found():
    # Namespace packages would need the folders' names; a spec with search locations is all the import system asks for.
    for depth, package in enumerate(("ansible_collections", "ansible_collections.proxkit", NAME)):
        spec = importlib.machinery.ModuleSpec(package, None, is_package=True)
        spec.submodule_search_locations = [str(ROOT)] if depth == 2 else []
        sys.modules[package] = importlib.util.module_from_spec(spec)
