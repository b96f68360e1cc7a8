"""Find the packages and the torch release that a graph needs, and who needs a constraint."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.diagnostics.text import drop
from mimgraph.ir.declared_graph import Apply
from mimgraph.ir.dim import Dim
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.typed_graph import Body, TypedGraph, TypedNode
from mimgraph.ir.typed_operations import Leaf, unwrap
from mimgraph.ir.typed_walks import bodies, used_ops, with_items
from mimgraph.ir.types import Constraint, at_least_one
from mimgraph.ops import registry
from mimgraph.ops.op import Op, Release, dotted
from mimgraph.ops.registry import how_to_install
from mimgraph.source import Span


def needed_by(body: Body, constraint: Constraint) -> tuple[str, Span] | None:
    """Return the dotted name and the place of the first node that needs a constraint."""
    for path, node, lowering in leaves(body, "", set()):
        if constraint in _needs(lowering):
            return path, node.declared.span
    return None


def _needs(lowering: Lowering) -> Iterator[Constraint]:
    """Yield the constraints of an op: its own, and that no result is empty."""
    yield from lowering.requires
    for type_ in lowering.results.values():
        yield from (at_least_one(size) for size in type_.dims if isinstance(size, Dim))


Leaves = Iterator[tuple[str, TypedNode, Lowering]]


def leaves(body: Body, path: str, seen: set[Body]) -> Leaves:
    """Yield the layers and merges of each distinct body, with dotted names; the ops of a merge that is
    a block have the name of its node."""
    if body in seen:
        return
    seen.add(body)
    for node in body.order:
        yield from _leaves_in(node, path if body.is_chain else f"{path}{node.name}.", seen)


def _leaves_in(node: TypedNode, path: str, seen: set[Body]) -> Leaves:
    operation = unwrap(node.operation)
    if isinstance(operation, Leaf):
        yield path[:-1], node, operation.lowering
    for item in operation.items:
        yield from _leaves_in(item, f"{path}{item.name}.", seen)
    for index, body in enumerate(operation.bodies):
        key = operation.key(index)
        for found in leaves(body, f"{path}{key}." if key else path, seen):
            yield (path[:-1], node, found[2]) if operation.merge else found


# Find what a graph needs and an environment lacks: packages of layers, options of a newer torch.


FIRST = (2, 5)  # the oldest supported release; the registry marks options that were added later


def check_packages(graph: TypedGraph, is_installed: Callable[[str], bool]) -> None:
    """Raise a `SpecError` with every node whose layer needs a package that is not installed."""
    used = _uses(graph, lambda op: not is_installed(op.package))
    faults = [_not_installed(op.name, op.package, n.declared.span, path) for path, n, op in used]
    if faults := [*faults, *_without_peft(graph, is_installed)]:
        raise SpecError(faults)


def _without_peft(graph: TypedGraph, is_installed: Callable[[str], bool]) -> Iterator[Diagnostic]:
    """Yield a fault for each node with adapters if the library that makes them is not installed."""
    every = () if is_installed("peft") else bodies(graph.body)
    for node in (node for body in every for node in with_items(body.nodes)):
        if node.training is not None and node.training.lora:
            words = node.declared.training
            option = words.lora if words is not None else None
            span = node.declared.span if option is None else option.key
            yield _not_installed("lora", "peft", span, node.name)


def _not_installed(what: str, package: str, span: Span, node: str) -> Diagnostic:
    message, help = f"{what} needs {package}, which is not installed", how_to_install(package)
    return Diagnostic("missing-package", message, span, help=help, node=node)


def _uses(graph: TypedGraph, concerns: Callable[[Op], bool]) -> Iterator[tuple[str, TypedNode, Op]]:
    """Yield the nodes of the ops that something concerns, each with its dotted name."""
    ops = {used: op for used in used_ops(graph.body) if (op := registry.find(*used)) is not None}
    found = {used: op for used, op in ops.items() if concerns(op)}
    for path, node, _ in leaves(graph.body, "", set()) if found else ():
        if isinstance(node.operation, Leaf) and node.operation.op in found:
            yield path, node, found[node.operation.op]


def release(version: str) -> Release:
    """Return `(2, 13)` for "2.13", "2.13.0+cpu" or "2.13.0a0"; raise a `ValueError` for another
    text."""
    found = re.match(r"(\d{1,4})\.(\d{1,4})(?![\d])", version)
    if found is None:
        raise ValueError(f"{version!r} is not a version of torch: write one such as 2.13")
    given = int(found[1]), int(found[2])
    if given < FIRST:
        raise ValueError(f"torch {version} is older than {dotted(FIRST)}, the oldest that is known")
    return given


def check_torch(graph: TypedGraph, version: str) -> None:
    """Raise a `SpecError` with every option of the graph that this version of torch lacks."""
    torch = release(version)
    used = _uses(graph, lambda op: any(since > torch for since in op.since.values()))
    if faults := [fault for use in used for fault in _newer_options(*use, torch)]:
        raise SpecError(faults)


def _newer_options(path: str, node: TypedNode, op: Op, torch: Release) -> Iterator[Diagnostic]:
    """Yield a fault for each option that torch added later; an option at its default is not
    emitted, so it is fine."""
    apply, leaf = node.declared.operation, node.operation
    if not isinstance(apply, Apply) or not isinstance(leaf, Leaf):
        return
    for name, since in op.since.items():
        if since > torch and leaf.options[name] != op.defaults[name]:
            yield Diagnostic(
                "torch-version",
                f"{name} of {op.name} needs torch {dotted(since)}, and this is torch {dotted(torch)}",
                apply.options[name].span if name in apply.options else node.declared.span,
                help=f"remove {drop(name)}, or install torch {dotted(since)}",
                node=path,
            )
