# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of a regular expression, one at a time. Pure: source text of a literal in, source texts out."""

from __future__ import annotations

import re
import typing as t

_TOKEN = re.compile(
    r"(?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])"
    r"|(?P<times>\{\{?[0-9]+(?:,[0-9]+)?\}?\})"
    r"|(?P<open>\((?:\?(?:P<[a-z_]+>|[a-z]*:|[=!]|<[=!]))?)"
    r"|(?P<close>\))|(?P<or>\|)|(?P<repeat>[*+?])|(?P<anchor>[\^$])|(?P<escape>\\x[0-9A-Fa-f]{2}|\\.)|(?P<plain>.)",
    re.DOTALL,
)
# What may be repeated more often than this may be any number of times: the bound only keeps a search short.
_ANY_NUMBER = 18
_ITEM = re.compile(r"(?:\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\.|[^\\])(?:-(?:\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\.|[^\\]))?")
_INSTEAD = {"*": "+", "+": "*", "?": "", r"\s": r"\S", r"\S": r"\s", "^": "", "$": ""}


def changed_patterns(pattern: str) -> t.Iterator[str]:
    """The pattern with another repetition, class, anchor or alternative; it may be a piece of one."""
    tokens = list(_TOKEN.finditer(pattern))
    for token in tokens:
        for instead in _instead(token):
            yield pattern[: token.start()] + instead + pattern[token.end() :]
    for start, end in _alternatives(tokens, len(pattern)):
        yield pattern[:start] + pattern[end:]


def _instead(token: re.Match[str]) -> t.Iterator[str]:
    text = token[0]
    if token["class"]:
        yield from _changed_class(text)
    elif token["times"] and int(re.findall("[0-9]+", text)[-1]) < _ANY_NUMBER:
        for number in re.finditer("[0-9]+", text):
            yield f"{text[: number.start()]}{int(number[0]) + 1}{text[number.end() :]}"
    elif text in _INSTEAD:
        yield _INSTEAD[text]


def _changed_class(text: str) -> t.Iterator[str]:
    begin = "[^" if text.startswith("[^") else "["
    inside = text[len(begin) : -1]
    yield f"{'[' if begin == '[^' else '[^'}{inside}]"
    items = list(_ITEM.finditer(inside))
    for item in items if len(items) > 1 else ():
        yield f"{begin}{inside[: item.start()]}{inside[item.end() :]}]"


def _alternatives(tokens: list[re.Match[str]], length: int) -> t.Iterator[tuple[int, int]]:
    """Where each alternative stands, together with a bar beside it."""
    levels: list[list[int]] = [[0]]  # of each open group: its beginning, then its bars
    for token in tokens:
        if token["open"]:
            levels.append([token.end()])
        elif token["or"]:
            levels[-1].append(token.end())
        elif token["close"]:
            yield from _spans(levels.pop(), token.start())
            levels = levels or [[token.end()]]
    while levels:
        yield from _spans(levels.pop(), length)


def _spans(starts: list[int], end: int) -> t.Iterator[tuple[int, int]]:
    for index, start in enumerate(starts):
        if index + 1 < len(starts):
            yield start, starts[index + 1]
        elif index:
            yield start - 1, end
