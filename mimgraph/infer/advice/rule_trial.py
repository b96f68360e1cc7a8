"""Try the rule of an op with changed sources or options, to propose only changes that it
accepts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mimgraph.infer.state import Context, Fed
from mimgraph.ir.declared.graph import Block
from mimgraph.ir.dims.dim import DimOverflow
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.types import TensorType
from mimgraph.ops.op import Op, OpFault

Types = Mapping[str, TensorType]


class Trial(NamedTuple):
    """A use of an op that its rule refused, with its options and sources."""

    op: Op
    options: Mapping[str, Any]
    fault: OpFault
    fed: Mapping[str, Fed]
    types: Types
    context: Context

    def ask(
        self, changed: Types, options: Mapping[str, Any] | None = None
    ) -> Lowering | Block | None:
        """Return the rule's answer for changed sources or options; None if it refuses them too."""
        return ask(self.op, self.options if options is None else options, {**self.types, **changed})


def ask(op: Op, options: Mapping[str, Any], sources: Types) -> Lowering | Block | None:
    """Return the answer of an op's rule for these sources; None if it refuses them."""
    try:
        return op.infer(sources, options)
    except (OpFault, DimOverflow):
        return None
