# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The developer's entry point: ``python3 dev.py``; ``demo`` and ``test`` are the commands to begin with.

Starts on any Python >= 3.9 and needs nothing installed. It looks for the newest Python that ansible-core and the tools
run on, installs the pinned requirement files into virtual environments of the checkout (``.venv`` for the checks,
``.dev/venv-demo`` for the demo) and gives every check a copy of the tree, a HOME and a temporary folder of its own:
some tools insist on the path ``ansible_collections/proxkit/tasks``, and no check may see another's leftovers or your
settings.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import configparser
import contextlib
import dataclasses
import filecmp
import functools
import glob
import hashlib
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import typing as t

ROOT = pathlib.Path(__file__).resolve().parent
DEV = ROOT / ".dev"
LOGS = DEV / "logs"
COLLECTION = "ansible_collections/proxkit/tasks"
TOOLS = (11, 12, 13)  # Pythons (3.x) on which the pinned tools were tried
SETTINGS = re.compile("(ANSIBLE|COVERAGE|GALAXY|MOLECULE|MYPY|PROXMOX|PYTEST|PYTHON|VIRTUAL_ENV|XDG)")
NOT_SOURCE = {".git", ".dev", ".venv", ".ansible", ".hypothesis", "__pycache__", "output", "node_modules"}
TIME_LIMIT = 900.0  # seconds for one command, several times what the slowest takes


T = t.TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Check:
    """One line of the quality gate; it passes where all commands end with 0. ``seconds`` only orders the run."""

    name: str
    seconds: int
    commands: tuple[str, ...]
    cwd: str = COLLECTION


class Runner:
    """Runs commands in process groups of their own, so that an interrupt ends them with all that they started."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopping = threading.Event()

    def run(
        self,
        command: str,
        *,
        cwd: pathlib.Path,
        env: dict[str, str],
        out: t.Optional[t.IO[bytes]] = None,
        limit: t.Optional[float] = TIME_LIMIT,
    ) -> int:
        """Exit status of the command, 124 past the time limit; its output goes to ``out`` or the terminal."""
        if self._stopping.is_set():
            return 130
        process = subprocess.Popen(
            shlex.split(command),
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out and subprocess.STDOUT,
            start_new_session=True,
        )
        self._running.add(process)
        try:
            # Who stopped everything while it was started has not seen it.
            return 130 if self._stopping.is_set() else process.wait(limit)
        except subprocess.TimeoutExpired:
            return 124
        finally:
            end_group(process)
            self._running.discard(process)

    def stop(self) -> None:
        """End what runs and let nothing new start."""
        self._stopping.set()
        for process in tuple(self._running):
            end_group(process)


def run_each(
    commands: t.Iterable[str], runner: Runner, out: t.IO[bytes], *, cwd: pathlib.Path, env: dict[str, str]
) -> int:
    """Exit status of the first command that fails, else 0; ``out`` gets each one that is run and what it says."""
    for command in commands:
        out.write(f"$ {command}\n".encode())
        out.flush()
        code = runner.run(command, cwd=cwd, env=env, out=out)
        if code:
            return code
    return 0


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a command and every process it left in its group: asked first, killed when it ended or after 10 s."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        os.killpg(process.pid, signal.SIGKILL)  # what is left of it


@functools.cache
def find_pythons() -> dict[int, str]:
    """The Pythons 3.9 to 3.14 that start and can make virtual environments, by minor version, newest first."""
    roots = [root for root in (os.environ.get("PYENV_ROOT"), os.path.expanduser("~/.pyenv")) if root]
    found: dict[int, str] = {}
    for minor in range(14, 8, -1):
        patterns = [f"{root}/versions/3.{minor}.*/bin/python3.{minor}" for root in roots]
        known = [path for pattern in patterns for path in sorted(glob.glob(pattern), reverse=True)]
        for candidate in filter(None, [shutil.which(f"python3.{minor}"), *known]):
            # Only running it tells: version managers put stand-ins on PATH that fail, distributions split off venv.
            probe = [candidate, "-c", "import ensurepip, ssl, sys, venv; print(sys.base_prefix)"]
            done = subprocess.run(probe, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                found[minor] = f"{done.stdout.strip()}/bin/python3.{minor}"
                break
    return found


PARTS = ("plugins", "tests", "conftest.py", "dev.py", "docs", "noxfile.py", "release")
TYPED = " ".join(f"{COLLECTION}/{part}" for part in PARTS)
TARGETS = "tests/unit/plugins/module_utils/ tests/unit/plugins/modules/"
UNITS = f"ansible-test units --venv --color no --python 3.{min(find_pythons(), default=11)} {TARGETS}"
PYTEST = "python -m pytest -p no:cacheprovider"
COVERAGE = "--cov --cov-report=term-missing:skip-covered"
LINT_DOCS = "antsibull-docs lint-collection-docs"
WORKFLOWS = " ".join(f".github/workflows/{name}.yml" for name in ("ci", "certification", "release"))
CHECKS = (
    Check("sanity", 100, ("ansible-test sanity --venv --color no",)),
    Check("molecule", 340, ("molecule test --all",)),
    # What targets run, on the oldest Python with the oldest proxmoxer (tests/unit/requirements.txt). The check "pytest"
    # runs all unit tests on the newest Python with the newest one.
    Check("ansible-units", 80, (UNITS,)),
    # Where a contributor runs it: in the checkout itself, whatever its folder is called. Many of the tests wait.
    Check("pytest", 70, (f"{PYTEST} -n 3 --dist worksteal tests/unit {COVERAGE}",), str(ROOT)),
    # The documentation's playbooks.
    Check("examples", 70, (f"{PYTEST} tests/docs",), str(ROOT)),
    # The oldest of all that is supported, in short; "dev.py matrix" tries every ansible-core at length.
    Check("oldest", 130, ("python tests/matrix.py --brief",), str(ROOT)),
    # The same calls in Ansible's own process and by module.
    Check("both-ways", 60, (f"{PYTEST} tests/both_ways",), str(ROOT)),
    # The other way that a clone can lie: all files are found there, and what they import is the clone itself.
    Check("laid-out", 8, ("pytest --collect-only -qq", "pytest tests/unit/test_architecture.py")),
    # A rehearsal of "dev.py release": the archive, built twice, installed and shown to Galaxy's importer.
    Check("package", 20, ("python -m release",)),
    # Other examples each time; longer by hand.
    Check("fuzz", 14, ("python tests/fuzz.py 10",), str(ROOT)),
    Check("ansible-lint", 15, ("ansible-lint --offline --strict",)),
    Check("docs", 12, (f"{LINT_DOCS} --plugin-docs --validate-collection-refs all .", "python docs/build.py")),
    Check("demo", 15, (f"python {shlex.quote(str(ROOT / 'dev.py'))} demo",)),
    Check("mypy", 8, (f"mypy --config-file {COLLECTION}/pyproject.toml {TYPED}",), "."),
    Check("changelog", 3, ("antsibull-changelog lint",)),
    Check("nox", 4, ("nox --no-venv -e license-check extra-checks",)),
    Check("workflows", 2, (f"check-jsonschema --builtin-schema vendor.github-workflows {WORKFLOWS}",)),
    Check("yamllint", 2, ("yamllint --strict .",)),
    Check("ruff", 1, ("ruff check --no-cache .", "ruff format --no-cache --diff .")),
)
MUTATION = "ansible_collections.proxkit.tasks.tests.mutation"
DEMO = "ansible-playbook -i localhost, examples/demo.yml"


def make_venv(folder: pathlib.Path, requirements: str) -> pathlib.Path:
    """The Python of a virtual environment on the newest Python, with a requirement file installed."""
    fallback = sys.executable if sys.version_info >= (3, min(TOOLS)) else ""
    python = next((path for minor, path in find_pythons().items() if minor in TOOLS), fallback)
    if not python:
        sys.exit("dev.py needs Python 3.11, 3.12 or 3.13 (with venv) and found none on PATH or under pyenv.")
    return install(folder, python, ["-r", requirements])


def install(folder: pathlib.Path, python: str, wanted: t.Sequence[str]) -> pathlib.Path:
    """The Python of a virtual environment with what pip is told to install; made anew when that or Python changed."""
    files = [path.read_bytes() for path in sorted(ROOT.glob("requirements-*.txt"))]
    stamp = hashlib.sha256(b"\0".join([python.encode(), *(text.encode() for text in wanted), *files])).hexdigest()
    stamp_file, venv_python = folder / "dev-stamp", folder / "bin" / "python"
    if stamp_file.is_file() and stamp_file.read_text() == stamp and venv_python.exists():
        return venv_python
    what = " ".join(wanted)
    print(f"Installing {what} into {folder.relative_to(ROOT)} with {python} ...", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    pip = [str(venv_python), "-m", "pip", "install", "--progress-bar=off", *wanted]
    for command in ([python, "-m", "venv", str(folder)], pip):
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            sys.exit(f"{done.stdout.decode(errors='replace')}\nInstalling {what} failed, see above.")
    stamp_file.write_text(stamp)  # last, so that an interrupted installation is never taken for a whole one
    return venv_python


def source_files() -> set[str]:
    """Relative paths of the project's files: what git tracks or would track, else everything but known leftovers."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    else:
        inside = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
        listed = [str(path) for path in inside if NOT_SOURCE.isdisjoint(path.parts)]
    return {name for name in listed if name and (ROOT / name).is_file()}


def stage(tree: pathlib.Path) -> None:
    """Make ``tree`` a copy of the project; only ``tests/output`` stays, where ansible-test keeps its environments.

    In a checkout the copy becomes one too: tools that ask git would else find the outer one, which ignores the copy.
    """
    wanted = source_files()
    if (ROOT / ".git").exists():
        subprocess.run(["git", "init", "--quiet", str(tree)], check=True)
    for folder, folders, names in os.walk(tree):
        relative = pathlib.Path(folder).relative_to(tree)
        folders[:] = [name for name in folders if str(relative / name) not in (".git", "tests/output")]
        for name in names:
            if str(relative / name) not in wanted:
                (tree / relative / name).unlink()
    for name in wanted:
        if not (tree / name).is_file() or not filecmp.cmp(ROOT / name, tree / name, shallow=False):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)


@contextlib.contextmanager
def environment(python: pathlib.Path, folder: pathlib.Path) -> t.Iterator[dict[str, str]]:
    """Variables for a command: the environment's tools, a HOME and a temporary folder of its own, no settings of yours.

    Only pip's stay, written down as a file in that HOME: ansible-test hands no ``PIP_*`` variable to its pip.
    """
    home = folder / "home"
    (home / ".config/pip").mkdir(parents=True, exist_ok=True)
    config = configparser.RawConfigParser()
    config.read([os.path.expanduser("~/.pip/pip.conf"), os.path.expanduser("~/.config/pip/pip.conf")])
    ask = [str(python), "-m", "pip", "cache", "dir"]
    cache = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
    given = {name[4:].lower().replace("_", "-"): value for name, value in os.environ.items() if name.startswith("PIP_")}
    config.read_dict({"global": {"cache-dir": cache, **given} if cache else given})
    with (home / ".config/pip/pip.conf").open("w") as file:
        config.write(file)
    bins = [python.parent, *(pathlib.Path(path).parent for path in find_pythons().values())]
    with tempfile.TemporaryDirectory(prefix="proxkit-") as scratch:
        yield {
            **{name: value for name, value in os.environ.items() if not SETTINGS.match(name)},
            "HOME": str(home),
            "TMPDIR": scratch,
            "PATH": os.pathsep.join([*map(str, bins), os.environ.get("PATH", os.defpath)]),
            "LC_ALL": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "COVERAGE_FILE": str(folder / "coverage"),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
            "ANSIBLE_COLLECTIONS_PATH": str(folder),
            "ANSIBLE_PYTHON_INTERPRETER": str(python),
            "ANSIBLE_LOCALHOST_WARNING": "false",
        }


def provide_get_pip(python: pathlib.Path, cache: pathlib.Path) -> None:
    """Put the get-pip script there that ansible-test else fetches from its own server, made of the index's pip."""
    (source,) = python.parent.parent.glob("lib/python*/site-packages/ansible_test/_internal/python_requirements.py")
    version = re.findall(r"pip='([\d.]+)'", source.read_text())[-1]
    wheel = cache / f"pip-{version}-py3-none-any.whl"
    if not wheel.is_file():
        download = [str(python), "-m", "pip", "download", "--no-deps", "--dest", str(cache), f"pip=={version}"]
        subprocess.run(download, check=True, capture_output=True)
    (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(
        "import runpy, sys\n"
        f"sys.path.insert(0, {str(wheel)!r})\n"
        "given = [a for a in sys.argv[1:] if a not in ('--no-setuptools', '--no-wheel')]\n"
        f"sys.argv[1:] = ['install', '--find-links', {str(cache)!r}, *given]\n"
        "runpy.run_module('pip', run_name='__main__', alter_sys=True)\n"
    )


def run_check(check: Check, runner: Runner, python: pathlib.Path) -> tuple[int, float, str]:
    """Exit status, seconds and output of one check."""
    folder, begun = DEV / check.name, time.monotonic()
    log = LOGS / f"{check.name}.log"
    stage(folder / COLLECTION)
    with environment(python, folder) as env, log.open("wb") as out:
        try:
            if check.commands[0].startswith("ansible-test"):
                provide_get_pip(python, folder / "home/.ansible/test/cache")
            code = run_each(check.commands, runner, out, cwd=folder / check.cwd, env=env)
        except (OSError, subprocess.CalledProcessError) as error:  # the other checks have a right to run
            out.write(f"{error}\n".encode())
            code = 1
    return code, time.monotonic() - begun, log.read_text(errors="replace")


def test(names: list[str], runner: Runner) -> int:
    """Run the named checks, or all: two at a time, the longest first, every one to its end."""
    unknown = set(names) - {check.name for check in CHECKS}
    if unknown:
        sys.exit(f"no such check: {', '.join(sorted(unknown))}; 'python3 dev.py list' shows them")
    python = make_venv(ROOT / ".venv", "requirements-dev.txt")
    LOGS.mkdir(parents=True, exist_ok=True)
    results: dict[str, tuple[int, float, str]] = {}
    checks = sorted((c for c in CHECKS if not names or c.name in names), key=lambda check: -check.seconds)

    def run(check: Check) -> None:
        code, seconds, output = results[check.name] = run_check(check, runner, python)
        print(f"\n{output}" * bool(code) + f"{check.name:16}{verdict(code):10}{seconds:5.0f} s", flush=True)

    two_at_a_time(run, checks, runner)
    print("\nAll together:")
    for check in checks:
        code, seconds, _output = results[check.name]
        print(f"{check.name:16}{verdict(code):10}{seconds:5.0f} s   .dev/logs/{check.name}.log")
    for _code, _seconds, output in results.values():
        for counts in re.findall(r"^=+ (.*\d+ (?:passed|failed).* in [\d.]+s.*) =+$", output, re.MULTILINE):
            print(counts)
    failed = sum(1 for code, _seconds, _output in results.values() if code)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


def two_at_a_time(work: t.Callable[[T], None], items: t.Iterable[T], runner: Runner) -> None:
    """Do the work for each item, in two threads; whatever goes wrong ends what the runner runs."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            for future in concurrent.futures.as_completed(futures):
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            runner.stop()
            raise


def verdict(code: int) -> str:
    """The word for an exit status."""
    return {0: "ok", 124: "too long"}.get(code, "FAILED")


def run_staged(
    command: str, name: str, python: pathlib.Path, runner: Runner, limit: t.Optional[float] = TIME_LIMIT
) -> int:
    """Exit status of a command, run in a copy of the project that is its own, its output on the terminal."""
    folder = DEV / f"run-{name}"
    stage(folder / COLLECTION)
    with environment(python, folder) as env:
        # A failed wait carries much: as YAML a person can read it.
        more = {"PYTHONPATH": str(folder), "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml"}
        return runner.run(command, cwd=folder / COLLECTION, env={**env, **more}, limit=limit)


def demo(runner: Runner) -> int:
    """Run the main job end to end on the embedded endpoint, printed as Ansible prints it."""
    return run_staged(DEMO, "demo", make_venv(DEV / "venv-demo", "requirements-demo.txt"), runner)


def release(runner: Runner) -> int:
    """Lay out in ``.dev/release`` what a tag of this commit would publish, or say what stands in the way."""
    python = make_venv(ROOT / ".venv", "requirements-dev.txt")
    return run_staged(f"python -m release {shlex.quote(str(ROOT))}", "release", python, runner)


def mutation(paths: list[str], runner: Runner) -> int:
    """Change the pure files, one thing at a time, and tell which changes no test notices: an hour or more for all."""
    python = make_venv(ROOT / ".venv", "requirements-dev.txt")
    survivors = LOGS / "mutation.diff"
    LOGS.mkdir(parents=True, exist_ok=True)
    command = shlex.join(["python", "-m", MUTATION, "--survivors", str(survivors), *paths])
    code = run_staged(command, "mutation", python, runner, limit=None)
    print(f"What no test notices: {survivors.relative_to(ROOT)}")
    return code


def neighbours(runner: Runner) -> int:
    """Play with others' software: a fake Proxmox VE that is not ours, and community.proxmox; about 90 s."""
    python = make_venv(DEV / "venv-neighbours", "requirements-neighbours.txt")
    return run_staged(f"{PYTEST} tests/neighbours", "neighbours", python, runner)


def interruptible(work: t.Callable[[Runner], int]) -> int:
    """Exit status of the work; 130 after Ctrl-C or a request to end, once all that the runner runs was ended."""

    def interrupt(_signal: int, _frame: object) -> t.NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    # Shells let what is started in the background ignore it, and all that it starts: tests that interrupt would hang.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    runner = Runner()
    try:
        return work(runner)
    except KeyboardInterrupt:
        runner.stop()
        print("interrupted", file=sys.stderr)
        return 130


def main() -> int:
    """Do what the command line says; exit status 130 after an interrupt."""
    parser = argparse.ArgumentParser(description="Work on proxkit.tasks.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="show the main job on the embedded endpoint")
    commands.add_parser("test", help="run the checks, all or those named").add_argument("names", nargs="*")
    commands.add_parser("list", help="list the checks and their commands")
    commands.add_parser("matrix", help="try every supported ansible-core (--help: a part of it)", add_help=False)
    commands.add_parser("release", help="build and check a release of this commit, into .dev/release")
    commands.add_parser("neighbours", help="play with a fake and with modules that others wrote")
    mutants = commands.add_parser("mutation", help="tell which changes of the pure files no test notices")
    mutants.add_argument("paths", nargs="*", metavar="PATH[:FIRST-LAST]", help="default: all of them")
    arguments, others = parser.parse_known_args()
    if others and arguments.command != "matrix":
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    for name in [name for name in os.environ if name.startswith("GIT_")]:  # as a git hook has them
        del os.environ[name]
    if arguments.command == "matrix":  # which takes signals better without a parent
        os.execv(sys.executable, [sys.executable, str(ROOT / "tests/matrix.py"), *others])
    if arguments.command == "list":
        for check in CHECKS:
            print(f"{check.name:16}{' && '.join(check.commands)}")
        return 0
    work: dict[str, t.Callable[[Runner], int]] = {
        "demo": demo,
        "test": lambda runner: test(arguments.names, runner),
        "release": release,
        "neighbours": neighbours,
        "mutation": lambda runner: mutation(arguments.paths, runner),
    }
    return interruptible(work[arguments.command])


if __name__ == "__main__":
    sys.exit(main())
