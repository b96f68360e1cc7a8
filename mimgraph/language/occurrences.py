"""Find every place where a spec, its parts and the specs that use it define or use a name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import NamedTuple

from mimgraph.declare.nodes import is_number_of_copies
from mimgraph.declare.tree import Mapping, Scalar, Sequence, Tree
from mimgraph.ir.declared_graph import BESIDE_FROM
from mimgraph.ir.grammar import PLACES, value_of
from mimgraph.language.files import PartFiles, Place, Refused, read_bytes
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
    scope_of,
    size_names,
    sizes_of,
    values_of,
)
from mimgraph.language.yaml_reader import tree_of
from mimgraph.source import SourceFile


class At(NamedTuple):
    """A `key` and its `value` in the mapping `around`; in a node, also the name of the node, and in a use
    of a block that block."""

    key: Scalar
    value: Tree
    around: Mapping
    node: str = ""
    callee: Callee | None = None


def note(walk: Walk, kind: str, at: At) -> None:
    """Note the names in a value of a kind that the grammar names."""
    if kind in _NOTES:
        _NOTES[kind](walk, at)
    elif kind in PLACES:
        note_keys(walk, kind, at)
    else:
        walk.value(at.value)


def note_keys(walk: Walk, place: str, at: At) -> None:
    """Note the names in a part of a spec; if it is no mapping, the params alone."""
    if not isinstance(at.value, Mapping):
        walk.value(at.value)
        return
    given = {key.text for key, _ in at.value.entries}
    for key, value in at.value.entries:
        kind = value_of(place, key.text, given)
        note(walk, kind, at._replace(key=key, value=value, around=at.value))


# the sections of a spec and of its blocks


def _params(walk: Walk, at: At) -> None:
    known = walk.scope
    if known.block:
        walk.scope = replace(known, sizes=frozenset())  # a default sees no sizes of a use
    for key, value in entries(at.value):
        walk.add(walk.own("param", key.text), key.span, defines=True)
        walk.value(value)
    walk.scope = known


def _parts(walk: Walk, at: At) -> None:
    for key, _ in entries(at.value):
        walk.add(Symbol("block", key.text), key.span, defines=True)


def _blocks(walk: Walk, at: At) -> None:
    for key, value in entries(at.value):
        walk.add(Symbol("block", key.text), key.span, defines=True)
        if isinstance(value, Mapping):
            inside = Walk(walk.scopes, walk.scopes.by_block[key.text], walk.found)
            note_keys(inside, "a block", At(key, value, value))


def _nodes(walk: Walk, at: At) -> None:
    for key, value in entries(at.value):
        walk.add(walk.own("node", key.text), key.span, defines=True)
        if isinstance(value, Mapping):
            callee = walk.scopes.used_by(value)
            note_keys(walk, "a node", At(key, value, value, key.text, callee))


def _sizes(walk: Walk, at: At) -> None:
    """Note the sizes for which limits hold."""
    for name, size in entries(at.value):
        if name.text in walk.scope.sizes:
            walk.add(walk.own("size", name.text), name.span)
        walk.value(size)


def _inputs(walk: Walk, at: At) -> None:
    """Note the inputs, and the sizes and params in their shapes; the first place of a size defines it."""
    for name, shape in input_entries(at.value):
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


def _outputs(walk: Walk, at: At) -> None:
    items = at.value.items if isinstance(at.value, Sequence) else (at.value,)
    for item in items:
        if isinstance(item, Mapping):
            for key, value in item.entries:
                walk.add(walk.own("output", key.text), key.span, defines=True)
                kind = "an output" if isinstance(value, Mapping) else "source"
                note(walk, kind, At(key, value, item))
        elif isinstance(item, Scalar) and item.text:
            name = item.text.partition(".")[0]
            site = Site(at.key, at.value, item, at.around)
            walk.source(item, site)
            symbol = walk.own("output", name)
            walk.add(symbol, item.part(0, len(name)), defines=True, site=site, implied=True)


# the keys of a node


def _counted(walk: Walk, at: At) -> None:
    """Note the source of an `arange`, whose value may also be a number."""
    is_number = isinstance(at.value, Scalar) and not at.value.name
    if is_number or "$" in getattr(at.value, "text", ""):
        walk.value(at.value)
    else:
        walk.sources(at.key, at.value, at.around)


def _sources(walk: Walk, at: At) -> None:
    """Note the sources of a node, and the names of the arguments that they fill."""
    callee = _callee(walk, at.node)
    is_formula = _is_formula(at.around)
    walk.sources(at.key, at.value, at.around, "variable" if is_formula else "", at.node)
    for name, _ in entries(at.value):
        if is_formula:
            walk.add(walk.own("variable", name.text, at.node), name.span, defines=True)
        elif callee is not None:
            walk.add(callee.symbol("input", name.text), name.span)


def _each(walk: Walk, at: At) -> None:
    """Note the sources of an `each`, and its ports; a share has the ports of the node that it shares."""
    if is_number_of_copies(at.value):
        walk.value(at.value)
        return
    scope, owner = walk.scopes.origin(walk.scope, at.node)
    if scope is not walk.scope:
        owner = at.node
    walk.sources(at.key, at.value, at.around, "port", owner)
    for name, _ in entries(at.value):
        walk.add(walk.own("port", name.text, owner), name.span, defines=True)


def _port(walk: Walk, at: At) -> None:
    """Note the port in `take`: of a block, or of each item of an `each`."""
    callee = at.callee or _callee(walk, at.node)
    if callee is not None and isinstance(at.value, Scalar) and at.value.text != "steps":
        walk.add(callee.symbol("output", at.value.text), at.value.span)


def _option(walk: Walk, at: At) -> None:
    """Note an option of a layer or merge, which may be a second source: the `like` of a `Cast`."""
    layer = at.around.get("layer")
    if isinstance(layer, Scalar) and BESIDE_FROM.get(layer.text) == at.key.text:
        walk.source(at.value)
    else:
        walk.value(at.value)


def _param(walk: Walk, at: At) -> None:
    """Note a param that a use of a block gives."""
    if at.callee is not None:
        walk.add(at.callee.symbol("param", at.key.text), at.key.span)
    walk.value(at.value)


def _training(walk: Walk, at: At) -> None:
    """Note a word on training, which is a param if the block has one of its name."""
    scope = walk.scopes.by_block.get(at.callee.block) if at.callee and not at.callee.part else None
    is_word = scope is not None and at.key.text not in scope.params
    note(walk, "data" if is_word else "param", at)


def _formula(walk: Walk, at: At) -> None:
    if _is_formula(at.around):
        walk.formula(at.value, at.node)
    else:
        walk.value(at.value)


def _columns(walk: Walk, at: At) -> None:
    """Note the params in `with`, and the params in their lists."""
    for name, value in entries(at.value):
        _param(walk, at._replace(key=name, value=value))


def _argument(walk: Walk, at: At) -> None:
    if at.callee is not None and isinstance(at.value, Scalar):
        walk.argument(at.callee, at.value)


def _output(walk: Walk, at: At) -> None:
    if at.callee is not None and isinstance(at.value, Scalar) and at.value.name is not None:
        walk.add(at.callee.symbol("output", at.value.text), at.value.span)


def _carried(walk: Walk, at: At) -> None:
    for name, source in entries(at.value):
        if at.callee is not None:
            walk.add(at.callee.symbol("input", name.text), name.span)
        walk.source(source)


def _scanned(walk: Walk, at: At) -> None:
    """Note the scanned inputs in `over`; one without a source in `from` is the name of its source too."""
    value, sites = at.value, list[Site]()
    if isinstance(value, Mapping):
        sites = [Site(at.key, value, name, at.around) for name, _ in value.entries]
        for _, axis in value.entries:
            walk.value(axis)
    elif isinstance(value, Scalar) and value.name and "$" not in value.text:
        sites = [Site(at.key, value, value, at.around)]
    else:
        walk.value(value)
    given = {name.text for name, _ in entries(at.around.get("from"))}
    for site in sites:
        item, is_given = site.item, site.item.text in given
        if not is_given:
            walk.source(item, site)
        symbol = None if at.callee is None else at.callee.symbol("input", item.text)
        walk.add(symbol, item.span, site=None if is_given else site, implied=not is_given)


def _chain(walk: Walk, at: At) -> None:
    """Note the names in the items of a seq: blocks and params of them."""
    for item in at.value.items if isinstance(at.value, Sequence) else ():
        name = item.entries[0][0] if isinstance(item, Mapping) and item.entries else item
        if not isinstance(name, Scalar) or not name.text:
            continue
        callee = walk.scopes.callee(name.text)
        is_block = bool(callee.part) or walk.scopes.is_block(callee.block)
        if is_block or "$" in name.text:
            walk.block_name(name)
        if isinstance(item, Mapping):
            for key, options in item.entries:
                inside = At(key, options, item, callee=callee if is_block else None)
                note(walk, "an item of a seq", inside)


def _callee(walk: Walk, node: str) -> Callee | None:
    """Return the block that a node uses, itself or by a share."""
    scope, name = walk.scopes.origin(walk.scope, node)
    found = scope.nodes.get(name)
    return None if found is None else walk.scopes.used_by(found)


def _is_formula(tree: Mapping) -> bool:
    merge = tree.get("merge")
    return isinstance(merge, Scalar) and merge.text == "formula"


# how to note the names in each kind of value in which there are others than params
_NOTES: dict[str, Callable[[Walk, At], None]] = {
    "argument": _argument,
    "block": lambda walk, at: walk.block_name(at.value),
    "blocks": _blocks,
    "carried": _carried,
    "chain": _chain,
    "columns": _columns,
    "counted": _counted,
    "each": _each,
    "formula": _formula,
    "inputs": _inputs,
    "inputs of a block": _inputs,
    "nodes": _nodes,
    "option": _option,
    "output": _output,
    "outputs": _outputs,
    "outputs of a block": _outputs,
    "param": _param,
    "params": _params,
    "parts": _parts,
    "port": _port,
    "scanned": _scanned,
    "shared": lambda walk, at: walk.share(at.value),
    "sizes": _sizes,
    "source": lambda walk, at: walk.source(at.value),
    "sources": _sources,
    "training": _training,
}


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
    note_keys(walk, "a spec", At(Scalar("", tree.span, "", plain=True), tree, tree))
    _note_chosen(walk, tree)
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
