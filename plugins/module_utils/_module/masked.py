# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules are made of: Ansible's own class, which masks more of what it shows. Private to the collection."""

from __future__ import annotations

import typing as t

from ansible.module_utils import basic
from ansible_collections.proxkit.tasks.plugins.module_utils._module.access import with_sources
from ansible_collections.proxkit.tasks.plugins.module_utils._module.credentials import secrets


class AnsibleModule(basic.AnsibleModule):  # type: ignore[misc]  # Ansible ships no types
    """Masks secrets where Ansible does not look for them, and names variables that hold what it refuses.

    Ansible masks what options with ``no_log`` hold, as it was given. A secret also stands in a token id that was
    pasted whole or in an address, and shows in other forms. All that Ansible shows and logs, its own refusals and
    ``invocation`` among it, goes through ``no_log_values``.
    """

    @property
    def no_log_values(self) -> set[str]:
        """What is masked in all output."""
        self._no_log_values |= secrets(getattr(self, "params", None) or {})
        return self._no_log_values

    @no_log_values.setter
    def no_log_values(self, values: set[str]) -> None:
        self._no_log_values = values

    def fail_json(self, msg: str, **result: t.Any) -> None:
        """End the module as failed. Without any result it is Ansible that refuses an option."""
        if not result and not msg.startswith("Unsupported parameters"):  # which names all options there are
            msg = with_sources(msg, self.params)
        super().fail_json(msg=msg, **result)
