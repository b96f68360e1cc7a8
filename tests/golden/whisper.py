import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _sines_cosines(length: int, width: int) -> Tensor:
    """Positions as sines, then cosines, at rates from 1 to 1 / 10000: (length, width)."""
    half = width // 2
    angles = torch.arange(length).unsqueeze(1) / 10000 ** (torch.arange(half) / (half - 1))
    return torch.cat((angles.sin(), angles.cos()), 1)


class Rearrange(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (6, -1)).transpose(1, 2)


class Rearrange2(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).flatten(2)


class Rearrange3(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)


class Conv(nn.Sequential):
    def __init__(self, in_channels: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv1d(in_channels, 384, kernel_size=3, stride=stride, padding=1),
            nn.GELU(),
        )


class SplitHeads(nn.Sequential):
    def __init__(self, bias: bool = True) -> None:
        super().__init__(nn.Linear(384, 384, bias=bias), Rearrange())


class Mlp(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.LayerNorm(384), nn.Linear(384, 1536), nn.GELU(), nn.Linear(1536, 384))


class Attend(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.part = nn.ModuleDict(
            {"query": SplitHeads(), "key": SplitHeads(bias=False), "value": SplitHeads()}
        )
        self.out = nn.Sequential(Rearrange2(), nn.Linear(384, 384))

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        seen = F.scaled_dot_product_attention(
            self.part["query"](x),
            self.part["key"](memory),
            self.part["value"](memory),
        )
        return self.out(seen)


class Attend2(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.part = nn.ModuleDict(
            {"query": SplitHeads(), "key": SplitHeads(bias=False), "value": SplitHeads()}
        )
        self.out = nn.Sequential(Rearrange2(), nn.Linear(384, 384))

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        seen = F.scaled_dot_product_attention(
            self.part["query"](x),
            self.part["key"](memory),
            self.part["value"](memory),
            is_causal=True,
        )  # (N, 6, T, 64)
        return self.out(seen)


class Listen(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(384)
        self.attended = Attend()
        self.mlp = Mlp()

    def forward(self, x: Tensor) -> Tensor:
        attended = self.norm(x)  # (N, 1500, 384)
        attended = self.attended(attended, attended)  # (N, 1500, 384)
        mixed = x + attended  # (N, 1500, 384)
        del attended
        mlp = self.mlp(mixed)  # (N, 1500, 384)
        return mixed + mlp


class Write(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(384)
        self.attended = Attend2()
        self.cross_norm = nn.LayerNorm(384)
        self.crossed = Attend()
        self.mlp = Mlp()

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        attended = self.norm(x)  # (N, T, 384)
        attended = self.attended(attended, attended)  # (N, T, 384)
        mixed = x + attended  # (N, T, 384)
        del attended
        cross_norm = self.cross_norm(mixed)  # (N, T, 384)
        crossed = self.crossed(cross_norm, memory)  # (N, T, 384)
        del cross_norm
        joined = mixed + crossed  # (N, T, 384)
        del mixed, crossed
        mlp = self.mlp(joined)  # (N, T, 384)
        return joined + mlp


class Whisper(nn.Module):
    """Whisper tiny: writes down the speech of 30 seconds (Radford et al. 2022, arXiv 2212.04356;
    the same as Hugging Face's WhisperForConditionalGeneration). Two convolutions halve the steps of
    the sound, sinusoids number them.

    Inputs: sound (N, 80, 3000), tokens (N, T) int64. Output: logits (N, T, 51865). At run time T <=
    448.

    sound: log-mel spectrogram, 100 steps a second

    tokens: the text to write, a step late
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(Conv(80), Conv(384, stride=2), Rearrange3())
        self.sinusoids = nn.Buffer(_sines_cosines(1500, 384))
        self.memory = nn.Sequential(nn.Sequential(*[Listen() for _ in range(4)]), nn.LayerNorm(384))
        self.words = nn.Embedding(51865, 384)
        self.place = nn.Embedding(448, 384)
        self.written = nn.ModuleList([Write() for _ in range(4)])
        self.states = nn.LayerNorm(384)

    def forward(self, *, sound: Tensor, tokens: Tensor) -> Tensor:
        stem = self.stem(sound)  # (N, 1500, 384)
        memory = stem + self.sinusoids  # (N, 1500, 384)
        del stem
        memory = self.memory(memory)  # (N, 1500, 384)
        words = self.words(tokens)  # (N, T, 384)
        place = torch.arange(tokens.shape[1], device=tokens.device)  # (T,)
        place = self.place(place)  # (T, 384)
        written = words + place  # (N, T, 384)
        del words, place
        for layer in self.written:
            written = layer(written, memory)  # (N, T, 384)
        del memory
        states = self.states(written)  # (N, T, 384)
        del written
        return F.linear(states, self.words.weight)
