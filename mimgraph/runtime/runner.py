"""Run a compiled graph once, on given arrays or on seeded ones of the right dtypes and ranges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mimgraph.cost.bind_sizes import checked, filled
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.diagnostics import SpecError
from mimgraph.ir.dim import Dim, Size, substitute
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.ir.types import TensorType
from mimgraph.runtime.array_files import load_arrays
from mimgraph.runtime.checks import dtype_name, output_faults, torch_dtype
from mimgraph.runtime.input_ranges import lengths, limits, positions
from mimgraph.runtime.shape_rules import wrong_rule
from mimgraph.runtime.weights import load_weights
from mimgraph.support.offline import as_asked


@dataclass(frozen=True, slots=True)
class Run:
    """The inputs and outputs of a run, and the seconds that the forward took; `made` says whether the
    inputs were made here."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    made: bool
    seconds: float

    def data(self) -> dict[str, Any]:
        """Return the shapes and dtypes as plain data, and the values of the outputs."""
        return {
            "inputs": {name: _described(tensor) for name, tensor in self.inputs.items()},
            "outputs": {
                name: _described(tensor) | {"values": tensor.tolist()}
                for name, tensor in self.outputs.items()
            },
        }


def _described(tensor: Tensor) -> dict[str, Any]:
    return {"shape": list(tensor.shape), "dtype": dtype_name(tensor)}


class Given(NamedTuple):
    """The inputs of a run: an .npz file, or random ones with a batch and sizes by name."""

    file: str | None
    batch: int
    sizes: Mapping[str, int]


def run(
    graph: TypedGraph,
    make: Callable[[], nn.Module],
    given: Given,
    weights: str | None,
    seed: int,
) -> Run:
    """Make the module with the seed, load weights if given, and run it once in eval mode.

    `weights` is a .safetensors file; raise a `ValueError` for arrays, keys or sizes that do not fit.
    """
    checked(graph, given.sizes)
    torch.manual_seed(seed)
    module = _made(make).eval()
    if weights is not None:
        load_weights(module, weights)
    if given.file is None:
        tensors = _random_inputs(graph, given, seed)
    else:
        tensors = load_arrays(graph, given.file)
    started = perf_counter()
    try:
        with torch.no_grad(), as_asked():
            result = module(**tensors)
    except Exception as error:
        raise ValueError(f"the model fails on these inputs: {_with_notes(error)}") from error
    seconds = perf_counter() - started
    names = list(graph.body.outputs)
    outputs = result if isinstance(result, dict) else {names[0]: result}
    if faults := list(output_faults(graph, tensors, outputs)):
        found = wrong_rule(module, graph, tensors)
        raise ValueError("; ".join([*faults, *([] if found is None else [found])]))
    return Run(tensors, outputs, made=given.file is None, seconds=seconds)


def _made(make: Callable[[], nn.Module]) -> nn.Module:
    """Return the module; raise a `ValueError` if its code fails, with the node."""
    try:
        return make()
    except SpecError:
        raise
    except Exception as error:
        raise ValueError(f"the model cannot be made: {_with_notes(error)}") from error


def _with_notes(error: Exception) -> str:
    """Return the message of an error with its notes, which name the node."""
    return "; ".join([str(error), *getattr(error, "__notes__", ())])


def _random_inputs(graph: TypedGraph, given: Given, seed: int) -> dict[str, Tensor]:
    """Return random inputs; raise a `ValueError` for sizes that do not fit in memory."""
    sizes = choose_sizes(graph, given.sizes)
    try:
        return seeded_inputs(graph, given.batch, seed, sizes)
    except RuntimeError:  # torch has no narrower error
        shown = ", ".join(f"{name} = {size}" for name, size in {"N": given.batch, **sizes}.items())
        raise ValueError(f"the inputs do not fit in memory with {shown}") from None


def seeded_inputs(
    graph: TypedGraph, batch: int, seed: int, sizes: Mapping[str, int]
) -> dict[str, Tensor]:
    """Return a tensor for each input: normal floats, legal indices, mixed booleans."""
    generator = torch.Generator().manual_seed(seed)
    categories = dict(limits(graph.body))
    longest, axes = dict(lengths(graph.body)), dict(positions(graph.body))
    made = {}
    for name, type_ in graph.body.inputs.items():
        every = {**sizes, "N": batch}
        shape = tuple(_number(dim, every) for dim in filled(type_, every).dims)
        most = _number(longest[name], sizes) + 1 if name in longest else None
        limit = categories.get(name, 2)
        if name in axes:
            limit = min(limit, _number(axes[name], every))
        made[name] = _tensor(type_, shape, limit, most, generator)
    return made


def _number(dim: Size, sizes: Mapping[str, int]) -> int:
    value = substitute(dim, sizes)
    assert not isinstance(value, Dim)
    return value


def _tensor(
    type_: TensorType,
    shape: tuple[int, ...],
    limit: int,
    length: int | None,
    generator: torch.Generator,
) -> Tensor:
    """Return a random tensor: integers below `limit`, or lengths from 1 to below `length`, the longest
    first, as `pack_padded_sequence` wants them by default."""
    dtype = torch_dtype(type_)
    if type_.dtype == "bool":
        return _mask(shape, generator)
    if type_.is_integer:
        low, high = (1, length) if length is not None else (0, limit)
        whole = torch.randint(low, high, shape, generator=generator, dtype=dtype)
        return whole if length is None else whole.sort(0, descending=True).values
    return torch.randn(shape, generator=generator, dtype=torch.float32).to(dtype)


def _mask(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Return booleans with no row all true or all false, as either would mask everything."""
    mask = torch.rand(shape, generator=generator) < 0.5
    if mask.dim() and mask.shape[-1] > 1:
        mask[..., 0], mask[..., 1] = True, False
    return mask
