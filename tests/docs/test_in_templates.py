# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters and the test in real playbooks: their documented examples, both ways to name them, and odd values."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import types
import typing as t

import pytest
import yaml
from ansible.release import __version__
from ansible_collections.proxkit.tasks.plugins.filter import task_log_decode, upid_decode, upid_extract
from ansible_collections.proxkit.tasks.plugins.test import upid

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLUGINS = (upid_decode, upid_extract, task_log_decode, upid)
UPID = "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"
LOOPED = {
    "results": [
        {"ansible_loop_var": "item", "item": UPID.replace("100", "1"), "json": {"data": UPID}},
        {"ansible_loop_var": "item", "item": UPID.replace("100", "2"), "json": {"data": "OK"}},
    ]
}
# A template, and what it must come to; None stands for a failure that names the undefined variable.
TEMPLATES: list[tuple[str, t.Any]] = [
    ("{{ (upid | proxkit.tasks.upid_decode).node }}", "pve1"),
    ("{{ (upid | upid_decode).node }}", "pve1"),
    ("{{ looped | upid_extract }}", [UPID]),
    ("{{ looped.results | map(attribute='json') | proxkit.tasks.upid_extract }}", [UPID]),
    ("{{ [{'n': 2, 't': 'b'}, {'n': 1, 't': 'a'}] | task_log_decode }}", "a\nb"),
    ("{{ [upid, 'OK', 5, none, {}, [upid]] | map('proxkit.tasks.upid_extract') | map('length') }}", [1, 0, 0, 0, 0, 1]),
    ("{{ [upid, 'OK', 5, none, {}, [upid]] | select('proxkit.tasks.upid') }}", [UPID]),
    ("{{ missing | proxkit.tasks.upid_decode }}", None),
    ("{{ missing | proxkit.tasks.upid_extract }}", None),
    ("{{ [{'data': missing}] | proxkit.tasks.upid_extract }}", None),
    ("{{ missing | proxkit.tasks.task_log_decode }}", None),
    ("{{ missing is proxkit.tasks.upid }}", None),
]


def documented(plugin: types.ModuleType) -> list[t.Any]:
    """What a plugin's examples say that their debug tasks show, in order."""
    return [yaml.safe_load(text) for text in re.findall(r"^# msg: (.*)$", plugin.EXAMPLES, re.MULTILINE)]


def play(folder: pathlib.Path, tasks: list[dict[str, t.Any]]) -> tuple[list[t.Any], str]:
    """Run tasks with the collection installed and the filters' folder in ``filter_plugins``: results and output."""
    collections = folder / "collections"
    (collections / "ansible_collections" / "proxkit").mkdir(parents=True)
    installed = collections / "ansible_collections" / "proxkit" / "tasks"
    installed.symlink_to(ROOT)
    registered = [{**task, "register": task.get("register", f"told_{index}")} for index, task in enumerate(tasks)]
    results = "{{ [" + ", ".join(task["register"] for task in registered) + "] | to_json }}"
    copy = {"ansible.builtin.copy": {"content": results, "dest": str(folder / "results.json"), "mode": "0600"}}
    book = {"hosts": "localhost", "gather_facts": False, "vars": {"upid": UPID, "looped": LOOPED}}
    (folder / "play.yml").write_text(json.dumps([{**book, "tasks": [*registered, copy]}]), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ansible.cli.playbook", "-i", "localhost,", "-c", "local", "play.yml"],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            # Where "ansible-test units" has ansible-core.
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_FILTER_PLUGINS": str(installed / "plugins" / "filter"),
            # What templates always are from 2.19 on, where the option is deprecated.
            **({"ANSIBLE_JINJA2_NATIVE": "1"} if __version__.startswith(("2.17.", "2.18.")) else {}),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return json.loads((folder / "results.json").read_text(encoding="utf-8")), done.stdout


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, t.Any], list[t.Any], str]:
    """What the examples and the templates come to, from one run: by plugin, by template, and all output."""
    examples = {plugin.__name__: yaml.safe_load(plugin.EXAMPLES) for plugin in PLUGINS}
    templates = [{"ansible.builtin.debug": {"msg": text}, "ignore_errors": True} for text, _value in TEMPLATES]
    tasks = [*(task for block in examples.values() for task in block), *templates]
    results, output = play(tmp_path_factory.mktemp("play"), tasks)
    by_plugin: dict[str, t.Any] = {}
    position = 0
    for name, block in examples.items():
        shown = zip(block, results[position : position + len(block)])
        by_plugin[name] = [result["msg"] for task, result in shown if "ansible.builtin.debug" in task]
        position += len(block)
    return by_plugin, results[position:], output


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.__name__.rpartition(".")[2])
def test_examples_show_what_they_say(plugin: types.ModuleType, told: tuple[dict[str, t.Any], list[t.Any], str]) -> None:
    assert documented(plugin)
    assert told[0][plugin.__name__] == documented(plugin)


@pytest.mark.parametrize("index", range(len(TEMPLATES)), ids=[text for text, _value in TEMPLATES])
def test_templates(index: int, told: tuple[dict[str, t.Any], list[t.Any], str]) -> None:
    _text, value = TEMPLATES[index]
    result = told[1][index]
    if value is None:
        assert result["failed"]
        assert "'missing' is undefined" in result["msg"]
    else:
        assert result["msg"] == value


def test_nothing_is_deprecated(told: tuple[dict[str, t.Any], list[t.Any], str]) -> None:
    assert "DEPRECAT" not in told[2].upper()
