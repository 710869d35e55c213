# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that only has to be read, and results of real calls held to what is documented of them."""

from __future__ import annotations

import importlib
import json
import re
import typing as t

import pytest
import yaml
from ansible_collections.proxkit.tasks.plugins.module_utils._model.progress import ProgressReader
from ansible_collections.proxkit.tasks.tests.mock_endpoint import TOKEN_ID, TOKEN_SECRET, Mock
from ansible_collections.proxkit.tasks.tests.unit.conftest import Call
from ansible_collections.proxkit.tasks.tests.unit.documented import (
    GUIDES,
    MODULES,
    PLUGINS,
    ROOT,
    check_result,
    check_value,
    code_blocks,
    documents,
)

# Texts


def test_the_first_playbook_of_the_readme_is_the_example() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    (block,) = [text for text in blocks if "hosts: " in text]
    header, separator, playbook = (ROOT / "examples/first_playbook.yml").read_text(encoding="utf-8").partition("---\n")
    assert separator
    assert all(line.startswith("#") for line in header.splitlines())
    assert block == playbook


def test_links_of_the_readme_lead_somewhere_from_anywhere() -> None:
    # Galaxy shows it without the files around it.
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    ours = "https://github.com/proxkit/tasks/blob/main/"
    assert links
    assert all(link.startswith(("https://", "#")) for link in links)
    for link in links:
        page, _mark, heading = (link.removeprefix(ours) if link[0] != "#" else f"README.md{link}").partition("#")
        if page.startswith("https://"):
            continue
        text = (ROOT / page).read_text(encoding="utf-8")
        titles = re.findall(r"^#+ (.+)$|^(.+)\n[-=^]{3,}$", text, re.MULTILINE)
        assert not heading or heading in {"".join(title).lower().replace(" ", "-") for title in titles}, link


def test_the_readme_names_everything_that_is_included() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    kinds = {"modules": "module", "filter": "filter", "test": "test", "roles": "role"}
    there = {(name, "module") for name in MODULES} | {(name, kinds[kind]) for kind, name in PLUGINS}
    there |= {(path.name, "role") for path in (ROOT / "roles").iterdir()}
    assert set(re.findall(r"^\| `proxkit\.tasks\.(\w+)` \| (\w+) \|", readme, re.MULTILINE)) == there
    assert code_blocks("guide_upids", "ini")[0].strip() in readme


def test_the_readme_names_every_example_and_guide() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in [*ROOT.glob("examples/*.yml"), *ROOT.glob("docs/docsite/rst/*.rst")]:
        # The demo has no use without the mocked endpoint.
        assert path.name == "demo.yml" or str(path.relative_to(ROOT)) in readme, path.name


def test_the_site_has_every_guide() -> None:
    sections = yaml.safe_load((ROOT / "docs/docsite/extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    assert sorted(name for section in sections for name in section["toctree"]) == list(GUIDES)


def test_the_readme_installs_what_is_here() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(collections:\n.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert [row["name"] for row in yaml.safe_load(block)["collections"]] == [f"{galaxy['namespace']}.{galaxy['name']}"]


def test_figures_of_the_guide_are_those_of_the_benchmarks() -> None:
    measured = {
        tuple(cell.strip() for cell in line.strip("|").split("|")[:4])
        for line in (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    }
    guide = (ROOT / "docs/docsite/rst/guide_performance.rst").read_text(encoding="utf-8")
    rows = re.findall(r"^ {3}\* - (.+)\n {5}- (.+)\n {5}- (.+)\n {5}- (.+)$", guide, re.MULTILINE)
    shown = [row for row in rows if row[0] != "What"]
    assert len(shown) > 10
    assert set(shown) <= measured


def test_the_house_is_drawn_once() -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (drawn,) = code_blocks("guide_inside", "text")
    assert f"```text\n{drawn.strip(chr(10))}\n```" in contributing


def test_the_guide_lists_the_environment_variables_that_are_read() -> None:
    access = importlib.import_module("ansible_collections.proxkit.tasks.plugins.module_utils._module.access")
    guide = (ROOT / "docs/docsite/rst/guide_authentication.rst").read_text(encoding="utf-8")
    listed = re.findall(r"\* - ``(\w+)``\n     - :ansenvvar:`(\w+)`", guide)
    assert listed == [(name, spec["fallback"][1][0]) for name, spec in access.CONNECTION.items()]


def test_one_oldest_proxmoxer_is_named_everywhere() -> None:
    oldest = importlib.import_module(
        "ansible_collections.proxkit.tasks.plugins.module_utils._client.libraries"
    ).OLDEST_PROXMOXER
    pattern = r"proxmoxer *(?:>=|==)? *([0-9][0-9.]*[0-9])"
    for path in (
        "README.md",
        "requirements.txt",
        "plugins/doc_fragments/_proxmox.py",
        "tests/unit/requirements.txt",
    ):
        named = re.findall(pattern, (ROOT / path).read_text(encoding="utf-8"))
        assert set(named) == {oldest}, path


# Results


@pytest.mark.parametrize("module", MODULES)
def test_documented_samples_have_the_documented_types(module: str) -> None:
    def check(documented: dict[str, t.Any], where: str) -> None:
        for key, spec in documented.items():
            if "contains" in spec:
                check(spec["contains"], f"{where}.{key}")
            if "sample" in spec:
                check_value(f"{where}.{key}", spec["sample"], spec)
            assert "sample" in spec or "contains" in spec, f"{where}.{key} shows no sample"

    check(yaml.safe_load(documents("modules", module).RETURN), module)


def test_the_sample_of_progress_is_what_the_sample_of_a_log_tells() -> None:
    task = yaml.safe_load(documents("modules", "proxmox_task_wait").RETURN)["tasks"]["contains"]
    reader = ProgressReader()
    reader.feed(task["log"]["sample"])
    assert reader.last is not None
    told = {"percent": reader.last.percent, "text": reader.last.text}
    assert task["progress"]["sample"] == told
    assert {name: spec["sample"] for name, spec in task["progress"]["contains"].items()} == told


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


@pytest.mark.pace(2)
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
