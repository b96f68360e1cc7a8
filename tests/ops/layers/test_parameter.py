"""Checks parameters, buffers, positions and ports of weights: initial values, code, training."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.ops.layers.tensors import INITS, Gain
from mimgraph.runtime.runner import seeded_inputs
from tests.helpers.cases import check_each, check_texts, texts
from tests.helpers.running import by_name
from tests.helpers.strategies import to_yaml

CASES = Path(__file__).with_name("parameters.md")
SPECS = {name: spec for name, (spec, _) in texts(CASES).items()}
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def compiled(nodes: Mapping[str, Any], outputs: Any = "p", **rest: Any) -> nn.Module:
    """Return a seeded model of these nodes with an input `x` (N, T, 8)."""
    spec = {"inputs": {"x": ["T", 8]}, **rest, "nodes": nodes}
    outputs = {"x": "x", "p": outputs} if isinstance(outputs, str) else outputs
    graph = mg.loads(to_yaml({**spec, "outputs": outputs}))
    torch.manual_seed(0)
    return graph.compile()


def started(shape: list[int], init: Any, kind: str = "parameter", **options: Any) -> Tensor:
    """Return a tensor as the module stores it."""
    found = compiled({"p": {kind: shape, "init": init, **options}}).state_dict()["p"]
    assert isinstance(found, Tensor)
    return found


def test_code(rewrite: bool) -> None:
    check_texts(CASES, lambda spec: mg.loads(spec).source(), rewrite)


# inits

ARGUMENTS: dict[str, list[dict[str, Any]]] = {
    "zeros": [{}],
    "ones": [{}],
    "constant": [{"val": 0.3}],
    "normal": [{}, {"mean": 3.0}, {"std": 0.02}, {"mean": -1.0, "std": 2.0}, {"std": 0.0}],
    "uniform": [{}, {"a": -1.0}, {"b": 3.0}, {"a": 2.0, "b": 2.0}],
    "trunc_normal": [{}, {"mean": 0.5, "std": 0.1}, {"a": -0.1, "b": 0.2}, {"a": 2.0, "b": 2.0}],
    "xavier_normal": [{}, {"gain": 2.0}, {"gain": 0.0}],
    "xavier_uniform": [{}, {"gain": 0.5}],
    "orthogonal": [{}, {"gain": -2.0}],
    "eye": [{}],
    "dirac": [{}, {"groups": 2}],
    "sparse": [{"sparsity": 0.4}, {"sparsity": 0.5, "std": 1.0}],
}
ARGUMENTS["kaiming_normal"] = ARGUMENTS["kaiming_uniform"] = [
    *({}, {"a": 0.2}, {"mode": "fan_out"}, {"a": 1.0, "mode": "fan_in"}),
    *({"nonlinearity": name} for name in get_args(Gain)),
]
SHAPES = {"eye": [4, 6], "sparse": [4, 6], "dirac": [4, 6, 3]}


def torch_inits() -> dict[str, list[str]]:
    """Return the public inits of torch with their arguments beside the tensor and a generator."""
    found = {}
    for name, function in inspect.getmembers(nn.init, inspect.isfunction):
        if name.endswith("_") and not name.startswith("_"):
            _, *arguments = inspect.signature(function).parameters
            found[name.removesuffix("_")] = [a for a in arguments if a != "generator"]
    return found


def test_every_init_of_torch_is_an_init_here() -> None:
    ours = {name: list(init.arguments) for name, init in INITS.items()}
    del ours["sinusoid"], ours["arange"]
    assert ours == torch_inits()


def test_arguments_that_torch_requires_are_required() -> None:
    for name in torch_inits():
        parameters = inspect.signature(getattr(nn.init, f"{name}_")).parameters
        _, *arguments = parameters.values()
        required = tuple(a.name for a in arguments if a.default is inspect.Parameter.empty)
        assert INITS[name].required == required


def test_every_argument_of_an_init_has_a_case() -> None:
    tried = {name: {a for one in cases for a in one} for name, cases in ARGUMENTS.items()}
    assert tried == {name: set(arguments) for name, arguments in torch_inits().items()}


def test_initial_values_equal_torchs() -> None:
    def equals(case: tuple[str, dict[str, Any]]) -> None:
        name, arguments = case
        shape = SHAPES.get(name, [4, 6, 3])
        torch.manual_seed(0)
        expected = getattr(nn.init, f"{name}_")(torch.empty(shape), **arguments)
        assert torch.equal(started(shape, {name: arguments}), expected)

    check_each([(name, one) for name, cases in ARGUMENTS.items() for one in cases], equals)


def test_a_buffer_has_its_own_dtype() -> None:
    names = [name for name, cases in ARGUMENTS.items() if {} in cases]
    check_each(product(names, FLOATS), begins_in_its_dtype)


def begins_in_its_dtype(case: tuple[str, torch.dtype]) -> None:
    name, dtype = case
    shape, kind = SHAPES.get(name, [4, 6]), str(dtype).removeprefix("torch.")
    try:
        torch.manual_seed(0)
        expected = getattr(nn.init, f"{name}_")(torch.empty(shape, dtype=dtype))
    except RuntimeError:  # torch has none for this dtype
        with pytest.raises(mg.SpecError, match=f"{name} takes"):
            started(shape, name, "buffer", dtype=kind)
    else:
        found = started(shape, name, "buffer", dtype=kind)
        assert found.dtype is dtype
        assert torch.equal(found, expected)


def sinusoid(length: int, width: int) -> Tensor:
    """Compute section 3.5 of Vaswani et al. (2017), element by element."""
    rows = [
        [
            (math.cos if i % 2 else math.sin)(position / 10000 ** ((i - i % 2) / width))
            for i in range(width)
        ]
        for position in range(length)
    ]
    return torch.tensor(rows)


@pytest.mark.parametrize("kind", ["parameter", "buffer"])
def test_sinusoid_is_as_in_the_paper(kind: str) -> None:
    def equals(width: int) -> None:
        torch.testing.assert_close(started([50, width], "sinusoid", kind), sinusoid(50, width))

    check_each((1, 2, 7, 64), equals)


@pytest.mark.parametrize("width", [4, 64])
def test_sines_may_stand_before_cosines(width: int) -> None:
    """Compute get_timing_signal_1d of tensor2tensor, element by element."""
    half = width // 2
    rows = [
        [f(step / 10000 ** (i / (half - 1))) for f in (math.sin, math.cos) for i in range(half)]
        for step in range(50)
    ]
    found = started([50, width], {"sinusoid": {"interleaved": False}}, "buffer")
    torch.testing.assert_close(found, torch.tensor(rows))


@pytest.mark.parametrize("width", [1, 2, 7])
def test_as_many_sines_as_cosines_need_an_even_width(width: int) -> None:
    with pytest.raises(mg.SpecError, match=f"need an even width, not {width}"):
        started([50, width], {"sinusoid": {"interleaved": False}})


@pytest.mark.parametrize("shape", [{"batched": True}, {}], ids=["batched", "plain"])
def test_a_sinusoid_may_have_one_more_axis(shape: dict[str, bool]) -> None:
    written = [6, 4] if shape else [1, 6, 4]
    found = started(written, "sinusoid", "buffer", dtype="float64", **shape)
    torch.testing.assert_close(found, sinusoid(6, 4)[None].double())


VALUES = [
    ([], 2.5, "float32", torch.tensor(2.5)),
    ([2, 3], 7, "float32", torch.full((2, 3), 7.0)),
    ([2], [1, -2.5], "float32", torch.tensor([1.0, -2.5])),
    ([2, 1, 2], [[[1, 2]], [[3, 4]]], "float64", torch.tensor([[[1, 2]], [[3, 4]]]).double()),
    ([2], [float("-inf"), float("inf")], "float32", torch.tensor([-math.inf, math.inf])),
    ([2], 3, "int64", torch.tensor([3, 3])),
    ([2], {"constant": {"val": -3}}, "int8", torch.tensor([-3, -3], dtype=torch.int8)),
    ([3], [0, 255, 7], "uint8", torch.tensor([0, 255, 7], dtype=torch.uint8)),
    ([1], [2**63 - 1], "int64", torch.tensor([2**63 - 1])),
    ([2, 2], [[True, False], [False, True]], "bool", torch.eye(2, dtype=torch.bool)),
    ([2], {"constant": {"val": True}}, "bool", torch.tensor([True, True])),
    ([2], "ones", "bool", torch.tensor([True, True])),
    ([2], "zeros", "complex64", torch.zeros(2, dtype=torch.complex64)),
    ([2], [0.5, 1], "complex128", torch.tensor([0.5, 1], dtype=torch.complex128)),
    ([2], 65504, "float16", torch.tensor([65504.0, 65504.0], dtype=torch.float16)),
]


def test_given_values() -> None:
    def begins_with(case: tuple[list[int], Any, str, Tensor]) -> None:
        shape, init, dtype, expected = case
        found = started(shape, init, "buffer", dtype=dtype)
        assert found.dtype is expected.dtype
        assert torch.equal(found, expected)

    check_each(VALUES, begins_with)


def test_nan_is_refused() -> None:
    assert started([2], [float("nan"), 1]).isnan().tolist() == [True, False]


def test_values_may_be_params() -> None:
    nodes = {"p": {"parameter": "$shape", "init": "$values"}, "q": {"buffer": [1], "init": ["$n"]}}
    params = {"shape": [1, 2], "values": [[3, 4]], "n": 5}
    model = compiled(nodes, {"x": "x", "p": "p", "q": "q"}, params=params)
    assert model.p.tolist() == [[3.0, 4.0]]
    assert model.q.tolist() == [5.0]


@pytest.mark.slow
def test_a_large_number_of_values() -> None:
    values = list(range(100_000))
    spec = f"inputs: {{x: [8]}}\nnodes: {{p: {{buffer: [{len(values)}], init: {values}}}}}\n"
    model = mg.loads(spec + "outputs: [x, p]\n").compile()
    assert torch.equal(model.p, torch.arange(100_000.0))


# storage and training

TOKEN = {"parameter": [2, 8], "init": "normal", "batched": True}


def test_a_batched_tensor_is_stored_once_and_trained_by_every_sample() -> None:
    nodes = {"cls": TOKEN, "p": {"merge": "concat", "from": ["cls", "x"]}}
    model = compiled(nodes, {"p": "p"})
    x = torch.randn(3, 5, 8)
    result = model(x=x)
    assert model.cls.shape == (1, 2, 8)
    assert torch.equal(result, torch.cat((model.cls.expand(3, -1, -1), x), 1))
    result.sum().backward()
    assert torch.equal(model.cls.grad, torch.full((1, 2, 8), 3.0))


def test_expanding_takes_no_memory() -> None:
    model = compiled({"p": TOKEN})
    assert model(x=torch.randn(3, 5, 8))["p"].data_ptr() == model.p.data_ptr()


def test_a_batched_scalar_is_one_number_a_sample() -> None:
    model = compiled({"p": {"parameter": [], "init": 2.0, "batched": True}})
    assert model(x=torch.randn(3, 5, 8))["p"].tolist() == [2.0, 2.0, 2.0]


def test_parameters_are_trained_and_buffers_are_not() -> None:
    nodes = {
        "p": {"parameter": [8], "init": "ones"},
        "b": {"buffer": [8], "init": "zeros"},
        "i": {"arange": "x", "dim": 1},
        "y": {"merge": "add", "from": ["x", "p", "b"], "broadcast": True},
    }
    model = compiled(nodes, {"y": "y", "i": "i"})
    assert [name for name, _ in model.named_parameters()] == ["p"]
    assert [name for name, _ in model.named_buffers()] == ["b"]
    assert list(model.state_dict()) == ["p", "b"]
    assert isinstance(model.p, nn.Parameter)
    assert model.double()(x=torch.randn(2, 3, 8).double())["y"].dtype is torch.float64


def test_an_activation_applies_at_every_use() -> None:
    nodes = {
        "p": {"parameter": [8], "init": "normal", "activation": "Sigmoid"},
        "again": {"share": "p"},
    }
    model = compiled(nodes, {"x": "x", "p": "p", "again": "again"})
    outputs = model(x=torch.randn(1, 2, 8))
    assert torch.equal(outputs["p"], model.p.sigmoid())
    assert torch.equal(outputs["again"], outputs["p"])


def test_no_batch_is_needed_where_nothing_is_expanded() -> None:
    blocks = {
        "scaled": {
            "inputs": {"w": ["C"]},
            "nodes": {
                "scale": {"parameter": ["$C"], "init": 2.0},
                "out": {"merge": "multiply", "from": ["w", "scale"]},
            },
            "outputs": "out",
        }
    }
    nodes = {
        "w": {"parameter": [8], "init": "ones"},
        "p": {"block": "scaled", "from": "w", "repeat": 3},
    }
    model = compiled(nodes, blocks=blocks)
    assert model(x=torch.randn(1, 2, 8))["p"].tolist() == [8.0] * 8


# positions


def test_positions_are_on_the_device_of_their_source() -> None:
    nodes = {
        "i": {"arange": "x", "dim": 1},
        "j": {"arange": "x", "dim": -1},
        "k": {"arange": "i", "dim": 0},
    }
    model = compiled(nodes, {"x": "x", "i": "i", "j": "j", "k": "k"})
    outputs = model(x=torch.randn(2, 5, 8))
    assert torch.equal(outputs["i"], torch.arange(5))
    assert torch.equal(outputs["j"], torch.arange(8))
    assert torch.equal(outputs["k"], torch.arange(5))
    assert model(x=torch.empty(2, 5, 8, device="meta"))["i"].device.type == "meta"


def test_positions_bound_a_length() -> None:
    graph = mg.loads(SPECS["positions"])
    assert list(map(str, graph.constraints)) == ["T <= 50"]
    model, tokens = graph.compile(), torch.arange(10).reshape(2, 5)
    expected = model.token(tokens) + model.position.weight[:5] + sinusoid(5, 8)
    torch.testing.assert_close(model(tokens=tokens), expected)


def test_an_embedding_bounds_the_length_of_positions() -> None:
    graph = mg.loads(SPECS["positions"].replace("64", "32"))
    assert list(map(str, graph.constraints)) == ["T <= 32"]


def test_a_known_length_needs_no_constraint() -> None:
    graph = mg.loads(SPECS["positions"].replace("shape: [T]", "shape: [50]").replace("$T", "50"))
    assert graph.constraints == ()
    assert "torch.arange(50, device=tokens.device)" in graph.source()


# blocks


def test_sizes_that_vary_are_arguments_of_the_class() -> None:
    outputs = mg.loads(SPECS["tokens"]).compile()(x=torch.randn(2, 5, 8))
    assert [tuple(x.shape) for x in outputs.values()] == [(2, 10, 32), (2, 10, 4)]


def test_a_size_as_a_value_is_a_float() -> None:
    spec = """
        inputs: {x: [4]}
        blocks:
          scaled:
            params: {factor: 1}
            inputs: {x: [D]}
            nodes:
              size: {parameter: [$D], init: $D}
              pair: {parameter: [2], init: ["$(D / 2)", $factor]}
              y: {merge: multiply, from: [x, size], broadcast: true}
              wide: {layer: Linear, from: y, out_features: $(2 * D)}
            outputs: {wide: wide, pair: pair}
        nodes:
          a: {block: scaled, from: x}
          b: {block: scaled, from: a.wide, factor: 3}
        outputs: {y: b.wide, pair: b.pair}
    """
    model = mg.loads(spec).compile()
    assert torch.equal(model.a.size, torch.full((4,), 4.0))
    assert torch.equal(model.b.size, torch.full((8,), 8.0))
    assert [model.a.pair.tolist(), model.b.pair.tolist()] == [[2.0, 1.0], [4.0, 3.0]]


def test_repeats_have_separate_parameters_unless_they_are_shared() -> None:
    model = mg.loads(SPECS["repeats"]).compile()
    assert list(model.state_dict()) == ["own.0.gamma", "own.1.gamma", "own.2.gamma", "one.gamma"]
    x = torch.randn(2, 8)
    first, second, third, one = model.parameters()
    expected = x * (first * second * third) ** 2 * one**2
    torch.testing.assert_close(model(x=x), expected)


# Python


def python_graph() -> mg.Graph:
    x = mg.Input("x", ("T", 8))

    @mg.block
    def tokens(x: mg.Tensor, *, count: int = 1) -> dict[str, mg.Tensor]:
        _, width = x.dims
        cls = mg.Parameter("cls", (count, width), init={"normal": {"std": 0.02}}, batched=True)
        scale = mg.Parameter("scale", (2 * width,), init=1e-4)
        fixed = mg.Buffer("fixed", (width, count), init="sinusoid")
        joined = merges.concat(cls, x, name="joined")
        wide = layers.Linear(2 * width)(joined, name="wide")
        y = merges.multiply(wide, scale, broadcast=True, name="y")
        return {"y": y, "z": merges.matmul(joined, fixed, name="z")}

    a = tokens()(x, name="a")
    b = tokens(count=4)(a["y"], name="b")
    return mg.Graph({"y": b["y"], "z": b["z"]})


def test_python_gives_the_same_graph() -> None:
    assert python_graph() == mg.loads(SPECS["tokens"])
    assert mg.loads(python_graph().dumps()) == python_graph()


def test_positions_and_ports_in_python() -> None:
    tokens = mg.Input("tokens", ("T",), vocab=11)
    token = layers.Embedding(8)(tokens, name="token")
    i = mg.arange(tokens, dim=1, name="i")
    position = layers.Embedding(8, num_embeddings=64)(i, name="position")
    table = mg.Buffer("table", (50, 8), init="sinusoid")
    rows = layers.Slice(0, end=tokens.dims[0])(table, name="rows")
    y = merges.add(token, position, rows, broadcast=True, name="y")
    assert mg.Graph(y) == mg.loads(SPECS["positions"])


def test_a_buffer_takes_a_dtype_of_torch() -> None:
    kept = mg.Buffer("kept", (2,), init=[1, 2], dtype=torch.int64)
    model = mg.Graph({"x": mg.Input("x", (8,)), "kept": kept}).compile()
    assert torch.equal(model.kept, torch.tensor([1, 2]))


@pytest.mark.parametrize("name", ["class", "forward", "a b", ""])
def test_names_are_checked_at_the_call(name: str) -> None:
    with pytest.raises(mg.SpecError, match="cannot be a name"):
        mg.Parameter(name, (2,), init="zeros")


@pytest.mark.parametrize(
    ("init", "code"),
    [
        *((init, "bad-option") for init in (None, torch.zeros(2), {1: {}}, object(), [1, "2"])),
        pytest.param(10**400, "too-large", id="10**400"),
    ],
)
def test_a_wrong_init_is_reported_at_the_call(init: Any, code: str) -> None:
    with pytest.raises(mg.SpecError) as caught:
        mg.Parameter("p", (2,), init=init)
    (fault,) = caught.value.diagnostics
    assert fault.code == code
    assert fault.span.file.name == __file__


# learned tensors of layers


def test_a_tied_weight_is_one_parameter() -> None:
    model = mg.loads(SPECS["tied"]).compile()
    names = [name for name, _ in model.named_parameters(remove_duplicate=False)]
    assert names == ["token.weight", "hidden.weight", "hidden.bias"]
    tokens = torch.arange(6).reshape(2, 3)
    logits = model(tokens=tokens)
    weight = model.token.weight
    torch.testing.assert_close(logits, model.hidden(weight[tokens]) @ weight.T)
    logits.sum().backward()
    assert weight.grad[10].any()  # no token, so its gradient is that of the logits


STAGES = """
inputs: {x: [T, 8], image: [3, 4, 4], city: {shape: [], vocab: 5}, job: {shape: [], vocab: 6}}
blocks:
  stage:
    inputs: [x]
    nodes:
      conv: {layer: Conv2d, from: x, out_channels: 3, kernel_size: 1}
      twice: {share: conv, from: conv}
    outputs: twice
  chain: {seq: [stage, {Conv2d: {out_channels: 3, kernel_size: 1}}]}
  tables:
    inputs: [city, job]
    nodes:
      emb: {layer: Embedding, each: {city: city, items: job}, embedding_dim: 3}
      joined: {merge: concat, from: emb.*}
    outputs: joined
nodes:
  fc: {layer: Linear, from: x, out_features: 4}
  shared: {share: fc, from: x}
  rnn: {layer: LSTM, from: x, hidden_size: 4, num_layers: 2}
  mha: {layer: MultiheadAttention, from: x, num_heads: 2}
  encoder: {layer: TransformerEncoder, from: x, nhead: 2, num_layers: 2, dim_feedforward: 8}
  vec: {from: image, seq: [{stage: {repeat: 2}}, chain, Flatten, {Linear: 4}]}
  one: {block: stage, from: image}
  many: {block: stage, from: one, repeat: 3}
  loop: {block: stage, from: many, repeat: {times: 2, shared: true}}
  row: {block: chain, from: loop, repeat: 2}
  gate: {merge: gated, from: [fc, shared], out_features: 3}
  emb: {layer: Embedding, each: {city: city, items: job}, embedding_dim: 3}
  other: {share: emb.city, each: {a: city, b: city}}
  deep: {block: tables, from: [city, job]}
  sum: {merge: add, from: [emb.items, other.a, other.b, emb.city]}
"""
ENDS = ("rnn", "mha", "encoder", "vec", "row", "gate", "sum", "deep")
SHARED = {"shared.weight": "fc.weight", "other.a.weight": "emb.city.weight"}


def staged(outputs: Mapping[str, str]) -> mg.Graph:
    return mg.loads(
        f"{STAGES}{to_yaml({'outputs': {**dict(zip(ENDS, ENDS, strict=True)), **outputs}})}"
    )


def test_every_learned_tensor_is_a_port_by_its_key() -> None:
    keys = [name for name, _ in staged({}).compile().named_parameters()]
    assert len(keys) > 60
    ports = {**dict(zip(keys, keys, strict=True)), **SHARED}
    outputs = {f"w{number}": port for number, port in enumerate(ports)}
    graph = staged(outputs)
    model = graph.compile()
    found = model(**seeded_inputs(graph.typed, 2, 0, choose_sizes(graph.typed, {})))
    parameters = dict(model.named_parameters())
    for name, port in outputs.items():
        assert found[name] is parameters[ports[port]]
        assert graph.outputs[name].shape == found[name].shape
        assert not graph.outputs[name].batched


def test_a_port_of_a_weight_changes_no_key() -> None:
    plain, read = staged({}), staged({"w": "many.1.conv.weight", "v": "shared.bias"})
    assert list(plain.compile().state_dict()) == list(read.compile().state_dict())


UNUSED = """
inputs: {x: [T, 8], tokens: {shape: [T], vocab: 11}}
nodes:
  token: {layer: Embedding, from: tokens, embedding_dim: 8}
  logits: {merge: einsum, equation: "n t d, v d -> n t v", from: [x, token.weight]}
outputs: logits
"""


def test_a_layer_does_not_run_if_only_its_weight_is_used() -> None:
    graph = mg.loads(UNUSED)
    assert "self.token(" not in graph.source()
    model, x = graph.compile(), torch.randn(2, 3, 8)
    logits = model(x=x, tokens=torch.zeros(2, 3, dtype=torch.int64))
    torch.testing.assert_close(logits, x @ model.token.weight.T)


def test_a_weight_is_available_if_the_input_of_its_layer_is_missing() -> None:
    model = mg.loads("""
        inputs: {audio: {shape: [4], optional: true}, x: [4]}
        nodes:
          fc: {layer: Linear, from: audio, out_features: 4}
          heard: {layer: Fill, from: fc, value: zeros}
          cls: {parameter: [4], init: ones, batched: true}
          y: {merge: matmul, from: [x, fc.weight]}
          sum: {merge: add, from: [y, heard, cls]}
        outputs: sum
    """).compile()
    x = torch.randn(2, 4)
    torch.testing.assert_close(model(x=x), x @ model.fc.weight + 1)
    heard = model(x=x, audio=x)
    torch.testing.assert_close(heard, x @ model.fc.weight + model.fc(x) + 1)


def test_a_shared_layer_reads_learned_tensors_too() -> None:
    model = mg.loads("""
        inputs: {x: [8]}
        nodes:
          fc: {layer: Linear, from: x, out_features: 8}
          p: {parameter: [3, 8], init: normal}
          a: {layer: Linear, from: fc.weight, out_features: 4}
          b: {share: a, from: fc}
          c: {share: a, from: p}
        outputs: {a: a, b: b, c: c}
    """).compile()
    x = torch.randn(2, 8)
    found = model(x=x)
    torch.testing.assert_close(found["a"], model.a(model.fc.weight))
    torch.testing.assert_close(found["b"], model.a(model.fc(x)))
    torch.testing.assert_close(found["c"], model.a(model.p))


def test_a_loop_that_starts_from_a_learned_tensor_does_not_change_it() -> None:
    model, x = mg.loads(SPECS["loops"]).compile(), torch.randn(2, 8)
    found = model(x=x)
    w, y = model.fc.weight, model.fc(x)
    for step in model.both:
        w = step.fc(w)
        y = y @ w
    assert found["weight"] is found["none"] is model.fc.weight
    assert found["p"] is model.p
    expected = {
        "w": w,
        "x": y,
        "turned": model.turned(model.turned(model.fc.weight)),
        "own": model.own(model.own(model.p)),
    }
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)


def test_a_weight_in_a_block_is_read_by_the_block() -> None:
    model = mg.loads("""
        inputs: {x: [4]}
        blocks:
          coder:
            params: {width: null}
            inputs: {x: [C]}
            nodes:
              up: {layer: Linear, from: x, out_features: $width}
              down: {merge: matmul, from: [up, up.weight]}
              y: {layer: Linear, from: down, out_features: $width}
            outputs: y
        nodes:
          c: {block: coder, from: x, repeat: {with: {width: [8, 16]}}}
          y: {merge: matmul, from: [c, c.1.y.weight]}
        outputs: y
    """).compile()
    x = torch.randn(2, 4)
    y = x
    for coder in model.c:
        y = coder.y(coder.up(y) @ coder.up.weight)
    torch.testing.assert_close(model(x=x), y @ model.c[1].y.weight)


def test_ports_of_weights_in_python() -> None:
    tokens = mg.Input("tokens", ("T",), vocab=11)
    token = layers.Embedding(8)(tokens, name="token")
    hidden = layers.Linear(8)(token, name="hidden")
    weight = token["weight"]
    assert str(weight.shape) == "(11, 8)"
    equation = "n t d, v d -> n t v"
    logits = merges.einsum(hidden, weight, equation=equation, name="logits")
    assert mg.Graph(logits) == mg.loads(SPECS["tied"])
    with pytest.raises(mg.SpecError, match="no port 'weigth'"):
        token["weigth"]


# operations on a whole module


class Engine(NamedTuple):
    """A model with all kinds of tensors of its own, its inputs and its results."""

    model: nn.Module
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]


@pytest.fixture(params=SPECS)
def engine(request: pytest.FixtureRequest) -> Engine:
    graph = mg.loads(SPECS[request.param])
    torch.manual_seed(0)
    model = graph.compile()
    inputs = seeded_inputs(graph.typed, 3, 0, choose_sizes(graph.typed, {}))
    return Engine(model, inputs, outputs_of(model, inputs))


def outputs_of(model: Any, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return by_name(model(**inputs))


def test_deepcopy(engine: Engine) -> None:
    copied = copy.deepcopy(engine.model)
    torch.testing.assert_close(outputs_of(copied, engine.inputs), engine.outputs)
    mine = {p.data_ptr() for p in engine.model.parameters()}
    assert mine.isdisjoint(p.data_ptr() for p in copied.parameters())


def test_functional_call_replaces_all_tensors(engine: Engine) -> None:
    halved = {name: x / 2 for name, x in engine.model.state_dict().items()}
    found = torch.func.functional_call(engine.model, halved, (), engine.inputs)
    other = copy.deepcopy(engine.model)
    other.load_state_dict(halved)
    expected = outputs_of(other, engine.inputs)
    torch.testing.assert_close(by_name(found), expected)


@pytest.mark.slow
def test_compiles_in_one_graph(engine: Engine) -> None:
    compiled = torch.compile(engine.model, fullgraph=True, backend="eager")
    torch.testing.assert_close(outputs_of(compiled, engine.inputs), engine.outputs)


@pytest.mark.slow
def test_exports(engine: Engine) -> None:
    batch = {name: {0: torch.export.Dim.DYNAMIC} for name in engine.inputs}
    exported = torch.export.export(engine.model, (), engine.inputs, dynamic_shapes=batch).module()
    larger = {name: torch.cat([x, x[:2]]) for name, x in engine.inputs.items()}
    torch.testing.assert_close(outputs_of(exported, larger), outputs_of(engine.model, larger))


def test_a_bare_value_is_the_only_argument_of_an_init() -> None:
    assert torch.equal(started([3], {"constant": 0.5}), torch.full((3,), 0.5))
    with pytest.raises(mg.SpecError, match="init is one name"):
        started([3], {"normal": 0.02})  # its mean, or its standard deviation?
