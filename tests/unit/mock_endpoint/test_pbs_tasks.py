# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mocked Backup Server tells of tasks, and how they start; the file of its sources that says so is named."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock
from ansible_collections.proxkit.tasks.tests.mock_endpoint.pbs import world
from ansible_collections.proxkit.tasks.tests.mock_endpoint.pbs.task import Upid, escape, unescape
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking import Json, one, send
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking_pbs import (
    AUDITOR,
    NOW,
    ROOT,
    STAMP,
    VIEWER,
    Who,
    ask,
    by_ticket,
    data,
    listed,
    log,
    path_of,
    said,
    status,
)

GONE = "UPID:pbs:000002B1:00005D2A:0000AFFE:6B49D200:garbage_collection:backup:root@pam!ci:"
ABORT = "abort requested - aborting task"


def rows(pbs: Mock, query: str = "") -> list[dict[str, Json]]:
    return t.cast("list[dict[str, Json]]", data(pbs, f"nodes/localhost/tasks?{query}"))


# --- ids: proxmox-schema, upid.rs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plain", "escaped"),
    [
        ("backup:vm/100", r"backup\x3avm-100"),
        ("daily:v-d0cc18c5-8707", r"daily\x3av\x2dd0cc18c5\x2d8707"),
        (".hidden.x", r"\x2ehidden.x"),
        ("größe", r"gr\xc3\xb6\xc3\x9fe"),
        ("a_b", "a_b"),
        ("", ""),
    ],
)
def test_escaping(plain: str, escaped: str) -> None:
    assert (escape(plain), unescape(escaped)) == (escaped, plain)
    assert unescape(escaped.replace("\\xc3", "\\xC3")) == plain


@pytest.mark.parametrize(
    ("escaped", "wrong"),
    [
        (r"a\q41", "error in escape sequence"),
        (r"a\x4", "error in escape sequence"),
        (r"a\xgg", "got invalid hex digit"),
        (r"ab\xff", "invalid utf-8 sequence of 1 bytes from index 2"),
    ],
)
def test_ids_that_cannot_be_unescaped(pbs: Mock, escaped: str, wrong: str) -> None:
    upid = GONE.replace(":backup:", f":{escaped}:")
    assert said(ask(pbs, path_of(upid, "/status"))) == (400, wrong)


def test_ids_are_sent_and_taken_as_the_server_writes_them(pbs: Mock) -> None:
    upid = one(pbs, type="verificationjob", id="backup:v-1")
    assert upid == r"UPID:pbs:000002B1:00005D2A:00004000:6B49D200:verificationjob:backup\x3av\x2d1:root@pam!ci:"
    assert status(pbs, upid)["id"] == "backup:v-1"
    # It parses an id and writes it anew to find the log.
    lower = upid.replace("2B1", "2b1").replace(r"\x3a", r"\x3A")
    assert (status(pbs, lower)["upid"], status(pbs, lower)["exitstatus"]) == (lower, "OK")


# --- status: src/api2/node/tasks.rs, get_task_status ------------------------------------------------------------


def test_status(pbs: Mock) -> None:
    upid = one(pbs, duration=5, exitstatus="WARNINGS: 2")
    parsed = t.cast(Upid, Upid.parse(upid))
    running = {
        "upid": upid,
        "node": "pbs",
        "pid": parsed.pid,
        "pstart": parsed.pstart,
        "starttime": NOW,
        "type": "garbage_collection",
        "id": None,
        "user": "root@pam",
        "tokenid": "ci",
        "status": "running",
    }
    assert status(pbs, upid) == running
    pbs.clock(advance=5)
    assert status(pbs, upid) == {**running, "status": "stopped", "exitstatus": "WARNINGS: 2"}
    assert "tokenid" not in status(pbs, one(pbs, user="root@pam"))


@pytest.mark.parametrize(
    ("exitstatus", "told", "in_the_list"),
    [
        ("OK", "OK", "OK"),
        ("WARNINGS: 1", "WARNINGS: 1", "WARNINGS: 1"),
        (None, "unknown", "unknown"),
        ("sync failed with some errors.", "sync failed with some errors.", "sync failed with some errors."),
        ("two\nlines", "two", "two"),
        ("ERROR: ERROR: twice", "ERROR: twice", "twice"),
        ("", "", None),
    ],
)
def test_ends(pbs: Mock, exitstatus: t.Optional[str], told: str, in_the_list: t.Optional[str]) -> None:
    """worker_task.rs: upid_read_status, from_endtime_and_message, parse_worker_status_line."""
    upid = one(pbs, exitstatus=exitstatus)
    assert status(pbs, upid)["exitstatus"] == told
    assert [row["status"] for row in rows(pbs)] == ([] if in_the_list is None else [in_the_list])


def test_what_nobody_knows(pbs: Mock) -> None:
    """unwrap_or(TaskState::Unknown), File::open: only the log is missed."""
    gone = status(pbs, GONE)
    assert (gone["status"], gone["exitstatus"]) == ("stopped", "unknown")
    assert said(ask(pbs, path_of(GONE, "/log"))) == (400, "No such file or directory (os error 2)")
    assert said(ask(pbs, path_of(GONE, "/log?download=1"))) == (400, "No such file or directory (os error 2)")
    assert data(pbs, path_of(GONE), "DELETE") is None
    upid = one(pbs)
    pbs.task(upid=upid, rotate=True)
    assert (status(pbs, upid)["exitstatus"], listed(pbs)) == ("unknown", [upid])
    assert said(ask(pbs, path_of(upid, "/log")))[0] == 400


def test_the_fault_of_a_task_that_is_gone(pbs: Mock) -> None:
    pbs.faults(kind="no_such_task", path="/log")
    upid = one(pbs, exitstatus=None, log=["TASK ERROR: older servers take\nthis for no end"])
    assert said(ask(pbs, path_of(upid, "/log"))) == (400, "No such file or directory (os error 2)")
    assert (status(pbs, upid)["exitstatus"], log(pbs, upid)[-1]) == ("unknown", "this for no end")


def test_any_node_is_this_one(pbs: Mock) -> None:
    """api_types.rs: NODE_SCHEMA asks for a host name."""
    upid = one(pbs, exitstatus="failed")
    for node in ("localhost", "pbs", "no-such-node"):
        assert data(pbs, f"nodes/{node}/tasks/{upid}/status")["exitstatus"] == "failed"
    assert data(pbs, "nodes") == [{"node": "pbs"}]
    assert data(pbs, f"nodes/x/tasks/{upid}") == [{"subdir": "log"}, {"subdir": "status"}]


# --- log: src/api2/node/tasks.rs, read_task_log; proxmox-log, file_logger.rs ------------------------------------


def test_log_lines_carry_their_times(pbs: Mock) -> None:
    upid = one(pbs, duration=90, log=["one", [60, "two\nmore of it"]], exitstatus="bad\nthings")
    assert log(pbs, upid) == [f"{STAMP}: one"]
    pbs.clock(advance=90)
    assert log(pbs, upid) == [
        f"{STAMP}: one",
        "2027-01-15T08:01:00+00:00: two",
        "more of it",
        "2027-01-15T08:01:30+00:00: TASK ERROR: bad",
        "things",
    ]
    assert log(pbs, one(pbs))[-1] == "2027-01-15T08:01:30+00:00: TASK OK"
    assert log(pbs, one(pbs, exitstatus=None)) == []


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", 1, 50),
        ("?limit=0", 1, 61),
        ("?start=0&limit=2", 1, 2),
        ("?start=1&limit=2", 1, 2),
        ("?start=60", 60, 61),
        ("?start=62", 62, 61),
    ],
)
def test_pages_of_a_log(pbs: Mock, query: str, first: int, last: int) -> None:
    upid = one(pbs, log={"lines": 60})
    got = ask(pbs, path_of(upid, f"/log{query}"))
    assert [row["n"] for row in got.body["data"]] == [*range(first, last + 1)]
    assert sorted(got.body) == ["data", "success", "total"]
    assert (got.body["total"], got.body["success"], got.header("content-type")) == (61, 1, ["application/json"])


def test_log_and_liveness_in_one_request(pbs: Mock) -> None:
    upid = one(pbs, duration=5)
    assert ask(pbs, path_of(upid, "/log?test-status=1")).body == {"data": [], "total": 0, "success": 1, "active": True}
    pbs.clock(advance=5)
    assert ask(pbs, path_of(upid, "/log?test-status=yes")).body["active"] is False
    assert "active" not in ask(pbs, path_of(upid, "/log?test-status=0")).body


def test_download(pbs: Mock) -> None:
    upid = one(pbs, log=["größe"])
    got = ask(pbs, path_of(upid, "/log?download=true"))
    assert got.body == f"{STAMP}: größe\n{STAMP}: TASK OK\n"
    assert got.header("content-type") == ["text/plain"]
    assert got.header("content-disposition") == [
        "attachment; filename=task-pbs-garbage_collection-2027-01-15T08:00:00Z.log"
    ]
    text = "Parameter 'download' cannot be used with other parameters"
    assert said(ask(pbs, path_of(upid, "/log?download=1&limit=0"))) == (400, text)


# --- stopping: abort_worker_nowait; worker_task.rs, request_abort ------------------------------------------------


@pytest.mark.parametrize(
    ("source", "kind", "told"),
    [
        ("proxmox-worker-task", "garbage_collection", ABORT),
        ("pull.rs", "syncjob", "sync aborted"),
        ("verify_job.rs", "verificationjob", "verification failed - job aborted"),
    ],
)
def test_a_task_is_only_asked_to_stop(pbs: Mock, source: str, kind: str, told: str) -> None:
    upid = one(pbs, type=kind, duration=None, log=["working"])
    pbs.settings(kill_seconds=2)
    assert data(pbs, path_of(upid), "DELETE") is None
    assert data(pbs, path_of(upid), "DELETE") is None
    assert (status(pbs, upid)["status"], log(pbs, upid)[1:]) == ("running", [f"{STAMP}: received abort request ..."])
    pbs.clock(advance=2)
    assert status(pbs, upid)["exitstatus"] == told, source
    assert log(pbs, upid)[-1] == f"2027-01-15T08:00:02+00:00: TASK ERROR: {told}"


@pytest.mark.parametrize(
    "task",
    [
        {"duration": 9, "ignores_term": True},
        {"duration": 9, "type": "prunejob"},
        {"duration": 1.5},
    ],
    ids=["never looks", "prune_job.rs has no check", "ends before it looks"],
)
def test_tasks_that_do_not_stop(pbs: Mock, task: dict[str, Json]) -> None:
    upid = one(pbs, **task)
    pbs.settings(kill_seconds=2)
    data(pbs, path_of(upid), "DELETE")
    pbs.clock(advance=9)
    assert status(pbs, upid)["exitstatus"] == "OK"


# --- whose tasks: check_task_access, stop_task ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "owner", "sees"),
    [
        (VIEWER, VIEWER[0], True),
        (VIEWER, "viewer@pbs", False),
        (VIEWER, "root@pam", False),
        (AUDITOR, "root@pam", True),
        (ROOT, "viewer@pbs", True),
    ],
)
def test_who_sees_a_task(pbs: Mock, who: Who, owner: str, sees: bool) -> None:
    upid = one(pbs, user=owner)
    assert listed(pbs, who=who) == ([upid] if sees else [])
    for more in ("/status", "/log"):
        got = ask(pbs, path_of(upid, more), who=who)
        assert got.status == 200 if sees else said(got) == (400, "task access not allowed")


def test_a_user_sees_its_tokens_tasks_but_does_not_stop_them(pbs: Mock) -> None:
    upid = one(pbs, user=VIEWER[0], duration=None)
    headers = by_ticket(pbs, "viewer@pbs", world.VIEWER_PASSWORD)
    assert send(pbs, f"/api2/json/{path_of(upid, '/status')}", headers=headers).status == 200
    refused = (400, "missing permissions 'Sys.Modify' on '/system/tasks'")
    assert said(send(pbs, f"/api2/json/{path_of(upid)}", "DELETE", headers)) == refused
    assert said(ask(pbs, path_of(upid), "DELETE", AUDITOR)) == refused
    for who in (VIEWER, ROOT):
        assert ask(pbs, path_of(upid), "DELETE", who).status == 200


# --- the list: src/api2/node/tasks.rs, list_tasks; worker_task.rs, TaskListInfoIterator -------------------------


def test_rows(pbs: Mock) -> None:
    upid = one(pbs, id="backup", duration=5)
    parsed = t.cast(Upid, Upid.parse(upid))
    running = {
        "upid": upid,
        "node": "localhost",
        "pid": parsed.pid,
        "pstart": parsed.pstart,
        "starttime": NOW,
        "worker_type": "garbage_collection",
        "worker_id": "backup",
        "user": "root@pam!ci",
    }
    assert rows(pbs) == rows(pbs, "running=1") == [running]
    pbs.clock(advance=5)
    assert rows(pbs, "running=1") == []
    assert rows(pbs) == [{**running, "endtime": NOW + 5, "status": "OK"}]
    one(pbs, id="")
    assert rows(pbs)[0]["worker_id"] is None


def test_order(pbs: Mock) -> None:
    """Running ones from the latest start, then those that ended from the latest end."""
    early, late = one(pbs, start=-30, duration=9), one(pbs, start=-40, duration=25)
    first, second = one(pbs, start=-20, duration=None), one(pbs, start=-10, duration=None)
    assert listed(pbs) == [second, first, late, early]


def test_a_killed_task_ended_with_its_last_line(pbs: Mock) -> None:
    one(pbs, start=-100, duration=90, exitstatus=None, log=["a", [30, "b"]])
    one(pbs, start=-100, duration=80, exitstatus=None)
    assert [row["endtime"] for row in rows(pbs)] == [NOW - 70, NOW - 100]


@pytest.mark.parametrize(
    ("query", "count", "total"),
    [
        ("", 50, 51),
        ("limit=0", 60, 60),
        ("limit=7", 7, 8),
        ("limit=7&start=55", 5, 60),
        ("limit=5&start=55", 5, 61),
        ("start=70", 0, 70),
        ("typefilter=nothing", 0, 0),
    ],
)
def test_pages(pbs: Mock, query: str, count: int, total: int) -> None:
    """The total is a guess: one more than was told where a page is full."""
    pbs.tasks(count=60)
    got = ask(pbs, f"nodes/localhost/tasks?{query}")
    assert (len(got.body["data"]), got.body["total"]) == (count, total)


FILTERED: dict[str, dict[str, Json]] = {
    "gc": {"type": "garbage_collection", "id": "backup", "duration": None},
    "verify": {"type": "verificationjob", "id": "backup:v-1", "exitstatus": "verification failed", "user": "a@pbs"},
    "sync": {"type": "syncjob", "id": "offsite:main:archive::s-1", "exitstatus": "WARNINGS: 3", "user": "a@pbs!t"},
    "prune": {"type": "prunejob", "id": "archive:ns", "exitstatus": None},
    "update": {"type": "aptupdate", "id": "", "exitstatus": "OK"},
}


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", "gc update prune sync verify"),
        ("running=1", "gc"),
        ("running=no", "gc update prune sync verify"),
        ("typefilter=job", "prune sync verify"),
        ("typefilter=JOB", ""),
        ("userfilter=a@pbs", "sync verify"),
        ("userfilter=a@pbs!t", "sync"),
        ("userfilter=A@pbs", ""),
        ("errors=1", "gc prune sync verify"),
        ("statusfilter=ok", "update"),
        ("statusfilter=ok&statusfilter=error", "update verify"),
        ("statusfilter=unknown&statusfilter=warning", "prune sync"),
        ("statusfilter=ok&errors=1", ""),
        ("statusfilter=ok&running=1", ""),
        ("store=backup", "gc verify"),
        ("store=archive", "prune sync"),
    ],
)
def test_filters(pbs: Mock, query: str, wanted: str) -> None:
    names = {}
    for second, (name, task) in enumerate(FILTERED.items()):
        names[one(pbs, start=second - 10, **{"duration": 1, **task})] = name
    assert [names[upid] for upid in listed(pbs, query)] == wanted.split()


def test_since_and_until(pbs: Mock) -> None:
    """A task that ended before ``since`` ends the search, and a start before it is passed over."""
    long, short = one(pbs, start=-100, duration=90), one(pbs, start=-50, duration=5)
    assert listed(pbs, f"since={NOW - 60}") == [short]
    assert listed(pbs, f"since={NOW - 100}") == [long, short]
    assert listed(pbs, f"until={NOW - 51}") == [long]
    # One that was killed seems to have ended earlier than those that it stands before.
    one(pbs, start=-200, duration=199, exitstatus=None)
    assert listed(pbs, f"since={NOW - 60}") == []


# --- starters: src/api2/admin -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind", "subject", "lines"),
    [
        (
            "admin/datastore/backup/gc",
            "garbage_collection",
            "backup",
            [
                "starting garbage collection on store backup",
                "Start GC phase1 (mark used chunks)",
                "marked 5% (1 of 20 index files)",
                "marked 100% (20 of 20 index files)",
                "Start GC phase2 (sweep unused chunks)",
                "processed 5% (320 chunks)",
                "Removed garbage: 1.205 GiB",
                "On-Disk usage: 10 GiB (12.50%)",
            ],
        ),
        (
            "admin/verify/nightly-verify/run",
            "verificationjob",
            "backup:nightly-verify",
            [
                "Starting datastore verify job 'backup:nightly-verify'",
                "found 2 groups",
                "verify group backup:ct/200 (2 snapshots)",
                "verify backup:ct/200/2027-01-13T08:00:00Z",
                "percentage done: 25.00% (0/2 groups, 1/2 snapshots in group #1)",
                "percentage done: 50.00% (1/2 groups)",
                "percentage done: 100.00% (2/2 groups)",
            ],
        ),
        ("admin/datastore/backup/verify", "verify", "backup", ["verify datastore backup"]),
        (
            "admin/sync/offsite-sync/run",
            "syncjob",
            "offsite:main:archive::offsite-sync",
            [
                "sync datastore 'archive' from 'offsite/main'",
                "Syncing datastore 'main', root namespace into datastore 'archive', root namespace",
                "Finished syncing namespace , current progress: 2 groups, 4 snapshots",
                "Syncing datastore 'main', namespace 'nightly' into datastore 'archive', namespace 'nightly'",
                "Summary: sync job pulled 1 GiB in 256 chunks (average rate: 256 MiB/s)",
            ],
        ),
        (
            "admin/prune/daily-prune/run",
            "prunejob",
            "backup",
            [
                "Starting datastore prune on datastore 'backup', root namespace, down to full depth",
                'Pruning group :"vm/100"',
                "remove vm/100/2027-01-13T08:00:00Z",
                "keep vm/100/2027-01-14T08:00:00Z",
            ],
        ),
    ],
)
def test_starters(pbs: Mock, path: str, kind: str, subject: str, lines: list[str]) -> None:
    upid = data(pbs, path, "POST")
    assert status(pbs, upid)["status"] == "running"
    pbs.clock(advance=60)
    told = status(pbs, upid)
    assert (told["type"], told["id"], told["exitstatus"]) == (kind, subject, "OK")
    texts = [line.partition(": ")[2] for line in log(pbs, upid)]
    assert [text for text in texts if text in lines] == lines
    assert texts[-1] == "TASK OK"


def test_one_garbage_collection_at_a_time(pbs: Mock) -> None:
    data(pbs, "admin/datastore/backup/gc", "POST")
    assert said(ask(pbs, "admin/datastore/backup/gc", "POST")) == (400, "garbage collection already running")
    assert data(pbs, "admin/datastore/archive/gc", "POST")
    pbs.clock(advance=60)
    assert data(pbs, "admin/datastore/backup/gc", "POST")


def test_scripts_say_how_the_next_task_goes(pbs: Mock) -> None:
    pbs.scripts(type="verificationjob", duration=3, exitstatus="verification failed - please check the log for details")
    upid = data(pbs, "admin/verify/nightly-verify/run", "POST")
    pbs.clock(advance=3)
    assert status(pbs, upid)["exitstatus"].startswith("verification failed")


def test_a_server_that_hangs(pbs: Mock) -> None:
    state = pbs.world
    pbs.node(name="localhost", hangs=True)
    assert (state.hangs("any"), state.hangs("")) == (True, False)
    assert data(pbs, "version")["version"]
