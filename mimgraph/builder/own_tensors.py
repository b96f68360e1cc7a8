"""Declare tensors that the model owns, `Parameter` and `Buffer`, and those that each run makes anew:
`arange`, `zeros`, `ones` and `random`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, SupportsIndex, TypeAlias, TypedDict, Unpack

from mimgraph.builder.handles.record_call import record_call
from mimgraph.builder.handles.tensor import Tensor
from mimgraph.builder.inputs import plain_size, sizes_of
from mimgraph.builder.tracing.watched import Watched
from mimgraph.builder.user_line import user_line
from mimgraph.ir.dim import Dim
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


@entry_point
def arange(
    x: Tensor | SupportsIndex | Dim,
    dim: int | None = None,
    *,
    start: int = 0,
    step: int = 1,
    name: str | None = None,
    **options: Unpack[NodeOptions],
) -> Tensor:
    """Return the positions along an axis of `x`, from 0: (N, T, *) -> (T,), int64, without a batch.

    `x` may also be a number, as in `torch.arange`: `mg.arange(8)` counts from 0 to 7.
    """
    end = plain_size(x)
    is_number = isinstance(end, int | Dim | Watched)
    given = {"end": end if is_number else None, "dim": dim, "start": start, "step": step}
    return _made("arange", given, None if is_number else x, name, options)


@entry_point
def zeros(
    *shape: SupportsIndex | Dim | Iterable[SupportsIndex | Dim],
    like: Tensor | None = None,
    batched: bool = False,
    dtype: str | torch.dtype | None = None,
    name: str | None = None,
    **options: Unpack[NodeOptions],
) -> Tensor:
    """Return zeros of this shape, `mg.zeros(64, batched=True)`, or `like` a source, made at each run.

    The shape has no batch; if `batched`, the result has one in front. The dtype is that of the model
    (of `like`: its own) unless one is given.
    """
    given = {"shape": _shape(shape), "batched": batched, "dtype": dtype}
    return _made("zeros", given, like, name, options)


@entry_point
def ones(
    *shape: SupportsIndex | Dim | Iterable[SupportsIndex | Dim],
    like: Tensor | None = None,
    batched: bool = False,
    dtype: str | torch.dtype | None = None,
    name: str | None = None,
    **options: Unpack[NodeOptions],
) -> Tensor:
    """Return ones of this shape, or `like` a source, made at each run as `zeros` are."""
    given = {"shape": _shape(shape), "batched": batched, "dtype": dtype}
    return _made("ones", given, like, name, options)


@entry_point
def random(
    distribution: Literal["normal", "uniform"],
    like: Tensor,
    *,
    only: Literal["training"] | None = None,
    name: str | None = None,
    **options: Unpack[NodeOptions],
) -> Tensor:
    """Return noise in the shape of `like`, drawn at each run; zero in eval with `only="training"`.

    `"normal"` has mean 0 and variance 1, `"uniform"` is from 0 to 1.
    """
    given: dict[str, object] = {"distribution": distribution, "only": only}
    return _made("random", given, like, name, options)


def _shape(given: tuple[object, ...]) -> object:
    """Return the sizes that are given one by one, or in a list; None if none are given."""
    if not given:
        return None
    is_list = len(given) == 1 and not isinstance(plain_size(given[0]), int | Dim | Watched)
    return sizes_of(given[0] if is_list else given, user_line())


_CONSTANT_DEFAULTS = {
    **dict.fromkeys(("end", "dim", "shape", "dtype", "only")),
    "batched": False,
    "start": 0,
    "step": 1,
}


def _made(
    kind: str,
    given: dict[str, object],
    source: object,
    name: str | None,
    options: NodeOptions,
) -> Tensor:
    """Return the tensor that these options declare; defaults are left out, as in a spec."""
    given = without_defaults(given, _CONSTANT_DEFAULTS)
    if (dtype := given.get("dtype")) is not None:
        given["dtype"] = as_plain("dtype", dtype)
    layer = layer_call(kind, {**given, **options})
    return Tensor(record_call(layer, () if source is None else (source,), {}, name))
