"""Compare the outputs of an imported model with Keras' outputs, which have the channels last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import mimgraph as mg
from mimgraph.importer.foreign.keras import read_keras
from mimgraph.importer.foreign.model import ForeignModel

TOLERANCE = 1e-5  # of the largest output


def outputs(path: Path, inputs: Mapping[str, Any]) -> tuple[ForeignModel, list[Any]]:
    """Return the model of a file, and its outputs for inputs as Keras takes them."""
    foreign = read_keras(path)
    assert foreign.state is not None
    net = mg.from_dict(foreign.spec).compile().eval()
    net.load_state_dict({key: torch.as_tensor(array) for key, array in foreign.state.items()})
    declared = foreign.spec["inputs"]
    ours = {name: _ours(declared[name], torch.as_tensor(array)) for name, array in inputs.items()}
    with torch.no_grad():
        found = net(**ours)
    return foreign, [found] if isinstance(found, torch.Tensor) else list(found.values())


def _ours(declared: Any, tensor: torch.Tensor) -> torch.Tensor:
    """Return an input with its axes and dtype as the spec declares them."""
    if isinstance(declared, list):
        return tensor
    if "vocab" in declared or "int" in declared.get("dtype", ""):
        tensor = tensor.to(getattr(torch, declared.get("dtype", "int64")))
    if "doc" not in declared:
        return tensor
    moved = [tensor.movedim(-1, axis) for axis in (1, 2)]
    return next(one for one in moved if _fits(declared["shape"], one.shape[1:]))


def _fits(declared: Sequence[int | str], sizes: Sequence[int]) -> bool:
    pairs = zip(declared, sizes, strict=True)
    return all(isinstance(wanted, str) or wanted == given for wanted, given in pairs)


def worst(found: Sequence[torch.Tensor], wanted: Sequence[Any]) -> float:
    """Return the largest difference of the outputs, relative to the largest value of each."""
    assert len(found) == len(wanted)
    differences = [0.0]
    for ours, theirs in zip(found, wanted, strict=True):
        array = ours.numpy() if ours.shape == theirs.shape else ours.movedim(1, -1).numpy()
        assert array.shape == theirs.shape
        differences.append(float(np.abs(array - theirs).max() / max(np.abs(theirs).max(), 1e-3)))
    return max(differences)
