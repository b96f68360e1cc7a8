"""Models of several modalities, each against the formulas of its paper in plain torch.

The classes take the spec's params and name their weights as the spec does; each is compared at the
real size in its weights, and at a small one in its outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.codegen.runner import choose_sizes, seeded_inputs
from tests.conftest import ROOT
from tests.gallery import on_meta, randomise


class Case(NamedTuple):
    reference: type[nn.Module]
    small: Mapping[str, int]


CASES: dict[str, Case] = {}


def paper(spec: str, **small: int) -> Callable[[type[nn.Module]], type[nn.Module]]:
    """The spec that the decorated class is the paper's formulas for, and params for quick outputs."""

    def register(reference: type[nn.Module]) -> type[nn.Module]:
        CASES[spec] = Case(reference, small)
        return reference

    return register


def gallery(name: str, params: Mapping[str, int]) -> mg.Graph:
    return mg.load(ROOT / "specs" / f"{name}.yaml", params=params)


def final(lstm: nn.Module, x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """The state after the last step of each sample, each read by itself."""
    ends = [x.shape[1]] * len(x) if lengths is None else lengths.tolist()
    return torch.cat([lstm(x[i : i + 1, :end])[1][0][-1] for i, end in enumerate(ends)])


def classifier(width: int, hidden: int, classes: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, classes)
    )


@paper("early_fusion", hidden=8)
class EarlyFusion(nn.Module):
    def __init__(self, hidden: int = 128) -> None:
        super().__init__()
        self.lstm = nn.LSTM(409, hidden, batch_first=True)
        self.sentiment = classifier(hidden, hidden, 1, 0.2)

    def forward(self, text: Tensor, audio: Tensor, video: Tensor, length: Tensor) -> Tensor:
        return self.sentiment(final(self.lstm, torch.cat((text, audio, video), 2), length))


@paper("late_fusion", hidden=8)
class LateFusion(nn.Module):
    def __init__(self, hidden: int = 128) -> None:
        super().__init__()
        self.text_lstm = nn.LSTM(300, hidden, batch_first=True)
        self.audio_lstm = nn.LSTM(74, hidden, batch_first=True)
        self.video_lstm = nn.LSTM(35, hidden, batch_first=True)
        self.sentiment = classifier(3 * hidden, hidden, 1, 0.2)

    def forward(self, text: Tensor, audio: Tensor, video: Tensor) -> Tensor:
        ends = (
            final(self.text_lstm, text),
            final(self.audio_lstm, audio),
            final(self.video_lstm, video),
        )
        return self.sentiment(torch.cat(ends, 1))


class Maxout(nn.Sequential):
    """The larger of two affine maps, feature by feature."""

    def __init__(self, width: int) -> None:
        super().__init__(nn.Linear(width, 2 * width))

    def forward(self, x: Tensor) -> Tensor:
        one, other = super().forward(x).chunk(2, 1)
        return torch.maximum(one, other)


@paper("gated_fusion", hidden=8)
class GatedFusion(nn.Module):
    """Arevalo et al. 2017, equations 1 to 4."""

    def __init__(self, hidden: int = 512) -> None:
        super().__init__()
        self.poster_norm = nn.BatchNorm1d(4096)
        self.plot_norm = nn.BatchNorm1d(300)
        self.fused = nn.ModuleDict(
            {
                "hidden0": nn.Linear(4096, hidden, bias=False),
                "hidden1": nn.Linear(300, hidden, bias=False),
                "gate": nn.Linear(4396, hidden, bias=False),
            }
        )
        norms = nn.BatchNorm1d(hidden), nn.BatchNorm1d(hidden)
        maxouts = Maxout(hidden), Maxout(hidden)
        self.logits = nn.Sequential(
            norms[0], maxouts[0], norms[1], nn.Dropout(0.5), maxouts[1], nn.Linear(hidden, 23)
        )

    def forward(self, poster: Tensor, plot: Tensor) -> Tensor:
        v, t = self.poster_norm(poster), self.plot_norm(plot)
        h_v, h_t = self.fused["hidden0"](v).tanh(), self.fused["hidden1"](t).tanh()
        z = self.fused["gate"](torch.cat((v, t), 1)).sigmoid()
        return self.logits(z * h_v + (1 - z) * h_t)


class SubNetworks(nn.Module):
    """A vector of each modality, as TFN and LMF make them."""

    def __init__(self, text_width: int, dropout: float) -> None:
        super().__init__()
        lstm = nn.LSTM(300, 128, batch_first=True)
        self.text_vec = nn.ModuleList([lstm, nn.Dropout(dropout), nn.Linear(128, text_width)])
        self.audio_vec = self.subnet(74, dropout)
        self.video_vec = self.subnet(35, dropout)

    @staticmethod
    def subnet(width: int, dropout: float) -> nn.Sequential:
        chain: list[nn.Module] = [nn.BatchNorm1d(width), nn.Dropout(dropout)]
        for size in (width, 32, 32):
            chain += [nn.Linear(size, 32), nn.ReLU()]
        return nn.Sequential(*chain)

    def tensor(self, text: Tensor, audio: Tensor, video: Tensor) -> Tensor:
        """[1; text] x [1; audio] x [1; video], as the authors of TFN compute it."""
        lstm, drop, linear = self.text_vec
        t = linear(drop(final(lstm, text)))
        t, a, v = (
            F.pad(x, (1, 0), value=1) for x in (t, self.audio_vec(audio), self.video_vec(video))
        )
        pairs = torch.bmm(t.unsqueeze(2), a.unsqueeze(1)).flatten(1)
        return torch.bmm(pairs.unsqueeze(2), v.unsqueeze(1)).flatten(1)


@paper("tensor_fusion", width=32)
class TensorFusion(SubNetworks):
    def __init__(self, width: int = 32) -> None:
        super().__init__(128, 0.2)
        self.sentiment = nn.Sequential(
            nn.Dropout(0.2),
            nn.Linear(129 * 33 * 33, 128),
            nn.ReLU(),
            nn.Linear(128, 128),
            nn.ReLU(),
            nn.Linear(128, 1),
            nn.Sigmoid(),
        )

    def forward(self, text: Tensor, audio: Tensor, video: Tensor) -> Tensor:
        return self.sentiment(self.tensor(text, audio, video))


@paper("low_rank_fusion", hidden=16)
class LowRankFusion(SubNetworks):
    """Liu et al. 2018, equation 5: the weight of the whole tensor, made of its factors."""

    def __init__(self, hidden: int = 64, rank: int = 4) -> None:
        super().__init__(hidden, 0.15)
        widths = {"factor0": hidden, "factor1": 32, "factor2": 32}
        self.sentiment = nn.ModuleDict({k: nn.Linear(w, rank) for k, w in widths.items()})

    def forward(self, text: Tensor, audio: Tensor, video: Tensor) -> Tensor:
        factors = [torch.cat((m.bias[:, None], m.weight), 1) for m in self.sentiment.values()]
        weight = torch.einsum("rt,ra,rv->tav", *factors).flatten()
        return self.tensor(text, audio, video) @ weight[:, None]


class Look(nn.Module):
    def __init__(self, width: int, attended: int) -> None:
        super().__init__()
        self.query_proj = nn.Linear(width, attended)
        self.region_proj = nn.Linear(width, attended, bias=False)
        self.weights = nn.Sequential(nn.Dropout(0.5), nn.Linear(attended, 1))

    def forward(self, query: Tensor, regions: Tensor) -> Tensor:
        hidden = torch.tanh(self.region_proj(regions) + self.query_proj(query)[:, None])
        weights = self.weights(hidden).softmax(1)
        return (weights * regions).sum(1) + query


@paper("vqa_attention", hidden=16, attended=12, answers=7)
class StackedAttention(nn.Module):
    """Yang et al. 2016, equations 13 to 22."""

    def __init__(self, hidden: int = 1024, attended: int = 512, answers: int = 3000) -> None:
        super().__init__()
        self.places = nn.Sequential(nn.Identity(), nn.Linear(512, hidden), nn.Tanh())
        self.words = nn.Embedding(14000, 500)
        self.lstm = nn.LSTM(500, hidden, batch_first=True)
        self.refined = nn.ModuleList([Look(hidden, attended) for _ in range(2)])
        self.logits = nn.Sequential(nn.Dropout(0.5), nn.Linear(hidden, answers))

    def forward(self, regions: Tensor, question: Tensor, length: Tensor) -> Tensor:
        places = self.places(regions.reshape(len(regions), 512, 196).mT)
        query = final(self.lstm, self.words(question), length)
        for look in self.refined:
            query = look(query, places)
        return self.logits(query)


@pytest.mark.parametrize("name", CASES)
def test_has_the_papers_weights(name: str) -> None:
    with torch.device("meta"):
        theirs = CASES[name].reference()
    ours = on_meta(gallery(name, {}))
    assert shapes(ours) == shapes(theirs)


def shapes(model: nn.Module) -> dict[str, torch.Size]:
    return {key: tensor.shape for key, tensor in model.state_dict().items()}


@pytest.mark.parametrize("name", CASES)
def test_computes_the_papers_formulas(name: str) -> None:
    reference, small = CASES[name]
    graph = gallery(name, small)
    theirs, ours = reference(**small).eval(), graph.compile().eval()
    randomise(theirs)
    ours.load_state_dict(theirs.state_dict())
    inputs = seeded_inputs(graph.typed, 3, 0, choose_sizes(graph.typed, {}))
    with torch.no_grad():
        expected, actual = theirs(*inputs.values()), ours(**inputs)
    scale = expected.abs().max().item()
    assert expected.std(0).max() > 1e-2 * scale  # else samples look alike, and nothing is told
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4 * scale)
