# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many tasks at once."""

from __future__ import annotations

import time
import typing as t

from _common import NODES, Mock, Options, Row, Sample, alone, client, compare, say

NAME = "many"


class Peer(t.NamedTuple):
    """A way to use ``blocking_status``, and the most tasks it gets through in reasonable time."""

    name: str
    threads: int
    interval: float
    most: int


PEERS = (
    Peer("blocking_status, 1 s, one by one", 1, 1, 100),
    Peer("blocking_status, 1 s, 10 threads", 10, 1, 1000),
    Peer("blocking_status, 0.1 s, 10 threads", 10, 0.1, 1000),
)
# What a peer sleeps through for longer than this, in seconds, is run once.
REPEAT_UP_TO = 30.0
OURS_ALONE = ("looks a node", "other requests a node and look")


def measure(mock: Mock, options: Options) -> t.Iterator[Row]:
    """One call of ours against ``blocking_status`` for each, on four nodes."""
    sizes, durations = ((1, 10, 100, 200, 1000, 2000), (2, 20)) if options.long else ((1, 10, 100, 1000), (1, 5))
    for size in sizes:
        say(f"{size} tasks of {durations[0]} to {durations[1]} s")
        ours = [_sample(mock, size, durations, "ours") for _run in range(options.runs)]
        title = f"{size:,} task" + "s" * (size > 1)
        yield from alone(title, ours, OURS_ALONE)
        for peer in PEERS:
            if peer.threads <= size <= peer.most:
                runs = 1 if peer.interval * size / peer.threads > REPEAT_UP_TO else options.runs
                theirs = [
                    _sample(mock, size, durations, "proxmoxer", threads=peer.threads, interval=peer.interval)
                    for _run in range(runs)
                ]
                yield from compare(title, ours, peer.name, theirs)


def _sample(mock: Mock, size: int, durations: tuple[float, float], how: str, **options: t.Any) -> Sample:
    with client(mock, how, **options) as waiter:
        begun = time.monotonic()
        upids = mock.tasks(node=NODES, count=size, duration=durations)
        waiter.begin(upids)
        result = waiter.result()
        cost = mock.cost()
    if result["ok"] != size:
        raise SystemExit(f"{how}: {result['ok']} of {size} tasks came out well")
    last = durations[1] if size > 1 else durations[0]
    sample = {
        "return after the last end, s": result["returned"] - begun - last,
        "status requests a task": cost["status"] / size,
        "requests": cost["requests"],
        "connections": cost["connections"],
        "memory, MB": result["MB"],
    }
    if "looks" in result:
        nodes = min(size, len(NODES))
        others = (cost["requests"] - cost["status"]) / result["looks"]
        sample.update(zip(OURS_ALONE, (result["looks"] / nodes, others), strict=True))
    return sample
