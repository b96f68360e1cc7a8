"""Decide what completion proposes at a place of a spec: keys or values, as the place asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from mimgraph.declare.tree import Mapping, Scalar
from mimgraph.editor.analysis import Analysis
from mimgraph.editor.features.completion.cursor import MARK, Cursor, cursor_at
from mimgraph.editor.features.completion.ops import (
    activations,
    layers,
    merges,
    op_of,
    option_values,
    options,
)
from mimgraph.editor.features.completion.proposal import Proposal
from mimgraph.editor.features.completion.scope import Names, names_at, node_at, part_paths
from mimgraph.editor.features.uses import Uses
from mimgraph.ir.grammar import BY_NAME, KINDS, NODES, PLACES, value_of
from mimgraph.ir.types import DTYPES
from mimgraph.language.files import Place
from mimgraph.language.keys import EVERY_KEY
from mimgraph.language.scopes import operation, values_of
from mimgraph.source import Span


class Completion(NamedTuple):
    """The proposals at a place, and the span of the word that they replace."""

    span: Span
    proposals: list[Proposal]
    has_colon: bool
    is_quoted: bool


def complete(
    analysis: Analysis, uses: Uses | None, place: Place | None, line: int, column: int
) -> Completion | None:
    """Return what may stand at a place; None in a comment or where nothing is known."""
    cursor = cursor_at(analysis.file, line, column)
    if cursor is None:
        return None
    completer = _Completer(cursor, names_at(cursor, uses), place)
    unique = {one.label: one for one in reversed([*completer.proposals()])}
    found = sorted(unique.values(), key=lambda one: (one.rank, one.label.lower(), one.label))
    return Completion(cursor.span, found, cursor.has_colon, cursor.is_quoted)


BOOLEANS = (Proposal("true", "value"), Proposal("false", "value"))
# kinds of values, as the grammar calls them: those that name sources, or sizes, or may be computed
SOURCES = (
    *("source", "sources", "each", "carried", "scanned", "counted"),
    *("outputs", "outputs of a block", "an output", "an output of a block"),
)
SIZES = ("shape", "an input", "an input of a block")
COMPUTED = (
    "data",
    "amount",
    "count",
    "option",
    "param",
    "training",
    "argument",
    "formula",
    "repeat",
    "columns",
)


def located(cursor: Cursor) -> tuple[str, str, list[str]]:
    """Return the kind of the value at the cursor that the grammar knows, its key, and the keys inside."""
    kind, key, steps = "a spec", "", cursor.steps
    for at, (around, word) in enumerate(steps):
        if not isinstance(around, Mapping) or not word or kind not in (*PLACES, *BY_NAME):
            return kind, key, [step.key for step in steps[at:]]
        if kind in BY_NAME:
            kind = BY_NAME[kind]
        else:
            kind = value_of(kind, word, {name.text for name, _ in around.entries})
            key = word
    return kind, key, []


class _Completer:
    """Proposes for one cursor."""

    def __init__(self, cursor: Cursor, names: Names, place: Place | None) -> None:
        self.cursor = cursor
        self.names = names
        self.place = place
        self.taken = self._taken()

    def _taken(self) -> set[str]:
        """Return the keys that the mapping at the cursor has already."""
        around = self.cursor.steps[-1].around
        if not self.cursor.is_key or not isinstance(around, Mapping):
            return set()
        return {key.text for key, _ in around.entries if MARK not in key.text}

    def proposals(self) -> Iterator[Proposal]:
        """Yield what may stand at the cursor."""
        if self.cursor.typed.startswith("$") and not self.cursor.is_key:
            yield from self.names.params()
            return
        for one in self._at(*located(self.cursor)):
            if one.label not in self.taken:
                yield one

    def _at(self, kind: str, key: str, rest: list[str]) -> Iterator[Proposal]:
        """Yield what may stand where the grammar wants a value of this kind, the value of a `key`; `rest`
        are the keys inside it."""
        is_key = self.cursor.is_key
        if kind == "a node" and (not rest or rest == [""]):
            yield from self._of_node()
        elif is_key and kind in PLACES and rest == [""]:
            yield from self._keys(kind)
        elif is_key:
            yield from self._names(kind, rest)
        elif kind == "chain":
            yield from self._item(rest[1:]) if rest else ()
        elif kind == "activation" and rest:
            yield from option_values(op_of("layer", rest[0]), rest[-1])
        elif kind in SOURCES:
            yield from self.names.sources()
        elif kind in SIZES:
            yield from (*self.names.sizes(), *self.names.params())
        elif kind in self._values:
            yield from self._values[kind]()
        elif kind in COMPUTED:
            yield from self._option_values(key)

    def _names(self, kind: str, rest: list[str]) -> Iterator[Proposal]:
        """Yield the keys of a mapping whose keys are names, or options."""
        if kind == "chain" and rest:
            yield from self._item(rest[1:])
        elif kind == "activation" and len(rest) == 2:
            yield from options(op_of("layer", rest[0]))
        elif kind == "columns":
            yield from self._options()
        elif kind == "sizes":
            yield from self.names.sizes()
        elif kind in SOURCES and rest == [""]:
            yield from self._arguments()

    @property
    def _values(self) -> dict[str, Callable[[], Iterable[Proposal]]]:
        """The values of each kind that has a few."""
        names = self.names
        return {
            "layer": lambda: layers(self.cursor.typed),
            "merge": merges,
            "block": names.blocks,
            "shared": self._shared,
            "activation": activations,
            "port": self._ports,
            "flag": lambda: BOOLEANS,
            "switch": lambda: BOOLEANS,
            "output": lambda: BOOLEANS,
            "dtype": lambda: (Proposal(name, "value") for name in DTYPES),
            "only": lambda: (Proposal("training", "value"),),
            "default": self._choices,
            "sizes": names.params,
            "parts": lambda: () if self.place is None else part_paths(self.place),
        }

    def _keys(self, place: str) -> Iterator[Proposal]:
        """Yield the keys that a part of a spec may have."""
        for rank, key in enumerate(filter(None, PLACES[place])):
            yield Proposal(key, "key", EVERY_KEY[key].type, about=key, rank=rank)

    def _choices(self) -> Iterator[Proposal]:
        """Yield the values among which the param at the cursor is searched."""
        param = self.names.scopes.by_block[""].params.get(self.cursor.path[1])
        values = (one for one in values_of(param) if MARK not in one.text)
        yield from (Proposal(one.text, "value") for one in values)

    def _operation(self) -> tuple[str, str]:
        """Return the key and name of the operation of the node: `layer`, `Linear`."""
        node = node_at(self.cursor)
        entry = operation(node) if node is not None else None
        if entry is None:
            return "", ""
        name = entry[1].text if isinstance(entry[1], Scalar) else ""
        return entry[0].text, name

    def _of_node(self) -> Iterator[Proposal]:
        """Yield the options of the node's op, and the keys that a node with it may have."""
        kind, _ = self._operation()
        yield from self._options()
        for one in self._keys("a node"):
            is_op = one.label in KINDS
            if not kind and is_op:
                yield one._replace(rank=one.rank - 50)
            elif not is_op and (not kind or one.label in NODES[kind]):
                yield one._replace(rank=one.rank + 10)

    def _options(self) -> Iterator[Proposal]:
        """Yield the options of the op or block of the node, or of each that a param may choose."""
        kind, name = self._operation()
        scopes = self.names.scopes
        names = [one.text for one in scopes.given(name)] if name.startswith("$") else [name]
        if kind in ("layer", "merge"):
            for one in names:
                yield from options(op_of(kind, one))
        elif kind in ("block", "scan"):
            for one in names:
                yield from self.names.block_options(one)
        elif kind:
            yield from options(op_of("tensor", kind))

    def _option_values(self, option: str) -> Iterator[Proposal]:
        """Yield the values of an option, and the params and sizes that may compute it."""
        if self.cursor.is_key:
            return
        kind, name = self._operation()
        op = op_of(kind, name) if kind in ("layer", "merge") else op_of("tensor", kind)
        yield from option_values(op, option)
        yield from self.names.params()

    def _arguments(self) -> Iterator[Proposal]:
        """Yield the names of the sources that the op or block takes."""
        kind, name = self._operation()
        if kind in ("layer", "merge"):
            op = op_of(kind, name)
            found = op.inputs.names if op is not None else ()
        else:
            scope = self.names.scopes.by_block.get(name) if kind in ("block", "scan") else None
            found = tuple(scope.inputs) if scope is not None else ()
        yield from (Proposal(one, "key") for one in found)

    def _shared(self) -> Iterator[Proposal]:
        """Yield the nodes whose modules can be used again."""
        inputs = self.names.scope.inputs
        for name in self.names.scope.nodes:
            if name and name != self.names.node and name not in inputs and MARK not in name:
                yield Proposal(name, "source", self.names.shape(name))

    def _ports(self) -> Iterator[Proposal]:
        """Yield the ports of the node at the cursor."""
        kind, name = self._operation()
        op = op_of(kind, name) if kind in ("layer", "merge") else None
        found = {**dict.fromkeys(op.ports if op else (), ""), **self.names.ports(self.names.node)}
        yield from (Proposal(port, "port", detail) for port, detail in found.items())

    def _item(self, path: list[str]) -> Iterator[Proposal]:
        """Yield the layers and blocks that an item of a seq may be, or its options."""
        is_key = self.cursor.is_key
        if not path or (path == [""] and is_key):
            yield from (one._replace(rank=0) for one in self.names.blocks())
            yield from layers(self.cursor.typed)
        elif path == [path[0], ""] and is_key:
            yield from self._item_options(path[0])
        elif not is_key:
            op = op_of("layer", path[0])
            option = path[1] if len(path) > 1 else op.lone_option if op is not None else None
            if option == "activation":
                yield from activations()
            elif option is not None:
                yield from option_values(op, option)
            yield from self.names.params()

    def _item_options(self, name: str) -> Iterator[Proposal]:
        if self.names.scopes.is_block(name):
            yield from self.names.block_options(name)
        else:
            yield from options(op_of("layer", name))
        for one in self._keys("an item of a seq"):
            yield one._replace(rank=one.rank + 10)
