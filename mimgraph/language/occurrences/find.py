"""Note the names in the sections of a spec and of its blocks: params, inputs, parts, blocks, outputs."""

from __future__ import annotations

from dataclasses import replace

from mimgraph.language.occurrences.nodes import walk_chain, walk_node
from mimgraph.language.occurrences.scopes import (
    Scope,
    Scopes,
    entries,
    input_entries,
    scope_of,
    size_names,
    sizes_of,
    values_of,
)
from mimgraph.language.occurrences.symbols import Occurrences, Site, Symbol
from mimgraph.language.occurrences.texts import names_in
from mimgraph.language.occurrences.walk import Walk
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Sequence, Tree


def walk_spec(walk: Walk, tree: Mapping) -> None:
    """Note all names of a spec."""
    for key, value in entries(tree.get("params")):
        walk.add(Symbol("param", key.text), key.span, defines=True)
        walk.value(value)
    _note_chosen(walk, tree)
    for key, _ in entries(tree.get("parts")):
        walk.add(Symbol("block", key.text), key.span, defines=True)
    _walk_limits(walk, tree.get("limits"))
    _walk_inputs(walk, tree.get("inputs"))
    for key, value in entries(tree.get("blocks")):
        walk.add(Symbol("block", key.text), key.span, defines=True)
        if isinstance(value, Mapping):
            inside = Walk(walk.scopes, walk.scopes.by_block[key.text], walk.found)
            _walk_block(inside, value)
    for key, value in entries(tree.get("nodes")):
        walk_node(walk, key, value)
    _walk_outputs(walk, tree)


def _walk_limits(walk: Walk, tree: Tree | None) -> None:
    """Note the params in the limits, and the sizes for which they hold."""
    for key, value in entries(tree):
        if key.text != "sizes":
            walk.value(value)
        for name, size in entries(value) if key.text == "sizes" else ():
            if name.text in walk.scope.sizes:
                walk.add(walk.own("size", name.text), name.span)
            walk.value(size)


def _walk_block(walk: Walk, tree: Mapping) -> None:
    known = walk.scope
    for key, value in entries(tree.get("params")):
        walk.add(walk.own("param", key.text), key.span, defines=True)
        walk.scope = replace(known, sizes=frozenset())  # a default sees no sizes of a use
        walk.value(value)
        walk.scope = known
    _walk_inputs(walk, tree.get("inputs"))
    if (chain := tree.get("seq")) is not None:
        walk_chain(walk, chain)
    for key, value in entries(tree.get("nodes")):
        walk_node(walk, key, value)
    _walk_outputs(walk, tree)


def _walk_inputs(walk: Walk, tree: Tree | None) -> None:
    """Note the inputs, and the sizes and params in their shapes; the first place of a size defines it."""
    for name, shape in input_entries(tree):
        walk.add(walk.own("input", name.text), name.span, defines=True)
        for item in sizes_of(shape):
            names = {*size_names(item)}
            if not isinstance(item, Scalar) or not names:
                walk.value(item)
                continue
            for one in names_in(item.text):
                span = item.part(one.start, one.end)
                if one.is_param:
                    walk.add(walk.param(one.name), span)
                elif one.name in names:
                    walk.add(walk.own("size", one.name), span, defines=True)
        for key, value in entries(shape):
            if key.text != "shape":
                walk.value(value)


def _walk_outputs(walk: Walk, tree: Mapping) -> None:
    outputs = tree.get("outputs")
    if isinstance(outputs, Mapping):
        for key, value in outputs.entries:
            _walk_named_output(walk, key, value)
        return
    items = outputs.items if isinstance(outputs, Sequence) else (outputs,)
    for item in items:
        if isinstance(item, Mapping):
            for key, value in item.entries:
                _walk_named_output(walk, key, value)
        elif isinstance(item, Scalar) and item.text and outputs is not None:
            name = item.text.partition(".")[0]
            site = Site(tree.key("outputs"), outputs, item, tree)
            walk.source(item, site)
            symbol = walk.own("output", name)
            walk.add(symbol, item.part(0, len(name)), defines=True, site=site, implied=True)


def _walk_named_output(walk: Walk, key: Scalar, value: Tree) -> None:
    walk.add(walk.own("output", key.text), key.span, defines=True)
    source = value.get("from") if isinstance(value, Mapping) else value
    if source is not None:
        walk.source(source)


def _note_chosen(walk: Walk, tree: Mapping) -> None:
    """Note the params of the spec whose value, or choice of a search, is the name of a block, and that
    name a block somewhere."""
    given = [
        (key.text, value)
        for key, param in entries(tree.get("params"))
        for value in values_of(param)
        if walk.scopes.is_block(value.text)
    ]
    chosen = _choosing(tree) if given else set()
    for name, value in given:
        if name in chosen:
            walk.add(Symbol("block", value.text), value.span)


def _choosing(tree: Tree) -> set[str]:
    """Return the params that stand where a name of a block may: `block: $kind`, or an item `$kind`."""
    found: set[str] = set()
    stack = [tree]
    while stack:
        current = stack.pop()
        if isinstance(current, Sequence):
            stack.extend(current.items)
        elif isinstance(current, Mapping):
            for key, value in current.entries:
                stack.append(value)
                if key.text in ("block", "scan") and isinstance(value, Scalar):
                    found.add(value.text.removeprefix("$"))
                if key.text == "seq" and isinstance(value, Sequence):
                    found.update(_item_name(item).removeprefix("$") for item in value.items)
    return found


def _item_name(item: Tree) -> str:
    key = item.entries[0][0] if isinstance(item, Mapping) and item.entries else item
    return key.text if isinstance(key, Scalar) else ""


def find_occurrences(tree: Tree | None) -> Occurrences:
    """Return every place in a spec where a name is defined or used, in the order of the text.

    The tree may be that of a wrong or unfinished spec: what is there counts.
    """
    if not isinstance(tree, Mapping):
        return Occurrences((), Scopes({"": Scope("")}, {}))
    scopes = scopes_of(tree)
    walk = Walk(scopes, scopes.by_block[""])
    walk_spec(walk, tree)
    found = sorted(walk.found, key=lambda one: (one.span[1:], one.implied))
    return Occurrences(tuple(found), scopes)


def scopes_of(tree: Mapping) -> Scopes:
    """Return the scopes of a spec."""
    blocks = {key.text: scope_of(key.text, value) for key, value in entries(tree.get("blocks"))}
    parts = {
        key.text: value.text
        for key, value in entries(tree.get("parts"))
        if isinstance(value, Scalar) and value.name
    }
    return Scopes({"": scope_of("", tree), **blocks}, parts)
