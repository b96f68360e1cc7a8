"""Extend code trees by locals without names yet and modules without arguments yet; rebuild them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mimgraph.emit.format.statements import Assign, Delete, Expr, For, If, Return, Statement
from mimgraph.ir.code import Call, Code, Constant, Name, Operand, Replace, rebuild
from mimgraph.ir.typed_graph import Value


@dataclass(frozen=True, slots=True)
class Local(Code):
    """A value of the body that has no name yet."""

    value: Value


@dataclass(frozen=True, slots=True)
class Construct(Code):
    """The call that makes a module, with every argument by name; those equal to `defaults` are not written.

    The first `positional` arguments go by position.
    """

    class_name: str
    arguments: tuple[tuple[str, Code], ...]
    positional: int
    defaults: tuple[tuple[str, Any], ...]

    @property
    def children(self) -> tuple[Code, ...]:
        return ()  # the call that `spelled` returns has them

    def spelled(self) -> Call:
        """Return the call as it is written."""
        defaults = dict(self.defaults)
        args, keywords = [], []
        for index, (name, value) in enumerate(self.arguments):
            if name in defaults and _is_literal(value, defaults[name]):
                continue
            if index < self.positional:
                args.append(value)
            else:
                keywords.append((name, value))
        return Call(Name(self.class_name), tuple(args), tuple(keywords))


def _is_literal(code: Code, value: Any) -> bool:
    return isinstance(code, Constant) and same_constant(code.value, value)


def same_constant(left: Any, right: Any) -> bool:
    """Return whether two values are equal and written alike: 1, 1.0 and True are not, nor 0.0 and -0.0."""
    if left is right:
        return True
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(same_constant, left, right))
    same = _kind(left) is _kind(right) and bool(left == right)
    return same and (bool(left) or str(left) == str(right))


def _kind(value: Any) -> type:
    """Return the type of a value; plain `int` for a number that remembers where it is from."""
    for kind in (bool, int, float):
        if isinstance(value, kind):
            return kind
    return type(value)


def rebuild_statement(statement: Statement, replace: Replace) -> Statement:
    """Return the statement with its expressions rebuilt, in the order in which they are written."""
    match statement:
        case Assign(targets, value, comment, node):
            return Assign(targets, rebuild(value, replace), comment, node)
        case Return(value, node):
            return Return(rebuild(value, replace), node)
        case Expr(value):
            return Expr(rebuild(value, replace))
        case For(target, iterable, body):
            rebuilt = rebuild(iterable, replace)
            return For(target, rebuilt, tuple(rebuild_statement(s, replace) for s in body))
        case If(test, body, orelse):
            return If(
                rebuild(test, replace),
                tuple(rebuild_statement(s, replace) for s in body),
                tuple(rebuild_statement(s, replace) for s in orelse),
            )
        case Delete():
            return statement
    raise TypeError(statement)


def fill(node: Code, operands: Callable[[str], Code | None]) -> Code:
    """Return `node` with its operands replaced."""

    def replace(part: Code) -> Code | None:
        return operands(part.key) if isinstance(part, Operand) else None

    return rebuild(node, replace)


def spell(node: Code) -> Code:
    """Return `node` with every `Construct` as the call that is written."""
    return rebuild(node, _written)


def _written(part: Code) -> Code | None:
    return spell(part.spelled()) if isinstance(part, Construct) else None
