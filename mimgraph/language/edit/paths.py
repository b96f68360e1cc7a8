"""Find what a path means in the text of a spec: `fc`, `residual.conv`, `params.hidden`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mimgraph.declare.tree import Mapping, Scalar, Sequence, Tree, is_null
from mimgraph.diagnostics import Diagnostic, Label, SpecError
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.nearest import no_such_name
from mimgraph.language.occurrences import Home, Project
from mimgraph.language.scopes import Callee, Kind, Scope, Scopes, Symbol, definitions
from mimgraph.source import SourceFile, Span

SECTIONS: dict[str, Kind] = {
    "inputs": "input",
    "nodes": "node",
    "params": "param",
    "outputs": "output",
    "blocks": "block",
    "parts": "block",
}


def find_name(project: Project, path: str, name: str, kind: Kind | None = None) -> Home:
    """Return the symbol that a name means in the spec at a real path; raise a `SpecError` if there is none,
    or if there are several and no `kind` to choose one."""
    member = project.member(path)
    assert member is not None
    found = [*dict.fromkeys(_meant(project, path, name))]
    if kind is not None:
        found = [one for one in found if one.symbol.kind == kind]
    nodes = [one for one in found if one.symbol.kind in ("input", "node")]
    if nodes and kind is None:  # an output of the same name goes with its node
        found = [one for one in found if one.symbol.kind != "output"]
    if len(found) == 1:
        return found[0]
    if not found:
        raise _unknown(member.file, member.occurrences.defined(), name, kind)
    raise _ambiguous(project, found, name)


def _meant(project: Project, path: str, name: str) -> Iterator[Home]:
    """Yield every symbol that a name may mean."""
    member = project.member(path)
    if member is None:
        return
    scopes, defined = member.occurrences.scopes, {*member.occurrences.defined()}
    for symbol in _candidates(scopes, name):
        home = project.home(path, symbol)
        if home is None:
            continue
        there = project.member(home.path)
        if symbol in defined or (there and home.symbol in {*there.occurrences.defined()}):
            yield home


def _candidates(scopes: Scopes, name: str) -> Iterator[Symbol]:
    """Yield symbols that a name may mean, whether they exist or not."""
    first, _, rest = name.partition(".")
    whole = scopes.by_block[""]
    yield from _symbols_in(scopes, whole, name)
    if first == "blocks" and rest:
        yield Symbol("block", rest)
        first, _, rest = rest.partition(".")
    elif first in SECTIONS and rest:
        yield from (one for one in _symbols_in(scopes, whole, rest) if one.kind == SECTIONS[first])
        return
    if rest and first in scopes.by_block:
        scope = scopes.by_block[first]
        section, _, inner = rest.partition(".")
        yield from _symbols_in(scopes, scope, rest)
        if section in SECTIONS and inner:
            found = _symbols_in(scopes, scope, inner)
            yield from (one for one in found if one.kind == SECTIONS[section])
    elif rest and first in scopes.parts:
        yield from _of_callee(Callee("", scopes.parts[first]), rest)


def _symbols_in(scopes: Scopes, scope: Scope, name: str) -> Iterator[Symbol]:
    """Yield the symbols of a name in a scope: its own, or those in the block that a node uses."""
    first, _, rest = name.partition(".")
    if not rest:
        for kind in ("input", "node", "param", "size", "output"):
            yield Symbol(kind, name, scope.block)
        if not scope.block:
            yield Symbol("block", name)
    elif first in scope.nodes:
        yield Symbol("port", rest, scope.block, first)
        yield Symbol("variable", rest, scope.block, first)
        callee = scopes.used_by(scope.nodes[first])
        inner = None if callee is None or callee.part else scopes.by_block.get(callee.block)
        if callee is not None and callee.part:
            yield from _of_callee(callee, rest)
        elif inner is not None and inner is not scope:
            yield from _symbols_in(scopes, inner, rest)


def _of_callee(callee: Callee, name: str) -> Iterator[Symbol]:
    """Yield what a part may declare under a name."""
    for kind in ("input", "node", "param", "size", "output"):
        yield callee.symbol(kind, name)


def _unknown(file: SourceFile, known: Iterator[Symbol], name: str, kind: Kind | None) -> SpecError:
    paths = {one.path for one in known if kind in (None, one.kind)}
    message, help = no_such_name(kind or "", name, sorted(paths))
    return fault(message, file.start, help)


def _ambiguous(project: Project, found: list[Home], name: str) -> SpecError:
    """Return the error for a name of several things, with a label at each."""
    kinds = [f"a{'n' * (one.symbol.kind[0] in 'aeiou')} {one.symbol.kind}" for one in found]
    places = []
    for home, kind in zip(found, kinds, strict=True):
        member = project.member(home.path)
        assert member is not None
        places += [Label(one.span, kind) for one in definitions(member.occurrences.of(home.symbol))]
    sections = (key for key, kind in SECTIONS.items() if kind == found[0].symbol.kind)
    section = next(sections, found[0].symbol.kind)
    help = f"give its kind, or its section: {section}.{name}"
    message = f"{name} is {' and '.join(kinds)}"
    found_several = Diagnostic(
        "duplicate-name", message, places[0].span, kinds[0], tuple(places[1:]), help=help
    )
    return SpecError([found_several])


def fault(
    message: str, span: Span, help: str = "", code: DiagnosticCode = "unknown-source"
) -> SpecError:
    """Return the error of an edit that cannot be made, at a place in the spec."""
    return SpecError([Diagnostic(code, message, span, help=help)])


# Find what a path names in the tree of a spec: a node, an item of a seq, an input, a section.


BY_NAME = ("nodes", "inputs", "params", "blocks", "parts", "outputs")


class Found(NamedTuple):
    """An entry of a mapping, or an item of a seq by its `position`, in the scope of a block, or of the spec "".

    `section` is that of the entry; "" for a section itself. `key` is the key of the entry or of the seq.
    """

    block: str
    section: str
    around: Mapping | Sequence
    key: Scalar
    value: Tree
    position: int = -1

    @property
    def name(self) -> str:
        """The name of the entry."""
        return self.key.text


class Missing(NamedTuple):
    """The last name of a path, which nothing has, and the scope in which it would be; `section` if the path
    names that."""

    block: str
    scope: Mapping
    name: str
    section: str = ""
    seq: tuple[Scalar, Sequence] | None = None


def find(tree: Mapping, path: str) -> Found | Missing:
    """Return what a path names, or where it would be; raise a `SpecError` if there is no such place.

    `fc` is a node, or else an input, param, block or output; `params.fc` names its section. A path goes
    into a block by its name, or by a node that uses it: `residual.conv`, `stage1.conv`.
    """
    scope, block, names = tree, "", path.split(".")
    while True:
        name, *rest = names
        is_section = _is_section(scope, name)
        if is_section and len(rest) == 1 and is_absent(scope.get(name)):
            return Missing(block, scope, rest[0], name)
        if is_section and (not rest or isinstance(scope.get(name), Mapping)):
            found = _in_section(scope, block, name, rest[:1])
            if len(rest) < 2 or isinstance(found, Missing):
                return found
            name, *rest = rest
        else:
            found = _by_name(scope, block, name)
        if not rest:
            return found
        if isinstance(found, Missing):
            raise unknown(found)
        inner = _content(tree, found)
        if inner is None:
            message = f"{found.name} has no nodes inside"
            raise fault(message, found.key.span, f"write {found.name!r}")
        if not isinstance(inner, _Inner):
            return _seq_item(inner, block, rest)
        block, scope = inner.block, inner.tree
        chain = scope.entry("seq")
        is_item = len(rest) == 1 and rest[0].isdecimal()
        if is_item and chain is not None and isinstance(chain[1], Sequence):
            return _seq_item((chain[0], chain[1]), block, rest)
        names = rest


def _is_section(scope: Mapping, name: str) -> bool:
    """Return whether a name is that of a section; `limits` may be a node's, too."""
    if name != "limits":
        return name in SECTIONS
    nodes = scope.get("nodes")
    return not isinstance(nodes, Mapping) or nodes.entry(name) is None


class _Inner(NamedTuple):
    block: str
    tree: Mapping


def _in_section(scope: Mapping, block: str, section: str, rest: list[str]) -> Found | Missing:
    entry = scope.entry(section)
    if not rest:
        if entry is None:
            return Missing(block, scope, section, section)
        return Found(block, "", scope, *entry)
    assert entry is not None
    around = entry[1]
    assert isinstance(around, Mapping)
    one = around.entry(rest[0])
    if one is None:
        return Missing(block, scope, rest[0], section)
    return Found(block, section, around, *one)


def _by_name(scope: Mapping, block: str, name: str) -> Found | Missing:
    for section in BY_NAME:
        around = scope.get(section)
        entry = around.entry(name) if isinstance(around, Mapping) else None
        if entry is not None and isinstance(around, Mapping):
            return Found(block, section, around, *entry)
    return Missing(block, scope, name)


def _content(tree: Mapping, found: Found) -> _Inner | tuple[Scalar, Sequence] | None:
    """Return the inside of an entry: the block itself, the block that a node uses, or its seq."""
    value = found.value
    if found.section == "blocks":
        return _Inner(found.name, value) if isinstance(value, Mapping) else None
    if found.section != "nodes" or not isinstance(value, Mapping):
        return None
    chain = value.entry("seq")
    if chain is not None:
        return (chain[0], chain[1]) if isinstance(chain[1], Sequence) else None
    used = value.get("block") or value.get("scan")
    blocks = tree.get("blocks")
    if isinstance(used, Scalar) and isinstance(blocks, Mapping):
        inner = blocks.get(used.text)
        return _Inner(used.text, inner) if isinstance(inner, Mapping) else None
    return None


def _seq_item(chain: tuple[Scalar, Sequence], block: str, rest: list[str]) -> Found | Missing:
    key, items = chain
    count = len(items.items)
    if len(rest) > 1 or not rest[0].isdecimal() or int(rest[0]) > count:
        message = f"no item of a seq is called {'.'.join(rest)!r}"
        raise fault(message, key.span, f"its items are 0 to {count - 1}")
    index = int(rest[0])
    if index == count:
        return Missing(block, Mapping((), key.span), rest[0], "seq", chain)
    return Found(block, "seq", items, key, items.items[index], index)


def unknown(missing: Missing) -> SpecError:
    """Return the error for a path that names nothing."""
    known = [
        key.text
        for section in BY_NAME
        if isinstance(around := missing.scope.get(section), Mapping)
        for key, _ in around.entries
    ]
    message, help = no_such_name("", missing.name, known, missing.block)
    return fault(message, missing.scope.span, help)


def is_absent(section: Tree | None) -> bool:
    """Return whether a section is not there, or empty."""
    return section is None or is_null(section)
