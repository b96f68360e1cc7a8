"""Read sizes that are known only at run time from the axes of tensors: `x.shape[1]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mimgraph.ir.code import (
    Attribute,
    Binary,
    Code,
    Constant,
    RuntimeSize,
    Subscript,
    rebuild,
)
from mimgraph.ir.dim import Dim, FloorDiv, Size, printed_terms, symbol, symbols
from mimgraph.ir.types import Axis, TensorType, axis_of, axis_that_tells, multiple_of_axis

Readable = Sequence[tuple[Code, TensorType]]


def resolve_sizes(code: Code, readable: Readable) -> Code:
    """Return `code` with each run-time size read from the first tensor of `readable` that has it."""

    def replace(part: Code) -> Code | None:
        return read_size(part.dim, readable) if isinstance(part, RuntimeSize) else None

    return rebuild(code, replace)


def read_size(dim: Dim, readable: Readable) -> Code:
    """Return the axis that is `dim`, else arithmetic on axes that give the names in it, or on one axis."""
    types = [type_ for _, type_ in readable]
    found = axis_of(dim, types)
    if found is not None:
        return _read(found, readable)
    if any(axis_that_tells(name, types) is None for name in symbols(dim)):
        multiple = multiple_of_axis(dim, types)
        assert multiple is not None, (
            f"no axis tells the size {dim}"
        )  # inference checks that one does
        size = multiple.times * symbol("axis") + multiple.plus
        return _arithmetic(size, {"axis": _read(multiple.axis, readable)})
    return _arithmetic(dim, {name: _named(name, readable) for name in symbols(dim)})


def _read(axis: Axis, readable: Readable) -> Code:
    """Return `(tensor.shape[axis] - offset) // factor`."""
    size: Code = Subscript(Attribute(readable[axis.tensor][0], "shape"), Constant(axis.axis))
    if axis.offset:
        size = Binary("-" if axis.offset > 0 else "+", size, Constant(abs(axis.offset)))
    return size if axis.factor == 1 else Binary("//", size, Constant(axis.factor))


def _named(name: str, readable: Readable) -> Code:
    """Return the code that reads a named size."""
    axis = axis_that_tells(name, [type_ for _, type_ in readable])
    assert axis is not None
    return _read(axis, readable)


def _arithmetic(dim: Size, names: Mapping[str, Code]) -> Code:
    """Return a size as arithmetic on the code of each name."""
    total: Code | None = None
    for coefficient, factors in printed_terms(dim):
        product: Code | None = None
        if abs(coefficient) != 1 or not factors:
            product = Constant(abs(coefficient))
        for atom, power in factors:
            if isinstance(atom, str):
                factor = names[atom]
            else:
                operator = "//" if isinstance(atom, FloorDiv) else "%"
                sides = (_arithmetic(atom.numerator, names), _arithmetic(atom.divisor, names))
                factor = Binary(operator, *sides)
            if power != 1:
                factor = Binary("**", factor, Constant(power))
            product = factor if product is None else Binary("*", product, factor)
        assert product is not None
        if total is not None:
            total = Binary("-" if coefficient < 0 else "+", total, product)
        else:
            total = Binary("-", Constant(0), product) if coefficient < 0 else product
    return Constant(0) if total is None else total
