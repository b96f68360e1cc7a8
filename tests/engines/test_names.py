"""Every engine takes a model whose nodes, inputs or params have names that torch, Python or the source uses.

`ROLES` lists the uses of a name. CI tries a model with eleven such names, and a few names alone; the
nightly run tries all, a hundred at once and each alone, to find the one that fails.
"""

from __future__ import annotations

import builtins
import copy
import keyword
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, fx, nn
from torch.export.unflatten import InterpreterModule, UnflattenedModule

import mimgraph as mg
from mimgraph.emit.classes.attributes import TAKEN
from mimgraph.ir.names import EMITTED, NODE_WORDS, input_fault, name_fault
from mimgraph.runtime.runner import seeded_inputs
from tests.emit.test_printer import ruff
from tests.engines.models import assert_close, nightly

pytestmark = [
    pytest.mark.filterwarnings("ignore:The tensor attributes"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.*:FutureWarning"),
]


def _names() -> Iterator[str]:
    """Return the names of attributes of modules, also after torch.fx and torch.export, and of Python."""
    module = nn.Linear(2, 2)
    for one in (module, fx.symbolic_trace(module), nn.ModuleDict(), nn.ParameterDict()):
        yield from (*dir(one), *vars(one))
    yield from (*dir(UnflattenedModule), *dir(InterpreterModule))
    yield from (*TAKEN, *EMITTED, *dir(builtins), *keyword.softkwlist)
    yield from ("none", "false_", "_3x3")  # their classes would be called None, False and 3x3
    yield from ("x", "y", "args", "kwargs", "layer", "block", "l", "I", "O", "half_", "F_")


# Other names in the specs below; and `fx_pytree`, which torch cannot export as an argument.
OTHERS = {"source", "result", "inside", "each", "total", "fx_pytree"}
NAMES = sorted({name for name in _names() if name_fault(name) is None} - OTHERS)
QUICK = ("code", "half", "type", "F", "self", "torch", "nn", "graph", "_modules", "none", "_3x3")


def nodes(names: list[str]) -> str:
    """Return a spec with one layer, with weights of its own, for each name."""
    return f"""
inputs: {{source: [2]}}
nodes:
{_layers(names, 2)}
  result: {{merge: add, from: [{", ".join(names)}]}}
outputs: result
"""


def nodes_of_a_block(names: list[str]) -> str:
    return f"""
inputs: {{source: [2]}}
blocks:
  inside:
    inputs: [source]
    nodes:
{_layers(names, 6)}
      result: {{merge: add, from: [{", ".join(names)}]}}
    outputs: result
nodes:
  result: {{block: inside, from: source, repeat: 2}}
outputs: result
"""


def _layers(names: list[str], indent: int) -> str:
    return "\n".join(
        f"{' ' * indent}{name}: {{layer: Linear, from: source, out_features: 2}}" for name in names
    )


def parameters(names: list[str]) -> str:
    declared = "\n".join(f"  {name}: {{parameter: [2], init: ones}}" for name in names)
    return f"""
inputs: {{source: [2]}}
nodes:
{declared}
  result: {{merge: add, broadcast: true, from: [source, {", ".join(names)}]}}
outputs: result
"""


def columns(names: list[str]) -> str:
    return f"""
inputs: {{source: [2]}}
nodes:
  each: {{layer: Linear, each: {{{", ".join(f"{n}: source" for n in names)}}}, out_features: 2}}
  result: {{merge: add, from: each.*}}
outputs: result
"""


def inputs(names: list[str]) -> str:
    names = [name for name in names if input_fault(name) is None] or ["source"]
    return f"""
inputs: {{{", ".join(f"{name}: [2]" for name in names)}}}
nodes:
  total: {{merge: add, from: [{", ".join(names)}], activation: ReLU}}
  result: {{merge: concat, from: [total, {names[0]}]}}
outputs: result
"""


def blocks(names: list[str]) -> str:
    declared = "\n".join(
        f"  {name}: {{seq: [{{Linear: 2}}, ReLU, {{Linear: 2}}]}}" for name in names
    )
    used = "\n".join(f"  use_{name}: {{block: {name}, from: source}}" for name in names)
    return f"""
inputs: {{source: [2]}}
blocks:
{declared}
nodes:
{used}
  result: {{merge: add, from: [{", ".join(f"use_{name}" for name in names)}]}}
outputs: result
"""


def inputs_of_a_block(names: list[str]) -> str:
    names = [name for name in names if input_fault(name) is None] or ["source"]
    return f"""
inputs: {{source: [2]}}
blocks:
  inside:
    inputs: [{", ".join(names)}]
    nodes:
      total: {{merge: add, from: [{", ".join(names)}], activation: ReLU}}
      result: {{merge: concat, from: [total, {names[0]}]}}
    outputs: result
nodes:
  result: {{block: inside, from: [{", ".join("source" for _ in names)}]}}
outputs: result
"""


def params(names: list[str]) -> str:
    """Return a spec whose params differ between two uses of a block, so each is an argument of its class."""
    names = [name for name in names if name not in NODE_WORDS] or ["width"]
    declared = ", ".join(f"{name}: 1" for name in names)
    layers = "\n".join(
        f"      use_{name}: {{layer: Linear, from: source, out_features: ${name}}}"
        for name in names
    )
    given = ", ".join(f"{name}: 2" for name in names)
    return f"""
inputs: {{source: [2]}}
blocks:
  inside:
    params: {{{declared}}}
    inputs: [source]
    nodes:
{layers}
      result: {{merge: concat, from: [{", ".join(f"use_{name}" for name in names)}]}}
    outputs: result
nodes:
  once: {{block: inside, from: source}}
  again: {{block: inside, from: source, {given}}}
  result: {{merge: concat, from: [once, again]}}
outputs: result
"""


def outputs(names: list[str]) -> str:
    return f"""
inputs: {{source: [2]}}
nodes:
  result: {{layer: Linear, from: source, out_features: 2}}
outputs: {{{", ".join(f"{name}: result" for name in names)}, last_: result}}
"""


ROLES: dict[str, Callable[[list[str]], str]] = {
    "node": nodes,
    "node of a block": nodes_of_a_block,
    "block": blocks,
    "parameter": parameters,
    "column": columns,
    "input": inputs,
    "input of a block": inputs_of_a_block,
    "param": params,
    "output": outputs,
}
PARTS = ("weight", "bias")
KEYS: dict[str, Callable[[str], str]] = {  # names of the weights
    "node": "{}.weight".format,
    "node of a block": "result.1.{}.weight".format,
    "block": "use_{}.0.weight".format,
    "parameter": "{}".format,
    "column": "each.{}.weight".format,
}


def check(model: nn.Module, graph: mg.Graph, strict: bool | None = None) -> None:
    """Check that every engine takes the model; it is exported strictly and not, each with a None."""
    given: Mapping[str, Tensor] = seeded_inputs(graph.typed, 3, 0, {})
    expected = model(**given)
    assert graph.compile().load_state_dict(model.state_dict()).missing_keys == []
    for same in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_close(same(**given), expected)
    for same in (model.half().float(), model.type(torch.float64).float(), model.train().eval()):
        assert same is model
        assert {p.dtype for p in model.parameters()} <= {torch.float32}
    expected = model(**given)
    for one in (False, True) if strict is None else (strict,):
        program = torch.export.export(model, (), dict(given), strict=one)
        assert_close(program.module()(**given), expected)
        assert_close(torch.export.unflatten(program)(**given), expected)
    assert_close(fx.symbolic_trace(model)(**given), expected)
    weights = dict(model.named_parameters())
    assert_close(torch.func.functional_call(model, weights, (), dict(given)), expected)
    torch._dynamo.reset()
    assert_close(torch.compile(model, backend="eager", fullgraph=True)(**given), expected)


def check_keys(model: nn.Module, names: list[str], key: Callable[[str], str]) -> None:
    """Check that the weights have the names and the order of the spec, wherever they are kept."""
    state = model.state_dict(keep_vars=True)
    mine = {*map(key, names)}
    assert [found for found in state if found in mine] == [*map(key, names)]
    assert [*map(id, state.values())] == [*map(id, model.parameters())]


HUNDREDS = [NAMES[start : start + 100] for start in range(0, len(NAMES), 100)]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "names",
    [
        pytest.param([*QUICK], id="those of the issue"),
        *(nightly(some, name=f"from {some[0]}") for some in HUNDREDS),
    ],
)
def test_a_model_with_all_reserved_names(names: list[str], role: str) -> None:
    graph = mg.loads(ROLES[role](names))
    model = graph.compile()
    if role in KEYS:
        check_keys(model, names, KEYS[role])
    check(model, graph)


@pytest.mark.parametrize(
    "name", [nightly(name, unless=index % 50 == 0) for index, name in enumerate(NAMES)]
)
def test_a_model_with_one_reserved_name(name: str) -> None:
    names = [name, "beside", "more"]  # a role that cannot have the name still has two
    for role, spec in ROLES.items():
        graph = mg.loads(spec(names))
        model = graph.compile()
        if role in KEYS:
            check_keys(model, names, KEYS[role])
        check(model, graph, strict=False)


@pytest.mark.parametrize("role", ROLES)
def test_ruff_does_not_change_the_file(role: str) -> None:
    source = mg.loads(ROLES[role](sorted({*QUICK, *EMITTED}))).source()
    assert ruff("check", "--extend-select", "I", text=source) == ""
    assert ruff("format", "--check", text=source) == ""


def test_only_used_modules_are_imported() -> None:
    one = "inputs: {F: [2]}\nnodes: {y: {layer: Linear, from: F, out_features: 2}}\noutputs: y"
    assert "import torch.nn.functional" not in mg.loads(one).source()


# --- by hand ------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("name", QUICK)
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
    assert_close(model(x=x), h @ state["half.weight"] @ state["train.1.type.weight"])
    other = graph.compile()
    assert graph.load_state(other, model).missing == ()
    assert_close(other(x=x), model(x=x))


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
    assert_close(other(source=x), model(source=x))
    assert "half.weight" in load_file(tmp_path / "w.safetensors")
    missing = {key: value for key, value in model.state_dict().items() if key != "fc.bias"}
    with pytest.raises(RuntimeError, match=r"Missing key\(s\) in state_dict: \"fc.bias\""):
        other.load_state_dict(missing)
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\) in state_dict: \"other.bias\""):
        other.load_state_dict({**model.state_dict(), "other.bias": x})


def test_an_emitted_file_is_imported_and_pickled(tmp_path: Path) -> None:
    """The file works alone, without mimgraph."""
    (tmp_path / "named.py").write_text(mg.loads(columns(["half", "items", "fc"])).source())
    script = (
        "import copy, pickle, sys, torch, named\n"
        "model = pickle.loads(pickle.dumps(copy.deepcopy(named.Model())))\n"
        "assert list(model.state_dict()) == [f'each.{n}.{p}' for n in ('half', 'items', 'fc')"
        " for p in ('weight', 'bias')]\n"
        "model.load_state_dict(named.Model().state_dict())\n"
        "assert model(source=torch.zeros(3, 2)).shape == (3, 2)\n"
        "assert 'mimgraph' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
