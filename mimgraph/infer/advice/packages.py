"""Find the nodes of a graph whose layers need a package that is not installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.infer.constraint_origin import leaves
from mimgraph.ir.typed.graph import TypedGraph
from mimgraph.ir.typed.operations import Leaf
from mimgraph.ir.typed.walks import bodies, used_ops, with_items
from mimgraph.ops import registry
from mimgraph.ops.libraries import how_to_install


def check_packages(graph: TypedGraph, is_installed: Callable[[str], bool]) -> None:
    """Raise a `SpecError` with every node whose layer needs a package that is not installed."""
    if faults := [*_without_package(graph, is_installed), *_without_peft(graph, is_installed)]:
        raise SpecError(faults)


def _without_peft(graph: TypedGraph, is_installed: Callable[[str], bool]) -> Iterator[Diagnostic]:
    """Yield a fault for each node with adapters if the library that makes them is not installed."""
    if is_installed("peft"):
        return
    every = [node for body in bodies(graph.body) for node in with_items(body.nodes)]
    adapted = [node for node in every if node.training is not None and node.training.lora]
    for node in adapted:
        declared = node.declared
        option = declared.training.lora if declared.training is not None else None
        span = declared.span if option is None else option.key
        message = "lora needs peft, which is not installed"
        help = how_to_install("peft")
        yield Diagnostic("missing-package", message, span, help=help, node=node.name)


def _without_package(
    graph: TypedGraph, is_installed: Callable[[str], bool]
) -> Iterator[Diagnostic]:
    ops = {used: registry.find(*used) for used in used_ops(graph.body)}
    lacking = {used: op for used, op in ops.items() if op and not is_installed(op.package)}
    if not lacking:
        return
    for path, node, _ in leaves(graph.body, "", set()):
        op = lacking.get(node.operation.op) if isinstance(node.operation, Leaf) else None
        if op is not None:
            yield Diagnostic(
                "missing-package",
                f"{op.name} needs {op.package}, which is not installed",
                node.declared.span,
                help=how_to_install(op.package),
                node=path,
            )
