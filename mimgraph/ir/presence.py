"""When a value is there: which of the optional inputs must be given for it.

A presence is any of several sets of inputs, each of which is enough. None of them is in another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Presence = frozenset[frozenset[str]]

ALWAYS: Presence = frozenset([frozenset()])


def given(name: str) -> Presence:
    """There if this input is."""
    return frozenset([frozenset([name])])


def either(presences: Iterable[Presence]) -> Presence:
    """There if any of them is."""
    return _minimal({clause for presence in presences for clause in presence})


def both(one: Presence, other: Presence) -> Presence:
    """There if both are."""
    if one == ALWAYS or other == ALWAYS:
        return other if one == ALWAYS else one
    return _minimal({left | right for left in one for right in other})


def implies(one: Presence, other: Presence) -> bool:
    """Whether the other is there whenever the one is."""
    return other == ALWAYS or all(any(clause <= left for clause in other) for left in one)


def inputs_of(presence: Presence) -> list[str]:
    """The optional inputs that it speaks of."""
    return sorted({name for clause in presence for name in clause})


def renamed(presence: Presence, outer: Mapping[str, Presence]) -> Presence:
    """A presence inside a block as its user sees it: each input stands for what fills it."""
    if presence == ALWAYS:
        return ALWAYS
    found = []
    for clause in presence:
        whole = ALWAYS
        for name in clause:
            whole = both(whole, outer[name])
        found.append(whole)
    return either(found)


def _minimal(clauses: set[frozenset[str]]) -> Presence:
    shortest = min(map(len, clauses), default=0)
    longer = [clause for clause in clauses if len(clause) > shortest]
    return frozenset(clauses.difference(c for c in longer if any(other < c for other in clauses)))
