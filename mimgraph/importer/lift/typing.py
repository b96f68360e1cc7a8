"""Ask the rules of ops for the types of their results, while a trace is lifted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from mimgraph.diagnostics.text import unmarked
from mimgraph.importer.draft import Op
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.sizes import is_unknown
from mimgraph.importer.trace.records import Place, Value
from mimgraph.ir.dim import DimOverflow, Size, symbol
from mimgraph.ir.expression import WrittenText, evaluate, parse
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.sizes import equal
from mimgraph.ir.types import TensorType
from mimgraph.ops import registry
from mimgraph.ops.op import REQUIRED, OpFault

_SIZE = re.compile(r"\$\(((?:[^()]|\([^()]*\))*)\)")
_REASONS = {"dtype-mismatch": "dtype", "shape-mismatch": "size", "rank-mismatch": "size"}


def type_of(value: Value, model_dtype: torch.dtype = torch.float32) -> TensorType:
    """Return the type of a traced tensor; float32 stands for the dtype of the model."""
    return TensorType(value.sizes, dtype_name(value.dtype, model_dtype), batched=False)


def dtype_name(dtype: torch.dtype, model_dtype: torch.dtype = torch.float32) -> str:
    """Return a dtype as a spec writes it."""
    return "float32" if dtype == model_dtype else str(dtype).removeprefix("torch.")


def results_of(
    op: Op, sources: Sequence[tuple[str | None, TensorType]], place: Place
) -> Mapping[str, TensorType]:
    """Return the types of the ports of an op, the default one first; raise `CannotLift` if the op refuses
    its sources or options."""
    known = registry.find(op.kind, op.name)
    assert known is not None
    names = known.inputs.names
    keyed = {
        argument or (names[index] if index < len(names) else str(index)): type_
        for index, (argument, type_) in enumerate(sources)
    }
    try:
        lowering = known.infer(keyed, _complete(known, op))
    except OpFault as fault:
        reason = _REASONS.get(fault.code, "arguments")
        if "the batch" in fault.message or fault.code == "batch-moved":
            reason = "batch"
        raise CannotLift(reason, _plain(fault, keyed), place=place) from None
    except (DimOverflow, ValueError) as error:
        raise CannotLift("arguments", f"{op.name}: {error}", place=place) from None
    except TypeError:
        message = f"{op.name} does not take {len(keyed)} sources of these kinds"
        raise CannotLift("arguments", message, place=place) from None
    return lowering.results if isinstance(lowering, Lowering) else {}


def _complete(known: Any, op: Op) -> dict[str, Any]:
    """Return every option of an op, those given in the form that its rule takes."""
    options = dict[str, Any]()
    for name, option in known.options.items():
        if name in op.options:
            options[name] = _checked(op, name, option.check, op.options[name])
        elif option.default is not REQUIRED:
            options[name] = option.default
        else:
            raise OpFault("missing-option", f"{op.name} needs {name}", option=name)
    return options


def _checked(op: Op, name: str, check: Any, given: Any) -> Any:
    if op.name == "formula" and name == "expr":
        return _formula(given)
    try:
        return check(given)
    except ValueError:
        raise OpFault("bad-option", f"{op.name} takes no {name}={given!r}", option=name) from None


def _formula(text: str) -> str:
    """Return a formula whose sizes, `$(T + 1)`, are filled in."""
    values = dict[str, Size]()

    def named(match: re.Match[str]) -> str:
        name = f"size{len(values)}"
        values[name] = evaluate(parse(match[1]), lambda variable: symbol(variable.name))
        return f"${name}"

    template = _SIZE.sub(named, text)
    return WrittenText(text, template, values) if values else text


def _plain(fault: OpFault, sources: Mapping[str, TensorType]) -> str:
    """Return the message of a fault with shapes in place of the names of sources."""
    text = f"{fault.message}: {fault.note}" if fault.note else fault.message
    for key, type_ in sources.items():
        text = text.replace(f"{{{key}}}", f"a tensor {type_}")
    return unmarked(text)


def agree(found: TensorType, value: Value) -> bool:
    """Return whether a type has the sizes of a traced tensor, as far as these are known."""
    return len(found.shape) == len(value.sizes) and all(
        is_unknown(size) or equal(size, other) is not False
        for size, other in zip(value.sizes, found.shape, strict=True)
    )
