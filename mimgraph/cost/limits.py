"""Compare the cost of a graph with its limits, report what exceeds them, and the nodes
that have most of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from mimgraph.cost.bind_sizes import checked, named_sizes
from mimgraph.cost.cost import Cost, Costs, how_to_count
from mimgraph.diagnostics import Diagnostic, Label, Report
from mimgraph.diagnostics.text import drop, put
from mimgraph.ir.amount import Amount
from mimgraph.ir.declared_graph import DeclaredLimits
from mimgraph.ir.typed_graph import Limits, TypedGraph, TypedNode, amount_text
from mimgraph.ir.typed_operations import Use
from mimgraph.ir.typed_walks import needed_in_eval
from mimgraph.source import Span

MOST = 3  # nodes that a message names


class CostlyNode(NamedTuple):
    """A node with its dotted name, its place in the spec, and how much it has of an amount."""

    path: str
    span: Span
    amount: int


def largest(
    graph: TypedGraph, costs: Costs, only_eval: bool, amount: Callable[[Cost], int]
) -> list[CostlyNode]:
    """Return the nodes with the largest amounts, the largest first; `only_eval` leaves out those that
    run in training only."""
    found = costly_nodes(graph, costs, only_eval, amount)
    return sorted(found, key=lambda one: -one.amount)[:MOST]


def costly_nodes(
    graph: TypedGraph, costs: Costs, only_eval: bool, amount: Callable[[Cost], int]
) -> list[CostlyNode]:
    """Return the nodes that have something of an amount, in order; where a seq or block has all of it,
    the nodes inside it."""
    runs = needed_in_eval(graph.body) if only_eval else graph.body.by_name
    found = {
        (one.name, one): amount(costs.node(one)) for one in graph.body.nodes if one.name in runs
    }
    while True:
        having = {place: number for place, number in found.items() if number}
        if len(having) != 1:
            break
        ((sole, whole),) = having.items()
        found = {(path, one): amount(costs.node(one)) for path, one in _inside(*sole)}
        if sum(found.values()) != whole:  # nodes inside do not know what is frozen around them
            break
    return [CostlyNode(path, one.declared.span, n) for (path, one), n in having.items()]


def _inside(path: str, node: TypedNode) -> Iterator[tuple[str, TypedNode]]:
    """Yield the nodes inside a node that runs them once, on the same batch; none of other nodes."""
    operation = node.operation
    if node.fold is not None or (isinstance(operation, Use) and operation.merge):
        return
    items = operation.items
    if isinstance(operation, Use):
        body = operation.body
        items = body.nodes[0].operation.items if body.is_chain else body.nodes
    yield from ((f"{path}.{item.name}", item) for item in items)


UNITS = {
    "parameters": "parameters",
    "trainable": "trainable parameters",
    "macs": "MACs",
    "activations": "bytes of activations",
}
OF_A_FORWARD = ("macs", "activations")


class Used(NamedTuple):
    """How much a graph has of a limited amount; `amount` is text if it depends on sizes that the limits
    do not state, and without the layers in `uncounted`."""

    name: str
    amount: int | str
    limit: int
    uncounted: frozenset[str] = frozenset()

    @property
    def is_exceeded(self) -> bool:
        """Whether it is known to be more than the limit."""
        return isinstance(self.amount, int) and self.amount > self.limit


def used(limits: Limits, costs: Costs) -> list[Used]:
    """Return how much of each limit a graph uses, for one sample unless the limits say otherwise; an
    `ArithmeticError` says that a number does not fit in 64 bits."""
    found = []
    for name, limit in limits.amounts.items():
        value = _amount(name, costs.total).at(_sizes(limits)).value
        uncounted = costs.total.uncounted if name == "macs" else frozenset[str]()
        found.append(Used(name, value, limit, uncounted))
    return found


def check_limits(declared: DeclaredLimits, graph: TypedGraph, report: Report) -> None:
    """Report every limit that a graph exceeds, or that cannot be checked."""
    limits = graph.limits
    if limits is None or not _check_sizes(declared, limits, graph, report):
        return
    costs = Costs(graph)
    try:
        for one in used(limits, costs):
            _check(declared, one, graph, costs, report)
    except ArithmeticError:
        message = "with these sizes the cost does not fit in 64 bits"
        report.add(Diagnostic("bad-option", message, declared.span))


def _amount(name: str, cost: Cost) -> Amount:
    """Return the amount that a limit is about."""
    amounts = {
        "parameters": Amount([cost.params]),
        "trainable": Amount([cost.params - cost.frozen]),
        "macs": cost.macs,
        "activations": cost.activations,
    }
    return amounts[name]


def _sizes(limits: Limits) -> Mapping[str, int]:
    return {"N": 1, **limits.sizes}


def _check_sizes(
    declared: DeclaredLimits, limits: Limits, graph: TypedGraph, report: Report
) -> bool:
    """Return whether the graph has these sizes and may run with them; report one that is wrong."""
    known, given = [*named_sizes(graph), "N"], dict[str, int]()
    for name, size in limits.sizes.items():
        option = declared.sizes[name]
        if name not in known:
            message = f"the graph has no size named {name!r}"
            help = report.suggestion(name, known) or f"its sizes: {', '.join(known)}"
            report.add(Diagnostic("unknown-param", message, option.key, help=help))
            return False
        if name == "N":
            continue
        given[name] = size
        try:
            checked(graph, given)
        except ValueError as error:
            report.add(Diagnostic("bad-option", str(error), option.span))
            return False
    return True


def _check(
    declared: DeclaredLimits, one: Used, graph: TypedGraph, costs: Costs, report: Report
) -> None:
    """Report a limit that is exceeded, or that cannot be checked."""
    span, unit = declared.amounts[one.name].span, UNITS[one.name]
    if not isinstance(one.amount, int):
        missing = _amount(one.name, costs.total).names - {"N", *declared.sizes}
        if missing:  # else a size is stated, but its number is wrong, which is reported there
            report.add(_unstated(declared, one, sorted(missing)))
    elif one.is_exceeded:
        assert graph.limits is not None
        sizes, name = _sizes(graph.limits), one.name
        top = largest(graph, costs, name in OF_A_FORWARD, lambda cost: _number(name, cost, sizes))
        labels = tuple(Label(node.span, f"{node.amount:,} {unit}") for node in top)
        names = [f"{node.path} with {node.amount:,}" for node in top]
        where = _where(graph.limits, costs) if name in OF_A_FORWARD else ""
        message = f"{one.amount:,} {unit}{where} exceed the limit of {amount_text(one.limit)}"
        help = f"the largest {'node is' if len(top) == 1 else 'nodes are'} {_listed(names)}"
        report.add(Diagnostic("over-limit", message, span, labels=labels, help=help))
    elif one.uncounted:
        report.add(_uncounted(declared, one, graph, costs))


def _number(name: str, cost: Cost, sizes: Mapping[str, int]) -> int:
    """Return an amount of a node, whose sizes are all known; 0 of one with sizes of its own."""
    value = _amount(name, cost).at(sizes).value
    return value if isinstance(value, int) else 0


def _where(limits: Limits, costs: Costs) -> str:
    """Return ` per sample at T = 128`: for which sizes the cost of a forward is counted."""
    sizes = [f"{name} = {size}" for name, size in limits.sizes.items()]
    if "N" in limits.sizes:
        per = ""
    elif costs.total.crosses_samples:
        sizes, per = ["N = 1", *sizes], ""
    else:
        per = " per sample"
    return f"{per} at {', '.join(sizes)}" if sizes else per


def _unstated(declared: DeclaredLimits, one: Used, names: list[str]) -> Diagnostic:
    """Return the fault of an amount that depends on sizes for which the limits have no numbers."""
    written = ", ".join(f"{name}: 128" for name in names)
    it = "it" if len(names) == 1 else "them"
    message = f"{one.name} depend on {_listed(names)}, and limits give no number for {it}"
    in_python = f'"sizes": {json.dumps(dict.fromkeys(names, 128))}'
    help = f"add {put(f'sizes: {{{written}}}', in_python)} to limits"
    return Diagnostic("missing-key", message, declared.amounts[one.name].span, help=help)


def _uncounted(declared: DeclaredLimits, one: Used, graph: TypedGraph, costs: Costs) -> Diagnostic:
    """Return the fault of MACs that are within the limit as far as they are known."""
    names = sorted(one.uncounted)
    labels = tuple(
        Label(node.span, "MACs not known")
        for node in costly_nodes(graph, costs, True, lambda cost: len(cost.uncounted))[:3]
    )
    message = f"the MACs of {_listed(names)} are not known, so this limit cannot be checked"
    leave = f"remove {drop('the limit of macs')}"
    help = "; or ".join(filter(None, (how_to_count(names), leave)))
    span = declared.amounts[one.name].span
    return Diagnostic("missing-option", message, span, labels=labels, help=help)


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
