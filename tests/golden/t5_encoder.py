import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Rearrange(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (8, -1)).transpose(1, 2)


class Rearrange2(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).flatten(2)


class Heads(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Linear(512, 512, bias=False), Rearrange())


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(512, eps=1e-06)
        self.query = Heads()
        self.key = Heads()
        self.value = Heads()
        self.drop = nn.Dropout(0.1)
        self.attention = nn.Sequential(
            Rearrange2(),
            nn.Linear(512, 512, bias=False),
            nn.Dropout(0.1),
        )
        self.ff = nn.Sequential(
            nn.RMSNorm(512, eps=1e-06),
            nn.Linear(512, 2048, bias=False),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Linear(2048, 512, bias=False),
            nn.Dropout(0.1),
        )

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        norm = self.norm(x)  # (N, T, 512)
        query = self.query(norm)  # (N, 8, T, 64)
        key = self.key(norm)  # (N, 8, T, 64)
        value = self.value(norm)  # (N, 8, T, 64)
        del norm
        scores = torch.einsum("nhtd,nhsd->nhts", query, key)  # (N, 8, T, T)
        del query, key
        drop = F.softmax(scores + bias, dim=-1)  # (N, 8, T, T)
        del scores
        drop = self.drop(drop)  # (N, 8, T, T)
        attention = drop @ value  # (N, 8, T, 64)
        del drop, value
        attention = self.attention(attention)  # (N, T, 512)
        mixed = x + attention  # (N, T, 512)
        del attention
        ff = self.ff(mixed)  # (N, T, 512)
        return mixed + ff


class T5Encoder(nn.Module):
    """The encoder of T5-small: attention depends on how far apart two tokens are, in buckets that
    widen with the distance (Raffel et al. 2019, arXiv 1910.10683; the same as Hugging Face's
    T5EncoderModel).

    Inputs: tokens (N, T) int64, padding (N, T) bool. Output: states (N, T, 512).

    tokens: SentencePiece numbers

    padding: true where there is no token
    """

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Sequential(nn.Embedding(32128, 512), nn.Dropout(0.1))
        self.table = nn.Embedding(32, 8)
        self.states = nn.ModuleList([Layer() for _ in range(6)])
        self.normed = nn.Sequential(nn.RMSNorm(512, eps=1e-06), nn.Dropout(0.1))

    def forward(self, *, tokens: Tensor, padding: Tensor) -> Tensor:
        x = self.words(tokens)  # (N, T, 512)
        key_steps = torch.arange(tokens.shape[1], device=tokens.device)  # (T,)
        query_steps = key_steps.unsqueeze(1)  # (T, 1)
        ahead = key_steps - query_steps  # (T, T)
        del key_steps, query_steps
        far = torch.abs(ahead)  # (T, T)
        bias = torch.where(
            far < 8,
            far,
            (8 + torch.log(far / 8) / 2.772588722239781 * 8).clamp(max=15),
        ) + torch.where(ahead > 0, 16, 0)  # (T, T)
        del far, ahead
        bias = bias.to(torch.int64)  # (T, T)
        bias = self.table(bias)  # (T, T, 8)
        bias = bias.permute(2, 0, 1)  # (8, T, T)
        unseen = padding.unsqueeze(1).unsqueeze(2)  # (N, 1, 1, T)
        masked = bias.masked_fill(unseen, float("-inf"))  # (N, 8, T, T)
        del bias, unseen
        for layer in self.states:
            x = layer(x, masked)  # (N, T, 512)
        del masked
        return self.normed(x)
