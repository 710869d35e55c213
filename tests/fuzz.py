# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Feeds what strangers write to all that reads it, other examples in each run: ``python tests/fuzz.py [SECONDS]``.

Each reader is given an equal share of the time. What is found is printed with the example that shows it, the exit
status is 1 then; a test of that example belongs beside the reader's others.

atheris, which is guided by coverage, was tried on the pure readers and found nothing more in 158,000 runs: they work in
regular expressions, into which it does not see.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import pathlib
import random
import sys
import time
import traceback
import types
import typing as t

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
importlib.import_module("conftest")  # makes the clone importable
from ansible_collections.proxkit.tasks.plugins.module_utils._client import pvesh
from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import Reply, Request
from ansible_collections.proxkit.tasks.plugins.module_utils._client.calls import Calls
from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._client.process import Done
from ansible_collections.proxkit.tasks.plugins.module_utils._client.refusals import data_of
from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import SERVICES
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.find import Finder
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.growing import GrowingLog
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Filters, LogWish
from ansible_collections.proxkit.tasks.plugins.module_utils._model.cursor import Cursor, advance
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    InvalidUpid,
    OptionError,
    TasksError,
)
from ansible_collections.proxkit.tasks.plugins.module_utils._model.extract import extract
from ansible_collections.proxkit.tasks.plugins.module_utils._model.grammar import MASK
from ansible_collections.proxkit.tasks.plugins.module_utils._model.log import decode_rows, verdict
from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import Progress, ProgressReader
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import clean, repair, shown
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import parse
from ansible_collections.proxkit.tasks.plugins.module_utils._module.lines import Wording
from ansible_collections.proxkit.tasks.plugins.module_utils._module.report import info_result
from ansible_collections.proxkit.tasks.tests.unit.fakes import FakeClock
from ansible_collections.proxkit.tasks.tests.unit.upid_strategies import any_minted, anything
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

SECONDS = 60.0
EXAMPLES = 200  # between two looks at the clock
SLOWEST = 2.0  # seconds for one example, on a machine that does other things beside
WORDS = ["INFO: ", "TASK ERROR: ", "TASK OK", "TASK WARNINGS: ", "no content", "unable to open file - "]
WORDS += ["Starting Backup of VM ", "Finished Backup of VM ", "percentage done: ", "transferred ", "drive-scsi0"]
WORDS += [" GiB", " MiB of ", " in ", "%", "(", ")", ":", "-1", "0", "1.5", "9" * 400, "é", "€"]
WORDS += ["\r", "\b", "\n", "\x1b[31m", "\x1b]0;", "\x9b", "\u202e", "\ud800"]
LINE = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(WORDS), max_size=12).map("".join))
NUMBER = st.one_of(st.integers(-3, 30), st.integers(), st.sampled_from([10**400, -(10**400)]), st.floats())
VALUE = st.one_of(
    st.none(), st.booleans(), NUMBER, LINE, st.lists(NUMBER, max_size=2), st.dictionaries(LINE, LINE, max_size=2)
)
UPID = parse("UPID:pve1:0000A1B2:00A21BA7:6B49D200:vzdump:100:root@pam:")
PBS_UPID = parse("UPID:pve1:0000A1B2:00A21BA7:00000001:6B49D200:backup:store:root@pam:")
UPIDS = st.one_of(st.sampled_from([UPID.native, PBS_UPID.native]), any_minted().map(lambda upid: upid.text), VALUE)


def record(**fields: st.SearchStrategy[t.Any]) -> st.SearchStrategy[dict[str, t.Any]]:
    """A dictionary with some of these keys, each with what belongs there or with anything."""
    return st.fixed_dictionaries({}, optional={name: st.one_of(field, field, VALUE) for name, field in fields.items()})


STATUS = st.sampled_from(
    ["running", "stopped", "OK", "RUNNING", "WARNINGS: 1", "job errors", "unexpected status", "unknown"]
)
ROW = record(n=NUMBER, t=LINE)
ROWS = st.lists(st.one_of(ROW, ROW, VALUE), max_size=6)
TASK = record(upid=UPIDS, status=STATUS, endtime=NUMBER, node=st.just("pve1"), exitstatus=STATUS, ticket=LINE)
DATA = st.one_of(TASK, TASK, st.lists(TASK, max_size=4), ROWS, VALUE)
BODY = record(
    data=DATA, total=NUMBER, active=VALUE, message=LINE, errors=st.dictionaries(LINE, VALUE, max_size=2), success=VALUE
)
REPLY = st.builds(
    Reply,
    st.one_of(st.just(200), st.just(200), st.sampled_from([301, 400, 401, 403, 404, 500, 501, 503, 595, 596, 0, 999])),
    LINE,
    st.one_of(st.just("pve-api-daemon/3.0"), LINE),
    st.one_of(
        BODY.map(lambda body: json.dumps(body).encode()),
        st.binary(),
        LINE.map(lambda text: text.encode("utf-8", "replace")),
    ),
)
DONE = st.builds(
    Done,
    st.one_of(st.just(0), st.integers(-9, 255)),
    st.one_of(DATA.map(lambda data: json.dumps(data).encode()), st.binary()),
    st.one_of(
        LINE.map(lambda text: text.encode("utf-8", "replace")),
        st.binary(),
        st.sampled_from([b"400 x\nupid: y\n", b"proxy handler failed: 500 "]),
    ),
)


def upid(value: object) -> None:
    """Anything is a UPID or has a reason why not."""
    try:
        found = parse(value)
    except InvalidUpid as exc:
        _check_words(exc)
        return
    assert parse(found.native).native == found.native
    json.dumps(found.to_dict())


def _check_words(exc: TasksError) -> None:
    assert exc.message.isprintable(), exc.message
    assert len(exc.message) < 1000


def ids_in(value: object) -> None:
    """What is found is a UPID, once."""
    found = extract(value)
    assert len(set(found)) == len(found)
    for text in found:
        # What Ansible masked is found, and is no id.
        if MASK not in text:
            parse(text)


def log(rows: object) -> None:
    """Rows have a text or a reason why not."""
    try:
        text = decode_rows(rows)
    except OptionError as exc:
        _check_words(exc)
        return
    verdict(text.split("\n"))


def cursor(pages: list[tuple[t.Any, int]]) -> None:
    """Whatever pages come: lines are told, or a reason why not."""
    at = Cursor()
    for rows, total in pages:
        with contextlib.suppress(OptionError):
            step = advance(at, rows, total)
            assert step.skipped >= 0
            at = step.cursor


def growing(log_and_cuts: tuple[list[str], list[int]]) -> None:
    """A log that grows line by line is told as it is, each line once."""
    lines, cuts = log_and_cuts
    at = Cursor()
    told: list[str] = []
    for total in [*sorted(cut % (len(lines) + 1) for cut in cuts), len(lines)]:
        rows = [{"n": number + 1, "t": text} for number, text in enumerate(lines[:total])][at.start :]
        step = advance(at, rows, total, ended=total == len(lines))
        at = step.cursor
        told += step.lines
    assert told == [repair(line) for line in lines]


def progress(lines: list[str]) -> None:
    """A percentage is one, its line is safe to show."""
    reader = ProgressReader()
    for line in lines:
        _check(reader.peek(line))
        reader.feed([line])
        _check(reader.last)


def _check(told: Progress | None) -> None:
    if told is not None:
        assert told.percent is None or 0 <= told.percent <= 100, told
        json.dumps(told.to_dict(), allow_nan=False)


def text(value: str) -> None:
    """One printable line comes of it."""
    for made in (clean(value), shown(value), Wording().log(UPID, value)):
        assert made.isprintable(), made


class Scripted:
    """A way to a cluster, or a command on a node, that gives one answer after the other."""

    def __init__(self, answer: t.Callable[[Request], dict[str, t.Any]], count: int) -> None:
        self._answer, self._left = answer, count

    def ask(self, request: Request, deadline: float) -> dict[str, t.Any]:
        self._left -= 1
        if self._left < 0:
            raise ApiError("no more")
        return self._answer(request)

    def close(self) -> None:
        """Nothing is open."""


def _find(transport: Scripted, name: str) -> None:
    """Everything that is asked ends in a result, or in an ``ApiError``."""
    service, clock = SERVICES[name], FakeClock()
    calls = Calls(transport, service)
    one = PBS_UPID if name == "pbs" else UPID
    asked: list[t.Callable[[], object]] = [
        lambda: calls.version(0),
        lambda: calls.node_names(0),
        lambda: calls.status(one, 0),
        lambda: calls.active("pve1", 0),
        lambda: calls.cluster_tasks(0),
        lambda: calls.missing_right("pve1", 0),
        lambda: calls.stop(one, 0),
        lambda: GrowingLog(one).read_on(calls, 0),
    ]
    for ask in asked:
        with contextlib.suppress(ApiError):
            ask()
    finder = Finder(lambda: t.cast(t.Any, calls), clock, LogWish("always", 5))
    for found in (finder.named([one]), finder.matching(["pve1"], Filters(limit=0))):
        json.dumps(info_result(found), allow_nan=False).encode("utf-8", "surrogatepass")


def api(replies_and_service: tuple[list[Reply], str]) -> None:
    """Answers over HTTPS."""
    replies, name = replies_and_service
    connection = Connection(("pve1:8006",), "root@pam", password="s", service=SERVICES[name])
    left = iter(replies * 4)
    _find(Scripted(lambda asked: data_of(next(left), asked, "pve1:8006", connection, ["s"]), 4 * len(replies)), name)


class Printed(pvesh.Pvesh):
    """A command that prints one thing after the other."""

    def __init__(self, answers: list[Done], name: str) -> None:
        connection = Connection((), "", service=SERVICES[name])
        machine = types.SimpleNamespace(connection=connection, clock=FakeClock(), answered=True)
        super().__init__(t.cast(pvesh.Machine, machine))
        self._answers = iter(answers)

    def _run(self, request: Request, seconds: float) -> Done:
        return next(self._answers)


def command(answers_and_service: tuple[list[Done], str]) -> None:
    """What pvesh and pmgsh print."""
    answers, name = answers_and_service
    printed = Printed(answers * 4, name)
    _find(Scripted(lambda asked: printed.ask(asked, 0), 4 * len(answers)), name)


# A line that is none of those by which servers say that there is no log.
OWN_LINE = st.text(st.characters(max_codepoint=300), max_size=5).map(lambda text: f"{text}.")
SOME_IDS = st.lists(st.sampled_from([UPID.native, *WORDS, "%3A", "\\"])).map("".join)
TARGETS: tuple[tuple[t.Callable[[t.Any], None], st.SearchStrategy[t.Any]], ...] = (
    (upid, st.one_of(UPIDS, anything(), st.text())),
    (ids_in, st.one_of(anything(), st.lists(UPIDS), SOME_IDS)),
    (log, st.one_of(ROWS, anything())),
    (cursor, st.lists(st.tuples(ROWS, st.integers(-1, 9)), max_size=5)),
    (growing, st.tuples(st.lists(OWN_LINE, min_size=1, max_size=8), st.lists(st.integers(0, 8), max_size=5))),
    (progress, st.lists(LINE, max_size=12)),
    (text, st.one_of(LINE, st.text())),
    (api, st.tuples(st.lists(REPLY, min_size=1, max_size=5), st.sampled_from(["pve", "pbs", "pmg"]))),
    (command, st.tuples(st.lists(DONE, min_size=1, max_size=5), st.sampled_from(["pve", "pmg"]))),
)


def fuzz(check: t.Callable[[t.Any], None], values: st.SearchStrategy[t.Any], seconds: float) -> int:
    """How many examples passed in that time; raises what the first one to fail raised."""
    count, end = 0, time.monotonic() + seconds

    def timed(value: t.Any) -> None:
        nonlocal count
        count, begun = count + 1, time.monotonic()
        check(value)
        assert time.monotonic() - begun < SLOWEST, "it took too long"

    quiet = settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        print_blob=False,
    )
    while True:
        seed(random.getrandbits(64))(quiet(given(values)(timed)))()
        if time.monotonic() >= end:
            return count


def main(seconds: float) -> int:
    """Fuzz all readers."""
    failed = 0
    for check, values in TARGETS:
        try:
            print(f"{check.__name__:10}{fuzz(check, values, seconds / len(TARGETS)):8} examples", flush=True)
        except Exception:  # whatever a reader should not have raised
            failed = 1
            print(f"{check.__name__:10}  FAILED\n{traceback.format_exc(limit=-4)}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
