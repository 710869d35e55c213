# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module takes: its options, where their values come from, which exclude others. Private to the collection."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible.module_utils.errors import AnsibleFallbackNotFound
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._module.values import words

Options = dict[str, dict[str, t.Any]]
Params = t.Mapping[str, t.Any]


class Exported(str):
    """What an environment variable gives for an option that is not set; a text stays so when Ansible checks it."""

    __slots__ = ()


def exported(variable: str) -> Exported:
    """What an option falls back on; a variable that is empty is as one that is not set."""
    value = os.environ.get(variable)
    if not value:
        raise AnsibleFallbackNotFound
    return Exported(value)


@dataclasses.dataclass(frozen=True)
class Spec:
    """The argument specification of a module, and what Ansible cannot check of it.

    ``filters`` are the options of which none may be given beside ``upids``. Ansible's own ``mutually_exclusive`` would
    take an empty text or list for given.
    """

    options: Options
    filters: tuple[str, ...] = ()

    def by_name(self, params: Params) -> bool:
        """Whether tasks are asked for by name. Raises ``OptionError`` where filters are given as well."""
        if params["upids"] == self.options["upids"].get("default"):
            return False
        extra = [name for name in self.filters if is_given(params[name])]
        if extra:
            raise OptionError(f"upids and filters are mutually exclusive, but {' and '.join(extra)} is given too.")
        return True


def is_given(value: t.Any) -> bool:
    """Whether an option has a value, which an empty text or list is not."""
    return bool(words([value] if isinstance(value, str) else value))
