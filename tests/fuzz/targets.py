"""The small languages inside a spec, each as a function of any text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from mimgraph.ir.expression import ExpressionError, parse, to_text
from tests.fuzz.ends import check
from tests.fuzz.running import check_runs
from tests.fuzz.seeds import seeds, values_at
from tests.helpers.strategies import to_yaml

ELEMENTWISE = {
    "a": {"shape": ["T", 4]},
    "b": {"shape": ["T", 4]},
    "i": {"shape": ["T", 4], "dtype": "int64"},
    "m": {"shape": ["T", 4], "dtype": "bool"},
}


def reader(text: str) -> None:
    """Read the text as a whole spec."""
    check(text)


def expression(text: str) -> None:
    """Read the text as an expression in an option; written and read again, it is the same."""
    _check({"x": ["T", 4]}, {"layer": "Linear", "from": "x", "out_features": f"$({text})"})
    try:
        read = parse(text)
    except ExpressionError as error:
        assert 0 <= error.start <= error.end <= len(text)
    else:
        assert to_text(parse(to_text(read))) == to_text(read)


def formula(text: str) -> None:
    """Read the text as a formula of the sources that it names."""
    inputs = {name: shape for name, shape in ELEMENTWISE.items() if re.search(rf"\b{name}\b", text)}
    _check(inputs, {"merge": "formula", "expr": text, "from": {name: name for name in inputs}})


def rearrange(text: str) -> None:
    """Read the text as a rearrangement of a tensor with as many axes as the left side."""
    axes = re.sub(r"\([^()]*\)", "g", text.partition("->")[0]).split()
    inputs = {"x": [6, "T", 4, 2, 3][: max(0, len(axes) - 1)]}
    sizes = {name: 2 for name in "hw" if name in text}
    for layer in ("Rearrange", "Reduce"):
        _check(inputs, {"layer": layer, "from": "x", "pattern": text, "sizes": sizes})


def einsum(text: str) -> None:
    """Read the text as an einsum of tensors with as many axes as the terms have letters."""
    terms = [re.findall("[a-zA-Z]", term) for term in text.partition("->")[0].split(",")]
    inputs = {f"x{i}": [4] * max(0, len(term) - 1) for i, term in enumerate(terms[:6])}
    _check(inputs, {"merge": "einsum", "equation": text, "from": list(inputs)})


def _check(inputs: dict[str, Any], node: dict[str, Any]) -> None:
    """Check that a spec with this node comes to a legal end, and runs if it is legal."""
    params = {"p": 3, "q": 0.5, "r": [1, 2]}
    spec = {"params": params, "inputs": inputs, "nodes": {"y": node}, "outputs": "y"}
    graph = check(to_yaml(spec))
    if graph is not None:
        check_runs(graph)


class Target(NamedTuple):
    """A function that reads a text, and texts to begin with."""

    run: Callable[[str], None]
    seeds: Callable[[], list[str]]


def _expressions() -> list[str]:
    return sorted({found for text in seeds() for found in re.findall(r"\$\((.*?)\)", text)})


TARGETS = {
    "reader": Target(reader, seeds),
    "expression": Target(expression, _expressions),
    "formula": Target(formula, lambda: values_at("expr")),
    "rearrange": Target(rearrange, lambda: values_at("pattern", "Rearrange", "Reduce")),
    "einsum": Target(einsum, lambda: values_at("equation")),
}
