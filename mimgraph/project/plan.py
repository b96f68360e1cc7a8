"""Collect what the files of a project say about a graph: its class, sizes, inputs, losses and batch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import ascii_uppercase
from typing import NamedTuple

from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.graph import Graph
from mimgraph.ir.dim import Dim, Size, substitute, symbols
from mimgraph.project.losses import Loss, losses
from mimgraph.project.samples import Sample, samples

# the names with a capital that train.py uses itself, so that no size can be a constant of this name
TAKEN = frozenset(
    [
        "AdamW",
        "BATCH",
        "DEVICE",
        "Data",
        "DataLoader",
        "Dataset",
        "F",
        "HERE",
        "Optimizer",
        "Path",
        "Sample",
        "Tensor",
        "Tensors",
    ]
)
HEAVY, HEAVIER = 10**8, 10**9  # multiply-accumulates of a sample, above which batches are smaller


class Plan(NamedTuple):
    """A project in words of Python: `sizes` has a number for each named size of the inputs."""

    module: str
    name: str
    sizes: Mapping[str, int]
    inputs: list[Sample]
    losses: list[Loss]
    batch: int
    samples: int
    parameters: int
    # that register layers of the spec, each with its folder, as a path from that of the project
    modules: Mapping[str, str] = {}

    @property
    def constants(self) -> dict[str, list[str]]:
        """The named sizes in the code of samples, each with the inputs and outputs that have it."""
        codes = {one.name: one.code for one in self.inputs}
        codes |= {one.output: one.target for one in self.losses if one.target is not None}
        users = {
            name: [n for n, code in codes.items() if _is_in(name, code)]
            for name in filter(_can_be_constant, self.sizes)
        }
        return {name: found for name, found in users.items() if found}


class Sizes(NamedTuple):
    """Numbers for named sizes; as code a size keeps names that can be constants: `T`, and not `len`."""

    numbers: Mapping[str, int]

    def number(self, size: Size) -> int:
        """Return the number that a size is."""
        value = substitute(size, self.numbers)
        assert not isinstance(value, Dim)
        return value

    def code(self, size: Size) -> str:
        """Return a size as Python: `T + 1`."""
        names = symbols(size) if isinstance(size, Dim) else frozenset()
        return str(size) if all(map(_can_be_constant, names)) else str(self.number(size))


def plan(graph: Graph, module: str, name: str, modules: Mapping[str, str]) -> Plan:
    """Return the plan of a project for a graph; a `ValueError` says why its model cannot learn."""
    sizes = choose_sizes(graph.typed, {})
    totals = graph.summary(batch=1, sizes=sizes).totals()
    if totals["params"] == totals["frozen"]:
        raise ValueError("the model has no weights that can learn")
    macs = totals["macs"] if isinstance(totals["macs"], int) else 0
    heavy = (macs > HEAVY) + (macs > HEAVIER) + (totals["params"] > HEAVIER)
    batch = 16 >> heavy
    known = Sizes(sizes)
    guessed = losses(graph, known)
    if all(one.code is None for one in guessed):
        outputs = ", ".join(f"{one.output} is {one.why}" for one in guessed)
        raise ValueError(f"no output of the model can learn: {outputs}")
    return Plan(
        module,
        name,
        sizes,
        samples(graph, known),
        guessed,
        batch,
        batch * (5 if heavy else 20),
        int(totals["params"]),
        modules,
    )


def _can_be_constant(name: str) -> bool:
    """Return whether a size may stand in train.py under its name, which hides no other."""
    return name[0] in ascii_uppercase and name not in TAKEN


def _is_in(name: str, code: str) -> bool:
    """Return whether code has this name."""
    return re.search(rf"(?<![\w\"]){re.escape(name)}(?![\w\"])", code) is not None
