"""Name each block after its class, and further blocks of one class after their differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mimgraph.importer.draft import Body, Op, inner_nodes
from mimgraph.ir.names import free_name, legal_name
from mimgraph.ops import registry


def block_names(groups: Sequence[Sequence[Body]]) -> list[str]:
    """Return a name for each group of equal bodies: `basic_block`, and `basic_block_downsample` for the
    one with a node `downsample` besides. The block that is used most has the plain name."""
    names: dict[int, str] = {}
    by_family = dict[str, list[int]]()
    for index, group in enumerate(groups):
        by_family.setdefault(group[0].family.strip("_"), []).append(index)
    taken: set[str] = set()
    for family, indices in by_family.items():
        main = max(indices, key=lambda index: (len(groups[index]), -index))
        for index in (main, *(one for one in indices if one != main)):
            wanted = family
            if index != main:
                difference = _difference(groups[index][0], groups[main][0])
                wanted = f"{family}_{difference}" if difference else family
            names[index] = _legal(wanted, taken)
    return [names[index] for index in range(len(groups))]


def _legal(wanted: str, taken: set[str]) -> str:
    wanted = legal_name(wanted)
    while registry.find("layer", wanted):
        wanted += "_block"
    name = free_name(wanted, taken)
    taken.add(name)
    return name


def _difference(body: Body, main: Body) -> str:
    """Return a word for what a body has and the main one has not; "" if nothing has a good word."""
    mine, other = _words(body), _words(main)
    for word, count in (mine - other).items():
        if count:
            return word
    missing = next(iter(other - mine), "")
    return f"no_{missing}" if missing else ""


def _words(body: Body) -> Counter[str]:
    """Return the names of the modules in a body, then the kinds of its nodes."""
    words = [node.attribute for node in body.nodes if node.attribute.isidentifier()]
    for node in inner_nodes(body.nodes):
        if isinstance(node.operation, Op):
            words.append(node.operation.name.lower())
            if node.operation.activation is not None:
                words.append(node.operation.activation[0].lower())
        else:
            words.append(getattr(getattr(node.operation, "body", None), "family", ""))
    return Counter(word for word in words if word)
