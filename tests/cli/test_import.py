"""`import` writes a spec of the user's module."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import mimgraph as mg
from tests.cli.conftest import NET

pytestmark = pytest.mark.usefixtures("my_model")


def test_the_spec_goes_to_standard_output(run) -> None:  # type: ignore[no-untyped-def]
    code, out = run("import", *NET)
    assert code == 0
    graph = mg.loads(out)
    assert {name: str(shape) for name, shape in graph.shapes.items()}["head"] == "(N, 2)"
    assert "forward runs" in out.error and "forward runs" not in out


def test_the_weights_run(run, my_model: Path) -> None:  # type: ignore[no-untyped-def]
    arguments = ("-o", "net.yaml", "--weights", "net.safetensors", "--arg", "hidden=3")
    code, out = run("import", *NET, *arguments)
    assert code == 0 and "name: Net" not in out
    assert mg.load("net.yaml").nodes["left"].options["out_features"] == 3
    assert run("run", "net.yaml", "--weights", "net.safetensors")[0] == 0
    _, theirs = mg.load_model("net.safetensors"), sys.modules["my_model"]
    torch.manual_seed(0)
    wanted = theirs.Net(3)  # type: ignore[attr-defined]
    model = mg.load_model("net.safetensors")
    x, y = torch.randn(2, 4), torch.randn(2, 6)
    assert torch.allclose(model(x=x, y=y), wanted(x, y))


def test_data_is_json(run) -> None:  # type: ignore[no-untyped-def]
    code, out = run("import", *NET, "--format", "json")
    data = json.loads(out)
    assert (code, data["proven"], data["opaque"]) == (0, True, [])


def test_lengths_of_an_example_are_found(run, my_model: Path) -> None:  # type: ignore[no-untyped-def]
    torch.save({"batch": {"ids": torch.randint(50, (2, 7))}}, my_model / "batch.pt")
    code, out = run("import", "my_model.py:Words", "--arg", "width=3", "--example", "batch.pt")
    assert code == 0
    assert [str(shape) for shape in mg.loads(out).shapes.values()] == ["(N, T)", "(N, T, 3)"]


def test_the_same_calls_write_the_same_weights(run, my_model: Path) -> None:  # type: ignore[no-untyped-def]
    written = []
    for name in ("a.safetensors", "b.safetensors"):
        run("import", *NET, "--weights", name)
        written.append(load_file(my_model / name))
    first, second = written
    assert first and all(torch.equal(first[key], second[key]) for key in first)


TABLE = """
class Table(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.arange(100.0).cos()

    def forward(self, x):
        return x * self.table
"""


def test_a_constant_is_not_proven_without_the_weights_that_hold_it(run, my_model: Path) -> None:  # type: ignore[no-untyped-def]
    with (my_model / "my_model.py").open("a") as file:
        file.write(TABLE)
    command = ("import", "my_model.py:Table", "--input", "x=100", "-o", "net.yaml")
    code, out = run(*command)
    assert code == 1 and "not proven without --weights: the spec has zeros for table" in out
    assert (my_model / "net.yaml").exists()
    code, out = run(*command, "--format", "json")
    data = json.loads(out)
    assert (code, data["proven"], data["left_out"][0]["name"]) == (1, False, "table")

    code, out = run(*command, "--weights", "net.safetensors")
    assert code == 0 and "not proven" not in out and "0 left out" in out
    assert torch.equal(load_file("net.safetensors")["table"], torch.arange(100.0).cos())


OPAQUE = (*NET, "--opaque", "right", "-o", "net.yaml")


def test_layers_that_stay_python_are_beside_the_spec(run, my_model: Path) -> None:  # type: ignore[no-untyped-def]
    code, out = run("import", *OPAQUE, "--weights", "net.safetensors")
    assert code == 0 and "opaque[asked]" in out
    assert "# opaque[asked]" in (my_model / "net.yaml").read_text()
    command = ("run", "net.yaml", "--weights", "net.safetensors", "--import", "net_layers")
    assert run(*command)[0] == 0
    assert run("import", *OPAQUE, "--strict")[0] == 1


def test_code_of_the_user_is_not_replaced(run, my_model: Path) -> None:  # type: ignore[no-untyped-def]
    (my_model / "net_layers.py").write_text("import torch")
    code, out = run("import", *OPAQUE)
    assert code == 2 and "cannot write net_layers.py: it is not what an import wrote" in out.error
    assert (my_model / "net_layers.py").read_text() == "import torch"
    assert not (my_model / "net.yaml").exists()


KERAS = """{"module": "keras", "class_name": "Sequential", "config": {"name": "net", "layers": [
  {"module": "keras.layers", "class_name": "InputLayer",
   "config": {"batch_shape": [null, 4], "dtype": "float32", "name": "x"}},
  {"module": "keras.layers", "class_name": "Dense",
   "config": {"name": "fc", "units": 3, "activation": "relu", "dtype": "float32"}}]}}"""


def test_a_file_of_another_library(run, my_model: Path) -> None:  # type: ignore[no-untyped-def]
    (my_model / "net.json").write_text(KERAS)
    code, out = run("import", "net.json")
    assert code == 0 and out.startswith("# Not compared: nothing in the file is run")
    assert str(mg.loads(out).shapes["fc"]) == "(N, 3)"
    code, out = run("import", "net.json", "--weights", "net.safetensors")
    assert code == 2 and "net.json has no weights that could be written" in out.error
