"""Costs of compiling large models, and of building them in Python."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph import layers
from tests.benchmarks.case import Case, Cost, clocked, in_own_process, per_node

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
    """The chain of `unlike`, written by hand with a loop."""

    def __init__(self, nodes: int) -> None:
        super().__init__()
        for i in range(nodes):
            setattr(self, f"n{i + 1}", nn.Linear(width(i), width(i + 1)))

    def forward(self, *, n0: Tensor) -> Tensor:
        x = n0
        for layer in self.children():
            x = layer(x)
        return x


def width(index: int) -> int:
    """Return the width of a node in a chain of unlike nodes."""
    return 8 + index % 5


def unlike(nodes: int) -> str:
    """Return a spec of narrow Linear nodes in a row, each of another width than the one before."""
    lines = "".join(
        f"  n{i + 1}: {{layer: Linear, from: n{i}, out_features: {width(i + 1)}}}\n"
        for i in range(nodes)
    )
    return f"inputs: {{n0: [8]}}\nnodes:\n{lines}outputs: n{nodes}\n"


def of_unlike(made_by: str, nodes: int, with_forward: bool) -> Cost:
    """Return the least cost of five of making the chain, by `compile` or by `hand`, maybe with a first call."""
    make = mg.loads(unlike(nodes)).compile if made_by == "compile" else partial(Chain, nodes)
    x = torch.rand(2, 8)
    cost = clocked(lambda: make()(n0=x) if with_forward else make(), nodes)

    def of_new_class() -> float:
        gc.collect()  # else the class of the last time would be there, with its source
        return cost()

    return lambda: min(of_new_class() for _ in range(5))


def unlike_against_hand(nodes: int, with_forward: bool) -> tuple[Cost, Cost]:
    ours, theirs = (
        in_own_process(f"tests.benchmarks.making.of_unlike({by!r}, {nodes}, {with_forward})")
        for by in ("compile", "hand")
    )
    return ours, theirs


class Registered(nn.Module):
    """A layer of the user's."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.fc(x))


class ByHand(nn.Module):
    """The graph of `first_call`, written by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.a = Registered(64)
        self.b = Registered(64)
        self.y = nn.Linear(64, 8)

    def forward(self, *, x: Tensor) -> Tensor:
        return self.y(self.b(self.a(x)))  # type: ignore[no-any-return]


def first_call(check: bool) -> tuple[Cost, Cost]:
    """Return the costs of the first call of a module with registered layers, and of the one by hand."""
    mg.register(Registered, name="BenchmarkLayer")
    graph = mg.loads(
        "inputs: {x: [64]}\nnodes:\n"
        "  a: {layer: BenchmarkLayer, from: x, width: 64}\n"
        "  b: {layer: BenchmarkLayer, from: a, width: 64}\n"
        "  y: {layer: Linear, from: b, out_features: 8}\noutputs: y\n"
    )
    x = torch.rand(512, 64)

    def cost_of(make: Callable[[], nn.Module]) -> Cost:
        def cost() -> float:
            graph.compile()  # on both sides, as it leaves the caches of the processor cold
            model = make()  # a new one each time, as only the first call counts
            return clocked(lambda: model(x=x))()

        return cost

    return cost_of(partial(graph.compile, check=check)), cost_of(ByHand)


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


def repeated_against_hand(nodes: int) -> tuple[Cost, Cost]:
    by_hand = clocked(lambda: nn.Sequential(*(Step() for _ in range(nodes))), nodes)
    return compiling(REPEATED % nodes, nodes), by_hand


def built_against_fewer(nodes: int, fewer: int) -> tuple[Cost, Cost]:
    return clocked(lambda: building(nodes), nodes), clocked(lambda: building(fewer), fewer)


def cases() -> Iterator[Case]:
    for nodes in (1_000, 10_000):
        yield per_node(
            f"compile, {nodes:,} unlike nodes",
            "the modules by hand",
            partial(unlike_against_hand, nodes, False),
            at_most=2.2,
            rounds=3,
        )
        yield per_node(
            f"compile and first call, {nodes:,} unlike nodes",
            "the modules by hand",
            partial(unlike_against_hand, nodes, True),
            at_most=2.0,
            rounds=3,
        )
        yield per_node(
            f"compile, a block repeated {nodes:,} times",
            "the modules by hand",
            partial(repeated_against_hand, nodes),
            at_most=1.8,
            rounds=5,
        )
    for name, check in (("registered", False), ("checked", True)):
        yield Case(
            f"first call of a {name} module",
            "the class by hand",
            partial(first_call, check),
            at_most=1.05,
            rounds=40,
        )
    yield per_node(
        "build in Python, 10,000 nodes",
        "1,000 nodes",
        partial(built_against_fewer, 10_000, 1_000),
        at_most=1.2,
        rounds=3,
    )
