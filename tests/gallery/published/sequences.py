"""References of models that forecast series and translate texts."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.gallery.published import reference


class Explain(nn.Module):
    """Return the rest of the past and the sum of forecasts, of a basis: Oreshkin et al. 2019."""

    def __init__(self, lookback: int, width: int, past: Tensor, future: Tensor) -> None:
        super().__init__()
        hidden = [
            nn.Sequential(nn.Linear(size, width), nn.ReLU()) for size in (lookback, *3 * [width])
        ]
        self.theta = nn.Sequential(nn.Sequential(*hidden))
        self.back = nn.Linear(width, len(past), bias=False)
        self.ahead = nn.Linear(width, len(past), bias=False)
        self.past, self.future = past, future

    def forward(self, x: Tensor, forecast: Tensor) -> tuple[Tensor, Tensor]:
        theta = self.theta(x)
        return x - self.back(theta) @ self.past, forecast + self.ahead(theta) @ self.future


def powers(size: int, degree: int) -> Tensor:
    """Return the basis of trends, equation 2."""
    t = torch.arange(size) / size
    return torch.stack([t**p for p in range(degree)])


def waves(size: int, horizon: int) -> Tensor:
    """Return the basis of seasons, equation 3."""
    t = torch.arange(size) / size
    numbers = range(horizon // 2)
    cosines = [torch.cos(2 * math.pi * i * t) for i in numbers]
    return torch.stack(cosines + [torch.sin(2 * math.pi * i * t) for i in numbers])


@reference("nbeats", lookback=12, horizon=6, trend_width=8, season_width=10, degree=3)
class NBeats(nn.Module):
    def __init__(
        self, lookback: int, horizon: int, trend_width: int, season_width: int, degree: int
    ) -> None:
        super().__init__()
        self.horizon = horizon
        trends = powers(lookback, degree), powers(horizon, degree)
        seasons = waves(lookback, horizon), waves(horizon, horizon)
        self.trend = Explain(lookback, trend_width, *trends)
        self.season = Explain(lookback, season_width, *seasons)

    def forward(self, series: Tensor) -> Tensor:
        x, forecast = series, torch.zeros(len(series), self.horizon)
        for block in 3 * [self.trend] + 3 * [self.season]:
            x, forecast = block(x, forecast)
        return forecast


class Search(nn.Module):
    """One step of the decoder: Bahdanau et al. 2014, appendix A.2.2."""

    def __init__(self, embedding: int, hidden: int, align: int, maxout: int) -> None:
        super().__init__()
        self.query = nn.Linear(hidden, align, bias=False)
        self.weights = nn.Sequential(nn.Linear(align, 1, bias=False))
        gates = embedding + 3 * hidden
        self.update, self.reset, self.proposal = (nn.Linear(gates, hidden) for _ in range(3))
        self.deep = nn.Linear(hidden + embedding + 2 * hidden, 2 * maxout)

    def forward(
        self, word: Tensor, state: Tensor, memory: Tensor, keys: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        energy = self.weights(torch.tanh(self.query(state)[:, None] + keys))[..., 0]
        weights = energy.softmax(1)
        context = (weights[..., None] * memory).sum(1)
        x = torch.cat((word, context, state), 1)
        update, reset = self.update(x).sigmoid(), self.reset(x).sigmoid()
        proposal = self.proposal(torch.cat((word, context, reset * state), 1)).tanh()
        deep = self.deep(torch.cat((state, word, context), 1))
        maxout = torch.maximum(deep[:, 0::2], deep[:, 1::2])
        return maxout, weights, (1 - update) * state + update * proposal


@reference(
    "bahdanau",
    sizes={"S": 5, "T": 4},
    source_words=30,
    target_words=20,
    embedding=6,
    hidden=8,
    align=7,
    maxout=5,
)
class RNNsearch(nn.Module):
    def __init__(
        self,
        source_words: int,
        target_words: int,
        embedding: int,
        hidden: int,
        align: int,
        maxout: int,
    ) -> None:
        super().__init__()
        self.source_emb = nn.Embedding(source_words, embedding)
        self.memory = nn.GRU(embedding, hidden, batch_first=True, bidirectional=True)
        self.keys = nn.Linear(2 * hidden, align)
        self.start = nn.Linear(hidden, hidden)
        self.words = nn.Embedding(target_words, embedding)
        self.decoder = Search(embedding, hidden, align, maxout)
        self.logits = nn.Linear(maxout, target_words)

    def forward(self, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        memory, (_, last) = self.memory(self.source_emb(source))
        keys, state = self.keys(memory), torch.tanh(self.start(last))
        outputs, alignment = [], []
        for word in self.words(target).transpose(0, 1):
            out, weights, state = self.decoder(word, state, memory, keys)
            outputs.append(out)
            alignment.append(weights)
        return self.logits(torch.stack(outputs, 1)), torch.stack(alignment, 1)


class Normed(nn.Sequential):
    """Normalise each feature over samples and patches."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.add_module("1", nn.BatchNorm1d(width))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.mT).mT


class PatchLayer(nn.Module):
    def __init__(self, width: int, heads: int, ff: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.first_norm = Normed(width)
        self.ff = nn.ModuleDict({"0": nn.Linear(width, ff), "3": nn.Linear(ff, width)})
        self.out = Normed(width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first_norm(x + self.attention(x, x, x)[0])
        return self.out(x + self.ff["3"](F.gelu(self.ff["0"](x))))


class PatchForecast(nn.Module):
    """Nie et al. 2022, of one series: (N, L) -> (N, horizon)."""

    def __init__(
        self, lookback: int, horizon: int, patch: int, width: int, heads: int, ff: int, depth: int
    ) -> None:
        super().__init__()
        self.patch = patch
        count = (lookback - patch) // 8 + 2
        self.patches = nn.Conv1d(1, width, patch)
        self.places = nn.Parameter(torch.empty(count, width))
        layers = [PatchLayer(width, heads, ff) for _ in range(depth)]
        self.states = nn.ModuleDict({"1": nn.Sequential(*layers)})
        self.ahead = nn.ModuleDict({"1": nn.Linear(count * width, horizon)})

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(1, keepdim=True)
        scale = (x.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
        plain = (x - mean) / scale
        padded = torch.cat((plain, *8 * [plain[:, -1:]]), 1)
        weight = self.patches.weight[:, 0]
        tokens = padded.unfold(1, self.patch, 8) @ weight.T + self.patches.bias + self.places
        states = self.states["1"](tokens).mT.flatten(1)
        return self.ahead["1"](states) * scale + mean


@reference(
    "patchtst",
    channels=3,
    lookback=40,
    horizon=5,
    patch=16,
    width=8,
    heads=2,
    ff=12,
    depth=2,
)
class PatchTST(nn.Module):
    """Forecast channel by channel."""

    def __init__(self, channels: int, **sizes: int) -> None:
        super().__init__()
        self.forecast = PatchForecast(**sizes)

    def forward(self, series: Tensor) -> Tensor:
        if self.training:  # norms see all series at once
            return self.forecast(series.flatten(0, 1)).unflatten(0, series.shape[:2])
        return torch.stack([self.forecast(one) for one in series.unbind(1)], 1)


class Scaled(nn.Module):
    def __init__(self, before: int, hidden: int, hyper: int, code: int) -> None:
        super().__init__()
        self.linear = nn.Linear(before, hidden, bias=False)
        self.z = nn.Linear(hyper, code)
        self.d = nn.Linear(code, hidden, bias=False)

    def forward(self, x: Tensor, hyper: Tensor) -> Tensor:
        rows = self.d(self.z(hyper)).unsqueeze(2) * self.linear.weight  # (N, hidden, before)
        return (rows @ x.unsqueeze(2)).squeeze(2)


class Gate(nn.Module):
    """Ha et al. 2016, equations 11 and 12: the weights of each sample are made, then used."""

    def __init__(self, before: int, hidden: int, hyper: int, code: int) -> None:
        super().__init__()
        self.from_h = Scaled(hidden, hidden, hyper, code)
        self.from_x = Scaled(before, hidden, hyper, code)
        self.z = nn.Linear(hyper, code, bias=False)
        self.bias = nn.Linear(code, hidden)
        self.out = nn.LayerNorm(hidden)

    def forward(self, x: Tensor, h: Tensor, hyper: Tensor) -> Tensor:
        return self.out(self.from_h(h, hyper) + self.from_x(x, hyper) + self.bias(self.z(hyper)))


class HyperCell(nn.Module):
    def __init__(self, before: int, hidden: int, hyper: int, code: int) -> None:
        super().__init__()
        self.hyper = nn.LSTMCell(hidden + before, hyper)
        self.i, self.g, self.f, self.o = (Gate(before, hidden, hyper, code) for _ in range(4))
        self.normed = nn.LayerNorm(hidden)


@reference("hyper_lstm", vocab=20, embedding=5, hidden=8, hyper=6, code=3, sizes={"T": 4})
class HyperLSTM(nn.Module):
    def __init__(self, vocab: int, embedding: int, hidden: int, hyper: int, code: int) -> None:
        super().__init__()
        self.emb = nn.Embedding(vocab, embedding)
        self.states = HyperCell(embedding, hidden, hyper, code)
        self.logits = nn.Linear(hidden, vocab)

    def forward(self, characters: Tensor) -> Tensor:
        cell, outputs = self.states, []
        h = c = torch.zeros(len(characters), cell.normed.normalized_shape[0])
        state = None
        for x in self.emb(characters).unbind(1):
            state = cell.hyper(torch.cat((h, x), 1), state)
            i, g, f, o = (gate(x, h, state[0]) for gate in (cell.i, cell.g, cell.f, cell.o))
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * cell.normed(c).tanh()
            outputs.append(self.logits(h))
        return torch.stack(outputs, 1)
