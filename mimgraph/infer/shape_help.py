"""Find the help for a fault of shapes: changes are tried, and proposed if the rule accepts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import lcm
from typing import Any, NamedTuple

from mimgraph.diagnostics.text import code, put
from mimgraph.infer.evaluation import as_option
from mimgraph.infer.presence import FILL
from mimgraph.infer.state import Context, Fed
from mimgraph.ir.axes_help import NO_BATCH, cut, moved_axis, node
from mimgraph.ir.declared_graph import Apply, Block
from mimgraph.ir.dim import Dim, DimOverflow, Size, substitute, symbol, symbols
from mimgraph.ir.grammar import CONSTANTS
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.sizes import period
from mimgraph.ir.typed_graph import TypedNode
from mimgraph.ir.typed_operations import Leaf, Sequence
from mimgraph.ir.types import BATCH, TensorType
from mimgraph.ops import registry
from mimgraph.ops.op import Op, OpFault

Types = Mapping[str, TensorType]


class Trial(NamedTuple):
    """A use of an op that its rule refused, with its options and sources."""

    op: Op
    options: Mapping[str, Any]
    fault: OpFault
    fed: Mapping[str, Fed]
    types: Types
    context: Context

    def ask(
        self, changed: Types, options: Mapping[str, Any] | None = None
    ) -> Lowering | Block | None:
        """Return the rule's answer for changed sources or options; None if it refuses them too."""
        return ask(self.op, self.options if options is None else options, {**self.types, **changed})


def ask(op: Op, options: Mapping[str, Any], sources: Types) -> Lowering | Block | None:
    """Return the answer of an op's rule for these sources; None if it refuses them."""
    try:
        return op.infer(sources, options)
    except (OpFault, DimOverflow):
        return None


# Find the help for a batch that is missing or not the first axis, and for another wrong shape.


MOST_SOURCES = 16  # with more sources, an op is not tried with other shapes
OF_SHAPES = ("shape-mismatch", "rank-mismatch")
OF_SIZES = ("rank-mismatch", "shape-mismatch", "symbolic-size")


def batch_help(trial: Trial) -> str:
    """Return the help for a fault: `batched: true` or another shape, if the rule accepts that, else the
    help of the rule."""
    fault = trial.fault
    if fault.code not in OF_SHAPES:
        return fault.help
    few = len(trial.types) <= MOST_SOURCES
    if few and (other := _narrower(trial)):
        return other
    for batched in _with_batch(trial.types, fault.source):
        if trial.ask(batched):
            helps = [_batch_of(trial.context, trial.fed[key], x) for key, x in batched.items()]
            if None in helps:
                return fault.help or NO_BATCH
            others = fault.help if fault.help != NO_BATCH else ""
            return "; or ".join(filter(None, [*dict.fromkeys(helps), others]))
    return (_shorter(trial) if few else "") or fault.help


def _narrower(trial: Trial) -> str:
    """Return the help that leaves out axes of size 1 of a tensor of the model, if the rule accepts
    that."""
    for key, x in trial.types.items():
        fed = trial.fed[key]
        name = fed.source.name
        origin = _origin(trial.context, name, fed.value.port) if x.dims[:1] == (1,) else None
        if origin is None or origin[1] != name:
            continue
        ones = next((i for i, size in enumerate(x.dims) if size != 1), len(x.dims))
        for count in range(1, ones + 1):
            less = replace(x, dims=x.dims[count:])
            # with one axis too many, _with_batch adds a batch
            for fewer in (less, replace(less, batched=True)) if count > 1 else (less,):
                if trial.ask({key: fewer}):
                    why = f"{BATCHED} adds the batch" if fewer.batched else "remove axes"
                    return f"{why}: {_tensor(origin[0], fewer)}"
    return ""


def _shorter(trial: Trial) -> str:
    """Return the help that cuts a table to a length known at run time, if the rule accepts that."""
    options = trial.options
    broadcast = [{**options, "broadcast": True}] if "broadcast" in options else []
    for key, x in trial.types.items():
        for axis, size in enumerate(x.dims if trial.fed[key].is_own or not x.batched else ()):
            lengths = [other.dims[axis - len(x.dims) :][:1] for other in trial.types.values()]
            for (length,) in filter(None, lengths):
                if isinstance(size, Dim) or size == 1 or not isinstance(length, Dim):
                    continue
                less = {key: x.like(*x.dims[:axis], length, *x.dims[axis + 1 :])}
                fits = [given for given in (options, *broadcast) if trial.ask(less, given)]
                if fits and symbols(length) <= trial.context.env.keys():
                    also = "" if fits[0] is options else f", and write {put('broadcast: true')}"
                    return cut(f"{{{key}}}", axis + x.batched, length) + also
    return ""


def _with_batch(
    types: Mapping[str, TensorType], source: str | None
) -> Iterator[Mapping[str, TensorType]]:
    """Yield sources with a batch added to some: in front, or in place of a first axis of size 1.

    Yield the source at fault first, then each other source, then all sources without a batch at
    once.
    """
    keys = [key for key, type_ in types.items() if not type_.batched and not type_.has_moved_batch]
    whole = {key: replace(types[key], batched=True) for key in keys}
    for key in sorted(keys, key=lambda key: key != source):
        yield {key: whole[key]}
        if types[key].dims[:1] == (1,):
            yield {key: replace(whole[key], dims=types[key].dims[1:])}
    if len(keys) > 1:
        yield whole


def _batch_of(context: Context, source: Fed, wanted: TensorType) -> str | None:
    """Return the help that adds a batch to a source; None if it comes from no tensor of the model."""
    name = source.source.name
    origin = _origin(context, name, source.value.port)
    if origin is None:
        return None
    kind, tensor = origin
    if tensor == name:
        return f"give {name} a batch: {_tensor(kind, wanted)}"
    assert source.type is not None  # a rule is asked only about known types
    return None if wanted.dims != source.type.dims else f"give {tensor} a batch: {BATCHED}"


def _tensor(kind: str, type_: TensorType) -> str:
    """Return the text of a tensor of the model of that type."""
    batched = ", batched: true" if type_.batched else ""
    rest = "" if kind in CONSTANTS else ", ..."
    return code(f"{{{kind}: [{', '.join(map(as_option, type_))}]{batched}{rest}}}")


def _origin(context: Context, name: str, port: str) -> tuple[str, str] | None:
    """Return the kind and name of the tensor of the model that a value is, or is computed from."""
    waiting, seen = [(name, port)], set[str]()
    while waiting:
        name, port = waiting.pop()
        typed = context.typed.get(name)
        if name in seen or typed is None or port not in typed.results:
            continue  # the weight of a layer has no option `batched`
        seen.add(name)
        sources = typed.declared.sources
        match typed.declared.operation:
            case Apply("tensor", "parameter" | "buffer" | "zeros" | "ones" as kind) if not sources:
                return kind, name
        waiting += [(value.name, value.port) for value in typed.arguments.values()]
    return None


def fault_for(trial: Trial) -> OpFault | None:
    """Return the fault of an op that needs the batch first; None if it refused for another reason.

    The batch is the reason if the rule says so, or accepts the source with its batch moved back.
    """
    fault, types = trial.fault, trial.types
    key = next((key for key in _about(trial) if types[key].has_moved_batch), None)
    if key is None or fault.code not in OF_SIZES:
        return None
    x, axis = types[key], types[key].batch_axes[0]
    help, first = "", x
    if x.dims[axis] == BATCH:
        node, first = moved_axis(x, axis, 0, f"{{{key}}}")
        help = f"move it back: {node}"
    if fault.help != NO_BATCH and (first is x or trial.ask({key: first}) is None):
        return None
    needs = fault.message
    if fault.code == "rank-mismatch":
        needs = f"{trial.op.name} needs the batch first"
    where = f"the batch is axis {axis}" if help else f"axis {axis} is {x.dims[axis]}"
    message = f"{needs}, and here {where}"
    return OpFault("batch-moved", message, None, key, str(x), help, fault.mentions)


def _about(trial: Trial) -> list[str]:
    """Return the operand keys of the sources that a fault is about."""
    named = [key for key in (trial.fault.source, *trial.fault.mentions) if key is not None]
    return named or list(trial.types)[:1]


# Find the help for a fault of shapes: changes are tried, and proposed if the rule accepts them.


BATCHED = code("batched: true")
MOST_ITEMS = 64  # of a chain that is tried with padding
MOST_PADS = 6  # paddings in a help
LARGEST = 1024  # the largest factor that is proposed
FILLED = (
    f"the size depends on which sources are given: fill the missing ones first, {FILL},"
    f" instead of {code('missing: skip')}"
)


def help_for(trial: Trial) -> str:
    """Return the help for a fault: a change that the rule accepts, else the help of the rule."""
    code = trial.fault.code
    if _depends_on_given(trial):
        return FILLED
    if code in ("symbolic-size", "inferred-conflict"):
        return _reordered(trial)
    if code not in (*OF_SHAPES, "dtype-mismatch"):
        return trial.fault.help
    exact = multiples(trial) if code == "shape-mismatch" else ""
    other = _swapped(trial) or _padded(trial) or batch_help(trial)
    return "; or ".join(filter(None, (exact, other)))


def _depends_on_given(trial: Trial) -> bool:
    """Return whether a source at fault has a size that depends on which optional inputs are given."""
    fault, sums = trial.fault, trial.context.state.memory.summands.keys()
    if not sums or fault.code not in ("symbolic-size", "shape-mismatch"):
        return False
    keys = (fault.source or next(iter(trial.types), ""), *fault.mentions)
    types = [trial.types[key] for key in keys if key in trial.types]
    dims = [dim for type_ in types for dim in type_.dims if isinstance(dim, Dim)]
    return any(not sums.isdisjoint(symbols(dim)) for dim in dims)


def _swapped(trial: Trial) -> str:
    """Return the help that swaps two sources, if the rule accepts that."""
    types = trial.types
    if trial.op.inputs.kind != "tuple" or len(types) != 2:
        return ""
    one, two = types
    if trial.ask({one: types[two], two: types[one]}) is None:
        return ""
    return f"swap them: {put(f'from: {{{one}: {{{two}}}, {two}: {{{one}}}}}')}"


# axes in another order


def _reordered(trial: Trial) -> str:
    """Return the help for an axis of unknown size where a layer needs a number: move another axis there,
    or reduce it."""
    op, fault, types = trial.op, trial.fault, trial.types
    key, name = fault.source or next(iter(types), ""), fault.option
    is_axis = name in op.inferred if name else fault.source is not None
    if key not in types or not is_axis:
        return fault.help
    wanted = trial.options[name] if name and fault.code == "inferred-conflict" else None
    found = []
    for size, layer, moved in _moves(types[key], f"{{{key}}}", wanted) if op.inferred else ():
        answer = trial.ask({key: moved})
        if answer and (wanted is None or _inferred(answer, name) == wanted):
            found.append(f"if {size} is meant, move its axis there first: {layer}")
            break
    if wanted is None:
        found += _reduced(trial, key)
    dims = types[key].dims
    is_flat = wanted is None and len(dims) == 1 and not str(dims[0]).isidentifier()
    flat = ", or reduce its axis before it is flattened (Mean, Select)" if is_flat else ""
    return "; or ".join(found) or fault.help + flat


def _inferred(answer: Lowering | Block, name: str | None) -> Any:
    """Return the value that the sources give to an option."""
    if name is None or not isinstance(answer, Lowering) or answer.module is None:
        return None
    return answer.module.argument(name)


def _moves(x: TensorType, source: str, wanted: Any) -> Iterator[tuple[Size, str, TensorType]]:
    """Yield the sizes that may be meant for the first or last axis; each with the node that moves its
    axis there, and the type of its result."""
    last = len(x.dims) - 1
    known = [i for i, size in enumerate(x.dims) if isinstance(size, int)]
    # channels: axes of size 1 or 3, as of images, then the last axis
    channels = sorted(known, key=lambda i: (x.dims[i] not in (1, 3), -i))
    for target, axes in ((0, channels), (last, known)) if x.dims else ():
        at_fault = wanted is not None or isinstance(x.dims[target], Dim)
        for axis in axes if at_fault else ():
            if axis != target and x.dims[axis] == (wanted or x.dims[axis]):
                yield x.dims[axis], *moved_axis(x, axis, target, source)


def _reduced(trial: Trial, key: str) -> list[str]:
    """Return the help that takes the mean over an axis of unknown size, if the rule accepts that."""
    x = trial.types[key]
    for index, size in enumerate(x.dims):
        rest = x.like(*x.dims[:index], *x.dims[index + 1 :])
        if isinstance(size, Dim) and x.is_floating and trial.ask({key: rest}):
            mean = node("Mean", f"{{{key}}}", f"dim: {index + x.batched}")
            return [f"reduce {size} first: {mean}"]
    return []


# a window that makes an axis shorter


def _padded(trial: Trial) -> str:
    """Return the help that pads the convolutions and pools before a merge so that they keep the size."""
    for key in trial.fault.mentions:
        value = trial.fed[key].value if key in trial.fed else None
        made = None if value is None else trial.context.typed.get(value.name)
        if value is None or made is None or value.port != (made.default or ""):
            continue
        pads = dict[str, str]()
        padded = _kept(made, trial.context, pads)
        if padded is not None and 0 < len(pads) <= MOST_PADS and trial.ask({key: padded}):
            given = " and ".join(f"{pad} in {name}" for name, pad in pads.items())
            return f"keep the size with {given}"
    return ""


def _kept(made: TypedNode, context: Context, pads: dict[str, str]) -> TensorType | None:
    """Return the type of a node if all its windows are padded to keep the size; None if that is unknown.

    The padding is added to `pads` by the name of the layer.
    """
    items = made.operation.items if isinstance(made.operation, Sequence) else (made,)
    if len(made.arguments) != 1 or len(items) > MOST_ITEMS:
        return None
    (value,) = made.arguments.values()
    source = context.typed.get(value.name)
    x = source.results.get(value.port) if source else context.inputs.get(value.name)
    for item in items:
        leaf = item.operation
        op = registry.find("layer", leaf.name) if isinstance(leaf, Leaf) else None
        if x is None or op is None or not isinstance(leaf, Leaf) or len(pads) > MOST_PADS:
            return None
        options = leaf.options
        pad = _padding(leaf.name, options, len(x.dims) - 1)
        if pad is not None:
            path = item.name if item is made else f"{made.name}.{item.name}"
            pads[path] = code(f"padding: {pad}")
            options = {**options, "padding": tuple(pad) if isinstance(pad, list) else pad}
        answer = ask(op, options, {key: x for key in item.arguments})
        x = answer.results.get(item.default or "") if isinstance(answer, Lowering) else None
    return x


def _padding(layer: str, options: Mapping[str, Any], axes: int) -> int | list[int] | str | None:
    """Return the padding with which a window of stride 1 keeps the size; None if it does already, or if
    no padding does."""
    if not {"kernel_size", "stride", "padding"} <= options.keys() or options["padding"] == "same":
        return None
    kernel, stride, given, gaps = (
        value if isinstance(value, tuple) else (value,) * axes
        for value in (
            *map(options.get, ("kernel_size", "stride", "padding")),
            options.get("dilation", 1),
        )
    )
    if len(kernel) != axes or any(step != 1 for step in stride):
        return None
    reaches = [gap * (size - 1) for size, gap in zip(kernel, gaps, strict=True)]
    if any(reach % 2 for reach in reaches):
        return "same" if layer.startswith("Conv") and "Transpose" not in layer else None
    pads = [int(reach) // 2 for reach in reaches]
    if pads == [*given]:
        return None
    return pads[0] if len({*pads}) == 1 else pads


def multiples(trial: Trial) -> str:
    """Return the help that makes the halves of `H//2` exact, `2*H` in place of `H`, if the rule then accepts the
    sources; else ""."""
    factors: dict[str, int] = {}
    for size in (size for type_ in trial.types.values() for size in type_.dims):
        for name in symbols(size) - {"N", *trial.context.state.memory.summands}:
            factors[name] = lcm(factors.get(name, 1), period(size))
    factors = {name: factor for name, factor in sorted(factors.items()) if factor > 1}
    if not factors or max(factors.values()) > LARGEST:
        return ""
    sizes = {name: factor * symbol(name) for name, factor in factors.items()}
    try:
        exact = {key: _filled(type_, sizes) for key, type_ in trial.types.items()}
    except DimOverflow:
        return ""
    if trial.ask(exact) is None:
        return ""
    first, *others = (f"{name} of {factor}" for name, factor in factors.items())
    always = " and ".join((first.replace(" of", " is always a multiple of"), *others))
    written = " and ".join(f"{size} for {name}" for name, size in sizes.items())
    return f"if {always}, write {written} in the shapes of the inputs"


def _filled(type_: TensorType, sizes: dict[str, Size]) -> TensorType:
    """Return a type with multiples in place of names."""
    return replace(type_, dims=tuple(substitute(dim, sizes) for dim in type_.dims))
