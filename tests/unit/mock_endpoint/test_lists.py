# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which list has which task when, in which words, and who is shown it."""

from __future__ import annotations

import typing as t
import urllib.parse

import pytest
from ansible_collections.proxkit.tasks.tests import mock_endpoint
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking import (
    HEADERS,
    Json,
    ask,
    data,
    log,
    log_in,
    one,
    send,
    status,
)

NOW = 1_800_000_000
VIEWER = (mock_endpoint.VIEWER_TOKEN_ID, mock_endpoint.VIEWER_TOKEN_SECRET)


def rows(mock: Mock, query: str = "", node: str = "pve1") -> list[Json]:
    return t.cast("list[Json]", data(mock, f"nodes/{node}/tasks?limit=5000&{query}"))


def upids(mock: Mock, query: str = "") -> list[str]:
    return [row["upid"] for row in rows(mock, query)]


def by_ticket(mock: Mock, user: str, password: str) -> dict[str, str]:
    ticket = log_in(mock, user, password).body["data"]["ticket"]
    return {"Cookie": f"PVEAuthCookie={urllib.parse.quote(ticket)}"}


def shown(mock: Mock, path: str, headers: dict[str, str]) -> list[str]:
    return [row["upid"] for row in send(mock, f"/api2/json/{path}", headers=headers).body["data"]]


# --- active and archive -----------------------------------------------------------------------------------------


def test_a_task_is_in_one_list_at_a_time(mock: Mock) -> None:
    upid = one(mock, duration=5)
    assert (upids(mock, "source=active"), upids(mock, "source=archive"), upids(mock)) == ([upid], [], [])
    mock.clock(advance=5)
    assert (upids(mock, "source=active"), upids(mock, "source=archive"), upids(mock)) == ([], [upid], [upid])
    assert upids(mock, "source=all") == [upid]


def test_running_ones_come_in_the_order_they_began_and_ended_ones_from_the_latest_end(mock: Mock) -> None:
    first, second = one(mock, duration=None, start=-20), one(mock, duration=None, start=-10)
    early, late = one(mock, start=-30, duration=9), one(mock, start=-40, duration=25)
    assert upids(mock, "source=active") == [first, second]
    assert upids(mock, "source=all") == [first, second, late, early]
    assert [row["upid"] for row in data(mock, "cluster/tasks")] == [first, second, early, late]


def test_the_token_is_apart_once_a_task_has_ended(mock: Mock) -> None:
    one(mock, duration=5)
    [running] = rows(mock, "source=active")
    assert (running["user"], running["status"], running["saved"]) == ("root@pam!ci", "RUNNING", "0")
    assert {"tokenid", "endtime"}.isdisjoint(running)
    mock.clock(advance=5)
    [ended] = rows(mock)
    assert (ended["user"], ended["tokenid"], ended["status"], ended["endtime"]) == ("root@pam", "ci", "OK", NOW + 5)
    assert "saved" not in ended


def test_what_is_noticed_late_ends_late(mock: Mock) -> None:
    upid = one(mock, duration=1, list_lag=9)
    mock.clock(advance=9.9)
    assert status(mock, upid) == "OK"
    assert [row["status"] for row in rows(mock, "source=active")] == ["RUNNING"]
    assert rows(mock, "source=archive") == []
    assert "endtime" not in data(mock, "cluster/tasks")[0]
    mock.clock(advance=0.1)
    assert (
        [row["endtime"] for row in rows(mock)] == [row["endtime"] for row in data(mock, "cluster/tasks")] == [NOW + 10]
    )


@pytest.mark.parametrize(
    ("exitstatus", "said"), [("", "unexpected status"), (None, "unexpected status"), ("two\nlines", "two lines")]
)
def test_how_an_end_is_told(mock: Mock, exitstatus: t.Optional[str], said: str) -> None:
    upid = one(mock, exitstatus=exitstatus)
    assert (status(mock, upid), [row["status"] for row in rows(mock)]) == (said, [said])
    assert [row["status"] for row in data(mock, "cluster/tasks")] == [said]


def test_a_status_that_begins_with_a_blank_is_lost_to_the_index(mock: Mock) -> None:
    upid, other = one(mock, exitstatus=" odd"), one(mock)
    assert (status(mock, upid), upids(mock, "source=all")) == (" odd", [other])


# --- where the index fails --------------------------------------------------------------------------------------


def test_an_index_that_cannot_be_written_leaves_ended_tasks_in_the_active_list(mock: Mock) -> None:
    running, ended = mock.tasks(count=2, duration=None)["upids"], one(mock, exitstatus="job errors")
    mock.settings(index_unwritable=True)
    assert rows(mock, "source=archive") == []
    listed = {row["upid"]: row for row in rows(mock, "source=active")}
    assert [*listed] == [*running, ended]
    unsaved = listed[ended]
    assert (unsaved["status"], unsaved["endtime"], unsaved["saved"]) == ("job errors", NOW, "0")
    assert unsaved["user"] == "root@pam!ci"
    assert upids(mock, "source=active&statusfilter=error") == [ended]
    assert str(data(mock, "cluster/tasks")[-1]["saved"]) == "0"
    mock.settings(index_unwritable=False)
    assert (upids(mock, "source=active"), upids(mock)) == (running, [ended])


def test_the_active_file_holds_25_or_all_that_run(mock: Mock) -> None:
    mock.settings(index_unwritable=True)
    mock.tasks(count=40)
    running = mock.tasks(count=10, duration=None)["upids"]
    assert (len(rows(mock, "source=active")), upids(mock, "source=active")[:10]) == (25, running)
    mock.tasks(count=30, duration=None)
    assert {row["status"] for row in rows(mock, "source=active")} == {"RUNNING"}


def test_rows_of_the_index_that_are_there_twice(mock: Mock) -> None:
    made = mock.tasks(count=10, duration=[1, 10])["upids"]
    mock.clock(advance=10)
    assert upids(mock) == made[::-1]
    mock.settings(index_duplicates=5)
    twice = [made[9], made[9], *made[8:4:-1], made[4], made[4], *made[3::-1]]
    assert upids(mock) == twice
    assert ask(mock, "nodes/pve1/tasks?limit=2")[2]["total"] == 12
    assert len(data(mock, "cluster/tasks")) == 10


# --- log files that are gone ------------------------------------------------------------------------------------


def test_a_log_file_that_is_gone_leaves_the_lists_alone(mock: Mock) -> None:
    upid = one(mock, exitstatus="WARNINGS: 2", log=["WARN: something"])
    mock.task(upid=upid, rotate=True)
    assert [row["status"] for row in rows(mock)] == ["WARNINGS: 2"]
    assert [row["status"] for row in data(mock, "cluster/tasks")] == ["WARNINGS: 2"]
    for method, path in (("GET", "/status"), ("DELETE", "")):
        code, _reason, body = ask(mock, f"nodes/pve1/tasks/{upid}{path}", method)
        assert (code, body["errors"]) == (400, {"upid": "no such task"})
    assert log(mock, upid) == ["unable to open file - No such file or directory"]
    assert ask(mock, f"nodes/pve1/tasks/{upid}/log?download=1")[0] == 500


# --- who is shown what ------------------------------------------------------------------------------------------


def test_a_user_is_shown_its_tokens_running_tasks_by_the_cluster_only(mock: Mock) -> None:
    token_task, own = one(mock, user="viewer@pve!ro", duration=5), one(mock, user="viewer@pve", duration=5)
    one(mock, user="viewer@pve2", duration=5)
    user = by_ticket(mock, "viewer@pve", mock_endpoint.VIEWER_PASSWORD)
    token = {"Authorization": "PVEAPIToken={}={}".format(*VIEWER)}
    assert shown(mock, "nodes/pve1/tasks?source=active", user) == [own]
    assert shown(mock, "cluster/tasks", user) == [token_task, own]
    assert shown(mock, "nodes/pve1/tasks?source=active", token) == [token_task]
    assert shown(mock, "cluster/tasks", token) == []
    mock.clock(advance=5)
    assert shown(mock, "nodes/pve1/tasks", user) == [own, token_task]
    assert shown(mock, "nodes/pve1/tasks", token) == [token_task]
    assert shown(mock, "cluster/tasks", user) == [token_task, own]
    assert len(shown(mock, "cluster/tasks", HEADERS)) == 3


# --- filters and the cluster's list -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("errors=1", {"bad", "warned", "killed", "running"}),
        ("errors=1&statusfilter=ok", {"bad", "warned", "killed", "running"}),
        ("errors=0&statusfilter=ok", {"good"}),
        ("statusfilter=unknown", {"killed", "running"}),
        ("statusfilter=", set()),
        ("statusfilter=OK,Warning", {"good", "warned"}),
    ],
)
def test_outcomes_asked_for(mock: Mock, query: str, wanted: set[str]) -> None:
    for kind, exitstatus in {"good": "OK", "bad": "told to", "warned": "WARNINGS: 1", "killed": None}.items():
        one(mock, type=kind, exitstatus=exitstatus)
    one(mock, type="running", duration=None)
    assert {row["type"] for row in rows(mock, f"source=all&{query}")} == wanted


def test_the_mark_of_saved_rows_is_a_number_until_the_file_is_read_again(mock: Mock) -> None:
    one(mock, start=-60)
    one(mock)
    assert [row["saved"] for row in data(mock, "cluster/tasks")] == [1, "1"]
    mock.clock(advance=10)
    assert [row["saved"] for row in data(mock, "cluster/tasks")] == ["1", "1"]


def test_a_nodes_part_of_the_clusters_list_is_cut_at_32_kib(mock: Mock) -> None:
    running = mock.tasks(count=300, duration=None)["upids"]
    other = one(mock, node="pve2")
    listed = [row["upid"] for row in data(mock, "cluster/tasks")]
    assert 100 < len(listed) < 200
    assert listed == [*running[: len(listed) - 1], other]
    assert len(rows(mock, "source=active")) == 300
