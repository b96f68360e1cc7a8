"""Check the names, sources and cycles of one scope, and find the running order and unused nodes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING, NamedTuple

from mimgraph.diagnostics import Diagnostic, Label, Report
from mimgraph.diagnostics.text import REMOVE, SEQ
from mimgraph.infer.unknown_names import Meaning, OtherScopes, as_sources, names_in
from mimgraph.ir.declared_graph import (
    Apply,
    Block,
    BlockInput,
    Call,
    Graph,
    Input,
    Node,
    Output,
    Share,
    Source,
    operations,
)
from mimgraph.ir.declared_values import ANOTHER, OTHERS
from mimgraph.ir.names import input_fault, name_fault
from mimgraph.source import Span

if TYPE_CHECKING:
    import networkx as nx


Edge = tuple[str, str]


def ordered(names: Collection[str], edges: Sequence[Edge]) -> Collection[str]:
    """Return the names topologically sorted, otherwise in the given order; names on a cycle, or behind
    one, are left out."""
    position = {name: index for index, name in enumerate(names)}
    if all(position[before] < position[after] for before, after in edges):
        return names
    import networkx as nx

    order: list[str] = []
    with suppress(nx.NetworkXUnfeasible):  # names before a cycle are kept
        graph = _graph(names, edges)
        order.extend(nx.lexicographical_topological_sort(graph, key=position.__getitem__))
    return order


def cycles(names: Collection[str], edges: Sequence[Edge]) -> list[list[str]]:
    """Return one cycle of each strongly connected component, from its first name back to it."""
    position = {name: index for index, name in enumerate(names)}
    steps = [position[after] - position[before] for before, after in edges]
    if not edges or min(steps) > 0 or max(steps) < 0:  # all edges lead the same way
        return []
    import networkx as nx

    found, graph = [], _graph(names, edges)
    for component in nx.strongly_connected_components(graph):
        first = min(component, key=position.__getitem__)
        if len(component) > 1 or graph.has_edge(first, first):
            path = nx.find_cycle(graph.subgraph(component), first)
            around = [edge[0] for edge in path]
            start = min(range(len(around)), key=lambda i: position[around[i]])
            found.append([*around[start:], *around[: start + 1]])
    return found


def _graph(names: Iterable[str], edges: Iterable[Edge]) -> nx.DiGraph[str]:
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from(edges)
    return graph


def reached(names: Iterable[str], edges: Iterable[Edge]) -> set[str]:
    """Return the names, and all names that edges lead to from them."""
    after: dict[str, list[str]] = {}
    for one, other in edges:
        after.setdefault(one, []).append(other)
    found, stack = set[str](), list(names)
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack += after.get(name, ())
    return found


class ScopeNodes(NamedTuple):
    """The nodes of a graph or block, and the start of their dotted names.

    `key` is that of the block, "" for the graph. `own` are the block's params and sizes, which hide the
    spec's.
    """

    key: str
    nodes: tuple[Node, ...]
    path: str
    own: frozenset[str]


def scopes(graph: Graph) -> Iterator[ScopeNodes]:
    """Yield the nodes of the graph, then the nodes of each block."""
    yield ScopeNodes("", graph.nodes, "", frozenset())
    for key, block in graph.blocks.items():
        path = block.family if block.is_chain else f"{block.family}."
        yield ScopeNodes(key, block.nodes, path, block.own_names)


# nodes around a block whose modules the block shares, `share: tokens`, by their names


MAX_NAMES = 100_000  # that all blocks together share or hand on

OuterShares = Mapping[str, Collection[str]]  # the names that each block shares, by its key


def shared_by(node: Node) -> Share | None:
    """Return the share of a node that uses another's module, on one source or on each of several."""
    return node.applied if isinstance(node.applied, Share) else None


def calls(nodes: Iterable[Node]) -> Iterable[Call]:
    """Return every block call in a body, also those in chains and in `each`."""
    return (operation for operation in operations(nodes) if isinstance(operation, Call))


def inner_blocks(blocks: Mapping[str, Block]) -> list[Edge]:
    """Return an edge from each block to each block that it uses."""
    return [
        (key, call.block)
        for key, block in blocks.items()
        for call in calls(block.nodes)
        if call.block in blocks
    ]


def shared_around(node: Node, outer: OuterShares) -> list[str]:
    """Return the names outside of its blocks that the blocks of a node share."""
    if not outer:
        return []
    return [name for call in calls((node,)) for name in outer.get(call.block, ())]


def outer_shares(blocks: Mapping[str, Block], around: Collection[str]) -> OuterShares:
    """Return the names of nodes outside that each block shares, itself or by the blocks that it uses.

    A node outside is one of those `around` all blocks, or a node of a block that uses this one.
    """
    nodes = {key: {node.name for node in block.nodes} for key, block in blocks.items()}
    wanted = [
        (key, share.target)
        for key, block in blocks.items()
        for share in map(shared_by, block.nodes)
        if share is not None and share.target not in nodes[key]
    ]
    if not wanted:
        return {}
    users: dict[str, list[str]] = {}
    for user, used in inner_blocks(blocks):
        users.setdefault(used, []).append(user)
    found: dict[str, dict[str, None]] = {}
    number = 0
    for key, name in wanted:
        if any(one.name == name for one in blocks[key].inputs):
            continue
        is_outside, stack, passed = name in around, [key], dict[str, None]()
        while stack:
            here = stack.pop()
            # a user that has a node of this name gives its module, others hand it on
            if name in nodes[here] or name in found.get(here, ()):
                is_outside = True
            elif here not in passed:
                passed[here] = None
                stack += users.get(here, ())
        for here in passed if is_outside else ():
            found.setdefault(here, {})[name] = None
            number += 1
        if number > MAX_NAMES:
            break
    return found


# names, sources and order of a scope


class Scope(NamedTuple):
    """One namespace: the graph's own or a block's."""

    inputs: Mapping[str, Input | BlockInput]
    nodes: Mapping[str, Node]
    order: tuple[Node, ...]  # in running order, without those on a cycle
    outputs: tuple[Output, ...]


def scope_of(block: Block) -> Scope:
    """Return the scope of a block whose nodes stand in running order, unchecked."""
    inputs = {declared.name: declared for declared in block.inputs}
    return Scope(inputs, {node.name: node for node in block.nodes}, block.nodes, block.outputs)


class _Names(NamedTuple):
    """The names of a scope that is being checked, and the report of its faults.

    `lost` are names that could not be read, whose faults are reported already.
    """

    inputs: Mapping[str, Input | BlockInput]
    nodes: Mapping[str, Node]
    shares: Mapping[str, Share]  # by the node that uses the module of another
    lost: Collection[str]
    report: Report
    path: str
    elsewhere: OtherScopes | None
    of_blocks: OuterShares
    outer: Collection[str]

    @property
    def known(self) -> tuple[str, ...]:
        """The names of the inputs and nodes."""
        return (*self.inputs, *self.nodes)

    def is_lost(self, name: str) -> bool:
        """Return whether an unknown name is probably one that could not be read.

        An input that is lost in a block often has the name of the node that feeds it.
        """
        is_outside = self.elsewhere is not None and name in self.elsewhere.names.outer
        if is_outside and ANOTHER in self.lost:
            return True
        return is_lost(name, self.lost, self.known, self.report)


def check_scope(
    whole: Graph | Block,
    report: Report,
    of_blocks: OuterShares,
    elsewhere: OtherScopes | None = None,
    key: str = "",
) -> Scope:
    """Return the checked scope of a graph, or of the block with this key; faulty parts are reported and
    left out.

    `of_blocks` are the names around each block that it shares.
    """
    path, outer = f"{whole.family}." if isinstance(whole, Block) else "", of_blocks.get(key, ())
    inputs = {one.name: one for one in whole.inputs}
    nodes = unique(whole.inputs, whole.nodes, report, path)
    shares = {name: node.applied for name, node in nodes.items() if isinstance(node.applied, Share)}
    names = _Names(inputs, nodes, shares, whole.lost, report, path, elsewhere, of_blocks, outer)
    known = inputs.keys() | nodes.keys()
    read = {output.source.name for output in whole.outputs}
    for output in whole.outputs if not read <= known else ():
        _check_source(names, output.source)
    order = _order(names)
    # a cycle, or an output that is unknown, may be why nothing reads a node
    if read and read <= known and len(order) == len(nodes):
        for node in order:
            read.update([source.name for source in node.sources or ()])
        if not known <= read:
            _check_used(names, read)
    return Scope(inputs, nodes, tuple(order), whole.outputs)


def unique(
    inputs: Sequence[Input | BlockInput], nodes: Sequence[Node], report: Report, path: str
) -> dict[str, Node]:
    """Return the nodes by name; report bad and taken names; a node with a taken one loses its
    operation."""
    taken: dict[str, Span] = {}
    kept: dict[str, Node] = {}
    for thing in (*inputs, *nodes):
        name = thing.name
        reason = (name_fault if isinstance(thing, Node) else input_fault)(name)
        if reason is not None:
            message = f"{name!r} cannot be a name"
            report.add(Diagnostic("bad-name", message, thing.span, help=reason), name)
        if name in taken:
            _report_taken(thing, taken[name], report, path)
            if isinstance(thing, Node):
                kept[name] = replace(thing, operation=None, sources=())
            continue
        taken[name] = thing.span
        if isinstance(thing, Node):
            kept[name] = thing
    return kept


def _report_taken(thing: Input | BlockInput | Node, first: Span, report: Report, path: str) -> None:
    """Report an input or node with the name of another; its sources are not reported as unused."""
    is_node = isinstance(thing, Node)
    message = f"two inputs or nodes are called {thing.name}"
    labels = (Label(first, "first given here"),)
    help = "rename one of them: inputs and nodes share one namespace"
    node = path + thing.name if is_node else ""
    fault = Diagnostic("duplicate-name", message, thing.span, labels=labels, help=help, node=node)
    read = (thing.sources or ()) if isinstance(thing, Node) else ()
    report.add(fault, thing.name, *(source.name for source in read))


# sources


def _check_source(names: _Names, source: Source, node: str = "") -> None:
    """Report a source that is no input or node."""
    is_known = source.name in names.inputs or source.name in names.nodes
    if not (is_known or source.name == OTHERS or names.is_lost(source.name)):
        _report_unknown(names, source, names.known, node)


def _order(names: _Names) -> list[Node]:
    """Return the nodes in running order, without those on a cycle or behind one; report cycles, and
    sources that are no input or node."""
    nodes, edges = names.nodes, list[Edge]()
    above, is_sorted = set[str](), True
    for name, node in nodes.items():
        for source in node.sources or ():
            if source.name in nodes:
                edges.append((source.name, name))
                is_sorted = is_sorted and source.name in above
            else:
                _check_source(names, source, names.path + name)
        above.add(name)
    if names.shares or names.of_blocks:
        edges += _share_edges(names)
    elif is_sorted:
        return [*nodes.values()]
    order = [nodes[name] for name in ordered(nodes, edges)]
    help = "a graph has no cycles: to apply a block several times use repeat"
    for around in cycles(nodes, edges) if len(order) < len(nodes) else ():
        here = names.path + around[0]
        report_cycle(around, nodes, "nodes depend on each other", "feeds", names.report, help, here)
    return order


def _share_edges(names: _Names) -> Iterator[Edge]:
    """Yield an edge from each `each` to each node that shares one of its modules, itself or in a block;
    report shares of unknown nodes.

    The modules of an `each` have names only once it is typed.
    """
    nodes = names.nodes
    for name, share in names.shares.items():
        if share.target not in nodes and share.target not in names.outer:
            _report_target(names, nodes[name], share)
    eaches = _shared_eaches(names)
    yield from ((each, name) for name, each in eaches.items())
    for node in nodes.values():
        for name in shared_around(node, names.of_blocks):
            if name in nodes:
                shared = name if nodes[name].has_branches else eaches.get(name)
                if shared is not None:
                    yield shared, node.name


def _report_unknown(
    names: _Names, source: Source, choices: Collection[str], node: str, shared: str = ""
) -> None:
    """Report a name that is no input or node; the nearest known name is not reported as unused.

    `shared` is the text of the share with this name; "" if a source has it.
    """
    name, span, report, elsewhere = source.name, source.name_span, names.report, names.elsewhere
    near = report.nearest(name, choices)
    named = names_in(source, choices)
    meaning = elsewhere.meaning(name, shared) if elsewhere else None
    # all names of one letter are equally near
    if meaning is None and elsewhere is not None and (near is None or len(name) == 1):
        meaning = elsewhere.inner_meaning(name, shared)
    if meaning is None:
        help = as_sources(source, named) or report.suggestion(name, choices, "known here")
        meaning = Meaning(f"no input or node is called {name!r}", help)
    message, help, labels = meaning
    fault = Diagnostic("unknown-source", message, span, labels=labels, help=help, node=node)
    report.add(fault, name, *named, *([near] if near else []))


def _report_target(names: _Names, node: Node, share: Share) -> None:
    """Report a share that names no node."""
    here = names.path + node.name
    if share.target in names.inputs:
        message = f"{share.target} cannot be shared"
        help = f"{share.target} is an input, which has no module to share"
        fault = Diagnostic("unknown-source", message, share.target_span, help=help, node=here)
        names.report.add(fault, share.target)
    elif not is_lost(share.target, names.lost, names.nodes, names.report):
        others = [name for name in names.nodes if name != node.name]
        others += names.elsewhere.shareable if names.elsewhere else []
        target = Source(share.target, None, share.target_span)
        _report_unknown(names, target, others, here, share.text)


def is_lost(name: str, lost: Collection[str], choices: Collection[str], report: Report) -> bool:
    """Return whether an unknown name probably belongs to a part that could not be read, and is not
    misspelt."""
    if name in lost or OTHERS in lost:
        return True
    if ANOTHER not in lost:
        return False
    return report.nearest(name, lost) is not None or report.nearest(name, choices) is None


def needed_for(nodes: Iterable[Node], outputs: Iterable[str], of_blocks: OuterShares) -> set[str]:
    """Return the names that these outputs depend on, including nodes whose modules are shared."""
    edges = list[Edge]()
    for node in nodes:
        needs = [*(source.name for source in node.sources or ()), *shared_around(node, of_blocks)]
        needs += [share.target] if (share := shared_by(node)) is not None else []
        edges += [(node.name, name) for name in needs]
    return reached(outputs, edges)


# order and cycles


def _shared_eaches(names: _Names) -> dict[str, str]:
    """Return the first `each` to which the shares of a node lead, by node; a ring of shares is
    reported at its first node."""
    nodes, shares = names.nodes, names.shares
    found: dict[str, str] = {}
    settled: set[str] = set()
    for name in shares:
        followed: dict[str, str] = {}
        while name in shares and name not in settled and name not in followed:
            followed[name] = shares[name].target
            name = shares[name].target
        if name in followed:
            _report_ring(names, [*followed][[*followed].index(name) :])
        for sharing, target in reversed(followed.items()):
            if target in nodes and nodes[target].has_branches:
                found[sharing] = target
            elif target in found:
                found[sharing] = found[target]
        settled.update(followed)
    return found


def _report_ring(names: _Names, ring: list[str]) -> None:
    """Report a ring of nodes that share each other, starting at the first in the text."""
    position = {name: index for index, name in enumerate(names.nodes)}
    start = ring.index(min(ring, key=position.__getitem__))
    around = [*ring[start:], *ring[: start + 1]]
    help = f"share must name a node that has a layer, merge, {SEQ} or block"
    report_cycle(
        *(around, names.nodes, "nodes share each other", "shares", names.report, help),
        names.path + around[0],
    )


def report_cycle(
    around: list[str],
    places: Mapping[str, Node | Block],
    what: str,
    verb: str,
    report: Report,
    help: str,
    node: str = "",
) -> None:
    """Report a cycle, in words and with a label at each step; a long one without its middle.

    `around` are its names, and the first again; `verb` says what each does to the next.
    """
    steps = list(pairwise(around))
    is_long = len(around) > 8
    shown = [*around[:4], "...", *around[-3:]] if is_long else around
    (first, second), *others = [*steps[:3], *steps[-2:]] if is_long else steps
    labels = [Label(places[one].span, f"{verb} {other}") for one, other in others]
    message = f"{what}: {' -> '.join(shown)}"
    note = f"{verb} {'itself' if first == second else second}"
    span = places[first].span
    report.add(Diagnostic("cycle", message, span, note, tuple(labels), help, node), *around)


# unused inputs and nodes


def _reads_unknown(node: Node) -> bool:
    """Return whether a node may read anything, as its sources could not be read."""
    is_tensor = isinstance(node.operation, Apply) and node.operation.kind == "tensor"
    lacks_sources = node.sources is None or (not node.sources and node.operation is not None)
    return lacks_sources and not is_tensor


def _check_used(names: _Names, read: set[str]) -> None:
    """Report inputs that nothing reads, unless unknown names may mean them, and each dead chain at
    its end; `read` are the names that nodes and outputs read."""
    inputs, nodes, report = names.inputs, names.nodes, names.report
    if any(not node.sources and _reads_unknown(node) for node in nodes.values()):
        return
    read.update(share.target for share in names.shares.values())
    read.update(name for node in nodes.values() for name in shared_around(node, names.of_blocks))
    unread = (one for one in inputs.values() if one.name not in read)
    unread = (one for one in unread if not report.mentions(one.name))
    # each unknown name may mean one of them, but which is unknown: report all or none
    meant = _count_unknown(names) if inputs.keys() - read else 0
    first = [*islice(unread, meant + 1)]
    for one in chain(first, unread) if len(first) > meant else ():
        message, help = f"nothing reads {one.name}", f"connect it to a node, or {REMOVE}"
        report.add(Diagnostic("unused-input", message, one.span, help=help))
    for node in [node for name, node in nodes.items() if name not in read]:
        # a node without an operation has a fault of its own
        if node.operation is None or report.mentions(node.name):
            continue
        message, help = f"no output depends on {node.name}", f"name it in outputs, or {REMOVE}"
        here = names.path + node.name
        report.add(Diagnostic("unused-node", message, node.span, help=help, node=here))


def _count_unknown(names: _Names) -> int:
    """Return how many names of sources are unknown and similar to no known name."""
    known = {*names.inputs, *names.nodes}
    unknown = {
        source.name: source
        for node in names.nodes.values()
        for source in node.sources or ()
        if source.name not in known
    }
    return sum(
        not names_in(source, names.known)
        and not names.is_lost(name)
        and names.report.nearest(name, names.known) is None
        for name, source in unknown.items()
    )
