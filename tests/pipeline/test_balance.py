"""`split` into a number of stages: they have about the same parameters and multiply-accumulates."""

from __future__ import annotations

import itertools

import pytest

import mimgraph as mg
from mimgraph.cost.cost import Costs
from tests.conftest import ROOT
from tests.helpers.cases import each


def tower(*widths: int) -> mg.Graph:
    """Return linear layers of these widths in a row, each with `width * (before + 1)` params."""
    x = mg.Input("x", (widths[0],))
    y: mg.Tensor = x
    for number, width in enumerate(widths[1:]):
        y = mg.layers.Linear(width)(y, name=f"n{number}")
    return mg.Graph(y)


def loads(graph: mg.Graph, starts: tuple[str, ...]) -> list[float]:
    """Return the load of each stage: its shares of all parameters and of all MACs, added."""
    found = []
    for stage in graph.split(starts):
        costs = [Costs(one.typed).total.at({"N": 1, "T": 128}) for one in (stage, graph)]
        ours, whole = ((cost.params, int(cost.macs.value)) for cost in costs)
        found.append(ours[0] / whole[0] + ours[1] / whole[1])
    return found


WIDTHS = [(8,) * 7, (64, 32, 16, 8, 4, 2, 1), (1, 2, 4, 8, 16, 32, 64)]


@each("widths, count", [*itertools.product(WIDTHS, [1, 2, 3, 4, 6])])
def test_no_other_split_has_a_smaller_largest_load(widths: tuple[int, ...], count: int) -> None:
    graph = tower(*widths)
    names = [node.name for node in graph.typed.body.order]
    best = min(max(loads(graph, c)) for c in itertools.combinations(names[1:], count - 1))
    stages = graph.split(count)
    assert len(stages) == count
    assert max(loads(graph, stages[0].starts)) == pytest.approx(best)


def test_macs_that_depend_on_named_sizes_count() -> None:
    graph = mg.loads("""
        inputs: {x: [T, 8], y: [8]}
        nodes:
          once: {layer: Linear, from: y, out_features: 8}
          twice: {layer: Linear, from: once, out_features: 8}
          each: {layer: Linear, from: x, out_features: 8}
          every: {layer: Linear, from: each, out_features: 8}
        outputs: [twice, every]
    """)
    assert graph.split(2)[0].starts == ("every",)


@each("count", [0, 3])
def test_a_count_beyond_the_possible_splits_is_refused(count: int) -> None:
    graph = mg.loads("""
        name: Tied
        inputs: {tokens: {shape: [T], vocab: 9}}
        nodes:
          words: {layer: Embedding, from: tokens, embedding_dim: 4}
          states: {layer: Linear, from: words, out_features: 4}
          logits: {merge: einsum, equation: "n t d, v d -> n t v", from: [states, words.weight]}
          best: {layer: ArgMax, from: logits, dim: -1}
        outputs: best
    """)
    assert graph.split(2)[0].starts == ("best",)
    tied = (
        "; <string>:7:11: logits reads words.weight, a weight of another node,"
        " so words and logits must be in one stage"
    )
    with pytest.raises(ValueError) as raised:
        graph.split(count)
    assert str(raised.value) == (
        f"Tied can be split into 1 to 2 stages, not {count}{tied if count else ''}"
    )


def test_a_graph_of_one_stage_says_so() -> None:
    graph = mg.loads("inputs: {x: [4]}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y\n")
    with pytest.raises(ValueError, match="^Model can be split into no more than one stage, not 2$"):
        graph.split(2)


@each("count, starts", [(2, ("deep.1",)), (4, ("deep", "deep.1", "deep.2"))])
def test_repeats_of_a_block_are_spread_over_stages(count: int, starts: tuple[str, ...]) -> None:
    graph = mg.loads("""
        inputs: {x: [8]}
        blocks: {one: {seq: [{Linear: 8}, ReLU]}}
        nodes:
          first: {layer: Linear, from: x, out_features: 8}
          deep: {block: one, from: first, repeat: 3}
        outputs: deep
    """)
    assert graph.split(count)[0].starts == starts


GALLERY = {
    "resnet50": ("stage4",),
    "vit_b16": ("encoded.6",),
    "bert_base": ("states.5",),
}


@pytest.mark.parametrize("name", GALLERY)
def test_balance_of_the_gallery(name: str) -> None:
    """Most weights of these models are in repeated blocks, which are split."""
    graph = mg.load(ROOT / "specs" / f"{name}.yaml")
    starts = graph.split(2)[0].starts
    assert starts == GALLERY[name]
    assert max(loads(graph, starts)) < 1.2
