# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of parameters that only Proxmox VE has, in the words of PVE::JSONSchema."""

from __future__ import annotations

import re
import typing as t

from .._schema import Value, integer, split_list

STATUS_KINDS = ("ok", "error", "warning", "unknown")


def vmid(value: Value) -> t.Optional[str]:
    """The number of a guest, at least 100."""
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{2,8}", value):
        return None
    return integer(None)(value) or "invalid format - value does not look like a valid VM ID\n"


def status_list(value: Value) -> t.Optional[str]:
    """Words of a status filter, in one list or in several."""
    for word in split_list(value):
        if word.lower() not in STATUS_KINDS:
            return f"invalid format - invalid status '{word}'\n"
    return None
