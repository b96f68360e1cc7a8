"""`each` applies one operation to every source, with weights of its own for each source."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.model import boxes
from tests.helpers.cases import each
from tests.helpers.running import inputs_of, seeded

INPUTS = "inputs: {city: {vocab: 9}, job: {vocab: 5}, brand: {vocab: 7}, dense: [4]}\n"
TABLE = f"""{INPUTS}\
nodes:
  emb: {{layer: Embedding, each: [city, job, brand], embedding_dim: 3}}
  fused: {{merge: concat, from: [emb.*, dense]}}
  score: {{layer: Linear, from: fused, out_features: 1}}
outputs: score
"""
VECTORS = """\
inputs: {a: [4], b: [4], c: [5]}
params: {widths: [2, 3]}
blocks:
  tower: {params: {width: 3}, seq: [{Linear: $width}, ReLU]}
  even: {inputs: {x: [C]}, nodes: {fc: {layer: Linear, from: x, out_features: $C}}, outputs: fc}
  pair:
    inputs: {x: [C], y: [D]}
    nodes:
      fc: {layer: Linear, each: [x, y], out_features: $C, activation: ReLU}
      sum: {merge: add, from: fc.*}
    outputs: sum
  halves:
    inputs: [x]
    nodes: {left: {layer: Linear, from: x, out_features: 2}, right: {layer: ReLU, from: x}}
    outputs: [left, right]
nodes:
"""


class Table(nn.Module):
    """The model of the spec `TABLE`, written by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.ModuleDict(
            {"city": nn.Embedding(9, 3), "job": nn.Embedding(5, 3), "brand": nn.Embedding(7, 3)}
        )
        self.score = nn.Linear(13, 1)

    def forward(self, city: Tensor, job: Tensor, brand: Tensor, dense: Tensor) -> Tensor:
        columns = {"city": city, "job": job, "brand": brand}
        embedded = [self.emb[name](column) for name, column in columns.items()]
        score: Tensor = self.score(torch.cat([*embedded, dense], 1))
        return score


def cat(*parts: Tensor) -> Tensor:
    return torch.cat(parts, 1)


def vectors(nodes: str, outputs: str = "{all: all, a: a, b: b, c: c}") -> mg.Graph:
    """Return a graph on three vectors, which are all outputs so that none is unused."""
    return mg.loads(f"{VECTORS}{nodes}outputs: {outputs}\n")


def test_weights_and_outputs_equal_the_class_written_by_hand() -> None:
    graph = mg.loads(TABLE)
    ours, theirs = seeded(graph.compile), seeded(Table)
    assert isinstance(ours.emb, nn.ModuleDict)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert all(map(torch.equal, ours.state_dict().values(), theirs.state_dict().values()))
    assert torch.equal(ours(**inputs_of(graph)), theirs(**inputs_of(graph)))


def test_items_that_are_read_together_are_emitted_as_one_loop() -> None:
    calls = ", ".join(f'self.emb["{name}"]({name})' for name in ("city", "job", "brand"))
    assert f"torch.cat( ({calls}, dense), 1" in " ".join(mg.loads(TABLE).source().split())


# a node that reads the embeddings `e`, and the same computed from the columns and the numbers
READERS: dict[str, tuple[str, Callable[..., Tensor]]] = {
    "all": ("{merge: add, from: e.*}", lambda c, j, b, d: c + j + b),
    "all, one twice": ("{merge: concat, from: [e.*, e.job]}", lambda c, j, b, d: cat(c, j, b, j)),
    "in another order": ("{merge: concat, from: [e.job, e.city]}", lambda c, j, b, d: cat(j, c)),
    "one": ("{layer: Tanh, from: e.brand}", lambda c, j, b, d: b.tanh()),
    "one, by a chain": ("{from: e.brand, seq: [Tanh, ReLU]}", lambda c, j, b, d: b.tanh().relu()),
    "after an input": ("{merge: concat, from: [dense, e.*]}", lambda c, j, b, d: cat(d, c, j, b)),
    "around an input": (
        "{merge: concat, from: [e.city, dense, e.job]}",
        lambda c, j, b, d: cat(c, d, j),
    ),
    "twice in a formula": (
        '{merge: formula, expr: "a * a + b", from: {a: e.city, b: e.job}}',
        lambda c, j, b, d: c * c + j,
    ),
    "by argument": (
        "{merge: cosine, from: [e.brand, e.city]}",
        lambda c, j, b, d: torch.cosine_similarity(b, c),
    ),
    "stacked": ("{merge: stack, from: e.*}", lambda c, j, b, d: torch.stack((c, j, b), 1)),
    "by pairs": (
        "{merge: pairwise_dot, from: e.*}",
        lambda c, j, b, d: torch.stack(((j * c).sum(1), (b * c).sum(1), (b * j).sum(1)), 1),
    ),
    "each of each": (
        "{merge: concat, from: [f.*]}\n  f: {layer: Tanh, each: e.*}",
        lambda c, j, b, d: cat(c, j, b).tanh(),
    ),
}


@each("name", [*READERS])
def test_every_reader_gets_its_items_in_its_order(name: str) -> None:
    node, expected = READERS[name]
    graph = mg.loads(
        f"{INPUTS}nodes:\n  e: {{layer: Embedding, each: [city, job, brand], embedding_dim: 3}}\n"
        f"  all: {node}\noutputs: {{all: all, city: city, job: job, brand: brand, dense: dense}}\n"
    )
    model, inputs = seeded(graph.compile), inputs_of(graph)
    called: list[str] = []
    for column, module in model.e.items():
        module.register_forward_hook(lambda *_, column=column: called.append(column))
    result = model(**inputs)["all"]
    assert len(called) == len(set(called))
    embedded = [model.e[column](inputs[column]) for column in ("city", "job", "brand")]
    torch.testing.assert_close(result, expected(*embedded, inputs["dense"]))


def test_random_layers_draw_in_the_order_in_which_they_are_written() -> None:
    graph = vectors(
        "  left: {each: [a, b], seq: [{Linear: 4}, {Dropout: 0.5}]}\n"
        "  right: {from: a, seq: [{Linear: 4}, {Dropout: 0.5}]}\n"
        "  all: {merge: concat, from: [right, left.*]}\n"
    )
    model, inputs = graph.compile().train(), inputs_of(graph)
    ours = seeded(lambda: model(**inputs))["all"]
    left = seeded(lambda: [model.left[name](inputs[name]) for name in ("a", "b")])
    assert torch.equal(ours, cat(model.right(inputs["a"]), *left))


# operations of an `each`: the nodes, the keys of the modules, and the expected results
OPERATIONS: dict[str, tuple[str, list[str], Callable[..., Tensor]]] = {
    "a layer with an activation": (
        "{layer: Linear, each: [a, c], out_features: 2, activation: ReLU}",
        ["e.a.weight", "e.a.bias", "e.c.weight", "e.c.bias"],
        lambda e, a, b, c: cat(e["a"](a).relu(), e["c"](c).relu()),
    ),
    "a layer without weights": (
        "{layer: Softmax, each: [a, c], dim: -1}",
        [],
        lambda e, a, b, c: cat(a.softmax(-1), c.softmax(-1)),
    ),
    "a function": (
        "{layer: Slice, each: [a, c], dim: 1, start: 1}",
        [],
        lambda e, a, b, c: cat(a[:, 1:], c[:, 1:]),
    ),
    "a chain": (
        "{each: [a, c], seq: [{Linear: 2}, Tanh]}",
        ["e.a.0.weight", "e.a.0.bias", "e.c.0.weight", "e.c.0.bias"],
        lambda e, a, b, c: cat(e["a"](a), e["c"](c)),
    ),
    "a block": (
        "{block: tower, each: [a, c]}",
        ["e.a.0.weight", "e.a.0.bias", "e.c.0.weight", "e.c.0.bias"],
        lambda e, a, b, c: cat(e["a"](a), e["c"](c)),
    ),
    "a block with its own param each": (
        "{block: tower, each: [a, c], with: {width: $widths}}",
        ["e.a.0.weight", "e.a.0.bias", "e.c.0.weight", "e.c.0.bias"],
        lambda e, a, b, c: cat(e["a"](a), e["c"](c)),
    ),
    "a block of another size each": (
        "{block: even, each: [a, c]}",
        ["e.a.fc.weight", "e.a.fc.bias", "e.c.fc.weight", "e.c.fc.bias"],
        lambda e, a, b, c: cat(e["a"](a), e["c"](c)),
    ),
    "one result of a block": (
        "{block: halves, each: [a, c], take: right}",
        ["e.a.left.weight", "e.a.left.bias", "e.c.left.weight", "e.c.left.bias"],
        lambda e, a, b, c: cat(a.relu(), c.relu()),
    ),
    "a repeated block": (
        "{block: even, each: [a, c], repeat: 2}",
        [f"e.{n}.{i}.fc.{w}" for n in "ac" for i in (0, 1) for w in ("weight", "bias")],
        lambda e, a, b, c: cat(e["a"](a), e["c"](c)),
    ),
    "one block repeated": (
        "{block: even, each: [a, c], repeat: {times: 2, shared: true}}",
        ["e.a.fc.weight", "e.a.fc.bias", "e.c.fc.weight", "e.c.fc.bias"],
        lambda e, a, b, c: cat(e["a"](e["a"](a)), e["c"](e["c"](c))),
    ),
    "its own option each": (
        "{layer: Linear, each: [a, c], with: {out_features: [2, 3], bias: [true, false]}}",
        ["e.a.weight", "e.a.bias", "e.c.weight"],
        lambda e, a, b, c: cat(e["a"](a), e["c"](c)),
    ),
    "the ports named": (
        "{layer: Linear, each: {p: a, q: a}, out_features: 2}",
        ["e.p.weight", "e.p.bias", "e.q.weight", "e.q.bias"],
        lambda e, a, b, c: cat(e["p"](a), e["q"](a)),
    ),
    "one source": (
        "{layer: Linear, each: [a], out_features: 2}",
        ["e.a.weight", "e.a.bias"],
        lambda e, a, b, c: e["a"](a),
    ),
    "one source without a list": (
        "{layer: Linear, each: a, out_features: 2}",
        ["e.a.weight", "e.a.bias"],
        lambda e, a, b, c: e["a"](a),
    ),
    "parts of a split, by number": (
        """{layer: Linear, each: [parts.*], out_features: 2}
  parts: {layer: Split, from: c, dim: 1, split_size_or_sections: [2, 3]}""",
        ["e.0.weight", "e.0.bias", "e.1.weight", "e.1.bias"],
        lambda e, a, b, c: cat(e["0"](c[:, :2]), e["1"](c[:, 2:])),
    ),
}


@each("name", [*OPERATIONS])
def test_an_operation_has_a_module_for_each_source(name: str) -> None:
    node, keys, expected = OPERATIONS[name]
    graph = vectors(f"  e: {node}\n  all: {{merge: concat, from: [e.*, a]}}\n")
    model, inputs = graph.compile(), inputs_of(graph)
    assert [key for key in model.state_dict() if key.startswith("e.")] == keys
    result = model(**inputs)["all"]
    assert torch.equal(
        result, cat(expected(getattr(model, "e", {}), *inputs.values()), inputs["a"])
    )


# names

OWN = sorted({*dir(nn.ModuleDict()), *vars(nn.ModuleDict())})
AWKWARD = [name for name in OWN if not name.startswith("__")]


@each("name", AWKWARD)
def test_a_column_may_have_the_name_of_a_module_dict_attribute(name: str) -> None:
    graph = mg.loads(
        f"inputs: {{x: [4], y: [4]}}\nnodes:\n"
        f"  e: {{layer: Linear, each: {{{name}: x, plain: y}}, out_features: 2}}\n"
        f"  all: {{merge: concat, from: [e.*, e.{name}]}}\noutputs: all\n"
    )
    model, inputs = graph.compile(), inputs_of(graph)
    assert list(model.state_dict())[:2] == [f"e.{name}.weight", f"e.{name}.bias"]
    for changed in (model.eval(), model.train(), copy.deepcopy(model), model.double().float()):
        mine, plain = changed.e[name](inputs["x"]), changed.e["plain"](inputs["y"])
        assert torch.equal(changed(**inputs), cat(mine, plain, mine))
    assert not model.eval().e[name].training
    assert model.load_state_dict(copy.deepcopy(model.state_dict())).missing_keys == []


def test_columns_named_like_module_dict_methods_work_in_torch_tools() -> None:
    graph = mg.loads(
        "inputs: {items: [4], keys: [4], values: [4], pop: [4], clear: [4], update: [4]}\nnodes:\n"
        "  e: {layer: Linear, each: [items, keys, values, pop, clear, update], out_features: 2}\n"
        "  all: {merge: add, from: e.*}\noutputs: all\n"
    )
    model, inputs = graph.compile(), inputs_of(graph)
    halved = {key: weight / 2 for key, weight in model.named_parameters()}
    expected = model(**inputs)
    assert torch.allclose(torch.func.functional_call(model, halved, (), inputs), expected / 2)
    exported = torch.export.export(model, (), inputs).module()
    assert torch.equal(exported(**inputs), expected)
    assert model.get_submodule("e.items") is model.e["items"]


@each("name", ["audio", "items", "get", "training", "_keys"])
def test_each_source_has_a_learned_fill_of_its_own(name: str) -> None:
    graph = mg.loads(
        "inputs: {x: [4], audio: {shape: [4], optional: true}}\nnodes:\n"
        f"  fill: {{layer: Fill, each: {{{name}: audio, again: audio}}, value: learned, init: ones}}\n"
        "  all: {merge: concat, from: [x, fill.*]}\noutputs: all\n"
    )
    model, x, audio = graph.compile().eval(), torch.randn(2, 4), torch.randn(2, 4)
    assert sorted(model.state_dict()) == sorted([f"fill.{name}", "fill.again"])
    assert torch.equal(model(x=x, audio=audio), cat(x, audio, audio))
    for same in (model, copy.deepcopy(model)):
        same(x=x).sum().backward()
        assert torch.equal(same(x=x), cat(x, torch.ones(2, 8)))
        assert [p.grad.sum().item() for p in same.parameters()] == [8, 8]


def test_each_is_frozen() -> None:
    graph = vectors(
        "  e: {each: [a, b], seq: [{Linear: 3}, BatchNorm1d], freeze: true}\n"
        "  all: {merge: concat, from: e.*}\n"
    )
    model = graph.compile().train()
    assert not any(parameter.requires_grad for parameter in model.e.parameters())
    assert not any(module.training for module in model.e.modules())


# sharing


def test_one_item_is_shared() -> None:
    graph = mg.loads(
        "inputs: {seen: {vocab: 9}, next: {vocab: 9}, user: {vocab: 5}}\nnodes:\n"
        "  emb: {layer: Embedding, each: {item: seen, user: user}, embedding_dim: 3}\n"
        "  next_vec: {share: emb.item, from: next}\n"
        "  score: {merge: dot, from: [next_vec, pooled]}\n"
        "  pooled: {merge: add, from: emb.*}\noutputs: score\n"
    )
    model, inputs = graph.compile(), inputs_of(graph)
    assert list(model.state_dict()) == ["emb.item.weight", "emb.user.weight"]
    pooled = model.emb["item"](inputs["seen"]) + model.emb["user"](inputs["user"])
    expected = (model.emb["item"](inputs["next"]) * pooled).sum(1)
    torch.testing.assert_close(model(**inputs), expected)


SHARES: dict[
    str, tuple[str, list[tuple[str, str]]]
] = {  # each share, with the module that is called and its source
    "all by their names": ("{share: e, each: {b: a, a: b}}", [("b", "a"), ("a", "b")]),
    "some of them": ("{share: e, each: [b]}", [("b", "b")]),
    "one for all": ("{share: e.a, each: [a, b]}", [("a", "a"), ("a", "b")]),
    "one for all, named": ("{share: e.b, each: {p: a, q: a}}", [("b", "a"), ("b", "a")]),
    "a share of all": ("{share: f, each: {a: b, b: a}}", [("a", "b"), ("b", "a")]),
    "a share of one": ("{share: f.b, each: [a, b]}", [("b", "a"), ("b", "b")]),
    "one of a share of one for all": ("{share: h.q, from: a}", [("a", "a")]),
}


@each("name", [*SHARES])
def test_an_each_may_share_modules(name: str) -> None:
    share, used = SHARES[name]
    graph = vectors(
        "  e: {layer: Linear, each: [a, b], out_features: 3, activation: Tanh}\n"
        "  f: {share: e, each: [a, b]}\n  h: {share: e.a, each: {p: a, q: b}}\n"
        f"  g: {share}\n  all: {{merge: concat, from: [{'g' if 'from' in share else 'g.*'}, a]}}\n"
        "  rest: {merge: concat, from: [e.*, f.*, h.*]}\n",
        "{all: all, rest: rest, c: c}",
    )
    model, inputs = graph.compile(), inputs_of(graph)
    assert len(model.state_dict()) == 4
    expected = [model.e[module](inputs[source]).tanh() for module, source in used]
    assert torch.equal(model(**inputs)["all"], cat(*expected, inputs["a"]))


def test_the_weight_of_an_item_is_a_source() -> None:
    """Tied weights: a logit is the dot product with the embedding of its category."""
    graph = mg.loads(
        "inputs: {city: {vocab: 9}, job: {vocab: 5}}\nnodes:\n"
        "  emb: {layer: Embedding, each: [city, job], embedding_dim: 3}\n"
        "  sum: {merge: add, from: emb.*}\n"
        '  next: {merge: einsum, equation: "n d, v d -> n v", from: [sum, emb.city.weight]}\n'
        "outputs: next\n"
    )
    model, inputs = graph.compile(), inputs_of(graph)
    total = sum(model.emb[name](inputs[name]) for name in ("city", "job"))
    torch.testing.assert_close(model(**inputs), total @ model.emb["city"].weight.T)
    assert len(list(model.parameters())) == 2


# blocks


def test_uses_of_a_block_with_an_each_share_a_class() -> None:
    graph = vectors(
        "  left: {block: pair, from: [a, b]}\n  right: {block: pair, from: [c, b]}\n"
        "  row: {block: pair, from: [a, c], repeat: 2}\n"
        "  all: {merge: concat, from: [left, right, row]}\n"
    )
    assert graph.source().count("class Pair(nn.Module)") == 1
    model, inputs = graph.compile(), inputs_of(graph)

    def pair(block: Any, x: Tensor, y: Tensor) -> Tensor:
        return block.fc["x"](x).relu() + block.fc["y"](y).relu()  # type: ignore[no-any-return]

    a, b, c = inputs.values()
    row = pair(model.row[1], pair(model.row[0], a, c), c)
    expected = cat(pair(model.left, a, b), pair(model.right, c, b), row)
    assert torch.equal(model(**inputs)["all"], expected)
    assert list(model.row[0].state_dict()) == [
        f"fc.{n}.{w}" for n in "xy" for w in ("weight", "bias")
    ]


@each(
    "source, parts",
    [
        (
            "{layer: Split, from: c, dim: 1, split_size_or_sections: [2, 3]}",
            [slice(0, 2), slice(2, 5)],
        ),
        ("{layer: Chunk, from: c, dim: 1, chunks: 2}", [slice(0, 3), slice(3, 5)]),
    ],
)
def test_an_each_reads_all_ports_of_a_split(source: str, parts: list[slice]) -> None:
    graph = vectors(f"  p: {source}\n  all: {{merge: concat, from: [a, p.*]}}\n")
    inputs = inputs_of(graph)
    expected = cat(inputs["a"], *(inputs["c"][:, part] for part in parts))
    assert torch.equal(graph.compile()(**inputs)["all"], expected)


def test_an_each_reads_all_results_of_a_block() -> None:
    graph = vectors("  h: {block: halves, from: a}\n  all: {merge: concat, from: [h.*, b]}\n")
    model, inputs = graph.compile(), inputs_of(graph)
    expected = cat(model.h.left(inputs["a"]), inputs["a"].relu(), inputs["b"])
    assert torch.equal(model(**inputs)["all"], expected)


# the same in Python


def columns() -> tuple[mg.Tensor, mg.Tensor, mg.Tensor, mg.Tensor]:
    city, job, brand = (mg.Input(n, vocab=v) for n, v in (("city", 9), ("job", 5), ("brand", 7)))
    return city, job, brand, mg.Input("dense", (4,))


def test_a_graph_built_in_python_equals_the_spec() -> None:
    city, job, brand, dense = columns()
    emb = layers.Embedding(3).each(city, job, brand, name="emb")
    score = layers.Linear(1)(merges.concat(*emb, dense, name="fused"), name="score")
    graph = mg.Graph(score)
    assert graph == mg.loads(TABLE)
    assert mg.loads(graph.dumps()) == graph
    assert emb["city"].shape == city.shape[:1] + (3,)


PYTHON: dict[str, tuple[str, Callable[..., Any]]] = {
    "names of the ports": (
        "{layer: Linear, each: {p: a, q: a}, out_features: 2}",
        lambda a, b: layers.Linear(2).each(p=a, q=a, name="e"),
    ),
    "with": (
        "{layer: Linear, each: [a, b], with: {out_features: [2, 3]}}",
        lambda a, b: layers.Linear().each(a, b, with_={"out_features": [2, 3]}, name="e"),
    ),
    "an activation": (
        "{layer: Linear, each: [a, b], out_features: 2, activation: ReLU}",
        lambda a, b: layers.Linear(2, activation="ReLU").each(a, b, name="e"),
    ),
    "a chain": (
        "{each: [a, b], seq: [{Linear: 2}, Tanh]}",
        lambda a, b: mg.Sequential(layers.Linear(2), layers.Tanh()).each(a, b, name="e"),
    ),
    "a block": (
        "{block: wide, each: [a, b], width: 5}",
        lambda a, b: wide(width=5).each(a, b, name="e"),
    ),
    "a block with": (
        "{block: wide, each: [a, b], with: {width: [5, 6]}}",
        lambda a, b: wide().each(a, b, with_={"width": [5, 6]}, name="e"),
    ),
    "a repeated block": (
        "{block: wide, each: [a, b], repeat: 2, width: 4}",
        lambda a, b: wide(repeat=2, width=4).each(a, b, name="e"),
    ),
}


@mg.block
def wide(x: mg.Tensor, *, width: int = 3) -> mg.Tensor:
    return layers.Linear(width)(x, name="fc")


@each("name", [*PYTHON])
def test_each_in_python(name: str) -> None:
    node, make = PYTHON[name]
    a, b = mg.Input("a", (4,)), mg.Input("b", (4,))
    graph = mg.Graph(merges.concat(*make(a, b), b, name="all"))
    spec = mg.loads(
        "inputs: {a: [4], b: [4]}\nblocks:\n  wide:\n    params: {width: 3}\n    inputs: [x]\n"
        "    nodes: {fc: {layer: Linear, from: x, out_features: $width}}\n    outputs: fc\n"
        f"nodes:\n  e: {node}\n  all: {{merge: concat, from: [e.*, b]}}\noutputs: all\n"
    )
    assert graph == spec
    assert mg.loads(graph.dumps()) == graph
    assert list(graph.compile().state_dict()) == list(spec.compile().state_dict())


def test_an_item_is_called_again_in_python() -> None:
    a, b = mg.Input("a", (4,)), mg.Input("b", (4,))
    fc = layers.Linear(2)
    first = fc.each(a, b, name="e")
    again = fc["a"](b, name="again")
    swapped = fc.each(a=b, b=a, name="swapped")
    graph = mg.Graph(merges.concat(*first, again, *swapped, name="all"))
    assert graph == mg.loads(
        "inputs: {a: [4], b: [4]}\nnodes:\n"
        "  e: {layer: Linear, each: [a, b], out_features: 2}\n  again: {share: e.a, from: b}\n"
        "  swapped: {share: e, each: {a: b, b: a}}\n"
        "  all: {merge: concat, from: [e.*, again, swapped.*]}\noutputs: all\n"
    )
    assert len(graph.compile().state_dict()) == 4


BAD_CALLS: dict[str, tuple[Callable[..., Any], str]] = {
    "no source": (lambda a, b: layers.Linear(2).each(), "called on tensors"),
    "a name twice": (lambda a, b: layers.Linear(2).each(a, a), "name of two ports"),
    "a short list": (
        lambda a, b: layers.Linear().each(a, b, with_={"out_features": [2]}),
        "a list of 2",
    ),
    "an option that is none": (
        lambda a, b: layers.Linear(2).each(a, b, with_={"bais": [True, False]}),
        "no option 'bais'",
    ),
    "an option for all and for each": (
        lambda a, b: layers.Linear(2).each(a, b, with_={"out_features": [2, 3]}),
        "out_features is given twice",
    ),
    "a param for all and for each": (
        lambda a, b: wide(width=3).each(a, b, with_={"width": [2, 3]}),
        "width is given twice",
    ),
    "several results, one wanted": (
        lambda a, b: layers.ReLU()(layers.Linear(2).each(a, b)),
        "several results",
    ),
    "a port that is not there": (
        lambda a, b: layers.Linear(2).each(a, b)["c"],
        "no port 'c'",
    ),
}


@each("name", [*BAD_CALLS])
def test_a_wrong_call_in_python_is_reported_at_its_line(name: str) -> None:
    call, message = BAD_CALLS[name]
    with pytest.raises((mg.SpecError, TypeError), match=message):
        call(mg.Input("a", (4,)), mg.Input("b", (4,)))


# equality


@each("one, other, same", [
        ("{layer: Linear, each: [a, b], out_features: 2}", "{layer: Linear, each: {a: a, b: b}, out_features: 2}", True),
        ("{layer: Linear, each: [a, b], out_features: 2}", "{layer: Linear, each: [a, b], with: {out_features: [2, 2]}}", True),
        ("{layer: Linear, each: [a, b], with: {out_features: $widths}}", "{layer: Linear, each: [a, b], with: {out_features: [2, 3]}}", True),
        ("{layer: Linear, each: [a, b], out_features: 2}", "{layer: Linear, each: [b, a], out_features: 2}", False),
        ("{layer: Linear, each: [a, b], out_features: 2}", "{layer: Linear, each: {b: a, a: b}, out_features: 2}", False),
        ("{layer: Linear, each: [a, b], out_features: 2}", "{layer: Linear, each: [a, b], out_features: 3}", False),
        ("{layer: Linear, each: [a, b], with: {out_features: [2, 3]}}", "{layer: Linear, each: [a, b], with: {out_features: [3, 2]}}", False),
        ("{layer: Linear, each: [a, b], out_features: 2}", "{layer: Linear, each: [a, b], out_features: 2, activation: ReLU}", False),
    ])  # fmt: skip
def test_equality(one: str, other: str, same: bool) -> None:
    left, right = (
        vectors(f"  e: {node}\n  all: {{merge: concat, from: [e.a, e.b]}}\n")
        for node in (one, other)
    )
    assert (left == right) is same
    assert mg.loads(left.dumps()) == left


# tables and pictures


def test_the_summary_counts_every_item_and_their_sum() -> None:
    summary = mg.loads(TABLE).summary()
    (emb,) = (row for row in summary.data() if row["name"] == "emb")
    children = {row["name"]: row["params"] for row in emb["children"]}
    assert children == {"emb.city": 27, "emb.job": 15, "emb.brand": 21}
    assert emb["params"] == 63
    assert "Embedding, each of 3" in str(summary)


def test_a_picture_has_one_box_and_one_edge_for_an_each() -> None:
    drawn = diagram(mg.loads(TABLE).typed)
    edges = [(edge.tail, edge.head, edge.label) for edge in drawn.edges]
    assert edges == [
        *((name, "emb", "") for name in ("city", "job", "brand")),
        *(("emb", "fused", ""), ("dense", "fused", "")),
        *(("fused", "score", ""), ("score", "output score", "")),
    ]
    (emb,) = (box for box in boxes(drawn.items) if box.id == "emb")
    assert (emb.subtitle, emb.shapes) == ("Embedding 9/5/7 to 3, each of 3", ("(N, 3) × 3",))


CRITEO = """\
inputs:
  {c1: {vocab: 10}, c2: {vocab: 11}, c3: {vocab: 12}, c4: {vocab: 13}, c5: {vocab: 14},
   c6: {vocab: 15}, c7: {vocab: 16}, c8: {vocab: 17}, c9: {vocab: 18}, c10: {vocab: 19},
   c11: {vocab: 20}, c12: {vocab: 21}, c13: {vocab: 22}, c14: {vocab: 23}, c15: {vocab: 24},
   c16: {vocab: 25}, c17: {vocab: 26}, c18: {vocab: 27}, c19: {vocab: 28}, c20: {vocab: 29},
   c21: {vocab: 30}, c22: {vocab: 31}, c23: {vocab: 32}, c24: {vocab: 33}, c25: {vocab: 34},
   c26: {vocab: 35}, dense: [13]}
nodes:
  emb: {layer: Embedding, embedding_dim: 8, each: [c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11,
        c12, c13, c14, c15, c16, c17, c18, c19, c20, c21, c22, c23, c24, c25, c26]}
  fused: {merge: concat, from: [emb.*, dense]}
  score: {from: fused, seq: [{Linear: 64}, ReLU, {Linear: 1}]}
outputs: score
"""


def test_a_wide_table_has_one_box_for_its_columns() -> None:
    graph = mg.loads(CRITEO)
    drawn = diagram(graph.typed)
    inputs = [box for box in boxes(drawn.items) if box.kind == "input"]
    assert [box.title for box in inputs] == ["26 inputs", "dense"]
    assert all(f"c{number}" in inputs[0].subtitle for number in range(1, 27))
    assert [(e.tail, e.head) for e in drawn.edges if e.head == "emb"] == [(inputs[0].id, "emb")]
    assert graph.compile()(**inputs_of(graph)).shape == (3, 1)


def test_a_column_with_another_reader_has_its_own_box() -> None:
    other = "  other: {layer: Embedding, from: c7, embedding_dim: 2}\n  fused"
    text = CRITEO.replace("emb.*, dense", "emb.*, dense, other").replace("  fused", other)
    drawn = diagram(mg.loads(text).typed)
    assert [box.title for box in boxes(drawn.items) if box.kind == "input"] == [
        *("25 inputs", "c7", "dense"),
    ]


# engines, files and copies


def test_copies_and_pickles_give_the_same_outputs() -> None:
    graph = mg.loads(TABLE)
    model, inputs = seeded(graph.compile), inputs_of(graph)
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(copied(**inputs), model(**inputs))


def test_compile_and_export() -> None:
    graph = mg.loads(TABLE)
    model, inputs = seeded(graph.compile), inputs_of(graph)
    expected = model(**inputs)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    assert torch.equal(compiled(**inputs), expected)
    assert torch.equal(torch.export.export(model, (), inputs).module()(**inputs), expected)
    zeros = {key: torch.zeros_like(weight) for key, weight in model.named_parameters()}
    assert not torch.func.functional_call(model, zeros, (), inputs).any()


def test_gradients_reach_every_table() -> None:
    graph = mg.loads(CRITEO)
    model = graph.compile()
    model(**inputs_of(graph)).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
