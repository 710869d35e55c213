# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends a module that was started by a Python too old for it. Private to the collection.

Each module imports and calls it before anything else, because what is imported next may be of a form that such a Python
cannot read. It ends them as ``ansible.module_utils.basic`` does on Pythons that it does not know. This file and the
modules themselves keep to the syntax of Python 3.7, the oldest that ansible-core 2.17 starts modules on.
"""

from __future__ import annotations

import json
import os
import sys
import typing as t

OLDEST = (3, 9)


def refusal(version: t.Sequence[t.Any], executable: str) -> str | None:
    """One sentence for a Python of which the modules are not made, None for one that is new enough."""
    if tuple(version[:2]) >= OLDEST:
        return None
    here = ".".join(str(part) for part in version[:3])
    return (
        f"Python {here} ({executable} on {os.uname()[1]}) is too old: the modules of proxkit.tasks need "
        f"{'.'.join(map(str, OLDEST))} or later. Let ansible_python_interpreter name a newer one on that machine, "
        "or run the task on another (delegate_to: localhost)."
    )


def refuse_old_python() -> None:
    """End the module, properly failed, on a Python that is too old."""
    text = refusal(sys.version_info, sys.executable)
    if text is not None:
        sys.stdout.write(json.dumps({"failed": True, "msg": text}) + "\n")
        raise SystemExit(1)
