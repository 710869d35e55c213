# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last 50 lines of long logs."""

from __future__ import annotations

import typing as t

from _common import NODES, Mock, Options, Row, Sample, client, compare, say

NAME = "log"
LENGTHS = (1_000, 10_000, 100_000, 1_000_000)


def measure(mock: Mock, options: Options) -> t.Iterator[Row]:
    """Our wait for a finished task with its log against proxmoxer's log alone."""
    for length in LENGTHS:
        say(f"a log of {length:,} lines")
        ours, theirs = [], []
        for _run in range(options.runs):
            ours.append(_sample(mock, length, "ours", options={"log": "always", "log_lines": 50}))
            theirs.append(_sample(mock, length, "proxmoxer_log"))
        yield from compare(f"{length:,} lines", ours, "log.get(limit=0)", theirs)


def _sample(mock: Mock, length: int, how: str, **options: t.Any) -> Sample:
    log = {"lines": length, "template": "INFO: line {n} of a log that goes on and on"}
    with client(mock, how, **options) as waiter:
        waiter.begin(mock.tasks(node=NODES[0], start=-60, duration=10, log=log))
        result = waiter.result()
        cost = mock.cost()
    if result["lines"] != 50:
        raise SystemExit(f"{how}: {result['lines']} lines came back")
    return {
        "s": result["returned"] - result["begun"],
        "requests": cost["requests"],
        "kB sent": cost["kB sent"],
        "memory, MB": result["MB"],
    }
