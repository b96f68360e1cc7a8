"""Read texts, and return the values, spans and faults."""

from __future__ import annotations

from typing import Any

from mimgraph.declare.tree import Mapping, Scalar, Sequence, Tree
from mimgraph.diagnostics import Diagnostic
from mimgraph.language.yaml_reader import compose
from mimgraph.source import SourceFile, Span


def read(text: str) -> tuple[Tree | None, list[Diagnostic]]:
    found: list[Diagnostic] = []
    return compose(SourceFile("spec.yaml", text), lambda fault, *_: found.append(fault)), found


def tree_of(text: str) -> Tree:
    """Return the tree of a text, which must have no faults."""
    tree, found = read(text)
    assert found == []
    assert tree is not None
    return tree


def value_of(tree: Tree | None) -> Any:
    """Return a tree as plain data, as `json.loads` would."""
    match tree:
        case Scalar(value):
            return value
        case Sequence(items):
            return list(map(value_of, items))
        case Mapping(entries):
            return {key.value: value_of(value) for key, value in entries}


def covered(span: Span) -> str:
    """Return the text that a span covers."""
    lines = [span.file.line(number) for number in range(span.line, span.end_line + 1)]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


def faults_in(text: str) -> list[str]:
    """Return the code of each fault with the text that it points at, in the order of the text."""
    _, found = read(text)
    in_order = sorted(found, key=lambda fault: fault.span[1:])
    return [f"{fault.code}: {covered(fault.span)}" for fault in in_order]


def parts(tree: Tree) -> list[Tree]:
    """Return a tree and all trees in it."""
    match tree:
        case Sequence(items):
            below = list(items)
        case Mapping(entries):
            below = [part for entry in entries for part in entry]
        case _:
            below = []
    return [tree, *(part for child in below for part in parts(child))]
