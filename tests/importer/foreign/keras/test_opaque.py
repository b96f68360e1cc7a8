"""A layer that cannot be converted becomes one of the user's, which a companion file begins."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest
import torch

import mimgraph as mg
from mimgraph.ops import registry
from tests.importer.foreign.keras.configs import layer, read, sequential

CODE = {"class_name": "__lambda__", "config": {"code": "4wEAAAAAAAAA", "defaults": None}}
LAMBDA = layer("Lambda", "double", function=CODE)


def test_a_lambda_is_opaque_and_its_code_is_not_read(tmp_path: Path) -> None:
    foreign = read(sequential([5], LAMBDA, layer("Dense", units=2)), tmp_path)
    (note,) = [note for note in foreign.notes if note.kind == "opaque"]
    assert (note.reason, note.node) == ("Lambda", "dense.0")
    assert foreign.companion is not None and CODE["config"]["code"] not in foreign.companion  # type: ignore[index]


def test_the_companion_registers_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._OPS, "layer", dict(registry.ops("layer")))
    monkeypatch.syspath_prepend(tmp_path)
    foreign = read(sequential([5], LAMBDA, layer("Dense", units=2)), tmp_path)
    assert foreign.companion is not None
    (tmp_path / "companion_of_keras.py").write_text(foreign.companion)
    importlib.import_module("companion_of_keras")
    graph = mg.from_dict(foreign.spec)
    assert str(graph.outputs["dense"].shape) == "(N, 2)"
    with pytest.raises(NotImplementedError, match="write the forward of Double"):
        graph.compile()(x=torch.zeros(1, 5))


HOSTILE = '"""\nimport os\nos.system("x")\n# \\'


def test_no_text_of_the_file_becomes_code(tmp_path: Path) -> None:
    odd = {**layer("My", HOSTILE, "__main__", text=HOSTILE), "class_name": HOSTILE}
    foreign = read(sequential([5], odd), tmp_path)
    assert foreign.companion is not None
    tree = ast.parse(foreign.companion)
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    assert [name.name for node in imported for name in node.names] == ["mimgraph"]


UNSUPPORTED = {
    "GRU that resets before": layer("GRU", units=3, reset_after=False),
    "stateful LSTM": layer("LSTM", units=3, stateful=True),
    "hard gates": layer("LSTM", units=3, recurrent_activation="hard_sigmoid"),
    "function of the user's": layer("SimpleRNN", units=3, activation="sin"),
    "layer of the user's": layer("Mine", module="my_package.layers"),
    "layer that nobody has": layer("Fourier"),
}


def test_what_torch_does_not_compute_is_opaque(tmp_path: Path) -> None:
    notes = {
        case: [note.kind for note in read(sequential([4, 5], entry), tmp_path).notes if note.node]
        for case, entry in UNSUPPORTED.items()
    }
    assert notes == {case: ["opaque"] for case in UNSUPPORTED}


def test_layers_that_act_in_training_only_are_left_out(tmp_path: Path) -> None:
    config = sequential([5], layer("GaussianNoise", stddev=0.1), layer("Dense", units=2))
    notes = read(config, tmp_path).notes
    assert [(note.kind, note.node) for note in notes] == [
        ("left-out", ""),
        ("left-out", ""),
    ]
