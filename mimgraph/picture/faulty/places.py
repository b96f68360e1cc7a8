"""Find the input, node or output of a wrong graph that each diagnostic concerns."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mimgraph.diagnostics import Diagnostic
from mimgraph.infer.graph import KnownPart
from mimgraph.ir.declared_graph import Block, Call, Input, Node, operations
from mimgraph.source import PythonFile, SourceFile, Span


def output_id(name: str) -> str:
    """Return the id of the box of an output."""
    return f"output {name}"


def places(part: KnownPart, diagnostics: Iterable[Diagnostic]) -> dict[str, list[Diagnostic]]:
    """Return the diagnostics by the id of the box that each concerns; "" if it concerns none.

    A fault inside a block concerns the first node that uses the block, of unknown type if there is one.
    """
    users = _users(part)
    texts = _Texts(part, users)
    # what the path of a diagnostic begins with: `stage.conv` is in the node or the block `stage`
    by_path = {block.family: users.get(key, "") for key, block in part.blocks.items()}
    by_path |= {node.name: node.name for node in part.nodes}
    own = f"{part.declared.family}." if isinstance(part.declared, Block) else ""
    found: dict[str, list[Diagnostic]] = {}
    for one in diagnostics:
        of_path, of_text = (
            by_path.get(one.node.removeprefix(own).partition(".")[0], ""),
            texts.place(one.span),
        )
        is_python = isinstance(one.span.file, PythonFile)  # where many nodes may be on one line
        place = (of_path or of_text) if is_python else (of_text or of_path)
        found.setdefault(place, []).append(one)
    return found


def _users(part: KnownPart) -> dict[str, str]:
    """Return the node that stands for each block by its key: the first that uses it, perhaps in another
    block."""
    found: dict[str, str] = {}
    for node in sorted(part.nodes, key=lambda node: node.name in part.typed.body.by_name):
        stack = [*_blocks_of((node,))]
        while stack:
            key = stack.pop()
            if key in part.blocks and key not in found:
                found[key] = node.name
                stack += _blocks_of(part.blocks[key].nodes)
    return found


def _blocks_of(nodes: Iterable[Node]) -> Iterator[str]:
    return (one.block for one in operations(nodes) if isinstance(one, Call))


class _Text(NamedTuple):
    """The text of one input, node or output, and the id of its box."""

    start: tuple[int, int]
    end: tuple[int, int]
    id: str


class _Texts:
    """The texts of a graph's parts in order, which do not overlap; a span is found by bisection.

    Of a part that Python declares only the line is known, on which others may be declared, too.
    """

    def __init__(self, part: KnownPart, users: dict[str, str]) -> None:
        self.by_file: dict[SourceFile, list[_Text]] = {}
        self.by_line: dict[tuple[SourceFile, int], set[str]] = {}
        for span, id_ in _spans(part, users):
            if isinstance(span.file, PythonFile):
                self.by_line.setdefault((span.file, span.line), set()).add(id_)
            else:
                text = _Text((span.line, span.column), (span.end_line, span.end_column), id_)
                self.by_file.setdefault(span.file, []).append(text)
        for texts in self.by_file.values():
            texts.sort()

    def place(self, span: Span) -> str:
        """Return the id of the box whose text has the span in it; "" if none or several may be meant."""
        on_line = self.by_line.get((span.file, span.line), ())
        if len(on_line) == 1:
            return next(iter(on_line))
        texts = self.by_file.get(span.file, [])
        start = span.line, span.column
        before = bisect(texts, start, key=lambda text: text.start)
        return texts[before - 1].id if before and start <= texts[before - 1].end else ""


def _spans(part: KnownPart, users: dict[str, str]) -> Iterator[tuple[Span, str]]:
    """Yield the span of every part with the id of its box; parts of a block have that of its user."""
    for declared in part.declared.inputs:
        whole = declared.whole if isinstance(declared, Input) else None
        yield whole or declared.span, declared.name
    yield from ((one.whole or one.span, one.name) for one in part.nodes)
    yield from ((one.whole or one.span, output_id(one.name)) for one in part.outputs)
    for key, block in part.blocks.items():
        user = users.get(key)
        if user is None:
            continue
        yield block.span, user
        yield from ((one.span, user) for one in block.inputs)
        yield from ((one.whole or one.span, user) for one in block.nodes)
        yield from ((one.whole or one.span, user) for one in block.outputs)
        for option in block.params.values():
            yield option.key, user
            yield option.span, user
