"""`repeat` counts at run time, gives the number of its step, and collects the results of all steps."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.ir.dim import substitute
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.model import Cluster, every
from mimgraph.runtime.runner import seeded_inputs
from tests.helpers.cases import each
from tests.helpers.marked import faults
from tests.helpers.running import by_name, seeded
from tests.helpers.stages import compile_stages, run_stages

BLOCKS = """\
blocks:
  refine:
    inputs: {x: [L, D], i: []}
    nodes:
      time: {layer: Embedding, from: i, num_embeddings: 16, embedding_dim: $D}
      placed: {merge: add, from: [x, time], broadcast: true}
      out: {layer: Linear, from: placed, out_features: $D, activation: ReLU}
    outputs: out
  layer:
    inputs: {queries: [Q, D], memory: [M, D]}
    nodes:
      read: {layer: MultiheadAttention, from: {query: queries, key: memory}, num_heads: 2}
      sum: {merge: add, from: [queries, read]}
      norm: {layer: LayerNorm, from: sum}
    outputs: norm
  denoise:
    inputs: {x: [D], i: []}
    nodes:
      time: {layer: Embedding, from: i, num_embeddings: 16, embedding_dim: $D}
      both: {merge: add, from: [x, time], broadcast: true}
      noise: {layer: Linear, from: both, out_features: $D}
      size: {layer: Linear, from: noise, out_features: 1}
      less: {merge: subtract, from: [x, noise]}
    outputs: {x: less, size: size}
  grow: {params: {i: null}, seq: [{Linear: $(2 * i + 3)}, {Dropout: $(0.1 * i)}]}
  even: {seq: [{Linear: 4}, Tanh]}
"""


class Refine(nn.Module):
    """The block `refine` by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Embedding(16, 4)
        self.out = nn.Linear(4, 4)

    def forward(self, x: Tensor, i: int) -> Tensor:
        return F.relu(self.out(x + self.time.weight[i]))


class Layer(nn.Module):
    """The block `layer` by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.read = nn.MultiheadAttention(4, 2, batch_first=True)
        self.norm = nn.LayerNorm(4)

    def forward(self, queries: Tensor, memory: Tensor) -> Tensor:
        return self.norm(queries + self.read(queries, memory, memory)[0])


class Denoise(nn.Module):
    """The block `denoise` by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Embedding(16, 4)
        self.noise = nn.Linear(4, 4)
        self.size = nn.Linear(4, 1)

    def forward(self, x: Tensor, i: int) -> tuple[Tensor, Tensor]:
        noise = self.noise(x + self.time.weight[i])
        return x - noise, self.size(noise)


class Adaptive(nn.Module):
    """A universal transformer: one layer, as often as the text is long."""

    def __init__(self) -> None:
        super().__init__()
        self.y = Refine()

    def forward(self, x: Tensor) -> Tensor:
        for step in range(x.shape[1]):
            x = self.y(x, step)
        return x


class Decoder(nn.Module):
    """DETR's decoder, with the results of all layers for auxiliary losses."""

    def __init__(self) -> None:
        super().__init__()
        self.y = nn.ModuleList([Layer() for _ in range(3)])

    def forward(self, queries: Tensor, x: Tensor) -> dict[str, Tensor]:
        found = []
        for layer in self.y:
            queries = layer(queries, x)
            found.append(queries)
        return {"y": queries, "aux": torch.stack(found, dim=1)}


class Diffusion(nn.Module):
    """A loop that takes noise away; the size of the noise is collected, and not carried."""

    def __init__(self) -> None:
        super().__init__()
        self.y = Denoise()

    def forward(self, x: Tensor, counted: Tensor) -> dict[str, Tensor]:
        found = []
        for step in range(counted.shape[1] + 1):
            x, size = self.y(x, step)
            found.append(size)
        sizes = torch.stack(found, 1)
        return {"x": x, "sizes": sizes, "last": size, "counted": counted.mean(1)}


class Own(nn.Module):
    """Steps with weights of their own, which are numbered."""

    def __init__(self) -> None:
        super().__init__()
        self.y = nn.ModuleList([Denoise() for _ in range(3)])

    def forward(self, x: Tensor) -> Tensor:
        sizes = []
        for step, layer in enumerate(self.y):
            x, size = layer(x, step)
            sizes.append(size)
        return torch.stack(sizes, 1)


class Grown(nn.Module):
    """A param that is the number of the step."""

    def __init__(self) -> None:
        super().__init__()
        self.y = nn.Sequential(
            *[
                nn.Sequential(nn.Linear(2 * i + 1 if i else 4, 2 * i + 3), nn.Dropout(0.1 * i))
                for i in range(3)
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.y(x)


class Items(nn.Module):
    """Repeats as items of a chain."""

    def __init__(self) -> None:
        super().__init__()
        item = nn.ModuleList([Refine(), Refine()])
        self.y = nn.ModuleList([Refine(), item, nn.Sequential(nn.Linear(4, 4), nn.Tanh())])

    def forward(self, x: Tensor) -> Tensor:
        first, second, third = self.y
        for step in range(x.shape[1] - 1):
            x = first(x, step)
        for step, layer in enumerate(second):
            x = layer(x, step)
        found = []
        for _ in range(2):
            x = third(x)
            found.append(x)
        return torch.stack(found, 1)


CASES: dict[str, tuple[str, type[nn.Module]]] = {
    "adaptive": (
        """\
inputs: {x: [T, 4]}
nodes:
  y: {block: refine, from: x, repeat: {times: $T, shared: true, index: i}}
outputs: y
""",
        Adaptive,
    ),
    "decoder": (
        """\
inputs: {queries: [Q, 4], x: [T, 4]}
nodes:
  y: {block: layer, from: [queries, x], repeat: {times: 3, collect: norm}}
outputs: {y: y, aux: y.steps}
""",
        Decoder,
    ),
    "diffusion": (
        """\
inputs: {x: [4], counted: [T, 2]}
nodes:
  y: {block: denoise, from: x, repeat: {times: $(T + 1), shared: true, index: i, collect: size}}
  mean: {layer: Mean, from: counted, dim: 1}
outputs: {x: y.x, sizes: y.steps, last: y.size, counted: mean}
""",
        Diffusion,
    ),
    "own weights": (
        """\
inputs: {x: [4]}
nodes:
  y: {block: denoise, from: {x: x}, repeat: {times: 3, index: i, collect: size}}
outputs: y.steps
""",
        Own,
    ),
    "param": (
        """\
inputs: {x: [4]}
nodes:
  y: {block: grow, from: x, repeat: {times: 3, index: i}}
outputs: y
""",
        Grown,
    ),
    "items": (
        """\
inputs: {x: [T, 4]}
nodes:
  y:
    from: x
    seq:
      - refine: {repeat: {times: $(T - 1), shared: true, index: i}}
      - refine: {repeat: {times: 2, index: i}}
      - even: {repeat: {times: 2, shared: true, collect: true}, take: steps}
outputs: y
""",
        Items,
    ),
}


def loaded(nodes: str) -> mg.Graph:
    """Return the graph of these inputs, nodes and outputs, with the blocks of all tests."""
    return mg.loads(nodes + BLOCKS)


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request: pytest.FixtureRequest) -> tuple[mg.Graph, type[nn.Module]]:
    text, reference = request.param
    return loaded(text), reference


def given(graph: mg.Graph, length: int) -> dict[str, Tensor]:
    """Return inputs of the graph for a batch of three, with this size of `T`."""
    return seeded_inputs(graph.typed, 3, 0, {"T": length, "Q": 5})


def assert_close(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[name])


def test_a_model_is_the_one_written_by_hand(case: tuple[mg.Graph, type[nn.Module]]) -> None:
    graph, reference = case
    ours, theirs = seeded(graph.compile), seeded(reference)
    theirs.load_state_dict(ours.state_dict())
    for length in (1, 2, 6):
        inputs = given(graph, length)
        results = []
        for model in (ours, theirs):
            torch.manual_seed(1)  # for the dropout
            results.append(by_name(model(**inputs), graph))
        assert_close(*results)
        for name, type_ in graph.outputs.items():
            sizes = {"N": 3, "T": length, "Q": 5}
            shape = tuple(substitute(size, sizes) for size in type_.shape)
            assert tuple(results[0][name].shape) == shape


@pytest.mark.slow
@each("name", ["diffusion", "own weights", "items"])
def test_engines_run_the_loops(name: str) -> None:
    """Copies, TorchScript, and `torch.export` with a batch of any size, whose loops are unrolled."""
    # TorchScript takes no result of a loop that is not carried, as the loop may not run
    graph = loaded(CASES[name][0].replace(", last: y.size", ""))
    model, inputs = graph.compile().eval(), given(graph, 3)
    expected = by_name(model(**inputs))
    shapes = graph.dynamic_shapes()
    exported = torch.export.export(model, (), inputs, dynamic_shapes=shapes).module()
    for again in (
        pickle.loads(pickle.dumps(model)),
        copy.deepcopy(model),
        exported,
        model if name == "items" else torch.jit.script(model),  # it refuses `super().forward`
    ):
        assert_close(by_name(again(**inputs)), expected)
    larger = {name: torch.cat((tensor, tensor)) for name, tensor in inputs.items()}
    assert_close(by_name(exported(**larger)), by_name(model(**larger)))


@each("text", [text for text, _ in CASES.values()])
def test_a_spec_that_is_dumped_is_the_same(text: str) -> None:
    graph = loaded(text)
    again = mg.loads(graph.dumps())
    assert again.source() == graph.source()
    assert again.dumps() == graph.dumps()


def test_zero_steps_hand_the_input_on() -> None:
    text = "inputs: {x: [T, 4]}\nnodes: {y: {block: refine, from: x, repeat: REPEAT}}\noutputs: y\n"
    for times in ("$(T - 1)", "0"):
        graph = loaded(text.replace("REPEAT", f"{{times: {times}, shared: true, index: i}}"))
        x = torch.rand(2, 1, 4)
        torch.testing.assert_close(graph.compile()(x=x), x)


def test_all_dtypes_and_an_empty_batch() -> None:
    graph = loaded(CASES["diffusion"][0])
    for dtype in (torch.float64, torch.bfloat16):
        model = graph.compile().to(dtype)
        results = model(x=torch.rand(2, 4, dtype=dtype), counted=torch.rand(2, 3, 2, dtype=dtype))
        assert {tensor.dtype for tensor in results.values()} == {dtype}
    empty = graph.compile()(x=torch.rand(0, 4), counted=torch.rand(0, 3, 2))
    assert empty["sizes"].shape == (0, 4, 1)


def test_no_list_is_made_if_nothing_reads_the_steps() -> None:
    graph = loaded(CASES["decoder"][0].replace("{y: y, aux: y.steps}", "y"))
    assert "append" not in graph.source()
    assert "append" in loaded(CASES["decoder"][0]).source()


def test_the_emitted_loop_is_as_written_by_hand() -> None:
    source = loaded(CASES["decoder"][0]).source()
    assert source.endswith("""\
    def forward(self, *, queries: Tensor, x: Tensor) -> dict[str, Tensor]:
        steps = []
        y = queries
        for layer in self.y:
            y = layer(y, x)  # (N, Q, 4)
            steps.append(y)
        y_steps = torch.stack(steps, 1)  # (N, 3, Q, 4)
        del steps
        return {"y": y, "aux": y_steps}
""")


def test_names_of_loops_in_a_row() -> None:
    """Each loop assigns to the name of its node, and no variable hides a name that the file uses."""
    source = mg.loads("""\
inputs: {i: [T, 4], layer: [4]}
blocks:
  shift:
    inputs: {x: [T, D], enumerate: []}
    nodes:
      time: {layer: Embedding, from: enumerate, num_embeddings: 9, embedding_dim: $D}
      sum: {merge: add, from: [x, time], broadcast: true}
    outputs: sum
nodes:
  a: {block: shift, from: i, repeat: {times: 2, index: enumerate, collect: true}}
  b: {block: shift, from: a, repeat: {times: $T, shared: true, index: enumerate, collect: true}}
outputs: {a: a.steps, b: b.steps, layer: layer}
""").source()
    assert source.endswith("""\
        numbers = torch.arange(2, device=i.device)
        steps = []
        a = i
        for index, block in enumerate(self.a):
            a = block(a, numbers[index])  # (N, T, 4)
            steps.append(a)
        del numbers
        a_steps = torch.stack(steps, 1)  # (N, 2, T, 4)
        del steps
        steps = []
        b = a
        del a
        for index in torch.arange(b.shape[1], device=b.device):
            b = self.b(b, index)  # (N, T, 4)
            steps.append(b)
        b_steps = torch.stack(steps, 1)  # (N, T, T, 4)
        del steps, b
        return {"a": a_steps, "b": b_steps, "layer": layer}
""")


def test_a_param_that_counts_needs_no_value() -> None:
    graph = loaded(CASES["param"][0])
    assert [y.params for y in graph.typed.body.by_name["y"].operation.bodies] == [
        {"i": 0},
        {"i": 1},
        {"i": 2},
    ]


def test_cost_and_texts_of_a_loop_over_a_named_size() -> None:
    graph = loaded(CASES["adaptive"][0])
    summary = graph.summary()
    assert "refine × T shared" in str(summary)
    assert str(summary.total.macs) == "16*T**2"
    assert summary.total.params == 16 * 4 + 20
    assert graph.summary(sizes={"T": 5}).total.macs.value == 16 * 25
    (cluster,) = [one for one in every(diagram(graph.typed).items) if isinstance(one, Cluster)]
    assert cluster.subtitle == "refine × T shared"
    assert [item.id for item in cluster.items] == ["y.i", "y.time", "y.placed", "y.out"]


@each("collected", [False, True])
def test_stages_keep_the_number_of_a_step(collected: bool) -> None:
    text = CASES["own weights"][0]
    if not collected:
        text = text.replace(", collect: size", "").replace("y.steps", "y.x")
    graph, x = loaded(text), torch.rand(2, 4)
    if collected:
        with pytest.raises(ValueError, match="collects the results of all repeats"):
            graph.split(["y.1"])
        return
    model, stages = graph.compile(), graph.split(["y.1", "y.2"])
    modules = compile_stages(stages, model)
    (result,) = run_stages(stages, modules, {"x": x})
    torch.testing.assert_close(result, model(x=x))


def test_a_stage_takes_the_input_whose_size_counts_its_steps() -> None:
    graph = loaded("""\
inputs: {x: [T, 4]}
nodes:
  mean: {layer: Mean, from: x, dim: 1}
  y: {block: even, from: mean, repeat: {times: $T, shared: true}}
outputs: y
""")
    stages, model, x = graph.split(["y"]), graph.compile(), torch.rand(2, 5, 4)
    assert [*stages[1].inputs] == ["x", "mean"]
    (result,) = run_stages(stages, compile_stages(stages, model), {"x": x})
    torch.testing.assert_close(result, model(x=x))


def test_a_share_of_a_repeat_has_all_its_ports() -> None:
    graph = loaded("""\
inputs: {x: [4], other: [4]}
nodes:
  y: {block: even, from: x, repeat: {times: 3, collect: true}}
  z: {share: y, from: other}
outputs: {y: y, z: z.steps, weight: y.2.0.weight}
""")
    model, x = graph.compile(), torch.rand(2, 4)
    results = model(x=x, other=x)
    torch.testing.assert_close(results["z"][:, -1], results["y"])
    assert results["weight"] is model.y[2][0].weight


def test_a_diff_says_what_changed() -> None:
    one = CASES["own weights"][0]
    text = str(mg.diff(loaded(one), loaded(one.replace("collect: size", "collect: x"))))
    assert "collect" in text
    assert "size" in text


def test_blocks_of_python_count_and_collect() -> None:
    @mg.block
    def refine(x: mg.Tensor, i: mg.Tensor) -> mg.Tensor:
        time = layers.Embedding(x.dims[-1], num_embeddings=16)(i, name="time")
        placed = merges.add(x, time, broadcast=True, name="placed")
        return layers.Linear(x.dims[-1], activation="ReLU")(placed, name="out")

    @mg.block
    def widen(x: mg.Tensor, *, i: int) -> mg.Tensor:
        return layers.Linear(2 * i + 3)(x)

    x = mg.Input("x", ("T", 4))
    y = refine(repeat={"times": x.dims[0], "shared": True, "index": "i"})(x, name="y")
    z = refine(repeat={"times": 3, "index": "i", "collect": True})(y, name="z")
    last = widen(repeat={"times": 2, "index": "i"})(z, name="last")
    graph = mg.Graph({"every": z["steps"], "last": last})
    assert str(graph.outputs["every"]) == "(N, 3, T, 4)"
    assert str(graph.outputs["last"]) == "(N, T, 5)"
    assert mg.loads(graph.dumps()).source() == graph.source()
    model, by_hand = graph.compile(), Adaptive()
    by_hand.y.load_state_dict(model.y.state_dict())
    x = torch.rand(2, 3, 4)
    result = by_hand(x)
    for step in range(3):
        layer = Refine()
        layer.load_state_dict(model.z[step].state_dict())
        result = layer(result, step)
    torch.testing.assert_close(model(x=x)["every"][:, -1], result)


FAULTS = [
    ({"times": 3, "index": 4}, "index must be the name of an input or param of the block, not 4"),
    (
        {"times": 3, "collect": 4},
        "collect must be the name of an output of the block, or True for its only output, not 4",
    ),
    ({"times": 3, "index": "j"}, "no input or param called 'j'"),
    ({"times": 3, "index": "i", "collect": "j"}, "no output 'j'"),
    ({"times": 3, "inde": "i"}, "did you mean index?"),
]


@each("repeat, message", FAULTS)
def test_wrong_words_in_python(repeat: dict[str, Any], message: str) -> None:
    refine: Callable[..., Any] = loaded(CASES["adaptive"][0]).blocks["refine"]
    with pytest.raises(mg.SpecError, match=message):
        refine(repeat=repeat)(mg.Input("x", ("T", 4)))


OPTIONAL = """\
inputs: {x: [4], more: {shape: [T, 4], optional: true}}
nodes:
  y: {block: refine, from: more, repeat: {times: TIMES, shared: true, index: i, collect: out}}
  filled: {layer: Fill, from: mean, value: zeros}
  mean: {layer: Mean, from: y.steps, dim: [1, 2]}
  both: {merge: add, from: [x, filled]}
outputs: both
"""


def test_a_loop_over_a_missing_input_does_not_run() -> None:
    for times in ("$T", "3"):
        model = loaded(OPTIONAL.replace("TIMES", times)).compile()
        x, more = torch.rand(2, 4), torch.rand(2, 3, 4)
        assert torch.equal(model(x=x), x)
        reference = Adaptive()
        reference.y.load_state_dict(model.y.state_dict())
        steps, result = [], more
        for step in range(3):
            result = reference.y(result, step)
            steps.append(result)
        expected = x + torch.stack(steps, 1).mean((1, 2))
        torch.testing.assert_close(model(x=x, more=more), expected)


def test_a_size_of_an_optional_input_cannot_count_the_steps_of_others() -> None:
    text = """\
inputs: {x: [4], more: {shape: [T, 4], optional: true}}
nodes:
  y: {block: even, from: x, repeat: {times: $T, shared: true}}
  mean: {layer: Mean, from: more, dim: 1}
  both: {merge: add, from: [y, mean], missing: skip}
outputs: both
"""
    (fault,) = faults(text + BLOCKS)
    assert fault.message == "T cannot be read here: it is a size of more, which is optional"
    assert fault.span.excerpt().text == "$T"


def test_a_loop_inside_a_block_counts_a_size_of_its_inputs() -> None:
    text = """\
inputs: {x: [T, 4], z: [S, 4], w: [2, 4]}
nodes:
  a: {block: outer, from: x}
  b: {share: a, from: z}
  c: {block: outer, from: w}
outputs: [a, b, c]
"""
    outer = """\
  outer:
    inputs: {x: [L, D]}
    nodes:
      y: {block: refine, from: x, repeat: {times: $L, shared: true, index: i}}
    outputs: y
"""
    graph = mg.loads(text + BLOCKS + outer)
    model = graph.compile()
    inputs = {"x": torch.rand(2, 3, 4), "z": torch.rand(2, 5, 4), "w": torch.rand(2, 2, 4)}
    results = model(**inputs)
    for name, result in zip(inputs, results.values(), strict=True):
        by_hand = Adaptive()
        weights = (model.c if name == "w" else model.a).y.state_dict()
        by_hand.y.load_state_dict(weights)
        torch.testing.assert_close(result, by_hand(inputs[name]))


def test_a_loop_runs_over_an_axis_of_its_sources() -> None:
    text = """\
inputs: {x: [S, T, 4]}
nodes:
  y:
    block: refine
    from: x
    over: 1
    repeat: {times: $T, shared: true, index: i, collect: true}
  chain:
    from: x
    seq:
      - refine: {over: 1, repeat: {times: $T, shared: true, index: i, collect: true}, take: steps}
outputs: {y: y, steps: y.steps, chain: chain}
"""
    graph = loaded(text)
    assert [str(type_) for type_ in graph.outputs.values()] == [
        "(N, S, T, 4)",
        "(N, S, T, T, 4)",
        "(N, S, T, T, 4)",
    ]
    model, by_hand, x = graph.compile(), Adaptive(), torch.rand(2, 5, 3, 4)
    by_hand.y.load_state_dict(model.y.state_dict())
    model.chain[0].load_state_dict(model.y.state_dict())
    expected = torch.stack([by_hand(rows) for rows in x.unbind(1)], 1)
    results = model(x=x)
    torch.testing.assert_close(results["y"], expected)
    torch.testing.assert_close(results["steps"][:, :, -1], expected)
    torch.testing.assert_close(results["chain"], results["steps"])


def test_a_block_that_counts_takes_a_group() -> None:
    graph = mg.loads("""\
inputs: {x: [4], a: {vocab: 3}, b: {vocab: 5}}
blocks:
  sum:
    inputs: {x: [D], i: [], group: [D]}
    nodes:
      members: {merge: add, from: [x, group.*]}
      time: {layer: Embedding, from: i, num_embeddings: 9, embedding_dim: $D}
      sum: {merge: add, from: [members, time], broadcast: true}
    outputs: sum
nodes:
  e: {layer: Embedding, each: [a, b], embedding_dim: 4}
  y: {block: sum, from: {x: x, group: e.*}, repeat: {times: 2, index: i}}
outputs: y
""")
    model, x, index = graph.compile(), torch.rand(2, 4), torch.tensor([0, 2])
    group = model.e["a"](index) + model.e["b"](index)
    expected = x + 2 * group + model.y[0].time.weight[0] + model.y[1].time.weight[1]
    torch.testing.assert_close(model(x=x, a=index, b=index), expected)


def test_a_result_that_only_the_last_step_would_give_is_not_bound_in_the_loop() -> None:
    """TorchScript refuses a name that only the body of a loop defines."""
    graph = mg.loads(
        "inputs: {b: [4], u: [4]}\n"
        "blocks:\n"
        "  route:\n"
        "    inputs: [b, u]\n"
        "    nodes:\n"
        "      v: {layer: Linear, from: u, out_features: 4}\n"
        "      agreed: {merge: add, from: [b, v]}\n"
        "    outputs: {b: agreed, v: v}\n"
        "nodes:\n"
        "  routed: {block: route, from: [b, u], repeat: {times: 2, shared: true}}\n"
        "outputs: routed.b\n"
    )
    assert "x = self.routed(x, u)[0]" in graph.source()
    model = graph.compile()
    b, u = torch.randn(2, 3, 4)
    expected = b + 2 * model.routed.v(u)
    torch.testing.assert_close(model(b=b, u=u), expected)
    torch.testing.assert_close(torch.jit.script(model)(b=b, u=u), expected)
