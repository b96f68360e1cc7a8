"""Files that are not specs: the message names their kind, in Python and on the command line."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import safetensors.torch
import torch
from torch import nn

import mimgraph as mg
from mimgraph.cli import main
from tests.helpers.cases import each


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_", "."), text)
    return buffer.getvalue()


def written(write: Callable[[Any], Any]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


STATE = nn.Linear(2, 2).state_dict()
OLD = {"_use_new_zipfile_serialization": False}

FILES: dict[str, tuple[bytes, str]] = {
    "m.pt": (written(lambda f: torch.save(STATE, f)), "a checkpoint that torch.save wrote"),
    "m.pth": (written(lambda f: torch.save(nn.Linear(2, 2), f)), "a checkpoint that torch.save"),
    "checkpoint": (written(lambda f: torch.save({}, f)), "a checkpoint that torch.save wrote"),
    "old.pt": (written(lambda f: torch.save(STATE, f, **OLD)), "a pickle"),
    "m.pkl": (pickle.dumps({"a": 1}), "a pickle"),
    "a.npz": (written(lambda f: numpy.savez(f, x=numpy.zeros(3))), "a file of numpy arrays"),
    "a.npy": (written(lambda f: numpy.save(f, numpy.zeros(3))), "a file of numpy arrays"),
    "m.keras": (zipped(metadata_json="{}", config_json="{}"), "a Keras model"),
    "k.json": (b'{"module": "keras", "class_name": "Functional"', "a Keras model in JSON"),
    "l.json": (b'{\n  "class_name": "Functional"', "a Keras model in JSON"),
    "yolo.yaml": (
        b"# YOLO\nnc: 80\nbackbone:\n  # [from, repeats, module, args]\n  - [-1, 1, Conv, [64, 3, 2]]\n",
        "a model of Ultralytics",
    ),
    "m.pt2": (zipped(m_models="{}"), "a program of torch.export"),
    "z.zip": (zipped(a_txt="text"), "an archive"),
    "no.zip": (zipped(), "an archive"),
    "s.tar.gz": (b"\x1f\x8b\x08\x00", "an archive"),
    "m.h5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file"),
    "m.onnx": (b"\x08\x07\x12\x07pytorch", "an ONNX model"),
    "m.bin": (safetensors.torch.save(STATE), "a file of weights"),
    "p.png": (b"\x89PNG\r\n\x1a\n" + bytes(9), "a picture"),
    "p.jpg": (b"\xff\xd8\xff\xe0" + bytes(9), "a picture"),
    "named.yaml": (b"\x89PNG\r\n\x1a\n" + bytes(9), "a picture"),
    "p.svg": (b"<svg></svg>", "a page or picture"),
    "p.pdf": (b"%PDF-1.4", "a PDF"),
    "m.py": (b"import torch", "Python code"),
    "m.ipynb": (b'{"cells": []}', "a notebook"),
    "t.csv": (b"a,b", "a table"),
    "thing": (b"\x01\x00\x02", "a binary file"),
}


@each("name", [*FILES])
def test_a_foreign_file_is_recognised(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, what = FILES[name]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(mg.SpecError) as caught:
        mg.load(path)
    (found,) = caught.value.diagnostics
    assert (found.code, found.span.line, found.span.column) == ("wrong-type", 1, 1)
    assert found.message.startswith(f"this is {what}")
    assert found.message.endswith(", not a spec")
    assert found.help
    assert main(["check", str(path)]) == 1
    assert f"this is {what}" in capsys.readouterr().out


@each("name", ["m.keras", "k.json", "m.pt2", "m.py"])
def test_what_can_be_imported_names_the_command(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name][0])
    with pytest.raises(mg.SpecError, match="mimgraph import .* -o net.yaml"):
        mg.load(path)


def test_a_node_may_be_called_backbone(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        "inputs: {x: [3]}\nnodes:\n  backbone: {layer: ReLU, from: x}\noutputs: backbone"
    )
    assert list(mg.load(path).nodes) == ["backbone"]


@each("text", ["", "\n \n"])
def test_an_empty_file_gives_one_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(mg.SpecError, match="the file is empty") as caught:
        mg.load(path)
    assert [found.code for found in caught.value.diagnostics] == ["missing-key"]


def test_a_foreign_file_on_standard_input_is_recognised(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(FILES["m.pt"][0])))
    assert main(["check", "-"]) == 1
    assert "this is a checkpoint that torch.save wrote" in capsys.readouterr().out


def test_a_directory_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", str(tmp_path)]) == 2
    assert "it is a directory, so name the spec in it" in capsys.readouterr().err


def test_a_character_that_is_not_allowed_is_reported_at_its_place(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(b"inputs: {x: [3]}\n\x00")
    with pytest.raises(mg.SpecError) as caught:
        mg.load(path)
    assert [(found.code, found.span.line) for found in caught.value.diagnostics] == [
        ("yaml-syntax", 2)
    ]
