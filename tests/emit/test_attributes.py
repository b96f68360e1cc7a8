"""A node, input or param may have any name: what torch, Python or the source uses is renamed in the file."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import mimgraph as mg
from mimgraph.ir.names import EMITTED
from mimgraph.runtime.runner import seeded_inputs
from tests.emit.test_printer import ruff
from tests.helpers.cases import each
from tests.helpers.reserved_names import KEYS, PARTS, RESERVED, ROLES, check_keys, nodes


@each("role", [*ROLES])
def test_a_model_with_reserved_names_runs_and_is_copied(role: str) -> None:
    """tests/engines/test_names.py tries these models in every engine."""
    graph = mg.loads(ROLES[role]([*RESERVED]))
    model, given = graph.compile(), seeded_inputs(graph.typed, 3, 0, {})
    if role in KEYS:
        check_keys(model, [*RESERVED], KEYS[role])
    expected = model(**given)
    for same in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), model.train().eval()):
        torch.testing.assert_close(same(**given), expected)
    assert model.half().float() is model


@each("role", [*ROLES])
def test_ruff_does_not_change_the_file(role: str) -> None:
    source = mg.loads(ROLES[role](sorted({*RESERVED, *EMITTED}))).source()
    assert ruff("check", "--extend-select", "I", text=source) == ""
    assert ruff("format", "--check", text=source) == ""


def test_only_used_modules_are_imported() -> None:
    one = "inputs: {F: [2]}\nnodes: {y: {layer: Linear, from: F, out_features: 2}}\noutputs: y"
    assert "import torch.nn.functional" not in mg.loads(one).source()


def test_the_emitted_file_has_an_underscore_after_the_name() -> None:
    source = mg.loads(nodes(["half", "F", "half_"])).source()
    for line in ("self.half__ = nn.Linear(2, 2)", "self.F = nn.Linear(2, 2)", "F_ = self.F("):
        assert line in source
    assert 'super().__init__({"half": "half__"})' in source


def test_params_that_the_forward_reads_have_attributes_of_their_own() -> None:
    graph = mg.loads("""
inputs: {x: [T, 12]}
blocks:
  b:
    params: {half: 3, half_: 4, lin: 1}
    inputs: [v]
    nodes:
      lin: {layer: Linear, from: v, out_features: 12}
      lin_: {layer: Linear, from: lin, out_features: 12}
      r: {layer: Reshape, from: lin_, shape: [-1, $half, $half_, $lin]}
    outputs: r
nodes:
  a: {block: b, from: x}
  b: {block: b, from: x, half: 2, half_: 2, lin: 3}
outputs: {a: a, b: b}
""")
    model, x = graph.compile(), torch.randn(2, 5, 12)
    results = {name: tuple(result.shape) for name, result in model(x=x).items()}
    assert results == {"a": (2, 5, 3, 4, 1), "b": (2, 5, 2, 2, 3)}
    assert model.half() is model


@each("name", RESERVED)
def test_the_dtype_of_the_model_is_read_from_a_weight_with_a_reserved_name(name: str) -> None:
    graph = mg.loads(f"""
inputs: {{ids: {{shape: [], vocab: 9}}, n: {{shape: [4], dtype: int64}}}}
blocks:
  inside:
    inputs: [ids, n]
    nodes:
      {name}: {{layer: Embedding, from: ids, num_embeddings: 9, embedding_dim: 4}}
      third: {{merge: formula, from: {{n: n}}, expr: n / 3}}
      y: {{merge: add, from: [{name}, third]}}
    outputs: y
nodes:
  {name}: {{block: inside, from: [ids, n]}}
  third: {{merge: formula, from: {{n: n}}, expr: n / 3}}
  y: {{merge: add, from: [{name}, third]}}
outputs: {{y: y, third: third}}
""")
    given = seeded_inputs(graph.typed, 3, 0, {})
    found = graph.compile().to(torch.bfloat16)(**given)
    assert {result.dtype for result in found.values()} == {torch.bfloat16}


def test_a_node_without_weights_needs_no_other_attribute() -> None:
    source = mg.loads(
        "inputs: {a: [2], b: [2]}\nnodes: {half: {merge: add, from: [a, b]}}\noutputs: half"
    ).source()
    assert "_Keyed" not in source


def test_weights_with_reserved_names_are_tied_frozen_and_loaded() -> None:
    graph = mg.loads("""
inputs: {x: [4]}
blocks:
  inside: {inputs: [x], nodes: {type: {layer: Linear, from: x, out_features: 4}}, outputs: type}
nodes:
  half: {layer: Linear, from: x, out_features: 4, freeze: true}
  train: {block: inside, from: half, repeat: 2}
  again: {share: train, from: train}
  tied: {merge: matmul, from: [again, half.weight]}
  told: {merge: matmul, from: [tied, train.1.type.weight]}
outputs: told
""")
    model, x = graph.compile(), torch.randn(3, 4)
    keys = ["half.weight", "half.bias", *(f"train.{n}.type.{p}" for n in (0, 1) for p in PARTS)]
    assert list(model.state_dict()) == keys
    assert [p.requires_grad for p in model.parameters()] == [False] * 2 + [True] * 4
    state = model.state_dict()
    h = nn.functional.linear(x, state["half.weight"], state["half.bias"])
    for _ in range(2):
        for n in (0, 1):
            h = nn.functional.linear(h, *(state[f"train.{n}.type.{part}"] for part in PARTS))
    torch.testing.assert_close(model(x=x), h @ state["half.weight"] @ state["train.1.type.weight"])
    other = graph.compile()
    assert graph.load_state(other, model).missing == ()
    torch.testing.assert_close(other(x=x), model(x=x))


def test_an_error_names_a_node_with_a_reserved_name() -> None:
    graph = mg.loads(
        "inputs: {x: [4]}\nnodes:\n  half: {layer: Linear, from: x, out_features: 2}\noutputs: half"
    )
    with pytest.raises(RuntimeError) as caught:
        graph.compile()(x=torch.zeros(3, 5))
    assert any("in node half (" in note for note in caught.value.__notes__)


def test_weights_with_reserved_names_are_saved(tmp_path: Path) -> None:
    graph = mg.loads(nodes(["half", "type", "fc"]))
    model, other, x = graph.compile(), graph.compile(), torch.randn(3, 2)
    graph.save(model, tmp_path / "w.safetensors")
    graph.load_weights(other, tmp_path / "w.safetensors")
    torch.testing.assert_close(other(source=x), model(source=x))
    assert "half.weight" in load_file(tmp_path / "w.safetensors")
    missing = {key: value for key, value in model.state_dict().items() if key != "fc.bias"}
    with pytest.raises(RuntimeError, match=r"Missing key\(s\) in state_dict: \"fc.bias\""):
        other.load_state_dict(missing)
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\) in state_dict: \"other.bias\""):
        other.load_state_dict({**model.state_dict(), "other.bias": x})
