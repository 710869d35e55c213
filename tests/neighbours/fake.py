# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fakepve: somebody else's fake of Proxmox VE, written without knowing of this collection; a process of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import ssl
import subprocess
import sys
import typing as t

from proxmoxer import ProxmoxAPI

HOST, USER, PASSWORD = "127.0.0.1", "root@pam", "of-the-fake"


@dataclasses.dataclass(frozen=True)
class Fake:
    """Where it listens, and the file with its certificate."""

    port: int
    ca_path: str

    @property
    def environment(self) -> dict[str, str]:
        """What leads this collection to it, and community.proxmox as well."""
        return {
            "PROXMOX_HOST": HOST,
            "PROXMOX_PORT": str(self.port),
            "PROXMOX_USER": USER,
            "PROXMOX_PASSWORD": PASSWORD,
            "PROXMOX_CA_PATH": self.ca_path,
        }

    def start(self, vmid: int) -> str:
        """Start a virtual machine of its first node: the task's UPID."""
        api = ProxmoxAPI(HOST, port=self.port, user=USER, password=PASSWORD, verify_ssl=self.ca_path)
        return str(api.nodes("pve1").qemu(vmid).status.start.post())


@contextlib.contextmanager
def serve(folder: pathlib.Path, guests: t.Sequence[t.Mapping[str, t.Any]]) -> t.Iterator[Fake]:
    """Serve a cluster of these guests, on a free port, until the block ends."""
    file = folder / "guests.json"
    file.write_text(json.dumps({"guests": guests}))
    # It speaks TLS by a certificate that it makes for itself and keeps in memory.
    with subprocess.Popen(  # noqa: S603 - the same Python, without a shell
        [sys.executable, "-m", "fakepve", str(file), "--host", HOST, "--port", "0", "--user", USER],
        env={**os.environ, "PVE_PASS": PASSWORD},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            port = int(process.stdout.readline().rpartition(":")[2])
            ca = folder / "fake.pem"
            ca.write_text(ssl.get_server_certificate((HOST, port)))
            yield Fake(port, str(ca))
        finally:
            process.terminate()
