"""Checks which option a bare value sets, in a seq or by position in Python."""

from __future__ import annotations

import inspect
import json

import pytest
from torch import nn

import mimgraph as mg
from mimgraph import layers
from mimgraph.language.reference_pages import describe
from mimgraph.ops.op import Op
from mimgraph.ops.registry import ops
from tests.helpers.cases import check_each
from tests.helpers.marked import faults

LAYERS = {name: op for name, op in ops("layer").items() if op.options}

# For these layers the input decides torch's first option, and the others have defaults.
NORMS = {name for name in LAYERS if "BatchNorm" in name or "InstanceNorm" in name}
NORMS |= {"LayerNorm", "RMSNorm"}
# For these layers a bare value could mean the size or the scale.
RESIZES = {"Interpolate", "Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"}


def first_open(op: Op) -> str:
    """Return the first option that is not inferred."""
    return next(name for name in op.options if name not in op.inferred)


def test_a_bare_value_sets_the_first_option_that_is_not_inferred() -> None:
    assert {name: op.lone_option for name, op in LAYERS.items()} == {
        name: None if name in NORMS | RESIZES else first_open(op) for name, op in LAYERS.items()
    }


def test_required_options_come_first() -> None:
    """So a bare value never sets an optional option while a required one is missing."""
    for name, op in LAYERS.items():
        required = [option.name for option in op.required]
        assert [*op.options][: len(required)] == required, name


OF_LAYERS = {"TransformerDecoder", "TransformerEncoder"}  # torch's first option is a module
IN_TORCH = [name for name in LAYERS if hasattr(nn, name) and name not in OF_LAYERS]


def test_a_bare_value_sets_the_first_option_of_torch_that_is_not_inferred() -> None:
    def sets_the_first(name: str) -> None:
        op = LAYERS[name]
        parameters = inspect.signature(getattr(nn, name).__init__).parameters
        taken = [p for p in parameters if p in op.options and p not in op.inferred]
        # a recurrent layer has the options of its base class: `input_size`, then `hidden_size`
        assert op.lone_option in (None, taken[0] if taken else "hidden_size")

    check_each(IN_TORCH, sets_the_first)


REFUSED = {
    "BatchNorm2d: 64": (
        "BatchNorm2d takes its options by name",
        "write BatchNorm2d: the input decides num_features",
    ),
    "SyncBatchNorm: $n": (
        "SyncBatchNorm takes its options by name",
        "write SyncBatchNorm: the input decides num_features",
    ),
    "LayerNorm: 8": (
        "LayerNorm takes its options by name",
        "write LayerNorm: the input decides normalized_shape",
    ),
    "Upsample: 2": (
        "Upsample takes its options by name",
        "write Upsample: {size: ...} or Upsample: {scale_factor: ...}",
    ),
    "Tanh: 2": ("Tanh takes no options", "write Tanh"),
}


SPEC = """
params: {n: 4}
inputs: {x: [8, 4, 4]}
nodes: {y: {from: x, seq: [{ITEM}]}}
outputs: y
"""


def test_the_help_of_a_refused_bare_value_says_what_to_write() -> None:
    def is_helped(item: str) -> None:
        (fault,) = faults(SPEC.replace("ITEM", item))
        assert (fault.code, fault.message, fault.help) == ("wrong-type", *REFUSED[item])
        assert fault.span.excerpt().text == item.partition(": ")[2]

    check_each(REFUSED, is_helped)


TAKEN = {
    "GroupNorm: 4": "nn.GroupNorm(4, 8)",
    "GroupNorm: $n": "nn.GroupNorm(4, 8)",
    "LocalResponseNorm: 5": "nn.LocalResponseNorm(5)",
    "CrossMapLRN2d: 5": "nn.CrossMapLRN2d(5)",
    "MaxPool2d: 2": "nn.MaxPool2d(2)",
    "ReflectionPad2d: [1, 1, 2, 2]": "nn.ReflectionPad2d((1, 1, 2, 2))",
}


def test_the_emitted_constructor_call() -> None:
    def is_written(item: str) -> None:
        assert TAKEN[item] in mg.loads(SPEC.replace("ITEM", item)).source()

    check_each(TAKEN, is_written)


def test_a_group_norm_in_python_equals_that_of_a_spec() -> None:
    x = mg.Input("x", (8, 4, 4))
    spec = "inputs: {x: [8, 4, 4]}\nnodes:\n  y: {from: x, seq: [{GroupNorm: 4}]}\noutputs: y\n"
    graph = mg.Graph(mg.Sequential(layers.GroupNorm(4))(x, name="y"))
    assert graph == mg.loads(spec) == mg.loads(graph.dumps())
    with pytest.raises(mg.SpecError, match="GroupNorm takes 1 option by position, not 2"):
        layers.GroupNorm(4, 8)(x)


def test_the_reference_names_the_option_of_a_bare_value() -> None:
    assert "\na bare value in a seq  num_groups\n" in describe("GroupNorm")
    assert json.loads(describe("GroupNorm", "json"))["bare"] == "num_groups"
    assert json.loads(describe("BatchNorm2d", "json"))["bare"] is None
