"""Check a spec: its diagnostics, and the shapes of all that is known."""

from __future__ import annotations

from typing import Annotated

from mimgraph.diagnostics import SpecError
from mimgraph.editor.analysis import analyse
from mimgraph.editor.mcp.answers import MOST_ROWS, Answer, Checked
from mimgraph.editor.mcp.folder import Folder
from mimgraph.editor.mcp.given import (
    Given,
    Params,
    Path,
    Text,
    diagnostics_text,
    given,
    outcome,
    wrong,
)
from mimgraph.graph import Graph
from mimgraph.ir.typed_graph import TypedGraph


def check(
    folder: Folder, path: Path = "", spec: Text = "", params: Params = None
) -> Annotated[Answer, Checked]:
    """Check a spec and return every mistake in it with its place and help, or the shapes of the legal model.

    Call it after each change. Give `path` or `spec`.
    """
    one = given(folder, path, spec)
    try:
        graph = one.graph(params)
    except SpecError as error:
        return _wrong(one, error, not params)
    return _legal(graph)


def _legal(graph: Graph) -> Answer:
    cost = graph.summary()
    data = Checked(
        **outcome(graph.warnings),
        name=graph.name,
        nodes=len(graph.nodes),
        parameters=cost.params,
        macs=cost.macs,
        inputs={name: str(type_.shape) for name, type_ in graph.inputs.items()},
        shapes=_shapes(graph.typed),
        outputs={name: str(type_.shape) for name, type_ in graph.outputs.items()},
    )
    ends = ", ".join(f"{name} {shape}" for name, shape in data.inputs.items())
    results = ", ".join(f"{name} {shape}" for name, shape in data.outputs.items())
    head = f"{graph.name} is legal: {data.nodes:,} nodes, {data.parameters:,} parameters"
    text = f"{head}\ninputs: {ends}\noutputs: {results}"
    return Answer("\n\n".join(filter(None, (text, diagnostics_text(graph.warnings)))), data)


def _wrong(one: Given, error: SpecError, has_shapes: bool) -> Answer:
    known = analyse(one.file, one.place).known_types if has_shapes else None
    shapes = _shapes(known) if known else {}
    count = len(error.diagnostics)
    answer = wrong(Checked, error, one, shapes=shapes)
    text = f"{count:,} mistake{'s' * (count != 1)}\n\n{answer.text}"
    if shapes:
        rows = "\n".join(f"  {name} {shape}" for name, shape in shapes.items())
        text += f"\n\nknown shapes:\n{rows}"
    return answer._replace(text=text)


def _shapes(graph: TypedGraph) -> dict[str, str]:
    """Return the shapes of inputs and nodes by name, of a node with several results by port."""
    found = {name: str(type_.shape) for name, type_ in graph.body.inputs.items()}
    for node in graph.body.nodes:
        if node.type is not None:
            found[node.name] = str(node.type.shape)
        else:
            found |= {f"{node.name}.{port}": str(t.shape) for port, t in node.results.items()}
    return dict([*found.items()][:MOST_ROWS])
