"""Models of sound equal the formulas of their papers in plain torch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.gallery import assert_same_model, gallery

DILATIONS = [2**i for i in range(10)] * 3


class Unit(nn.Module):
    """Equation 3 of WaveNet, z = tanh(W_f * x + V_f h) sigmoid(W_g * x + V_g h); figure 4 around it."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.heard = nn.Conv1d(64, 128, 2, dilation=dilation)
        self.voice = nn.Linear(16, 128, bias=False)
        self.change = nn.Conv1d(64, 64, 1)
        self.skip = nn.Conv1d(64, 256, 1)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        f, g = (self.heard(F.pad(x, (self.dilation, 0))) + self.voice(h)[:, :, None]).split(64, 1)
        z = f.tanh() * g.sigmoid()
        return x + self.change(z), self.skip(z)


class WaveNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.voice = nn.Embedding(109, 16)
        self.stem = nn.Conv1d(256, 64, 2)
        self.units = nn.ModuleList(map(Unit, DILATIONS))
        self.first, self.second = nn.Conv1d(256, 256, 1), nn.Conv1d(256, 256, 1)

    def forward(self, waveform: Tensor, speaker: Tensor) -> Tensor:
        codes = F.one_hot(waveform, 256).float().transpose(1, 2)
        x, h = self.stem(F.pad(codes, (1, 0))), self.voice(speaker)
        skips = []
        for unit in self.units:
            x, skip = unit(x, h)
            skips.append(skip)
        return self.second(self.first(sum(skips).relu()).relu())


def test_wavenet_equals_the_paper() -> None:
    generator = torch.Generator().manual_seed(0)
    waveform = torch.randint(256, (2, 600), generator=generator)
    graph = gallery("wavenet")
    assert_same_model(graph, WaveNet(), waveform=waveform, speaker=torch.tensor([3, 80]))


def test_wavenet_depends_on_the_past_only() -> None:
    """3 cycles reach back 3 x 1023 samples, and the first convolution one more; logits at t are of
    the sample after t."""
    model = gallery("wavenet").compile().eval()
    before = torch.zeros(1, 3200, dtype=torch.int64)
    after = before.clone()
    after[:, 50] = 1
    speaker = torch.tensor([0])
    with torch.no_grad():
        change = model(waveform=after, speaker=speaker) - model(waveform=before, speaker=speaker)
    (heard,) = change[0].abs().amax(0).nonzero(as_tuple=True)
    assert heard.min() == 50 and heard.max() == 50 + 3 * 1023 + 1
