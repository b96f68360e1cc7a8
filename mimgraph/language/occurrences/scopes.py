"""The names that a spec and each of its blocks declare, read from the tree alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from mimgraph.ir.declared_values import is_computed
from mimgraph.ir.names import CONSTANTS, OPS
from mimgraph.language.occurrences.symbols import Kind, Symbol
from mimgraph.language.occurrences.texts import names_in
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Sequence, Tree


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
    if isinstance(tree, Mapping):
        yield from ((key.text, key) for key, _ in tree.entries)
    elif isinstance(tree, Sequence):
        for item in tree.items:
            if isinstance(item, Mapping):
                yield from ((key.text, key) for key, _ in item.entries)
            elif isinstance(item, Scalar) and item.name and "." not in item.text:
                yield item.text, item
    elif isinstance(tree, Scalar) and tree.name:
        yield tree.text.partition(".")[0], tree


def operation(node: Tree) -> tuple[Scalar, Tree] | None:
    """Return the entry that says what a node does: `layer: Linear`."""
    found = {key.text: (key, value) for key, value in entries(node)}
    return next((found[word] for word in (*OPS, *CONSTANTS) if word in found), None)


def is_counted(node: Mapping) -> bool:
    """Return whether `each` is a number of copies, `4` or `$experts`, and names no sources."""
    each = node.get("each")
    return isinstance(each, Scalar) and (type(each.value) is int or each.text.startswith("$"))


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
            if is_counted(node):
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
