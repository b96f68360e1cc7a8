"""Weights of modules written by hand, or of torchvision, give the same outputs in their graphs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torchvision import models

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.runtime.runner import seeded_inputs
from tests.conftest import ROOT
from tests.helpers.cases import texts
from tests.helpers.handwritten import MODELS

SPECS = {name: text for name, (text,) in texts(Path(__file__).with_name("load.md")).items()}


def randomised(module: nn.Module) -> nn.Module:
    """Give every tensor its own values, so that a wrong mapping shows; variances and scales are near 1."""
    torch.manual_seed(7)
    for key, tensor in module.state_dict().items():
        if not tensor.is_floating_point():
            tensor.random_(1000)
        elif tensor.dim() == 1 and key.endswith(("weight", "var")):
            tensor.uniform_(0.9, 1.1)
        else:
            tensor.normal_(std=0.05 if tensor.dim() < 2 else (1.5 / tensor[0].numel()) ** 0.5)
    return module


def assert_same_outputs(graph: mg.Graph, model: nn.Module, other: nn.Module) -> None:
    inputs = seeded_inputs(graph.typed, 2, 1, choose_sizes(graph.typed, {}))
    with torch.no_grad():
        ours, theirs = model.eval()(**inputs), other.eval()(*inputs.values())
    assert theirs.std() > 0
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_models_by_hand(name: str) -> None:
    graph = mg.load(ROOT / "specs" / f"{name}.yaml")
    model, by_hand = graph.compile(), randomised(MODELS[name]())
    transfer = graph.load_state(model, by_hand)
    assert transfer.mapping == {key: key for key in by_hand.state_dict()}
    assert_same_outputs(graph, model, by_hand)


# --- torchvision ----------------------------------------------------------------------------------


def conv_bn(width: int, kernel: int = 3, stride: int = 1) -> tuple[Any, ...]:
    conv = layers.Conv2d(width, kernel, stride=stride, padding=kernel // 2, bias=False)
    return conv, layers.BatchNorm2d()


def residual(x: mg.Tensor, width: int, stride: int, expansion: int) -> mg.Tensor:
    """The shortcut runs first, but torchvision's runs last."""
    out, relu = width * expansion, layers.ReLU()
    short = x if (stride, x.dims[0]) == (1, out) else mg.Sequential(*conv_bn(out, 1, stride))(x)
    parts = (*conv_bn(width, stride=stride), relu, *conv_bn(width))
    if expansion > 1:
        inner = conv_bn(width, stride=stride)
        parts = (*conv_bn(width, 1), relu, *inner, relu, *conv_bn(out, 1))
    return merges.add(short, mg.Sequential(*parts)(x), activation="ReLU")


def resnet(*depths: int, expansion: int) -> mg.Graph:
    pool = layers.MaxPool2d(3, stride=2, padding=1)
    stem = mg.Sequential(*conv_bn(64, 7, stride=2), layers.ReLU(), pool)
    x = stem(mg.Input("image", (3, 64, 64)))
    for stage, depth in enumerate(depths):
        for i in range(depth):
            stride = 2 if stage and not i else 1
            x = residual(x, 64 << stage, stride, expansion)
    head = mg.Sequential(layers.AdaptiveAvgPool2d(1), layers.Flatten(), layers.Linear(1000))
    return mg.Graph(head(x))


def vit(size: int, depth: int, heads: int, width: int) -> mg.Graph:
    patches = layers.Conv2d(width, 16, stride=16)(mg.Input("image", (3, size, size)))
    patches = mg.Sequential(layers.Flatten(2), layers.Transpose(1, 2))(patches)
    first = mg.Parameter("first", (1, width), init="zeros", batched=True)
    count = (size // 16) ** 2 + 1
    places = mg.Parameter(
        "places", (count, width), init={"normal": {"std": 0.02}}
    )  # theirs: (1, ...)
    x = merges.add(merges.concat(first, patches), places, broadcast=True)
    for _ in range(depth):
        attended = layers.MultiheadAttention(heads)(layers.LayerNorm(eps=1e-6)(x))
        x = merges.add(x, attended)
        mlp = (layers.Linear(4 * width), layers.GELU(), layers.Linear(width))
        x = merges.add(x, mg.Sequential(layers.LayerNorm(eps=1e-6), *mlp)(x))
    x = layers.Select(1, 0)(layers.LayerNorm(eps=1e-6)(x))
    return mg.Graph(layers.Linear(1000)(x))


class Case(NamedTuple):
    graph: Callable[[], mg.Graph]
    reference: Callable[[], nn.Module]


TORCHVISION = {
    "resnet18": Case(lambda: resnet(2, 2, 2, 2, expansion=1), models.resnet18),
    "resnet50": Case(lambda: resnet(3, 4, 6, 3, expansion=4), models.resnet50),
    "vit": Case(lambda: vit(64, 3, 4, 64), lambda: models.VisionTransformer(64, 16, 3, 4, 64, 256)),
    "vit_b_16": Case(lambda: vit(224, 12, 12, 768), models.vit_b_16),
}
LARGE = {"resnet50": [pytest.mark.slow], "vit_b_16": [pytest.mark.slow]}


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=name, marks=LARGE.get(name, ())) for name, c in TORCHVISION.items()]
)
def test_models_of_torchvision(case: Case) -> None:
    graph = case.graph()
    model, reference = graph.compile(), randomised(case.reference())
    transfer = graph.load_state(model, reference)
    assert len(transfer.mapping) == len(reference.state_dict())
    assert_same_outputs(graph, model, reference)
    for ours, theirs in transfer.mapping.items():  # the counter of a norm goes where its norm does
        if ours.endswith("num_batches_tracked"):
            mean = transfer.mapping[ours.replace("num_batches_tracked", "running_mean")]
            assert theirs == mean.replace("running_mean", "num_batches_tracked")


# --- written otherwise ----------------------------------------------------------------------------


class TwoTowers(nn.Module):
    """The towers are alike; the other model defines and runs the second one first."""

    def __init__(self) -> None:
        super().__init__()
        self.item = nn.Linear(6, 6)
        self.user = nn.Linear(6, 6)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        items = self.item(second)
        return (self.user(first) * items).sum(1)


class SwappedTwoTowers(TwoTowers):
    """The same, with the graph's inputs in another order."""

    def forward(self, item: Tensor, user: Tensor) -> Tensor:
        return super().forward(user, item)


@pytest.mark.parametrize("made", [TwoTowers, SwappedTwoTowers])
def test_towers_are_distinguished_by_their_inputs(made: type[nn.Module]) -> None:
    graph = mg.loads(SPECS["two towers"])
    mapping = graph.load_state(graph.compile(), made()).mapping
    assert mapping["user_vec.weight"] == "user.weight"
    assert mapping["item_vec.bias"] == "item.bias"


def test_the_steps_inside_a_layer_of_torch_are_seen() -> None:
    """In eval mode torch runs it as one op, whose arguments are in another order."""
    graph = mg.loads(SPECS["an encoder"])
    layer = nn.TransformerEncoderLayer(8, 2, 8, batch_first=True, norm_first=True)
    model, reference = graph.compile(), randomised(layer)
    graph.load_state(model, reference)
    assert_same_outputs(graph, model, reference)
    assert torch.backends.mha.get_fastpath_enabled()


class Pointwise(nn.Module):
    """Convolutions of one pixel, and a norm with other names for its tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(6, 5, 1)
        self.gamma = nn.Parameter(torch.ones(1, 5))
        self.beta = nn.Parameter(torch.zeros(1, 5))
        self.head = nn.Conv2d(5, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x[:, :, None, None]).flatten(1)
        x = nn.functional.layer_norm(x, (5,)) * self.gamma + self.beta
        return self.head(x[:, :, None, None]).flatten(1)


def test_tensors_match_despite_axes_of_size_1_and_other_names() -> None:
    graph = mg.loads(
        "inputs: {x: [6]}\n"
        "nodes: {y: {from: x, seq: [{Linear: 5}, LayerNorm, {Linear: 5}]}}\noutputs: y\n"
    )
    model, reference = graph.compile(), randomised(Pointwise())
    transfer = graph.load_state(model, reference)
    assert transfer.mapping["y.1.weight"] == "gamma"
    assert_same_outputs(graph, model, reference)


# --- what does not fit ----------------------------------------------------------------------------

LINEAR = "inputs: {x: [4]}\nnodes: {a: {from: x, seq: [{Linear: 4}, {Linear: 3}]}}\noutputs: a\n"


def copied(module: nn.Module) -> dict[str, Tensor]:
    return {key: tensor.clone() for key, tensor in module.state_dict().items()}


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (
            nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)),
            r"no weights for: a\.1\.weight \(3, 4\), a\.1\.bias \(3,\); unused weights: 1\.weight \(2, 4\), 1",
        ),
        (
            nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 3, bias=False)),
            r"no weights for: a\.1\.bias",
        ),
        (
            nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 3, bias=False)),
            r"no weights for: a\.0\.weight .*\n- the other model has no weight of the shape of a\.0\.weight: do",
        ),
        (
            nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 3), nn.LayerNorm(3)),
            r"fit: unused weights: 2\.weight \(3,\), 2\.bias \(3,\)\n- without the unused weights no output"
            + r" of the graph equals one of the other model\n- strict=False .* names them and the others$",
        ),
    ],
    ids=["another size", "no bias", "all sizes", "one more layer"],
)
def test_weights_that_do_not_fit_are_named_and_nothing_is_copied(
    other: nn.Module, says: str
) -> None:
    graph = mg.loads(LINEAR)
    model = graph.compile()
    before = copied(model)
    with pytest.raises(ValueError, match=says):
        graph.load_state(model, other)
    assert all(torch.equal(before[key], tensor) for key, tensor in model.state_dict().items())


def test_weights_of_an_older_spec_name_what_carries_them() -> None:
    graph = mg.loads(LINEAR)
    older = {**graph.compile().state_dict(), "b.weight": torch.zeros(2)}
    with pytest.raises(
        ValueError, match=r"mg\.carry\(old, new, weights\), or mimgraph diff OLD NEW"
    ):
        graph.load_state(graph.compile(), older)


class Shifted(nn.Module):
    """Its inputs have another order and other names."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Linear(4, 4)

    def forward(self, shift: Tensor, value: Tensor) -> Tensor:
        return self.scale(value) - shift


def test_a_warning_of_different_outputs_says_how_inputs_were_given() -> None:
    graph = mg.loads("""
inputs: {x: [4], y: [4]}
nodes: {a: {layer: Linear, from: x, out_features: 4}, b: {merge: subtract, from: [a, y]}}
outputs: b""")
    says = r"outputs differ .*: b by .*\n.*by position \(x as shift, y as value\): give their names"
    with pytest.warns(UserWarning, match=says):
        graph.load_state(graph.compile(), Shifted())
    names = {"x": "value", "y": "shift"}
    assert graph.load_state(graph.compile(), Shifted(), inputs=names).equal == ("b",)


def test_a_small_constant_that_differs_is_not_taken_for_rounding() -> None:
    graph = mg.loads(
        "inputs: {x: [8]}\nnodes: {a: {from: x, seq: [{Linear: 8}, {LayerNorm: {eps: 1.0e-4}}]}}\noutputs: a"
    )
    torch.manual_seed(0)
    with pytest.warns(
        UserWarning, match=r"outputs differ from outputs of the other model: a by 0\.0\d%"
    ):
        graph.load_state(graph.compile(), nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8)))


def test_strict_false_copies_the_weights_that_fit() -> None:
    graph, other = mg.loads(LINEAR), nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    model = graph.compile()
    transfer = graph.load_state(model, other, strict=False)
    assert transfer.mapping == {"a.0.weight": "0.weight", "a.0.bias": "0.bias"}
    assert (transfer.missing, transfer.unused) == (
        ("a.1.weight", "a.1.bias"),
        ("1.weight", "1.bias"),
    )
    assert torch.equal(model.state_dict()["a.0.weight"], other[0].weight)


def test_a_weight_is_not_taken_transposed() -> None:
    graph = mg.loads(LINEAR)
    state = {"w": torch.ones(4, 4), "b": torch.ones(4), "v": torch.ones(4, 3), "c": torch.ones(3)}
    with pytest.raises(
        ValueError, match=r"no weights for: a\.1\.weight \(3, 4\); unused weights: v"
    ):
        graph.load_state(graph.compile(), state)


def test_a_state_dict_is_matched_in_its_order() -> None:
    graph = mg.load(ROOT / "specs" / "text_numerical.yaml")
    model, by_hand = graph.compile(), randomised(MODELS["text_numerical"]())
    state = {f"module.{key}": tensor for key, tensor in by_hand.state_dict().items()}
    assert list(graph.load_state(model, state).mapping.values()) == list(state)
    assert_same_outputs(graph, model, by_hand)


class PlacedByIndices(nn.Module):
    """It keeps the indices into its table as a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(5, 3))
        self.register_buffer("places", torch.arange(4) % 2)
        self.mixed = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.mixed(x) + self.table[self.places]


@pytest.mark.parametrize("is_live", [True, False])
def test_indices_that_a_graph_computes_are_no_weights(is_live: bool) -> None:
    graph, other = mg.loads(SPECS["placed by indices"]), PlacedByIndices()
    model = graph.compile()
    transfer = graph.load_state(model, other if is_live else other.state_dict())
    assert transfer.mapping["table.weight"] == "table"
    assert transfer.unused == ()
    assert_same_outputs(graph, model, other)


class NormsLast(nn.Module):
    """Its layers are defined in another order than they run in."""

    def __init__(self) -> None:
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3)
        self.n1, self.n2 = nn.BatchNorm2d(3), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        return self.n2(self.c2(self.n1(self.c1(x)).relu()))


@pytest.mark.parametrize("given", [NormsLast(), NormsLast().state_dict()], ids=["live", "state"])
def test_the_tensors_of_a_module_stay_together(given: nn.Module | dict[str, Tensor]) -> None:
    conv = "{Conv2d: {out_channels: 3, kernel_size: 3}}"
    layers = f"[{conv}, BatchNorm2d, ReLU, {conv}, BatchNorm2d]"
    graph = mg.loads(
        f"inputs: {{x: [3, 8, 8]}}\nnodes: {{t: {{from: x, seq: {layers}}}}}\noutputs: t\n"
    )
    transfer = graph.load_state(graph.compile(), given)
    sources = {key.rpartition(".")[0]: set[str]() for key in transfer.mapping}
    for key, other in transfer.mapping.items():
        sources[key.rpartition(".")[0]].add(other.rpartition(".")[0])
        assert key.rpartition(".")[2] == other.rpartition(".")[2]
    assert sources == {"t.0": {"c1"}, "t.1": {"n1"}, "t.3": {"c2"}, "t.4": {"n2"}}


class Turned(nn.Module):
    """Turns queries by keys: it uses queries whole and in halves, and keys have the shape of a half."""

    def __init__(self) -> None:
        super().__init__()
        self.k, self.q = nn.Linear(6, 4, bias=False), nn.Linear(6, 8, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        q, k = self.q(x), self.k(x)
        left, right = q.chunk(2, -1)
        return q * torch.cat((k, k), -1) + torch.cat((-right, left), -1)


def test_a_weight_whose_halves_are_used_may_be_whole_in_both_models() -> None:
    graph = mg.loads(SPECS["halves"])
    model, by_hand = graph.compile(), randomised(Turned())
    assert graph.load_state(model, by_hand).mapping == {
        "k.weight": "k.weight",
        "q.weight": "q.weight",
    }
    assert_same_outputs(graph, model, by_hand)


class Broken(TwoTowers):
    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        raise RuntimeError("out of order")


def test_a_module_that_does_not_run_is_matched_in_order_of_definition() -> None:
    graph = mg.loads(SPECS["two towers"])
    with pytest.warns(UserWarning, match="Broken does not run .* definition: out of order") as told:
        mapping = graph.load_state(graph.compile(), Broken()).mapping
    assert told[0].filename == __file__
    assert mapping["user_vec.weight"] == "item.weight"  # it is defined first


class Packed(nn.Module):
    """Packs its steps as torch does by default, which takes the longest sequence first."""

    def __init__(self, width: int = 6) -> None:
        super().__init__()
        self.out, self.rnn = nn.Linear(width, 3), nn.LSTM(8, width, batch_first=True)
        self.emb = nn.Embedding(20, 8)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(self.emb(tokens), lengths, batch_first=True)
        steps, _ = self.rnn(packed)
        size = tokens.shape[1]
        return self.out(pad_packed_sequence(steps, batch_first=True, total_length=size)[0])


def test_sequences_with_lengths() -> None:
    graph = mg.loads(SPECS["sequences with lengths"])
    assert graph.load_state(graph.compile(), Packed()).equal == ("out",)


class OfOneBatch(Packed):
    def forward(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        return super().forward(*batch)


def test_an_error_says_why_the_other_model_could_not_be_run() -> None:
    graph = mg.loads(SPECS["sequences with lengths"])
    says = (
        r"(?s)OfOneBatch does not run on the inputs of Model, .*: OfOneBatch.forward\(\) takes 2"
        r" positional .*give their names with inputs=.* and named sizes with sizes="
    )
    with pytest.raises(ValueError, match=says):
        graph.load_state(graph.compile(), OfOneBatch(7))


class Relative(nn.Module):
    """Attention with relative positions: two biases of one shape meet the query."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.r = (nn.Linear(4, 4, bias=False) for _ in range(3))
        self.u, self.v = nn.Parameter(torch.randn(4)), nn.Parameter(torch.randn(4))
        self.out = nn.Linear(4, 4)

    def forward(self, x: Tensor, pos: Tensor) -> Tensor:
        q, keys, places = self.q(x), self.k(x), self.r(pos)
        scores = (q + self.u) @ keys.mT
        shifted = ((q + self.v) @ places.mT).roll(1, 2)
        return self.out((scores + shifted).softmax(-1) @ x)


def test_tensors_of_one_shape_and_use_in_another_order_are_refused() -> None:
    """The graph calls `u` what the other model calls `v`."""
    graph, other = mg.loads(SPECS["relative attention"]), Relative()
    model = graph.compile()
    before = copied(model)
    says = (
        r"(?s)outputs differ from .*: out by .*\n- their order is a guess, .*: u \(4,\), v \(4,\)\n"
        r'- .* keys=\{\*\*transfer.mapping, "u": \.\.\., "v": \.\.\.\}\n- strict=False copies'
    )
    with pytest.raises(ValueError, match=says):
        graph.load_state(model, other)
    assert all(torch.equal(before[key], tensor) for key, tensor in model.state_dict().items())
    with pytest.warns(UserWarning, match="outputs differ"):
        transfer = graph.load_state(model, other, strict=False)
    graph.load_state(model, other, keys={**transfer.mapping, "u": "v", "v": "u"})
    x, pos = torch.rand(2, 5, 4), torch.rand(2, 5, 4)
    torch.testing.assert_close(model(x=x, pos=pos), other(x, pos))


def test_watching_a_forward_changes_nothing() -> None:
    """The modes of the parts, the running statistics and torch's seed stay."""
    graph = mg.loads(LINEAR.replace("{Linear: 4},", "{Linear: 4}, BatchNorm1d, {Dropout: 0.5},"))
    other = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 3))
    model = graph.compile()
    other[1].eval()
    before, seed = copied(other), torch.get_rng_state()
    graph.load_state(model, other)
    assert torch.equal(seed, torch.get_rng_state())
    assert all(torch.equal(before[key], tensor) for key, tensor in other.state_dict().items())
    assert [part.training for part in other] == [True, False, True, True]
    assert model.training
    assert all(parameter.grad_fn is None for parameter in model.parameters())


class CrossAttention(nn.Module):
    """Attention to keys of another size than the queries, with a layer for each projection."""

    def __init__(self, bias: bool) -> None:
        super().__init__()
        self.query, self.out = nn.Linear(8, 8, bias), nn.Linear(8, 8, bias)
        self.key, self.value = nn.Linear(6, 8, bias), nn.Linear(6, 8, bias)

    def forward(self, text: Tensor, image: Tensor) -> Tensor:
        query, key, value = (
            x.unflatten(-1, (2, 4)).transpose(1, 2)
            for x in (self.query(text), self.key(image), self.value(image))
        )
        weights = (query @ key.mT / 2).softmax(-1)
        return self.out((weights @ value).transpose(1, 2).flatten(2))


@pytest.mark.parametrize("bias", [True, False])
def test_the_separate_projections_of_a_cross_attention(bias: bool) -> None:
    graph = mg.loads(f"""
inputs: {{text: [5, 8], image: [4, 6]}}
nodes:
  seen: {{layer: MultiheadAttention, from: {{query: text, key: image}}, num_heads: 2, bias: {str(bias).lower()}}}
outputs: seen
""")
    other = randomised(CrossAttention(bias))
    model = graph.compile().eval()
    transfer = graph.load_state(model, other)
    assert transfer.equal == ("seen",)
    assert transfer.mapping["seen.k_proj_weight"] == "key.weight"
