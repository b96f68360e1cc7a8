"""All cases; those that import a peer come last, as a peer may slow the others."""

from __future__ import annotations

from tests.benchmarks import (
    beside_peers,
    commands,
    compiled,
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
        *compiled.cases(),
        *memory.cases(),
        *reading.cases(),
        *shaping.cases(),
        *making.cases(),
        *drawing.cases(),
        *commands.cases(),
        *editing.cases(),
        *searching.cases(),
        *beside_peers.cases(),
    ),
    key=lambda case: case.peer != "",
)
