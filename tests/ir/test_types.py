"""Types with an axis more or less, and constraints at run time, as they are printed."""

from __future__ import annotations

from mimgraph.ir.dim import Dim, symbol
from mimgraph.ir.types import Constraint, TensorType
from tests.helpers.cases import each

T, S = symbol("T"), symbol("S")

TOLD: list[tuple[Dim, int, str]] = [
    (T, 4, "T >= 4"),
    (T - 3, 1, "T >= 4"),
    (4 * T, 5, "T >= 2"),
    (4 * T - 1, 7, "T >= 2"),
    (9 - 2 * T, 0, "T <= 4"),
    (2 * T - 4 * S, 1, "T - 2*S >= 1"),
    ((T + 3) // 4, 2, "(T + 3)//4 >= 2"),
]


@each("dim, minimum, told", TOLD)
def test_a_minimum_is_printed_in_lowest_terms(dim: Dim, minimum: int, told: str) -> None:
    assert str(Constraint(dim, minimum)) == told


@each("batched", [True, False])
@each("index", [0, 1, 2])
def test_an_axis_that_is_taken_out_can_be_given_back(index: int, batched: bool) -> None:
    whole = TensorType((T, S, 8), "int64", vocab=5, batched=batched)
    rest = whole.without_axis(index)
    assert rest.dims == tuple(size for i, size in enumerate(whole.dims) if i != index)
    assert rest.with_axis(index, whole.dims[index]) == whole
