# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks by name, and what names none."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import PMG
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import InvalidUpid, OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._module.upids import upids

UPID = "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"
OTHER = "UPID:pve2:000AE992:00A21BA7:618C1D55:qmstart:101:ops@pve!ci:"


def test_tasks_come_once_each_and_in_order() -> None:
    found, no_task = upids([f"  {OTHER}\n", UPID, OTHER, f"pve:remote!{UPID}", None, "", "OK", "  "])
    assert [upid.native for upid in found] == [OTHER, UPID]
    assert no_task == [None, "", "OK", "  "]


@pytest.mark.parametrize("value", [None, "", "OK", [], [None]])
def test_no_task_at_all(value: t.Any) -> None:
    assert upids(value) == ([], [] if value == [] else [value] if not isinstance(value, list) else value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"upid": UPID}, "upid_extract"),
        ([{"upid": UPID}], "upid_extract"),
        ("nonsense", "does not begin with"),
        (42, "not text"),
        ([[UPID]], "not one id"),
        (UPID[:-1], "colon at its end"),
        (f"{UPID}comment", "comment"),
        (
            r"UPID:elsa:00004F37:0039E469:00000000:5CA78B83:garbage_collection::root@pam:",
            "belongs to service pbs \\(Proxmox Backup Server\\), but service is pve",
        ),
        (UPID.replace("pve1", "********"), "Ansible put"),
        (UPID.replace(":", "%3A"), r"percent-encoded.*\| proxkit\.tasks\.upid_extract"),
        *(
            (text, r"\bproxkit\.tasks\.upid_extract\b")
            for text in (
                f"{UPID} {OTHER}",
                f"{UPID},{OTHER}",
                f"{UPID}\n{UPID}",
                f"started {UPID}",
                f"{UPID} in the background",
                f"['{UPID}']",
            )
        ),
    ],
)
def test_what_names_no_task_is_refused(value: t.Any, words: str) -> None:
    with pytest.raises((OptionError, InvalidUpid), match=words):
        upids(value)


def test_an_id_of_a_datacenter_manager_is_never_one_of_a_mail_gateway() -> None:
    assert upids(UPID, PMG)[0][0].native == UPID
    with pytest.raises(OptionError, match=r"belongs to service pve \(Proxmox VE\), but service is pmg"):
        upids(f"pve:remote!{UPID}", PMG)
