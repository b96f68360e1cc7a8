"""Say what reads some mappings as soon as they close, and not from the whole tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Tree
from mimgraph.language.yaml_tree.tree import Sequence as SequenceTree

Kind = type[SequenceTree] | type[Mapping]


class Open(NamedTuple):
    """An open collection, with the items of the one around it and the number of faults before it."""

    kind: Kind
    line: int
    column: int
    outer: list[Tree]
    faults: int


class Early(Protocol):
    """Reads some mappings as soon as they close, and returns what stands for them in the tree."""

    def declared(self, tree: Mapping, before: Sequence[Tree], around: Sequence[Open]) -> Mapping:
        """Return a mapping, or what stands for it.

        `before` are the items before it in the innermost collection, `around` the open collections.
        """

    def node(self, key: Scalar, tree: Mapping) -> Any:
        """Return what an entry of the section `nodes` declares."""
