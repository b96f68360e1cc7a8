"""Make a graph of the example in the docstring of an op, which its page works through."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import mimgraph as mg
from mimgraph.inspection.nodes import Node
from mimgraph.ir.types import TensorType
from mimgraph.ops.op import Op
from mimgraph.ops.python_text import python_example


class Worked(NamedTuple):
    """An example: the lines of its spec, the same in Python, and the graph."""

    spec: str
    python: str
    graph: mg.Graph

    @property
    def node(self) -> Node:
        """The node that uses the op."""
        return self.graph.nodes["y"]

    @property
    def sources(self) -> list[TensorType]:
        """The types of the inputs of the node, in order."""
        nodes = self.graph.typed.body
        return [nodes.inputs[value.name] for value in nodes.by_name["y"].arguments.values()]

    @property
    def results(self) -> dict[str, TensorType]:
        """The types of its results by port."""
        return dict(self.graph.typed.body.by_name["y"].results)

    @property
    def init(self) -> list[str]:
        """The lines of the emitted `__init__` that make modules and parameters."""
        return [line for line in self._lines("__init__") if line != "super().__init__()"]

    @property
    def forward(self) -> list[str]:
        """The lines of the emitted `forward`."""
        return self._lines("forward")

    @property
    def parts(self) -> str:
        """The source of the classes that a merge is made of; "" if torch's layers and functions are enough."""
        _, *classes = self.graph.source().rstrip().split("\n\n\nclass ")
        return "\n\n\n".join(f"class {one}" for one in classes[:-1])

    def _lines(self, function: str) -> list[str]:
        """Return the lines of a function of the emitted class, without its docstring."""
        whole = self.graph.source().split("\nclass ")[-1]
        _, found, after = whole.partition(f"    def {function}(")
        if not found:
            return []
        body = after[after.index(":\n") + 2 :].split("\n    def ")[0]
        return [line.removeprefix(" " * 8) for line in body.rstrip().splitlines()]


@cache
def worked(op: Op) -> Worked:
    """Return the example of an op as a graph."""
    inputs, node = op.example
    lines = ["inputs:", *(f"  {line}" for line in inputs), "nodes:", f"  y: {node}"]
    spec = "\n".join([*lines, f"outputs: {_outputs(op, lines)}", ""])
    return Worked(spec, "\n".join(python_example(inputs, node)), mg.loads(spec))


def _outputs(op: Op, lines: list[str]) -> str:
    """Return the outputs: `y`, or its ports if none is the default; a tensor of the model needs `x` too."""
    if op.inputs.kind == "none" or op.name == "zeros":
        return "[x, y]"
    try:
        mg.loads("\n".join([*lines, "outputs: y"]))
    except mg.SpecError as error:
        (fault,) = error.diagnostics
        ports = fault.help.removeprefix("its ports: ").split(", ")
        return f"{{{', '.join(f'y_{port}: y.{port}' for port in ports)}}}"
    return "y"
