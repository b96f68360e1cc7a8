"""What `torch.distributed.pipelining` needs of a stage: tensors without gaps, as they were promised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mimgraph.cost.bind_sizes import check_fits, checked, filled
from mimgraph.ir.dim import symbols
from mimgraph.ir.typed import TypedGraph
from mimgraph.ir.types import TensorType
from mimgraph.runtime.checks import torch_dtype


def receive_dense(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Let the gradients of what a module is given have no gaps: no others are sent, but one may be
    a part of that of a `concat`."""
    return tuple(_with_dense_gradient(x) if _learns(x) else x for x in args)


def _learns(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def _with_dense_gradient(x: Tensor) -> Tensor:
    view = x.view_as(x)  # a hook of its own, as a buffer that is received is used again
    view.register_hook(Tensor.contiguous)  # type: ignore[no-untyped-call]  # torch's lacks types
    return view


class Promise(NamedTuple):
    """What the next stage was told that it is given: for which sizes, and which tensors."""

    sizes: str
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[torch.dtype, ...]


class Sender:
    """A forward hook of a stage: its results have no gaps, though they may be transposed views, and
    are what `promises` say, if there are any.

    The receiver has made room for just that, and torch does not look: other bytes would be read as
    if they were these. So another dtype, as autocast gives, is cast, and another shape an error.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.promises: list[Promise] = []

    def promise(self, sent: tuple[Tensor, ...], sizes: Mapping[str, int]) -> None:
        """Hold to what the next stage was told of the results, for these sizes; of tensors of the
        same shapes the last counts."""
        told = ", ".join(f"{name} = {size}" for name, size in sizes.items())
        shapes = tuple(tuple(x.shape) for x in sent)
        promise = Promise(told, shapes, tuple(x.dtype for x in sent))
        self.promises = [*(one for one in self.promises if one.shapes != shapes), promise]

    def __call__(self, _: nn.Module, args: tuple[Any, ...], result: Any) -> Any:
        if isinstance(result, tuple):
            return self.sent(result)
        return self.sent((result,))[0]

    def sent(self, results: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        dense = tuple(x.contiguous() for x in results)
        if not self.promises:
            return dense
        shapes = tuple(tuple(x.shape) for x in dense)
        kept = next((promise for promise in self.promises if promise.shapes == shapes), None)
        if kept is None:
            told = "; or ".join(f"{_listed(one.shapes)} for {one.sizes}" for one in self.promises)
            raise ValueError(f"{self.name} would send {_listed(shapes)}, but metadata told {told}")
        return tuple(x.to(dtype) for x, dtype in zip(dense, kept.dtypes, strict=True))


def _listed(shapes: tuple[tuple[int, ...], ...]) -> str:
    return ", ".join(map(str, shapes))


def metadata(
    graph: TypedGraph, batch: int, sizes: Mapping[str, int], dtype: torch.dtype | None
) -> dict[str, tuple[Tensor, ...]]:
    """What a stage takes by position and what it gives, as tensors without values."""
    body = graph.body
    taken = body.required_inputs.values()
    sent = [body.type_of(value) for value in body.outputs.values()]
    given = {"N": batch, **sizes}
    return {
        "input_args": tuple(_valueless(type_, given, dtype) for type_ in taken),
        "output_args": tuple(_valueless(type_, given, dtype) for type_ in sent),
    }


def check_told(
    whole: TypedGraph, batch: int, sizes: Mapping[str, int], dtype: torch.dtype | None
) -> None:
    """A `ValueError` tells what is no batch, what no size of the graph, and what no dtype of weights."""
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise ValueError(f"the batch is an integer of at least 1, not {batch!r}")
    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise ValueError(f"dtype is that of the weights, a float as torch.bfloat16, not {dtype!r}")
    check_fits("the batch", batch)
    checked(whole, sizes)


def _valueless(type_: TensorType, sizes: Mapping[str, int], dtype: torch.dtype | None) -> Tensor:
    names = {name for dim in type_.dims for name in symbols(dim)}
    if missing := sorted(names - sizes.keys()):
        raise ValueError(f"the size {missing[0]} is not given")
    shape = [size for size in filled(type_, sizes).dims if isinstance(size, int)]
    found = torch_dtype(type_)
    if dtype is not None and found.is_floating_point:
        found = dtype
    learns = found.is_floating_point or found.is_complex
    return torch.empty(shape, dtype=found, device="meta", requires_grad=learns)
