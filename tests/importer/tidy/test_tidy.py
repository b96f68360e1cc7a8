"""A spec is short without --tidy too: activations, formulas and chains, and keys that stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.importer.roundtrip import body_of, check_specs, round_trip


class Gated(nn.Module):
    """Weighs two tensors by a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.gate = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        a = F.relu(self.fc(x))
        g = torch.sigmoid(self.gate(x))
        z = g * a + (1 - g) * x
        return z


class ReadTwice(nn.Module):
    """Reads what an activation gives, and what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.fc(x)
        return torch.cat([y, F.relu(y)], 1)


class Sums(nn.Module):
    """Adds three tensors, the last in two parts."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.b = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        total = x + self.a(x) + self.b(x)
        return total


class Halves(nn.Module):
    """Multiplies halves, one behind a function, and cubes the difference of two sums."""

    def forward(self, x: Tensor) -> Tensor:
        a, b = x.chunk(2, 1)
        z = torch.tanh(a) * torch.sigmoid(b)
        y = (z - (a + b)) ** 3
        return y


class Head(nn.Module):
    """Pools, flattens and drops between layers with weights."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 6, 3)
        self.act = nn.ReLU(inplace=True)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.none = nn.Identity()
        self.drop = nn.Dropout(0.1)
        self.fc = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.none(self.act(self.conv(x)))
        x = torch.flatten(self.pool(x), 1)
        return F.log_softmax(self.fc(self.drop(x)), dim=1)


class Swish(nn.Module):
    """Multiplies with a sigmoid."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.5 * x)


class Composed(nn.Module):
    """Uses modules of one operation without weights."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.act = Swish()
        self.head = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.act(self.fc(x)))


class Broadcast(nn.Module):
    """Weighs channels: one part of the arithmetic has sizes of 1."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.randn(4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        z = x * x.mean((2, 3), keepdim=True) + self.scale * x
        return z


class DenseLayer(nn.Module):
    """Convolves all that was before it, joined."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(width)
        self.conv = nn.Conv2d(width, 2, 1)

    def forward(self, features: list[Tensor]) -> Tensor:
        return self.conv(F.relu(self.norm(torch.cat(features, 1))))


class DenseBlock(nn.Module):
    """Gives each layer the results of all before it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = DenseLayer(4)
        self.layer2 = DenseLayer(6)
        self.layer3 = DenseLayer(8)

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for layer in (self.layer1, self.layer2, self.layer3):
            features.append(layer(features))
        return torch.cat(features, 1)


class Inner(nn.Module):
    """Runs a ModuleList."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.ModuleList(DenseBlock() for _ in range(1))
        self.more = nn.ModuleList([])

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layer:
            x = layer(x)
        return x


class Heads(nn.Module):
    """Splits heads off and joins them again, between layers."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(8, 8), nn.ReLU())
        self.fc = nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8)
        self.out = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.fc(self.stem(x))).view(x.shape[0], -1, 2, 4).transpose(1, 2)
        z = torch.softmax(y @ y.transpose(2, 3), -1) @ y
        return self.out(z.transpose(1, 2).reshape(x.shape[0], -1, 8))


def cases() -> dict[str, tuple[nn.Module, Any]]:
    return {
        "activations and a formula": (Gated(), [(4,)]),
        "an activation whose source is read elsewhere": (ReadTwice(), [(4,)]),
        "a sum of sums": (Sums(), [(4,)]),
        "functions in formulas": (Halves(), [(4, 3)]),
        "layers without weights in a row": (Head(), [(4, 8, 8)]),
        "modules of one operation": (Composed(), [(4,)]),
        "a broadcast inside a formula": (Broadcast(), [(4, 3, 3)]),
    }


def tidied() -> dict[str, tuple[nn.Module, Any]]:
    return {
        "layers that join all before them": (DenseBlock(), [(4, 8, 8)]),
        "heads": (Heads(), [("T", 8)]),
        "a module that only holds others": (
            nn.Sequential(Inner(), nn.Conv2d(10, 2, 1)),
            [(4, 8, 8)],
        ),
    }


def test_specs_are_short(rewrite: bool) -> None:
    torch.manual_seed(0)
    specs = {}
    for name, (module, inputs) in cases().items():
        found = round_trip(module, inputs)
        assert not found.keys, name
        specs[name] = body_of(found)
    for name, (module, inputs) in tidied().items():
        found = round_trip(module, inputs, tidy=True)
        assert {*found.keys.values()} <= {*module.state_dict()}, name
        specs[f"{name}, with --tidy"] = body_of(found)
    check_specs(Path(__file__).with_name("specs.md"), specs, rewrite)


def test_dense_layers_keep_their_keys_without_tidy() -> None:
    found = round_trip(DenseBlock(), [(4, 8, 8)])
    assert "  layer3: {block: dense_layer, from: layer2}\n" in body_of(found)
    assert not found.keys
