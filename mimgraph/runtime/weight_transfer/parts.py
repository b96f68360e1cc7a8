"""Parts of stored tensors: the rows that one use of a tensor takes, transposed or not.

One module may keep the projections of queries, keys and values in one tensor, another in three, and
one may store a matrix transposed. Parts make them comparable: each is a view (out, in, ...) of the
stored tensor, and some of the rows of that view.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class View:
    """How a tensor is read: sizes, strides and offset in its storage, with outputs on the first axis."""

    size: tuple[int, ...]
    stride: tuple[int, ...]
    offset: int

    @classmethod
    def of(cls, tensor: Tensor) -> View:
        """Describe a tensor that is a view of a stored one."""
        return cls(tuple(tensor.shape), tuple(tensor.stride()), int(tensor.storage_offset()))

    def read(self, stored: Tensor) -> Tensor:
        """Return the view of a stored tensor."""
        return stored.as_strided(self.size, self.stride, self.offset)

    def addresses(self, rows: Iterable[int]) -> tuple[int, ...]:
        """Return where these rows begin in the storage."""
        step = self.stride[0] if self.size else 0
        return tuple(self.offset + step * row for row in rows)


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a view of the tensor `key`; all rows if `rows` is None."""

    key: str
    view: View
    rows: tuple[int, ...] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the part, outputs first."""
        return self.view.size if self.rows is None else (len(self.rows), *self.view.size[1:])

    @property
    def addresses(self) -> frozenset[int]:
        """Where its rows begin in the storage."""
        rows = range(self.view.size[0]) if self.rows is None and self.view.size else self.rows
        return frozenset(self.view.addresses(rows or (0,)))

    def read(self, stored: Tensor) -> Tensor:
        """Return the values of the part."""
        values = self.view.read(stored)
        return values if self.rows is None else values[torch.tensor(self.rows)]

    def write(self, stored: Tensor, values: Tensor) -> None:
        """Write values to the part; axes of size 1 do not count."""
        target, values = self.view.read(stored), values.reshape(self.shape).to(stored)
        if self.rows is None:
            target.copy_(values)
        else:
            target[torch.tensor(self.rows, device=target.device)] = values


def whole(key: str, tensor: Tensor) -> Part:
    """Return the whole tensor as a part, as it is stored."""
    return Part(key, View.of(tensor))


def are_all(parts: Iterable[Part], stored: Tensor) -> bool:
    """Return whether there are several parts that together cover the stored tensor exactly once."""
    parts = list(parts)
    numbers = sum(torch.Size(part.shape).numel() for part in parts)
    rows = frozenset[int]().union(*(part.addresses for part in parts))
    once = sum(len(part.addresses) for part in parts) == len(rows)
    return len(parts) > 1 and once and numbers == stored.numel()
