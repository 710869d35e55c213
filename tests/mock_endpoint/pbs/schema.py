# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of a request, and what is wrong with them in the words of proxmox-schema's schema.rs."""

from __future__ import annotations

import abc
import dataclasses
import json
import re
import typing as t
import urllib.parse

from .. import _schema
from .._messages import ApiError, Request
from .._schema import Value

Pairs = t.Sequence[tuple[str, str]]
Json = t.Any

TRUE, FALSE = ("1", "on", "yes", "true"), ("0", "off", "no", "false")
SAFE_ID = r"[A-Za-z0-9_][A-Za-z0-9._\-]*"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


class Check(abc.ABC):
    """What a parameter must be like: called with its text, it says what is wrong."""

    json_type: t.ClassVar[type]
    name: t.ClassVar[str]

    @abc.abstractmethod
    def __call__(self, value: Value) -> t.Optional[str]:
        """What is wrong with it, None where nothing is."""

    def of_json(self, value: Json) -> t.Optional[str]:
        """What is wrong with a value of a JSON body."""
        return self(as_text(value)) if value.__class__ is self.json_type else f"Expected {self.name} value."


class Boolean(Check):
    """One of the words for yes and no."""

    json_type, name = bool, "boolean"

    def __call__(self, value: Value) -> t.Optional[str]:
        """What is wrong with it, None where nothing is."""
        return None if str(value).lower() in (*TRUE, *FALSE) else "Unable to parse boolean option."


@dataclasses.dataclass(frozen=True)
class Integer(Check):
    """A whole number, not below ``minimum``."""

    json_type, name = int, "integer"
    minimum: t.Optional[int] = None

    def __call__(self, value: Value) -> t.Optional[str]:
        """What is wrong with it, None where nothing is."""
        text = str(value)
        if not text:
            return "cannot parse integer from empty string"
        if not re.fullmatch(r"[+-]?[0-9]+", text):
            return "invalid digit found in string"
        if not -(1 << 63) <= int(text) < 1 << 63:
            return f"number too {'small' if text.startswith('-') else 'large'} to fit in target type"
        low = self.minimum is not None and int(text) < self.minimum
        return f"value must have a minimum value of {self.minimum} (got {int(text)})" if low else None


@dataclasses.dataclass(frozen=True)
class String(Check):
    """A text of some length and form, or one of some ``words``."""

    json_type, name = str, "string"
    pattern: str = ""
    shortest: int = 0
    longest: t.Optional[int] = None
    words: tuple[str, ...] = ()

    def __call__(self, value: Value) -> t.Optional[str]:
        """What is wrong with it, None where nothing is."""
        text = str(value)
        if len(text) < self.shortest:
            return f"value must be at least {self.shortest} characters long"
        if self.longest is not None and len(text) > self.longest:
            return f"value may only be {self.longest} characters long"
        if self.pattern and not re.fullmatch(self.pattern, text):
            return "value does not match the regex pattern"
        unknown = self.words and text not in self.words
        return f"value '{text}' is not defined in the enumeration." if unknown else None


@dataclasses.dataclass(frozen=True)
class Several(Check):
    """A parameter that may be repeated."""

    json_type, name = list, "array"
    item: Check

    def __call__(self, value: Value) -> t.Optional[str]:
        """What is wrong with one of them, None where nothing is."""
        return self.item(value)

    def of_json(self, value: Json) -> t.Optional[str]:
        """What is wrong with a value of a JSON body."""
        if not isinstance(value, list):
            return f"Expected array - got {'object' if isinstance(value, dict) else 'scalar value'}."
        return next((wrong for wrong in map(self.item.of_json, value) if wrong), None)


NODE = String(r"[a-zA-Z0-9]([a-zA-Z0-9\-]*[a-zA-Z0-9])?")
STORE = String(SAFE_ID, 3, 32)
JOB = String(SAFE_ID, 3, 32)
UPID = String(
    r"UPID:[a-zA-Z0-9]([a-zA-Z0-9\-]*[a-zA-Z0-9])?:[0-9A-Fa-f]{8}:[0-9A-Fa-f]{8,9}:[0-9A-Fa-f]{8,16}:[0-9A-Fa-f]{8}:"
    r"[^:\s]+:[^:\s]*:[^:\s]+:",
    len("UPID:N:12345678:12345678:12345678:::"),
)
# Variable parts of paths are parameters too.
WHERE: dict[str, Check] = {"node": NODE, "store": STORE, "id": JOB, "upid": UPID}


def truth(text: str) -> bool:
    """What a word for yes or no means."""
    return text.lower() in TRUE


def as_text(value: Json) -> str:
    """A JSON value as it would stand in a form."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def parameters(
    request: Request,
    where: t.Mapping[str, str],
    checks: t.Optional[t.Mapping[str, _schema.Check]],
    required: t.Sequence[str],
    query_only: bool,
) -> dict[str, Value]:
    """Checked parameters of body, query and path; raises ApiError. Source: ``get_request_parameters`` in rest.rs.

    :param checks: None: anything goes
    """
    kind = FORM if query_only else _content_type(request)
    known: t.Optional[dict[str, _schema.Check]] = None if checks is None else {**WHERE, **checks}
    if kind == JSON:
        return _of_json(request.body, where, known, required)
    body = b"" if query_only else request.body
    text = "&".join(part for part in (body.decode(errors="replace"), request.query) if part)
    pairs = [pair for pair in urllib.parse.parse_qsl(text, True) if pair[0] != "_dc"]
    return _of_pairs([*pairs, *where.items()], known, required)


def _content_type(request: Request) -> str:
    given = request.headers.get("content-type")
    kind = FORM if given is None else given.partition(";")[0]
    if kind not in {FORM, JSON}:
        raise ApiError(400, f'unsupported content type Ok("{given}")')
    return kind


def _of_pairs(
    pairs: Pairs, checks: t.Optional[t.Mapping[str, _schema.Check]], required: t.Sequence[str]
) -> dict[str, Value]:
    values: dict[str, Value] = {}
    errors: list[tuple[str, str]] = []
    for name, text in pairs:
        check = checks.get(name) if checks is not None else String()
        before = values.get(name)
        wrong = check(text) if check is not None else "schema does not allow additional properties."
        if wrong is None and before is not None and not isinstance(check, Several):
            wrong = "duplicate parameter."
        if wrong is not None:
            errors.append((name, wrong))
        elif isinstance(check, Several):
            values[name] = [*(before if isinstance(before, list) else []), text]
        else:
            values[name] = text
    if not errors:
        missing = "parameter is missing and it is not optional."
        errors = [(name, missing) for name in sorted(required) if name not in values]
    return _unless(errors, values)


def _of_json(
    body: bytes,
    where: t.Mapping[str, str],
    checks: t.Optional[t.Mapping[str, _schema.Check]],
    required: t.Sequence[str],
) -> dict[str, Value]:
    """The query counts for nothing here."""
    try:
        given: Json = json.loads(body) if body else {}
    except ValueError as exc:
        raise ApiError(400, f"expected value at line 1 column {getattr(exc, 'pos', 0) + 1}") from exc
    if not isinstance(given, dict):
        found = "array" if isinstance(given, list) else "scalar value"
        raise ApiError(400, f"Expected object - got {found}.")
    given.update(where)
    errors: list[tuple[str, str]] = []
    for name, value in sorted(given.items()):
        check = checks.get(name) if checks is not None else None
        if isinstance(check, Check):
            wrong = check.of_json(value)
        else:
            wrong = None if checks is None else "schema does not allow additional properties"
        if wrong is not None:
            errors.append((name, wrong))
    missing = "property is missing and it is not optional"
    errors += [(name, missing) for name in sorted(required) if given.get(name) is None]
    return _unless(
        errors,
        {
            name: [as_text(item) for item in value] if isinstance(value, list) else as_text(value)
            for name, value in given.items()
        },
    )


def _unless(errors: Pairs, values: dict[str, Value]) -> dict[str, Value]:
    """The values, unless something is wrong."""
    if not errors:
        return values
    if len(errors) == 1:
        said = f"parameter verification failed - '{errors[0][0]}': {errors[0][1]}"
    else:
        said = "\n".join(["parameter verification failed:", *(f"- '{name}': {wrong}" for name, wrong in errors)])
    raise ApiError(400, said, dict(errors))
