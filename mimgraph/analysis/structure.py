"""The structure of one scope: names, sources, the order of running, cycles, what is unused (networkx)."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import networkx as nx

from mimgraph.diagnostics import Diagnostic, Label, Report
from mimgraph.diagnostics.nearest import nearest
from mimgraph.ir.graph import BlockInput, Input, Node, Output, Share, Source
from mimgraph.source import Span

# the keys of a node in a spec, those of later versions included: no block may have such a param
OPS = ("layer", "merge", "seq", "block", "share")
LATER = ("parameter", "buffer", "arange", "each", "optional")
NODE_WORDS = ("from", "take", "activation", "repeat", *OPS, *LATER)

# what nn.Module's instances and the emitted file already use, beside every dunder
RESERVED = frozenset(
    "self torch nn F Tensor forward training T_destination call_super_init dump_patches add_module"
    " apply bfloat16 buffers children compile cpu cuda double eval extra_repr float get_buffer"
    " get_extra_state get_parameter get_submodule half ipu load_state_dict modules mtia"
    " named_buffers named_children named_modules named_parameters parameters"
    " register_backward_hook register_buffer register_forward_hook register_forward_pre_hook"
    " register_full_backward_hook register_full_backward_pre_hook"
    " register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module"
    " register_parameter register_state_dict_post_hook register_state_dict_pre_hook"
    " requires_grad_ set_extra_state set_submodule share_memory state_dict to to_empty train type"
    " xpu zero_grad range super".split()
)


@lru_cache(maxsize=4096)
def name_fault(name: str) -> str | None:
    """Why `name` cannot be the name of an input, node, block or param; None if it can."""
    if not (name.isascii() and name.isidentifier()):
        return "a name is letters, digits and underscores, and starts with no digit"
    if keyword.iskeyword(name):
        return "a Python keyword"
    if name.startswith("__"):
        return "names with two leading underscores are Python's"
    if name in RESERVED:
        return "the emitted module already uses this name"
    if name.startswith("_") and name in _PRIVATE:
        return "nn.Module already uses this name"
    return None


_PRIVATE = frozenset(
    "_apply _buffers _parameters _modules _call_impl _compiled_call_impl _get_backward_hooks"
    " _get_backward_pre_hooks _get_name _backward_hooks _backward_pre_hooks _forward_hooks"
    " _forward_pre_hooks _forward_hooks_always_called _forward_hooks_with_kwargs"
    " _forward_pre_hooks_with_kwargs _is_full_backward_hook _load_from_state_dict"
    " _load_state_dict_post_hooks _load_state_dict_pre_hooks _maybe_warn_non_full_backward_hook"
    " _named_members _non_persistent_buffers_set _register_load_state_dict_pre_hook"
    " _register_state_dict_hook _replicate_for_data_parallel _save_to_state_dict _slow_forward"
    " _state_dict_hooks _state_dict_pre_hooks _version _wrapped_call_impl".split()
)


@dataclass(frozen=True, slots=True)
class Scope:
    """One namespace: the graph's own or a block's."""

    inputs: Mapping[str, Input | BlockInput]
    nodes: Mapping[str, Node]
    order: tuple[Node, ...]  # as they run; nodes on a cycle are left out
    outputs: tuple[Output, ...]


def check_scope(
    inputs: Sequence[Input | BlockInput],
    nodes: Sequence[Node],
    outputs: Sequence[Output],
    report: Report,
    path: str = "",
) -> Scope:
    """Check one namespace; everything that is wrong is reported, and the rest can go on."""
    before = len(report.diagnostics)
    named_inputs = {i.name: i for i in inputs}
    named_nodes = unique(inputs, nodes, report, path)
    outputs_fine = _resolve_outputs(outputs, named_inputs, named_nodes, report, path)
    graph = _graph(named_inputs, named_nodes, report, path)
    order = _order(graph, named_nodes, report, path)
    if outputs_fine and outputs:
        cyclic = len(report.diagnostics) > before and len(order) < len(named_nodes)
        if not cyclic:
            _check_used(named_inputs, named_nodes, order, outputs, report, path)
    return Scope(named_inputs, named_nodes, tuple(order), tuple(outputs))


def unique(
    inputs: Sequence[Input | BlockInput], nodes: Sequence[Node], report: Report, path: str
) -> dict[str, Node]:
    """The nodes by name; a name that is bad or taken is reported."""
    taken: dict[str, Span] = {}
    kept: dict[str, Node] = {}
    for thing in (*inputs, *nodes):
        reason = name_fault(thing.name) if thing.name or path == "" else None
        if reason is not None:
            report.add(
                Diagnostic("bad-name", f"{thing.name!r} cannot be a name", thing.span, help=reason),
                thing.name,
            )
        if thing.name in taken:
            first = Label(taken[thing.name], "first given here")
            report.add(
                Diagnostic(
                    "duplicate-name",
                    f"{thing.name} is the name of two things",
                    thing.span,
                    labels=(first,),
                    help="inputs and nodes share one namespace",
                    node=path + thing.name if isinstance(thing, Node) else "",
                ),
                thing.name,
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
    report: Report,
    path: str,
) -> bool:
    """Whether every output names something."""
    fine = True
    for output in outputs:
        source = output.source
        if source.name not in inputs and source.name not in nodes:
            fine = False
            unknown_source(source.name, source.name_span, (*inputs, *nodes), report, "")
    return fine


def unknown_source(
    name: str, span: Span, choices: Iterable[str], report: Report, node: str
) -> None:
    """Report a name that is no input or node; what it nearly names is not called unused."""
    near = nearest(name, choices)
    report.add(
        Diagnostic(
            "unknown-source",
            f"no input or node is called {name!r}",
            span,
            help=f"did you mean {near}?" if near else "",
            node=node,
        ),
        name,
        *([near] if near else []),
    )


def _graph(
    inputs: Mapping[str, Input | BlockInput],
    nodes: Mapping[str, Node],
    report: Report,
    path: str,
) -> nx.DiGraph[str]:
    """Which node feeds which; unknown names are reported and left out."""
    edges: list[tuple[str, str]] = []
    for node in nodes.values():
        for source in node.sources or ():
            if source.name in nodes:
                edges.append((source.name, node.name))
            elif source.name not in inputs:
                choices = (*inputs, *nodes)
                unknown_source(source.name, source.name_span, choices, report, path + node.name)
        if isinstance(node.operation, Share):
            _check_target(node, node.operation, nodes, report, path)
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(edges)
    return graph


def _check_target(
    node: Node, share: Share, nodes: Mapping[str, Node], report: Report, path: str
) -> None:
    """A share names a node, and following shares ends."""
    if share.target not in nodes:
        unknown_source(share.target, share.span, nodes, report, path + node.name)
        return
    seen = [node.name]
    target = nodes[share.target]
    while isinstance(target.operation, Share) and target.operation.target in nodes:
        if target.name in seen:
            if node.name == min(seen, key=list(nodes).index):
                _report_cycle([*seen, seen[0]], node.span, "nodes share each other", report, path)
            return
        seen.append(target.name)
        target = nodes[target.operation.target]


def _order(
    graph: nx.DiGraph[str], nodes: Mapping[str, Node], report: Report, path: str
) -> list[Node]:
    """The nodes as they run: topologically, of those that are ready the earlier written first."""
    position = {name: index for index, name in enumerate(nodes)}
    order: list[Node] = []
    try:
        for name in nx.lexicographical_topological_sort(graph, key=position.__getitem__):
            order.append(nodes[name])
        return order
    except nx.NetworkXUnfeasible:
        pass
    for around in cycles(graph, position):
        _report_cycle(around, nodes[around[0]].span, "nodes feed each other", report, path)
    return order


def cycles(graph: nx.DiGraph[str], position: Mapping[str, int]) -> list[list[str]]:
    """One cycle of each strongly connected component, from its first node back to it."""
    found = []
    for component in nx.strongly_connected_components(graph):
        first = min(component, key=position.__getitem__)
        if len(component) > 1 or graph.has_edge(first, first):
            path = nx.find_cycle(graph.subgraph(component), first)
            around = [edge[0] for edge in path]
            start = min(range(len(around)), key=lambda i: position[around[i]])
            found.append([*around[start:], *around[: start + 1]])
    return found


def _report_cycle(around: list[str], span: Span, what: str, report: Report, path: str) -> None:
    """Tell a cycle in words; a long one is cut in its middle."""
    shown = around if len(around) <= 8 else [*around[:4], "...", *around[-3:]]
    report.add(
        Diagnostic(
            "cycle",
            f"{what}: {' -> '.join(shown)}",
            span,
            help="a graph runs from its inputs to its outputs; for steps in a row use repeat",
            node=path + around[0],
        ),
        *around,
    )


def _check_used(
    inputs: Mapping[str, Input | BlockInput],
    nodes: Mapping[str, Node],
    order: Sequence[Node],
    outputs: Sequence[Output],
    report: Report,
    path: str,
) -> None:
    """Report inputs that nothing reads, and each dead chain at its end."""
    if any(node.sources is None for node in nodes.values()):
        return  # what reads nothing by a fault may have read anything
    read = {output.source.name for output in outputs}
    for node in order:
        read.update(source.name for source in node.sources or ())
        if isinstance(node.operation, Share):
            read.add(node.operation.target)
    for thing in (*inputs.values(), *nodes.values()):
        if thing.name in read or _is_spoken(thing.name, report):
            continue
        is_node = isinstance(thing, Node)
        if isinstance(thing, Node) and thing.operation is None:  # its own fault is told already
            continue
        report.add(
            Diagnostic(
                "unused-node" if is_node else "unused-input",
                f"no output depends on {thing.name}" if is_node else f"nothing reads {thing.name}",
                thing.span,
                help="name it in outputs, or delete it" if is_node else "feed it to a node, or delete it",
                node=path + thing.name if is_node else "",
            )
        )


def _is_spoken(name: str, report: Report) -> bool:
    """Whether a fault speaks of this name or nearly names it."""
    return bool(report.spoken) and (
        name in report.spoken or any(nearest(word, (name,)) for word in report.spoken)
    )
