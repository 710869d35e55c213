# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can keep us from finding something out. Private to the collection.

A failed task is a value, never an exception: an exception only means that nobody could say.
"""

from __future__ import annotations

import typing as t


class TasksError(Exception):
    """Base of all errors here. Its text is one sentence that a person can act on.

    ``details`` holds the facts behind the sentence (host, node, upid, status and the like), fit for JSON.
    """

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidUpid(TasksError, ValueError):
    """A value that is no UPID.

    ``field`` names the flawed part (``format`` where it is the whole, ``value`` where there is no id at all),
    ``reason`` says what is wrong with it.
    """

    def __init__(self, field: str, reason: str, shown: str) -> None:
        super().__init__(f"{shown} is not a valid UPID: {reason}", field=field, reason=reason)
        self.field = field
        self.reason = reason


class ApiError(TasksError):
    """The server, or the way to it, answered with something else than data.

    ``passing`` tells whether the same request may well succeed a little later.
    """

    def __init__(self, message: str, *, passing: bool = False, **details: t.Any) -> None:
        super().__init__(message, **details)
        self.passing = passing


class AccessError(ApiError):
    """Proxmox says that a privilege is missing (403)."""


class LoginRefused(ApiError):
    """Proxmox refuses the credentials, and asking again would not help: it ends everything at once."""


class NotProxmox(ApiError):
    """Something answered that is not Proxmox: a gateway's page, a redirection, a page of HTML.

    ``passing`` is false once a first contact has brought nothing else for too long.
    """


class NoSuchTask(ApiError):
    """The node that was asked knows no such task."""


class NodeUnreachable(ApiError):
    """The API host answers, the node behind it does not: worth another try."""

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message, passing=True, **details)


class HostUnreachable(ApiError):
    """No API host answers. ``passing`` is false where none ever did: then it is a wrong address."""


class OptionError(TasksError, ValueError):
    """Input that no request can be made of."""
