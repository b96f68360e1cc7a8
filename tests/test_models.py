"""Specs compile to the same model as a class written by hand: the same weights for a seed, and the
same outputs and gradients. Results have the inferred shapes, and the source is clean.

Each class names its modules like the nodes of its spec in `models.md`, and makes them in the same order.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.ir.dim import substitute
from mimgraph.runtime.runner import seeded_inputs
from tests.conftest import ROOT
from tests.emit.test_golden import assert_ruff_leaves
from tests.helpers.cases import texts
from tests.helpers.handwritten import MODELS
from tests.helpers.running import by_name, seeded

BATCH = 3


class Case(NamedTuple):
    text: str
    reference: type[nn.Module]


SPECS = {name: text for name, (text,) in texts(Path(__file__).with_name("models.md")).items()}
CASES: dict[str, Case] = {}


def handwritten(reference: type[nn.Module]) -> type[nn.Module]:
    """Register the decorated class as the handwritten model of the spec of its name."""
    CASES[reference.__name__] = Case(SPECS[reference.__name__], reference)
    return reference


def run(module: nn.Module, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the outputs by name, a lone one under ""; dropout draws from the same seed."""
    torch.manual_seed(1)
    return by_name(module(**inputs))


def gradients(module: nn.Module, outputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the gradient of each parameter that contributes to the outputs."""
    floats = [o for o in outputs.values() if o.requires_grad]
    if floats:
        sum(o.square().sum() for o in floats).backward()  # type: ignore[union-attr]
    return {key: p.grad for key, p in module.named_parameters() if p.grad is not None}


def assert_same(ours: dict[str, Tensor], theirs: dict[str, Tensor], exact: bool) -> None:
    assert list(ours) == list(theirs)
    rtol, atol = (0.0, 0.0) if exact else (1e-5, 1e-6)
    for key, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[key], rtol=rtol, atol=atol, msg=key)


def two_sizes(graph: mg.Graph) -> Iterator[dict[str, int]]:
    """Yield the smallest legal value of every named size, then twice that."""
    sizes = choose_sizes(graph.typed, {})
    yield sizes
    if sizes:
        yield {name: 2 * size for name, size in sizes.items()}


# inputs and merges


@handwritten
class ThreeModalities(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.image_vec = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
        )
        self.table_vec = nn.Linear(7, 8)
        self.tokens = nn.Embedding(50, 6)
        self.text_vec = nn.GRU(6, 5, bidirectional=True, batch_first=True)
        self.drop = nn.Dropout(0.3)
        self.score = nn.Linear(4 * 7 * 7 + 8 + 10, 2)

    def forward(self, image: Tensor, table: Tensor, text: Tensor) -> Tensor:
        _, hidden = self.text_vec(self.tokens(text))
        parts = (self.image_vec(image), torch.tanh(self.table_vec(table)), hidden[0], hidden[1])
        return self.score(self.drop(torch.cat(parts, 1)))


@handwritten
class EveryElementwiseMerge(nn.Module):
    def forward(self, a: Tensor, b: Tensor, c: Tensor) -> dict[str, Tensor]:
        x = torch.maximum(((a + b + c - a) * b * c + a + b) / 3, c)
        stacked = torch.stack((x, a, b), 1)
        return {"stacked": stacked, "likeness": (x * a).sum(1), "biggest": x}


@handwritten
class AttentionOfTwoLengths(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q = nn.Linear(8, 8, bias=False)

    def forward(self, query: Tensor, memory: Tensor, allowed: Tensor) -> dict[str, Tensor]:
        mask = allowed[:, None, :]
        found = F.scaled_dot_product_attention(self.q(query), memory, memory, attn_mask=mask)
        return {"products": found @ memory.transpose(1, 2), "attended": found}


@handwritten
class Formulas(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(4, 5)

    def forward(self, gate_in: Tensor, image: Tensor, text: Tensor) -> Tensor:
        g = torch.sigmoid(self.gate(gate_in))
        a = g * image + (1 - g) * text**2 - torch.exp(-image.abs()) / 3
        return torch.where(a > text, a, -text) + torch.maximum(a, text)


@handwritten
class SumOfTwoLengths(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8))

    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        wide = self.wide(torch.cat((x, y), 1))
        turned = wide.reshape(wide.shape[0], -1, 2, 4).permute(0, 2, 1, 3)
        return {"pooled": turned.mean((1, 2)), "turned": turned}


@handwritten
class EveryPortOfAnLSTM(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv1d(2, 4, 3, stride=2)
        self.rnn = nn.LSTM(4, 3, num_layers=2, batch_first=True)

    def forward(self, signal: Tensor) -> dict[str, Tensor]:
        x = F.avg_pool1d(F.leaky_relu(self.down(signal), 0.2), 2)
        out, (h, c) = self.rnn(x.permute(0, 2, 1))
        return {"last": h[-1], "cell": c.transpose(0, 1), "all": out, "hidden": h.transpose(0, 1)}


@handwritten
class EncoderDecoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(30, 4, padding_idx=0)
        self.enc = nn.LSTM(4, 6, batch_first=True)
        self.dec = nn.LSTM(4, 6, batch_first=True)

    def forward(self, tokens: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        words = self.words(tokens)
        packed = nn.utils.rnn.pack_padded_sequence(
            words, lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        out, state = self.enc(packed)
        enc, _ = nn.utils.rnn.pad_packed_sequence(
            out, batch_first=True, total_length=words.shape[1]
        )
        _, (hidden, _) = self.dec(words, state)
        return {"dec": torch.relu(hidden[-1]), "enc": enc}


# blocks


@handwritten
class BlocksInBlocksInChains(nn.Module):
    class Residual(nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()
            self.conv = nn.Conv2d(channels, channels, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(self.conv(x) + x)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.stages = nn.Sequential()
        for channels, width, depth in ((4, 6, 2), (6, 8, 1), (8, 8, 0)):
            conv = nn.Conv2d(channels, width, 1)
            inner = nn.Sequential(*[self.Residual(width) for _ in range(depth)])
            self.stages.append(nn.Sequential(conv, inner, nn.MaxPool2d(2)))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(8 * 2 * 2, 3))

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(image)))


@handwritten
class SeveralInputsRepeated(nn.Module):
    class Cell(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.new = nn.Linear(7, 4)

        def forward(self, state: Tensor, signal: Tensor) -> Tensor:
            return torch.tanh(self.new(torch.cat((state, signal), 1)))

    def __init__(self) -> None:
        super().__init__()
        self.run = nn.ModuleList([self.Cell() for _ in range(3)])
        self.again = self.Cell()
        self.once = nn.ModuleList([self.Cell()])

    def forward(self, start: Tensor, signal: Tensor) -> dict[str, Tensor]:
        run = again = start
        for cell in self.run:
            run = cell(run, signal)
        for _ in range(3):
            again = self.again(again, signal)
        return {"run": run, "again": again, "once": self.once[0](run, signal)}


@handwritten
class SeveralOutputsRepeated(nn.Module):
    class TwoWay(nn.Module):
        def __init__(self, a: int, b: int, width: int) -> None:
            super().__init__()
            self.to_a = nn.Linear(b, a)
            self.to_b = nn.Linear(a, width)

        def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
            return a + self.to_a(b), self.to_b(a)

    def __init__(self) -> None:
        super().__init__()
        widths = ((5, 6), (6, 7), (7, 8))
        self.deep = nn.ModuleList([self.TwoWay(4, b, width) for b, width in widths])
        self.flat = self.TwoWay(4, 8, 2)
        self.kept = self.TwoWay(4, 5, 5)

    def forward(self, left: Tensor, right: Tensor) -> dict[str, Tensor]:
        a, b = left, right
        for block in self.deep:
            a, b = block(a, b)
        flat_a, flat_b = self.flat(a, b)
        kept, other = self.kept(left, right)
        kept, _ = self.kept(kept, other)
        return {"a": flat_a, "b": flat_b, "deep_b": b, "kept": kept}


@handwritten
class NamesThatClash(nn.Module):
    class Layer(nn.Module):
        def __init__(self, channels: int, growth: int) -> None:
            super().__init__()
            self.input = nn.Conv2d(channels, 2 * growth, 1)
            self.out = nn.Conv2d(2 * growth, growth, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat((x, self.out(self.input(x))), 1)

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Sequential(self.Layer(2, 4), self.Layer(6, 4), self.Layer(10, 4))
        self.out = nn.Sequential(self.Layer(14, 1), self.Layer(15, 3))
        self.sum = self.Layer(18, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.sum(self.out(self.layer(x)))


@handwritten
class ParamsInForward(nn.Module):
    class Join(nn.Module):
        def __init__(self, features: int, axis: int, width: int) -> None:
            super().__init__()
            self.shape = nn.Linear(features, width + 2)
            self.numbers = axis, width

        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            axis, width = self.numbers
            return self.shape(torch.cat((a, b), axis)) * axis + width

    def __init__(self) -> None:
        super().__init__()
        self.rows = self.Join(6, 1, 1)
        self.columns = self.Join(12, 2, 4)

    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        return {"rows": self.rows(x, y), "columns": self.columns(x, y)}


@handwritten
class FamiliesThatClash(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        first = nn.Linear(6, 3)
        self.a = nn.Sequential(
            first, nn.Sequential(nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2))
        )
        self.b = nn.Sequential(nn.LSTM(6, 3, num_layers=2, batch_first=True))
        self.c = nn.Sequential(nn.Linear(6, 3))
        self.d = nn.Sequential(nn.Identity(), nn.Linear(6, 3))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        _, (hidden, _) = self.a[1][0](torch.tanh(self.a[0](x)))
        _, (last, _) = self.b[0](x)
        first = torch.relu(self.c[0](x))[:, 0]
        second = torch.relu(self.d[1](x[:, 1]))
        return {"a": self.a[1][1](hidden[-1]), "b": last[-1], "c": first, "d": second}


@handwritten
class UsesOfSeveralStructures(nn.Module):
    class Unit(nn.Module):
        def __init__(self, depth: int) -> None:
            super().__init__()
            widths = [4, *[6] * depth]
            steps = [nn.Sequential(nn.Linear(i, 6), nn.ReLU()) for i in widths[:-1]]
            self.inner = nn.Sequential(*steps)
            self.end = nn.Linear(widths[-1], 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.end(self.inner(x))

    def __init__(self) -> None:
        super().__init__()
        self.none, self.one, self.two = self.Unit(0), self.Unit(1), self.Unit(2)
        self.three, self.long = self.Unit(3), self.Unit(2)

    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        found = {name: getattr(self, name)(x) for name in ("none", "one", "two", "three")}
        return found | {"long": self.long(y)}


# shares and order


@handwritten
class ShareBeforeItsTarget(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Linear(12, 1)
        self.left_vec = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(128, 4))

    def forward(self, left: Tensor, right: Tensor, third: Tensor) -> dict[str, Tensor]:
        vectors = [self.left_vec(image) for image in (left, right, third)]
        return {"score": self.score(torch.cat(vectors, 1)), "right": vectors[1]}


@handwritten
class SharesOfBlocks(nn.Module):
    class Tower(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.flat = nn.Sequential(nn.Flatten(), nn.Linear(6, 5))

        def forward(self, image: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
            return self.flat(image) * scale, self.flat(image)

    def __init__(self) -> None:
        super().__init__()
        self.tower_a = self.Tower()
        self.drop = nn.Linear(5, 5)
        self.steps = nn.Sequential(nn.Sequential(nn.Linear(3, 3)), nn.Sequential(nn.Linear(3, 3)))

    def forward(self, a: Tensor, b: Tensor, s: Tensor) -> dict[str, Tensor]:
        (out_a, raw_a), (out_b, raw_b) = self.tower_a(a, s), self.tower_a(b, s)
        c = self.drop(self.drop(raw_a).relu()).relu()
        return {"a": out_a, "b": out_b, "c": c, "d": self.steps(b), "raw": raw_b}


@handwritten
class SharedRepeatsInChains(nn.Module):
    def __init__(self) -> None:
        super().__init__()

        def twice(width: int) -> nn.Module:
            return nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 4))

        self.a = nn.Sequential(twice(4), nn.Linear(4, 4), twice(2))
        self.b = nn.Sequential(twice(2))
        self.last = nn.Sequential(nn.GRU(4, 3, batch_first=True))
        self.out = nn.Sequential(
            nn.GRU(4, 3, batch_first=True), nn.GRU(3, 3, batch_first=True, bidirectional=True)
        )

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        one, linear, two = self.a
        a = two(two(linear(one(one(one(x))))))
        b = self.b[0](self.b[0](x))
        _, hidden = self.last[0](b)
        out = self.out[1](self.out[0](b)[0])[0]
        return {"a": a, "last": hidden[-1].relu(), "out": out}


@handwritten
class RepeatsOfSeveralOutputsInChains(nn.Module):
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.o = nn.Linear(4, 4)
            self.n = nn.Linear(4, 4)

    def __init__(self) -> None:
        super().__init__()

        def pairs(times: int) -> nn.Module:
            return nn.Sequential(*(self.Pair() for _ in range(times)))

        self.n = nn.Sequential(pairs(2))
        self.x_ = nn.Sequential(pairs(1))
        self.same = nn.Sequential(self.Pair())
        self.same_x = nn.Sequential(self.Pair())
        self.chained = nn.Sequential(nn.Sequential(pairs(2)), nn.Sequential(pairs(2)))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        def last(x: Tensor, *pairs: Any) -> Tensor:
            for pair in pairs:
                x = pair.o(x)
            return pairs[-1].n(x)

        chained = x
        for (pairs,) in self.chained:
            chained = last(chained, *pairs).relu()
        return {
            "n": last(x, *self.n[0]).relu(),
            "x_": self.x_[0][0].o(x),
            "same": last(x, self.same[0], self.same[0]),
            "same_x": self.same_x[0].o(self.same_x[0].o(x)),
            "chained": chained,
        }


# names


@handwritten
class WordsOfPython(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.print = nn.Linear(4, 4)
        self.case = nn.Linear(4, 4)

    def forward(
        self, *, int: Tensor, self_: Tensor, x: Tensor, input: Tensor, tuple: Tensor
    ) -> dict[str, Tensor]:
        first = self.print(int)
        match = first + self_ + x + input
        return {"return": self.case(match).relu() * tuple + first, "x": match}


@handwritten
class OneOutputByName(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.h = nn.Linear(4, 4)
        self.h_last = nn.Linear(4, 4)
        self._ = nn.Identity()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h = self.h(x).softmax(1)
        last = self.h_last(h + x)
        return last + h + last * y + h


@handwritten
class LoopVariables(nn.Module):
    class Loop(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = nn.Linear(4, 4)

        def forward(self, x: Tensor, layer: Tensor) -> Tensor:
            return self.block(x) + layer

    def __init__(self) -> None:
        super().__init__()
        self.module = nn.ModuleList([self.Loop(), self.Loop()])
        self.layer_2 = self.Loop()
        self._ = nn.ModuleList([self.Loop(), self.Loop()])

    def forward(self, layer: Tensor, block: Tensor) -> Tensor:
        a = self.module[1](self.module[0](layer, block), block)
        b = self.layer_2(self.layer_2(a, layer), layer)
        return self._[1](self._[0](b, a), a)


@handwritten
class InputsAsOutputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(4, 3)

    def forward(self, x: Tensor, unseen: Tensor) -> dict[str, Tensor]:
        a = self.a(x)
        return {"same": x, "a": a, "also": a, "unseen": unseen}


@handwritten
class ParamsOfParams(nn.Module):
    class Mlp(nn.Module):
        def __init__(self, features: int, width: int = 8, bias: bool = True, p: float = 0.1):
            super().__init__()
            self.fc = nn.Linear(features, width, bias=bias)
            self.drop = nn.Dropout(p)
            self.end = nn.Linear(width, -(-width // 2) + 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.end(self.drop(self.fc(x)))

    def __init__(self) -> None:
        super().__init__()
        self.a = self.Mlp(4)
        self.b = self.Mlp(7, 3, bias=False)
        self.c = nn.Sequential(self.Mlp(5, 2), self.Mlp(4, 3))
        self.d = nn.Sequential(self.Mlp(5, p=0.5), self.Mlp(7, p=0.25), self.Mlp(7, p=0.125))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        b = self.b(self.a(x.transpose(1, 2)))
        return {"c": self.c(b), "d": self.d(b)}


@handwritten
class PortsOfBlocks(nn.Module):
    class Pool(nn.Module):
        def __init__(self, width: int, axis: int = 1) -> None:
            super().__init__()
            self.fc = nn.Linear(width, width)
            self.axis = axis

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            fc = self.fc(x)
            mean = fc.mean(self.axis, keepdim=True)
            return (fc - mean).flatten(1), mean

    class Pool2(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 5)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(x).mean(1)

    def __init__(self) -> None:
        super().__init__()
        self.pa = self.Pool(4)
        self.pb = self.Pool(3, axis=2)
        self.head = nn.Linear(20, 2)
        self.m = nn.Sequential(self.Pool2(), nn.Linear(5, 2))

    def forward(self, a: Tensor, b: Tensor, c: Tensor) -> dict[str, Tensor]:
        flat, mean = self.pb(b)
        return {"head": self.head(self.pa(a)[0]), "b": mean, "flat": flat, "m": self.m(c)}


# constants that vary in several ways at once


@handwritten
class Dense(nn.Module):
    class Layer(nn.Module):
        def __init__(self, c: int, growth: int) -> None:
            super().__init__()
            self.new = nn.Sequential(
                nn.BatchNorm2d(c),
                nn.Conv2d(c, 2 * growth, 1),
                nn.Conv2d(2 * growth, growth, 3, padding=1),
            )

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat((x, self.new(x)), 1)

    def dense(self, c: int, depth: int, growth: int) -> nn.Module:
        layers = [self.Layer(c + i * growth, growth) for i in range(depth)]
        return nn.Sequential(nn.Sequential(*layers))

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            self.dense(6, 3, 4),
            nn.Sequential(nn.Conv2d(18, 9, 1), nn.AvgPool2d(2)),
            self.dense(9, 4, 2),
            nn.Sequential(nn.Conv2d(17, 8, 1), nn.AvgPool2d(2)),
            self.dense(8, 2, 4),
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.features(image)


@handwritten
class HeadsOfSeveralLengths(nn.Module):
    class Heads(nn.Module):
        def __init__(self, d: int, heads: int = 2, width: int = 8) -> None:
            super().__init__()
            self.qkv = nn.Linear(d, width)
            self.end = nn.Linear(width, d)
            self.heads = heads

        def forward(self, x: Tensor) -> Tensor:
            q = self.qkv(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
            mixed = F.scaled_dot_product_attention(q, q, q)
            return self.end(mixed.transpose(1, 2).flatten(2)) + x

    def __init__(self) -> None:
        super().__init__()
        self.ha = self.Heads(6)
        self.hb = self.Heads(4, heads=4)
        self.hc = nn.Sequential(self.Heads(6, width=6), self.Heads(6, width=6))

    def forward(self, a: Tensor, b: Tensor, c: Tensor) -> dict[str, Tensor]:
        return {"a": torch.cat((self.ha(a), self.hc(c)), 1), "b": self.hb(b)}


@handwritten
class GatesInALoop(nn.Module):
    class Gate(nn.Module):
        def __init__(self, c: int, axis: int = 1, keep: float = 0.5, act: float = 0.1) -> None:
            super().__init__()
            self.conv = nn.Conv1d(c, c, 3, padding="same")
            self.numbers = axis, keep, act

        def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            axis, keep, act = self.numbers
            conv = F.leaky_relu(self.conv(x), act)
            mixed = keep * conv.softmax(axis) * x + (1 - keep) * y
            return F.leaky_relu(self.conv(mixed), act), mixed

    def __init__(self) -> None:
        super().__init__()
        self.run = nn.ModuleList([self.Gate(3, 1), self.Gate(3, 2, 1), self.Gate(3, 1, 0.25)])
        self.other = self.Gate(4, act=0.3)

    def forward(self, a: Tensor, b: Tensor, c: Tensor) -> dict[str, Tensor]:
        x, y = a, b
        for gate in self.run:
            x, y = gate(x, y)
        for _ in range(3):
            x, y = x + y, x
        return {"x": x, "y": y, "c": self.other(c, c)[1]}


@handwritten
class TwoTowersOfCategories(nn.Module):
    class Embed(nn.Module):
        def __init__(self, count: int, width: int) -> None:
            super().__init__()
            self.table = nn.Embedding(count, width)

    def tower(self, *widths: int) -> nn.Module:
        pairs = pairwise(widths)
        return nn.Sequential(
            nn.Sequential(*[nn.Sequential(nn.Linear(a, b), nn.Dropout(0.2)) for a, b in pairs])
        )

    def __init__(self) -> None:
        super().__init__()
        self.user_vec = self.Embed(10, 4)
        self.item_vec = self.Embed(20, 3)
        self.items = nn.Sequential(nn.Flatten(), nn.Linear(12, 4))
        self.deep = self.tower(9, 8, 4)
        self.wide = self.tower(1, 2, 3, 4)

    def forward(self, user: Tensor, item: Tensor, age: Tensor) -> Tensor:
        items = self.items(self.item_vec.table(item))
        deep, wide = torch.cat((self.user_vec.table(user), items, age), 1), age
        for linear, drop in self.deep[0]:
            deep = drop(linear(deep).relu())
        for linear, drop in self.wide[0]:
            wide = drop(linear(wide).relu())
        return torch.sigmoid((deep * wide).sum(1))


@handwritten
class PortsInBlocksInChains(nn.Module):
    class Both(nn.Module):
        def __init__(self, c: int) -> None:
            super().__init__()
            self.run = nn.LSTM(c, c + 1, bidirectional=True, batch_first=True)

        def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            out, (hidden, _) = self.run(torch.cat((x, y), 2).transpose(1, 2))
            return torch.tanh(hidden[0]), out.mean(1), out

    class Half(nn.Module):
        def __init__(self, c: int) -> None:
            super().__init__()
            self.b = PortsInBlocksInChains.Both(c)
            self.a = nn.ReLU()

    def __init__(self) -> None:
        super().__init__()
        self.end = nn.Linear(9, 1)
        self.ab = self.Both(2)
        one, two = nn.Conv1d(6, 14, 1), nn.Conv1d(14, 15, 1)
        self.up = nn.Sequential(nn.Sequential(one), nn.Sequential(two), self.Half(15))

    def forward(self, a: Tensor, b: Tensor, d: Tensor) -> dict[str, Tensor]:
        first, mean, whole = self.ab(a, b)
        up = self.up[1](self.up[0](d))
        end = self.end(torch.cat((first, mean), 1))
        return {"end": end, "whole": whole, "up": self.up[2].b(up, up)[1]}


# the tests


def test_every_spec_has_a_model_by_hand() -> None:
    assert [*CASES] == [*SPECS]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_spec_is_the_model_by_hand(case: Case) -> None:
    graph = mg.loads(case.text)
    assert_same_weights(graph, case.reference)
    for sizes in two_sizes(graph):
        assert_same_results(graph, case.reference, sizes)
    assert_no_local_outlives_its_last_use(graph)


@pytest.mark.parametrize("name", MODELS)
def test_the_first_specs_are_their_models_by_hand_bit_by_bit(name: str) -> None:
    graph = mg.load(ROOT / "specs" / f"{name}.yaml")
    assert_same_weights(graph, MODELS[name])
    assert_same_results(graph, MODELS[name], choose_sizes(graph.typed, {}), exact=True)


def assert_same_weights(graph: mg.Graph, reference: type[nn.Module]) -> None:
    ours, theirs = seeded(graph.compile).state_dict(), seeded(reference).state_dict()
    assert list(ours) == list(theirs)
    assert [key for key in ours if not torch.equal(ours[key], theirs[key])] == []


def assert_same_results(
    graph: mg.Graph, reference: type[nn.Module], sizes: dict[str, int], exact: bool = False
) -> None:
    """Check that outputs and gradients are the same, and shapes and dtypes as inferred."""
    compiled, by_hand = seeded(graph.compile), seeded(reference)
    inputs = seeded_inputs(graph.typed, BATCH, 0, sizes)
    ours, theirs = run(compiled, inputs), run(by_hand, inputs)
    assert_same(ours, theirs, exact)
    assert_same(gradients(compiled, ours), gradients(by_hand, theirs), exact)
    for tensor, type_ in zip(ours.values(), graph.outputs.values(), strict=True):
        expected = [substitute(dim, sizes | {"N": BATCH}) for dim in type_.shape]
        assert [*tensor.shape] == expected
        assert str(tensor.dtype) == f"torch.{type_.dtype}"


def test_the_source_is_formatted_and_independent_of_mimgraph(tmp_path: Path) -> None:
    """ruff finds nothing to report or reformat, and mimgraph is not mentioned."""
    for name, case in CASES.items():
        source = mg.loads(case.text).source()
        assert "mimgraph" not in source, name
        (tmp_path / f"{name}.py").write_text(source)
    assert_ruff_leaves(tmp_path)


def test_no_local_of_the_gallery_outlives_its_last_use(spec: Path) -> None:
    assert_no_local_outlives_its_last_use(mg.load(spec))


def assert_no_local_outlives_its_last_use(graph: mg.Graph) -> None:
    for function in ast.walk(ast.parse(graph.source())):
        if isinstance(function, ast.FunctionDef) and function.name == "forward":
            assert list(dead_locals(function)) == []


def dead_locals(function: ast.FunctionDef) -> Iterator[str]:
    """Yield each local that is still alive after a statement although nothing reads it later."""
    inputs = {a.arg for a in (*function.args.args, *function.args.kwonlyargs)}
    lists = dict(appended(function))  # what a list holds takes no memory of its own
    alive: set[str] = set()
    for index, statement in enumerate(function.body):
        later = function.body[index + 1 :]
        if isinstance(statement, ast.If) and isinstance(statement.body[-1], ast.Return):
            continue  # locals of a branch that returns do not reach the rest
        names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
        alive |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
        for inner in ast.walk(statement):  # variables of a comprehension are local to it
            if isinstance(inner, ast.comprehension):
                alive -= {node.id for node in ast.walk(inner.target) if isinstance(node, ast.Name)}
        if isinstance(statement, ast.For):  # loop variables are modules and numbers, not tensors
            alive -= {node.id for node in ast.walk(statement.target) if isinstance(node, ast.Name)}
        alive -= {node.id for node in names if isinstance(node.ctx, ast.Del)}
        if later and isinstance(later[0], ast.Delete) or isinstance(statement, ast.Return):
            continue
        if later and is_alias(statement) and is_alias(later[0]):
            continue  # second names take no memory, and one `del` comes after all of them
        for name in alive - inputs:
            if not read_first(name, later) and lists.get(name) not in alive:
                yield f"{name} after {ast.unparse(statement)}"


def appended(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """Yield each local that is appended to a list, with the list."""
    for node in ast.walk(function):
        match node:
            case ast.Call(ast.Attribute(ast.Name(steps), "append"), [ast.Name(name)]):
                yield name, steps


def is_alias(statement: ast.stmt) -> bool:
    """Return whether a statement only gives a second name to a value."""
    return isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Name)


def read_first(name: str, statements: list[ast.stmt]) -> bool:
    """Return whether the statements read the name before they bind it again."""
    for statement in statements:
        names = [n for n in ast.walk(statement) if isinstance(n, ast.Name) and n.id == name]
        if any(isinstance(node.ctx, ast.Load) for node in names):
            return True
        if names:
            return False
    return False
