"""Import a module: trace it at several sizes, lift the trace, tidy the draft, declare it and check it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from mimgraph.diagnostics import Diagnostic, Report, SpecError
from mimgraph.importer.blocks.unify import make_blocks
from mimgraph.importer.declare import declare
from mimgraph.importer.draft import Body, Node, inner_nodes, used_bodies
from mimgraph.importer.inputs.examples import Examples
from mimgraph.importer.keys import modules
from mimgraph.importer.lift.constants import Constant
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.lifter import Lifter
from mimgraph.importer.lift.names import snake
from mimgraph.importer.python_layers.layer import PythonLayer
from mimgraph.importer.tidy.activations import absorb_activations
from mimgraph.importer.tidy.attention import join_attention
from mimgraph.importer.tidy.chains import chain_model, make_chains
from mimgraph.importer.tidy.formulas import join_formulas
from mimgraph.importer.tidy.inline import inline_operations
from mimgraph.importer.tidy.joins import move_joins
from mimgraph.importer.tidy.layers import join_layers
from mimgraph.importer.tidy.products import join_products
from mimgraph.importer.tidy.rearrange import join_rearranges
from mimgraph.importer.tidy.runs import drop_identities, join_runs
from mimgraph.importer.tidy.wrappers import inline_wrappers
from mimgraph.importer.trace.places import class_file
from mimgraph.importer.trace.records import Call, Step
from mimgraph.importer.traces import Traces
from mimgraph.infer.graph import infer
from mimgraph.ir.declared_graph import Graph
from mimgraph.ir.names import class_fault, legal_name
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.support.progress import progress

MOST_ROUNDS = 60  # of lifting, each with one more module that stays Python


@dataclass(eq=False)
class Draft:
    """What an import found: the graph, the draft that it was declared from, and how it was lifted."""

    graph: Graph
    typed: TypedGraph
    root: Body
    blocks: Mapping[str, Body]
    lifter: Lifter

    @property
    def constants(self) -> dict[str, Constant]:
        """The constants that only the weights of our model hold, by our keys."""
        known = self.lifter.constants
        return {one.ours: known[one.theirs] for one in modules(self.root) if one.theirs in known}

    @property
    def python_layers(self) -> list[PythonLayer]:
        """The registered layers that the graph has."""
        bodies = (self.root, *self.blocks.values())
        ops = (node.op for body in bodies for node in inner_nodes(body.nodes))
        used = {op.name for op in ops if op is not None and op.kind == "layer"}
        return [layer for name, layer in self.lifter.python_layers.items() if name in used]


@progress("writing it as a spec")
def import_module(traces: Traces, examples: Examples, name: str, tidy: bool) -> Draft:
    """Return the draft of a traced module; what cannot be declared stays Python."""
    for _ in range(MOST_ROUNDS):
        try:
            return _import_once(traces, examples, name, tidy)
        except _Again:
            continue
        except CannotLift as error:
            call = error.call
            if call is None or not call.path or call.opaque:
                raise
            traces.close(call.path, error)
    raise CannotLift("module", "too many modules must stay Python")


def _import_once(traces: Traces, examples: Examples, name: str, tidy: bool) -> Draft:
    lifter = Lifter(
        traces.model,
        traces.first,
        f"{snake(name)}_layers",
        traces.closed,
        traces.refused,
        noise_in_training=traces.noise_in_training,
        vocabs=examples.vocabs,
    )
    root = lifter.lift()
    for index, output in enumerate(root.outputs):
        output.only_training = index in traces.only_training
    for passes in (PASSES, *(TIDY_PASSES if tidy else ((chain_model,),))):
        for body in [*used_bodies(root)]:
            for tidied in passes:
                tidied(body)
    blocks = make_blocks(root, tidy)
    graph = declare(root, blocks, legal_name(name, class_fault), "", class_file(type(traces.model)))
    report = Report()
    typed = infer(graph, report)
    if typed is None or report.diagnostics:
        _refuse(report, traces, root, blocks)
    assert typed is not None
    return Draft(graph, typed, root, blocks, lifter)


# what makes a body easier to read, in order, after the bodies that it uses; no key of a weight changes
PASSES: tuple[Callable[[Body], None], ...] = (
    make_chains,
    move_joins,
    inline_operations,
    drop_identities,
    absorb_activations,
    join_formulas,
    join_runs,
)

# what --tidy does besides, with other keys of weights: first in all bodies, then in each the rest
TIDY_PASSES: tuple[tuple[Callable[[Body], None], ...], ...] = (
    (join_products, join_attention),
    (inline_wrappers, join_rearranges, join_layers),
)


def _refuse(report: Report, traces: Traces, root: Body, blocks: Mapping[str, Body]) -> None:
    """Let the function or module stay Python of which the language refuses the node."""
    for found in report.diagnostics:
        for body, node in _nodes_at(found, root, blocks):
            if isinstance(node.maker, Step) and node.maker not in traces.refused:
                traces.refused[node.maker] = found.message
                raise _Again()
            call = node.maker if isinstance(node.maker, Call) else body.call
            if call is not None and call.path and not call.opaque:
                raise CannotLift("language", found.message, call, node.place)
    raise SpecError(report.diagnostics)


class _Again(Exception):
    """Raised to lift once more, with a function that stays Python."""


def _nodes_at(
    found: Diagnostic, root: Body, blocks: Mapping[str, Body]
) -> Iterator[tuple[Body, Node]]:
    """Yield the nodes of which a diagnostic speaks: `residual.conv` is in a block, `stem` is not."""
    first, _, rest = found.node.partition(".")
    body = blocks.get(first) if rest else None
    names = (rest.partition(".")[0],) if body else (first,)
    for node in (body or root).nodes:
        if node.name in names:
            parts = found.node.split(".")
            inner = [*inner_nodes([node])][1:]
            if parts[-1].isdecimal() and int(parts[-1]) < len(inner):
                yield body or root, inner[int(parts[-1])]
            yield body or root, node
