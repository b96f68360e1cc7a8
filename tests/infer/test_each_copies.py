"""`each` with a number makes copies on one source; `shared: true` is one module on every source."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph import layers, merges
from tests.helpers.cases import each
from tests.helpers.running import inputs_of, same_as_by_hand, saved, seeded

EXPERTS = """\
name: Experts
params: {experts: 3}
inputs: {x: [6]}
nodes:
  experts: {layer: Linear, each: $experts, from: x, out_features: 4, activation: ReLU}
  stacked: {merge: stack, from: experts.*, dim: 1}
  gate: {layer: Linear, from: x, out_features: $experts}
  weights: {layer: Softmax, from: gate, dim: 1}
  mixed: {merge: einsum, equation: "n e, n e d -> n d", from: [weights, stacked]}
outputs: mixed
"""
COLUMNS = """\
name: Columns
inputs: {city: {vocab: 9}, home: {vocab: 9}}
nodes:
  place: {layer: Embedding, each: [city, home], shared: true, embedding_dim: 3}
  alike: {merge: cosine, from: [place.city, place.home]}
outputs: alike
"""


class Experts(nn.Module):
    """The model of `EXPERTS`, written by hand (Ma et al. 2018)."""

    def __init__(self) -> None:
        super().__init__()
        self.experts = nn.ModuleList([nn.Linear(6, 4) for _ in range(3)])
        self.gate = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        stacked = torch.stack([expert(x).relu() for expert in self.experts], 1)
        return torch.einsum("ne,ned->nd", self.gate(x).softmax(1), stacked)


class Columns(nn.Module):
    """The model of `COLUMNS`, written by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.place = nn.Embedding(9, 3)

    def forward(self, city: Tensor, home: Tensor) -> Tensor:
        return torch.cosine_similarity(self.place(city), self.place(home))


HANDWRITTEN: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "copies on one source": (EXPERTS, Experts),
    "one module on every source": (COLUMNS, Columns),
}


@each("name", [*HANDWRITTEN])
def test_weights_outputs_and_gradients_equal_the_class_written_by_hand(name: str) -> None:
    text, by_hand = HANDWRITTEN[name]
    graph = mg.loads(text)
    ours, theirs, inputs = seeded(graph.compile), seeded(by_hand), inputs_of(graph)
    result = same_as_by_hand(ours, theirs, inputs)
    for other_copy in (copy.deepcopy(ours), saved(ours)):
        assert torch.equal(other_copy(**inputs), result)
    exported = torch.export.export(ours, (), inputs).module()
    torch.testing.assert_close(exported(**inputs), result)


def test_copies_are_a_list_of_modules() -> None:
    assert "nn.ModuleList([nn.Linear(6, 4) for _ in range(3)])" in mg.loads(EXPERTS).source()


# nodes on x (6), the keys of their weights, and the shapes of their results
COPIES: dict[str, tuple[str, list[str], list[int]]] = {
    "of a layer": ("{layer: Linear, each: 2, from: x, out_features: 3}", ["0", "1"], [3, 3]),
    "with options": (
        "{layer: Linear, each: 2, from: x, with: {out_features: [1, 4]}}",
        ["0", "1"],
        [1, 4],
    ),
    "of a chain": (
        "{each: 2, from: x, seq: [{Linear: 3}, ReLU, {Linear: 2}]}",
        ["0.0", "0.2", "1.0", "1.2"],
        [2, 2],
    ),
    "of a block": ("{block: tower, each: 2, from: x, width: 3}", ["0.fc", "1.fc"], [3, 3]),
    "of a repeated block": (
        "{block: tower, each: 1, from: {v: x}, width: 6, repeat: 2}",
        ["0.0.fc", "0.1.fc"],
        [6],
    ),
    "of a computed number": (
        "{layer: Linear, each: $(n + 1), from: x, out_features: 3}",
        ["0", "1", "2"],
        [3, 3, 3],
    ),
    "frozen": ("{layer: Linear, each: 1, from: x, out_features: 3, freeze: true}", ["0"], [3]),
    "without weights": ("{layer: Tanh, each: 2, from: x}", [], [6, 6]),
}


@each("name", [*COPIES])
def test_copies_are_numbered(name: str) -> None:
    node, keys, widths = COPIES[name]
    graph = mg.loads(
        "params: {n: 2}\ninputs: {x: [6]}\nblocks:\n"
        "  tower: {params: {width: null}, inputs: [v], nodes: {fc: {layer: Linear, from: v, out_features: $width}}, outputs: fc}\n"
        f"nodes:\n  y: {node}\n  all: {{merge: concat, from: [y.*, x]}}\noutputs: all\n"
    )
    model = seeded(graph.compile)
    assert list(dict.fromkeys(k.rpartition(".")[0] for k in model.state_dict())) == [
        f"y.{key}" for key in keys
    ]
    assert all(p.requires_grad == (name != "frozen") for p in model.parameters())
    assert model(x=torch.ones(2, 6)).shape == (2, sum(widths) + 6)
    assert mg.loads(graph.dumps()) == graph


# reads of `e`, one Embedding on the columns a and b, and the same by hand
READS: dict[str, tuple[str, Callable[[nn.Embedding, Tensor, Tensor], Tensor]]] = {
    "a share": ("{share: e, from: b}", lambda e, a, b: e(b)),
    "a share of a port": ("{share: e.b, from: a}", lambda e, a, b: e(a)),
    "its weight": (
        "{layer: Unsqueeze, from: e.weight, dim: 0}",
        lambda e, a, b: e.weight.unsqueeze(0),
    ),
}


@each("name", [*READS])
def test_one_module_is_read_like_that_of_a_layer(name: str) -> None:
    node, expected = READS[name]
    graph = mg.loads(
        "inputs: {a: {vocab: 5}, b: {vocab: 5}}\nnodes:\n"
        "  e: {layer: Embedding, each: [a, b], shared: true, embedding_dim: 3}\n"
        f"  y: {node}\noutputs: {{y: y, a: e.a, b: e.b}}\n"
    )
    model, inputs = seeded(graph.compile), inputs_of(graph)
    assert [*model.state_dict()] == ["e.weight"]
    assert torch.equal(model(**inputs)["y"], expected(model.e, inputs["a"], inputs["b"]))


def test_one_block_serves_sources_that_may_be_missing() -> None:
    graph = mg.loads(
        "inputs: {a: [4], b: {shape: [4], optional: true}}\n"
        "blocks: {tower: {inputs: [v], nodes: {fc: {layer: Linear, from: v, out_features: 4}, "
        "sum: {merge: average, from: [v, fc], missing: skip}}, outputs: sum}}\n"
        "nodes:\n  t: {block: tower, each: [a, b], shared: true}\n"
        "  y: {merge: average, from: [t.a, t.b], missing: skip}\noutputs: y\n"
    )
    model, a = seeded(graph.compile), torch.ones(2, 4)
    by_hand = (a + model.t.fc(a)) / 2
    torch.testing.assert_close(model(a=a), by_hand)
    torch.testing.assert_close(model(a=a, b=a), by_hand)


def test_python_equals_the_spec() -> None:
    x = mg.Input("x", [6])
    experts = layers.Linear(4, activation="ReLU").each(x, times=3, name="experts")
    stacked = merges.stack(*experts, dim=1, name="stacked")
    gate = layers.Linear(3)(x, name="gate")
    weights = layers.Softmax(dim=1)(gate, name="weights")
    mixed = merges.einsum(weights, stacked, equation="n e, n e d -> n d", name="mixed")
    graph = mg.Graph(mixed, name="Experts")
    spec = mg.loads(EXPERTS.replace("$experts", "3").replace("params: {experts: 3}\n", ""))
    assert graph.source() == spec.source()
    city, home = mg.Input("city", vocab=9), mg.Input("home", vocab=9)
    place = layers.Embedding(3).each(city, home, shared=True, name="place")
    alike = merges.cosine(place["city"], place["home"], name="alike")
    assert mg.Graph(alike, name="Columns") == mg.loads(COLUMNS)


def test_a_layer_of_copies_is_called_again_in_python() -> None:
    x, y = mg.Input("x", [6]), mg.Input("y", [6])
    layer = layers.Linear(2)
    first, second = layer.each(x, times=2, name="a"), layer.each(y, times=2, name="b")
    graph = mg.Graph(merges.concat(*first, *second, layer["1"](y), name="all"))
    model, inputs = seeded(graph.compile), inputs_of(graph)
    expected = [model.a[i](inputs[key]) for i, key in ((0, "x"), (1, "x"), (0, "y"), (1, "y"))]
    torch.testing.assert_close(model(**inputs), torch.cat([*expected, expected[-1]], 1))
    assert mg.loads(graph.dumps()) == graph


def test_sources_called_times_and_shared_name_their_ports() -> None:
    x = mg.Input("x", [6])
    each = layers.Linear(2).each(shared=x, times=x, name="e")
    assert [*each.record.results] == ["times", "shared"]


WRONG_CALLS: dict[str, tuple[dict[str, object], str]] = {
    "several sources": ({"times": 2}, "e makes copies on one source, not on 2"),
    "several sources, what to write": (
        {"times": 2},
        r"call \.each\(\.\.\.\) to apply it to every one",
    ),
    "no copies": ({"times": 0}, "times must be a whole number of copies, at least 1"),
    "shared copies": ({"times": 2, "shared": True}, "a shared each has one module, so"),
    "shared, by a number": ({"shared": 1}, "shared must be True or False, not 1"),
}


@each("name", [*WRONG_CALLS])
def test_a_wrong_call_in_python_is_reported(name: str) -> None:
    options, message = WRONG_CALLS[name]
    x, y = mg.Input("x", [6]), mg.Input("y", [6])
    with pytest.raises(mg.SpecError, match=message):
        layers.Linear(2).each(x, y, name="e", **options)  # type: ignore[arg-type]


def test_a_summary_counts_one_module_once_and_every_copy() -> None:
    experts, columns = mg.loads(EXPERTS).summary(), mg.loads(COLUMNS).summary()
    assert "Linear 4 + ReLU, 3 copies" in str(experts).replace("Linear + ReLU", "Linear 4 + ReLU")
    assert experts.totals()["params"] == 3 * 28 + 21
    assert columns.totals()["params"] == 27


def test_a_diff_tells_the_number_of_copies_and_what_is_shared() -> None:
    more = mg.diff(mg.loads(EXPERTS), mg.loads(EXPERTS, params={"experts": 4}))
    assert "each 3 → 4" in str(more)
    apart = mg.diff(mg.loads(COLUMNS.replace("shared: true, ", "")), mg.loads(COLUMNS))
    assert "shared false → true" in str(apart)


def test_stages_have_the_weights_of_the_whole() -> None:
    graph = mg.loads(EXPERTS)
    found = [key for stage in graph.split(["stacked"]) for key in stage.compile().state_dict()]
    assert sorted(found) == sorted(graph.compile().state_dict())
