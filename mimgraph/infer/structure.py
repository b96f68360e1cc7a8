"""The structure of one scope: names, sources, the order of running, cycles, what is unused."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice, pairwise

from mimgraph.diagnostics import Diagnostic, Label, Report
from mimgraph.infer.advice.unknown_names import Elsewhere, Meaning, as_sources, names_in
from mimgraph.infer.dag import Edge, cycles, ordered
from mimgraph.ir.graph import (
    ANOTHER,
    OTHERS,
    Apply,
    Block,
    BlockInput,
    Input,
    Node,
    Output,
    Share,
    Source,
)
from mimgraph.ir.names import input_fault, name_fault
from mimgraph.source import Span
from mimgraph.support.frozen_data import data


@data
class Scope:
    """One namespace: the graph's own or a block's."""

    inputs: Mapping[str, Input | BlockInput]
    nodes: Mapping[str, Node]
    order: tuple[Node, ...]  # as they run; nodes on a cycle are left out
    outputs: tuple[Output, ...]


def scope_of(block: Block) -> Scope:
    """The scope of a block whose nodes stand in running order, unchecked."""
    inputs = {declared.name: declared for declared in block.inputs}
    return Scope(inputs, {node.name: node for node in block.nodes}, block.nodes, block.outputs)


def check_scope(
    inputs: Sequence[Input | BlockInput],
    nodes: Sequence[Node],
    outputs: Sequence[Output],
    report: Report,
    path: str = "",
    elsewhere: Elsewhere | None = None,
    lost: frozenset[str] = frozenset(),
) -> Scope:
    """Check one namespace; everything that is wrong is reported, and the rest can go on.

    Of the names that are `lost` the fault is reported already.
    """
    before = len(report.diagnostics)
    named_inputs = {i.name: i for i in inputs}
    named_nodes = unique(inputs, nodes, report, path)
    outputs_fine = _resolve_outputs(outputs, named_inputs, named_nodes, lost, report, elsewhere)
    edges = _edges(named_inputs, named_nodes, lost, report, path, elsewhere)
    order = _order(edges, named_nodes, report, path)
    if outputs_fine and outputs:
        cyclic = len(report.diagnostics) > before and len(order) < len(named_nodes)
        if not cyclic:
            _check_used(named_inputs, named_nodes, order, outputs, lost, report, path)
    return Scope(named_inputs, named_nodes, tuple(order), tuple(outputs))


def unique(
    inputs: Sequence[Input | BlockInput], nodes: Sequence[Node], report: Report, path: str
) -> dict[str, Node]:
    """The nodes by name; a name that is bad or taken is reported, and what it names does nothing."""
    taken: dict[str, Span] = {}
    kept: dict[str, Node] = {}
    for thing in (*inputs, *nodes):
        reason = (name_fault if isinstance(thing, Node) else input_fault)(thing.name)
        if reason is not None:
            report.add(
                Diagnostic("bad-name", f"{thing.name!r} cannot be a name", thing.span, help=reason),
                thing.name,
            )
        if thing.name in taken:
            read: tuple[Source, ...] = ()
            if isinstance(thing, Node):
                read = thing.sources or ()
                kept[thing.name] = replace(thing, operation=None, sources=())
            first = Label(taken[thing.name], "first given here")
            report.add(
                Diagnostic(
                    "duplicate-name",
                    f"two inputs or nodes are called {thing.name}",
                    thing.span,
                    labels=(first,),
                    help="rename one of them: inputs and nodes share one namespace",
                    node=path + thing.name if isinstance(thing, Node) else "",
                ),
                thing.name,
                *(source.name for source in read),
            )
            continue
        taken[thing.name] = thing.span
        if isinstance(thing, Node):
            kept[thing.name] = thing
    return kept


def _resolve_outputs(
    outputs: Sequence[Output],
    inputs: Mapping[str, Input | BlockInput],
    nodes: Mapping[str, Node],
    lost: Collection[str],
    report: Report,
    elsewhere: Elsewhere | None,
) -> bool:
    """Whether every output names something."""
    fine = True
    for output in outputs:
        source = output.source
        if source.name not in inputs and source.name not in nodes:
            fine = False
            choices = (*inputs, *nodes)
            if source.name != OTHERS and not is_lost(source.name, lost, choices, report):
                _unknown_source(source, choices, report, "", elsewhere)
    return fine


def _unknown_source(
    source: Source,
    choices: Collection[str],
    report: Report,
    node: str,
    elsewhere: Elsewhere | None,
    shared: str = "",
) -> None:
    """Report a name that is no input or node; what it nearly names is not called unused.

    `shared` is the text of the share that names it.
    """
    name, span = source.name, source.name_span
    near = report.nearest(name, choices)
    named = names_in(source, choices)
    meaning = elsewhere.meaning(name, shared) if elsewhere else None
    # all letters are equally near to a name of one
    if meaning is None and elsewhere is not None and (near is None or len(name) == 1):
        meaning = elsewhere.inner_meaning(name, shared)
    if meaning is None:
        help = as_sources(source, named) or report.suggestion(name, choices, "known here")
        meaning = Meaning(f"no input or node is called {name!r}", help)
    message, help, labels = meaning
    fault = Diagnostic("unknown-source", message, span, labels=labels, help=help, node=node)
    report.add(fault, name, *named, *([near] if near else []))


def _edges(
    inputs: Mapping[str, Input | BlockInput],
    nodes: Mapping[str, Node],
    lost: Collection[str],
    report: Report,
    path: str,
    elsewhere: Elsewhere | None,
) -> list[Edge]:
    """Which node feeds which; unknown names are reported and left out."""
    edges: list[Edge] = []
    for node in nodes.values():
        for source in node.sources or ():
            if source.name in nodes:
                edges.append((source.name, node.name))
            elif source.name not in inputs:
                choices, here = (*inputs, *nodes), path + node.name
                if not is_lost(source.name, lost, choices, report):
                    _unknown_source(source, choices, report, here, elsewhere)
        if (share := shared_by(node)) is not None and share.target not in nodes:
            _unknown_target(node, share, inputs, nodes, lost, report, path, elsewhere)
    # the modules of an `each` have names once it is typed
    eaches = _shared_eaches(nodes, report, path)
    edges += [(each, name) for name, each in eaches.items()]
    return edges


def is_lost(name: str, lost: Collection[str], choices: Collection[str], report: Report) -> bool:
    """Return whether an unknown name is probably one that could not be read, rather than a misspelt
    one."""
    if name in lost or OTHERS in lost:
        return True
    if ANOTHER not in lost:
        return False
    return report.nearest(name, lost) is not None or report.nearest(name, choices) is None


def needed_for(nodes: Iterable[Node], outputs: Iterable[str]) -> set[str]:
    """The names of what these outputs depend on, shared modules included."""
    by_name = {node.name: node for node in nodes}
    stack, found = list(outputs), set[str]()
    while stack:
        name = stack.pop()
        if name in found:
            continue
        found.add(name)
        if (node := by_name.get(name)) is not None:
            stack += [source.name for source in node.sources or ()]
            stack += [share.target] if (share := shared_by(node)) is not None else []
    return found


def is_own(node: Node) -> bool:
    """Whether a node is a tensor of the model itself, which reads nothing."""
    return isinstance(node.operation, Apply) and node.operation.kind == "tensor"


def shared_by(node: Node) -> Share | None:
    """The module that a node uses again, on one source or on each of several."""
    return node.applied if isinstance(node.applied, Share) else None


def _unknown_target(
    node: Node,
    share: Share,
    inputs: Container[str],
    nodes: Mapping[str, Node],
    lost: Collection[str],
    report: Report,
    path: str,
    elsewhere: Elsewhere | None,
) -> None:
    """Report that a share names no node."""
    if share.target in inputs:
        message = f"{share.target} cannot be shared"
        help = f"{share.target} is an input, which has no module to share"
        span, here = share.target_span, path + node.name
        report.add(Diagnostic("unknown-source", message, span, help=help, node=here), share.target)
        return
    if is_lost(share.target, lost, nodes, report):
        return
    others = [name for name in nodes if name != node.name]
    target = Source(share.target, None, share.target_span)
    _unknown_source(target, others, report, path + node.name, elsewhere, share.text)


def _shared_eaches(nodes: Mapping[str, Node], report: Report, path: str) -> dict[str, str]:
    """The first `each` to which the shares of a node lead; each ring of shares is told at its first
    node."""
    position = {name: index for index, name in enumerate(nodes)}
    found: dict[str, str] = {}
    settled: set[str] = set()
    for name in nodes:
        followed: dict[str, str] = {}
        while name in nodes and name not in settled and name not in followed:
            share = shared_by(nodes[name])
            if share is None:
                break
            followed[name] = share.target
            name = share.target
        if name in followed:
            ring = [*followed][[*followed].index(name) :]
            start = ring.index(min(ring, key=position.__getitem__))
            around = [*ring[start:], *ring[: start + 1]]
            here = path + around[0]
            help = "share must name a node that has a layer, merge, seq or block of its own"
            report_cycle(around, nodes, "nodes share each other", "shares", report, help, here)
        for sharing, target in reversed(followed.items()):
            if target in nodes and nodes[target].has_branches:
                found[sharing] = target
            elif target in found:
                found[sharing] = found[target]
        settled.update(followed)
    return found


def _order(
    edges: Sequence[Edge], nodes: Mapping[str, Node], report: Report, path: str
) -> list[Node]:
    """The nodes as they run; those on a cycle, which is told, and behind it are left out."""
    order = [nodes[name] for name in ordered(nodes, edges)]
    for around in cycles(nodes, edges) if len(order) < len(nodes) else ():
        here = path + around[0]
        help = "a graph has no cycles: to apply a block several times use repeat"
        report_cycle(around, nodes, "nodes feed each other", "feeds", report, help, here)
    return order


def report_cycle(
    around: list[str],
    places: Mapping[str, Node | Block],
    what: str,
    verb: str,
    report: Report,
    help: str,
    node: str = "",
) -> None:
    """Tell a cycle, which ends where it starts: in words, and at each; a long one without its middle."""
    steps = list(pairwise(around))
    shown = around if len(around) <= 8 else [*around[:4], "...", *around[-3:]]
    told = steps if len(around) <= 8 else [*steps[:3], *steps[-2:]]
    (first, second), *others = told
    labels = [Label(places[one].span, f"{verb} {other}") for one, other in others]
    report.add(
        Diagnostic(
            "cycle",
            f"{what}: {' -> '.join(shown)}",
            places[first].span,
            f"{verb} {'itself' if first == second else second}",
            tuple(labels),
            help,
            node,
        ),
        *around,
    )


def _reads_unknown(node: Node) -> bool:
    """Return whether a fault hides what a node reads, so that it may read anything."""
    if node.sources is None or (not node.sources and node.operation is not None):
        return not is_own(node)
    return False


def _check_used(
    inputs: Mapping[str, Input | BlockInput],
    nodes: Mapping[str, Node],
    order: Sequence[Node],
    outputs: Sequence[Output],
    lost: Collection[str],
    report: Report,
    path: str,
) -> None:
    """Report inputs that nothing reads, unless unknown names may mean them, and each dead chain at
    its end."""
    if any(_reads_unknown(node) for node in nodes.values()):
        return
    read = {output.source.name for output in outputs}
    for node in order:
        read.update(source.name for source in node.sources or ())
        if (share := shared_by(node)) is not None:
            read.add(share.target)
    unread = (one for one in inputs.values() if one.name not in read)
    unread = (one for one in unread if not report.speaks_of(one.name))
    # as many as there are unknown names may be meant by those: which ones, nobody knows
    meant = _count_unknown(inputs, nodes, lost, report) if inputs.keys() - read else 0
    first = [*islice(unread, meant + 1)]
    for one in chain(first, unread) if len(first) > meant else ():
        message, help = f"nothing reads {one.name}", "feed it to a node, or delete it"
        report.add(Diagnostic("unused-input", message, one.span, help=help))
    for node in nodes.values():
        # one without an operation has a fault of its own
        if node.name in read or node.operation is None or report.speaks_of(node.name):
            continue
        message, help = f"no output depends on {node.name}", "name it in outputs, or delete it"
        here = path + node.name
        report.add(Diagnostic("unused-node", message, node.span, help=help, node=here))


def _count_unknown(
    inputs: Mapping[str, Input | BlockInput],
    nodes: Mapping[str, Node],
    lost: Collection[str],
    report: Report,
) -> int:
    """Return how many names of sources are unknown and nearly name nothing."""
    known = {**inputs, **nodes}
    unknown = {
        source.name: source
        for node in nodes.values()
        for source in node.sources or ()
        if source.name not in known
    }
    return sum(
        not names_in(source, known)
        and not is_lost(name, lost, known, report)
        and report.nearest(name, known) is None
        for name, source in unknown.items()
    )
