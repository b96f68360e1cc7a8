"""Names: what can become an attribute of the emitted module, and what a param may be called."""

from __future__ import annotations

import pytest
from torch import nn

import mimgraph
from mimgraph.analysis.names import name_fault, param_fault

NAMES = {  # a fault as a name, and as a param
    "fc1": (False, False),
    "Ünicode": (True, True),
    "1st": (True, True),
    "": (True, True),
    "a.b": (True, True),
    "class": (True, True),
    "__init__": (True, True),
    "_private": (False, False),
    "torch": (True, True),
    "forward": (True, False),
    "training": (True, False),
    "_modules": (True, False),
}


@pytest.mark.parametrize(("name", "faults"), NAMES.items(), ids=map(repr, NAMES))
def test_a_name_is_refused_with_a_reason(name: str, faults: tuple[bool, bool]) -> None:
    assert (name_fault(name) is not None, param_fault(name) is not None) == faults


def test_no_name_hides_what_a_module_has() -> None:
    free = [n for n in {*dir(nn.Module()), *vars(nn.Module())} if name_fault(n) is None]
    # libraries that other tests import put methods of theirs on it
    modules = (getattr(getattr(nn.Module, name, None), "__module__", "torch") for name in free)
    assert [n for n, module in zip(free, modules, strict=True) if module.startswith("torch")] == []


def test_an_input_of_a_block_must_have_a_name() -> None:
    spec = """
inputs: {a: [5]}
blocks:
  b: {inputs: {"": [C]}, nodes: {r: {layer: ReLU, from: ""}}, outputs: r}
nodes: {n: {block: b, from: a}}
outputs: n
"""
    with pytest.raises(mimgraph.SpecError) as caught:
        mimgraph.loads(spec)
    assert [fault.code for fault in caught.value.diagnostics] == ["bad-name"]
