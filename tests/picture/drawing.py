"""A diagram as text, with all that a reader of its picture sees."""

from __future__ import annotations

from collections.abc import Iterator

from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, Item

SIGNS = {
    "": " ",
    "added": "+",
    "removed": "-",
    "changed": "~",
    "follows": ".",
    "faulty": "!",
    "unknown": "?",
}


def drawing(picture: Diagram) -> str:
    """Return a line for each item, those in a cluster indented, and one for each edge."""
    lines = [*drawn(picture.items), "", *map(edge_line, picture.edges)]
    return "\n".join(line.rstrip() for line in lines).rstrip()


def drawn(items: tuple[Item, ...], indent: str = "") -> Iterator[str]:
    """Yield the lines of items: mark, kind, id, "title", subtitle, [edits; so effects], shapes."""
    for item in items:
        edits = "; ".join((*item.edits, *(f"so {effect}" for effect in item.effects)))
        words = [SIGNS[item.mark], f"{indent}{item.kind}", item.id]
        words += [f'"{item.title}"'] if item.title else []
        words += filter(None, [item.subtitle, f"[{edits}]" if edits else "", *item.shapes])
        if isinstance(item, Cluster):
            yield " ".join(words)
            yield from drawn(item.items, f"{indent}  ")
        else:
            yield " ".join([*words, *remarks(item)])
            yield from (f"      {indent}{line}" for line in item.faults)


def remarks(box: Box) -> Iterator[str]:
    if box.optional:
        yield "optional"
    if not box.subtitle.startswith(box.brief):
        yield f"in short {box.brief}"
    if box.shares:
        yield f"with the module of {box.shares}"


def edge_line(edge: Edge) -> str:
    label = f" ({edge.label})" if edge.label else ""
    return f"{SIGNS[edge.mark]} {edge.tail} -> {edge.head}{label}"
