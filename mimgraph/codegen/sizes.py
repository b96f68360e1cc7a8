"""Sizes known only at run time, read from the axes of the tensors at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mimgraph.codegen.tree import rebuild
from mimgraph.ir.code import Attribute, Binary, Code, Constant, RuntimeSize, Subscript
from mimgraph.ir.dim import Dim, FloorDiv, Size, substitute, symbol, symbols, terms
from mimgraph.ir.types import BATCH, TensorType

Readable = Sequence[tuple[Code, TensorType]]


def resolve_sizes(code: Code, readable: Readable) -> Code:
    """`code` with each run-time size read from the first of `readable` that has it."""

    def replace(part: Code) -> Code | None:
        return read_size(part.dim, readable) if isinstance(part, RuntimeSize) else None

    return rebuild(code, replace)


def read_size(dim: Dim, readable: Readable) -> Code:
    """An axis that is `dim`; else arithmetic on the axes that its names are read from."""
    found = _axis(dim, readable)
    if found is not None:
        return found
    return _arithmetic(dim, {name: _named(name, readable) for name in symbols(dim)})


def _axis(dim: Size, readable: Readable) -> Code | None:
    for tensor, type_ in readable:
        for index, size in enumerate(type_.shape):
            if isinstance(size, Dim) and size == dim:
                return _read(tensor, index)
    return None


def _read(tensor: Code, index: int) -> Code:
    return Subscript(Attribute(tensor, "shape"), Constant(index))


def _named(name: str, readable: Readable) -> Code:
    """The size `name`: an axis, or solved from one that is linear in it."""
    wanted = BATCH if name == "N" else symbol(name)
    found = _axis(wanted, readable)
    if found is not None:
        return found
    for tensor, type_ in readable:
        for index, size in enumerate(type_.shape):
            if isinstance(size, Dim) and symbols(size) == {name}:
                offset = substitute(size, {name: 0})
                factor = substitute(size, {name: 1}) - offset
                if isinstance(offset, int) and size == factor * wanted + offset:
                    return _solved(_read(tensor, index), offset, factor)
    raise AssertionError(f"no axis tells the size {name}")


def _solved(axis: Code, offset: int, factor: Size) -> Code:
    """`(axis - offset) // factor`."""
    if offset:
        axis = Binary("-" if offset > 0 else "+", axis, Constant(abs(offset)))
    return axis if factor == 1 else Binary("//", axis, Constant(factor))


def _arithmetic(dim: Size, names: Mapping[str, Code]) -> Code:
    """A size as arithmetic on the code of each name."""
    total: Code | None = None
    for coefficient, factors in terms(dim):
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
