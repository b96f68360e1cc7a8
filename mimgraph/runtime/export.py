"""Return the `dynamic_shapes` of a graph for `torch.export` and the ONNX exporter."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import gcd
from typing import Any, NamedTuple, TypeAlias

from torch.export import Dim as TorchDim

from mimgraph.ir.dims.bounds import at_least
from mimgraph.ir.dims.dim import Dim, Size, constant_term, substitute, symbol, symbols
from mimgraph.ir.lowering import Lowering, Module
from mimgraph.ir.typed.graph import TypedGraph, TypedNode
from mimgraph.ir.typed.operations import Leaf, unwrap
from mimgraph.ir.typed.walks import bodies, loop_sizes
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.ops.layers.spatial.fold import windows_of
from mimgraph.runtime.checks import same_kind, tensor_faults

LARGEST = 2**31  # the largest size that is tried
FIXED_AXES = {
    "RNN": 1,
    "LSTM": 1,
    "GRU": 1,
    "MaxPool1d": 2,
}  # of the source; torch has a loop there

DynamicShapes: TypeAlias = dict[str, dict[int, Any] | None]  # its Dims have no common class


def dynamic_shapes(graph: TypedGraph, given: Iterable[str] | Mapping[str, Any]) -> DynamicShapes:
    """Return for each input given the axes without a fixed size; None for an input that is None.

    A loop is exported with as many steps as it runs for the example, so sizes that count one are fixed;
    so are the lengths that torch fixes itself, along FIXED_AXES.
    """
    inputs = graph.body.inputs
    unknown = [name for name in given if name not in inputs]
    if unknown:
        raise ValueError(f"there is no input {unknown[0]!r}; the inputs: {', '.join(inputs)}")
    tensors = given if isinstance(given, Mapping) else {}
    absent = [name for name, value in tensors.items() if value is None]
    faults = list(tensor_faults(graph, tensors, same_kind))
    if faults:
        raise ValueError("; ".join(faults))
    calls = list(_calls(graph))
    inner = _inner_sizes(calls)
    fixed = loop_sizes(graph.body) | _sizes_fixed_by_torch(calls)
    dims: dict[Size, Any] = {}  # torch wants one object for each name

    def axes(name: str) -> dict[int, Any]:
        unfixed = {
            axis: size
            for axis, size in enumerate(inputs[name].shape)
            if isinstance(size, Dim) and fixed.isdisjoint(symbols(size))
        }
        for size in unfixed.values():
            if size not in dims:
                dims[size] = _torch_dim(str(size), graph.constraints, inner)
        return {axis: dims[size] for axis, size in unfixed.items()}

    return {name: None if name in absent else axes(name) for name in given}


class _Call(NamedTuple):
    """A node or an item of a chain, with the types that its operation takes, an axis folded if it folds one."""

    node: TypedNode
    operands: Sequence[TensorType]


def _calls(graph: TypedGraph) -> Iterator[_Call]:
    """Yield the calls inside the model, in its blocks and chains as well."""
    for body in bodies(graph.body):
        for node in body.single_nodes:
            yield from _calls_of(node, [body.type_of(value) for value in node.arguments.values()])


def _calls_of(node: TypedNode, fed: Sequence[TensorType]) -> Iterator[_Call]:
    operands = fed if node.fold is None else [*map(node.fold.fold, fed)]
    yield _Call(node, operands)
    for item in unwrap(node.operation).steps:
        yield from _calls_of(item, operands)
        operands = [*item.results.values()]


def _inner_sizes(calls: Iterable[_Call]) -> set[Dim]:
    """Return the sizes inside the model, also inside torch's functions, that only run time knows."""
    found: set[Size] = set()
    for node, operands in calls:
        found.update(*(type_.shape for type_ in node.results.values()))
        match unwrap(node.operation):
            case Leaf(name="Unfold", lowering=Lowering(module=Module(arguments=arguments))):
                found.update(windows_of(operands[0].shape[2:], **arguments))
    return {size for size in found if isinstance(size, Dim)}


def _sizes_fixed_by_torch(calls: Iterable[_Call]) -> set[str]:
    """Return the names of the sizes along an axis that torch exports at the length of the example."""
    found: set[str] = set()
    for node, operands in calls:
        match unwrap(node.operation):
            case Leaf(name=name) if name in FIXED_AXES:
                found |= symbols(operands[0].shape[FIXED_AXES[name]])
    return found


def _torch_dim(name: str, constraints: Iterable[Constraint], inner: Iterable[Dim]) -> Any:
    """Return the Dim of the named size `T` with its bounds; `4*_T` if only multiples of 4 are legal.

    Torch takes a size of 1 for a constant, so it refuses each length for which one of the `inner`
    sizes is 1, but for the length 1 itself. If that or a window excludes lengths, the result is
    `Dim.DYNAMIC`, as torch may find that more lengths are excluded.
    """
    line = _Line(1, 0)
    for constraint in constraints:
        found = _line(constraint.dim, name, line)
        if found is not None and constraint.divisor is not None:
            step, start = _zeros(found, constraint.divisor)
            line = _Line(line.factor * step, line.at(start))
    minima = [(c.dim, c.minimum) for c in constraints if c.minimum is not None]
    low, high = _bounds(name, line, minima, -((line.offset - 1) // line.factor))
    open_low, high = _bounds(name, line, ((size, 2) for size in inner), low, high)
    if line.at(open_low) > 2:
        low = open_low
    # if the size is a multiple of x, x is an inner size too
    if low > (1 if line == _Line(1, 0) else 2):
        return TorchDim.DYNAMIC(min=line.at(low), max=None if high is None else line.at(high))
    if line == _Line(1, 0):
        return TorchDim(name, min=low, max=high)
    multiple = line.factor * TorchDim(f"_{name}", min=low, max=high)
    return multiple + line.offset if line.offset else multiple


def _bounds(
    name: str,
    line: _Line,
    minima: Iterable[tuple[Dim, int]],
    low: int,
    high: int | None = None,
) -> tuple[int, int | None]:
    """Return the bounds of x between which each size that depends on `name` alone has its minimum.

    The size called `name` is the linear function `line` of x.
    """
    for size, minimum in minima:
        if symbols(size) != {name}:
            continue
        found = _line(size, name, line)
        if found is None:
            low = _first(size, name, line, minimum, low)
        elif found.factor > 0:
            low = max(low, -((found.offset - minimum) // found.factor))
        else:
            most = (minimum - found.offset) // found.factor
            high = most if high is None else min(high, most)
    return low, high


def _first(size: Dim, name: str, line: _Line, minimum: int, low: int) -> int:
    """Return the first x from `low` on at which a size that grows with x reaches its minimum; `low`
    if it never does."""

    def reaches(x: int) -> bool:
        return at_least(substitute(size, {name: line.at(x)}), minimum) is True

    above = low
    while not reaches(above):
        if above > LARGEST:
            return low
        above *= 2
    return bisect_left(range(above), True, lo=low, key=reaches)


class _Line(NamedTuple):
    """`factor * x + offset`."""

    factor: int
    offset: int

    def at(self, x: int) -> int:
        return self.factor * x + self.offset


def _line(dim: Dim, name: str, size: _Line) -> _Line | None:
    """Return a size as a linear function of x, if `name` is the function `size` of x; None if it is
    not linear, which torch cannot express."""
    x = symbol(name)
    inside = substitute(dim, {name: size.factor * x + size.offset})
    if not isinstance(inside, Dim):
        return None
    offset = constant_term(inside)
    factor = substitute(inside - offset, {name: 1})
    return (
        _Line(factor, offset) if isinstance(factor, int) and inside == factor * x + offset else None
    )


def _zeros(line: _Line, divisor: int) -> tuple[int, int]:
    """Return the step and the first of all x at which a line is a multiple of `divisor`."""
    common = gcd(line.factor, divisor)
    step = divisor // common
    return step, -line.offset // common * pow(line.factor // common, -1, step) % step
