"""Write the docstring of an emitted model: its inputs, outputs and what must hold at run time."""

from __future__ import annotations

from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.ir.types import TensorType


def docstring(graph: TypedGraph) -> str:
    """Return the text: the doc of the spec, its inputs and outputs, the docs of these."""
    body = graph.body
    inputs = ", ".join(
        f"{name} {type_}{_noted(type_)}{' (optional)' if name in body.optional else ''}"
        for name, type_ in body.inputs.items()
    )
    outputs = ", ".join(
        f"{name} {type_}{' (in training)' if name in body.training else ''}"
        for name, type_ in body.output_types.items()
    )
    plural = ["s" if len(things) > 1 else "" for things in (body.inputs, body.outputs)]
    lines = [f"Input{plural[0]}: {inputs}. Output{plural[1]}: {outputs}."]
    if graph.constraints:
        lines.append(f"At run time {', '.join(map(str, graph.constraints))}.")
    docs = {**graph.input_docs, **graph.output_docs}
    described = [f"{name}: {doc}" for name, doc in docs.items()]
    paragraphs = [body.doc] if body.doc else []
    return "\n\n".join([*paragraphs, " ".join(lines), *described])


def _noted(type_: TensorType) -> str:
    """Return the dtype, where it is not the usual one."""
    return "" if type_.dtype == "float32" else f" {type_.dtype}"
