"""The text that an editor shows for a layer or merge: its docstring, sources, ports and an example."""

from __future__ import annotations

import re

from mimgraph.ops.op import Op


def documented(op: Op) -> dict[str, str]:
    """Return the description of an op, plain and as Markdown."""
    return {"description": op.doc, "markdownDescription": markdown(op)}


def markdown(op: Op) -> str:
    """Return the docstring with its shape rule as code, then sources, ports and an example."""
    what, _, rule = op.summary.rpartition(": ")
    has_rule = "->" in rule
    parts = [f"**{op.name}**: {_escaped(what if has_rule else op.summary)}"]
    parts += [f"`{rule.removesuffix('.')}`"] if has_rule else []
    parts += [_escaped(op.doc.removeprefix(op.summary).strip())]
    named = [f"`{n}` (optional)" if n in op.inputs.optional else f"`{n}`" for n in op.inputs.names]
    parts += [f"Sources: {', '.join(named)}"] if len(named) > 1 else []
    parts += [f"Ports: {', '.join(f'`{port}`' for port in op.ports)}"] if op.ports else []
    _, node = op.example
    parts += [f"```yaml\n{node}\n```"] if node else []
    return "\n\n".join(filter(None, parts))


def _escaped(text: str) -> str:
    """Return a text for Markdown, in which only code in backticks is formatted."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(
        piece if piece.startswith("`") else re.sub(r"([\\*_{}\[\]<>#|])", r"\\\1", piece)
        for piece in pieces
    )
