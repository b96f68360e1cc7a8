"""Find every place where a spec, its parts and the specs that use it define or use a name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import NamedTuple

from mimgraph.ir.declared_graph import BESIDE_FROM
from mimgraph.ir.names import CONSTANTS
from mimgraph.language.files import PartFiles, Place, Refused, read_bytes
from mimgraph.language.reader.nodes import is_number_of_copies
from mimgraph.language.scopes import (
    Callee,
    Occurrence,
    Occurrences,
    Scope,
    Scopes,
    Site,
    Symbol,
    Walk,
    entries,
    input_entries,
    names_in,
    operation,
    scope_of,
    size_names,
    sizes_of,
    values_of,
)
from mimgraph.language.tree import Mapping, Scalar, Sequence, Tree
from mimgraph.language.yaml_reader import tree_of
from mimgraph.source import SourceFile


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
        elif word.text == "each" and not is_number_of_copies(value):
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


# Note the names in the sections of a spec and of its blocks: params, inputs, parts, blocks,
# outputs.


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


# Follow names from a spec into its parts, and into the specs that use it as a part.


EXPORTED = ("input", "param", "output")  # what the users of a part name
MAX_USERS = 1_000  # specs that are searched for uses of a part


class Member(NamedTuple):
    """A spec of the project, with its names."""

    file: SourceFile
    occurrences: Occurrences


class Home(NamedTuple):
    """A symbol in the spec that declares it, by the spec's real path."""

    path: str
    symbol: Symbol


def project_folder(path: str, roots: Iterable[str]) -> str:
    """Return the folder whose specs may name the one at a real path: the first of `roots` around it, but a
    hidden folder in that is a project of its own; without one, its own folder."""
    folders = PurePath(path).parents
    for root in map(PurePath, map(os.path.realpath, roots)):
        if root in folders:
            return str(next(one for one in folders if one == root or one.name.startswith(".")))
    return os.path.dirname(path)


@dataclass(eq=False)
class Project:
    """The specs of one folder, which know each other by `parts`; `open` are those that an editor holds,
    by real path. What lies outside of the folder is never read."""

    folder: str
    open: dict[str, Member] = field(default_factory=dict)
    listed: Callable[[str], list[str]] | None = (
        None  # the specs in the folder; None: nothing is searched
    )
    read: dict[str, Member | None] = field(default_factory=dict)

    def add(self, path: str, file: SourceFile, tree: Tree | None) -> Member:
        """Add a spec whose text is known, perhaps one that is not saved."""
        found = Member(file, find_occurrences(tree))
        self.open[os.path.realpath(path)] = found
        return found

    def member(self, path: str) -> Member | None:
        """Return the spec at a real path; None if it cannot be read or lies outside."""
        if path in self.open:
            return self.open[path]
        if path not in self.read:
            self.read[path] = self._load(path)
        return self.read[path]

    def home(self, path: str, symbol: Symbol) -> Home | None:
        """Return the symbol where it is declared: in a part, if it belongs to one."""
        if not symbol.part:
            return Home(path, symbol)
        inside = self.part_path(path, symbol.part)
        return None if inside is None else Home(inside, symbol._replace(part=""))

    def part_path(self, path: str, text: str) -> str | None:
        """Return the real path of a part of a spec; None if it may not be one."""
        place = self._place(path)
        try:
            return None if place is None else place.part(text).around[-1]
        except Refused:
            return None

    def places(self, home: Home) -> Iterator[Occurrence]:
        """Yield the occurrences of a symbol in all specs, its own spec first."""
        for path, member in self.naming(home):
            if path == home.path:
                yield from member.occurrences.of(home.symbol)
                continue
            for text in {*member.occurrences.parts.values()}:
                if self.part_path(path, text) == home.path:
                    yield from member.occurrences.of(home.symbol._replace(part=text))

    def naming(self, home: Home) -> Iterator[tuple[str, Member]]:
        """Yield the specs in which a symbol may stand, by real path, its own first."""
        member = self.member(home.path)
        if member is not None:
            yield home.path, member
        if home.symbol.kind in EXPORTED and not home.symbol.block:
            for path, user in self._users(home.path):
                texts = {*user.occurrences.parts.values()}
                if any(self.part_path(path, text) == home.path for text in texts):
                    yield path, user

    def _users(self, path: str) -> Iterator[tuple[str, Member]]:
        """Yield the other specs of the folder that may have this one as a part."""
        known = [*self.open]
        if self.listed is not None:
            known += [os.path.realpath(one) for one in self.listed(self.folder)[:MAX_USERS]]
        for one in dict.fromkeys(known):
            member = self.member(one) if one != path else None
            if member is not None and member.occurrences.parts:
                yield one, member

    def _place(self, path: str) -> Place | None:
        """Return the place of a spec in the folder."""
        root = os.path.realpath(self.folder or ".")
        if not path.startswith(root.rstrip(os.sep) + os.sep):
            return None
        inside = tuple(os.path.relpath(path, root).split(os.sep))
        return Place(PartFiles(root), inside, (path,))

    def _load(self, path: str) -> Member | None:
        place = self._place(path)
        if place is None:
            return None
        try:
            data = read_bytes(place, os.path.basename(path))
        except Refused:
            return None
        file = SourceFile(path, data.decode(errors="surrogateescape"))
        return Member(file, find_occurrences(tree_of(file)))
