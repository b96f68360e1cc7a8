"""List what a spec declares as a tree, and the parts of its text that can be folded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from mimgraph.declare.tree import Mapping, Scalar, Sequence, Tree
from mimgraph.editor.analysis import Analysis
from mimgraph.editor.features.uses import Uses
from mimgraph.editor.features.wording import result_text, type_text
from mimgraph.source import SourceFile, Span

Kind: TypeAlias = Literal["section", "param", "input", "part", "block", "node", "item", "output"]
KINDS: dict[str, Kind] = {
    "params": "param",
    "inputs": "input",
    "parts": "part",
    "blocks": "block",
    "nodes": "node",
    "outputs": "output",
}


class Symbol(NamedTuple):
    """A name that is declared, with a detail such as its shape; `whole` is all of its text."""

    name: str
    detail: str
    kind: Kind
    span: Span
    whole: Span
    inside: tuple[Symbol, ...] = ()


class Fold(NamedTuple):
    """Lines of which an editor can show the first alone."""

    first: int
    last: int
    is_comment: bool = False


def symbols(analysis: Analysis, uses: Uses | None) -> tuple[Symbol, ...]:
    """Return the sections of a spec with what each declares."""
    return tuple(_Lister(uses).sections(analysis.tree, is_block=False))


class _Lister:
    def __init__(self, uses: Uses | None) -> None:
        self.uses = uses

    def sections(self, tree: Tree | None, is_block: bool) -> Iterator[Symbol]:
        """Yield the sections of a spec or a block; the items of a chain are in its `seq`."""
        for key, value in tree.entries if isinstance(tree, Mapping) else ():
            whole = key.span.to(value.span)
            if key.text in KINDS:
                inside = tuple(self.entries(value, KINDS[key.text], is_block))
                yield Symbol(key.text, "", "section", key.span, whole, inside)
            elif key.text == "seq" and is_block:
                inside = tuple(self.items(value))
                yield Symbol(key.text, "", "section", key.span, whole, inside)

    def entries(self, tree: Tree, kind: Kind, is_block: bool) -> Iterator[Symbol]:
        """Yield what a section declares."""
        if isinstance(tree, Sequence):
            for item in tree.items:
                if isinstance(item, Scalar):
                    yield Symbol(item.text or "?", "", kind, item.span, item.span)
                else:
                    yield from self.entries(item, kind, is_block)
        elif isinstance(tree, Scalar):
            if tree.text:
                yield Symbol(tree.text, "", kind, tree.span, tree.span)
        else:
            for key, value in tree.entries:
                whole = key.span.to(value.span)
                inside: tuple[Symbol, ...] = ()
                if kind == "block":
                    inside = tuple(self.sections(value, is_block=True))
                elif kind == "node" and isinstance(value, Mapping):
                    inside = tuple(self.items(value.get("seq")))
                detail = self.detail(key, value, kind, is_block)
                yield Symbol(key.text or "?", detail, kind, key.span, whole, inside)

    def items(self, tree: Tree | None) -> Iterator[Symbol]:
        """Yield the items of a chain."""
        for item in tree.items if isinstance(tree, Sequence) else ():
            name = item
            if isinstance(item, Mapping) and item.entries:
                name = item.entries[0][0]
            if isinstance(name, Scalar):
                detail = self.result(name)
                yield Symbol(name.text or "?", detail, "item", name.span, item.span)

    def detail(self, key: Scalar, value: Tree, kind: Kind, is_block: bool) -> str:
        """Return the op and result of a node, the type of an input, the value of a param."""
        if kind == "node":
            words = (self.op(value), self.result(key))
            return " ".join(word for word in words if word)
        if kind == "input" and self.uses and not is_block:
            type_ = self.uses.graph.body.inputs.get(key.text)
            return "" if type_ is None else type_text(type_)
        if kind in ("param", "part") and isinstance(value, Scalar):
            return value.text
        return ""

    def op(self, value: Tree) -> str:
        for word in ("layer", "merge", "block", "share") if isinstance(value, Mapping) else ():
            found = value.get(word)  # type: ignore[union-attr]  # it is a mapping
            if isinstance(found, Scalar):
                return found.text
        return ""

    def result(self, name: Scalar) -> str:
        found = self.uses.nodes.get(name.span[:3]) if self.uses else None
        return result_text(found[0].node) if found else ""


def folds(analysis: Analysis) -> list[Fold]:
    """Return the sections, entries, lists and comments of several lines."""
    found = {
        (one.first, one.last): one
        for one in (*_of_tree(analysis.tree), *_of_comments(analysis.file))
    }
    return sorted(found.values())


def _of_tree(tree: Tree | None) -> Iterator[Fold]:
    """Yield a fold for each entry whose value goes on in further lines, and each item of a list."""
    waiting = [] if tree is None else [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            for key, value in one.entries:
                waiting.append(value)
                if value.span.end_line > key.span.line:
                    yield Fold(key.span.line, value.span.end_line)
        elif isinstance(one, Sequence):
            for item in one.items:
                waiting.append(item)
                if item.span.end_line > item.span.line:
                    yield Fold(item.span.line, item.span.end_line)


def _of_comments(file: SourceFile) -> Iterator[Fold]:
    """Yield a fold for lines of comments in a row."""
    first = 0
    for number, line in enumerate((*file.lines, ""), 1):
        is_comment = line.lstrip().startswith("#")
        if is_comment and not first:
            first = number
        elif not is_comment and first:
            if number - 1 > first:
                yield Fold(first, number - 1, is_comment=True)
            first = 0
