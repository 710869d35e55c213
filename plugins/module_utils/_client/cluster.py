# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sessions of one call share: hosts, login, what went wrong where. Private to the collection."""

from __future__ import annotations

import threading
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._client.connection import Connection
from ansible_collections.proxkit.tasks.plugins.module_utils._client.faults import CutOff, NoConnection
from ansible_collections.proxkit.tasks.plugins.module_utils._client.https import check_libraries, tls_context
from ansible_collections.proxkit.tasks.plugins.module_utils._client.login import Login
from ansible_collections.proxkit.tasks.plugins.module_utils._model.clock import Clock
from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import (
    ApiError,
    HostUnreachable,
    NobodyThere,
    NotProxmox,
)

# What has never answered as Proxmox does in this time never will.
STRANGE_SECONDS = 10.0
_QUESTION = "is it a Proxmox API"


class Cluster:
    """What the sessions of one call share; safe to use from several threads."""

    def __init__(self, connection: Connection, clock: Clock, shared: bool = False) -> None:
        """Nothing is sent yet; ``shared``: several sessions will ask side by side from the beginning.

        Raises ``OptionError``: a library is missing, or ``ca_path`` holds no certificate.
        """
        check_libraries()
        self.connection = connection
        self.clock = clock
        self.shared = shared
        self.context = tls_context(connection)
        self.login = Login(connection)
        self.answered = False  # somebody answered as Proxmox does
        self.introduced = False  # ... and took the password, the ticket or the token
        self.accepted = False  # ... and what was then asked with ticket or token
        self.unanswered: set[str] = set()  # hosts that were sent a password and have not answered as Proxmox does
        self.without_ticket: dict[str, ApiError] = {}  # hosts that never are sent a password again, and why
        self.warnings: list[str] = []
        self.last_errors: dict[str, str] = {}
        self.introduction = threading.Lock()
        self.not_introduced: tuple[float, ApiError] | None = None  # when it failed, and why
        self._strange_since: float | None = None
        self._lock = threading.Lock()
        self._current = 0

    @property
    def host(self) -> str:
        """The host that is asked at present."""
        return self.connection.hosts[self._current]

    def heard(self, host: str, *, accepted: bool) -> None:
        """``host`` answered as Proxmox does; ``accepted``: it took the credentials."""
        self.answered = True
        self.accepted = self.accepted or accepted
        self.introduced = self.introduced or accepted
        self.unanswered.discard(host)
        self.last_errors.pop(host, None)

    def lost(self, host: str, error: str) -> None:
        """``host`` does not answer: the next one takes over, unless another thread has seen to that already."""
        with self._lock:
            self.last_errors[host] = error
            if host == self.host and len(self.connection.hosts) > 1:
                self._current = (self._current + 1) % len(self.connection.hosts)
                text = f"api_host {host} does not answer ({error}): {self.host} takes over."
                if text not in self.warnings:
                    self.warnings.append(text)

    def nobody(self, errors: t.Sequence[HostUnreachable | NotProxmox], asked: float) -> ApiError:
        """The error where every host that was tried failed; ``asked`` is when the first of them was."""
        known = dict(self.last_errors)
        text = "no api_host answers: " + "; ".join(known.values()) if len(known) > 1 else errors[-1].message
        strange = any(isinstance(error, NotProxmox) for error in errors)
        hung = all(isinstance(error, HostUnreachable) and error.timed_out for error in errors)
        if self.answered:
            return NotProxmox(text) if strange else HostUnreachable(text, timed_out=hung)
        if all(isinstance(error, NoConnection) for error in errors):
            # Before anybody has answered, a refused connection is a wrong address; later it is a host that restarts.
            return NobodyThere(text)
        if not all(isinstance(error, (NotProxmox, CutOff, NoConnection)) for error in errors):
            return HostUnreachable(text, timed_out=hung)
        self._strange_since = asked if self._strange_since is None else self._strange_since
        if self.clock.monotonic() - self._strange_since < STRANGE_SECONDS:
            return NotProxmox(text)
        return NobodyThere(text if _QUESTION in text else f"{text}: {_QUESTION}? Check api_host and api_port")
