# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task's arguments as its module would get them. Pure. Private to the collection."""

from __future__ import annotations

import typing as t


def plain(value: t.Any) -> t.Any:
    """A copy without the types in which Ansible wraps values; raises ``TypeError`` where one is of another kind."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if getattr(value, "__ENCRYPTED__", False):  # what ``!vault`` is before ansible-core 2.19
        return str(value)
    raise TypeError(type(value).__name__)
