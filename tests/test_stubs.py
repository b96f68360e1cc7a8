"""The stubs match the registry, and a type checker finds mistakes in a call."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.stubs import FILES, stub

CODE = """\
import mimgraph as mg
from mimgraph import layers, merges

x = mg.Input("x", (5,))
a = layers.Linear(64, activation="ReLU")(x, name="a")
b = layers.Linear(64, in_features=5)(x)
c = merges.concat(a, b, dim=1, name="c")
each: mg.Tensor = layers.Linear(3).each(a, b, with_={"bias": [True, False]})
shared: mg.Tensor = layers.Linear(3)["a"](x)
masked: mg.Tensor = merges.attention(a, b, c, mask=None)
fused: mg.Tensor = merges.gated(out_features=64)(a, b, name="fused")
summed: mg.Tensor = merges.formula("a + n * b", n=2)(a=a, b=b)
position = mg.Parameter("position", (10, 8), init={"normal": {"std": 0.02}}, freeze=True)


@mg.block
def residual(x: mg.Tensor, *, width: int = 3) -> mg.Tensor:
    return layers.Linear(width)(x) + x


tower = mg.Sequential(layers.Linear(8), residual(width=8), mg.Graph(x), freeze=True)
d: mg.Tensor = tower(x, name="d")
e: mg.Tensor = residual(x, width=8, name="e")
f: mg.Tensor = residual(x=x)
g: mg.Tensor = residual(width=8)(x)
graph = mg.Graph({"y": mg.Output(d, doc="The result."), "z": mg.training_only(e)})
h: mg.Tensor = graph(x, name="h", width=3)
i: mg.Tensor = graph(x=x)
j: mg.Tensor = graph(width=3, freeze=True)(x)
k: mg.Tensor = (h + i)["port"]
"""
WRONG = {
    "misspelt": "layers.Linear(out_feature=64)",
    "wrong type": 'layers.Linear("64")',
    "no such layer": "layers.Liner(64)",
    "no such name": "mg.Inptu",
    "a name of another library": "mg.import_module",
    "misspelt option of a merge": "merges.concat(a, b, dmi=1)",
    "misspelt option of a merge without sources": "merges.gated(out_feature=64)",
    "a merge without sources as a tensor": "layers.ReLU()(merges.concat(dim=1))",
    "wrong choice": 'layers.Conv2d(3, kernel_size=1, padding_mode="zeroes")',
    "a layer on data": "layers.Linear(64)([1.0, 2.0])",
    "a layer on a number": "layers.Linear(64)(x, 3)",
    "a name that is no text": "layers.Linear(64)(x, name=3)",
    "a sequential of a tensor": "mg.Sequential(x)",
    "a sequential of layers in a list": "mg.Sequential([layers.ReLU()])",
    "a sequential on data": "tower([1.0])",
    "a misspelt param of a block": "residual(widht=8)",
    "a misspelt param of a block on a source": "residual(x, widht=8)",
    "a param of a block with another type": 'residual(width="8")',
    "a block with too many sources": "residual(x, x)",
    "a block with a name that is no text": "residual(x, name=3)",
    "a block as a tensor": "layers.ReLU()(residual(width=8))",
    "a function that returns no tensor": "mg.block(len)",
    "a graph as a tensor": "layers.ReLU()(graph)",
    "an unfinished call of a graph as a tensor": "layers.ReLU()(graph(width=3))",
    "a graph on a set": "graph({1, 2})",
    "an attribute that a handle lacks": "x.size",
    "a text added to a handle": 'x + "1"',
    "a list as an index": "x[[0, 2]]",
    "an input without a list of sizes": 'mg.Input("y", 5)',
    "an input with a text as vocab": 'mg.Input("y", vocab="100")',
    "an initial value of another kind": 'mg.Parameter("p", [5], init=None)',
    "a misspelt option of a parameter": 'mg.Parameter("p", [5], init="zeros", frozen=True)',
    "a graph of a number": "mg.Graph(3)",
}


@pytest.mark.parametrize("kind", FILES)
def test_stubs_match_the_registry(kind: str, rewrite: bool) -> None:
    if rewrite:
        FILES[kind].write_text(stub(kind))
    assert FILES[kind].read_text() == stub(kind)


def test_a_type_checker_accepts_right_calls_and_refuses_wrong_ones(tmp_path: Path) -> None:
    lines = len(CODE.splitlines())
    (tmp_path / "user.py").write_text(CODE + "\n".join(WRONG.values()) + "\n")
    # reading torch takes ten seconds, and the calls are about something else
    (tmp_path / "mypy.ini").write_text("[mypy]\n[mypy-torch.*]\nfollow_imports = skip\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), "user.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    refused = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line}
    assert refused == set(range(lines + 1, lines + 1 + len(WRONG))), done.stdout
