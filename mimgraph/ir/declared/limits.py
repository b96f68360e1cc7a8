"""The limits that a graph declares for its own cost, as they are written."""

from __future__ import annotations

from collections.abc import Mapping

from mimgraph.ir.declared.values import Option
from mimgraph.source import Span
from mimgraph.support.frozen_data import data

LIMITED = ("parameters", "trainable", "macs", "activations")  # amounts that may have a limit


@data
class DeclaredLimits:
    """The limit of each amount, `20M` or `$budget`, and the named sizes at which it is computed.

    `span` is the key `limits`.
    """

    span: Span
    amounts: Mapping[str, Option]
    sizes: Mapping[str, Option]

    @property
    def options(self) -> tuple[Option, ...]:
        """Every limit and every size."""
        return (*self.amounts.values(), *self.sizes.values())
