# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of a release."""

from __future__ import annotations

import pathlib
import re
import typing as t

import yaml

from .commands import run

# No leading zeros and no build metadata: Galaxy orders versions by these.
NUMBER = r"(?:0|[1-9]\d*)"
VERSION = re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}(?:-[a-z]+\.{NUMBER})?")


class State(t.NamedTuple):
    """What a checkout says about its next release."""

    version: str
    released: t.Collection[str]  # versions that the changelog knows
    fragments: t.Collection[str] = ()
    changed: t.Collection[str] = ()  # files that are not as committed
    tags_elsewhere: t.Collection[str] = ()  # tags of other commits

    @classmethod
    def of(cls, checkout: pathlib.Path) -> State:
        """Ask galaxy.yml, the changelog and git."""

        def git(*arguments: str) -> list[str]:
            return run("git", *arguments, cwd=checkout).splitlines()

        changelogs = checkout / "changelogs"
        return cls(
            version=yaml.safe_load((checkout / "galaxy.yml").read_text())["version"],
            released=yaml.safe_load((changelogs / "changelog.yaml").read_text())["releases"],
            fragments=[path.name for path in changelogs.glob("fragments/*.y*ml")],
            changed=[line[3:] for line in git("status", "--porcelain")],
            tags_elsewhere=set(git("tag", "--list")) - set(git("tag", "--points-at", "HEAD")),
        )


def obstacles(state: State) -> list[str]:
    """Why the version must not be released, in sentences that say what to do."""
    version, found = state.version, []
    if not VERSION.fullmatch(version):
        found.append(f"{version} (galaxy.yml) is no version of the form 1.2.3 or 1.2.3-rc.1")
    if state.changed:
        found.append(f"not as committed: {', '.join(sorted(state.changed))}")
    if version not in state.released:
        found.append(f"changelogs/changelog.yaml does not know {version}: run 'antsibull-changelog release'")
    elif state.fragments:
        found.append(f"changes that the release's changelog lacks: {', '.join(sorted(state.fragments))}")
    if version in state.tags_elsewhere:
        found.append(f"the tag {version} is of another commit: what was published is never published anew")
    return found
