"""The cache of rules' answers changes nothing: a spec emits the same code after any other spec."""

from __future__ import annotations

import re
from itertools import permutations

import pytest

import mimgraph as mg
from mimgraph.infer import rules, state
from mimgraph.infer.rules import forget
from tests.conftest import ROOT
from tests.helpers.cases import each

ALIKE = {  # equal options that are emitted in different text
    "zeros of two signs": ("Pad: {pad: [1, 1], value: %s}", ["0.0", "-0.0", "$(-zero)"]),
    "sizes of other origins": ("Linear: %s", ["8", "$hidden", "$(2 * half)", "$(half + half)"]),
    "numbers in a list": ("Reshape: [%s, -1]", ["4", "$half", "$(hidden // 2)"]),
    "numbers in a text": (
        'Rearrange: {pattern: "n (a b) -> n a b", sizes: {a: %s}}',
        ["4", "$half", "$(hidden // 2)"],
    ),
}


@each("item, options", ALIKE)
def test_a_spec_emits_the_same_after_any_other(item: str, options: list[str]) -> None:
    specs = [
        "params: {hidden: 8, half: 4, zero: 0.0}\ninputs: {x: [8]}\n"
        f"blocks:\n  b: {{params: {{hidden: 8}}, seq: [{item % option}]}}\n"
        "nodes:\n  y: {block: b, from: x}\n  z: {block: b, from: x, hidden: 16}\n"
        "outputs: [y, z]\n"
        for option in options
    ]
    alone = {}
    for spec in specs:
        forget()
        alone[spec] = _emitted(spec)
    for order in permutations(specs):
        forget()
        assert {spec: _emitted(spec) for spec in order} == alone


def _emitted(spec: str) -> str:
    try:
        return mg.loads(spec).source()
    except mg.SpecError as error:
        return str(error)


def test_long_options_are_not_remembered() -> None:
    forget()
    expr = " + ".join(["x" * 20] * 60)
    mg.loads(
        f"inputs: {{x: [8]}}\nnodes:\n  y: {{merge: formula, expr: {expr}, from: {{{'x' * 20}: x}}}}\n"
        "  z: {layer: ReLU, from: y}\noutputs: z\n"
    )
    assert len(rules._asked) == 1


ALIKE_NODES = {  # nodes that differ in one thing
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


@each("node, parts", ALIKE_NODES)
def test_a_node_has_the_same_code_after_any_other(node: str, parts: list[str]) -> None:
    alone = {}
    for part in parts:
        forget()
        alone[part] = _of_node(node % part)
        assert _of_node(node % part) == alone[part]
    for order in permutations(parts):
        forget()
        assert {part: _of_node(node % part) for part in order} == alone


def _of_node(node: str) -> str:
    inputs = "{x: [T, 8], y: [T], flags: {shape: [T], dtype: bool}}"
    return _emitted(f"inputs: {inputs}\nnodes: {{a: {{{node}}}}}\noutputs: a\n")


def test_a_node_whose_answer_is_known_requires_what_its_activation_requires() -> None:
    spec = "inputs: {x: [4, T]}\nnodes: {a: {layer: Tanh, activation: GLU, from: x}}\noutputs: a\n"
    forget()
    first, second = mg.loads(spec), mg.loads(spec)
    assert [str(one) for one in first.typed.constraints] == ["T >= 2", "T % 2 == 0"]
    assert second.typed.constraints == first.typed.constraints


def test_options_are_counted_though_the_answer_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = "".join(
        f"  n{i}: {{layer: Rearrange, pattern: n a b -> n b a, from: x}}\n" for i in range(9)
    )
    spec = (
        f"inputs: {{x: [4, 4]}}\nnodes:\n{nodes}outputs: [{', '.join(f'n{i}' for i in range(9))}]\n"
    )
    mg.loads(spec)
    monkeypatch.setattr(state, "MAX_LENGTH", 8 * len("n a b -> n b a"))
    with pytest.raises(mg.SpecError, match="characters of options"):
        mg.loads(spec)


@each(
    "options", ["activation: Linear", "activation: Nothing", "activation: {ReLU: {x: 3}}", "x: 3"]
)
def test_a_fault_is_reported_again(options: str) -> None:
    node = f"layer: Linear, from: x, out_features: 4, {options}"
    forget()
    first, second = _of_node(node), _of_node(node)
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
    first = [_emitted(text) for text in texts]
    assert [_emitted(text) for text in texts] == first
    forget()
    assert [_emitted(text) for text in texts[::-1]] == first[::-1]
