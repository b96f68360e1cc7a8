"""Define Fourier transforms over one or two axes after torch.fft, and views of complex tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from mimgraph.ir.code import call
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import INPUT, Lowering
from mimgraph.ir.types import COMPLEX, TensorType
from mimgraph.ops.layer_call import layer
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import as_float, axis_indices, bad_option, changed, dtype_fault, real

Norm: TypeAlias = Literal["forward", "backward", "ortho"]
Sizes: TypeAlias = tuple[Size, ...] | None
Plane: TypeAlias = tuple[int, int]

_COMPLEX_OF: Mapping[str, str] = {"float32": "complex64", "float64": "complex128"}


@layer(family="fourier")
def FFT(
    input: TensorType, /, n: Size | None = None, dim: int = -1, norm: Norm = "backward"
) -> Lowering:
    """The discrete Fourier transform over an axis, torch.fft.fft: (N, L) -> (N, L), complex.

    The axis is cut or filled with zeros to size `n` first.

    Example:
        signal: [2, 64]
        {layer: FFT, from: signal}
    """
    return _transformed(input, "FFT", n, dim, norm, _same, _complex)


@layer(family="fourier")
def IFFT(
    input: TensorType, /, n: Size | None = None, dim: int = -1, norm: Norm = "backward"
) -> Lowering:
    """The inverse of FFT over an axis, torch.fft.ifft: (N, L) -> (N, L), complex.

    Example:
        spectrum: {shape: [2, 64], dtype: complex64}
        {layer: IFFT, from: spectrum}
    """
    return _transformed(input, "IFFT", n, dim, norm, _same, _complex)


@layer(family="fourier")
def RFFT(
    input: TensorType, /, n: Size | None = None, dim: int = -1, norm: Norm = "backward"
) -> Lowering:
    """FFT of real numbers without the mirrored half, torch.fft.rfft: (N, L) -> (N, L//2 + 1).

    Example:
        signal: [2, 64]
        {layer: RFFT, from: signal}
    """
    return _transformed(input, "RFFT", n, dim, norm, _half, _complex_of_real)


@layer(family="fourier")
def IRFFT(
    input: TensorType, /, n: Size | None = None, dim: int = -1, norm: Norm = "backward"
) -> Lowering:
    """The inverse of RFFT, torch.fft.irfft: (N, M) -> (N, n), real; n is 2*(M - 1) by default.

    Give `n` where the size before RFFT was odd.

    Example:
        spectrum: {shape: [2, 33], dtype: complex64}
        {layer: IRFFT, from: spectrum, n: 64}
    """
    return _transformed(input, "IRFFT", n, dim, norm, _whole, _real)


@layer(family="fourier")
def FFT2(
    input: TensorType, /, s: Sizes = None, dim: Plane = (-2, -1), norm: Norm = "backward"
) -> Lowering:
    """FFT over two axes, torch.fft.fft2: (N, H, W) -> (N, H, W), complex.

    The axes are cut or filled with zeros to the sizes `s` first.

    Example:
        image: [3, 32, 32]
        {layer: FFT2, from: image}
    """
    return _transformed(input, "FFT2", s, dim, norm, _same, _complex)


@layer(family="fourier")
def IFFT2(
    input: TensorType, /, s: Sizes = None, dim: Plane = (-2, -1), norm: Norm = "backward"
) -> Lowering:
    """The inverse of FFT2, torch.fft.ifft2: (N, H, W) -> (N, H, W), complex.

    Example:
        spectrum: {shape: [3, 32, 32], dtype: complex64}
        {layer: IFFT2, from: spectrum}
    """
    return _transformed(input, "IFFT2", s, dim, norm, _same, _complex)


@layer(family="fourier")
def RFFT2(
    input: TensorType, /, s: Sizes = None, dim: Plane = (-2, -1), norm: Norm = "backward"
) -> Lowering:
    """FFT2 of real numbers without the mirrored half, torch.fft.rfft2: (N, H, W) -> (N, H, W//2 + 1).

    Example:
        image: [3, 32, 32]
        {layer: RFFT2, from: image}
    """
    return _transformed(input, "RFFT2", s, dim, norm, _half, _complex_of_real)


@layer(family="fourier")
def IRFFT2(
    input: TensorType, /, s: Sizes = None, dim: Plane = (-2, -1), norm: Norm = "backward"
) -> Lowering:
    """The inverse of RFFT2, torch.fft.irfft2: (N, H, M) -> (N, H, 2*(M - 1)), real.

    Give `s` where the last size before RFFT2 was odd.

    Example:
        spectrum: {shape: [3, 32, 17], dtype: complex64}
        {layer: IRFFT2, from: spectrum, s: [32, 32]}
    """
    return _transformed(input, "IRFFT2", s, dim, norm, _whole, _real)


@layer(family="fourier")
def ViewAsComplex(input: TensorType, /) -> Lowering:
    """Pairs of real and imaginary parts as complex numbers: (N, *, 2) -> (N, *), complex.

    Example:
        pairs: [64, 2]
        {layer: ViewAsComplex, from: pairs}
    """
    if input.dtype not in _COMPLEX_OF:
        raise dtype_fault(input, "ViewAsComplex", "float32 or float64")
    *lead, size = input.dims or (0,)
    if size != 2:
        raise OpFault("shape-mismatch", "ViewAsComplex takes (N, *, 2)", note=str(input))
    result = input.like(*lead, dtype=_COMPLEX_OF[input.dtype])
    # a view of pairs that do not lie side by side is refused by torch
    return Lowering(result, call=call("torch.view_as_complex", INPUT.method("contiguous")))


@layer(family="fourier")
def ViewAsReal(input: TensorType, /) -> Lowering:
    """Complex numbers as pairs of real and imaginary parts: (N, *) -> (N, *, 2).

    Example:
        spectrum: {shape: [64], dtype: complex64}
        {layer: ViewAsReal, from: spectrum}
    """
    _refuse_real(input, "ViewAsReal")
    result = input.like(*input.dims, 2, dtype=real(input.dtype))
    return Lowering(result, call=call("torch.view_as_real", INPUT), makes=())


@layer(family="fourier")
def Real(input: TensorType, /) -> Lowering:
    """The real parts of complex numbers; real numbers unchanged: (*) -> (*).

    Example:
        spectrum: {shape: [64], dtype: complex64}
        {layer: Real, from: spectrum}
    """
    return _part(input, "torch.real")


@layer(family="fourier")
def Imag(input: TensorType, /) -> Lowering:
    """The imaginary parts of complex numbers: (*) -> (*).

    Example:
        spectrum: {shape: [64], dtype: complex64}
        {layer: Imag, from: spectrum}
    """
    _refuse_real(input, "Imag")
    return _part(input, "torch.imag")


def _part(input: TensorType, function: str) -> Lowering:
    """Return the view of one part of complex numbers."""
    result = input.like(*input.dims, dtype=real(input.dtype))
    return Lowering(result, call=call(function, INPUT), makes=(), scatters=True)


# sizes of the transformed axis, from the size that is transformed


def _same(size: Size) -> Size:
    return size


def _half(size: Size) -> Size:
    return size // 2 + 1


def _whole(size: Size) -> Size:
    return 2 * (size - 1)


# dtypes of results; each refuses the dtypes that torch does not transform


def _complex(x: TensorType, name: str) -> str:
    """Return the complex dtype of the result, whose input may be complex."""
    if x.dtype in COMPLEX:
        return x.dtype
    return _complex_of_real(x, name)


def _complex_of_real(x: TensorType, name: str) -> str:
    dtype = _COMPLEX_OF.get(as_float(x.dtype))
    if dtype is None:
        raise dtype_fault(x, name, "float32 or float64")
    return dtype


def _real(x: TensorType, name: str) -> str:
    return real(_complex(x, name))


def _refuse_real(x: TensorType, name: str) -> None:
    if x.dtype not in COMPLEX:
        raise dtype_fault(x, name, "a complex tensor")


def _transformed(
    input: TensorType,
    name: str,
    sizes: Size | Sizes,
    dim: int | Plane,
    norm: Norm,
    resized: Callable[[Size], Size],
    dtype: Callable[[TensorType, str], str],
) -> Lowering:
    """Return a transform over one axis or two; the last of them gets its size from `resized`."""
    option, default = ("n", -1) if isinstance(dim, int) else ("s", (-2, -1))
    each = sizes if isinstance(sizes, tuple) else () if sizes is None else (sizes,)
    if isinstance(sizes, tuple) and len(sizes) != 2:
        raise bad_option("s", f"{name} takes two sizes, not {len(sizes)}")
    axes = axis_indices(input, dim)
    dims = list(input.dims)
    for axis, size in zip(axes, each, strict=False):
        dims[axis] = size
    if sizes is None or resized is not _whole:  # the sizes of an inverse are those of its result
        dims[axes[-1]] = resized(dims[axes[-1]])
    given = changed(**{option: (sizes, None)}, dim=(dim, default), norm=(norm, "backward"))
    return Lowering(
        input.like(*dims, dtype=dtype(input, name)),
        call=call(f"torch.fft.{name.lower()}", INPUT, **given),
    )
