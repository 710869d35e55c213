# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that the steps run."""

from __future__ import annotations

import pathlib
import shlex
import subprocess
import sys
import typing as t


def run(*command: str, cwd: pathlib.Path, env: t.Optional[t.Mapping[str, str]] = None) -> str:
    """Run a command, print what it says and return it; its failure ends the whole run."""
    done = subprocess.run(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    print(f"$ {shlex.join(command)}\n{done.stdout}", flush=True)
    if done.returncode:
        sys.exit(f"{command[0]} ended with {done.returncode}")
    return done.stdout
