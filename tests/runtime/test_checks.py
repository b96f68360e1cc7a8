"""`compile(check=True)`: the errors of wrong inputs, copies and pickles of the check, and its cost."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode

import mimgraph as mg
from tests.helpers.cases import each
from tests.helpers.running import saved

SPEC = """
inputs:
  text: {vocab: 20, shape: [T]}
  mask: {shape: [T], dtype: bool}
  image: [3, 8, 8]
nodes:
  words: {layer: Embedding, from: text, embedding_dim: 4}
  channels: {layer: Transpose, from: words, dim0: 1, dim1: 2}
  edges: {from: channels, seq: [{Conv1d: {out_channels: 4, kernel_size: 3}}, {Mean: -1}]}
  halves: {layer: Rearrange, from: words, pattern: "n (t two) c -> n t (two c)", sizes: {two: 2}}
  pairs: {from: halves, seq: [{Mean: 1}, {Linear: 4}]}
  pooled: {merge: mean_pool, from: {input: words, mask: mask}}
  colors: {from: image, seq: [Flatten, {Linear: 4}]}
  sum: {merge: add, from: [edges, pairs, pooled, colors]}
outputs: sum
"""
GRAPH = mg.loads(SPEC)


def inputs(batch: int = 4, steps: int = 12) -> dict[str, Any]:
    return {
        "text": torch.zeros(batch, steps, dtype=torch.int64),
        "mask": torch.ones(batch, steps, dtype=torch.bool),
        "image": torch.rand(batch, 3, 8, 8),
    }


def says(model: nn.Module, given: dict[str, Any]) -> str:
    with pytest.raises(ValueError) as caught:
        model(**given)
    return str(caught.value)


def mask(*shape: int) -> Tensor:
    return torch.ones(shape, dtype=torch.bool)


MISFITS: dict[str, tuple[dict[str, Any], str]] = {
    "a size of two inputs": ({"mask": mask(4, 13)}, "T of text is 12 but T of mask is 13"),
    "the batch": ({"image": torch.rand(5, 3, 8, 8)}, "N of text is 4 but N of image is 5"),
    "a known size": (
        {"image": torch.rand(4, 3, 9, 7)},
        "image has shape (4, 3, 9, 7), not (N, 3, 8, 8)",
    ),
    "the rank": ({"mask": mask(4, 12, 1)}, "mask has shape (4, 12, 1), not (N, T)"),
    "a constraint": (inputs(steps=2), "T >= 3 does not hold: T is 2"),
    "a division": (inputs(steps=13), "T % 2 == 0 does not hold: T is 13"),
    "an empty batch": (inputs(batch=0), "N of text is 0; N of mask is 0; N of image is 0"),
    "too large a number": ({"text": torch.full((4, 12), 20)}, "text has values outside 0 to 19"),
    "a negative number": ({"text": torch.full((4, 12), -1)}, "text has values outside 0 to 19"),
    "integers for floats": (
        {"image": torch.ones(4, 3, 8, 8, dtype=torch.int64)},
        "image has dtype int64, not float32",
    ),
    "floats for integers": ({"text": torch.rand(4, 12)}, "text has dtype float32, not int64"),
    "numbers for a mask": ({"mask": torch.ones(4, 12)}, "mask has dtype float32, not bool"),
    "a value that is not a tensor": ({"mask": [True]}, "mask must be a tensor, not list"),
    "an unknown name": ({"images": 1}, "there is no input 'images'"),
    "all at once": (
        {"image": torch.rand(4, 3), "mask": mask(4, 13), "other": 1},
        "there is no input 'other'; T of text is 12 but T of mask is 13; image has shape (4, 3), "
        + "not (N, 3, 8, 8)",
    ),
}


@each("given, message", MISFITS)
def test_one_error_names_all_that_is_wrong(given: dict[str, Any], message: str) -> None:
    assert says(GRAPH.compile(check=True), inputs() | given) == message


def test_a_missing_input_and_one_given_by_position() -> None:
    model, given = GRAPH.compile(check=True), inputs()
    del given["image"]
    assert says(model, given) == "image is missing"
    with pytest.raises(ValueError, match="inputs are given by name: text, mask, image; write"):
        model(given.pop("text"), **given)


def test_right_inputs_pass() -> None:
    """Floats of another precision pass too, as a model that was cast takes them."""
    model = GRAPH.compile(check=True)
    for given in (inputs(), inputs(1, 4)):
        assert model(**given).shape == (len(given["text"]), 4)
    short = inputs() | {"text": torch.zeros(4, 12, dtype=torch.int32)}
    assert model.bfloat16()(**short | {"image": short["image"].bfloat16()}).dtype == torch.bfloat16


def test_without_values_shapes_and_dtypes_are_checked() -> None:
    """On the meta device, where torch traces shapes, and for one sample in `vmap`."""
    with torch.device("meta"):
        model, given = GRAPH.compile(check=True), inputs()
    assert model(**given).is_meta
    short = given | {"mask": given["mask"][:, 1:]}
    assert says(model, short) == "T of text is 12 but T of mask is 11"
    with FakeTensorMode():
        assert GRAPH.compile(check=True)(**inputs()).shape == (4, 4)
    model, given = GRAPH.compile(check=True), inputs()

    def of_one(sample: dict[str, Tensor]) -> Tensor:
        found: Tensor = model(**{name: x[None] for name, x in sample.items()})
        return found[0]

    torch.testing.assert_close(torch.vmap(of_one)(given), model(**given))


def test_without_the_option_nothing_is_checked() -> None:
    plain, checked = GRAPH.compile(), GRAPH.compile(check=True)
    assert type(plain) is type(checked)
    assert not plain._forward_pre_hooks and not plain._forward_pre_hooks_with_kwargs
    assert plain.state_dict().keys() == checked.state_dict().keys()
    with pytest.raises(TypeError, match="unexpected keyword"):
        plain(**inputs(), other=1)


# --- the check in copies and pickles


COPIES: dict[str, Callable[[nn.Module], Any]] = {
    "copied": copy.deepcopy,
    "pickled": lambda model: pickle.loads(pickle.dumps(model)),
    "saved": saved,
}


@each("kept", COPIES)
def test_the_check_survives_copies_and_pickles(kept: Callable[[nn.Module], Any]) -> None:
    model = GRAPH.compile(check=True)
    other, given = kept(model), inputs()
    torch.testing.assert_close(other(**given), model(**given))
    assert says(other, given | {"mask": mask(4, 13)}) == "T of text is 12 but T of mask is 13"


@pytest.mark.slow
def test_another_process_loads_the_check_from_the_spec(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save(GRAPH.compile(check=True), path)
    code = (
        "import sys, torch\n"
        "model = torch.load(sys.argv[1], weights_only=False)\n"
        "try: model(text=torch.zeros(1, 4).long())\n"
        "except ValueError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "mask is missing; image is missing\n"


# --- sizes of which the axes are multiples ------------------------------------------------------

MULTIPLES = mg.loads(
    "inputs: {x: [8*H, 2*T + 1], y: [H], z: [8*H]}\n"
    "nodes: {m: {layer: Mean, from: x, dim: 2}, a: {merge: add, from: [m, z]}}\noutputs: [a, y]"
)
MISSED: dict[str, tuple[list[tuple[int, ...]], str]] = {
    "no multiple": (
        [(2, 30, 3), (2, 4), (2, 32)],
        "x axis 1 is 30, which is no multiple of 8 (8*H)",
    ),
    "no such size": (
        [(2, 32, 4), (2, 4), (2, 32)],
        "x axis 2 is 4, which is not 2*T + 1 for any T",
    ),
    "another name": ([(2, 32, 3), (2, 5), (2, 32)], "8*H of x is 32 (H is 4) but H of y is 5"),
    "another multiple": (
        [(2, 32, 3), (2, 4), (2, 24)],
        "8*H of x is 32 (H is 4) but 8*H of z is 24 (H is 3)",
    ),
    "an empty axis": ([(2, 0, 3), (2, 4), (2, 32)], "8*H of x is 0 (H is 0)"),
    "too short": ([(2, 32, 1), (2, 4), (2, 32)], "2*T + 1 of x is 1 (T is 0)"),
    "both": (
        [(2, 30, 4), (2, 4), (2, 33)],
        (
            "x axis 1 is 30, which is no multiple of 8 (8*H); x axis 2 is 4, which is not 2*T + 1 for"
            " any T; z axis 1 is 33, which is no multiple of 8 (8*H)"
        ),
    ),
}


@each("shapes, expected", MISSED)
def test_a_size_that_is_no_multiple_is_named(shapes: list[tuple[int, ...]], expected: str) -> None:
    given = dict(zip("xyz", map(torch.rand, shapes), strict=True))
    assert expected in says(MULTIPLES.compile(check=True), given)


def test_multiples_pass() -> None:
    model = MULTIPLES.compile(check=True)
    x, y, z = torch.rand(2, 32, 3), torch.rand(2, 4), torch.rand(2, 32)
    assert torch.equal(model(x=x, y=y, z=z)["a"], x.mean(2) + z)
