"""Check the inputs of a module before each call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.runtime.checks import call_faults, same_kind
from mimgraph.runtime.uncompiled import uncompiled


class InputCheck:
    """A forward pre-hook that raises one `ValueError` with all that is wrong with the inputs.

    Its pickle holds the spec, from which `restore` makes it again in any process.
    """

    def __init__(
        self, graph: TypedGraph, spec: Callable[[], str], restore: Callable[[str], InputCheck]
    ) -> None:
        self.graph = graph
        self.spec = spec
        self.restore = restore

    @uncompiled  # it may read values, which would break the graph
    def __call__(self, module: nn.Module, args: tuple[Any, ...], inputs: dict[str, Any]) -> None:
        if not torch.compiler.is_exporting():  # there are no values to look at
            self._check(args, inputs)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _check(self, args: tuple[Any, ...], inputs: dict[str, Any]) -> None:
        faults = list(call_faults(self.graph, args, inputs, same_kind))
        if faults:
            raise ValueError("; ".join(faults))

    def __reduce__(self) -> tuple[Callable[[str], InputCheck], tuple[str]]:
        return self.restore, (self.spec(),)
