# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mocked endpoint against recorded answers of genuine PVE 9.2, request by request, over real TLS.

The world is set up from the recording itself: its task ids, exit statuses, end times and logs. Then every request is
sent again in the recorded order and its answer compared: status, reason, all headers, body.
"""

from __future__ import annotations

import gzip
import http.client
import json
import pathlib
import ssl
import typing as t
import urllib.parse

import pytest
from ansible_collections.proxkit.tasks.tests import mock_endpoint
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Clock, Mock, Upid, World

Json = t.Any
Step = dict[str, t.Any]

RECORDING: list[Step] = json.loads(pathlib.Path(__file__).with_name("pve_transcripts.json").read_text(encoding="utf-8"))
NAMES = [step["name"] for step in RECORDING]
AT_LEAST = 175

# What the mock does not reproduce, and why. A name that has come to pass must leave this table.
NOT_REPRODUCED: dict[str, str] = {}

MADE_UP_TICKET = "PVE:root@pam:6B05180B::bm90IGEgdGlja2V0"
TOKENS = {
    "root-token": (mock_endpoint.TOKEN_ID, mock_endpoint.TOKEN_SECRET),
    "viewer-token": (mock_endpoint.VIEWER_TOKEN_ID, mock_endpoint.VIEWER_TOKEN_SECRET),
    "auditor-token": (mock_endpoint.AUDITOR_TOKEN_ID, mock_endpoint.AUDITOR_TOKEN_SECRET),
    "sep-token": (mock_endpoint.SEPARATED_TOKEN_ID, mock_endpoint.SEPARATED_TOKEN_SECRET),
    "disabled-token": (mock_endpoint.DISABLED_TOKEN_ID, mock_endpoint.DISABLED_TOKEN_SECRET),
    "wrong-secret-token": (mock_endpoint.TOKEN_ID, "wrong"),
    "unknown-token": ("nobody@pam!none", "wrong"),
    "malformed-token": ("malformed", ""),
}
PASSWORDS = {"root@pam": mock_endpoint.ROOT_PASSWORD, "viewer@pve": mock_endpoint.VIEWER_PASSWORD}
TIMES = ("Date", "Expires")
BODY_TYPES = {
    "POST JSON body": "application/json",
    "POST bad JSON body": "application/json",
    "POST text/plain body": "text/plain",
}


class Answer(t.NamedTuple):
    """An answer as compared: headers sorted, the length of a compressed or secret body left out."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: Json


class Replay:
    """Sends recorded requests to a mock that is made to hold the recorded tasks."""

    def __init__(self, mock: Mock) -> None:
        self.mock = mock
        self.ends = _recorded_ends()
        self.context = ssl.create_default_context(cafile=mock.ca_path)
        # PVE's authority has no key usage extension, which the strict mode of Python 3.13 asks for.
        self.context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        mock.settings(stop_seconds=0, kill_seconds=0)
        mock.node(name="pve1", reported="unknown")
        for upid, (_end, status) in sorted(self.ends.items()):
            self._add(upid, status)
        self.tickets = {name: self._login(name, password) for name, password in PASSWORDS.items()}

    def difference(self, step: Step) -> str:
        """Send a request; how its answer differs from the recorded one, empty where it does not."""
        self._prepare(step)
        wanted, got = _wanted(step), self._send(step)
        if isinstance(got.body, dict) and Upid.parse(str(got.body.get("data"))):
            self.mock.task(upid=got.body["data"], forget=True)
        wanted, got = _comparable(step, wanted), _comparable(step, got)
        return "" if wanted == got else f"wanted {wanted}\n   got {got}"

    def _add(self, upid: str, status: t.Optional[str]) -> None:
        end = self.ends[upid][0]
        output = _recorded_output(upid)
        glued = bool(output) and output[-1][1].endswith("%TASK OK")
        if glued:
            output = [(at, line[: -len("TASK OK")]) for at, line in output]
        starttime = t.cast(Upid, Upid.parse(upid)).starttime
        # Those that were running when the recording began are ended by its DELETE requests, not by themselves.
        stopped = end is None or end > starttime
        self.mock.tasks(
            upid=upid,
            duration=None if stopped else 0,
            exitstatus="OK" if glued else None if status == "unexpected status" else status,
            glued=glued,
            ignores_term=stopped and status == "unexpected status",
            log=output,
        )

    def _prepare(self, step: Step) -> None:
        """Bring clock and nodes to where they were when this request was sent."""
        path, body = urllib.parse.unquote(step["request"]["path"]), step["response"]["body"]
        now = self.mock.clock()["now"]
        if step["name"].startswith("status via node pve"):
            self.mock.node(name=path.split("/")[4], online=False, reason=step["response"]["reason"])
        if step["request"]["method"] == "DELETE" and step["response"]["status"] == 200:
            now = max(now, self.ends[path.split("/")[-1]][0] or 0)
        if step["request"]["method"] == "POST" and isinstance(body, dict) and Upid.parse(str(body["data"])):
            now = max(now, t.cast(Upid, Upid.parse(body["data"])).starttime)
        if step is RECORDING[-1]:
            now = max(end for end, _status in self.ends.values() if end is not None)
        self.mock.clock(set=now)
        if step is RECORDING[-1]:
            for upid, (end, status) in self.ends.items():
                if end == now:
                    self.mock.task(upid=upid, finish=status)

    def _login(self, name: str, password: str) -> dict[str, str]:
        step = {"name": "login", "request": {"method": "POST", "path": "/api2/json/access/ticket", "auth": None}}
        answer = self._send({**step, "body": {"username": name, "password": password}})
        return t.cast("dict[str, str]", answer.body["data"])

    def _send(self, step: Step) -> Answer:
        request = {"query": None, "headers": None, "body": step.get("body"), **step["request"]}
        headers = {**self._authentication(step), **(request["headers"] or {})}
        body = request["body"]
        if isinstance(body, dict):
            if body.get("password") == "realpve1":
                body = {**body, "password": mock_endpoint.ROOT_PASSWORD}
            body = urllib.parse.urlencode(body)
            if body:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif body is not None:
            headers["Content-Type"] = BODY_TYPES[step["name"]]
        target = request["path"] + (f"?{request['query']}" if request["query"] else "")
        connection = http.client.HTTPSConnection(self.mock.host, self.mock.port, context=self.context, timeout=10)
        connection.putrequest(request["method"], target, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode() if body else None)
        response = connection.getresponse()
        raw = response.read()
        connection.close()
        fields = _without_times(response.getheaders())
        if response.getheader("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        is_json = "json" in (response.getheader("Content-Type") or "")
        return Answer(response.status, response.reason, fields, json.loads(raw) if is_json else raw.decode())

    def _authentication(self, step: Step) -> dict[str, str]:
        kind = step["request"]["auth"]
        if kind is None:
            return {}
        if kind in TOKENS:
            return {"Authorization": "PVEAPIToken={}={}".format(*TOKENS[kind])}
        name, _blank, without_csrf = kind[len("ticket:") :].partition(" ")
        data = self.tickets[name]
        ticket = MADE_UP_TICKET if step["name"] == "status invalid ticket" else data["ticket"]
        csrf = "6B05180B:wrong" if "wrong CSRF" in step["name"] else data["CSRFPreventionToken"]
        headers = {"Cookie": f"PVEAuthCookie={ticket}"}
        return headers if without_csrf else {**headers, "CSRFPreventionToken": csrf}


def _wanted(step: Step) -> Answer:
    response = step["response"]
    headers = list(map(tuple, response["headers"]))
    return Answer(response["status"], response["reason"], headers, response["body"])


def _without_times(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers but those that tell the time: every answer has them, the recording has left them out."""
    times = [value for name, value in fields if name in TIMES]
    assert len(times) == len(TIMES), fields
    assert len(set(times)) == 1, fields
    return [field for field in fields if field[0] not in TIMES]


def _comparable(step: Step, answer: Answer) -> Answer:
    """Take out what no two servers have in common: signatures, fingerprints, new ids, the order of Perl's hashes."""
    body, headers = answer.body, answer.headers
    unsized = _edited(step)
    data = body.get("data") if isinstance(body, dict) else None
    if isinstance(data, dict) and "ticket" in data:
        unsized = True
        secrets = {"ticket": data["ticket"].split(":")[:2], "CSRFPreventionToken": len(data["CSRFPreventionToken"])}
        body = {"data": {**data, **secrets}}
    elif Upid.parse(str(data)):
        upid = t.cast(Upid, Upid.parse(str(data)))
        body = {"data": (upid.node, upid.type, upid.id, upid.user, len(upid.text))}
    elif isinstance(data, list) and data and "ssl_fingerprint" in data[0]:
        body = {"data": [{**row, "ssl_fingerprint": len(row["ssl_fingerprint"])} for row in data]}
    elif isinstance(data, list) and data and "saved" in data[0] and "cluster" in step["request"]["path"]:
        # Perl hands ``saved`` out as a number until the file has been read again, then as text.
        unsized = True
        rows = [{**row, "saved": str(row["saved"])} for row in data]
        body = {"data": sorted(rows, key=lambda row: ("endtime" in row, -row["starttime"], row["upid"]))}
    length = {"Content-Length": "some"} if unsized else {}
    return Answer(
        answer.status, answer.reason, sorted((name, length.get(name, value)) for name, value in headers), body
    )


def _edited(step: Step) -> bool:
    """Whether the recorded length is not that of the recorded body: compressed, or a file's line number left out."""
    body = step["response"]["body"]
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode()) != int(step["response"]["body_raw_len"])


def _recorded_ends() -> dict[str, tuple[t.Optional[int], t.Optional[str]]]:
    """End time (None: no end was recorded) and exit status of every recorded task, its text in proper characters."""
    ends: dict[str, tuple[t.Optional[int], t.Optional[str]]] = {}
    for step in RECORDING:
        body = step["response"]["body"]
        rows = body.get("data") if isinstance(body, dict) and "/tasks" in step["request"]["path"] else None
        for row in rows if isinstance(rows, list) else ():
            if "endtime" in row:
                ends[row["upid"]] = (row["endtime"], row["status"].encode("latin-1").decode())
    return ends


def _recorded_output(upid: str) -> list[tuple[float, str]]:
    """The lines of a task's log without its last word, with the seconds at which they were there."""
    lines: dict[int, tuple[float, str]] = {}
    for number, step in enumerate(RECORDING):
        path = urllib.parse.unquote(step["request"]["path"])
        if path.endswith(f"{upid}/log") and step["response"]["status"] == 200:
            body = step["response"]["body"]
            # Rows that came only after the DELETE requests were written between the two.
            at = 0.0 if number < NAMES.index("delete running task") else 2.0
            for row in body["data"] if isinstance(body, dict) else ():
                lines.setdefault(row["n"], (at, row["t"].encode("latin-1").decode()))
    return [line for _n, line in sorted(lines.items()) if not line[1].startswith("TASK ") and line[1] != "no content"]


@pytest.fixture(scope="module")
def differences() -> dict[str, str]:
    """The whole recording sent again, by name what differs."""
    began = min(t.cast(Upid, Upid.parse(upid)).starttime for upid in _recorded_ends())
    world = World(["pve1"], Clock(began + 2, source=lambda: 0.0))
    with mock_endpoint.serve(world, idle_seconds=0.2) as mock:
        replay = Replay(mock)
        return {step["name"]: replay.difference(step) for step in RECORDING}


@pytest.mark.parametrize("name", NAMES)
def test_answer_is_as_recorded(name: str, differences: dict[str, str]) -> None:
    if name in NOT_REPRODUCED:
        assert differences[name], f"reproduced now, take it out of the table ({NOT_REPRODUCED[name]})"
    else:
        assert not differences[name], differences[name]


def test_share_reproduced(differences: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    same = sum(not difference for difference in differences.values())
    with capsys.disabled():
        print(f"\nmocked endpoint: {same} of {len(NAMES)} recorded answers of genuine PVE reproduced")
    assert len(set(NAMES)) == len(NAMES) == 185
    assert same >= AT_LEAST
    assert set(NOT_REPRODUCED) <= set(NAMES)
