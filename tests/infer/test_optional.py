"""Optional inputs, the nodes that fill or skip them, and outputs for training only."""

from __future__ import annotations

import copy
import pickle
import re
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.ir.dim import Dim
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.model import boxes
from mimgraph.picture.formats import dot
from mimgraph.picture.scene import Scene
from mimgraph.runtime.checks import torch_dtype
from mimgraph.runtime.runner import Given, run, seeded_inputs
from tests.emit.test_golden import RUFF
from tests.emit.test_liveness import Lives
from tests.helpers.cases import each
from tests.helpers.presence import Interpreter, Spec, optional_inputs, specs, subsets
from tests.helpers.running import by_name
from tests.helpers.strategies import to_yaml

BATCH = 3


def randomised(model: nn.Module) -> nn.Module:
    """Return the model with random parameters, so that samples, sources and fills all differ."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    return model.double()


def inputs_of(graph: mg.Graph, seed: int = 0) -> dict[str, Tensor]:
    made = seeded_inputs(graph.typed, BATCH, seed, choose_sizes(graph.typed, {}))
    if "seen" in made:  # every sample keeps one step
        made["seen"] = torch.arange(made["seen"].shape[1]).expand_as(made["seen"]) == 2
    return {name: x.double() if x.is_floating_point() else x for name, x in made.items()}


def zeros_of(graph: mg.Graph) -> dict[str, Tensor]:
    """Return zeros in the shape of each node of the graph, and of the fills `f` in blocks."""
    sizes = choose_sizes(graph.typed, {})
    found = {"f": torch.zeros(BATCH, 3)}
    for node in graph.typed.body.nodes:
        if node.type is not None:
            dims = [sizes[str(dim)] if isinstance(dim, Dim) else dim for dim in node.type.dims]
            found[node.name] = torch.zeros(BATCH, *dims, dtype=torch_dtype(node.type))
    return {name: x.double() if x.is_floating_point() else x for name, x in found.items()}


def assert_computes_what_nodes_say(text: str) -> None:
    """Check the outputs and all gradients for every choice of inputs that are left out or None."""
    spec: Spec = yaml.safe_load(text)
    graph = mg.loads(text)
    model = randomised(graph.compile())
    inputs, interpreter = inputs_of(graph), Interpreter(spec, zeros_of(graph))
    training = graph.typed.body.training
    for gone in subsets(optional_inputs(spec)):
        kept = {name: x for name, x in inputs.items() if name not in gone}
        expected = interpreter.run(model, kept)
        wanted = gradients(model, expected)
        for mode in (True, False):
            found = by_name(model.train(mode)(**kept), graph)
            names = [name for name in expected if mode or name not in training]
            assert list(found) == names
            for name in names:
                torch.testing.assert_close(found[name], expected[name])
        found = by_name(model.train()(**kept, **dict.fromkeys(gone)), graph)
        torch.testing.assert_close(gradients(model, found), wanted)


def gradients(model: nn.Module, outputs: Any) -> dict[str, Tensor]:
    """Return the gradient of each parameter whose gradient is not zero."""
    model.zero_grad()
    loss = torch.stack([x.square().sum() for x in outputs.values() if x.is_floating_point()]).sum()
    if loss.requires_grad:
        loss.backward()  # type: ignore[no-untyped-call]
    found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return {name: grad.clone() for name, grad in found.items() if float(grad.abs().max()) > 1e-9}


INPUTS = """\
inputs:
  x: {shape: [3]}
  a: {shape: [3], optional: true}
  b: {shape: [3], optional: true}
  has: {shape: [], dtype: bool, optional: true}
"""
SEQUENCES = """\
inputs:
  x: {shape: [T, 6]}
  a: {shape: [T, 6], optional: true}
  real: {shape: [T], dtype: bool, optional: true}
  seen: {shape: [T, T], dtype: bool, optional: true}
  bias: {shape: [T, T], optional: true}
  state: {shape: [6], optional: true}
  lengths: {shape: [], dtype: int64, optional: true}
"""
BLOCKS = """\
blocks:
  both:
    inputs: [x, g]
    nodes:
      p: {layer: Linear, from: x, out_features: 3}
      q: {layer: Linear, from: g, out_features: 3}
      s: {merge: add, from: [p, q], missing: skip}
    outputs: {s: s, q: q}
  filled:
    inputs: [x, g]
    nodes:
      f: {layer: Fill, from: g, value: learned}
      m: {merge: multiply, from: [x, f]}
      r: {merge: add, from: [m, x], activation: ReLU}
    outputs: r
  pair:
    inputs: [x, g]
    nodes:
      u: {layer: Linear, from: x, out_features: 3}
      v: {layer: Linear, from: g, out_features: 3}
    outputs: {x: u, g: v}
  nested:
    inputs: [x, g]
    nodes:
      i: {block: filled, from: [x, x]}
      j: {share: i, from: [i, g]}
    outputs: j
"""
# nodes on the inputs above; the last is the output
NODES = {
    "zeros": "n: {layer: Fill, from: a, value: zeros}",
    "learned": "n: {layer: Fill, from: a, value: learned}",
    "learned, sample by sample": "n: {layer: Fill, from: {input: a, present: has}, value: learned}",
    "of what is always there": "n: {layer: Fill, from: {input: x, present: has}, value: learned}",
    "filled twice": """
      n: {layer: Fill, from: {input: a, present: has}, value: zeros}
      m: {layer: Fill, from: {input: n, present: has}, value: learned}
    """,
    "a mask": "n: {layer: Fill, from: real, value: zeros}",
    "numbers": "n: {layer: Fill, from: lengths, value: zeros}",
    "sequences": "n: {layer: Fill, from: a, value: zeros} # sequences",
    "behind layers": """
      c: {from: a, seq: [{Linear: 3}, ReLU, {Linear: 3}]}
      d: {layer: Linear, from: c, out_features: 3, activation: ReLU}
      n: {layer: Fill, from: d, value: learned}
    """,
    "a residual branch": """
      c: {layer: Linear, from: a, out_features: 3}
      d: {merge: add, from: [a, c], activation: ReLU}
      n: {merge: add, from: [x, d], missing: skip}
    """,
    "a shared tower": """
      tower: {layer: Linear, from: a, out_features: 3}
      other: {share: tower, from: b}
      third: {share: tower, from: x}
      n: {merge: average, from: [tower, other, third], missing: skip, activation: ReLU}
    """,
    "each": """
      e: {layer: Linear, each: [x, a, b], out_features: 3}
      n: {merge: maximum, from: [e.x, e.a, e.b], missing: skip}
    """,
    "skips of skips": """
      m: {merge: maximum, from: [a, b], missing: skip}
      k: {merge: average, from: [m, b], missing: skip}
      n: {merge: minimum, from: [k, x, a], missing: skip}
    """,
    "weighed": "n: {merge: weighted_sum, from: [x, a, b], missing: skip}",
    "weighed, not normalised": "n: {merge: weighted_sum, from: [x, a, b], missing: skip, softmax: false}",
    "weighed, perhaps none": """
      w: {merge: weighted_sum, from: [a, b], missing: skip}
      n: {layer: Fill, from: w, value: learned}
    """,
    "in a block": """
      u: {block: both, from: [x, a]}
      n: {merge: add, from: [u.s, u.q], missing: skip}
    """,
    "all that a block has": """
      u: {block: both, from: [a, b]}
      n: {merge: add, from: [x, u.s, u.q], missing: skip}
    """,
    "filled in a block": "n: {block: filled, from: [x, a]}",
    "repeats": "n: {block: filled, from: [x, a], repeat: 2}",
    "repeats that may not run": """
      u: {block: filled, from: [a, a], repeat: 2}
      n: {layer: Fill, from: u, value: zeros}
    """,
    "one block there and missing": """
      u: {block: filled, from: [x, a]}
      v: {block: filled, from: [u, x]}
      n: {merge: add, from: [u, v]}
    """,
    "repeats that hand on what is missing": """
      u: {block: pair, from: [x, a], repeat: 2}
      n: {merge: add, from: [u.x, u.g], missing: skip}
    """,
    "a shared block that runs without an input later": """
      u: {block: both, from: [x, x]}
      v: {share: u, from: [x, a]}
      n: {merge: add, from: [u.s, u.q, v.s, v.q], missing: skip}
    """,
    "a shared block that fills an input later": """
      u: {block: filled, from: [x, x]}
      v: {share: u, from: [x, x]}
      w: {share: u, from: [v, a]}
      n: {merge: add, from: [u, v, w]}
    """,
    "a shared block that runs without an input first": """
      u: {share: v, from: [x, a]}
      v: {block: filled, from: [u, x]}
      n: {merge: add, from: [u, v]}
    """,
    "shared repeats that fill an input later": """
      u: {block: filled, from: [x, x], repeat: 2}
      v: {share: u, from: [x, a]}
      w: {block: filled, from: [x, x], repeat: {times: 2, shared: true}}
      y: {share: w, from: [x, a]}
      n: {merge: add, from: [u, v, w, y]}
    """,
    "shared blocks in a shared block": """
      u: {block: nested, from: [x, x]} # of filled
      v: {share: u, from: [x, a]}
      n: {merge: add, from: [u, v]}
    """,
    "a shared pool without a mask later": """
      p: {layer: LogicalNot, from: real}
      f: {layer: Fill, from: p, value: zeros}
      m: {layer: LogicalNot, from: f}
      l: {merge: attention_pool, from: {input: x, mask: m}}
      r: {share: l, from: {input: x, mask: real}}
      n: {merge: add, from: [l, r]}
    """,
    "a state": "n: {layer: GRUCell, from: {input: x, hidden: a}, hidden_size: 3}",
    "lengths and a state": """
      n: {layer: GRU, from: {input: x, lengths: lengths, state: state}, hidden_size: 6, take: last}
    """,
    "masks": """
      p: {layer: LogicalNot, from: real}
      n: {layer: MultiheadAttention, from: {query: x, key_padding_mask: p, attn_mask: seen}, num_heads: 1}
    """,
    "a mask of what may be missing": """
      m: {layer: MultiheadAttention, from: {query: a, key: x, key_padding_mask: real}, num_heads: 2}
      n: {layer: Fill, from: m, value: zeros}
    """,
    "a transformer's mask": """
      n: {layer: TransformerEncoderLayer, from: {src: x, src_key_padding_mask: real}, nhead: 2, dim_feedforward: 4, dropout: 0}
    """,
    "attention's mask": """
      n: {merge: attention, from: {query: x, key: x, value: x, mask: seen}}
    """,
    "attention's mask and bias": """
      n: {merge: attention, from: {query: x, key: x, value: x, mask: real, bias: bias}}
    """,
    "pools": """
      m: {merge: mean_pool, from: {input: x, mask: real}}
      s: {merge: attention_pool, from: {input: x, mask: real}}
      n: {merge: add, from: [m, s]}
    """,
    "conditions that cross": """
      m: {merge: mean_pool, from: {input: a, mask: real}}
      both: {merge: add, from: [state, m], missing: skip}
      l: {merge: mean_pool, from: {input: x, mask: real}}
      n: {merge: add, from: [l, both], missing: skip}
    """,
}


def spec_of(nodes: str) -> str:
    """Return the spec of these nodes with the inputs and blocks that they name."""
    sequences = any(word in nodes for word in ("real", "seen", "state", "lengths", "sequences"))
    declared = yaml.safe_load(SEQUENCES if sequences else INPUTS)["inputs"]
    read: Spec = yaml.safe_load(nodes)
    words = set(re.findall(r"\w+", nodes))
    inputs = {name: one for name, one in declared.items() if name == "x" or name in words}
    blocks = {n: one for n, one in yaml.safe_load(BLOCKS)["blocks"].items() if n in words}
    outputs = {list(read)[-1]: list(read)[-1], "x": "x"}
    return to_yaml({"inputs": inputs, "blocks": blocks, "nodes": read, "outputs": outputs})


@each("nodes", NODES)
def test_every_path_computes_what_its_nodes_say(nodes: str) -> None:
    assert_computes_what_nodes_say(spec_of(nodes))


thorough = partial(
    settings,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a failing graph is small already
)


@thorough(max_examples=60)
@given(specs())
def test_every_path_of_a_random_graph_computes_what_its_nodes_say(spec: Spec) -> None:
    assert_computes_what_nodes_say(to_yaml(spec))


@thorough(max_examples=40)
@given(specs(simple=True))
def test_nothing_lives_past_its_last_use_on_any_path(spec: Spec) -> None:
    graph = mg.loads(to_yaml(spec))
    model = graph.compile().double()
    inputs = inputs_of(graph)
    for gone in subsets(optional_inputs(spec)):
        for mode in (True, False):
            kept = {name: x for name, x in inputs.items() if name not in gone}
            watched = Lives([*kept.values(), *model.parameters()])
            with torch.no_grad(), watched:
                result = model.train(mode)(**kept)
            outputs = {watched.number(x) for x in tree_leaves(result)}
            last = len(spec["nodes"]["score"]["from"])  # the last sum has so many ops
            for op, living in enumerate(watched.alive[:-last]):
                # the sources of a node live while its other ops run, at most three
                late = {one for one in living if watched.last_use[one] < op - 3}
                assert late <= outputs


# gradients


def fill_spec(nodes: str) -> str:
    return f"{INPUTS.replace('  b: {shape: [3], optional: true}', '')}nodes:\n{nodes}\noutputs: n\n"


FILLED = fill_spec("""
  v: {layer: Linear, from: a, out_features: 3}
  f: {layer: Fill, from: {input: v, present: has}, value: learned}
  n: {merge: multiply, from: [x, f]}
""")


def test_a_learned_fill_has_gradients_only_of_missing_samples() -> None:
    model = randomised(mg.loads(FILLED).compile())
    x, a = torch.rand(2, BATCH, 3).double()
    has = torch.tensor([True, False, True])
    model(x=x, a=a, has=has).sum().backward()
    fill = model.get_parameter("f")
    torch.testing.assert_close(fill.grad, x[1])  # only the second sample lacks it
    model.zero_grad()
    model(x=x).sum().backward()
    torch.testing.assert_close(fill.grad, x.sum(0))
    assert model.get_parameter("v.weight").grad is None
    model.zero_grad()
    model(x=x, a=a).sum().backward()
    assert fill.grad is None


def test_absent_rows_may_hold_anything() -> None:
    """Absent rows that are filled at once may be infinite; those that go through layers, any number."""
    has = torch.tensor([True, False, True])
    x, a = torch.rand(2, BATCH, 3).double()
    filled = fill_spec("""
  f: {layer: Fill, from: {input: a, present: has}, value: learned}
  v: {layer: Linear, from: f, out_features: 3}
  n: {merge: multiply, from: [x, v]}
""")
    for text, garbage in ((filled, torch.inf), (FILLED, 1e300)):
        model = randomised(mg.loads(text).compile())
        clean = model(x=x, a=a, has=has)
        expected = gradients(model, {"n": clean})
        absent = a.where(has[:, None], garbage)
        dirty = model(x=x, a=absent, has=has)
        torch.testing.assert_close(dirty, clean)
        torch.testing.assert_close(gradients(model, {"n": dirty}), expected)


# outputs for training only

HEADS = """\
inputs: {x: [3], a: {shape: [3], optional: true}}
nodes:
  stem: {layer: Linear, from: x, out_features: 3}
  head: {layer: Linear, from: stem, out_features: 2}
  heard: {layer: Linear, from: a, out_features: 3}
  filled: {layer: Fill, from: heard, value: zeros}
  trunk: {layer: Linear, from: stem, out_features: 3}
  score: {merge: add, from: [trunk, heard], missing: skip}
outputs:
  score: {from: score, doc: before the softmax}
  aux: {from: head, only: training, doc: of the stem}
  stem: {from: stem, only: training}
  heard: {from: filled, only: training}
"""


def test_eval_runs_only_the_nodes_that_its_outputs_need() -> None:
    model = mg.loads(HEADS).compile()
    ran: list[str] = []
    for name, module in model.named_children():
        module.register_forward_hook(lambda *_, name=name: ran.append(name))
    x, a = torch.randn(2, BATCH, 3)
    assert list(model(x=x, a=a)) == ["score", "aux", "stem", "heard"]
    assert sorted(ran) == ["head", "heard", "stem", "trunk"]
    ran.clear()
    assert list(model.eval()(x=x, a=a)) == ["score"]
    assert sorted(ran) == ["heard", "stem", "trunk"]


def test_the_docstring_has_a_line_for_each_output() -> None:
    doc = (mg.loads(HEADS).compile().__doc__ or "").split("\n\n")
    told = " ".join(doc[0].split())
    assert "score (N, 3), aux (N, 2) (in training), stem (N, 3) (in training)" in told
    assert [line.strip() for line in doc[1:]] == ["score: before the softmax", "aux: of the stem"]


def test_only_the_weight_of_a_training_node_is_read_in_eval() -> None:
    model = mg.loads("""\
inputs: {x: [3]}
nodes:
  head: {layer: Linear, from: x, out_features: 3}
  score: {merge: einsum, equation: "n i, o i -> n o", from: [x, head.weight]}
outputs: {score: score, head: {from: head, only: training}}
""").compile()
    ran: list[bool] = []
    model.get_submodule("head").register_forward_hook(lambda *_: ran.append(True))
    model.eval()(x=torch.ones(1, 3))
    assert ran == []


# engines, files and copies


def calls() -> list[dict[str, Tensor]]:
    x, a = torch.randn(2, BATCH, 3)
    return [{"x": x}, {"x": x, "a": a}]


@each("training", [True, False])
def test_compiles_without_a_break(training: bool) -> None:
    model = mg.loads(HEADS).compile().train(training)
    for inputs in calls():
        torch._dynamo.reset()
        compiled = torch.compile(model, fullgraph=True, backend="eager")
        torch.testing.assert_close(compiled(**inputs), model(**inputs))


def test_exports_each_choice_of_inputs() -> None:
    model = mg.loads(HEADS).compile().eval()
    for inputs in calls():
        exported = torch.export.export(model, (), inputs)
        torch.testing.assert_close(exported.module()(**inputs), model(**inputs))


@each("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_give_the_same_outputs(copied: Any) -> None:
    model = mg.loads(HEADS).compile(check=True)
    for inputs in calls():
        torch.testing.assert_close(copied(model)(**inputs), model(**inputs))


def test_in_half_precision() -> None:
    model = mg.loads(HEADS).compile().to(torch.bfloat16)
    outputs = model(x=torch.randn(BATCH, 3, dtype=torch.bfloat16))
    assert {x.dtype for x in outputs.values()} == {torch.bfloat16}


def test_input_checks_look_only_at_given_inputs() -> None:
    model = mg.loads(HEADS).compile(check=True)
    x = torch.randn(BATCH, 3)
    model(x=x, a=None)
    with pytest.raises(ValueError, match="N of x is 3 but N of a is 2"):
        model(x=x, a=x[:2])
    with pytest.raises(ValueError, match="^x is missing$"):
        model(a=x)


def test_run_needs_no_array_for_an_optional_input(tmp_path: Path) -> None:
    graph, (one, both) = mg.loads(HEADS), calls()
    for inputs in (one, both):
        arrays: Any = {name: x.numpy() for name, x in inputs.items()}
        numpy.savez(tmp_path / "in.npz", **arrays)
        ran = run(graph.typed, graph.compile, Given(str(tmp_path / "in.npz"), 2, {}), None, 0)
        assert (list(ran.inputs), list(ran.outputs)) == (list(inputs), ["score"])
    assert list(run(graph.typed, graph.compile, Given(None, 2, {}), None, 0).inputs) == ["x", "a"]


def test_emitted_sources_are_formatted_as_by_ruff(tmp_path: Path) -> None:
    for index, text in enumerate([HEADS, *map(spec_of, NODES.values())]):
        (tmp_path / f"m{index}.py").write_text(mg.loads(text).source())
    config = tmp_path / "ruff.toml"
    config.write_text("line-length = 100\n")
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [RUFF, *command, "--config", config, tmp_path],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout


# in Python


@mg.block
def joined(x: mg.Tensor, g: mg.Tensor) -> mg.Tensor:
    filled = layers.Fill("learned")(g, name="f")
    return merges.average(x, filled, missing="skip", name="m")


def twin(optional: bool = True, only: bool = True) -> mg.Graph:
    image, has = mg.Input("image", (4,)), mg.Input("has", (), dtype="bool")
    audio = mg.Input("audio", (4,), optional=optional)
    heard = layers.Linear(4)(audio, name="heard")
    filled = layers.Fill("learned")(heard, present=has, name="filled")
    both = merges.average(image, heard, missing="skip", name="both")
    fused = joined(both, heard, name="fused")
    score = merges.add(fused, filled, name="score")
    aux = layers.Linear(2)(both, name="aux")
    return mg.Graph({"score": score, "aux": mg.training_only(aux) if only else aux})


TWIN = """\
inputs:
  image: [4]
  has: {shape: [], dtype: bool}
  audio: {shape: [4], optional: true}
blocks:
  joined:
    inputs: [x, g]
    nodes:
      f: {layer: Fill, from: g, value: learned}
      m: {merge: average, from: [x, f], missing: skip}
    outputs: m
nodes:
  heard: {layer: Linear, from: audio, out_features: 4}
  filled: {layer: Fill, from: {input: heard, present: has}, value: learned}
  both: {merge: average, from: [image, heard], missing: skip}
  fused: {block: joined, from: [both, heard]}
  score: {merge: add, from: [fused, filled]}
  aux: {layer: Linear, from: both, out_features: 2}
outputs: {score: score, aux: {from: aux, only: training}}
"""


def test_a_graph_built_in_python_equals_the_spec() -> None:
    assert twin() == mg.loads(TWIN) == mg.loads(twin().dumps())


def test_a_param_decides_whether_an_input_is_optional() -> None:
    spec = f"params: {{spare: true}}\n{TWIN}".replace("optional: true", "optional: $spare")
    assert mg.loads(spec) == mg.loads(TWIN)
    given = mg.loads(spec, params={"spare": False})
    assert "| None" not in given.source() and mg.loads(given.dumps()) == given


def test_graphs_with_other_optional_inputs_are_not_equal() -> None:
    assert twin() != twin(optional=False)
    assert twin() != twin(only=False)


def test_handles_show_when_they_are_missing() -> None:
    audio = mg.Input("audio", ("T", 4), optional=True)
    assert repr(audio) == "<audio (N, T, 4), optional>"
    lstm = layers.LSTM(4)(audio, name="lstm")
    assert repr(lstm["last"]) == "<lstm.last (N, 4), missing without audio>"
    assert repr(layers.Fill("zeros")(lstm["last"])) == "<fill (N, 4)>"


def test_a_wrong_call_in_python_is_reported_at_its_line() -> None:
    audio, image = mg.Input("audio", (4,), optional=True), mg.Input("image", (4,))
    with pytest.raises(mg.SpecError, match=r"concat must say what to do") as raised:
        merges.concat(image, audio)
    (fault,) = raised.value.diagnostics
    assert (fault.code, fault.span.file.name) == ("optional-source", __file__)


def part() -> mg.Graph:
    """Return a graph whose first input is optional."""
    audio, image = mg.Input("audio", (4,), optional=True), mg.Input("image", (4,))
    filled = layers.Fill("learned", init="ones")(audio, name="f")
    return mg.Graph(merges.multiply(filled, image, name="n"), name="Part")


def test_a_graph_used_as_a_layer_takes_optional_inputs() -> None:
    """It runs when its inputs that are not optional are present; those come first."""
    x, y = mg.Input("x", (4,)), mg.Input("y", (4,), optional=True)
    graph = mg.Graph(part()(x, audio=y), name="Whole")
    assert mg.loads(graph.dumps()) == graph
    model, (one, other) = graph.compile(), torch.randn(2, BATCH, 4)
    torch.testing.assert_close(model(x=one), one)
    torch.testing.assert_close(model(x=one, y=other), one * other)


def test_a_shared_graph_takes_optional_inputs_later() -> None:
    x, y = mg.Input("x", (4,)), mg.Input("y", (4,), optional=True)
    used = part()
    pair = used(x, audio=x, name="l"), used(x, audio=y, name="r")
    model = mg.Graph(merges.add(*pair), name="Whole").compile()
    one, other = torch.randn(2, BATCH, 4)
    torch.testing.assert_close(model(x=one), one * one + one)
    torch.testing.assert_close(model(x=one, y=other), one * one + one * other)


def test_a_graph_used_as_a_layer_needs_its_other_inputs() -> None:
    with pytest.raises(mg.SpecError, match="Part needs a source 'image'"):
        part()(audio=mg.Input("x", (4,)))


# summaries and pictures


def test_a_summary_marks_what_may_be_missing() -> None:
    summary = mg.loads(HEADS).summary()
    told = {row["name"]: row["only"] for row in summary.data() if "only" in row}
    assert told == {"a": "optional", "head": "in training", "filled": "in training"}
    shown = str(summary)
    assert re.search(r"^a +Input, optional ", shown, re.MULTILINE)
    assert re.search(r"^head +Linear, in training ", shown, re.MULTILINE)
    assert "a (N, 3) float32 (optional)" in summary.markdown().replace("\\", "")
    assert "aux (N, 2) (in training)" in shown


def test_a_picture_dashes_what_may_be_missing() -> None:
    drawn = diagram(mg.loads(HEADS).typed)
    dashed = [(box.id, box.subtitle, box.tooltip) for box in boxes(drawn.items) if box.optional]
    assert dashed == [
        ("a", "optional", ""),
        ("output aux", "in training", "of the stem"),
        ("output stem", "in training", ""),
        ("output heard", "in training", ""),
    ]
    lines = dot.render(Scene(drawn)).splitlines()
    assert sum("dashed" in line for line in lines) == len(dashed)
