import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Unsqueeze(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.unsqueeze(-1)


class OneHot(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.one_hot(x, num_classes=256)


class Cast(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.like = nn.Buffer(torch.empty(0, device="cpu"), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x.to(self.like.dtype)


class Transpose(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)


class Causal(nn.Sequential):
    def __init__(self, in_channels: int, width: int, dilation: int = 1) -> None:
        super().__init__(
            nn.ZeroPad1d((dilation, 0)),
            nn.Conv1d(in_channels, width, kernel_size=2, dilation=dilation),
        )


class Unit(nn.Module):
    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.heard = Causal(64, width=128, dilation=dilation)
        self.tint = nn.Sequential(nn.Linear(16, 128, bias=False), Unsqueeze())
        self.change = nn.Conv1d(64, 64, kernel_size=1)
        self.skip = nn.Conv1d(64, 256, kernel_size=1)

    def forward(self, x: Tensor, voice: Tensor) -> tuple[Tensor, Tensor]:
        heard = self.heard(x)  # (N, 128, T)
        tint = self.tint(voice)  # (N, 128, 1)
        sum = heard + tint  # (N, 128, T)
        del heard, tint
        halves_0, halves_1 = sum.chunk(2, 1)  # each (N, 64, T)
        del sum
        gated = torch.tanh(halves_0) * torch.sigmoid(halves_1)  # (N, 64, T)
        del halves_0, halves_1
        change = self.change(gated)  # (N, 64, T)
        out = x + change  # (N, 64, T)
        del change
        skip = self.skip(gated)  # (N, 256, T)
        del gated
        return out, skip


class Layer(nn.Module):
    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.unit = Unit(dilation=dilation)

    def forward(self, x: Tensor, skip: Tensor, voice: Tensor) -> tuple[Tensor, Tensor]:
        unit_x, unit_skip = self.unit(x, voice)  # (N, 64, T), (N, 256, T)
        total = skip + unit_skip  # (N, 256, T)
        del unit_skip
        return unit_x, total


class WaveNet(nn.Module):
    """Raw audio, each sample predicted from the samples before it by dilated causal convolutions
    and the speaker (van den Oord et al. 2016, arXiv 1609.03499, equations 2 and 3; widths and 3
    cycles as is common).

    Inputs: waveform (N, T) int64, speaker (N,) int64. Output: logits (N, 256, T).

    waveform: mu-law codes
    """

    def __init__(self) -> None:
        super().__init__()
        self.voice = nn.Embedding(109, 16)
        self.stem = nn.Sequential(OneHot(), Cast(), Transpose(), Causal(256, width=64))
        self.first = Unit(dilation=1)
        self.layers = nn.ModuleList(
            [
                Layer(dilation=dilation)
                for dilation in (
                    2,
                    4,
                    8,
                    16,
                    32,
                    64,
                    128,
                    256,
                    512,
                    1,
                    2,
                    4,
                    8,
                    16,
                    32,
                    64,
                    128,
                    256,
                    512,
                    1,
                    2,
                    4,
                    8,
                    16,
                    32,
                    64,
                    128,
                    256,
                    512,
                )
            ]
        )
        self.logits = nn.Sequential(
            nn.ReLU(),
            nn.Conv1d(256, 256, kernel_size=1),
            nn.ReLU(),
            nn.Conv1d(256, 256, kernel_size=1),
        )

    def forward(self, *, waveform: Tensor, speaker: Tensor) -> Tensor:
        voice = self.voice(speaker)  # (N, 16)
        stem = self.stem(waveform)  # (N, 64, T)
        layers_x, x = self.first(stem, voice)  # (N, 64, T), (N, 256, T)
        del stem
        for layer in self.layers:
            layers_x, x = layer(layers_x, x, voice)
        del voice, layers_x
        return self.logits(x)
