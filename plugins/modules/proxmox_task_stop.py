#!/usr/bin/python
# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop tasks of Proxmox."""

from __future__ import annotations

DOCUMENTATION = r"""
module: proxmox_task_stop
short_description: Stop running tasks of Proxmox
version_added: 0.1.0
description:
  - Stops running tasks and waits until they are gone. Each is looked at right before and right after its request to stop; one
    that got lost is sent again where the task still runs, one to a task that is gone is never sent.
  - Tasks that have ended or are no longer known are left alone, and are no failure.
author:
  - proxkit.tasks contributors (@proxkit)
extends_documentation_fragment:
  - proxkit.tasks._proxmox.connection
  - proxkit.tasks._proxmox.upids
  - proxkit.tasks._proxmox.attributes
  - proxkit.tasks._proxmox.actiongroup_proxmox
options:
  upids:
    required: true
  timeout:
    description:
      - Seconds within which the tasks must be gone. A task that still runs then, or that nobody could look at, is a failure.
      - The default is 30 seconds, and a second more for every task beyond ten on the node with the most of them. No more than
        two tasks of a node are stopped side by side, because each request to stop holds one of the node's three API workers
        for a second, or for five where the task ignores it.
    type: float
attributes:
  check_mode:
    support: full
    details: One look is made, and RV(stopped_upids) tells what would be stopped.
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: proxkit.tasks.proxmox_task_wait
  - module: proxkit.tasks.proxmox_task_info
"""

EXAMPLES = r"""
- name: Find the backups that run
  proxkit.tasks.proxmox_task_info:
    api_host: "{{ proxmox_host }}"
    api_token_id: "{{ proxmox_token_id }}"
    api_token_secret: "{{ proxmox_token_secret }}"
    type: vzdump
    outcome: running
  register: backups

- name: Stop them
  proxkit.tasks.proxmox_task_stop:
    api_host: "{{ proxmox_host }}"
    api_token_id: "{{ proxmox_token_id }}"
    api_token_secret: "{{ proxmox_token_secret }}"
    upids: "{{ backups.tasks | map(attribute='upid') }}"
"""

RETURN = r"""
tasks:
  description:
    - The tasks in the order they were given in, once each.
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
stopped_upids:
  description: UPIDs of the tasks that ran and were stopped; in check mode of those that would be.
  type: list
  elements: str
  returned: always
  sample: ["UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam!ci:"]
# call: from plugins/doc_fragments/_returned.py by docs/generate.py
unfinished_upids:
  description: UPIDs of the tasks that still ran when they were last seen, and of those that nobody could look at.
  type: list
  elements: str
  returned: always
  sample: []
timed_out:
  description: Whether the deadline came before what was waited for.
  type: bool
  returned: always
  sample: false
elapsed:
  description: Seconds that the call took.
  type: float
  returned: always
  sample: 12.75
# end of call
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
  sample: "1 of 1 task stopped: UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam!ci:."
"""

from ansible_collections.proxkit.tasks.plugins.module_utils._module.python import refuse_old_python

refuse_old_python()  # which could not read what is imported below

from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import TasksError
from ansible_collections.proxkit.tasks.plugins.module_utils._module.masked import AnsibleModule
from ansible_collections.proxkit.tasks.plugins.module_utils._module.stop import SPEC, refused, run


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
