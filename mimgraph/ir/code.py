"""Python expressions as data: what catalogue rules return and code generation prints."""

from __future__ import annotations

from typing import Any

from mimgraph.data import data
from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import Expression


@data
class Code:
    """An expression. Methods build larger ones; plain Python values become constants."""

    def method(self, name: str, *args: Any, **keywords: Any) -> Call:
        """`self.name(*args, **keywords)`."""
        return call(Attribute(self, name), *args, **keywords)

    def at(self, index: Any) -> Subscript:
        """`self[index]`."""
        return Subscript(self, code(index))


@data
class Name(Code):
    """A name, dots included: `x`, `torch.cat`, `self.fc1`."""

    id: str


@data
class Operand(Code):
    """A source of the op, by the name of its argument; several of one argument are `name.0`, `name.1`."""

    key: str


@data
class Constant(Code):
    """A literal: bool, int, float, str, None, or a tuple of them.

    `name` is torch's name of the argument, `written` the expression that gave the value.
    """

    value: Any
    name: str = ""
    written: Expression | None = None


@data
class RuntimeSize(Code):
    """A size known only when the module runs, the batch `N` among them."""

    dim: Dim


@data
class Attribute(Code):
    value: Code
    name: str


@data
class Call(Code):
    function: Code
    args: tuple[Code, ...] = ()
    keywords: tuple[tuple[str, Code], ...] = ()


@data
class Subscript(Code):
    value: Code
    index: Code


@data
class Slice(Code):
    """`start:stop:step` in a subscript; None leaves a part out."""

    start: Code | None = None
    stop: Code | None = None
    step: Code | None = None


@data
class Tuple(Code):
    """`(a, b)`, in a subscript `a, b`."""

    items: tuple[Code, ...]


@data
class List(Code):
    """`[a, b]`."""

    items: tuple[Code, ...]


@data
class Dict(Code):
    """`{"key": value}`."""

    items: tuple[tuple[str, Code], ...]


@data
class Unary(Code):
    """`-x` or `~x`."""

    operator: str
    operand: Code


@data
class Binary(Code):
    """`left operator right`: `+ - * / // % ** @`, or a comparison."""

    operator: str
    left: Code
    right: Code


@data
class Comprehension(Code):
    """`[element for targets in iterable]`."""

    element: Code
    targets: tuple[str, ...]
    iterable: Code


@data
class Unpacked(Code):
    """`*value`, an argument of a call."""

    value: Code


def code(value: Any) -> Code:
    """`value` as an expression: code stays, the rest is a constant, but a tuple or list of which an
    item is code or remembers its origin is built up."""
    if isinstance(value, Code):
        return value
    if isinstance(value, Dim):
        return RuntimeSize(value)
    if isinstance(value, (tuple, list)):
        items = tuple(code(item) for item in value)
        if any(not isinstance(item, Constant) or item.written is not None for item in items):
            return Tuple(items)
        return Constant(tuple(item.value for item in items))  # type: ignore[attr-defined]
    return Constant(value, written=getattr(value, "written", None))


def call(function: Code | str, *args: Any, **keywords: Any) -> Call:
    """`function(*args, **keywords)`; each keyword names its constant."""
    named = tuple((name, named_constant(name, value)) for name, value in keywords.items())
    target = Name(function) if isinstance(function, str) else function
    return Call(target, tuple(map(code, args)), named)


def by_position(**values: Any) -> tuple[Code, ...]:
    """Values as arguments by position, whose constants remember torch's names of them."""
    return tuple(named_constant(name, value) for name, value in values.items())


def named_constant(name: str, value: Any) -> Code:
    """`value` as code; a constant, one in a tuple too, remembers the argument it is for."""
    built = code(value)
    if isinstance(built, Constant):
        return Constant(built.value, name, built.written)
    if isinstance(built, Tuple):
        return Tuple(tuple(named_constant(name, item) for item in built.items))
    return built


def children(node: Code) -> tuple[Code, ...]:
    """The expressions right below `node`, in the order in which they are printed."""
    match node:  # the usual ones first
        case Name() | Constant() | Operand():
            return ()
        case Call(function, args, keywords):
            return (function, *args, *[value for _, value in keywords])
        case Attribute(value) | Unary(_, value) | Unpacked(value):
            return (value,)
        case Subscript(value, index):
            return (value, index)
        case Slice(start, stop, step):
            return tuple(part for part in (start, stop, step) if part is not None)
        case Tuple(items) | List(items):
            return items
        case Dict(pairs):
            return tuple(value for _, value in pairs)
        case Binary(_, left, right):
            return (left, right)
        case Comprehension(element, _, iterable):
            return (element, iterable)
        case _:
            return ()


def walk(node: Code) -> list[Code]:
    """`node` and every expression below it, in the order in which they are printed."""
    found, stack = [], [node]
    while stack:
        node = stack.pop()
        found.append(node)
        if below := children(node):
            stack += below[::-1]
    return found
