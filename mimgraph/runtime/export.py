"""Return the `dynamic_shapes` of a graph for `torch.export` and the ONNX exporter."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import gcd
from typing import Any, NamedTuple, TypeAlias

from torch.export import Dim as TorchDim

from mimgraph.ir.dim import Dim, Size, at_least, substitute, symbol, symbols
from mimgraph.ir.lowering import Lowering, Module
from mimgraph.ir.sizes import Line, line_of
from mimgraph.ir.typed_graph import TypedGraph, TypedNode
from mimgraph.ir.typed_operations import Leaf, unwrap
from mimgraph.ir.typed_walks import bodies, loop_sizes
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.ops.layers.conv import windows_of
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
    unfixed = {
        name: {
            axis: linear
            for axis, size in enumerate(inputs[name].shape)
            if (linear := line_of(size)) is not None and linear.name not in fixed
        }
        for name in given
        if name not in absent
    }
    lines: dict[str, dict[Line, None]] = {}
    for linear in (one for axes in unfixed.values() for one in axes.values()):
        lines.setdefault(linear.name, {})[linear.line] = None
    dims = {  # torch wants one object for each name
        name: _torch_dims(name, axes, graph.constraints, inner) for name, axes in lines.items()
    }
    return {
        name: None
        if name in absent
        else {axis: dims[one.name][one.line] for axis, one in unfixed[name].items()}
        for name in given
    }


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


def _torch_dims(
    name: str, axes: Iterable[Line], constraints: Iterable[Constraint], inner: Iterable[Dim]
) -> dict[Line, Any]:
    """Return the Dim of each of the axes whose sizes are lines over the named size `T`, with its bounds:
    `T` and `8*T`, or `4*_T` and `8*4*_T` if only multiples of 4 are legal.

    Torch takes a size of 1 for a constant, so it refuses each length for which one of the `inner`
    sizes is 1, but for the length 1 itself. If that or a window excludes lengths, the results are
    `Dim.DYNAMIC`, as torch may find that more lengths are excluded.
    """
    axes = list(axes)
    line = Line(1, 0)
    for constraint in constraints:
        found = _line(constraint.dim, name, line)
        if found is not None and constraint.divisor is not None:
            step, start = _zeros(found, constraint.divisor)
            line = Line(line.factor * step, line.at(start))
    minima = [(c.dim, c.minimum) for c in constraints if c.minimum is not None]
    low, high = _bounds(name, line, minima, -((line.offset - 1) // line.factor))
    open_low, high = _bounds(name, line, ((size, 2) for size in inner), low, high)
    if any(axis.at(line.at(open_low)) > 2 for axis in axes):
        low = open_low
    is_plain = line == Line(1, 0)
    # if the size of an axis is a multiple of x, x is an inner size too
    if low > (1 if is_plain and axes == [line] else 2):
        return {axis: _dynamic(axis, line, low, high) for axis in axes}
    root = TorchDim(name if is_plain else f"_{name}", min=low, max=high)
    size = _derived(line, root)
    return {axis: _derived(axis, size) for axis in axes}


def _dynamic(axis: Line, line: Line, low: int, high: int | None) -> Any:
    """Return a dynamic dim of an axis, with the bounds of x."""
    most = None if high is None else axis.at(line.at(high))
    return TorchDim.DYNAMIC(min=axis.at(line.at(low)), max=most)


def _derived(line: Line, dim: Any) -> Any:
    """Return the Dim that is a line over another; torch refuses a factor of 1."""
    multiple = dim if line.factor == 1 else line.factor * dim
    return multiple + line.offset if line.offset else multiple


def _bounds(
    name: str,
    line: Line,
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


def _first(size: Dim, name: str, line: Line, minimum: int, low: int) -> int:
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


def _line(dim: Dim, name: str, size: Line) -> Line | None:
    """Return a size as a linear function of x, if `name` is the function `size` of x; None if it is
    not linear, which torch cannot express."""
    found = line_of(substitute(dim, {name: size.at(symbol(name))}))
    return found.line if found is not None and found.name == name else None


def _zeros(line: Line, divisor: int) -> tuple[int, int]:
    """Return the step and the first of all x at which a line is a multiple of `divisor`."""
    common = gcd(line.factor, divisor)
    step = divisor // common
    return step, -line.offset // common * pow(line.factor // common, -1, step) % step
