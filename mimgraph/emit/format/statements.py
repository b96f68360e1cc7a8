"""Represent statements, methods and classes as data, before they are text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from mimgraph.ir.code import Code


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
