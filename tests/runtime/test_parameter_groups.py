"""`graph.parameter_groups` gives each parameter the settings of the innermost node, for any optimizer of torch."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import mimgraph as mg
from mimgraph import layers
from tests.helpers.cases import each

SPEC = """\
params: {rate: 0.1x}
inputs: {x: [8]}
blocks:
  pair:
    params: {fast: 0.5x}
    inputs: [x]
    nodes:
      a: {layer: Linear, from: x, out_features: 8, lr: $fast}
      b: {layer: Linear, from: a, out_features: 8}
    outputs: b
nodes:
  still: {layer: Linear, from: x, out_features: 8, freeze: true}
  tuned: {block: pair, from: still, lr: $rate, weight_decay: 0}
  again: {block: pair, from: tuned, fast: 1e-4}
  chain: {from: again, lr: 0.2x, seq: [{Linear: 8}, {LayerNorm: {weight_decay: 0}}, {Linear: {out_features: 8, lr: 0.1x}}]}
  twins: {layer: Linear, each: {u: chain, v: chain}, out_features: 8, weight_decay: 0.5}
  shared: {share: still, from: twins.u}
  out: {merge: add, from: [shared, twins.v]}
outputs: out
"""
EXPECTED = {
    "lr=0.5x, weight_decay=0": {"tuned.a.weight", "tuned.a.bias"},
    "lr=0.1x, weight_decay=0": {"tuned.b.weight", "tuned.b.bias"},
    "lr=0.0001": {"again.a.weight", "again.a.bias"},
    "default": {"again.b.weight", "again.b.bias"},
    "lr=0.2x": {"chain.0.weight", "chain.0.bias"},
    "lr=0.2x, weight_decay=0": {"chain.1.weight", "chain.1.bias"},
    "lr=0.1x": {"chain.2.weight", "chain.2.bias"},
    "weight_decay=0.5": {f"twins.{one}" for one in ("u.weight", "u.bias", "v.weight", "v.bias")},
}
BASE = {"lr": 0.01, "weight_decay": 0.25}


def named(model: nn.Module, groups: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Return the keys of the parameters of each group, by its name."""
    keys = {id(parameter): key for key, parameter in model.named_parameters()}
    return {group["name"]: {keys[id(one)] for one in group["params"]} for group in groups}


def rates(optimizer: torch.optim.Optimizer) -> dict[str, tuple[float, float]]:
    return {
        group["name"]: (pytest.approx(group["lr"]), group["weight_decay"])
        for group in optimizer.param_groups
    }


@pytest.fixture(scope="module")
def graph() -> mg.Graph:
    return mg.loads(SPEC)


@each(
    "optimizer",
    [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop, torch.optim.Adagrad]
    + [torch.optim.NAdam, torch.optim.RAdam, torch.optim.Adamax, torch.optim.Adadelta]
    + [torch.optim.ASGD, torch.optim.Adafactor],
)
def test_every_optimizer_of_torch_takes_them(
    graph: mg.Graph, optimizer: Callable[..., torch.optim.Optimizer]
) -> None:
    model = graph.compile()
    before = {key: one.clone() for key, one in model.state_dict().items()}
    made = optimizer(graph.parameter_groups(model), **BASE)
    assert rates(made) == {
        "lr=0.5x, weight_decay=0": (0.005, 0),
        "lr=0.1x, weight_decay=0": (0.001, 0),
        "lr=0.0001": (0.0001, 0.25),
        "default": (0.01, 0.25),
        "lr=0.2x": (0.002, 0.25),
        "lr=0.2x, weight_decay=0": (0.002, 0),
        "lr=0.1x": (0.001, 0.25),
        "weight_decay=0.5": (0.01, 0.5),
    }
    model(x=torch.randn(4, 8)).sum().backward()
    made.step()
    same = {key for key, one in model.state_dict().items() if torch.equal(one, before[key])}
    assert same == {"still.weight", "still.bias"}


def test_an_optimizer_for_one_group_says_so(graph: mg.Graph) -> None:
    with pytest.raises(ValueError, match="parameter groups"):
        torch.optim.LBFGS(graph.parameter_groups(graph.compile()))


@each("copied", [copy.deepcopy, copy.copy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_of_a_group_keeps_the_multiple(
    graph: mg.Graph, copied: Callable[[Any], Any]
) -> None:
    groups = copied(graph.parameter_groups(graph.compile()))
    made = torch.optim.AdamW(groups, **BASE)
    assert rates(made)["lr=0.1x"] == (0.001, 0.25)
    again = copied(made)
    assert rates(again) == rates(made)


def test_schedulers_scale_every_rate(graph: mg.Graph) -> None:
    made = torch.optim.SGD(graph.parameter_groups(graph.compile()), lr=1.0)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(made, gamma=0.5)
    made.step()
    scheduler.step()
    found = {group["name"]: group["lr"] for group in made.param_groups}
    assert found["default"] == 0.5
    assert found["lr=0.1x"] == pytest.approx(0.05)
    assert found["lr=0.0001"] == pytest.approx(0.00005)


def test_a_state_dict_of_the_optimizer_comes_back(graph: mg.Graph) -> None:
    model = graph.compile()
    made = torch.optim.AdamW(graph.parameter_groups(model), **BASE)
    model(x=torch.randn(4, 8)).sum().backward()
    made.step()
    file = io.BytesIO()
    torch.save(made.state_dict(), file)
    file.seek(0)
    other = torch.optim.AdamW(graph.parameter_groups(model), lr=1.0)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert rates(other) == rates(made)
    assert other.state_dict()["state"].keys() == made.state_dict()["state"].keys()


class Wrapper(nn.Module):
    """Holds a module as DistributedDataParallel does."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: model,
        pytest.param(torch.compile, marks=pytest.mark.slow),
        Wrapper,
        pytest.param(lambda model: torch.compile(Wrapper(model)), marks=pytest.mark.slow),
        nn.DataParallel,
        nn.Module.double,
        lambda model: model.to(torch.bfloat16),
        lambda model: model.to("meta"),
    ],
    ids=["plain", "compiled", "DDP", "both", "DataParallel", "double", "bfloat16", "meta"],
)
def test_a_wrapped_or_moved_model(graph: mg.Graph, wrap: Callable[[nn.Module], nn.Module]) -> None:
    model = graph.compile()
    wrapped = wrap(model)
    assert named(model, graph.parameter_groups(wrapped)) == EXPECTED


@pytest.mark.slow
def test_a_compiled_part_of_the_model(graph: mg.Graph) -> None:
    model = graph.compile()
    model.chain = torch.compile(model.chain)
    groups = graph.parameter_groups(model)
    assert sum(len(group["params"]) for group in groups) == 18


def test_a_node_may_be_called_as_a_wrapper_holds_its_model() -> None:
    graph = mg.loads(
        "inputs: {x: [4]}\nnodes: {module: {layer: Linear, from: x, out_features: 2, lr: 2x}}\noutputs: module"
    )
    model = graph.compile()
    assert named(model, graph.parameter_groups(Wrapper(model))) == {
        "lr=2x": {"module.weight", "module.bias"}
    }


def test_what_a_program_froze_or_thawed_counts(graph: mg.Graph) -> None:
    model = graph.compile()
    model.still.requires_grad_()
    model.chain.requires_grad_(False)
    found = named(model, graph.parameter_groups(model))
    assert found["default"] == {"still.weight", "still.bias", "again.b.weight", "again.b.bias"}
    assert not {key for keys in found.values() for key in keys if key.startswith("chain")}


OTHERS = {
    "it has no parameter a.bias": "a: {layer: Linear, from: x, out_features: 8, bias: false}",
    "it has no parameter a.weight": "b: {layer: Linear, from: x, out_features: 8}",
    "which has no parameter c.weight": "a: {layer: Linear, from: c, out_features: 8}\n  c: {layer: Linear, from: x, out_features: 4}",
    r"a.weight is \(6, 4\), and the graph needs \(8, 4\)": "a: {layer: Linear, from: x, out_features: 6}",
}


@each("message", [*OTHERS])
def test_a_model_of_another_graph(message: str) -> None:
    spec = "inputs: {x: [4]}\nnodes:\n  {nodes}\noutputs: {out}"
    node = "a: {layer: Linear, from: x, out_features: 8}"
    graph, other = (
        mg.loads(spec.replace("{nodes}", nodes).replace("{out}", nodes[0]))
        for nodes in (node, OTHERS[message])
    )
    with pytest.raises(ValueError, match=f"the model is not of this graph.*{message}"):
        graph.parameter_groups(other.compile())


def test_a_module_is_needed(graph: mg.Graph) -> None:
    with pytest.raises(TypeError, match="the model is a module"):
        graph.parameter_groups(graph)  # type: ignore[arg-type]


def test_names_that_a_module_keeps_elsewhere() -> None:
    x = mg.Input("x", (4,))
    y = layers.Linear(4, lr="3x")(x, name="half")  # torch has a method of this name
    graph = mg.Model({"x": x}, {"y": y})
    model = graph.compile()
    ((group),) = graph.parameter_groups(model)
    assert {id(one) for one in group["params"]} == {id(one) for one in model.parameters()}
    assert torch.optim.SGD([group], lr=0.5).param_groups[0]["lr"] == 1.5


class Scaled(nn.Module):
    """Has an option of the name of a word."""

    def __init__(self, lr: int) -> None:
        super().__init__()
        self.inner = nn.Linear(4, lr)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return self.inner(input)


OPTIONS = """\
inputs: {x: [4]}
blocks:
  block: {params: {lr: 2, weight_decay: 3}, seq: [{Linear: $lr}, {Linear: $weight_decay}]}
params: {which: block}
nodes:
  a: {layer: Scaled, from: x, lr: 4, weight_decay: 0}
  b: {block: block, from: a, lr: 6}
  c: {block: $which, from: b, lr: 7, weight_decay: 8}
  d: {from: c, seq: [{Linear: 4}, {Scaled: {lr: 4}}, {block: {lr: 10}}], lr: 0.1x}
outputs: d
"""


@pytest.mark.usefixtures("registered_layers")
def test_an_option_of_that_name_stays_an_option() -> None:
    mg.register(Scaled)
    graph = mg.loads(OPTIONS)
    assert [str(node.shape) for node in graph.nodes.values()] == [
        "(N, 4)", "(N, 3)", "(N, 8)", "(N, 3)",
    ]  # fmt: skip
    model = graph.compile()
    found = named(model, graph.parameter_groups(model))
    sizes = {name: len(keys) for name, keys in found.items()}
    assert sizes == {"weight_decay=0": 2, "default": 8, "lr=0.1x": 8}
    assert mg.loads(graph.dumps()) == graph

    x = mg.Input("x", (4,))
    y = layers.Scaled(lr=3, weight_decay=0.5)(x, name="y")
    built = mg.Model({"x": x}, {"y": y})
    assert str(built.nodes["y"].shape) == "(N, 3)"
    assert built.nodes["y"].options["weight_decay"] == 0.5
