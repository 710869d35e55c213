# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the libraries that the API is spoken with are there, and new enough. Private to the collection.

Asked before they are imported: without requests, proxmoxer's https backend ends the whole process. Looking for a file
takes a millisecond where the metadata of what is installed take twenty, so the version is the one a library tells.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shlex
import sys
import typing as t

# The oldest that passes the tests of the client; distributions ship it.
OLDEST_PROXMOXER = "2.0.1"

_WANTED = {"proxmoxer": f"proxmoxer>={OLDEST_PROXMOXER}", "requests": "requests"}


def missing_or_old() -> str | None:
    """Why the libraries cannot be used, in one sentence that says what to do; None where they can be imported."""
    missing = [name for name in _WANTED if importlib.util.find_spec(name) is None]
    broken: dict[str, str] = {}
    version = None
    # requests first, for the reason above.
    for name in ("requests", "proxmoxer"):
        if name not in missing:
            try:
                version = getattr(importlib.import_module(name), "__version__", None)
            except (ImportError, SystemExit) as exc:
                broken[name] = str(exc)
    return sentence(missing, broken, None if "proxmoxer" in [*missing, *broken] else version)


def sentence(missing: t.Sequence[str], broken: t.Mapping[str, str], version: t.Any) -> str | None:
    """The same of what was found: names not there, import errors by name, the version that proxmoxer gives itself."""
    faults = [f"lacks the {'library' if len(missing) == 1 else 'libraries'} {' and '.join(missing)}"] if missing else []
    faults += [f"cannot import {name} ({error})" for name, error in broken.items()]
    old = _is_old(version)
    if old:
        faults.append(f"has proxmoxer {version}, but {OLDEST_PROXMOXER} or later is needed")
    if not faults:
        return None
    names = [name for name in _WANTED if name in missing or name in broken or (old and name == "proxmoxer")]
    packages = " and ".join(f"python3-{name}" for name in names)
    wanted = [_WANTED[name] for name in names]
    pip = shlex.join([sys.executable or "python3", "-m", "pip", "install", *wanted])
    here = ".".join(str(part) for part in sys.version_info[:3])
    return (
        f"Python {here} ({sys.executable} on {os.uname().nodename}) {' and '.join(faults)}: run {pip} there "
        f"(where pip refuses, install the distribution's {packages}; where pipx installed Ansible, run pipx inject "
        f"ansible-core {shlex.join(wanted)}, or ansible for ansible-core if that was installed), "
        "or let ansible_python_interpreter name a Python that has what is needed."
    )


def _is_old(version: t.Any) -> bool:
    """Whether a version is known to be too old; one that is of no known form is given a try."""
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", version) if isinstance(version, str) else None
    return found is not None and _numbers(found.group()) < _numbers(OLDEST_PROXMOXER)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
