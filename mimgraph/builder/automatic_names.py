"""The names of what the user gave none: `linear`, `linear_1`, ... in the order of calls."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from mimgraph.ir.names import name_fault

_WORDS = {"PReLU": "Prelu", "RReLU": "Rrelu", "ReLU": "Relu", "SiLU": "Silu"}
_ABBREVIATED = re.compile("|".join(_WORDS))
_NEW_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@cache
def snake_case(name: str) -> str:
    """A class's name as one writes a variable's: `MaxPool2d` is `max_pool2d`, `ReLU` is `relu`."""
    return _NEW_WORD.sub("_", _ABBREVIATED.sub(lambda m: _WORDS[m[0]], name)).lower()


class Names:
    """Hands out names, none twice and none that cannot be one."""

    def __init__(self, taken: Iterable[str] = (), first_number: int = 1) -> None:
        self.taken = set(taken)
        self.first_number = first_number
        self.counts: dict[str, int] = {}

    def unique(self, stem: str) -> str:
        """`stem`, or with the first number that makes it free: `node_1` where `__1` would be no name."""
        base = stem if name_fault(f"{stem}_1") is None else "node"
        number = self.counts.get(stem, 0)
        name = f"{base}_{number}" if number else stem
        while name in self.taken or name_fault(name) is not None:
            number = max(number + 1, self.first_number)
            name = f"{base}_{number}"
        self.counts[stem] = number
        self.taken.add(name)
        return name
