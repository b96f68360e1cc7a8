"""Costs beside other libraries: forwards, checks, building, and the memory of a forward.

A peer runs in a process of its own, as it may change torch for a whole process.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import nn

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.runtime.runner import seeded_inputs
from tests.benchmarks import peers
from tests.benchmarks.case import Case, Cost, best, clocked, in_own_process, process
from tests.benchmarks.forwards import repeated
from tests.benchmarks.large_specs import chain
from tests.benchmarks.making import building
from tests.benchmarks.memory import ours_alive, tensors_alive
from tests.benchmarks.reading import check, check_of
from tests.conftest import ROOT

HERE = "tests.benchmarks.beside_peers"
BRANCH = ROOT / "tests" / "benchmarks" / "image_branch.yaml"
SIMPLE = ROOT / "specs" / "simple_numerical.yaml"
MANY = 10_000
IN_A_ROW = 20
MAKE_AT_ONCE = ("keras", "pytorch_symbolic", "tensordict")  # weights, while the model is declared
READ_TEXT = ("mlnode", "konfai")


class Beside(NamedTuple):
    """A model, and each peer's function that makes the same one."""

    graph: Callable[[], mg.Graph]
    peers: Mapping[str, Callable[[], Callable[..., Any]]]


MODELS = {
    "simple_numerical": Beside(lambda: mg.load(SIMPLE), peers.SIMPLE),
    "image branch": Beside(lambda: mg.load(BRANCH), peers.BRANCH),
    f"{IN_A_ROW} Linear": Beside(
        lambda: mg.loads(chain(IN_A_ROW)),
        {
            peer: (lambda make=make: make(IN_A_ROW, "Linear")())
            for peer, make in peers.CHAINS.items()
        },
    ),
}


def forward(name: str, peer: str = "") -> Cost:
    """Return the cost of a forward of one sample, compiled or built by a peer, on one thread."""
    torch.set_num_threads(1)
    graph = MODELS[name].graph()
    inputs = seeded_inputs(graph.typed, 1, 0, choose_sizes(graph.typed, {}))
    if not peer:
        return best(repeated(partial(graph.compile(), **inputs)))
    return best(repeated(partial(MODELS[name].peers[peer](), *inputs.values())))


def making(peer: str) -> Cost:
    """Return the cost of making a model of many layers in a peer that is imported and warm."""
    peers.CHAINS[peer](2, "Linear")()
    return clocked(peers.CHAINS[peer](MANY, "Linear"), MANY)


def mlnode_check() -> Cost:
    """Return the cost of reading and checking many layers in MLnode."""
    text = peers.mlnode_chain(MANY, "Linear")
    return clocked(lambda: peers.mlnode(text).validate(), MANY)


def alive(peer: str) -> Cost:
    """Return the largest number of tensors alive at once in a forward of 1,000 ReLUs in a peer."""
    model = peers.CHAINS[peer](1_000, "ReLU")()
    weights = model if isinstance(model, nn.Module) else nn.Module()
    return tensors_alive(weights, lambda: model(torch.ones(8, 64)))


def built(with_weights: bool) -> Cost:
    """Return the cost of building many layers in Python; `with_weights` also compiles."""

    def build() -> tuple[mg.Graph, nn.Module | None]:
        graph = building(MANY)  # a peer's model keeps its graph too
        return graph, graph.compile() if with_weights else None

    return clocked(build, MANY)


def read() -> Cost:
    """Return the cost of reading and compiling many layers."""
    text = chain(MANY)
    return clocked(lambda: mg.loads(text).compile(), MANY)


def against(ours: Callable[[], Cost], call: str) -> Callable[[], tuple[Cost, Cost]]:
    """Return what makes both sides; `call` is a call of a function of this file."""
    return lambda: (ours(), in_own_process(f"{HERE}.{call}"))


def row(name: str, peer: str, make: Callable[[], tuple[Cost, Cost]], **options: Any) -> Case:
    """Return a case beside a peer, which is to be slower unless `options` say how much."""
    options = {"against": peer, "at_most": 1.0, "rounds": 3} | options
    return Case(name=name, make=make, peer=peer, **options)


def checks() -> Iterator[Case]:
    """Yield a check of a small spec in a process, for each peer, and of many nodes."""
    call = "from tests.benchmarks import peers; peers."
    builds = {peer: (SIMPLE, f"{call}SIMPLE[{peer!r}]()") for peer in peers.SIMPLE}
    for peer, (spec, statement) in {
        **builds,
        "mlnode": (BRANCH, f"{call}mlnode_branch().validate()"),
    }.items():
        ours = partial(check_of, spec)
        theirs = partial(process, sys.executable, "-c", statement)
        yield row(
            "check of a small spec, whole process",
            peer,
            lambda ours=ours, theirs=theirs: (ours(), theirs()),
            against=f"the same model in {peer}",
            at_most=0.1,
            rounds=5,
        )
    ours = partial(check, chain(MANY), MANY)
    make = against(ours, "mlnode_check()")
    yield row(f"check, {MANY:,} nodes", "mlnode", make, unit="µs a node")


def cases() -> Iterator[Case]:
    for name, model in MODELS.items():
        for peer in model.peers:
            make = against(partial(forward, name), f"forward({name!r}, {peer!r})")
            yield row(f"forward, {name}", peer, make)
    for peer in peers.CHAINS:
        make = against(ours_alive, f"alive({peer!r})")
        name = "peak of a forward, 1,000 element-wise nodes"
        yield row(name, peer, make, rounds=1, unit="tensors")
    yield from checks()
    for what, with_weights in (("build in Python", False), ("build in Python and compile", True)):
        for peer in MAKE_AT_ONCE:
            yield row(
                f"{what}, {MANY:,} nodes",
                peer,
                against(partial(built, with_weights), f"making({peer!r})"),
                against=f"{peer}, which makes the weights at once",
                at_most=0.2 if peer == "keras" else 1.0,
                unit="µs a node",
            )
    for peer in READ_TEXT:
        make = against(read, f"making({peer!r})")
        yield row(f"read and compile, {MANY:,} nodes", peer, make, unit="µs a node")
