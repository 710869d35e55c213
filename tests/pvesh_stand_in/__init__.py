# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine that has ``pvesh`` and ``pmgsh``, as far as a folder on ``PATH`` makes it one.

    with serve() as mock:
        machine = StandIn(folder, mock)
        subprocess.run(["pvesh", "get", "/nodes", "--output-format", "json"], env=machine.environment)

The commands ask the mocked endpoint, and print what the genuine ones print (see ``command``).
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
import typing as t

from ansible_collections.proxkit.tasks.tests.mock_endpoint import ROOT_PASSWORD, TOKEN_ID, TOKEN_SECRET

STATE = "PVESH_STAND_IN"
OWN_NODE = "pve1"


class Endpoint(t.Protocol):
    """What is needed of a mocked endpoint."""

    host: str
    port: int
    ca_path: str


class StandIn:
    """The commands in a folder of their own, and how they behave from now on."""

    def __init__(self, folder: pathlib.Path, mock: Endpoint, own_node: str = OWN_NODE) -> None:
        """They are there, and the machine is that node; ``environment`` is one in which they are found."""
        self._folder = folder
        self._state: dict[str, t.Any] = {
            "host": mock.host,
            "port": mock.port,
            "ca_path": mock.ca_path,
            "own_node": own_node,
            "token_id": TOKEN_ID,
            "token_secret": TOKEN_SECRET,
            "password": ROOT_PASSWORD,
            "starts": str(folder / "starts"),
            "acts": {},
        }
        for name in ("pvesh", "pmgsh"):
            script = folder / name
            file = pathlib.Path(__file__).with_name("command.py")
            script.write_text(f"#!/bin/sh\nexec '{sys.executable}' -I -S '{file}' {name} \"$@\"\n")
            script.chmod(0o755)
        self._write()
        self.variables = {STATE: str(folder / "state.json"), "PATH": f"{folder}:{os.environ['PATH']}"}
        self.environment = {**os.environ, **self.variables}

    @property
    def starts(self) -> list[list[str]]:
        """The words of each start so far, in order."""
        path = pathlib.Path(self._state["starts"])
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def act(self, how: str, path: str = "") -> None:
        """Behave so from now on where this is in the API's path: one of the names in ``command``, '' for usual."""
        self._state["acts"] = {**self._state["acts"], path: how}
        self._write()

    def _write(self) -> None:
        draft = self._folder / "draft"
        draft.write_text(json.dumps(self._state))
        draft.replace(self._folder / "state.json")
