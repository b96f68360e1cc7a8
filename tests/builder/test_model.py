"""`mg.Model(inputs=..., outputs=...)`: a graph whose inputs are listed, as in Keras."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import mimgraph as mg
from mimgraph import layers, merges

a, b, c = (mg.Input(name, (4,)) for name in "abc")
fused = merges.concat(b, a, name="fused")
score = layers.Linear(1)(fused, name="score")


def test_it_is_the_graph_of_the_outputs() -> None:
    forms: list[Any] = [[a, b], (a, b), {"a": a, "b": b}, (one for one in (a, b))]
    for inputs in forms:
        model = mg.Model(inputs=inputs, outputs=score, name="M")
        assert isinstance(model, mg.Graph)
        assert model == mg.Graph(score, "M")


def test_inputs_have_the_order_of_the_list() -> None:
    model = mg.Model([b, a], score, doc="Two vectors.")
    assert [*model.inputs] == ["b", "a"]
    assert [*inspect.signature(model.compile().forward).parameters] == ["b", "a"]
    assert "doc: Two vectors." in model.dumps()


FAULTS: dict[str, tuple[Any, str, str]] = {
    "one is missing": ([a], "unknown-source", "the outputs depend on b, which inputs lacks"),
    "one is not used": (
        [a, b, c],
        "unused-input",
        "c is among inputs, but no output depends on it",
    ),
    "another of this name": (
        [a, mg.Input("b", (4,))],
        "unused-input",
        "b is among inputs, but no output depends on it",
    ),
    "one twice": ([a, b, a], "duplicate-name", "a is among inputs twice"),
    "a result": ([a, fused], "unknown-source", "fused is not an input"),
    "another name": ({"a": b, "b": a}, "bad-name", "'a' is the input 'b'"),
}


def test_a_fault_is_at_the_call() -> None:
    for case, (inputs, code, message) in FAULTS.items():
        with pytest.raises(mg.SpecError) as caught:
            mg.Model(inputs, score)
        (fault,) = caught.value.diagnostics
        assert (fault.code, fault.message) == (code, message), case
        assert fault.span.file.line(fault.span.line).strip() == "mg.Model(inputs, score)", case


def test_what_is_no_handle_is_a_type_error() -> None:
    given: list[Any] = ["a", None, 3, [a, 3], ["a"], {"a": 1}]
    for inputs in given:
        with pytest.raises(TypeError, match="input"):
            mg.Model(inputs, score)
