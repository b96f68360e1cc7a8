import torch
from torch import Tensor, nn


class Select(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.select(1, 0)


class Reglu(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        parts_0, parts_1 = x.chunk(2, -1)  # each (N, 15, 256)
        return parts_0 * torch.relu(parts_1)


class Ffn(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.LayerNorm(192),
            nn.Linear(192, 512),
            Reglu(),
            nn.Dropout(0.1),
            nn.Linear(256, 192),
        )

    def forward(self, x: Tensor) -> Tensor:
        mlp = self.mlp(x)  # (N, 15, 192)
        return x + mlp


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(192)
        self.attention = nn.MultiheadAttention(192, 8, dropout=0.2, batch_first=True)
        self.out = Ffn()

    def forward(self, x: Tensor) -> Tensor:
        attention = self.norm(x)  # (N, 15, 192)
        attention = self.attention(attention, attention, attention, need_weights=False)[0]
        mixed = x + attention  # (N, 15, 192)
        del attention
        return self.out(mixed)


class FTTransformer(nn.Module):
    """Every column as a word of a transformer, numbers too, and a class token that gathers what
    they say (Gorishniy et al. 2021, arXiv 2106.11959, default sizes, for the Adult census; the same
    as rtdl's).

    Inputs: numbers (N, 6), workclass (N,) int64, education (N,) int64, marital (N,) int64,
    occupation (N,) int64, relationship (N,) int64, race (N,) int64, sex (N,) int64, country (N,)
    int64. Output: rich (N, 1).
    """

    def __init__(self) -> None:
        super().__init__()
        self.class_token = nn.Parameter(nn.init.normal_(torch.empty(1, 1, 192), std=0.02))
        self.scale = nn.Parameter(nn.init.normal_(torch.empty(6, 192), std=0.02))
        self.shift = nn.Parameter(torch.zeros(14, 192))
        self.emb = nn.ModuleDict(
            {
                "workclass": nn.Embedding(9, 192),
                "education": nn.Embedding(16, 192),
                "marital": nn.Embedding(7, 192),
                "occupation": nn.Embedding(15, 192),
                "relationship": nn.Embedding(6, 192),
                "race": nn.Embedding(5, 192),
                "sex": nn.Embedding(2, 192),
                "country": nn.Embedding(42, 192),
            }
        )
        self.attention = nn.MultiheadAttention(192, 8, dropout=0.2, batch_first=True)
        self.first = Ffn()
        self.read = nn.Sequential(*[Layer() for _ in range(2)])
        self.rich = nn.Sequential(Select(), nn.LayerNorm(192), nn.ReLU(), nn.Linear(192, 1))

    def forward(
        self,
        *,
        numbers: Tensor,
        workclass: Tensor,
        education: Tensor,
        marital: Tensor,
        occupation: Tensor,
        relationship: Tensor,
        race: Tensor,
        sex: Tensor,
        country: Tensor,
    ) -> Tensor:
        class_token = self.class_token.expand(numbers.shape[0], -1, -1)  # (N, 1, 192)
        number = numbers.unsqueeze(-1)  # (N, 6, 1)
        scaled = number * self.scale  # (N, 6, 192)
        del number
        categories = torch.stack(
            (
                self.emb["workclass"](workclass),
                self.emb["education"](education),
                self.emb["marital"](marital),
                self.emb["occupation"](occupation),
                self.emb["relationship"](relationship),
                self.emb["race"](race),
                self.emb["sex"](sex),
                self.emb["country"](country),
            ),
            1,
        )  # (N, 8, 192)
        columns = torch.cat((scaled, categories), 1)  # (N, 14, 192)
        del scaled, categories
        shifted = columns + self.shift  # (N, 14, 192)
        del columns
        words = torch.cat((class_token, shifted), 1)  # (N, 15, 192)
        del class_token, shifted
        attention = self.attention(words, words, words, need_weights=False)[0]  # (N, 15, 192)
        x = words + attention  # (N, 15, 192)
        del words, attention
        x = self.first(x)  # (N, 15, 192)
        x = self.read(x)  # (N, 15, 192)
        return self.rich(x)
