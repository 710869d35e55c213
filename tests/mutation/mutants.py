# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mutants of a source text: mutmut's operators, and what they leave out.

mutmut itself runs mutants of undecorated functions only, once all is imported. Here patterns, tables, class attributes
and properties carry the meaning, so each mutant is a whole module.
"""

from __future__ import annotations

import ast
import itertools
import re
import typing as t

import libcst as cst
from ansible_collections.proxkit.tasks.tests.mutation.patterns import changed_patterns
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import MutationVisitor, deep_replace
from mutmut.mutation.mutators import OPERATORS_TYPE, mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode


class Mutant(t.NamedTuple):
    """A module in which one thing is changed: the lines that ``was`` and ``now`` differ in begin at ``line``."""

    line: int
    was: str
    now: str
    source: str


def mutants_of(source: str) -> t.Iterator[Mutant]:
    """Every mutant that is another program than the source and than those before it."""
    wrapper = MetadataWrapper(cst.parse_module(source))
    visitor = _Visitor([*mutation_operators, *_MORE], IgnoredCode(set(), set(), set()))
    wrapper.visit(visitor)
    seen = {_program(source)}
    for mutation in visitor.mutations:
        changed = deep_replace(wrapper.module, mutation.original_node, mutation.mutated_node)
        text = t.cast(cst.Module, changed).code
        program = _program(text)
        if program is not None and program not in seen:
            seen.add(program)
            yield _compared(source, text)


def _program(source: str) -> str | None:
    """What tells programs apart: no layout, no case where it means nothing, nor whether what is no is False or None."""
    try:
        dumped = ast.dump(ast.parse(source))
    except SyntaxError:
        return None
    return _ANY_CASE.sub(lambda match: match[0].lower(), dumped).replace(
        "Constant(value=None)", "Constant(value=False)"
    )


# The names of codecs, and the characters that patterns name by number.
_ANY_CASE = re.compile(r"'(?:utf-8|latin-1|ascii)'|\\\\[xu][0-9a-f]{2,4}", re.IGNORECASE)


def _compared(source: str, text: str) -> Mutant:
    before, after = source.splitlines(), text.splitlines()
    first = _alike(before, after)
    last = min(_alike(before[::-1], after[::-1]), len(before) - first, len(after) - first)
    was, now = before[first : len(before) - last], after[first : len(after) - last]
    return Mutant(first + 1, _joined(was), _joined(now), text)


def _alike(ones: list[str], others: list[str]) -> int:
    """How many lines are the same from the beginning on."""
    return sum(1 for _pair in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(ones, others)))


def _joined(lines: list[str]) -> str:
    return "\n".join(line.strip() for line in lines)


class _Visitor(MutationVisitor):
    """Looks into decorated functions too; leaves alone what only says types."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef) and node.decorators:
            return False
        if isinstance(node, cst.Assign) and _is_type(node.value):
            return True
        return super()._skip_node_and_children(node)


def _is_type(node: cst.BaseExpression) -> bool:
    """Whether it reads like ``t.Literal["a", "b"]`` or ``tuple[str, str]``."""
    if isinstance(node, cst.Attribute):
        return isinstance(node.value, cst.Name) and node.value.value == "t"
    return isinstance(node, cst.Subscript) and (
        _is_type(node.value) or (isinstance(node.value, cst.Name) and node.value.value in ("dict", "list", "tuple"))
    )


def _condition(node: cst.If | cst.CompIf) -> t.Iterator[cst.CSTNode]:
    for value in ("False", "True"):
        yield node.with_changes(test=cst.Name(value))


def _result(node: cst.Return) -> t.Iterator[cst.CSTNode]:
    if node.value is not None:
        yield node.with_changes(value=cst.Name("None"))


def _statement(node: cst.Expr) -> t.Iterator[cst.CSTNode]:
    if isinstance(node.value, (cst.Call, cst.Yield)):
        yield cst.Pass()


def _pattern(node: cst.SimpleString) -> t.Iterator[cst.CSTNode]:
    if "r" in node.prefix and len(node.quote) == 1:
        for changed in changed_patterns(node.raw_value):
            yield node.with_changes(value=f"{node.prefix}{node.quote}{changed}{node.quote}")


def _formatted(node: cst.FormattedString) -> t.Iterator[cst.CSTNode]:
    for part in node.parts:
        if isinstance(part, cst.FormattedStringText):
            changes = changed_patterns(part.value) if "r" in node.prefix else (f"XX{part.value}XX",)
            for changed in changes:
                parts = [cst.FormattedStringText(changed) if other is part else other for other in node.parts]
                yield node.with_changes(parts=parts)


_MORE: OPERATORS_TYPE = (
    (cst.If, _condition),
    (cst.CompIf, _condition),
    (cst.Return, _result),
    (cst.Expr, _statement),
    (cst.SimpleString, _pattern),
    (cst.FormattedString, _formatted),
)
