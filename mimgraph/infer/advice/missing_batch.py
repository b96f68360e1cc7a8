"""Find the help for a batch that is missing or not the first axis, and for another wrong shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mimgraph.infer.advice.rule_trial import Trial
from mimgraph.infer.state import Context, Fed
from mimgraph.ir.axes_help import NO_BATCH, cut, moved_axis
from mimgraph.ir.declared.operations import Apply
from mimgraph.ir.dims.dim import Dim, Size, symbols
from mimgraph.ir.names import CONSTANTS
from mimgraph.ir.types import BATCH, TensorType
from mimgraph.ops.op import OpFault

MOST_SOURCES = 16  # with more sources, an op is not tried with other shapes
OF_SHAPES = ("shape-mismatch", "rank-mismatch")
OF_SIZES = ("rank-mismatch", "shape-mismatch", "symbolic-size")


def help_for(trial: Trial) -> str:
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
            helps = [_batch_help(trial.context, trial.fed[key], x) for key, x in batched.items()]
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
                    why = "batched: true adds the batch" if fewer.batched else "leave axes out"
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
                    also = "" if fits[0] is options else ", and write broadcast: true"
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


def _batch_help(context: Context, source: Fed, wanted: TensorType) -> str | None:
    """Return the help that adds a batch to a source; None if it comes from no tensor of the model."""
    name = source.source.name
    origin = _origin(context, name, source.value.port)
    if origin is None:
        return None
    kind, tensor = origin
    if tensor == name:
        return f"give {name} a batch: {_tensor(kind, wanted)}"
    assert source.type is not None  # a rule is asked only about known types
    return None if wanted.dims != source.type.dims else f"give {tensor} a batch: batched: true"


def _tensor(kind: str, type_: TensorType) -> str:
    """Return the text of a tensor of the model of that type."""
    batched = ", batched: true" if type_.batched else ""
    rest = "" if kind in CONSTANTS else ", ..."
    return f"{{{kind}: [{', '.join(map(_written, type_))}]{batched}{rest}}}"


def _written(size: Size) -> str:
    """Return a size as a shape of the model has it: `8`, `$T`, `$(2*T)`."""
    if not isinstance(size, Dim):
        return str(size)
    return f"${size}" if str(size).isidentifier() else f"$({size})"


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
