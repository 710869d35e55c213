# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""main() of each module: the only place that ends a module, always with the whole result."""

from __future__ import annotations

import json
import types
import typing as t

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common.parameters import PASS_VARS
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
        module.main()
    failed, result, warnings = caught.value.args
    return failed, result, warnings


def params_of(call: Call, module: types.ModuleType, **options: t.Any) -> dict[str, t.Any]:
    return call.params(module.SPEC, **options)


@pytest.mark.parametrize("module", MODULES)
def test_success_with_warnings(
    monkeypatch: pytest.MonkeyPatch, mock: Mock, call: Call, module: types.ModuleType
) -> None:
    upids = mock.tasks(type="qmstart", id=100, duration=0, exitstatus="WARNINGS: 1")["upids"]
    aside = mock.tasks(node="pve2", type="qmstart", id=100, duration=0)["upids"] if module is proxmox_task_info else []
    if aside:
        mock.node(name="pve2", online=False)
    failed, result, warnings = ended(monkeypatch, module, params_of(call, module, upids=upids + aside))
    assert not failed
    assert result["tasks"][0]["outcome"] == "warning"
    assert len(warnings) == (0 if module is proxmox_task_stop else 1)
    assert not {"failed", "warnings"} & result.keys()


@pytest.mark.parametrize("module", MODULES)
def test_failure_carries_the_whole_result(
    monkeypatch: pytest.MonkeyPatch, mock: Mock, call: Call, module: types.ModuleType
) -> None:
    upids = mock.tasks(type="qmstart", id=100, duration=60)["upids"]
    good = ended(monkeypatch, module, params_of(call, module, upids=[]))[1]
    failed, result, _warnings = ended(
        monkeypatch, module, params_of(call, module, upids=upids, api_token_secret="wrong")
    )
    assert failed
    assert result.keys() == good.keys()
    assert "api_token_secret" in result["msg"]
    assert result["tasks"][0]["upid"] == upids[0]


@pytest.mark.parametrize("module", MODULES)
def test_bad_input_carries_the_whole_result(
    monkeypatch: pytest.MonkeyPatch, call: Call, module: types.ModuleType
) -> None:
    good = ended(monkeypatch, module, params_of(call, module, upids=[]))[1]
    failed, result, _warnings = ended(monkeypatch, module, params_of(call, module, upids="nonsense"))
    assert failed
    assert result.keys() == good.keys()
    assert "does not begin with 'UPID:'" in result["msg"]


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("option", ["api_password", "api_otp"])
def test_a_secret_that_occurs_in_an_id_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, mock: Mock, call: Call, module: types.ModuleType, option: str
) -> None:
    upids = mock.tasks(type="qmstart", id=123456, duration=0)["upids"]
    params = params_of(call, module, upids=upids, **{option: "123456\n"})
    _failed, result, warnings = ended(monkeypatch, module, params)
    assert result["tasks"][0]["outcome"] == "ok"
    [warning] = warnings
    assert warning.startswith(f"The value of {option} occurs in 1 of the 1 UPIDs")
    assert "123456" not in warning


# --- what Ansible itself shows

SECRET = "5bf1c4a0-hush/hush"
ENCODED = "5bf1c4a0-hush%2Fhush"
TOKEN = {"api_token_id": "root@pam!ci", "api_token_secret": SECRET}
GOOD = {"api_host": "pve1", "upids": [], **TOKEN}
# Options that each module must refuse, or bear; the secret stands where people put it.
BAD: list[dict[str, t.Any]] = [
    {},
    {"api_token_id": f"root@pam!ci={SECRET}"},
    {"api_host": "pve1", "api_token_id": f"root@pam!ci={SECRET}"},
    {"api_host": "pve1", "upids": [], "api_token_id": f"root@pam!ci={SECRET}\n", "api_token_secret": "x"},
    {"api_host": "pve1", "upids": [], "api_token_id": f"PVEAPIToken=root@pam!ci={SECRET}"},
    {"api_host": "pve1", "upids": [], "api_token_id": [f"root@pam!ci={SECRET}"]},
    {"api_host": "pve1", "upids": [], "api_token_id": {"id": f"root@pam!ci={SECRET}"}},
    {"api_host": "pve1", "upids": [], "api_user": f"root@pam!ci={SECRET}", "api_password": "x"},
    {"api_host": f"https://root:{SECRET}@pve1", "upids": [], "api_user": "root@pam", "api_password": "x"},
    {"api_host": f"https://root:{ENCODED}@pve1", "upids": [], "api_user": "root@pam", "api_password": "x"},
    {**GOOD, "api_port": SECRET, "api_token_secret": f" {SECRET}\n"},
    {**GOOD, "api_timeout": f"{ENCODED}"},
    {**GOOD, "validate_certs": SECRET},
    {**GOOD, "service": SECRET},
    {**GOOD, "api_token_secret": f"{SECRET}€\n"},
    {**GOOD, "api_token_secret": f"{SECRET}\r\n{SECRET}"},
    {**GOOD, "api_tokensecret": SECRET},
    {**GOOD, "api_token_secret": "", "api_password": SECRET},
    {**GOOD, "api_password": SECRET, "upids": f"UPID:{SECRET}:"},
    {**GOOD, "api_password": f"{SECRET}\n", "upids": f"nonsense {SECRET} {ENCODED} {ENCODED.lower()}"},
    {**GOOD, "api_password": [SECRET]},
    {**GOOD, "ca_path": f"/no/{SECRET}"},
    GOOD,
]


def shown(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    module: types.ModuleType,
    options: dict[str, t.Any],
) -> str:
    """All that a module prints and logs as Ansible runs it at -vvv."""
    logged: list[str] = []
    # Before ansible-core 2.21 "invocation" is in every result, and not asked for.
    told = {"_ansible_inject_invocation": True} if "inject_invocation" in PASS_VARS else {}
    arguments = {"ANSIBLE_MODULE_ARGS": {**options, **told, "_ansible_verbosity": 4}}
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps(arguments).encode())
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    monkeypatch.setattr(basic.AnsibleModule, "_log_to_syslog", lambda _self, text: logged.append(text))
    with pytest.raises(SystemExit):
        module.main()
    captured = capfd.readouterr()
    assert json.loads(captured.out)["invocation"]
    return "\n".join([captured.out, captured.err, *logged])


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("options", BAD, ids=str)
def test_nothing_shows_a_secret(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    module: types.ModuleType,
    options: dict[str, t.Any],
) -> None:
    text = shown(monkeypatch, capfd, module, options)
    for form in ("5bf1c4a0", "hush"):
        assert form not in text.lower()


@pytest.mark.parametrize("module", MODULES)
def test_a_secret_from_the_environment_does_not_show_either(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], module: types.ModuleType
) -> None:
    monkeypatch.setenv("PROXMOX_TOKEN_ID", f"root@pam!ci={SECRET}\n")
    monkeypatch.setenv("PROXMOX_PORT", "soon")
    text = shown(monkeypatch, capfd, module, {"api_host": "pve1", "upids": []})
    assert "api_port (from PROXMOX_PORT)" in text
    monkeypatch.setenv("PROXMOX_PORT", "8006")
    text += shown(monkeypatch, capfd, module, {"api_host": "pve1", "upids": []})
    assert "api_token_id (from PROXMOX_TOKEN_ID) holds an equals sign" in text
    unknown = shown(monkeypatch, capfd, module, {"api_host": "pve1", "upids": [], "unknown": 1})
    assert "Unsupported parameters" in unknown
    assert "(from " not in unknown
    text += unknown
    assert "hush" not in text
