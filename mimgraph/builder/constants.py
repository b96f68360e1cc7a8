"""Declare tensors that each run makes anew: `arange`, `zeros`, `ones` and `random`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, SupportsIndex, Unpack

from mimgraph.builder.handles.record_call import record_call
from mimgraph.builder.handles.tensor import Tensor
from mimgraph.builder.inputs import plain_size, sizes_of
from mimgraph.builder.own_tensors import NodeOptions, layer_call, without_defaults
from mimgraph.builder.tracing.watched import Watched
from mimgraph.builder.user_line import user_line
from mimgraph.ir.dims.dim import Dim
from mimgraph.support.arguments import as_plain
from mimgraph.support.entry_point import entry_point

if TYPE_CHECKING:
    import torch


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


_DEFAULTS = {
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
    given = without_defaults(given, _DEFAULTS)
    if (dtype := given.get("dtype")) is not None:
        given["dtype"] = as_plain("dtype", dtype)
    layer = layer_call(kind, {**given, **options})
    return Tensor(record_call(layer, () if source is None else (source,), {}, name))
