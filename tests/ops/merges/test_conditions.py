"""Checks the formulas for conditions of Python and C, and that they mean the same."""

from __future__ import annotations

from itertools import product

import torch

from mimgraph.ir.expression import parse_formula, variables
from mimgraph.ops.merges.notation import LONGEST, as_formula
from tests.helpers.cases import check_each
from tests.ops.layers.oracle import infer, results, tensor

WRITTEN = {
    "x > 0 and x < 1": "x > 0 and x < 1",
    "x > 0 or not y > 0": "x > 0 or not y > 0",
    "(x > 0 or y > 0) and x < y": "(x > 0 or y > 0) and x < y",
    "not (x and y)": "not (x and y)",
    "0 < x < 1": "0 < x and x < 1",
    "0 < x <= y < 1": "0 < x and x <= y and y < 1",
    "not 0 < x < 1": "not (0 < x and x < 1)",
    "x if x > y else y": "where(x > y, x, y)",
    "x if x and y else y": "where(x and y, x, y)",
    "x if x else 1 if y > 0 else 2": "where(x != 0, x, where(y > 0, 1, 2))",
    "abs(x if x > 0 and y > 0 else y) + 1": "abs(where(x > 0 and y > 0, x, y)) + 1",
    "2 * (x > 0 and y > 0)": "2 * (x > 0 and y > 0)",
}


def test_conditions_of_python() -> None:
    assert {text: as_formula(text) for text in WRITTEN} == WRITTEN


def value(text: str, **names: float) -> float:
    """Return the value of a formula of single numbers."""
    used = {variable.name for variable in variables(parse_formula(text))}
    lowering = infer("formula", dict.fromkeys(used, tensor()), expr=text)
    inputs = {name: torch.tensor([names[name]]) for name in used}
    return float(results(lowering, inputs, None, {})[""][0])


def test_formulas_mean_the_same_as_the_conditions_of_python() -> None:
    def means_the_same(text: str) -> None:
        for x, y in product((-1.0, 0.0, 0.5, 2.0), (-1.0, 0.0, 0.75, 2.0)):
            expected = eval(text, {"__builtins__": {}, "abs": abs}, {"x": x, "y": y})
            assert value(WRITTEN[text], x=x, y=y) == float(expected), (x, y)

    check_each(WRITTEN, means_the_same)


OTHERS = {
    "x > 0 && y > 0 || !z": "x > 0 and y > 0 or not z",
    "(x > 0) & (y > 0) | ~(z > 0)": "x > 0 and y > 0 or not z > 0",
    "x > 0 ? y : z": "where(x > 0, y, z)",
    "a ? b : c ? d : e": "where(a != 0, b, where(c != 0, d, e))",
}


def test_conditions_of_c() -> None:
    assert {text: as_formula(text) for text in OTHERS} == OTHERS
    check_each(OTHERS.values(), parse_formula)


def test_other_texts_are_not_translated() -> None:
    texts = [
        "x and",
        "and x",
        "x!",
        "!",
        "not",
        "x if y",
        "x ? y",
        "(x and y",
        "x and y)",
        "x and y.mean()",
        "x and 'y'",
        "x lambda y",
        "",
        "~" * 50 + "x" * 200,
        "(" * 40 + "x and y" + ")" * 40,
        " and ".join(["x > 0"] * LONGEST),
        "x" + " " * 100_000 + "é",
    ]
    assert [text for text in texts if as_formula(text) is not None] == []
