"""Find what an editor shows in the text though nobody wrote it: shapes, and options that follow from
them.

A node on one line has its shape behind it; a node on several has it behind its name, and its inferred
options behind the name of the op. Of items that share a line, those that change the shape show it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Literal, NamedTuple, TypeAlias

from mimgraph.declare.tree import Mapping, Scalar, Tree
from mimgraph.editor.analysis import Analysis
from mimgraph.editor.features.uses import Scope, Use, Uses
from mimgraph.editor.features.wording import listed, options_of, result_text, type_text
from mimgraph.ir.declared_graph import Apply, Block, Node
from mimgraph.source import SourceFile, Span
from mimgraph.summary.node_text import value_text

Kind: TypeAlias = Literal["shape", "option"]
PLACE = itemgetter(0, 1)  # the line and column of a hint
LISTED = 12  # uses of a block that a tooltip lists


class Hint(NamedTuple):
    """A text to show at a place, which is a line and column; `uses` are what it summarises."""

    line: int
    column: int
    text: str
    kind: Kind
    uses: Sequence[tuple[str, str]] = ()  # the dotted name and the text of each use
    behind: bool = False  # whether the text goes on behind it


def hints(analysis: Analysis, uses: Uses | None, lines: range | None = None) -> list[Hint]:
    """Return the hints of a spec in the order of its text, or only the hints of some lines, as an
    editor asks for the lines that it shows."""
    if uses is None or analysis.declared is None:
        return []
    shown = range(1, 1 << 30) if lines is None else lines
    found = _Finder(analysis, uses, shown).all()
    return sorted([hint for hint in found if hint.line in shown], key=PLACE)


def tooltip(hint: Hint) -> str:
    """Return what a hint leaves out, in Markdown: the uses of a block that disagree, and the ports."""
    return listed([f"`{path}`: `{text}`" for path, text in hint.uses], LISTED)


class _Finder:
    """Finds the hints of one analysis."""

    def __init__(self, analysis: Analysis, uses: Uses, lines: range) -> None:
        self.file: SourceFile = analysis.file
        self.lines = lines
        self.analysis = analysis
        self.uses = uses

    def all(self) -> Iterator[Hint]:
        """Yield the hints of all that is on the lines, and some of other lines."""
        declared = self.analysis.declared
        assert declared is not None
        types = self.uses.graph.body.inputs
        for one in declared.inputs:
            if one.name in types and one.span.file is self.file:
                place = _behind(one.span, one.whole or one.span)
                yield self._hint(place, [(one.name, type_text(types[one.name]))])
        for node in declared.nodes:
            yield from self._of(node)
        for block in declared.blocks.values():
            if block.span.file is self.file:
                yield from self._block(block)

    def _block(self, block: Block) -> Iterator[Hint]:
        scopes = self.uses.blocks.get(block.family, [])
        if scopes and not block.is_chain:
            yield from self._block_inputs(block, scopes)
        for node in block.nodes:
            if block.is_chain:
                fed = [type_text(type_) for one in scopes for type_ in one.body.inputs.values()]
                yield from self._items(node.applied.items if node.applied else (), fed)
            else:
                yield from self._of(node)

    def _block_inputs(self, block: Block, scopes: Sequence[Scope]) -> Iterator[Hint]:
        """Yield the types that the inputs of a block have at its uses."""
        ends = {key.span[1:3]: value for key, value in _input_entries(self.analysis.tree)}
        for one in block.inputs:
            found = [
                (scope.name, type_text(scope.body.inputs[one.name]))
                for scope in scopes
                if one.name in scope.body.inputs
            ]
            value = ends.get(one.span[1:3])
            whole = one.span if value is None else one.span.to(value.span)
            if found:
                yield self._hint(_behind(one.span, whole), found)

    def _of(self, node: Node) -> Iterable[Hint]:
        """Return the hints of a node, if some of it is on the lines."""
        last = (node.whole or node.span).end_line
        is_shown = node.span.line < self.lines.stop and last >= self.lines.start
        return self._node(node) if node.span.file is self.file and is_shown else ()

    def _node(self, node: Node) -> Iterator[Hint]:
        """Yield the hints of a node and of the items inside it."""
        found = self.uses.of(node)
        whole = node.whole or node.span
        if found:
            yield self._hint(_behind(node.span, whole), _results(found))
            yield from self._options(node, found)
        if node.applied and node.applied.items:
            yield from self._items(node.applied.items, [_source_text(use) for use in found])

    def _items(self, items: Sequence[Node], before: Sequence[str] = ()) -> Iterator[Hint]:
        """Yield the hints of the items of a chain: all of an item that has a line of its own; of items on
        one line the shapes that are not those `before`, and not of the last, which the chain shows."""
        lines = Counter((one.whole or one.span).line for one in items)
        for item in items:
            whole = item.whole or item.span
            results = _results(self.uses.of(item))
            texts = [text for _, text in results]
            if lines[whole.line] == 1 and len(items) > 1:
                yield from self._node(item)
            elif results and item is not items[-1] and texts != [*before]:
                yield self._hint(_behind(item.span, whole), results)
            before = texts

    def _options(self, node: Node, found: Sequence[Use]) -> Iterator[Hint]:
        """Yield the options that the shapes decide, each with its value at the first use."""
        applied, whole = node.applied, node.whole or node.span
        if not isinstance(applied, Apply):
            return
        place = whole if _is_on_one_line(whole) else applied.span
        every = [
            (
                use.path,
                {one.name: one.value for one in options_of(use.node) if one.origin == "inferred"},
            )
            for use in found
        ]
        for name in every[0][1]:
            values = [(path, f"{name} {value_text(of[name])}") for path, of in every if name in of]
            yield self._hint(place, values, "option")

    def _hint(self, place: Span, texts: Sequence[tuple[str, str]], kind: Kind = "shape") -> Hint:
        """Return a hint at the end of a place, with the first text; the others may be different."""
        distinct = {text: path for path, text in reversed(texts)}
        text = texts[0][1] + (" …" if len(distinct) > 1 else "")
        line, column = place.end_line, place.end_column
        rest = self.file.line(line)[column - 1 : column].strip()
        return Hint(line, column, text, kind, texts if len(distinct) > 1 else (), bool(rest))


def _results(found: Sequence[Use]) -> list[tuple[str, str]]:
    """Return the result of each use, with its dotted name."""
    return [(use.path, result_text(use.node)) for use in found]


def _source_text(use: Use) -> str:
    """Return the type that a chain of the graph or a block is fed; "" if it is several, or if the
    chain is inside another one."""
    sources, body = {*use.node.arguments.values()}, use.scope.body
    names = (one.name.partition(".")[0] for one in sources)
    is_known = all(name in body.inputs or name in body.by_name for name in names)
    return type_text(body.type_of(*sources)) if is_known and len(sources) == 1 else ""


def _behind(name: Span, whole: Span) -> Span:
    """Return the span behind which a shape is shown: the whole, or of several lines the name and its
    colon."""
    if _is_on_one_line(whole):
        return whole
    colon = name.part(0, name.end_column - name.column + 1)
    return (
        colon if name.file.line(name.line)[name.end_column - 1 : name.end_column] == ":" else name
    )


def _is_on_one_line(span: Span) -> bool:
    return span.line == span.end_line


def _input_entries(tree: Tree | None) -> Iterator[tuple[Scalar, Tree]]:
    """Yield the inputs of all blocks, each with its value."""
    blocks = tree.get("blocks") if isinstance(tree, Mapping) else None
    for _, block in blocks.entries if isinstance(blocks, Mapping) else ():
        inputs = block.get("inputs") if isinstance(block, Mapping) else None
        yield from inputs.entries if isinstance(inputs, Mapping) else ()
