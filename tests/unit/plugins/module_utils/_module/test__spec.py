# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module takes, and what rules each other out."""

from __future__ import annotations

import importlib
import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._module import info, stop, wait
from ansible_collections.proxkit.tasks.plugins.module_utils._module.spec import Spec
from ansible_collections.proxkit.tasks.tests.unit.documented import documents

UPID = "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"
FILTERS: dict[str, t.Any] = {
    "node": "pve1",
    "type": ["vzdump"],
    "vmid": 100,
    "store": ["backups"],
    "user": "root@pam",
    "outcome": "ok, error",
    "since": "1h",
    "until": "0",
}
CONNECTION = {"api_host": "pve1", "api_token_id": "root@pam!ci", "api_token_secret": "x"}


def params(**options: t.Any) -> dict[str, t.Any]:
    result = ArgumentSpecValidator(info.SPEC.options).validate({**CONNECTION, **options})
    assert not result.error_messages
    return t.cast("dict[str, t.Any]", result.validated_parameters)


def test_all_filters_are_tried_here() -> None:
    assert info.SPEC.filters == tuple(FILTERS)
    assert wait.SPEC.filters == stop.SPEC.filters == ()


@pytest.mark.parametrize("upids", [UPID, [], None, ""], ids=str)
@pytest.mark.parametrize("name", FILTERS)
def test_upids_exclude_each_filter(upids: t.Any, name: str) -> None:
    with pytest.raises(OptionError, match=f"^upids and filters are mutually exclusive, but {name} is given too"):
        info.SPEC.by_name(params(upids=upids, **{name: FILTERS[name]}))


def test_all_that_is_too_much_is_named() -> None:
    with pytest.raises(OptionError, match="but node and since is given too"):
        info.SPEC.by_name(params(upids=UPID, since="1h", node="pve1"))


@pytest.mark.parametrize("blank", ["", " ", None])
def test_a_blank_filter_is_none(blank: str | None) -> None:
    assert info.SPEC.by_name(params(upids=UPID, **dict.fromkeys(FILTERS, blank)))


def test_without_upids_tasks_are_not_named() -> None:
    assert not info.SPEC.by_name(params(**FILTERS))
    assert not info.SPEC.by_name(params())
    # A null that was given is a name of none.
    assert info.SPEC.by_name(params(task=None))


@pytest.mark.parametrize("spec", [wait.SPEC, stop.SPEC])
def test_only_finding_goes_without_upids(spec: Spec) -> None:
    result = ArgumentSpecValidator(spec.options).validate(CONNECTION)
    assert result.error_messages == ["missing required arguments: upids"]


FRAGMENTS = importlib.import_module("ansible_collections.proxkit.tasks.plugins.doc_fragments._proxmox")


def documented(module: str) -> dict[str, dict[str, t.Any]]:
    """All options of a module's documentation, fragments included."""
    document = yaml.safe_load(documents("modules", module).DOCUMENTATION)
    options: dict[str, dict[str, t.Any]] = {}
    for name in document["extends_documentation_fragment"]:
        text = getattr(FRAGMENTS.ModuleDocFragment, name.rpartition(".")[2].upper())
        options.update(yaml.safe_load(text).get("options", {}))
    for name, option in document["options"].items():
        options[name] = {**options.get(name, {}), **option}
    return options


SAME = ("type", "elements", "choices", "default", "aliases", "required")


@pytest.mark.parametrize(("module", "spec"), [("wait", wait.SPEC), ("stop", stop.SPEC), ("info", info.SPEC)])
def test_what_is_documented_is_what_is_taken(module: str, spec: Spec) -> None:
    def compared(options: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, dict[str, t.Any]]:
        return {name: {key: option[key] for key in SAME if key in option} for name, option in options.items()}

    assert compared(spec.options) == compared(documented(f"proxmox_task_{module}"))
