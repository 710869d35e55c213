# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules return: result dictionaries and the sentence a person reads. Pure. Private to the collection."""

from __future__ import annotations

import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import TasksError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.results import Found, Waited
from ansible_collections.proxkit.tasks.plugins.module_utils._model.task import FailOn, Task
from ansible_collections.proxkit.tasks.plugins.module_utils._model.text import clean, in_sentence, shown

Result = dict[str, t.Any]

# A sentence names this many tasks; the result has them all.
_MAX_NAMED = 3
_NOTHING_WAITED = Waited([], 0.0, False, frozenset(), (), [])
_NOTHING_FOUND = Found([])


def describe(task: Task) -> str:
    """One task in a person's words, with all that is needed to look further."""
    upid = task.upid
    what, status = f"{upid.type} {upid.id}".rstrip(), shown(task.exitstatus)
    how = {
        "ok": "ended OK",
        "warning": f"ended with {task.exitstatus}",
        # Each text is made safe by itself: a carriage return in it must not take our words along.
        "error": f"failed: {in_sentence(task.exitstatus)}" if task.exitstatus else "failed without a text",
        "unknown": f"was killed, or its node lost power: nobody can say how it ended (exit status {status})",
        "running": "is still running",
        "missing": "is not known to its node: its log was rotated away, or the UPID is of another cluster",
        "unseen": "could not be looked at",
    }[task.outcome]
    # What stood in the way matters only while the end is not known, or where the server has words for it.
    known = task.sight == "stopped" and task.outcome != "unknown"
    why = f": {in_sentence(task.error)}" if task.error and not known else ""
    return clean(f"{what} on {upid.node} {how}{why} ({upid.native})")


def sentence(tasks: t.Sequence[Task], named: t.Sequence[Task], lead: str) -> str:
    """How many tasks ended how, then those that matter, the first few by name."""
    if len(tasks) == 1:
        return f"{lead}{describe(tasks[0])}."
    counts: dict[str, int] = {}
    for task in tasks:
        counts[task.outcome] = counts.get(task.outcome, 0) + 1
    text = f"{len(tasks)} tasks: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    text += "".join(f"; {describe(task)}" for task in named[:_MAX_NAMED])
    more = len(named) - _MAX_NAMED
    return f"{lead}{text}{f'; and {more} more' if more > 0 else ''}."


def wait_result(
    waited: Waited = _NOTHING_WAITED,
    *,
    no_task: t.Sequence[t.Any] = (),
    fail_on: FailOn = "error",
    on_timeout: str = "fail",
    check_mode: bool = False,
    warnings: t.Sequence[str] = (),
) -> Result:
    """The result of ``proxmox_task_wait``; ``failed`` and ``warnings`` (texts) are for its caller."""
    bad = [task for task in waited.tasks if task.failed(fail_on)]
    unfinished = [task for task in waited.tasks if not task.ended]
    # Nobody will ever tell about these, so waiting longer is no answer.
    blind = [task for task in unfinished if task.upid.native in waited.settled]
    failed = (
        (bool(bad) and fail_on != "never")
        or waited.fatal is not None
        or (bool(blind) and fail_on != "never")
        or (waited.timed_out and on_timeout != "continue")
    )
    lead = ""
    if waited.fatal is not None:
        lead = f"{in_sentence(waited.fatal.message)}. "
    elif waited.timed_out:
        lead = f"Timed out after {waited.timeout:.1f} s: "
        # Their own words would read as failures of theirs.
        lead += f"stopped {_tasks(len(waited.stopped))}; " if waited.stopped else ""
    elif check_mode and unfinished:
        lead = "Looked once (check mode): "
    matter = [*bad, *unfinished] if failed or waited.timed_out or check_mode else bad
    return {
        "failed": failed,
        "changed": bool(waited.stopped),
        "timed_out": waited.timed_out,
        "elapsed": round(waited.elapsed, 3),
        "tasks": [task.to_dict() for task in waited.tasks],
        "failed_upids": [task.upid.text for task in bad],
        "unfinished_upids": [task.upid.text for task in unfinished],
        "no_task": list(no_task),
        "msg": sentence(waited.tasks, matter, lead) if waited.tasks else "There was no task to wait for.",
        "warnings": [
            *warnings,
            *waited.warnings,
            *_told(waited.tasks, "warning" if fail_on != "warning" else None),
            *_told(unfinished, "unseen" if not failed else None),
            *_lost_logs(waited.tasks),
        ],
    }


def _told(tasks: t.Sequence[Task], outcome: str | None) -> list[str]:
    """What is no failure but never passes in silence: the tasks of this outcome, the first few by name."""
    told = [task for task in tasks if task.outcome == outcome]
    texts = [f"{describe(task)}." for task in told[:_MAX_NAMED]]
    more = len(told) - _MAX_NAMED
    return [*texts, f"{_tasks(more)} more: {outcome}."] if more > 0 else texts


def _lost_logs(tasks: t.Sequence[Task]) -> list[str]:
    """What is to be said where the log of a task is gone, while its node's list still tells how it ended."""
    lost = [task for task in tasks if task.lost_log]
    texts = [f"The log of this task is gone, its node's list tells the end: {describe(task)}." for task in lost]
    more = len(lost) - _MAX_NAMED
    return [*texts[:_MAX_NAMED], *([f"The logs of {_tasks(more)} more are gone."] if more > 0 else [])]


def stop_result(
    waited: Waited = _NOTHING_WAITED,
    *,
    no_task: t.Sequence[t.Any] = (),
    check_mode: bool = False,
    warnings: t.Sequence[str] = (),
) -> Result:
    """The result of ``proxmox_task_stop``; ``failed`` and ``warnings`` (texts) are for its caller."""
    unfinished = [task for task in waited.tasks if not task.ended]
    stopped = list(waited.stopped)
    if check_mode:
        stopped = [task.upid.native for task in waited.tasks if task.sight == "running"]
    failed = waited.fatal is not None or (bool(unfinished) and not check_mode)
    texts = {task.upid.native: task.upid.text for task in waited.tasks}
    if waited.fatal is not None:
        msg = sentence(waited.tasks, unfinished, f"{in_sentence(waited.fatal.message)}. ")
    elif failed:
        msg = sentence(waited.tasks, unfinished, f"Not all is stopped after {waited.elapsed:.1f} s: ")
    else:
        msg = _stopped_sentence([texts[native] for native in stopped], len(waited.tasks), check_mode)
    return {
        "failed": failed,
        "changed": bool(stopped),
        "timed_out": waited.timed_out,
        "elapsed": round(waited.elapsed, 3),
        "tasks": [task.to_dict() for task in waited.tasks],
        "stopped_upids": [texts[native] for native in stopped],
        "unfinished_upids": [task.upid.text for task in unfinished],
        "no_task": list(no_task),
        "msg": msg,
        "warnings": [*warnings, *waited.warnings],
    }


def _stopped_sentence(stopped: t.Sequence[str], count: int, check_mode: bool) -> str:
    """What a stop without failure did, or would do; a stopped task's own words would read as a failure."""
    if not stopped:
        return "There was no running task to stop."
    more = len(stopped) - _MAX_NAMED
    named = ", ".join(stopped[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{len(stopped)} of {_tasks(count)} {'would be stopped' if check_mode else 'stopped'}: {named}."


def refusal(error: TasksError) -> str:
    """Why nothing could be asked for, as a sentence."""
    return f"{in_sentence(error.message)}."


def _tasks(count: int) -> str:
    return "1 task" if count == 1 else f"{count} tasks"


def _found_sentence(tasks: t.Sequence[Task], limit: int) -> str:
    lost = {outcome: sum(task.outcome == outcome for task in tasks) for outcome in ("missing", "unseen")}
    text = f"{_tasks(len(tasks) - sum(lost.values()))} found"
    text += "".join(f", {count} {outcome}" for outcome, count in lost.items() if count)
    # Whether there are more would take another page.
    return f"{text}, as many as limit allows: there may be more." if len(tasks) == limit > 0 else f"{text}."


def _reason(error: TasksError, tasks: t.Iterable[Task]) -> str:
    """What is wrong, and with which tasks, the first one by name."""
    of = [task.upid.native for task in tasks if task.error == error.message]
    more = f" and {len(of) - 1} more" if len(of) > 1 else ""
    return in_sentence(error.message) + (f" ({of[0]}{more})" if of else "")


def info_result(
    found: Found = _NOTHING_FOUND, *, limit: int = 0, no_task: t.Sequence[t.Any] = (), warnings: t.Sequence[str] = ()
) -> Result:
    """The result of ``proxmox_task_info``, where at the most ``limit`` tasks (0: all) were looked for.

    ``failed`` and ``warnings`` (texts) are for its caller.
    """
    unreachable = sorted(found.unreachable)
    nobody = bool(unreachable) and found.unreachable.keys() >= found.asked
    reasons = [_reason(error, found.tasks) for error in found.errors]
    if nobody:
        reasons += [in_sentence(found.unreachable[node]) for node in unreachable]
    return {
        "failed": bool(reasons),
        "changed": False,
        "tasks": [task.to_dict() for task in found.tasks],
        "missing": [task.upid.text for task in found.tasks if task.outcome == "missing"],
        "blind_nodes": sorted(found.blind),
        "unreachable_nodes": unreachable,
        "no_task": list(no_task),
        "msg": "; ".join(dict.fromkeys(reasons)) + "." if reasons else _found_sentence(found.tasks, limit),
        "warnings": [
            *warnings,
            *dict.fromkeys(found.warnings),
            *_lost_logs(found.tasks),
            *(f"Nothing is known of node {node}: {in_sentence(found.unreachable[node])}." for node in unreachable),
        ],
    }
