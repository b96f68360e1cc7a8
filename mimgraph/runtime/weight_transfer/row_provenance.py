"""Track which rows of a module's tensors made which elements of a value, until an op mixes them.

Example: a linear layer projects to queries, keys and values at once, and its result is cut into
three. To know which rows of the weight made each of them, a tensor of row numbers takes the place of
the result in every op that only moves elements, or changes each by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from mimgraph.runtime.weight_transfer.parts import Part, View

Stored = Callable[[Any], str | None]  # the key of the tensor that a value is a view of

ACTIVATIONS = frozenset(
    ("relu", "gelu", "silu", "sigmoid", "tanh", "elu", "leaky_relu", "softplus", "mish", "hardtanh")
    + ("hardswish", "hardsigmoid", "relu_", "silu_")
)


@dataclass(frozen=True, slots=True)
class RowProvenance:
    """The tensors that made a value, outputs first, and which of their rows made each element."""

    sources: tuple[tuple[str, View], ...]
    rows: Tensor

    def parts(self) -> list[Part]:
        """Return for each tensor the part whose rows are in the value."""
        rows = tuple(self.rows.flatten().bincount().nonzero().flatten().tolist())
        return [
            Part(key, view, None if len(rows) == view.size[0] else rows)
            for key, view in self.sources
        ]

    def moved(self, rows: Tensor) -> RowProvenance:
        """Return the provenance of a value made of this one, with its rows."""
        return replace(self, rows=rows)


def product_of(name: str, args: Sequence[Any], result: Any, stored: Stored) -> RowProvenance | None:
    """Return the provenance of a product of data and a tensor of the module; None for other ops."""
    match name:
        case "mm" | "bmm":
            left, right, bias = args[0], args[1], None
        case "addmm" | "baddbmm":
            bias, left, right = args[:3]
        case "convolution" if not args[6]:  # not transposed
            return _begin_rows(args[1], args[2], result, 1, stored)
        case _:
            return None
    if stored(right) and not stored(left) and (matrix := _matrix(right)) is not None:
        return _begin_rows(matrix.t(), bias, result, result.dim() - 1, stored, stored(right))
    if stored(left) and not stored(right) and (matrix := _matrix(left)) is not None:
        return _begin_rows(matrix, None, result, result.dim() - 2, stored, stored(left))
    return None


def _matrix(tensor: Tensor) -> Tensor | None:
    """Return a matrix, also one that is expanded to a batch of equal ones; None for other tensors."""
    if tensor.dim() == 3 and (tensor.shape[0] == 1 or tensor.stride(0) == 0):
        return tensor[0]
    return tensor if tensor.dim() == 2 else None


def _begin_rows(
    weight: Tensor, bias: Any, result: Tensor, axis: int, stored: Stored, key: str | None = None
) -> RowProvenance | None:
    """Return the provenance of a product: row i of a weight and bias makes element i along `axis`."""
    key = key or stored(weight)
    if key is None:
        return None
    sources = [(key, View.of(weight))]
    if (bias_key := stored(bias)) is not None and bias.shape == weight.shape[:1]:
        sources.append((bias_key, View.of(bias)))
    rows = torch.arange(weight.shape[0])
    rows = rows.view(-1, *[1] * (result.dim() - axis - 1)).expand(result.shape)
    return RowProvenance(tuple(sources), _lying(rows, result))


def _lying(rows: Tensor, result: Tensor) -> Tensor:
    """Return the rows laid out in memory as the result is, so that views of both correspond."""
    made = torch.empty_strided(result.shape, result.stride(), dtype=torch.int64)
    return made.copy_(rows)


def follow(
    func: Any,
    args: Any,
    kwargs: Mapping[str, Any],
    value: Tensor,
    known: RowProvenance,
    result: Any,
) -> list[RowProvenance] | None:
    """Return the provenance of the results; None if the op mixes the elements of this value."""
    results = tree_leaves(result)
    if not all(isinstance(made, Tensor) for made in results):
        return None
    if func.is_view and func is not torch.ops.aten.view.dtype:
        shadow = tree_map(lambda arg: known.rows if arg is value else arg, (args, dict(kwargs)))
        return [known.moved(rows) for rows in tree_leaves(func(*shadow[0], **shadow[1]))]
    name = func.overloadpacket.__name__
    if name == "_unsafe_view":
        return [known.moved(known.rows.reshape(result.shape))]
    changes_each = name in ("clone", "_to_copy") or torch.Tag.pointwise in func.tags
    if changes_each and [made.shape for made in results] == [value.shape]:
        return [known.moved(_lying(known.rows, result))]
    return None


def with_bias(known: RowProvenance, key: str, bias: Tensor) -> RowProvenance | None:
    """Return the provenance after a bias was added; None if an element did not meet its own row."""
    size = known.sources[0][1].size[0]
    if bias.shape != (size,) or known.rows.shape[-1] != size:
        return None
    if not torch.equal(known.rows.reshape(-1, size)[0], torch.arange(size)):
        return None
    return replace(known, sources=(*known.sources, (key, View.of(bias))))


def activation_of(name: str) -> tuple[str, ...]:
    """Return the op as a step on the way of a value: its name if it is an activation, else nothing."""
    return (name.rstrip("_"),) if name in ACTIVATIONS else ()
