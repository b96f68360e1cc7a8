"""Compares two typed graphs, node by node, each pair of bodies once.

Bodies that `compare.equality` holds to be equal are passed over, so equal graphs have no difference.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from mimgraph.compare.equality import Numbers, plain, same
from mimgraph.compare.match import (
    Source,
    aligned,
    renamed,
    renamed_source,
    renamed_sources,
    same_names,
    source_of,
)
from mimgraph.compare.model import Change, Difference, Edit, Inner, Inside, Kind, Status, dotted
from mimgraph.compare.node_facts import Facts, facts, item_words, told_whole
from mimgraph.cost.cost import Cost, Costs
from mimgraph.ir.expression import Expression, variables
from mimgraph.ir.typed import (
    Body,
    Leaf,
    Sequence,
    Shared,
    TypedGraph,
    TypedNode,
    TypedOperation,
    Value,
)
from mimgraph.ir.types import TensorType

PLAIN = {"dtype": "float32", "optional": False}  # of inputs, which is not told
WHOLE = ("share", "repeat", "shared")  # what is told of any node that does something else


def difference(old: TypedGraph, new: TypedGraph) -> Difference:
    """What changed from the old graph to the new."""
    params = _differing(old.body.params, new.body.params)
    costs = Costs(old), Costs(new)
    comparison = _Comparison((old.body, new.body), *costs)
    inside = Inside("")
    if not same(old, new, comparison.numbers):
        if old.name != new.name:
            edit = Edit("name", old.name, new.name)
            inside.changes.append(Change("changed", "graph", new.name, edits=(edit,)))
        for name in params:
            edit = Edit("value", old.body.params[name], new.body.params[name])
            inside.changes.append(Change("changed", "param", name, "param", edits=(edit,)))
        _Bodies(comparison, old.body, new.body, inside).compare()
    was, now = ([str(c) for c in graph.constraints] for graph in (old, new))
    return Difference(
        (old.name, new.name),
        tuple(inside.told_once()),
        (tuple(c for c in was if c not in now), tuple(c for c in now if c not in was)),
        (costs[0].total, costs[1].total),
        inside,
    )


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The names of both that have another value."""
    return [name for name in old if name in new and plain(old[name]) != plain(new[name])]


class _Comparison:
    """What is known of all bodies; `roots` are those of the specs."""

    def __init__(self, roots: tuple[Body, Body], was: Costs, now: Costs) -> None:
        self.roots, self.was, self.now = roots, was, now
        self.numbers = Numbers()
        self.insides: dict[tuple[Body, Body], Inside] = {}

    def inside(self, old: Body, new: Body, is_made: bool = False) -> Inside:
        """What changed in the body of a block, or of a fusion, which `is_made` for it."""
        if (old, new) not in self.insides:
            inside = self.insides[old, new] = Inside(new.family)
            if self.numbers.body(old) != self.numbers.body(new):
                _Bodies(self, old, new, inside, is_made).compare()
        return self.insides[old, new]


class _Place(NamedTuple):
    """What a node is called in its body: once, now, and with all of its like."""

    was: str
    name: str
    label: str

    def inner(self, was: str, name: str, label: str = "") -> _Place:
        """Of what is in it."""
        names = was, name, label or name
        return _Place(*(dotted(outer, inner) for outer, inner in zip(self, names, strict=True)))


class _Bodies:
    """Compares two bodies, and tells `inside` what differs."""

    def __init__(
        self,
        comparison: _Comparison,
        old: Body,
        new: Body,
        inside: Inside,
        is_made: bool = False,
    ) -> None:
        self.old, self.new, self.inside, self.is_made = old, new, inside, is_made
        self.comparison, self.numbers = comparison, comparison.numbers
        self.names = same_names(old, new, comparison.numbers)
        self.back = {now: was for was, now in self.names.items()}

    def compare(self) -> None:
        """Everything, in the order in which it runs; what is removed comes after the rest."""
        self.block()
        self.inputs()
        for node in self.new.order:
            was = self.back.get(node.name)
            if was is None:
                self.single("added", node, node.name)
            else:
                self.node(self.old.by_name[was], node, _Place(was, node.name, node.name))
        for node in self.old.order:
            if node.name not in self.names:
                self.single("removed", node, node.name)
        self.outputs()

    # the body itself

    def block(self) -> None:
        """The defaults of a block's params; the order of its inputs."""
        edits: list[Edit] = []
        effects: list[Edit] = []
        for name in _differing(self.old.defaults, self.new.defaults):
            edit = Edit(f"default {name}", self.old.defaults[name], self.new.defaults[name])
            (effects if self.is_computed(*edit[1:]) else edits).append(edit)
        kept = [self.names[name] for name in self.old.inputs if name in self.names]
        order = [name for name in self.new.inputs if name in self.back]
        if kept != order:
            edits.append(Edit("order of inputs", kept, order))
        if edits or effects:
            status: Status = "changed" if edits else "follows"
            kind: Kind = "block" if self.new.family else "graph"
            change = Change(status, kind, "", kind, edits=tuple(edits), effects=tuple(effects))
            self.inside.changes.append(change)

    def inputs(self) -> None:
        """Those that are new, others or gone."""
        told = self.inside.changes
        for name in self.new.inputs:
            was = self.back.get(name)
            now = _input_facts(self.new, name)
            if was is None:
                edits = tuple(_edits({}, _notable(now)))
                told.append(Change("added", "input", name, "input", edits=edits))
                continue
            edits = tuple(_edits(_input_facts(self.old, was), now))
            if was != name:
                self.inside.renamed[was] = name
            if edits or was != name:
                other = was if was != name else ""
                told.append(Change("changed", "input", name, "input", other, edits))
        for name in self.old.inputs:
            if name not in self.names:
                edits = tuple(_edits(_notable(_input_facts(self.old, name)), {}))
                told.append(Change("removed", "input", name, "input", edits=edits))

    def outputs(self) -> None:
        """Those that are new, others or gone; a block's only output has no name."""
        old, new = self.old.outputs, self.new.outputs
        names = {name: name for name in new if name in old}
        if self.has_nameless_output():
            names = {next(iter(new)): next(iter(old))}
        left = {self.renamed(value): name for name, value in old.items() if name not in names}
        for name, value in new.items():
            if name not in names and (was := left.pop(self.source(value), None)) is not None:
                names[name] = was
        if not self.has_nameless_output():
            self.inside.outputs = {was: name for name, was in names.items() if was != name}
        kept = set(names.values())
        for name in new:
            self.output(names.get(name), name)
        for name in old:
            if name not in kept:
                self.output(name, None)

    def has_nameless_output(self) -> bool:
        """Whether this is a block whose one output has a name that nobody sees."""
        return bool(self.new.family) and len(self.old.outputs) == len(self.new.outputs) == 1

    def output(self, was: str | None, name: str | None) -> None:
        """An output, as it was and as it is."""
        told = self.inside.changes
        before = {} if was is None else _output_facts(self.old, was)
        now = {} if name is None else _output_facts(self.new, name)
        if was is not None and name is not None:
            ours, theirs = self.old.outputs[was], self.new.outputs[name]
            if self.renamed(ours) == self.source(theirs):
                before["from"] = now["from"]
            types = ({"": self.old.type_of(ours)}, {"": self.new.type_of(theirs)})
            edits, effects = tuple(_edits(before, now)), tuple(_type_edits(*types))
            other = was if was != name and not self.has_nameless_output() else ""
            if edits or other:
                told.append(Change("changed", "output", name, "output", other, edits, effects))
            elif effects:
                told.append(Change("follows", "output", name, "output", effects=effects))
        elif name is not None:
            told.append(Change("added", "output", name, "output", edits=tuple(_edits({}, now))))
        elif was is not None:
            told.append(Change("removed", "output", was, "output", edits=tuple(_edits(before, {}))))

    def source(self, value: Value) -> Source:
        return source_of(self.new, value)

    def renamed(self, value: Value) -> Source:
        """An old source as it is called now."""
        return renamed_source(source_of(self.old, value), self.names)

    # nodes

    def single(self, status: Status, node: TypedNode, name: str, label: str = "") -> None:
        """A node that only one of the bodies has, with all that it says; an item has no sources."""
        told = told_whole(node)
        if not label:
            told["from"] = _from(self.new if status == "added" else self.old, node)
        if status == "added":
            costs = Cost(), self.comparison.now.node(node)
            edits, effects = _edits({}, told), _type_edits({}, _shown(node))
        else:
            costs = self.comparison.was.node(node), Cost()
            edits, effects = _edits(told, {}), _type_edits(_shown(node), {})
        what = Change(status, "node", name, node.op_name, costs=costs, label=label)
        self.inside.changes.append(replace(what, edits=tuple(edits), effects=tuple(effects)))

    def node(self, old: TypedNode, new: TypedNode, place: _Place, is_item: bool = False) -> None:
        """A node that both bodies have, and what is in it; an item has no sources."""
        at = len(self.inside.changes)  # before what is in it
        ours, theirs = self.old_facts(old), facts(new)
        edits: list[Edit] = []
        effects: list[Edit] = []
        if self.numbers.operation(old) == self.numbers.operation(new):
            edits += _edits(
                *({w: f.given.get(w) for w in ("take", "freeze")} for f in (ours, theirs))
            )
        elif self.is_alike(old.operation, new.operation):
            for edit in self.options(ours, theirs):
                (effects if self.follows(edit, ours, theirs) else edits).append(edit)
            self.within(old.operation, new.operation, place)
            effects += _keys(old.operation, new.operation, place)
        else:
            edits += self.other_op(old, new)
        if not is_item:
            edits += self.sources(old, new)
        if place.name and not new.operation.branches:  # which tell theirs
            shown = {self.port(place.was, port): type_ for port, type_ in _shown(old).items()}
            effects += _type_edits(shown, _shown(new))
        if (change := self.told(old, new, place, edits, effects)) is not None:
            self.inside.changes.insert(at, change)

    def other_op(self, old: TypedNode, new: TypedNode) -> Iterator[Edit]:
        """What is told of a node that does something else: a chain tells its options with its items,
        of what a chain or a share takes the place of only the op is told."""
        was, now = {**told_whole(old), **self.old_facts(old).notable}, told_whole(new)
        chains = [any(b.is_chain for b in node.operation.bodies) for node in (old, new)]
        if old.op_name != new.op_name:
            yield Edit("op", _op_words(old), _op_words(new))
        elif all(node.operation.bodies for node in (old, new)) and chains[0] != chains[1]:
            yield Edit("body", *("seq" if is_chain else "nodes" for is_chain in chains))
        if isinstance(new.operation, Sequence | Shared):
            was = {key: was.get(key) for key in WHOLE}
        if any(isinstance(node.operation, Sequence) for node in (old, new)):
            now.pop("items", None)
            was.pop("items", None)
        yield from _edits(was, now)

    def old_facts(self, node: TypedNode) -> Facts:
        """What an old node says, in present names."""
        found = facts(node)
        if "share" not in found.given:
            return found
        return replace(
            found, given={**found.given, "share": renamed(found.given["share"], self.names)}
        )

    def options(self, ours: Facts, theirs: Facts) -> Iterator[Edit]:
        """What differs, but for defaults of params, which the block tells."""
        told = {*ours.notable, *theirs.notable, *ours.inferred, *theirs.inferred}
        for edit in _edits({**ours.given, **ours.inferred}, {**theirs.given, **theirs.inferred}):
            if edit.what in told:
                yield edit

    def follows(self, edit: Edit, ours: Facts, theirs: Facts) -> bool:
        """Whether an option is another only because sizes or params are, or those of a fusion."""
        if self.is_made or (edit.what in ours.inferred and edit.what in theirs.inferred):
            return True
        origins = ours.origins.get(edit.what), theirs.origins.get(edit.what)
        old, new = (v if isinstance(v, list | tuple) else [v] for v in edit[1:])
        return self.is_one_expression(*origins) or (
            len(old) == len(new)
            and all(
                plain(one) == plain(other) or self.is_computed(one, other)
                for one, other in zip(old, new, strict=True)
            )
        )

    def is_computed(self, old: Any, new: Any) -> bool:
        """Whether both come of one expression."""
        return self.is_one_expression(*(getattr(value, "written", None) for value in (old, new)))

    def is_one_expression(self, old: Expression | None, new: Expression | None) -> bool:
        """Whether both are the same, of names that mean the same: what changed those is told."""
        return (
            old is not None
            and old == new
            and all(
                _scope(v.name, self.old, self.comparison.roots[0])
                == _scope(v.name, self.new, self.comparison.roots[1])
                for v in variables(old)
            )
        )

    def is_alike(self, old: TypedOperation, new: TypedOperation) -> bool:
        """Whether both are one op, so that it is told what differs in it."""
        if old.op != new.op:
            return False
        if old.is_block and new.is_block and not new.merge:
            return all(map(self.is_one_block, old.bodies[:1], new.bodies[:1]))
        return type(old) is type(new)

    def is_one_block(self, old: Body, new: Body) -> bool:
        """By name, or by half of the names in it."""
        if old.is_chain != new.is_chain:
            return False
        both = old.by_name.keys() & new.by_name.keys()
        return old.family == new.family or 2 * len(both) >= max(len(old.nodes), len(new.nodes))

    def within(self, old: TypedOperation, new: TypedOperation, place: _Place) -> None:
        """What is in a node that holds others."""
        for was, now in aligned(old.steps, new.steps):
            before = None if was is None else old.steps[was]
            self.item(before, None if now is None else new.steps[now], (was, now), place)
        for one, other in self.paired(old.branches, new.branches):
            names = [None if item is None else item.name for item in (one, other)]
            self.item(one, other, (names[0], names[1]), place, "*")
        pairs = zip(old.modules, new.modules, strict=False)
        for bodies, run in groupby(enumerate(pairs), key=itemgetter(1)):
            numbers = [number for number, _ in run]
            keys = (operation.key(numbers[0]) for operation in (old, new))
            if inside := self.comparison.inside(bodies[0], bodies[1], bool(new.merge)):
                for output, name in inside.outputs.items():
                    self.rename(place, output, name)
                inner = place.inner(*keys)
                runs = _runs(old, len(numbers)), _runs(new, len(numbers))
                here = Inner(inner.was, inner.name, inside, len(numbers), runs)
                self.inside.inner.append(here)

    def paired(
        self, old: Iterable[TypedNode], new: Iterable[TypedNode]
    ) -> Iterator[tuple[TypedNode | None, TypedNode | None]]:
        """The branches that are one: by their names, else by what they do."""
        ours, theirs = ({item.name: item for item in items} for items in (old, new))
        left: dict[Hashable, list[TypedNode]] = {}
        for name, item in reversed(ours.items()):
            if name not in theirs:
                left.setdefault(self.numbers.operation(item), []).append(item)
        for name, item in theirs.items():
            alike = left.get(self.numbers.operation(item))
            yield ours.get(name) or (alike.pop() if alike else None), item
        gone = {item for alike in left.values() for item in alike}
        yield from ((item, None) for item in ours.values() if item in gone)

    def rename(self, place: _Place, was: str, now: str) -> None:
        """A port that is called otherwise now."""
        self.names[dotted(place.was, was)] = dotted(place.name, now)

    def port(self, node: str, port: str) -> str:
        """What an old port is called now."""
        return renamed_source((node, port), self.names)[1]

    def item(
        self,
        old: TypedNode | None,
        new: TypedNode | None,
        keys: tuple[int | str | None, int | str | None],
        place: _Place,
        label: str = "",
    ) -> None:
        """An item of a chain or an `each`."""
        was, now = (str(key) for key in keys)
        if old is not None and new is not None:
            if label and was != now:
                self.rename(place, was, now)
            self.node(old, new, place.inner(was, now, label), is_item=True)
        elif new is not None:
            inner = place.inner("", now, label)
            self.single("added", new, inner.name, inner.label)
        elif old is not None:
            inner = place.inner(was, was, label)
            self.single("removed", old, inner.was, inner.label)

    def sources(self, old: TypedNode, new: TypedNode) -> Iterator[Edit]:
        """Other sources, or other arguments that they fill."""
        was = renamed_sources(self.old, old, self.names)
        now = [source_of(self.new, value) for value in new.arguments.values()]
        same_op = old.op_name == new.op_name
        arguments = list(old.arguments)
        if new.operation.branches:  # whose arguments are its ports
            arguments = [self.port(old.name, key) for key in arguments]
        if was != now or (same_op and arguments != list(new.arguments)):
            yield Edit("from", _from(self.old, old), _from(self.new, new))

    def told(
        self, old: TypedNode, new: TypedNode, place: _Place, edits: list[Edit], effects: list[Edit]
    ) -> Change | None:
        """What became of a node, if anything did."""
        was, now = (name.rpartition(".")[2] for name in (place.was, place.name))
        other = ""
        if was != now:
            self.inside.renamed[place.was] = place.name
            if not now.isdigit():
                other = place.was
            elif new.operation.has_state:
                effects.append(Edit("key", was, now))
        costs = self.comparison.was.node(old), self.comparison.now.node(new)
        # on other sizes to the same shape, or by a module that is told of elsewhere
        is_same = self.numbers.operation(old) == self.numbers.operation(new)
        is_whole = is_same or isinstance(new.operation, Leaf | Shared)
        works_other = is_whole and costs[0].macs != costs[1].macs
        if not (edits or effects or other or works_other):
            return None
        return Change(
            "changed" if edits or other else "follows",
            "node",
            place.name,
            new.op_name,
            other,
            tuple(edits),
            tuple(effects),
            costs,
            place.label,
        )


def _scope(name: str, body: Body, root: Body) -> tuple[bool, bool]:
    """What a name in an expression is: of the body itself or of the spec, a param or a size."""
    is_own = name in body.params or name in body.dims
    return is_own, name in (body if is_own else root).params


def _runs(operation: TypedOperation, modules: int) -> int:
    """How often so many of its modules run."""
    return len(operation.bodies) if operation.shared else modules


def _keys(old: TypedOperation, new: TypedOperation, place: _Place) -> Iterator[Edit]:
    """Other keys of weights, where there are numbers in them at one time only."""
    numbers = [dotted(operation.key(0), "*") for operation in (old, new)]
    if numbers[0] != numbers[1] and new.has_state:
        yield Edit("keys", dotted(place.was, numbers[0]), dotted(place.name, numbers[1]))


def _op_words(node: TypedNode) -> str:
    """The op, and the items of a chain."""
    if isinstance(node.operation, Sequence):
        return f"seq [{', '.join(item_words(node.operation))}]"
    return node.op_name


def _edits(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Edit]:
    """What differs of things that have names."""
    for name in dict.fromkeys((*old, *new)):
        if plain(old.get(name)) != plain(new.get(name)):
            yield Edit(name, old.get(name), new.get(name))


def _shown(node: TypedNode) -> Mapping[str, TensorType]:
    """The default result as the port "", or all of them where none is the default."""
    return node.results if node.type is None else {"": node.type}


def _type_edits(old: Mapping[str, TensorType], new: Mapping[str, TensorType]) -> Iterator[Edit]:
    """Other shapes and dtypes of results."""
    for told in ("shape", "dtype") if old and new else ("shape",):
        was, now = (
            {f"{port} {told}".strip(): str(getattr(type_, told)) for port, type_ in types.items()}
            for types in (old, new)
        )
        yield from _edits(was, now)


def _input_facts(body: Body, name: str) -> dict[str, Any]:
    """What an input of the graph says; the types of a block's inputs follow from its use."""
    if body.family:
        return {}
    type_ = body.inputs[name]
    found = {"shape": str(type_), "dtype": type_.dtype, "vocab": type_.vocab}
    return {**found, "optional": name in body.optional}


def _notable(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of an input that is compared with none."""
    return {name: value for name, value in facts.items() if value != PLAIN.get(name)}


def _output_facts(body: Body, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {"from": _text(body, body.outputs[name])}
    return {**found, "only": "training"} if name in body.training else found


def _text(body: Body, value: Value) -> str:
    """`conv`, or `lstm.last` where the port is not the default."""
    return dotted(*source_of(body, value))


def _from(body: Body, node: TypedNode) -> Any:
    """The sources as one writes them: one, a list, or by the arguments that they fill."""
    texts = {key: _text(body, value) for key, value in node.arguments.items()}
    if len(texts) == 1:
        return next(iter(texts.values()))
    own = {key: text.rpartition(".")[2] for key, text in texts.items()}
    if all(key.isdigit() or key == own[key] for key in texts):
        return list(texts.values())
    return texts
