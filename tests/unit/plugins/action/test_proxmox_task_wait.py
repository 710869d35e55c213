# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action does itself and what it leaves to the module; that both come to the same is shown by playbooks."""

from __future__ import annotations

import datetime
import pathlib
import types
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.action import proxmox_task_wait as action

SECRET = "a-secret"
ARGUMENTS = {"api_host": "127.0.0.1", "api_user": "root@pam", "api_password": SECRET, "upids": []}
BY_MODULE = {"msg": "by module"}


def made(monkeypatch: pytest.MonkeyPatch, folder: pathlib.Path, **changed: t.Any) -> t.Any:
    """The action for a task on the controller, a few things changed; no module is started."""
    given = {"args": ARGUMENTS, "async_val": 0, "environment": [], "transport": "local", "become": None, **changed}
    task = types.SimpleNamespace(action="wait", check_mode=False, no_log=False, **given)
    connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/"), **given)
    loader = types.SimpleNamespace(get_basedir=lambda: str(folder))
    monkeypatch.setattr(action.ActionModule, "_execute_module", lambda _self, **how: {**BY_MODULE, **how})
    monkeypatch.setattr(action.ActionModule, "_update_module_args", lambda *_all: None)
    return action.ActionModule(task, connection, None, loader, None, None)


def test_waits_itself_on_the_controller(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    result = made(monkeypatch, tmp_path).run()
    assert result["msg"] == "There was no task to wait for."
    assert result["invocation"]["module_args"]["api_password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert not {"failed", "warnings"} & set(result)


@pytest.mark.parametrize(
    "changed",
    [
        {"async_val": 30},
        {"environment": [{}, {"NAME": "value"}]},
        {"transport": "ssh"},
        {"become": "a become plugin"},
        {"args": {}},
        {"args": {**ARGUMENTS, "timeout": "soon"}},
        {"args": {**ARGUMENTS, "upid": []}},
        {"args": {**ARGUMENTS, "upids": datetime.date(2024, 1, 1)}},
    ],
    ids=str,
)
def test_leaves_the_rest_to_the_module(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, changed: dict[str, t.Any]
) -> None:
    variables = {"inventory_hostname": "localhost"}
    result = made(monkeypatch, tmp_path, **changed).run(task_vars=variables)
    assert result == {**BY_MODULE, "task_vars": variables, "wrap_async": changed.get("async_val", 0)}


@pytest.mark.parametrize(
    ("name", "value"), [("HAS_LIBRARIES", False), ("sys", types.SimpleNamespace(platform="darwin"))]
)
def test_leaves_all_to_the_module_where_it_cannot_wait(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, name: str, value: t.Any
) -> None:
    monkeypatch.setattr(action, name, value)
    assert made(monkeypatch, tmp_path).run()["msg"] == "by module"


def test_a_node_itself_is_asked_without_libraries(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(action, "HAS_LIBRARIES", False)
    monkeypatch.delenv("PROXMOX_HOST", raising=False)
    assert made(monkeypatch, tmp_path, args={"upids": []}).run()["msg"] == "There was no task to wait for."


def test_a_refusal_is_a_result_without_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    before = pathlib.Path.cwd()
    result = made(monkeypatch, tmp_path, args={**ARGUMENTS, "upids": [f"UPID {SECRET}"], "ca_path": "."}).run()
    assert result["failed"] is True
    assert SECRET not in str(result)
    assert pathlib.Path.cwd() == before


def test_paths_are_relative_to_the_playbook(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    (tmp_path / "beside.pem").touch()
    result = made(monkeypatch, tmp_path, args={**ARGUMENTS, "ca_path": "beside.pem"}).run()
    assert not result.get("failed")
