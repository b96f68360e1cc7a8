"""Names: which can be attributes of the emitted module, and which can name a param."""

from __future__ import annotations

import pytest
from torch import nn

import mimgraph
from mimgraph.diagnostics.text import unmarked
from mimgraph.emit.attributes import TAKEN, attribute
from mimgraph.ir.names import class_fault, input_fault, name_fault, param_fault
from tests.helpers.cases import each

NAMES = {  # the reason against it as a name, and as a param
    "fc1": (False, False),
    "Ünicode": (True, True),
    "1st": (True, True),
    "": (True, True),
    "a.b": (True, True),
    "class": (True, True),
    "__init__": (True, True),
    "_private": (False, False),
    "torch": (False, False),
    "half": (False, False),
    "forward": (True, False),
    "training": (True, False),
    "_modules": (False, False),
}


@each("name, faults", NAMES.items())
def test_a_name_is_refused_with_a_reason(name: str, faults: tuple[bool, bool]) -> None:
    assert (name_fault(name) is not None, param_fault(name) is not None) == faults


def test_no_name_hides_an_attribute_of_a_module() -> None:
    """The attribute of a node is never one of nn.Module's own, so `add_module` takes it."""
    names = {*dir(nn.Module()), *vars(nn.Module())}
    hidden = [n for n in names if not n.startswith("__") and attribute(n, ()) == n]
    # libraries that other tests import add methods to it
    modules = (getattr(getattr(nn.Module, n, None), "__module__", "torch") for n in hidden)
    assert [n for n, m in zip(hidden, modules, strict=True) if m.startswith("torch")] == []


def test_no_two_nodes_have_one_attribute() -> None:
    names = [*TAKEN, *(f"{name}_" for name in TAKEN), "half__", "half___", "fc1"]
    attributes = [attribute(name, names) for name in names]
    assert len({*attributes}) == len({*names})
    assert TAKEN.isdisjoint(attributes)


REFUSED = {  # names that an input cannot have, and that the graph cannot have
    "self": (True, True),
    "torch": (True, True),
    "forward": (True, True),
    "class": (True, True),
    "F": (False, True),
    "nn": (False, True),
    "half": (False, False),
    "code": (False, False),
}


@each("name, faults", REFUSED.items())
def test_a_refusal_says_what_to_write_instead(name: str, faults: tuple[bool, bool]) -> None:
    for fault, expected in zip((input_fault(name), class_fault(name)), faults, strict=True):
        assert (fault is not None) == expected
        assert fault is None or unmarked(fault).endswith(f": write {name}_, or another name")


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
