"""Check the names that users give, and make names for nodes without one: `linear`, `linear_1`, ..."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from mimgraph.builder.user_line import spec_error
from mimgraph.ir.names import name_fault
from mimgraph.source import Span

_WORDS = {"PReLU": "Prelu", "RReLU": "Rrelu", "ReLU": "Relu", "SiLU": "Silu"}
_ABBREVIATED = re.compile("|".join(_WORDS))
_NEW_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def check_name(name: object, span: Span, fault: Callable[[str], str | None] = name_fault) -> None:
    """Raise an error if `fault` finds that this cannot be a name; by default, the name of a
    node."""
    reason = fault(name) if isinstance(name, str) else "a name is a string"
    if reason is not None:
        raise spec_error("bad-name", f"{name!r} cannot be a name", span, reason)


def check_output_name(name: object, span: Span) -> None:
    """Raise an error if this cannot be the public name of an output, which is an identifier."""
    if not (isinstance(name, str) and name.isascii() and name.isidentifier()):
        raise spec_error("bad-name", f"{name!r} cannot be an output's name", span)


def snake_case(name: str) -> str:
    """Return a class's name in snake case: `MaxPool2d` as `max_pool2d`, `ReLU` as `relu`."""
    return _NEW_WORD.sub("_", _ABBREVIATED.sub(lambda m: _WORDS[m[0]], name)).lower()


def _base(stem: str) -> str:
    """Return the stem, or `node` for one that would be illegal with a number."""
    return stem if name_fault(f"{stem}_1") is None else "node"


class Names:
    """Makes names that are legal and differ from each other and from those taken."""

    def __init__(self, taken: Iterable[str] = (), first_number: int = 1) -> None:
        self.taken = set(taken)
        self.first_number = first_number
        self.counts: dict[str, int] = {}

    def unique(self, stem: str) -> str:
        """Return `stem`, or if it is taken `stem_1`, `stem_2`, ...: the first that is free.

        `node` replaces a stem that would be illegal with a number, as `__1` is.
        """
        base = _base(stem)
        number = self.counts.get(stem, 0)
        name = f"{base}_{number}" if number else stem
        while name in self.taken or name_fault(name) is not None:
            number = max(number + 1, self.first_number)
            name = f"{base}_{number}"
        self.counts[stem] = number
        self.taken.add(name)
        return name
