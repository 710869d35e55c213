# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running tests on a mutant: in a process of its own, forked off one that has imported all but the collection."""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import json
import os
import pathlib
import resource
import signal
import sys
import tempfile
import time
import types
import typing as t

import pytest

COLLECTION = "ansible_collections.proxkit.tasks"
_OURS = ("ansible_collections", "conftest", "test", "_pytest.assertion", "__main")
_ARGUMENTS = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", "--hypothesis-profile=mutation")
# Modules that were there before pytest began cannot be rewritten by it, nor need they be.
_QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
_MEMORY = 2 << 30


class Trials:
    """Runs the same tests on one source after the other of a module."""

    def __init__(self, path: pathlib.Path, tests: t.Sequence[pathlib.Path]) -> None:
        self._name = f"{COLLECTION}.{'.'.join(path.with_suffix('').parts)}"
        self._path = str(path)
        # The nearest tests notice most, and the others take longer.
        self._steps = [[str(test) for test in step] for step in (tests[:1], tests[1:]) if step]
        self._seconds = 60.0  # of processor time for one test
        source = path.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder, "report")
            everything = [str(test) for test in tests]
            if self._run(source, everything, report) != pytest.ExitCode.OK:
                raise RuntimeError(f"the tests of {path} fail as it is: pytest {' '.join(map(str, tests))}")
            for name in json.loads(report.read_text())["modules"]:
                if not name.startswith(_OURS):
                    with contextlib.suppress(Exception):
                        importlib.import_module(name)
            # A child that collects garbage copies all of its parent's memory.
            gc.freeze()
            gc.disable()
            # Again, now that little has to be imported.
            self._run(source, everything, report)
            self._seconds = 1.0 + 3.0 * json.loads(report.read_text())["longest"]

    def survives(self, source: str) -> bool:
        """Whether all tests pass on it, within time and memory."""
        return all(self._run(source, step) == pytest.ExitCode.OK for step in self._steps)

    def _run(self, source: str, tests: list[str], report: pathlib.Path | None = None) -> int:
        sys.stdout.flush()
        child = os.fork()
        if not child:
            try:
                self._in_child(source, tests, report)
            finally:
                os._exit(70)
        try:
            _child, status = os.waitpid(child, 0)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)  # with all that its tests left
        return os.waitstatus_to_exitcode(status)

    def _in_child(self, source: str, tests: list[str], report: pathlib.Path | None) -> t.NoReturn:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(null, stream)
        sys.stdout = sys.stderr = io.StringIO()
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        sys.meta_path.insert(0, _Finder(_Loader(self._name, self._path, source)))
        watch = _Watch(self._seconds)
        code = pytest.main([*_ARGUMENTS, *_QUIET, *tests], plugins=[watch])
        if report:
            report.write_text(json.dumps({"modules": list(sys.modules), "longest": watch.longest}))
        os._exit(code)


class _Watch:
    """Ends the process where a test, or what is before the first one, takes too long."""

    def __init__(self, seconds: float) -> None:
        self.longest = 0.0
        self._seconds = seconds
        self._begin()

    def _begin(self) -> None:
        self._begun = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, self._seconds)
        signal.setitimer(signal.ITIMER_REAL, 20 * self._seconds)  # for those that wait for ever

    def pytest_runtest_logstart(self) -> None:
        self._begin()

    def pytest_runtest_logfinish(self) -> None:
        self.longest = max(self.longest, time.process_time() - self._begun)


class _Finder(importlib.abc.MetaPathFinder):
    """Gives one module another source."""

    def __init__(self, loader: _Loader) -> None:
        self._loader = loader

    def find_spec(
        self, name: str, path: t.Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self._loader) if name == self._loader.name else None


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_data(self, path: str) -> bytes:
        return self._source.encode()

    def path_stats(self, path: str) -> t.NoReturn:
        raise OSError("what was compiled before is of another source")
