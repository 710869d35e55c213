# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can keep us from finding something out. Private to the collection.

A failed task is a value, never an exception: an exception only means that nobody could say.
"""

from __future__ import annotations

import typing as t


class TasksError(Exception):
    """Base of all errors here. Its text is one sentence that a person can act on."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class OptionError(TasksError, ValueError):
    """Input that no request can be made of."""


class InvalidUpid(TasksError, ValueError):
    """A value that is no UPID.

    ``field`` names the flawed part (``format`` where it is the whole, ``value`` where there is no id at all),
    ``reason`` says what is wrong with it.
    """

    def __init__(self, field: str, reason: str, shown: str) -> None:
        super().__init__(f"{shown} is not a valid UPID: {reason}.")
        self.field = field
        self.reason = reason


class ApiError(TasksError):
    """The server, or the way to it, answered with something else than data. The kind says what that means."""

    passing: t.ClassVar[bool] = False  # whether the same request may well succeed a little later


# What may be over a moment later


class Fault(ApiError):
    """The server, or the way to it, is out of order for the moment."""

    passing = True


class Unreachable(Fault):
    """No answer; ``timed_out``: it took all the time that a request has."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


class NodeUnreachable(Unreachable):
    """The API host answers, the node behind it does not."""


class HostUnreachable(Unreachable):
    """No API host answers."""


class NotProxmox(Fault):
    """Something answered that is not Proxmox: a gateway's page, a redirection, a page of HTML."""


# What is meant as it is said


class Refused(ApiError):
    """Proxmox refuses what was asked for, and will again."""


class NoPrivilege(Refused):
    """Proxmox says that a privilege is missing (403)."""


class NoSuchTask(Refused):
    """The node that was asked knows no such task."""


# What makes all further questions vain


class Hopeless(ApiError):
    """No question to any node will be answered: it ends everything at once."""


class LoginRefused(Hopeless):
    """Proxmox refuses the credentials, and asking again would not help."""


class NobodyThere(Hopeless):
    """No API host ever answered, or none as Proxmox does: a wrong address."""
