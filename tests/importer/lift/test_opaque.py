"""Tests of modules and functions that stay Python: their layers in the spec, outputs and keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.imported import Imported
from mimgraph.importer.returned import tensors
from tests.conftest import needed


class Scale(nn.Module):
    """Returns a tensor, and one in a dict, so that its results are nested."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.inner = nn.ModuleList([nn.Linear(width, 2 * width)])
        self.register_buffer("shift", torch.ones(2 * width), persistent=False)

    def forward(
        self, x: Tensor, masks: list[Tensor], by: float = 1.0, length: int = 0
    ) -> tuple[Tensor, dict[str, Tensor]]:
        y = (self.inner[0](x) + self.shift) * by * masks[0][..., None] + length
        return y, {"sum": y.sum(1)}


class Nested(nn.Module):
    """Gives a module a list of tensors, a number, and a number that is a size."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = Scale()
        self.head = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y, more = self.scale(x, [x[..., 0]], by=0.5, length=x.shape[1])
        return self.head(y), more["sum"]


class Pair(nn.Module):
    """Returns a dict, whose keys are the ports."""

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"sum": x.sum(-1), "largest": x.argmax(-1)}


class Ports(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pair = Pair()

    def forward(self, x: Tensor) -> Tensor:
        found = self.pair(x)
        return found["sum"] + found["largest"]


class Twins(nn.Module):
    """Calls two modules that are alike but for their weights, one of them twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Scale(), Scale()

    def forward(self, x: Tensor) -> Tensor:
        ones = [x[..., 0]]
        return self.first(x, ones)[0] + self.second(x, ones)[0] + self.first(x + 1, ones)[0]


class Distance(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.cdist(x, x + 1)


class InPlace(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = x * 2
        return y.atan2_(x)


class Case(NamedTuple):
    model: Callable[[], nn.Module]
    opaque: tuple[str, ...]
    lines: tuple[str, ...]  # some lines of the spec


CASES = [
    Case(
        Nested,
        ("scale",),
        (
            "scale: {layer: Scale, from: {x: x, masks_0: select}}",
            "out1: scale.1}",
        ),
    ),
    Case(
        Ports,
        ("pair",),
        ("pair: {layer: Pair, from: x}", "{merge: add, from: [pair.sum, pair.largest]}"),
    ),
    Case(
        Twins,
        ("first", "second"),
        ("second: {layer: Scale, from: {x: x, masks_0: ones}}", "share: first"),
    ),
    Case(Distance, (), ("layer: Cdist, from: {x1: x, x2: ",)),
    Case(InPlace, (), ("layer: Atan2, from: {input: ",)),
]


def differences(model: nn.Module, imported: Imported, *inputs: Tensor) -> list[float]:
    """Return the largest difference of each output from the output of the model."""
    ours = imported.compile()
    with torch.no_grad():
        wanted = tensors(model.eval()(*inputs))
        found = tensors(ours(**dict(zip(imported.graph.inputs, inputs, strict=True))))
    return [float((a - b).abs().max()) for a, b in zip(wanted, found, strict=True)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.model.__name__)
def test_what_stays_python_is_a_layer(case: Case) -> None:
    model = case.model()
    imported = mg.from_module(model, {"x": ("T", 4)}, opaque=case.opaque)
    text = imported.graph.dumps()
    for line in case.lines:
        assert line in text
    assert set(imported.compile().state_dict()) == set(model.state_dict())
    for batch, length in ((2, 9), (4, 6)):
        assert not any(differences(model, imported, torch.randn(batch, length, 4)))


class Hidden(nn.Module):
    """Gives a module an object, which no spec builds, and a tensor that is no buffer."""

    def __init__(self, table: Tensor, options: Mapping[str, Any]) -> None:
        super().__init__()
        self.look = Look()
        self.table = [table]
        self.options = options

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.look(x, self.table[0], self.options)
        return y


class Options:
    by = 3


class Look(nn.Module):
    def forward(self, x: Tensor, table: Tensor, options: Options) -> Tensor:
        return x * table * options.by


def test_an_object_is_kept_in_the_layer_and_a_tensor_is_a_buffer() -> None:
    model = Hidden(torch.randn(5, 100), Options())  # type: ignore[arg-type]
    imported = mg.from_module(model, {"x": (5, 100)}, opaque=["look"])
    assert "look: {layer: Look, from: {x: x, table: constant}}" in imported.graph.dumps()
    assert not any(differences(model, imported, torch.randn(3, 5, 100)))
    assert set(imported.compile().state_dict()) == {"constant"}


def test_modules_that_differ_have_layers_of_different_names() -> None:
    model = Twins()
    model.second.shift += 1
    imported = mg.from_module(model, {"x": ("T", 4)}, opaque=["first", "second"])
    assert "second: {layer: Second, " in imported.graph.dumps()
    assert not any(differences(model, imported, torch.randn(3, 5, 4)))


def test_a_second_import_does_not_change_the_first() -> None:
    small = mg.from_module(Nested(), {"x": ("T", 4)}, opaque=["scale"])
    other = Nested()
    other.scale.shift += 1
    mg.from_module(other, {"x": ("T", 4)}, opaque=["scale"])
    assert not small.graph.compile().scale.shift.ne(1).any()
    again = mg.loads(small.graph.dumps())
    assert not again.compile().scale.shift.ne(1).any()


def test_a_function_whose_result_is_not_read_is_no_layer() -> None:
    class Unread(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            torch.cdist(x, x)
            return x + 1

    imported = mg.from_module(Unread(), {"x": ("T", 4)})
    assert "Cdist" not in imported.graph.dumps()
    assert imported.data()["opaque"] == []


def test_functions_that_are_random_do_not_become_layers() -> None:
    class Noise(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + torch.bernoulli(x.sigmoid())

    with pytest.raises(Exception, match="bernoulli"):
        mg.from_module(Noise(), {"x": (3,)})


class Last(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(4, 3, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.rnn(x)[1].transpose(0, 1)
        return result


def test_a_result_whose_first_axis_is_not_the_batch_is_refused() -> None:
    with pytest.raises(Exception, match=r"result 1 of GRU is \(1, N, 3\), whose first axis"):
        mg.from_module(Last(), {"x": ("T", 4)}, opaque=["rnn"])


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(4, 3, batch_first=True)
        self.head = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Any:
        states, _ = self.rnn(x)
        return self.head(states)


def test_a_result_that_nothing_reads_may_have_the_batch_elsewhere() -> None:
    found = mg.from_module(Recurrent(), {"x": ("T", 4)}, opaque=["rnn"])
    assert found.proven
    assert [one["path"] for one in found.data()["opaque"]] == ["rnn"]


class DropsPaths(nn.Module):
    def __init__(self, **options: bool) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.drop_path = needed("timm.layers.drop").DropPath(0.3, **options)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.drop_path(self.fc(x))


@pytest.mark.slow
def test_a_dropped_path_is_a_layer() -> None:
    found = mg.from_module(DropsPaths(), {"x": (4,)})
    assert found.data()["proven"]
    assert "DropPath" in found.graph.dumps()
    assert not found.data()["opaque"]


@pytest.mark.slow
def test_a_dropped_path_that_does_not_scale_stays_python() -> None:
    found = mg.from_module(DropsPaths(scale_by_keep=False), {"x": (4,)})
    (opaque,) = found.data()["opaque"]
    assert "does not scale" in opaque["message"]
