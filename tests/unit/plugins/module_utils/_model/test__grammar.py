# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which characters, and how many, each place of a UPID takes."""

from __future__ import annotations

import string
import typing as t
import unicodedata

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.grammar import (
    MASK,
    Product,
    is_node_name,
    is_owner,
    is_upid,
    is_worker_type,
    unescape,
)

PVE = "UPID:{node}:{pid}:{pstart}:{start}:{type}:{id}:{user}:{comment}"
PBS = r"UPID:{node}:{pid}:{pstart}:{task}:{start}:{type}:{id}:{user}:"
FIELDS = {
    "node": "pve1",
    "pid": "000AE992",
    "pstart": "00A21BA7",
    "task": "00001CD7",
    "start": "618C1D55",
    "type": "vzdump",
    "id": "100",
    "user": "root@pam",
    "comment": "",
}
LETTERS, ALNUM = string.ascii_letters, string.ascii_letters + string.digits
NAME = ALNUM + "._-"
CHARACTERS = [*map(chr, range(0x180)), *"\u0661\u1680\u2003\u2028\u3000\ud7ff\ud800\udfff\ue000\U0001f600"]
BARRED = ("Cc", "Cs", "Zs", "Zl", "Zp")  # control characters, surrogates, white space
FREE = "".join(char for char in CHARACTERS if unicodedata.category(char) not in BARRED and char not in ":/")


def filled(grammar: str, prefix: str = "", **fields: str) -> str:
    return prefix + grammar.format(**{**FIELDS, **fields})


@pytest.mark.parametrize("grammar", [PVE, PBS])
@pytest.mark.parametrize(
    ("place", "fits"),
    [
        ({"node": "?"}, ALNUM),
        ({"node": "?a"}, ALNUM),
        ({"node": "a?"}, ALNUM),
        ({"node": "a?a"}, ALNUM + "-"),
        *(({field: f"1234567{'?'}"}, string.hexdigits) for field in ("pid", "pstart", "start")),
        ({"type": "?"}, FREE),
        ({"user": "?@pam"}, FREE),
        ({"user": "root@pam?x"}, NAME + "@!"),
        ({"user": "root@pam!x?"}, NAME),
        ({"prefix": "r?!"}, NAME),
        ({"prefix": "?!"}, ALNUM + "_"),
    ],
)
def test_characters(grammar: str, place: dict[str, str], fits: str) -> None:
    taken = [c for c in CHARACTERS if is_upid(filled(grammar, **{k: v.replace("?", c) for k, v in place.items()}))]
    assert "".join(taken) == "".join(char for char in CHARACTERS if char in fits)


@pytest.mark.parametrize(
    ("grammar", "place", "fits"),
    [
        (PVE, {"id": "?"}, FREE),
        (PVE, {"comment": "?"}, FREE),
        (PVE, {"user": "root@?"}, LETTERS),
        (PVE, {"user": "root@pam!?"}, LETTERS),
        (PVE, {"prefix": "pve:r?!"}, NAME),
        (PBS, {"id": "?"}, NAME),
        (PBS, {"id": r"\x4?"}, string.hexdigits),
        (PBS, {"id": r"\x?1"}, "01234567"),
        (PBS, {"task": "1234567?"}, string.hexdigits),
        (PBS, {"user": "root@?"}, ALNUM + "_"),
        (PBS, {"user": "root@pam!?"}, ALNUM + "_"),
        (PBS, {"prefix": "pbs:r?!"}, NAME),
    ],
)
def test_characters_of_one_grammar(grammar: str, place: dict[str, str], fits: str) -> None:
    test_characters(grammar, place, fits)


@pytest.mark.parametrize(
    ("grammar", "field", "lengths"),
    [
        *((grammar, field, [8]) for grammar in (PVE, PBS) for field in ("pid", "start")),
        *((grammar, "pstart", [8, 9]) for grammar in (PVE, PBS)),
        (PBS, "task", [*range(8, 17)]),
        (PVE, "id", [*range(20)]),
        (PBS, "id", [*range(20)]),
        (PVE, "comment", [*range(20)]),
        *((grammar, field, [*range(1, 20)]) for grammar in (PVE, PBS) for field in ("type", "node")),
    ],
)
def test_lengths(grammar: str, field: str, lengths: list[int]) -> None:
    assert [n for n in range(20) if is_upid(filled(grammar, **{field: "0" * n}))] == lengths


@pytest.mark.parametrize(
    ("text", "products"),
    [
        (filled(PVE), ["pve"]),
        (filled(PBS), ["pbs"]),
        (filled(PVE, node="a" + MASK), []),
        (filled(PVE, type=MASK), []),
        (filled(PBS, type=MASK), []),
        (filled(PBS, id=r"\xff"), []),
        (filled(PVE, id=r"\xff"), ["pve"]),
        (filled(PBS, prefix="pve:r!"), []),
        (filled(PVE, prefix="pbs:r!"), []),
        ("", []),
    ],
)
def test_one_text_is_of_one_grammar(text: str, products: list[Product]) -> None:
    both: tuple[Product, ...] = ("pve", "pbs")
    assert [product for product in both if is_upid(text, (product,))] == products
    assert is_upid(text) is bool(products)
    assert is_upid(text, ()) is False


@pytest.mark.parametrize(
    ("judge", "good", "bad"),
    [
        (is_node_name, ["pve1", "a", "a-b"], ["", "a-", "-a", "a.b", "a\n"]),
        (is_worker_type, ["vzdump", "é"], ["", "a:b", "a b", "a\n"]),
        (lambda text: is_owner(text, "pve"), ["root@pam", "a@b!c", "a@b@c"], ["root", "@pam", "a@1", "a@b!", "a@b\n"]),
        (lambda text: is_owner(text, "pbs"), ["root@pam", "a@b!c", "a@1!_"], ["root", "@pam", "a@-", "a@b!", "a@b\n"]),
    ],
)
def test_parts(judge: t.Callable[[str], bool], good: list[str], bad: list[str]) -> None:
    assert [text for text in (*good, *bad) if judge(text)] == good
    assert {type(judge(text)) for text in (*good, *bad)} == {bool}


def test_unescaping() -> None:
    assert unescape(r"a-b\x2dc\xC3\xa9\x5Cx2d.d") == r"a/b-cé\x2d.d"


def test_the_mask_is_ansibles() -> None:
    assert MASK == "********"
