# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of others: put right, and made safe to show. Pure. Private to the collection."""

from __future__ import annotations

import collections.abc
import re


def repair(text: str) -> str:
    """Proxmox VE sends UTF-8 as if each byte were a Latin-1 character: put right what is valid UTF-8."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


# No part matches across another control character, which keeps the search linear on unended sequences.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x00-\x1f\x7f-\x9f]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]"  # all shorter ones
)


def clean(text: str) -> str:
    r"""One line that is safe on a terminal: nothing in it moves a cursor, colours, hides or reorders text.

    Progress that overwrites itself (``\r``, ``\b``) is collapsed to its last state; line breaks become blanks.
    """
    if text.isprintable():
        return text.rstrip()
    lines = [_overwritten(line) for line in _ESCAPES.sub("", text).split("\n")]
    # What is not printable includes the characters that reorder text (bidi) or have no width.
    shown = (char if char.isprintable() else " " if char.isspace() else "" for char in " ".join(lines))
    return "".join(shown).rstrip()


def in_sentence(text: str) -> str:
    """A text of others as a part of a sentence of ours: one clean line, not too long, its full stop left to us."""
    line = clean(text).strip()
    return (line if len(line) <= _SENTENCE_LENGTH else f"{line[:_SENTENCE_LENGTH].rstrip()} (and so on)").rstrip(".")


def _overwritten(line: str) -> str:
    states = [state for state in line.split("\r") if state.strip()]
    shown: list[str] = []
    for char in states[-1] if states else "":
        if char != "\b":
            shown.append(char)
        elif shown:
            shown.pop()
    return "".join(shown)


_SHOWN_LENGTH = 120
_SENTENCE_LENGTH = 1000
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "null"),
    (bool, "a truth value"),
    ((int, float), "a number"),
    (collections.abc.Mapping, "a dictionary"),
    ((list, tuple), "a list"),
)


def shown(value: object) -> str:
    """A value for a message: printable and short. Of what is not text only its kind, its own words may be anything."""
    if isinstance(value, str):
        text = repr(str.__str__(value)[:_SHOWN_LENGTH])
        if len(value) <= _SHOWN_LENGTH and len(text) <= _SHOWN_LENGTH:
            return text
        return f"{text[: _SHOWN_LENGTH - 4]}...{text[0]}"
    # Ansible hands in types of its own, whose names mean nothing to its users.
    for kind, name in _KINDS:
        if isinstance(value, kind):
            return name
    return f"a value of type {type(value).__name__[:_SHOWN_LENGTH]}"
