# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The measured program: ``_client.py JSON`` says "ready", reads a line of UPIDs, does its job, prints a JSON line."""

from __future__ import annotations

import collections
import concurrent.futures
import importlib
import json
import os
import pathlib
import re
import sys
import threading
import time
import typing as t

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

importlib.import_module("conftest")  # makes the checkout importable under the collection's name

Json = dict[str, t.Any]
Job = t.Callable[[list[str]], Json]


def ours(request: Json) -> Job:
    """``run()`` of proxmox_task_wait, as the module calls it."""
    from _common import Mock, connection
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
    from ansible_collections.proxkit.tasks.plugins.module_utils._client import api  # noqa: F401 - imported before the clock starts
    from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import SystemClock
    from ansible_collections.proxkit.tasks.plugins.module_utils._module import wait

    class CountingClock(SystemClock):
        """Counts the pauses between looks."""

        pauses = 0

        def wait(self, event: threading.Event, seconds: float) -> bool:
            # What the main thread waits for is news from the others.
            self.pauses += threading.current_thread() is not threading.main_thread()
            return super().wait(event, seconds)

    validator = ArgumentSpecValidator(wait.SPEC.options)

    def job(upids: list[str]) -> Json:
        given = {**connection(Mock(request["state"])), "upids": upids, "timeout": 3600, **request.get("options", {})}
        clock = CountingClock()
        result = wait.run(validator.validate(given).validated_parameters, clock=clock)
        nodes = len({task["node"] for task in result["tasks"]})
        outcomes = collections.Counter(task["outcome"] for task in result["tasks"])
        return {"ok": outcomes["ok"], "looks": clock.pauses + nodes, "lines": len(result["tasks"][0]["log"] or ())}

    return job


def proxmoxer(request: Json) -> Job:
    """``Tasks.blocking_status``, one task after another in each of ``threads`` threads."""
    from proxmoxer.tools import Tasks

    local = threading.local()

    def wait(upid: str) -> bool:
        if not hasattr(local, "api"):
            local.api = _api_of(request)
        status = Tasks.blocking_status(local.api, upid, timeout=3600, polling_interval=request["interval"])
        return bool(status["exitstatus"] == "OK")

    def job(upids: list[str]) -> Json:
        with concurrent.futures.ThreadPoolExecutor(request.get("threads", 1)) as pool:
            return {"ok": sum(pool.map(wait, upids))}

    return job


def proxmoxer_log(request: Json) -> Job:
    """The whole log by proxmoxer, then its last 50 lines."""
    api = _api_of(request, timeout=120)

    def job(upids: list[str]) -> Json:
        rows = api.nodes("pve1").tasks(upids[0]).log.get(limit=0)
        return {"ok": 1, "lines": len(rows[-50:])}

    return job


def _api_of(request: Json, **options: t.Any) -> t.Any:
    from proxmoxer import ProxmoxAPI
    from urllib3 import disable_warnings

    disable_warnings()
    state = request["state"]
    user, _mark, token = state["token_id"].partition("!")
    # Python 3.13 refuses the kind of authority that Proxmox VE makes, and proxmoxer has no way around it.
    return ProxmoxAPI(
        state["host"],
        port=state["port"],
        user=user,
        token_name=token,
        token_value=state["token_secret"],
        verify_ssl=False,
        **options,
    )


def peak_mb() -> float:
    """Most memory this program ever had; ``ru_maxrss`` would count that of the one that started it."""
    found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1000 if found else float("nan")


def main() -> None:
    """Do one job for the program that started this one."""
    request = json.loads(sys.argv[1])
    job = {"ours": ours, "proxmoxer": proxmoxer, "proxmoxer_log": proxmoxer_log}[request["how"]](request)
    print("ready", flush=True)
    upids = json.loads(sys.stdin.readline())
    begun = time.monotonic()
    answer = job(upids)
    returned = time.monotonic()
    print(json.dumps({**answer, "begun": begun, "returned": returned, "MB": peak_mb()}), flush=True)
    # Nothing is left to do; requests that hang elsewhere must not hold this program.
    os._exit(0)


if __name__ == "__main__":
    main()
