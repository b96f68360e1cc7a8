"""`mimgraph run`: given and random inputs, weights in the spec or in a file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy
import pytest
import torch
from safetensors.torch import save_file

import mimgraph as mg
from mimgraph.runtime.run_text import outputs_text
from mimgraph.runtime.runner import Run
from mimgraph.support.terminal import painter
from tests.cli.conftest import SIMPLE
from tests.conftest import ROOT


def test_run_shows_inputs_nodes_and_outputs(run) -> None:
    code, out = run("run", SIMPLE)
    assert code == 0
    inputs, _, table, total, outputs, time = out.split("\n\n")
    assert inputs.splitlines()[2].split() == ["input1", "(2,", "5)", "float32"]
    assert "(N, 64)" in table and total.startswith("Outputs: fc3 (N, 1)\nTotal: ")
    assert re.search(
        r"^fc3 +\(2, 1\)  float32( +-?[\d.]+){3}  -?[\d.]+, -?[\d.]+$", outputs, re.MULTILINE
    )
    assert re.fullmatch(r"Forward: [\d,.]+ m?s\n", time)


def test_run_shows_the_totals_of_a_model_with_many_nodes(run) -> None:
    code, out = run("run", str(ROOT / "specs" / "residual_cnn.yaml"))
    _, total, outputs, _ = out.split("\n\n")
    assert (code, total.startswith("Total: ")) == (0, True)
    assert ", ...\n" in f"{outputs}\n"


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        (
            torch.tensor([[1.0, -3.0], [0.5, 1.5]]),
            "(2, 2)  float32  0     -3   1.5  1, -3, 0.5, 1.5",
        ),
        (torch.tensor([1, 2, 6]), "(3,)   int64    3     1    6    1, 2, 6"),
        (torch.tensor([True, False]), "(2,)   bool     0.5   false true true, false"),
        (torch.tensor([float("nan"), 1.0]), "(2,)   float32  nan   nan  nan  nan, 1"),
        (torch.zeros(0, 3), "(0, 3)  float32  -     -    -"),
        (torch.tensor([1 + 2j]), "(1,)   complex64  1+2j  -    -    1+2j"),
        (torch.arange(9).bfloat16(), "(9,)   bfloat16  4     0    8    0, 1, 2, 3, ..."),
    ],
)
def test_the_range_of_an_output(output: torch.Tensor, shown: str) -> None:
    text = outputs_text(Run({}, {"y": output}, True, 0.02), 100, painter(False))
    row = text.splitlines()[2]
    assert re.split(r" +", row) == ["y", *re.split(r" +", shown)]
    assert text.endswith("\n\nForward: 20.0 ms")


@pytest.mark.parametrize(("width", "titles"), [(120, 7), (80, 6), (60, 3)])
def test_a_narrow_table_of_outputs_leaves_out_values_then_the_range(
    width: int, titles: int
) -> None:
    outputs = {"a_long_name_of_an_output": torch.full((2, 64), 0.123456)}
    text = outputs_text(Run({}, outputs, True, 2.0), width, painter(False))
    assert len(re.split("  +", text.splitlines()[0])) == titles
    assert max(map(len, text.splitlines())) <= width
    assert text.endswith("Forward: 2.0 s")


def test_run_prints_and_writes_what_the_module_computes(run, tmp_path: Path) -> None:
    arrays = {
        "input1": numpy.ones((3, 5), dtype="float32"),
        "input2": numpy.zeros((3, 10), dtype="float32"),
    }
    model = mg.load(SIMPLE).compile()
    numpy.savez(tmp_path / "in.npz", **arrays)
    save_file(model.state_dict(), tmp_path / "w.safetensors")
    files = [
        *("--inputs", str(tmp_path / "in.npz")),
        *("--weights", str(tmp_path / "w.safetensors")),
        *("--outputs", str(tmp_path / "out.npz")),
    ]
    code, out = run("run", SIMPLE, "--json", *files)
    assert code == 0
    expected = model(**{name: torch.from_numpy(array) for name, array in arrays.items()})
    written = numpy.load(tmp_path / "out.npz")["fc3"]
    assert torch.equal(torch.from_numpy(written), expected)
    assert json.loads(out)["outputs"]["fc3"]["values"] == expected.tolist()


@pytest.fixture
def saved(tmp_path: Path) -> str:
    """A .safetensors file with a model and its spec."""
    torch.manual_seed(5)
    graph = mg.load(SIMPLE)
    graph.save(graph.compile(), tmp_path / "model.safetensors")
    return str(tmp_path / "model.safetensors")


def test_a_file_of_weights_with_a_spec_is_read_as_a_spec(run, saved: str) -> None:
    assert run("check", saved) == (0, f"{saved}: ok, 4 nodes\n")
    for command in ("emit", "summary"):
        assert run(command, saved) == run(command, SIMPLE)


def test_run_takes_the_weights_beside_the_spec(run, saved: str, tmp_path: Path) -> None:
    code, out = run("run", saved, "--json")
    assert code == 0
    assert run("run", SIMPLE, "--weights", saved, "--json") == (0, out)
    assert run("run", SIMPLE, "--json") != (0, out)
    zeros = {key: torch.zeros_like(t) for key, t in mg.load_model(saved).state_dict().items()}
    save_file(zeros, tmp_path / "zeros.safetensors")
    code, out = run("run", saved, "--weights", str(tmp_path / "zeros.safetensors"), "--json")
    assert json.loads(out)["outputs"]["fc3"]["values"] == [[0.0], [0.0]]


@pytest.mark.parametrize("command", ["check", "summary", "emit", "run"])
def test_a_file_of_weights_without_a_spec_exits_1(run, command: str, tmp_path: Path) -> None:
    path = tmp_path / "bare.safetensors"
    save_file({"a": torch.ones(1)}, path)
    code, out = run(command, str(path))
    assert code == 1
    assert "error[missing-key]: there is no spec in the metadata" in out + out.error


MULTIPLES = """\
inputs: {x: [3, 8*H, T]}
nodes: {y: {layer: AvgPool2d, from: x, kernel_size: [8, 2]}}
outputs: y
"""
WRONG = [  # the shapes of the arrays, and what is said
    ({"input1": (3, 5)}, "an array for input2 is missing"),
    ({"input1": (3, 5), "input2": (2, 10), "input3": (3,)}, "there is no input 'input3'; N of"),
    ({"input1": (3, 5), "input2": (3, 9)}, "input2 has shape (3, 9), not (N, 10)"),
    ({"input1": (3, 5), "input2": (3,)}, "input2 has shape (3,), not (N, 10)"),
]


def test_run_reports_an_array_of_the_wrong_shape(run, tmp_path: Path) -> None:
    file, spec = str(tmp_path / "in.npz"), tmp_path / "model.yaml"
    for arrays, says in WRONG:
        numpy.savez(file, **{name: numpy.ones(shape, "float32") for name, shape in arrays.items()})
        code, out = run("run", SIMPLE, "--inputs", file)
        assert code == 2 and says in out.error, out.error
    spec.write_text(MULTIPLES)
    numpy.savez(file, x=numpy.ones((2, 3, 30, 4), "float32"))
    code, out = run("run", str(spec), "--inputs", file)
    assert code == 2 and "x axis 2 is 30, which is no multiple of 8 (8*H)" in out.error
    code, out = run("run", str(spec), "--inputs", file, "--set", "H=4")
    assert code == 2 and "give the size H" in out.error
