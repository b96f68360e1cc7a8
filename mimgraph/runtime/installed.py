"""Check that the installed torch and other packages have what a graph needs."""

from __future__ import annotations

from importlib.util import find_spec

import torch

from mimgraph.infer.requirements import check_packages, check_torch
from mimgraph.ir.typed_graph import TypedGraph


def check_installed(graph: TypedGraph) -> None:
    """Raise a `SpecError` with every option that the installed torch lacks, or every node whose layer
    needs a package that is not installed."""
    check_torch(graph, torch.__version__)
    check_packages(graph, _is_installed)


def _is_installed(package: str) -> bool:
    return find_spec(package) is not None
