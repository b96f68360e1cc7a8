"""Checks tensors that no state_dict has: buffers that are not persistent, constants and noise."""

from __future__ import annotations

import copy
import pickle
import re
from itertools import product
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph import layers, merges
from tests.helpers.cases import check_each, check_texts, texts
from tests.helpers.running import saved, seeded

CASES = Path(__file__).with_name("constants.md")
BUFFER, VAE, ROPE, CONSTANTS, _ = (spec for spec, _ in texts(CASES).values())

# buffers


def test_a_buffer_that_is_not_persistent_is_not_in_the_state_dict(tmp_path: Path) -> None:
    graph = mg.loads(BUFFER)
    model = graph.compile()
    assert [*model.state_dict()] == ["weight"]
    assert dict(model.named_buffers()).keys() == {"steps"}
    assert torch.equal(model.steps, torch.arange(8.0))  # type: ignore[arg-type]
    graph.save(model, tmp_path / "m.safetensors")
    x = torch.rand(2, 8)
    for other in (
        mg.load_model(tmp_path / "m.safetensors"),
        pickle.loads(pickle.dumps(model)),
        copy.deepcopy(model),
    ):
        assert torch.equal(other(x=x), model(x=x))
    assert model.double().steps.dtype == torch.float64  # type: ignore[union-attr]
    assert mg.loads(graph.dumps()).source() == graph.source()


def test_a_buffer_without_memory_is_refused_where_weights_are_loaded(tmp_path: Path) -> None:
    graph = mg.loads(BUFFER)
    graph.save(graph.compile(), tmp_path / "m.safetensors")
    with torch.device("meta"):
        model = graph.compile()
    model.load_state_dict(graph.compile().state_dict(), assign=True)
    with pytest.raises(ValueError, match="steps of the model is on the meta device"):
        graph.load_weights(model, tmp_path / "m.safetensors")
    model.steps = graph.compile().steps
    graph.load_weights(model, tmp_path / "m.safetensors")


def test_a_random_buffer_that_is_not_persistent_is_pickled_with_the_model() -> None:
    model = mg.loads(BUFFER.replace("{arange: 8}", "normal")).compile()
    for other in (pickle.loads(pickle.dumps(model)), saved(model)):
        assert torch.equal(other.steps, model.steps)


ARANGES = [
    ("arange", torch.arange(4)),
    ("{arange: 4}", torch.arange(4)),
    ("{arange: {start: 1}}", torch.arange(1, 5)),
    ("{arange: {start: 1, end: 9, step: 2}}", torch.arange(1, 9, 2)),
    ("{arange: {end: 10, step: 3}}", torch.arange(0, 10, 3)),
    ("{arange: {start: 3, end: -1, step: -1}}", torch.arange(3, -1, -1)),
]


def test_arange_is_that_of_torch() -> None:
    check_each(product(ARANGES, ("float32", "int64", "bfloat16", "uint8")), is_the_arange_of_torch)


def is_the_arange_of_torch(case: tuple[tuple[str, Tensor], str]) -> None:
    (init, expected), dtype = case
    wanted = expected.to(getattr(torch, dtype))
    for shape, rest, stored in (("[4]", "", wanted), ("[1, 4]", "", wanted[None])):
        node = f"{{buffer: {shape}, init: {init}, dtype: {dtype}{rest}}}"
        spec = f"inputs: {{x: [4]}}\nnodes: {{b: {node}}}\noutputs: [x, b]"
        made = mg.loads(spec).compile().b
        assert isinstance(made, Tensor)
        assert torch.equal(made, stored) and made.dtype == stored.dtype


# models whose papers need constants or noise, against torch


def vae(model: nn.Module, x: Tensor, draws: bool) -> Tensor:
    """Return what a variational autoencoder with these weights decodes (Kingma and Welling 2014)."""
    h = torch.relu(model.h(x))  # type: ignore[operator]
    mean, logvar = model.mean(h), model.logvar(h)  # type: ignore[operator]
    z = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean) if draws else mean
    return model.y(z)  # type: ignore[operator, no-any-return]


@pytest.mark.parametrize("only_training", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_noise_is_that_of_torch(training: bool, only_training: bool) -> None:
    text = VAE.replace("like: mean}", "like: mean, only: training}") if only_training else VAE
    model, x = mg.loads(text).compile().train(training), torch.rand(3, 12)
    found = seeded(lambda: model(x=x)["y"])
    expected = seeded(lambda: vae(model, x, draws=training or not only_training))
    assert torch.equal(found, expected)
    assert torch.equal(model(x=x)["y"], found) == (only_training and not training)


def test_uniform_noise_is_that_of_torch_and_gradients_flow_past_it() -> None:
    text = VAE.replace("random: normal", "random: uniform")
    model, x = mg.loads(text).compile(), torch.rand(3, 12)
    seeded(lambda: model(x=x)["y"].sum()).backward()
    h = torch.relu(model.h(x))
    noise = seeded(lambda: torch.rand_like(model.mean(h)))
    y = model.y(model.mean(h) + torch.exp(0.5 * model.logvar(h)) * noise).sum()
    (wanted,) = torch.autograd.grad(y, [model.logvar.weight])
    torch.testing.assert_close(model.logvar.weight.grad, wanted)


class Autoencoder(nn.Module):
    """The model of the spec above as others write it."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Linear(12, 8), nn.Linear(4, 12)
        self.mu, self.sigma = nn.Linear(8, 4), nn.Linear(8, 4)
        self.register_buffer("table", torch.arange(3.0), persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = torch.relu(self.encoder(x))
        mean, logvar = self.mu(h), self.sigma(h)
        noise = torch.randn_like(mean)
        return self.decoder(mean + torch.exp(0.5 * logvar) * noise), mean, logvar


def test_weights_of_a_model_with_the_same_noise_are_copied_and_proven_equal() -> None:
    graph = mg.loads(VAE)
    found = graph.load_state(graph.compile(), Autoencoder())
    assert (found.equal, found.missing, found.unused) == (("y", "mean", "logvar"), (), ())


def test_queries_begin_as_zeros_like_their_positions() -> None:
    text = """\
inputs: {memory: [T, 8]}
nodes:
  positions: {parameter: [5, 8], init: normal, batched: true}
  start: {zeros: true, like: positions}
  queries: {merge: add, from: [start, positions]}
  found: {layer: MultiheadAttention, from: {query: queries, key: memory, value: memory}, num_heads: 2}
  out: {merge: add, from: [start, found]}
outputs: out
"""
    model, memory = mg.loads(text).compile(), torch.rand(2, 7, 8)
    queries = model.positions.expand(2, -1, -1)  # type: ignore[union-attr, operator]
    expected = model.found(queries, memory, memory)[0]  # type: ignore[operator]
    torch.testing.assert_close(model(memory=memory), expected)


def test_a_recurrent_layer_begins_with_a_state_of_zeros() -> None:
    text = """\
inputs: {x: [T, 8]}
nodes:
  start: {zeros: [6], batched: true}
  read: {layer: GRU, from: {input: x, state: start}, hidden_size: 6}
outputs: read
"""
    model, x = mg.loads(text).compile(), torch.rand(2, 7, 8)
    assert torch.equal(model(x=x), model.read(x)[0])  # type: ignore[operator]


def test_positions_of_fixed_and_of_named_lengths() -> None:
    text = """\
inputs: {tokens: {vocab: 9, shape: [T]}}
nodes:
  words: {layer: Embedding, from: tokens, embedding_dim: 8}
  steps: {arange: $T}
  places: {layer: Embedding, from: steps, num_embeddings: 50, embedding_dim: 8}
  x: {merge: add, from: [words, places], broadcast: true}
  eight: {arange: 8}
  odd: {arange: 8, start: 1, step: 2}
  down: {arange: 2, start: 9, step: -3}
outputs: [x, eight, odd, down]
"""
    model, tokens = mg.loads(text).compile(), torch.randint(9, (2, 7))
    found = model(tokens=tokens)
    expected = model.words(tokens) + model.places(torch.arange(7))  # type: ignore[operator]
    assert torch.equal(found["x"], expected)
    assert torch.equal(found["eight"], torch.arange(8))
    assert torch.equal(found["odd"], torch.arange(1, 8, 2))
    assert torch.equal(found["down"], torch.arange(9, 2, -3))


def test_rotary_positions_from_a_buffer_that_is_not_persistent() -> None:
    model, q = mg.loads(ROPE).compile(), torch.rand(2, 5, 8)
    angles = torch.outer(torch.arange(5), 10000 ** (-torch.arange(4) / 4)).repeat(1, 2)
    turned = torch.cat((-q[..., 4:], q[..., :4]), -1)
    torch.testing.assert_close(model(q=q), q * angles.cos() + turned * angles.sin())
    assert not model.state_dict()


# dtypes

FOLLOWING = ("zeros", "free", "scalar", "like", "floats", "noise", "only")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("training", [False, True])
def test_the_dtype_follows_the_model(dtype: torch.dtype, training: bool) -> None:
    model = mg.loads(CONSTANTS).compile().to(dtype).train(training)
    found = model(x=torch.rand(3, 4, dtype=dtype), ids=torch.arange(3))
    assert {found[name].dtype for name in FOLLOWING} == {dtype}
    assert (found["whole"].dtype, found["bools"].dtype) == (torch.int64, torch.bool)
    assert found["fixed"].dtype == torch.float64
    assert torch.equal(found["zeros"], torch.zeros(3, 4, dtype=dtype))
    assert torch.equal(found["free"], torch.ones(4, 3, dtype=dtype))
    assert found["scalar"].shape == () and found["floats"].all() and found["bools"].all()


def test_the_dtype_follows_the_weights_where_no_input_is_a_float() -> None:
    text = """\
inputs: {ids: {vocab: 9}}
nodes:
  h: {layer: Embedding, from: ids, embedding_dim: 4}
  start: {zeros: [4], batched: true}
  noise: {random: normal, like: ids}
outputs: [h, start, noise]
"""
    graph = mg.loads(text)
    for dtype in (torch.float64, torch.bfloat16):
        found = graph.compile().to(dtype)(ids=torch.arange(3))
        assert {x.dtype for x in found.values()} == {dtype}
    bare = mg.loads(text.replace("layer: Embedding, from: ids, embedding_dim: 4", "arange: 3"))
    found = bare.compile().double()(ids=torch.arange(3))
    assert found["start"].dtype == found["noise"].dtype == torch.float64


def test_a_state_of_zeros_runs_under_autocast() -> None:
    text = """\
inputs: {x: [T, 8]}
blocks:
  reader:
    inputs: [x]
    nodes:
      h: {layer: Linear, from: x, out_features: 8}
      start: {zeros: [6], batched: true}
      read: {layer: GRU, from: {input: h, state: start}, hidden_size: 6}
      noise: {random: normal, like: read, only: training}
      y: {merge: add, from: [read, noise]}
    outputs: y
nodes: {y: {block: reader, from: x}}
outputs: y
"""
    model, x = mg.loads(text).compile().eval(), torch.rand(2, 5, 8)
    expected = model(x=x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(model(x=x).float(), expected, atol=2e-2, rtol=2e-2)


@pytest.mark.slow
def test_constants_are_exported_for_any_length() -> None:
    text = """\
inputs: {x: [T, 8]}
nodes:
  start: {zeros: [$T, 8], batched: true}
  steps: {arange: $T, start: 1}
  table: {buffer: [8], init: arange, persistent: false}
  one: {ones: true, like: x}
  noise: {random: normal, like: x, only: training}
  y: {merge: formula, expr: x + s + t + o + n, from: {x: x, s: start, t: table, o: one, n: noise}, broadcast: true}
outputs: [y, steps]
"""
    graph, x = mg.loads(text), torch.rand(2, 5, 8)
    model = graph.compile().eval()
    dynamic = graph.dynamic_shapes({"x": x})
    program = torch.export.export(model, (), {"x": x}, dynamic_shapes=dynamic).module()
    twice = torch.cat((x, x), 1)
    assert torch.equal(program(x=twice)["y"], twice + torch.arange(8) + 1)
    assert torch.equal(program(x=twice)["steps"], torch.arange(1, 10))


# code


def test_the_code_is_as_one_writes_it(rewrite: bool) -> None:
    def source(spec: str) -> str:
        graph = mg.loads(spec)
        assert mg.loads(graph.dumps()).source() == graph.source()
        return graph.source()

    check_texts(CASES, source, rewrite)


def test_a_random_tensor_is_like_an_optional_input_only_where_that_is_given() -> None:
    text = """\
inputs: {x: [4], audio: {shape: [4], optional: true}}
nodes:
  noise: {random: normal, like: audio}
  start: {zeros: [4], batched: true}
  y: {merge: add, from: [x, noise, start], missing: skip}
outputs: y
"""
    model, x = mg.loads(text).compile(), torch.rand(2, 4)
    assert torch.equal(model(x=x), x) and not torch.equal(model(x=x, audio=x), x)


def test_stages_make_their_own_constants() -> None:
    text = """\
inputs: {x: [T, 8]}
nodes:
  a: {layer: Linear, from: x, out_features: 8}
  b: {layer: Linear, from: a, out_features: 8}
  start: {zeros: [$T, 8], batched: true}
  table: {buffer: [8], init: arange, persistent: false}
  eight: {arange: 8}
  noise: {random: normal, like: b}
  y: {merge: formula, expr: b + s + t + e + n, from: {b: b, s: start, t: table, e: eight, n: noise}, broadcast: true}
outputs: y
"""
    graph = mg.loads(text)
    model, x = graph.compile(), torch.rand(2, 3, 8)
    stages = [stage.compile() for stage in graph.split(["b"])]
    for stage in stages:
        stage.load_state_dict({key: model.state_dict()[key] for key in stage.state_dict()})
    (handed,) = [stages[0](x=x)]
    found = seeded(lambda: stages[1](handed))
    assert torch.equal(found, seeded(lambda: model(x=x)))


def test_python_declares_them() -> None:
    x = mg.Input("x", ("T", 8))
    h = layers.Linear(8)(x, name="h")
    start = mg.zeros(x.dims[0], 8, batched=True, name="start")
    noise = mg.random("normal", like=h, only="training", name="noise")
    one = mg.ones(like=h, dtype=torch.float64, name="one")
    places = mg.arange(x.dims[0], name="places")
    eight = mg.arange(8, start=1, name="eight")
    table = mg.Buffer("table", (8,), init="arange", persistent=False)
    y = merges.add(h, start, noise, name="y")
    text = """\
inputs: {x: [T, 8]}
nodes:
  h: {layer: Linear, from: x, out_features: 8}
  start: {zeros: [$T, 8], batched: true}
  noise: {random: normal, like: h, only: training}
  one: {ones: true, like: h, dtype: float64}
  places: {arange: $T}
  eight: {arange: 8, start: 1}
  table: {buffer: [8], init: arange, persistent: false}
  y: {merge: add, from: [h, start, noise]}
outputs: [y, one, places, eight, table]
"""
    outputs = [y, one, places, eight, table]
    assert mg.Graph(outputs).source() == mg.loads(text).source()
    assert mg.zeros([2, 3]).shape == mg.zeros(2, 3).shape == (2, 3)


def test_a_block_may_still_have_params_of_these_names() -> None:
    text = """\
inputs: {x: [4]}
blocks:
  head: {params: {zeros: 3, random: true, like: 2}, seq: [{Linear: {out_features: $zeros, bias: $random}}]}
nodes: {y: {block: head, from: x, zeros: 2, random: false}}
outputs: y
"""
    assert mg.loads(text).compile().y[0].bias is None  # type: ignore[index]


# faults


def test_the_help_for_a_missing_batch_can_be_pasted() -> None:
    text = """\
inputs: {x: [T, 8]}
nodes:
  start: {zeros: [$T, 8]}
  y: {merge: add, from: [x, start]}
outputs: y
"""
    fixed = "{zeros: [$T, 8], batched: true}"
    with pytest.raises(mg.SpecError, match=re.escape(f"give start a batch: {fixed}")):
        mg.loads(text)
    mg.loads(text.replace("{zeros: [$T, 8]}", fixed))
