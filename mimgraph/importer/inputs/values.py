"""Make values for the inputs of a model, at any batch and sizes, from a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mimgraph.importer.inputs.model import ModelInput, size_value

_INVERTED = ("padding_mask", "pad_mask")  # torch's: true where there is nothing


def values(
    inputs: Sequence[ModelInput], batch: int, sizes: Mapping[str, int], seed: int
) -> dict[str, Tensor]:
    """Return a tensor for each input by name; equal arguments give equal tensors.

        values(inputs, batch=2, sizes={"T": 9}, seed=0)

    Integers are below the vocab; masks, lengths and sequences agree: the first sample is as long as
    `T`, the later ones are shorter. Where there is an example, values are in its range.
    """
    maker = _Maker(inputs, batch, sizes, torch.Generator().manual_seed(seed))
    return {one.name: maker.make(one) for one in inputs}


class _Maker:
    def __init__(
        self,
        inputs: Sequence[ModelInput],
        batch: int,
        sizes: Mapping[str, int],
        generator: torch.Generator,
    ) -> None:
        self.inputs, self.batch, self.sizes, self.generator = inputs, batch, sizes, generator
        self._lengths: dict[int, Tensor] = {}

    def make(self, one: ModelInput) -> Tensor:
        """Return values for one input."""
        shape = (self.batch, *(size_value(size, self.sizes) for size in one.shape))
        dtype: torch.dtype = getattr(torch, one.dtype)
        if _is_lengths(one):
            return self.lengths(self._steps(one)).to(dtype)
        if _is_mask(one) and one.shape:
            return self._mask(one, shape).to(dtype)
        if dtype.is_floating_point or dtype.is_complex:
            return self._floats(one, shape, dtype)
        return self._integers(one, shape).to(dtype)

    def lengths(self, longest: int) -> Tensor:
        """Return the lengths of the samples, the longest first, as `pack_padded_sequence` wants them."""
        if longest not in self._lengths:
            drawn = torch.randint(1, longest + 1, (self.batch,), generator=self.generator)
            drawn[:1] = longest
            self._lengths[longest] = drawn.sort(descending=True).values
        return self._lengths[longest]

    def _steps(self, lengths: ModelInput) -> int:
        """Return the number of steps of the sequences that an input has the lengths of."""
        sequences = [one for one in self.inputs if one.shape and not _is_lengths(one)]
        stem = lengths.name.rpartition("_")[0]
        mine = [one for one in sequences if stem and one.name.startswith(stem)]
        named = [one for one in sequences if isinstance(one.shape[0], str)]
        found = (mine or named or sequences)[:1]
        return size_value(found[0].shape[0], self.sizes) if found else 1

    def _mask(self, one: ModelInput, shape: tuple[int, ...]) -> Tensor:
        """Return ones, and zeros at the end of the shorter samples."""
        steps = torch.arange(shape[-1])
        lengths = self.lengths(shape[-1])
        kept = steps < lengths.view(-1, *[1] * (len(shape) - 1))
        kept = kept.expand(shape)
        if any(word in one.name.lower() for word in _INVERTED):
            kept = ~kept
        if one.example is None or not one.example.is_floating_point():
            return kept.clone()
        return torch.where(kept, one.example.max(), one.example.min())

    def _floats(self, one: ModelInput, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Return normal values, or even ones in the range of the example."""
        known = None if one.example is None else one.example[one.example.isfinite()]
        if known is None or dtype.is_complex or not known.numel():
            wide = torch.complex64 if dtype.is_complex else torch.float32
            return torch.randn(shape, generator=self.generator, dtype=wide).to(dtype)
        low, high = (float(side) for side in known.aminmax())
        even = torch.rand(shape, generator=self.generator)
        return (low + (high - low) * even).to(dtype)

    def _integers(self, one: ModelInput, shape: tuple[int, ...]) -> Tensor:
        """Return values below the vocab, or values of the example."""
        if one.vocab is None and one.example is not None and one.example.numel():
            known = one.example.flatten()
            picks = torch.randint(len(known), shape, generator=self.generator)
            return known[picks]
        most = one.vocab or (256 if one.dtype == "uint8" else 2)
        return torch.randint(most, shape, generator=self.generator)


def _is_lengths(one: ModelInput) -> bool:
    """Return whether an input has the length of each sample."""
    is_integer = "int" in one.dtype and one.vocab is None
    return is_integer and not one.shape and any(w in one.name.lower() for w in ("length", "lens"))


def _is_mask(one: ModelInput) -> bool:
    """Return whether an input says which steps of each sample there are."""
    return one.dtype == "bool" or one.vocab == 2 or "mask" in one.name.lower()
