"""A use of a graph, part or block may leave out an optional input: it computes what it does without it."""

from __future__ import annotations

import itertools
import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import mimgraph as mg
from mimgraph import merges
from tests.helpers.cases import each
from tests.helpers.presence import Spec, optional_inputs, specs, subsets
from tests.helpers.strategies import to_yaml

BATCH = 3

thorough = partial(
    settings,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def randomised(model: nn.Module) -> nn.Module:
    """Return the model in double precision with random weights, in eval mode."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape))
    return model.double().eval()


def handles(spec: Spec, gone: tuple[str, ...]) -> dict[str, mg.Tensor]:
    """Return an input for each input of the spec that is not left out."""
    kept = {name: one for name, one in spec["inputs"].items() if name not in gone}
    return {n: mg.Input(n, one["shape"], one.get("dtype")) for n, one in kept.items()}


def data(spec: Spec) -> dict[str, torch.Tensor]:
    """Return random tensors for all inputs."""
    return {
        name: torch.rand(BATCH) > 0.5
        if one.get("dtype") == "bool"
        else torch.randn(BATCH, *one["shape"], dtype=torch.float64)
        for name, one in spec["inputs"].items()
    }


def with_weights(model: nn.Module, *prefixes: str, of: nn.Module) -> nn.Module:
    """Return a model with the weights of another in its parts; each of its weights is one of these."""
    model = model.double().eval()
    for prefix in prefixes:
        part, state = model.get_submodule(prefix), of.state_dict()
        part.load_state_dict({name: state[name] for name in part.state_dict()})
    return model


def score(results: Any) -> torch.Tensor:
    found: torch.Tensor = results["score"] if isinstance(results, dict) else results
    return found


def called_on(graph: mg.Graph, spec: Spec, *left_out: tuple[str, ...]) -> mg.Graph | None:
    """Return the sum of calls of a graph, each without some inputs; None if the graph has an input that
    only outputs for training need, as a part may not."""
    given = handles(spec, ())
    try:
        calls = [
            graph(**{name: one for name, one in given.items() if name not in gone})
            for gone in left_out
        ]
    except mg.SpecError as error:
        assert {one.code for one in error.diagnostics} == {"unused-input"}
        return None
    return mg.Graph(merges.add(*calls) if len(calls) > 1 else calls[0], name="Outer")


# --- random graphs ---------------------------------------------------------------------------------


@thorough(max_examples=6)
@given(specs())
def test_a_graph_called_without_inputs_computes_what_it_does_alone(spec: Spec) -> None:
    graph = mg.loads(to_yaml(spec))
    alone, inputs = randomised(graph.compile()), data(spec)
    for gone in subsets(optional_inputs(spec)):
        outer = called_on(graph, spec, gone)
        if outer is None:
            return
        assert mg.loads(outer.dumps()) == outer
        kept = {name: x for name, x in inputs.items() if name not in gone}
        model = with_weights(outer.compile(), "model", of=alone)
        torch.testing.assert_close(model(**kept), score(alone(**kept)))


@thorough(max_examples=10)
@given(specs(), st.randoms(use_true_random=False))
def test_calls_of_one_graph_without_other_inputs_share_weights(
    spec: Spec, choice: random.Random
) -> None:
    graph = mg.loads(to_yaml(spec))
    alone, inputs = randomised(graph.compile()), data(spec)
    choices = [*itertools.product(subsets(optional_inputs(spec)), repeat=2)]
    for one, other in choice.sample(choices, 3):
        outer = called_on(graph, spec, one, other)
        if outer is None:
            return
        assert mg.loads(outer.dumps()) == outer
        model = with_weights(outer.compile(), "model", of=alone)
        results = [
            score(alone(**{name: x for name, x in inputs.items() if name not in gone}))
            for gone in (one, other)
        ]
        needed = {name: x for name, x in inputs.items() if name not in one or name not in other}
        torch.testing.assert_close(model(**needed), sum(results))


# nodes of a graph on x and on m, which is optional
NODES = {
    "a parameter is there without it": "p: {parameter: [4], init: ones, batched: true}\n  y: {merge: add, from: [p, m], missing: skip}",
    "a merge with a weight for each source": "p: {parameter: [4], init: ones, batched: true}\n  y: {merge: weighted_sum, from: [m, x, p], missing: skip}",
    "an activation of the only source": "y: {merge: maximum, from: [m, x], missing: skip, activation: ReLU}",
    "tokens to join": "a: {layer: Reshape, from: x, shape: [2, 2]}\n  b: {layer: Reshape, from: m, shape: [2, 2]}\n  j: {merge: concat, from: [a, b], missing: skip}\n  s: {layer: Sum, from: j, dim: 1}\n  y: {layer: Linear, from: s, out_features: 4}",
    "a fill by sample": "f: {layer: Fill, from: {input: x, present: has}, value: zeros}\n  y: {merge: add, from: [f, m], missing: skip}",
    "a module that a missing node owns": "l: {layer: Linear, from: m, out_features: 4}\n  k: {share: l, from: x}\n  y: {merge: add, from: [l, k], missing: skip}",
    "some of an each": "e: {layer: Linear, each: [x, m], out_features: 4}\n  y: {merge: add, from: e.*, missing: skip}",
}


@each("nodes", NODES)
def test_a_graph_called_without_its_input_gives_the_same(nodes: str) -> None:
    inputs = "x: [4]\n  m: {shape: [4], optional: true}\n"
    inputs += "  has: {shape: [], dtype: bool, optional: true}\n" if "has" in nodes else ""
    last = "  out: {merge: add, from: [x, y], missing: skip}\noutputs: out\n"
    graph = mg.loads(f"inputs:\n  {inputs}nodes:\n  {nodes}\n{last}")
    outer = mg.Graph(graph(mg.Input("x", (4,))), name="Outer")
    assert mg.loads(outer.dumps()) == outer
    alone, sample = randomised(graph.compile()), torch.randn(BATCH, 4, dtype=torch.float64)
    model = with_weights(outer.compile(), "model", of=alone)
    torch.testing.assert_close(model(x=sample), alone(x=sample))


# --- a tower ---------------------------------------------------------------------------------------

TOWER = """
name: Tower
inputs:
  image: [8]
  text: {shape: [T], vocab: 20, optional: true}
nodes:
  seen: {layer: Linear, from: image, out_features: 6}
  words: {layer: Embedding, from: text, embedding_dim: 6}
  read: {layer: Mean, from: words, dim: 1}
  filled: {layer: Fill, from: read, value: zeros}
  sum: {merge: add, from: [seen, read], missing: skip}
  both: {merge: concat, from: [seen, filled, sum]}
  score: {layer: Linear, from: both, out_features: 3}
outputs: score
"""

WITHOUT_TEXT = '''\
import torch
from torch import Tensor, nn


class Tower(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.seen = nn.Linear(8, 6)
        self.score = nn.Linear(18, 3)

    def forward(self, image: Tensor) -> Tensor:
        seen = self.seen(image)  # (N, 6)
        filled = image.new_zeros(image.shape[0], 6)  # (N, 6)
        x = torch.cat((seen, filled, seen), 1)  # (N, 18)
        del seen, filled
        return self.score(x)


class Model(nn.Module):
    """Input: x (N, 8). Output: tower (N, 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = Tower()

    def forward(self, *, x: Tensor) -> Tensor:
        return self.tower(x)
'''


def test_the_class_of_a_use_has_no_more_than_runs() -> None:
    tower, x = mg.loads(TOWER), mg.Input("x", (8,))
    for call in (tower(x), tower(image=x), tower(x, text=None), tower(x, None), tower()(x)):
        assert mg.Graph(call).source() == WITHOUT_TEXT
    node = mg.Graph(tower(x)).nodes["tower"]
    assert node.parameters == 8 * 6 + 6 + 18 * 3 + 3
    assert list(node.nodes) == ["seen", "filled", "sum", "both", "score"]


def test_uses_that_share_a_module_keep_its_inputs() -> None:
    tower = mg.loads(TOWER)
    x, text = mg.Input("x", (8,)), mg.Input("ids", ("S",), vocab=20)
    without, full = tower(x), tower(x, text)  # the first call has no text
    graph = mg.Graph({"without": without, "full": full})
    assert mg.loads(graph.dumps()) == graph
    alone = randomised(tower.compile())
    model = with_weights(graph.compile(), "tower", of=alone)
    assert list(model.state_dict()) == [f"tower.{name}" for name in alone.state_dict()]
    sample, ids = torch.randn(2, 8, dtype=torch.float64), torch.randint(20, (2, 5))
    results = model(x=sample, ids=ids)
    torch.testing.assert_close(results["without"], alone(image=sample))
    torch.testing.assert_close(results["full"], alone(image=sample, text=ids))


def test_a_part_used_with_and_without_an_input_is_two_classes(tmp_path: Path) -> None:
    (tmp_path / "tower.yaml").write_text(TOWER)
    (tmp_path / "main.yaml").write_text(
        "parts: {tower: tower.yaml}\n"
        "inputs: {image: [8], text: {shape: [T], vocab: 20}}\n"
        "nodes:\n"
        "  a: {block: tower, from: {image: image, text: text}}\n"
        "  b: {block: tower, from: {image: image}}\n"
        "outputs: [a, b]\n"
    )
    model = mg.load(tmp_path / "main.yaml").compile()
    assert [type(one).__name__ for one in (model.a, model.b)] == ["Tower", "Tower2"]
    assert [len(one.state_dict()) for one in (model.a, model.b)] == [5, 4]


# --- blocks ----------------------------------------------------------------------------------------

# nodes of a model on x (N, T, 4), and the same without the optional input `m` of the blocks
BLOCKS = """
blocks:
  attend:
    inputs: {x: [T, C], m: {optional: true}}
    nodes:
      a: {layer: MultiheadAttention, from: {query: x, key_padding_mask: m}, num_heads: 2}
    outputs: a
  attend_plain:
    inputs: {x: [T, C]}
    nodes: {a: {layer: MultiheadAttention, from: x, num_heads: 2}}
    outputs: a
  scale:
    inputs: {x: {}, m: {shape: [4], optional: true}}
    nodes:
      l: {layer: Linear, from: x, out_features: 4}
      k: {layer: Linear, from: m, out_features: 4}
      y: {merge: add, from: [l, k], missing: skip, activation: ReLU}
    outputs: y
  scale_plain:
    inputs: [x]
    nodes: {l: {layer: Linear, from: x, out_features: 4, activation: ReLU}}
    outputs: l
  wrap:
    inputs: {x: {}, m: {shape: [4], optional: true}}
    nodes: {y: {block: scale, from: [x, m]}, z: {block: scale, from: y}}
    outputs: z
  wrap_plain:
    inputs: [x]
    nodes: {y: {block: scale_plain, from: x}, z: {block: scale_plain, from: y}}
    outputs: z
"""

USES = {
    "a mask of any shape": "y: {block: attend, from: x}",
    "an item of a seq": "y: {from: x, seq: [attend, scale]}",
    "a repeat": "y: {block: scale, from: x, repeat: 2}",
    "a shared repeat": "y: {block: scale, from: x, repeat: {times: 2, shared: true}}",
    "over an axis": "y: {block: scale, from: x, over: 1}",
    "a scan": "y: {scan: scale, over: x, from: {x: x}}",
    "each": "e: {block: scale, each: {a: x, b: x}}\n  y: {merge: add, from: [e.a, e.b]}",
    "in a block": "y: {block: wrap, from: x}",
    "a share": "z: {block: scale, from: x}\n  y: {share: z, from: z}",
}


@each("nodes", USES)
def test_a_block_without_its_input_is_the_block_that_has_none(nodes: str) -> None:
    start = "inputs: {x: [T, 4]}" + BLOCKS + "nodes:\n  "
    graph = mg.loads(start + nodes + "\noutputs: y\n")
    plain = nodes
    for name in ("attend", "scale", "wrap"):
        plain = plain.replace(name, f"{name}_plain")
    wanted = mg.loads(start + plain + "\noutputs: y\n")
    assert mg.loads(graph.dumps()) == graph
    model, other = graph.compile(), wanted.compile()
    assert list(model.state_dict()) == list(other.state_dict())
    model.load_state_dict(other.state_dict())
    for length in (1, 3):
        sample = torch.randn(2, length, 4)
        torch.testing.assert_close(model(x=sample), other(x=sample))


def test_a_block_of_a_spec_is_called_in_python_without_its_input() -> None:
    block = mg.loads(
        "inputs: {x: [T, 4]}" + BLOCKS + "nodes: {y: {block: scale, from: x}}\noutputs: y\n"
    ).blocks["scale"]
    for call in (block(mg.Input("v", (4,))), mg.Sequential(block())(mg.Input("v", (4,)))):
        assert len(mg.Graph(call).compile().state_dict()) == 2
    both = mg.Graph(block(mg.Input("v", (4,)), mg.Input("w", (4,)))).compile()
    assert len(both.state_dict()) == 4


def test_a_weight_of_a_layer_that_never_runs_is_kept() -> None:
    graph = mg.loads(
        "inputs: {x: [3]}\n"
        "blocks:\n"
        "  tied:\n"
        "    inputs: {x: [C], ids: {shape: [S], vocab: 5, optional: true}}\n"
        "    nodes:\n"
        "      tokens: {layer: Embedding, from: ids, embedding_dim: $C}\n"
        '      y: {merge: einsum, equation: "n c, v c -> n v", from: [x, tokens.weight]}\n'
        "    outputs: y\n"
        "nodes: {y: {block: tied, from: x}}\n"
        "outputs: y\n"
    )
    model, sample = graph.compile(), torch.randn(2, 3)
    torch.testing.assert_close(model(x=sample), sample @ model.y.tokens.weight.T)


def test_over_of_a_scan_names_inputs_that_are_given() -> None:
    @mg.block
    def step(h: mg.Tensor, x: mg.Tensor, m: mg.Tensor | None = None) -> mg.Tensor:
        return h + x

    with pytest.raises(mg.SpecError, match="over names m, which is left out"):
        step().scan(
            mg.Input("x", ("T", 4)), over={"x": 1, "m": 1}, carry={"h": mg.Input("h", (4,))}
        )


def test_a_fault_of_a_node_that_never_runs_hides_no_other() -> None:
    """Both merges are the same block on the same types, and the first never runs."""
    huge = f"out_features: {2**41}"
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(f"""
inputs: {{x: [4]}}
blocks:
  fuse:
    inputs: {{x: [4], m: {{shape: [4], optional: true}}}}
    nodes:
      unrun: {{merge: moe, from: [m, m], {huge}}}
      run: {{merge: moe, from: [x, x], {huge}}}
      y: {{merge: add, from: [unrun, run], missing: skip}}
    outputs: y
nodes:
  u: {{block: fuse, from: x}}
outputs: u
""")
    assert ("too-large", 8) in [(one.code, one.span.line) for one in caught.value.diagnostics]
