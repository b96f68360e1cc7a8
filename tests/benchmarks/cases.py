"""All cases; those that import a peer come last, as a peer may slow the others."""

from __future__ import annotations

from tests.benchmarks import (
    commands,
    drawing,
    editing,
    forwards,
    making,
    memory,
    reading,
    searching,
    shaping,
)

CASES = sorted(
    (
        *forwards.cases(),
        *memory.cases(),
        *reading.cases(),
        *shaping.cases(),
        *making.cases(),
        *drawing.cases(),
        *commands.cases(),
        *editing.cases(),
        *searching.cases(),
    ),
    key=lambda case: case.peer != "",
)
