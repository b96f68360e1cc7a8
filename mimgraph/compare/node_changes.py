"""Yield the changes of a node that is in both bodies, and of the nodes inside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby, islice
from typing import Any, NamedTuple, TypeAlias

from mimgraph.compare.equality import comparable
from mimgraph.compare.match import renamed, renamed_sources, source_of
from mimgraph.compare.match_parts import aligned, is_same_op, paired_branches
from mimgraph.compare.model import Change, Edit, compared_results, dotted, edits, type_edits
from mimgraph.compare.node_facts import Facts, all_facts, facts, item_words
from mimgraph.compare.pair import Pair
from mimgraph.cost.cost import Cost
from mimgraph.inspection.facts import source_text
from mimgraph.ir.expression import variables
from mimgraph.ir.grammar import BESIDE, TRAINING
from mimgraph.ir.typed_graph import Body, TypedNode
from mimgraph.ir.typed_operations import Leaf, Sequence, Shared, TypedOperation

# shown even if a chain or share replaces the node
KEPT = ("share", "repeat", "shared", "index", "collect")


class Renamed(NamedTuple):
    """An input, node or item that has another name, or another number in its chain, now."""

    was: str
    name: str


class InnerPair(NamedTuple):
    """The bodies of a block that a node uses, and where: the prefix of their names, old and new; how
    many modules in a row have them; and how often these ran and run, more often if shared."""

    was: str
    name: str
    pair: Pair
    times: int
    runs: tuple[int, int]


Found: TypeAlias = Change | Renamed | InnerPair


class Place(NamedTuple):
    """The dotted name of a node in its body, old and new; and the label of all like it: `emb.*`."""

    was: str
    name: str
    label: str

    def inner(self, was: str, name: str, label: str = "") -> Place:
        """Return the place of an item that has these names, and this label if not its own name."""
        names = was, name, label or name
        return Place(*(dotted(outer, inner) for outer, inner in zip(self, names, strict=True)))


def added(pair: Pair, node: TypedNode, name: str, label: str = "", sources: Any = None) -> Change:
    """Return the change for a node that only the new body has: all that the spec says of it."""
    costs = Cost(), pair.costs[1].node(node)
    said = tuple(edits({}, {**all_facts(node), "from": sources}))
    types = tuple(type_edits({}, compared_results(node)))
    return Change("added", "node", name, node.op_name, "", said, types, costs, label)


def removed(pair: Pair, node: TypedNode, name: str, label: str = "", sources: Any = None) -> Change:
    """Return the change for a node that only the old body has: all that the spec said of it."""
    costs = pair.costs[0].node(node), Cost()
    said = tuple(edits({**all_facts(node), "from": sources}, {}))
    types = tuple(type_edits(compared_results(node), {}))
    return Change("removed", "node", name, node.op_name, "", said, types, costs, label)


def node_changes(
    pair: Pair, old: TypedNode, new: TypedNode, place: Place, sources: Iterable[Edit] = ()
) -> Iterator[Found]:
    """Yield the change of a node, then the changes of the nodes inside it; `sources` are edits of its sources."""
    if _last(place.was) != _last(place.name):
        yield Renamed(place.was, place.name)
    change = _own_change(pair, old, new, place, sources)
    if change is not None:
        yield change
    if not pair.does_same(old, new) and is_same_op(old.operation, new.operation):
        yield from _inner_changes(pair, old.operation, new.operation, place)


def _own_change(
    pair: Pair, old: TypedNode, new: TypedNode, place: Place, sources: Iterable[Edit]
) -> Change | None:
    """Return the change of a node without the nodes inside it, or None if there is none."""
    written, following = _option_edits(pair, old, new)
    written += sources
    following += _effects(pair, old, new, place)
    was, now = _last(place.was), _last(place.name)
    other_name = place.was if was != now and not now.isdigit() else ""
    costs = pair.costs[0].node(old), pair.costs[1].node(new)
    # in any other node the changes of inner nodes have the MACs
    is_whole = pair.does_same(old, new) or isinstance(new.operation, Leaf | Shared)
    has_other_macs = is_whole and costs[0].macs != costs[1].macs
    if not (written or following or other_name or has_other_macs):
        return None
    return Change(
        "changed" if written or other_name else "follows",
        "node",
        place.name,
        new.op_name,
        other_name,
        tuple(written),
        tuple(following),
        costs,
        place.label,
    )


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _option_edits(pair: Pair, old: TypedNode, new: TypedNode) -> tuple[list[Edit], list[Edit]]:
    """Return the edits of options that the author made, and those that follow from other edits."""
    ours, theirs = _old_facts(pair, old), facts(new)
    if pair.does_same(old, new):
        kept = ({key: f.given.get(key) for key in (*BESIDE, *TRAINING)} for f in (ours, theirs))
        return [*edits(*kept)], []
    if not is_same_op(old.operation, new.operation):
        return [*_op_edits(old, new, ours)], []
    written: list[Edit] = []
    following: list[Edit] = []
    # other changes are of defaults, which the block lists once
    shown = {*ours.notable, *theirs.notable, *ours.inferred, *theirs.inferred}
    for edit in edits({**ours.given, **ours.inferred}, {**theirs.given, **theirs.inferred}):
        if edit.what not in shown:
            continue
        if _follows(pair, edit, ours, theirs):
            following.append(edit._replace(of_sizes=_is_of_sizes(pair, edit, theirs)))
        else:
            written.append(edit)
    return written, following


def _old_facts(pair: Pair, node: TypedNode) -> Facts:
    """Return the facts of an old node, with the new name of the node that it shares."""
    found = facts(node)
    if "share" not in found.given:
        return found
    owner = renamed(found.given["share"], pair.names)
    return replace(found, given={**found.given, "share": owner})


def _op_edits(old: TypedNode, new: TypedNode, ours: Facts) -> Iterator[Edit]:
    """Yield the edits of a node that does something else now.

    The op of a chain includes its items; of a node that a chain or share replaced only the op is shown.
    """
    was, now = {**all_facts(old), **ours.notable}, all_facts(new)
    chains = [any(b.is_chain for b in node.operation.modules) for node in (old, new)]
    if old.op_name != new.op_name:
        yield Edit("op", _op_words(old), _op_words(new))
    elif all(node.operation.modules for node in (old, new)) and chains[0] != chains[1]:
        was_chain, is_chain = ("seq" if one else "nodes" for one in chains)
        yield Edit("body", was_chain, is_chain)
    if isinstance(new.operation, Sequence | Shared):
        was = {key: was.get(key) for key in KEPT}
    if any(isinstance(node.operation, Sequence) for node in (old, new)):
        now.pop("items", None)
        was.pop("items", None)
    yield from edits(was, now)


def _op_words(node: TypedNode) -> str:
    """Return the op; of a chain also its items: `seq [Linear(8), ReLU]`."""
    if isinstance(node.operation, Sequence):
        return f"seq [{', '.join(item_words(node.operation))}]"
    return node.op_name


def _follows(pair: Pair, edit: Edit, ours: Facts, theirs: Facts) -> bool:
    """Return whether an option changed only because a size or a param did."""
    if pair.is_fusion or (edit.what in ours.inferred and edit.what in theirs.inferred):
        return True
    origins = ours.origins.get(edit.what), theirs.origins.get(edit.what)
    old, new = (v if isinstance(v, list | tuple) else [v] for v in (edit.old, edit.new))
    return pair.is_one_expression(*origins) or (
        len(old) == len(new)
        and all(
            comparable(one) == comparable(other) or pair.is_computed(one, other)
            for one, other in zip(old, new, strict=True)
        )
    )


def _is_of_sizes(pair: Pair, edit: Edit, theirs: Facts) -> bool:
    """Return whether sizes of the sources alone decide the new value of an option."""
    if edit.what in theirs.inferred:
        return True
    origin = theirs.origins.get(edit.what) or getattr(edit.new, "written", None)
    names = set() if origin is None else {variable.name for variable in variables(origin)}
    return bool(names) and names <= pair.new.dims.keys()


def _effects(pair: Pair, old: TypedNode, new: TypedNode, place: Place) -> Iterator[Edit]:
    """Yield what follows for a node besides options: other state_dict keys, shapes and dtypes."""
    if not pair.does_same(old, new) and is_same_op(old.operation, new.operation):
        yield from _moved_keys(old.operation, new.operation, place)
    if place.name and not new.operation.branches:  # its items have their own changes
        ports = pair.renamed_ports(old, new)
        was = {ports.get(port, port): type_ for port, type_ in compared_results(old).items()}
        yield from type_edits(was, compared_results(new))
    was_key, key = _last(place.was), _last(place.name)
    if was_key != key and key.isdigit() and new.operation.has_state:
        yield Edit("key", was_key, key)


def _moved_keys(old: TypedOperation, new: TypedOperation, place: Place) -> Iterator[Edit]:
    """Yield `keys s.* → s.0.*` if the modules of a block are numbered on one side only."""
    was, now = (dotted(operation.key(0), "*") for operation in (old, new))
    if was != now and new.has_state:
        yield Edit("keys", dotted(place.was, was), dotted(place.name, now))


def source_edits(pair: Pair, old: TypedNode, new: TypedNode) -> Iterator[Edit]:
    """Yield an edit if a node has other sources, or the same for other operands."""
    old, new = _fed_once(old), _fed_once(new)
    was = renamed_sources(pair.old, old, pair.names)
    now = [source_of(pair.new, value) for value in new.arguments.values()]
    operands = list(old.arguments)
    if new.operation.branches:  # its operands are named as its ports
        ports = pair.renamed_ports(old, new)
        operands = [ports.get(key, key) for key in operands]
    is_same = old.op_name == new.op_name
    if was != now or (is_same and operands != list(new.arguments)):
        yield Edit("from", sources_as_written(pair.old, old), sources_as_written(pair.new, new))


def _fed_once(node: TypedNode) -> TypedNode:
    """Return a node of copies with their one source once, as the spec has it."""
    if not node.operation.copies:
        return node
    return replace(node, arguments=dict(islice(node.arguments.items(), 1)))


def sources_as_written(body: Body, node: TypedNode) -> Any:
    """Return the sources as a spec has them: one name, a list, or a mapping from operands."""
    texts = {key: source_text(value, body.by_name) for key, value in node.arguments.items()}
    if len(texts) == 1:
        return next(iter(texts.values()))
    if all(key.isdigit() or key == _last(text) for key, text in texts.items()):
        return list(texts.values())
    return texts


def _inner_changes(
    pair: Pair, old: TypedOperation, new: TypedOperation, place: Place
) -> Iterator[Found]:
    """Yield the changes of the items of a chain, the branches of an `each` or the bodies of a block."""
    for was, now in aligned(old.steps, new.steps):
        items = (
            None if was is None else old.steps[was],
            None if now is None else new.steps[now],
        )
        names = str(now if was is None else was), str(was if now is None else now)
        yield from _item_changes(pair, items, place.inner(*names))
    for branches in paired_branches(old, new, pair.numbers):
        before, after = ("" if branch is None else branch.name for branch in branches)
        yield from _item_changes(pair, branches, place.inner(before, after, "*"))
    yield from _inner_pairs(pair, old, new, place)


def _item_changes(
    pair: Pair, items: tuple[TypedNode | None, TypedNode | None], place: Place
) -> Iterator[Found]:
    """Yield the changes of an item; None is an item that is not there."""
    match items:
        case None, TypedNode() as new:
            yield added(pair, new, place.name, place.label)
        case TypedNode() as old, None:
            yield removed(pair, old, place.was, place.label)
        case TypedNode() as old, TypedNode() as new:
            yield from node_changes(pair, old, new, place)


def _inner_pairs(
    pair: Pair, old: TypedOperation, new: TypedOperation, place: Place
) -> Iterator[InnerPair]:
    """Yield the pairs of bodies that two uses of a block have, equal ones in a row together."""
    start = 0
    for inner, run in groupby(pair.comparison.inner_pairs(old, new)):
        times = sum(1 for _ in run)
        if inner is not None:
            was, name, _ = place.inner(old.key(start), new.key(start))
            yield InnerPair(was, name, inner, times, (_runs(old, times), _runs(new, times)))
        start += times


def _runs(operation: TypedOperation, modules: int) -> int:
    """Return how often so many of the modules of an operation run."""
    return len(operation.bodies) if operation.shared else modules
