"""Python expressions as data: rules of ops return them, and the emitter prints them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import Expression, Syntax


class Code(Syntax):
    """An expression. Methods build larger ones; plain Python values become constants."""

    def rebuilt(self, replace: Replace) -> Self:
        """Return the expression with other direct subexpressions, in that order."""
        return type(self)(*[_rebuilt(getattr(self, n), replace) for n in self.__match_args__])

    def method(self, name: str, *args: Any, **keywords: Any) -> Call:
        """Return the call `self.name(*args, **keywords)`."""
        return call(Attribute(self, name), *args, **keywords)

    def at(self, index: Any) -> Subscript:
        """Return the subscript `self[index]`."""
        return Subscript(self, code(index))


Replace: TypeAlias = Callable[[Code], Code | None]


@dataclass(eq=False, repr=False)
class Name(Code):
    """A name, dots included: `x`, `torch.cat`, `self.fc1`."""

    id: str


@dataclass(eq=False, repr=False)
class Operand(Code):
    """A source of the op, by the name of its argument; several of one argument are `name.0`, `name.1`."""

    key: str


@dataclass(eq=False, repr=False)
class Constant(Code):
    """A literal: bool, int, float, str, None, or a tuple of them.

    `name` is torch's name of the argument, `written` the expression that gave the value.
    """

    value: Any
    name: str = ""
    written: Expression | None = None


@dataclass(eq=False, repr=False)
class RuntimeSize(Code):
    """A size known only when the module runs, the batch `N` among them."""

    dim: Dim


@dataclass(eq=False, repr=False)
class ModelDtype(Code):
    """The dtype of the model: float32 until `.to()` or `.double()` changes it."""


@dataclass(eq=False, repr=False)
class Attribute(Code):
    """`value.name`."""

    value: Code
    name: str


@dataclass(eq=False, repr=False)
class Call(Code):
    """`function(*args, **keywords)`."""

    function: Code
    args: tuple[Code, ...] = ()
    keywords: tuple[tuple[str, Code], ...] = ()


@dataclass(eq=False, repr=False)
class Subscript(Code):
    """`value[index]`."""

    value: Code
    index: Code


@dataclass(eq=False, repr=False)
class Slice(Code):
    """`start:stop:step` in a subscript; None leaves a part out."""

    start: Code | None = None
    stop: Code | None = None
    step: Code | None = None


@dataclass(eq=False, repr=False)
class Tuple(Code):
    """`(a, b)`, in a subscript `a, b`."""

    items: tuple[Code, ...]


@dataclass(eq=False, repr=False)
class List(Code):
    """`[a, b]`."""

    items: tuple[Code, ...]


@dataclass(eq=False, repr=False)
class Dict(Code):
    """`{"key": value}`."""

    items: tuple[tuple[str, Code], ...]


@dataclass(eq=False, repr=False)
class Unary(Code):
    """`-x` or `~x`."""

    operator: str
    operand: Code


@dataclass(eq=False, repr=False)
class Binary(Code):
    """`left operator right`: `+ - * / // % ** @`, or a comparison."""

    operator: str
    left: Code
    right: Code


@dataclass(eq=False, repr=False)
class Conditional(Code):
    """`value if test else otherwise`."""

    value: Code
    test: Code
    otherwise: Code


@dataclass(eq=False, repr=False)
class Comprehension(Code):
    """`[element for targets in iterable]`."""

    element: Code
    targets: tuple[str, ...]
    iterable: Code


@dataclass(eq=False, repr=False)
class Unpacked(Code):
    """`*value`, an argument of a call."""

    value: Code


def code(value: Any) -> Code:
    """Return `value` as an expression: code as it is, a tuple or list with code or written values
    item by item, anything else as a constant."""
    return named_constant("", value)


def call(function: Code | str, *args: Any, **keywords: Any) -> Call:
    """Return `function(*args, **keywords)`; a constant gets the name of its keyword."""
    named = tuple((name, named_constant(name, value)) for name, value in keywords.items())
    target = Name(function) if isinstance(function, str) else function
    return Call(target, tuple(map(code, args)), named)


def by_position(**values: Any) -> tuple[Code, ...]:
    """Return arguments by position; a constant gets the name of its keyword, which is torch's
    name."""
    return tuple(named_constant(name, value) for name, value in values.items())


def named_constant(name: str, value: Any) -> Code:
    """Return `value` as code; a constant, also one in a tuple, gets the name of its argument."""
    match value:
        case Constant():
            return Constant(value.value, name or value.name, value.written)
        case Tuple(items):
            return Tuple(tuple(named_constant(name, item) for item in items))
        case Code():
            return value
        case Dim():
            return RuntimeSize(value)
        case tuple() | list():
            items = tuple(named_constant(name, item) for item in value)
            plain = [i.value for i in items if isinstance(i, Constant) and i.written is None]
            return Constant(tuple(plain), name) if len(plain) == len(items) else Tuple(items)
    return Constant(value, name, getattr(value, "written", None))


def rebuild(node: Code, replace: Replace) -> Code:
    """Return `node` with each part replaced for which `replace` returns an expression."""
    found = replace(node)
    return node.rebuilt(replace) if found is None else found


def _rebuilt(value: Any, replace: Replace) -> Any:
    """Return the value of a field with other expressions in it."""
    if isinstance(value, Code):
        return rebuild(value, replace)
    return tuple([_rebuilt(one, replace) for one in value]) if type(value) is tuple else value


def walk(*nodes: Code) -> list[Code]:
    """Return `nodes` and every expression below them, in the order in which they are printed."""
    found, stack = list[Code](), list[Any](nodes[::-1])
    while stack:
        value = stack.pop()
        if isinstance(value, Code):
            found.append(value)
            stack += value.parts[::-1]
        elif type(value) is tuple:
            stack += value[::-1]
    return found
