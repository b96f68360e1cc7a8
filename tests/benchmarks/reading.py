"""Costs of reading and checking specs: whole processes, large files, and shape inference alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
import yaml

import mimgraph as mg
from mimgraph.diagnostics import Report
from mimgraph.infer import rules
from mimgraph.infer.graph import infer
from mimgraph.ir.typed_graph import Body
from mimgraph.ir.typed_operations import Leaf, TypedOperation, unwrap
from mimgraph.language.formatter import formatted
from mimgraph.source import SourceFile
from mimgraph.support.progress import uncollected
from tests.benchmarks.case import Case, Cost, clocked, in_own_process, per_node, process
from tests.benchmarks.forwards import torchvision_model
from tests.benchmarks.large_specs import chain
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
    """Return the cost of a check that begins without the rules of the one before."""
    cost = clocked(lambda: mg.loads(text), nodes)

    def without_rules() -> float:
        rules.forget()
        return cost()

    return without_rules


def check_and_load(text: str, nodes: int) -> tuple[Cost, Cost]:
    return check(text, nodes), clocked(lambda: yaml.safe_load(text), nodes)


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


def shapes(name: str) -> tuple[int, Cost]:
    """Return the number of operations of a spec, and the cost per operation of inferring its shapes."""
    graph = gallery(name)
    nodes = operations(graph.typed.body)

    def run() -> None:
        for _ in range(WARM):
            uncollected()(infer)(graph.declared, Report())

    return nodes, clocked(run, WARM * nodes)


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
    yield Case(whole, LIBRARIES, partial(check_against, LIBRARIES), at_most=1.7)
    for nodes in (1_000, 10_000):
        yield per_node(
            f"check, {nodes:,} nodes",
            "yaml.safe_load",
            partial(check_and_load, chain(nodes), nodes),
            at_most=0.35,
            rounds=5,
        )
    yield per_node(
        "fmt, 2,000 nodes",
        "check",
        partial(format_and_check, chain(2_000), 2_000),
        rounds=5,
    )
    for what, spec in (("nodes", "chain"), ("unlike nodes", "unlike")):
        yield per_node(
            f"check, 10,000 {what}",
            f"1,000 {what}",
            partial(check_fewer, spec, 10_000, 1_000),
            at_most=1.2,
            rounds=5,
        )
    for name in TORCHVISION:
        yield per_node(
            f"shapes, {name}",
            "torchvision's on the meta device",
            partial(shapes_against_meta, name),
        )
