"""A node typed as one before it has the same code, constraints and length of options, whatever came before."""

from __future__ import annotations

import re
from itertools import permutations

import pytest

import mimgraph as mg
from mimgraph.infer import scope
from mimgraph.infer.nodes import known_nodes
from mimgraph.infer.nodes.known_nodes import forget
from tests.conftest import ROOT
from tests.helpers.cases import each

ALIKE = {  # nodes that differ in one thing
    "zeros of two signs": ("layer: Pad, pad: [1, 1], value: %s, from: x", ["0.0", "-0.0"]),
    "numbers of two types": ("layer: ELU, alpha: %s, from: x", ["1", "1.0", "true"]),
    "activations": (
        "layer: Linear, out_features: 8, from: x, activation: %s",
        ["null", "ReLU", "GLU", "{GLU: 1}"],
    ),
    "types": ("layer: Softmax, dim: -1, from: %s", ["x", "y", "flags"]),
    "arguments": (
        "layer: Bilinear, out_features: 4, from: %s",
        ["[x, x]", "{input1: x, input2: x}", "{input2: x, input1: x}"],
    ),
    "ports": ("layer: LSTM, hidden_size: 4, from: x, take: %s", ["output", "last", "hidden"]),
}


@each("node, parts", ALIKE)
def test_a_node_has_the_same_code_after_any_other(node: str, parts: list[str]) -> None:
    alone = {}
    for part in parts:
        forget()
        alone[part] = _emitted(node % part)
        assert _emitted(node % part) == alone[part]
    for order in permutations(parts):
        forget()
        assert {part: _emitted(node % part) for part in order} == alone


def _emitted(node: str) -> str:
    inputs = "{x: [T, 8], y: [T], flags: {shape: [T], dtype: bool}}"
    return _source(f"inputs: {inputs}\nnodes: {{a: {{{node}}}}}\noutputs: a\n")


def _source(text: str) -> str:
    """Return the source of a spec, or its faults."""
    try:
        return mg.loads(text).source()
    except mg.SpecError as error:
        return str(error)


def test_a_known_node_requires_what_its_activation_requires() -> None:
    spec = "inputs: {x: [4, T]}\nnodes: {a: {layer: Tanh, activation: GLU, from: x}}\noutputs: a\n"
    forget()
    first, second = mg.loads(spec), mg.loads(spec)
    assert [str(one) for one in first.typed.constraints] == ["T >= 2", "T % 2 == 0"]
    assert second.typed.constraints == first.typed.constraints


def test_options_of_known_nodes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = "".join(
        f"  n{i}: {{layer: Rearrange, pattern: n a b -> n b a, from: x}}\n" for i in range(9)
    )
    spec = (
        f"inputs: {{x: [4, 4]}}\nnodes:\n{nodes}outputs: [{', '.join(f'n{i}' for i in range(9))}]\n"
    )
    mg.loads(spec)
    monkeypatch.setattr(scope, "MAX_LENGTH", 8 * len("n a b -> n b a"))
    with pytest.raises(mg.SpecError, match="characters of options"):
        mg.loads(spec)


def test_a_tensor_of_the_model_is_not_remembered() -> None:
    forget()
    mg.loads(
        "inputs: {x: [8]}\nnodes: {p: {parameter: [8], init: zeros}, s: {merge: add, from: [x, p], broadcast: true}}\noutputs: s\n"
    )
    assert not known_nodes._known


@each(
    "options", ["activation: Linear", "activation: Nothing", "activation: {ReLU: {x: 3}}", "x: 3"]
)
def test_a_fault_is_reported_again(options: str) -> None:
    node = f"layer: Linear, from: x, out_features: 4, {options}"
    forget()
    first, second = _emitted(node), _emitted(node)
    assert first == second
    assert "error" in first


@pytest.mark.slow
def test_the_specs_of_the_manual_and_the_corpus_have_the_same_source_or_faults_in_any_order() -> (
    None
):
    pages = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "tests" / "corpus").glob("*.md")]
    found = [
        re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL) for page in sorted(pages)
    ]
    texts = [text for some in found for text in some]
    forget()
    first = [_source(text) for text in texts]
    assert [_source(text) for text in texts] == first
    forget()
    assert [_source(text) for text in texts[::-1]] == first[::-1]
