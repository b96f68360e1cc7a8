"""Collect the details of every box and cluster: options, shapes, cost, spec and emitted code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from mimgraph.cost.cost import Cost, Costs
from mimgraph.inspection.facts import operand_labels, source_text
from mimgraph.ir.declared_graph import Graph, Input, Node, Output
from mimgraph.ir.typed_graph import Body, TypedGraph, TypedNode
from mimgraph.ir.typed_operations import Repeated, Scan, Shared, TypedOperation, unwrap
from mimgraph.ir.typed_walks import needed_in_eval
from mimgraph.ir.types import TensorType
from mimgraph.ops import registry
from mimgraph.ops.layers.rnn import PAIR, pair_text
from mimgraph.picture.details.model import Detail, OptionValue, Result, Source
from mimgraph.picture.details.option_values import block_options, node_options, together
from mimgraph.picture.diagram.block_repeats import Stretch, Structures, span
from mimgraph.picture.diagram.io_boxes import input_groups
from mimgraph.source import Excerpt
from mimgraph.summary.node_text import (
    each_text,
    repeat_text,
    scan_text,
)

Excerpts: TypeAlias = Mapping[str, tuple[Excerpt, ...]]
Found: TypeAlias = Iterator[tuple[str, Detail]]


def details(graph: TypedGraph, declared: Graph | None, code: Excerpts) -> Mapping[str, Detail]:
    """Return the detail of every box and cluster by its id.

    `code` has the emitted lines by the same ids; `declared` is None for a pipeline stage, whose
    inputs and outputs no spec declares.
    """
    found = {
        **dict(_inputs(graph, declared)),
        **dict(_NodeDetails(graph).body(graph.body, "")),
        **dict(_outputs(graph, declared)),
    }
    found = {id_: replace(detail, code=code.get(id_, ())) for id_, detail in found.items()}
    for id_, names in input_groups(graph.body).items():
        found[id_] = _group({name: found.pop(name) for name in names})
    return found


def _inputs(graph: TypedGraph, declared: Graph | None) -> Found:
    """Yield the id and detail of each input."""
    specs = {given.name: _spec(given) for given in declared.inputs} if declared else {}
    for name, type_ in graph.body.inputs.items():
        yield (
            name,
            Detail(
                "input",
                () if type_.vocab is None else (OptionValue("vocab", str(type_.vocab)),),
                _results({"": type_}),
                notes=("optional",) if name in graph.body.optional else (),
                doc=graph.input_docs.get(name, ""),
                spec=specs.get(name, ()),
            ),
        )


def _group(inputs: Mapping[str, Detail]) -> Detail:
    """Return one detail for inputs that are drawn as one box."""
    every = inputs.values()
    return Detail(
        f"{len(inputs)} inputs",
        results=tuple(r._replace(port=name) for name, d in inputs.items() for r in d.results),
        doc="\n".join(f"{name}: {detail.doc}" for name, detail in inputs.items() if detail.doc),
        spec=tuple(excerpt for detail in every for excerpt in detail.spec),
        code=tuple(dict.fromkeys(excerpt for detail in every for excerpt in detail.code)),
    )


def _counter(repeated: Repeated, path: str) -> Found:
    """Yield the id and detail of the number of the step in a repeated block, if it takes it."""
    if name := repeated.counter:
        results = _results({"": repeated.bodies[0].inputs[name]})
        yield f"{path}{name}", Detail("input", results=results, notes=("the number of the step",))


def _outputs(graph: TypedGraph, declared: Graph | None) -> Found:
    """Yield the id and detail of each output."""
    body = graph.body
    specs = {given.name: _spec(given) for given in declared.outputs} if declared else {}
    for name, value in body.outputs.items():
        yield (
            f"output {name}",
            Detail(
                "output",
                results=_results({"": body.output_types[name]}),
                sources=(Source(source_text(value, body.by_name)),),
                notes=("in training",) if name in body.training else (),
                doc=graph.output_docs.get(name, ""),
                spec=specs.get(name, ()),
            ),
        )


class _NodeDetails:
    """Yields the ids and details of nodes, in the grouping in which they are drawn."""

    def __init__(self, graph: TypedGraph) -> None:
        self.costs = Costs(graph)
        self.structures = Structures()
        in_eval = needed_in_eval(graph.body)
        self.in_training = {node for node in graph.body.nodes if node.name not in in_eval}

    def body(self, body: Body, path: str) -> Found:
        for node in body.nodes:
            if body.is_chain:
                yield from self.inside(node, path)
            else:
                yield from self.node(node, f"{path}{node.name}", _sources(node, body))

    def node(self, node: TypedNode, id_: str, sources: tuple[Source, ...] = ()) -> Found:
        """Yield a node and all that is drawn inside it."""
        yield (
            id_,
            Detail(
                node.op_name,
                node_options(node),
                _results(node.results),
                sources,
                tuple(self.notes(node)),
                _doc(node),
                self.costs.node(node),
                spec=_spec(node.declared),
            ),
        )
        yield from self.beneath(node, id_)

    def beneath(self, node: TypedNode, id_: str) -> Found:
        """Yield all that is drawn inside a node, with costs of the batch that its axes are folded into."""
        for inner_id, detail in self.inside(node, f"{id_}."):
            if node.fold is not None:
                detail = replace(detail, cost=detail.cost.at({"N": node.fold.batch}))
            yield inner_id, detail

    def inside(self, node: TypedNode, path: str) -> Found:
        """Yield all that is drawn inside a node, under ids that start with `path`."""
        operation = node.operation
        yield from self.branches(operation, path)
        for index, item in enumerate(operation.steps):
            yield from self.node(item, f"{path}{index}")
        if isinstance(operation, Repeated) and not operation.shared:
            found = list(self.structures.stretches(operation))
            for stretch in found:
                if len(found) > 1:
                    yield self.stretch(stretch, node, path)
                inner = f"{path}{stretch.start}."
                yield from _counter(operation, inner)
                yield from self.repeats(stretch.bodies, inner)
        elif isinstance(operation, Repeated) and operation.bodies:
            yield from _counter(operation, path)
            yield from self.repeats(operation.bodies, path, shared=True)
        elif operation.bodies and not operation.merge:
            yield from self.body(operation.bodies[0], path)

    def branches(self, operation: TypedOperation, path: str) -> Found:
        """Yield all that is drawn inside an `each`, under the ids of its first branch."""
        branches = self.structures.opened(operation)
        if not branches:
            return
        shared = operation.sole is not None
        outer = path.removesuffix(".") if shared else f"{path}{branches[0].name}"
        alike = [dict(self.beneath(branch, outer)) for branch in branches]
        for id_ in alike[0]:
            yield id_, _spanning([found[id_] for found in alike], shared)

    def repeats(self, bodies: tuple[Body, ...], path: str, shared: bool = False) -> Found:
        """Yield the nodes in repeats of one structure, under the ids of the first repeat;
        `shared` says that all repeats are one module."""
        found = {body: dict(self.body(body, path)) for body in dict.fromkeys(bodies)}
        for id_ in found[bodies[0]]:
            yield id_, _spanning([found[body][id_] for body in bodies], shared)

    def stretch(self, stretch: Stretch, node: TypedNode, path: str) -> tuple[str, Detail]:
        """Return the detail of consecutive repeats that are drawn as one, beside others."""
        start, bodies, arguments = stretch
        last = bodies[-1]
        return f"{path}{start}", Detail(
            last.family,
            block_options(bodies, arguments),
            _results(last.results),
            notes=(f"× {len(bodies)}",) if len(bodies) > 1 else (),
            doc=last.doc,
            cost=Cost.sum(map(self.costs.body, bodies)),
            spec=_spec(node.declared),
        )

    def notes(self, node: TypedNode) -> Iterator[str]:
        """Yield the remarks about a node: `shares tail`, `× 3`, `over T`, `frozen`."""
        operation = node.operation
        if isinstance(operation, Shared):
            yield f"shares {operation.owner}"
        if operation.branches:
            yield each_text(operation)
        if isinstance(operation, Repeated):
            yield repeat_text(operation)
        if isinstance(operation, Scan):
            yield scan_text(operation)
        if node.over is not None:
            yield str(node.over)
        yield from node.training_notes
        if node in self.in_training:
            yield "in training"


def _spanning(details: Sequence[Detail], shared: bool) -> Detail:
    """Return one detail for all repeats; weights of a `shared` module count once."""
    first, *others = details
    results = tuple(
        alike[0]._replace(shape=span([result.shape for result in alike]))
        for alike in zip(*(detail.results for detail in details), strict=True)
    )
    return replace(
        first,
        options=together([d.options for d in details]),
        results=results,
        cost=Cost.sum([first.cost, *(d.cost.work if shared else d.cost for d in others)]),
        copies=sum(d.copies for d in details),
    )


def _results(types: Mapping[str, TensorType]) -> tuple[Result, ...]:
    return tuple(
        Result(port, pair_text(type_), "")
        if type_.dtype == PAIR
        else Result(port, str(type_), type_.dtype)
        for port, type_ in types.items()
    )


def _sources(node: TypedNode, body: Body) -> tuple[Source, ...]:
    arguments = operand_labels(node)
    return tuple(
        Source(source_text(value, body.by_name), arguments[key])
        for key, value in node.arguments.items()
    )


def _doc(node: TypedNode) -> str:
    """Return the doc of the node's block, or the summary of its op."""
    operation = unwrap(node.operation)
    if operation.branches:
        return _doc(operation.branches[0])
    if operation.op:
        op = registry.find(*operation.op)
        return op.summary if op is not None else ""
    return operation.bodies[0].doc if operation.bodies else ""


def _spec(declared: Input | Node | Output) -> tuple[Excerpt, ...]:
    """Return the lines of the spec, if its text is still known."""
    excerpt = (declared.whole or declared.span).excerpt()
    return (excerpt,) if excerpt.text else ()
