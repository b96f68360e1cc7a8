"""Equal modules become one block with params, and those in a row one node."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch import nn

from tests.importer.blocks import modules as m
from tests.importer.roundtrip import body_of, round_trip

IMAGE = [(4, 8, 8)]
ROWS = [(4,), (4,)]

CASES: dict[str, tuple[nn.Module, Any, str]] = {
    "params, one of which is a size of the input": (
        nn.Sequential(
            m.Widen(4, 4), m.Widen(4, 6, 2), m.Widen(6, 6), m.Widen(6, 9, 2), m.Widen(9, 9)
        ),
        IMAGE,
        """
blocks:
  widen:
    inputs: {x: [C, H, W]}
    nodes:
      conv: {layer: Conv2d, from: x, out_channels: $C, kernel_size: 3, padding: 1}
      sum: {merge: add, from: [conv, x]}
    outputs: sum
  widen_shortcut:
    params: {out_channels: null}
    inputs: [x]
    nodes:
      conv:
        layer: Conv2d
        from: x
        out_channels: $out_channels
        kernel_size: 3
        stride: 2
        padding: 1
      shortcut: {layer: Conv2d, from: x, out_channels: $out_channels, kernel_size: 1, stride: 2}
      sum: {merge: add, from: [conv, shortcut]}
    outputs: sum
nodes:
  layers: {from: input, seq: [widen, {widen_shortcut: 6}, widen, {widen_shortcut: 9}, widen]}
""",
    ),
    "a ModuleList of equal modules": (
        m.Listed([m.Residual(4), m.Residual(4), m.Residual(4)]),
        IMAGE,
        """
nodes:
  layers: {block: residual, from: x, repeat: 3}
""",
    ),
    "arguments that differ along a ModuleList": (
        m.Listed([m.Residual(4), m.Residual(4, 5)]),
        IMAGE,
        """
nodes:
  layers: {block: residual, from: x, repeat: {with: {kernel_size: [3, 5], padding: [1, 2]}}}
""",
    ),
    "an expression of a param that three uses confirm": (
        m.Listed([m.Residual(4), m.Residual(4, 5), m.Residual(4)], [1, 0, 2]),
        IMAGE,
        """
blocks:
  residual:
    params: {kernel_size: 3}
    inputs: [x]
    nodes:
      conv:
        layer: Conv2d
        from: x
        out_channels: 4
        kernel_size: $kernel_size
        padding: $(kernel_size // 2)
      sum: {merge: add, from: [x, conv]}
    outputs: sum
nodes:
  layers_1: {block: residual, from: x, repeat: {with: {kernel_size: [5, 3, 3]}}}
""",
    ),
    "a mask that all read": (
        m.Listed([m.Masked(4), m.Masked(4)]),
        ROWS,
        """
nodes:
  layers: {block: masked, from: {x: x, mask: mask}, repeat: 2}
""",
    ),
    "several tensors handed on by their names": (
        m.Pairs(4, 3),
        [(4,)],
        """
  pair:
    inputs: [x, y]
    nodes:
      a: {layer: Linear, from: x, out_features: 4}
      sum: {merge: add, from: [a, y]}
      b: {layer: Linear, from: y, out_features: 4}
    outputs: {x: sum, y: b}
nodes:
  layers_0: {block: pair_2, from: x}
  layers_1: {block: pair, from: {x: layers_0.sum, y: layers_0.b}, repeat: 2}
""",
    ),
    "one module again and again": (
        m.Again(m.Residual(4), 3),
        IMAGE,
        """
nodes:
  layer: {block: residual, from: x, repeat: {times: 3, shared: true}}
""",
    ),
    "modules whose results are read by others keep nodes of their own": (
        m.Collected([m.Residual(4), m.Residual(4)]),
        IMAGE,
        """
nodes:
  layers_0: {block: residual, from: x}
  layers_1: {block: residual, from: layers_0}
""",
    ),
    "a ModuleList of different modules": (
        m.Listed([nn.Conv2d(4, 4, 1), m.Residual(4), nn.ReLU()]),
        IMAGE,
        """
nodes:
  layers: {from: x, seq: [{Conv2d: {out_channels: 4, kernel_size: 1}}, residual, ReLU]}
""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_spec_has_equal_modules_once(name: str) -> None:
    module, inputs, text = CASES[name]
    found = round_trip(module, inputs)
    assert text.lstrip("\n") in body_of(found)


def test_keys_of_modules_in_order_stay() -> None:
    listed = m.Listed([m.Masked(4), m.Masked(4)])
    assert dict(round_trip(listed, ROWS).keys) == {}


def test_keys_of_modules_out_of_order_are_mapped() -> None:
    keys = round_trip(m.Listed([nn.Linear(4, 4), nn.Linear(4, 4)], [1, 0]), [(4,)]).keys
    assert keys["layers_1.weight"] == "layers.1.weight"
    assert keys["layers_0.bias"] == "layers.0.bias"


@pytest.mark.parametrize("seed", range(12))
def test_random_nested_modules(seed: int) -> None:
    torch.manual_seed(seed)
    module = m.random_module(random.Random(seed), 4)
    round_trip(m.Again(module, 1), [(4, 5, 5)])


@pytest.mark.parametrize("seed", range(6))
def test_random_nested_modules_tidied(seed: int) -> None:
    torch.manual_seed(seed)
    module = m.random_module(random.Random(seed + 50), 4)
    round_trip(m.Again(module, 1), [(4, 5, 5)], tidy=True)
