# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter ``task_log_decode``: the rows of a task's log as text."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import TasksError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.log import decode_rows

DOCUMENTATION = r"""
name: task_log_decode
short_description: Turn the rows of a Proxmox task log into text
version_added: 0.1.0
author: proxkit.tasks contributors (@proxkit)
extends_documentation_fragment: proxkit.tasks._templates.names
description:
  - Proxmox answers C(GET /nodes/NODE/tasks/UPID/log) with a list of rows, each with its number C(n) and its text C(t).
    This filter puts the rows of one page or of several in order, each number once, and joins them.
  - Text that is not ASCII comes from Proxmox VE as broken characters. It is put right.
  - The row V(no content), which Proxmox VE answers for an empty log, is left out.
positional: _input
options:
  _input:
    description:
      - The rows. Of two with the same number the later one counts.
    type: list
    elements: dict
    required: true
notes:
  - The text is as the server gave it. Control characters in it, such as a progress bar's, are kept.
seealso:
  - module: proxkit.tasks.proxmox_task_info
"""

EXAMPLES = r"""
- name: Show a log that was read in two pages
  ansible.builtin.debug:
    msg: "{{ (second.json.data + first.json.data) | proxkit.tasks.task_log_decode }}"
  vars:
    first:
      json:
        data:
          - {n: 1, t: starting new backup job}
          - {n: 2, t: Backup job finished successfully}
    second:
      json:
        data:
          - {n: 3, t: TASK OK}
# msg: "starting new backup job\nBackup job finished successfully\nTASK OK"
"""

RETURN = r"""
_value:
  description: The lines of the log, joined by newlines. Empty for an empty log.
  type: str
  sample: "starting new backup job\nTASK OK"
"""


def task_log_decode(rows: object) -> str:
    """Join the rows of a log.

    :raises AnsibleFilterError: where they are no such rows, with the reason.
    """
    try:
        return decode_rows(rows)
    except TasksError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"task_log_decode": task_log_decode}
