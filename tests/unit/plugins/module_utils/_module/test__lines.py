# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""States and texts to lines for a terminal."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import TEXT_LENGTH, Progress, progress
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid, parse
from ansible_collections.proxkit.tasks.plugins.module_utils._module.lines import (
    WIDTH,
    Running,
    Wording,
    amount,
    columns,
    cut,
    duration,
    name_of,
    percentage,
    size,
)
from ansible_collections.proxkit.tasks.tests.unit.fakes import upid
from ansible_collections.proxkit.tasks.tests.unit.upid_strategies import any_minted
from hypothesis import given
from hypothesis import strategies as st

MIB = 1024.0**2
BACKUP = upid(type="vzdump")
WORDS = Wording()
AT_WORK = "INFO:  34% (6.7 GiB of 19.8 GiB) in 21s, read: 324.0 MiB/s, write: 324.0 MiB/s"
SEVERAL = ["INFO: starting new backup job: vzdump 100 101 102", "INFO: Starting Backup of VM 101 (qemu)", AT_WORK]


@pytest.mark.parametrize(
    ("log", "times", "line"),
    [
        pytest.param(
            [AT_WORK],
            {"waited": 70, "rate": 324 * MIB, "left": 135},
            "34 %, 6.7 of 19.8 GiB, 324 MiB/s, 1m10s so far, about 2m15s left",
            id="all is known",
        ),
        pytest.param(
            ["INFO: Starting Backup of VM 100 (qemu)", AT_WORK],
            {"waited": 7300},
            "34 %, 6.7 of 19.8 GiB, 2h01m so far",
            id="the guest that it is about anyway",
        ),
        pytest.param(
            ["INFO: Starting Backup of VM 100 (lxc)", AT_WORK],
            {"waited": 5},
            "34 %, 6.7 of 19.8 GiB, 5s so far",
            id="the container that it is about anyway",
        ),
        pytest.param(
            SEVERAL,
            {"waited": 5, "left": 4},
            "VM 101 (1 of 3) 34 %, 6.7 of 19.8 GiB, 5s so far, about 4s left of it",
            id="one guest of several",
        ),
        pytest.param([], {"waited": 5}, "5s so far", id="nothing"),
        pytest.param([], {"waited": 65, "left": 601}, "1m05s so far, about 10m00s left", id="by past runs"),
        pytest.param(
            ["INFO: Waiting for server to finish backup validation..."],
            {"waited": 65},
            "1m05s so far, log: Waiting for server to finish backup validation...",
            id="no share",
        ),
        pytest.param(
            ["percentage done: 0.57% (1/8 groups)"], {"waited": 65}, "0.5 %, 1m05s so far", id="a small share, no bytes"
        ),
        pytest.param(
            ["progress 7% (read 343605248 bytes, duration 2 sec)"],
            {"waited": 9, "rate": 1.5 * MIB},
            "7 %, 328 MiB, 1.5 MiB/s, 9s so far",
            id="no total",
        ),
        pytest.param(
            ["migration status: active (transferred 1, remaining 2048), total 1024)"],
            {"waited": 9},
            "memory 0 %, 0.0 of 1.0 KiB, 9s so far",
            id="less than nothing",
        ),
        pytest.param(
            [f"{'x' * 30}: transferred 512.0 MiB of 8.0 GiB (6.25%) in 1s"],
            {"waited": 9},
            "xxxxxxxxx...xxxxxxxx 6.2 %, 0.5 of 8.0 GiB, 9s so far",
            id="a drive with a long name",
        ),
    ],
)
def test_a_running_task(log: list[str], times: dict[str, float], line: str) -> None:
    assert WORDS.running(Running(BACKUP, progress(log), **times)) == f"pve1 vzdump 100: {line}"


BACKUP_SERVER = "UPID:pbs1:00000C0A:0000B5E2:00000007:68D9C3E0:{}:root@pam:"
TIME = "2025-09-29T09:52:36+02:00: "


@pytest.mark.parametrize(
    ("work", "log", "line"),
    [
        (
            "garbage_collection:st",
            ["Start GC phase1 (mark used chunks)", "marked 5% (1 of 20 index files)"],
            "garbage_collection st: marking 5 %, 9s so far",
        ),
        (
            r"verificationjob:st\x3av\x2d12ab",
            ["percentage done: 25.00% (1/4 groups)", "verify group st:vm/1 (2 snapshots)"],
            "verificationjob st:v-12ab: 25 %, 9s so far",
        ),
        (
            r"verify_snapshot:st\x3avm\x2f100\x2f68DA2D70",
            ["  check drive-scsi0.img.fidx"],
            "verify_snapshot st:vm/100/68DA2D70: 9s so far, log: check drive-scsi0.img.fidx",
        ),
        (
            "syncjob:remote",
            [
                "Syncing datastore 's', namespace 'n' into datastore 't', namespace 'n'",
                "[vm/100]: snapshot 1/4 within vm/100 is done, 4/20 groups done",
            ],
            "syncjob remote: namespace 'n' 20 %, 9s so far",
        ),
        ("aptupdate:", ["starting apt-get update"], "aptupdate: 9s so far, log: starting apt-get update"),
    ],
)
def test_a_running_task_of_backup_server(work: str, log: list[str], line: str) -> None:
    state = Running(parse(BACKUP_SERVER.format(work)), progress(f"{TIME}{text}" for text in log), waited=9)
    assert WORDS.running(state) == f"pbs1 {line}"


def test_what_does_not_fit_is_what_can_be_worked_out() -> None:
    state = Running(upid(node="n" * 50, type="vzdump"), progress([AT_WORK]), 70, 324 * MIB, 135)
    assert WORDS.running(state) == f"{'n' * 50} vzdump 100: 34 %, 1m10s so far, about 2m15s left"
    state = Running(upid(node="n" * 30, type="vzdump"), progress([AT_WORK]), 70, 324 * MIB, 135)
    assert WORDS.running(state) == (f"{'n' * 30} vzdump 100: 34 %, 6.7 of 19.8 GiB, 1m10s so far, about 2m15s left")


def test_what_just_fits_is_all_shown() -> None:
    def line(node: str) -> str:
        return WORDS.running(Running(upid(node=node, type="vzdump"), progress([AT_WORK]), 70, 324 * MIB, 135))

    rest = line("n")[1:]
    fits = "n" * (WIDTH - len(rest))
    assert line(fits) == f"{fits}{rest}"
    assert "MiB/s" not in line(f"{fits}n")


def test_nothing_is_told_of_what_nobody_knows() -> None:
    assert Running(BACKUP) == Running(BACKUP, None, 0.0, None, None)
    assert amount(Progress(None, "x")) == ""


def test_the_words_of_a_log_are_whole_or_half() -> None:
    told = Progress(None, f"{'a' * 150} end")
    assert WORDS.running(Running(BACKUP, told)).endswith("aaa end")
    told = Progress(None, f"{'a' * (TEXT_LENGTH // 2 - 1)}b".ljust(TEXT_LENGTH, "c"))
    assert WORDS.running(Running(BACKUP, told)).endswith("aaab")


@pytest.mark.parametrize(
    ("left", "text"),
    [
        *((0.2, "1s"), (1, "1s"), (3, "3s"), (19.4, "19s"), (20.6, "20s"), (22, "20s"), (23, "25s")),
        *((597, "9m55s"), (598, "10m00s"), (620, "10m00s"), (640, "11m00s")),
    ],
)
def test_an_estimate_does_not_look_like_more(left: float, text: str) -> None:
    assert WORDS.running(Running(BACKUP, None, 5, None, left)).endswith(f", about {text} left")


@pytest.mark.parametrize(
    ("task", "line"),
    [
        (Task(BACKUP, "stopped", "boom"), "failed: boom"),
        (Task(BACKUP, "stopped", "\x1b[31m50 %\r100 %\n"), "failed: 100 %"),
        (Task(BACKUP, "stopped", ""), "failed without a text"),
        (Task(BACKUP, "stopped", "unexpected status"), "ended, but nobody can say how"),
        (Task(BACKUP, "missing"), "is not known to its node"),
        (Task(BACKUP, "unseen"), "cannot be looked at: nobody answers"),
        (Task(BACKUP, "unseen", error="no\x07 way"), "cannot be looked at: no way"),
    ],
)
def test_an_end(task: Task, line: str) -> None:
    assert WORDS.end(task) == f"pve1 vzdump 100: {line}"


def test_other_lines() -> None:
    assert WORDS.counts(12, 3, 25, 0) == "12 of 40 finished, 3 failed, 25 running"
    assert WORDS.counts(0, 0, 4, 3) == "0 of 7 finished, 4 running, 3 not seen yet"
    assert WORDS.left_out(1) == "1 more such line is left out"
    assert WORDS.left_out(2) == "2 more such lines are left out"
    assert (
        WORDS.fault("pve1", "595 no route\nto host", 12)
        == "pve1: cannot be looked at for 12s now: 595 no route to host"
    )
    assert WORDS.recovery("pve1", 70) == "pve1: can be looked at again, after 1m10s"
    assert WORDS.log(BACKUP, "INFO: \x1b[1mhi\x1b[0m ") == "pve1 vzdump 100: INFO: hi"
    assert WORDS.log(BACKUP, "") == "pve1 vzdump 100:"


@pytest.mark.parametrize("lead", ["site-X", "site-X: "])
def test_where_lines_are_from(lead: str) -> None:
    words = Wording(lead)
    assert words.counts(1, 0, 5, 0) == "site-X: 1 of 6 finished, 5 running"
    assert words.log(BACKUP, "hi") == "site-X: pve1 vzdump 100: hi"


def test_a_place_with_a_long_name() -> None:
    assert Wording("s" * 90).log(BACKUP, "hi") == f"{'s' * 24}...{'s' * 24}: pve1 vzdump 100: hi"


def test_a_wide_line_is_cut_in_its_text() -> None:
    line = WORDS.log(BACKUP, "begin " + "x" * 200 + " end")
    assert line.startswith("pve1 vzdump 100: begin xxx")
    assert line.endswith("xxx end")
    assert len(line) == WIDTH
    line = Wording("s" * 35).log(BACKUP, "x" * 300)
    assert line.startswith(f"{'s' * 35}: pve1 vzdump 100: xxx")
    assert len(line) == WIDTH


@pytest.mark.parametrize(
    ("text", "width", "result"),
    [
        ("abc", 3, "abc"),
        ("abcdefghij", 8, "abc...ij"),
        ("\u5099\u4efd\u5099\u4efd\u5099\u4efd", 12, "\u5099\u4efd\u5099\u4efd\u5099\u4efd"),
        ("\u5099\u4efd\u5099\u4efd\u5099\u4efd", 11, "\u5099\u4efd...\u5099\u4efd"),
        ("abcdef", 2, ".."),
    ],
)
def test_cut(text: str, width: int, result: str) -> None:
    assert cut(text, width) == result


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0s"),
        (0.9, "0s"),
        (45, "45s"),
        (70, "1m10s"),
        (3600, "1h00m"),
        (7380, "2h03m"),
        (3 * 86400 + 4 * 3600, "3d04h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (99.96 * MIB, "100 MiB"),
        (6.7 * 1024 * MIB, "6.7 GiB"),
        (99.95 * MIB, "100 MiB"),
        (2.0**40, "1.0 TiB"),
        (2.0**50, "1.0 PiB"),
        (2.0**80, "1048576 EiB"),
    ],
)
def test_size(count: float, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("percent", "text"),
    [(0.0, "0 %"), (0.57, "0.5 %"), (8.0, "8 %"), (10.5, "10 %"), (34.9, "34 %"), (99.99, "99 %"), (100.0, "100 %")],
)
def test_percentage(percent: float, text: str) -> None:
    assert percentage(percent) == text


# --- whatever others say

SECRET = "S3cr3t\u00e9-0f-the-house"
# What hides a secret from those who look for it as it is.
DISGUISES = (
    SECRET,
    SECRET[:6] + "\x1b[0m" + SECRET[6:],
    SECRET[:3] + "z\b" + SECRET[3:],
    SECRET[:9] + "\u200b" + SECRET[9:],
)
PIECES = st.sampled_from(
    (
        *DISGUISES,
        "\x1b[31m",
        "\x9b2J",
        "\x1b]0;x\x07",
        "\r",
        "\n",
        "a\b",
        "\u202e",
        "\u5099\u4efd",
        "\U0001f600",
        " ",
        "a" * 30,
        ": ",
    )
)
TEXTS = st.lists(st.one_of(PIECES, st.text(st.characters(exclude_characters="\b"), max_size=5)), max_size=12).map(
    "".join
)
STATES = st.builds(
    Progress,
    st.one_of(st.none(), st.floats(0, 100)),
    TEXTS.map(lambda text: progress([f"INFO: Backup job finished {text}"])).map(lambda told: told.text if told else ""),
    st.one_of(st.none(), st.floats(-1e20, 1e20)),
    st.one_of(st.none(), st.floats(0, 1e20)),
    TEXTS,
)
SECONDS = st.floats(0, 1e9)


def is_safe(line: str) -> bool:
    """Whether it does no harm, and shows no piece of the secret that could be told from other text."""
    pieces = (SECRET[start : start + 6] for start in range(len(SECRET) - 5))
    return line.isprintable() and columns(line) <= WIDTH and not any(piece in line for piece in pieces)


@st.composite
def hostile(draw: st.DrawFn) -> Upid:
    """A UPID that was checked; free fields may hold a secret, and what moves a cursor, all the same."""
    known = draw(any_minted())
    return known._replace(
        id=draw(st.one_of(st.just(known.id), TEXTS)), node=draw(st.one_of(st.just("pve1"), st.just(known.node)))
    )


@given(upid=hostile(), text=TEXTS, told=STATES, seconds=st.tuples(SECONDS, SECONDS, SECONDS), lead=TEXTS)
def test_no_line_does_harm(upid: Upid, text: str, told: Progress, seconds: tuple[float, ...], lead: str) -> None:
    words = Wording(lead, lambda text: text.replace(SECRET, "********"))
    lines = [
        words.log(upid, text),
        words.fault(text, text, seconds[0]),
        words.recovery(text, seconds[0]),
        words.running(Running(upid, told, *seconds)),
        words.running(Running(upid, None, seconds[0])),
        words.counts(1, 2, 3, 4),
        words.end(Task(upid, "stopped", text)),
        words.end(Task(upid, "unseen", error=text)),
    ]
    assert [line for line in lines if not is_safe(line)] == []


@given(text=TEXTS)
def test_the_name_is_whole(text: str) -> None:
    for line in (WORDS.log(BACKUP, text), WORDS.end(Task(BACKUP, "stopped", text))):
        assert line.startswith(f"{name_of(BACKUP)}:")


def test_what_takes_a_secrets_place_may_be_wider() -> None:
    words = Wording(mask=lambda text: text.replace("a", "********"))
    assert columns(words.log(BACKUP, "a" * 99)) == WIDTH


def test_half_a_secret_at_the_end_of_a_cut_text() -> None:
    told: t.Any = progress([f"INFO: Backup job finished {'x' * 165}{SECRET}"])
    assert is_safe(Wording(mask=lambda text: text.replace(SECRET, "*")).running(Running(BACKUP, told)))
