"""Find which inputs and nodes of two bodies correspond: by name, else by what they do and where."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import islice
from typing import TypeAlias

from mimgraph.compare.equality import ValueNumbers, comparable
from mimgraph.ir.typed_graph import Body, TypedNode, Value
from mimgraph.ir.typed_operations import Shared, TypedOperation

MOST_TRIED = 100  # candidates that do the same on one source

Source: TypeAlias = tuple[str, str]  # a name and its port, "" for the default
Reader: TypeAlias = tuple[str, str]  # a node and its operand; for an output "" and its name


def same_names(old: Body, new: Body, numbers: ValueNumbers) -> dict[str, str]:
    """Return the old names of the inputs and nodes that both bodies have, with their new names."""
    names = {name: name for name in old.inputs if name in new.inputs}
    names |= {name: name for name in old.by_name if name in new.by_name}
    _match_inputs(old, new, names)
    if old.by_name.keys() - names.keys():
        _Renames(old, new, names, numbers).find()
        _match_inputs(old, new, names)  # again, for inputs that renamed nodes read
    return names


def _match_inputs(old: Body, new: Body, names: dict[str, str]) -> None:
    """Add the inputs that were renamed: the same operands read them, and their types are equal (not
    compared in a block, where they follow from the use)."""
    taken = set(names.values())
    readers = _readers(old, names)
    left: dict[Hashable, str] = {}
    for name, type_ in old.inputs.items():
        if name not in names:
            left.setdefault((readers.get(name), None if old.family else type_), name)
    readers = _readers(new, {}) if left else {}
    for name, type_ in new.inputs.items():
        key = readers.get(name), None if old.family else type_
        if name not in taken and name in readers and key in left:
            names[left.pop(key)] = name


class _Renames:
    """Finds renamed nodes: they do the same, and have the same sources or the same readers."""

    def __init__(self, old: Body, new: Body, names: dict[str, str], numbers: ValueNumbers) -> None:
        self.old, self.new, self.names, self.numbers = old, new, names, numbers
        self.back = {now: was for was, now in names.items()}
        self.old_readers, self.new_readers = _readers(old, names), _readers(new, {})
        self.unmatched: dict[Hashable, dict[str, None]] = {}  # old nodes, by each of their keys
        for node in old.order:
            if node.name not in names:
                for key in self._old_keys(node):
                    self.unmatched.setdefault(key, {})[node.name] = None

    def find(self) -> None:
        """Add the renamed nodes to `names`, in running order: a node's sources come before it."""
        for node in self.new.order:
            if node.name in self.back:
                continue
            was = next(self._candidates(node), None)
            if was is not None:
                self.names[was], self.back[node.name] = node.name, was
                for key in self._old_keys(self.old.by_name[was]):
                    self.unmatched[key].pop(was)

    def _candidates(self, node: TypedNode) -> Iterator[str]:
        """Yield the old nodes that a new one may be, the most likely first."""
        sources = [source_of(self.new, value) for value in node.arguments.values()]
        first = [(self.back.get(name, name), port) for name, port in sources[:1]]
        for action in self._actions(node):
            for name in islice(self.unmatched.get(("on", action, *first), ()), MOST_TRIED):
                if renamed_sources(self.old, self.old.by_name[name], self.names) == sources:
                    yield name
        for action in self._actions(node):
            if node.name in self.new_readers:
                readers = self.new_readers[node.name]
                yield from self.unmatched.get(("for", action, readers), ())

    def _old_keys(self, node: TypedNode) -> Iterator[Hashable]:
        """Yield the keys of an old node: what it does with its first source, and for its readers."""
        first = [source_of(self.old, value) for value in islice(node.arguments.values(), 1)]
        for action in self._actions(node):
            yield ("on", action, *first)
            yield ("for", action, self.old_readers.get(node.name))

    def _actions(self, node: TypedNode) -> Iterator[Hashable]:
        """Yield what a node does: as written, and as inferred in case its block was renamed."""
        yield "form", form(node.operation)
        yield "number", self.numbers.operation(node)


def source_of(body: Body, value: Value) -> Source:
    """Return a source as a spec names it."""
    node = body.by_name.get(value.name)
    return value.name, "" if node is not None and node.default == value.port else value.port


def renamed_sources(old: Body, node: TypedNode, names: dict[str, str]) -> list[Source]:
    """Return the sources of an old node under their new names."""
    return [renamed_source(source_of(old, value), names) for value in node.arguments.values()]


def renamed_source(source: Source, names: dict[str, str]) -> Source:
    """Return an old source under its new name; its port may have another name too."""
    name, port = source
    if port and (now := names.get(f"{name}.{port}")) is not None:
        name, _, port = now.partition(".")
        return name, port
    return renamed(name, names), port


def renamed(name: str, names: dict[str, str]) -> str:
    """Return the new name of a node, or of an item of its `each`."""
    head, dot, item = name.partition(".")
    return names.get(name) or names.get(head, head) + dot + item


def _readers(body: Body, names: dict[str, str]) -> dict[str, frozenset[Reader]]:
    """Return what reads each input and node, under the new names of the readers."""
    found: dict[str, set[Reader]] = {}
    for node in body.nodes:
        for operand, value in node.arguments.items():
            found.setdefault(value.name, set()).add((names.get(node.name, node.name), operand))
    for name, value in body.outputs.items():
        found.setdefault(value.name, set()).add(("", name if len(body.outputs) > 1 else ""))
    return {name: frozenset(readers) for name, readers in found.items()}


def form(operation: TypedOperation) -> Hashable:
    """Return the op and its options as written, without what inference adds from the sources."""
    if isinstance(operation, Shared):
        return "share", operation.traits
    items = tuple([(item.name, form(item.operation)) for item in operation.items])
    settings = comparable(operation.settings), operation.activation_name, operation.shared
    return type(operation), operation.op or operation.op_name, settings, items
