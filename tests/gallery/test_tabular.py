"""Models of tables and recommenders equal the formulas of their papers in plain torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, pairwise
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.runtime.runner import seeded_inputs
from tests.gallery import SMALL, count, gallery, on_meta, randomise
from tests.gallery.agreement import hold

Weights = dict[str, Tensor]

# Criteo's columns, in the order of the spec, none above 10,000
CRITEO = (
    *(1460, 583, 10000, 10000, 305, 24, 10000, 633, 3, 10000, 5683, 10000, 3194),
    *(27, 10000, 10000, 10, 5652, 2173, 4, 10000, 18, 15, 10000, 105, 10000),
)
ADULT = (9, 16, 7, 15, 6, 5, 2, 42)


def linear(*widths: int) -> int:
    """Return the number of weights of Linears in a row."""
    return sum((a + 1) * b for a, b in pairwise(widths))


def encoder(width: int, hidden: int) -> int:
    """Return the number of weights of a transformer layer: four projections, two norms, two Linears."""
    return 4 * linear(width, width) + 4 * width + linear(width, hidden, width)


def gated(width: int, size: int) -> int:
    """Return the number of weights of a gated linear unit with its norm."""
    return linear(width, 2 * size) + 2 * size


def grn(given: int, width: int, size: int) -> int:
    """Return the number of weights of a gated residual network."""
    return linear(given, width, width) + gated(width, size)


def selection(columns: int, given: int, width: int) -> int:
    """Return the number of weights of a variable selection network."""
    own = columns * grn(width, width, width)
    return own + linear(columns * width, columns) + grn(given, width, columns)


RETAIL = sum((4100, 54, 22, 16, 5, 17, 33, 337, 2)) + sum((3, 7, 90, 5, 28))
CENSUS = sum((9, 17, 24, 15, 5, 2, 8))
COUNTS = {
    "wide_and_deep": 100_000
    + 32 * (250 + 1000 + 10_000 + 10_000)
    + linear(4 * 32 + 4, 1024, 512, 256, 1),
    "deepfm": 11 * sum(CRITEO) + 13 * 10 + linear(13, 1) + linear(39 * 10, 400, 400, 400, 1),
    "dcn_v2": 16 * sum(CRITEO)
    + 2 * linear(429, 429)
    + linear(429, 768, 768)
    + linear(429 + 768, 1),
    "dlrm": 16 * sum(CRITEO)
    + linear(13, 512, 256, 64, 16)
    + linear(16 + 27 * 26 // 2, 512, 256, 1),
    "din": 64 * (63_001 + 801) + linear(512, 80, 40, 1) + linear(256, 80, 40, 1) + 80 + 40,
    "mmoe": 4 * CENSUS + 8 * linear(35, 16) + 2 * linear(35, 8) + 2 * linear(16, 8, 1),
    "two_tower_retrieval": 64 * (20_000 + 5_000 + 250)
    + linear(4 * 64 + 8, 256, 128, 64)
    + linear(2 * 64, 256, 128, 64),
    "tab_transformer": 28 * sum(ADULT)
    + 8 * 4
    + 6 * encoder(32, 128)
    + 2 * 6
    + linear(262, 4 * 262, 2 * 262, 1),
    "ft_transformer": 192 * (1 + 6 + 14 + sum(ADULT))
    + 3 * (4 * linear(192, 192) + linear(192, 512) + linear(256, 192))
    + (2 * 3 - 1 + 1) * 2 * 192  # norms: none before the first attention, one before the head
    + linear(192, 1),
    "tft": 240 * RETAIL
    + 6 * linear(1, 240)
    + selection(9, 9 * 240, 240)
    + selection(11, 12 * 240, 240)
    + selection(8, 9 * 240, 240)
    + 5 * grn(240, 240, 240)
    + grn(2 * 240, 240, 240)
    + 2 * 4 * (2 * linear(240, 240))  # LSTMs
    + 3 * gated(240, 240)
    + 2 * linear(240, 240)
    + linear(240, 60, 240)
    + linear(240, 3),
    "neumf": (8 + 32) * (6040 + 3706) + linear(64, 32, 16, 8) + linear(16, 1),
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_model_has_as_many_weights_as_the_paper_says(name: str) -> None:
    assert count(on_meta(gallery(name))) == COUNTS[name]


# the formulas, on the weights of a model by their names


def mlp(w: Weights, name: str, x: Tensor, act: Callable[[Tensor], Tensor] = F.relu) -> Tensor:
    """Return the result of the Linears of a chain, with the activation between them."""
    prefix = f"{name}."
    positions = sorted(
        {int(key.removeprefix(prefix).split(".")[0]) for key in w if key.startswith(prefix)}
    )
    for position in positions:
        x = F.linear(x, w[f"{prefix}{position}.weight"], w[f"{prefix}{position}.bias"])
        x = x if position == positions[-1] else act(x)
    return x


def embedded(w: Weights, inputs: Weights, name: str = "emb") -> list[Tensor]:
    """Look up the columns that have a table of that name."""
    return [w[f"{name}.{c}.weight"][x] for c, x in inputs.items() if f"{name}.{c}.weight" in w]


def wide_and_deep(w: Weights, x: Weights) -> Tensor:
    one_hot = F.one_hot(x["pair"], len(w["wide.weight"])).float()
    deep = mlp(w, "deep", torch.cat([*embedded(w, x), x["numbers"]], 1))
    return (one_hot @ w["wide.weight"] + deep).sigmoid()


def deepfm(w: Weights, x: Weights) -> Tensor:
    fields = [*(x["I"][:, [i]] * w["table"][i] for i in range(13)), *embedded(w, x)]
    pairs = sum((a * b).sum(1, keepdim=True) for a, b in combinations(fields, 2))
    order1 = sum(embedded(w, x, "weight")) + F.linear(x["I"], w["dense.weight"], w["dense.bias"])
    deep = torch.cat(fields, 1)
    for i in range(3):
        deep = F.linear(deep, w[f"deep.1.{i}.0.weight"], w[f"deep.1.{i}.0.bias"]).relu()
    deep = F.linear(deep, w["deep.2.weight"], w["deep.2.bias"])
    return (order1 + pairs + deep).sigmoid()


def dcn_v2(w: Weights, x: Weights) -> Tensor:
    x0 = crossed = torch.cat([*embedded(w, x), x["I"]], 1)
    for i in range(2):
        weight, bias = w[f"crossed.{i}.weight.weight"], w[f"crossed.{i}.weight.bias"]
        crossed = x0 * (crossed @ weight.T + bias) + crossed
    both = torch.cat([crossed, mlp(w, "deep", x0).relu()], 1)
    return mlp(w, "click", both).sigmoid()


def dlrm(w: Weights, x: Weights) -> Tensor:
    dense = mlp(w, "dense", x["I"]).relu()
    vectors = [dense, *embedded(w, x)]
    dots = [(vectors[i] * vectors[j]).sum(1) for i in range(27) for j in range(i)]
    return mlp(w, "click", torch.cat([dense, torch.stack(dots, 1)], 1)).sigmoid()


def din(w: Weights, x: Weights) -> Tensor:
    """Compute sample by sample, on the purchases of each user without padding."""
    tables = w["emb.item.weight"], w["emb.category.weight"]
    rows = []
    for n, length in enumerate(x["length"].tolist()):
        target = torch.cat([tables[0][x["item"][n]], tables[1][x["category"][n]]])
        interest = torch.zeros_like(target)
        for t in range(length):
            past = torch.cat([tables[0][x["items"][n, t]], tables[1][x["categories"][n, t]]])
            pair = torch.cat([target, past, target - past, target * past])
            interest = interest + mlp(w, "weight", pair, torch.sigmoid) * past
        rows.append(torch.cat([interest, target]))
    features = torch.stack(rows)
    for position in (0, 2):
        s = F.linear(features, w[f"click.{position}.weight"], w[f"click.{position}.bias"])
        norm = f"click.{position + 1}.gate"
        mean, var = w[f"{norm}.running_mean"], w[f"{norm}.running_var"]
        p = ((s - mean) / (var + 1e-9).sqrt()).sigmoid()
        features = p * s + (1 - p) * w[f"click.{position + 1}.alpha"] * s
    return F.linear(features, w["click.4.weight"], w["click.4.bias"]).sigmoid()


def mmoe(w: Weights, x: Weights) -> dict[str, Tensor]:
    features = torch.cat([*embedded(w, x), x["numbers"]], 1)
    experts = [
        F.linear(features, w[f"shared.experts.{i}.weight"], w[f"shared.experts.{i}.bias"])
        for i in range(8)
    ]
    found = {}
    for task in ("rich", "single"):
        gate = F.linear(features, w[f"shared.gate_{task}.weight"], w[f"shared.gate_{task}.bias"])
        mixed = sum(g[:, None] * e for g, e in zip(gate.softmax(1).T, experts, strict=True))
        found[task] = mlp(w, f"tower.{task}", F.relu(mixed)).sigmoid()
    return found


def two_tower_retrieval(w: Weights, x: Weights) -> dict[str, Tensor]:
    item, channel, country = (w[f"emb.{name}.weight"] for name in ("item", "channel", "country"))
    watched = zip(x["watched"], x["length"], strict=True)
    history = torch.stack([item[row[:length]].mean(0) for row, length in watched])
    query = [
        item[x["seed"]],
        channel[x["seed_channel"]],
        history,
        country[x["country"]],
        x["context"],
    ]
    user = F.normalize(mlp(w, "tower.user", torch.cat(query, 1)))
    candidate = torch.cat([item[x["item"]], channel[x["channel"]]], 1)
    found = F.normalize(mlp(w, "tower.item", candidate))
    return {"scores": user @ found.T / 0.05, "user": user, "item": found}


def tab_transformer(w: Weights, x: Weights) -> Tensor:
    words = torch.stack(
        [
            torch.cat([w["columns"][0, i].expand(len(v), -1), v], 1)
            for i, v in enumerate(embedded(w, x))
        ],
        1,
    )
    layer = nn.TransformerEncoderLayer(32, 8, 128, batch_first=True)
    read = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False).eval()
    read.load_state_dict(
        {k.removeprefix("read."): v for k, v in w.items() if k.startswith("read.")}
    )
    numbers = F.layer_norm(x["numbers"], (6,), w["normed.weight"], w["normed.bias"])
    return mlp(w, "rich", torch.cat([read(words).flatten(1), numbers], 1))


def neumf(w: Weights, x: Weights) -> Tensor:
    user, item = embedded(w, x, "vec")
    deep = mlp(w, "mlp", torch.cat(embedded(w, x), 1)).relu()
    return mlp(w, "likes", torch.cat([user * item, deep], 1)).sigmoid()


class TFT:
    """Lim et al. 2019, with their numbers of equations."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights

    def linear(self, name: str, x: Tensor) -> Tensor:
        return F.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def gated(self, name: str, skip: Tensor, x: Tensor) -> Tensor:
        """Equation 5, beside a skip."""
        value, gate = self.linear(f"{name}.gate.1", x).chunk(2, -1)
        norm = self.weights[f"{name}.out.weight"], self.weights[f"{name}.out.bias"]
        return F.layer_norm(skip + gate.sigmoid() * value, skip.shape[-1:], *norm)

    def grn(
        self, name: str, a: Tensor, context: Tensor | None = None, skip: Tensor | None = None
    ) -> Tensor:
        """Equations 2 to 4; the context is added at every step."""
        weight, width = self.weights[f"{name}.hidden.0.weight"], a.shape[-1]
        hidden = F.linear(a, weight[:, :width], self.weights[f"{name}.hidden.0.bias"])
        if context is not None:
            hidden = hidden + F.linear(context, weight[:, width:])[:, None]
        hidden = self.linear(f"{name}.hidden.2", F.elu(hidden))
        return self.gated(f"{name}.out", a if skip is None else skip, hidden)

    def select(
        self, name: str, columns: Weights, context: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Equations 6 to 8."""
        flat = torch.cat(list(columns.values()), -1)
        skip = self.linear(f"{name}.skip.1", flat)
        weights = self.grn(f"{name}.scores", flat, context, skip).softmax(-1)
        own = [self.grn(f"{name}.own.{c}.out", column) for c, column in columns.items()]
        return sum(v[..., None] * x for v, x in zip(weights.unbind(-1), own, strict=True)), weights

    def lstm(
        self, name: str, steps: Tensor, h: Tensor, c: Tensor
    ) -> tuple[list[Tensor], Tensor, Tensor]:
        """Return the state after each step, and the last state and cell."""
        states = []
        w = {k.removeprefix(f"{name}."): v for k, v in self.weights.items()}
        for x in steps.unbind(1):
            gates = F.linear(x, w["weight_ih_l0"], w["bias_ih_l0"])
            gates = gates + F.linear(h, w["weight_hh_l0"], w["bias_hh_l0"])
            i, f, g, o = gates.chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            states.append(h)
        return states, h, c

    def attention(self, x: Tensor, heads: int) -> Tensor:
        """Equations 13 to 16: heads share their values, and the mean of their weights counts."""
        hidden = torch.ones(x.shape[1], x.shape[1]).triu(1).bool()
        total = torch.zeros(len(x), *hidden.shape)
        queries, keys = self.linear("of.query.0", x), self.linear("of.key.0", x)
        for q, k in zip(queries.chunk(heads, -1), keys.chunk(heads, -1), strict=True):
            scores = q @ k.mT / q.shape[-1] ** 0.5
            total += scores.masked_fill(hidden, -torch.inf).softmax(-1)
        return self.linear("attended.1", total / heads @ self.linear("value.0", x))


def tft(w: Weights, x: Weights) -> dict[str, Tensor]:
    model, days = TFT(w), x["sales"].shape[1]
    static = {c: w[f"static.{c}.weight"][v] for c, v in x.items() if f"static.{c}.weight" in w}
    series, static_weights = model.select("series", static)
    c_s, c_h, c_c, c_e = (
        model.grn(f"context.{c}.out", series) for c in ("select", "hidden", "cell", "enrich")
    )
    columns = {c: model.linear(f"numbers.{c}", x[c]) for c in x if f"numbers.{c}.weight" in w}
    columns |= {c: w[f"marks.{c}.weight"][v] for c, v in x.items() if f"marks.{c}.weight" in w}
    before = {c: column[:, :days] for c, column in columns.items()}
    after = {c: column[:, days:] for c, column in columns.items() if column.shape[1] > days}
    past, past_weights = model.select("past", before, c_s)
    future, future_weights = model.select("future", after, c_s)
    first, h, c = model.lstm("encoder", past, c_h, c_c)
    rest, _, _ = model.lstm("decoder", future, h, c)
    temporal = model.gated("temporal", torch.cat([past, future], 1), torch.stack(first + rest, 1))
    enriched = model.grn("enriched", temporal, c_e)
    seen = model.gated("seen", enriched, model.attention(enriched, heads=4))
    ahead = model.gated("ahead", temporal, model.grn("decoded.out", seen))
    return {
        "quantiles": model.linear("quantiles.1", ahead[:, days:]),
        "static": static_weights,
        "past": past_weights,
        "future": future_weights,
    }


FORMULAS: list[Callable[[Weights, Weights], Any]] = [
    *(wide_and_deep, deepfm, dcn_v2, dlrm, din),
    *(mmoe, two_tower_retrieval, tab_transformer, neumf, tft),
]


def samples(graph: mg.Graph) -> Weights:
    """Return four samples, with sequences of several lengths."""
    inputs = seeded_inputs(graph.typed, 4, 0, choose_sizes(graph.typed, {"T": 7}))
    if "length" in inputs:
        inputs["length"] = torch.tensor([1, 3, 7, 4])
    return inputs


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.__name__)
@torch.no_grad()
def test_a_model_computes_what_the_paper_says(formula: Callable[[Weights, Weights], Any]) -> None:
    graph = gallery(formula.__name__, **SMALL.get(formula.__name__, {}))
    model, inputs = graph.compile().eval(), samples(graph)
    randomise(model)
    ours, theirs = model(**inputs), formula(dict(model.state_dict()), inputs)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    hold(graph, ours, theirs)
    first = ours if isinstance(ours, Tensor) else next(iter(ours.values()))
    assert first.std(0).max() > 1e-3


def test_the_padding_of_a_history_does_not_count() -> None:
    for name, padded in (("din", "items"), ("two_tower_retrieval", "watched")):
        graph = gallery(name)
        model, inputs = graph.compile().eval(), samples(graph)
        before = model(**inputs)
        for row, length in zip(inputs[padded], inputs["length"], strict=True):
            row[length:] = 0
        torch.testing.assert_close(model(**inputs), before)


@torch.no_grad()
def test_ft_transformer_equals_rtdl() -> None:
    rtdl = pytest.importorskip("rtdl_revisiting_models")
    options = rtdl.FTTransformer.get_default_kwargs(n_blocks=3)
    reference = rtdl.FTTransformer(
        n_cont_features=6, cat_cardinalities=list(ADULT), d_out=1, **options
    ).eval()
    randomise(reference)
    graph = gallery("ft_transformer")
    model, inputs = graph.compile().eval(), samples(graph)
    assert count(model) == count(reference)
    model.load_state_dict(dict(zip(model.state_dict(), in_our_order(reference), strict=True)))
    numbers, *categories = inputs.values()
    theirs = reference(numbers, torch.stack(categories, 1))
    ours = model(**inputs)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    hold(graph, ours, theirs)
    assert theirs.std() > 1e-3


def in_our_order(reference: nn.Module) -> Iterator[Tensor]:
    """Return the tensors of rtdl's model, with the projections of an attention as one."""
    w = reference.state_dict()

    def both(name: str) -> tuple[Tensor, Tensor]:
        return w[f"{name}.weight"], w[f"{name}.bias"]

    def attention(block: str) -> Iterator[Tensor]:
        query, key, value = (both(f"{block}.attention.W_{letter}") for letter in "qkv")
        yield from (torch.cat(parts) for parts in zip(query, key, value, strict=True))
        yield from both(f"{block}.attention.W_out")

    def ffn(block: str) -> Iterator[Tensor]:
        for name in ("ffn_normalization", "ffn.linear1", "ffn.linear2"):
            yield from both(f"{block}.{name}")

    yield w["cls_embedding.weight"][None, None]
    yield w["cont_embeddings.weight"]
    yield torch.cat([w["cont_embeddings.bias"], w["cat_embeddings.bias"]])
    yield from (w[f"cat_embeddings.embeddings.{i}.weight"] for i in range(8))
    first, *rest = (f"backbone.blocks.{i}" for i in range(3))
    yield from (*attention(first), *ffn(first))
    for block in rest:
        yield from both(f"{block}.attention_normalization")
        yield from (*attention(block), *ffn(block))
    yield from (*both("backbone.output.normalization"), *both("backbone.output.linear"))
