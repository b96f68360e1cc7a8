"""Find all occurrences of names in the tree of a spec."""

from __future__ import annotations

from mimgraph.language.occurrences.scopes import Scope, Scopes, entries, scope_of
from mimgraph.language.occurrences.sections import walk_spec
from mimgraph.language.occurrences.symbols import Occurrences
from mimgraph.language.occurrences.walk import Walk
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Tree


def find_occurrences(tree: Tree | None) -> Occurrences:
    """Return every place in a spec where a name is defined or used, in the order of the text.

    The tree may be that of a wrong or unfinished spec: what is there counts.
    """
    if not isinstance(tree, Mapping):
        return Occurrences((), Scopes({"": Scope("")}, {}))
    scopes = scopes_of(tree)
    walk = Walk(scopes, scopes.by_block[""])
    walk_spec(walk, tree)
    found = sorted(walk.found, key=lambda one: (one.span[1:], one.implied))
    return Occurrences(tuple(found), scopes)


def scopes_of(tree: Mapping) -> Scopes:
    """Return the scopes of a spec."""
    blocks = {key.text: scope_of(key.text, value) for key, value in entries(tree.get("blocks"))}
    parts = {
        key.text: value.text
        for key, value in entries(tree.get("parts"))
        if isinstance(value, Scalar) and value.name
    }
    return Scopes({"": scope_of("", tree), **blocks}, parts)
