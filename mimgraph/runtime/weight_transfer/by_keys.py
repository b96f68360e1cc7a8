"""Take the weights of a module from another's by a map of their keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import torch
from torch import Tensor, nn

from mimgraph.runtime.weight_transfer.transfer import Transfer
from mimgraph.support.arguments import as_mapping, wrong
from mimgraph.support.columns import lists

Keys: TypeAlias = Mapping[str, str | tuple[str, ...]]
"""For each key of ours that is another one in the other module, that key, or those that it joins."""


def as_keys(given: object) -> Keys:
    """Return a map of keys; raise a `TypeError` for anything else."""
    example = '{"encoder.0.weight": "bert.encoder.layer.0.weight"}'
    keys = as_mapping("keys", given, example)
    for key, found in keys.items():
        every = (found,) if isinstance(found, str) else found
        if not isinstance(every, list | tuple) or not all(
            isinstance(p, str) for p in (key, *every)
        ):
            raise wrong("keys", f"a dict such as {example}", given)
    return {key: one if isinstance(one, str) else tuple(one) for key, one in keys.items()}


def renamed(names: Iterable[str], given: Mapping[str, Tensor], keys: Keys) -> dict[str, Tensor]:
    """Return the tensors under our names, without those that are missing; several are joined along
    axis 0."""
    found = dict[str, Tensor]()
    for name in names:
        wanted = parts(keys.get(name, name))
        if all(part in given for part in wanted):
            tensors = [given[part] for part in wanted]
            found[name] = tensors[0] if len(tensors) == 1 else torch.cat(tensors)
    return found


def parts(key: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys that one key of a map stands for."""
    return (key,) if isinstance(key, str) else key


def load_by_keys(
    model: nn.Module, other: nn.Module | Mapping[str, Tensor], keys: Keys, strict: bool
) -> Transfer:
    """Copy the tensors of `other` by their keys; if strict, a `ValueError` names those that do not fit.

    A tensor that `other` has under several keys, as tied weights are, is unused only if all are.
    """
    given = other.state_dict() if isinstance(other, nn.Module) else other
    ours = model.state_dict()
    found = renamed(ours, given, keys)
    fits = {name: one for name, one in found.items() if one.shape == ours[name].shape}
    taken = [part for name in fits for part in parts(keys.get(name, name))]
    same = {given[part].data_ptr() for part in taken}
    missing = tuple(name for name in ours if name not in fits)
    unused = tuple(key for key, one in given.items() if one.data_ptr() not in same)
    if strict and (missing or unused):
        faults = lists(("no weights for", missing), ("unused weights", unused))
        raise ValueError(f"the weights do not fit: {'; '.join(faults)}")
    model.load_state_dict(fits, strict=False)
    mapping = {name: keys.get(name, name) for name in fits}
    return Transfer(mapping, missing, unused)
