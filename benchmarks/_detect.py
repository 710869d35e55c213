# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How soon the end of one task is seen, and what that costs."""

from __future__ import annotations

import statistics
import time
import typing as t

from _common import (
    ARRIVAL_LOOK_SECONDS,
    NODES,
    Json,
    Mock,
    Options,
    Row,
    Sample,
    Waiter,
    client,
    compare,
    connection,
    play,
    say,
)

NAME = "detect"
DURATIONS = (0.3, 1.0, 3.0, 10.0)
LONG_DURATION = 60.0
# Durations lie evenly within this share of the one named: no way of waiting is to profit from round numbers.
SPREAD = 0.15

Start = t.Callable[[], t.ContextManager[Waiter]]


def measure(mock: Mock, options: Options) -> t.Iterator[Row]:
    """Our wait against proxmoxer's, both in a program; our module against a loop of ``uri``, both in a playbook."""
    program: Start = lambda: client(mock, "ours")
    module: Start = lambda: play(mock, options.scratch, _our_task)
    fast: Start = lambda: client(mock, "proxmoxer", interval=0.01)
    usual: Start = lambda: client(mock, "proxmoxer", interval=1)
    loop: Start = lambda: play(mock, options.scratch, _uri_loop)
    for duration in (*DURATIONS, *([LONG_DURATION] if options.long else [])):
        say(f"tasks that last {duration:g} s")
        ways = (program, module, usual, fast, loop)
        # Run by run, so that a machine that is busy for a while is so for all.
        samples: list[list[Sample]] = [[] for _way in ways]
        for run in range(options.runs):
            seconds = duration * (1 - SPREAD + 2 * SPREAD * (run + 0.5) / options.runs)
            for kept, way in zip(samples, ways, strict=True):
                kept.append(_sample(mock, way, seconds))
        ours, in_playbook, *theirs = samples
        title = f"{duration:g} s task"
        for peer, mine, other in (
            ("blocking_status, 1 s", ours, theirs[0]),
            ("blocking_status, 0.01 s", ours, theirs[1]),
            ("until/retries with uri, 1 s", in_playbook, theirs[2]),
        ):
            yield from compare(title, mine, peer, other)
            yield Row(f"{title}: longest delay, s", _longest(mine), peer, _longest(other))


def _longest(samples: t.Sequence[Sample]) -> float:
    return max(sample["delay, s"] for sample in samples)


def _sample(mock: Mock, way: Start, seconds: float) -> Sample:
    """A task that ends ``seconds`` after it was first asked about."""
    with way() as waiter:
        [upid] = mock.tasks(node=NODES[0], duration=None)
        waiter.begin([upid])
        while not mock.cost()["status"]:
            time.sleep(ARRIVAL_LOOK_SECONDS)
        time.sleep(seconds)
        before = time.monotonic()
        mock.call(f"tasks/{upid}", finish="OK")
        ended = statistics.mean((before, time.monotonic()))
        returned = waiter.result()["returned"]
        cost = mock.cost()
    return {"delay, s": returned - ended, "requests": cost["requests"], "connections": cost["connections"]}


def _our_task(mock: Mock, upid: str) -> Json:
    return {"proxkit.tasks.proxmox_task_wait": {**connection(mock), "upids": upid}}


def _uri_loop(mock: Mock, upid: str) -> Json:
    state = mock.state
    return {
        "ansible.builtin.uri": {
            "url": f"https://{state['host']}:{state['port']}/api2/json/nodes/{NODES[0]}/tasks/{upid}/status",
            "headers": {"Authorization": f"PVEAPIToken={state['token_id']}={state['token_secret']}"},
            "validate_certs": False,
        },
        "register": "look",
        "until": "look.json.data.status == 'stopped'",
        "retries": 1000,
        "delay": 1,
    }
