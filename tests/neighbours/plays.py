# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays of modules of ours and others'."""

from __future__ import annotations

import json
import pathlib
import typing as t

from ansible_collections.proxkit.tasks.tests.docs.playing import play

OURS, THEIRS = "proxkit.tasks", "community.proxmox"
Json = dict[str, t.Any]


def call(name: str, module: str, options: Json, **keywords: t.Any) -> Json:
    """A task whose result is registered by its name and may be a failure."""
    return {"name": name, module: options, "register": name, "ignore_errors": True, **keywords}


def upids_in(*names: str) -> str:
    """An expression for all UPIDs in the results of these names."""
    return f"{{{{ [{', '.join(names)}] | {OURS}.upid_extract }}}}"


def results(
    folder: pathlib.Path, environment: dict[str, str], tasks: t.Sequence[Json], **keywords: t.Any
) -> dict[str, Json]:
    """The result of each task, by name, whether it failed under ``failed``; ``keywords`` are the play's."""
    failed = {task["name"]: f"{{{{ {task['name']} is failed }}}}" for task in tasks}
    play_ = {"hosts": "localhost", "gather_facts": False, "tasks": [*tasks, {"debug": {"msg": failed}}], **keywords}
    book = folder / "play.yml"
    book.write_text(json.dumps([play_]))
    played = play(None, folder, book, environment)
    assert played.code == 0, played.output
    *rows, last = played.rows
    return {row["task"]: {**row["result"], "failed": last["result"]["msg"][row["task"]]} for row in rows}
