# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that end well, or badly, or never: nothing of them is left."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import threading
import time
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._client.process import Done, Ended, Runner, TooMuch

# Says that it runs, with a process of its own that keeps its pipes open.
HANGS = "echo $$ > {here}.new; sleep 600 & echo $! >> {here}.new; mv {here}.new {here}; wait"
# It hangs with its pipes closed.
MUTE = "echo $$ > {here}.new; mv {here}.new {here}; exec sleep 600 >&- 2>&-"
PATIENCE_SECONDS = 20


def run(script: str, seconds: float = PATIENCE_SECONDS, most: int = 1 << 30, runner: Runner | None = None) -> Done:
    return (runner or Runner()).run(["/bin/sh", "-c", script], os.environ, seconds, most)


def gone(number: int) -> bool:
    """Whether a process is no more; one that only waits to be reaped by the system is none."""
    try:
        return pathlib.Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def leashed(number: int) -> bool:
    """Whether the system ends this process with the one that started it: there is a moment before that."""
    files = pathlib.Path(f"/proc/{number}/fdinfo").iterdir()
    flags = [line.split()[1] for file in files for line in file.read_text().splitlines() if line.startswith("flags:")]
    return any(int(text, 8) & os.O_ASYNC for text in flags)


def await_true(condition: t.Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


@pytest.mark.parametrize(
    ("script", "done"),
    [
        ("echo out; echo err >&2", Done(0, b"out\n", b"err\n")),
        ("exit 255", Done(255, b"", b"")),
        ("kill -9 $$", Done(-9, b"", b"")),
        ("cat", Done(0, b"", b"")),
        ("test -t 0 || echo no terminal", Done(0, b"no terminal\n", b"")),
    ],
)
def test_how_a_command_ends(script: str, done: Done) -> None:
    assert run(script) == done


def test_both_pipes_are_read_while_they_come() -> None:
    done = run(f"{sys.executable} -c \"import sys; sys.stdout.write('o' * 10**6); sys.stderr.write('e' * 10**6)\"")
    assert len(done.output) == 10**6
    assert len(done.errors) == 1 << 16


def test_a_command_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        Runner().run(["/nowhere/at/all"], os.environ, 1, 1)


def test_what_prints_too_much_is_killed() -> None:
    with pytest.raises(TooMuch):
        run("yes", most=1 << 20)


@pytest.mark.parametrize("script", [HANGS, MUTE], ids=["with a child", "mute"])
def test_what_hangs_is_killed_with_all_that_it_started(tmp_path: pathlib.Path, script: str) -> None:
    here = tmp_path / "numbers"
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        run(script.format(here=here), seconds=0.5)
    assert time.monotonic() - begun < PATIENCE_SECONDS
    numbers = [int(word) for word in here.read_text().split()]
    assert numbers
    await_true(lambda: all(map(gone, numbers)))


def test_closed_from_another_thread(tmp_path: pathlib.Path) -> None:
    here = tmp_path / "numbers"
    runner = Runner()

    def close_it() -> None:
        await_true(here.exists)
        runner.close()

    closer = threading.Thread(target=close_it)
    closer.start()
    with pytest.raises(Ended):
        run(HANGS.format(here=here), seconds=600, runner=runner)
    closer.join()
    await_true(lambda: all(gone(int(word)) for word in here.read_text().split()))
    with pytest.raises(Ended):
        run("true", runner=runner)


def test_nothing_outlives_the_process_that_asks(tmp_path: pathlib.Path) -> None:
    here = tmp_path / "numbers"
    code = (
        "import os, conftest\n"
        "from ansible_collections.proxkit.tasks.plugins.module_utils._client.process import Runner\n"
        f"Runner().run(['/bin/sh', '-c', {HANGS.format(here=here)!r}], os.environ, 600, 1)"
    )
    root = pathlib.Path(__file__).resolve().parents[5]
    with subprocess.Popen([sys.executable, "-c", code], cwd=root) as asking:  # noqa: S603 - as it says
        await_true(here.exists)
        await_true(lambda: leashed(int(here.read_text().split()[0])))
        asking.kill()
    await_true(lambda: all(gone(int(word)) for word in here.read_text().split()))


def test_what_a_command_leaves_running_is_ended(tmp_path: pathlib.Path) -> None:
    here = tmp_path / "numbers"
    assert run(f"sleep 600 >/dev/null 2>&1 & echo $! > {here}").status == 0
    await_true(lambda: gone(int(here.read_text())))
