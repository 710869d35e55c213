# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How ``docs/build.py`` lets Sphinx build the site; what reads guides and plugins is ``antsibull-docs``."""

from __future__ import annotations

project = "proxkit.tasks"
copyright = "proxkit.tasks contributors"
extensions = ["sphinx_antsibull_ext"]
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
html_theme = "sphinx_ansible_theme"
html_show_sphinx = False
html_copy_source = False
default_role = "any"
nitpicky = True
# Pages of Ansible's own site, which is not asked.
nitpick_ignore = [
    ("std:ref", label) for label in ("action_plugins", "ansible_configuration_settings", "common_return_values")
]
