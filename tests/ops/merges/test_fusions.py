"""Compares fusions with weights with the formulas of their papers, in plain torch on the same weights."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import mimgraph as mg
from mimgraph import merges
from mimgraph.ir.declared_graph import Block
from mimgraph.ir.dim import symbols
from mimgraph.ir.types import TensorType
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import ops
from mimgraph.runtime.runner import seeded_inputs
from tests.helpers.stages import as_tuple
from tests.ops.layers.oracle import infer, tensor
from tests.ops.tables import options, read, sources


def fusions() -> set[str]:
    """Return the merges with weights."""
    return {
        name
        for name, op in ops("merge").items()
        if op.family == "bilinear" or op.function.__annotations__["return"] == "Block"
    }


class Weights(NamedTuple):
    """Return the learned tensors of a fusion by name."""

    all: Mapping[str, Tensor]

    def __getitem__(self, name: str) -> Tensor:
        return self.all[name]

    def under(self, prefix: str) -> Weights:
        start = f"{prefix}."
        found = {k.removeprefix(start): v for k, v in self.all.items() if k.startswith(start)}
        return Weights(found)

    def linear(self, name: str, x: Tensor) -> Tensor:
        """W x + b."""
        y = torch.einsum("oi,...i->...o", self[f"{name}.weight"], x)
        return y + self[f"{name}.bias"] if f"{name}.bias" in self.all else y

    def norm(self, name: str, x: Tensor) -> Tensor:
        """The last axis of mean 0 and variance 1, scaled and shifted."""
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        return scaled * self[f"{name}.weight"] + self[f"{name}.bias"]

    def attention(
        self, name: str, query: Tensor, key: Tensor, value: Tensor, heads: int, mask: Any = None
    ) -> Tensor:
        """softmax(Q K' / sqrt(d)) V in several heads; the mask is true at keys that are left out."""
        w = self.under(name)
        if "in_proj_weight" in w.all:
            projections = w["in_proj_weight"].chunk(3)
        else:
            projections = tuple(w[f"{which}_proj_weight"] for which in "qkv")
        q, k, v = (
            (x @ projection.T + bias).unflatten(-1, (heads, -1)).transpose(1, 2)
            for x, projection, bias in zip(
                (query, key, value), projections, w["in_proj_bias"].chunk(3), strict=True
            )
        )
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        if mask is not None:
            scores = scores.masked_fill(mask[:, None, None, :], float("-inf"))
        return w.linear("out_proj", (scores.softmax(-1) @ v).transpose(1, 2).flatten(2))

    def encoder_layer(
        self, name: str, x: Tensor, heads: int, activation: str = "relu", norm_first: bool = False
    ) -> Tensor:
        """A layer of nn.TransformerEncoder."""
        w, act = self.under(name), getattr(F, activation)
        if norm_first:
            y = w.norm("norm1", x)
            x = x + w.attention("self_attn", y, y, y, heads)
            return x + w.linear("linear2", act(w.linear("linear1", w.norm("norm2", x))))
        x = w.norm("norm1", x + w.attention("self_attn", x, x, x, heads))
        return w.norm("norm2", x + w.linear("linear2", act(w.linear("linear1", x))))


Results = Tensor | tuple[Tensor, ...]


class Case(NamedTuple):
    """A fusion in a spec, and the number of its weights."""

    merge: str
    sources: Mapping[str, TensorType]
    options: str
    count: int

    def __str__(self) -> str:
        return f"{self.merge}-{self.options or 'defaults'}".replace(" ", "")

    def formula(self, weights: Weights, *xs: Tensor) -> Results:
        """Compute the formula with the options that it takes."""
        formula, given = FORMULAS[self.merge], options(self.options)
        given = {k: given[k] for k in inspect.signature(formula).parameters if k in given}
        if ops("merge")[self.merge].inputs.kind == "many":
            return formula(weights, *xs, **given)
        return formula(weights, **dict(zip(self.sources, xs, strict=True)), **given)


# the formulas


def weighted_sum(w: Weights, *xs: Tensor, softmax: bool = True) -> Tensor:
    weights = w["weight"].softmax(0) if softmax else w["weight"]
    return torch.stack([weight * x for weight, x in zip(weights, xs, strict=True)]).sum(0)


def gmu(w: Weights, *xs: Tensor, gate: str = "sigmoid") -> Tensor:
    if len(xs) > 2 or gate == "softmax":
        return gmu_of_many(w, *xs, softmax=gate == "softmax")
    a, b = xs
    z = torch.sigmoid(w.linear("gate", torch.cat((a, b), -1)))
    return z * torch.tanh(w.linear("hidden0", a)) + (1 - z) * torch.tanh(w.linear("hidden1", b))


def gmu_of_many(w: Weights, *xs: Tensor, softmax: bool) -> Tensor:
    joined, name = torch.cat(xs, -1), "score" if softmax else "gate"
    scores = torch.stack([w.linear(f"{name}{i}", joined) for i in range(len(xs))])
    gates = scores.softmax(0) if softmax else scores.sigmoid()
    hidden = torch.stack([w.linear(f"hidden{i}", x).tanh() for i, x in enumerate(xs)])
    return (gates * hidden).sum(0)


def bilinear(w: Weights, a: Tensor, b: Tensor) -> Tensor:
    y = torch.einsum("...d,ode,...e->...o", a, w["weight"], b)
    return y + w["bias"] if "bias" in w.all else y


def mlb(w: Weights, a: Tensor, b: Tensor) -> Tensor:
    return w.linear("output", w.linear("hidden_a", a).tanh() * w.linear("hidden_b", b).tanh())


def mutan(w: Weights, a: Tensor, b: Tensor, rank: int = 5) -> Tensor:
    q, v = w.linear("hidden_a", a).tanh(), w.linear("hidden_b", b).tanh()
    terms = zip(
        w.linear("factors_a", q).chunk(rank, -1),
        w.linear("factors_b", v).chunk(rank, -1),
        strict=True,
    )
    return w.linear("output", torch.stack([m * n for m, n in terms]).sum(0))


def mfb(w: Weights, a: Tensor, b: Tensor, factors: int = 5) -> Tensor:
    z = (w.linear("factors_a", a) * w.linear("factors_b", b)).unflatten(-1, (-1, factors)).sum(-1)
    z = z.sign() * z.abs().sqrt()
    return z / z.norm(dim=-1, keepdim=True)


def lmf(w: Weights, *xs: Tensor, rank: int = 4) -> Tensor:
    products = [w.linear(f"factor{i}", x).unflatten(-1, (rank, -1)) for i, x in enumerate(xs)]
    return torch.stack(products).prod(0).sum(-2)


def tfn(w: Weights, *xs: Tensor) -> Tensor:
    product = torch.ones(len(xs[0]), 1)
    for x in xs:
        one = torch.cat((torch.ones(len(x), 1), x), 1)
        product = (product[:, :, None] * one[:, None, :]).flatten(1)
    return product


def film(w: Weights, x: Tensor, condition: Tensor, dim: int = 1) -> Tensor:
    gamma, beta = w.linear("gamma", condition), w.linear("beta", condition)
    modulated = gamma * x.movedim(dim, -1).movedim(0, -2) + beta  # (*, N, C)
    return modulated.movedim(-2, 0).movedim(-1, dim)


def mmtm(w: Weights, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
    means = [x.flatten(2).mean(2) if x.dim() > 2 else x for x in (a, b)]
    z = torch.relu(w.linear("squeeze", torch.cat(means, 1)))
    results = []
    for name, x in (("a", a), ("b", b)):
        excitation = 2 * torch.sigmoid(w.linear(f"excite_{name}", z))
        results.append(excitation[(..., *(None,) * (x.dim() - 2))] * x)
    return tuple(results)


def cross_attention(
    w: Weights,
    query: Tensor,
    key: Tensor,
    value: Any = None,
    key_padding_mask: Any = None,
    norm: str = "post",
    residual: bool = True,
) -> Tensor:
    seen = w.norm("norm", query) if norm == "pre" else query
    y = w.attention("attention", seen, key, key if value is None else value, 2, key_padding_mask)
    y = query + y if residual else y
    return w.norm("norm", y) if norm == "post" else y


def vilbert(
    w: Weights, a: Tensor, b: Tensor, a_padding_mask: Any = None, b_padding_mask: Any = None
) -> Any:
    def stream(w: Weights, x: Tensor, context: Tensor, mask: Any) -> Tensor:
        x = w.norm("norm1", x + w.attention("attention", x, context, context, 2, mask))
        last = max(w.under("feedforward").all)[0]
        fed = w.linear(f"feedforward.{last}", w.linear("feedforward.0", x).relu())
        return w.norm("norm2", x + fed)

    found = sorted({name.split(".")[1] for name in w.all if name.startswith("layers.")})
    for layer in [w.under(f"layers.{number}") for number in found] or [w]:
        a, b = (
            stream(layer.under("stream_a"), a, b, b_padding_mask),
            stream(layer.under("stream_b"), b, a, a_padding_mask),
        )
    return a, b


def transformer(w: Weights, *xs: Tensor, num_layers: int = 1, norm_first: bool = False) -> Tensor:
    parts = [x if x.dim() == 3 else x[:, None] for x in xs]
    x = torch.cat([part + kind for part, kind in zip(parts, w["modality"], strict=True)], 1)
    for number in range(num_layers):
        x = w.encoder_layer(f"encoder.layers.{number}", x, 2, norm_first=norm_first)
    return x


def mbt(
    w: Weights,
    *xs: Tensor,
    num_layers: int = 2,
    activation: str = "relu",
    norm_first: bool = False,
) -> tuple[Tensor, ...]:
    shared = w["bottleneck"].expand(len(xs[0]), -1, -1)
    for number in range(num_layers):
        seen, ends = [], []
        for index, x in enumerate(xs):
            name = f"layers.{number}.encoder{index}"
            y = w.encoder_layer(name, torch.cat((x, shared), 1), 2, activation, norm_first)
            seen.append(y[:, : x.shape[1]])
            ends.append(y[:, x.shape[1] :])
        xs, shared = tuple(seen), torch.stack(ends).mean(0)
    return xs


def perceiver(w: Weights, *xs: Tensor, num_layers: int = 1) -> Tensor:
    x = w["latents"].expand(len(xs[0]), -1, -1)
    tokens = torch.cat([x if x.dim() == 3 else x[:, None] for x in xs], 1)
    look = w.under("attend")
    context = look.norm("norm_context", tokens)
    x = x + look.attention("attention", look.norm("norm_x", x), context, context, 2)
    hidden = F.gelu(look.linear("feedforward.0", look.norm("norm2", x)))
    x = x + look.linear("feedforward.2", hidden)
    for number in range(num_layers):
        x = w.encoder_layer(f"encoder.layers.{number}", x, 2, "gelu", norm_first=True)
    return x


def expert(w: Weights, number: int, x: Tensor) -> Tensor:
    w = w.under(f"experts.{number}")
    if "weight" in w.all:
        return torch.einsum("oi,...i->...o", w["weight"], x) + w["bias"]
    return w.linear("2", w.linear("0", x).relu())


def moe(w: Weights, *xs: Tensor, num_experts: int = 4, gate: str = "gate") -> Tensor:
    x = torch.cat(xs, -1)
    weights = w.linear(gate, x).softmax(-1)
    weighted = [weights[..., i, None] * expert(w, i, x) for i in range(num_experts)]
    return torch.stack(weighted).sum(0)


def mmoe(w: Weights, *xs: Tensor, tasks: tuple[str, ...]) -> tuple[Tensor, ...]:
    return tuple(moe(w, *xs, gate=f"gate_{task}") for task in tasks)


def dcn(w: Weights, *xs: Tensor, num_layers: int = 2) -> Tensor:
    x = start = torch.cat(xs, 1)
    for number in range(num_layers):
        layer = w.under(f"layers.{number}")
        low = layer.linear("down", x) if "down.weight" in layer.all else x
        x = start * layer.linear("linear", low) + x
    return x


def cin(w: Weights, *xs: Tensor, layer_sizes: tuple[int, ...]) -> Tensor:
    rows = torch.stack(xs, 1) if len(xs) > 1 else xs[0]
    x, pooled = rows, []
    for number in range(len(layer_sizes)):
        pairs = [x[:, i] * rows[:, j] for i in range(x.shape[1]) for j in range(rows.shape[1])]
        x = torch.einsum("op,pnd->nod", w[f"layer{number}.weight"][:, :, 0], torch.stack(pairs))
        if f"layer{number}.bias" in w.all:
            x = x + w[f"layer{number}.bias"][:, None]
        pooled.append(x.sum(2))
    return torch.cat(pooled, 1)


def attention_pool(w: Weights, input: Tensor, mask: Any = None) -> Tensor:
    """Compute the pool of each sample without its padding; 0 if nothing is left."""
    pooled = []
    for row, steps in enumerate(input):
        real = steps if mask is None else steps[mask[row]]
        hidden = w.linear("hidden", real).tanh() if "hidden.weight" in w.all else real
        weights = w.linear("score", hidden)[:, 0].softmax(0)
        pooled.append((weights[:, None] * real).sum(0))
    return torch.stack(pooled)


FORMULAS: dict[str, Callable[..., Results]] = {
    "weighted_sum": weighted_sum,
    "gated": gmu,
    "bilinear": bilinear,
    "mlb": mlb,
    "mutan": mutan,
    "mfb": mfb,
    "low_rank": lmf,
    "tensor": tfn,
    "film": film,
    "squeeze_excite": mmtm,
    "cross_attention": cross_attention,
    "co_attention": vilbert,
    "transformer": transformer,
    "bottleneck": mbt,
    "perceiver": perceiver,
    "moe": moe,
    "mmoe": mmoe,
    "cross": dcn,
    "cin": cin,
    "attention_pool": attention_pool,
}
CASES = [
    Case(row.op, sources(row.op, row.sources), row.options, int(row.rest[0]))
    for rows in read("fusions.md").values()
    for row in rows
]
by_case = pytest.mark.parametrize("case", CASES, ids=map(str, CASES))


def load(case: Case, more: str = "", outputs: str = "") -> mg.Graph:
    """Load the case; without a default port all ports are outputs."""
    inputs = [
        f"{name}: {{shape: [{', '.join(map(str, x.dims))}], dtype: {x.dtype}}}"
        for name, x in case.sources.items()
    ]
    named = ops("merge")[case.merge].inputs.kind == "tuple"
    names = f"{{{', '.join(f'{n}: {n}' for n in case.sources)}}}" if named else [*case.sources]
    given = f", {case.options}" if case.options else ""
    node = f"y: {{merge: {case.merge}, from: {names}{given}}}".replace("'", "")
    text = f"inputs: {{{', '.join(inputs)}}}\nnodes:\n  {node}\n{more}"
    try:
        return mg.loads(f"{text}outputs: {outputs or 'y'}\n")
    except mg.SpecError as error:
        (fault,) = error.diagnostics
        if outputs or fault.code != "unknown-port":
            raise
        ports = fault.help.removeprefix("its ports: ").partition(";")[0].split(", ")
        return mg.loads(f"{text}outputs: {{{', '.join(f'p{p}: y.{p}' for p in ports)}}}\n")


def randomised(module: nn.Module) -> nn.Module:
    """Return a module without weights that are 0 or 1."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=0.4)
    return module


def sized(graph: mg.Graph) -> list[dict[str, int]]:
    """Return numbers for the sizes that are names."""
    names = sorted({n for x in graph.inputs.values() for dim in x.dims for n in symbols(dim)})
    return [dict(zip(names, lengths, strict=False)) for lengths in ((3, 5), (4, 2))]


@by_case
def test_a_fusion_computes_its_formula(case: Case) -> None:
    torch.manual_seed(0)
    graph = load(case)
    module = randomised(graph.compile())
    assert graph.summary().params == sum(p.numel() for p in module.parameters()) == case.count
    for sizes in sized(graph):
        equals_its_formula(case, graph, module, sizes)
    if len(graph.outputs) == 1:
        can_have_an_activation(case, graph, module)
    if case.merge != "tensor":  # which has no weights
        can_be_shared(case, graph)


def equals_its_formula(
    case: Case, graph: mg.Graph, module: nn.Module, sizes: dict[str, int]
) -> None:
    """Check the results, and their gradients in the inputs and the weights."""
    weights = {name.removeprefix("y."): p for name, p in module.named_parameters()}
    inputs = seeded_inputs(graph.typed, 3, 0, sizes)
    learned = [x.requires_grad_() for x in inputs.values() if x.is_floating_point()]
    learned += weights.values()
    found = as_tuple(module(**inputs))
    expected = as_tuple(case.formula(Weights(weights), *inputs.values()))
    for value, wanted, type_ in zip(found, expected, graph.outputs.values(), strict=True):
        torch.testing.assert_close(value, wanted, rtol=1e-4, atol=1e-5)
        assert value.dim() == type_.rank
    scales = [torch.randn_like(value) for value in found]
    gradients = [
        torch.autograd.grad([(v * s).sum() for v, s in zip(values, scales, strict=True)], learned)
        for values in (found, expected)
    ]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def can_have_an_activation(case: Case, plain: mg.Graph, module: nn.Module) -> None:
    options = f"{case.options}, activation: Tanh" if case.options else "activation: Tanh"
    active = load(case._replace(options=options))
    assert "torch.tanh(self.y(" in active.source() or case.merge == "tensor"
    other = active.compile()
    other.load_state_dict(module.state_dict())
    inputs = seeded_inputs(plain.typed, 2, 0, sized(plain)[0])
    torch.testing.assert_close(module(**inputs).tanh(), other(**inputs))


def can_be_shared(case: Case, graph: mg.Graph) -> None:
    sources = list(case.sources)
    shared = f"  z: {{share: y, from: [{', '.join(sources)}]}}\n"
    if "value" not in sources and "key_padding_mask" in sources:
        shared = f"  z: {{share: y, from: {{{', '.join(f'{n}: {n}' for n in sources)}}}}}\n"
    ports = [*graph.typed.body.nodes[-1].results]
    port = "" if len(graph.outputs) == 1 else f".{ports[0]}"
    twice = load(case, shared, f"{{one: y{port}, two: z{port}}}")
    module = twice.compile()
    assert [name for name, _ in module.named_children()] == ["y"]
    found = module.eval()(**seeded_inputs(twice.typed, 2, 0, sized(twice)[0]))
    torch.testing.assert_close(found["one"], found["two"])


def test_every_fusion_has_a_case() -> None:
    assert {case.merge for case in CASES} == fusions()


def of(merge: str) -> Case:
    """Return the first case of a merge."""
    return next(case for case in CASES if case.merge == merge)


def test_an_activation_applies_to_the_port_that_is_taken() -> None:
    case = of("squeeze_excite")
    taken = load(case._replace(options="take: b, activation: Tanh"), outputs="{a: y.a, b: y}")
    module = randomised(taken.compile())
    both = load(case).compile()
    both.load_state_dict(module.state_dict())
    inputs = seeded_inputs(taken.typed, 2, 0, {"T": 3})
    expected, found = both(**inputs), module(**inputs)
    torch.testing.assert_close(found, {"a": expected["pa"], "b": expected["pb"].tanh()})
    with pytest.raises(mg.SpecError) as caught:
        load(case._replace(options="activation: Tanh"), outputs="{a: y.a}")
    assert [d.code for d in caught.value.diagnostics] == ["unknown-port"]


def test_a_shared_fusion_refuses_other_sizes() -> None:
    text = """
inputs: {a: [4, 6], b: [4, 5], c: [7, 6], d: [7, 5]}
nodes:
  y: {merge: mutan, from: [a, b], out_features: 3}
  z: {share: y, from: [c, d]}
outputs: [y, z]
"""
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(text)
    (fault,) = caught.value.diagnostics
    assert (fault.code, fault.node) == ("shape-mismatch", "z")
    named = text.replace("[4, 6]", "[T, 6]").replace("[4, 5]", "[T, 5]")
    named = named.replace("[7, 6]", "[S, 6]").replace("[7, 5]", "[S, 5]")
    graph = mg.loads(named)
    found = graph.compile()(**seeded_inputs(graph.typed, 2, 0, {"T": 4, "S": 7}))
    assert found["z"].shape == (2, 7, 3)


def test_uses_with_other_options_share_one_class() -> None:
    graph = mg.loads("""
params: {hidden_features: 24}
inputs: {a: [6], b: [5], c: [3]}
nodes:
  y: {merge: mlb, from: [a, b], out_features: $hidden_features, hidden_features: 3}
  z: {merge: mlb, from: [b, c], out_features: 5, hidden_features: 7}
outputs: [y, z]
""")
    assert "self.y = LowRankBilinearPooling(6, 5, out_features=24, hidden_features=3)" in (
        graph.source()
    )
    found = graph.compile()(**seeded_inputs(graph.typed, 2, 0, {}))
    assert {name: tuple(x.shape) for name, x in found.items()} == {"y": (2, 24), "z": (2, 5)}


def test_a_fusion_in_a_repeated_block() -> None:
    graph = mg.loads("""
inputs: {a: [T, 8], b: [S, 8]}
blocks:
  exchange:
    inputs: {a: [T, D], b: [S, D]}
    nodes:
      both: {merge: co_attention, from: [a, b], num_heads: 2, dim_feedforward: 7}
    outputs: {a: both.a, b: both.b}
nodes:
  y: {block: exchange, from: [a, b], repeat: 2}
outputs: {a: y.a, b: y.b}
""")
    found = graph.compile()(**seeded_inputs(graph.typed, 2, 0, {"T": 3, "S": 4}))
    assert {name: tuple(x.shape) for name, x in found.items()} == {"a": (2, 3, 8), "b": (2, 4, 8)}


def test_python_gives_the_same_graph() -> None:
    a, b = mg.Input("a", (6,)), mg.Input("b", (5,))
    y = merges.gated(a, b, out_features=4, activation="ReLU", name="y")
    loaded = load(CASES[2]._replace(options="out_features: 4, activation: ReLU"))
    assert mg.Graph(y) == loaded
    rgb, depth = mg.Input("rgb", (6, 4)), mg.Input("depth", (2, 4))
    both = merges.squeeze_excite(a=rgb, b=depth)
    assert [str(x.shape) for x in both] == ["(N, 6, 4)", "(N, 2, 4)"]
    assert both["b"].dims == (2, 4)


def test_dropout_acts_in_training_only() -> None:
    for merge in ("mfb", "cross_attention", "co_attention", "transformer", "bottleneck"):
        case = of(merge)
        options = ", ".join(o for o in case.options.split(", ") if "dropout" not in o)
        graph = load(case._replace(options=f"{options}, dropout: 0.5"))
        module, inputs = graph.compile(), seeded_inputs(graph.typed, 2, 0, sized(graph)[0])
        one, other = (as_tuple(module(**inputs)) for _ in range(2))
        assert not torch.equal(one[0], other[0]), merge
        one, other = (as_tuple(module.eval()(**inputs)) for _ in range(2))
        assert torch.equal(one[0], other[0]), merge


def test_equal_gates_are_a_mean_and_the_signed_root_has_a_gradient_at_zero() -> None:
    mean = load(CASES[0])
    inputs = seeded_inputs(mean.typed, 2, 0, {})
    torch.testing.assert_close(mean.compile()(**inputs), sum(inputs.values()) / 3)
    pooled = load(of("mfb"))
    zeros = {name: torch.zeros(2, 6 - i) for i, name in enumerate(("a", "b"))}
    module = pooled.compile()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    module(**zeros).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters())


# --- emitted code


def test_the_code_of_a_weighted_sum() -> None:
    assert """
    def forward(self, x0: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
        weight = F.softmax(self.weight, dim=0)  # (3,)
        return weight[0] * x0 + weight[1] * x1 + weight[2] * x2
""" in load(CASES[0]).source()


def test_the_code_of_a_bottleneck_transformer() -> None:
    assert """
        bottleneck = self.bottleneck.expand(x0.shape[0], -1, -1)  # (N, 4, 8)
        for layer in self.layers:
            x0, x1, bottleneck = layer(x0, x1, bottleneck)
        del bottleneck
        return x0, x1
""" in load(of("bottleneck")).source()


def test_tables_and_pictures_show_a_merge() -> None:
    graph = load(CASES[2]._replace(options="out_features: 4, activation: ReLU"))
    row = graph.summary().data()[-1]
    assert row == {
        "name": "y",
        "layer": "gated",
        "shape": "(N, 4)",
        "dtype": "float32",
        "from": ["a", "b"],
        "params": CASES[2].count,
        "macs": 88,
        "activations": 172,
    }
    assert "gated + ReLU" in str(graph.summary())
    assert graph.to_networkx().nodes["y"]["layer"] == "gated"


def test_a_block_that_a_rule_returns_has_no_faults() -> None:
    """No node inside the block fails, whatever the combination of sizes, names and ranks."""
    shapes = [(), (8,), ("T",), (4, 8), ("T", 8), (3, "T"), ("T", "S"), (2, 4, 8), (8, "T", 4)]
    usual = {"out_features": 2, "num_heads": 2, "num_latents": 3, "layer_sizes": [2]}
    for name, (one, other) in itertools.product(
        sorted(fusions()), itertools.product(shapes, shapes)
    ):
        op = ops("merge")[name]
        given = {key: value for key, value in usual.items() if key in op.options}
        if "tasks" in op.options:
            given["tasks"] = ["a", "b"]
        keys = ("a", "b") if op.inputs.kind == "many" else op.inputs.names[:2]
        types = {key: tensor(*shape) for key, shape in zip(keys, (one, other), strict=True)}
        try:
            block = infer(name, types, **given)
        except OpFault:
            continue
        if isinstance(block, Block):
            written = ", ".join(f"{key}: {value}" for key, value in given.items())
            assert load(Case(name, types, written.replace("'", ""), 0))
