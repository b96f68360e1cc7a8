"""Put the keys of a section, a node, a block and an input in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mimgraph.ir.names import TRAINING
from mimgraph.language.format.concrete import Collection, Entry
from mimgraph.language.places import PLACES

SPEC = (
    "mimgraph",
    "name",
    "doc",
    "parts",
    "limits",
    "params",
    "inputs",
    "blocks",
    "nodes",
    "outputs",
)
BLOCK = ("doc", "params", "inputs", "seq", "nodes", "outputs")
INPUT = ("shape", "dtype", "vocab", "optional", "doc")
# an option of a node stands where "" does
LAYER = (
    "layer",
    "merge",
    "block",
    "share",
    "expr",
    "equation",
    "each",
    "from",
    "",
    "take",
    "over",
    "freeze",
    *TRAINING,
)
SCAN = ("scan", "from", "over", "carry", "", "take", "freeze", *TRAINING)
TENSOR = (
    *("parameter", "buffer", "arange", "zeros", "ones", "random", "", "take", "over", "freeze"),
    *TRAINING,
)
LIMITS = PLACES["limits"]
REPEAT = PLACES["repeat"]
PARAM = PLACES["a param"]
SEARCH = PLACES["a search"]


def put_in_order(root: Collection) -> None:
    """Put the keys of a spec in order; names stay in the author's order, and so do options."""
    _sort(root, SPEC)
    for params in _values(root, "params"):
        _sort_each(params, PARAM)
        for param in _collections(params.entries):
            for search in _values(param, "search"):
                _sort(search, SEARCH)
    for limits in _values(root, "limits"):
        _sort(limits, LIMITS)
    for inputs in _values(root, "inputs"):
        _sort_each(inputs, INPUT)
    for blocks in _values(root, "blocks"):
        for block in _collections(blocks.entries):
            _sort(block, BLOCK)
            for nodes in _values(block, "nodes"):
                _sort_nodes(nodes)
    for nodes in _values(root, "nodes"):
        _sort_nodes(nodes)


def _sort_nodes(nodes: Collection) -> None:
    for node in _collections(nodes.entries):
        _sort(node, _order(node))
        for repeat in _values(node, "repeat"):
            _sort(repeat, REPEAT)


def _order(node: Collection) -> Sequence[str]:
    """Return the order of the keys of a node."""
    keys = {entry.key for entry in node.entries}
    if "scan" in keys:
        return SCAN
    is_tensor = keys.isdisjoint(("layer", "merge", "block", "share", "seq"))
    return TENSOR if is_tensor else LAYER


def _sort_each(section: Collection, order: Sequence[str]) -> None:
    for one in _collections(section.entries):
        _sort(one, order)


def _sort(mapping: Collection, order: Sequence[str]) -> None:
    """Put the entries of a mapping in order, unless comments would change places.

    A key that the order lacks has the place of "" in it, or follows the key before it.
    """
    if mapping.is_list:
        return
    ranks = {key: rank for rank, key in enumerate(order)}
    rank = ranks.get("", -1)
    placed: list[tuple[int, Entry]] = []
    for entry in mapping.entries:
        if not entry.bare:
            rank = ranks.get(entry.key or "", ranks.get("", rank))
        placed.append((rank, entry))
    ordered = [entry for _, entry in sorted(placed, key=lambda one: one[0])]
    if ordered == mapping.entries:
        return
    top = mapping.entries[0]
    first = top.above  # is about the whole mapping
    top.above = []
    if _commented(ordered) == _commented(mapping.entries):
        mapping.entries = ordered
    mapping.entries[0].above[:0] = first


def _commented(entries: Iterable[Entry]) -> list[int]:
    return [id(entry) for entry in entries if entry.has_comments]


def _values(mapping: Collection, key: str) -> Iterator[Collection]:
    """Yield the collections that are values of a key; a wrong spec may have it twice."""
    if not mapping.is_list:
        yield from _collections(entry for entry in mapping.entries if entry.key == key)


def _collections(entries: Iterable[Entry]) -> Iterator[Collection]:
    for entry in entries:
        if isinstance(entry.value, Collection):
            yield entry.value
