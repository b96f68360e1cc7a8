"""Make the state_dict of a new model from the tensors of an old one, as a plan says for each tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import product

import torch
from torch import Tensor, nn

from mimgraph.ir.tensor_copy import TensorCopy, pairs


def carried_state(
    copies: Iterable[TensorCopy],
    paths: Mapping[str, str],
    given: Mapping[str, Tensor],
    make: Callable[[], nn.Module],
    seed: int | None,
) -> tuple[dict[str, Tensor], list[TensorCopy]]:
    """Return the state_dict of the new model, and the copies of tensors that the plan did not know.

    `paths` has the old paths of modules that were there before, for tensors that the graph does not know.
    Tensors that start anew, and new positions of others, have the values with which `make` makes the
    model. A tensor has the dtype and device of the one that it comes from.
    """
    made = _made(make, seed)
    planned = {copy.key: copy for copy in copies}
    state: dict[str, Tensor] = {}
    found: list[TensorCopy] = []
    dtype, device = _common(given)
    for key, initial in made.items():
        copy = planned.get(key) or _unplanned(key, initial, paths, given)
        if key not in planned:
            found.append(copy)
        if copy.source is None:
            state[key] = _as_given(initial, dtype, device)
        else:
            state[key] = _filled(copy, initial, given[copy.source].detach())
    return state, found


def _made(make: Callable[[], nn.Module], seed: int | None) -> dict[str, Tensor]:
    """Return the tensors of a new model; with a seed, torch's own random numbers are as before afterwards."""
    if seed is None:
        return {key: tensor.detach() for key, tensor in make().state_dict().items()}
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return {key: tensor.detach() for key, tensor in make().state_dict().items()}


def _common(given: Mapping[str, Tensor]) -> tuple[torch.dtype | None, torch.device | None]:
    """Return the dtype of all given floats and the device of all tensors, each None if there are several."""
    dtypes = {one.dtype for one in given.values() if one.is_floating_point()}
    devices = {one.device for one in given.values()}
    return (
        dtypes.pop() if len(dtypes) == 1 else None,
        devices.pop() if len(devices) == 1 else None,
    )


def _as_given(initial: Tensor, dtype: torch.dtype | None, device: torch.device | None) -> Tensor:
    """Return a tensor that starts anew on the device of the given ones; floats in their dtype."""
    return initial.to(device=device, dtype=dtype if initial.is_floating_point() else None)


def _unplanned(
    key: str, initial: Tensor, paths: Mapping[str, str], given: Mapping[str, Tensor]
) -> TensorCopy:
    """Return the copy of a tensor of a module of somebody else: as it is if that has one of its shape."""
    source, shape = _source(key, paths), tuple(initial.shape)
    if source is None or source not in given or given[source].shape != initial.shape:
        return TensorCopy(key, None, (None, shape))
    return TensorCopy(key, source, (shape, shape))


def _source(key: str, paths: Mapping[str, str]) -> str | None:
    """Return the key that a tensor of the new model had; None if its module is new."""
    path = key
    while path:
        if path in paths:
            return paths[path] + key[len(path) :]
        path = path.rpartition(".")[0]
    return None


def _filled(copy: TensorCopy, initial: Tensor, old: Tensor) -> Tensor:
    """Return a new tensor with the positions of the old one, zeros where it must not count, else initial
    values."""
    if not copy.axes:
        return old.clone()
    made = initial.to(dtype=old.dtype, device=old.device, copy=True)
    every = slice(None)
    axes = range(made.dim())
    stretches = [
        [
            (slice(n.start, n.stop), slice(o.start, o.stop))
            for n, o in pairs(copy.axes[axis].positions)
        ]
        if axis in copy.axes
        else [(every, every)]
        for axis in axes
    ]
    zeroed = [axis for axis in axes if axis in copy.axes and copy.axes[axis].zero]
    if zeroed:
        whole = [[(every, every)] if axis in zeroed else stretches[axis] for axis in axes]
        for place in product(*whole):
            made[tuple(new for new, _ in place)] = 0
    for place in product(*stretches):
        made[tuple(new for new, _ in place)] = old[tuple(was for _, was in place)]
    return made


def known_shapes(given: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor."""
    return {key: tuple(tensor.shape) for key, tensor in given.items()}
