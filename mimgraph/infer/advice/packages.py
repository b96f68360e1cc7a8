"""Find the nodes of a graph whose layers need a package that is not installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.infer.constraint_origin import leaves
from mimgraph.ir.typed.graph import TypedGraph
from mimgraph.ir.typed.operations import Leaf
from mimgraph.ops import registry
from mimgraph.ops.libraries import how_to_install


def check_packages(graph: TypedGraph, is_installed: Callable[[str], bool]) -> None:
    """Raise a `SpecError` with every node whose layer needs a package that is not installed."""
    if faults := [*_without_package(graph, is_installed)]:
        raise SpecError(faults)


def _without_package(
    graph: TypedGraph, is_installed: Callable[[str], bool]
) -> Iterator[Diagnostic]:
    for path, node, _ in leaves(graph.body, "", set()):
        if not isinstance(node.operation, Leaf):
            continue
        op = registry.find(node.operation.kind, node.operation.name)
        if op is not None and not is_installed(op.package):
            yield Diagnostic(
                "missing-package",
                f"{op.name} needs {op.package}, which is not installed",
                node.declared.span,
                help=how_to_install(op.package),
                node=path,
            )
