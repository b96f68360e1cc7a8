"""The types of options: the values that each takes, their canonical form, and the words for it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest

from mimgraph.ir.dim import Dim, Size, symbol
from mimgraph.ir.expression import Variable, WrittenFloat, WrittenInt
from mimgraph.ir.option_types import (
    Depth,
    NonNegative,
    Positive,
    PositiveFloat,
    Probability,
    Range,
    checker,
    choices,
    describe,
)
from tests.helpers.cases import each

T = symbol("T")
Mode = Literal["zeros", "circular"]

# annotation: its description, the values it takes with their canonical form, the values it refuses
TYPES: list[tuple[Any, str, list[Any], list[Any]]] = [
    (int, "an integer", [(3, 3), (-1, -1)], [True, 3.0, "3", None, T]),
    (float, "a number", [(0.5, 0.5), (3, 3.0)], [True, "0.5", None]),
    (bool, "true or false", [(True, True)], [1, "true", None]),
    (str, "a string", [("x", "x"), ("", "")], [1, None]),
    (Any, "any value", [(None, None), ([1], [1])], []),
    (Size, "a size", [(1, 1), (T, T)], [0, True, 2.0, "T"]),
    (Positive, "an integer of at least 1", [(1, 1)], [0, True, 1.0]),
    (NonNegative, "an integer of at least 0", [(0, 0)], [-1]),
    (Depth, "an integer from 1 to 1000", [(1, 1), (1000, 1000)], [0, 1001]),
    (Probability, "a number from 0 to 1", [(0, 0.0), (1.0, 1.0)], [-0.1, 1.5, float("nan")]),
    (PositiveFloat, "a number of at least 0", [(0, 0.0), (2.5, 2.5)], [-1e-9]),
    (Mode, "'zeros' or 'circular'", [("zeros", "zeros")], ["Zeros", 0]),
    (Literal[1, 2], "1 or 2", [(1, 1)], [True, 1.0, 3]),
    (int | None, "an integer or null", [(3, 3), (None, None)], ["3", False]),
    (Size | None, "a size or null", [(T, T), (None, None)], [0]),
    (int | Mode, "an integer or 'zeros' or 'circular'", [(3, 3), ("zeros", "zeros")], ["same"]),
    (tuple[int, ...], "a list, each an integer", [([1, 2], (1, 2)), ((), ())], [1, [1, "2"]]),
    (tuple[float, float], "a list of 2, each a number", [([1, 2.5], (1.0, 2.5))], [[1], [1, 2, 3]]),
    (
        Positive | tuple[Positive, Positive],
        "an integer of at least 1 or a list of 2, each an integer of at least 1",
        [(3, 3), ([3, 5], (3, 5))],
        [0, [3, 0], [3]],
    ),
    (
        dict[str, int],
        "a mapping of names, each an integer",
        [({"h": 4}, {"h": 4})],
        [[4], {"h": "4"}],
    ),
]
IDS = [name for _, name, _, _ in TYPES]


@each("annotation, name, taken, refused", TYPES)
def test_a_type_takes_converts_and_refuses(
    annotation: Any, name: str, taken: list[Any], refused: list[Any]
) -> None:
    check = checker(annotation)
    assert describe(annotation) == name
    for given, value in taken:
        found = check(given)
        assert (found, type(found)) == (value, type(value))
    for given in refused:
        with pytest.raises(ValueError, match="^$"):
            check(given)


def test_converted_values_remember_their_expression() -> None:
    width = WrittenInt(3, Variable("width"))
    kept, converted = checker(int)(width), checker(float)(width)
    assert kept is width
    assert isinstance(converted, WrittenFloat)
    assert (converted, converted.written) == (3.0, Variable("width"))


@each(
    "annotation, expected",
    [(Mode, ("zeros", "circular")), (int | Mode, ("zeros", "circular")), (Literal[1, "a"], ("a",))]
    + [(str, ()), (int | Dim, ()), (Annotated[int, Range(1)], ())],
)
def test_choices(annotation: Any, expected: tuple[str, ...]) -> None:
    assert choices(annotation) == expected
