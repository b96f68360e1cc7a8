"""The record of one model of the zoo, and examples of its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

# what `mg.from_module` takes for an argument: a shape without the batch, a dict with shape, vocab and
# dtype, or, if the argument is a dict of tensors, a dict of such
InputSpec: TypeAlias = tuple[int | str, ...] | dict[str, Any]


class Model(NamedTuple):
    """A module to import: how to make it, and its inputs as `mg.from_module` takes them."""

    name: str
    make: Callable[[], nn.Module]
    inputs: Mapping[str, InputSpec]
    family: str
    gallery: str = ""  # the spec in specs/ that declares the same architecture by hand


def ids(length: str, vocab: int) -> dict[str, Any]:
    """Return the input of a text: indices below `vocab`."""
    return {"shape": (length,), "vocab": vocab}


def mask(length: str) -> dict[str, Any]:
    """Return the input of a mask of integers: 1 at real steps, 0 at padding."""
    return {"shape": (length,), "vocab": 2}


def draw(model: Model, batch: int, **sizes: int) -> dict[str, Any]:
    """Return a batch for a model; named sizes have these lengths.

    Masks are real steps and then padding, and integers without a vocab are lengths of sequences.
    """
    return {name: _draw(spec, batch, sizes) for name, spec in model.inputs.items()}


def _draw(spec: InputSpec, batch: int, sizes: dict[str, int]) -> Tensor | dict[str, Tensor]:
    if isinstance(spec, tuple):
        spec = {"shape": spec}
    if not spec.keys() <= {"shape", "vocab", "dtype"}:
        return {name: _draw(inner, batch, sizes) for name, inner in spec.items()}
    axes = spec.get("shape", ())
    shape = (batch, *(sizes[axis] if isinstance(axis, str) else axis for axis in axes))
    dtype = getattr(torch, spec.get("dtype", "int64" if "vocab" in spec else "float32"))
    if dtype.is_floating_point:
        return torch.randn(shape, dtype=dtype)
    if dtype is torch.bool or spec.get("vocab") == 2:
        steps = shape[-1]
        real = torch.randint(1, steps + 1, (*shape[:-1], 1))
        real[0] = steps  # the longest sequence has no padding
        return (torch.arange(steps) < real).to(dtype)
    if "vocab" in spec:
        return torch.randint(spec["vocab"], shape, dtype=dtype)
    longest = min(sizes.values())
    lengths = torch.randint(1, longest + 1, shape, dtype=dtype)
    lengths[0] = longest
    return lengths
