# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation, executed: examples run against the mocked endpoint, documented results are held to real ones."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import pathlib
import re
import subprocess
import sys
import typing as t

import pytest
import yaml
from ansible_collections.proxkit.tasks.tests.mock_endpoint import (
    OTP_CODE,
    OTP_PASSWORD,
    OTP_USER,
    ROOT_PASSWORD,
    TOKEN_ID,
    TOKEN_SECRET,
    Mock,
    serve,
)

if t.TYPE_CHECKING:
    from .conftest import Call

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = "ansible_collections/proxkit/tasks"
MODULES = tuple(sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py")))
PLUGINS = tuple(
    (kind, path.stem) for kind in ("filter", "test") for path in sorted((ROOT / "plugins" / kind).glob("*.py"))
)
GUIDES = tuple(sorted(path.stem for path in (ROOT / "docs/docsite/rst").glob("*.rst")))
HOSTS = ("127.0.0.1", "127.0.0.2")

# What examples say and a test cannot have, and what it has instead. All else is run as it is written.
STAND_INS = {
    ":8006/": ":{{ proxmox_port }}/",  # the endpoint listens on a free port
    "pve1.example.com": HOSTS[0],  # there is no name server
    "pve2.example.com": HOSTS[1],
}
# Keys that Ansible knows of every module, which their own documentation does not repeat.
ANSIBLES_OWN = {"failed", "changed", "warnings", "invocation", "exception", "deprecations"}

# Writes a line for each result, so that the test sees values and not what a terminal shows of them.
CALLBACK = """
import json, os
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME = 2.0, "notification", "results"

    def write(self, result, *args, **kwargs):
        task = result._task if hasattr(result, "_task") else result.task
        values = result._result if hasattr(result, "_result") else result.result
        row = {"task": task.name, "action": task.action, "result": self._clean(values)}
        with open(os.environ["RESULTS_FILE"], "a") as file:
            file.write(json.dumps(row, default=str) + "\\n")

    def _clean(self, values):
        return {key: value for key, value in values.items() if not key.startswith("_ansible")}

    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_skipped = v2_runner_on_unreachable = write
"""

Tasks = list[dict[str, t.Any]]


# What is documented


def documents(kind: str, name: str) -> t.Any:
    """A plugin's file as a module."""
    return importlib.import_module(f"ansible_collections.proxkit.tasks.plugins.{kind}.{name}")


def code_blocks(guide: str, language: str) -> list[str]:
    """The code blocks of a guide in one language."""
    text = (ROOT / f"docs/docsite/rst/{guide}.rst").read_text(encoding="utf-8")
    found = re.findall(rf"^\.\. code-block:: {re.escape(language)}\n\n((?:    .*\n|\n)+)", text, re.MULTILINE)
    return [re.sub("^    ", "", block, flags=re.MULTILINE) for block in found]


def examples() -> dict[str, str]:
    """All examples, YAML of task lists, by where they stand."""
    texts = {f"{kind}/{name}": documents(kind, name).EXAMPLES for kind, name in PLUGINS}
    texts.update({f"modules/{name}": documents("modules", name).EXAMPLES for name in MODULES})
    texts.update({guide: "".join(code_blocks(guide, "yaml+jinja")) for guide in GUIDES})
    return texts


EXAMPLES = examples()


@pytest.mark.parametrize("where", EXAMPLES)
def test_an_example_is_a_list_of_named_tasks_with_full_names(where: str) -> None:
    tasks = yaml.safe_load(EXAMPLES[where])
    assert tasks
    for task in tasks:
        assert re.match("[A-Z]", task["name"])
        used = {key for key in task if "." in key}
        assert used or "block" in task
        assert all(re.fullmatch(r"(ansible\.builtin|proxkit\.tasks)\.\w+", key) for key in used)


@pytest.mark.parametrize("text", STAND_INS)
def test_a_stand_in_is_needed(text: str) -> None:
    assert any(text in example for example in EXAMPLES.values())


# Running playbooks


@dataclasses.dataclass(frozen=True)
class Played:
    """How a playbook ended: exit status, output, and one row for each task that ran."""

    code: int
    output: str
    rows: list[dict[str, t.Any]]


def play(
    mock: Mock, folder: pathlib.Path, playbook: pathlib.Path, environment: t.Optional[dict[str, str]] = None
) -> Played:
    """Run a playbook as a user does who installed the collection; the configuration is the guide's own.

    ``environment`` replaces the connection's variables.
    """
    installed = folder / "home/.ansible/collections" / NAME
    installed.parent.mkdir(parents=True)
    installed.symlink_to(ROOT, target_is_directory=True)
    (config,) = code_blocks("guide_upids", "ini")
    (folder / "ansible.cfg").write_text(config)
    (folder / "callback").mkdir()
    (folder / "callback/results.py").write_text(CALLBACK)
    results = folder / "results"
    results.touch()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PROXMOX_"))}
    done = subprocess.run(  # noqa: S603 - the tests' own playbooks, without a shell
        [sys.executable, "-m", "ansible.cli.playbook", "-i", "localhost,", "-c", "local", str(playbook)],
        cwd=folder,
        env={
            **inherited,
            "HOME": str(folder / "home"),
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_CALLBACK_PLUGINS": str(folder / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "results",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "RESULTS_FILE": str(results),
            "LC_ALL": "C.UTF-8",
            **(_exported(mock) if environment is None else environment),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return Played(done.returncode, done.stdout, [json.loads(line) for line in results.read_text().splitlines()])


@pytest.fixture
def company() -> t.Iterator[Mock]:
    """A cluster with certificates that ``uri`` takes on every Python, unlike those of PVE's own authority."""
    with serve(hosts=HOSTS, key_usage=True) as mock:
        yield mock


def test_all_examples_run_and_say_what_they_promise(company: Mock, tmp_path: pathlib.Path) -> None:
    company.scripts(type="vzdump", duration=0.3)
    company.scripts(type="qmstart", times=None, duration=0.3)
    company.tasks(upid="UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:", duration=60, log=["a", "b"])
    company.tasks(node="pve2", type="vzdump", id="110", start=-300, duration=60, exitstatus="job errors", log=["c"])
    company.tasks(node="pve2", type="vzdump", id="111", duration=None)
    migrations = company.tasks(node=["pve1", "pve2"], type="qmigrate", id=100, duration=0.5, count=3)["upids"]
    failed = company.tasks(type="vzdump", id="103", start=-9, duration=5, exitstatus="job errors")["upids"]
    company.settings(ha_delay=0.5, stop_seconds=0.2)
    request = company.tasks(node="pve2", type="hamigrate", id="111", duration=0.1)["upids"]
    company.tasks(node="pve2", type="qmigrate", id="111", user="root@pam", start=0.5, duration=1)
    variables = {
        **_credentials(company),
        "migrations": {"results": [{"json": {"data": upid}} for upid in migrations]},
        "started": {"results": [{"json": {"data": upid}} for upid in [*migrations, *failed]]},
        "ha_request": {"json": {"data": request[0]}},
        "api": f"https://{company.host}:{company.port}/api2/json",
        "token": f"{TOKEN_ID}={TOKEN_SECRET}",
    }
    plays = [yaml.safe_load(example) for example in EXAMPLES.values()]

    played = play(company, tmp_path, _playbook(tmp_path, plays, variables))

    assert played.code == 0, played.output
    wanted = [name for example in EXAMPLES.values() for name in _names(yaml.safe_load(example))]
    assert [row["task"] for row in played.rows] == wanted
    said = [row["result"]["msg"] for row in played.rows if row["action"] == "ansible.builtin.debug"]
    promised = _promised()
    assert promised
    for name, message in promised.items():
        (told,) = [row["result"]["msg"] for row in played.rows if row["task"] == name and "msg" in row["result"]]
        assert str(told) == str(message)
    assert all(said), "a message that is empty shows nothing"
    for row in played.rows:
        if row["action"].startswith("proxkit.tasks."):
            check_result(row["action"].rpartition(".")[2], row["result"])


def test_one_code_is_enough_for_several_tasks(company: Mock, tmp_path: pathlib.Path) -> None:
    [upid] = company.tasks(type="vzdump", id="100", start=-9, duration=5, exitstatus="job errors")["upids"]
    tasks = yaml.safe_load(EXAMPLES["guide_authentication"])
    names = [task["name"] for task in tasks]
    first, last = names.index("Log in"), names.index("Do all else with the ticket")
    who = {"proxmox_user": OTP_USER, "proxmox_password": OTP_PASSWORD, "proxmox_otp": OTP_CODE}
    company.reset_counters()

    playbook = _playbook(tmp_path, [tasks[first : last + 1]], {**_credentials(company), **who})
    played = play(company, tmp_path, playbook, {"PROXMOX_PORT": str(company.port)})

    assert played.code == 0, played.output
    assert [row["task"] for row in played.rows] == list(_names(tasks[first : last + 1]))
    assert [task["upid"] for task in played.rows[-1]["result"]["tasks"]] == [upid]
    counters = company.counters()
    assert counters["failed_logins"] == counters["failed_authentications"] == 0
    assert not [secret for secret in (OTP_PASSWORD, OTP_CODE) if secret in played.output]


def test_the_first_playbook_of_the_readme_is_the_example() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    header, separator, playbook = (ROOT / "examples/first_playbook.yml").read_text(encoding="utf-8").partition("---\n")
    assert separator
    assert all(line.startswith("#") for line in header.splitlines())
    assert block == playbook


@pytest.mark.parametrize(
    ("exitstatus", "code", "last"),
    [
        ("OK", 0, {"task": "Go on with what needs the backup", "says": "vzdump 100 on pve1 ended OK"}),
        ("job errors", 2, {"task": "Say why there is no backup", "says": "vzdump 100 on pve1 failed: job errors"}),
    ],
)
def test_the_first_playbook_acts_on_how_the_job_ended(
    company: Mock, tmp_path: pathlib.Path, exitstatus: str, code: int, last: dict[str, str]
) -> None:
    company.scripts(type="vzdump", duration=0.3, exitstatus=exitstatus, log=[[0.1, "INFO: Starting Backup of VM 100"]])
    played = play(company, tmp_path, ROOT / "examples/first_playbook.yml")
    assert played.code == code, played.output
    assert played.rows[-1]["task"] == last["task"]
    assert played.rows[-1]["result"]["msg"].startswith(last["says"])
    assert ("TASK ERROR: job errors" in played.output) == bool(code)


def test_the_readme_names_everything_that_is_included() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    kinds = {"modules": "module", "filter": "filter", "test": "test", "roles": "role"}
    there = {(name, "module") for name in MODULES} | {(name, kinds[kind]) for kind, name in PLUGINS}
    there |= {(path.name, "role") for path in (ROOT / "roles").iterdir()}
    assert set(re.findall(r"^\| `proxkit\.tasks\.(\w+)` \| (\w+) \|", readme, re.MULTILINE)) == there
    assert code_blocks("guide_upids", "ini")[0].strip() in readme


def test_the_guide_lists_the_environment_variables_that_are_read() -> None:
    options = importlib.import_module("ansible_collections.proxkit.tasks.plugins.module_utils._module.options")
    guide = (ROOT / "docs/docsite/rst/guide_authentication.rst").read_text(encoding="utf-8")
    listed = re.findall(r"\* - ``(\w+)``\n     - :envvar:`(\w+)`", guide)
    assert listed == [(name, spec["fallback"][1][0]) for name, spec in options.CONNECTION_SPEC.items()]


def test_one_oldest_proxmoxer_is_named_everywhere() -> None:
    oldest = importlib.import_module(
        "ansible_collections.proxkit.tasks.plugins.module_utils._client.libraries"
    ).OLDEST_PROXMOXER
    pattern = r"proxmoxer *(?:>=|==)? *([0-9][0-9.]*[0-9])"
    for path in (
        "README.md",
        "meta/ee-requirements.txt",
        "plugins/doc_fragments/_proxmox.py",
        "tests/unit/requirements.txt",
    ):
        named = re.findall(pattern, (ROOT / path).read_text(encoding="utf-8"))
        assert set(named) == {oldest}, path


# Documented results


def check_result(module: str, result: dict[str, t.Any]) -> None:
    """A result has exactly the documented keys, at every depth, with values of the documented types."""
    documented = yaml.safe_load(documents("modules", module).RETURN)
    returned = {key: value for key, value in result.items() if key not in ANSIBLES_OWN}
    _check_dict(module, returned, documented)


def _check_dict(where: str, value: dict[str, t.Any], documented: dict[str, t.Any]) -> None:
    assert {spec["returned"] for spec in documented.values()} == {"always"}
    assert set(value) == set(documented), where
    for key, spec in documented.items():
        _check_value(f"{where}.{key}", value[key], spec)


def _check_value(where: str, value: t.Any, spec: dict[str, t.Any]) -> None:
    if value is None:
        assert spec["type"] == "raw" or re.search(r"\bnull\b", str(spec["description"])), f"{where} is null"
        return
    if spec["type"] == "raw":
        return
    kinds: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}
    # True and False are ints to Python, not to a reader.
    right = isinstance(value, kinds[spec["type"]]) and isinstance(value, bool) == (spec["type"] == "bool")
    assert right, f"{where} is {value!r}"
    if isinstance(value, list):
        for number, element in enumerate(value):
            _check_value(f"{where}[{number}]", element, {**spec, "type": spec["elements"], "description": ""})
    elif isinstance(value, dict):
        _check_dict(where, value, spec["contains"])


@pytest.mark.parametrize("module", MODULES)
def test_documented_samples_have_the_documented_types(module: str) -> None:
    def check(documented: dict[str, t.Any], where: str) -> None:
        for key, spec in documented.items():
            if "contains" in spec:
                check(spec["contains"], f"{where}.{key}")
            if "sample" in spec:
                _check_value(f"{where}.{key}", spec["sample"], spec)
            assert "sample" in spec or "contains" in spec, f"{where}.{key} shows no sample"

    check(yaml.safe_load(documents("modules", module).RETURN), module)


def test_task_dictionaries_are_documented_alike() -> None:
    tasks = [yaml.safe_load(documents("modules", name).RETURN)["tasks"]["contains"] for name in MODULES]
    assert all(task == tasks[0] for task in tasks)


def test_wait_returns_what_is_documented(call: Call, mock: Mock) -> None:
    backup = {"type": "vzdump", "id": "100", "log": ["INFO: starting", "INFO:  37% (3.0 GiB of 8.0 GiB) in 1s"]}
    [ok] = mock.tasks(**backup)["upids"]
    [bad] = mock.tasks(**backup, exitstatus="job errors")["upids"]
    [warned] = mock.tasks(exitstatus="WARNINGS: 2")["upids"]
    [killed] = mock.tasks(exitstatus=None)["upids"]
    [running] = mock.tasks(**backup, duration=None)["upids"]
    missing = "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"
    mock.settings(ha_delay=0.1, stop_seconds=0.1)
    mock.guest(vmid=100, ha=True)
    results = [
        call.wait(ok, log="always"),
        call.wait([ok, None, "OK"]),
        call.wait([]),
        call.wait(bad),
        call.wait([bad, warned, killed, missing, ok]),
        call.wait([bad, warned], fail_on="never", log="never"),
        call.wait([running, ok], timeout=0),
        call.wait([running, ok], timeout=0, on_timeout="continue"),
        call.wait([running, ok], check_mode=True),
        call.wait(running, timeout=0, on_timeout="stop"),
    ]
    for result in results:
        check_result("proxmox_task_wait", result)
    assert {result["failed"] for result in results} == {True, False}
    assert {task["outcome"] for result in results for task in result["tasks"]} >= {"ok", "warning", "error", "running"}
    _assert_all_seen("proxmox_task_wait", results, {"task_id", "remote", "follows"})


def test_info_returns_what_is_documented(call: Call, mock: Mock) -> None:
    log = ["INFO:  37% (3.0 GiB of 8.0 GiB) in 1s"]
    [ok] = mock.tasks(type="vzdump", log=log)["upids"]
    mock.tasks(type="vzdump", node="pve2", exitstatus="WARNINGS: 1", log=log)
    mock.tasks(type="vzdump", duration=None, log=log)
    missing = "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"
    mock.node(name="pve3", online=False)
    results = [
        call.info(log="always"),
        call.info(upids=[ok, missing, None]),
        call.info(upids=[]),
        call.info(node=["pve3"]),
        call.info(type=["qmstart"]),
    ]
    for result in results:
        check_result("proxmox_task_info", result)
    assert {result["failed"] for result in results} == {True, False}
    assert results[0]["unreachable_nodes"] == ["pve3"]
    _assert_all_seen("proxmox_task_info", results, {"task_id", "remote", "follows"})


def test_stop_returns_what_is_documented(call: Call, mock: Mock) -> None:
    mock.settings(stop_seconds=0.1, kill_seconds=30)
    [ok] = mock.tasks()["upids"]
    [running] = mock.tasks(type="vzdump", duration=None)["upids"]
    [stubborn] = mock.tasks(duration=None, ignores_term=True)["upids"]
    results = [
        call.stop([ok, running, "OK"], check_mode=True),
        call.stop([ok, running]),
        call.stop(stubborn, timeout=0.3),
        call.stop([]),
    ]
    for result in results:
        check_result("proxmox_task_stop", result)
    assert {result["failed"] for result in results} == {True, False}
    # Nobody asks this module for logs.
    _assert_all_seen("proxmox_task_stop", results, {"task_id", "remote", "follows", "log", "log_total", "progress"})


@pytest.mark.parametrize("module", MODULES)
def test_a_module_that_can_ask_nobody_returns_what_is_documented(
    module: str, capsys: pytest.CaptureFixture[str]
) -> None:
    testing = pytest.importorskip("ansible.module_utils.testing", reason="comes with ansible-core 2.19")
    options = {"api_host": "127.0.0.1:1", "api_token_id": TOKEN_ID, "api_token_secret": TOKEN_SECRET}
    upid = "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"
    with testing.patch_module_args({**options, "upids": upid}), pytest.raises(SystemExit):
        documents("modules", module).main()
    result = json.loads(capsys.readouterr().out)
    assert result["failed"] is True
    check_result(module, result)


def _assert_all_seen(module: str, results: list[dict[str, t.Any]], never: set[str]) -> None:
    """Each documented field of a task had a value somewhere, so its type was compared; those in ``never`` had none."""
    documented = yaml.safe_load(documents("modules", module).RETURN)["tasks"]["contains"]
    tasks = [task for result in results for task in result["tasks"]]
    assert {key for key in documented if all(task[key] is None for task in tasks)} == never


# Parts of the above


def _credentials(mock: Mock) -> dict[str, t.Any]:
    """The variables that examples read, for the user without a second factor."""
    return {
        "proxmox_host": mock.host,
        "proxmox_port": mock.port,
        "proxmox_token_id": TOKEN_ID,
        "proxmox_token_secret": TOKEN_SECRET,
        "proxmox_user": "root@pam",
        "proxmox_password": ROOT_PASSWORD,
        "proxmox_ca_path": mock.ca_path,
    }


def _exported(mock: Mock) -> dict[str, str]:
    """What a user exports for all playbooks."""
    return {
        "PROXMOX_HOST": mock.host,
        "PROXMOX_PORT": str(mock.port),
        "PROXMOX_TOKEN_ID": TOKEN_ID,
        "PROXMOX_TOKEN_SECRET": TOKEN_SECRET,
        "PROXMOX_CA_PATH": mock.ca_path,
    }


def _playbook(folder: pathlib.Path, plays: list[Tasks], variables: dict[str, t.Any]) -> pathlib.Path:
    """A play for each list of tasks, with the stand-ins."""
    common = {"hosts": "localhost", "gather_facts": False, "vars": variables}
    text = json.dumps([{**common, "tasks": tasks} for tasks in plays])
    for written, stand_in in STAND_INS.items():
        text = text.replace(written, stand_in)
    path = folder / "examples.yml"
    path.write_text(text)
    return path


def _names(tasks: Tasks) -> t.Iterator[str]:
    for task in tasks:
        if "block" in task:
            yield from _names([*task["block"], *task.get("rescue", ())])
        else:
            yield task["name"]


def _promised() -> dict[str, t.Any]:
    """What examples say in a comment that their message will be, by the task's name."""
    found = {}
    for text in EXAMPLES.values():
        for task in re.split("^(?=- name: )", text, flags=re.MULTILINE):
            comment = re.search("^# (msg: .*)$", task, re.MULTILINE)
            if comment:
                found[yaml.safe_load(task)[0]["name"]] = yaml.safe_load(comment[1])["msg"]
    return found
