"""Weights from a module that was written by hand, into the one that a graph stands for."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mimgraph.codegen.alignment import Flow, align
from mimgraph.codegen.runner import choose_sizes, seeded_inputs
from mimgraph.codegen.uses import defined, flow_of, own_tensors
from mimgraph.codegen.weights import lists
from mimgraph.ir.typed import TypedGraph


@dataclass(frozen=True, slots=True)
class Transfer:
    """Which tensor came from which: our key to theirs; and what is left over on either side."""

    mapping: Mapping[str, str]
    missing: tuple[str, ...]
    unused: tuple[str, ...]


def load_state(
    graph: TypedGraph, model: nn.Module, other: nn.Module | Mapping[str, Tensor], strict: bool
) -> Transfer:
    """Copy the tensors of `other` into those of the model that are used alike."""
    ours = own_tensors(model)
    theirs = own_tensors(other) if isinstance(other, nn.Module) else dict(other)
    flows = _flows(graph, model, other, theirs)
    mapping = align(*flows)
    missing = tuple(key for key in flows[0].shapes if key not in mapping)
    taken = set(mapping.values())
    unused = tuple(key for key in flows[1].shapes if key not in taken)
    if strict and (missing or unused):
        told = lists(
            ("nothing for", [f"{key} {tuple(ours[key].shape)}" for key in missing]),
            ("left over", [f"{key} {tuple(theirs[key].shape)}" for key in unused]),
        )
        raise ValueError(f"the weights do not fit: {'; '.join(told)}")
    with torch.no_grad():
        for key, source in mapping.items():
            ours[key].copy_(theirs[source].reshape(ours[key].shape))
    return Transfer(mapping, missing, unused)


def _flows(
    graph: TypedGraph,
    model: nn.Module,
    other: nn.Module | Mapping[str, Tensor],
    theirs: Mapping[str, Tensor],
) -> tuple[Flow, Flow]:
    """Of both in order of use; in order of definition if the other one cannot be run."""
    if isinstance(other, nn.Module):
        inputs = seeded_inputs(graph, 2, 0, choose_sizes(graph, {}))
        ours = flow_of(model, inputs)
        try:
            return ours, flow_of(other, inputs)
        except Exception as error:  # noqa: BLE001 - a module of the user's raises what it likes
            warnings.warn(
                f"{type(other).__name__} does not run on the inputs of {graph.name}, so weights"
                f" are mapped in order of definition: {error}",
                stacklevel=4,
            )
    return defined(own_tensors(model)), defined(theirs)
