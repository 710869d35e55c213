# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""main() of each module: the only place that ends a module, always with the whole result."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.modules import proxmox_task_info, proxmox_task_stop, proxmox_task_wait

if t.TYPE_CHECKING:
    from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock
    from ansible_collections.proxkit.tasks.tests.unit.conftest import Call

MODULES = [proxmox_task_wait, proxmox_task_stop, proxmox_task_info]


class EndOfModule(Exception):
    """What ends a module in a test."""


class FakeModule:
    """Stands for AnsibleModule: the same constructor, validated parameters given by the test."""

    params: t.ClassVar[dict[str, t.Any]] = {}
    check_mode = False

    def __init__(self, argument_spec: dict[str, t.Any], supports_check_mode: bool, **_constraints: t.Any) -> None:
        assert supports_check_mode
        assert argument_spec.keys() == self.params.keys()
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def exit_json(self, **result: t.Any) -> t.NoReturn:
        raise EndOfModule(False, result, self.warnings)

    def fail_json(self, **result: t.Any) -> t.NoReturn:
        raise EndOfModule(True, result, self.warnings)


def ended(
    monkeypatch: pytest.MonkeyPatch, module: types.ModuleType, params: dict[str, t.Any]
) -> tuple[bool, dict[str, t.Any], list[str]]:
    """Whether the module failed, its result and its warnings."""
    monkeypatch.setattr(module, "AnsibleModule", FakeModule)
    monkeypatch.setattr(FakeModule, "params", params)
    with pytest.raises(EndOfModule) as caught:
        module.main()  # type: ignore[attr-defined]  # each module has one
    failed, result, warnings = caught.value.args
    return failed, result, warnings


@pytest.mark.parametrize("module", MODULES)
def test_success_with_warnings(
    monkeypatch: pytest.MonkeyPatch, mock: Mock, call: Call, module: types.ModuleType
) -> None:
    upids = mock.tasks(type="qmstart", id=100, duration=0, exitstatus="WARNINGS: 1")["upids"]
    aside = mock.tasks(node="pve2", type="qmstart", id=100, duration=0)["upids"] if module is proxmox_task_info else []
    if aside:
        mock.node(name="pve2", online=False)
    failed, result, warnings = ended(monkeypatch, module, call.params(module, upids=upids + aside))
    assert not failed
    assert result["tasks"][0]["outcome"] == "warning"
    assert len(warnings) == (0 if module is proxmox_task_stop else 1)
    assert not {"failed", "warnings"} & result.keys()


@pytest.mark.parametrize("module", MODULES)
def test_failure_carries_the_whole_result(
    monkeypatch: pytest.MonkeyPatch, mock: Mock, call: Call, module: types.ModuleType
) -> None:
    upids = mock.tasks(type="qmstart", id=100, duration=60)["upids"]
    good = ended(monkeypatch, module, call.params(module, upids=[]))[1]
    failed, result, _warnings = ended(monkeypatch, module, call.params(module, upids=upids, api_token_secret="wrong"))
    assert failed
    assert result.keys() == good.keys()
    assert "api_token_secret" in result["msg"]
    assert result["tasks"][0]["upid"] == upids[0]


@pytest.mark.parametrize("module", MODULES)
def test_bad_input_carries_the_whole_result(
    monkeypatch: pytest.MonkeyPatch, call: Call, module: types.ModuleType
) -> None:
    good = ended(monkeypatch, module, call.params(module, upids=[]))[1]
    failed, result, _warnings = ended(monkeypatch, module, call.params(module, upids="nonsense"))
    assert failed
    assert result.keys() == good.keys()
    assert "does not begin with 'UPID:'" in result["msg"]
