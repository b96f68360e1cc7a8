"""`space.prove` finds the points that a fresh check refuses, and rules that match no other point."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

import mimgraph as mg
from mimgraph.diagnostics import Report
from mimgraph.infer.search import PointTypes
from mimgraph.language.read_spec import read
from mimgraph.search.explain import matches, rule_text
from mimgraph.search.points import every_point
from mimgraph.search.prove import Proof, faults_at
from mimgraph.search.space import Space
from mimgraph.source import SourceFile

SPEC = """\
params:
  hidden: {search: [62, 63, 64], default: 64}
  heads: {search: [2, 3]}
  depth: {search: {int: [0, 2]}, default: 1}
  fusion: {search: [concat, add, transformer]}
inputs: {a: [10], b: [20]}
nodes:
  x: {layer: Linear, from: a, out_features: $hidden}
  y: {layer: Linear, from: b, out_features: $(hidden // 2 * 2)}
  f: {merge: $fusion, from: [x, y], num_heads: $heads}
  z: {layer: Linear, from: f, out_features: $depth}
outputs: z
"""


def test_every_point_is_checked_as_a_fresh_load_would() -> None:
    graph = mg.loads(SPEC)
    points = [*every_point(graph.space)]
    wrong = [point for point in points if not _loads(point)]
    proof = graph.space.prove(1000)
    assert (proof.checked, proof.failed, proof.is_whole) == (len(points), len(wrong), True)
    assert len(points) == graph.space.size == 3 * 3 * (1 + 1 + 2)
    for one in proof.impossible:
        codes = [point for point in points if one.diagnostic.code in _codes(point)]
        assert one.example in codes
        for rule in one.rules:
            assert all(one.diagnostic.code in _codes(p) for p in points if matches(rule, p))


def _loads(point: dict[str, Any]) -> bool:
    return not _codes(point)


def _codes(point: dict[str, Any]) -> list[str]:
    try:
        mg.loads(SPEC, point)
    except mg.SpecError as error:
        return [fault.code for fault in error.diagnostics]
    return []


def test_a_fault_is_explained_by_the_fewest_params() -> None:
    proof = mg.loads(SPEC, name="model.yaml").space.prove(1000)
    found = {
        (one.diagnostic.message.partition(" of ")[0], one.diagnostic.span.line): (
            one.points,
            [*map(rule_text, one.rules)],
        )
        for one in proof.impossible
    }
    assert found[("out_features", 11)] == (12, ["depth = 0"])
    assert found[("add needs equal shapes", 10)] == (
        9,
        ["hidden = 63 with fusion = add or transformer"],
    )
    notes = [fault.note for fault in proof.diagnostics]
    assert any(note.endswith("12 of 36 points: depth = 0") for note in notes)


def test_a_note_is_short_where_many_values_fail() -> None:
    widths = [*range(1, 40, 2)]
    text = f"""
params: {{a: {{search: {widths}, default: 9}}, b: {{search: {{int: [1, 40]}}, default: 9}}}}
inputs: {{x: [4]}}
nodes:
  p: {{layer: Linear, from: x, out_features: $a}}
  q: {{layer: Linear, from: x, out_features: $b}}
  y: {{merge: add, from: [p, q]}}
outputs: y
"""
    (fault,) = mg.loads(text).space.prove(1000).diagnostics
    assert "780 of 800 points: " in fault.note and len(fault.note) < 250
    assert " or 13 or 13 more with b = " in fault.note and fault.note.endswith("; and 3 more")


RANDOM: dict[str, tuple[str, str, Callable[[str], bool]]] = {
    "an integer in a range": (
        "{search: {int: [-500, 500]}, default: 4}",
        "{layer: Linear, from: x, out_features: $p}",
        lambda rule: rule.startswith("p = -") and int(rule.split(" to ")[1]) <= 0,
    ),
    "a number in a range": (
        "{search: {float: [0.0, 2.0]}}",
        "{layer: Dropout, from: x, p: $p}",
        lambda rule: 1 < float(rule.split(" = ")[1].split(" to ")[0]) < 1.2,
    ),
}


@pytest.mark.parametrize("what", RANDOM)
def test_points_of_an_endless_space_are_drawn(what: str) -> None:
    param, node, is_right = RANDOM[what]
    text = f"params: {{p: {param}}}\ninputs: {{x: [4]}}\nnodes: {{y: {node}}}\noutputs: y\n"
    space = mg.loads(text).space
    proof = space.prove(60)
    assert proof.checked == 60 and 10 < proof.failed < 50 and not proof.is_whole
    (one,) = proof.impossible
    (rule,) = map(rule_text, one.rules)
    assert is_right(rule), rule
    assert _shape(space.prove(60)) == _shape(proof) != _shape(space.prove(60, seed=1))


def _shape(proof: Proof) -> Any:
    return proof.failed, [(one.points, one.example) for one in proof.impossible]


def test_a_space_without_a_fault() -> None:
    text = SPEC.replace("62, 63, 64", "60, 66").replace("[0, 2]", "[1, 2]").replace("64}", "60}")
    proof = mg.loads(text).space.prove()
    assert (proof.failed, proof.diagnostics) == (0, [])
    assert str(proof) == "all 16 points checked, 0 cannot be"


def test_a_graph_without_a_space_has_one_point() -> None:
    graph = mg.Graph(mg.layers.ReLU()(mg.Input("x", (4,)), name="y"))
    assert (graph.space.prove(5).checked, graph.space.prove(5).is_whole) == (1, True)


def test_many_choices_that_decide_are_not_counted_one_by_one() -> None:
    names = [f"k{i}" for i in range(40)]
    params = ", ".join(f"{name}: {{search: [ReLU, Softplus, ELU]}}" for name in names)
    nodes = ", ".join(
        f"y{i}: {{layer: ${name}, from: {'x' if not i else f'y{i - 1}'}, beta: $b, alpha: 1.0}}"
        for i, name in enumerate(names)
    )
    text = f"params: {{{params}, b: {{search: [1, 2]}}}}\ninputs: {{x: [4]}}\nnodes: {{{nodes}}}\noutputs: y39\n"
    space = mg.loads(text).space
    assert space.size == math.inf
    assert space.prove(3).failed == 0


def test_a_space_may_have_more_params_than_python_nests_calls() -> None:
    names = [f"p{i}" for i in range(1100)]
    params = ", ".join(f"{name}: {{search: [0.5]}}" for name in names)
    nodes = ", ".join(
        f"y{i}: {{layer: Dropout, from: x, p: $(({' + '.join(names[i : i + 50])}) / 99)}}"
        for i in range(0, 1100, 50)
    )
    outputs = ", ".join(f"y{i}" for i in range(0, 1100, 50))
    text = f"params: {{{params}}}\ninputs: {{x: [4]}}\nnodes: {{{nodes}}}\noutputs: [{outputs}]\n"
    (point,) = every_point(mg.loads(text).space)
    assert [*point] == names


def test_a_huge_space_is_counted() -> None:
    params = ", ".join(f"p{i}: {{search: {{int: [1, 1000000000000000000]}}}}" for i in range(30))
    nodes = ", ".join(f"y{i}: {{layer: Dropout, from: x, p: $(1 / p{i})}}" for i in range(30))
    outputs = ", ".join(f"y{i}" for i in range(30))
    text = f"params: {{{params}}}\ninputs: {{x: [4]}}\nnodes: {{{nodes}}}\noutputs: [{outputs}]\n"
    assert mg.loads(text).space.size == 10 ** (18 * 30)


def test_a_point_that_costs_too_much_cannot_be() -> None:
    text = "limits: {parameters: 100}\nparams: {w: {search: {int: [8, 32]}}, a: {search: [ReLU, Tanh]}}\n"
    text += (
        "inputs: {x: [4]}\nnodes: {y: {layer: Linear, from: x, out_features: $w, activation: $a}}\n"
    )
    proof = mg.loads(f"{text}outputs: y\n").space.prove()
    (one,) = proof.impossible
    assert (one.diagnostic.code, [*map(rule_text, one.rules)]) == ("over-limit", ["w = 21 to 32"])
    assert (proof.checked, one.points) == (50, 24)


# what the types of nodes may follow from besides the values of their own params
SHAPED = {
    "the shape of an input": "inputs: {x: [$a, 4]}\nnodes: {y: {layer: Linear, from: x, out_features: $b}, z: {layer: Conv1d, from: y, out_channels: 2, kernel_size: 3}}",
    "another param": "inputs: {x: [4]}\nnodes: {y: {layer: Linear, from: x, out_features: $c}, z: {merge: add, from: [x, y]}}",
    "an optional input": "inputs: {x: [4], w: {shape: [4], optional: $d}}\nnodes: {y: {layer: Linear, from: w, out_features: $b}, z: {merge: add, from: [x, y], missing: skip}}",
    "what is frozen and taken": "inputs: {x: [5, 4]}\nnodes: {y: {layer: LSTM, from: x, hidden_size: $b, take: output, freeze: $d}, z: {merge: add, from: [y, x], broadcast: $d}}",
    "a block": "inputs: {x: [2]}\nblocks: {k: {params: {w: null}, seq: [{Linear: $w}, {Linear: $a}]}}\nnodes: {y: {block: k, from: x, w: $b}, z: {merge: add, from: [x, y]}}",
    "run-time sizes": "inputs: {x: [T, 4]}\nnodes: {y: {layer: Linear, from: x, out_features: $a}, z: {layer: Reshape, from: x, shape: [$T, $a, $b]}}",
}


@pytest.mark.parametrize("what", SHAPED)
def test_what_is_kept_of_other_points_changes_no_fault(what: str) -> None:
    """The default of such a spec may be wrong, so it is read and not loaded."""
    params = "a: {search: [1, 2, 3]}, b: {search: [2, 4]}, c: $(a * b), d: {search: [false, true]}"
    text = f"params: {{{params}}}\n{SHAPED[what]}\noutputs: [z, y]\n"
    declared = read(SourceFile("<string>", text), Report())
    assert declared is not None
    types, found = PointTypes(declared), []
    for point in [*every_point(Space(declared))] * 2:
        kept = [(fault.code, fault.message) for fault in faults_at(declared, point, types)]
        found.append(not kept)
        assert kept == _faults(text, point), point
    assert any(found)


def _faults(text: str, point: dict[str, Any]) -> list[tuple[str, str]]:
    try:
        mg.loads(text, point)
    except mg.SpecError as error:
        return [(fault.code, fault.message) for fault in error.diagnostics]
    return []
