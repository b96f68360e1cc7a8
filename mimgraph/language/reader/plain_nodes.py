"""Read the nodes that most nodes are: a layer or merge with sources and options, and nothing else."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from mimgraph.ir.declared.graph import Node, Source
from mimgraph.ir.declared.operations import BESIDE_FROM, NO_OPTIONS, Apply
from mimgraph.ir.names import CONSTANTS, NODE_WORDS, TRAINING
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.renamed import has_old_names
from mimgraph.language.reader.values import read_option
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Sequence, Tree, texts

_WORDS = frozenset((*NODE_WORDS, *CONSTANTS, *TRAINING))
_OTHERS = frozenset(("formula", *BESIDE_FROM))  # whose options are read in other ways

_new = tuple.__new__  # takes half as long as the __new__ of a NamedTuple


class _Form(NamedTuple):
    """The positions of the operation, the sources and the options among the keys of a node."""

    operation: int
    sources: int
    options: tuple[int, ...]


def read_plain_node(context: Context, key: Scalar, tree: Mapping) -> Node | None:
    """Return a node as `read_node` would; None if its keys or values are not so plain."""
    entries = tree.entries
    form = _form(tuple([word.text for word, _ in entries]))
    if form is None or tree.lost or has_old_names():
        return None
    for _, value in entries:  # one with a parenthesis may be a text that YAML splits at a comma
        if "(" in value.text if type(value) is Scalar else type(value) is not Sequence:
            return None
    kind, operation = entries[form.operation]
    name = _text(operation)
    sources = _sources(entries[form.sources][1])
    if name is None or name[:1] == "$" or name in _OTHERS or sources is None:
        return None
    before = len(context.report.diagnostics)
    options = NO_OPTIONS
    if form.options:
        given = [entries[index] for index in form.options]
        options = {word.text: read_option(context, word, value) for word, value in given}
    if len(context.report.diagnostics) > before:
        context.report.mentioned.update(texts(tree))
    applied = Apply(kind.text, name, operation.span, options)
    return Node(key.text, key.span, applied, sources, whole=key.span.to(tree.span))


@lru_cache(maxsize=1024)
def _form(keys: tuple[str, ...]) -> _Form | None:
    """Return where the parts of a node with these keys are; None if one of them needs more care."""
    if ("layer" in keys) == ("merge" in keys) or "from" not in keys:
        return None
    operation = keys.index("layer" if "layer" in keys else "merge")
    sources = keys.index("from")
    options = tuple(at for at in range(len(keys)) if at not in (operation, sources))
    if any(keys[at] in _WORDS for at in options):
        return None
    return _Form(operation, sources, options)


def _sources(tree: Tree) -> tuple[Source, ...] | None:
    """Return the sources in a text or a list of texts; None for others."""
    found = []
    for one in tree.items if type(tree) is Sequence else (tree,):
        text = _text(one)
        if text is None:
            return None
        name, dot, port = text.partition(".")
        found.append(_new(Source, (name, port if dot else None, one.span, None, None)))
    return tuple(found)


def _text(tree: Tree) -> str | None:
    """Return the value of a text."""
    if type(tree) is Scalar and type(tree.value) is str and not tree.tagged:
        return tree.value
    return None
