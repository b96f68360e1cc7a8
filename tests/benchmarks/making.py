"""Costs of compiling large models, and of building them in Python."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from torch import nn

import mimgraph as mg
from mimgraph import layers
from tests.benchmarks.case import Case, Cost, clocked, in_own_process
from tests.benchmarks.large_specs import chain

REPEATED = """
inputs: {x: [64]}
blocks:
  step: {inputs: [x], nodes: {fc: {layer: Linear, from: x, out_features: 64}}, outputs: fc}
nodes:
  steps: {block: step, from: x, repeat: %d}
outputs: steps
"""


class Step(nn.Module):
    """The block of `REPEATED`, written by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(64, 64)


class Chain(nn.Module):
    """The modules of a chain, written by hand as attributes."""

    def __init__(self, nodes: int) -> None:
        super().__init__()
        for i in range(nodes):
            setattr(self, f"n{i + 1}", nn.Linear(64, 64))


def compiling(text: str, nodes: int) -> Cost:
    """Return the cost of compiling a checked spec: emit, parse and run the source, make the module."""
    graph = mg.loads(text)
    return clocked(graph.compile, nodes)


def building(nodes: int) -> mg.Graph:
    """Return a graph of `nodes` layers in a row, built in Python."""
    x = mg.Input("x", (64,))
    for _ in range(nodes):
        x = layers.Linear(64)(x)
    return mg.Graph(x)


def compiled_against_hand(nodes: int) -> tuple[Cost, Cost]:
    return compiling(chain(nodes), nodes), clocked(lambda: Chain(nodes), nodes)


def repeated_against_hand(nodes: int) -> tuple[Cost, Cost]:
    by_hand = clocked(lambda: nn.Sequential(*(Step() for _ in range(nodes))), nodes)
    return compiling(REPEATED % nodes, nodes), by_hand


def built_against_fewer(nodes: int, fewer: int) -> tuple[Cost, Cost]:
    return clocked(lambda: building(nodes), nodes), clocked(lambda: building(fewer), fewer)


def built_against_peer(peer: str, nodes: int, with_weights: bool) -> tuple[Cost, Cost]:
    """Compare building a graph with a peer, which makes weights as it builds; `with_weights` also compiles."""

    def build() -> tuple[mg.Graph, nn.Module | None]:
        graph = building(nodes)  # a peer's model keeps its graph too
        return graph, graph.compile() if with_weights else None

    return clocked(build, nodes), in_own_process(
        f"tests.benchmarks.peers.building({peer!r}, {nodes})"
    )


def cases() -> Iterator[Case]:
    for name, make in (
        ("compile, {:,} nodes", compiled_against_hand),
        ("compile, a block repeated {:,} times", repeated_against_hand),
    ):
        for nodes in (1_000, 10_000):
            yield Case(
                name=name.format(nodes),
                against="the modules by hand",
                make=partial(make, nodes),
                at_most=1.8,
                rounds=5,
                unit="µs a node",
                slow=nodes > 1_000,
            )
    yield Case(
        name="build in Python, 10,000 nodes",
        against="1,000 nodes",
        make=partial(built_against_fewer, 10_000, 1_000),
        at_most=1.2,
        rounds=3,
        unit="µs a node",
        slow=True,
    )
    for what, with_weights in (("build in Python", False), ("build in Python and compile", True)):
        for peer, most in (("keras", 1 / 5), ("pytorch_symbolic", 1.0)):
            yield Case(
                name=f"{what}, 10,000 nodes",
                against=f"{peer}, which makes the weights at once",
                make=partial(built_against_peer, peer, 10_000, with_weights),
                at_most=most,
                rounds=3,
                unit="µs a node",
                peer=peer,
                slow=True,
            )
