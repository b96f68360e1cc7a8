"""The docstring of a layer or merge in Python: its docs, sources and an example."""

from __future__ import annotations

import textwrap

from mimgraph.ops.op import Op
from mimgraph.ops.python_text import python_example


def docstring(op: Op) -> str:
    """Return the documentation of an op, with its example as Python code."""
    inferred = [option.name for option in op.options.values() if option.inferred]
    parts = [op.doc, _sources(op)]
    parts += [f"Inferred from the sources: {', '.join(inferred)}."] if inferred else []
    inputs, node = op.example
    if node:
        code = textwrap.indent("\n".join(python_example(inputs, node)), "    ")
        parts.append(f"Example:\n{code}")
    return "\n\n".join(filter(None, parts))


def _sources(op: Op) -> str:
    """Return the names of the sources of a layer that has several; a merge has them as parameters."""
    names = op.inputs.names
    if op.kind == "merge" or len(names) < 2:
        return ""
    marked = (f"{name} (optional)" if name in op.inputs.optional else name for name in names)
    return f"Sources: {', '.join(marked)}."
