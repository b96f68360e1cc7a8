"""Represent statements and classes as data; extend code trees by locals without names yet and
modules without arguments yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mimgraph.ir.code import Call, Code, Constant, Name, Operand, rebuild
from mimgraph.ir.typed_graph import Value


@dataclass(frozen=True, slots=True)
class Assign(Code):
    """`a, b = value  # comment`; a comment that does not fit is left out.

    `node` is the node that this computes; it is not written. Two that differ only in these are equal.
    """

    targets: tuple[str, ...]
    value: Code
    comment: str = field(default="", compare=False)
    node: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Return(Code):
    """`return value`; `node` is the node that this computes, if any."""

    value: Code
    node: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Delete(Code):
    """`del a, b`."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expr(Code):
    """An expression as a statement, such as a call."""

    value: Code


@dataclass(frozen=True, slots=True)
class For(Code):
    """`for a, b in iterable:`."""

    target: tuple[str, ...]
    iterable: Code
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class If(Code):
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


def same_constant(left: Any, right: Any) -> bool:
    """Return whether two values are equal and written alike: 1, 1.0 and True are not, nor 0.0 and -0.0."""
    if isinstance(left, tuple) and isinstance(right, tuple):  # also the named ones of a user
        return len(left) == len(right) and all(map(same_constant, left, right))
    return left is right or (bool(left == right) and repr(left) == repr(right))


def fill(node: Code, operands: Callable[[str], Code | None]) -> Code:
    """Return `node` with its operands replaced."""

    def replace(part: Code) -> Code | None:
        return operands(part.key) if isinstance(part, Operand) else None

    return rebuild(node, replace)


def spell(node: Code) -> Code:
    """Return `node` with every `Construct` as the call that is written."""
    if not isinstance(node, Construct):
        return node.rebuilt(spell)
    defaults = dict(node.defaults)
    args, keywords = [], []
    for index, (name, value) in enumerate(node.arguments):
        written = value
        if not isinstance(value, Constant):
            written = spell(value)
        elif name in defaults and same_constant(value.value, defaults[name]):
            continue
        if index < node.positional:
            args.append(written)
        else:
            keywords.append((name, written))
    return Call(Name(node.class_name), tuple(args), tuple(keywords))
