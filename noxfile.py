# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sessions of antsibull-nox, see ``antsibull-nox.toml``: ``nox --list`` names them."""

from __future__ import annotations

import sys

import nox

try:
    import antsibull_nox
except ImportError:
    sys.exit("antsibull-nox is missing: run 'pip install -r requirements-dev.txt', or 'python3 dev.py test nox'")

nox.needs_version = ">=2025.2.9"
antsibull_nox.load_antsibull_nox_toml()
