"""Written from the registry by `pytest tests/test_stubs.py --rewrite`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from mimgraph.builder import Tensor
from mimgraph.ir.dims.dim import Size
from mimgraph.ops.layer_call import LayerCall

_Activation: TypeAlias = str | Mapping[str, object] | LayerCall | Callable[..., LayerCall]

def AdaptiveAvgPool1d(
    output_size: int | Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The means of `output_size` windows: (N, C, L) -> (N, C, output_size)."""

def AdaptiveAvgPool2d(
    output_size: int | Sequence[int | None],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The means of `output_size` windows: (N, C, H, W) -> (N, C, *output_size).

    A size that is null stays as it is.
    """

def AdaptiveAvgPool3d(
    output_size: int | Sequence[int | None],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The means of `output_size` windows: (N, C, D, H, W) -> same rank.

    A size that is null stays as it is.
    """

def AdaptiveMaxPool1d(
    output_size: int | Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The maxima of `output_size` windows: (N, C, L) -> (N, C, output_size)."""

def AdaptiveMaxPool2d(
    output_size: int | Sequence[int | None],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The maxima of `output_size` windows: (N, C, H, W) -> (N, C, *output_size).

    A size that is null stays as it is.
    """

def AdaptiveMaxPool3d(
    output_size: int | Sequence[int | None],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The maxima of `output_size` windows: (N, C, D, H, W) -> (N, C, *output_size).

    A size that is null stays as it is.
    """

def AffineGrid(
    size: Sequence[Size],
    align_corners: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The grid of an affine map, for GridSample: (N, 2, 3) -> (N, H, W, 2) for size [H, W].

    `size` is that of the sampled image, or [D, H, W] of a volume, whose map is (N, 3, 4).
    torch.nn.functional.affine_grid.
    """

def AlphaDropout(
    p: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Dropout that keeps mean and variance, to go with SELU: (*) -> (*).

    Klambauer et al. 2017.
    """

def ArgMax(
    dim: int,
    keepdim: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The index of the largest value along an axis, int64: (N, T, D) -> (N, D)."""

def ArgMin(
    dim: int,
    keepdim: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The index of the smallest value along an axis, int64: (N, T, D) -> (N, D)."""

def AvgPool1d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = ...,
    padding: int | Sequence[int] = ...,
    ceil_mode: bool = ...,
    count_include_pad: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The mean of each window: (N, C, L) -> (N, C, L')."""

def AvgPool2d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = ...,
    padding: int | Sequence[int] = ...,
    ceil_mode: bool = ...,
    count_include_pad: bool = ...,
    divisor_override: int | None = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The mean of each window: (N, C, H, W) -> (N, C, H', W')."""

def AvgPool3d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = ...,
    padding: int | Sequence[int] = ...,
    ceil_mode: bool = ...,
    count_include_pad: bool = ...,
    divisor_override: int | None = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The mean of each window: (N, C, D, H, W) -> (N, C, D', H', W')."""

def BatchNorm1d(
    *,
    eps: float = ...,
    momentum: float | None = ...,
    affine: bool = ...,
    track_running_stats: bool = ...,
    bias: bool = ...,
    num_features: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Each channel normalised over the batch: (N, C) or (N, C, L) -> the same."""

def BatchNorm2d(
    *,
    eps: float = ...,
    momentum: float | None = ...,
    affine: bool = ...,
    track_running_stats: bool = ...,
    bias: bool = ...,
    num_features: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Each channel normalised over the batch: (N, C, H, W) -> (N, C, H, W)."""

def BatchNorm3d(
    *,
    eps: float = ...,
    momentum: float | None = ...,
    affine: bool = ...,
    track_running_stats: bool = ...,
    bias: bool = ...,
    num_features: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Each channel normalised over the batch: (N, C, D, H, W) -> (N, C, D, H, W)."""

def Bilinear(
    out_features: Size,
    bias: bool = ...,
    *,
    weight_norm: bool | Mapping[str, float] = ...,
    spectral_norm: bool | Mapping[str, float] = ...,
    in1_features: int = ...,
    in2_features: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """`x1 A x2 + b`: (*, in1_features), (*, in2_features) -> (*, out_features)."""

def BoxConvert(
    in_fmt: Literal["xyxy", "xywh", "cxcywh"],
    out_fmt: Literal["xyxy", "xywh", "cxcywh"],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Boxes in another format, corners (xyxy), or a corner or centre and a size: (N, *, 4) -> (N, *, 4).

    torchvision.ops.box_convert.
    """

def BoxIoU(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Intersection over union of all pairs of boxes: (N, R, 4), (N, S, 4) -> (N, R, S).

    A box is (x1, y1, x2, y2). torchvision.ops.box_iou.
    """

def CELU(
    alpha: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x where x > 0, else `alpha * (exp(x / alpha) - 1)`: (*) -> (*).

    Barron 2017.
    """

def Cast(
    dtype: Literal[
        "float16",
        "bfloat16",
        "float32",
        "float64",
        "uint8",
        "int8",
        "int16",
        "int32",
        "int64",
        "complex64",
        "complex128",
        "bool",
    ]
    | None = ...,
    *,
    like: Tensor = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The same values in another dtype, `dtype` or that of `like`: (*) -> (*).

    float32 stands for the dtype of the model: after `model.to(torch.bfloat16)` or `model.double()`
    it is cast to that one. Other dtypes are cast to as written. `like` is a second source, whose
    dtype is read when the model runs: `{layer: Cast, from: mask, like: x}`.
    """

def CausalMask(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """True where a step may not attend to a later one: (N, T, *) -> (T, T), bool.

    It has no batch, as torch's `attn_mask`. `LogicalNot` inverts it for `attention`, whose mask is
    true where attention is allowed; `logical_or` joins it with a padding mask of each sample.
    """

def ChannelShuffle(
    groups: int,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Channels interleaved between `groups`: (N, C, *) -> (N, C, *).

    Zhang et al. 2018, ShuffleNet.
    """

def Chunk(
    chunks: int,
    dim: int,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """At most `chunks` pieces of one size (the last may be smaller), as in torch: ports 0, 1, ...

    An axis whose length is known only at run time must be a multiple of `chunks`.
    """

def CircularPad1d(
    padding: int | Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Padded by the values of the opposite end around the last axis: (N, C, L) -> (N, C, L').

    `padding` is one number, or [left, right].
    """

def CircularPad2d(
    padding: int | Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Padded by the values of the opposite end around the last two axes: (N, C, H, W) -> (N, C, H', W').

    `padding` is one number, or [left, right, top, bottom].
    """

def CircularPad3d(
    padding: int | Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Padded by the values of the opposite end around the last three axes: (N, C, D, H, W) -> the same, longer.

    `padding` is one number, or [left, right, top, bottom, front, back].
    """

def Clamp(
    min: float | None = ...,
    max: float | None = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x clamped to the range from `min` to `max`, one of which may be left out: (*) -> (*).

    A float limit makes integers float32.
    """

def ConstantPad1d(
    padding: int | Sequence[int],
    value: float,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Padded by `value` around the last axis: (N, *, L) -> (N, *, L').

    `padding` is one number, or [left, right].
    """

def ConstantPad2d(
    padding: int | Sequence[int],
    value: float,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Padded by `value` around the last two axes: (N, *, H, W) -> (N, *, H', W').

    `padding` is one number, or [left, right, top, bottom].
    """

def ConstantPad3d(
    padding: int | Sequence[int],
    value: float,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Padded by `value` around the last three axes: (N, *, D, H, W) -> the same, longer.

    `padding` is one number, or [left, right, top, bottom, front, back].
    """

def Conv1d(
    out_channels: Size,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = ...,
    padding: Literal["same", "valid"] | int | Sequence[int] = ...,
    dilation: int | Sequence[int] = ...,
    groups: int = ...,
    bias: bool = ...,
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = ...,
    *,
    weight_norm: bool | Mapping[str, float] = ...,
    spectral_norm: bool | Mapping[str, float] = ...,
    in_channels: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Convolution over one axis: (N, C, L) -> (N, out_channels, L').

    `padding` is one number, a list of one an axis, `same` (sizes stay, needs stride 1) or `valid` (0).
    """

def Conv2d(
    out_channels: Size,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = ...,
    padding: Literal["same", "valid"] | int | Sequence[int] = ...,
    dilation: int | Sequence[int] = ...,
    groups: int = ...,
    bias: bool = ...,
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = ...,
    *,
    weight_norm: bool | Mapping[str, float] = ...,
    spectral_norm: bool | Mapping[str, float] = ...,
    in_channels: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Convolution over two axes: (N, C, H, W) -> (N, out_channels, H', W').

    `padding` is one number, a list of one an axis, `same` (sizes stay, needs stride 1) or `valid` (0).
    """

def Conv3d(
    out_channels: Size,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = ...,
    padding: Literal["same", "valid"] | int | Sequence[int] = ...,
    dilation: int | Sequence[int] = ...,
    groups: int = ...,
    bias: bool = ...,
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = ...,
    *,
    weight_norm: bool | Mapping[str, float] = ...,
    spectral_norm: bool | Mapping[str, float] = ...,
    in_channels: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Convolution over three axes: (N, C, D, H, W) -> (N, out_channels, D', H', W').

    `padding` is one number, a list of one an axis, `same` (sizes stay, needs stride 1) or `valid` (0).
    """

def ConvTranspose1d(
    out_channels: Size,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = ...,
    padding: int | Sequence[int] = ...,
    output_padding: int | Sequence[int] = ...,
    groups: int = ...,
    bias: bool = ...,
    dilation: int | Sequence[int] = ...,
    padding_mode: Literal["zeros"] = ...,
    *,
    weight_norm: bool | Mapping[str, float] = ...,
    spectral_norm: bool | Mapping[str, float] = ...,
    in_channels: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The transpose of a convolution over one axis: (N, C, L) -> (N, out_channels, L').

    A strided convolution maps several sizes to one; this gives the smallest of them, plus
    `output_padding`.
    """

def ConvTranspose2d(
    out_channels: Size,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = ...,
    padding: int | Sequence[int] = ...,
    output_padding: int | Sequence[int] = ...,
    groups: int = ...,
    bias: bool = ...,
    dilation: int | Sequence[int] = ...,
    padding_mode: Literal["zeros"] = ...,
    *,
    weight_norm: bool | Mapping[str, float] = ...,
    spectral_norm: bool | Mapping[str, float] = ...,
    in_channels: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The transpose of a convolution over two axes: (N, C, H, W) -> (N, out_channels, H', W').

    A strided convolution maps several sizes to one; this gives the smallest of them, plus
    `output_padding`.
    """

def ConvTranspose3d(
    out_channels: Size,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = ...,
    padding: int | Sequence[int] = ...,
    output_padding: int | Sequence[int] = ...,
    groups: int = ...,
    bias: bool = ...,
    dilation: int | Sequence[int] = ...,
    padding_mode: Literal["zeros"] = ...,
    *,
    weight_norm: bool | Mapping[str, float] = ...,
    spectral_norm: bool | Mapping[str, float] = ...,
    in_channels: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The transpose of a convolution over three axes: (N, C, D, H, W) -> (N, out_channels, D', H', W').

    A strided convolution maps several sizes to one; this gives the smallest of them, plus
    `output_padding`.
    """

def CosineSimilarity(
    dim: int = ...,
    eps: float = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The cosine of the angle between vectors along `dim`: (N, D), (N, D) -> (N,)."""

def CrossMapLRN2d(
    size: int,
    alpha: float = ...,
    beta: float = ...,
    k: float = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """LocalResponseNorm as in Lua Torch: (N, C, H, W) -> (N, C, H, W)."""

def CumProd(
    dim: int,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The cumulative product along an axis, int64 for integers: (*) -> (*)."""

def CumSum(
    dim: int,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The cumulative sum along an axis, int64 for integers: (*) -> (*)."""

def DeformConv2d(
    out_channels: Size,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = ...,
    padding: int | Sequence[int] = ...,
    dilation: int | Sequence[int] = ...,
    groups: int = ...,
    bias: bool = ...,
    *,
    in_channels: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Convolution at places moved by an offset: (N, C, H, W), (N, 2*k*k, H', W') -> (N, out_channels, H', W').

    `mask`, (N, k*k, H', W'), weighs each place. torchvision.ops.DeformConv2d, Dai et al. 2017 and,
    with a mask, Zhu et al. 2018.
    """

def Detach(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The same values, through which no gradient flows: (*) -> (*)."""

def DropPath(
    p: float,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """In training, each sample is zero with probability `p`, else x / (1 - p): (N, *) -> (N, *).

    Stochastic depth (Huang et al. 2016), for a residual branch: `x * dropout(ones, p)` with one
    value a sample. In eval it changes nothing.
    """

def Dropout(
    p: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """In training, each element is zero with probability `p`: (*) -> (*)."""

def Dropout1d(
    p: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """In training, each channel is zero with probability `p`: (N, C, L) -> (N, C, L)."""

def Dropout2d(
    p: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """In training, each channel is zero with probability `p`: (N, C, H, W) -> (N, C, H, W)."""

def Dropout3d(
    p: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """In training, each channel is zero with probability `p`: (N, C, D, H, W) -> same."""

def ELU(
    alpha: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x where x > 0, else `alpha * (exp(x) - 1)`: (*) -> (*).

    Clevert et al. 2016.
    """

def Embedding(
    embedding_dim: Size,
    padding_idx: int | None = ...,
    max_norm: float | None = ...,
    norm_type: float = ...,
    scale_grad_by_freq: bool = ...,
    sparse: bool = ...,
    *,
    num_embeddings: int | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """A learned vector for each number: (*) -> (*, embedding_dim).

    `num_embeddings` is the input's `vocab`, and must be given if the input has none.
    """

def EmbeddingBag(
    embedding_dim: Size,
    max_norm: float | None = ...,
    norm_type: float = ...,
    scale_grad_by_freq: bool = ...,
    mode: Literal["sum", "mean", "max"] = ...,
    sparse: bool = ...,
    padding_idx: int | None = ...,
    *,
    num_embeddings: int | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The sum, mean or maximum of learned vectors, one a number: (N, L) -> (N, embedding_dim).

    `per_sample_weights` (N, L) scale the vectors of a sum. Bags of unequal size are padded with
    `padding_idx`, which is skipped.
    """

def Expand(
    size: Sequence[Size | Literal[-1]],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Axes of size 1 expanded without a copy: (N, 1, D) -> (N, T, D).

    `size` leaves the batch out; -1 keeps a size. A tensor without a batch may get new axes in front.
    """

def FFT(
    n: Size | None = ...,
    dim: int = ...,
    norm: Literal["forward", "backward", "ortho"] = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The discrete Fourier transform over an axis, torch.fft.fft: (N, L) -> (N, L), complex.

    The axis is cut or filled with zeros to size `n` first.
    """

def FFT2(
    s: Sequence[Size] | None = ...,
    dim: Sequence[int] = ...,
    norm: Literal["forward", "backward", "ortho"] = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """FFT over two axes, torch.fft.fft2: (N, H, W) -> (N, H, W), complex.

    The axes are cut or filled with zeros to the sizes `s` first.
    """

def FeatureAlphaDropout(
    p: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """AlphaDropout of whole channels: (N, C, *) -> (N, C, *)."""

def Fill(
    value: Literal["zeros", "learned"],
    *,
    init: Any = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Zeros, or a learned tensor, in place of a missing source: (N, *) -> (N, *).

    A source is missing if it depends on an optional input that is left out; with `present`, a bool
    (N,), also in each sample where that is false, whatever its values. The learned tensor has the
    shape of the source without the batch; `init`, as of a parameter, gives its first values.
    """

def Flatten(
    start_dim: int = ...,
    end_dim: int = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Axes `start_dim` to `end_dim` as one: (N, *) -> (N, D)."""

def Flip(
    dims: int | Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Values in reverse order along axes: (*) -> (*)."""

def Fold(
    output_size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = ...,
    padding: int | Sequence[int] = ...,
    stride: int | Sequence[int] = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Columns added up at the windows that they come from: (N, C * kernel, windows) -> (N, C, *output_size).

    It is the inverse of an `Unfold` with the same windows, but sums where windows overlap.
    """

def FractionalMaxPool2d(
    kernel_size: int | Sequence[int],
    output_size: int | Sequence[int] | None = ...,
    output_ratio: float | Sequence[float] | None = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The maxima of windows at random steps, also in eval: (N, C, H, W) -> (N, C, H', W').

    Graham 2015. Give either `output_size` or `output_ratio`, a fraction of the input's size.
    """

def FractionalMaxPool3d(
    kernel_size: int | Sequence[int],
    output_size: int | Sequence[int] | None = ...,
    output_ratio: float | Sequence[float] | None = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The maxima of windows at random steps, also in eval: (N, C, D, H, W) -> (N, C, D', H', W').

    Graham 2015. Give either `output_size` or `output_ratio`, a fraction of the input's size.
    """

def FrozenBatchNorm2d(
    *,
    eps: float = ...,
    num_features: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """BatchNorm2d whose statistics and weights are fixed: (N, C, H, W) -> (N, C, H, W).

    torchvision.ops.FrozenBatchNorm2d, as detectors use a pretrained backbone.
    """

def GELU(
    approximate: Literal["none", "tanh"] = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x times the cumulative normal distribution at x: (*) -> (*).

    Hendrycks and Gimpel 2016; `approximate: tanh` is a faster formula.
    """

def GLU(
    dim: int = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The first half along `dim` times the sigmoid of the second: (*, 2 * D) -> (*, D).

    Dauphin et al. 2017.
    """

def GRU(
    hidden_size: Size,
    num_layers: int = ...,
    bias: bool = ...,
    dropout: float = ...,
    bidirectional: bool = ...,
    *,
    input_size: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Gated recurrent units: (N, T, input_size) -> (N, T, D * hidden_size).

    Ports: `output`, of every step; `last`, the final state of the last layer, directions joined;
    `hidden`, the final states, batch first; `state`, the same for the `state` of another layer.
    With `lengths`, padding is skipped.
    """

def GRUCell(
    hidden_size: Size,
    bias: bool = ...,
    *,
    input_size: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """One step of a GRU: (N, input_size), hidden (N, hidden_size) -> (N, hidden_size).

    Without `hidden` it starts from zeros.
    """

def GridSample(
    mode: Literal["bilinear", "nearest", "bicubic"] = ...,
    padding_mode: Literal["zeros", "border", "reflection"] = ...,
    align_corners: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Pixels read at the places of a grid: (N, C, H, W), (N, H', W', 2) -> (N, C, H', W').

    A place is (x, y), from -1 at the left and top to 1. A volume (N, C, D, H, W) takes a grid
    (N, D', H', W', 3). torch.nn.functional.grid_sample.
    """

def GroupNorm(
    num_groups: int,
    *,
    eps: float = ...,
    affine: bool = ...,
    bias: bool = ...,
    num_channels: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Each group of channels normalised: (N, C, *) -> (N, C, *).

    Wu and He 2018. One group normalises each sample as a whole, as many groups as channels each
    channel alone.
    """

def Hardshrink(
    lambd: float = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x where |x| > lambd, else 0: (*) -> (*)."""

def Hardsigmoid(
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """relu6(x + 3) / 6: (*) -> (*)."""

def Hardswish(
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x * relu6(x + 3) / 6: (*) -> (*).

    Howard et al. 2019, MobileNetV3.
    """

def Hardtanh(
    min_val: float = ...,
    max_val: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x clamped to the range from `min_val` to `max_val`: (*) -> (*)."""

def IFFT(
    n: Size | None = ...,
    dim: int = ...,
    norm: Literal["forward", "backward", "ortho"] = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The inverse of FFT over an axis, torch.fft.ifft: (N, L) -> (N, L), complex."""

def IFFT2(
    s: Sequence[Size] | None = ...,
    dim: Sequence[int] = ...,
    norm: Literal["forward", "backward", "ortho"] = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The inverse of FFT2, torch.fft.ifft2: (N, H, W) -> (N, H, W), complex."""

def IRFFT(
    n: Size | None = ...,
    dim: int = ...,
    norm: Literal["forward", "backward", "ortho"] = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The inverse of RFFT, torch.fft.irfft: (N, M) -> (N, n), real; n is 2*(M - 1) by default.

    Give `n` where the size before RFFT was odd.
    """

def IRFFT2(
    s: Sequence[Size] | None = ...,
    dim: Sequence[int] = ...,
    norm: Literal["forward", "backward", "ortho"] = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The inverse of RFFT2, torch.fft.irfft2: (N, H, M) -> (N, H, 2*(M - 1)), real.

    Give `s` where the last size before RFFT2 was odd.
    """

def Identity(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The input, unchanged: (*) -> (*)."""

def Imag(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The imaginary parts of complex numbers: (*) -> (*)."""

def InstanceNorm1d(
    *,
    eps: float = ...,
    momentum: float | None = ...,
    affine: bool = ...,
    track_running_stats: bool = ...,
    bias: bool = ...,
    num_features: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Each channel of each sample normalised: (N, C, L) -> (N, C, L)."""

def InstanceNorm2d(
    *,
    eps: float = ...,
    momentum: float | None = ...,
    affine: bool = ...,
    track_running_stats: bool = ...,
    bias: bool = ...,
    num_features: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Each channel of each sample normalised: (N, C, H, W) -> (N, C, H, W)."""

def InstanceNorm3d(
    *,
    eps: float = ...,
    momentum: float | None = ...,
    affine: bool = ...,
    track_running_stats: bool = ...,
    bias: bool = ...,
    num_features: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Each channel of each sample normalised: (N, C, D, H, W) -> (N, C, D, H, W)."""

def Interpolate(
    *,
    size: Size | Sequence[Size] | None = ...,
    scale_factor: float | Sequence[float] | None = ...,
    mode: Literal[
        "nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact"
    ] = ...,
    align_corners: bool | None = ...,
    recompute_scale_factor: bool | None = ...,
    antialias: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Interpolated on all axes behind the channels, to a size or by a factor: (N, C, *) -> same.

    As Upsample, but a function: `size` may contain names, and `antialias` helps when shrinking.
    """

def LPPool1d(
    norm_type: float,
    kernel_size: int,
    stride: int | Sequence[int] | None = ...,
    ceil_mode: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The `norm_type`-norm of each window: (N, C, L) -> (N, C, L').

    `norm_type: 1` is the sum, `.inf` the largest absolute value.
    """

def LPPool2d(
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = ...,
    ceil_mode: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The `norm_type`-norm of each window: (N, C, H, W) -> (N, C, H', W').

    `norm_type: 1` is the sum, `.inf` the largest absolute value.
    """

def LPPool3d(
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = ...,
    ceil_mode: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The `norm_type`-norm of each window: (N, C, D, H, W) -> (N, C, D', H', W').

    `norm_type: 1` is the sum, `.inf` the largest absolute value.
    """

def LSTM(
    hidden_size: Size,
    num_layers: int = ...,
    bias: bool = ...,
    dropout: float = ...,
    bidirectional: bool = ...,
    proj_size: int = ...,
    *,
    input_size: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Long short-term memory: (N, T, input_size) -> (N, T, D * hidden_size).

    Ports: `output`, of every step; `last`, the final state of the last layer, directions joined;
    `hidden` and `cell`, the final states, batch first; `state`, both for the `state` of another LSTM.
    With `lengths`, padding is skipped.
    """

def LSTMCell(
    hidden_size: Size,
    bias: bool = ...,
    *,
    input_size: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """One step of an LSTM: (N, input_size), hidden and cell (N, hidden_size) -> the same two.

    Without `hidden` and `cell` it starts from zeros.
    """

def LayerNorm(
    *,
    eps: float = ...,
    elementwise_affine: bool = ...,
    bias: bool = ...,
    normalized_shape: int | Sequence[int] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x normalised over the last axis, or the last ones of sizes `normalized_shape`: (*) -> (*).

    Ba et al. 2016.
    """

def LeakyReLU(
    negative_slope: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x where x > 0, else `negative_slope * x`: (*) -> (*)."""

def Linear(
    out_features: Size,
    bias: bool = ...,
    *,
    weight_norm: bool | Mapping[str, float] = ...,
    spectral_norm: bool | Mapping[str, float] = ...,
    in_features: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Affine map of the last axis: (*, in_features) -> (*, out_features)."""

def LocalResponseNorm(
    size: int,
    alpha: float = ...,
    beta: float = ...,
    k: float = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x scaled down by the `size` channels around it at each position: (N, C, *) -> (N, C, *).

    `x / (k + alpha * mean of squares) ** beta` (Krizhevsky et al. 2012).
    """

def LogSigmoid(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """log(sigmoid(x)): (*) -> (*)."""

def LogSoftmax(
    dim: int,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The logarithm of the softmax along `dim`: (*) -> (*)."""

def LogSumExp(
    dim: int | Sequence[int],
    keepdim: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """log(sum(exp(x))) over axes, without overflow: (N, T, D) -> (N, D)."""

def LogicalNot(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """True where x is false or 0, which inverts a mask: (*) -> (*), bool."""

def Max(
    dim: int | Sequence[int],
    keepdim: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The largest value over one axis or several, torch's `amax`: (N, T, D) -> (N, D)."""

def MaxPool1d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = ...,
    padding: int | Sequence[int] = ...,
    dilation: int | Sequence[int] = ...,
    ceil_mode: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The largest value of each window: (N, C, L) -> (N, C, L').

    The port `indices` has the index of each value in its channel, for a MaxUnpool1d.
    """

def MaxPool2d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = ...,
    padding: int | Sequence[int] = ...,
    dilation: int | Sequence[int] = ...,
    ceil_mode: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The largest value of each window: (N, C, H, W) -> (N, C, H', W').

    The port `indices` has the index of each value in its channel, for a MaxUnpool2d.
    """

def MaxPool3d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = ...,
    padding: int | Sequence[int] = ...,
    dilation: int | Sequence[int] = ...,
    ceil_mode: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The largest value of each window: (N, C, D, H, W) -> (N, C, D', H', W').

    The port `indices` has the index of each value in its channel, for a MaxUnpool3d.
    """

def MaxUnpool1d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = ...,
    padding: int | Sequence[int] = ...,
    *,
    output_size: Sequence[Size] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Each value at the index where MaxPool1d found it, the rest 0: (N, C, L) -> (N, C, L').

    `indices` is a port of the pooling; `output_size` selects one of several possible lengths.
    """

def MaxUnpool2d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = ...,
    padding: int | Sequence[int] = ...,
    *,
    output_size: Sequence[Size] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Each value at the index where MaxPool2d found it, the rest 0: (N, C, H, W) -> (N, C, H', W').

    `indices` is a port of the pooling; `output_size` selects one of several possible sizes.
    """

def MaxUnpool3d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = ...,
    padding: int | Sequence[int] = ...,
    *,
    output_size: Sequence[Size] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Each value at the index where MaxPool3d found it, the rest 0: (N, C, *) -> (N, C, *).

    `indices` is a port of the pooling; `output_size` selects one of several possible sizes.
    """

def Mean(
    dim: int | Sequence[int],
    keepdim: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The mean over one axis or several; `keepdim` keeps them with size 1: (N, T, D) -> (N, D)."""

def Min(
    dim: int | Sequence[int],
    keepdim: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The smallest value over one axis or several, torch's `amin`: (N, T, D) -> (N, D)."""

def Mish(
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x * tanh(softplus(x)): (*) -> (*).

    Misra 2020.
    """

def MultiheadAttention(
    num_heads: int,
    dropout: float = ...,
    bias: bool = ...,
    add_bias_kv: bool = ...,
    add_zero_attn: bool = ...,
    *,
    average_attn_weights: bool = ...,
    is_causal: bool = ...,
    kdim: int | None = ...,
    vdim: int | None = ...,
    embed_dim: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Attention in several heads; a `query` alone attends to itself: (N, L, E) -> (N, L, E).

    Vaswani et al. 2017. Without `value` the key is the value too. Masks are as in torch:
    `key_padding_mask` (N, S) and `attn_mask` (L, S), true where attention is not allowed. `is_causal`
    hides later steps; without `attn_mask` the causal mask is made. The port `weights` is the mean
    over the heads, or with `average_attn_weights: false` (N, num_heads, L, S).
    """

def Norm(
    dim: int | Sequence[int],
    ord: float = ...,
    keepdim: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The norm of order `ord` over axes, torch.linalg.vector_norm: (N, T, D) -> (N, T) for dim -1."""

def Normalize(
    dim: int | Sequence[int],
    p: float = ...,
    eps: float = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x divided by its p-norm along `dim`, or by `eps` if that is larger: (*) -> (*)."""

def OneHot(
    num_classes: int | None = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """1 at the index that each number gives, else 0: (*) -> (*, num_classes), int64.

    Numbers are from 0 to num_classes - 1; an input with a vocab needs no `num_classes`.
    """

def PReLU(
    num_parameters: int = ...,
    init: float = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x where x > 0, else x times a learned slope, one for all or one a channel: (*) -> (*).

    He et al. 2015.
    """

def PSRoIAlign(
    output_size: int,
    spatial_scale: float = ...,
    sampling_ratio: int = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """RoIAlign with channels of its own for each place: (N, C*k*k, H, W), (N, R, 4) -> (N, R, C, k, k).

    torchvision.ops.ps_roi_align, Li et al. 2018.
    """

def PSRoIPool(
    output_size: int,
    spatial_scale: float = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """RoIPool by means, with channels of its own for each place: as PSRoIAlign.

    (N, C*k*k, H, W), (N, R, 4) -> (N, R, C, k, k). torchvision.ops.ps_roi_pool, Dai et al. 2016.
    """

def Pad(
    pad: Sequence[int],
    mode: Literal["constant", "reflect", "replicate", "circular"] = ...,
    value: float | None = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Axes padded at both ends, or cut by negative numbers: (N, C, L) -> (N, C, L').

    `pad` lists the sizes before and after the last axis, then those of the axis before it, and so on.
    Modes other than `constant` pad one to three axes, with one or two axes before them.
    """

def PairwiseDistance(
    p: float = ...,
    eps: float = ...,
    keepdim: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The p-norm of `x1 - x2 + eps` over the last axis: (N, *, D), (N, *, D) -> (N, *)."""

def Permute(
    dims: Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The axes in the order `dims`: (N, A, B) -> (N, B, A), or (A, B, N) if `dims` starts with 1."""

def PixelShuffle(
    upscale_factor: int,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Channels to a finer grid, r = upscale_factor: (*, C * r**2, H, W) -> (*, C, H * r, W * r).

    Shi et al. 2016, sub-pixel convolution.
    """

def PixelUnshuffle(
    downscale_factor: int,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Each r x r square to channels, r = downscale_factor: (*, C, H * r, W * r) -> (*, C * r**2, H, W)."""

def Prod(
    dim: int,
    keepdim: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The product over an axis, int64 for integers: (N, T, D) -> (N, D)."""

def RFFT(
    n: Size | None = ...,
    dim: int = ...,
    norm: Literal["forward", "backward", "ortho"] = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """FFT of real numbers without the mirrored half, torch.fft.rfft: (N, L) -> (N, L//2 + 1)."""

def RFFT2(
    s: Sequence[Size] | None = ...,
    dim: Sequence[int] = ...,
    norm: Literal["forward", "backward", "ortho"] = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """FFT2 of real numbers without the mirrored half, torch.fft.rfft2: (N, H, W) -> (N, H, W//2 + 1)."""

def RMSNorm(
    *,
    eps: float | None = ...,
    elementwise_affine: bool = ...,
    normalized_shape: int | Sequence[int] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x divided by its root mean square over the last axis, or several: (*) -> (*).

    Zhang and Sennrich 2019. `normalized_shape` lists the sizes of the last axes, if several. With
    `eps: null` it is the machine epsilon of the dtype.
    """

def RNN(
    hidden_size: Size,
    num_layers: int = ...,
    nonlinearity: Literal["tanh", "relu"] = ...,
    bias: bool = ...,
    dropout: float = ...,
    bidirectional: bool = ...,
    *,
    input_size: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """An Elman recurrent network: (N, T, input_size) -> (N, T, D * hidden_size).

    Ports: `output`, of every step; `last`, the final state of the last layer, directions joined;
    `hidden`, the final states, batch first; `state`, the same for the `state` of another layer.
    With `lengths`, padding is skipped.
    """

def RNNCell(
    hidden_size: Size,
    bias: bool = ...,
    nonlinearity: Literal["tanh", "relu"] = ...,
    *,
    input_size: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """One step of an RNN: (N, input_size), hidden (N, hidden_size) -> (N, hidden_size).

    Without `hidden` it starts from zeros.
    """

def RReLU(
    lower: float = ...,
    upper: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x where x > 0, else x times a slope that is random in training: (*) -> (*).

    Xu et al. 2015. In eval the slope is the mean of `lower` and `upper`.
    """

def ReLU(
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """max(0, x): (*) -> (*)."""

def ReLU6(
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """min(max(0, x), 6): (*) -> (*)."""

def Real(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The real parts of complex numbers; real numbers unchanged: (*) -> (*)."""

def Rearrange(
    pattern: str,
    sizes: Mapping[str, Size] = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Axes split, moved and joined in einops' notation: "n c h w -> n (h w) c".

    `sizes` gives the sizes that the pattern leaves open; `...` is any number of axes, `1` an axis of
    size 1.
    """

def Reduce(
    pattern: str,
    reduction: Literal["mean", "sum", "max", "min", "prod"],
    sizes: Mapping[str, Size] = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """As Rearrange, and reduces the axes that only the left side has: "n c h w -> n c".

    Instead of a name such an axis may have its size, a number.
    """

def ReflectionPad1d(
    padding: int | Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Padded by reflection around the last axis: (N, C, L) -> (N, C, L').

    `padding` is one number, or [left, right].
    """

def ReflectionPad2d(
    padding: int | Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Padded by reflection around the last two axes: (N, C, H, W) -> (N, C, H', W').

    `padding` is one number, or [left, right, top, bottom].
    """

def ReflectionPad3d(
    padding: int | Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Padded by reflection around the last three axes: (N, C, D, H, W) -> the same, longer.

    `padding` is one number, or [left, right, top, bottom, front, back].
    """

def Repeat(
    repeats: Sequence[Size],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Each axis repeated, the batch 1 time, as torch's `repeat`: (N, T) -> (N, 2 * T)."""

def ReplicationPad1d(
    padding: int | Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Padded by repeating the border around the last axis: (N, C, L) -> (N, C, L').

    `padding` is one number, or [left, right].
    """

def ReplicationPad2d(
    padding: int | Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Padded by repeating the border around the last two axes: (N, C, H, W) -> (N, C, H', W').

    `padding` is one number, or [left, right, top, bottom].
    """

def ReplicationPad3d(
    padding: int | Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Padded by repeating the border around the last three axes: (N, C, D, H, W) -> the same, longer.

    `padding` is one number, or [left, right, top, bottom, front, back].
    """

def Reshape(
    shape: Sequence[Size | Literal[-1]],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The same elements in other sizes, one of which may be -1: (N, *) -> (N, *shape).

    `shape` leaves the batch out.
    """

def RoIAlign(
    output_size: int | Sequence[int],
    spatial_scale: float = ...,
    sampling_ratio: int = ...,
    aligned: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Regions of an image, interpolated to one size: (N, C, H, W), (N, R, 4) -> (N, R, C, h, w).

    A box is (x1, y1, x2, y2) in pixels of the image, of which the input is `spatial_scale` times the
    size. torchvision.ops.roi_align, He et al. 2017.
    """

def RoIPool(
    output_size: int | Sequence[int],
    spatial_scale: float = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The largest values of a grid in each region: (N, C, H, W), (N, R, 4) -> (N, R, C, h, w).

    torchvision.ops.roi_pool, Girshick 2015.
    """

def Roll(
    shifts: int | Sequence[int],
    dims: int | Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Values shifted along axes; those that leave at the end enter at the start: (*) -> (*)."""

def SELU(
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """A scaled ELU that keeps mean 0 and variance 1: (*) -> (*).

    Klambauer et al. 2017.
    """

def Select(
    dim: int,
    index: int,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """One index of an axis, which is dropped: (N, T, *) -> (N, *) for dim 1."""

def SiLU(
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x * sigmoid(x), also known as swish: (*) -> (*).

    Elfwing et al. 2018.
    """

def Sigmoid(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """1 / (1 + exp(-x)): (*) -> (*)."""

def Slice(
    dim: int,
    start: Size | int | None = ...,
    end: Size | int | None = ...,
    step: int = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Indices from `start` up to, not including, `end`: (N, T, *) -> (N, T', *) for dim 1.

    Negative ones count from the end; `$T` is a length known at run time. Unlike in Python, `start`
    and `end` may not be past the end of the axis.
    """

def Softmax(
    dim: int,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """exp(x), divided by its sum along `dim`: (*) -> (*)."""

def Softmax2d(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The softmax over the channels at each position: (N, C, H, W) -> (N, C, H, W)."""

def Softmin(
    dim: int,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The softmax of -x along `dim`: (*) -> (*)."""

def Softplus(
    beta: float = ...,
    threshold: float = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """log(1 + exp(beta * x)) / beta, linear above `threshold`: (*) -> (*)."""

def Softshrink(
    lambd: float = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x moved towards 0 by `lambd`, 0 where it is nearer: (*) -> (*)."""

def Softsign(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x / (1 + |x|): (*) -> (*)."""

def Sort(
    dim: int,
    descending: bool = ...,
    *,
    stable: bool = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The values in order along an axis, and their indices: (*) -> (*)."""

def Split(
    split_size_or_sections: Size | Sequence[Size],
    dim: int,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Pieces of one size (the last may be smaller), or of the sizes listed: ports 0, 1, ..."""

def Squeeze(
    dim: int | Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x without axes of size 1; as in torch, others stay: (N, 1, *) -> (N, *) for dim 1."""

def Std(
    dim: int | Sequence[int],
    correction: int = ...,
    keepdim: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The standard deviation over axes, with divisor T - correction: (N, T, D) -> (N, D)."""

def Sum(
    dim: int | Sequence[int],
    keepdim: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The sum over one axis or several, int64 for integers: (N, T, D) -> (N, D)."""

def SyncBatchNorm(
    *,
    eps: float = ...,
    momentum: float | None = ...,
    affine: bool = ...,
    track_running_stats: bool = ...,
    bias: bool = ...,
    num_features: int = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Each channel normalised over the batches of all processes: (N, C, *) -> (N, C, *).

    In a single process it is a batch norm; with several, torch runs it on GPUs only.
    """

def Tanh(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The hyperbolic tangent: (*) -> (*)."""

def Tanhshrink(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x - tanh(x): (*) -> (*)."""

def Threshold(
    threshold: float,
    value: float,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """x where x > threshold, else `value`: (*) -> (*)."""

def TopK(
    k: Size,
    dim: int,
    largest: bool = ...,
    sorted: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The `k` largest values along an axis, and their indices: (N, T, D) -> (N, k, D).

    `k: $S` is a length known at run time.
    """

def Transformer(
    nhead: int = ...,
    num_encoder_layers: int = ...,
    num_decoder_layers: int = ...,
    dim_feedforward: Size = ...,
    dropout: float = ...,
    activation: Literal["relu", "gelu"] = ...,
    layer_norm_eps: float = ...,
    norm_first: bool = ...,
    bias: bool = ...,
    *,
    src_is_causal: bool = ...,
    tgt_is_causal: bool = ...,
    memory_is_causal: bool = ...,
    d_model: int = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """An encoder of `src` and a decoder of `tgt`: (N, S, E), (N, T, E) -> (N, T, E).

    Masks are as in torch: `src_mask` (S, S), `tgt_mask` (T, T), `memory_mask` (T, S), and beside each
    a `..._key_padding_mask`, (N, S) or (N, T), true where attention is not allowed. `tgt_is_causal`
    hides later steps; without `tgt_mask` the causal mask is made.
    """

def TransformerDecoder(
    nhead: int,
    num_layers: int,
    dim_feedforward: Size = ...,
    dropout: float = ...,
    activation: Literal["relu", "gelu"] = ...,
    layer_norm_eps: float = ...,
    norm_first: bool = ...,
    bias: bool = ...,
    *,
    norm: Literal["LayerNorm"] | None = ...,
    tgt_is_causal: bool = ...,
    memory_is_causal: bool = ...,
    d_model: int = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """A stack of `num_layers` TransformerDecoderLayers: (N, T, E), (N, S, E) -> (N, T, E).

    The options of the layers come first, then torch's for the stack; `norm: LayerNorm` adds one at
    its end. Masks and `tgt_is_causal` are as in a TransformerDecoderLayer.
    """

def TransformerDecoderLayer(
    nhead: int,
    dim_feedforward: Size = ...,
    dropout: float = ...,
    activation: Literal["relu", "gelu"] = ...,
    layer_norm_eps: float = ...,
    norm_first: bool = ...,
    bias: bool = ...,
    *,
    tgt_is_causal: bool = ...,
    memory_is_causal: bool = ...,
    d_model: int = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Attention of `tgt` to itself, then to `memory`: (N, T, E), (N, S, E) -> (N, T, E).

    Masks are as in torch: `tgt_mask` (T, T), `memory_mask` (T, S), `tgt_key_padding_mask` (N, T) and
    `memory_key_padding_mask` (N, S), true where attention is not allowed. `tgt_is_causal` hides later
    steps; without `tgt_mask` the causal mask is made.
    """

def TransformerEncoder(
    nhead: int,
    num_layers: int,
    dim_feedforward: Size = ...,
    dropout: float = ...,
    activation: Literal["relu", "gelu"] = ...,
    layer_norm_eps: float = ...,
    norm_first: bool = ...,
    bias: bool = ...,
    *,
    norm: Literal["LayerNorm"] | None = ...,
    enable_nested_tensor: bool = ...,
    mask_check: bool = ...,
    is_causal: bool = ...,
    d_model: int = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """A stack of `num_layers` TransformerEncoderLayers: (N, S, E) -> (N, S, E).

    The options of the layers come first, then torch's for the stack; `norm: LayerNorm` adds one at
    its end. Masks are as in torch: `mask` (S, S) and `src_key_padding_mask` (N, S), true where
    attention is not allowed. `is_causal` hides later steps; without `mask` the causal mask is made.
    """

def TransformerEncoderLayer(
    nhead: int,
    dim_feedforward: Size = ...,
    dropout: float = ...,
    activation: Literal["relu", "gelu"] = ...,
    layer_norm_eps: float = ...,
    norm_first: bool = ...,
    bias: bool = ...,
    *,
    is_causal: bool = ...,
    d_model: int = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Self-attention, then a feed-forward network, each with a residual: (N, S, E) -> (N, S, E).

    Masks are as in torch: `src_mask` (S, S) and `src_key_padding_mask` (N, S), true where attention
    is not allowed. `is_causal` hides later steps; without `src_mask` the causal mask is made.
    """

def Transpose(
    dim0: int,
    dim1: int,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Two axes swapped: (N, A, B) -> (N, B, A)."""

def Unbind(
    dim: int,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Every index of an axis, which is dropped: ports 0, 1, ..."""

def Unflatten(
    dim: int,
    unflattened_size: Sequence[int | Literal[-1]],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """One axis as several, the size of one may be -1: (N, A * B) -> (N, A, B) for dim 1."""

def Unfold(
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = ...,
    padding: int | Sequence[int] = ...,
    stride: int | Sequence[int] = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Each window as a column, im2col: (N, C, H, W) -> (N, C * kernel, windows)."""

def Unsqueeze(
    dim: int,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """A new axis of size 1: (N, *) -> (N, 1, *) for dim 1."""

def Upsample(
    *,
    size: int | Sequence[int] | None = ...,
    scale_factor: float | Sequence[float] | None = ...,
    mode: Literal[
        "nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact"
    ] = ...,
    align_corners: bool | None = ...,
    recompute_scale_factor: bool | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Interpolated to `size`, or by `scale_factor`: (N, C, *) -> (N, C, *).

    Mode `linear` is for one axis, `bilinear` and `bicubic` for two, `trilinear` for three, the others
    for one to three. An axis whose size is a name needs an exact factor: 2, 0.5, 1.25.
    """

def UpsamplingBilinear2d(
    *,
    size: int | Sequence[int] | None = ...,
    scale_factor: float | Sequence[float] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Interpolated linearly in two axes, corners aligned: (N, C, H, W) -> (N, C, H', W')."""

def UpsamplingNearest2d(
    *,
    size: int | Sequence[int] | None = ...,
    scale_factor: float | Sequence[float] | None = ...,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Interpolated by the nearest value: (N, C, H, W) -> (N, C, H', W')."""

def Var(
    dim: int | Sequence[int],
    correction: int = ...,
    keepdim: bool = ...,
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """The variance over axes, with divisor T - correction: (N, T, D) -> (N, D)."""

def ViewAsComplex(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Pairs of real and imaginary parts as complex numbers: (N, *, 2) -> (N, *), complex."""

def ViewAsReal(
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Complex numbers as pairs of real and imaginary parts: (N, *) -> (N, *, 2)."""

def ZeroPad1d(
    padding: int | Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Padded by zeros around the last axis: (N, *, L) -> (N, *, L').

    `padding` is one number, or [left, right].
    """

def ZeroPad2d(
    padding: int | Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Padded by zeros around the last two axes: (N, *, H, W) -> (N, *, H', W').

    `padding` is one number, or [left, right, top, bottom].
    """

def ZeroPad3d(
    padding: int | Sequence[int],
    *,
    activation: _Activation = ...,
    over: int = ...,
    freeze: bool = ...,
    take: str | int = ...,
) -> LayerCall:
    """Padded by zeros around the last three axes: (N, *, D, H, W) -> the same, longer.

    `padding` is one number, or [left, right, top, bottom, front, back].
    """
