# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of libraries that are not there, too old or broken: once in words, once with real folders of files."""

from __future__ import annotations

import json
import pathlib
import shlex
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.proxkit.tasks.plugins.module_utils._client import libraries as _libraries
from ansible_collections.proxkit.tasks.plugins.module_utils._client.libraries import missing_or_old, sentence

PIP = f"run {shlex.quote(sys.executable)} -m pip install"
NEW = "'proxmoxer>=2.0.1'"


def test_what_the_tests_run_on_is_good() -> None:
    assert missing_or_old() is None


@pytest.mark.parametrize("version", ["2.0.1", "2.0.1.post1", "2.0.2", "2.1", "2.3.0", "2.10.0", "3.0.0b1", "10.0"])
def test_new_enough(version: str) -> None:
    assert sentence([], {}, version) is None


@pytest.mark.parametrize("version", [None, "", "unknown", "git", 2, ("2", "0")])
def test_a_version_that_nobody_can_read_is_given_a_try(version: t.Any) -> None:
    assert sentence([], {}, version) is None


@pytest.mark.parametrize("version", ["0.9", "1.0.0", "1.3.1", "1.10.12", "2.0", "2.0.0", "2.0.0rc1"])
def test_too_old(version: str) -> None:
    text = sentence([], {}, version)
    assert text
    assert f"has proxmoxer {version}, but 2.0.1 or later is needed: {PIP} {NEW} there" in text
    assert "the distribution's python3-proxmoxer;" in text


@pytest.mark.parametrize(
    ("missing", "broken", "version", "says", "installs"),
    [
        (["proxmoxer", "requests"], {}, None, "lacks the libraries proxmoxer and requests:", f"{NEW} requests"),
        (["proxmoxer"], {}, None, "lacks the library proxmoxer:", NEW),
        (["requests"], {}, "2.3.0", "lacks the library requests:", "requests"),
        (
            ["requests"],
            {},
            "1.3.1",
            "lacks the library requests and has proxmoxer 1.3.1, but 2.0.1 or later is needed:",
            f"{NEW} requests",
        ),
        (
            [],
            {"requests": "No module named 'idna'"},
            "2.3.0",
            "cannot import requests (No module named 'idna'):",
            "requests",
        ),
    ],
)
def test_all_that_is_wrong_is_told_in_one_sentence(
    missing: list[str], broken: dict[str, str], version: str | None, says: str, installs: str
) -> None:
    text = sentence(missing, broken, version)
    assert text
    assert text.startswith(f"Python {sys.version.split(maxsplit=1)[0].rstrip('+')} ({sys.executable} on ")
    assert f") {says} {PIP} {installs} there (where pip refuses, install the distribution's python3-" in text
    assert f"; where pipx installed Ansible, run pipx inject ansible-core {installs}, or ansible for" in text
    assert ("python3-proxmoxer" in text, "python3-requests" in text) == (NEW in installs, "requests" in installs)
    assert text.endswith("), or let ansible_python_interpreter name a Python that has what is needed.")
    assert text.count(". ") == 0


# What https backends do that import requests: old and new proxmoxer alike.
BACKEND = "try:\n    import requests\nexcept ImportError:\n    import sys\n    sys.exit(1)\n"
REQUESTS = "__version__ = '2.32.0'\n"
CASES: dict[str, tuple[dict[str, str], str | None]] = {
    "neither": ({}, "lacks the libraries proxmoxer and requests:"),
    "requests": ({"requests": REQUESTS}, "lacks the library proxmoxer:"),
    "proxmoxer": ({"proxmoxer": "__version__ = '2.3.0'\n"}, "lacks the library requests:"),
    "both": ({"proxmoxer": "__version__ = '2.0.1'\n", "requests": REQUESTS}, None),
    "old": (
        {"proxmoxer": "__version__ = '1.3.1'\n", "requests": REQUESTS},
        "has proxmoxer 1.3.1, but 2.0.1 or later is needed:",
    ),
    "old alone": ({"proxmoxer": f"{BACKEND}__version__ = '1.0.0'\n"}, "lacks the library requests and cannot import"),
    "half": (
        {"proxmoxer": "__version__ = '2.3.0'\n", "requests": "import idna_that_is_not_there\n"},
        "cannot import requests (No module named 'idna_that_is_not_there'):",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_finds_what_there_is(tmp_path: pathlib.Path, case: str) -> None:
    packages, says = CASES[case]
    for name, text in packages.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text)
    program = (
        "import json, runpy, sys\n"
        f"print(json.dumps(runpy.run_path({_libraries.__file__!r})['missing_or_old']()), sorted(sys.modules))"
    )
    command = [sys.executable, "-I", "-S", "-c", f"import sys\nsys.path.append({str(tmp_path)!r})\n{program}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - the program above
    text, loaded = done.stdout.split("\n", 1)[0].rsplit(" [", 1)[0], done.stdout
    assert "'importlib.metadata'" not in loaded
    told = json.loads(text)
    assert (told is None) == (says is None)
    assert says is None or says in told
