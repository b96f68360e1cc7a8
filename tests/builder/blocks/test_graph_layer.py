"""Graphs as layers of other graphs, and the blocks of several specs used together."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.runtime.runner import seeded_inputs

TOWER = """\
name: ImageTower
doc: Sees.
params: {width: 8, wide: $(2 * width)}
inputs: {image: [3, H, W]}
blocks:
  residual:
    params: {kernel: 3}
    inputs: {x: [C, H, W]}
    nodes:
      conv: {layer: Conv2d, from: x, out_channels: $C, kernel_size: $kernel, padding: same}
      sum: {merge: add, from: [conv, x], activation: ReLU}
    outputs: sum
nodes:
  stem: {layer: Conv2d, from: image, out_channels: $width, kernel_size: 3}
  stage: {block: residual, from: stem, repeat: 2}
  vector: {layer: Mean, from: stage, dim: [2, 3]}
  score: {layer: Linear, from: vector, out_features: $wide}
outputs: score
"""

ENCODER = """\
name: Encoder
inputs: {words: {shape: [T], vocab: 100}, table: [5]}
blocks:
  residual: {seq: [{Linear: 5}, ReLU]}
nodes:
  vectors: {layer: Embedding, from: words, embedding_dim: 6}
  pooled: {layer: Mean, from: vectors, dim: 1}
  numbers: {block: residual, from: table}
outputs: {text: pooled, numbers: numbers}
"""


def image(name: str = "picture", size: int = 16) -> mg.Tensor:
    return mg.Input(name, (3, size, size))


def table() -> mg.Tensor:
    return mg.Input("table", (5,))


def built() -> mg.Graph:
    """Return a tower built in Python."""
    x = mg.Input("x", (3, 16, 16))
    return mg.Graph(layers.Linear(4)(layers.Flatten()(x), name="fc"), name="Small")


def round_trip(graph: mg.Graph) -> mg.Graph:
    """Return the graph after a check that its dump is the same graph and emits the same source."""
    again = mg.loads(graph.dumps())
    assert again == graph
    assert again.dumps() == graph.dumps()
    assert again.source() == graph.source()
    return graph


def run(graph: mg.Graph, model: Any) -> Any:
    torch.manual_seed(0)
    return model(**seeded_inputs(graph.typed, 2, 0, choose_sizes(graph.typed, {})))


# --- a graph as a layer ---------------------------------------------------------------------------


def test_a_graph_becomes_a_block_of_its_name() -> None:
    tower = mg.loads(TOWER)
    graph = round_trip(mg.Graph(layers.Linear(1)(tower(image(), name="tower"), name="head")))
    assert graph == mg.loads(
        "inputs: {picture: [3, 16, 16]}\n"
        "blocks:\n"
        "  residual:\n"
        "    params: {kernel: 3}\n"
        "    inputs: {x: [C, H, W]}\n"
        "    nodes:\n"
        "      conv: {layer: Conv2d, from: x, out_channels: $C, kernel_size: $kernel, padding: same}\n"
        "      sum: {merge: add, from: [conv, x], activation: ReLU}\n"
        "    outputs: sum\n"
        "  ImageTower:\n"
        "    doc: Sees.\n"
        "    params: {width: 8, wide: $(2 * width)}\n"
        "    inputs: {image: [3, H, W]}\n"
        "    nodes:\n"
        "      stem: {layer: Conv2d, from: image, out_channels: $width, kernel_size: 3}\n"
        "      stage: {block: residual, from: stem, repeat: 2}\n"
        "      vector: {layer: Mean, from: stage, dim: [2, 3]}\n"
        "      score: {layer: Linear, from: vector, out_features: $wide}\n"
        "    outputs: score\n"
        "nodes:\n"
        "  tower: {block: ImageTower, from: picture}\n"
        "  head: {layer: Linear, from: tower, out_features: 1}\n"
        "outputs: head\n"
    )
    assert "params: {width: 8, wide: $(2 * width)}" in graph.dumps()
    assert "class ImageTower(nn.Module):" in graph.source()


@pytest.mark.parametrize("is_loaded", [True, False])
def test_a_graph_as_a_layer_computes_what_its_own_module_does(is_loaded: bool) -> None:
    tower = mg.loads(TOWER) if is_loaded else built()
    x = image(next(iter(tower.inputs)))
    graph = round_trip(mg.Graph(tower(x, name="tower"), name="Whole"))
    alone, whole = tower.compile().eval(), graph.compile().eval()
    whole.load_state_dict({f"tower.{k}": v for k, v in alone.state_dict().items()})
    assert torch.equal(run(graph, whole), run(graph, alone))
    assert torch.equal(run(graph, copy.deepcopy(whole)), run(graph, whole))


def test_a_graph_called_twice_is_one_module() -> None:
    tower = mg.loads(TOWER)
    left, right = tower(image("a"), name="left"), tower(image=image("b"), name="right")
    graph = round_trip(mg.Graph(merges.cosine(left, right)))
    assert "right: {share: left, from: b}" in graph.dumps()


def test_a_graph_with_other_options_is_another_module() -> None:
    tower = mg.loads(TOWER)
    x = image()
    made = [
        tower(x, name="a"),
        tower(x, width=4, name="b"),
        tower(x, width=4, name="c"),
        tower(width=4)(x, name="d"),
        tower(x, freeze=True, name="e"),
    ]
    graph = round_trip(mg.Graph(made))
    assert [str(x.shape) for x in made] == ["(N, 16)", *["(N, 8)"] * 3, "(N, 16)"]
    shares = [line.split(":")[0].strip() for line in graph.dumps().splitlines() if "share" in line]
    assert shares == ["c"]
    frozen = [n for n, p in graph.compile().named_parameters() if not p.requires_grad]
    assert frozen
    assert all(name.startswith("e.") for name in frozen)


def test_several_outputs_are_ports_and_inputs_are_given_by_name() -> None:
    encoder = mg.loads(ENCODER)
    words, table = mg.Input("tokens", ("S",), vocab=100), mg.Input("table", (5,))
    both = encoder(table=table, words=words, name="both")
    text, numbers = both
    graph = round_trip(mg.Graph(merges.concat(text, numbers, both["text"])))
    assert str(next(iter(graph.outputs.values()))) == "(N, 17)"
    assert encoder(words, table)["numbers"].dims == (5,)


def test_constraints_of_the_graph_hold_for_the_outer_graph() -> None:
    tower = mg.loads(TOWER)
    graph = round_trip(mg.Graph(tower(mg.Input("x", (3, "A", 16)))))
    assert [str(c) for c in graph.constraints] == ["A >= 3"]


def test_blocks_of_two_graphs_with_one_name() -> None:
    tower, encoder = mg.loads(TOWER), mg.loads(ENCODER)
    seen = tower(image())
    read = encoder(mg.Input("words", (7,), vocab=100), mg.Input("table", (5,)))
    graph = round_trip(mg.Graph(merges.concat(seen, read["text"], read["numbers"])))
    assert list(graph.declared.blocks) == ["residual", "ImageTower", "residual_2", "Encoder"]


def test_equal_blocks_of_two_graphs_are_one() -> None:
    one, two = mg.loads(TOWER), mg.loads(TOWER.replace("ImageTower", "Other"))
    graph = round_trip(mg.Graph([one(image("a"), name="x"), two(image("b"), name="y")]))
    assert list(graph.declared.blocks) == ["residual", "ImageTower", "Other"]


def test_graphs_nest() -> None:
    middle = mg.Graph(layers.Linear(3)(mg.loads(TOWER)(image("x"))), name="Middle")
    graph = round_trip(mg.Graph(middle(image(), name="outer")))
    keys = graph.compile().state_dict()
    assert "outer.image_tower.stage.1.conv.weight" in keys


def test_a_graph_in_a_block_and_in_a_sequential() -> None:
    tower, small = mg.loads(TOWER), built()

    @mg.block
    def pair(x: mg.Tensor, *, width: int = 6) -> mg.Tensor:
        return merges.add(tower(x, width=width), tower(width=2 * width // 2)(x))

    x = image()
    a = mg.Sequential(tower, layers.ReLU())(x, name="a")
    b = mg.Sequential(layers.Conv2d(3, 3, padding=1), tower(width=4, freeze=True))(x, name="b")
    c = mg.Sequential(layers.Identity(), small, layers.Linear(2))(x, name="c")
    d = pair(x, width=5, name="d")
    graph = round_trip(mg.Graph([a, b, c, d, pair()(x, name="e")], name="Whole"))
    assert "- ImageTower" in graph.dumps()
    assert "ImageTower: {width: 4, freeze: true}" in graph.dumps()
    assert "from: x, width: $width" in graph.dumps()
    model = graph.compile()
    assert run(graph, model)["d"].shape == (2, 10)
    assert {n for n, p in model.named_parameters() if not p.requires_grad} >= {"b.1.stem.weight"}


def test_a_graph_applied_to_each_source() -> None:
    tower, x, y = mg.loads(TOWER), image("x"), image("y", 20)
    eyes = tower(width=4).each(x, y, name="eyes")
    kinds = mg.loads(RESNET).blocks["unit"]().each(x, y, with_={"width": [4, 5]}, name="kinds")
    graph = round_trip(mg.Graph({"a": merges.add(*eyes), "b": kinds["x"], "c": kinds["y"]}))
    assert {"eyes.x.stem.weight", "kinds.y.0.weight"} <= graph.compile().state_dict().keys()


def test_a_repeated_graph() -> None:
    x = mg.Input("x", (4,))
    step = mg.Graph(layers.Linear(4, activation="Tanh")(x, name="fc"), name="Step")
    graph = round_trip(mg.Graph(step(repeat=3)(x, name="steps")))
    assert list(graph.compile().state_dict())[-1] == "steps.2.fc.bias"


ODD = {
    "a size hides a param": "params: {T: 3, d: 4}\ninputs: {x: [T, $T, $d]}\nnodes:\n  y: {layer: Reshape, from: x, shape: [$T, 12]}\noutputs: y\n",
    "params called as keys of a node": "params: {repeat: 2, freeze: 3, block: 4}\ninputs: {x: [$block]}\nblocks: {fc: {seq: [{Linear: $block}]}}\nnodes:\n  y: {block: fc, from: x, repeat: $(repeat * freeze)}\noutputs: y\n",
    "a param without a value": "params: {nothing: null, n: 2}\ninputs: {x: [4]}\nnodes:\n  y: {layer: Unflatten, from: x, dim: 1, unflattened_size: [$n, 2]}\noutputs: y\n",
    "the name of a layer": "name: Transformer\ninputs: {x: [4]}\nnodes:\n  y: {layer: Linear, from: x, out_features: 4}\noutputs: y\n",
    "an input that is an output": "inputs: {x: [4], z: [4]}\nnodes:\n  y: {layer: ReLU, from: z}\noutputs: [x, y]\n",
    "texts and lists": "params: {mode: same, sizes: [3, 5]}\ninputs: {x: [3, 8, 8]}\nblocks: {c: {params: {k: 1}, seq: [{Conv2d: {out_channels: 3, kernel_size: $k, padding: $mode}}]}}\nnodes:\n  y: {block: c, from: x, repeat: {with: {k: $sizes}}}\noutputs: y\n",
    "a formula": "params: {g: -2, e: 0.5}\ninputs: {x: [4]}\nblocks: {f: {params: {e: 2}, inputs: [x], nodes: {y: {merge: formula, expr: $g * x ** $e, from: {x: x}}}, outputs: y}}\nnodes:\n  y: {block: f, from: x}\n  z: {merge: formula, expr: y - $e, from: {y: y}}\noutputs: z\n",
    "a chain of params": "params: {a: 2, b: $(a + 1)}\ninputs: {x: [$(a * b)]}\nblocks: {f: {params: {b: $(a * b), c: $b}, inputs: {x: [$(b // a * a)]}, nodes: {y: {layer: Linear, from: x, out_features: $(c - b + a)}}, outputs: y}}\nnodes:\n  y: {block: f, from: x}\noutputs: y\n",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_any_spec_means_the_same_as_a_layer(text: str) -> None:
    part = mg.loads(text)
    handles = [mg.Input(n, t.dims, t.dtype) for n, t in part.inputs.items()]
    used = part(*handles, name="part")
    outputs = {"o": used} if len(part.outputs) == 1 else {p: used[p] for p in part.outputs}
    graph = round_trip(mg.Graph(outputs, name="Whole"))
    alone, whole = part.compile().eval(), graph.compile().eval()
    whole.load_state_dict({f"part.{k}": v for k, v in alone.state_dict().items()})
    assert len(alone.state_dict()) == len(whole.state_dict())
    for one, other in zip(tensors(run(part, alone)), tensors(run(graph, whole)), strict=True):
        assert torch.equal(one, other)


def tensors(result: Any) -> list[torch.Tensor]:
    return list(result.values()) if isinstance(result, dict) else [result]


def test_given_params_reach_the_blocks_inside() -> None:
    part = mg.loads(ODD["params called as keys of a node"])
    x = mg.Input("x", (7,))
    graph = round_trip(mg.Graph(part(block=7)(x, name="y")))
    assert graph.compile().state_dict()["y.y.0.0.weight"].shape == (7, 7)


# --- faults, at the call --------------------------------------------------------------------------

NEEDS = """\
inputs: {x: [4]}
blocks: {fc: {params: {width: null}, seq: [{Linear: $width}]}}
nodes:
  y: {block: fc, from: x, width: 3}
outputs: y
"""


def test_a_graph_in_a_sequential_cannot_be_used_elsewhere() -> None:
    tower = mg.loads(TOWER)
    tower(image())
    with pytest.raises(mg.SpecError, match="used already"):
        mg.Sequential(tower)(image())


def test_a_graph_called_on_data_names_the_module() -> None:
    for data in (torch.zeros(1, 3, 16, 16), [torch.zeros(1)]):
        with pytest.raises(TypeError, match="compile"):
            mg.loads(TOWER)(image=data)


# --- blocks of specs ------------------------------------------------------------------------------

RESNET = """\
name: ResNet
params: {slope: 0.1, norm: true, scale: 3}
inputs: {image: [3, 32, 32]}
blocks:
  unit: {params: {width: $scale}, seq: [{Conv2d: {out_channels: $width, kernel_size: 3, padding: 1, bias: $norm}}, {LeakyReLU: $slope}]}
  residual:
    params: {stride: 1, depth: 1}
    inputs: {x: [C, H, W]}
    nodes:
      deep: {block: unit, from: x, width: $C, repeat: $depth}
      down: {layer: Conv2d, from: deep, out_channels: $C, kernel_size: 1, stride: $stride}
      scaled: {merge: formula, expr: $scale * y, from: {y: down}}
    outputs: scaled
  mix: {inputs: {a: [D], b: [E]}, nodes: {c: {merge: concat, from: [a, b]}}, outputs: c}
nodes:
  r: {block: residual, from: image}
outputs: r
"""


def test_blocks_of_specs_are_called_like_block_functions() -> None:
    resnet, tower = mg.loads(RESNET, params={"scale": 2}), mg.loads(TOWER)
    assert list(resnet.blocks) == ["unit", "residual", "mix"]
    x = resnet.blocks["residual"](stride=2, repeat=3)(image(), name="stage")
    x = tower.blocks["residual"](5)(x, name="other")
    x = resnet.blocks["residual"](x, depth=2, freeze=True, name="frozen")
    x = mg.Sequential(resnet.blocks["unit"](), layers.Flatten())(x, name="tail")
    y = resnet.blocks["mix"](b=x, a=mg.Input("table", (5,)), name="mixed")
    graph = round_trip(mg.Graph(y, name="Whole"))
    assert graph == mg.loads(
        RESNET[RESNET.index("blocks:") : RESNET.index("nodes:\n  r:")]
        .replace("$scale * y", "2 * y")
        .replace("$scale", "2")
        .replace("$norm", "true")
        .replace("$slope", "0.1")
        + TOWER[TOWER.index("  residual:") : TOWER.index("nodes:\n  stem")].replace(
            "residual", "residual_2"
        )
        + "name: Whole\n"
        "inputs: {picture: [3, 16, 16], table: [5]}\n"
        "nodes:\n"
        "  stage: {block: residual, from: picture, stride: 2, repeat: 3}\n"
        "  other: {block: residual_2, from: stage, kernel: 5}\n"
        "  frozen: {block: residual, from: other, depth: 2, freeze: true}\n"
        "  tail: {from: frozen, seq: [unit, Flatten]}\n"
        "  mixed: {block: mix, from: {a: table, b: tail}}\n"
        "outputs: mixed\n"
    )


def test_blocks_of_specs_inside_block_functions() -> None:
    tower = mg.loads(TOWER)

    @mg.block
    def twice(x: mg.Tensor, *, kernel: int = 3) -> mg.Tensor:
        return tower.blocks["residual"](tower.blocks["residual"](kernel)(x), kernel=kernel)

    graph = round_trip(mg.Graph(twice(repeat=3)(twice(5)(image()), name="stage")))
    assert list(graph.declared.blocks) == ["residual", "twice"]
    assert "kernel: $kernel" in graph.dumps()


def test_a_block_with_its_params_called_twice_is_shared() -> None:
    fc = mg.loads(NEEDS).blocks["fc"](5)
    graph = round_trip(mg.Graph(fc(fc(table()))))
    assert "share: fc" in graph.dumps()


def test_blocks_made_in_python_are_blocks_of_the_graph() -> None:
    @mg.block
    def scale(x: mg.Tensor, *, big: bool = False) -> mg.Tensor:
        return merges.formula(f"{10 if big else 2} * a", a=x)

    graph = round_trip(mg.Graph({"a": scale()(x := table()), "b": scale(big=True)(x)}))
    model = graph.compile()
    copied = run(graph, copy.deepcopy(model))
    assert all(torch.equal(made, copied[name]) for name, made in run(graph, model).items())
    again = round_trip(mg.Graph(graph.blocks["scale_2"](big=True)(table())))
    assert torch.equal(run(again, again.compile()), run(graph, model)["b"])
