"""Calls that a rule refuses: the code and place of each fault, and that torch refuses the same."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from torch import nn

from mimgraph.ir.dim import symbol
from mimgraph.ir.types import TensorType
from mimgraph.ops.op import OpFault
from tests.helpers.cases import check_each
from tests.helpers.marked import faults
from tests.ops.layers.oracle import Case, infer, keyed, make, operation, tensor
from tests.ops.layers.torch_functions import FUNCTIONS
from tests.ops.tables import Row, read

LAYERS, MERGES = read("refused_layers.md"), read("refused_merges.md")
ERRORS = (RuntimeError, ValueError, IndexError, AssertionError, ZeroDivisionError)


def refused(row: Row) -> None:
    """Check the fault of a row, `code place: note`: an option or a source, or else the whole node."""
    fault, case = row.rest[0], row.case()
    (code, _, place), note = fault.partition(": ")[0].partition(" "), fault.partition(": ")[2]
    with pytest.raises(OpFault) as caught:
        infer(case.layer, case.sources, **case.options)
    found = caught.value
    assert (found.code, found.option or found.source) == (code, place or None)
    assert not note or found.note == note
    assert not found.message.endswith(".")
    if operation(case.layer).kind == "merge":
        assert "MultiheadAttention" not in found.message  # of which a user sees nothing
        return
    assert found.message[0].islower() or case.layer in found.message
    if "refuses" in row.rest:
        with pytest.raises(ERRORS):
            call_torch(case)


def call_torch(case: Case) -> None:
    """Make the same call of a function of torch, or make the same module and call it."""
    sources = keyed(operation(case.layer), case.sources)
    x, *others = (make(type_, {}) for type_ in sources.values())
    if case.layer in FUNCTIONS:
        FUNCTIONS[case.layer](x, **case.options)
        return
    options = {**inferred(case.layer, next(iter(sources.values()))), **case.options}
    call = {"output_size": options.pop("output_size")} if "Unpool" in case.layer else {}
    module = constructed(case.layer, options)
    positional = [x, x, x] if case.layer == "MultiheadAttention" else [x]
    named = inspect.signature(module.forward).parameters
    for key, value in zip([*sources][1:], others, strict=True):
        if key in named:
            call[key] = value
        else:
            positional.append(value)
    module(*positional, **call)


def inferred(layer: str, x: TensorType) -> dict[str, Any]:
    """Return the sizes that a spec leaves to the rule."""
    channels = x.dims[0] if x.dims else None
    sizes = dict.fromkeys(("in_channels", "num_channels", "num_features"), channels)
    sizes["num_embeddings"] = x.vocab
    return {name: sizes.get(name, x.shape[-1]) for name in operation(layer).inferred}


def constructed(layer: str, options: dict[str, Any]) -> nn.Module:
    if layer == "TransformerEncoder":
        count = options.pop("num_layers")
        return nn.TransformerEncoder(constructed(f"{layer}Layer", options), count)
    cls = getattr(nn, layer)
    if "batch_first" in inspect.signature(cls).parameters:
        options["batch_first"] = True
    module: nn.Module = cls(**options)
    return module


@pytest.mark.parametrize("family", LAYERS)
def test_a_layer_refuses(family: str) -> None:
    check_each(LAYERS[family], refused)


@pytest.mark.parametrize("family", MERGES)
def test_a_merge_refuses(family: str) -> None:
    check_each(MERGES[family], refused)


# values that no option of that layer takes, whatever the sources are
WRONG_VALUES: list[tuple[str, str, Any]] = [
    ("Conv2d", "kernel_size", 0),
    ("Conv2d", "kernel_size", (3, 3, 3)),
    ("Conv2d", "padding", "full"),
    ("Conv2d", "padding", -1),
    ("Conv2d", "padding_mode", "zero"),
    ("Conv2d", "bias", 1),
    ("ConvTranspose2d", "padding", "same"),
    ("ConvTranspose2d", "padding_mode", "reflect"),
    ("LPPool1d", "kernel_size", (2,)),
    ("ReflectionPad2d", "padding", (1, 2)),
    ("Upsample", "mode", "lanczos"),
    ("AdaptiveMaxPool1d", "output_size", (None,)),
    ("AdaptiveAvgPool1d", "output_size", None),
    ("AdaptiveAvgPool2d", "output_size", None),
    ("Dropout", "p", 1.5),
    ("GELU", "approximate", "sigmoid"),
    ("RNN", "nonlinearity", "gelu"),
    ("Reshape", "shape", (-2, 3)),
]


def test_values_of_a_wrong_type_are_refused() -> None:
    def refuses(case: tuple[str, str, Any]) -> None:
        layer, option, value = case
        with pytest.raises(ValueError):
            operation(layer).options[option].check(value)

    check_each(WRONG_VALUES, refuses)


def test_axes_and_dtypes_are_required() -> None:
    wanted = dict.fromkeys(("Mean", "Slice", "Normalize", "Flip"), "missing-option")
    wanted["Cast, dtype: float"] = "bad-option"
    spec = "inputs: {x: [5]}\nnodes: {y: {layer: LAYER, from: x}}\noutputs: y"
    found = {layer: faults(spec.replace("LAYER", layer)) for layer in wanted}
    assert {layer: [one.code for one in found[layer]] for layer in wanted} == {
        layer: [code] for layer, code in wanted.items()
    }


def test_more_numbers_than_an_axis_has_for_any_length() -> None:
    with pytest.raises(OpFault) as caught:
        infer("TopK", tensor(5, 6), k=symbol("T") + 5, dim=1)
    assert (caught.value.code, caught.value.option) == ("bad-option", "k")


def test_the_fault_of_a_too_large_kernel_names_padding_and_dilation() -> None:
    with pytest.raises(OpFault, match="kernel 5 is larger than the padded input 3"):
        infer("Conv1d", tensor(4, 1), out_channels=2, kernel_size=5, padding=1)
    with pytest.raises(OpFault, match="kernel 3 with dilation 2 is larger than the padded input 4"):
        infer("MaxPool1d", tensor(4, 4), kernel_size=3, dilation=2)
