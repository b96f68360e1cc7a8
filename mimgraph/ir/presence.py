"""Presence: which optional inputs must be given for a value to exist.

A presence is a set of alternatives, each a set of inputs that suffices; none contains another. A
value without an alternative never exists: it needs an input that a use of its block leaves out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Presence = frozenset[frozenset[str]]

ALWAYS: Presence = frozenset([frozenset()])
NEVER: Presence = frozenset()


def given(name: str) -> Presence:
    """Return the presence of a value that exists if this input is given."""
    return frozenset([frozenset([name])])


def either(presences: Iterable[Presence]) -> Presence:
    """Return the presence of a value that exists if any of these does."""
    return _minimal({clause for presence in presences for clause in presence})


def both(one: Presence, other: Presence) -> Presence:
    """Return the presence of a value that exists if both of these do."""
    if one == ALWAYS or other == ALWAYS:
        return other if one == ALWAYS else one
    return _minimal({left | right for left in one for right in other})


def implies(one: Presence, other: Presence) -> bool:
    """Return whether the other value exists whenever the first does."""
    return other == ALWAYS or all(any(clause <= left for clause in other) for left in one)


def inputs_of(presence: Presence) -> list[str]:
    """Return the optional inputs that a presence depends on."""
    return sorted({name for clause in presence for name in clause})


def renamed(presence: Presence, outer: Mapping[str, Presence]) -> Presence:
    """Return a presence inside a block in terms of the sources that fill the block's inputs; an input
    that none fills is never given."""
    if presence == ALWAYS:
        return ALWAYS
    found = []
    for clause in presence:
        whole = ALWAYS
        for name in clause:
            whole = both(whole, outer.get(name, NEVER))
        found.append(whole)
    return either(found)


def _minimal(clauses: set[frozenset[str]]) -> Presence:
    shortest = min(map(len, clauses), default=0)
    longer = [clause for clause in clauses if len(clause) > shortest]
    return frozenset(clauses.difference(c for c in longer if any(other < c for other in clauses)))
