"""Map the keys of our state_dict to the keys of the imported model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from mimgraph.importer.draft import Body, Node, Op, Seq, Use


class Module(NamedTuple):
    """A module or tensor by its path in our module and in theirs; one that stands for several of theirs
    has the keys that each of its own joins."""

    ours: str
    theirs: str
    joined: Mapping[str, tuple[str, ...]] = {}


def key_map(root: Body, theirs: Iterable[str]) -> dict[str, str | tuple[str, ...]]:
    """Return our key for each of their keys, where they differ: `{"blocks_0.weight": "blocks.0.weight"}`,
    `{"attention.in_proj_weight": ("q.weight", "k.weight", "v.weight")}`.

    Keys of modules that the graph does not have are left out.
    """
    found = dict[str, str | tuple[str, ...]]()
    ours = dict[str, str]()
    for module in modules(root):
        ours |= {module.theirs: module.ours} if module.theirs else {}
        for name, keys in module.joined.items():
            if keys != (f"{module.ours}.{name}",):
                found[f"{module.ours}.{name}"] = keys if len(keys) > 1 else keys[0]
    for key in theirs:
        owner = next((path for path in _owners(key) if path in ours), None)
        if owner is not None and ours[owner] != owner:
            found[ours[owner] + key[len(owner) :]] = key
    return found


def _owners(key: str) -> Iterator[str]:
    """Yield the paths that a key is inside of, itself first."""
    yield key
    while "." in key:
        key = key.rpartition(".")[0]
        yield key


def modules(body: Body, prefix: str = "") -> Iterator[Module]:
    """Yield the layers and tensors of a body by their paths, also those inside its blocks."""
    for node in body.nodes:
        yield from _modules(node, prefix if body.is_chain else f"{prefix}{node.name}.")


def _modules(node: Node, prefix: str) -> Iterator[Module]:
    match node.operation:
        case Op() if node.path or node.weights:
            yield Module(prefix[:-1], node.path, node.weights)
        case Seq(items):
            for index, item in enumerate(items):
                yield from _modules(item, f"{prefix}{index}.")
        case Use(repeat=repeat) if repeat is not None:
            for index, member in enumerate(repeat.members):
                assert isinstance(member.operation, Use)
                number = "" if repeat.shared else f"{index}."
                yield from modules(member.operation.body, f"{prefix}{number}")
        case Use(used):
            yield from modules(used, prefix)
