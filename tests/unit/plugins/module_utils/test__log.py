# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows to text, safe display, verdicts and progress."""

from __future__ import annotations

import random
import time
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._errors import OptionError, TasksError
from ansible_collections.proxkit.tasks.plugins.module_utils._log import (
    Progress,
    clean,
    decode_rows,
    lines_of,
    log_is_gone,
    progress,
    repair,
    tail_start,
    verdict,
)
from ansible_collections.proxkit.tasks.tests.unit.upid_strategies import anything
from hypothesis import given
from hypothesis import strategies as st

ROWS = [{"n": 1, "t": "one"}, {"n": 2, "t": "two"}, {"n": 3, "t": "TASK OK"}]
GONE = {"n": 1, "t": "unable to open file - No such file or directory"}
EMPTY = {"n": 1, "t": "no content"}


# --- rows


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("plain", "plain"),
        ("BÃ¼ro", "Büro"),
        ("â\x82¬ 5", "€ 5"),
        ("Büro", "Büro"),
        ("€", "€"),
        ("\xff", "\xff"),
        ("", ""),
    ],
)
def test_repair(text: str, repaired: str) -> None:
    assert repair(text) == repaired


@given(st.text())
def test_repair_undoes_what_the_server_does(text: str) -> None:
    assert repair(text.encode("utf-8").decode("latin-1")) == text


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([], []),
        (ROWS, ["one", "two", "TASK OK"]),
        (ROWS[::-1], ["one", "two", "TASK OK"]),
        ([*ROWS[1:], *ROWS], ["one", "two", "TASK OK"]),
        ([{"n": 1, "t": "10"}, {"n": 1, "t": "10%"}], ["10%"]),
        ([EMPTY], []),
        ([EMPTY, ROWS[1]], ["no content", "two"]),
        ([{"n": 2, "t": "no content"}], ["no content"]),
        ([{"n": 10, "t": "b"}, {"n": 9, "t": "a"}], ["a", "b"]),
        ([{"n": 1, "t": "BÃ¼ro"}], ["Büro"]),
    ],
)
def test_lines_of(rows: list[dict[str, t.Any]], lines: list[str]) -> None:
    assert lines_of(rows) == lines
    assert decode_rows(rows) == "\n".join(lines)


@given(st.dictionaries(st.integers(1, 10**6), st.text(max_size=5), min_size=2), st.randoms(use_true_random=False))
def test_rows_come_out_in_order_from_any_pages(numbered: dict[int, str], shuffle: random.Random) -> None:
    rows = [{"n": n, "t": text} for n, text in numbered.items()] * 2
    shuffle.shuffle(rows)
    assert lines_of(rows) == [repair(text) for _n, text in sorted(numbered.items())]


@pytest.mark.parametrize(
    ("rows", "gone"),
    [
        ([GONE], True),
        ([EMPTY], False),
        ([], False),
        (ROWS, False),
        ([GONE, ROWS[1]], False),
        ([{**GONE, "n": 2}], False),
    ],
)
def test_log_is_gone(rows: list[dict[str, t.Any]], gone: bool) -> None:
    assert log_is_gone(rows) is gone


@pytest.mark.parametrize(("total", "lines", "start"), [(100, 10, 90), (5, 10, 0), (10, 10, 0), (0, 10, 0), (100, 0, 0)])
def test_tail_start(total: int, lines: int, start: int) -> None:
    assert tail_start(total, lines) == start


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (None, "a task's log is a list of rows, not a value of type NoneType"),
        (5, "a task's log is a list of rows, not a value of type int"),
        ("text", "a task's log is a list of rows, not a value of type str"),
        (b"text", "a task's log is a list of rows, not a value of type bytes"),
        ({"data": ROWS}, "a task's log is a list of rows, not a dictionary: give what the answer has under 'data'"),
        (["text"], "row 0 of the log is no dictionary with 'n' (number) and 't' (text)"),
        ([*ROWS, {"n": 4}], "row 3 of the log is no dictionary with 'n' (number) and 't' (text)"),
        ([{"n": "1", "t": "x"}], "'n' of row 0 of the log is no whole number"),
        ([{"n": True, "t": "x"}], "'n' of row 0 of the log is no whole number"),
        ([{"n": 1, "t": None}], "'t' of row 0 of the log is no text"),
    ],
)
def test_decode_rows_says_what_is_wrong(rows: object, reason: str) -> None:
    with pytest.raises(OptionError) as caught:
        decode_rows(rows)
    assert str(caught.value) == reason


def test_decode_rows_takes_any_iterable() -> None:
    assert decode_rows(row for row in ROWS) == decode_rows(tuple(ROWS)) == "one\ntwo\nTASK OK"


@given(anything())
def test_decode_rows_raises_nothing_else(value: object) -> None:
    try:
        text = decode_rows(value)
    except TasksError:
        return
    assert isinstance(text, str)


# --- safe display


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain Büro €", "plain Büro €"),
        ("  indented  ", "  indented"),
        ("a\tb\nc\x0bd", "a b c d"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b31mred\x9bm", "red"),
        ("a\x1b]0;title\x07b\x1b]8;;http://x\x1b\\c", "abc"),
        ("a\x9d0;title\x9cb", "ab"),
        ("a\x1bPdevice\x1b\\b\x1b_app\x1b\\c\x90d\x9cd", "abcd"),
        ("a\x1b(Bb\x1bcc\x1b=", "abc"),
        ("open \x1b]important text", "open important text"),
        ("half \x1b[", "half"),
        ("half \x1b", "half"),
        ("a\x1b[\x1b[2Jb", "ab"),
        ("10%\r20%\r30%", "30%"),
        ("10%\r20%\r", "20%"),
        ("10%\r20%\r  ", "20%"),
        ("\r", ""),
        ("dos\r\nlines\r\n", "dos lines"),
        ("done\n10%\r20%", "done 20%"),
        ("groups: 0/57\b\b\b\b    \b\b\b\bdone", "groups: done"),
        ("\b\bx", "x"),
        ("\u202eevil\u2066x\u200b\ufeff", "evilx"),
        ("a\u2028b\u00a0c", "a b c"),
        ("null\x00bell\x07c1\x85", "nullbellc1"),
        ("lone \ud800", "lone"),
        ("", ""),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text(st.one_of(st.characters(), st.sampled_from("\x1b\x9b\x9d[]\\\r\b\n;m\x07"))))
def test_clean_text_is_one_safe_line_and_stays_so(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.isprintable()
    assert clean(cleaned) == cleaned


# --- the verdict


@pytest.mark.parametrize(
    ("line", "exitstatus"),
    [
        ("TASK OK", "OK"),
        ("progress 100%TASK OK", "OK"),
        ("progress 50%\rprogress 100%TASK OK", "OK"),
        ("TASK OK\n", "OK"),
        ("TASK WARNINGS: 2", "WARNINGS: 2"),
        ("glued TASK WARNINGS: 12", "WARNINGS: 12"),
        ("TASK ERROR: command 'x' failed: exit code 1", "command 'x' failed: exit code 1"),
        ("50%TASK ERROR: job errors ", "job errors"),
        ("TASK ERROR: it said TASK OK", "it said TASK OK"),
        ("TASK ERROR: a TASK ERROR: b", "a TASK ERROR: b"),
        ("2025-09-29T09:52:36+02:00: TASK OK", "OK"),
        ("2025-09-29T09:52:36+02:00: TASK WARNINGS: 1", "WARNINGS: 1"),
        ("2025-09-29T09:52:36+02:00: TASK ERROR: sync failed with some errors.", "sync failed with some errors."),
        ("2025-09-29T09:52:36+02:00: TASK unknown", "unknown"),
        ("progress 100%", None),
        ("TASK OK, or not", None),
        ("TASK WARNINGS: many", None),
        ("TASK WARNINGS: \u0661", None),
        ("TASK ERROR: ", ""),
        ("TASK ERROR:", ""),
        ("progress 100%TASK ERROR: ", ""),
        ("TASK ERROR:boom", None),
        ("task ok", None),
        ("", None),
    ],
)
def test_verdict(line: str, exitstatus: str | None) -> None:
    assert verdict(["TASK ERROR: an earlier line does not matter", line]) == exitstatus


def test_no_lines_are_no_verdict() -> None:
    assert verdict([]) is None


# --- progress


@pytest.mark.parametrize(
    ("line", "percent", "text"),
    [
        # the numbers are those of the patterns that are known of genuine logs
        pytest.param("drive-scsi0: transferred 1013.0 MiB of 8.0 GiB (12.37%) in 1s", 12.37, ..., id="1"),
        pytest.param(
            "mirror-scsi0: transferred 231.0 MiB of 200.0 GiB (0.11%) in 1s, still busy", 0.11, ..., id="1 QEMU 10"
        ),
        pytest.param(
            "2025-01-04 00:34:30 drive-scsi0: transferred 8.0 GiB of 8.0 GiB (100.00%) in 1m 1s, ready",
            100.0,
            "drive-scsi0: transferred 8.0 GiB of 8.0 GiB (100.00%) in 1m 1s, ready",
            id="1 dated",
        ),
        pytest.param("transferred 512.0 MiB of 8.0 GiB (6.25%)", 6.25, ..., id="2"),
        pytest.param(
            "2025-01-04 00:34:30 migration active, transferred 357.9 MiB of 4.0 GiB VM-state, 586.6 MiB/s",
            8.74,
            "migration active, transferred 357.9 MiB of 4.0 GiB VM-state, 586.6 MiB/s",
            id="3",
        ),
        pytest.param("migration active, transferred 4.1 GiB of 4.0 GiB VM-state, 1.0 B/s", 100.0, ..., id="3 beyond"),
        pytest.param("migration active, transferred 0.0 B of 0.0 B VM-state, 0.0 B/s", None, ..., id="3 of nothing"),
        pytest.param("migration completed, transferred 357.9 MiB VM-state", 100.0, ..., id="4 completed"),
        pytest.param("average migration speed: 1.0 GiB/s - downtime 41 ms", 100.0, ..., id="4 speed"),
        pytest.param("migration finished successfully (duration 00:00:09)", 100.0, ..., id="4 finished"),
        pytest.param(
            "Nov 24 12:26:45 migration status: active (transferred 133567908, remaining 930062336), total 1082789888)",
            14.11,
            "migration status: active (transferred 133567908, remaining 930062336), total 1082789888)",
            id="5",
        ),
        pytest.param(
            "transferred: 8306819 bytes remaining: 2178941 bytes total: 10485760 bytes progression: 79.22 %",
            79.22,
            ...,
            id="6",
        ),
        pytest.param(
            "INFO:   4% (972.0 MiB of 19.8 GiB) in 3s, read: 324.0 MiB/s, write: 324.0 MiB/s",
            4.0,
            "4% (972.0 MiB of 19.8 GiB) in 3s, read: 324.0 MiB/s, write: 324.0 MiB/s",
            id="7",
        ),
        pytest.param(
            "INFO: status: 12% (3865470976/30601641984), sparse 0% (0), duration 33, read/write 117/117 MB/s",
            12.0,
            "status: 12% (3865470976/30601641984), sparse 0% (0), duration 33, read/write 117/117 MB/s",
            id="8",
        ),
        pytest.param(
            "INFO: Starting Backup of VM 101 (qemu)", None, "VM 101: Starting Backup of VM 101 (qemu)", id="9 start"
        ),
        pytest.param(
            "INFO: Finished Backup of VM 101 (00:00:10)", None, "Finished Backup of VM 101 (00:00:10)", id="9 end"
        ),
        pytest.param(
            "ERROR: Backup of VM 101 failed - job aborted", None, "Backup of VM 101 failed - job aborted", id="9 error"
        ),
        pytest.param("INFO: Backup job finished with errors", None, "Backup job finished with errors", id="9 job"),
        pytest.param(
            "INFO: Total bytes written: 878131200 (838MiB, 82MiB/s)",
            None,
            "Total bytes written: 878131200 (838MiB, 82MiB/s)",
            id="10 tar",
        ),
        pytest.param("INFO: archive file size: 2.31GB", None, "archive file size: 2.31GB", id="10 size"),
        pytest.param(
            "INFO: transferred 4.00 GiB in 3 seconds (1.3 GiB/s)",
            None,
            "transferred 4.00 GiB in 3 seconds (1.3 GiB/s)",
            id="10 rate",
        ),
        pytest.param("progress 1% (read 343605248 bytes, duration 2 sec)", 1.0, ..., id="11 vma"),
        pytest.param(
            "progress 1% (read 130023424 bytes, zeroes = 45% (58720256 bytes), duration 0 sec)", 1.0, ..., id="11 pbs"
        ),
        pytest.param(
            "restore image complete (bytes=34359738368, duration=33.10s, speed=990.00MB/s)", None, ..., id="12"
        ),
        pytest.param("123456789 bytes (123 MB, 117 MiB) copied, 3 s, 41.1 MB/s", None, ..., id="13"),
        pytest.param(
            "10:30:27   1.21G   rpool/data/vm-100-disk-0@__migration__", None, ..., id="14 of an unknown total"
        ),
        pytest.param(
            "     0K ........ ........ ........ ........ 12% 11.2M 30s",
            12.0,
            "0K ........ ........ ........ ........ 12% 11.2M 30s",
            id="15",
        ),
        pytest.param("download of 'https://a/b.iso' to '/c' finished", 100.0, ..., id="15 finished"),
        pytest.param("Number of regular files transferred: 295", None, ..., id="16 files"),
        pytest.param("sent 1,234,567 bytes  received 89 bytes  1.00 bytes/sec", None, ..., id="16 sent"),
        pytest.param(
            "2025-09-29T09:52:36+02:00: percentage done: 12.50% (1/8 groups, 2/5 snapshots in group #2)",
            12.5,
            "percentage done: 12.50% (1/8 groups, 2/5 snapshots in group #2)",
            id="17",
        ),
        pytest.param("percentage done: 37.50% (3/8 groups)", 37.5, ..., id="17 groups"),
        pytest.param("percentage done: 40% (2/5 snapshots)", 40.0, ..., id="17 snapshots"),
        pytest.param(
            "2025-09-29T07:52:36Z: marked 1% (18 of 1843 index files)",
            1.0,
            "marked 1% (18 of 1843 index files)",
            id="18 phase 1",
        ),
        pytest.param("processed 90% (21188 chunks)", 90.0, ..., id="18 phase 2"),
        pytest.param("percentage done: 99, chunk count: 21188", 99.0, ..., id="19"),
        pytest.param("Chunkstore create: 42%", 42.0, ..., id="20"),
        pytest.param(
            "INFO: root.pxar: had to backup 1.2 GiB of 3.4 GiB (compressed 600 MiB) in 12.34s",
            None,
            "root.pxar: had to backup 1.2 GiB of 3.4 GiB (compressed 600 MiB) in 12.34s",
            id="21",
        ),
        pytest.param(
            "INFO: root.pxar: backup was done incrementally, reused 2.2 GiB (64.7%)",
            None,
            "root.pxar: backup was done incrementally, reused 2.2 GiB (64.7%)",
            id="21 reused",
        ),
        pytest.param("create full clone of drive scsi0 (local:100/vm-100-disk-0.qcow2)", None, ..., id="phase clone"),
        pytest.param(
            "2025-01-04 00:34:30 all 'mirror' jobs are ready", None, "all 'mirror' jobs are ready", id="phase ready"
        ),
        pytest.param(
            "2025-09-29T09:52:36+02:00: Start GC phase2 (sweep unused chunks)",
            None,
            "Start GC phase2 (sweep unused chunks)",
            id="phase gc",
        ),
        pytest.param("progress 999% (read 1 bytes, duration 1 sec)", 100.0, ..., id="capped"),
        pytest.param(
            "Chunkstore create: 1%\rChunkstore create: 2%",
            2.0,
            "Chunkstore create: 2%",
            id="overwritten",
        ),
        pytest.param("\x1b[32mChunkstore create: 42%\x1b[0m", 42.0, "Chunkstore create: 42%", id="coloured"),
    ],
)
def test_progress_of_one_line(line: str, percent: float | None, text: t.Any) -> None:
    expected = Progress(percent, line if text is ... else text)
    assert progress(["some line", line, "another line", "TASK OK"]) == expected


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["TASK OK"],
        ["all is well at 50%"],
        ["INFO: starting new backup job: vzdump 100 101 --mode snapshot"],
        ["total estimated size is 4.84G"],
        ["progress x% (read 1 bytes, duration 1 sec)"],
        ["I saw: progress 5% (read 1 bytes, duration 1 sec)"],
    ],
)
def test_no_progress_is_told(lines: list[str]) -> None:
    assert progress(lines) is None


def test_the_last_progress_counts() -> None:
    lines = ["progress 98% (read 98 bytes, duration 1 sec)", "progress 1% (read 1 bytes, duration 2 sec)"]
    assert progress(lines) == Progress(1.0, lines[1])


def test_drives_that_move_side_by_side_count_by_bytes() -> None:
    lines = [
        "drive-scsi0: transferred 1.0 GiB of 1.0 GiB (100.00%) in 9s, ready",
        "drive-scsi1: transferred 0.0 B of 1.0 TiB (0.00%) in 1s",
        "drive-scsi0: transferred 1.0 GiB of 1.0 GiB (100.00%) in 10s, ready",
        "drive-scsi1: transferred 255.0 GiB of 1023.0 GiB (24.93%) in 2s",
    ]
    assert progress(lines) == Progress(25.0, f"2 drives, {lines[-1]}")
    assert progress(lines[:1]) == Progress(100.0, lines[0])


def test_backup_of_several_guests_names_the_one_at_work() -> None:
    lines = [
        "INFO: starting new backup job: vzdump 100 101 102 --storage 103 --mode snapshot --quiet 1",
        "INFO: Starting Backup of VM 100 (qemu)",
        "INFO:  50% (1.0 GiB of 2.0 GiB) in 3s, read: 1.0 MiB/s, write: 1.0 MiB/s",
        "INFO: Finished Backup of VM 100 (00:00:06)",
        "INFO: Starting Backup of VM 101 (lxc)",
        "INFO: Total bytes written: 878131200 (838MiB, 82MiB/s)",
        "ERROR: Backup of VM 101 failed - job aborted",
        "INFO: Starting Backup of VM 102 (qemu)",
        "INFO:   7% (140.0 MiB of 2.0 GiB) in 3s, read: 1.0 MiB/s, write: 1.0 MiB/s",
        "INFO: Backup job finished with errors",
    ]
    told = [progress(lines[:count]) for count in range(1, len(lines) + 1)]
    assert [(one.percent, one.text.partition(": ")[0]) for one in told if one] == [
        (None, "VM 100 (1 of 3)"),
        (50.0, "VM 100 (1 of 3)"),
        (None, "Finished Backup of VM 100 (00:00:06)"),
        (None, "CT 101 (2 of 3)"),
        (None, "CT 101 (2 of 3)"),
        (None, "Backup of VM 101 failed - job aborted"),
        (None, "VM 102 (3 of 3)"),
        (7.0, "VM 102 (3 of 3)"),
        (None, "Backup job finished with errors"),
    ]


@pytest.mark.parametrize("arguments", ["100 --mode stop", "--all 1 --mode stop", "--quiet 1", ""])
def test_backup_of_one_or_of_nobody_knows_how_many_guests_has_no_counter(arguments: str) -> None:
    lines = [f"INFO: starting new backup job: vzdump {arguments}", "INFO: Starting Backup of VM 100 (qemu)"]
    assert progress(lines) == Progress(None, "VM 100: Starting Backup of VM 100 (qemu)")


def test_a_zfs_stream_with_a_known_total_has_a_share() -> None:
    lines = ["total estimated size is 4.84G", "10:30:27   1.21G   rpool/data/vm-100-disk-0@__migration__"]
    assert progress(lines) == Progress(25.0, lines[1])


def test_progress_text_is_short() -> None:
    told = progress([f"INFO: Backup job finished {'x' * 1000}"])
    assert told is not None
    assert len(told.text) == 200


def test_progress_as_a_dictionary() -> None:
    assert Progress(12.5, "half").to_dict() == {"percent": 12.5, "text": "half"}


PIECES = (
    *(
        "progress ",
        "transferred ",
        "INFO: ",
        "drive-a: ",
        " of ",
        "1.5 GiB",
        "9" * 18,
        "%",
        "(",
        ")",
        " in ",
        "\r",
        "\x1b[",
    ),
    *("migration active, ", "VM-state", "12:00:00 ", "1G a@b", "total estimated size is ", "vzdump 1 2"),
)


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=10).map("".join), max_size=5))
def test_progress_of_any_lines_is_a_share_or_none(lines: list[str]) -> None:
    told = progress(lines)
    if told is not None:
        assert told.percent is None or 0 <= told.percent <= 100
        assert told.text.isprintable()


HOSTILE = [
    lambda n: "\x1b]" * n,
    lambda n: "\x9d" * n,
    lambda n: "\x1b[" + "1;" * n,
    lambda n: "\b\r" * n,
    lambda n: "a" * n + "\b" * n,
    lambda n: "TASK ERROR: " * n + " " * n,
    lambda n: "TASK OK " * n + "!",
    lambda n: "transferred: " * n,
    lambda n: "INFO: " + "a: " * n,
    lambda n: f"INFO: starting new backup job: vzdump {'1 ' * n}",
    lambda n: "0K" + " ." * n,
    lambda n: "9" * n,
    lambda n: f"download of '{chr(39) * n}",
    lambda n: "\n" * n,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_takes_linear_time(text: t.Callable[[int], str]) -> None:
    # Quadratic work would take minutes, linear takes well under a second.
    line = text(50_000)
    begun = time.process_time()
    assert clean(line).isprintable()
    verdict([line])
    progress([line[:4000]] * 50 + [line])
    assert time.process_time() - begun < 10
