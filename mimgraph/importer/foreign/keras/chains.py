"""Join nodes that only feed each other into chains, which the spec writes as `seq`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from os.path import commonprefix
from typing import Any

from mimgraph.importer.foreign.keras.body import Node
from mimgraph.importer.foreign.keras.value import prefixed
from mimgraph.ops import registry

_STEM = re.compile(r"[A-Za-z_]+\d+(?![dD\d])[a-z]?(?=_)")  # not that of conv2d_1


def join_chains(
    nodes: Mapping[str, Node], kept: Collection[str]
) -> tuple[dict[str, Node], dict[str, str], dict[str, str]]:
    """Return the nodes with chains in place of runs of layers, the new name of each run's last node, and
    the path of each node in a run, `chain.2`.

    A node in `kept`, such as an output, is not inside a chain, but may be the last of one.
    """
    readers: dict[str, list[str]] = {}
    for node in nodes.values():
        for source in node.reads():
            readers.setdefault(source.partition(".")[0], []).append(node.name)
    stems = _stems([*nodes])
    targets = {node.entry.get("share") for node in nodes.values()}
    follows = {}  # the node before each that continues its chain
    for node in nodes.values():
        before = nodes.get(node.reads()[0]) if len(node.reads()) == 1 else None
        alone = before is not None and readers[before.name] == [node.name]
        if before is None or not alone or before.name in kept:
            continue
        if stems[before.name] != stems[node.name]:
            continue
        if all(_is_item(one) and one.name not in targets for one in (before, node)):
            follows[node.name] = before.name
    inside = set(follows.values())
    found: dict[str, Node] = {}
    renamed: dict[str, str] = {}
    paths: dict[str, str] = {}
    for node in nodes.values():
        if node.name in follows and node.name not in inside:
            run = _run(node, nodes, follows)
            name = _chain_name([item.name for item in run], nodes, found)
            renamed[node.name] = name
            paths |= {item.name: f"{name}.{number}" for number, item in enumerate(run)}
            found[name] = _chain(name, run)
        elif node.name not in inside:
            found[node.name] = node
    return found, renamed, paths


def _stems(names: Sequence[str]) -> dict[str, str]:
    """Return for each name its first words up to a number, `block_1` for `block_1_conv`; else "".

    Only where three names in a row or more have the same: they are a part of the model.
    """
    found: dict[str, str] = {}
    for stem, group in groupby(names, lambda name: (_STEM.match(name) or [""])[0]):
        members = [*group]
        found |= dict.fromkeys(members, stem if len(members) > 2 else "")
    return found


def _run(node: Node, nodes: Mapping[str, Node], follows: Mapping[str, str]) -> list[Node]:
    run = [node]
    while run[-1].name in follows:
        run.append(nodes[follows[run[-1].name]])
    return run[::-1]


def _is_item(node: Node) -> bool:
    """Return whether a node can be an item of a chain: a layer or block with one source."""
    named = isinstance(node.sources, Mapping)
    return bool(node.entry.keys() & {"layer", "block"}) and not named and len(node.sources) == 1


def _chain_name(names: Sequence[str], nodes: Mapping[str, Node], found: Mapping[str, Node]) -> str:
    """Return the beginning that all names have, `block1_conv` and `block1_bn`, else the last name."""
    shared = commonprefix(list(names))
    cut = (
        shared
        if all(len(name) == len(shared) or name[len(shared)] == "_" for name in names)
        else (shared.rpartition("_")[0])
    )
    cut = cut.rstrip("_")
    free = cut not in nodes or cut in names
    return cut if len(cut) > 1 and free and cut not in found else names[-1]


def _chain(name: str, run: Sequence[Node]) -> Node:
    weights = {}
    for number, node in enumerate(run):
        weights.update(prefixed(str(number), node.weights))
    return Node(name, {"seq": [_item(node.entry) for node in run]}, run[0].sources, weights)


def _item(entry: Mapping[str, Any]) -> Any:
    """Return an entry as an item of a chain: the name of the layer, with its options if it has any."""
    options = dict(entry)
    name = options.pop("layer", None) or options.pop("block")
    if not options:
        return name
    op = registry.find("layer", name)
    lone = op.lone_option if op else None
    return {name: options[lone] if lone and options.keys() == {lone} else options}
