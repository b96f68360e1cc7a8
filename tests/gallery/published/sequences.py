"""References of models that forecast series and translate texts."""

from __future__ import annotations

import math

import torch
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
