"""Find the known name that was probably meant by a wrong one, for the help of a diagnostic."""

from __future__ import annotations

from collections.abc import Iterable

from mimgraph.diagnostics.text import choices_of, did_you_mean

LONGEST = 64  # characters of a name that are compared
MOST_WORK = 200_000  # pairs of characters compared in one search
FEW = 8  # at most so many names are listed where none is similar


def suggestion(name: str, choices: Iterable[str], listed_as: str = "") -> str:
    """Return the help for a wrong name: the nearest choice, one that begins it or that it begins, or
    the list of all choices if they are few."""
    known = list(choices)
    near = nearest(name, known) or _longer_or_shorter(name, known)
    if len(name) == 1 and listed_as and len(known) > 1:  # every letter is one edit away
        near = next((choice for choice in known if choice.lower() == name.lower()), None)
    if near is not None:
        return did_you_mean(near)
    if listed_as and 0 < len(known) <= FEW:
        return f"{listed_as}: {', '.join(choices_of(known))}"
    return ""


def no_such_name(
    what: str, name: str, known: Iterable[str], where: str = "", listed_as: str = "known here"
) -> tuple[str, str]:
    """Return the message and help for a name that nothing has in a scope; `what` is "" if it may be of
    any kind, and `where` the path of the scope."""
    subject = f"no {what}" if what else "nothing"
    place = f" in {where}" if where else ""
    return f"{subject}{place} is called {name!r}", suggestion(name, known, listed_as)


def _longer_or_shorter(name: str, choices: Iterable[str]) -> str | None:
    """Return `kernel_size` for `kernel`, `concat` for `concatenate`: the choice closest in length."""
    wanted = name.lower()
    found = [
        choice
        for choice in choices
        if min(len(choice), len(wanted)) > 2
        and (choice.lower().startswith(wanted) or wanted.startswith(choice.lower()))
    ]
    return min(found, key=lambda choice: abs(len(choice) - len(wanted)), default=None)


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """Return the closest choice; None if more than a third of the name would change.

    A choice that differs in case alone is the closest of all. Of several, one that has all letters of
    the name is closer, and the first: `parms` is `params` rather than `parts`.
    """
    wanted = name.lower()[:LONGEST]
    letters = set(wanted)
    best, room, work = None, max(1, len(wanted) // 3), MOST_WORK
    least = (room + 1, 0)
    for choice in choices:
        other = choice.lower()[: LONGEST + 1]
        if other == wanted:
            return choice
        # two cheap lower bounds, as there may be thousands of choices
        lacks = len(letters.difference(other))
        if abs(len(wanted) - len(other)) > room or lacks > room:
            continue
        work -= len(wanted) * len(other)
        if work < 0:
            continue
        distance = _distance(wanted, other, room)
        if (distance, lacks) < least:
            best, room, least = choice, distance, (distance, lacks)
    return best


def _distance(a: str, b: str, room: int) -> int:
    """Return the number of insertions, deletions, replacements and swaps of neighbours between two
    texts, or `room + 1` if it is larger than `room`."""
    before: list[int] = []
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        current = [i]
        for j, y in enumerate(b, 1):
            cost = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        if min(current) > room:
            return room + 1
        before, previous = previous, current
    return previous[-1]
