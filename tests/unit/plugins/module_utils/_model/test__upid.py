# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The grammars of UPIDs: what must decode, what must not and why, what is found in other values."""

from __future__ import annotations

import collections
import json
import time
import typing as t
from urllib.parse import quote

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import InvalidUpid
from ansible_collections.proxkit.tasks.plugins.module_utils._model.extract import extract
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid, by_node, parse
from ansible_collections.proxkit.tasks.tests.unit.upid_strategies import (
    FREE,
    any_minted,
    anything,
    encode,
    minted,
    names,
)
from hypothesis import assume, given
from hypothesis import strategies as st

PVE = "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"
PVE_TOKEN = "UPID:pve1:0000A1B2:1A12D8375:657A2258:qmigrate:100:ops@pve!ci:"
PBS = r"UPID:backup-srv:00130F49:1A12D8375:00001CD7:657A2258:verificationjob:daily\x3av\x2dd0cc18c5\x2d8707:root@pam:"


def pve(**fields: t.Any) -> dict[str, t.Any]:
    """What PVE decodes to, with other fields put in."""
    return {
        "upid": PVE,
        "node": "pve1",
        "pid": 0x000AE992,
        "pstart": 0x00A21BA7,
        "starttime": 0x618C1D55,
        "type": "vzdump",
        "id": "100",
        "user": "root@pam",
        "tokenid": "",
        "comment": "",
        "task_id": None,
        "product": "pve",
        "remote": None,
        **fields,
    }


def pbs(**fields: t.Any) -> dict[str, t.Any]:
    """What PBS decodes to, with other fields put in."""
    return {
        "upid": PBS,
        "node": "backup-srv",
        "pid": 0x00130F49,
        "pstart": 0x1A12D8375,
        "starttime": 0x657A2258,
        "type": "verificationjob",
        "id": "daily:v-d0cc18c5-8707",
        "user": "root@pam",
        "tokenid": "",
        "comment": "",
        "task_id": 0x1CD7,
        "product": "pbs",
        "remote": None,
        **fields,
    }


def flaw_of(value: object) -> InvalidUpid | None:
    """Why the value is no UPID; None where it is one."""
    try:
        parse(value)
    except InvalidUpid as exc:
        return exc
    return None


def with_user(upid: str, user: str) -> str:
    """The same UPID, started by somebody else."""
    return upid.replace("root@pam", user)


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        (PVE, pve()),
        (PVE.lower().replace("upid", "UPID"), pve(upid=PVE.lower().replace("upid", "UPID"))),
        (
            "UPID:example-node:00213D37:01ECA9AD:618F6B8D:aptupdate::root@pam:",
            pve(
                upid="UPID:example-node:00213D37:01ECA9AD:618F6B8D:aptupdate::root@pam:",
                node="example-node",
                pid=0x213D37,
                pstart=0x1ECA9AD,
                starttime=0x618F6B8D,
                type="aptupdate",
                id="",
            ),
        ),
        (
            PVE_TOKEN,
            pve(
                upid=PVE_TOKEN,
                pid=0xA1B2,
                pstart=0x1A12D8375,
                starttime=0x657A2258,
                type="qmigrate",
                user="ops@pve",
                tokenid="ci",
            ),
        ),
        (f"{PVE}a-comment!@", pve(upid=f"{PVE}a-comment!@", comment="a-comment!@")),
        (PVE.replace("100", r"a@b.c-d_e\x2d"), pve(upid=PVE.replace("100", r"a@b.c-d_e\x2d"), id=r"a@b.c-d_e\x2d")),
        (PBS, pbs()),
        (
            "UPID:elsa:00004F37:0039E469:00000000:5CA78B83:garbage_collection::root@pam:",
            pbs(
                upid="UPID:elsa:00004F37:0039E469:00000000:5CA78B83:garbage_collection::root@pam:",
                node="elsa",
                pid=0x4F37,
                pstart=0x39E469,
                task_id=0,
                starttime=0x5CA78B83,
                type="garbage_collection",
                id="",
            ),
        ),
        (
            f"pve:pve-remote!{PVE_TOKEN}",
            {**parse(PVE_TOKEN).to_dict(), "upid": f"pve:pve-remote!{PVE_TOKEN}", "remote": "pve-remote"},
        ),
        (f"pbs:_r.1!{PBS}", pbs(upid=f"pbs:_r.1!{PBS}", remote="_r.1")),
        (f"old-form!{PVE}", pve(upid=f"old-form!{PVE}", remote="old-form")),
        (f"old-form!{PBS}", pbs(upid=f"old-form!{PBS}", remote="old-form")),
    ],
)
def test_decodes(text: str, decoded: dict[str, t.Any]) -> None:
    result = parse(text).to_dict()
    assert result == decoded
    assert list(result) == list(pve())


@pytest.mark.parametrize(
    ("written", "user", "tokenid"),
    [
        ("a@b@pam", "a@b@pam", ""),
        ("a@b@pam!t", "a@b@pam", "t"),
        ("a!b@pam", "a!b@pam", ""),
        ("a!b@pam!t", "a!b@pam", "t"),
        ("a@pve!x@pam!t", "a@pve!x@pam", "t"),
        ("@!@pam", "@!@pam", ""),
        ("müller@ad-1.x_y", "müller@ad-1.x_y", ""),
    ],
)
@pytest.mark.parametrize("upid", [PVE, PBS, f"pve:r!{PVE}", f"r!{PBS}"])
def test_user_is_read_from_the_right(upid: str, written: str, user: str, tokenid: str) -> None:
    result = parse(with_user(upid, written))
    assert (result.user, result.tokenid, result.authid) == (user, tokenid, written)


@pytest.mark.parametrize("user", ["root@1realm", "root@_r", "root@pam!1", "root@pam!_t"])
def test_only_backup_server_has_names_that_begin_with_a_digit(user: str) -> None:
    assert parse(with_user(PBS, user)).authid == user
    with pytest.raises(InvalidUpid, match="user must be"):
        parse(with_user(PVE, user))


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        (r"store\x3avm-100", "store:vm/100"),
        (r"store\x3Av\x2Dx", "store:v-x"),
        (r"\x2ehidden.d", ".hidden.d"),
        (r"caf\xc3\xa9", "café"),
        ("-", "/"),
        ("", ""),
        (r"\x5cx3a", r"\x3a"),
        ("remote" * 40, "remote" * 40),
    ],
)
def test_backup_server_ids_are_unescaped(escaped: str, plain: str) -> None:
    text = PBS.replace(r"daily\x3av\x2dd0cc18c5\x2d8707", escaped)
    assert parse(text).id == plain


def test_native_is_the_id_that_the_servers_know() -> None:
    assert parse(PVE).native == PVE
    assert parse(f"pve:r!{PVE_TOKEN}").native == PVE_TOKEN
    assert parse(f"r!{PBS}").native == PBS


def test_by_node_keeps_the_order() -> None:
    first, second, third = (
        parse(f"UPID:{node}:000AE992:00A21BA7:618C1D55:vzdump:{number}:root@pam:")
        for number, node in enumerate(("pve2", "pve1", "pve2"))
    )
    assert list(by_node([first, second, third]).items()) == [("pve2", [first, third]), ("pve1", [second])]


def test_a_kind_of_str_decodes_to_plain_text() -> None:
    class Tagged(str):
        def __str__(self) -> str:
            raise AssertionError("must not be asked")

    assert not isinstance(parse(Tagged(PVE)).text, Tagged)
    assert parse(Tagged(PVE)).text == PVE
    assert extract([Tagged(PVE)]) == [PVE]


@pytest.mark.parametrize(
    ("value", "field", "reason"),
    [
        # no task at all
        (None, "value", "null is what a call answers that starts no task"),
        ("", "value", "it is empty"),
        (" \n", "value", "it is empty"),
        ("OK", "value", "'OK' is what Proxmox VE answers instead of a UPID where there was nothing to do"),
        (5, "value", "it is not text"),
        (True, "value", "it is not text"),
        (1.5, "value", "it is not text"),
        (PVE.encode(), "value", "it is not text"),
        ([PVE], "value", "it is not one id (the filter proxkit.tasks.upid_extract finds those in any value)"),
        ({"data": PVE}, "value", "it is not one id (the filter proxkit.tasks.upid_extract finds those in any value)"),
        # the whole
        (PVE[:-1], "format", "the colon at its end is missing"),
        (PVE_TOKEN[:-1], "format", "the colon at its end is missing"),
        (PBS[:-1], "format", "the colon at its end is missing"),
        (f"pve:r!{PVE}"[:-1], "format", "the colon at its end is missing"),
        (f"pve:r!{PVE_TOKEN}"[:-1], "format", "the colon at its end is missing"),
        (PVE.replace("100", "a@b")[:-1], "format", "the colon at its end is missing"),
        (
            f"{PVE}a@b".replace("vzdump", "00000000").replace("000AE992", "0"),
            "pid",
            "pid must be 8 hexadecimal digits, not '0'",
        ),
        (f"{PVE} ", "format", "there is white space around it"),
        (f"\n{PVE}", "format", "there is white space around it"),
        (
            PVE.replace("UPID", "upid"),
            "format",
            "'UPID' must be in upper case: the server knows the task by its exact id only",
        ),
        (
            f"pve:r!{PVE}".replace("UPID", "Upid"),
            "format",
            "'UPID' must be in upper case: the server knows the task by its exact id only",
        ),
        *(
            (text, "format", "it is percent-encoded, as in a URL")
            for text in (
                PVE.replace(":", "%3A"),
                PVE.replace(":", "%3a"),
                PVE.replace(":", "%253A"),
                PVE_TOKEN.replace("!", "%21"),
                PVE.replace("@", "%40"),
                PVE.replace("pve1:", "pve1%3A"),
                PVE.replace("vzdump:100:", "vzdump%3A100%3A"),
                PVE[:-1] + "%3A",
                PBS.replace("\\", "%5C"),
                f"pve:r!{PVE}".replace("!", "%21"),
                f"pve:r!{PVE}".replace("e:", "e%3a"),
                f"task%20{PVE}".replace(":", "%3A"),
                "UPID%3Apve1",
            )
        ),
        # What is wrong without the encoding too is not the encoding.
        ("a%20b", "format", "it does not begin with 'UPID:'"),
        (PVE.replace("100", "a%20b c"), "id", "id holds white space or control characters"),
        (
            f"{PVE}\n{PVE}",
            "format",
            "it holds more than one UPID (the filter proxkit.tasks.upid_extract takes them apart)",
        ),
        (
            f"{PVE}{PBS}",
            "format",
            "it holds more than one UPID (the filter proxkit.tasks.upid_extract takes them apart)",
        ),
        (
            f"{PVE} {PVE_TOKEN}".replace(":", "%3A"),
            "format",
            "it holds more than one UPID (the filter proxkit.tasks.upid_extract takes them apart)",
        ),
        ("hello", "format", "it does not begin with 'UPID:'"),
        ("!", "format", "it does not begin with 'UPID:'"),
        (
            f"started {PVE}",
            "format",
            "it does not begin with 'UPID:', there is other text before "
            "(the filter proxkit.tasks.upid_extract finds ids in text)",
        ),
        ("UPID:pve1", "format", "it has 1 colon, those of Proxmox VE have 8 and of Backup Server 9"),
        ("UPID:pve1:000AE992", "format", "it has 2 colons, those of Proxmox VE have 8 and of Backup Server 9"),
        (PVE.replace("100:", ""), "format", "it has 7 colons, those of Proxmox VE have 8 and of Backup Server 9"),
        (f"{PBS}:", "format", "it has 10 colons, those of Proxmox VE have 8 and of Backup Server 9"),
        # the prefix
        (f"pmg:r!{PVE}", "remote", "the prefix begins with 'pmg', not with 'pve' or 'pbs'"),
        (f"a:b:r!{PVE}", "remote", "the prefix begins with 'a:b', not with 'pve' or 'pbs'"),
        (f":r!{PVE}", "remote", "the prefix begins with '', not with 'pve' or 'pbs'"),
        (f"pve:!{PVE}", "remote", "a remote's name is letters, digits, '.', '_' and '-', and begins with none of '.-'"),
        (f"!{PVE}", "remote", "a remote's name is letters, digits, '.', '_' and '-', and begins with none of '.-'"),
        (f".r!{PVE}", "remote", "a remote's name is letters, digits, '.', '_' and '-', and begins with none of '.-'"),
        (
            f"pve:a b!{PVE}",
            "remote",
            "a remote's name is letters, digits, '.', '_' and '-', and begins with none of '.-'",
        ),
        (f"pbs:r!{PVE}", "remote", "the prefix 'pbs:' says Proxmox Backup Server, but the id is one of Proxmox VE"),
        (f"pve:r!{PBS}", "remote", "the prefix 'pve:' says Proxmox VE, but the id is one of Proxmox Backup Server"),
        # field by field
        (PVE.replace("pve1", ""), "node", "node is empty"),
        (
            PVE.replace("pve1", "-pve"),
            "node",
            "the node's name is letters, digits and '-', and begins and ends with a letter or digit",
        ),
        (
            PVE.replace("pve1", "pve.lan"),
            "node",
            "the node's name is letters, digits and '-', and begins and ends with a letter or digit",
        ),
        (
            PVE.replace("pve1", "pvé"),
            "node",
            "the node's name is letters, digits and '-', and begins and ends with a letter or digit",
        ),
        ("UPID:pve1:0:0:0:qmstart:100:root@pam:", "pid", "pid must be 8 hexadecimal digits, not '0'"),
        (PVE.replace("000AE992", "\u066000AE992"), "pid", "pid must be 8 hexadecimal digits, not '\u066000AE992'"),
        (PVE.replace("00A21BA7", "0x0A21B"), "pstart", "pstart must be 8 to 9 hexadecimal digits, not '0x0A21B'"),
        (PVE.replace("00A21BA7", "1000A21BA7"), "pstart", "pstart must be 8 to 9 hexadecimal digits, not '1000A21BA7'"),
        (PVE.replace("618C1D55", "618C1D5G"), "starttime", "starttime must be 8 hexadecimal digits, not '618C1D5G'"),
        (PBS.replace("00001CD7", "1CD7"), "task_id", "task_id must be 8 to 16 hexadecimal digits, not '1CD7'"),
        (PBS.replace("657A2258", ""), "starttime", "starttime must be 8 hexadecimal digits, not ''"),
        (PVE.replace("vzdump", ""), "type", "type is empty"),
        (PVE.replace("vzdump", "vz dump"), "type", "type holds white space or control characters"),
        (PVE.replace("vzdump", "vz\x1b[1m"), "type", "type holds white space or control characters"),
        (PVE.replace("100", "/dev/sda"), "id", "id holds a slash, which no server takes"),
        ("UPID:n:a/../../x:", "format", "it has 3 colons, those of Proxmox VE have 8 and of Backup Server 9"),
        (PVE.replace("100", "a\u2003b"), "id", "id holds white space or control characters"),
        (PVE.replace("100", "\ud800"), "id", "id holds white space or control characters"),
        (PBS.replace("daily", "a/b"), "id", "id holds a slash, which Backup Server writes as '-'"),
        (
            PBS.replace("x3a", "x3"),
            "id",
            r"id holds a character that Backup Server writes as '\xNN', or a broken '\xNN'",
        ),
        (
            PBS.replace("daily", "a@b"),
            "id",
            r"id holds a character that Backup Server writes as '\xNN', or a broken '\xNN'",
        ),
        (PBS.replace("x3a", "xff"), "id", "id is not UTF-8 once it is unescaped"),
        (PBS.replace("x3a", r"xed\xa0\x80"), "id", "id is not UTF-8 once it is unescaped"),
        (with_user(PVE, ""), "user", "user is empty"),
        (with_user(PVE, "root"), "user", "user must be 'user@realm' or 'user@realm!token', not 'root'"),
        (
            with_user(PVE, "root").replace("100", ""),
            "user",
            "user must be 'user@realm' or 'user@realm!token', not 'root'",
        ),
        (with_user(PVE, "@pam"), "user", "user must be 'user@realm' or 'user@realm!token', not '@pam'"),
        (with_user(PVE, "root@"), "user", "user must be 'user@realm' or 'user@realm!token', not 'root@'"),
        (with_user(PVE, "root@pam!"), "user", "user must be 'user@realm' or 'user@realm!token', not 'root@pam!'"),
        (with_user(PVE, "a/b@pam"), "user", "user holds a slash, which no server takes"),
        (f"{PVE}a comment", "comment", "comment holds white space or control characters"),
        (f"{PVE}../x", "comment", "comment holds a slash, which no server takes"),
        (f"{PBS}comment", "comment", "nothing may follow the last colon of a Backup Server id"),
    ],
)
def test_refuses_and_names_the_flaw(value: object, field: str, reason: str) -> None:
    with pytest.raises(InvalidUpid) as caught:
        parse(value)
    assert (caught.value.field, caught.value.reason) == (field, reason)
    assert (caught.value.field, caught.value.reason) == (field, reason)
    assert str(caught.value).endswith(f" is not a valid UPID: {reason}.")


@pytest.mark.parametrize(
    "text",
    [
        PVE.replace("pve1", "********"),
        PVE.replace("pve1", "a********-2"),
        with_user(PVE, "********@pam"),
        PVE.replace("100", "1********"),
        PVE.replace("UPID:pve1", "********"),
        PBS.replace("backup-srv", "********"),
        f"pve:********!{PVE}",
        "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER",
    ],
)
def test_what_ansible_masked_is_told_to_be_so(text: str) -> None:
    with pytest.raises(InvalidUpid) as caught:
        parse(text)
    assert caught.value.field == "value"
    assert caught.value.reason == (
        "Ansible put ******** in the place of a secret that occurs in it (a password, a token's secret or another "
        "value under no_log). The id itself is lost there: take it from a task that was not given that secret, or use "
        "an API token or a password that occurs in no node's, user's or task's name"
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (False, "a truth value"),
        pytest.param(10**5000, "a number", id="huge"),
        (float("nan"), "a number"),
        (collections.OrderedDict(), "a dictionary"),
        ((), "a list"),
        (b"UPID:", "a value of type bytes"),
        (type("T" * 500, (), {})(), f"a value of type {'T' * 120}"),
        ("it's\x1b[31m\u202e", r'''"it's\x1b[31m\u202e"'''),
        ("x" * 118, f"'{'x' * 118}'"),
        ("x" * 119, f"'{'x' * 115}...'"),
        pytest.param("x" * 10**6, f"'{'x' * 115}...'", id="long"),
        ("\x00" * 100, "'" + r"\x00" * 28 + r"\x0..." + "'"),
        (r"UPID:n:00000000:00000000:00000000:00000000:t:\xff:a@b:", None),
    ],
)
def test_messages_show_any_value_short_and_printable(value: object, shown: str | None) -> None:
    with pytest.raises(InvalidUpid) as caught:
        parse(value)
    assert caught.value.message.startswith(f"{shown or repr(value)} is not a valid UPID: ")


@given(any_minted())
def test_what_servers_mint_decodes_and_encodes_to_itself(upid: Upid) -> None:
    assert parse(upid.text) == upid
    assert encode(parse(upid.text)) == upid.text


@given(any_minted(), names("aZ09_"), st.booleans())
def test_with_a_prefix_all_else_stays_the_same(upid: Upid, remote: str, old_form: bool) -> None:
    text = f"{remote}!{upid.text}" if old_form else f"{upid.product}:{remote}!{upid.text}"
    assert parse(text).to_dict() == {**upid.to_dict(), "upid": text, "remote": remote}
    assert parse(text).native == upid.text


@given(minted("pve"), st.text(FREE, min_size=1, max_size=20), minted("pbs"))
def test_a_comment_never_makes_one_grammar_the_other(upid: Upid, comment: str, other: Upid) -> None:
    assert parse(upid.text + comment).to_dict() == {**upid.to_dict(), "upid": upid.text + comment, "comment": comment}
    with pytest.raises(InvalidUpid):
        parse(other.text + comment)
    # Its last field taken for a comment is the nearest that a Backup Server id comes to one of Proxmox VE.
    with pytest.raises(InvalidUpid, match="the colon at its end is missing"):
        parse(other.text[:-1])


@given(any_minted(), st.integers(0, 200), st.characters())
def test_a_changed_character_decodes_to_that_text_or_fails(upid: Upid, position: int, char: str) -> None:
    text = upid.text[:position] + char + upid.text[position + 1 :]
    flaw = flaw_of(text)
    if flaw is None:
        assert parse(text).text == text
    else:
        assert flaw.field in (*upid.to_dict(), "format", "value")
        assert "says None" not in flaw.message, "the last explanation was given where it does not apply"


@given(anything())
def test_no_value_raises_anything_else(value: object) -> None:
    flaw = flaw_of(value)
    if flaw is None:
        assert parse(value).text == value
    else:
        assert flaw.message.isprintable()
        assert "says None" not in flaw.message, "the last explanation was given where it does not apply"
        assert len(flaw.message) <= 400
    assert all(parse(found).text == found for found in extract(value))


HOSTILE = [
    lambda n: "UPID:" * n,
    lambda n: "pve:!" * n,
    lambda n: "pve:a!UPID:" * n,
    lambda n: "pve:" + "a" * n,
    lambda n: f"UPID:{'a-' * n}:",
    lambda n: f"UPID:n:00000000:00000000:00000000:{'a' * n}",
    lambda n: f"UPID:n:00000000:00000000:00000000:t:i:{'a@a!' * n}",
    lambda n: f"UPID:n:00000000:00000000:00000000:t:i:{'a@' * n}:",
    lambda n: f"UPID:n:00000000:00000000:00000000:t:i:a@{'a' * n}!",
    lambda n: f"UPID:n:00000000:00000000:00000000:00000000:t:{chr(92) * n}:a@b:",
    lambda n: rf"UPID:n:00000000:00000000:00000000:00000000:t:{'-.x' * n}\x:a@b:",
    lambda n: "UPID:n:00000000:00000000:00000000:" * n,
    lambda n: PVE * n,
    lambda n: " " * n,
    lambda n: "%" * n,
    lambda n: "UPID%25" * n,
    lambda n: "UPID%" + "25" * n,
    lambda n: "UPID%3A" * n,
    lambda n: "pve%3A!" * n,
    lambda n: "pve%3Aa%21UPID:" * n,
    lambda n: "UPID" + "%C3" * n,
    lambda n: f"UPID:n:00000000:00000000:00000000:t:i:{'a%40a%21' * n}",
    lambda n: f"UPID:n:00000000:00000000:00000000:t:i:{'a@a%3A' * n}:",
    lambda n: "UPID:n:00000000:00000000:00000000:00000000%3A" * n,
    lambda n: PVE.replace(":", "%3A") * n,
    lambda n: PVE.replace("@", "%40") * n,
    lambda n: "********" * n,
    lambda n: "UPID:********" * n,
    lambda n: "UPID:" + "********:" * n,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_takes_linear_time(text: t.Callable[[int], str]) -> None:
    # Quadratic work would take many times as long, linear takes well under a second.
    value = text(25_000)
    begun = time.process_time()
    extract(value)
    with pytest.raises(InvalidUpid):
        parse(value)
    assert time.process_time() - begun < 2.5


@pytest.mark.parametrize(
    ("piece", "reason"),
    [
        ("UPID%ff%3A", "it does not begin with 'UPID:'"),
        ("UPID%3A", "it is percent-encoded, as in a URL"),
        ("UPID%253A%ff", "it is percent-encoded, as in a URL"),
        ("UPID:", "it has 1000000 colons"),
        (PVE, "it holds more than one UPID"),
        ("x" * 10, "it does not begin with 'UPID:'"),
    ],
)
def test_a_reason_is_not_looked_for_in_megabytes(piece: str, reason: str) -> None:
    value = piece * (5_000_000 // len(piece))
    flaw_of(piece)  # what is compiled once is compiled
    begun = time.process_time()
    flaw = flaw_of(value)
    assert time.process_time() - begun < 0.1
    assert flaw is not None
    assert flaw.reason.startswith(reason)
    assert len(flaw.message) <= 400


# --- extract


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (PVE, [PVE]),
        (f"{PVE}a-comment", [PVE]),
        (f"  task started: '{PVE}' trailing", [PVE]),
        (f"see {PVE}/status", [PVE]),
        (f"{PVE},{PBS}\n{PVE_TOKEN}", [PVE, PBS, PVE_TOKEN]),
        (f"{PVE}{PBS}{PVE}", [PVE, PBS]),
        (json.dumps({"data": PBS, "more": [PVE]}), [PBS, PVE]),
        (json.dumps({"output": json.dumps([PBS])}), [PBS]),
        (f"line\\n{PVE}", [PVE]),
        (PVE.encode(), [PVE]),
        (bytearray(PBS.encode() + b"\xff"), [PBS]),
        (f"pve:r!{PVE} pbs:r!{PBS}", [f"pve:r!{PVE}", f"pbs:r!{PBS}"]),
        (f"old!{PVE}", [PVE]),
        (f"pbs:r!{PVE}", [PVE]),
        (f"pve:r!!{PVE}", [PVE]),
        (f"UPID:{PVE}", [PVE]),
        (PBS.replace("x3a", "xff"), []),
        (PBS.replace("daily", "a.b-c_D"), [PBS.replace("daily", "a.b-c_D")]),
        (PVE[:-1], []),
        (PVE.replace("UPID", "upid"), []),
        ({PVE: 1}, []),
        ([None, PVE, None, [None, PBS]], [PVE, PBS]),
        (None, []),
        (5, []),
        (object(), []),
        ([], []),
        ({"results": [{"json": {"data": PVE}}, {"stdout": f"x {PBS}"}, {"json": {"data": PVE}}]}, [PVE, PBS]),
        (({"b": PBS}, [PVE, (PVE_TOKEN,)]), [PBS, PVE, PVE_TOKEN]),
        ((text for text in (PVE, PBS)), [PVE, PBS]),
        ({"a": PVE}.values(), [PVE]),
        ({"invocation": {"module_args": {"upid": PVE}}, "data": PBS}, [PBS]),
        ({"item": PVE, "data": PBS}, [PBS]),
        ({"item": PVE, "ansible_loop_var": "item", "data": PBS}, [PBS]),
        ({"item": PVE, "ansible_loop_var": "guest", "guest": PBS}, [PVE]),
        ({"ansible_loop": {"allitems": [PVE]}, "data": PBS}, [PBS]),
        ({"results": [{"ansible_loop_var": "outer", "outer": PVE, "inner": {"outer": PBS}}]}, [PBS]),
        ({"ansible_loop_var": ["odd"], "data": PVE}, [PVE]),
        # percent-encoded, as a whole or in part
        (f"/api2/json/nodes/pve1/tasks/{PVE_TOKEN}/status".replace("!", "%21"), [PVE_TOKEN]),
        (f"GET /tasks/{PVE_TOKEN}/status".replace(":", "%3A").replace("@", "%40").replace("!", "%21"), [PVE_TOKEN]),
        (f"x?upid={PBS}&start=0".replace(":", "%3a").replace("\\", "%5c"), [PBS]),
        (with_user(PVE, "łukasz@ad").replace(":", "%3A").replace("ł", "%C5%82"), [with_user(PVE, "łukasz@ad")]),
        (f"next=%2Ftasks%2F{PVE.replace(':', '%253A')}%2Flog", [PVE]),
        (f"{PVE}{PBS}{PVE}".replace(":", "%3A"), [PVE, PBS]),
        (f"{PVE.replace(':', '%3A')} {PBS} {PVE_TOKEN.replace('!', '%21')}", [PVE, PBS, PVE_TOKEN]),
        (f"pve:r!{PVE}".replace(":", "%3A").replace("!", "%21"), [f"pve:r!{PVE}"]),
        (f"pve%3Ar%21{PVE}", [f"pve:r!{PVE}"]),
        (f"pve%3ar!{PVE}", [f"pve:r!{PVE}"]),
        (PVE.replace(":", "%25253A"), [PVE]),
        (PVE.replace(":", "%2525253A"), []),
        (f"pve%3Ar!{PVE.replace('100', 'a%20b')}", [f"pve:r!{PVE.replace('100', 'a%20b')}"]),
        (f"pve%3Ar!{PVE.replace('100', 'a%3Bb')}", [f"pve:r!{PVE.replace('100', 'a;b')}"]),
        ({"url": PVE.replace(":", "%3A"), "data": PVE}, [PVE]),
        # what is a UPID as it stands is taken as it stands
        (PVE.replace("100", "debian%2D12.iso"), [PVE.replace("100", "debian%2D12.iso")]),
        (PVE.replace("100", "a%3Ab%40c"), [PVE.replace("100", "a%3Ab%40c")]),
        (PVE.replace("vzdump:100", "0000beef:50%25"), [PVE.replace("vzdump:100", "0000beef:50%25")]),
        (PVE.replace("100", "50%25").replace(":", "%3A"), [PVE.replace("100", "50%")]),
        (PVE.replace("100", "a%ff").replace(":", "%3A"), [PVE.replace("100", "a%ff")]),
        (PVE.replace("100", "%C3%A9%ff").replace(":", "%3A"), [PVE.replace("100", "é%ff")]),
        (PBS.replace("verificationjob", r"a\\x"), [PBS.replace("verificationjob", r"a\\x")]),
        (PVE[:-1] + "%3", []),
        (PVE.replace(":", "%25253A%"), []),
        # an id that lost a part of it to Ansible's masking is not lost in silence
        (f"see {PVE.replace('root', '********')} now", [PVE.replace("root", "********")]),
        ("******** UPID:a:b:c:d:e:f:g:", []),
        (PVE.replace("pve1", "********").replace("100", ""), [PVE.replace("pve1", "********").replace("100", "")]),
        (
            [PVE.replace("pve1", "********"), f'["{PVE_TOKEN}"]', "********"],
            [PVE.replace("pve1", "********"), PVE_TOKEN],
        ),
    ],
)
def test_extract(value: object, found: list[str]) -> None:
    assert extract(value) == found


@given(
    st.lists(any_minted(), max_size=5),
    st.sampled_from([" ", ", ", "\n", "'", '"', "\t", "(", "|", "\\n", ": ", "é", ""]),
)
def test_extract_finds_all_between_any_separators(upids: list[Upid], separator: str) -> None:
    # Letters glued to a colon can only be told from a prefix by its form.
    text = separator.join(upid.text for upid in upids)
    expected = list(dict.fromkeys(upid.text for upid in upids))
    assert extract(text) == expected
    assert extract({"results": [{"lines": [text]}, {"n": 1}]}) == expected


def encoded_in_part(upid: Upid, draw: st.DataObject) -> str:
    """The id with any of its reserved characters percent-encoded, its percent signs wherever anything is."""
    reserved = sorted({char for char in upid.text if not (char.isascii() and char.isalnum()) and char not in "-._~"})
    places = [index for index, char in enumerate(upid.text) if char in reserved]
    chosen = draw.draw(st.sets(st.sampled_from(places), min_size=1))
    chosen |= {index for index in places if upid.text[index] == "%"}
    cased = draw.draw(st.sampled_from([str.upper, str.lower]))
    return "".join(cased(quote(char, safe="")) if index in chosen else char for index, char in enumerate(upid.text))


@given(
    any_minted(), st.text(), st.text(), st.sampled_from([" ", "/", "\n", '"', "%20", "%2F", "%22", "?a=b "]), st.data()
)
def test_extract_finds_what_is_encoded_in_part(
    upid: Upid, before: str, after: str, separator: str, data: st.DataObject
) -> None:
    text = encoded_in_part(upid, data)
    # What is a UPID as it stands means what it stands for, a Proxmox VE id may hold percent signs.
    assume(flaw_of(text) is not None)
    assert extract(f"{before}{separator}{text}{separator}{after}") == [upid.text]
    assert extract(f"{before}{text}{separator}{after}") == [upid.text]
    assert t.cast(InvalidUpid, flaw_of(text)).reason == "it is percent-encoded, as in a URL"


@given(minted("pbs"), st.data())
def test_extract_knows_a_backup_server_id_with_an_encoded_colon(upid: Upid, data: st.DataObject) -> None:
    # As it stands it reads like one of Proxmox VE, of a type that is a time.
    assume("%" not in upid.text)
    places = [index for index, char in enumerate(upid.text) if char == ":"]
    index = data.draw(st.sampled_from(places))
    assert extract(f"x/{upid.text[:index]}%3A{upid.text[index + 1 :]}/y") == [upid.text]


@given(st.lists(any_minted(), min_size=1, max_size=3))
def test_extract_finds_all_in_json(upids: list[Upid]) -> None:
    # JSON has escapes of its own for these, which no server puts into a UPID.
    assume(not any(char in upid.text.replace("\\x", "") for upid in upids for char in '"\\'))
    texts = [upid.text for upid in upids]
    assert extract(json.dumps(texts, ensure_ascii=False)) == list(dict.fromkeys(texts))


def test_extract_bears_depth_cycles_and_shared_parts() -> None:
    deep: list[object] = [PVE]
    for _level in range(100_000):
        deep = [deep]
    cyclic: dict[str, object] = {"upid": PBS}
    cyclic["self"] = [cyclic]
    shared: list[object] = [PVE_TOKEN]
    for _level in range(100):
        shared = [shared, shared]
    assert extract([deep, cyclic, shared]) == [PVE, PBS, PVE_TOKEN]


def test_extract_lets_go_of_no_object_whose_id_could_be_used_again() -> None:
    texts = [PVE.replace("100", str(number)) for number in range(1000)]
    assert extract([text] for text in texts) == texts


def test_what_ansible_warns_of_is_not_read() -> None:
    class Result(dict[str, t.Any]):
        """Of a loop that had nothing to do."""

        def __getitem__(self, key: str) -> t.Any:
            assert key != "skipped_reason"
            return super().__getitem__(key)

        def items(self) -> t.NoReturn:
            raise AssertionError("all of it was read")

    assert extract(Result(skipped_reason=PVE, data=PBS)) == [PBS]
