"""Inputs are read from Python values, from `--input`, and from files of tensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import mimgraph as mg
from mimgraph.importer.inputs.given import Constant, Given, from_file, from_text, read_given
from mimgraph.importer.inputs.model import InputError
from tests.importer.cases import check_cases

TENSOR = torch.zeros(2, 3)

PYTHON: dict[str, tuple[Any, Any]] = {
    "a tensor": (TENSOR, Given(example=TENSOR)),
    "a tensor without a batch": (three := torch.tensor(3), Constant(three)),
    "a shape": ((3, 224, 224), Given((3, 224, 224))),
    "a shape in a list, of numpy's sizes": ({"shape": [np.int64(3), "T"]}, Given((3, "T"))),
    "names of sizes": (("T",), Given(("T",))),
    "multiples of sizes": ((3, "8*H", "2 * W+1"), Given((3, "8*H", "2*W + 1"))),
    "no axes": ((), Given(())),
    "a handle": (mg.Input("t", ("T",), vocab=9), Given(("T",), "int64", 9)),
    "a dict": ({"shape": ("T",), "dtype": torch.bool}, Given(("T",), "bool")),
    "a dict with a vocab": ({"vocab": 10}, Given((), None, 10)),
    "a flag": (True, Constant(True)),
    "nothing": (None, Constant(None)),
    "a constant": ({"value": "sum"}, Constant("sum")),
    "inputs by name": (
        {"a": (3,), "b": {"c": TENSOR}},
        {"a": Given((3,)), "b": {"c": Given(example=TENSOR)}},
    ),
    "a list of inputs": ([(3,), TENSOR], [Given((3,)), Given(example=TENSOR)]),
    "a dict with the names of ours": ({"shape": TENSOR}, {"shape": Given(example=TENSOR)}),
}


def test_python() -> None:
    wrong = {
        name: found
        for name, (given, wanted) in PYTHON.items()
        if (found := read_given("x", given)) != wanted
    }
    assert not wrong, wrong


def test_an_array_is_an_example() -> None:
    found = read_given("x", np.ones((2, 3)))
    assert isinstance(found, Given) and found.example is not None
    assert found.example.dtype == torch.float64


TEXTS: dict[str, tuple[tuple[str, ...], Any]] = {
    "image=3,224,224": (("image",), Given((3, 224, 224))),
    "text=T:vocab=1000": (("text",), Given(("T",), None, 1000)),
    "mask=T:dtype=bool": (("mask",), Given(("T",), "bool")),
    "x=3, 8*H, W": (("x",), Given((3, "8*H", "W"))),
    "city=:vocab=10": (("city",), Given((), None, 10)),
    "batch.image=3,32,32": (("batch", "image"), Given((3, 32, 32))),
    "deep=false": (("deep",), Constant(False)),
    "mask=null": (("mask",), Constant(None)),
}


def test_command_line() -> None:
    assert {text: from_text(text) for text in TEXTS} == TEXTS


def test_wrong_texts(rewrite: bool) -> None:
    def message(text: str) -> str:
        with pytest.raises(InputError) as caught:
            from_text(text.removesuffix("\n"))
        return f"{caught.value}\n"

    check_cases(Path(__file__).with_name("wrong_texts.md"), message, rewrite)


WRONG: dict[str, tuple[Any, str]] = {
    "a number": (
        5,
        'x is 5: give a tensor, a shape without the batch such as (3, 224, 224) or ("T",)',
    ),
    "a text": ("T", "x is 'T': give a tensor"),
    "an object": (object, "x is <class 'object'>: give a tensor"),
    "an empty dict": ({}, "x is empty"),
    "a key that is no name": ({1: TENSOR}, "x has the key 1: give a tensor"),
    "no shape": ({"dtype": "int64"}, "x needs a shape"),
    "a shape that is none": ({"shape": 5}, "the shape of x is 5: (5,) has one axis of 5"),
    "a size that is none": ({"shape": (None,)}, "None in the shape of x is no size"),
    "a result of a layer": (mg.layers.ReLU()(mg.Input("t", (3,))), "x is <"),
    "inside": ([(3,), "T"], "x.1 is 'T': give a tensor"),
}


def test_wrong() -> None:
    wrong = {}
    for name, (given, message) in WRONG.items():
        with pytest.raises(InputError) as caught:
            read_given("x", given)
        if not str(caught.value).startswith(message):
            wrong[name] = str(caught.value)
    assert not wrong, wrong


def test_files(tmp_path: Path) -> None:
    path = str(tmp_path / "batch.pt")
    for saved in ({"x": TENSOR, "deep": {"y": TENSOR}}, [TENSOR], (TENSOR, None)):
        torch.save(saved, path)
        found = from_file(path)
        assert type(found) is type(saved) and len(found) == len(saved)
    torch.save(TENSOR, path)
    assert torch.equal(from_file(path)[0], TENSOR)


class Anything:
    pass


WRONG_FILES: dict[str, tuple[Any, str]] = {
    "an object": (
        Anything(),
        "a file with more than tensors in dicts and lists, which could run code",
    ),
    "no inputs": ({}, "has {}, not a dict or list of tensors"),
    "a number": (3, "has 3, not a dict or list of tensors"),
    "no such file": (b"inputs: {x: [5]}", "is no file of tensors that torch.save wrote"),
    "a damaged pickle": (b"\x80\x02e.", "is no file of tensors that torch.save wrote"),
    "an empty file": (b"", "is no file of tensors that torch.save wrote"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_wrong_files(name: str, tmp_path: Path) -> None:
    saved, message = WRONG_FILES[name]
    path = tmp_path / "batch.pt"
    if isinstance(saved, bytes):
        path.write_bytes(saved)
    else:
        torch.save(saved, path)
    with pytest.raises(InputError, match=message):
        from_file(str(path))
