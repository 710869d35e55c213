# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three workers a node has for protected calls: who holds one, who waits, who is given up."""

from __future__ import annotations

import concurrent.futures
import functools
import typing as t

import pytest
from ansible_collections.proxkit.tasks.tests import mock_endpoint
from ansible_collections.proxkit.tasks.tests.mock_endpoint import Mock
from ansible_collections.proxkit.tasks.tests.unit.mock_endpoint.asking import (
    HEADERS,
    ask,
    connect,
    data,
    log_in,
    one,
    until,
)

Later = t.Callable[..., "concurrent.futures.Future[t.Any]"]
ROOT, PASSWORD = "root@pam", mock_endpoint.ROOT_PASSWORD
STARVED = (596, "Connection timed out", "")


@pytest.fixture
def later(mock: Mock) -> t.Iterator[Later]:
    """Calls in threads of their own; whatever still waits in the end is let go."""
    with concurrent.futures.ThreadPoolExecutor(20) as executor:
        yield executor.submit
        mock.clock(advance=100)


def stop(mock: Mock, upid: str) -> t.Any:
    return ask(mock, f"nodes/{upid.split(':')[1]}/tasks/{upid}", "DELETE")[0]


def hold(mock: Mock, later: Later, count: int, **task: t.Any) -> list[concurrent.futures.Future[t.Any]]:
    """Stop so many tasks and return as soon as each request holds a worker, or waits for one."""
    upids = mock.tasks(count=count, duration=None, **task)["upids"]
    begun = mock.counters()["requests"]["total"]
    waiting = [later(stop, mock, upid) for upid in upids]
    until(mock, begun + count)
    return waiting


def test_a_fourth_waits_until_one_of_three_is_done(mock: Mock, later: Later) -> None:
    upid = one(mock)
    hold(mock, later, 3)
    fourth = later(ask, mock, f"nodes/pve1/tasks/{upid}/status")
    until(mock, 4)
    assert data(mock, "nodes/pve1/tasks")
    assert data(mock, "version")
    mock.clock(advance=0.9)
    assert not concurrent.futures.wait([fourth], 0.1).done
    mock.clock(advance=0.1)
    assert fourth.result()[0] == 200


@pytest.mark.parametrize("path", ["status", "log"])
def test_each_node_has_its_own(mock: Mock, later: Later, path: str) -> None:
    upid = one(mock, node="pve2")
    hold(mock, later, 3)
    assert data(mock, f"nodes/pve2/tasks/{upid}/{path}")


def test_there_are_as_many_as_told(mock: Mock, later: Later) -> None:
    mock.settings(workers=4)
    hold(mock, later, 3)
    assert log_in(mock, ROOT, PASSWORD).status == 200


def test_waiting_too_long_is_told_by_the_proxy(mock: Mock, later: Later) -> None:
    hold(mock, later, 3, ignores_term=True)
    mock.settings(starve_seconds=4)
    begun = mock.counters()["requests"]["total"]
    starving = [later(log_in, mock, ROOT, PASSWORD), later(ask, mock, "nodes/pve1/apt/update", "POST")]
    until(mock, begun + 2)
    mock.clock(advance=4)
    assert [tuple(call.result())[:2] for call in starving] == [STARVED[:2]] * 2
    assert starving[1].result() == STARVED
    assert mock.counters()["starved"] == 2
    assert data(mock, "cluster/tasks")
    mock.clock(advance=1)
    assert log_in(mock, ROOT, PASSWORD).status == 200


def test_first_come_first_served(mock: Mock, later: Later) -> None:
    mock.settings(workers=1, stop_seconds=1)
    order: list[int] = []
    upids = mock.tasks(count=4, duration=None)["upids"]
    for number, upid in enumerate(upids):
        later(stop, mock, upid).add_done_callback(functools.partial(lambda number, _done: order.append(number), number))
        until(mock, number + 1)
    for done in range(1, 5):
        while len(data(mock, "nodes/pve1/tasks?source=active")) > 4 - done:
            pass
        mock.clock(advance=1)
        while len(order) < done:
            pass
    assert order == [0, 1, 2, 3]


def test_a_task_is_told_to_end_only_once_a_worker_is_there(mock: Mock, later: Later) -> None:
    hold(mock, later, 3)
    upid = one(mock, duration=None)
    fourth = later(stop, mock, upid)
    until(mock, 4)
    running = [row["upid"] for row in data(mock, "nodes/pve1/tasks?source=active")]
    assert running == [upid]
    mock.clock(advance=1)
    while data(mock, "nodes/pve1/tasks?source=active"):
        pass
    assert not fourth.done()


def test_a_worker_stays_busy_though_its_client_has_gone(mock: Mock, later: Later) -> None:
    mock.settings(workers=1)
    upid = one(mock, duration=None)
    impatient = connect(mock)
    impatient.request("DELETE", f"/api2/json/nodes/pve1/tasks/{upid}", headers=HEADERS)
    until(mock, 1)
    impatient.close()
    login = later(log_in, mock, ROOT, PASSWORD)
    until(mock, 2)
    assert not concurrent.futures.wait([login], 0.1).done
    mock.clock(advance=1)
    assert login.result().status == 200


def test_a_client_that_has_gone_waits_no_longer(mock: Mock, later: Later) -> None:
    mock.settings(workers=1)
    hold(mock, later, 1)
    upid = one(mock, duration=None)
    impatient = connect(mock)
    impatient.request("DELETE", f"/api2/json/nodes/pve1/tasks/{upid}", headers=HEADERS)
    until(mock, 2)
    impatient.close()
    login = later(log_in, mock, ROOT, PASSWORD)
    until(mock, 3)
    mock.clock(advance=1)
    assert login.result().status == 200
    assert [row["upid"] for row in data(mock, "nodes/pve1/tasks?source=active")] == [upid]


def test_a_refused_login_holds_a_worker_and_a_bad_token_none(mock: Mock, later: Later) -> None:
    mock.settings(workers=2, auth_delay=3)
    upid = one(mock)
    later(ask, mock, f"nodes/pve1/tasks/{upid}/status", token=("root@pam!ci", "wrong"))
    later(ask, mock, "version", token=("root@pam!ci", "wrong"))
    later(log_in, mock, ROOT, "wrong")
    until(mock, 3)
    assert log_in(mock, ROOT, PASSWORD).status == 200
    later(log_in, mock, ROOT, "wrong")
    until(mock, 5)
    login = later(log_in, mock, ROOT, PASSWORD)
    until(mock, 6)
    assert not concurrent.futures.wait([login], 0.1).done
    mock.clock(advance=3)
    assert login.result().status == 200
    assert data(mock, "version")
    counted = mock.counters()
    assert (counted["failed_logins"], counted["failed_authentications"], counted["starved"]) == (2, 2, 0)


@pytest.mark.parametrize(("node", "code"), [("pve2", 595), ("nowhere", 500)])
def test_a_node_that_cannot_be_reached_needs_none(mock: Mock, later: Later, node: str, code: int) -> None:
    mock.node(name="pve2", online=False)
    hold(mock, later, 3)
    assert ask(mock, f"nodes/{node}/tasks/UPID/status")[0] == code
