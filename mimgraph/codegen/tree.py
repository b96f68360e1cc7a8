"""Code trees inside code generation: values not yet named, modules not yet lifted, and rebuilding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mimgraph.codegen.printer import Assign, Delete, Expr, For, If, Return, Statement
from mimgraph.data import data
from mimgraph.ir.code import (
    Attribute,
    Binary,
    Call,
    Code,
    Comprehension,
    Constant,
    Dict,
    List,
    Name,
    Operand,
    Slice,
    Subscript,
    Tuple,
    Unary,
    Unpacked,
)
from mimgraph.ir.typed import Value


@data
class Local(Code):
    """A value of the body, before it has a name."""

    value: Value


@data
class Construct(Code):
    """A module made with every argument by name; printing drops those equal to `defaults`.

    The first `positional` arguments go by position.
    """

    class_name: str
    arguments: tuple[tuple[str, Code], ...]
    positional: int
    defaults: tuple[tuple[str, Any], ...]

    def spelled(self) -> Call:
        """The call as it is written."""
        defaults = dict(self.defaults)
        kept = [
            (index < self.positional, name, value)
            for index, (name, value) in enumerate(self.arguments)
            if not (name in defaults and _is_literal(value, defaults[name]))
        ]
        args = tuple(value for by_position, _, value in kept if by_position)
        return Call(Name(self.class_name), args, tuple(k[1:] for k in kept if not k[0]))


def _is_literal(code: Code, value: Any) -> bool:
    return isinstance(code, Constant) and same_constant(code.value, value)


def same_constant(left: Any, right: Any) -> bool:
    """Equal values of one type: 1, 1.0 and True are three."""
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(same_constant, left, right))
    return _kind(left) is _kind(right) and bool(left == right)


def _kind(value: Any) -> type:
    """The type of a value, that of a number that remembers its origin seen through."""
    for kind in (bool, int, float):
        if isinstance(value, kind):
            return kind
    return type(value)


def rebuild(node: Code, replace: Callable[[Code], Code | None]) -> Code:
    """`node` with every part for which `replace` returns something replaced by it."""
    found = replace(node)
    if found is not None:
        return found
    match node:  # the usual ones first
        case Name() | Constant() | Operand():
            return node
        case Call(function, args, keywords):
            return Call(
                rebuild(function, replace),
                tuple([rebuild(arg, replace) for arg in args]),
                tuple([(key, rebuild(value, replace)) for key, value in keywords]),
            )
        case Attribute(value, name):
            return Attribute(rebuild(value, replace), name)
        case Construct(class_name, arguments, positional, defaults):
            rebuilt = tuple((key, rebuild(value, replace)) for key, value in arguments)
            return Construct(class_name, rebuilt, positional, defaults)
        case Subscript(value, index):
            return Subscript(rebuild(value, replace), rebuild(index, replace))
        case Slice(start, stop, step):
            rebuilt_parts = (part and rebuild(part, replace) for part in (start, stop, step))
            return Slice(*rebuilt_parts)
        case Tuple(items):
            return Tuple(tuple(rebuild(item, replace) for item in items))
        case Dict(pairs):
            return Dict(tuple((key, rebuild(value, replace)) for key, value in pairs))
        case Unary(operator, operand):
            return Unary(operator, rebuild(operand, replace))
        case Binary(operator, left, right):
            return Binary(operator, rebuild(left, replace), rebuild(right, replace))
        case List(items):
            return List(tuple(rebuild(item, replace) for item in items))
        case Unpacked(value):
            return Unpacked(rebuild(value, replace))
        case Comprehension(element, targets, iterable):
            return Comprehension(rebuild(element, replace), targets, rebuild(iterable, replace))
        case _:
            return node


def rebuild_statement(statement: Statement, replace: Callable[[Code], Code | None]) -> Statement:
    """The statement with its expressions rebuilt, in the order in which they stand."""
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
    """`node` with its operands replaced."""

    def replace(part: Code) -> Code | None:
        return operands(part.key) if isinstance(part, Operand) else None

    return rebuild(node, replace)


def spell(node: Code) -> Code:
    """`node` with every `Construct` as the call that is written."""

    def replace(part: Code) -> Code | None:
        return spell(part.spelled()) if isinstance(part, Construct) else None

    return rebuild(node, replace)
