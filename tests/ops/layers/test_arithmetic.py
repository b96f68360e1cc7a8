"""Compares the sizes that rules compute, as numbers and as names, with torch for many options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mimgraph.ir.lowering import Lowering
from mimgraph.ir.types import TensorType
from mimgraph.ops.op import OpFault
from tests.ops.layers.oracle import build, infer, keyed, make, operation, results, shape_of, tensor
from tests.ops.layers.test_conformance import REFUSALS, is_legal

MANY = settings(max_examples=100, deadline=None)
small, few = st.integers(1, 4), st.integers(0, 4)
sizes = st.integers(1, 12)
sides = st.integers(-4, 5)
modes = st.sampled_from(["nearest", "area", "bilinear"])
# as torch's floats have it where no bit is lost, and where some are
factors = st.sampled_from([0.25, 0.5, 0.75, 1.25, 2, 3.5])
any_factor = st.floats(0.05, 5)


def tensors(sources: Mapping[str, TensorType]) -> dict[str, torch.Tensor]:
    """Return values for the sources; the index 0 is in every plane."""
    return {key: make(x, {}) * (key != "indices") for key, x in sources.items()}


def torch_gives(lowering: Lowering, sources: Mapping[str, TensorType]) -> tuple[int, ...] | None:
    """Return the shape of torch's first result; None if it raises or the result is empty."""
    inputs = tensors(sources)
    try:
        found = results(lowering, inputs, build(lowering), {})
    except REFUSALS:
        return None
    first = next(iter(found.values()))[0]
    return tuple(first.shape) if first.numel() else None


def agrees(layer: str, size: int, *dims: int | str, **options: Any) -> None:
    """Check that the rule gives torch's sizes, for T as a number and as a name."""
    op = operation(layer)

    def sources(*given: int | str) -> Mapping[str, TensorType]:
        x = tensor(*given)
        both = {"input": x, "indices": x.cast("int64")}
        return both if op.inputs.kind == "tuple" else keyed(op, x)

    numbers = sources(*(size if dim == "T" else dim for dim in dims))
    try:
        lowering = infer(layer, numbers, **options)
    except OpFault as fault:
        expected = refused(layer, numbers, options)
        assert expected is None, fault
    else:
        expected = torch_gives(lowering, numbers)
        found = shape_of(next(iter(lowering.results.values())), {})
        assert (found if min(found) >= 1 else None) == expected
    try:
        named = infer(layer, sources(*dims), **options)
    except OpFault as fault:
        assert fault.code == "symbolic-size" or expected is None
        return
    if expected is None:
        assert not is_legal(named, {"T": size})
    else:
        assert is_legal(named, {"T": size})
        assert shape_of(next(iter(named.results.values())), {"T": size}) == expected


def refused(
    layer: str, sources: Mapping[str, TensorType], options: Mapping[str, Any]
) -> tuple[int, ...] | None:
    """Return the error of torch for a call that the rule refuses."""
    given = dict(options)
    if layer.startswith("ConvTranspose"):
        given = {"in_channels": sources["input"].dims[0], **options}
    call = {"output_size": given.pop("output_size")} if "indices" in sources else {}
    try:
        found: torch.Tensor = getattr(nn, layer)(**given)(*tensors(sources).values(), **call)
    except REFUSALS:
        return None
    return tuple(found.shape) if found.numel() else None


@MANY
@given(sizes, small, small, few, few, small)
def test_transposed_convolutions(
    size: int, kernel: int, stride: int, padding: int, output_padding: int, dilation: int
) -> None:
    agrees(
        "ConvTranspose1d",
        size,
        1,
        "T",
        out_channels=1,
        kernel_size=kernel,
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
    )


@MANY
@given(sizes, small, small, st.integers(0, 2), st.integers(1, 3))
def test_unfold(size: int, kernel: int, stride: int, padding: int, dilation: int) -> None:
    options = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    agrees("Unfold", size, 2, "T", 6, **options)


@MANY
@given(sizes, small, small, st.integers(0, 2), st.integers(1, 3))
def test_fold_takes_the_result_of_unfold(
    size: int, kernel: int, stride: int, padding: int, dilation: int
) -> None:
    options = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    try:
        columns = infer("Unfold", tensor(2, size, 6), **options).type
    except OpFault as fault:
        assert fault.code == "empty-output"
        return
    assert columns is not None
    folded = infer("Fold", columns, output_size=(size, 6), **options)
    assert folded.type == tensor(2, size, 6)
    assert torch_gives(folded, {"input": columns}) == (2, 2, size, 6)


@MANY
@given(
    st.sampled_from(["Zero", "Reflection", "Replication", "Circular"]),
    sizes,
    st.tuples(sides, sides),
)
def test_padding(kind: str, size: int, padding: tuple[int, int]) -> None:
    agrees(f"{kind}Pad1d", size, 2, "T", padding=padding)
    agrees(f"{kind}Pad2d", size, 2, 9, "T", padding=(*padding, 1, -2))


@MANY
@given(sizes, factors | any_factor, modes)
def test_upsampling(size: int, factor: float, mode: str) -> None:
    agrees("Upsample", size, 2, "T", 7, scale_factor=factor, mode=mode)


@MANY
@given(sizes, small, small, few, st.none() | st.tuples(st.integers(1, 30)))
def test_unpooling(
    size: int, kernel: int, stride: int, padding: int, output_size: tuple[int] | None
) -> None:
    agrees(
        "MaxUnpool1d",
        size,
        1,
        "T",
        kernel_size=kernel,
        stride=stride,
        padding=padding,
        output_size=output_size,
    )


@MANY
@given(st.sampled_from([2, 3]), sizes, small, sizes)
def test_fractional_pooling(axes: int, size: int, kernel: int, left: int) -> None:
    others = [12] * (axes - 1)
    wanted = (*(4 for _ in others), left)
    layer = f"FractionalMaxPool{axes}d"
    agrees(layer, size, 2, *others, "T", kernel_size=kernel, output_size=wanted)


@MANY
@given(sizes, small, small, st.booleans(), st.sampled_from([1.0, 2.0, float("inf")]))
def test_power_average_pooling(
    size: int, kernel: int, stride: int, ceil_mode: bool, norm: float
) -> None:
    options = {"norm_type": norm, "kernel_size": kernel, "stride": stride, "ceil_mode": ceil_mode}
    agrees("LPPool1d", size, 2, "T", **options)


@MANY
@given(sizes, st.integers(1, 3))
def test_shuffles(size: int, factor: int) -> None:
    agrees("PixelShuffle", size, "T", 2, 3, upscale_factor=factor)
    agrees("PixelUnshuffle", size, 2, "T", 6, downscale_factor=factor)
    agrees("ChannelShuffle", size, "T", 2, groups=factor)
