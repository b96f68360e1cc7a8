"""All that can be told of what a picture shows, by its id: options, shapes, cost, spec and code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from mimgraph.cost.cost import Cost, Costs
from mimgraph.ir.graph import Graph, Input, Node, Output
from mimgraph.ir.typed import Body, Each, Leaf, Repeated, Shared, TypedGraph, TypedNode, Use, unwrap
from mimgraph.ir.typed import Sequence as Chain
from mimgraph.ir.types import TensorType
from mimgraph.ir.walks import needed_in_eval
from mimgraph.ops import registry
from mimgraph.ops.layers.sequence.rnn import PAIR, pair_text
from mimgraph.picture.details.choices import block_choices, node_choices, together
from mimgraph.picture.details.model import Choice, Detail, Read, Result
from mimgraph.picture.diagram.block_repeats import Stretch, Structures, span
from mimgraph.picture.diagram.build import tables_of
from mimgraph.source import Excerpt
from mimgraph.summary.node_text import operand_labels, source_text

Excerpts: TypeAlias = Mapping[str, tuple[Excerpt, ...]]
Found: TypeAlias = Iterator[tuple[str, Detail]]


def details(graph: TypedGraph, declared: Graph | None, code: Excerpts) -> Mapping[str, Detail]:
    """A detail for every box and cluster by its id, with the `code` that is found under it.

    What a stage takes and gives is not `declared`."""
    found = {
        **dict(_inputs(graph, declared)),
        **dict(_Nodes(graph).body(graph.body, "")),
        **dict(_outputs(graph, declared)),
    }
    told = {id_: replace(detail, code=code.get(id_, ())) for id_, detail in found.items()}
    for id_, columns in tables_of(graph.body).items():
        told[id_] = _table({column: told.pop(column) for column in columns})
    return told


def _inputs(graph: TypedGraph, declared: Graph | None) -> Found:
    written = {given.name: _spec(given) for given in declared.inputs} if declared else {}
    for name, type_ in graph.body.inputs.items():
        yield (
            name,
            Detail(
                "input",
                () if type_.vocab is None else (Choice("vocab", str(type_.vocab)),),
                _results({"": type_}),
                notes=("optional",) if name in graph.body.optional else (),
                doc=graph.input_docs.get(name, ""),
                spec=written.get(name, ()),
            ),
        )


def _table(columns: Mapping[str, Detail]) -> Detail:
    """Inputs that are drawn as one."""
    every = columns.values()
    return Detail(
        f"{len(columns)} inputs",
        results=tuple(r._replace(port=name) for name, d in columns.items() for r in d.results),
        doc="\n".join(f"{name}: {detail.doc}" for name, detail in columns.items() if detail.doc),
        spec=tuple(excerpt for detail in every for excerpt in detail.spec),
        code=tuple(dict.fromkeys(excerpt for detail in every for excerpt in detail.code)),
    )


def _outputs(graph: TypedGraph, declared: Graph | None) -> Found:
    body = graph.body
    written = {given.name: _spec(given) for given in declared.outputs} if declared else {}
    for name, value in body.outputs.items():
        yield (
            f"output {name}",
            Detail(
                "output",
                results=_results({"": body.type_of(value)}),
                sources=(Read(source_text(value, body.by_name)),),
                notes=("in training",) if name in body.training else (),
                doc=graph.output_docs.get(name, ""),
                spec=written.get(name, ()),
            ),
        )


class _Nodes:
    """Goes through the nodes as they are drawn."""

    def __init__(self, graph: TypedGraph) -> None:
        self.costs = Costs(graph)
        self.structures = Structures()
        always = needed_in_eval(graph.body)
        self.late = {node for node in graph.body.nodes if node.name not in always}

    def body(self, body: Body, path: str) -> Found:
        for node in body.nodes:
            if body.is_chain:
                yield from self.inside(node, path)
            else:
                yield from self.node(node, f"{path}{node.name}", _sources(node, body))

    def node(self, node: TypedNode, id_: str, sources: tuple[Read, ...] = ()) -> Found:
        """A node, and what is drawn inside of it."""
        yield (
            id_,
            Detail(
                node.op_name,
                node_choices(node),
                _results(node.results),
                sources,
                tuple(self.notes(node)),
                _doc(node),
                self.costs.node(node),
                spec=_spec(node.declared),
            ),
        )
        yield from self.inside(node, f"{id_}.")

    def inside(self, node: TypedNode, path: str) -> Found:
        match node.operation:
            case Chain(items):
                for index, item in enumerate(items):
                    yield from self.node(item, f"{path}{index}")
            case Use(body, merge=""):
                yield from self.body(body, path)
            case Repeated((_, *_) as bodies, shared=True):
                yield from self.alike(bodies, path, shared=True)
            case Repeated() as repeated:
                found = list(self.structures.stretches(repeated))
                for stretch in found:
                    if len(found) > 1:
                        yield self.stretch(stretch, node, path)
                    yield from self.alike(stretch.bodies, f"{path}{stretch.start}.")

    def alike(self, bodies: tuple[Body, ...], path: str, shared: bool = False) -> Found:
        """Bodies of one structure, drawn as the first of them; all are `shared`, or none."""
        told = {body: dict(self.body(body, path)) for body in dict.fromkeys(bodies)}
        for id_ in told[bodies[0]]:
            yield id_, _spanning([told[body][id_] for body in bodies], shared)

    def stretch(self, stretch: Stretch, node: TypedNode, path: str) -> tuple[str, Detail]:
        """Repeats that are drawn as one, among others."""
        start, bodies, arguments = stretch
        last = bodies[-1]
        types = [last.type_of(value) for value in last.outputs.values()]
        ports = last.outputs if len(types) > 1 else ("",)
        return f"{path}{start}", Detail(
            last.family,
            block_choices(bodies, arguments),
            _results(dict(zip(ports, types, strict=True))),
            notes=(f"× {len(bodies)}",) if len(bodies) > 1 else (),
            doc=last.doc,
            cost=Cost.sum(map(self.costs.body, bodies)),
            spec=_spec(node.declared),
        )

    def notes(self, node: TypedNode) -> Iterator[str]:
        match node.operation:
            case Shared() as shared:
                yield f"shares {shared.owner}"
            case Each(items):
                yield f"each of {len(items)}"
            case Repeated(bodies, shared=shared):
                yield f"× {len(bodies)}{' shared' if shared else ''}"
        if node.is_frozen:
            yield "frozen"
        if node in self.late:
            yield "in training"


def _spanning(details: Sequence[Detail], shared: bool) -> Detail:
    """One for all of them; modules that are shared are kept once."""
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


def _sources(node: TypedNode, body: Body) -> tuple[Read, ...]:
    arguments = operand_labels(node)
    return tuple(
        Read(source_text(value, body.by_name), arguments[key])
        for key, value in node.arguments.items()
    )


def _doc(node: TypedNode) -> str:
    """What its block or its op in the catalogue is."""
    match unwrap(node.operation):
        case Each((first, *_)):
            return _doc(first)
        case Leaf(kind, name):
            op = registry.find(kind, name)
        case Use(merge=merge) if merge:
            op = registry.find("merge", merge)
        case Use(body) | Repeated((body, *_)):
            return body.doc
        case _:
            return ""
    return op.summary if op is not None else ""


def _spec(declared: Input | Node | Output) -> tuple[Excerpt, ...]:
    """What the user wrote, where it can still be read."""
    excerpt = (declared.whole or declared.span).excerpt()
    return (excerpt,) if excerpt.text else ()
