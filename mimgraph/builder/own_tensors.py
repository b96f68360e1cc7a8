"""Declare tensors that the model owns: `Parameter` and `Buffer`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, SupportsIndex, TypeAlias, TypedDict, Unpack

from mimgraph.builder.handles.record_call import record_call
from mimgraph.builder.handles.tensor import Tensor
from mimgraph.builder.inputs import sizes_of
from mimgraph.builder.user_line import user_line
from mimgraph.ir.dims.dim import Dim
from mimgraph.ops import registry
from mimgraph.ops.layer_call import LayerCall
from mimgraph.support.arguments import as_plain
from mimgraph.support.entry_point import entry_point

if TYPE_CHECKING:
    import torch

Init: TypeAlias = str | float | Sequence[object] | Mapping[str, object]


class NodeOptions(TypedDict, total=False):
    """The keyword arguments of any node, for type checkers; others are checked as in a spec."""

    activation: str | Mapping[str, object] | LayerCall
    freeze: bool | str
    lr: float | str
    weight_decay: float


@entry_point
def Parameter(
    name: str,
    shape: Iterable[SupportsIndex | Dim],
    *,
    init: Init,
    batched: bool = False,
    **options: Unpack[NodeOptions],
) -> Tensor:
    """Return a learned tensor of this shape (`torch.nn.Parameter`), without a batch.

    If batched, it is kept as (1, ...) and expanded to (N, ...), as a class token is. `init` is the
    name of a function of `torch.nn.init`, `"zeros"`, perhaps with arguments,
    `{"normal": {"std": 0.02}}`; or `"sinusoid"`; or the values.
    """
    return _tensor("parameter", name, shape, {"init": init, "batched": batched, **options})


@entry_point
def Buffer(
    name: str,
    shape: Iterable[SupportsIndex | Dim],
    *,
    init: Init,
    batched: bool = False,
    dtype: str | torch.dtype = "float32",
    persistent: bool = True,
    **options: Unpack[NodeOptions],
) -> Tensor:
    """Return a fixed tensor of this shape, kept in the `state_dict` if `persistent`.

    The rest is as for `Parameter`; one more `init` is `"arange"`, for the numbers 0, 1, 2, ...
    """
    given = {"init": init, "batched": batched, "dtype": as_plain("dtype", dtype)}
    return _tensor("buffer", name, shape, {**given, "persistent": persistent, **options})


_DEFAULTS = {"batched": False, "dtype": "float32", "persistent": True}


def _tensor(
    kind: str, name: str, shape: Iterable[SupportsIndex | Dim], options: Mapping[str, object]
) -> Tensor:
    """Return the tensor that these options declare; defaults are left out, as in a spec."""
    given = without_defaults(options, _DEFAULTS)
    layer = layer_call(kind, {"shape": sizes_of(shape, user_line()), **given})
    return Tensor(record_call(layer, (), {}, name))


def without_defaults(
    options: Mapping[str, object], defaults: Mapping[str, object]
) -> dict[str, object]:
    """Return the options without those that have their default value, which a spec leaves out."""

    def is_default(name: str, value: object) -> bool:
        return name in defaults and type(value) is type(defaults[name]) and value == defaults[name]

    return {name: value for name, value in options.items() if not is_default(name, value)}


def layer_call(kind: str, options: dict[str, object]) -> LayerCall:
    """Return the call of a tensor of the model with these options."""
    op = registry.find("tensor", kind)
    assert op is not None
    return LayerCall(op, (), options)
