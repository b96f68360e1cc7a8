import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Rearrange(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (12, -1)).transpose(1, 2)


class Rearrange2(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).flatten(2)


class Heads(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Linear(768, 768), Rearrange())


class Attend(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query = Heads()
        self.key = Heads()
        self.value = Heads()
        self.out = nn.Sequential(Rearrange2(), nn.Linear(768, 768), nn.Dropout(0.1))

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        query = self.query(x)  # (N, 12, T, 64)
        key = self.key(x)  # (N, 12, T, 64)
        value = self.value(x)  # (N, 12, T, 64)
        seen = F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=real[:, None, None],
            dropout_p=0.1 if self.training else 0.0,
        )  # (N, 12, T, 64)
        del query, key, value
        return self.out(seen)


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = Attend()
        self.norm = nn.LayerNorm(768, eps=1e-12)
        self.ff = nn.Sequential(
            nn.Linear(768, 3072),
            nn.GELU(),
            nn.Linear(3072, 768),
            nn.Dropout(0.1),
        )
        self.ff_norm = nn.LayerNorm(768, eps=1e-12)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        attention = self.attention(x, real)  # (N, T, 768)
        norm = x + attention  # (N, T, 768)
        del attention
        norm = self.norm(norm)  # (N, T, 768)
        ff = self.ff(norm)  # (N, T, 768)
        ff_sum = norm + ff  # (N, T, 768)
        del norm, ff
        return self.ff_norm(ff_sum)


class Bert(nn.Module):
    """BERT-base, the encoder of one text or a pair of them: the states of all tokens, and a pooled
    one of the first (Devlin et al. 2018, arXiv 1810.04805; the same as Hugging Face's BertModel).

    Inputs: tokens (N, T) int64, segments (N, T) int64, padding (N, T) bool. Outputs:
    states (N, T, 768), pooled (N, 768). At run time T <= 512.

    tokens: WordPiece numbers, [CLS] first

    segments: 0 in the first text and 1 in the second

    padding: true where there is no token
    """

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(30522, 768, padding_idx=0)
        self.places = nn.Embedding(512, 768)
        self.texts = nn.Embedding(2, 768)
        self.normed = nn.Sequential(nn.LayerNorm(768, eps=1e-12), nn.Dropout(0.1))
        self.states = nn.ModuleList([Layer() for _ in range(12)])
        self.pooled = nn.Linear(768, 768)

    def forward(self, *, tokens: Tensor, segments: Tensor, padding: Tensor) -> dict[str, Tensor]:
        words = self.words(tokens)  # (N, T, 768)
        places = torch.arange(tokens.shape[1], device=tokens.device)  # (T,)
        places = self.places(places)  # (T, 768)
        texts = self.texts(segments)  # (N, T, 768)
        states = words + places + texts  # (N, T, 768)
        del words, places, texts
        states = self.normed(states)  # (N, T, 768)
        real = ~padding  # (N, T)
        for layer in self.states:
            states = layer(states, real)  # (N, T, 768)
        del real
        pooled = states.select(1, 0)  # (N, 768)
        pooled = torch.tanh(self.pooled(pooled))  # (N, 768)
        return {"states": states, "pooled": pooled}
