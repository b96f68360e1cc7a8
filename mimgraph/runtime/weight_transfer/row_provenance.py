"""Track which rows of a module's tensors made which numbers of a value, until they are mixed.

The result of a linear layer that projects to queries, keys and values at once is cut into three. To
know which rows each one has, the numbers of the rows go the same way through every op that only moves
numbers, or changes each by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from mimgraph.runtime.weight_transfer.parts import Part, View

Stored = Callable[[Any], str | None]  # the key of which a value is a view

ACTIVATIONS = frozenset(
    ("relu", "gelu", "silu", "sigmoid", "tanh", "elu", "leaky_relu", "softplus", "mish", "hardtanh")
    + ("hardswish", "hardsigmoid", "relu_", "silu_")
)


@dataclass(frozen=True, slots=True)
class Lanes:
    """Holds the tensors that made a value, outputs first, and which of their rows made each number."""

    sources: tuple[tuple[str, View], ...]
    rows: Tensor

    def parts(self) -> list[Part]:
        """Return the rows that are in the value, of each tensor."""
        rows = tuple(self.rows.flatten().bincount().nonzero().flatten().tolist())
        return [
            Part(key, view, None if len(rows) == view.size[0] else rows)
            for key, view in self.sources
        ]

    def moved(self, rows: Tensor) -> Lanes:
        """Return the lanes of a value made of this one."""
        return replace(self, rows=rows)


def product_of(name: str, args: Sequence[Any], result: Any, stored: Stored) -> Lanes | None:
    """Return the lanes that begin at an op which multiplies data by a tensor of the module."""
    match name:
        case "mm" | "bmm":
            left, right, bias = args[0], args[1], None
        case "addmm" | "baddbmm":
            bias, left, right = args[:3]
        case "convolution" if not args[6]:  # not transposed
            return _begun(args[1], args[2], result, 1, stored)
        case _:
            return None
    if stored(right) and not stored(left) and (matrix := _matrix(right)) is not None:
        return _begun(matrix.t(), bias, result, result.dim() - 1, stored, stored(right))
    if stored(left) and not stored(right) and (matrix := _matrix(left)) is not None:
        return _begun(matrix, None, result, result.dim() - 2, stored, stored(left))
    return None


def _matrix(tensor: Tensor) -> Tensor | None:
    """Return the matrix that is expanded to a batch of equal ones, if the tensor is that."""
    if tensor.dim() == 3 and (tensor.shape[0] == 1 or tensor.stride(0) == 0):
        return tensor[0]
    return tensor if tensor.dim() == 2 else None


def _begun(
    weight: Tensor, bias: Any, result: Tensor, axis: int, stored: Stored, key: str | None = None
) -> Lanes | None:
    key = key or stored(weight)
    if key is None:
        return None
    sources = [(key, View.of(weight))]
    if (bias_key := stored(bias)) is not None and bias.shape == weight.shape[:1]:
        sources.append((bias_key, View.of(bias)))
    rows = torch.arange(weight.shape[0])
    rows = rows.view(-1, *[1] * (result.dim() - axis - 1)).expand(result.shape)
    return Lanes(tuple(sources), _lying(rows, result))


def _lying(rows: Tensor, result: Tensor) -> Tensor:
    """Return the rows laid out in memory as the result is, so that views of both correspond."""
    made = torch.empty_strided(result.shape, result.stride(), dtype=torch.int64)
    return made.copy_(rows)


def follow(
    func: Any, args: Any, kwargs: Mapping[str, Any], value: Tensor, lanes: Lanes, result: Any
) -> list[Lanes] | None:
    """Return the lanes of an op's results if it only moves the numbers of this value, or changes
    each by itself."""
    results = tree_leaves(result)
    if not all(isinstance(made, Tensor) for made in results):
        return None
    if func.is_view and func is not torch.ops.aten.view.dtype:
        shadow = tree_map(lambda arg: lanes.rows if arg is value else arg, (args, dict(kwargs)))
        return [lanes.moved(rows) for rows in tree_leaves(func(*shadow[0], **shadow[1]))]
    name = func.overloadpacket.__name__
    if name == "_unsafe_view":
        return [lanes.moved(lanes.rows.reshape(result.shape))]
    changes_each = name in ("clone", "_to_copy") or torch.Tag.pointwise in func.tags
    if changes_each and [made.shape for made in results] == [value.shape]:
        return [lanes.moved(_lying(lanes.rows, result))]
    return None


def with_bias(lanes: Lanes, key: str, bias: Tensor) -> Lanes | None:
    """Return the lanes of a value that a bias was added to, if each of its rows met its own."""
    size = lanes.sources[0][1].size[0]
    if bias.shape != (size,) or lanes.rows.shape[-1] != size:
        return None
    if not torch.equal(lanes.rows.reshape(-1, size)[0], torch.arange(size)):
        return None
    return replace(lanes, sources=(*lanes.sources, (key, View.of(bias))))


def activation_of(name: str) -> tuple[str, ...]:
    """Return the op as a step on the way of a value, if it is an activation."""
    return (name.rstrip("_"),) if name in ACTIVATIONS else ()
