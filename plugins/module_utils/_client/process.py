# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a command that may hang, or print more than there is room for. Private to the collection."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import selectors
import signal
import subprocess
import threading
import time
import typing as t

_CHUNK_BYTES = 1 << 16
# What is kept of what a command says beside its output.
_ERROR_BYTES = 1 << 16
# What does not die when it is killed hangs in the kernel, as on a dead NFS mount: it is left to the system.
_REAP_SECONDS = 0.5


class Ended(Exception):
    """The command was ended from another thread."""


class TooMuch(Exception):
    """The command printed more than there is room for."""


@dataclasses.dataclass(frozen=True)
class Done:
    """How a command ended (``status`` below 0: by that signal), and what it printed."""

    status: int
    output: bytes
    errors: bytes


class Runner:
    """Runs one command at a time, without a shell or a terminal, in a process group of its own."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        # What is signalled must not be reaped meanwhile: its number may then be another's.
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def run(self, words: t.Sequence[str], environment: t.Mapping[str, str], seconds: float, most: int) -> Done:
        """Run a command to its end. Nothing of it is left, nor of what it started, however this ends.

        Raises ``TimeoutError`` after ``seconds``, ``TooMuch`` above ``most`` bytes, ``Ended``, or what starting it
        raises.
        """
        end = time.monotonic() + seconds
        with self._lock:
            if self._closed:
                raise Ended
            process, leash = _start(words, environment)
            self._process = process
        try:
            output, errors = _read(process, end, most)
            # It may print no more and still hang.
            _await_exit(process, end)
        finally:
            self._end(process)
            os.close(leash)
        if self._closed:
            raise Ended
        return Done(process.returncode, output, errors)

    def close(self) -> None:
        """End what runs; nothing is run any more."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                _signal_group(self._process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            _signal_group(process)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_REAP_SECONDS)
            self._process = None
        for file in _pipes(process):
            file.close()


def _start(words: t.Sequence[str], environment: t.Mapping[str, str]) -> tuple[subprocess.Popen[bytes], int]:
    """The command, started, and the end of a pipe: where that is closed the system kills the command and its group.

    So nothing is left of it either where this process dies, which in Ansible is the way of a task that is interrupted.
    """
    reading, leash = os.pipe()
    try:
        # AnsibleModule.run_command has no deadline, no bound, and a module object that is not known here.
        process = subprocess.Popen(  # noqa: S603 - no shell reads it # pylint: disable=ansible-bad-function
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(reading,),
            start_new_session=True,
        )
        fcntl.fcntl(reading, fcntl.F_SETOWN, -process.pid)
        fcntl.fcntl(reading, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(reading, fcntl.F_SETFL, os.O_ASYNC)
    except BaseException:
        os.close(leash)
        raise
    finally:
        os.close(reading)
    return process, leash


def _pipes(process: subprocess.Popen[bytes]) -> list[t.IO[bytes]]:
    return [file for file in (process.stdout, process.stderr) if file is not None]


def _read(process: subprocess.Popen[bytes], end: float, most: int) -> tuple[bytes, bytes]:
    """What a command prints, output and errors, read while it comes: a full pipe would halt it."""
    output, errors = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        for file, kept in zip(_pipes(process), (output, errors)):
            selector.register(file, selectors.EVENT_READ, kept)
        while selector.get_map():
            ready = selector.select(max(0.0, end - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _events in ready:
                chunk = os.read(key.fd, _CHUNK_BYTES)
                if not chunk:
                    selector.unregister(key.fileobj)
                key.data.extend(chunk)
            del errors[_ERROR_BYTES:]
            if len(output) > most:
                raise TooMuch
    return bytes(output), bytes(errors)


def _await_exit(process: subprocess.Popen[bytes], end: float) -> None:
    """Wait until the command has ended, and leave it to be reaped."""
    # Its number is its own until then, so that its group can be signalled.
    while not os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
        if time.monotonic() >= end:
            raise TimeoutError
        time.sleep(0.002)


def _signal_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a command that was not reaped yet, and all that it started in its group."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
