# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks: credentials made of options, and the texts in which they could show. Pure. Private to the collection.

No message of this file holds the value of a password, a token's secret or a one-time code, nor what may be one.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import re
import typing as t
from urllib.parse import unquote

from ansible_collections.proxkit.tasks.plugins.module_utils._model.errors import OptionError
from ansible_collections.proxkit.tasks.plugins.module_utils._model.grammar import MASK
from ansible_collections.proxkit.tasks.plugins.module_utils._model.masking import spellings
from ansible_collections.proxkit.tasks.plugins.module_utils._module.spec import Exported, Params

CREDENTIALS = ("api_user", "api_password", "api_otp", "api_token_id", "api_token_secret")
_OF_PASSWORD = ("api_password", "api_otp")
_OF_TOKEN = ("api_token_id", "api_token_secret")
_SECRET_OPTIONS = ("api_password", "api_token_secret", "api_otp")
# Options of these names are secrets, misspelt ones too: Ansible shows unknown options with their values.
_SECRET_NAME = re.compile("pass|secret|token|otp", re.IGNORECASE)
# White space, and what cannot be seen either: a byte order mark and its like come with files.
_INVISIBLE = "\\s\ufeff\u200b\u2060"
# What each token's secret is.
_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclasses.dataclass(frozen=True)
class Credentials:
    """A user with a password (and a one-time code), or with a token."""

    user: str
    password: str | None = dataclasses.field(default=None, repr=False)
    otp: str | None = dataclasses.field(default=None, repr=False)
    token_name: str | None = None
    token_secret: str | None = dataclasses.field(default=None, repr=False)


def without_unwanted(params: Params, *, asked: bool, tokens: bool) -> Params:
    """``params`` without what the environment gives of a way to log in that is not wanted.

    It may hold credentials for others. Where the task gives something of one way, by password or by token, the other is
    not wanted; none is where no API is ``asked``. A service without ``tokens`` wants none where there is a password.
    """
    by_token, by_password = (
        any(_pasted(params[option]) and not isinstance(params[option], Exported) for option in way)
        for way in (_OF_TOKEN, _OF_PASSWORD)
    )
    unwanted: tuple[str, ...] = ()
    if not asked:
        unwanted = CREDENTIALS
    elif by_token:
        token_id = params["api_token_id"] or ""
        whole = "!" in token_id and not isinstance(token_id, Exported)
        unwanted = (*_OF_PASSWORD, "api_user") if whole else _OF_PASSWORD
    elif by_password or (params["api_password"] and not tokens):
        unwanted = _OF_TOKEN
    return {**params, **{option: None for option in unwanted if isinstance(params[option], Exported)}}


def credentials(params: Params) -> Credentials:
    """The credentials that the options name; raises ``OptionError`` where they are incomplete or cannot be ones."""
    values = {option: _pasted(params[option]) for option in ("api_user", "api_token_id", "api_token_secret", "api_otp")}
    values["api_password"] = (params["api_password"] or "").rstrip("\r\n") or None
    for option, value in values.items():
        if value is not None:
            _check(option, value)
    _check_complete(values)
    if _misplaced(values["api_token_id"], values["api_token_secret"]):
        raise OptionError("api_token_id holds what looks like a token's secret: id and secret may have changed places.")
    user, token_name = _who(values["api_user"], values["api_token_id"])
    return Credentials(
        user=user,
        password=None if token_name else values["api_password"],
        otp=values["api_otp"],
        token_name=token_name,
        token_secret=values["api_token_secret"],
    )


def _pasted(value: str | None) -> str | None:
    """``value`` without what surrounds it when it is pasted or read from a file; None where nothing is left."""
    return re.sub(f"^[{_INVISIBLE}]+|[{_INVISIBLE}]+$", "", value or "") or None


def _check(option: str, value: str) -> None:
    if _CONTROL.search(value):
        raise OptionError(f"{option} holds a control character, such as a line break or a tab: no credential does.")
    if option == "api_token_id" and "=" in value:
        raise OptionError(
            "api_token_id holds an equals sign: what follows it is the secret and belongs in api_token_secret."
        )
    if option == "api_token_secret" and not value.isascii():
        raise OptionError("api_token_secret holds a character that is not ASCII: no token's secret does.")
    if option == "api_otp" and not re.fullmatch("[0-9]{6,8}", value):
        raise OptionError(
            "api_otp is not 6 to 8 digits. Put it in quotes: to YAML 012345 alone is a number, and its zero gets lost."
        )
    if option == "api_user" and "!" in value.rpartition("@")[2]:
        raise OptionError(
            "api_user holds the id of a token: it belongs in api_token_id, and the token's secret in api_token_secret."
        )


def _misplaced(token_id: str | None, secret: str | None) -> str | None:
    """The secret where the name of a token is to be, None where it is none: a name may be given any form."""
    name = _pasted((token_id or "").rpartition("!")[2]) or ""
    return name if _UUID.fullmatch(name) and not _UUID.fullmatch(_pasted(secret) or "") else None


def _check_complete(values: t.Mapping[str, str | None]) -> None:
    if values["api_token_id"] and not values["api_token_secret"]:
        raise OptionError("api_token_secret is missing or empty: api_token_id needs it.")
    if values["api_token_secret"] and not values["api_token_id"]:
        raise OptionError("api_token_id is missing or empty: api_token_secret needs it.")
    if not values["api_token_id"] and not values["api_password"]:
        raise OptionError(
            "No credentials are given: api_token_id and api_token_secret are missing or empty, so is api_password."
        )


def _who(user: str | None, token_id: str | None) -> tuple[str, str | None]:
    """User and token name; the token id may be the whole ``user@realm!name`` that the web interface shows."""
    token_user, bang, token_name = (token_id or "").rpartition("!")
    if bang and user and user != token_user:
        raise OptionError(f"api_token_id belongs to {token_user}, but api_user is {user}: leave api_user out.")
    option = "api_token_id" if bang and not user else "api_user"
    user = token_user if bang else user
    if not user:
        raise OptionError("api_user is missing: api_password needs it, and an api_token_id that is a name only.")
    if not re.fullmatch(".+@[^@]+", user):
        raise OptionError(f"{option}: {user} has no realm, for example {user.rstrip('@')}@pam.")
    if token_id and not token_name:
        raise OptionError("api_token_id: no token name comes after the exclamation mark.")
    return user, token_name or None


def secrets(params: Params) -> set[str]:
    """Every text in which the secrets among options could show: as given, as used, percent-encoded, escaped.

    ``params`` may be of any form, checked or not: what Ansible says of options that it refuses is to be masked too.
    """
    found: set[str] = set()
    for option, value in params.items():
        if option == "api_token_id":
            found.update(part for text in _texts(value) for part in _after_equals(text))
            secret = "".join(_texts(params.get("api_token_secret")))
            found.update(_misplaced(text, secret) or "" for text in _texts(value))
        elif option == "api_user":
            found.update(part for text in _texts(value) for part in _after_equals(text.partition("!")[2]))
        elif option == "api_host":
            found.update(_in_addresses(list(_texts(value))))
        elif _SECRET_NAME.search(option) and not option.startswith("_ansible"):
            found.update(_texts(value))
    # Blanks alone, or what cannot be seen either, are no secret: masking them would leave nothing to read.
    return {form for text in found if _pasted(text) for form in _forms(text)}


def _texts(value: object) -> t.Iterator[str]:
    """The texts that a value holds, of whatever type it is."""
    if isinstance(value, str):
        yield str.__str__(value)
    elif isinstance(value, collections.abc.Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _after_equals(text: str) -> t.Iterator[str]:
    """What follows an equals sign, of each of them, and what is left of it without quotes and brackets."""
    parts = text.split("=")
    for index in range(1, len(parts)):
        rest = "=".join(parts[index:])
        yield rest
        yield from re.split(r"[\s'\"\[\]{},]+", rest)


def _in_addresses(entries: list[str]) -> t.Iterator[str]:
    """The passwords in URLs; a comma in one makes a list of it."""
    for entry in [*entries, ",".join(entries)]:
        before = entry.rpartition("@")[0]
        password = before.partition("//")[2].partition(":")[2] if "//" in before else before.partition(":")[2]
        for part in (password, *password.split(",")):
            yield part
            yield unquote(part)


def _forms(text: str) -> set[str]:
    """All that may show of a text: as it was given or without what surrounds it, however that is spelled."""
    parts = (text, text.strip(), text.rstrip("\r\n"), _pasted(text))
    return {form for part in parts if part for form in spellings(part)}


def mask_warnings(params: Params, upids: t.Iterable[str]) -> list[str]:
    """A warning for each secret that occurs in one of the ids: Ansible masks it there, and no task has such an id."""
    ids = list(upids)
    warnings = []
    for option in _SECRET_OPTIONS:
        forms = secrets({option: params.get(option)})
        count = sum(any(form in text for form in forms) for text in ids)
        if count:
            warnings.append(
                f"The value of {option} occurs in {count} of the {len(ids)} UPIDs, where Ansible puts {MASK} in its "
                "place: such an id names no task when it is handed on. Use an API token, or a password that occurs in "
                "no node's, user's or task's name."
            )
    return warnings
