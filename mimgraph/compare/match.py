"""Which inputs and nodes of one body are those of another: by name, else by what they do and where."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import islice, takewhile, zip_longest
from operator import attrgetter

from mimgraph.compare.equality import Numbers, plain
from mimgraph.ir.typed import (
    Body,
    Shared,
    TypedNode,
    TypedOperation,
    Value,
)
from mimgraph.ops import registry

MOST_TRIED = 100  # nodes that do the same on one source
MOST_ALIGNED = 500  # items of a chain that are compared each with each

Source = tuple[str, str]  # a name and its port, "" the default
Reader = tuple[str, str]  # a node and its operand; of an output "" and its name


def same_names(old: Body, new: Body, numbers: Numbers) -> dict[str, str]:
    """What the inputs and nodes of the old body are called in the new, as far as they are there."""
    names = {name: name for name in old.inputs if name in new.inputs}
    names |= {name: name for name in old.by_name if name in new.by_name}
    _match_inputs(old, new, names)
    if old.by_name.keys() - names.keys():
        _Renames(old, new, names, numbers).find()
        _match_inputs(old, new, names)  # those that feed what has another name
    return names


def _match_inputs(old: Body, new: Body, names: dict[str, str]) -> None:
    """An input of another name that feeds the same operands; one of the graph has the same type."""
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
    """Finds nodes of another name that do the same, on the same sources or for the same readers."""

    def __init__(self, old: Body, new: Body, names: dict[str, str], numbers: Numbers) -> None:
        self.old, self.new, self.names, self.numbers = old, new, names, numbers
        self.back = {now: was for was, now in names.items()}
        self.was_read, self.is_read = _readers(old, names), _readers(new, {})
        self.places: dict[Hashable, dict[str, None]] = {}
        for node in old.order:
            if node.name not in names:
                for place in self._old_places(node):
                    self.places.setdefault(place, {})[node.name] = None

    def find(self) -> None:
        """Those of the new nodes, as they run, so that sources are known first."""
        for node in self.new.order:
            if node.name in self.back:
                continue
            found = next(self._candidates(node), None)
            if found is not None:
                self.names[found], self.back[node.name] = node.name, found
                for place in self._old_places(self.old.by_name[found]):
                    self.places[place].pop(found)

    def _candidates(self, node: TypedNode) -> Iterator[str]:
        sources = [source_of(self.new, value) for value in node.arguments.values()]
        first = [(self.back.get(name, name), port) for name, port in sources[:1]]
        for deed in self._deeds(node):
            for name in islice(self.places.get(("on", deed, *first), ()), MOST_TRIED):
                if renamed_sources(self.old, self.old.by_name[name], self.names) == sources:
                    yield name
        for deed in self._deeds(node):
            if node.name in self.is_read:
                yield from self.places.get(("for", deed, self.is_read[node.name]), ())

    def _old_places(self, node: TypedNode) -> Iterator[Hashable]:
        """What an old node does, on which first source, and for whom."""
        first = [source_of(self.old, value) for value in islice(node.arguments.values(), 1)]
        for deed in self._deeds(node):
            yield ("on", deed, *first)
            yield ("for", deed, self.was_read.get(node.name))

    def _deeds(self, node: TypedNode) -> Iterator[Hashable]:
        """What a node does, as it is given; or as it is, if the blocks that it uses are renamed."""
        yield "form", _form(node.operation)
        yield "number", self.numbers.operation(node)


def source_of(body: Body, value: Value) -> Source:
    """A source as one names it."""
    node = body.by_name.get(value.name)
    return value.name, "" if node is not None and node.default == value.port else value.port


def renamed_sources(old: Body, node: TypedNode, names: dict[str, str]) -> list[Source]:
    """The sources of an old node as they are called now."""
    return [renamed_source(source_of(old, value), names) for value in node.arguments.values()]


def renamed_source(source: Source, names: dict[str, str]) -> Source:
    """What a source is called now; its port may be an item of an `each`, or a block's output."""
    name, port = source
    if port and (now := names.get(f"{name}.{port}")) is not None:
        name, _, port = now.partition(".")
        return name, port
    return renamed(name, names), port


def renamed(name: str, names: dict[str, str]) -> str:
    """What a node, or an item of its `each`, is called now."""
    head, dot, item = name.partition(".")
    return names.get(name) or names.get(head, head) + dot + item


def _readers(body: Body, names: dict[str, str]) -> dict[str, frozenset[Reader]]:
    """What reads each name, by its present name."""
    found: dict[str, set[Reader]] = {}
    for node in body.nodes:
        for operand, value in node.arguments.items():
            found.setdefault(value.name, set()).add((names.get(node.name, node.name), operand))
    for name, value in body.outputs.items():
        found.setdefault(value.name, set()).add(("", name if len(body.outputs) > 1 else ""))
    return {name: frozenset(readers) for name, readers in found.items()}


def _form(operation: TypedOperation) -> Hashable:
    """The op and its options as they are given, without what follows from the sources."""
    if isinstance(operation, Shared):
        return "share", operation.traits
    items = tuple([(item.name, _form(item.operation)) for item in operation.items])
    settings = plain(operation.settings), operation.activation_name, operation.shared
    return type(operation), operation.op or operation.op_name, settings, items


Pair = tuple[int | None, int | None]  # positions in the old chain and in the new


def aligned(old: Sequence[TypedNode], new: Sequence[TypedNode]) -> Iterator[Pair]:
    """Which items of two chains are one: the same, then those of one op, of one family of ops, and
    at last those in one place."""
    levels = [[list(map(word, chain)) for chain in (old, new)] for word in WORDS]

    def pairs(level: int, same: bool, ours: range, theirs: range) -> Iterator[Pair]:
        if same or level == len(levels):
            yield from zip_longest(ours, theirs)
            return
        for run in _runs(levels[level], ours, theirs):
            yield from pairs(level + 1, *run)

    return pairs(0, False, range(len(old)), range(len(new)))


def _family(node: TypedNode) -> str:
    """The family of a layer; what is none has its own."""
    op = registry.find("layer", node.op_name)
    return node.op_name if op is None else op.family


WORDS: tuple[Callable[[TypedNode], Hashable], ...] = (
    lambda node: _form(node.operation),
    attrgetter("op_name"),
    _family,
)


def _runs(
    words: list[list[Hashable]], ours: range, theirs: range
) -> Iterator[tuple[bool, range, range]]:
    """Ranges in which the words are the same, and what is between those."""
    old, new = words[0][ours.start : ours.stop], words[1][theirs.start : theirs.stop]
    first = _alike(zip(old, new, strict=False))
    last = _alike(zip(reversed(old[first:]), reversed(new[first:]), strict=False))
    yield True, ours[:first], theirs[:first]
    middles = old[first : len(old) - last], new[first : len(new) - last]
    ours, theirs = ours[first:], theirs[first:]
    if max(map(len, middles)) > MOST_ALIGNED:
        yield False, ours[: len(middles[0])], theirs[: len(middles[1])]
    else:
        for tag, a, b, c, d in SequenceMatcher(None, *middles, autojunk=False).get_opcodes():
            yield tag == "equal", ours[a:b], theirs[c:d]
    yield True, ours[len(middles[0]) :], theirs[len(middles[1]) :]


def _alike(pairs: Iterable[tuple[Hashable, Hashable]]) -> int:
    """How many pairs at the start are of equals."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
