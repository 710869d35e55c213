# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the filters and the test share. Private to the collection."""

from __future__ import annotations


class ModuleDocFragment:
    """One fragment for each concern."""

    NAMES = r"""
options: {}
notes:
  - Ansible finds filters and tests of a collection by their full names. For short ones, let C(filter_plugins) and
    C(test_plugins) in C(ansible.cfg) name the folders C(plugins/filter) and C(plugins/test) of the installed collection.
"""
