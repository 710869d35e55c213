# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever JSON a server puts into a field: nothing is raised but the errors of the API, and no other task is lost."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._client.answers import Request
from ansible_collections.proxkit.tasks.plugins.module_utils._client.calls import Calls
from ansible_collections.proxkit.tasks.plugins.module_utils._client.service import SERVICES
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.find import Finder
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.look import look_at, with_log
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.plan import Filters, LogWish, Plan
from ansible_collections.proxkit.tasks.plugins.module_utils._engine.watch import Watch
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import ApiError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import Task
from ansible_collections.proxkit.tasks.tests.unit.fakes import EPOCH, FakeClock, upid
from hypothesis import example, given
from hypothesis import strategies as st

ODD, FINE = upid(1, age=600), upid(2, age=600)
LOG = LogWish("always")

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(10**4000), max_value=10**4000),
    st.floats(),
    st.text(),
    st.text("0123456789²٣-. ", max_size=20),
)
JSON = st.recursive(SCALARS, lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(), some, max_size=3))
WHERE = st.sampled_from(
    [
        *(("row", field) for field in ("upid", "status", "endtime", "starttime", "user", "node", "id", "type")),
        *(("status", field) for field in ("status", "exitstatus")),
        *(("log", field) for field in ("n", "t", "total")),
        ("listed", "total"),
    ]
)


@dataclasses.dataclass
class Server:
    """Two tasks that ended; one field of what it says of the first is odd."""

    where: str
    field: str
    value: t.Any
    exitstatus: str = "OK"

    def ask(self, request: Request, _deadline: float) -> dict[str, t.Any]:
        """As of ``Transport``."""
        if request.path[-1] == "status":
            return {"data": self._odd("status", {"status": "stopped", "exitstatus": self.exitstatus}, request)}
        if request.path[-1] == "log":
            row = self._odd("log", {"n": 1, "t": "TASK OK"}, request)
            total = {"total": row.pop("total")} if "total" in row else {"total": 1}
            return {"data": [row][request.params["start"] :], **total}
        row = {"status": self.exitstatus, "endtime": EPOCH - 300, "starttime": EPOCH - 600, "user": "root@pam"}
        rows = [{**row, "upid": ODD.native}, {**row, "upid": FINE.native, "status": "OK"}]
        rows[0].update({self.field: self.value} if self.where == "row" else {})
        return {"data": rows[request.params.get("start", 0) :], "total": self.value if self.where == "listed" else 2}

    def close(self) -> None:
        """As of ``Transport``."""

    def _odd(self, where: str, answer: dict[str, t.Any], request: Request) -> dict[str, t.Any]:
        if request.upid == ODD:
            return {**answer, self.field: self.value} if self.where == where else answer
        return {**answer, "exitstatus": "OK"} if where == "status" else answer


ODDITIES = given(st.builds(lambda at, value: (*at, value), WHERE, JSON), st.sampled_from(["OK", "unexpected status"]))


def calls(odd: tuple[str, str, t.Any], exitstatus: str) -> Calls:
    return Calls(Server(*odd, exitstatus), SERVICES["pve"])


@ODDITIES
@example(("row", "endtime", "²"), "OK")
@example(("row", "endtime", "9" * 5000), "OK")
@example(("row", "endtime", 10**400), "OK")
@example(("row", "endtime", True), "OK")
@example(("log", "total", 10**4000), "unexpected status")
@example(("log", "total", float("inf")), "unexpected status")
@example(("listed", "total", float("inf")), "OK")
def test_a_watch_and_a_search_survive_any_field(odd: tuple[str, str, t.Any], exitstatus: str) -> None:
    source = calls(odd, exitstatus)
    clock = FakeClock()
    watch = Watch("pve1", [ODD, FINE], source, Plan(timeout=3, log=LOG), clock, clock.now)
    watch.run(lambda: None)
    assert watch.tasks[FINE.native].outcome == "ok"
    finder = Finder(lambda: source, clock, LOG)
    assert finder.named([ODD, FINE]).tasks[1].outcome == "ok"
    assert finder.named([ODD]).tasks[0].upid == ODD
    assert [task.outcome for task in finder.matching(["pve1"], Filters()).tasks if task.upid == FINE] == ["ok"]


@ODDITIES
def test_single_questions_raise_nothing_but_errors_of_the_api(odd: tuple[str, str, t.Any], exitstatus: str) -> None:
    source = calls(odd, exitstatus)
    with contextlib.suppress(ApiError):
        assert look_at(source, ODD, 0, lambda: None).task.upid == ODD
    with contextlib.suppress(ApiError):
        assert with_log(source, Task(ODD, "stopped", "OK"), 50, 0).upid == ODD
