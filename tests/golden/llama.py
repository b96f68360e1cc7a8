import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Rearrange(nn.Module):
    def __init__(self, h: int) -> None:
        super().__init__()
        self.h = h

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.h, -1)).transpose(1, 2)


class Rearrange2(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).flatten(2)


class Heads(nn.Sequential):
    def __init__(self, count: int) -> None:
        super().__init__(nn.Linear(4096, count * (4096 // 32), bias=False), Rearrange(count))


class Turn(nn.Module):
    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        other = x.roll(64, -1)
        return x * cos + other * sin


class Attend(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query = Heads(count=32)
        self.key = Heads(count=8)
        self.value = Heads(count=8)
        self.turned_query = Turn()
        self.turned_key = Turn()
        self.out = nn.Sequential(Rearrange2(), nn.Linear(4096, 4096, bias=False))

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        query = self.query(x)  # (N, 32, T, 128)
        key = self.key(x)  # (N, 8, T, 128)
        value = self.value(x)  # (N, 8, T, 128)
        turned_query = self.turned_query(query, cos, sin)  # (N, 32, T, 128)
        del query
        turned_key = self.turned_key(key, cos, sin)  # (N, 8, T, 128)
        del key
        seen = F.scaled_dot_product_attention(
            turned_query,
            turned_key,
            value,
            is_causal=True,
            enable_gqa=True,
        )  # (N, 32, T, 128)
        del turned_query, turned_key, value
        return self.out(seen)


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(4096, eps=1e-05)
        self.attention = Attend()
        self.mixed_norm = nn.RMSNorm(4096, eps=1e-05)
        self.gate = nn.Linear(4096, 14336, bias=False)
        self.up = nn.Linear(4096, 14336, bias=False)
        self.down = nn.Linear(14336, 4096, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        norm = self.norm(x)  # (N, T, 4096)
        attention = self.attention(norm, cos, sin)  # (N, T, 4096)
        del norm
        mixed = x + attention  # (N, T, 4096)
        del attention
        mixed_norm = self.mixed_norm(mixed)  # (N, T, 4096)
        gate = F.silu(self.gate(mixed_norm))  # (N, T, 14336)
        up = self.up(mixed_norm)  # (N, T, 14336)
        del mixed_norm
        down = gate * up  # (N, T, 14336)
        del gate, up
        down = self.down(down)  # (N, T, 4096)
        return mixed + down


class Llama(nn.Module):
    """Llama 3 8B: each token's guess of the next. Four heads of queries share one of keys and
    values, and positions turn queries and keys (Grattafiori et al. 2024, arXiv 2407.21783; the same
    as Hugging Face's LlamaForCausalLM).

    Input: tokens (N, T) int64. Output: logits (N, T, 128256).

    tokens: byte pair numbers
    """

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(128256, 4096)
        self.states = nn.ModuleList([Layer() for _ in range(32)])
        self.logits = nn.Sequential(
            nn.RMSNorm(4096, eps=1e-05),
            nn.Linear(4096, 128256, bias=False),
        )

    def forward(self, *, tokens: Tensor) -> Tensor:
        x = self.words(tokens)  # (N, T, 4096)
        step = torch.arange(tokens.shape[1], device=tokens.device)  # (T,)
        step = step.unsqueeze(1)  # (T, 1)
        i = torch.arange(128, device=tokens.device)  # (128,)
        cos = torch.cos(step / 500000 ** (i % 64 / 64)).to(self.words.weight.dtype)  # (T, 128)
        sin = (torch.where(i < 64, -1, 1) * torch.sin(step / 500000 ** (i % 64 / 64))).to(
            self.words.weight.dtype
        )  # (T, 128)
        del i, step
        for layer in self.states:
            x = layer(x, cos, sin)  # (N, T, 4096)
        del cos, sin
        return self.logits(x)
