# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks by name, and what names none."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import PMG, SERVICES
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


PBS = r"UPID:elsa:00004F37:0039E469:00000000:5CA78B83:garbage_collection::root@pam:"
TAKE_OUT = 'Take the UPIDs out of text that holds more: "{{ text | proxkit.tasks.upid_extract }}"'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            {"upid": UPID},
            "upids: a dictionary is no UPID. Where it is a registered result, take the UPIDs out of it: "
            '"{{ result | proxkit.tasks.upid_extract }}".',
        ),
        (
            [UPID, {"upid": UPID}],
            "upids: the list holds a dictionary, which is no UPID. Where it comes from registered results, take "
            'the UPIDs out of them: "{{ results | proxkit.tasks.upid_extract }}".',
        ),
        (PBS, f"upids: '{PBS}' belongs to service pbs (Proxmox Backup Server), but service is pve."),
    ],
)
def test_what_is_no_task_here_is_refused(value: t.Any, text: str) -> None:
    with pytest.raises(OptionError) as caught:
        upids(value)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("value", "field", "text"),
    [
        ("nonsense", "format", "'nonsense' is not a valid UPID: it does not begin with 'UPID:'"),
        (42, "value", "a number is not a valid UPID: it is not text"),
        (
            [[UPID]],
            "value",
            "a list is not a valid UPID: it is not one id "
            "(the filter proxkit.tasks.upid_extract finds those in any value)",
        ),
        (UPID[:-1], "format", f"'{UPID[:-1]}' is not a valid UPID: the colon at its end is missing"),
        (
            f"{UPID}comment",
            "comment",
            f"'{UPID}comment' is not a valid UPID: it has a comment after the last colon, which no server accepts",
        ),
        (
            f"{UPID}, ",
            "comment",
            f"'{UPID},' is not a valid UPID: it has a comment after the last colon, which no server accepts",
        ),
        (
            UPID.replace(":", "%3A"),
            "format",
            f"'{UPID.replace(':', '%3A')}' is not a valid UPID: it is percent-encoded, as in a URL. {TAKE_OUT}",
        ),
    ],
)
def test_what_is_no_upid_is_refused(value: t.Any, field: str, text: str) -> None:
    with pytest.raises(InvalidUpid) as caught:
        upids(value)
    assert (caught.value.field, str(caught.value)) == (field, f"upids: {text}.")


@pytest.mark.parametrize(
    "text",
    [
        *(f"{UPID} {OTHER}", f"{UPID},{OTHER}", f"{UPID}\n{UPID}", f"started {UPID}", f"['{UPID}']"),
        f"{UPID} in the background",
    ],
)
def test_the_filter_is_named_once_where_it_would_find_some(text: str) -> None:
    with pytest.raises(InvalidUpid) as caught:
        upids(text)
    assert caught.value.message.count("proxkit.tasks.upid_extract") == 1


def test_the_filter_is_not_named_where_it_is_of_no_use() -> None:
    for text in (UPID.replace("pve1", "********"), f"{UPID.replace('pve1', '********')} {UPID}"):
        with pytest.raises(InvalidUpid, match=r"Ansible put \*{8}.*'s name[.]$"):
            upids(text)


def test_an_id_of_a_datacenter_manager_is_never_one_of_a_mail_gateway() -> None:
    assert upids(UPID, PMG)[0][0].native == UPID
    with pytest.raises(OptionError) as caught:
        upids(f"pve:remote!{UPID}", PMG)
    assert str(caught.value) == (f"upids: 'pve:remote!{UPID}' belongs to service pve (Proxmox VE), but service is pmg.")


def test_all_services_that_it_may_be_of_are_named() -> None:
    with pytest.raises(OptionError) as caught:
        upids(UPID, SERVICES["pbs"])
    assert str(caught.value) == (
        f"upids: '{UPID}' belongs to service pve (Proxmox VE) or pmg (Proxmox Mail Gateway), but service is pbs."
    )
