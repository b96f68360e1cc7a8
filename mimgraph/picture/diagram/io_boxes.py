"""Make the boxes for the inputs and outputs of a graph; many inputs of the same nodes are one box."""

from __future__ import annotations

from mimgraph.inspection.facts import operand_labels
from mimgraph.ir.typed_graph import Body, TypedGraph, TypedNode
from mimgraph.picture.diagram.model import Box, Item
from mimgraph.picture.diagram.node_boxes import MANY, counted_shapes
from mimgraph.picture.diagram.wiring import End

LISTED = 40  # names of inputs that one box lists


def input_boxes(graph: TypedGraph) -> tuple[list[Box], dict[str, End]]:
    """Return the boxes for the inputs, and the end that each input comes from."""
    found: list[Box] = []
    ends: dict[str, End] = {}
    groups = input_groups(graph.body)
    group_of = {name: id_ for id_, names in groups.items() for name in names}
    for name in graph.body.inputs:
        if name in ends:
            continue
        id_ = group_of.get(name)
        names = groups[id_] if id_ else [name]
        found.append(_group_box(graph, id_, names) if id_ else _input_box(graph, name))
        ends |= dict.fromkeys(names, End(found[-1].id))
    return found, ends


def input_groups(body: Body) -> dict[str, list[str]]:
    """Return the inputs that are drawn as one box, by the id of the box.

    At least `MANY` inputs form a group if only the same nodes read them, all without naming an
    argument: nodes with `each`, or merges of inputs of one type.
    """
    readers: dict[str, list[TypedNode]] = {name: [] for name in body.required_inputs}
    for node in body.nodes:
        for value in node.arguments.values():
            readers.get(value.name, []).append(node)
    for value in body.outputs.values():
        readers.pop(value.name, None)
    many = {node.name for node in body.nodes if _takes_many(node)}
    found: dict[str, list[str]] = {}
    for name, nodes in readers.items():
        if nodes and all(node.name in many for node in nodes):
            type_, of = body.inputs[name], ", ".join(node.name for node in nodes)
            is_alike = all(node.operation.branches for node in nodes)
            found.setdefault(
                f"inputs of {of}" + ("" if is_alike else f", {type_} {type_.dtype}"), []
            ).append(name)
    return {id_: names for id_, names in found.items() if len(names) >= MANY}


def _takes_many(node: TypedNode) -> bool:
    """Return whether a node is one box whose sources fill no named arguments."""
    op = node.operation.op
    if op is not None and op[0] == "merge":
        return not any(operand_labels(node).values())
    return bool(node.operation.branches)


def _group_box(graph: TypedGraph, id_: str, names: list[str]) -> Box:
    types, docs = {name: graph.body.inputs[name] for name in names}, graph.input_docs
    dtypes = dict.fromkeys(type_.dtype for type_ in types.values() if type_.dtype != "float32")
    listed = names if len(names) <= LISTED else [*names[:2], "…", names[-1]]
    subtitle = ", ".join(listed) + (f" ({', '.join(dtypes)})" if dtypes else "")
    tooltip = "\n".join(f"{name}: {docs[name]}" for name in names if docs.get(name))
    return Box(id_, "input", f"{len(names)} inputs", subtitle, counted_shapes(types), tooltip)


def _input_box(graph: TypedGraph, name: str) -> Box:
    type_, optional = graph.body.inputs[name], name in graph.body.optional
    notes = [type_.dtype] if type_.dtype != "float32" else []
    if type_.vocab is not None:
        notes.append(f"vocab {type_.vocab}")
    notes += ["optional"] if optional else []
    doc = graph.input_docs.get(name, "")
    return Box(name, "input", name, ", ".join(notes), (str(type_),), doc, optional=optional)


def output_box(graph: TypedGraph, name: str, source: Item | None) -> Box:
    """Return the box for an output; `source` is the item of the node or input that it comes from."""
    body, training = graph.body, name in graph.body.training
    notes = ["in training"] if training else []
    notes += [f"batch_dim {body.batch_dims[name]}"] if name in body.batch_dims else []
    shape = str(body.output_types[name])
    is_shown = source is not None and source.shapes in (
        (shape,),
        (f"{body.outputs[name].port} {shape}",),
    )
    # one of several outputs keeps its name, even if that is the name of its node
    repeated = source.title if source is not None and len(body.outputs) == 1 else ""
    return Box(
        f"output {name}",
        "output",
        name,
        ", ".join(notes),
        (shape,),
        graph.output_docs.get(name, ""),
        optional=training,
        source=repeated if is_shown else None,
    )
