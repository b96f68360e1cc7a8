"""Every case, by what it is about; what imports a peer stands last, where it disturbs nothing."""

from __future__ import annotations

from tests.benchmarks import forwards, making, memory, reading

CASES = sorted(
    (*forwards.cases(), *memory.cases(), *reading.cases(), *making.cases()),
    key=lambda case: case.peer != "",
)
