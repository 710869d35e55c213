# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test ``upid``: whether a value is a UPID."""

from __future__ import annotations

import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import InvalidUpid
from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import parse
from jinja2 import Undefined

DOCUMENTATION = r"""
name: upid
short_description: Tell whether a value is a Proxmox UPID
version_added: 0.1.0
author: proxkit.tasks contributors (@proxkit)
extends_documentation_fragment: proxkit.tasks._templates.names
description:
  - True exactly where P(proxkit.tasks.upid_decode#filter) would not fail, so for the ids of background tasks on Proxmox
    VE, Mail Gateway, Backup Server and Datacenter Manager. No server is asked, the task need not exist.
  - False for all other values, of whatever type. An undefined variable fails as it does everywhere in Ansible.
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
  - plugin: proxkit.tasks.upid_extract
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Check that an answer names a task
  ansible.builtin.assert:
    that: answer is proxkit.tasks.upid
  vars:
    answer: 'UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:'

- name: Keep the ids of tasks from a list of answers
  ansible.builtin.debug:
    msg: "{{ answers | select('proxkit.tasks.upid') | list }}"
  vars:
    answers:
      - OK
      - 'UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:'
# msg: ["UPID:pve1:000AE992:00A21BA7:618C1D55:vzdump:100:root@pam:"]
"""

RETURN = r"""
_value:
  description: Whether the value is a UPID.
  type: bool
"""


def is_upid(value: object) -> bool:
    """Whether the value is a UPID of any grammar."""
    if isinstance(value, Undefined):
        # Before ansible-core 2.19 an undefined variable comes in here: let it raise its own error.
        str(value)
    try:
        parse(value)
    except InvalidUpid:
        return False
    return True


class TestModule:
    """What Ansible looks for."""

    def tests(self) -> dict[str, t.Callable[..., bool]]:
        """The test by its name."""
        return {"upid": is_upid}
