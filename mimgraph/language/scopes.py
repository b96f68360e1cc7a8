"""The names that a spec and each of its blocks declare, as symbols; walk over its names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from keyword import iskeyword
from typing import Literal, NamedTuple, TypeAlias

from mimgraph.declare.nodes import is_number_of_copies
from mimgraph.declare.tree import Mapping, Scalar, Sequence, Tree
from mimgraph.ir.declared_values import closing, is_computed
from mimgraph.ir.grammar import kind_of
from mimgraph.source import Span

_DOLLAR = re.compile(r"\$(?:([A-Za-z_]\w*)|\()", re.ASCII)
_WORD = re.compile(r"(?<![\w.])([A-Za-z_]\w*)(?![\w(])", re.ASCII)  # no function, no `1e5`


class Name(NamedTuple):
    """A name in a text, and the characters where it stands; whether a `$` stands for its value."""

    name: str
    start: int
    end: int
    is_param: bool


def params_in(text: str) -> Iterator[Name]:
    """Yield the names of params in a text."""
    return (name for name in names_in(text) if name.is_param)


def names_in(text: str) -> Iterator[Name]:
    """Yield the names in a formula or a size: variables, and params behind a `$`. A parenthesis that is
    not closed yet ends with the text."""
    at = 0
    for match in _DOLLAR.finditer(text):
        if match.start() < at:
            continue
        yield from _words(text, at, match.start(), False)
        if match[1] is not None:
            at = match.end()
            yield Name(match[1], *match.span(1), True)
            continue
        start = match.end()
        at = closing(text, start)
        at = len(text) if at == start else at
        yield from _words(text, start, at, True)
    yield from _words(text, at, len(text), False)


def _words(text: str, start: int, end: int, is_param: bool) -> Iterator[Name]:
    for match in _WORD.finditer(text, start, end):
        if not iskeyword(match[1]):
            yield Name(match[1], *match.span(1), is_param)


# The names of a spec as symbols, and the places where each stands.


Kind: TypeAlias = Literal["input", "node", "param", "size", "block", "output", "port", "variable"]


class Symbol(NamedTuple):
    """One thing that has a name: an input, node, param or size of the spec or of a `block`, a block,
    an output, a port of an `each`, or a variable of a formula.

    The last two belong to a `node`. `part` is the path of the part, as the spec writes it, that declares
    the name; "" if the spec does.
    """

    kind: Kind
    name: str
    block: str = ""
    node: str = ""
    part: str = ""

    @property
    def path(self) -> str:
        """Its name behind the names of its block and node: `residual.conv`."""
        inside = self.kind in ("port", "variable")
        names = (self.block, self.node if inside else "", self.name)
        return ".".join(name for name in names if name)


class Site(NamedTuple):
    """A source in a list, or alone, whose name is also that of something else: of a port of an `each`,
    a variable of a formula, an output, or a scanned input of a block.

    `whole` is the value of `key` that holds it, in the mapping `around`: a node, or what has the outputs.
    """

    key: Scalar
    whole: Tree
    item: Scalar
    around: Mapping


class Occurrence(NamedTuple):
    """A place where the name of a symbol stands; at a `site`, two symbols have one place.

    `implied` is the symbol that has its name from the source that stands there.
    """

    symbol: Symbol
    span: Span
    defines: bool = False
    site: Site | None = None
    implied: bool = False


@dataclass(frozen=True)
class Occurrences:
    """All occurrences in one text, in order, and the scopes in which its names hold."""

    all: tuple[Occurrence, ...]
    scopes: Scopes

    @property
    def parts(self) -> dict[str, str]:
        """The paths of its parts, by the names of their blocks."""
        return self.scopes.parts

    @cached_property
    def by_symbol(self) -> dict[Symbol, list[Occurrence]]:
        """The occurrences of each symbol."""
        found: dict[Symbol, list[Occurrence]] = {}
        for one in self.all:
            found.setdefault(one.symbol, []).append(one)
        return found

    def of(self, symbol: Symbol) -> list[Occurrence]:
        """Return the occurrences of a symbol."""
        return self.by_symbol.get(symbol, [])

    def defined(self) -> Iterator[Symbol]:
        """Yield every symbol that has a definition here."""
        for symbol, places in self.by_symbol.items():
            if any(one.defines for one in places):
                yield symbol

    def at(self, line: int, column: int) -> list[Occurrence]:
        """Return the occurrences at a place, which may be right behind the name; implied ones come last."""
        here = (line, column)
        found = [one for one in self.all if one.span[1:3] <= here <= one.span[3:5]]
        return sorted(found, key=lambda one: one.implied)


def definitions(places: Iterable[Occurrence]) -> list[Occurrence]:
    """Return the first occurrence that defines a symbol: the explicit ones, or else what implies it."""
    found = [one for one in places if one.defines]
    explicit = [one for one in found if not one.implied]
    return (explicit or found)[:1]


# The names that a spec and each of its blocks declare, read from the tree alone.


class Callee(NamedTuple):
    """A block that a node uses: one of the spec, or the spec in a part."""

    block: str
    part: str = ""

    def symbol(self, kind: Kind, name: str) -> Symbol:
        """Return an input, param or output of the block."""
        return Symbol(kind, name, self.block, part=self.part)


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that the spec declares, or one of its blocks; a `block` "" is the spec.

    A block that is a chain has one node "", the block itself.
    """

    block: str
    inputs: dict[str, Tree | None] = field(default_factory=dict)
    nodes: dict[str, Tree] = field(default_factory=dict)
    params: dict[str, Tree] = field(default_factory=dict)
    sizes: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()


def scope_of(block: str, tree: Tree) -> Scope:
    """Return the names in the spec or in a block."""
    if not isinstance(tree, Mapping):
        return Scope(block)
    inputs = {name.text: shape for name, shape in input_entries(tree.get("inputs")) if name.text}
    sizes = (
        name for shape in inputs.values() for item in sizes_of(shape) for name in size_names(item)
    )
    return Scope(
        block,
        inputs,
        {key.text: value for key, value in entries(tree.get("nodes"))} or {"": tree},
        {key.text: value for key, value in entries(tree.get("params"))},
        frozenset(sizes),
        frozenset(name for name, _ in output_names(tree.get("outputs"))),
    )


def entries(tree: Tree | None) -> tuple[tuple[Scalar, Tree], ...]:
    """Return the entries of a mapping; none of another value."""
    return tree.entries if isinstance(tree, Mapping) else ()


def input_entries(tree: Tree | None) -> Iterator[tuple[Scalar, Tree | None]]:
    """Yield the inputs: of a mapping with their shapes, of a list or a lone name without."""
    if isinstance(tree, Mapping):
        yield from tree.entries
    items = tree.items if isinstance(tree, Sequence) else (tree,)
    yield from ((item, None) for item in items if isinstance(item, Scalar) and item.name)


def sizes_of(shape: Tree | None) -> tuple[Tree, ...]:
    """Return the sizes of an input: in its list, or in the list under `shape`."""
    if isinstance(shape, Mapping):
        shape = shape.get("shape")
    return shape.items if isinstance(shape, Sequence) else ()


def size_names(item: Tree) -> Iterator[str]:
    """Yield the name in a size: `T`, `8*H`."""
    if isinstance(item, Scalar) and isinstance(item.value, str):
        text = item.text
        if text.isidentifier() or is_computed(text):
            yield from (one.name for one in names_in(text) if not one.is_param and one.name != "N")


def output_names(tree: Tree | None) -> Iterator[tuple[str, Scalar]]:
    """Yield the public name of each output, and the text that gives it."""
    for item in tree.items if isinstance(tree, Sequence) else (tree,):
        if isinstance(item, Mapping):
            yield from ((key.text, key) for key, _ in item.entries)
        elif isinstance(item, Scalar) and item.name and (item is tree or "." not in item.text):
            yield item.text.partition(".")[0], item


def operation(node: Tree) -> tuple[Scalar, Tree] | None:
    """Return the entry that says what a node does: `layer: Linear`."""
    found = {key.text: (key, value) for key, value in entries(node)}
    return found.get(kind_of(found))


def _source_texts(each: Tree) -> Iterator[str]:
    """Yield what names the ports of an `each`: its sources, or the keys of its mapping."""
    if isinstance(each, Mapping):
        yield from (key.text for key, _ in each.entries)
    items = each.items if isinstance(each, Sequence) else (each,)
    yield from (item.text for item in items if isinstance(item, Scalar))


def values_of(param: Tree | None) -> list[Scalar]:
    """Return the plain values that a param may have: its own, or the default and the choices of a search."""
    if isinstance(param, Scalar):
        return [param]
    if not isinstance(param, Mapping):
        return []
    search = param.get("search")
    items = search.items if isinstance(search, Sequence) else ()
    return [one for one in (param.get("default"), *items) if isinstance(one, Scalar)]


@dataclass(frozen=True)
class Scopes:
    """The scopes of a spec by block, the paths of its parts by name, and who uses which block."""

    by_block: dict[str, Scope]
    parts: dict[str, str]

    def callee(self, name: str) -> Callee:
        """Return the block of a name; a param of the spec may give it, `$kind`."""
        if name.startswith("$"):
            name = next((one.text for one in self.given(name)), name)
        return Callee("", self.parts[name]) if name in self.parts else Callee(name)

    def given(self, name: str) -> list[Scalar]:
        """Return the values that a param of the spec may give a name, `$kind`; its default comes first."""
        return values_of(self.by_block[""].params.get(name[1:]))

    def is_block(self, name: str) -> bool:
        """Return whether the spec has a block or part of this name."""
        return bool(name) and (name in self.by_block or name in self.parts)

    def used_by(self, node: Tree) -> Callee | None:
        """Return the block that a node uses, if its operation is one."""
        entry = operation(node)
        if entry is None or entry[0].text not in ("block", "scan"):
            return None
        return self.callee(entry[1].text) if isinstance(entry[1], Scalar) else None

    def shared(self, scope: Scope, name: str) -> list[tuple[Scope, str]]:
        """Return the nodes that a `share` means: of its own scope, or else of those around its block."""
        found: dict[str, tuple[Scope, str]] = {}
        stack, seen = [scope], set[str]()
        while stack:
            here = stack.pop()
            if here.block in seen:
                continue
            seen.add(here.block)
            if name in here.nodes or not here.block:
                found[here.block] = here, name
                continue
            users = self._users.get(here.block, ())
            stack += [self.by_block[user] for user in users] or [self.by_block[""]]
        return [*found.values()]

    def origin(self, scope: Scope, name: str) -> tuple[Scope, str]:
        """Return the node whose module a node uses: itself, unless it is a share of another."""
        seen = set[tuple[str, str]]()
        while (scope.block, name) not in seen:
            seen.add((scope.block, name))
            entry = operation(scope.nodes[name]) if name in scope.nodes else None
            if entry is None or entry[0].text != "share" or not isinstance(entry[1], Scalar):
                break
            scope, name = self.shared(scope, entry[1].text.partition(".")[0])[0]
        return scope, name

    def port(self, scope: Scope, name: str, port: str) -> Symbol | None:
        """Return what a port of a node is called after: an output of a block, or a source of an `each`."""
        scope, name = self.origin(scope, name)
        node = scope.nodes.get(name)
        if not isinstance(node, Mapping) or port == "*":
            return None
        if node.get("each") is not None:
            if is_number_of_copies(node.get("each")):
                return None
            scope, name = self._naming(scope, name, port)
            node = scope.nodes[name]
            if isinstance(node, Mapping) and node.get("each") is not None:
                return Symbol("port", port, scope.block, name)
        callee = self.used_by(node)
        return None if callee is None or port == "steps" else callee.symbol("output", port)

    def _naming(self, scope: Scope, name: str, port: str) -> tuple[Scope, str]:
        """Return the node after whose port that of an `each` is called: of `each: [experts.*]` the
        experts, if it has no source of that name itself."""
        seen = set[str]()
        first = scope, name
        while name not in seen:
            seen.add(name)
            node = scope.nodes.get(name)
            each = node.get("each") if isinstance(node, Mapping) else None
            if each is None:
                return (scope, name) if node is not None else first
            groups = list[str]()
            for text in _source_texts(each):
                group, _, rest = text.partition(".")
                if (rest.rpartition(".")[2] or group) == port:
                    return scope, name
                groups += [group] * (rest == "*")
            if not groups:
                return first
            scope, name = self.origin(scope, groups[0])
        return first

    @cached_property
    def _users(self) -> dict[str, list[str]]:
        """The blocks, "" for the spec, that use each block."""
        found: dict[str, list[str]] = {}
        for user, scope in self.by_block.items():
            used = {
                callee.block for node in scope.nodes.values() for callee in self._blocks_in(node)
            }
            for block in used:
                found.setdefault(block, []).append(user)
        return found

    def _blocks_in(self, node: Tree) -> Iterator[Callee]:
        """Yield the blocks that a node uses, also as items of its seq."""
        if (callee := self.used_by(node)) is not None:
            yield callee
        chain = node.get("seq") if isinstance(node, Mapping) else None
        for item in chain.items if isinstance(chain, Sequence) else ():
            key = item.entries[0][0] if isinstance(item, Mapping) and item.entries else item
            if isinstance(key, Scalar) and self.is_block(key.text):
                yield self.callee(key.text)


# Walk over the tree of a spec, and note where each name stands.


@dataclass(eq=False)
class Walk:
    """The occurrences that are found so far; `scope` is that of the spec or block being walked."""

    scopes: Scopes
    scope: Scope
    found: list[Occurrence] = field(default_factory=list)

    def add(
        self,
        symbol: Symbol | None,
        span: Span,
        *,
        defines: bool = False,
        site: Site | None = None,
        implied: bool = False,
    ) -> None:
        """Note an occurrence of a symbol, if there is one."""
        if symbol is not None:
            self.found.append(Occurrence(symbol, span, defines, site, implied))

    def own(self, kind: Kind, name: str, node: str = "") -> Symbol:
        """Return a symbol of the scope that is being walked."""
        return Symbol(kind, name, self.scope.block, node)

    # --- values -----------------------------------------------------------------------------------

    def value(self, tree: Tree | None) -> None:
        """Note the params in a value, also in the items of a list or mapping."""
        stack = [] if tree is None else [tree]
        while stack:
            current = stack.pop()
            if isinstance(current, Scalar):
                if "$" in current.text:
                    for one in params_in(current.text):
                        self.add(self.param(one.name), current.part(one.start, one.end))
            elif isinstance(current, Sequence):
                stack.extend(current.items)
            else:
                stack.extend(value for _, value in current.entries)

    def param(self, name: str) -> Symbol:
        """Return what stands behind a `$`: a size or param of the scope, or else a param of the spec."""
        scope = self.scope
        if name in scope.sizes and (scope.block or name not in scope.params):
            return self.own("size", name)
        return self.own("param", name) if name in scope.params else Symbol("param", name)

    def formula(self, tree: Tree, node: str) -> None:
        """Note the variables and params of a formula."""
        if not isinstance(tree, Scalar):
            return
        for one in names_in(tree.text):
            if one.name == "pi" and not one.is_param:  # torch.pi, in every formula
                continue
            symbol = self.param(one.name) if one.is_param else self.own("variable", one.name, node)
            self.add(symbol, tree.part(one.start, one.end))

    # --- sources ----------------------------------------------------------------------------------

    def source(self, tree: Tree, site: Site | None = None) -> None:
        """Note a source: an input or a node, and what its port is called after."""
        if not isinstance(tree, Scalar) or not tree.text:
            return
        name, dot, port = tree.text.partition(".")
        self.add(self.named(name), tree.part(0, len(name)), site=site)
        if dot and port:
            first = port.partition(".")[0]
            start = len(name) + 1
            symbol = self.scopes.port(self.scope, name, first)
            self.add(symbol, tree.part(start, start + len(first)))

    def named(self, name: str) -> Symbol:
        """Return the input or node of a name in the scope."""
        return self.own("input" if name in self.scope.inputs else "node", name)

    def sources(
        self, key: Scalar, tree: Tree, around: Mapping, implied: str = "", node: str = ""
    ) -> None:
        """Note the sources in `from` or `each`; `implied` is what they name: a variable or a port."""
        if isinstance(tree, Mapping):
            for _, value in tree.entries:
                self.source(value)
            return
        for item in tree.items if isinstance(tree, Sequence) else (tree,):
            if not isinstance(item, Scalar) or not item.text:
                continue
            site = Site(key, tree, item, around) if implied else None
            self.source(item, site)
            name, _, port = item.text.partition(".")
            if implied == "variable":
                self._imply("variable", name, item.part(0, len(name)), site, node)
            elif implied == "port" and port != "*":
                last = port.rpartition(".")[2] or name
                span = item.part(len(item.text) - len(last), len(item.text))
                self._imply("port", last, span, site, node)

    def _imply(self, kind: Kind, name: str, span: Span, site: Site | None, node: str) -> None:
        self.add(self.own(kind, name, node), span, defines=True, site=site, implied=True)

    def share(self, tree: Tree) -> None:
        """Note the node whose module is shared, and the item of an `each`."""
        if not isinstance(tree, Scalar) or not tree.text:
            return
        name, dot, item = tree.text.partition(".")
        for scope, target in self.scopes.shared(self.scope, name):
            self.add(Symbol("node", target, scope.block), tree.part(0, len(name)))
            if dot and item:
                port = self.scopes.port(scope, target, item)
                self.add(port, tree.part(len(name) + 1, len(tree.text)))

    # --- uses of blocks ---------------------------------------------------------------------------

    def block_name(self, tree: Tree) -> None:
        """Note the name of a block, or the param that gives it."""
        if isinstance(tree, Scalar) and tree.text:
            if "$" in tree.text:
                self.value(tree)
            else:
                self.add(Symbol("block", tree.text), tree.span)

    def argument(self, callee: Callee, tree: Scalar) -> None:
        """Note a name that `index` gives: of an input of the block, or of a param."""
        scope = None if callee.part else self.scopes.by_block.get(callee.block)
        kinds: list[Kind] = ["input"] if scope is None or tree.text in scope.inputs else []
        if scope is None or tree.text in scope.params:
            kinds.append("param")
        for kind in kinds:
            self.add(callee.symbol(kind, tree.text), tree.span)
