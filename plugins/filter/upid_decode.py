# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter ``upid_decode``: a UPID as a dictionary."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import InvalidUpid
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import parse
from jinja2 import Undefined

DOCUMENTATION = r"""
name: upid_decode
short_description: Read a Proxmox UPID
version_added: 0.1.0
author: proxkit.tasks contributors (@proxkit)
extends_documentation_fragment: proxkit.tasks._templates.names
description:
  - A UPID is the id of a background task on Proxmox VE, Mail Gateway, Backup Server or Datacenter Manager.
    This filter takes it apart, without asking any server.
  - A value that is no UPID fails with the name of the flawed field and what is wrong with it.
    The test P(proxkit.tasks.upid#test) tells beforehand.
  - A percent-encoded UPID is none, and the message says so. P(proxkit.tasks.upid_extract#filter) decodes it.
    Nor is one in which Ansible masked a secret (V(********)).
positional: _input
options:
  _input:
    description:
      - The UPID, exactly as the server gave it.
    type: str
    required: true
seealso:
  - plugin: proxkit.tasks.upid_extract
    plugin_type: filter
  - plugin: proxkit.tasks.upid
    plugin_type: test
  - module: proxkit.tasks.proxmox_task_info
"""

EXAMPLES = r"""
- name: Say which guest a task worked on, where, and who started it
  ansible.builtin.debug:
    msg: "{{ task.type }} of guest {{ task.id }} on {{ task.node }}, started by {{ task.user }}"
  vars:
    upid: 'UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:'
    task: "{{ upid | proxkit.tasks.upid_decode }}"
# msg: vzdump of guest 100 on pve1, started by root@pam

- name: Show when a task of Backup Server started and what it worked on
  ansible.builtin.debug:
    msg: "{{ '%F %T' | ansible.builtin.strftime(task.starttime, utc=true) }} UTC: {{ task.id }}"
  vars:
    upid: 'UPID:backup1:00130F49:1A12D8375:00001CD7:657A2258:backup:store1\x3avm-100:root@pam!nightly:'
    task: "{{ upid | proxkit.tasks.upid_decode }}"
# msg: "2023-12-13 21:30:00 UTC: store1:vm/100"
"""

RETURN = r"""
_value:
  description: Everything that the UPID says, and nothing else.
  type: dict
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
"""


def upid_decode(value: object) -> dict[str, t.Any]:
    """Decode a UPID.

    :raises AnsibleFilterError: where the value is none, with the reason.
    """
    if isinstance(value, Undefined):
        # Before ansible-core 2.19 an undefined variable comes in here: let it raise its own error.
        str(value)
    try:
        return parse(value).to_dict()
    except InvalidUpid as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"upid_decode": upid_decode}
