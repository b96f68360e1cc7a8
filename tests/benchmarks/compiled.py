"""Steps of training under `torch.compile`, and the graphs that it makes, against the classes by hand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor, nn

from tests.benchmarks.case import Case, Cost, best
from tests.benchmarks.forwards import NOISE, repeated, share_weights, sum_of
from tests.helpers.compiled_pairs import PAIRS, SIZES, Pair, graphs
from tests.helpers.handwritten import MODELS as SEEDS

GRAPHS = f"graphs of torch.compile, {len(PAIRS)} models, {len(SIZES)} batch sizes and lengths"


def step(model: nn.Module, *args: Tensor, **named: Tensor) -> Cost:
    """Return the cost of a step of training by Inductor, once it has compiled."""
    optimizer = torch.optim.SGD(model.parameters(), 1e-6)
    compiled = torch.compile(model.train())

    def run() -> None:
        optimizer.zero_grad()
        sum_of(compiled(*args, **named)).backward()
        optimizer.step()

    run()
    return best(repeated(run, with_gradients=True), 10)


def steps(pair: Pair) -> tuple[Cost, Cost]:
    torch.set_num_threads(1)
    torch.compiler.reset()
    ours, by_hand = pair.graph().compile(), pair.by_hand()
    share_weights(ours, by_hand)
    inputs = pair.inputs(batch=4, length=24)
    return step(ours, **inputs), step(by_hand, *inputs.values())


def all_graphs() -> tuple[Cost, Cost]:
    return (
        lambda: sum(graphs(pair.graph().compile(), pair, by_name=True)[-1] for pair in PAIRS),
        lambda: sum(graphs(pair.by_hand(), pair, by_name=False)[-1] for pair in PAIRS),
    )


def cases() -> Iterator[Case]:
    for pair in PAIRS:
        yield Case(
            f"training step under torch.compile, {pair}",
            "the class by hand",
            partial(steps, pair),
            at_most=1 + NOISE,
            rounds=9,
            group="" if pair.name in SEEDS else "training step under torch.compile",
        )
    yield Case(GRAPHS, "the classes by hand", all_graphs, at_most=1.0, rounds=1, unit="graphs")
