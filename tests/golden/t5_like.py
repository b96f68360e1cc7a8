import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _sinusoid(length: int, width: int) -> Tensor:
    """Positions as sine and cosine, interleaved (Vaswani et al., 2017): (length, width)."""
    rates = 10000 ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(length).unsqueeze(1) * rates
    return torch.stack((angles.sin(), angles.cos()), 2).flatten(1)[:, :width]


class Feed(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.RMSNorm(512, eps=1e-06),
            nn.Linear(512, 2048, bias=False),
            nn.ReLU(),
            nn.Linear(2048, 512, bias=False),
        )


class Read(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(512, eps=1e-06)
        self.attention = nn.MultiheadAttention(512, 8, bias=False, batch_first=True)
        self.fed = Feed()

    def forward(self, x: Tensor, padding: Tensor) -> Tensor:
        attention = self.norm(x)  # (N, S, 512)
        attention = self.attention(
            attention,
            attention,
            attention,
            key_padding_mask=padding,
            need_weights=False,
        )[0]  # (N, S, 512)
        mixed = x + attention  # (N, S, 512)
        del attention
        fed = self.fed(mixed)  # (N, S, 512)
        return mixed + fed


class Write(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(512, eps=1e-06)
        self.attention = nn.MultiheadAttention(512, 8, bias=False, batch_first=True)
        self.cross_norm = nn.RMSNorm(512, eps=1e-06)
        self.cross = nn.MultiheadAttention(512, 8, bias=False, batch_first=True)
        self.fed = Feed()

    def forward(self, x: Tensor, memory: Tensor, padding: Tensor) -> Tensor:
        attention = self.norm(x)  # (N, T, 512)
        attention = self.attention(
            attention,
            attention,
            attention,
            attn_mask=torch.ones(
                attention.shape[1],
                attention.shape[1],
                dtype=torch.bool,
                device=attention.device,
            ).triu(1),
            is_causal=True,
            need_weights=False,
        )[0]  # (N, T, 512)
        mixed = x + attention  # (N, T, 512)
        del attention
        cross = self.cross_norm(mixed)  # (N, T, 512)
        cross = self.cross(cross, memory, memory, key_padding_mask=padding, need_weights=False)[0]
        crossed = mixed + cross  # (N, T, 512)
        del mixed, cross
        fed = self.fed(crossed)  # (N, T, 512)
        return crossed + fed


class T5Like(nn.Module):
    """An encoder of one text and a decoder of another in the manner of T5-small: RMSNorm, no bias
    anywhere, one embedding for all (Raffel et al. 2019, arXiv 1910.10683). Its positions are the
    sinusoids of Vaswani et al. 2017; those of T5, relative ones in buckets, are in t5_encoder.yaml.

    Inputs: source (N, S) int64, padding (N, S) bool, target (N, T) int64. Output:
    logits (N, T, 32128). At run time S <= 512, T <= 512.

    source: the text to read

    padding: true where the source has no token

    target: the text to write, a step late
    """

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(32128, 512)
        self.places = nn.Buffer(_sinusoid(512, 512))
        self.read = nn.ModuleList([Read() for _ in range(6)])
        self.memory = nn.RMSNorm(512, eps=1e-06)
        self.written = nn.ModuleList([Write() for _ in range(6)])
        self.states = nn.RMSNorm(512, eps=1e-06)

    def forward(self, *, source: Tensor, padding: Tensor, target: Tensor) -> Tensor:
        words = self.words(source)  # (N, S, 512)
        target_words = self.words(target)  # (N, T, 512)
        source_places = self.places[: source.shape[1]]  # (S, 512)
        target_places = self.places[: target.shape[1]]  # (T, 512)
        read = words + source_places  # (N, S, 512)
        del words, source_places
        written = target_words + target_places  # (N, T, 512)
        del target_words, target_places
        for layer in self.read:
            read = layer(read, padding)  # (N, S, 512)
        memory = self.memory(read)  # (N, S, 512)
        del read
        for layer in self.written:
            written = layer(written, memory, padding)  # (N, T, 512)
        del memory
        states = self.states(written)  # (N, T, 512)
        del written
        return F.linear(states, self.words.weight)
