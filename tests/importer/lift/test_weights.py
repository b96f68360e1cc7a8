"""Weights are imported once, wherever modules share them, with inits that resemble their values."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import mimgraph as mg
from tests.importer.support import check, nodes

X, IDS = ("T", 6), {"shape": ("T",), "vocab": 11}


class Own(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.shift = nn.Parameter(torch.zeros(6))
        self.gain = nn.Parameter(torch.randn(6) * 0.03)
        self.register_buffer("steps", torch.arange(6))
        self.register_buffer("weights", torch.tensor([1.0, 0.5, 2.0, 1.0, 1.0, 3.0]))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale + self.shift * self.gain + self.steps * self.weights


def test_own_tensors() -> None:
    found = nodes(check(Own(), x=X))
    assert found["scale"] == {"parameter": [], "init": {"constant": 2.0}}
    assert found["shift"] == {"parameter": [6], "init": "zeros"}
    assert found["gain"] == {"parameter": [6], "init": {"normal": {"std": 0.02}}}
    assert found["steps"] == {"buffer": [6], "init": "arange", "dtype": "int64"}
    assert found["weights"] == {"buffer": [6], "init": [1.0, 0.5, 2.0, 1.0, 1.0, 3.0]}


def sinusoid(length: int, width: int) -> Tensor:
    angles = torch.arange(length)[:, None] / 10000 ** (torch.arange(0, width, 2) / width)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


class Positions(nn.Module):
    def __init__(self, persistent: bool) -> None:
        super().__init__()
        self.register_buffer("table", sinusoid(60, 6)[None], persistent=persistent)

    def forward(self, x: Tensor) -> Any:
        return x + self.table[:, : x.size(1)]


@pytest.mark.parametrize("persistent", [True, False])
def test_sinusoid(persistent: bool) -> None:
    found = nodes(check(Positions(persistent), x=X))
    assert found["table"]["init"] == "sinusoid"


class Lists(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.ParameterList([nn.Parameter(torch.randn(6)) for _ in range(2)])
        self.named = nn.ParameterDict({"gate": nn.Parameter(torch.randn(6))})

    def forward(self, x: Tensor) -> Any:
        return x * self.rows[0] + self.rows[1] * self.named["gate"]


def imported(module: nn.Module, **inputs: Any) -> Any:
    """Return the import of a module whose keys may be others; the proof loads its weights."""
    torch.manual_seed(0)
    found = mg.from_module(module, inputs)
    told = found.data()
    assert found.proven and not told["opaque"] and not told["left_out"]
    return found


def test_lists_of_parameters() -> None:
    found = imported(Lists(), x=X)
    assert found.keys == {"rows_0": "rows.0", "rows_1": "rows.1", "named_gate": "named.gate"}


class Tied(nn.Module):
    """A head with the weight of an embedding, which stands in a block if `deep`."""

    def __init__(self, deep: bool, bias: bool) -> None:
        super().__init__()
        self.encoder = Encoder() if deep else nn.Embedding(11, 6)
        self.fc = nn.Linear(6, 6)
        self.head = nn.Linear(6, 11, bias=bias)
        self.head.weight = self.encoder.emb.weight if deep else self.encoder.weight

    def forward(self, ids: Tensor) -> Any:
        return self.head(torch.relu(self.fc(self.encoder(ids))))


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.emb, self.norm = nn.Embedding(11, 6), nn.LayerNorm(6)

    def forward(self, ids: Tensor) -> Tensor:
        return self.norm(self.emb(ids))


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_tied_weight_is_one(deep: bool, bias: bool) -> None:
    ours = imported(Tied(deep, bias), ids=IDS).compile()
    assert sum(one.shape == (11, 6) for one in ours.state_dict().values()) == 1


class Owned(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 6)

    def forward(self, x: Tensor, shared: nn.Module) -> Any:
        return shared(self.fc(x))


class Lends(nn.Module):
    """Two blocks call a layer of the whole model."""

    def __init__(self) -> None:
        super().__init__()
        self.shared, self.one, self.two = nn.Linear(6, 6), Owned(), Owned()

    def forward(self, x: Tensor) -> Any:
        return self.two(self.one(x, self.shared), self.shared)


class Holds(nn.Module):
    def __init__(self, emb: nn.Module) -> None:
        super().__init__()
        self.emb, self.fc = emb, nn.Linear(6, 6)

    def forward(self, ids: Tensor) -> Any:
        return self.fc(self.emb(ids))


class Both(nn.Module):
    """Two blocks own the same block."""

    def __init__(self) -> None:
        super().__init__()
        encoder = Encoder()
        self.one, self.two = Holds(encoder), Holds(encoder)

    def forward(self, ids: Tensor) -> Any:
        return self.one(ids) + self.two(ids)


@pytest.mark.parametrize(("cls", "given"), [(Lends, {"x": X}), (Both, {"ids": IDS})])
def test_module_in_two_scopes(cls: Any, given: Any) -> None:
    found = imported(cls(), **given)
    assert any("share" in node for node in nodes(found).values())


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(11, 6)

    def forward(self, ids: Tensor) -> Any:
        return F.linear(self.table(ids), self.table.weight), self.table(ids) @ self.table.weight.T


def test_weight_of_a_layer_is_read() -> None:
    check(Functional(), ids=IDS)


class Frozen(nn.Module):
    """Weights that do not learn: of a layer, of a Sequential, of an item of one, and a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.Embedding.from_pretrained(torch.randn(11, 6))
        self.body = nn.Sequential(nn.Linear(6, 6), nn.ReLU()).requires_grad_(False)
        self.head = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 2))
        self.head[0].requires_grad_(False)
        self.shift = nn.Parameter(torch.randn(6), requires_grad=False)

    def forward(self, ids: Tensor) -> Any:
        return self.head(self.body(self.emb(ids)) + self.shift)


def test_frozen_modules_stay_frozen() -> None:
    torch.manual_seed(0)
    found = nodes(check(Frozen(), ids=IDS))
    assert [name for name, node in found.items() if node.get("freeze")] == ["emb", "body", "shift"]
    assert mg.from_module(Frozen(), {"ids": IDS}).proven


def test_model_that_does_not_learn_at_all() -> None:
    found = mg.from_module(Frozen().requires_grad_(False), {"ids": IDS})
    assert found.proven
    assert [name for name, node in nodes(found).items() if node.get("freeze")][-1] == "head"


def test_modules_made_in_forward() -> None:
    class Plain(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return nn.Softmax(dim=-1)(x), nn.ReLU()(x)

    assert [*nodes(check(Plain(), x=X))] == ["softmax", "relu"]


class FrozenNorm(nn.Module):
    """A frozen norm, whose statistics move all the same."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(6).requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x)


def test_a_frozen_norm_is_told() -> None:
    imported = mg.from_module(FrozenNorm(), {"x": (6,)})
    assert imported.proven
    end = "trained here, but not in the module: norm.weight, norm.bias"
    assert str(imported.report).endswith(end)


class Padded(nn.Module):
    padding: ClassVar[int] = 3

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(5, 4))

    def forward(self, text: Tensor) -> Tensor:
        return F.embedding(text, self.table, padding_idx=self.padding) @ self.table.mT


class FromTheEnd(Padded):
    padding = -2


@pytest.mark.parametrize("make", [Padded, FromTheEnd])
def test_the_padding_gets_no_gradient(make: type[nn.Module]) -> None:
    found = mg.from_module(make(), {"text": {"shape": ("T",), "vocab": 5}})
    assert found.proven and not found.data()["opaque"], str(found.report)
    assert "Detach" in found.graph.dumps()
