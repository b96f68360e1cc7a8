"""Costs of reading and checking specs: whole processes, large files, and shape inference alone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import networkx as nx
import torch
import yaml

import mimgraph as mg
from mimgraph.diagnostics import Report
from mimgraph.infer.graph import infer
from mimgraph.infer.nodes.rule_cache import forget
from mimgraph.ir.typed.graph import Body
from mimgraph.ir.typed.operations import Leaf, TypedOperation, unwrap
from mimgraph.language.format.spec_text import formatted
from mimgraph.source import SourceFile
from mimgraph.support.gc_pause import uncollected
from tests.benchmarks.case import Case, Cost, clocked, fixed, in_own_process, per_node, process
from tests.benchmarks.forwards import torchvision_model
from tests.benchmarks.large_specs import chain, items
from tests.conftest import ROOT
from tests.gallery import gallery

WARM = 5  # runs in a row, as the first one finds cold caches
TORCHVISION = ("resnet50", "densenet121")  # models that it has
LIBRARIES = "import yaml, networkx"


def check_of(spec: Path) -> Cost:
    """Return the cost of `mimgraph check` of a file, a whole process."""
    command = "from mimgraph.cli import run; run()"  # the script that pip installs
    return process(sys.executable, "-c", command, "check", str(spec))


def check_against(statement: str) -> tuple[Cost, Cost]:
    """Compare the check of a small spec with a Python statement, each in a process."""
    spec = ROOT / "specs" / "simple_numerical.yaml"
    return check_of(spec), process(sys.executable, "-c", statement)


def check(text: str, nodes: int) -> Cost:
    return clocked(lambda: mg.loads(text), nodes)


def libraries(text: str, nodes: int) -> Cost:
    """Return the cost of libyaml's parser and networkx's topological sort."""

    def read_and_sort() -> None:
        tree = yaml.load(text, yaml.CSafeLoader)
        graph = nx.DiGraph((node["from"], name) for name, node in tree["nodes"].items())
        list(nx.topological_sort(graph))

    return clocked(read_and_sort, nodes)


def safe_load(text: str, nodes: int) -> Cost:
    return clocked(lambda: yaml.safe_load(text), nodes)


def check_and(floor: Callable[[str, int], Cost], text: str, nodes: int) -> tuple[Cost, Cost]:
    return check(text, nodes), floor(text, nodes)


def format_and_check(text: str, nodes: int) -> tuple[Cost, Cost]:
    """Compare the formatting of a spec, here one with nothing to change, with its check."""
    return clocked(lambda: formatted(SourceFile("spec.yaml", text)), nodes), check(text, nodes)


def check_fewer(spec: str, most: int, fewer: int) -> tuple[Cost, Cost]:
    """Compare the check of many nodes with that of fewer, each in a process that does nothing else:
    the objects of other cases would be visited by the garbage collector, or frozen."""
    cost = "tests.benchmarks.large_specs.check_cost({!r}, {})"
    return in_own_process(cost.format(spec, most)), in_own_process(cost.format(spec, fewer))


def operations(body: Body) -> int:
    """Return the number of layers and merges that run in a body."""
    return sum(_operations(node.operation) for node in body.nodes)


def _operations(operation: TypedOperation) -> int:
    operation = unwrap(operation)
    inner = sum(_operations(item.operation) for item in operation.items)
    return isinstance(operation, Leaf) + inner + sum(map(operations, operation.bodies))


def shapes(name: str, uncached: bool = False) -> tuple[int, Cost]:
    """Return the number of operations of a spec, and the cost per operation of inferring its shapes;
    `uncached` clears the cache of the ops' shape rules first."""
    graph = gallery(name)
    nodes = operations(graph.typed.body)

    def run() -> None:
        for _ in range(WARM):
            if uncached:
                forget()
            uncollected()(infer)(graph.declared, Report())

    return nodes, clocked(run, WARM * nodes)


def shapes_against_limit(name: str) -> tuple[Cost, Cost]:
    _, ours = shapes(name)
    return ours, fixed(15e-6)


def shapes_uncached(name: str) -> tuple[Cost, Cost]:
    return shapes(name, uncached=True)[1], shapes(name)[1]


def shapes_against_meta(name: str) -> tuple[Cost, Cost]:
    """Compare with torch's own shape inference, a forward on the meta device."""
    nodes, ours = shapes(name)
    with torch.device("meta"):
        model, image = torchvision_model(name).eval(), torch.empty(1, 3, 224, 224)

    @torch.no_grad()
    def run() -> None:
        for _ in range(WARM):
            model(image)

    return ours, clocked(run, WARM * nodes)


def cases() -> Iterator[Case]:
    whole = "check of a small spec, whole process"
    yield Case(whole, LIBRARIES, partial(check_against, LIBRARIES), at_most=1.3)
    for nodes, text in ((1_000, chain(1_000)), (10_000, chain(10_000)), (50_000, items(50_000))):
        yield per_node(
            f"check, {nodes:,} nodes",
            "yaml.safe_load",
            partial(check_and, safe_load, text, nodes),
            at_most=0.5,
            rounds=3 if nodes > 10_000 else 5,
        )
    yield per_node(
        "fmt, 2,000 nodes",
        "check",
        partial(format_and_check, chain(2_000), 2_000),
        at_most=1.5,
        rounds=5,
    )
    yield per_node(
        "check, 10,000 nodes",
        "CSafeLoader and networkx",
        partial(check_and, libraries, chain(10_000), 10_000),
        at_most=0.9,
        rounds=5,
    )
    for what, most, fewer, spec, at_most in (
        ("nodes", 10_000, 1_000, "chain", 1.05),
        ("unlike nodes", 10_000, 1_000, "unlike", 1.05),
        ("nodes", 50_000, 5_000, "items", 1.2),
    ):
        yield per_node(
            f"check, {most:,} {what}",
            f"{fewer:,} {what}",
            partial(check_fewer, spec, most, fewer),
            at_most=at_most,
            rounds=5,
        )
    for name in TORCHVISION:
        yield per_node(
            f"shapes, {name}", "a limit", partial(shapes_against_limit, name), at_most=1.0
        )
        yield per_node(f"shapes, {name}, the first time", "again", partial(shapes_uncached, name))
        yield per_node(
            f"shapes, {name}",
            "torchvision's on the meta device",
            partial(shapes_against_meta, name),
            at_most=1 / 20,
        )
