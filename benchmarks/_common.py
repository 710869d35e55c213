# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sections share: the mocked endpoint and the programs that are measured, each a process of its own.

Every time is in seconds of the machine's monotonic clock, which all processes share.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time
import typing as t
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
NODES = ("pve1", "pve2", "pve3", "pve4")
START_SECONDS = 60.0
ARRIVAL_LOOK_SECONDS = 0.01

Json = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Options:
    """What the command line asked for; ``scratch`` is a folder that is removed at the end."""

    runs: int
    long: bool
    with_ansible: bool
    scratch: pathlib.Path


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table: the same figure of ours and of a peer (None: it has no such thing); less is better."""

    what: str
    ours: float
    peer: str
    theirs: float | None

    def cells(self) -> list[str]:
        """The line as text."""
        if self.theirs is None:
            return [self.what, _figure(self.ours), self.peer, "-", "-"]
        ratio = _figure(self.theirs / self.ours) if self.ours > 0 and self.theirs > 0 else "-"
        return [self.what, _figure(self.ours), self.peer, _figure(self.theirs), ratio]


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def table(rows: t.Iterable[Row]) -> str:
    """The lines under a heading, in columns."""
    lines = [["what", "ours", "peer", "peer's", "peer/ours"], *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    padded = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return "".join(f"| {line} |\n" for line in padded)


Sample = dict[str, float]


def compare(title: str, ours: t.Sequence[Sample], peer: str, theirs: t.Sequence[Sample]) -> t.Iterator[Row]:
    """A row per figure that both have: the medians of their samples."""
    for name in ours[0]:
        if name in theirs[0]:
            yield Row(f"{title}: {name}", _median(ours, name), peer, _median(theirs, name))


def alone(title: str, ours: t.Sequence[Sample], names: t.Iterable[str]) -> t.Iterator[Row]:
    """A row per figure that peers do not have."""
    for name in names:
        yield Row(f"{title}: {name}", _median(ours, name), "-", None)


def _median(samples: t.Sequence[Sample], name: str) -> float:
    return statistics.median(sample[name] for sample in samples)


def say(text: str) -> None:
    """Tell how far it is, beside the table."""
    print(f"  {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def process(command: t.Sequence[str], **kwargs: t.Any) -> t.Iterator[subprocess.Popen[str]]:
    """A process group that is gone when the block ends."""
    child = subprocess.Popen(command, text=True, start_new_session=True, **kwargs)  # noqa: S603 - its own programs
    try:
        yield child
    finally:
        for number, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, None)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, number)
            try:
                child.wait(patience)
                break
            except subprocess.TimeoutExpired:
                continue
        for stream in filter(None, (child.stdin, child.stdout)):
            stream.close()


class Mock:
    """The endpoint's process: its address and secrets in ``state``, its control interface as ``call``."""

    def __init__(self, state: Json) -> None:
        self.state = state

    def call(self, path: str, **arguments: t.Any) -> Json:
        """One control call; GET where there is nothing to say to ``counters``, else POST."""
        url = f"{self.state['control_url']}/{urllib.parse.quote(path)}"
        body = None if path == "counters" else json.dumps(arguments).encode()
        with urllib.request.urlopen(url, body, timeout=START_SECONDS) as answer:  # noqa: S310 - its own loopback address
            return t.cast(Json, json.load(answer))

    def tasks(self, **arguments: t.Any) -> list[str]:
        """Forget everything, then put tasks into the world: their UPIDs."""
        self.call("reset")
        return t.cast("list[str]", self.call("tasks", **arguments)["upids"])

    def cost(self) -> Sample:
        """What was asked since the last reset."""
        counted = self.call("counters")
        requests = counted["requests"]
        return {
            "requests": requests["total"],
            "status": requests.get("GET status", 0),
            "lists": requests.get("GET tasks", 0),
            "connections": counted["connections"],
            "kB sent": counted["bytes_sent"] / 1000,
        }


@contextlib.contextmanager
def endpoint(scratch: pathlib.Path) -> t.Iterator[Mock]:
    """The mocked endpoint, ready."""
    file = scratch / "mock.json"
    command = [sys.executable, "-m", "mock_endpoint", "--state-file", str(file), "--nodes", ",".join(NODES)]
    command += ["--exit-with", str(os.getpid()), "--max-seconds", "86400"]
    with process(command, env={**os.environ, "PYTHONPATH": str(ROOT / "tests")}, stdout=subprocess.DEVNULL) as child:
        until = time.monotonic() + START_SECONDS
        while not file.exists():
            if child.poll() is not None or time.monotonic() > until:
                sys.exit("the mocked endpoint does not start, see above")
            time.sleep(0.05)
        yield Mock(json.loads(file.read_text()))


class Waiter(t.Protocol):
    """A program that waits for tasks."""

    def begin(self, upids: t.Sequence[str]) -> None:
        """Start to wait; returns at once."""

    def result(self) -> Json:
        """What came out, with ``returned``: when the wait was over."""


class _Client:
    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child
        self._line()

    def _line(self) -> str:
        line = self._child.stdout.readline() if self._child.stdout else ""
        if not line:
            sys.exit("a measured program ended before its time, see above")
        return line

    def begin(self, upids: t.Sequence[str]) -> None:
        print(json.dumps(upids), file=self._child.stdin, flush=True)

    def result(self) -> Json:
        return t.cast(Json, json.loads(self._line()))


@contextlib.contextmanager
def client(mock: Mock, how: str, **options: t.Any) -> t.Iterator[Waiter]:
    """A function of ``_client.py`` in a fresh process that has imported all it needs."""
    command = [sys.executable, str(HERE / "_client.py"), json.dumps({"state": mock.state, "how": how, **options})]
    with process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        yield _Client(child)


class _Play:
    def __init__(self, mock: Mock, scratch: pathlib.Path, task: t.Callable[[Mock, str], Json]) -> None:
        self._mock, self._scratch, self._task = mock, scratch, task
        self._stack = contextlib.ExitStack()

    def begin(self, upids: t.Sequence[str]) -> None:
        told = {"ansible.builtin.debug": {"msg": "returned={{ now(fmt='%s.%f') }}"}}
        command = playbook(self._scratch, [self._task(self._mock, upids[0]), told])
        context = process(command, env=ansible_environment(self._scratch), stdout=subprocess.PIPE)
        self._child = self._stack.enter_context(context)

    def result(self) -> Json:
        output, _nothing = self._child.communicate()
        _before, mark, after = output.partition("returned=")
        if not mark:
            sys.exit(output)
        returned = float(after.split('"')[0])
        return {"returned": returned - time.time() + time.monotonic()}

    def close(self) -> None:
        self._stack.close()


@contextlib.contextmanager
def play(mock: Mock, scratch: pathlib.Path, task: t.Callable[[Mock, str], Json]) -> t.Iterator[Waiter]:
    """A playbook of one task that waits for one UPID; over when the next task begins."""
    waiter = _Play(mock, scratch, task)
    try:
        yield waiter
    finally:
        waiter.close()


def playbook(scratch: pathlib.Path, tasks: t.Sequence[Json]) -> list[str]:
    """The command that runs these tasks on this machine, without gathering facts."""
    file = scratch / "playbook.json"
    file.write_text(json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]))
    return [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", str(file)]


def ansible_environment(scratch: pathlib.Path) -> dict[str, str]:
    """Variables for Ansible: this checkout as the collection, nobody's settings, a home of its own."""
    link = scratch / "ansible_collections/proxkit/tasks"
    if not link.exists():
        link.parent.mkdir(parents=True)
        link.symlink_to(ROOT, target_is_directory=True)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE", "PROXMOX"))},
        "HOME": str(scratch),
        "ANSIBLE_COLLECTIONS_PATH": str(scratch),
        "ANSIBLE_REMOTE_TMP": str(scratch / "modules"),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
        "LC_ALL": "C.UTF-8",
    }


def connection(mock: Mock) -> Json:
    """Our modules' connection options; the certificate is verified."""
    state = mock.state
    return {
        "api_host": state["host"],
        "api_port": state["port"],
        "api_token_id": state["token_id"],
        "api_token_secret": state["token_secret"],
        "ca_path": state["ca_path"],
    }
