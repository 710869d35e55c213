# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading ids."""

from __future__ import annotations

import time
import typing as t

from _common import Mock, Options, Row, Sample, compare

NAME = "decode"
COUNT = 100_000


def measure(_mock: Mock, options: Options) -> t.Iterator[Row]:
    """Our strict parser and the filter's dictionary against proxmoxer's split."""
    from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import parse
    from proxmoxer.tools import Tasks

    upids = [f"UPID:pve{n % 4 + 1}:{n:08X}:{n * 7:08X}:66D1A2B3:vzdump:{n % 999}:root@pam!ci:" for n in range(COUNT)]
    ways: tuple[t.Callable[[str], object], ...] = (parse, lambda upid: parse(upid).to_dict(), Tasks.decode_upid)
    samples: list[list[Sample]] = [[] for _way in ways]
    for _run in range(options.runs):
        for kept, way in zip(samples, ways, strict=True):
            begun = time.perf_counter()
            for upid in upids:
                way(upid)
            kept.append({"s": time.perf_counter() - begun})
    value, dictionary, theirs = samples
    yield from compare(f"{COUNT:,} ids to values", value, "decode_upid", theirs)
    yield from compare(f"{COUNT:,} ids to dictionaries", dictionary, "decode_upid", theirs)
