"""The hook that has a module's inputs looked at before each call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch._dynamo  # here alone: it takes as long to import as torch
from torch import nn

from mimgraph.codegen.checks import call_faults, same_kind
from mimgraph.codegen.failure import call
from mimgraph.ir.typed import TypedGraph

# As of any other module, what is captured is `forward`, and hooks run before it, in Python: they
# may look at values even where the graph must be whole.
torch._dynamo.eval_frame.skip_code(call.__code__)


class InputCheck:
    """A forward pre-hook: one `ValueError` that tells all that does not fit.

    It pickles by the spec, from which `restore` makes it again, in any process.
    """

    def __init__(
        self, graph: TypedGraph, spec: Callable[[], str], restore: Callable[[str], InputCheck]
    ) -> None:
        self.graph = graph
        self.spec = spec
        self.restore = restore

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # values are not for a traced graph
    def __call__(self, module: nn.Module, args: tuple[Any, ...], inputs: dict[str, Any]) -> None:
        if torch.compiler.is_exporting():  # there are no values to look at
            return
        faults = list(call_faults(self.graph, args, inputs, same_kind))
        if faults:
            raise ValueError("; ".join(faults))

    def __reduce__(self) -> tuple[Callable[[str], InputCheck], tuple[str]]:
        return self.restore, (self.spec(),)
