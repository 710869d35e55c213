#!/usr/bin/python
# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find tasks of Proxmox."""

from __future__ import annotations

DOCUMENTATION = r"""
module: proxmox_task_info
short_description: Find tasks of Proxmox and tell about them
version_added: 0.1.0
description:
  - Tells about named tasks, or finds those that fit a filter, on all nodes of the cluster where none is named.
  - A node that does not answer is a warning, and the rest is returned. So is a node that shows one's own tasks only.
  - None answering at all is a failure, and so is a node that the cluster does not have. A request that meets a fault which
    may pass is tried three times at the most.
author:
  - proxkit.tasks contributors (@proxkit)
extends_documentation_fragment:
  - proxkit.tasks._proxmox.connection
  - proxkit.tasks._proxmox.upids
  - proxkit.tasks._proxmox.log
  - proxkit.tasks._proxmox.attributes
  - proxkit.tasks._proxmox.actiongroup_proxmox
options:
  upids:
    description:
      - Where it is given, the tasks are those it names, and no filter may be given; O(source) and O(limit) mean nothing then.
      - The default, an empty dictionary, stands for not given at all; V(null) and an empty list name no task, and find none.
    aliases: [upid, task]
    default: {}
  node:
    description:
      - Nodes to ask. The default is every node of the cluster.
      - Where O(service) is V(pbs) there is one, V(localhost) or by its name.
      - In this and the other lists, text may hold several with commas and blanks between them. An empty list and empty
        text mean not given, as they do for all filters.
    type: list
    elements: str
  source:
    description:
      - V(archive) are tasks that ended, V(active) those that run and a few that ended lately, V(all) both. With V(archive)
        alone, O(outcome=running) is refused.
      - Mail Gateway lists only what has ended, so V(active) and O(outcome=running) are refused where O(service) is V(pmg).
        Running tasks are found by O(upids) there.
    type: str
    choices: [archive, active, all]
    default: all
  type:
    description:
      - Worker types, for example V(vzdump) and V(qmigrate).
    type: list
    elements: str
  vmid:
    description:
      - Ids of the guests that the tasks are about, each from V(100) to V(999999999). Only where O(service) is V(pve).
    type: list
    elements: str
  store:
    description:
      - Names of datastores, for tasks that work on one, which are backups, verifications, syncs, prunes and garbage
        collections. Only where O(service) is V(pbs).
    type: list
    elements: str
    version_added: 0.2.0
  user:
    description:
      - Who started the tasks. C(user@realm) includes all tokens of the user, C(user@realm!token) is that token alone.
      - A user without realm is refused, because no task has such an owner.
    type: str
  outcome:
    description:
      - How the tasks ended, any of V(ok), V(warning), V(error) and V(unknown), or V(running).
    type: list
    elements: str
  since:
    description:
      - Earliest start, in epoch seconds, in ISO 8601 (UTC where it has no offset), or as a time ago by the clock of the
        machine where this task runs, as V(90s), V(30m), V(24h), V(7d) or V(2w).
    type: str
  until:
    description:
      - Latest start, in epoch seconds, in ISO 8601 (UTC where it has no offset), or as a time ago by the clock of the
        machine where this task runs, as V(90s), V(30m), V(24h), V(7d) or V(2w).
    type: str
  limit:
    description:
      - Number of tasks to return at the most, of all nodes together. They are those that started last. V(0) returns all.
      - Where that many are found, RV(msg) says that there may be more.
    type: int
    default: 50
  log:
    description:
      - Whose log is returned. V(not_ok) is every task whose outcome is not V(ok), those with warnings and running ones too.
    type: str
    choices: [never, not_ok, always]
    default: never
attributes:
  check_mode:
    support: full
    details: Nothing is changed in any mode.
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: proxkit.tasks.proxmox_task_wait
  - module: proxkit.tasks.proxmox_task_stop
  - plugin: proxkit.tasks.upid_decode
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Backups that failed since yesterday, on all nodes, with the end of their logs
  proxkit.tasks.proxmox_task_info:
    api_host: "{{ proxmox_host }}"
    api_token_id: "{{ proxmox_token_id }}"
    api_token_secret: "{{ proxmox_token_secret }}"
    type: vzdump
    outcome: [error, unknown]
    since: 24h
    log: always
    log_lines: 10
  register: failed_backups

- name: What runs on one node
  proxkit.tasks.proxmox_task_info:
    api_host: "{{ proxmox_host }}"
    api_token_id: "{{ proxmox_token_id }}"
    api_token_secret: "{{ proxmox_token_secret }}"
    node: pve1
    outcome: running

- name: One task by name
  proxkit.tasks.proxmox_task_info:
    api_host: "{{ proxmox_host }}"
    api_token_id: "{{ proxmox_token_id }}"
    api_token_secret: "{{ proxmox_token_secret }}"
    upid: "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"

- name: Syncs and verifications of one datastore of a Backup Server that did not end well this week
  proxkit.tasks.proxmox_task_info:
    service: pbs
    api_host: "{{ backup_host }}"
    api_token_id: "{{ backup_token_id }}"
    api_token_secret: "{{ backup_token_secret }}"
    store: tank
    type: [syncjob, verificationjob]
    outcome: [warning, error, unknown]
    since: 7d
"""

RETURN = r"""
tasks:
  description:
    - The tasks, the one that started last first; named ones in the order they were given in, once each.
  type: list
  elements: dict
  returned: always
  contains:
    # upid: from plugins/doc_fragments/_returned.py by docs/generate.py
    upid:
      description: The UPID as it was given.
      type: str
      returned: always
      sample: "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam!ci:"
    node:
      description: Name of the node that runs the task.
      type: str
      returned: always
      sample: pve1
    pid:
      description: Process id of the task's worker; on Backup Server, which has none, of the daemon that runs the task.
      type: int
      returned: always
      sample: 715154
    pstart:
      description: Start of the process C(pid), in clock ticks since its node was started.
      type: int
      returned: always
      sample: 10623911
    starttime:
      description: Start of the task in epoch seconds.
      type: int
      returned: always
      sample: 1636572501
    type:
      description: What kind of task it is.
      type: str
      returned: always
      sample: vzdump
    id:
      description:
        - What the task works on, often the id of a guest; empty where there is nothing to name.
        - What Backup Server escaped in it is unescaped.
      type: str
      returned: always
      sample: "100"
    user:
      description: Who started the task, as C(user@realm), without the API token.
      type: str
      returned: always
      sample: root@pam
    tokenid:
      description: Name of the API token that the task was started with; empty without one.
      type: str
      returned: always
      sample: ci
    comment:
      description:
        - What stands after the last colon, nearly always nothing. Servers mint no comment, and Proxmox VE knows no task
          by such an id, so the modules refuse it.
      type: str
      returned: always
      sample: ""
    task_id:
      description: Backup Server's own number of the task; null for all others.
      type: int
      returned: always
      sample: null
    product:
      description:
        - Whose grammar the UPID has. Mail Gateway's look like those of Proxmox VE, Datacenter Manager's own like those
          of Backup Server.
      type: str
      choices: [pve, pbs]
      returned: always
      sample: pve
    remote:
      description:
        - Name of the remote, from the prefix that Datacenter Manager puts before a UPID (V(pve:NAME!), V(pbs:NAME!),
          formerly V(NAME!)); null without one.
      type: str
      returned: always
      sample: null
    # end of upid
    # task: from plugins/doc_fragments/_returned.py by docs/generate.py
    status:
      description: Whether the task runs; null where RV(tasks[].outcome) is V(missing) or V(unseen).
      type: str
      choices: [running, stopped]
      returned: always
      sample: stopped
    exitstatus:
      description: The exit status as the server tells it. Empty where a task failed without a text, null where there is none.
      type: str
      returned: always
      sample: job errors
    outcome:
      description:
        - V(ok), V(warning) or V(error) as Proxmox VE itself judges the exit status. V(unknown) where nobody can say, because
          the worker was killed or its node lost power. V(running) where it was last seen running. V(missing) where its node
          does not know it. V(unseen) where nobody could say anything about it.
      type: str
      choices: [ok, warning, error, unknown, running, missing, unseen]
      returned: always
      sample: error
    warnings:
      description: Number of warnings that the exit status tells of.
      type: int
      returned: always
      sample: 0
    endtime:
      description: End of the task in epoch seconds, as its node's list has it; null where that does not say.
      type: int
      returned: always
      sample: 1636572561
    duration:
      description: Seconds from start to end; null where the end is not known.
      type: int
      returned: always
      sample: 60
    follows:
      description:
        - UPID of the request to the HA manager that this task carries out, where
          O(proxkit.tasks.proxmox_task_wait#module:follow_ha=true) found it; null for all others.
      type: str
      returned: always
      sample: null
    log:
      description:
        - The last lines of the log, or all of them; an empty list for an empty log, null where it was not asked for or could
          not be read, which a warning says. M(proxkit.tasks.proxmox_task_stop) reads none.
      type: list
      elements: str
      returned: always
      sample:
        - "ERROR: Backup of VM 100 failed - no space left on device"
        - "INFO: Backup job finished with errors"
        - "TASK ERROR: job errors"
    log_total:
      description: Number of lines of the whole log; null where RV(tasks[].log) is.
      type: int
      returned: always
      sample: 214
    progress:
      description:
        - How far the log says that the task is, or was at its end; null where it says nothing or was not read.
        - The log of a task that has ended is read only where RV(tasks[].log) returns it. Of a task that failed while it was
          watched, what was read last is kept.
      type: dict
      returned: always
      sample: {"percent": null, "text": "Backup job finished with errors"}
      contains:
        percent:
          description:
            - Percentage of the guest, drive or other part at work, or of the whole where the log tells that; null where its
              last word gives none. While a backup runs it is V(42.0), for example.
          type: float
          returned: always
          sample: null
        text:
          description:
            - "The log's own words. While a backup runs they are V(VM 100: 42% (8.4 GiB of 20.0 GiB\\) in 1m 3s), for example."
          type: str
          returned: always
          sample: Backup job finished with errors
    # end of task
missing:
  description: Those of the named UPIDs that their nodes do not know. They are in RV(tasks) as well, and are no failure.
  type: list
  elements: str
  returned: always
  sample: []
blind_nodes:
  description: Nodes that list one's own tasks only, because Sys.Audit on them is missing. A warning says so too.
  type: list
  elements: str
  version_added: 0.2.0
  returned: always
  sample: []
unreachable_nodes:
  description: Nodes that were asked and did not answer. A warning says so too.
  type: list
  elements: str
  returned: always
  sample: ["pve3"]
# no_task: from plugins/doc_fragments/_returned.py by docs/generate.py
no_task:
  description: The given values that name no task, V(null), empty strings and V(OK).
  type: list
  elements: raw
  returned: always
  sample: ["OK"]
# end of no_task
msg:
  description: Summary of the result, in one sentence.
  type: str
  returned: always
  sample: "3 tasks found."
"""

from ansible_collections.proxkit.tasks.plugins.module_utils._module.python import refuse_old_python

refuse_old_python()  # which could not read what is imported below

from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import TasksError
from ansible_collections.proxkit.tasks.plugins.module_utils._module.info import SPEC, refused, run
from ansible_collections.proxkit.tasks.plugins.module_utils._module.masked import AnsibleModule


def main() -> None:
    """Run as a module."""
    module = AnsibleModule(argument_spec=SPEC.options, supports_check_mode=True)
    try:
        result = run(module.params, module.check_mode)
    except TasksError as exc:
        result = refused(exc)
    for warning in result.pop("warnings"):
        module.warn(warning)
    if result.pop("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
