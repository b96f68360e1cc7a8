"""`lora` gives inner layers the adapters of peft: the tensors that we compute are those that peft makes."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph import layers
from mimgraph.infer.requirements import check_packages
from mimgraph.ops.custom.probe import tensors
from tests.helpers.cases import each
from tests.helpers.marked import faults, split

peft = pytest.importorskip("peft")


class Attention(nn.Module):
    """Stands for a pretrained network, with layers of all kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(5, 8)
        self.query = nn.Linear(8, 8)
        self.value = nn.Linear(8, 8, bias=False)
        self.norm = nn.LayerNorm(8)
        self.conv1 = nn.Conv1d(8, 8, 3, padding=1)
        self.grouped = nn.Conv1d(8, 8, 3, padding=1, groups=2)
        self.mlp = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
        self.encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        found = self.value(self.query(x)).unsqueeze(-1)
        found = self.norm(self.grouped(self.conv1(found)).squeeze(-1))
        return self.encoder(self.mlp(found + self.embed.weight.sum(0)).unsqueeze(1)).squeeze(1)


class Images(nn.Module):
    """Has convolutions over two and three axes."""

    def __init__(self) -> None:
        super().__init__()
        self.flat = nn.Conv2d(3, 4, 3, padding=1)
        self.deep = nn.Conv3d(4, 4, 3, padding=1, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        return self.deep(self.flat(image).unsqueeze(2)).mean((2, 3, 4))


@pytest.fixture(autouse=True)
def our_layers(registered_layers: None) -> None:
    mg.register(Attention)
    mg.register(Images)


SPEC = """\
params: {{small: 2, rate: 0.1x}}
inputs: {{x: [8], image: [3, 8, 8]}}
blocks:
  unit: {{params: {{width: 8}}, seq: [{{Linear: $width}}, ReLU]}}
  tower:
    params: {{r: 2}}
    inputs: [x]
    nodes:
      half: {{layer: Linear, from: x, out_features: 8}}
      query: {{block: unit, from: half, repeat: 2}}
      mixed: {{from: query, seq: [unit, {{unit: {{width: 8}}}}]}}
      last: {{layer: Attention, from: mixed}}
    outputs: last
nodes:
  i: {{layer: Images, from: image}}
  y: {node}
  z: {{merge: concat, from: [i, y]}}
outputs: z
"""
# a node, and the paths of the layers that peft adapts
CASES = {
    "{layer: Attention, from: x, lora: {rank: 2, on: [query, value]}}": ["query", "value"],
    "{layer: Attention, from: x, lora: {rank: 3, on: [embed, conv1, mlp.2]}}": ["embed", "conv1", "mlp.2"],
    "{layer: Attention, from: x, lora: {rank: $small, on: query, alpha: 16, dropout: 0.1}}": ["query"],
    '{layer: Attention, from: x, lr: $rate, lora: {rank: 2, "on": ["0", "2"]}}': ["mlp.0", "mlp.2"],
    "{block: tower, from: x, lora: {rank: 2, on: [half, last.query]}}": ["half", "last.query"],
    '{block: tower, from: x, lora: {rank: 2, on: ["0.0"]}}': ["query.0.0", "mixed.0.0"],
    '{block: unit, from: x, repeat: 3, lora: {rank: 2, on: ["1.0"]}}': ["1.0"],
    "{from: x, seq: [{Linear: 8}, unit, {Attention: {lora: {rank: 2, on: [value]}}}]}": ["2.value"],
    '{from: x, seq: [{Linear: 8}, {Linear: 8}], lora: {rank: 2, on: ["1"]}}': ["1"],
    "{layer: Attention, each: {u: x, v: x}, lora: {rank: 2, on: [u.query]}}": ["u.query"],
    "{block: tower, from: x, freeze: false, lora: {rank: 2, on: [mixed.0.0]}}": ["mixed.0.0"],
}  # fmt: skip


def loaded(node: str) -> mg.Graph:
    text = SPEC.format(node=node)
    return mg.loads(text.replace("from: [i, y]", "from: [i, y.*]") if "each" in node else text)


@each("node", [*CASES])
def test_the_tensors_are_those_of_peft(node: str) -> None:
    graph = loaded(node)
    model = graph.compile()
    adapted = {
        key.removeprefix("y.").replace("half_", "half")
        for key, one in model.named_modules()
        if isinstance(one, peft.tuners.lora.LoraLayer)
    }
    assert adapted == set(CASES[node])
    groups = graph.parameter_groups(model)  # which compares every key and shape with ours
    learning = {id(one) for one in model.parameters() if one.requires_grad}
    assert {id(one) for group in groups for one in group["params"]} == learning
    inside = {key for key, one in model.y.named_parameters() if one.requires_grad}
    if "seq: [{Linear: 8}, unit" not in node:
        assert inside and all("lora_" in key for key in inside)
    totals = graph.summary().totals()
    assert totals["params"] == sum(one.numel() for one in model.parameters())
    assert totals["params"] - totals["frozen"] == sum(
        one.numel() for one in model.parameters() if one.requires_grad
    )
    assert mg.loads(graph.dumps()) == graph


def test_it_learns_and_nothing_else_does() -> None:
    torch.manual_seed(0)
    node = "{layer: Attention, from: x, lr: 100x, lora: {rank: 2, on: [query, value]}}"
    graph = loaded(node)
    model = graph.compile()
    plain = loaded("{layer: Attention, from: x}").compile()
    names = {key.replace("base_layer.", ""): one for key, one in model.state_dict().items()}
    plain.load_state_dict({key: names[key] for key in plain.state_dict()})
    given = {"x": torch.randn(4, 8), "image": torch.randn(4, 3, 8, 8)}
    model.eval(), plain.eval()
    assert torch.allclose(model(**given), plain(**given), atol=1e-6)  # an adapter begins with zeros
    before = {key: one.clone() for key, one in model.state_dict().items()}
    optimizer = torch.optim.SGD(graph.parameter_groups(model), lr=0.01)
    for _ in range(3):  # B begins with zeros, so that A learns from the second step on
        model.train()
        (model(**given) * torch.arange(12)).mean().backward()
        optimizer.step()
    changed = {key for key, one in model.state_dict().items() if not torch.equal(one, before[key])}
    assert {key for key in changed if key.startswith("y")} == {
        f"y.{layer}.lora_{one}.default.weight" for layer in ("query", "value") for one in "AB"
    }
    copy.deepcopy(model)(**given)


def test_weights_come_back_and_those_without_adapters_fit(tmp_path: Path) -> None:
    graph = loaded("{block: tower, from: x, lora: {rank: 2, on: [half, last.query]}}")
    model, other = graph.compile(), graph.compile()
    graph.save(model, tmp_path / "adapted.safetensors")
    assert not graph.load_weights(other, tmp_path / "adapted.safetensors").missing
    assert all(map(torch.equal, model.state_dict().values(), other.state_dict().values()))

    before = loaded("{block: tower, from: x}")
    plain = before.compile()
    before.save(plain, tmp_path / "plain.safetensors")
    fresh = graph.compile()
    found = graph.load_weights(fresh, tmp_path / "plain.safetensors")
    assert found.missing and all(".lora_" in key for key in found.missing)
    given = {"x": torch.randn(4, 8), "image": torch.randn(4, 3, 8, 8)}
    assert torch.allclose(fresh.eval()(**given)[:, 4:], plain.eval()(**given)[:, 4:], atol=1e-6)


@each(
    "words, message, help",
    [
        ("lora: ⟦wrong-type⟧8", "lora must be a mapping of rank, on, alpha and dropout", "write lora: {rank: 8"),
        ("lora: ⟦missing-option⟧{rank: 8}", "lora needs on", "write lora: {rank: 8"),
        ("lora: ⟦missing-option⟧{on: [query]}", "lora needs rank", "write lora: {rank: 8"),
        ("lora: {⟦unknown-option⟧rnak: 8, rank: 8, on: query}", "lora has no option 'rnak'", "did you mean rank?"),
        ("lora: {rank: ⟦bad-option⟧0, on: query}", "rank of lora must be a whole number of at least 1, not 0", ""),
        ("lora: {rank: ⟦bad-option⟧true, on: query}", "rank of lora must be a whole number of at least 1, not true", ""),
        ("lora: {rank: $⟦unknown-param⟧x, on: query}", "no param or dimension is called 'x'", ""),
        ("lora: {rank: 8, on: ⟦bad-option⟧[]}", "on of lora must be names of inner layers: [query, value], not []", ""),
        ("lora: {rank: 8, on: ⟦bad-option⟧3}", "on of lora must be names of inner layers: [query, value], not 3", ""),
        ("lora: {rank: 8, on: query, alpha: ⟦bad-option⟧0}", "alpha of lora must be a number above 0, not 0", ""),
        ("lora: {rank: 8, on: query, dropout: ⟦bad-option⟧1}", "dropout of lora must be a number of at least 0 and less than 1, not 1", ""),
        ("lora: {rank: 8, on: [value, ⟦bad-option⟧queri]}", "y has no inner layer 'queri'", "did you mean query?"),
        ("lora: {rank: 8, on: ⟦bad-option⟧key}", "y has no inner layer 'key'", "layers that can have adapters: embed, query, value, conv1, mlp.0, mlp.2"),
        ("lora: {rank: 8, on: [⟦bad-option⟧norm]}", "y.norm cannot have adapters", "layers that can have adapters: embed"),
        ("lora: {rank: 8, on: [⟦bad-option⟧mlp]}", "y.mlp cannot have adapters", "did you mean mlp.0?"),
        ("lora: {rank: 8, on: [⟦bad-option⟧grouped]}", "y.grouped cannot have adapters", "layers that can have adapters: embed"),
        ("lora: {rank: 8, on: [⟦bad-option⟧linear1]}", "y.encoder.linear1 cannot have adapters", "layers that can have adapters: embed"),
        ("lora: {rank: 8, on: [⟦bad-option⟧out_proj]}", "y.encoder.self_attn.out_proj cannot have adapters", "layers that can have adapters: embed"),
        ("freeze: true, lora: ⟦bad-option⟧{rank: 8, on: query}", "y is frozen, so lora does nothing", "remove freeze"),
        ("freeze: ⟦bad-option⟧until query, lora: {rank: 8, on: query}", "lora freezes all of y but the adapters", "remove freeze"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_stands(words: str, message: str, help: str) -> None:
    node = f"{{layer: Attention, from: x, {words}}}"
    text, (expected,) = split(SPEC.format(node=node))
    (found,) = [one for one in faults(text, "peft") if "unused" not in one.code]
    assert f"{found.code} {found.span.line}:{found.span.column}" == expected
    assert found.message == message
    assert found.help.startswith(help)


@each(
    "node, message",
    [
        ("{layer: Linear, from: x, out_features: 2, lora: {rank: 8, on: [weight]}}", "y has no inner layer 'weight'"),
        ("{layer: ReLU, from: x, lora: {rank: 8, on: [a]}}", "y has no inner layer 'a'"),
        ("{from: x, seq: [{Attention: {lora: {rank: 1, on: query}}}], lora: {rank: 8, on: [value]}}", "y has lora inside, and cannot have it around that"),
        ("{layer: TransformerEncoderLayer, from: x, nhead: 2, lora: {rank: 8, on: [linear1]}}", None),
    ],
)  # fmt: skip
def test_nodes_that_cannot_have_it(node: str, message: str | None) -> None:
    found = [one for one in faults(SPEC.format(node=node), "peft") if "unused" not in one.code]
    assert found
    if message is not None:
        assert [one.message for one in found] == [message]


def test_without_peft_the_line_says_what_to_install() -> None:
    graph = loaded("{layer: Attention, from: x, lora: {rank: 2, on: [query]}}")
    with pytest.raises(mg.SpecError) as caught:
        check_packages(graph.typed, lambda package: package != "peft")
    (found,) = caught.value.diagnostics
    assert found.code == "missing-package" and found.help == "pip install 'mimgraph[peft]'"
    assert found.span.excerpt().text == "lora"


def test_in_python_and_changed() -> None:
    x = mg.Input("x", (8,))
    y = layers.Attention(lora={"rank": 2, "on": ["query"]})(x, name="y")
    graph = mg.Model({"x": x}, {"y": y})
    assert graph.nodes["y"].options["lora"] == {"rank": 2, "on": ("query",)}
    more = graph.with_options("y", lora={"rank": 4, "on": "value"})
    assert "lora" in str(mg.diff(graph, more)) and graph != more
    assert "lora" not in graph.with_options("y", lora=None).nodes["y"].options
    assert mg.loads(graph.dumps()) == graph


def kinds_of_peft(module: nn.Module) -> Iterator[str]:
    """Yield the paths of the layers that peft adapts, asked one by one."""
    for path, _ in module.named_modules():
        with suppress(ValueError):
            config = peft.LoraConfig(r=2, target_modules=rf"^{path}$".replace(".", r"\."))
            peft.inject_adapter_in_model(config, copy.deepcopy(module))
            yield path


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("cls", [Attention, Images])
def test_every_layer_that_we_adapt_peft_adapts(cls: type[nn.Module]) -> None:
    module = cls()
    ours = tensors(module, {}).layers
    assert ours is not None and {*ours} <= {*kinds_of_peft(module)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("node", "source"),
    [
        ("{layer: torchvision.resnet18, from: image, num_classes: 4, lora: {rank: 4, on: [fc, conv1]}}", "image: [3, 32, 32]"),
        ("{layer: transformers.AutoModel, from: ids, config: {model_type: bert, hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 32, vocab_size: 50}, take: pooler_output, lora: {rank: 2, on: [query, attention.self.value, word_embeddings]}}", "ids: {shape: [T], dtype: int64, vocab: 50}"),
    ],
    ids=["torchvision", "transformers"],
)  # fmt: skip
def test_encoders(node: str, source: str) -> None:
    graph = mg.loads(f"inputs: {{{source}}}\nnodes: {{y: {node}}}\noutputs: y")
    model = graph.compile()
    (group,) = graph.parameter_groups(model)
    assert {id(one) for one in group["params"]} == {
        id(one) for key, one in model.named_parameters() if "lora_" in key
    }
    assert graph.summary().totals()["params"] == sum(one.numel() for one in model.parameters())
