"""The notes of an error in a compiled module: the wrong inputs, the node and its line."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import mimgraph as mg
from mimgraph import layers, merges
from tests.helpers.cases import each
from tests.helpers.running import saved

SPEC = """\
inputs: {image: [3, 8, 8], numeric: [5], ids: {vocab: 7, shape: [4]}}
blocks:
  residual:
    inputs: {x: [C, H, W]}
    nodes:
      conv: {layer: Conv2d, from: x, out_channels: $C, kernel_size: 3, padding: 1}
      sum: {merge: add, from: [conv, x], activation: ReLU}
    outputs: sum
nodes:
  stem: {from: image, seq: [{Conv2d: {out_channels: 4, kernel_size: 3, padding: 1}}, ReLU]}
  stage: {block: residual, from: stem, repeat: 3}
  vec: {from: stage, seq: [Flatten, {Linear: 8}]}
  emb: {layer: Embedding, from: ids, embedding_dim: 8}
  pooled: {layer: Mean, from: emb, dim: 1}
  num: {layer: Linear, from: numeric, out_features: 8, activation: ReLU}
  again: {share: num, from: numeric}
  fused: {merge: concat, from: [vec, pooled, num, again]}
  score: {layer: Linear, from: fused, out_features: 1}
outputs: score
"""
DECLARED = "the spec declares image (N, 3, 8, 8) float32, numeric (N, 5) float32, ids (N, 4) int64"


def inputs() -> dict[str, Any]:
    ids = torch.zeros(2, 4, dtype=torch.int64)
    return {"image": torch.rand(2, 3, 8, 8), "numeric": torch.rand(2, 5), "ids": ids}


def notes(model: nn.Module, given: dict[str, Any], kind: type[Exception] = Exception) -> list[str]:
    """Return the notes of a call that fails."""
    with pytest.raises(kind) as caught:
        model(**given)
    return getattr(caught.value, "__notes__", [])


NUM = "in node num (m.yaml:15): Linear of numeric (N, 5)"

MISFITS: dict[str, tuple[dict[str, Any], type[Exception], list[str]]] = {
    "a size": (
        {"numeric": torch.rand(2, 6)},
        RuntimeError,
        [NUM, "numeric has shape (2, 6), not (N, 5)"],
    ),
    "a precision": (
        {"numeric": torch.rand(2, 5).double()},
        RuntimeError,
        [NUM, "numeric has dtype float64, not float32"],
    ),
    "two batches": (
        {"numeric": torch.rand(3, 5)},
        RuntimeError,
        [
            "in node fused (m.yaml:17): concat of vec (N, 8), pooled (N, 8), num (N, 8), again (N, 8)",
            "N of image is 2 but N of numeric is 3",
        ],
    ),
    "an item of a chain": (
        {"image": torch.rand(2, 3, 9, 8)},
        RuntimeError,
        [
            "in node vec.1 (m.yaml:12): Linear of (N, 256)",
            "image has shape (2, 3, 9, 8), not (N, 3, 8, 8)",
        ],
    ),
    "a category": (
        {"ids": torch.full((2, 4), 7)},
        IndexError,
        [
            "in node emb (m.yaml:13): Embedding of ids (N, 4)",
            "ids has values outside 0 to 6",
        ],
    ),
    "a value that is not a tensor": (
        {"numeric": 3},
        TypeError,
        [NUM, "numeric must be a tensor, not int"],
    ),
    "an unknown keyword": ({"other": 1}, TypeError, ["there is no input 'other'"]),
}


@each("given, kind, told", MISFITS)
def test_a_wrong_input_is_named(
    given: dict[str, Any], kind: type[Exception], told: list[str]
) -> None:
    *place, fault = told
    model = mg.loads(SPEC, name="m.yaml").compile()
    assert notes(model, inputs() | given, kind) == [*place, f"inputs: {fault}\n{DECLARED}"]


def test_an_error_of_the_input_check_is_not_repeated_in_a_note() -> None:
    model = mg.loads(SPEC).compile(check=True)
    assert notes(model, inputs() | {"numeric": torch.rand(2, 6)}, ValueError) == []


def test_a_missing_input_is_named() -> None:
    model, given = mg.loads(SPEC).compile(), inputs()
    del given["ids"]
    assert notes(model, given, TypeError) == [f"inputs: ids is missing\n{DECLARED}"]


@each("given, batch", [((torch.rand(1),), ""), ((inputs(),), "model(**batch), "), (({}, 3), "")])
def test_an_input_given_by_position(given: tuple[Any, ...], batch: str) -> None:
    model = mg.loads(SPEC).compile()
    with pytest.raises(TypeError) as caught:
        model(*given)
    calls = f"{batch}model(image=..., numeric=..., ids=...) or mg.positional(model)(...)"
    named = "inputs are given by name: image, numeric, ids"
    assert str(caught.value) == f"{named}; write {calls}"
    with pytest.raises(ValueError) as checked:
        mg.loads(SPEC).compile(check=True)(*given)
    assert str(checked.value) == str(caught.value)


def broken(path: str, module: nn.Module) -> nn.Module:
    """Return the model with a wrong module at a path."""
    model = mg.loads(SPEC, name="m.yaml").compile()
    parent, _, name = path.rpartition(".")
    setattr(model.get_submodule(parent), name, module)
    return model


class Raises(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise LookupError("in a module")


class Keeps(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Raises()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x)


PLACES: dict[str, tuple[str, Callable[[], nn.Module], str]] = {
    "a module of a repeat": (
        "stage.1.conv",
        lambda: nn.Conv2d(3, 4, 3, padding=1),
        "stage.1.conv (m.yaml:6): Conv2d of x (N, 4, 8, 8)",
    ),
    "an expression of a repeat": (
        "stage.2.conv",
        lambda: nn.Conv2d(4, 5, 3, padding=1),
        "stage.2.sum (m.yaml:7): add of conv (N, 4, 8, 8), x (N, 4, 8, 8)",
    ),
    "a module in a module of the user": (
        "stem.1",
        Keeps,
        "stem.1 (m.yaml:10): ReLU of (N, 4, 8, 8)",
    ),
    "the return": ("score", Raises, "score (m.yaml:18): Linear of fused (N, 32)"),
}


@each("path, made, place", PLACES)
def test_the_innermost_node_is_named(path: str, made: Callable[[], nn.Module], place: str) -> None:
    assert notes(broken(path, made()), inputs()) == [f"in node {place}"]


def test_a_node_that_shares_a_module_is_named_itself() -> None:
    class Second(nn.Module):
        calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            if self.calls == 2:
                raise LookupError
            return x.new_zeros(len(x), 8)

    told = "in node again (m.yaml:16): Linear of numeric (N, 5)"
    assert notes(broken("num", Second()), inputs(), LookupError) == [told]


def test_nodes_inside_a_merge_have_the_line_of_the_merge() -> None:
    spec = "inputs: {a: [5], b: [6]}\nnodes:\n  y: {merge: gated, from: [a, b], out_features: 4}\noutputs: y\n"
    model = mg.loads(spec, name="m.yaml").compile()
    told = notes(model, {"a": torch.rand(2, 5), "b": torch.rand(3, 6)})
    assert told[0] == "in node y.joined (m.yaml:3): concat of x0 (N, 5), x1 (N, 6)"


CONDITIONAL = """\
inputs: {x: [4], y: {shape: [4], optional: true}}
nodes:
  a: {layer: Linear, from: x, out_features: 4}
  b: {layer: Linear, from: y, out_features: 4}
  sum: {merge: add, from: [a, b], missing: skip}
  aux: {layer: Linear, from: a, out_features: 2}
outputs: {sum: sum, aux: {from: aux, only: training}}
"""


@each("node, line", [("b", 4), ("aux", 6)])
def test_a_node_that_runs_under_a_condition(node: str, line: int) -> None:
    model = mg.loads(CONDITIONAL, name="m.yaml").compile()
    setattr(model, node, nn.Linear(3, 4))
    (told,) = notes(model, {"x": torch.rand(2, 4), "y": torch.rand(2, 4)})
    assert told.startswith(f"in node {node} (m.yaml:{line}): Linear of")


def test_a_graph_built_in_python_has_its_lines() -> None:
    x, y = mg.Input("x", ("T", 4)), mg.Input("y", ("T", 4))
    graph = mg.Graph(layers.Linear(2)(merges.add(x, y, name="sum")))
    told = notes(graph.compile(), {"x": torch.rand(2, 5, 4), "y": torch.rand(2, 6, 4)})
    assert told[0].startswith(f"in node sum ({__file__}:")
    assert told[1].startswith("inputs: T of x is 5 but T of y is 6\n")


# --- graphs of one text, which share a class -------------------------------------------------------


WRONG = inputs() | {"numeric": torch.rand(2, 6)}


def built(line: int) -> mg.Graph:
    """Return a graph built by code at a line of `built.py`."""
    code = "\n" * (line - 1) + "graph = mg.Graph(layers.Linear(2)(mg.Input('x', (4,)), name='y'))"
    names: dict[str, Any] = {"mg": mg, "layers": layers}
    exec(compile(code, "built.py", "exec"), names)  # noqa: S102 - our own text
    graph: mg.Graph = names["graph"]
    return graph


def line_of(model: nn.Module) -> str:
    """Return the place in the note of an error of a model from `built`."""
    return notes(model, {"x": torch.rand(2, 5)})[0].partition("(")[2].partition(")")[0]


@each("order", [(3, 7), (7, 3)])
def test_each_of_two_equal_graphs_names_its_own_line(order: tuple[int, int]) -> None:
    graphs = [built(line) for line in order]
    models = [graph.compile() for graph in graphs]
    assert type(models[0]) is type(models[1])
    for line, graph, model in zip(order, graphs, models, strict=True):
        expected = f"built.py:{line}"
        assert line_of(model) == line_of(graph.compile()) == expected
        assert line_of(copy.deepcopy(model)) == expected
        assert line_of(pickle.loads(pickle.dumps(model))) == expected
        assert line_of(saved(model)) == expected
        assert line_of(copy.deepcopy(saved(model))) == expected


@each("names", [("a.yaml", "b.yaml"), ("b.yaml", "a.yaml")])
def test_specs_of_equal_text_name_their_own_files(names: tuple[str, str], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).write_text(SPEC)
    models = [mg.load(tmp_path / name).compile() for name in names]
    for name, model in zip(names, models, strict=True):
        assert notes(model, WRONG)[0] == NUM.replace("m.yaml", str(tmp_path / name))


def test_specs_that_differ_in_comments_name_their_lines() -> None:
    models = [mg.loads("# one more\n" * n + SPEC, name="m.yaml").compile() for n in (0, 1)]
    for lines, model in enumerate(models):
        assert notes(model, WRONG)[0] == NUM.replace("15", str(15 + lines))


def test_loading_a_model_leaves_the_notes_of_others(tmp_path: Path) -> None:
    graph = built(5)
    model, path = graph.compile(), tmp_path / "m.safetensors"
    graph.save(model, path)
    loaded = mg.load_model(path)
    assert line_of(model) == line_of(graph.compile()) == "built.py:5"
    assert line_of(loaded) == f"{path}:5"  # the lines of the spec in the file
    del model, graph
    assert line_of(loaded) == f"{path}:5"


def test_a_stage_names_its_own_line() -> None:
    stages = [mg.loads("# one more\n" * n + SPEC, name="m.yaml").split("vec")[0] for n in (0, 1)]
    models = [stage.compile() for stage in stages]
    for lines, model in enumerate(models):
        for kept in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            with pytest.raises(RuntimeError) as caught:
                kept(torch.rand(2, 5, 8, 8), inputs()["numeric"], inputs()["ids"])
            assert f"in node stem.0 (m.yaml:{10 + lines})" in caught.value.__notes__[0]


@each("kept", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model)), saved])
def test_copies_have_the_notes_too(kept: Callable[[nn.Module], nn.Module]) -> None:
    model = kept(mg.loads(SPEC, name="m.yaml").compile())
    assert notes(model, inputs() | {"numeric": torch.rand(2, 6)})[0] == NUM


def test_the_notes_are_not_in_the_source() -> None:
    assert "mimgraph" not in mg.loads(SPEC).source()


@pytest.mark.slow
def test_compilers_see_the_plain_module() -> None:
    model, given = mg.loads(SPEC).compile(), inputs()
    expected = model(**given)
    whole = torch.compile(model, fullgraph=True, backend="eager")
    torch.testing.assert_close(whole(**given), expected)
    part = torch.compile(lambda **x: model(**x) + 1, fullgraph=True, backend="eager")
    torch.testing.assert_close(part(**given), expected + 1)
    program = torch.export.export(model, (), given)
    torch.testing.assert_close(program.module()(**given), expected)
    torch.testing.assert_close(torch.jit.script(model)(**given), expected)
