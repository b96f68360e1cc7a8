"""What `torch.distributed.pipelining` needs of a stage: tensors without gaps, and their shapes before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mimgraph.codegen.checks import torch_dtype
from mimgraph.ir.dim import Dim, substitute, symbols
from mimgraph.ir.typed import TypedGraph
from mimgraph.ir.types import TensorType


def send_dense(stage: nn.Module) -> None:
    """Let what the module returns, and the gradients of what it is given, have no gaps: no others
    are sent, but a result may be a transposed view, a gradient a part of that of a `concat`."""
    stage.register_forward_pre_hook(_take)
    stage.register_forward_hook(_give)


def _take(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(_with_dense_gradient(x) if _learns(x) else x for x in args)


def _learns(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def _with_dense_gradient(x: Tensor) -> Tensor:
    view = x.view_as(x)  # a hook of its own, as a buffer that is received is used again
    view.register_hook(Tensor.contiguous)  # type: ignore[no-untyped-call]  # torch's lacks types
    return view


def _give(_: nn.Module, args: tuple[Any, ...], result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(x.contiguous() for x in result)
    return result.contiguous()


def metadata(graph: TypedGraph, sizes: Mapping[str, int]) -> dict[str, tuple[Tensor, ...]]:
    """What a stage takes by position and what it gives, as tensors without values."""
    body = graph.body
    taken = (type_ for name, type_ in body.inputs.items() if name not in body.optional)
    given = map(body.type_of, body.outputs.values())
    return {
        "input_args": tuple(_valueless(type_, sizes) for type_ in taken),
        "output_args": tuple(_valueless(type_, sizes) for type_ in given),
    }


def _valueless(type_: TensorType, sizes: Mapping[str, int]) -> Tensor:
    names = (name for size in type_.shape if isinstance(size, Dim) for name in symbols(size))
    if missing := sorted(set(names) - sizes.keys()):
        raise ValueError(f"the size {missing[0]} is not given")
    shape = [
        extent for size in type_.shape if not isinstance(extent := substitute(size, sizes), Dim)
    ]
    dtype = torch_dtype(type_)
    learns = dtype.is_floating_point or dtype.is_complex
    return torch.empty(shape, dtype=dtype, device="meta", requires_grad=learns)
