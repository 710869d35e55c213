# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other ways to wait that the guide shows do what ours do: proxmoxer's, and the loop in a playbook.

Ours are run with all examples (``test_examples``).
"""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
import yaml
from ansible_collections.proxkit.tasks.plugins.filter.upid_decode import upid_decode
from ansible_collections.proxkit.tasks.tests.docs.playing import play
from ansible_collections.proxkit.tasks.tests.mock_endpoint import TOKEN_ID, TOKEN_NAME, TOKEN_SECRET, Mock, serve
from ansible_collections.proxkit.tasks.tests.unit.conftest import Call
from ansible_collections.proxkit.tasks.tests.unit.documented import code_blocks
from proxmoxer import ProxmoxAPI
from proxmoxer.tools import Tasks

WAITING, DECODING, READING = code_blocks("guide_moving", "python")
LOOP = code_blocks("guide_moving", "yaml")[0]


@pytest.fixture(scope="module")
def company() -> t.Iterator[Mock]:
    with serve(key_usage=True) as mock:
        yield mock


@pytest.fixture
def names(company: Mock, monkeypatch: pytest.MonkeyPatch) -> dict[str, t.Any]:
    """What proxmoxer's examples start from."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", company.ca_path)
    prox = ProxmoxAPI(company.host, port=company.port, user="root@pam", token_name=TOKEN_NAME, token_value=TOKEN_SECRET)
    return {"prox": prox, "Tasks": Tasks}


def test_one_reads_the_same(company: Mock, names: dict[str, t.Any]) -> None:
    [upid] = company.tasks(type="vzdump", id="100", duration=1, log=["a", "b"])["upids"]
    results: dict[str, t.Any] = {}
    exec(WAITING + DECODING + READING, names | {"upid": upid}, results)  # noqa: S102 - the guide's own
    [task] = Call(company).wait(upid, log="always", log_lines=0)["tasks"]
    assert results["status"]["exitstatus"] == task["exitstatus"] == "OK"
    assert results["node"] == task["node"]
    assert results["text"].splitlines() == task["log"] == ["a", "b", "TASK OK"]


def test_decoded_upids_have_the_same_keys() -> None:
    upid = "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam!ci:"
    theirs, ours = Tasks.decode_upid(upid), upid_decode(upid)
    assert theirs == {key: ours[key] for key in theirs}
    assert (ours["user"], ours["tokenid"]) == ("root@pam", "ci")


@pytest.mark.parametrize(("exitstatus", "fails"), [("job errors", True), ("WARNINGS: 1", True), ("OK", False)])
def test_one_fails_where_the_other_does(company: Mock, names: dict[str, t.Any], exitstatus: str, fails: bool) -> None:
    [upid] = company.tasks(exitstatus=exitstatus)["upids"]
    if fails:
        with pytest.raises(RuntimeError, match=exitstatus):
            exec(WAITING, names | {"upid": upid})  # noqa: S102 - as above
    # Of warnings the guide says that they are no failure here, and what makes them one.
    assert Call(company).wait(upid, fail_on="warning")["failed"] is fails
    assert Call(company).wait(upid)["failed"] is (fails and "WARNINGS" not in exitstatus)


def test_the_loop_does_the_same(company: Mock, tmp_path: pathlib.Path) -> None:
    [upid] = company.tasks(type="vzdump", duration=0.5)["upids"]
    tasks = yaml.safe_load(LOOP.replace("delay: 5", "delay: 1"))
    variables = {
        "upid": upid,
        "api": f"https://{company.host}:{company.port}/api2/json",
        "token": f"{TOKEN_ID}={TOKEN_SECRET}",
        "proxmox_ca_path": company.ca_path,
    }
    book = tmp_path / "loop.yml"
    book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}]))
    played = play(company, tmp_path, book)
    assert played.code == 0, played.output
