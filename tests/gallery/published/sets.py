"""References of models of graphs, sets, points and trajectories."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.gallery.published import Inputs, reference


def joined_at_random(inputs: Inputs) -> Inputs:
    """Make the edges 0 or 1, in both directions, and none from a node to itself."""
    edges = inputs["edges"].triu(1) > 0.5
    inputs["edges"] = (edges | edges.mT).float()
    return inputs


class GraphConvolution(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.linear = nn.Linear(before, after, bias=False)
        self.bias = nn.Parameter(torch.empty(after))


@reference("gcn", features=6, hidden=5, classes=3, sizes={"V": 7}, prepare=joined_at_random)
class GCN(nn.Module):
    """Kipf and Welling 2016, equation 9."""

    def __init__(self, features: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.first = GraphConvolution(features, hidden)
        self.logits = GraphConvolution(hidden, classes)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        loops = edges + torch.eye(edges.shape[1])
        scale = torch.diag_embed(loops.sum(2) ** -0.5)
        mix = scale @ loops @ scale
        x = F.relu(mix @ self.first.linear(x) + self.first.bias)
        return mix @ self.logits.linear(x) + self.logits.bias


def joined_to_itself(inputs: Inputs) -> Inputs:
    inputs["apart"] &= ~torch.eye(inputs["apart"].shape[1], dtype=torch.bool)
    return inputs


class Attend(nn.Module):
    """Velickovic et al. 2017, equations 1 to 4, pair by pair."""

    def __init__(self, before: int, heads: int, width: int) -> None:
        super().__init__()
        self.linear = nn.ModuleDict({"0": nn.Linear(before, heads * width, bias=False)})
        self.left = nn.Parameter(torch.empty(heads, width))
        self.right = nn.Parameter(torch.empty(heads, width))

    def forward(self, x: Tensor, apart: Tensor) -> Tensor:
        heads, width = self.left.shape
        h = self.linear["0"](x).unflatten(2, (heads, width)).transpose(1, 2)
        nodes = h.shape[2]
        one = h.unsqueeze(3).expand(-1, -1, -1, nodes, -1)
        pairs = torch.cat((one, one.transpose(2, 3)), -1)
        vector = torch.cat((self.left, self.right), 1)[:, None, None]
        scores = F.leaky_relu((pairs * vector).sum(-1), 0.2)
        return scores.masked_fill(apart[:, None], -math.inf).softmax(-1) @ h


@reference("gat", features=6, heads=2, width=4, classes=3, sizes={"V": 5}, prepare=joined_to_itself)
class GAT(nn.Module):
    def __init__(self, features: int, heads: int, width: int, classes: int) -> None:
        super().__init__()
        self.first = Attend(features, heads, width)
        self.second = Attend(heads * width, 1, classes)

    def forward(self, x: Tensor, apart: Tensor) -> Tensor:
        x = F.elu(self.first(x, apart).transpose(1, 2).flatten(2))
        return self.second(x, apart).mean(1)


def conv(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv1d(before, after, 1), nn.BatchNorm1d(after), nn.ReLU())


def fc(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU())


def pooled(before: int, *more: nn.Module) -> nn.Sequential:
    """Return the convolutions of each point, their maximum, and what follows."""
    convs = [conv(one, other) for one, other in ((before, 64), (64, 128), (128, 1024))]
    return nn.Sequential(*convs, Largest(), *more)


class Largest(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.max(2).values


class Turn(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.seen = pooled(channels, fc(1024, 512), fc(512, 256))
        self.offset = nn.Sequential(nn.Linear(256, channels * channels))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        channels = x.shape[1]
        matrix = self.offset(self.seen(x)).view(-1, channels, channels) + torch.eye(channels)
        return (x.mT @ matrix).mT, matrix


@reference("pointnet", classes=5, sizes={"P": 6})
class PointNet(nn.Module):
    """Qi et al. 2016, figure 2."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.turned = Turn(3)
        self.local = nn.Sequential(conv(3, 64), conv(64, 64))
        self.features = Turn(64)
        self.whole = pooled(64)
        head = nn.Linear(256, classes)
        self.logits = nn.Sequential(fc(1024, 512), fc(512, 256), nn.Dropout(0.3), head)

    def forward(self, points: Tensor) -> tuple[Tensor, Tensor]:
        x, matrix = self.features(self.local(self.turned(points)[0]))
        return self.logits(self.whole(x)), matrix


class MAB(nn.Module):
    """Lee et al. 2018, as their code: queries are added to what they see, head by head."""

    def __init__(self, x: int, y: int, width: int, heads: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (
            nn.Sequential(nn.Linear(size, width)) for size in (x, y, y)
        )
        self.joined = nn.ModuleDict({"1": nn.LayerNorm(width)})
        self.ff = nn.Linear(width, width)
        self.out = nn.LayerNorm(width)
        self.heads = heads

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        query = self.query(x)
        parts = [part.chunk(self.heads, 2) for part in (query, self.key(y), self.value(y))]
        seen = [
            q + (q @ k.mT / math.sqrt(query.shape[2])).softmax(2) @ v
            for q, k, v in zip(*parts, strict=True)
        ]
        joined = self.joined["1"](torch.cat(seen, 2))
        return self.out(joined + F.relu(self.ff(joined)))


class ISAB(nn.Module):
    def __init__(self, before: int, width: int, heads: int, inducing: int) -> None:
        super().__init__()
        self.points = nn.Parameter(torch.empty(1, inducing, width))
        self.gather = MAB(width, before, width, heads)
        self.spread = MAB(before, width, width, heads)

    def forward(self, x: Tensor) -> Tensor:
        return self.spread(x, self.gather(self.points.expand(len(x), -1, -1), x))


class PMA(nn.Module):
    def __init__(self, width: int, heads: int, seeds: int) -> None:
        super().__init__()
        self.seed = nn.Parameter(torch.empty(1, seeds, width))
        self.pooled = MAB(width, width, width, heads)

    def forward(self, x: Tensor) -> Tensor:
        return self.pooled(self.seed.expand(len(x), -1, -1), x)


class SAB(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.out = MAB(width, width, width, heads)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(x, x)


@reference(
    "set_transformer", inputs=2, width=8, heads=2, inducing=3, seeds=2, outputs=5, sizes={"S": 6}
)
class SetTransformer(nn.Module):
    def __init__(
        self, inputs: int, width: int, heads: int, inducing: int, seeds: int, outputs: int
    ) -> None:
        super().__init__()
        self.summary = nn.Sequential(
            *(ISAB(inputs, width, heads, inducing), ISAB(width, width, heads, inducing)),
            PMA(width, heads, seeds),
            *(SAB(width, heads), SAB(width, heads)),
            nn.Linear(width, outputs),
        )

    def forward(self, set: Tensor) -> Tensor:
        return self.summary(set)


class Speed(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.out = nn.Sequential(nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, 2))

    def forward(self, y: Tensor) -> Tensor:
        return self.out(y**3)


def runge_kutta(speed: Callable[[Tensor], Tensor], y: Tensor, h: Tensor) -> Tensor:
    """Return y one step later, by the classical tableau."""
    slopes: list[Tensor] = []
    for part in (0, 0.5, 0.5, 1):
        slopes.append(speed(y + h * part * slopes[-1] if slopes else y))
    return y + h * sum(w * k for w, k in zip((1, 2, 2, 1), slopes, strict=True)) / 6


@reference("neural_ode", hidden=6, sizes={"T": 4})
class NeuralODE(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.path = nn.ModuleDict({"k1": Speed(hidden)})

    def forward(self, start: Tensor, times: Tensor, origin: Tensor) -> Tensor:
        y, path = start, []
        for before, until in zip((origin, *times.T), times.T, strict=False):
            y = runge_kutta(self.path["k1"], y, (until - before)[:, None])
            path.append(y)
        return torch.stack(path, 1)
