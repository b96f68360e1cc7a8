"""`graph.space`: its params, the points of a walk, when each is asked, and the number of points."""

from __future__ import annotations

import itertools
import math
import pickle
from typing import Any

import pytest

import mimgraph as mg
from mimgraph.ir.declared_values import Choices, Dimension, Integers

SPEC = """\
params:
  heads: {search: [1, 2]}
  hidden: {search: [8, 16], default: 16}
  depth: {search: {int: [1, 3]}}
  fusion: {search: [add, gated, perceiver]}
  tower: {search: [plain, deep]}
  wide: $(2 * hidden)
  never: {search: [1, 2, 3]}
inputs: {a: [4], b: [4]}
blocks:
  plain: {seq: [{Linear: $hidden}]}
  deep: {inputs: [x], nodes: {s: {block: plain, from: x, repeat: 1}, t: {block: step, from: s, repeat: $depth}}, outputs: t}
  step: {seq: [{Linear: $hidden}]}
nodes:
  left: {block: $tower, from: a}
  right: {block: $tower, from: b}
  fused: {merge: $fusion, from: [left, right], out_features: $wide, num_heads: $heads}
outputs: fused
"""


def test_a_space_is_a_mapping_in_the_order_of_the_text() -> None:
    space = mg.loads(SPEC).space
    assert [*space] == ["heads", "hidden", "depth", "fusion", "tower", "never"]
    assert space["depth"] == Integers(1, 3, 1) and str(space["depth"]) == "1 to 3"
    assert str(space["fusion"]) == "[add, gated, perceiver]"
    with pytest.raises(TypeError):
        space["depth"] = 1  # type: ignore[index]


ASKED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "the defaults": ({}, ["hidden", "fusion", "tower"]),
    "a block": ({"tower": "deep"}, ["hidden", "depth", "fusion", "tower"]),
    "a merge": ({"fusion": "perceiver"}, ["heads", "hidden", "fusion", "tower"]),
}


@pytest.mark.parametrize("what", ASKED)
def test_a_param_is_asked_where_the_graph_reads_it(what: str) -> None:
    values, names = ASKED[what]
    assert mg.loads(SPEC).space.asked(values) == names


def test_a_walk_asks_for_choices_before_what_depends_on_them() -> None:
    asked: list[str] = []

    def last(name: str, space: Dimension) -> Any:
        asked.append(name)
        return space.values[-1] if isinstance(space, Choices) else space.high

    found = mg.loads(SPEC).space.point(last)
    assert asked == ["hidden", "fusion", "heads", "tower", "depth"]
    assert found == {"heads": 2, "hidden": 16, "depth": 3, "fusion": "perceiver", "tower": "deep"}
    assert [*found] == ["heads", "hidden", "depth", "fusion", "tower"]


def points(space: Any) -> set[tuple[Any, ...]]:
    """Return every point of a finite space, found by trying all values of all params."""
    values = {name: _values(one) for name, one in space.items()}
    found = set()
    for combination in itertools.product(*values.values()):
        given = dict(zip(values, combination, strict=True))
        found.add(tuple((name, given[name]) for name in space.asked(given)))
    return found


def _values(space: Any) -> list[Any]:
    if isinstance(space, Choices):
        return [*space.values]
    return [*range(space.low, space.high + 1, space.step)]


def test_the_size_counts_points_that_differ_in_what_is_asked() -> None:
    space = mg.loads(SPEC).space
    assert space.size == len(points(space)) == 2 * (1 + 1 + 2) * (1 + 3)


def test_a_space_with_a_float_has_no_end() -> None:
    spec = "params: {p: {search: {float: [0.1, 0.5]}}}\ninputs: {x: [4]}\n"
    node = "nodes: {y: {layer: Dropout, from: x, p: $p}}\noutputs: y\n"
    assert mg.loads(spec + node).space.size == math.inf
    assert mg.loads(spec.replace("0.5]", "0.5], step: 0.1") + node).space.size == 5


def test_a_choice_under_a_choice() -> None:
    spec = """\
params: {outer: {search: [one, two]}, inner: {search: [ReLU, Softplus]}, beta: {search: [1, 2, 3]}}
inputs: {x: [4]}
blocks:
  one: {seq: [Tanh]}
  two: {inputs: [x], nodes: {y: {layer: $inner, from: x, beta: $beta}}, outputs: y}
nodes: {y: {block: $outer, from: x}}
outputs: y
"""
    space = mg.loads(spec).space
    assert space.size == len(points(space)) == 1 + (1 + 3)
    assert space.asked({"outer": "one", "inner": "Softplus"}) == ["outer"]
    assert space.asked({"outer": "two", "inner": "Softplus"}) == ["outer", "inner", "beta"]


def test_a_graph_made_in_python_has_no_space() -> None:
    graph = mg.Graph(mg.layers.ReLU()(mg.Input("x", (4,)), name="y"))
    assert (len(graph.space), graph.space.size) == (0, 1)


def test_a_point_is_the_graph_of_its_values() -> None:
    graph = mg.loads(SPEC)
    at = graph.with_params(tower="deep", depth=2, hidden=8)
    assert at == mg.loads(SPEC, {"tower": "deep", "depth": 2, "hidden": 8})
    assert "heads" not in at.dumps() and "search" not in at.dumps() and not at.space
    assert mg.loads(at.dumps()) == at
    assert graph == mg.loads(SPEC)  # it stays as it was


def test_values_that_are_not_asked_are_ignored() -> None:
    graph = mg.loads(SPEC)
    at = graph.with_params({"heads": 2, "fusion": "add"})
    assert at == graph.with_params(fusion="add") and "heads" not in at.dumps()


def test_a_value_given_at_loading_leaves_the_rest_to_search() -> None:
    space = mg.loads(SPEC, {"fusion": "add"}).space
    assert [*space] == ["hidden", "depth", "tower", "never"]


def test_a_fault_of_a_point_stands_in_the_spec() -> None:
    text = "params: {p: {search: [1, 0]}}\ninputs: {x: [4]}\n"
    text += "nodes: {y: {layer: Linear, from: x, out_features: $p}}\noutputs: y\n"
    with pytest.raises(mg.SpecError) as caught:
        mg.loads(text, name="model.yaml").with_params(p=0)
    (fault,) = caught.value.diagnostics
    assert (fault.span.line, fault.span.file.name) == (3, "model.yaml")


def test_unknown_params_and_values_are_refused() -> None:
    graph = mg.loads(SPEC)
    with pytest.raises(ValueError, match="no param is called 'hiden'"):
        graph.with_params(hiden=8)
    with pytest.raises(TypeError, match="params"):
        graph.with_params([8])  # type: ignore[arg-type]


def test_a_graph_with_a_space_can_be_pickled() -> None:
    graph = mg.loads(SPEC)
    assert graph.space.size == pickle.loads(pickle.dumps(graph)).space.size


def test_a_part_has_its_defaults(tmp_path: Any) -> None:
    part = "params: {w: {search: [8, 16], default: 16}, k: {search: [Linear, Conv1d]}}\n"
    part += "inputs: {x: [3, 4]}\nnodes: {y: {layer: $k, from: x, out_features: $w, out_channels: $w, kernel_size: 1}}\noutputs: y\n"
    (tmp_path / "part.yaml").write_text(part)
    whole = (
        "parts: {p: part.yaml}\ninputs: {x: [3, 4]}\nnodes: {y: {block: p, from: x}}\noutputs: y\n"
    )
    (tmp_path / "whole.yaml").write_text(whole)
    graph = mg.load(tmp_path / "whole.yaml")
    assert str(graph.shapes["y"]) == "(N, 3, 16)" and not graph.space
    assert (
        mg.load(tmp_path / "part.yaml").with_params(k="Conv1d").shapes["y"]
        == (mg.load(tmp_path / "part.yaml", {"k": "Conv1d"}).shapes["y"])
    )
    assert "search" not in graph.dumps()
    tower = mg.load(tmp_path / "part.yaml")
    used = mg.Graph(tower(mg.Input("x", (3, 4)), name="y"))
    assert str(used.shapes["y"]) == "(N, 3, 16)"
