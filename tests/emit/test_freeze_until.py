"""`freeze: until` freezes a module up to and including a child: no gradients, and evaluation mode there."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import mimgraph as mg
from tests.helpers.cases import each

SPEC = """\
inputs: {{image: [3, 8, 8]}}
blocks:
  conv: {{params: {{width: 3}}, seq: [{{Conv2d: {{out_channels: $width, kernel_size: 1}}}}, BatchNorm2d, ReLU]}}
  tower:
    params: {{still: true}}
    inputs: [image]
    nodes:
      half: {{block: conv, from: image}}
      norm: {{layer: BatchNorm2d, from: half}}
      deep: {{from: norm, seq: [conv, ReLU, {{conv: {{freeze: $still}}}}]}}
      last: {{block: conv, from: deep}}
    outputs: last
nodes:
  a: {node}
outputs: {out}
"""
# a node, and the modules that are frozen with all inside; a tensor is one by its key
CASES = {
    "{layer: Conv2d, from: image, out_channels: 2, kernel_size: 1, freeze: until weight}": {"a.weight"},
    "{layer: Conv2d, from: image, out_channels: 2, kernel_size: 1, freeze: until bias}": {"a.weight", "a.bias"},
    "{from: image, seq: [conv, conv, conv], freeze: until 1}": {"a.0", "a.1"},
    "{from: image, seq: [conv, ReLU, conv], freeze: until 1}": {"a.0"},
    "{from: image, seq: [conv, conv, conv], freeze: until 1.0}": {"a.0", "a.1.0"},
    "{from: image, seq: [conv, {tower: {freeze: until norm, still: false}}]}": {"a.1.half", "a.1.norm"},
    "{block: conv, from: image, freeze: until 1}": {"a.0", "a.1"},
    "{block: tower, from: image, still: false, freeze: until half}": {"a.half"},
    "{block: tower, from: image, freeze: until norm}": {"a.half", "a.norm", "a.deep.2"},
    "{block: tower, from: image, still: false, freeze: until deep.0.1}": {"a.half", "a.norm", "a.deep.0.0", "a.deep.0.1"},
    "{block: tower, from: image, still: false, freeze: until last}": {"a.half", "a.norm", "a.deep", "a.last"},
    "{block: conv, from: image, repeat: 3, freeze: until 1}": {"a.0", "a.1"},
    "{block: conv, from: image, repeat: 3, freeze: until 1.0}": {"a.0", "a.1.0"},
    "{block: conv, from: image, repeat: {times: 3, shared: true}, freeze: until 0}": {"a.0"},
    "{block: conv, each: {u: image, v: image}, freeze: until u}": {"a.u"},
    "{layer: Encoder, from: image, freeze: until stem}": {"a.token", "a.stem"},
    "{layer: Encoder, from: image, freeze: until layers.1}": {"a.token", "a.stem", "a.layers.0", "a.layers.1"},
    "{from: image, seq: [{Encoder: {freeze: until layers.0.0}}]}": {"a.0.token", "a.0.stem", "a.0.layers.0.0"},
}  # fmt: skip


class Encoder(nn.Module):
    """Stands for a pretrained network."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(3, 1, 1))
        self.stem = nn.Conv2d(3, 3, 1)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)) for _ in range(3)
        )

    def forward(self, image: Tensor) -> Tensor:
        found = self.stem(image) + self.token
        for layer in self.layers:
            found = layer(found)
        return found


def loaded(node: str) -> mg.Graph:
    mg.register(Encoder)
    return mg.loads(SPEC.format(node=node, out="a.u, v: a.v" if "each" in node else "a").replace("outputs: a.u, v: a.v", "outputs: {u: a.u, v: a.v}"))  # fmt: skip


def _name(key: str) -> str:
    """Return the name of a module in the spec: torch has a method `half`."""
    return key.replace("half_", "half")


@each("node", [*CASES])
def test_what_is_frozen(node: str) -> None:
    graph = loaded(node)
    model = graph.compile()
    named = [(_name(key), one) for key, one in model.named_parameters()]
    frozen = {key for key, one in named if not one.requires_grad}
    parts = tuple(f"{part}." for part in CASES[node])
    assert frozen == {key for key, _ in named if f"{key}.".startswith(parts)} and frozen
    model.eval()
    model.train()
    still = {_name(key) for key, one in model.named_modules() if not one.training}
    modules = {_name(key) for key, _ in model.named_modules()}
    inside = {key for key in modules if f"{key}.".startswith(parts)}
    assert still == inside
    counted = sum(one.numel() for one in model.parameters() if not one.requires_grad)
    assert graph.summary().totals()["frozen"] == counted
    grouped = {id(p) for group in graph.parameter_groups(model) for p in group["params"]}
    assert grouped == {id(one) for one in model.parameters() if one.requires_grad}


def test_a_frozen_norm_keeps_its_statistics_and_others_do_not() -> None:
    model = loaded("{layer: Encoder, from: image, freeze: until layers.1}").compile()
    before = {key: one.clone() for key, one in model.state_dict().items()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(image=torch.randn(4, 3, 8, 8)).square().sum().backward()
    optimizer.step()
    changed = {key for key, one in model.state_dict().items() if not torch.equal(one, before[key])}
    assert all(key.startswith("a.layers.2") for key in changed)
    assert {"a.layers.2.1.running_mean", "a.layers.2.0.weight"} <= changed


def test_the_file_reads_as_one_would_write_it() -> None:
    source = loaded("{layer: Encoder, from: image, freeze: until layers.0}").source()
    assert (
        """\
        self.a = Encoder()
        for part in (self.a.token, self.a.stem, self.a.get_submodule("layers.0")):
            part.requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        for part in (self.a.stem, self.a.get_submodule("layers.0")):
            part.eval()
        return self
"""
        in source
    )


def test_uses_of_one_block_are_frozen_differently() -> None:
    text = """\
inputs: {image: [3, 8, 8]}
blocks:
  inner: {seq: [{Conv2d: {out_channels: 3, kernel_size: 1}}, BatchNorm2d]}
  outer: {params: {still: false}, inputs: [x], nodes: {a: {block: inner, from: x, freeze: $still}, b: {from: a, seq: [inner, inner], freeze: until 0}}, outputs: b}
nodes:
  one: {block: outer, from: image}
  two: {block: outer, from: one, still: true}
  three: {block: inner, from: two}
outputs: three
"""
    model = mg.loads(text).compile()
    frozen = {
        key.rpartition(".")[0] for key, one in model.named_parameters() if not one.requires_grad
    }
    assert frozen == {
        "one.b.0.0", "one.b.0.1", "two.a.0", "two.a.1", "two.b.0.0", "two.b.0.1",
    }  # fmt: skip


def test_the_stages_of_a_pipeline_freeze_what_they_have() -> None:
    graph = mg.loads("""\
inputs: {x: [4]}
blocks: {layer: {seq: [{Linear: 4}, {BatchNorm1d: {}}]}}
nodes: {deep: {block: layer, from: x, repeat: 4, freeze: until 2}}
outputs: deep
""")
    stages = graph.split(["deep.1"])
    frozen = {
        key
        for stage in stages
        for key, one in stage.compile().named_parameters()
        if not one.requires_grad
    }
    whole = {key for key, one in graph.compile().named_parameters() if not one.requires_grad}
    assert frozen == whole and len(whole) == 12
    assert [stage.compile().deep is not None for stage in stages] == [True, True]
