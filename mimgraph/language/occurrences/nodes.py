"""Note the names in a node: sources, the block that it uses, params of it, ports, shares."""

from __future__ import annotations

from mimgraph.ir.declared_graph import BESIDE_FROM
from mimgraph.ir.names import CONSTANTS
from mimgraph.language.occurrences.scopes import Callee, entries, is_counted, operation
from mimgraph.language.occurrences.symbols import Site
from mimgraph.language.occurrences.walk import Walk
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Sequence, Tree


def walk_node(walk: Walk, key: Scalar, tree: Tree) -> None:
    """Note the names in a node of the scope."""
    walk.add(walk.own("node", key.text), key.span, defines=True)
    if not isinstance(tree, Mapping):
        return
    entry = operation(tree)
    for word, value in tree.entries:
        if entry is not None and word is entry[0]:
            _walk_operation(walk, word, value, tree)
        elif word.text == "from":
            _walk_from(walk, key.text, word, value, tree)
        elif word.text == "each" and not is_counted(tree):
            _walk_each(walk, key.text, word, value, tree)
        elif word.text == "take":
            _walk_port(walk, key.text, value)
        elif word.text == "like" and _takes_like(entry):
            walk.source(value)
        elif word.text == "expr" and _is_formula(tree):
            walk.formula(value, key.text)
        elif not _walk_call_word(walk, key.text, word, value, tree):
            walk.value(value)


def walk_chain(walk: Walk, tree: Tree) -> None:
    """Note the names in the items of a seq: blocks and params of them."""
    for item in tree.items if isinstance(tree, Sequence) else ():
        name = item.entries[0][0] if isinstance(item, Mapping) and item.entries else item
        if not isinstance(name, Scalar) or not name.text:
            continue
        callee = walk.scopes.callee(name.text)
        is_block = bool(callee.part) or walk.scopes.is_block(callee.block)
        if is_block or "$" in name.text:
            walk.block_name(name)
        if isinstance(item, Mapping):
            for _, options in item.entries:
                _walk_item(walk, callee if is_block else None, options)


def _walk_item(walk: Walk, callee: Callee | None, options: Tree) -> None:
    """Note the names in the options of an item, or in its lone value."""
    if not isinstance(options, Mapping) or callee is None:
        walk.value(options)
        return
    for word, value in options.entries:
        if word.text == "repeat":
            _walk_repeat(walk, callee, value)
        elif word.text == "take" and isinstance(value, Scalar):
            walk.add(callee.symbol("output", value.text), value.span)
        else:
            if word.text not in ("take", "over", "freeze"):
                walk.add(callee.symbol("param", word.text), word.span)
            walk.value(value)


def _walk_operation(walk: Walk, word: Scalar, value: Tree, tree: Mapping) -> None:
    match word.text:
        case "block" | "scan":
            walk.block_name(value)
        case "share":
            walk.share(value)
        case "seq":
            walk_chain(walk, value)
        case "arange" if not isinstance(value, Scalar) or value.name:
            if "$" in getattr(value, "text", ""):
                walk.value(value)
            else:
                walk.sources(word, value, tree)
        case _:
            walk.value(value)


def _walk_from(walk: Walk, node: str, key: Scalar, value: Tree, tree: Mapping) -> None:
    """Note the sources of a node, and the names of the arguments that they fill."""
    callee = _callee(walk, node)
    is_formula = _is_formula(tree)
    walk.sources(key, value, tree, "variable" if is_formula else "", node)
    for name, _ in entries(value):
        if is_formula:
            walk.add(walk.own("variable", name.text, node), name.span, defines=True)
        elif callee is not None:
            walk.add(callee.symbol("input", name.text), name.span)


def _walk_each(walk: Walk, node: str, key: Scalar, value: Tree, tree: Mapping) -> None:
    """Note the sources of an `each`, and its ports; a share has the ports of the node that it shares."""
    scope, owner = walk.scopes.origin(walk.scope, node)
    if scope is not walk.scope:
        owner = node
    walk.sources(key, value, tree, "port", owner)
    for name, _ in entries(value):
        walk.add(walk.own("port", name.text, owner), name.span, defines=True)


def _walk_port(walk: Walk, node: str, value: Tree) -> None:
    """Note the port in `take`: of a block, or of each item of an `each`."""
    callee = _callee(walk, node)
    if callee is not None and isinstance(value, Scalar) and value.text != "steps":
        walk.add(callee.symbol("output", value.text), value.span)


def _walk_call_word(walk: Walk, node: str, word: Scalar, value: Tree, tree: Mapping) -> bool:
    """Note a key of a node that uses a block; return whether it is one that is noted here."""
    callee = walk.scopes.used_by(tree)
    if callee is None:
        return False
    match word.text:
        case "repeat":
            _walk_repeat(walk, callee, value)
        case "with" if tree.get("each") is not None:
            _walk_columns(walk, callee, value)
        case "carry":
            for name, source in entries(value):
                walk.add(callee.symbol("input", name.text), name.span)
                walk.source(source)
        case "over" if tree.get("scan") is not None:
            _walk_over(walk, callee, word, value, tree)
        case "over" | "freeze" | "activation" | "each":
            walk.value(value)
        case _:
            walk.add(callee.symbol("param", word.text), word.span)
            walk.value(value)
    return True


def _walk_repeat(walk: Walk, callee: Callee, tree: Tree) -> None:
    if not isinstance(tree, Mapping):
        walk.value(tree)
        return
    for word, value in tree.entries:
        if word.text == "with":
            _walk_columns(walk, callee, value)
        elif word.text == "index" and isinstance(value, Scalar):
            walk.argument(callee, value)
        elif word.text == "collect" and isinstance(value, Scalar):
            if value.name is not None:
                walk.add(callee.symbol("output", value.text), value.span)
        else:
            walk.value(value)


def _walk_columns(walk: Walk, callee: Callee, tree: Tree) -> None:
    """Note the params in `with`, and the params in their lists."""
    for name, value in entries(tree):
        walk.add(callee.symbol("param", name.text), name.span)
        walk.value(value)


def _walk_over(walk: Walk, callee: Callee, key: Scalar, value: Tree, tree: Mapping) -> None:
    """Note the scanned inputs in `over`; one without a source in `from` is the name of its source too."""
    given = {name.text for name, _ in entries(tree.get("from"))}
    if isinstance(value, Mapping):
        for name, axis in value.entries:
            _walk_scanned(walk, callee, Site(key, value, name, tree), name.text in given)
            walk.value(axis)
    elif isinstance(value, Scalar) and value.name and "$" not in value.text:
        _walk_scanned(walk, callee, Site(key, value, value, tree), value.text in given)
    else:
        walk.value(value)


def _walk_scanned(walk: Walk, callee: Callee, site: Site, is_given: bool) -> None:
    item = site.item
    if not is_given:
        walk.source(item, site)
    symbol = callee.symbol("input", item.text)
    walk.add(symbol, item.span, site=None if is_given else site, implied=not is_given)


def _callee(walk: Walk, node: str) -> Callee | None:
    """Return the block that a node uses, itself or by a share."""
    scope, name = walk.scopes.origin(walk.scope, node)
    found = scope.nodes.get(name)
    return None if found is None else walk.scopes.used_by(found)


def _is_formula(tree: Mapping) -> bool:
    merge = tree.get("merge")
    return isinstance(merge, Scalar) and merge.text == "formula"


def _takes_like(entry: tuple[Scalar, Tree] | None) -> bool:
    """Return whether a node has a second source under the key `like`."""
    if entry is None:
        return False
    word, value = entry
    if word.text == "layer":
        return isinstance(value, Scalar) and BESIDE_FROM.get(value.text) == "like"
    return word.text in CONSTANTS
