"""The lengths of an example batch are the axes at which the model runs with another size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mimgraph.importer.inputs.bind import bind
from mimgraph.importer.inputs.given import from_text
from mimgraph.importer.inputs.lengths import Lengths, Runs, find_lengths, fixed_shapes
from mimgraph.importer.inputs.model import ForwardInputs
from mimgraph.importer.inputs.values import values


class Model(nn.Module):
    """Takes words and their mask of any length, five categories, and two kinds of floats."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(10, 4)
        self.lstm = nn.LSTM(3, 4, batch_first=True)
        self.conv = nn.Conv1d(6, 2, 3)
        self.cats = nn.Linear(5, 2)

    def forward(
        self, words: Tensor, mask: Tensor, sound: Tensor, signal: Tensor, cats: Tensor
    ) -> Any:
        x = (self.words(words) * mask[..., None]).sum(1)
        y, _ = self.lstm(sound)
        return x, y, self.conv(signal), self.cats(cats.float())


def runs_of(model: nn.Module) -> Runs:
    def runs(tried: ForwardInputs, sizes: Mapping[str, int]) -> bool:
        args, kwargs = tried.call(values(tried.inputs, 3, sizes, 0))
        try:
            model(*args, **kwargs)
        except RuntimeError:
            return False
        return True

    return runs


def found(model: nn.Module, given: Any, *more: str) -> Lengths:
    return find_lengths(bind(model, given, map(from_text, more)), runs_of(model))


BATCH = {
    "words": torch.randint(10, (2, 7)),
    "mask": torch.ones(2, 7, dtype=torch.bool),
    "sound": torch.randn(2, 11, 3),
    "signal": torch.randn(2, 6, 20),
    "cats": torch.randint(3, (2, 5)),
}


def test_lengths_are_found() -> None:
    given, sizes = found(Model(), BATCH)
    shapes = {one.name: one.shape for one in given.inputs}
    assert shapes == {
        "words": ("T",),
        "mask": ("T",),
        "sound": ("S", 3),
        "signal": (6, 20),
        "cats": (5,),
    }
    assert sizes == {"T": 7, "S": 11}


def test_sizes_that_are_equal_by_chance_are_told_apart() -> None:
    batch = {**BATCH, "words": torch.randint(10, (2, 5)), "mask": torch.ones(2, 5)}
    batch["sound"] = torch.randn(2, 5, 3)
    given, sizes = found(Model(), batch, "words=T", "mask=T")
    shapes = {one.name: one.shape for one in given.inputs}
    assert shapes["sound"] == ("S", 3) and shapes["cats"] == (5,)
    assert sizes == {"T": 5, "S": 5}


def test_shapes_without_an_example_stay() -> None:
    given, sizes = found(nn.LSTM(3, 4, batch_first=True), {"input": (7, 3)})
    assert given.inputs[0].shape == (7, 3) and sizes == {}


def test_multiples_of_a_size_are_solved() -> None:
    images = torch.zeros(2, 3, 32, 17)
    _, sizes = found(nn.Conv2d(3, 2, 3), {"input": images}, "input=3,8*H,2*W + 1")
    assert sizes == {"H": 4, "W": 8}


class Masked(nn.Module):
    """Weighs steps by a mask, so that both have one length; an image of any size, and 8 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 2, 3), nn.Linear(8, 2)

    def forward(self, steps: Tensor, mask: Tensor, image: Tensor, last: Tensor) -> Any:
        return (steps * mask[..., None]).sum(1), self.conv(image).mean((2, 3)), self.fc(last)


def test_numbers_are_fixed_sizes_where_the_model_runs_with_others() -> None:
    shapes = {"steps": (8, "K"), "mask": (8,), "image": (3, 8, 9), "last": (8,)}
    model = Masked()

    assert [tuple(one) for one in fixed_shapes(bind(model, shapes), runs_of(model), {"K": 5})] == [
        ("steps", (8, "K"), ("T", "K")),
        ("mask", (8,), ("T",)),
        ("image", (3, 8, 9), (3, "H", "W")),
    ]
