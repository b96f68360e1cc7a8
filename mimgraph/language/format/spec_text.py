"""Format the text of a spec."""

from __future__ import annotations

from typing import NamedTuple

from mimgraph.diagnostics import Diagnostic
from mimgraph.language.format.key_order import put_in_order
from mimgraph.language.format.layout import joined, rows_of
from mimgraph.language.format.read_concrete import NotOfSpecs, read_concrete
from mimgraph.language.yaml_tree.compose import compose, is_json
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Sequence, Tree
from mimgraph.source import LINE_END, SourceFile
from mimgraph.support.progress import uncollected

BOM = "\ufeff"


class Formatted(NamedTuple):
    """The text of a spec in the style; `text` is that of the file if `faults` keep it from being formatted,
    and in JSON."""

    text: str
    faults: tuple[Diagnostic, ...] = ()


class FormatError(Exception):
    """Raised instead of returning a text that means something else; a bug of the formatter."""


@uncollected()
def formatted(file: SourceFile) -> Formatted:
    """Return the text of a spec, correct or wrong, in the style.

    Line ends stay those of the first line, and so does a BOM. What YAML cannot read, and what specs do not
    have (anchors, tags, several documents), is left as it is.
    """
    faults: list[Diagnostic] = []
    tree = compose(file, lambda fault, *_: faults.append(fault))
    if tree is None:
        return Formatted(file.text, tuple(faults))
    body = file.text.removeprefix(BOM)
    text = LINE_END.sub("\n", body)
    if body.lstrip().startswith("{") and is_json(body):
        return Formatted(file.text)
    try:
        document = read_concrete(text)
    except NotOfSpecs:
        return Formatted(file.text, tuple(one for one in faults if one.code == "yaml-subset"))
    put_in_order(document.root)
    found = joined(rows_of(document, text.split("\n")))
    if found != text and not _same(tree, compose(SourceFile(file.name, found), lambda *_: None)):
        raise FormatError(file.name)
    first = LINE_END.search(body)
    if first and first[0] != "\n":
        found = found.replace("\n", first[0])
    return Formatted(BOM * file.text.startswith(BOM) + found)


def _same(one: Tree | None, other: Tree | None) -> bool:
    """Return whether two trees mean the same, whatever the order of keys."""
    match one, other:
        case Scalar(), Scalar():
            return type(one.value) is type(other.value) and (
                one.value == other.value or one.value != one.value
            )
        case Sequence(), Sequence():
            return len(one.items) == len(other.items) and all(map(_same, one.items, other.items))
        case Mapping(), Mapping():
            entries = {key.text: value for key, value in other.entries}
            return len(one.entries) == len(entries) and all(
                key.text in entries and _same(value, entries[key.text])
                for key, value in one.entries
            )
    return False
