# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences that hold the words of others."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import ApiError, LoginRefused, OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.results import Found, Waited
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import FailOn, Sight, Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import parse
from ansible_collections.proxkit.tasks.plugins.module_utils._module.report import (
    describe,
    info_result,
    refusal,
    stop_result,
    wait_result,
)
from ansible_collections.proxkit.tasks.tests.unit.fakes import upid
from hypothesis import given
from hypothesis import strategies as st

UPID = upid()
WHAT = "qmstart 100 on pve1"


def many(sight: Sight, count: int, exitstatus: str | None = None, first: int = 0) -> list[Task]:
    return [Task(upid(number), sight, exitstatus) for number in range(first, first + count)]


def waited(tasks: list[Task], **changes: t.Any) -> Waited:
    fields = {"elapsed": 1.23456, "timed_out": False, "settled": frozenset(), "stopped": (), "warnings": []}
    return Waited(tasks, **{**fields, **changes})


def texts(tasks: list[Task]) -> list[str]:
    return [task.upid.text for task in tasks]


@pytest.mark.parametrize(
    ("exitstatus", "words"),
    [
        ("boom", "failed: boom"),
        ("boom.", "failed: boom"),
        ("50 %\r100 %", "failed: 100 %"),
        ("red \x1b[31malert\x1b[0m", "failed: red alert"),
        ("", "failed without a text"),
        ("OK", "ended OK"),
        ("WARNINGS: 2", "ended with WARNINGS: 2"),
        (None, "was killed, or its node lost power: nobody can say how it ended (exit status null)"),
        ("x" * 5000, f"failed: {'x' * 1000} (and so on)"),
    ],
)
def test_ends(exitstatus: str | None, words: str) -> None:
    assert describe(Task(UPID, "stopped", exitstatus)) == f"{WHAT} {words} ({UPID.native})"


def test_what_is_known_instead_of_an_end() -> None:
    assert describe(Task(UPID, "missing")) == (
        f"{WHAT} is not known to its node: its log was rotated away, or the UPID is of another cluster ({UPID.native})"
    )
    assert describe(Task(UPID, "unseen")) == f"{WHAT} could not be looked at ({UPID.native})"
    # What stood in the way of an end that is known does not matter any more.
    assert describe(Task(UPID, "stopped", "OK", error="gone")) == f"{WHAT} ended OK ({UPID.native})"


def test_a_task_of_nothing_in_particular() -> None:
    update = parse("UPID:pve1:00213D37:01ECA9AD:618F6B8D:aptupdate::root@pam:")
    assert describe(Task(update, "running")) == f"aptupdate on pve1 is still running ({update.native})"


def test_what_stood_in_the_way() -> None:
    task = Task(UPID, "running", error="pve1 says 500\rgot timeout.")
    assert describe(task) == f"{WHAT} is still running: got timeout ({UPID.native})"


@given(text=st.text(alphabet="ab. \r\n\b\x1b[m", max_size=12))
def test_texts_of_others_leave_ours_whole(text: str) -> None:
    seen = (Task(UPID, "stopped", text or "x"), Task(UPID, "unseen", error=text))
    results: list[dict[str, t.Any]] = []
    for task in seen:
        seen_so_far = Waited([task], 9.0, True, frozenset(), (), [], timeout=2.0)
        results += [wait_result(seen_so_far), stop_result(seen_so_far)]
        results.append(info_result(Found([task], frozenset({"pve1"}), {"pve1": text}, errors=[ApiError(text)])))
    for result in results:
        assert result["msg"].endswith(".")
        assert not result["msg"].endswith("..")
        assert result["msg"].isprintable()
    assert results[0]["msg"].startswith(f"Timed out after 2.0 s: {WHAT} ")
    assert results[0]["elapsed"] == 9.0


def test_what_ended_it_all_comes_first() -> None:
    ended = waited([Task(UPID)], fatal=LoginRefused("the token is refused."))
    for result in (wait_result(ended), stop_result(ended)):
        assert result["msg"] == f"the token is refused. {WHAT} could not be looked at ({UPID.native})."
        assert result["failed"]
    msg = stop_result(waited([*OK, *RUNNING], fatal=LoginRefused("the token is refused.")))["msg"]
    assert msg == (
        "the token is refused. 4 tasks: 2 ok, 2 running; " + "; ".join(describe(task) for task in RUNNING) + "."
    )


def test_lost_logs_are_told_the_first_few_by_name() -> None:
    tasks = [Task(upid(number), "stopped", "OK", endtime=5, lost_log=True) for number in range(5)]
    for warnings in (wait_result(waited(tasks))["warnings"], info_result(Found(tasks))["warnings"]):
        assert len(warnings) == 4
        assert tasks[0].upid.native in warnings[0]
        assert "log of this task is gone" in warnings[0]
        assert warnings[3] == "The logs of 2 tasks more are gone."


# Results as a whole


NOTHING = {"changed": False, "timed_out": False, "elapsed": 0.0, "tasks": [], "no_task": ["OK"], "warnings": ["w"]}


def test_of_no_task() -> None:
    assert wait_result(no_task=("OK",), warnings=("w",)) == {
        **NOTHING,
        "failed": False,
        "failed_upids": [],
        "unfinished_upids": [],
        "msg": "There was no task to wait for.",
    }
    assert stop_result(no_task=("OK",), warnings=("w",)) == {
        **NOTHING,
        "failed": False,
        "stopped_upids": [],
        "unfinished_upids": [],
        "msg": "There was no running task to stop.",
    }
    assert info_result(no_task=("OK",), warnings=("w",)) == {
        "failed": False,
        "changed": False,
        "tasks": [],
        "missing": [],
        "blind_nodes": [],
        "unreachable_nodes": [],
        "no_task": ["OK"],
        "msg": "0 tasks found.",
        "warnings": ["w"],
    }


OK, BAD, WARNED = many("stopped", 2, "OK"), many("stopped", 5, "no", 2), many("stopped", 5, "WARNINGS: 2", 7)
RUNNING, UNSEEN = many("running", 2, first=12), many("unseen", 1, first=14)


@pytest.mark.parametrize(
    ("tasks", "options", "failed", "msg"),
    [
        (OK, {}, False, "2 tasks: 2 ok."),
        ([*OK, BAD[0]], {}, True, f"3 tasks: 2 ok, 1 error; {describe(BAD[0])}."),
        (
            [*OK, *BAD],
            {},
            True,
            f"7 tasks: 2 ok, 5 error; {'; '.join(describe(task) for task in BAD[:3])}; and 2 more.",
        ),
        (BAD[:4], {}, True, f"4 tasks: 4 error; {'; '.join(describe(task) for task in BAD[:3])}; and 1 more."),
        (BAD[:3], {}, True, f"3 tasks: 3 error; {'; '.join(describe(task) for task in BAD[:3])}."),
        ([*OK, BAD[0]], {"fail_on": "never"}, False, f"3 tasks: 2 ok, 1 error; {describe(BAD[0])}."),
        ([OK[0], WARNED[0]], {}, False, "2 tasks: 1 ok, 1 warning."),
        ([OK[0], WARNED[0]], {"fail_on": "warning"}, True, f"2 tasks: 1 ok, 1 warning; {describe(WARNED[0])}."),
        ([OK[0], RUNNING[0]], {}, False, "2 tasks: 1 ok, 1 running."),
        (
            [OK[0], RUNNING[0]],
            {"check_mode": True},
            False,
            f"Looked once (check mode): 2 tasks: 1 ok, 1 running; {describe(RUNNING[0])}.",
        ),
        (OK, {"check_mode": True}, False, "2 tasks: 2 ok."),
        (
            [BAD[0], RUNNING[0]],
            {},
            True,
            f"2 tasks: 1 error, 1 running; {describe(BAD[0])}; {describe(RUNNING[0])}.",
        ),
    ],
)
def test_of_a_wait(tasks: list[Task], options: dict[str, t.Any], failed: bool, msg: str) -> None:
    result = wait_result(waited(tasks), **options)
    assert (result["failed"], result["msg"]) == (failed, msg)
    assert (result["changed"], result["timed_out"], result["elapsed"]) == (False, False, 1.235)
    assert [task["upid"] for task in result["tasks"]] == texts(tasks)
    assert result["unfinished_upids"] == texts([task for task in tasks if task in RUNNING])
    bad = [*BAD, *(WARNED if options.get("fail_on") == "warning" else [])]
    assert result["failed_upids"] == texts([task for task in tasks if task in bad])


@pytest.mark.parametrize(("on_timeout", "failed"), [("fail", True), ("stop", True), ("continue", False)])
def test_of_a_wait_that_took_too_long(on_timeout: str, failed: bool) -> None:
    result = wait_result(waited(RUNNING[:1], timed_out=True, timeout=5.0, stopped=("x",)), on_timeout=on_timeout)
    assert (result["failed"], result["timed_out"], result["changed"]) == (failed, True, True)
    assert result["msg"] == f"Timed out after 5.0 s: stopped 1 task; {describe(RUNNING[0])}."


@pytest.mark.parametrize(("fail_on", "failed"), [("error", True), ("warning", True), ("never", False)])
def test_of_a_wait_for_what_nobody_will_tell(fail_on: FailOn, failed: bool) -> None:
    blind = waited(UNSEEN, settled=frozenset({UNSEEN[0].upid.native}), warnings=["of the engine"])
    result = wait_result(blind, fail_on=fail_on, warnings=["of the module"])
    assert result["failed"] is failed
    assert result["warnings"] == [
        "of the module",
        "of the engine",
        *([] if failed else [f"{describe(UNSEEN[0])}."]),
    ]


def test_warnings_are_told_the_first_few_by_name() -> None:
    told = [f"{describe(task)}." for task in WARNED]
    assert wait_result(waited(WARNED[:3]))["warnings"] == told[:3]
    assert wait_result(waited(WARNED[:4]))["warnings"] == [*told[:3], "1 task more: warning."]
    assert wait_result(waited(WARNED))["warnings"] == [*told[:3], "2 tasks more: warning."]
    assert wait_result(waited(WARNED), fail_on="warning")["warnings"] == []


def test_a_lost_log_is_told() -> None:
    lost = [Task(upid(number), "stopped", "OK", lost_log=True) for number in range(4)]
    told = [f"The log of this task is gone, its node's list tells the end: {describe(task)}." for task in lost]
    assert wait_result(waited(lost[:3]))["warnings"] == told[:3]
    assert wait_result(waited(lost))["warnings"] == [*told[:3], "The logs of 1 task more are gone."]


@pytest.mark.parametrize(
    ("tasks", "stopped", "options", "failed", "msg"),
    [
        (OK, [], {}, False, "There was no running task to stop."),
        (BAD, BAD[:1], {}, False, f"1 of 5 tasks stopped: {BAD[0].upid.text}."),
        (BAD[:1], BAD[:1], {}, False, f"1 of 1 task stopped: {BAD[0].upid.text}."),
        (BAD, BAD[:3], {}, False, f"3 of 5 tasks stopped: {', '.join(texts(BAD[:3]))}."),
        (BAD, BAD[:4], {}, False, f"4 of 5 tasks stopped: {', '.join(texts(BAD[:3]))} and 1 more."),
        (RUNNING, RUNNING, {"check_mode": True}, False, f"2 of 2 tasks would be stopped: {', '.join(texts(RUNNING))}."),
        (
            [BAD[0], RUNNING[0]],
            RUNNING[:1],
            {"check_mode": True},
            False,
            f"1 of 2 tasks would be stopped: {RUNNING[0].upid.text}.",
        ),
        (
            [BAD[0], RUNNING[0]],
            BAD[:1],
            {},
            True,
            f"Not all is stopped after 1.2 s: 2 tasks: 1 error, 1 running; {describe(RUNNING[0])}.",
        ),
    ],
)
def test_of_a_stop(tasks: list[Task], stopped: list[Task], options: dict[str, t.Any], failed: bool, msg: str) -> None:
    told = tuple(task.upid.native for task in stopped if not options)
    result = stop_result(waited(tasks, stopped=told, warnings=["of the engine"]), warnings=["of the module"], **options)
    assert result == {
        "failed": failed,
        "changed": bool(stopped),
        "timed_out": False,
        "elapsed": 1.235,
        "tasks": [task.to_dict() for task in tasks],
        "stopped_upids": texts(stopped),
        "unfinished_upids": texts([task for task in tasks if task in RUNNING]),
        "no_task": [],
        "msg": msg,
        "warnings": ["of the module", "of the engine"],
    }


@pytest.mark.parametrize(
    ("found", "changes"),
    [
        (Found(OK[:1]), {"tasks": OK[:1], "msg": "1 task found."}),
        (Found(OK), {"tasks": OK, "msg": "2 tasks found."}),
        (
            Found([Task(UPID, "missing")]),
            {"tasks": [Task(UPID, "missing")], "missing": [UPID.text], "msg": "0 tasks found, 1 missing."},
        ),
        (
            Found([], frozenset("ab"), {"b": "no answer."}, ["d", "c"], ["w", "w"]),
            {
                "unreachable_nodes": ["b"],
                "blind_nodes": ["c", "d"],
                "warnings": ["w", "Nothing is known of node b: no answer."],
            },
        ),
        (
            Found([], frozenset("ab"), {"b": "no answer.", "a": "no answer."}),
            {
                "failed": True,
                "unreachable_nodes": ["a", "b"],
                "msg": "no answer.",
                "warnings": ["Nothing is known of node a: no answer.", "Nothing is known of node b: no answer."],
            },
        ),
        (
            Found([], frozenset("a"), {"a": "no answer."}, errors=[ApiError("one.")]),
            {
                "failed": True,
                "unreachable_nodes": ["a"],
                "msg": "one; no answer.",
                "warnings": ["Nothing is known of node a: no answer."],
            },
        ),
        (Found([], errors=[ApiError("one."), ApiError("two")]), {"failed": True, "msg": "one; two."}),
    ],
)
def test_of_a_search(found: Found, changes: dict[str, t.Any]) -> None:
    expected = {
        "failed": False,
        "changed": False,
        "missing": [],
        "blind_nodes": [],
        "unreachable_nodes": [],
        "no_task": [],
        "msg": "0 tasks found.",
        "warnings": [],
        **changes,
        "tasks": [task.to_dict() for task in changes.get("tasks", [])],
    }
    assert info_result(found) == expected


def test_of_a_wait_where_nobody_ever_answered() -> None:
    result = wait_result(waited([Task(UPID)], timed_out=True, timeout=5.0), on_timeout="continue")
    assert (result["failed"], result["warnings"][-1]) == (False, f"{WHAT} could not be looked at ({UPID.native}).")


def test_an_end_in_doubt_says_why() -> None:
    task = Task(UPID, "stopped", "unexpected status", error="its log could not be asked: 500.")
    assert describe(task).endswith(
        f"(exit status 'unexpected status'): its log could not be asked: 500 ({UPID.native})"
    )


def test_a_search_tells_which_tasks_met_an_error() -> None:
    lost = [Task(task.upid, error="one.") for task in [*OK, *BAD]]
    result = info_result(Found([*lost, Task(UPID, "missing")], errors=[ApiError("one."), ApiError("one.")]))
    assert result["msg"] == f"one ({OK[0].upid.native} and {len(lost) - 1} more)."
    assert info_result(Found(lost[:1], errors=[ApiError("one.")]))["msg"] == f"one ({OK[0].upid.native})."
    assert (
        info_result(Found([*OK, *lost, Task(UPID, "missing")]))["msg"]
        == f"2 tasks found, 1 missing, {len(lost)} unseen."
    )


@pytest.mark.parametrize(
    ("limit", "msg"),
    [
        (0, "2 tasks found."),
        (1, "2 tasks found."),
        (2, "2 tasks found, as many as limit allows: there may be more."),
        (3, "2 tasks found."),
    ],
)
def test_a_search_says_where_it_may_not_have_all(limit: int, msg: str) -> None:
    assert info_result(Found(OK), limit=limit)["msg"] == msg


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("service is pve: set service to pmg", "service is pve: set service to pmg."),
        ("api_host is missing.", "api_host is missing."),
    ],
)
def test_a_refusal_is_a_sentence(message: str, sentence: str) -> None:
    for error in (LoginRefused(message), OptionError(message)):
        assert refusal(error) == sentence
