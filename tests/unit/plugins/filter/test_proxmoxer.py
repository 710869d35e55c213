# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters read what proxmoxer's ``Tasks`` read, and every difference is listed here."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.proxkit.tasks.plugins.filter.task_log_decode import task_log_decode
from ansible_collections.proxkit.tasks.plugins.filter.upid_decode import upid_decode
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid
from ansible_collections.proxkit.tasks.tests.unit.upid_strategies import minted
from hypothesis import given
from hypothesis import strategies as st
from proxmoxer.tools import Tasks


@given(minted("pve"))
def test_the_same_of_proxmox_ve_and_mail_gateway(upid: Upid) -> None:
    """But for users whose own name holds an exclamation mark: theirs ends there."""
    theirs, ours = Tasks.decode_upid(upid.text), upid_decode(upid.text)
    assert theirs == {**{key: ours[key] for key in theirs}, "user": ours["user"].partition("!")[0]}
    assert set(ours) - set(theirs) == {"tokenid", "task_id", "product", "remote"}


@given(minted("pbs"))
def test_backup_server_is_for_us_alone(upid: Upid) -> None:
    with pytest.raises(AssertionError):
        Tasks.decode_upid(upid.text)
    assert upid_decode(upid.text)["product"] == "pbs"


def test_a_datacenter_manager_is_for_us_alone() -> None:
    upid = "pve:berlin!UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"
    with pytest.raises(AssertionError):
        Tasks.decode_upid(upid)
    assert upid_decode(upid)["remote"] == "berlin"


@pytest.mark.parametrize(
    "upid",
    [
        "UPID::000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:",
        "UPID:-pve:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:",
        "UPID:pve1:0:0:0:vzdump:100:root@pam:",
        "UPID:pve1: 0xAE992:00A21BA7:618C1D55:vzdump:100:root@pam:",
        "UPID:pve1:000AE992:00A21BA7:618C1D55::100:root@pam:",
        "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:a/../../x:root@pam:",
        "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:1 0:root@pam:",
        "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100::",
        "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root:",
    ],
)
def test_what_no_server_mints_is_for_them_alone(upid: str) -> None:
    assert Tasks.decode_upid(upid)["upid"] == upid
    with pytest.raises(AnsibleFilterError):
        upid_decode(upid)


# --- logs -------------------------------------------------------------------------------------------------------


def rows_of(lines: list[str], first: int = 1) -> list[dict[str, t.Any]]:
    return [{"n": number, "t": line} for number, line in enumerate(lines, first)]


@given(st.lists(st.text("ab c:%", max_size=8)), st.randoms(use_true_random=False))
def test_whole_logs_in_any_order_are_read_the_same(lines: list[str], order: t.Any) -> None:
    rows = rows_of(lines)
    order.shuffle(rows)
    assert task_log_decode(rows) == Tasks.decode_log(rows) == "\n".join(lines)


def test_a_later_page_is_for_us_alone() -> None:
    rows = rows_of(["half way", "TASK OK"], first=501)
    with pytest.raises(IndexError):
        Tasks.decode_log(rows)
    assert task_log_decode(rows) == "half way\nTASK OK"


def test_the_filler_of_an_empty_log_is_no_line_for_us() -> None:
    rows = rows_of(["no content"])
    assert (task_log_decode(rows), Tasks.decode_log(rows)) == ("", "no content")


def test_bytes_taken_for_characters_are_repaired_by_us() -> None:
    rows = rows_of(["BÃ¼ro"])
    assert (task_log_decode(rows), Tasks.decode_log(rows)) == ("Büro", "BÃ¼ro")


def test_a_row_without_text_is_for_them_alone() -> None:
    assert Tasks.decode_log([{"n": 1}]) == ""
    with pytest.raises(AnsibleFilterError):
        task_log_decode([{"n": 1}])
