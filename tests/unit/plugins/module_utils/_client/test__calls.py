# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of each product: what is asked, and what is made of the answers."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import Request
from ansible_collections.proxkit.tasks.plugins.module_utils._client.calls import Calls
from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import PBS, PMG, PVE, Service
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    Fault,
    NodeUnreachable,
    NoPrivilege,
    NoSuchTask,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import parse

VERIFY = parse(r"UPID:elsa:00004F37:0039E469:00000000:5CA78B83:verificationjob:tank\x3av\x2dd0cc18c5:root@pam:")
UPDATE = parse("UPID:mail:00213D37:01ECA9AD:618F6B8D:aptupdate::root@pam:")


class Script:
    """A way to a server that gives these answers; what is an exception is raised."""

    def __init__(self, *answers: t.Any) -> None:
        self.asked: list[Request] = []
        self._answers = list(answers)

    def ask(self, request: Request, deadline: float) -> dict[str, t.Any]:
        self.asked.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, ApiError):
            raise answer
        return answer if isinstance(answer, dict) and "data" in answer else {"data": answer}

    def close(self) -> None:
        """Nothing is open."""


def of(service: Service, *answers: t.Any) -> tuple[Calls, list[Request]]:
    script = Script(*answers)
    return Calls(script, service), script.asked


def str_of(value: object) -> str:
    return value.name if isinstance(value, Service) else str(value)


STOPPED = {"status": "stopped", "exitstatus": "unknown"}


def test_backup_server_is_asked_by_the_name_of_its_only_node_and_shown_by_its_own() -> None:
    calls, asked = of(PBS, {"status": "running"}, None)
    calls.status(VERIFY, 0)
    calls.stop(VERIFY, 0)
    assert [one.path for one in asked] == [
        ("nodes", "localhost", "tasks", VERIFY.text, "status"),
        ("nodes", "localhost", "tasks", VERIFY.text),
    ]
    assert [one.node for one in asked] == ["elsa", "elsa"]
    # Only root may ask for its nodes' names.
    assert calls.node_names(0) == ["localhost"]


@pytest.mark.parametrize(
    ("log", "known"),
    [({"data": [], "total": 0}, True), (NoSuchTask("os error 2"), False), (Fault("got timeout"), True)],
    ids=str,
)
def test_backup_server_tells_no_lost_task_from_one_it_never_had_but_by_its_log(log: t.Any, known: bool) -> None:
    calls, asked = of(PBS, STOPPED, log)
    if known:
        assert calls.status(VERIFY, 0) == STOPPED
    else:
        with pytest.raises(NoSuchTask):
            calls.status(VERIFY, 0)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("service", "answer"),
    [(PBS, {"status": "running"}), (PBS, {"status": "stopped", "exitstatus": "OK"}), (PVE, STOPPED), (PMG, STOPPED)],
    ids=str_of,
)
def test_all_else_is_told_by_one_request(service: Service, answer: dict[str, t.Any]) -> None:
    calls, asked = of(service, answer)
    assert calls.status(VERIFY if service is PBS else UPDATE, 0)["status"] == answer["status"]
    assert len(asked) == 1


@pytest.mark.parametrize("active", [True, False])
def test_a_log_of_backup_server_tells_whether_its_task_runs(active: bool) -> None:
    calls, asked = of(PBS, {"data": [{"n": 8, "t": "text"}], "total": 8, "active": active})
    assert calls.log(VERIFY, 7, 1, 0) == ([{"n": 8, "t": "text"}], 8, active)
    assert asked[0].params == {"start": 8, "limit": 1, "test-status": 1}


def test_logs_of_the_others_do_not() -> None:
    calls, asked = of(PMG, {"data": [{"n": 8, "t": "text"}]})
    assert calls.log(UPDATE, 7, 1, 0) == ([{"n": 8, "t": "text"}], 8, None)
    assert asked[0].params == {"start": 7, "limit": 1}


def test_a_row_of_backup_server_without_status_and_end_is_of_a_running_task() -> None:
    rows = [{"upid": "a"}, {"upid": "b", "endtime": 1}, {"upid": "c", "endtime": 1, "status": "OK"}]
    calls, asked = of(PBS, rows, {"data": rows, "total": 3})
    active = calls.active("elsa", 0) or {}
    assert [row["status"] for row in active.values()] == ["RUNNING", None, "OK"]
    assert [row["status"] for row in calls.listed("localhost", 0, source="all")[0]] == ["RUNNING", None, "OK"]
    assert {one.path for one in asked} == {("nodes", "localhost", "tasks")}


def test_no_more_rows_are_kept_than_were_asked_for() -> None:
    calls, asked = of(PVE, {"data": [{"upid": n} for n in range(9)], "total": 9})
    rows, total = calls.listed("pve1", 0, start=2, limit=3)
    assert ([row["upid"] for row in rows], total) == ([0, 1, 2], 9)
    assert asked[0].params == {"start": 2, "limit": 3}


def test_mail_gateway_has_no_list_of_what_runs_and_none_of_all_nodes() -> None:
    calls, asked = of(PMG)
    assert calls.active("mail", 0) is None
    assert calls.listed("mail", 0, source="active") == ([], 0)
    assert calls.cluster_tasks(0) == []
    assert of(PBS)[0].cluster_tasks(0) == []
    assert asked == []


@pytest.mark.parametrize(
    ("service", "answer", "missing"),
    [
        (PVE, NoPrivilege("403"), "Sys.Audit on /nodes/n1"),
        (PVE, [{"n": 1, "t": "unable to open file - No such file or directory"}], None),
        (PBS, NoPrivilege("task access not allowed"), "Sys.Audit on /system/tasks"),
        (PBS, NoSuchTask("os error 2"), None),
    ],
    ids=str_of,
)
def test_who_sees_the_tasks_of_others(service: Service, answer: t.Any, missing: str | None) -> None:
    calls, asked = of(service, answer)
    assert calls.missing_right("n1", 0) == missing
    assert parse(asked[0].path[3]).product == service.product


def test_mail_gateway_shows_all_tasks_or_none() -> None:
    calls, asked = of(PMG)
    assert calls.missing_right("mail", 0) is None
    assert asked == []


def test_a_fault_is_no_answer_to_that() -> None:
    with pytest.raises(NodeUnreachable):
        of(PVE, NodeUnreachable("595"))[0].missing_right("n1", 0)
