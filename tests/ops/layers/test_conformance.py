"""Compares the rule of every layer with torch: types, weights, options, dtypes."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mimgraph import layers
from mimgraph.ir.lowering import Lowering, Module
from mimgraph.ir.types import DTYPES, Constraint, TensorType
from mimgraph.ops.layers.linear import NORMS
from mimgraph.ops.op import REQUIRED, OpFault
from tests.helpers.cases import check_each
from tests.ops.layers.oracle import (
    TORCH,
    Case,
    build,
    infer,
    is_new,
    keyed,
    make,
    operation,
    results,
    run,
    shape_of,
    size_of,
    tensor,
)
from tests.ops.layers.torch_functions import FUNCTIONS
from tests.ops.tables import cases

warnings.simplefilter("ignore")

CALLS, NAMED = cases("layers.md"), cases("named_sizes.md")
CASES = [case for calls in CALLS.values() for case in calls]
SEQUENCE, LENGTHS = tensor(5, 6), tensor(dtype="int64")


@pytest.mark.parametrize("layer", CALLS)
def test_a_layer_is_that_of_torch(layer: str) -> None:
    check_each(CALLS[layer], conforms)


def conforms(case: Case) -> None:
    lowering = infer(case.layer, case.sources, **case.options)
    sources = keyed(operation(case.layer), case.sources)
    module = build(lowering)
    for values in check(lowering, sources, {}, module).values():
        for value in values[1:]:
            torch.testing.assert_close(value, values[0], msg=lambda e: f"a port used alone: {e}")
    if case.layer in FUNCTIONS and not leaves_the_batch_out(case.layer, sources):
        equals_its_function(case, lowering)
    if module is not None and lowering.module is not None:
        has_the_weights_of(module, lowering.module)
        has_the_arguments_of_torch(case, lowering.module)
    if module is not None and lowering.function is not None:
        x = make(sources["input"], {}) * 4 - 2
        expected = module.eval()(x.clone())
        assert torch.equal(run(lowering.function, {"input": x}), expected), "as a function"
    takes_the_dtypes_that_torch_takes(case, lowering, sources)


def check(
    lowering: Lowering,
    sources: Mapping[str, TensorType],
    sizes: Mapping[str, int],
    module: nn.Module | None,
) -> dict[str, list[Any]]:
    """Check the types of all results in training and in eval, and return the results in eval."""
    found: dict[str, list[Any]] = {}
    for training in (True, False):
        if module is not None:
            module.train(training)
        inputs = {key: make(x, sizes) for key, x in sources.items()}
        found = results(lowering, inputs, module, sizes)
        for port, values in found.items():
            expected = lowering.results[port]
            for value in values:
                for part in value if isinstance(value, tuple) else (value,):
                    if expected.dtype in DTYPES:
                        assert str(part.dtype) == f"torch.{expected.dtype}", port
                        assert tuple(part.shape) == shape_of(expected, sizes), port
    return found


def leaves_the_batch_out(layer: str, sources: Mapping[str, TensorType]) -> bool:
    """Return whether a call without a batch is written in another way in torch."""
    return layer in ("Reshape", "Expand") and not sources["input"].batched


def equals_its_function(case: Case, lowering: Lowering) -> None:
    (x,) = (make(type_, {}) for type_ in keyed(operation(case.layer), case.sources).values())
    expected = FUNCTIONS[case.layer](x, **case.options)
    ports = results(lowering, {"input": x}, None, {})
    wanted = [expected] if isinstance(expected, torch.Tensor) else list(expected)
    for ways, other in zip(ports.values(), wanted, strict=True):
        for one in ways:
            torch.testing.assert_close(one, other)


def has_the_weights_of(module: nn.Module, made: Module) -> None:
    weights = {name: tuple(tensor.shape) for name, tensor in module.named_parameters()}
    buffers = {name: tuple(tensor.shape) for name, tensor in module.named_buffers()}
    assert list(made.weights.items()) == list(weights.items())
    assert made.buffers == buffers


def has_the_arguments_of_torch(case: Case, made: Module) -> None:
    """Check their order, which is that of the constructor, and their values."""
    new = {name for name in made.arguments if is_new(case.layer, name)}
    given = [name for name in made.arguments if name != "batch_first" and name not in new]
    assert given == list(signature(case.layer))
    for name, value in case.options.items():
        assert of_forward(case.layer, name) or argument(made, name) == value, name


def argument(made: Module, name: str) -> Any:
    """Return an argument; a module by its name."""
    found = made.argument(name)
    return found.name if isinstance(found, Module) else found


# dtypes

# not complex64: a 1x1 AdaptiveAvgPool2d, which is a mean, takes it, though no other does
TRIED = ("float16", "bfloat16", "float64", "uint8", "int16", "int32", "int64", "bool")
REFUSALS = (RuntimeError, NotImplementedError, ValueError, TypeError)

# dtypes that other releases of torch take and torch 2.13, which the rules follow, does not
WIDENED = ("LPPool1d", "LPPool2d", "LPPool3d", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d")
TAKEN_LATER = {("Hardtanh", "uint8")}  # from torch 2.14 on
WITHOUT_TYPE = {("ViewAsComplex", "float16")}  # its result, complex32, is no dtype of a spec


def takes_the_dtypes_that_torch_takes(
    case: Case, lowering: Lowering, of_case: Mapping[str, TensorType]
) -> None:
    if case.layer in WIDENED and TORCH < (2, 13):
        return  # torch took fewer dtypes before
    (key, first), *others = of_case.items()
    options = {**case.options, **({"num_embeddings": 7} if "Embedding" in case.layer else {})}
    for dtype in TRIED:
        if (case.layer, dtype) in TAKEN_LATER and TORCH > (2, 13):
            continue
        if (case.layer, dtype) in WITHOUT_TYPE:
            continue
        sources = {key: first.cast(dtype), **dict(others)}
        inputs = {name: make(x, {}) for name, x in sources.items()}
        try:
            results(lowering, inputs, build(lowering), {})
        except REFUSALS:
            with pytest.raises(OpFault) as caught:
                infer(case.layer, sources, **options)
            assert caught.value.code == "dtype-mismatch", dtype
        else:
            taken = infer(case.layer, sources, **options)
            check(taken, sources, {}, build(taken))


def test_every_layer_has_a_case() -> None:
    assert CALLS.keys() == set(layers.__all__)


# signatures

CLASSES = [name for name in layers.__all__ if hasattr(nn, name)]
LEFT_OUT = {"device", "dtype", "batch_first", "return_indices", "_weight", "_freeze"}
LEFT_OUT |= {"min_value", "max_value", "args", "kwargs"}  # Hardtanh's old names
LEFT_OUT |= {"process_group", "_random_samples", "include_last_offset"}
LEFT_OUT |= {"custom_encoder", "custom_decoder"}
OURS = {"average_attn_weights", "is_causal"}  # of a forward
OURS |= {f"{source}_is_causal" for source in ("src", "tgt", "memory")}


def of_forward(layer: str, option: str) -> bool:
    """Return whether an option belongs to `forward`, not to the constructor."""
    return option in OURS or (option == "output_size" and layer.startswith("MaxUnpool"))


def signature(name: str) -> dict[str, Any]:
    """Return the arguments of the constructor with their defaults; a recurrent class hides its own."""
    if name in ("RNN", "GRU", "LSTM"):
        found = {k: p.default for k, p in inspect.signature(nn.RNNBase).parameters.items()}
        del found["mode"]
        if name != "LSTM":
            del found["proj_size"]
        if name == "RNN":
            items = list(found.items())
            found = dict([*items[:3], ("nonlinearity", "tanh"), *items[3:]])
    else:
        found = {k: p.default for k, p in inspect.signature(class_of(name)).parameters.items()}
    if "activation" in found:
        found["activation"] = "relu"  # torch's default is the function
    return {key: default for key, default in found.items() if key not in LEFT_OUT}


def class_of(name: str) -> type[nn.Module]:
    """Return the class of torch, or of torchvision, that has this name."""
    found: type[nn.Module] = getattr(nn if hasattr(nn, name) else torchvision.ops, name)
    return found


def arguments(name: str) -> dict[str, Any]:
    """Return the arguments of the constructor; for a stack, after the arguments of its layer."""
    if name not in ("TransformerEncoder", "TransformerDecoder"):
        return signature(name)
    (_, *own), (d_model, nhead, *rest) = signature(name).items(), signature(f"{name}Layer").items()
    return dict([d_model, nhead, own[0], *rest, *own[1:]])


def test_options_equal_the_arguments_of_torch() -> None:
    check_each(CLASSES, has_the_options_of_torch)


def has_the_options_of_torch(name: str) -> None:
    op, theirs = operation(name), arguments(name)
    if name in ("Softmax", "LogSoftmax", "Softmin"):
        theirs["dim"] = REQUIRED  # torch guesses one, and warns
    ours = {
        option.name: option.default
        for option in op.options.values()
        if not (option.inferred or of_forward(name, option.name) or is_new(name, option.name))
        and option.name not in NORMS
    }
    assert list(ours.items()) == [(k, v) for k, v in theirs.items() if k not in op.inferred]
    assert set(op.inferred) <= set(theirs)


# sizes that are names


def holds(constraint: Constraint, sizes: Mapping[str, int]) -> bool:
    size = size_of(constraint.dim, sizes)
    if constraint.divisor is not None:
        return size % constraint.divisor == 0
    return size >= (constraint.minimum or 0)


def is_legal(lowering: Lowering, sizes: Mapping[str, int]) -> bool:
    """Return whether the constraints of the rule hold and no result is empty."""
    required = all(holds(constraint, sizes) for constraint in lowering.requires)
    return required and all(
        min(shape_of(x, sizes), default=1) >= 1 for x in lowering.results.values()
    )


def gives_anything(
    lowering: Lowering, sources: Mapping[str, TensorType], sizes: Mapping[str, int]
) -> bool:
    """Return whether torch takes tensors of these sizes and no result is empty."""
    inputs = {key: make(x, sizes) for key, x in sources.items()}
    try:
        found = results(lowering, inputs, build(lowering), sizes)
    except (*REFUSALS, IndexError):
        return False
    tensors = (x for values in found.values() for x in values if isinstance(x, torch.Tensor))
    return all(x.numel() for x in tensors)


@pytest.mark.parametrize("layer", NAMED)
def test_a_size_that_is_a_name_is_right_for_every_number(layer: str) -> None:
    check_each(NAMED[layer], is_right_for_every_number)


def is_right_for_every_number(case: Case) -> None:
    lowering = infer(case.layer, case.sources, **case.options)
    sources = keyed(operation(case.layer), case.sources)
    for length in (2, 3, 4, 5, 6, 7, 12, *(() if "lengths" in sources else (1,))):
        sizes = {"T": length}
        if is_legal(lowering, sizes):
            check(lowering, sources, sizes, build(lowering))
        else:
            assert not gives_anything(lowering, sources, sizes), length


# the state of recurrent layers


def test_an_lstm_continues_from_the_state_of_another() -> None:
    first = infer("LSTM", SEQUENCE, hidden_size=3, num_layers=2, proj_size=2)
    state = first.results["state"]
    second = infer(
        "LSTM",
        {"input": SEQUENCE, "state": state},
        hidden_size=3,
        num_layers=2,
        proj_size=2,
    )
    module, x = build(first), torch.rand(2, 10, 6)
    handed = results(first, {"input": x[:, :5]}, module, {})["state"][0]
    found = results(second, {"input": x[:, 5:], "state": handed}, module, {})
    assert module is not None
    torch.testing.assert_close(found["output"][0], module(x)[0][:, 5:])


@pytest.mark.parametrize("layer", ["RNN", "GRU"])
def test_a_recurrent_layer_continues_from_the_hidden_state_of_another(layer: str) -> None:
    first = infer(layer, SEQUENCE, hidden_size=3, num_layers=2)
    module, x = build(first), torch.rand(2, 10, 6)
    handed = results(first, {"input": x[:, :5]}, module, {})
    assert module is not None
    for port in ("state", "hidden"):
        sources = {"input": SEQUENCE, "state": first.results[port]}
        second = infer(layer, sources, hidden_size=3, num_layers=2)
        inputs = {"input": x[:, 5:], "state": handed[port][0]}
        found = results(second, inputs, module, {})
        torch.testing.assert_close(found["output"][0], module(x)[0][:, 5:])


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layer", ["RNN", "GRU", "LSTM"])
def test_last_is_the_final_state_of_each_sample(layer: str, bidirectional: bool) -> None:
    options = {"hidden_size": 3, "num_layers": 2, "bidirectional": bidirectional}
    lowering = infer(layer, {"input": SEQUENCE, "lengths": LENGTHS}, **options)
    module, x, lengths = build(lowering), torch.rand(2, 5, 6), torch.tensor([2, 4])
    found = results(lowering, {"input": x, "lengths": lengths}, module, {})
    plain = infer(layer, SEQUENCE, **options)
    for row, length in enumerate([2, 4]):
        alone = results(plain, {"input": x[row : row + 1, :length]}, module, {})
        torch.testing.assert_close(found["last"][0][row], alone["last"][0][0])
        torch.testing.assert_close(found["output"][0][row, :length], alone["output"][0][0])
        assert not found["output"][0][row, length:].any()
        torch.testing.assert_close(alone["last"][0][0, :3], alone["output"][0][0, -1, :3])
        if bidirectional:
            torch.testing.assert_close(alone["last"][0][0, 3:], alone["output"][0][0, 0, 3:])


# windows

small = st.integers(1, 5)


@settings(max_examples=400, deadline=None)
@given(
    layer=st.sampled_from(["Conv1d", "MaxPool1d", "MaxPool2d", "AvgPool1d", "AvgPool2d"]),
    size=st.integers(1, 14),
    kernel=small,
    stride=small,
    padding=st.integers(0, 4),
    dilation=st.integers(1, 3),
    ceil_mode=st.booleans(),
)
def test_the_number_of_windows_is_that_of_torch(
    layer: str, size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool
) -> None:
    options: dict[str, Any] = {"kernel_size": kernel, "stride": stride, "padding": padding}
    if layer == "Conv1d":
        options |= {"dilation": dilation, "out_channels": 1}
    elif layer.startswith("Max"):
        options |= {"dilation": dilation, "ceil_mode": ceil_mode}
    else:
        options |= {"ceil_mode": ceil_mode}
    axes = int(layer[-2])
    module = getattr(nn, layer)(**({"in_channels": 1} if layer == "Conv1d" else {}), **options)
    expected: tuple[int, ...] | None
    found: tuple[int, ...] | None
    try:
        expected = tuple(module(torch.zeros(2, 1, *(size,) * axes)).shape)
    except RuntimeError:
        expected = None
    # infer the size as a number, then as a name for that number
    try:
        known = infer(layer, tensor(1, *(size,) * axes), **options)
        found = shape_of(next(iter(known.results.values())), {})
    except OpFault:
        found = None
    assert found == expected
    try:
        lowering = infer(layer, tensor(1, *("T",) * axes), **options)
    except OpFault as fault:
        assert fault.code == "bad-option" and expected is None
        return
    if expected is None:
        assert not is_legal(lowering, {"T": size})
    else:
        assert shape_of(next(iter(lowering.results.values())), {"T": size}) == expected
