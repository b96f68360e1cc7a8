"""Check that the installed torch has what a graph needs."""

from __future__ import annotations

import torch

from mimgraph.infer.advice.torch_versions import check_torch
from mimgraph.ir.typed import TypedGraph


def check_installed_torch(graph: TypedGraph) -> None:
    """Raise a `SpecError` with every option of the graph that the installed torch lacks."""
    check_torch(graph, torch.__version__)
