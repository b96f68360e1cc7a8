"""Specs whose nodes, inputs, blocks or params have names that torch, Python or the source uses."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from mimgraph.ir.grammar import NODE_WORDS
from mimgraph.ir.names import input_fault

RESERVED = ("code", "half", "type", "F", "self", "torch", "nn", "graph", "_modules", "none", "_3x3")


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


def check_keys(model: nn.Module, names: list[str], key: Callable[[str], str]) -> None:
    """Check that the weights have the names and the order of the spec, wherever they are kept."""
    state = model.state_dict(keep_vars=True)
    mine = {*map(key, names)}
    assert [found for found in state if found in mine] == [*map(key, names)]
    assert [*map(id, state.values())] == [*map(id, model.parameters())]
