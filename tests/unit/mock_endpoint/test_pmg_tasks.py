# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mocked Mail Gateway tells about tasks, and how they start; the file of its sources that says so is named."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock, Upid
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking import one
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking_pmg import (
    ADMIN,
    NOW,
    ROOT,
    UNKNOWN,
    ask,
    log,
    rows,
    said,
    status,
)

# --- the list: PMG/API2/Tasks.pm, node_tasks --------------------------------------------------------------------


def test_only_what_has_ended_is_listed(pmg: Mock) -> None:
    upid = one(pmg, type="avupdate", duration=5)
    got = ask(pmg, "nodes/pmg1/tasks")
    assert got.body == {"data": []}, "no total where it is 0"
    pmg.clock(advance=5)
    parsed = t.cast(Upid, Upid.parse(upid))
    [row] = rows(pmg)
    assert row == {
        "upid": upid,
        "node": "pmg1",
        "pid": parsed.pid,
        "pstart": parsed.pstart,
        "starttime": NOW,
        "type": "avupdate",
        "id": "",
        "user": "root@pam",
        "endtime": NOW + 5,
        "status": "OK",
    }


def test_a_task_whose_worker_is_gone_is_listed_late(pmg: Mock) -> None:
    """PVE/RESTEnvironment.pm, active_workers."""
    upid = one(pmg, duration=5, list_lag=600)
    pmg.clock(advance=5)
    assert (status(pmg, upid)["exitstatus"], rows(pmg)) == ("OK", [])
    pmg.clock(advance=600)
    assert [row["endtime"] for row in rows(pmg)] == [NOW + 605]


@pytest.mark.parametrize(
    ("query", "count", "first"),
    [
        ("", 50, 0),
        ("limit=0", 50, 0),
        ("limit=7", 7, 0),
        ("limit=70&start=55", 5, 55),
        ("start=60", 0, 0),
        ("limit", 50, 0),
    ],
)
def test_pages(pmg: Mock, query: str, count: int, first: int) -> None:
    made = pmg.tasks(count=60, duration=[1, 60])["upids"]
    pmg.clock(advance=60)
    got = ask(pmg, f"nodes/pmg1/tasks?{query}").body
    assert got["total"] == 60
    assert [row["upid"] for row in got["data"]] == made[::-1][first : first + count]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("typefilter=avupdate", {"warned"}),
        ("typefilter=update", set()),
        ("typefilter=", {"good", "bad", "warned", "killed"}),
        ("userfilter=ADMIN", {"bad", "killed"}),
        ("userfilter=@p", {"good", "bad", "warned", "killed"}),
        ("statusfilter=ok", {"good"}),
        ("statusfilter=OK,Warning", {"good", "warned"}),
        ("statusfilter=unknown;error", None),
        ("statusfilter=unknown%20error", {"killed", "bad"}),
        ("statusfilter=", set()),
        ("errors=1", {"bad", "warned", "killed"}),
        ("errors=1&statusfilter=ok", {"bad", "warned", "killed"}),
        ("errors=0&statusfilter=error", {"bad"}),
        (f"since={NOW - 20}", {"warned", "killed"}),
        (f"until={NOW - 20}", {"good", "bad", "warned"}),
        (f"since={NOW - 30}&until={NOW - 20}", {"bad", "warned"}),
    ],
)
def test_filters(pmg: Mock, query: str, wanted: t.Optional[set[str]]) -> None:
    made = {
        one(pmg, type="aptupdate", start=-40): "good",
        one(pmg, type="backup", start=-30, user=ADMIN[0], exitstatus="backup failed: no space"): "bad",
        one(pmg, type="avupdate", start=-20, exitstatus="WARNINGS: 1"): "warned",
        one(pmg, type="srvrestart", id="postfix", start=-10, user=ADMIN[0], exitstatus=None): "killed",
    }
    got = ask(pmg, f"nodes/pmg1/tasks?{query}")
    if wanted is None:
        assert got.body["errors"] == {"error": UNKNOWN}, "a semicolon separates parameters"
    else:
        assert {made[row["upid"]] for row in got.body["data"]} == wanted
        assert got.body.get("total", 0) == len(wanted)


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("source=archive", {"source": UNKNOWN}),
        ("vmid=100", {"vmid": UNKNOWN}),
        ("limit=-1", {"limit": "value must have a minimum value of 0"}),
        ("statusfilter=good", {"statusfilter": "invalid format - invalid status 'good'\n"}),
        ("since=1d", {"since": "type check ('integer') failed - got '1d'"}),
    ],
)
def test_what_the_list_refuses(pmg: Mock, query: str, errors: dict[str, str]) -> None:
    got = ask(pmg, f"nodes/pmg1/tasks?{query}")
    assert (*said(got), got.body["errors"]) == (400, "Parameter verification failed.", errors)


# --- one task: PMG/API2/Tasks.pm --------------------------------------------------------------------------------


def test_status(pmg: Mock) -> None:
    upid = one(pmg, type="srvrestart", id="postfix", user=ADMIN[0], duration=5, exitstatus="command failed")
    running = status(pmg, upid)
    assert running.keys() == {"upid", "node", "pid", "pstart", "starttime", "type", "id", "user", "status"}
    assert (running["status"], running["id"], running["user"]) == ("running", "postfix", ADMIN[0])
    pmg.clock(advance=5)
    assert status(pmg, upid) == {**running, "status": "stopped", "exitstatus": "command failed"}


@pytest.mark.parametrize("path", ["/status", ""])
@pytest.mark.parametrize(
    ("upid", "reason"),
    [
        ("UPID:pmg1:0000A1B2:1A12D837:657A2258:backup::root@pam:", "no such task"),
        ("UPID:pmg1:0000A1B2:1A12D837:657A2258:backup::root@pam:x", "unable to parse worker upid"),
    ],
)
def test_no_such_task(pmg: Mock, path: str, upid: str, reason: str) -> None:
    got = ask(pmg, f"nodes/pmg1/tasks/{upid}{path}", "GET" if path else "DELETE")
    assert (*said(got), got.body["errors"]) == (400, "Parameter verification failed.", {"upid": reason})


def test_a_task_is_known_to_its_node_only(pmg: Mock) -> None:
    upid = one(pmg, node="pmg2")
    assert ask(pmg, f"nodes/pmg1/tasks/{upid}/status").body["errors"] == {"upid": "no such task"}
    assert ask(pmg, f"nodes/pmg1/tasks/{upid}/log").body["data"][0]["t"].startswith("unable to open file")


def test_logs(pmg: Mock) -> None:
    upid = one(pmg, duration=5, log=[[1, f"line {number}"] for number in range(60)])
    path = f"nodes/pmg1/tasks/{upid}/log"
    assert ask(pmg, path).body == {"data": [{"n": 1, "t": "no content"}], "total": 1}
    pmg.clock(advance=5)
    got = ask(pmg, path).body
    assert (len(got["data"]), got["total"], got["data"][0]) == (50, 61, {"n": 1, "t": "line 0"})
    assert len(ask(pmg, f"{path}?limit=0").body["data"]) == 61
    assert ask(pmg, f"{path}?start=60").body["data"] == [{"n": 61, "t": "TASK OK"}]
    assert ask(pmg, f"{path}?download=1").body.endswith("line 59\nTASK OK\n")
    refused = ask(pmg, f"{path}?download=1&start=0")
    assert said(refused) == (500, "Parameter 'download' can't be used with other parameters")


def test_stopping(pmg: Mock) -> None:
    upid = one(pmg, duration=None)
    pmg.settings(stop_seconds=0)
    assert ask(pmg, f"nodes/pmg1/tasks/{upid}", "DELETE").body == {"data": None}
    assert status(pmg, upid)["exitstatus"] == "received interrupt"
    assert ask(pmg, f"nodes/pmg1/tasks/{upid}", "DELETE").status == 200, "one that has ended is left alone"


# --- requests that start tasks ----------------------------------------------------------------------------------

DATE = "2027_01_15_6B49D200"


@pytest.mark.parametrize(
    ("path", "params", "kind", "subject", "lines"),
    [
        (
            "nodes/pmg2/apt/update",
            {"quiet": "0"},
            "aptupdate",
            "",
            ("starting apt-get update", "Reading package lists..."),
        ),
        (
            "nodes/pmg1/backup",
            {"statistic": "0", "notify": "error"},
            "backup",
            "",
            (f"starting backup to: /var/lib/pmg/backup/pmg-backup_{DATE}.tgz", "backup finished"),
        ),
        (
            f"nodes/pmg1/backup/pmg-backup_{DATE}.tgz",
            {"config": "1"},
            "restore",
            "",
            (f"starting restore: /var/lib/pmg/backup/pmg-backup_{DATE}.tgz", "restore finished"),
        ),
        (
            "nodes/pmg1/clamav/database",
            {},
            "avupdate",
            "",
            (
                "ClamAV update process started at Fri Jan 15 08:00:00 2027",
                "Clamd successfully notified about the update.",
            ),
        ),
        (
            "nodes/pmg1/spamassassin/rules",
            {},
            "saupdate",
            "",
            (
                "Update available for channel updates.spamassassin.org: 1929301 -> 1929417",
                "Update finished, no fresh updates were available",
            ),
        ),
        (
            "nodes/pmg2/pbs/pbs1/snapshot",
            {},
            "pbs_backup",
            "",
            ("starting update of current backup state", "prune finished"),
        ),
        (
            "nodes/pmg2/pbs/pbs1/snapshot/pmg2/2027-01-01T00:00:00Z",
            {"database": "1"},
            "pbs_restore",
            "",
            ("starting restore of host/pmg2/2027-01-01T00:00:00Z from pbs1", "restore finished"),
        ),
        ("nodes/pmg1/services/postfix/restart", {}, "srvrestart", "postfix", ("TASK OK",)),
        ("nodes/pmg1/services/pmg-smtp-filter/reload", {}, "srvreload", "pmg-smtp-filter", ("TASK OK",)),
        (
            "config/cluster/create",
            {},
            "clustercreate",
            "",
            ("stop all services accessing the database", "cluster master successfully created"),
        ),
        (
            "config/cluster/join",
            {"master_ip": "192.0.2.1", "fingerprint": "00", "password": "secret"},
            "clusterjoin",
            "",
            ("stop all services accessing the database", "syncing quarantine data finished"),
        ),
    ],
)
def test_starters(
    pmg: Mock, path: str, params: dict[str, str], kind: str, subject: str, lines: tuple[str, ...]
) -> None:
    """PMG/API2/APT.pm, Backup.pm, ClamAV.pm, SpamAssassin.pm, PBS/Job.pm, Services.pm, Cluster.pm: fork_worker."""
    answer = ask(pmg, path, "POST", ROOT, **params).body["data"]
    upid = t.cast(Upid, Upid.parse(answer))
    node = path.split("/")[1] if path.startswith("nodes") else "pmg1"
    assert (upid.node, upid.type, upid.id, upid.user) == (node, kind, subject, "root@pam")
    assert status(pmg, answer)["status"] == "running"
    pmg.clock(advance=60)
    written = log(pmg, answer)
    assert status(pmg, answer)["exitstatus"] == "OK"
    assert (written[0], written[-1]) == (lines[0], "TASK OK")
    assert lines[-1] in written[-2:]


@pytest.mark.parametrize(
    ("path", "params", "code", "message"),
    [
        ("backup", {"notify": "maybe"}, 400, "value 'maybe' does not have a value in the enumeration"),
        ("backup/nonsense.tgz", {}, 400, "value does not match the regex pattern"),
        (f"backup/pmg-backup_{DATE}.tgz", {"database": "0"}, 500, "nothing selected - please select"),
        ("clamav/database", {"force": "1"}, 400, UNKNOWN),
        ("services/apache2/start", {}, 400, "value 'apache2' does not have a value in the enumeration"),
        ("pbs/other/snapshot", {}, 500, "PBS remote 'other' does not exist"),
        ("vzdump", {}, 501, "Method 'POST /nodes/pmg1/vzdump' not implemented"),
    ],
)
def test_what_starters_refuse(pmg: Mock, path: str, params: dict[str, str], code: int, message: str) -> None:
    got = ask(pmg, f"nodes/pmg1/{path}", "POST", ROOT, **params)
    [words] = got.body.get("errors", {"": got.reason}).values()
    assert got.status == code
    assert words.startswith(message)


def test_tests_say_how_tasks_go(pmg: Mock) -> None:
    pmg.scripts(type="backup", duration=2, exitstatus="backup failed: no space left on device")
    upid = ask(pmg, "nodes/pmg1/backup", "POST", who=ADMIN).body["data"]
    pmg.clock(advance=2)
    assert status(pmg, upid)["exitstatus"] == "backup failed: no space left on device"
    assert log(pmg, upid)[-1] == "TASK ERROR: backup failed: no space left on device"
    pmg.faults(kind="no_such_task", path="/status")
    assert ask(pmg, f"nodes/pmg1/tasks/{upid}/status").status == 400
    pmg.reset()
    assert (rows(pmg), pmg.counters()["failed_logins"]) == ([], 0)
    with pytest.raises(AttributeError):
        pmg.guest(vmid=100)
