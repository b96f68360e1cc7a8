"""Define the tensors of the model itself, learned and fixed."""

from __future__ import annotations

from typing import Any

from mimgraph.ir.axes_help import cut
from mimgraph.ir.code import Code
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.lowering import MODULE, Lowering, Module, module
from mimgraph.ir.types import BATCH, TensorType
from mimgraph.ops.layers.pointwise.elementwise import Dtype
from mimgraph.ops.layers.tensors.inits import initial
from mimgraph.ops.registry import tensor
from mimgraph.ops.rule_helpers import known


@tensor(family="tensors")
def parameter(shape: tuple[Size, ...], *, init: Any, batched: bool = False) -> Lowering:
    """A learned tensor of this shape; `batched` stores (1, *shape) and expands it to (N, *shape).

    `init` names one of torch.nn.init, `zeros` or `{normal: {std: 0.02}}`; `sinusoid` (Vaswani et al.
    2017; with `interleaved: false` all sines stand before the cosines, as in tensor2tensor); `arange`
    (0, 1, 2, ...), `{arange: 8}` or `{arange: {start, end, step}}`; or it is the values, as nested lists.

    Example:
        x: [64]
        {parameter: [1, 64], init: {normal: {std: 0.02}}}
    """
    sizes = _sizes(shape, batched)
    made = module("Parameter", {"": sizes}, data=initial(sizes, _with_batch_axis(init, batched)))
    return _lowering(made, sizes, batched, "float32")


@tensor(family="tensors")
def buffer(
    shape: tuple[Size, ...],
    *,
    init: Any,
    batched: bool = False,
    dtype: Dtype = "float32",
    persistent: bool = True,
) -> Lowering:
    """A fixed tensor of this shape, kept in the state_dict; it takes the options of a parameter.

    With `persistent: false` it is not in the state_dict: each new model has the values of its `init`.

    Example:
        x: [64]
        {buffer: [50, 64], init: sinusoid}
    """
    sizes = _sizes(shape, batched)
    data = initial(sizes, _with_batch_axis(init, batched), dtype)
    made = module("Buffer", buffers={"": sizes}, data=data, persistent=persistent)
    return _lowering(made, sizes, batched, dtype)


def _sizes(shape: tuple[Size, ...], batched: bool) -> tuple[int, ...]:
    """Return the shape that is stored, whose sizes must be known."""
    help = _cut(shape, batched) if any(isinstance(size, Dim) for size in shape) else ""
    sizes = tuple(known(size, "shape", help=help) for size in shape)
    return (1, *sizes) if batched else sizes


def _cut(shape: tuple[Size, ...], batched: bool) -> str:
    """Return the help for a shape with a size that is known only at run time."""
    axis, size = next((i, size) for i, size in enumerate(shape) if isinstance(size, Dim))
    return f"give its largest possible size, and {cut('...', axis + batched, size)}"


def _with_batch_axis(init: Any, batched: bool) -> Any:
    """Return the init; given values get the axis of size 1 that a batched tensor is stored with."""
    return [init] if batched and isinstance(init, list | tuple) else init


def _lowering(made: Module, sizes: tuple[int, ...], batched: bool, dtype: str) -> Lowering:
    """Return a stored tensor, expanded to the batch if it is batched."""
    if not batched:
        return Lowering(TensorType(sizes, dtype, batched=False), made, MODULE, makes=())
    expanded: Code = MODULE.method("expand", BATCH, *(-1 for _ in sizes[1:]))
    return Lowering(TensorType(sizes[1:], dtype), made, expanded, makes=(), scatters=True)
