"""Say how a user's module is run on a device: on which tensors, and at which sizes."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from mimgraph.ir.dim import substitute
from mimgraph.ir.types import TensorType
from mimgraph.ops.custom.fit import STEPS
from mimgraph.support.offline import refusing_network

Fill = Literal["none", "mixed", "ones", "zeros"]  # what whole numbers are: indices, lengths, a mask


class Device(NamedTuple):
    """Where modules run, and the sizes and data that they are tried with.

    Names get primes from each start on, then multiples of each unit, which divide evenly; the batch gets
    primes from `batch_from` on, if that is not 0. `steps` are the steps by which a size is raised to see
    what becomes of the results, and larger ones to take if these do not tell.
    """

    name: Literal["meta", "cpu"]
    primes_from: tuple[int, ...]
    multiples_of: tuple[int, ...]
    steps: tuple[tuple[int, ...], ...]
    fills: tuple[Fill, ...]
    batch_from: int = 0
    batch_steps: tuple[int, ...] = ()

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make new tensors there, leave torch's random numbers as they were, and reach for no network."""
        random = torch.random.fork_rng(devices=[])
        with refusing_network(), random, torch.no_grad(), torch.device(self.name):
            yield

    def bases(self, names: Sequence[str], known: Container[int]) -> Iterator[dict[str, int]]:
        """Yield sizes to begin with, different for each name; the batch is none of the known sizes, so
        that it is not mistaken for one."""
        for start in self.primes_from:
            yield self._with_batch(dict(zip(names, _primes(start, known), strict=False)), known)
        for unit in self.multiples_of:
            sizes = {name: unit * number for number, name in enumerate(names, 1)}
            sizes = self._with_batch(sizes, known)
            if sizes.get("N") not in known:
                yield sizes

    def _with_batch(self, sizes: dict[str, int], known: Container[int]) -> dict[str, int]:
        """Return the sizes with a small batch, which is none of the others, if this device needs one."""
        if not self.batch_from or "N" not in sizes:
            return sizes
        others = {size for name, size in sizes.items() if name != "N"}
        small = _primes(self.batch_from, known)
        return {**sizes, "N": next(size for size in small if size not in others)}

    def tensor(self, type_: TensorType, sizes: Mapping[str, int], fill: Fill, seed: int) -> Tensor:
        """Return a tensor of these sizes, without data on the meta device."""
        shape: list[int] = [substitute(dim, sizes) for dim in type_.shape]  # type: ignore[misc]  # no name is left
        dtype: torch.dtype = getattr(torch, type_.dtype)
        if self.name == "meta":
            return torch.empty(shape, dtype=dtype)
        return _filled(shape, dtype, fill, torch.Generator().manual_seed(seed))


# The batch is a prime as all names are: tensors without data take no memory.
META = Device("meta", (37, 11, 211, 2003, 3), (224, 12), (STEPS,), ("none",))
CPU = Device(
    *("cpu", (5, 11, 37, 211, 3), (224, 12)),
    steps=((96, 48, 12, 4), (480, 48), (672, 84)),  # strides up to 16, those of 2 and 5, those of 7
    fills=("mixed", "ones", "zeros"),
    batch_from=2,
    batch_steps=(4, 2, 1),
)


def _primes(start: int, known: Container[int]) -> Iterator[int]:
    """Yield the primes from a number on that are not known sizes."""
    numbers = (n for n in itertools.count(start) if all(n % d for d in range(2, int(n**0.5) + 1)))
    return (prime for prime in numbers if prime > 1 and prime not in known)


def _filled(
    shape: Sequence[int], dtype: torch.dtype, fill: Fill, generator: torch.Generator
) -> Tensor:
    """Return a tensor with data: normal floats, and whole numbers and booleans that are 0 or 1, which are
    indices of any table. In each row the first is 1, so that a mask leaves something."""
    if dtype.is_complex:
        return torch.randn(shape, dtype=torch.complex64, generator=generator).to(dtype)
    if dtype.is_floating_point:
        return torch.randn(shape, generator=generator).to(dtype)
    if fill != "mixed":
        return torch.full(shape, int(fill == "ones"), dtype=dtype)
    made = torch.randint(0, 2, shape, generator=generator)
    if made.dim() and made.shape[-1]:
        made[..., 0] = 1
    return made.to(dtype)
