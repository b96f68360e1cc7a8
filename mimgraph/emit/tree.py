"""Represent statements and classes as data; extend code trees by locals without names yet and
modules without arguments yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mimgraph.ir.code import Call, Code, Constant, Name, Operand, Replace, rebuild
from mimgraph.ir.typed_graph import Value


@dataclass(frozen=True, slots=True)
class Assign:
    """`a, b = value  # comment`; a comment that does not fit is left out.

    `node` is the node that this computes; it is not written.
    """

    targets: tuple[str, ...]
    value: Code
    comment: str = ""
    node: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Return:
    """`return value`; `node` is the node that this computes, if any."""

    value: Code
    node: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Delete:
    """`del a, b`."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expr:
    """An expression as a statement, such as a call."""

    value: Code


@dataclass(frozen=True, slots=True)
class For:
    """`for a, b in iterable:`."""

    target: tuple[str, ...]
    iterable: Code
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class If:
    """`if test:`; an `orelse` of one `If` is written as `elif`."""

    test: Code
    body: tuple[Statement, ...]
    orelse: tuple[Statement, ...] = ()


Statement: TypeAlias = Assign | Return | Delete | Expr | For | If


@dataclass(frozen=True, slots=True)
class Parameter:
    """`name: annotation = default`."""

    name: str
    annotation: str
    default: Code | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A method; `self` is not among its parameters."""

    name: str
    parameters: tuple[Parameter, ...]
    keyword_only: bool
    returns: str
    body: tuple[Statement, ...]
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Class:
    """`class name(base):`, its docstring and methods."""

    name: str
    base: str
    doc: str
    body: tuple[Function, ...]


# Extend code trees by locals without names yet and modules without arguments yet; rebuild them.


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
    def parts(self) -> tuple[Code, ...]:
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
