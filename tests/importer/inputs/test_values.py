"""Values of inputs are seeded, in range, and agree with each other."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from mimgraph.importer.inputs.model import ModelInput
from mimgraph.importer.inputs.values import values


def made(name: str, shape: tuple[Any, ...], dtype: str = "float32", vocab: int | None = None,
         example: Tensor | None = None, batch: int = 6, seed: int = 0, **sizes: int) -> Tensor:  # fmt: skip
    others = [ModelInput("text", ("T",), "int64", 50, None)]
    inputs = [*others, ModelInput(name, shape, dtype, vocab, example)]
    return values(inputs, batch, {"T": 9, **sizes}, seed)[name]


def test_floats_are_normal() -> None:
    x = made("x", (100, 100), dtype="float64")
    assert x.dtype == torch.float64 and abs(x.mean()) < 0.05 and abs(x.std() - 1) < 0.05


def test_sizes_are_computed() -> None:
    assert made("x", (3, "8*H", "2*T + 1", "H"), H=4).shape == (6, 3, 32, 19, 4)


def test_equal_seeds_give_equal_values() -> None:
    assert torch.equal(made("x", (3,), seed=1), made("x", (3,), seed=1))
    assert not torch.equal(made("x", (3,), seed=1), made("x", (3,), seed=2))


def test_categories_are_below_the_vocab() -> None:
    x = made("city", (40,), "int64", vocab=10)
    assert (x.min(), x.max()) == (0, 9)


MASKS = {
    "bool": made("valid", ("T",), "bool"),
    "ints": made("attention_mask", ("T",), "int64"),
    "floats": made("mask", ("T",)),
    "vocab 2": made("present", ("T",), "int64", vocab=2),
    "rank 3": made("mask", (4, "T"), "bool")[:, 2],
    "torch's": ~made("src_key_padding_mask", ("T",), "bool"),
}


@pytest.mark.parametrize("name", MASKS)
def test_masks_end_with_zeros(name: str) -> None:
    x = MASKS[name].long()
    assert x.shape == (6, 9) and x[:, 0].all() and x[0].all() and not x.all()
    assert torch.equal(x, x.sort(dim=1, descending=True).values)


@pytest.mark.parametrize("name", ["lengths", "text_lengths", "x_lens"])
def test_lengths_agree_with_masks(name: str) -> None:
    inputs = [
        ModelInput("x", ("S", 4), "float32", None, None),
        ModelInput("text", ("T",), "int64", 50, None),
        ModelInput("text_mask", ("T",), "bool", None, None),
        ModelInput("x_mask", ("S",), "bool", None, None),
        ModelInput(name, (), "int64", None, None),
    ]
    found = values(inputs, 6, {"T": 9, "S": 20}, 3)
    mask = found["text_mask" if name.startswith("text") else "x_mask"]
    lengths = found[name]
    assert lengths.max() == mask.shape[1] and lengths.min() >= 1
    assert torch.equal(lengths, mask.sum(1))


def test_a_single_sample_is_whole() -> None:
    assert made("mask", ("T",), "bool", batch=1).all()


EXAMPLES: dict[str, tuple[Tensor, Any]] = {
    "floats": (torch.tensor([[0.25, 0.5]]), lambda x: ((x >= 0.25) & (x <= 0.5)).all()),
    "integers": (torch.tensor([[5, 70]]), lambda x: ((x == 5) | (x == 70)).all() and x.unique().numel() == 2),
    "bytes": (torch.tensor([[5, 70]], dtype=torch.uint8), lambda x: ((x == 5) | (x == 70)).all()),
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_values_are_like_the_example(name: str) -> None:
    example, holds = EXAMPLES[name]
    x = made("x", (40,), str(example.dtype).removeprefix("torch."), example=example)
    assert x.dtype == example.dtype and holds(x)


def test_a_mask_that_is_added_keeps_its_values() -> None:
    example = torch.tensor([[0.0, -torch.inf]])
    x = made("mask", ("T",), example=example)
    assert x[0].eq(0).all() and x[-1, -1] == -torch.inf and not x.isnan().any()


def test_an_example_may_have_values_that_are_not_finite() -> None:
    x = made("x", (40,), example=torch.tensor([[0.0, torch.nan, torch.inf, 1.0]]))
    assert ((x >= 0) & (x <= 1)).all() and x.std() > 0
    assert made("x", (3,), example=torch.tensor([[torch.nan]])).isfinite().all()


def test_other_dtypes() -> None:
    assert made("x", (3,), "complex64").dtype == torch.complex64
    assert made("x", (3,), "bfloat16").dtype == torch.bfloat16
    assert made("x", (99,), "uint8").max() > 100
