"""Equal modules become one block with params, and those in a row one node."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.conftest import sampled
from tests.importer.blocks import modules as m
from tests.importer.roundtrip import body_of, check_specs, round_trip

IMAGE = [(4, 8, 8)]
ROWS = [(4,), (4,)]


def cases() -> dict[str, tuple[nn.Module, Any]]:
    return {
        "params, one of which is a size of the input": (
            nn.Sequential(
                m.Widen(4, 4), m.Widen(4, 6, 2), m.Widen(6, 6), m.Widen(6, 9, 2), m.Widen(9, 9)
            ),
            IMAGE,
        ),
        "a ModuleList of equal modules": (
            m.Listed([m.Residual(4), m.Residual(4), m.Residual(4)]),
            IMAGE,
        ),
        "arguments that differ along a ModuleList": (
            m.Listed([m.Residual(4), m.Residual(4, 5)]),
            IMAGE,
        ),
        "an expression of a param that three uses confirm": (
            m.Listed([m.Residual(4), m.Residual(4, 5), m.Residual(4)], [1, 0, 2]),
            IMAGE,
        ),
        "a mask that all read": (
            m.Listed([m.Masked(4), m.Masked(4)]),
            ROWS,
        ),
        "several tensors handed on by their names": (
            m.Pairs(4, 3),
            [(4,)],
        ),
        "one module again and again": (
            m.Again(m.Residual(4), 3),
            IMAGE,
        ),
        "modules whose results are read by others keep nodes of their own": (
            m.Collected([m.Residual(4), m.Residual(4)]),
            IMAGE,
        ),
        "a ModuleList of different modules": (
            m.Listed([nn.Conv2d(4, 4, 1), m.Residual(4), nn.ReLU()]),
            IMAGE,
        ),
    }


def test_spec_has_equal_modules_once(rewrite: bool) -> None:
    torch.manual_seed(0)
    specs = {name: body_of(round_trip(*case)) for name, case in cases().items()}
    check_specs(Path(__file__).with_name("specs.md"), specs, rewrite)


def test_keys_of_modules_in_order_stay() -> None:
    listed = m.Listed([m.Masked(4), m.Masked(4)])
    assert dict(round_trip(listed, ROWS).keys) == {}


def test_keys_of_modules_out_of_order_are_mapped() -> None:
    keys = round_trip(m.Listed([nn.Linear(4, 4), nn.Linear(4, 4)], [1, 0]), [(4,)]).keys
    assert keys["layers_1.weight"] == "layers.1.weight"
    assert keys["layers_0.bias"] == "layers.0.bias"


@pytest.mark.parametrize("seed", sampled(range(12), 4))
def test_random_nested_modules(seed: int) -> None:
    torch.manual_seed(seed)
    module = m.random_module(random.Random(seed), 4)
    round_trip(m.Again(module, 1), [(4, 5, 5)])


@pytest.mark.parametrize("seed", sampled(range(6), 3))
def test_random_nested_modules_tidied(seed: int) -> None:
    torch.manual_seed(seed)
    module = m.random_module(random.Random(seed + 50), 4)
    round_trip(m.Again(module, 1), [(4, 5, 5)], tidy=True)
