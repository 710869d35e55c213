# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters as functions: results, and the one error that each documents."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.proxkit.tasks.plugins.filter import task_log_decode, upid_decode, upid_extract
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import TasksError
from ansible_collections.proxkit.tasks.tests.unit.upid_strategies import anything
from hypothesis import given
from jinja2 import StrictUndefined, Undefined, UndefinedError

UPID = "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam!ci:"
FILTERS: dict[str, t.Callable[..., t.Any]] = {
    **upid_decode.FilterModule().filters(),
    **upid_extract.FilterModule().filters(),
    **task_log_decode.FilterModule().filters(),
}


def test_each_file_offers_the_filter_of_its_name() -> None:
    assert list(FILTERS) == ["upid_decode", "upid_extract", "task_log_decode"]


def test_results() -> None:
    assert FILTERS["upid_decode"](UPID)["tokenid"] == "ci"
    assert FILTERS["upid_extract"]({"data": [f"started {UPID}"]}) == [UPID]
    assert FILTERS["task_log_decode"]([{"n": 2, "t": "TASK OK"}, {"n": 1, "t": "BÃ¼ro"}]) == "Büro\nTASK OK"


def test_decode_documents_and_gives_the_same_keys_with_the_sample_values() -> None:
    contains = yaml.safe_load(upid_decode.RETURN)["_value"]["contains"]
    assert {key: entry["sample"] for key, entry in contains.items()} == FILTERS["upid_decode"](UPID)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("upid_decode", UPID[:-1], f"'{UPID[:-1]}' is not a valid UPID: the colon at its end is missing."),
        ("upid_decode", None, "null is not a valid UPID: null is what a call answers that starts no task."),
        ("upid_decode", Undefined(name="x"), "a value of type Undefined is not a valid UPID: it is not text."),
        ("task_log_decode", [{"n": 1}], "row 0 of the log is no dictionary with 'n' (number) and 't' (text)."),
    ],
)
def test_errors_carry_the_reason(name: str, value: object, message: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        FILTERS[name](value)
    assert caught.value.message == message
    assert isinstance(caught.value.__cause__, TasksError)


@pytest.mark.parametrize("name", FILTERS)
def test_an_undefined_variable_is_told_as_such(name: str) -> None:
    with pytest.raises(UndefinedError, match="'backup' is undefined"):
        FILTERS[name](StrictUndefined(name="backup"))


@pytest.mark.parametrize("name", FILTERS)
@given(value=anything())
def test_no_value_raises_anything_else(name: str, value: object) -> None:
    try:
        result = FILTERS[name](value)
    except AnsibleFilterError:
        assert name != "upid_extract"
        return
    assert isinstance(result, {"upid_decode": dict, "upid_extract": list, "task_log_decode": str}[name])
