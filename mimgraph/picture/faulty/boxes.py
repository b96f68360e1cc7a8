"""Make the boxes of a wrong graph: nodes of unknown type, and faults in red."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from textwrap import wrap

from mimgraph.diagnostics import Diagnostic
from mimgraph.diagnostics.render import render_text, visible
from mimgraph.ir.declared_graph import Apply, Block, Call, Chain, Each, Node, Operation, Share
from mimgraph.picture.diagram.model import Box

WIDTH = 38  # characters in a line of a fault
LONGEST = 160  # characters of a message in a box; its tooltip has all of it
SHORT = 80  # characters of a help that the box shows, too
LISTED = 3  # faults that one box shows
FOLLOWS = "of unknown shape, because of a fault"


def node_box(node: Node, op: str) -> Box:
    """Return the box of a node of unknown type, with its op and without a shape."""
    title = "" if node.name.isdigit() else node.name  # an item of a seq has no name
    return Box(node.name, kind_of(node.operation), title, op, (), FOLLOWS, mark="unknown")


def kind_of(operation: Operation | None) -> str:
    """Return the kind of the box of a declared node."""
    match operation:
        case Each():
            return kind_of(operation.operation)
        case Apply("merge" | "tensor" as kind):
            return kind
        case Chain():
            return "seq"
        case Call():
            return "block"
    return "layer"


def op_text(operation: Operation | None, blocks: Mapping[str, Block]) -> str:
    """Return the op of a declared node: `Linear + ReLU`, `residual`, `seq`, `shares tail`."""
    match operation:
        case Each():
            return f"{op_text(operation.operation, blocks)}, each"
        case Apply():
            added = f" + {operation.activation.name}" if operation.activation else ""
            return f"{operation.name}{added}"
        case Call():
            block = blocks.get(operation.block)
            return block.family if block else operation.block
        case Chain():
            return "seq"
        case Share():
            return f"shares {operation.text}"
    return ""


def in_red(box: Box, faults: Sequence[Diagnostic]) -> Box:
    """Return a box with its faults: short in the box, and whole in its tooltip."""
    lines = tuple(_lines(faults))
    return replace(box, mark="faulty", faults=lines, tooltip=render_text(faults))


def _lines(faults: Sequence[Diagnostic]) -> Iterator[str]:
    """Yield the lines of the first faults; several nodes may have the same one."""
    distinct = list({(one.code, one.message): one for one in reversed(faults)}.values())[::-1]
    for one in distinct[:LISTED]:
        yield f"{one.severity}[{one.code}]"
        yield from _wrapped(_cut(one.message))
        # the message of a cycle has all its steps, of which the note is the first
        for text in (one.note if one.code != "cycle" else "", one.help):
            yield from _wrapped(text) if len(text) <= SHORT else ()
    if len(distinct) > LISTED:
        yield f"and {len(distinct) - LISTED} more"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _wrapped(text: str) -> list[str]:
    """Return the text in as few lines as it needs, all about as long."""
    shown = visible(text)
    few = wrap(shown, WIDTH)
    least = max(map(len, (*shown.split(), shown[: len(shown) // max(len(few), 1)])))
    even = (wrap(shown, width) for width in range(max(least, 1), WIDTH))
    return next((lines for lines in even if len(lines) == len(few)), few)
