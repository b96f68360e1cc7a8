"""Checks functions that make modules, registered as layers."""

from __future__ import annotations

import itertools
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, Self

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.cli import main
from mimgraph.diagnostics.render import render_text
from tests.helpers.cases import check_texts, each
from tests.helpers.marked import faults


class Encoder(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(8, width)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        y: Tensor = self.proj(x)
        return y if mask is None else y * mask.unsqueeze(-1)

    @classmethod
    def from_config(cls, config: dict[str, int]) -> Self:
        return cls(config["width"])

    @staticmethod
    def small() -> Encoder:
        return Encoder(2)


class Wider(Encoder):
    pass


class Pair(nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b


class Unknown(nn.Module):
    """A class that says nothing of how it is called."""


def make_encoder(width: int, kind: str = "encoder"):  # type: ignore[no-untyped-def]
    """Make an encoder, or a pair."""
    if kind == "number":
        return width
    made = {"encoder": lambda: Encoder(width), "pair": Pair, "unknown": Unknown}
    return made[kind]()


def make_perceptron(widths: list[int], dropout: float = 0.0, **others: Any) -> nn.Sequential:
    """Make a perceptron."""
    pairs = itertools.pairwise(widths)
    return nn.Sequential(*(nn.Sequential(nn.Linear(a, b), nn.Dropout(dropout)) for a, b in pairs))


MASKED = "x: [T, 8], m: {shape: [T], dtype: bool}"


def graph(nodes: str, inputs: str = "x: [T, 8]") -> mg.Graph:
    return mg.loads(f"inputs: {{{inputs}}}\nnodes:\n  {nodes}\noutputs: y\n")


BOTH = """\
a: {layer: make_encoder, from: {mask: m, x: x}, width: 8}
  y: {layer: make_encoder, from: {b: x, a: a}, width: 1, kind: pair}"""


def test_a_function_that_makes_modules_is_a_layer_in_specs_and_in_python() -> None:
    mg.register(make_perceptron)
    x = mg.Input("x", ("T", 8))
    made = mg.Graph(layers.make_perceptron([8, 4], dropout=0.1)(x, name="y"))
    text = "y: {layer: make_perceptron, from: x, widths: [8, 4], dropout: 0.1}"
    assert made == graph(text) == mg.loads(made.dumps())
    assert "self.y = make_perceptron([8, 4], dropout=0.1)" in made.source()
    assert f"from {__name__} import make_perceptron\n" in made.source()
    assert str(made.outputs["y"].shape) == "(N, T, 4)"
    assert list(made.compile().state_dict()) == ["y.0.0.weight", "y.0.0.bias"]
    with pytest.raises(mg.SpecError, match=r"make_perceptron refuses \(N, T, 8\)") as raised:
        graph("y: {layer: make_perceptron, from: x, widths: [9, 8]}")
    (found,) = raised.value.diagnostics
    assert (found.code, found.span.line, found.span.column) == ("shape-mismatch", 3, 37)


def test_the_options_of_a_node_decide_which_class_is_made() -> None:
    mg.register(make_encoder)
    made = graph(BOTH, MASKED)
    x, m = mg.Input("x", ("T", 8)), mg.Input("m", ("T",), dtype="bool")
    a = layers.make_encoder(8)(x, mask=m, name="a")
    assert made == mg.Graph(layers.make_encoder(1, kind="pair")(a, b=x, name="y"))
    assert "self.a(x, m)" in made.source() and "self.y(a, x)" in made.source()
    assert [(e.source, e.argument) for e in made.edges] == [
        ("x", "x"),
        ("m", "mask"),
        ("a", "a"),
        ("x", "b"),
    ]
    tensors = {"x": torch.randn(2, 3, 8), "m": torch.ones(2, 3).bool()}
    model = made.compile()
    assert torch.equal(model(**tensors), model.a(tensors["x"], tensors["m"]) + tensors["x"])


def test_an_optional_source_of_what_is_made_may_be_left_out() -> None:
    mg.register(make_encoder)
    made = graph(
        "y: {layer: make_encoder, from: {x: x, mask: m}, width: 4}",
        "x: [T, 8], m: {shape: [T], dtype: bool, optional: true}",
    )
    model = made.compile()
    x = torch.randn(2, 3, 8)
    assert torch.equal(model(x=x), model(x=x, m=torch.ones(2, 3).bool()))


def test_an_annotation_says_which_class_is_made_without_making_it() -> None:
    def make() -> Encoder:
        raise RuntimeError("made")

    mg.register(make)
    help = str(layers.make.__doc__)
    assert "Sources: x, mask (optional)." in help
    with pytest.raises(mg.SpecError, match="made"):
        graph("y: {layer: make, from: x}")


def test_a_decorated_function_stays_a_function() -> None:
    @mg.register
    def make_gate(width: int) -> nn.Linear:
        return nn.Linear(width, width)

    assert isinstance(make_gate(3), nn.Linear)
    made = graph("y: {layer: make_gate, from: x, width: 8}")
    assert type(made.compile().y) is nn.Linear


METHODS = [
    (Encoder.from_config, "config: {width: 4}", 'Encoder.from_config({"width": 4})'),
    (Wider.from_config, "config: {width: 4}", 'Wider.from_config({"width": 4})'),
    (Encoder.small, "", "Encoder.small()"),
]


@pytest.mark.parametrize(("method", "options", "code"), METHODS, ids=["own", "inherited", "static"])
def test_a_method_of_a_class_makes_modules(
    method: Callable[..., nn.Module], options: str, code: str
) -> None:
    mg.register(method, name="Made")
    made = graph(f"y: {{layer: Made, from: {{x: x, mask: m}}, {options}}}", MASKED)
    assert f"self.y = {code}" in made.source()
    for copied in (made.compile(), pickle.loads(pickle.dumps(made.compile()))):
        assert type(copied.y).__name__ == code.partition(".")[0]
    assert pickle.loads(pickle.dumps(made)) == made


def test_a_function_makes_a_merge() -> None:
    def blend(start: float = 0.5) -> Pair:
        return Pair()

    mg.register(blend, kind="merge", macs=lambda a, b: a[0])
    made = graph("y: {merge: blend, from: [x, x], start: 0.1}", "x: [8]")
    x = mg.Input("x", (8,))
    assert made == mg.Graph(merges.blend(x, x, start=0.1, name="y"))
    assert made.summary().data()[-1]["macs"] == 8


def test_a_rule_gives_the_shape_of_what_a_function_makes() -> None:
    mg.register(make_encoder, name="ruled", shape=lambda x, width, **others: (*x[:-1], width))
    made = graph("y: {layer: ruled, from: {x: x}, width: 5}")
    assert str(made.outputs["y"].shape) == "(N, T, 5)" and made.summary().params == 45


def local() -> Callable[[], nn.Module]:
    width = 3

    def make_local() -> nn.Linear:
        return nn.Linear(8, width)

    return make_local


def test_a_function_defined_in_a_function_is_compiled_and_not_pickled() -> None:
    mg.register(local())
    made = graph("y: {layer: make_local, from: x}")
    assert made.compile()(x=torch.zeros(1, 2, 8)).shape == (1, 2, 3)
    with pytest.raises((AttributeError, pickle.PicklingError), match="make_local"):
        pickle.dumps(made.compile())


def starred(*widths: int) -> Pair:
    return Pair()


NOTHING = "not a class of modules, nor a function that returns one"
REFUSED = [
    (partial(make_encoder, 8), "no name that an emitted file could import: register the func"),
    (lambda: Pair(), "a lambda has no name that an emitted file could import: write it with"),
    (cache(make_encoder), NOTHING),
    (Encoder(8).forward, NOTHING),
    (Encoder(8), NOTHING),
    (Encoder.from_config, "'Encoder.from_config' cannot name a layer: .*name='from_config'"),
    (len, NOTHING),
    (starred, r"starred takes \*widths, which no option can give"),
]


@each("thing, message", REFUSED)
def test_what_no_file_could_import_or_call_is_refused(thing: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        mg.register(thing)


def test_a_function_of_one_tensor_is_no_merge() -> None:
    with pytest.raises(TypeError, match="takes one tensor: register it as a layer"):
        mg.register(make_perceptron, kind="merge")


def test_faults(rewrite: bool) -> None:
    def shown(text: str) -> str:
        return f"{render_text(faults(text))}\n"

    mg.register(make_encoder, dtype=None)
    mg.register(make_perceptron)
    check_texts(Path(__file__).with_name("refused_functions.md"), shown, rewrite)


# the command line

FILE = '''\
import mimgraph as mg
from torch import nn


@mg.register
def make_head(width: int, depth: int = 1) -> nn.Sequential:
    """Make a head."""
    return nn.Sequential(*(nn.Linear(width, width) for _ in range(depth)))


@mg.register
def make_any(width: int):
    return nn.Bilinear(width, width, 2)
'''
SPEC = """\
inputs: {x: [4]}
nodes:
  h: {layer: make_head, from: x, width: 4, depth: 2}
  y: {layer: make_any, from: {input1: h, input2: x}, width: 4}
outputs: y
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "heads.py").write_text(FILE)
    (tmp_path / "spec.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "heads", raising=False)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_the_command_line_describes_a_function(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", "make_head", "--import", "heads"]) == 0
    shown = capsys.readouterr().out
    assert "Make a head." in shown and "depth  1         an integer" in shown
    assert "sources                input\n" in shown
    assert main(["layers", "make_any"]) == 0
    shown = capsys.readouterr().out
    assert "A function of `heads`." in shown and "the sources of the module that it makes" in shown


@pytest.mark.slow
def test_the_emitted_file_imports_and_calls_the_function(folder: Path) -> None:
    assert main(["emit", "spec.yaml", "--import", "heads", "-o", "model.py"]) == 0
    script = "import torch, model; print(model.Model()(x=torch.ones(3, 4)).shape)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "torch.Size([3, 2])\n"
