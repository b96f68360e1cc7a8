"""All cases; those that import a peer come last, as a peer may slow the others."""

from __future__ import annotations

from tests.benchmarks import drawing, forwards, making, memory, reading

CASES = sorted(
    (*forwards.cases(), *memory.cases(), *reading.cases(), *making.cases(), *drawing.cases()),
    key=lambda case: case.peer != "",
)
