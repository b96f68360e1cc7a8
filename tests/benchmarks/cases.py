"""The cases: a name, what mimgraph does, and the floor: the same work by hand or by a library alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import networkx as nx
import torch
import yaml

import mimgraph as mg
from mimgraph.codegen.runner import choose_sizes, seeded_inputs
from tests.conftest import ROOT
from tests.handwritten import MODELS

Action = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """`make` prepares both sides; only what it returns is timed."""

    name: str
    floor: str
    make: Callable[[], tuple[Action, Action]]
    rounds: int = 20


def forward(name: str, backward: bool) -> tuple[Action, Action]:
    """One sample through the compiled class and through the class by hand, on one thread."""
    torch.set_num_threads(1)
    graph = mg.load(ROOT / "specs" / f"{name}.yaml")
    ours, by_hand = graph.compile(), MODELS[name]()
    inputs = seeded_inputs(graph.typed, 1, 0, choose_sizes(graph.typed, {}))

    def run(model: torch.nn.Module) -> None:
        for _ in range(50):
            out = model(**inputs)
            if backward:
                out.sum().backward()

    return lambda: run(ours), lambda: run(by_hand)


def chain(nodes: int) -> str:
    """A spec of that many Linear nodes in a row."""
    lines = "".join(
        f"  n{i + 1}: {{layer: Linear, from: n{i}, out_features: 64}}\n" for i in range(nodes)
    )
    return f"inputs: {{n0: [64]}}\nnodes:\n{lines}outputs: n{nodes}\n"


def check_against_libraries(nodes: int) -> tuple[Action, Action]:
    """Reading and checking a chain, and what libyaml and networkx alone take for it."""
    text = chain(nodes)

    def libraries() -> None:
        tree = yaml.load(text, yaml.CSafeLoader)
        graph = nx.DiGraph((node["from"], name) for name, node in tree["nodes"].items())
        list(nx.topological_sort(graph))

    return lambda: mg.loads(text), libraries


def check_against_safe_load(nodes: int) -> tuple[Action, Action]:
    """Reading and checking a chain, and `yaml.safe_load` of its text."""
    text = chain(nodes)
    return lambda: mg.loads(text), lambda: yaml.safe_load(text)


def start_up() -> tuple[Action, Action]:
    """`mimgraph check` of a small spec as a process, and an import of yaml and networkx."""
    spec = str(ROOT / "specs" / "simple_numerical.yaml")
    ours = [sys.executable, "-m", "mimgraph.cli", "check", spec]
    floor = [sys.executable, "-c", "import yaml, networkx"]

    def run(command: list[str]) -> None:
        subprocess.run(command, check=True, capture_output=True)

    return lambda: run(ours), lambda: run(floor)


CASES = [
    *(
        Case(f"forward, {name}", "the class by hand", lambda name=name: forward(name, False), 100)
        for name in MODELS
    ),
    *(
        Case(
            f"forward and backward, {name}",
            "the class by hand",
            lambda name=name: forward(name, True),
            50,
        )
        for name in MODELS
    ),
    Case("check, 1,000 nodes", "CSafeLoader and networkx", lambda: check_against_libraries(1_000)),
    Case("check, 1,000 nodes", "yaml.safe_load", lambda: check_against_safe_load(1_000), 5),
    Case("check, 10,000 nodes", "yaml.safe_load", lambda: check_against_safe_load(10_000), 3),
    Case("check of a small spec, whole process", "import yaml, networkx", start_up, 10),
]
