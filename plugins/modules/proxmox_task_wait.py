#!/usr/bin/python
# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for tasks of Proxmox."""

from __future__ import annotations

DOCUMENTATION = r"""
module: proxmox_task_wait
short_description: Wait for tasks of Proxmox and tell how they ended
version_added: 0.1.0
description:
  - Waits for one task or for thousands, and tells how each of them ended.
  - Tasks are looked at with few requests, the nodes side by side. Faults on the way are waited out until the deadline, a
    restart of the API, an expired ticket and a node that is down for a while among them.
  - What cannot pass is not waited for. Wrong credentials, a certificate that is not trusted and an address where no Proxmox
    answers end the call. A task that one may not see, or whose node the cluster does not have, is looked at no more, and
    fails the call when the others have ended.
  - A task that ended with warnings is no failure by default, but a warning of Ansible.
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
    required: true
  timeout:
    description:
      - Seconds that the whole call may wait. V(0) is one look.
      - A last look is made at the deadline. The call ends at the latest 2 seconds after it, whatever the servers do, and later
        than that in three cases only.
      - The first answer is given at least 5 seconds, because Proxmox VE holds the refusal of a login back for 3.
      - O(on_timeout=stop) takes another 15 seconds at the most, and a second more for every task beyond ten on the node
        with the most of them.
      - Without O(api_host) all of this takes up to 3 seconds longer.
      - A log that no time was left for is null.
      - A task that its node does not know is told as V(missing) at once, but where its UPID is less than a minute old only
        after 5 seconds, because the log of a new task appears a moment after its UPID.
    type: float
    default: 300
  poll_interval:
    description:
      - Seconds of the shortest pause between two looks.
      - The default is V(0.5), and V(3) without O(api_host), where each look costs a processor of the node about a second.
    type: float
  poll_interval_max:
    description:
      - Seconds of the longest pause between two looks. Between the two the pause is about 15 % of the time waited.
      - Set it to the value of O(poll_interval) for a fixed interval. Where it is less than that, O(poll_interval) counts.
    type: float
    default: 5
  wait_for:
    description:
      - V(all) waits for all tasks, V(any) until one of them has ended.
    type: str
    choices: [all, any]
    default: all
  fail_on:
    description:
      - V(error) fails where a task failed, was stopped on the way, ended in a way that nobody can tell, is not known to its
        node, or cannot be seen at all. V(warning) fails for warnings too.
      - V(never) only reports. Where the deadline comes first, O(on_timeout) decides all the same.
    type: str
    choices: [error, warning, never]
    default: error
  fail_fast:
    description:
      - Whether to fail at the first task that failed by O(fail_on), rather than wait for the rest.
    type: bool
    default: false
  on_timeout:
    description:
      - V(fail) fails when the deadline comes first, V(continue) succeeds with RV(timed_out=true). V(stop) stops what still
        runs, then fails. No more than two tasks of a node are stopped side by side, see O(timeout).
      - The default never stops a healthy task.
    type: str
    choices: [fail, continue, stop]
    default: fail
  log:
    description:
      - Whose log is returned. V(not_ok) is every task whose outcome is not V(ok), those with warnings and those that still
        run too.
    type: str
    choices: [not_ok, always, never]
    default: not_ok
  follow_ha:
    description:
      - A request to the HA manager (C(hamigrate), C(hastart) and the like) ends at once, and some seconds later the HA manager
        starts the task that carries it out. V(true) waits for that one as well. It comes right after its request in
        RV(tasks).
      - Where none comes within 60 seconds, or Sys.Audit on C(/nodes) is missing to see it, a warning says so.
      - Only Proxmox VE has an HA manager, so it is refused where O(service) is another one.
    type: bool
    default: false
  progress:
    description:
      - What is shown of running tasks while it waits, on standard error. V(summary) is a line for each task, a handful at the
        most, about every 10 seconds. V(log) is the lines of their logs as well, which are read about every 10 seconds. V(none)
        shows nothing, and reads no log of a running task.
      - Nothing is shown in the first 5 seconds, under C(no_log) and in check mode, nor where it is a module that waits, see the
        attribute C(action). Results are the same.
    type: str
    choices: [summary, log, none]
    default: summary
    version_added: 0.2.0
attributes:
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
    details:
      - Where the task runs on the controller, the wait runs in Ansible's own process, which saves the start of a module. It
        uses the controller's Python and libraries then, whatever C(ansible_python_interpreter) says.
      - With C(async), C(become), C(environment), every connection but C(local), on macOS, and where the libraries are missing
        there, a module waits as others do.
  async:
    description: Supports being used with the C(async) keyword.
    support: full
  check_mode:
    support: full
    details: One look is made, nothing is stopped. A failed task fails as always, but never because a task still runs.
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: proxkit.tasks.proxmox_task_info
  - module: proxkit.tasks.proxmox_task_stop
  - plugin: proxkit.tasks.upid_extract
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Start a backup
  ansible.builtin.uri:
    url: "https://{{ proxmox_host }}:8006/api2/json/nodes/pve1/vzdump"
    method: POST
    headers:
      Authorization: "PVEAPIToken={{ proxmox_token_id }}={{ proxmox_token_secret }}"
    body_format: form-urlencoded
    body:
      vmid: 100
    ca_path: "{{ proxmox_ca_path }}"
  register: backup

- name: Wait for it
  proxkit.tasks.proxmox_task_wait:
    api_host: "{{ proxmox_host }}"
    api_token_id: "{{ proxmox_token_id }}"
    api_token_secret: "{{ proxmox_token_secret }}"
    ca_path: "{{ proxmox_ca_path }}"
    upids: "{{ backup | proxkit.tasks.upid_extract }}"
    timeout: 3600

- name: Wait for many tasks, tell about all of them and stop what takes too long
  proxkit.tasks.proxmox_task_wait:
    api_host: [pve1.example.com, pve2.example.com]
    api_user: root@pam
    api_password: "{{ proxmox_password }}"
    upids: "{{ migrations | proxkit.tasks.upid_extract }}"
    timeout: 900
    on_timeout: stop
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
failed_upids:
  description: UPIDs of the tasks that failed by O(fail_on); with O(fail_on=never) those that would have with V(error).
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
  sample: "vzdump 100 on pve1 failed: job errors (UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam!ci:)."
"""

from ansible_collections.proxkit.tasks.plugins.module_utils._module.python import refuse_old_python

refuse_old_python()  # which could not read what is imported below

from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import TasksError
from ansible_collections.proxkit.tasks.plugins.module_utils._module.masked import AnsibleModule
from ansible_collections.proxkit.tasks.plugins.module_utils._module.wait import SPEC, refused, run


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
