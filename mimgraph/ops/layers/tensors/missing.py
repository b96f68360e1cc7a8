"""Define Fill, which replaces a missing optional input, or the missing samples of a batch."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from mimgraph.ir.code import Code, Constant, ModelDtype, Name, Operand, Slice, Tuple, call
from mimgraph.ir.lowering import ANCHOR, INPUT, MODULE, Lowering, Module, module
from mimgraph.ir.types import BATCH, TensorType
from mimgraph.ops.layers.tensors.inits import initial
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import known, truth_fault, weighted, without_axes

PRESENT = Operand("present")


class FillInputs(NamedTuple):
    input: TensorType
    present: TensorType | None = None


@layer(family="missing")
def Fill(
    inputs: FillInputs, /, value: Literal["zeros", "learned"], *, init: Any = "zeros"
) -> Lowering:
    """Zeros, or a learned tensor, in place of a missing source: (N, *) -> (N, *).

    A source is missing if it depends on an optional input that is left out; with `present`, a bool
    (N,), also in each sample where that is false, whatever its values. The learned tensor has the
    shape of the source without the batch; `init`, as of a parameter, gives its first values.

    Example:
        audio: [16]
        has_audio: {shape: [], dtype: bool}
        {layer: Fill, from: {input: audio, present: has_audio}, value: learned}
    """
    x, present = inputs
    if not x.batched:
        raise without_axes(x, "Fill takes (N, *)", "input")
    _check_present(present)
    made: Module | None = None
    fill: Code = Constant(False if x.dtype == "bool" else 0)  # 0 would make it an integer
    if value == "learned":
        weighted(x, "Fill", "input")
        sizes = tuple(known(size, "each size of a learned value", "input") for size in x.dims)
        made = module("Parameter", {"": sizes}, data=initial(sizes, init))
        fill = MODULE
        fallback: Code = MODULE.method("expand", BATCH, *(-1 for _ in x.dims))
    else:
        fallback = _zeros(x)
    result: Code = INPUT
    makes: tuple[TensorType, ...] | None = ()
    if present is not None:
        axes = (Slice(), *(Constant(None),) * len(x.dims))
        condition = PRESENT.at(Tuple(axes)) if x.dims else PRESENT
        result, makes = call("torch.where", condition, INPUT, fill), None
    return Lowering(x, made, result, fallback=fallback, makes=makes)


def _check_present(present: TensorType | None) -> None:
    """Refuse a `present` that is not a bool for each sample."""
    if present is None:
        return
    if present.dtype != "bool":
        raise truth_fault(present, "Fill takes a bool present", "present")
    if not present.batched or present.dims:
        raise OpFault(
            "rank-mismatch", "Fill takes present (N,)", source="present", note=str(present)
        )


def _zeros(x: TensorType) -> Code:
    """Return the code of zeros in the shape of the source, on the device of an input that is always
    given."""
    dtype = ModelDtype() if x.dtype == "float32" else Name(f"torch.{x.dtype}")
    return ANCHOR.method("new_zeros", BATCH, *x.dims, dtype=dtype)
