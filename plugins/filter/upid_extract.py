# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter ``upid_extract``: every UPID in any value."""

from __future__ import annotations

import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.extract import extract

DOCUMENTATION = r"""
name: upid_extract
short_description: Find every Proxmox UPID in a value
version_added: 0.1.0
author: proxkit.tasks contributors (@proxkit)
extends_documentation_fragment: proxkit.tasks._templates.names
description:
  - Finds the ids of background tasks wherever a module, C(ansible.builtin.uri) or a command left them. It searches any
    nesting of lists and dictionaries, and text, for example a command's output.
  - A registered result of a C(loop) is searched in all of its C(results).
  - What a task was called with is not searched. That is C(invocation), and in a loop's result C(ansible_loop) and the
    loop's variable, which is C(item) unless C(ansible_loop_var) in the same result names another one. Neither are the
    keys of dictionaries.
  - UPIDs are taken as servers mint them, so without a comment after the last colon.
    The prefix of Datacenter Manager belongs to the UPID in its present form only (V(pve:NAME!) or V(pbs:NAME!)).
  - Percent-encoded UPIDs, as in a URL or in a proxy's log, are found and decoded, also where only some characters are
    encoded. A UPID that is valid as it stands is taken as it stands, because a percent sign may belong to its id.
  - An id in which Ansible masked a secret (V(********)) is returned as it is, so that the module that is given it can
    say what happened, rather than find no task to wait for.
positional: _input
options:
  _input:
    description:
      - Any value.
    type: raw
    required: true
seealso:
  - plugin: proxkit.tasks.upid_decode
    plugin_type: filter
  - module: proxkit.tasks.proxmox_task_wait
"""

EXAMPLES = r"""
- name: Start a backup by hand and keep what the command says
  ansible.builtin.command:
    argv:
      - echo
      - 'INFO: started UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam: in the background'
  register: backup
  changed_when: true

- name: Show the ids of the tasks it started
  ansible.builtin.debug:
    msg: "{{ backup.stdout | proxkit.tasks.upid_extract }}"
# msg: ["UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"]

- name: Take the id out of a URL
  ansible.builtin.debug:
    msg: "{{ url | proxkit.tasks.upid_extract | first }}"
  vars:
    url: /nodes/pve1/tasks/UPID%3Apve1%3A0000A1B2%3A00A21BA7%3A657A2258%3Aqmigrate%3A101%3Aops%40pve%21ci%3A/status
# msg: "UPID:pve1:0000A1B2:00A21BA7:657A2258:qmigrate:101:ops@pve!ci:"

- name: Count the tasks that two answers name
  ansible.builtin.debug:
    msg: "{{ answers | proxkit.tasks.upid_extract | length }}"
  vars:
    answers:
      - json:
          data: 'UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:'
      - json:
          data: 'UPID:pve2:0000A1B2:1A12D8375:657A2258:qmigrate:101:ops@pve!ci:'
# msg: 2
"""

RETURN = r"""
_value:
  description: The UPIDs in the order in which they were found, each once. Empty where there is none.
  type: list
  elements: str
  sample:
    - "UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"
"""


def upid_extract(value: object) -> list[str]:
    """Every UPID in a value, in order, once each."""
    return extract(value)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"upid_extract": upid_extract}
