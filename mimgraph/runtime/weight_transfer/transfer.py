"""The result of copying weights from one model to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Transfer:
    """The result of copying weights: which tensor came from which, and what did not fit.

    `mapping` has for each key of the graph's model the key in the other model, or several in order if
    the graph's model joins them. The keys in `zeros` are joined biases with rows of zeros, for biases
    that the other model lacks. The tensors in `missing` were not copied; those in `unused` are the
    other model's that were not needed. `equal` has the names of the graph's outputs that are equal to
    outputs of the other model, up to rounding.
    """

    mapping: Mapping[str, str | tuple[str, ...]]
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    zeros: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()
