# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that start tasks. Sources: src/api2/admin/{datastore,verify,sync,prune}.rs."""

from __future__ import annotations

from .._messages import ApiError
from .._routes import Result
from . import scripts
from .calls import Call, Reply
from .world import Job


def _store(call: Call) -> str:
    name = call.text("store")
    if name not in call.world.stores:
        raise ApiError(400, f"no such datastore '{name}'")
    return name


def _job(call: Call, kind: str) -> Job:
    name = call.text("id")
    job = call.world.jobs.get((kind, name))
    if job is None:
        raise ApiError(400, f"no such {kind} '{name}'")
    return job


def garbage_collection(call: Call) -> Result:
    store, kind, world = _store(call), "garbage_collection", call.world
    now = world.clock.now()
    if any((task.upid.type, task.upid.id) == (kind, store) and not task.ended(now) for task in world.listed()):
        raise ApiError(400, "garbage collection already running")
    return Reply(world.start(kind, store, call.who, scripts.garbage_collection(store)))


def verify(call: Call) -> Result:
    path = f"/datastore/{call.text('store')}"
    if not any(call.world.users.may(call.who, f"Datastore.{what}", path) for what in ("Verify", "Backup")):
        raise ApiError(403, f"permission check failed - missing Datastore.Verify|Datastore.Backup on {path}")
    store = _store(call)
    return Reply(call.world.start("verify", store, call.who, scripts.verification(store, call.world.clock.now())))


def verification_job(call: Call) -> Result:
    job = _job(call, "verification")
    call.need("Datastore.Verify", f"/datastore/{job.store}")
    script = scripts.verification(job.store, call.world.clock.now(), job)
    return Reply(call.world.start("verificationjob", f"{job.store}:{job.id}", call.who, script))


def sync_job(call: Call) -> Result:
    job = _job(call, "sync")
    needs = (("Datastore.Backup", f"/datastore/{job.store}"), ("Remote.Read", f"/remote/{job.remote}"))
    if not all(call.world.users.may(call.who, *need) for need in needs):
        raise ApiError(400, "permission check failed")
    script = scripts.synchronization(job, call.world.clock.now())
    return Reply(call.world.start("syncjob", scripts.sync_id(job), call.who, script))


def prune_job(call: Call) -> Result:
    job = _job(call, "prune")
    call.need("Datastore.Modify", f"/datastore/{job.store}")
    subject = f"{job.store}:{job.ns}" if job.ns else job.store
    return Reply(call.world.start("prunejob", subject, call.who, scripts.prune(job, call.world.clock.now())))
