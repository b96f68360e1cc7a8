"""Items that repeat in a row are drawn once, if each repeat is wired alike."""

from __future__ import annotations

import pytest

from mimgraph.picture.diagram.flat_repeats import fold_repeats
from mimgraph.picture.diagram.model import Cluster
from tests.picture.diagram.test_fold import drawn, edges, outline

HEAD = "inputs: {x: [8], m: [8]}\nnodes:\n"


def steps(times: int, nodes: str, first: str = "x") -> str:
    """Return nodes for several steps: `#` becomes the number of a step, `@` the result of the one before."""
    rows = []
    for number in range(times):
        before = f"add{number - 1}" if number else first
        rows.append(nodes.replace("#", str(number)).replace("@", before))
    return "".join(rows)


STEP = """
  fc#: {layer: Linear, from: @, out_features: 8}
  act#: {layer: GELU, from: fc#}
  add#: {merge: add, from: [act#, @]}
"""


def test_a_residual_step_is_drawn_once() -> None:
    picture = fold_repeats(
        drawn(f"{HEAD}{steps(9, STEP)}  end: {{merge: add, from: [add8, m]}}\noutputs: end")
    )
    assert outline(picture.items) == [
        "input x",
        "input m",
        "repeat fc0 to add8",
        "  layer fc0",
        "  layer act0",
        "  merge add0",
        "merge end",
        "output output end",
    ]
    assert edges(picture) == [
        "x -> fc0",
        "fc0 -> act0",
        "act0 -> add0",
        "x -> add0",
        "add0 -> end",
        "m -> end",
        "end -> output end",
    ]
    steps_ = picture.items[2]
    assert isinstance(steps_, Cluster)
    assert steps_.subtitle == "3 nodes × 9"
    assert [item.title for item in steps_.items] == ["fc0…8", "act0…8", "add0…8"]


def test_numbers_that_differ_between_repeats_are_a_span() -> None:
    step = """
  up#: {layer: Linear, from: @, out_features: 1#}
  out#: {layer: Tanh, from: up#}
  add#: {merge: add, from: [out#, out#]}
"""
    picture = fold_repeats(
        drawn(f"{HEAD}{steps(5, step)}  end: {{merge: concat, from: [add4, m]}}\noutputs: end")
    )
    (found,) = (item for item in picture.items if isinstance(item, Cluster))
    assert [(item.subtitle, *item.shapes) for item in found.items] == [
        ("Linear 8…13 to 10…14", "(N, 10…14)"),
        ("Tanh", "(N, 10…14)"),
        ("add", "(N, 10…14)"),
    ]


@pytest.mark.parametrize(
    ("times", "step", "end"),
    [
        (2, STEP, "[add1, m]"),
        (6, STEP, "[add5, add2, m]"),
        (6, STEP.replace("act#, @]", "act#, act0]"), "[add5, m]"),
        (6, STEP, "[add5, fc4, m]"),
    ],
    ids=["few", "one is read later", "the first is read by all", "one inside is read later"],
)
def test_edges_from_the_middle_of_a_row_are_kept(times: int, step: str, end: str) -> None:
    whole = drawn(f"{HEAD}{steps(times, step)}  end: {{merge: add, from: {end}}}\noutputs: end")
    picture = fold_repeats(whole)
    heads = [edge.tail for edge in picture.edges if edge.head == "end"]
    shown = [line.split()[-1] for line in outline(picture.items)]
    assert len(heads) == len([edge for edge in whole.edges if edge.head == "end"])
    assert set(heads) <= set(shown)
    assert len(set(heads)) == len(heads)


def test_a_tensor_that_every_repeat_reads_has_one_edge() -> None:
    step = STEP.replace("[act#, @]", "[act#, @, m]")
    picture = fold_repeats(drawn(f"{HEAD}{steps(6, step)}outputs: add5"))
    assert [edge.head for edge in picture.edges if edge.tail == "m"] == ["add0"]
