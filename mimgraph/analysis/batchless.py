"""Find the help for a fault of a source that lacks nothing but a batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mimgraph.analysis.state import Context, Fed
from mimgraph.catalogue import Op, OpFault
from mimgraph.ir.axes_help import NO_BATCH
from mimgraph.ir.dim import DimOverflow
from mimgraph.ir.graph import Apply
from mimgraph.ir.types import TensorType

OF_SHAPES = ("shape-mismatch", "rank-mismatch")


def help_for(
    op: Op, options: Mapping[str, Any], fault: OpFault, fed: Mapping[str, Fed], context: Context
) -> str:
    """Return the help of a fault; it names `batched: true` where that mends it.

    That is tried: the rule is asked again, of the same sources with a batch.
    """
    types = {key: one.type for key, one in fed.items() if one.type is not None}
    if fault.code not in OF_SHAPES or all(type_.batched for type_ in types.values()):
        return fault.help
    for batched in _with_batch(types, fault.source):
        if _takes(op, options, {**types, **batched}):
            cures = [_cure(context, fed[key], type_) for key, type_ in batched.items()]
            if None in cures:
                return fault.help or NO_BATCH
            others = fault.help if fault.help != NO_BATCH else ""
            return "; or ".join(filter(None, [*dict.fromkeys(cures), others]))
    return fault.help


def _with_batch(
    types: Mapping[str, TensorType], source: str | None
) -> Iterator[Mapping[str, TensorType]]:
    """Yield the sources with a batch given to some: put in front, or in place of a leading 1.

    The one at fault comes first, then each other, then all that have no batch.
    """
    keys = [key for key, type_ in types.items() if not type_.batched]
    whole = {key: replace(types[key], batched=True) for key in keys}
    for key in sorted(keys, key=lambda key: key != source):
        yield {key: whole[key]}
        if types[key].dims[:1] == (1,):
            yield {key: replace(whole[key], dims=types[key].dims[1:])}
    if len(keys) > 1:
        yield whole


def _takes(op: Op, options: Mapping[str, Any], sources: Mapping[str, TensorType]) -> bool:
    """Return whether the rule takes these sources."""
    try:
        op.infer(sources, options)
    except (OpFault, DimOverflow):
        return False
    return True


def _cure(context: Context, source: Fed, wanted: TensorType) -> str | None:
    """Return what gives a source a batch, if it is or comes from a parameter or buffer; else None."""
    name = source.source.name
    origin = _origin(context, name, source.value.port)
    if origin is None:
        return None
    kind, tensor = origin
    if tensor == name:
        shape = ", ".join(map(str, wanted))
        return f"give {name} a batch: {{{kind}: [{shape}], batched: true, ...}}"
    assert source.type is not None  # else no rule was asked
    return None if wanted.dims != source.type.dims else f"give {tensor} a batch: batched: true"


def _origin(context: Context, name: str, port: str) -> tuple[str, str] | None:
    """Return the kind and name of the parameter or buffer that a value is or is computed from."""
    waiting, seen = [(name, port)], set[str]()
    while waiting:
        name, port = waiting.pop()
        typed = context.typed.get(name)
        if name in seen or typed is None or port not in typed.results:
            continue  # the weight of a layer has no option `batched`
        seen.add(name)
        match typed.declared.operation:
            case Apply("tensor", "parameter" | "buffer" as kind):
                return kind, name
        waiting += [(value.name, value.port) for value in typed.arguments.values()]
    return None
