# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and replies as values, and what is read from replies."""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import (
    Reply,
    Request,
    json_of,
    mapping_of,
    number_of,
    rows_of,
    tasks_of,
    text_of,
    total_of,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import Fault
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import parse
from hypothesis import example, given
from hypothesis import strategies as st

UPID = parse("UPID:pve2:00001000:00020000:6B000000:vzdump:100:root@pam:")
NO_MAPPING: list[object] = [None, 1, "text", [], [{}]]
NO_ROWS: list[object] = [None, 1, "text", {"a": 1}, [1], [{}, None], [[]]]


@pytest.mark.parametrize(
    ("path", "upid", "node"),
    [
        (("nodes", "pve1", "tasks"), None, "pve1"),
        (("nodes", "pve1"), None, "pve1"),
        (("nodes", "localhost", "tasks"), UPID, "pve2"),
        (("nodes",), None, None),
        (("cluster", "tasks"), None, None),
        (("access", "ticket"), None, None),
    ],
)
def test_who_is_to_answer(path: tuple[str, ...], upid: t.Any, node: str | None) -> None:
    assert Request("GET", path, upid=upid).node == node


def test_requests_and_replies_stay_as_they_are() -> None:
    assert Request("GET", ("version",)).params == {}
    for value in (Request("GET", ("version",)), Reply(200)):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, dataclasses.fields(value)[0].name, "other")


def test_a_reply_without_words_has_none() -> None:
    reply = Reply(204)
    assert (reply.reason, reply.server, reply.content, reply.text, reply.json()) == ("", "", b"", "", None)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"data": [1]}', {"data": [1]}),
        ('{"data": "Zürich"}'.encode(), {"data": "Zürich"}),
        (b"null", None),
        (b"", None),
        (b"{", None),
        (b"\xff\xfe\xff", None),
        (b"[" * 100_000, None),
        (b'"\\ud83d"' + b"[" * 100_000, None),
        (b'{"data": "\\ud8"}"}', None),
    ],
)
def test_the_json_of_a_body(content: bytes, value: object) -> None:
    assert Reply(200, content=content).json() == value


BAD = "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (rb'"\ud83d x"', f"{BAD} x"),
        (rb'"\uDE00"', BAD),
        (rb'"\ud83d\ud83d\ude00\ude00"', f"{BAD}\N{GRINNING FACE}{BAD}"),
        (rb'"\ud83d\\ude00"', f"{BAD}\\ude00"),
        (rb'"\\ud83d"', r"\ud83d"),
        (rb'"\\\ud83d\n"', f"\\{BAD}\n"),
        (rb'{"a\udfff": ["\uD800", {"b": "\udBFF"}]}', {f"a{BAD}": [BAD, {"b": BAD}]}),
        (b'"\xed\xa0\xbd"', BAD * 3),
        (b'"\xff"', BAD),
    ],
)
def test_half_a_character_is_none(content: bytes, value: object) -> None:
    assert json_of(content) == value


@example("\\\ud83d\ude00")
@given(st.text(st.characters() | st.characters(categories=["Cs"]) | st.sampled_from('\\u"d8f0')))
def test_no_text_of_an_answer_keeps_a_result_from_being_told(text: str) -> None:
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    told = json_of(json.dumps({text: [text]}).encode())
    assert json.dumps(told, ensure_ascii=False).encode()
    assert [*told.values()] == [[told_key] for told_key in told]
    assert text != whole or told == {text: [text]}


def test_only_the_beginning_of_a_body_is_read_as_text() -> None:
    assert Reply(200, content=b"x" * 65_536 + b"y").text == "x" * 65_536
    assert Reply(200, content=b"a\xffb").text == "a\N{REPLACEMENT CHARACTER}b"


def test_what_is_of_the_documented_form() -> None:
    assert mapping_of({"data": {"status": "running"}, "total": 1}) == {"status": "running"}
    assert rows_of({"data": [{"n": 1}, {}]}) == [{"n": 1}, {}]
    assert rows_of({"data": []}) == []


@pytest.mark.parametrize(
    ("read", "data"),
    [
        *((mapping_of, data) for data in NO_MAPPING),
        *((read, data) for read in (rows_of, tasks_of) for data in NO_ROWS),
    ],
)
def test_what_is_not_is_a_fault(read: t.Callable[[dict[str, t.Any]], object], data: object) -> None:
    with pytest.raises(Fault, match=r"^the server's answer is not of the form that its documentation gives$"):
        read({"data": data})


@pytest.mark.parametrize(
    ("row", "bare", "status"),
    [
        ({"status": "OK", "endtime": 5}, False, "OK"),
        ({"status": "OK", "endtime": 5}, True, "OK"),
        ({}, False, None),
        ({}, True, "RUNNING"),
        ({"status": None, "endtime": None}, True, "RUNNING"),
        ({"endtime": 5}, True, None),
        ({"status": "", "endtime": 5}, True, None),
        ({"status": ""}, True, None),
        ({"status": 7}, False, "7"),
        ({"status": "Z\u00c3\u00bcrich"}, False, "Z\u00fcrich"),
    ],
)
def test_what_a_row_says_of_a_task(row: dict[str, t.Any], bare: bool, status: str | None) -> None:
    assert tasks_of({"data": [{**row, "upid": "x"}]}, bare=bare) == [{**row, "upid": "x", "status": status}]


def test_what_has_no_status_runs_only_where_that_is_said() -> None:
    assert tasks_of({"data": [{}]}) == [{"status": None}]


@pytest.mark.parametrize(
    ("answer", "total"),
    [
        ({"total": 5}, 5),
        ({"total": "5"}, 5),
        ({"total": 0}, 0),
        ({}, None),
        ({"total": None}, None),
        ({"total": "many"}, None),
        ({"total": []}, None),
        ({"total": float("inf")}, None),
        ({"total": float("nan")}, None),
    ],
)
def test_how_many_rows_there_are(answer: dict[str, t.Any], total: int | None) -> None:
    assert total_of(answer) == total


@pytest.mark.parametrize(("value", "number"), [(7, 7), (0, 0), (-1, -1), ("7", 0), (None, 0), (7.5, 0), ([], 0)])
def test_numbers(value: object, number: int) -> None:
    assert number_of(value) == number


@pytest.mark.parametrize(("value", "text"), [("OK", "OK"), ("", None), (None, None), (0, "0"), (False, "False")])
def test_texts(value: object, text: str | None) -> None:
    assert text_of(value) == text
