"""Named sizes given as numbers: which are accepted, and which constraints are left."""

from __future__ import annotations

from typing import Any

import pytest

import mimgraph as mg
from tests.helpers.cases import each

TEXT = """
inputs: {x: [4, T], y: [T, S]}
nodes:
  conv: {layer: Conv1d, from: x, out_channels: 4, kernel_size: 3}
  halves: {layer: Chunk, from: y, chunks: 2, dim: 2}
  sum: {merge: add, from: [halves.0, halves.1]}
outputs: {conv: conv, sum: sum}
"""


def test_given_sizes_are_filled_in_and_other_constraints_are_left() -> None:
    graph = mg.loads(TEXT)
    summary = graph.summary(sizes={"T": 9})
    assert [row.shape for row in summary.rows[:3]] == ["(N, 4, 9)", "(N, 9, S)", "(N, 4, 7)"]
    assert summary.constraints == ("S >= 2", "S % 2 == 0")
    assert graph.summary().constraints == ("T >= 3", "S >= 2", "S % 2 == 0")
    whole = graph.summary(batch=8, sizes={"T": 9, "S": 6})
    assert whole.outputs == {"conv": "(8, 4, 7)", "sum": "(8, 9, 3)"}
    assert (whole.constraints, whole.macs) == ((), 8 * 7 * 4 * 4 * 3)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"sizes": {"U": 3}}, "the graph has no size named 'U'; its sizes: T, S"),
    ({"sizes": {"N": 3}}, "the graph has no size named 'N'; its sizes: T, S"),
    ({"sizes": {"T": 0}}, "T must be an integer of at least 1, not 0"),
    ({"sizes": {"T": True}}, "T must be an integer of at least 1, not True"),
    ({"sizes": {"T": "9"}}, "T must be an integer of at least 1, not '9'"),
    ({"sizes": {"T": 2}}, "T = 2 breaks T >= 3, which conv needs (<string>:4)"),
    ({"sizes": {"T": 9, "S": 5}}, "S = 5 breaks S % 2 == 0, which halves needs (<string>:5)"),
    ({"batch": 0}, "batch must be an integer of at least 1, not 0"),
    ({"batch": 1.5}, "batch must be an integer of at least 1, not 1.5"),
    ({"batch": 2**63}, f"batch is too large: a size is at most {2**63 - 1:,}"),
    ({"sizes": {"T": 9, "S": 2**64}}, f"S is too large: a size is at most {2**63 - 1:,}"),
]


@each("given, message", REFUSED)
def test_a_wrong_size_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        mg.loads(TEXT).summary(**given)
    assert str(caught.value) == message


def test_an_excluded_size_is_refused_and_any_other_meets_the_constraint() -> None:
    node = "f: {merge: formula, from: [x], expr: x * (1 / (10 - 2 * $T))}"
    graph = mg.loads(f"inputs: {{x: [T]}}\nnodes: {{{node}}}\noutputs: f\n")
    assert graph.summary().constraints == ("T != 5",)
    assert [graph.summary(sizes={"T": size}).constraints for size in (4, 6)] == [(), ()]
    with pytest.raises(ValueError, match=r"T = 5 breaks T != 5, which f needs \(<string>:2\)"):
        graph.summary(sizes={"T": 5})


INSIDE = """
inputs: {x: [4, T]}
blocks:
  narrow: {seq: [{Conv1d: {out_channels: 4, kernel_size: 3}}, ReLU]}
  deep: {inputs: {x: [C, L]}, nodes: {first: {block: narrow, from: x, repeat: 3}}, outputs: first}
nodes: {y: {block: deep, from: x}}
outputs: y
"""


def test_the_node_that_needs_a_size_is_named_however_deep_it_is() -> None:
    with pytest.raises(
        ValueError, match=r"T = 6 breaks T >= 7, which y\.first\.2\.0 needs \(.*:4\)"
    ):
        mg.loads(INSIDE).summary(sizes={"T": 6})


SQUARE = """
inputs: {x: [T, 4]}
nodes: {y: {layer: Rearrange, from: z, pattern: "n a b -> n (a b)"}, z: {merge: matmul, from: [x, t]},
        t: {layer: Transpose, from: x, dim0: 1, dim1: 2}}
outputs: y
"""


def test_a_computed_size_that_is_too_large_is_refused() -> None:
    message = r"with T = 10000000000, a size of \(N, T\*\*?2\) does not fit in 64 bits"
    with pytest.raises(ValueError, match=message):
        mg.loads(SQUARE).summary(sizes={"T": 10**10})
