import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(768)
        self.attention = nn.MultiheadAttention(768, 12, dropout=0.1, batch_first=True)
        self.attended = nn.Dropout(0.1)
        self.mlp = nn.Sequential(
            nn.LayerNorm(768),
            nn.Linear(768, 3072),
            nn.GELU("tanh"),
            nn.Linear(3072, 768),
            nn.Dropout(0.1),
        )

    def forward(self, x: Tensor) -> Tensor:
        attended = self.norm(x)  # (N, T, 768)
        attended = self.attention(
            attended,
            attended,
            attended,
            attn_mask=torch.ones(
                attended.shape[1],
                attended.shape[1],
                dtype=torch.bool,
                device=attended.device,
            ).triu(1),
            is_causal=True,
            need_weights=False,
        )[0]  # (N, T, 768)
        attended = self.attended(attended)  # (N, T, 768)
        mixed = x + attended  # (N, T, 768)
        del attended
        mlp = self.mlp(mixed)  # (N, T, 768)
        return mixed + mlp


class GPT2(nn.Module):
    """GPT-2, the small one: each token's guess of the next, by the embedding that reads it, too
    (Radford et al. 2019; the same as Hugging Face's GPT2LMHeadModel).

    Input: tokens (N, T) int64. Output: logits (N, T, 50257). At run time T <= 1024.

    tokens: byte pair numbers
    """

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(50257, 768)
        self.places = nn.Embedding(1024, 768)
        self.states = nn.Sequential(
            nn.Dropout(0.1),
            nn.Sequential(*[Layer() for _ in range(12)]),
            nn.LayerNorm(768),
        )

    def forward(self, *, tokens: Tensor) -> Tensor:
        words = self.words(tokens)  # (N, T, 768)
        places = torch.arange(tokens.shape[1], device=tokens.device)  # (T,)
        places = self.places(places)  # (T, 768)
        states = words + places  # (N, T, 768)
        del words, places
        states = self.states(states)  # (N, T, 768)
        return F.linear(states, self.words.weight)
