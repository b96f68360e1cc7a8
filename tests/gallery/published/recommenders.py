"""References of models that recommend: which item is clicked, and which is bought next."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.gallery.published import Inputs, reference


class Heads(nn.Sequential):
    """Project to several heads: (N, F, D) -> (N, heads, F, D')."""

    def __init__(self, width: int, units: int, heads: int) -> None:
        super().__init__(nn.Linear(width, units, bias=False))
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Interact(nn.Module):
    """Song et al. 2019, equations 5 to 8."""

    def __init__(self, width: int, units: int, heads: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (Heads(width, units, heads) for _ in range(3))
        self.kept = nn.Linear(width, units, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        similar = self.query(x) @ self.key(x).mT
        seen = F.softmax(similar, -1) @ self.value(x)
        return F.relu(seen.transpose(1, 2).flatten(2) + self.kept(x))


@reference("autoint", features=50, dim=4, units=8, heads=2, depth=3)
class AutoInt(nn.Module):
    def __init__(self, features: int, dim: int, units: int, heads: int, depth: int) -> None:
        super().__init__()
        self.emb = nn.Embedding(features, dim)
        self.first = Interact(dim, units, heads)
        self.rest = nn.Sequential(*(Interact(units, units, heads) for _ in range(depth - 1)))
        self.click = nn.Sequential(nn.Flatten(), nn.Linear(22 * units, 1), nn.Sigmoid())

    def forward(self, columns: Tensor) -> Tensor:
        return self.click(self.rest(self.first(self.emb(columns))))


class Compressed(nn.Module):
    """Lian et al. 2018, equation 6, map by map."""

    def __init__(self, maps: int, before: int, columns: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(maps, before, columns))

    def forward(self, x: Tensor, columns: Tensor) -> Tensor:
        products = x.unsqueeze(2) * columns.unsqueeze(1)  # (N, H, M, D)
        return torch.stack(
            [(products * weight[..., None]).sum((1, 2)) for weight in self.weight], 1
        )


@reference("xdeepfm", features=50, dim=4, maps=6, width=8)
class XDeepFM(nn.Module):
    def __init__(self, features: int, dim: int, maps: int, width: int) -> None:
        super().__init__()
        self.emb = nn.Embedding(features, dim)
        self.first, self.second, self.third = (
            Compressed(maps, before, 39) for before in (39, maps, maps)
        )
        self.pooled = nn.ModuleDict({"1": nn.Linear(3 * maps, 1, bias=False)})
        self.deep = nn.Sequential(
            nn.Flatten(),
            *(nn.Linear(39 * dim, width), nn.ReLU(), nn.Dropout(0.5)),
            *(nn.Linear(width, width), nn.ReLU(), nn.Dropout(0.5)),
            nn.Linear(width, 1, bias=False),
        )
        self.weights = nn.Embedding(features, 1)
        self.bias = nn.Parameter(torch.empty(1))

    def forward(self, columns: Tensor) -> Tensor:
        emb = x = self.emb(columns)
        crossed = []
        for layer in (self.first, self.second, self.third):
            x = layer(x, emb)
            crossed.append(x.sum(2))
        compressed = self.pooled["1"](torch.cat(crossed, 1))
        linear = self.weights(columns).sum(1)
        return torch.sigmoid(linear + compressed + self.deep(emb) + self.bias)


class SASRecLayer(nn.Module):
    """Kang and McAuley 2018, equations 2 to 5, with the residuals of the authors' code."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.LayerNorm(width, eps=1e-8)
        self.attention = nn.MultiheadAttention(width, 1, batch_first=True)
        self.normed = nn.LayerNorm(width, eps=1e-8)
        self.ff = nn.ModuleDict({key: nn.Linear(width, width) for key in ("0", "3")})

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        query, steps = self.query(x), x.shape[1]
        later = torch.ones(steps, steps, dtype=torch.bool).triu(1)
        x = self.normed(query + self.attention(query, x, x, attn_mask=later)[0])
        return (x + self.ff["3"](F.relu(self.ff["0"](x)))) * real


def padded_at_the_left(inputs: Inputs) -> Inputs:
    inputs["bought"][0, :4] = 0
    return inputs


@reference(
    "sasrec", items=40, dim=8, depth=2, longest=10, sizes={"K": 5}, prepare=padded_at_the_left
)
class SASRec(nn.Module):
    def __init__(self, items: int, dim: int, depth: int, longest: int) -> None:
        super().__init__()
        self.items = nn.Embedding(items, dim, padding_idx=0)
        self.places = nn.Embedding(longest, dim)
        self.states = nn.ModuleList(SASRecLayer(dim) for _ in range(depth))
        self.last = nn.ModuleDict({"0": nn.LayerNorm(dim, eps=1e-8)})

    def forward(self, bought: Tensor, candidates: Tensor) -> Tensor:
        real = (bought != 0).unsqueeze(-1)
        width = self.items.embedding_dim
        x = (self.items(bought) * math.sqrt(width) + self.places.weight) * real
        for layer in self.states:
            x = layer(x, real)
        x = self.last["0"](x[:, -1])
        return (self.items(candidates) @ x.unsqueeze(-1)).squeeze(-1)


class BSTLayer(nn.Module):
    """Chen et al. 2019, equations 2 to 6."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.normed = nn.LayerNorm(width)
        self.ff = nn.Sequential(
            nn.Linear(width, 4 * width), nn.LeakyReLU(), nn.Linear(4 * width, width)
        )
        self.out = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.normed(x + self.attention(x, x, x)[0])
        return self.out(x + self.ff(x))


@reference("bst", items=40, categories=7, profile=5, longest=4, dim=4, heads=2)
class BST(nn.Module):
    def __init__(
        self, items: int, categories: int, profile: int, longest: int, dim: int, heads: int
    ) -> None:
        super().__init__()
        self.clicks = nn.Embedding(items, dim)
        self.click_categories = nn.Embedding(categories, dim)
        self.places = nn.Embedding(64, 2 * dim)
        self.encoded = BSTLayer(2 * dim, heads)
        widths = (profile + (longest + 1) * 2 * dim, 1024, 512, 256, 1)
        layers = [nn.Linear(one, other) for one, other in pairwise(widths)]
        self.click = nn.ModuleDict({str(2 * index): layer for index, layer in enumerate(layers)})

    def forward(
        self,
        clicked: Tensor,
        clicked_categories: Tensor,
        place: Tensor,
        item: Tensor,
        category: Tensor,
        profile: Tensor,
    ) -> Tensor:
        items = torch.cat((clicked, item[:, None]), 1)
        categories = torch.cat((clicked_categories, category[:, None]), 1)
        x = torch.cat((self.clicks(items), self.click_categories(categories)), 2)
        x = torch.cat((profile, self.encoded(x + self.places(place)).flatten(1)), 1)
        *hidden, last = self.click.values()
        for layer in hidden:
            x = F.leaky_relu(layer(x))
        return torch.sigmoid(last(x))
