"""Written from the catalogue by `pytest tests/test_stubs.py --rewrite`."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from mimgraph.builder import Tensor
from mimgraph.ir.dim import Size

_Activation: TypeAlias = str | Mapping[str, Mapping[str, Any]] | _Layer

class _Layer:
    def __call__(self, *sources: Tensor, name: str | None = None, **named: Tensor) -> Tensor: ...

def ReLU(
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """max(0, x): (*) -> (*)."""

def ReLU6(
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """min(max(0, x), 6): (*) -> (*)."""

def LeakyReLU(
    negative_slope: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """x, below 0 times `negative_slope`: (*) -> (*)."""

def PReLU(
    num_parameters: int = ...,
    init: float = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """x, below 0 times a learned slope, one for all or one a channel: (*) -> (*)."""

def ELU(
    alpha: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """x, below 0 `alpha * (exp(x) - 1)`: (*) -> (*)."""

def SELU(
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """A scaled ELU that keeps mean 0 and variance 1: (*) -> (*)."""

def CELU(
    alpha: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """x, below 0 `alpha * (exp(x / alpha) - 1)`: (*) -> (*)."""

def GELU(
    approximate: Literal["none", "tanh"] = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """x times the normal distribution function of x: (*) -> (*)."""

def SiLU(
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """x * sigmoid(x), also known as swish: (*) -> (*)."""

def Mish(
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """x * tanh(softplus(x)): (*) -> (*)."""

def Sigmoid(
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """1 / (1 + exp(-x)): (*) -> (*)."""

def Tanh(
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """The hyperbolic tangent: (*) -> (*)."""

def Softplus(
    beta: float = ...,
    threshold: float = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """log(1 + exp(beta * x)) / beta, linear above `threshold`: (*) -> (*)."""

def Softsign(
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """x / (1 + |x|): (*) -> (*)."""

def Softmax(
    dim: int,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """exp(x), divided by its sum along `dim`: (*) -> (*)."""

def LogSoftmax(
    dim: int,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """The logarithm of the softmax along `dim`: (*) -> (*)."""

def Softmin(
    dim: int,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """The softmax of -x along `dim`: (*) -> (*)."""

def Hardtanh(
    min_val: float = ...,
    max_val: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """x, not below `min_val` and not above `max_val`: (*) -> (*)."""

def Hardswish(
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """x * relu6(x + 3) / 6: (*) -> (*)."""

def Hardsigmoid(
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """relu6(x + 3) / 6: (*) -> (*)."""

def LogSigmoid(
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """log(sigmoid(x)): (*) -> (*)."""

def Tanhshrink(
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """x - tanh(x): (*) -> (*)."""

def Softshrink(
    lambd: float = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """x, moved by `lambd` towards 0: (*) -> (*)."""

def Hardshrink(
    lambd: float = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """x, but 0 from -lambd to lambd: (*) -> (*)."""

def Threshold(
    threshold: float,
    value: float,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """x where it is above `threshold`, else `value`: (*) -> (*)."""

def RReLU(
    lower: float = ...,
    upper: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """x, below 0 times a slope that is random in training: (*) -> (*)."""

def GLU(
    dim: int = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """The first half along `dim` times the sigmoid of the second: (*, 2 * D) -> (*, D)."""

def MultiheadAttention(
    num_heads: int,
    dropout: float = ...,
    bias: bool = ...,
    add_bias_kv: bool = ...,
    add_zero_attn: bool = ...,
    *,
    average_attn_weights: bool = ...,
    kdim: int | None = ...,
    vdim: int | None = ...,
    embed_dim: int = ...,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """Attention in several heads, of `query` to itself if it is alone: (N, L, E) -> (N, L, E)."""

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
    in_channels: int = ...,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """Convolution over one axis: (N, C, L) -> (N, out_channels, L')."""

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
    in_channels: int = ...,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """Convolution over two axes: (N, C, H, W) -> (N, out_channels, H', W')."""

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
    in_channels: int = ...,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """Convolution over three axes: (N, C, D, H, W) -> (N, out_channels, D', H', W')."""

def Dropout(
    p: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """In training, each element is zero with probability `p`: (*) -> (*)."""

def Dropout1d(
    p: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """In training, each channel is zero with probability `p`: (N, C, L) -> (N, C, L)."""

def Dropout2d(
    p: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """In training, each channel is zero with probability `p`: (N, C, H, W) -> (N, C, H, W)."""

def Dropout3d(
    p: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """In training, each channel is zero with probability `p`: (N, C, D, H, W) -> same."""

def AlphaDropout(
    p: float = ...,
    inplace: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """Dropout that keeps mean and variance, to go with SELU: (*) -> (*)."""

def Reshape(
    shape: Sequence[Size | Literal[-1]],
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """The same elements in other sizes, one of which may be -1: (N, *) -> (N, *shape)."""

def Permute(
    dims: Sequence[int],
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """The axes in the order `dims`, the batch first: (N, A, B) -> (N, B, A)."""

def Transpose(
    dim0: int,
    dim1: int,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """Two axes swapped: (N, A, B) -> (N, B, A)."""

def Unsqueeze(
    dim: int,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """A new axis of size 1: (N, *) -> (N, 1, *) for dim 1."""

def Squeeze(
    dim: int,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """Without an axis, if it is of size 1, as torch does: (N, 1, *) -> (N, *) for dim 1."""

def Select(
    dim: int,
    index: int,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """One position of an axis, which is gone then: (N, T, *) -> (N, *) for dim 1."""

def Mean(
    dim: int | Sequence[int],
    keepdim: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """The mean over one axis or several, which are gone then, or of size 1: (N, T, D) -> (N, D)."""

def Flatten(
    start_dim: int = ...,
    end_dim: int = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """Axes `start_dim` to `end_dim` as one: (N, *) -> (N, D)."""

def Identity(
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """The input, unchanged: (*) -> (*)."""

def Linear(
    out_features: Size,
    bias: bool = ...,
    *,
    in_features: int = ...,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """Affine map of the last axis: (*, in_features) -> (*, out_features)."""

def Bilinear(
    out_features: Size,
    bias: bool = ...,
    *,
    in1_features: int = ...,
    in2_features: int = ...,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """`x1 A x2 + b`: (*, in1_features), (*, in2_features) -> (*, out_features)."""

def BatchNorm1d(
    *,
    eps: float = ...,
    momentum: float | None = ...,
    affine: bool = ...,
    track_running_stats: bool = ...,
    bias: bool = ...,
    num_features: int = ...,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
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
    take: str | int = ...,
) -> _Layer:
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
    take: str | int = ...,
) -> _Layer:
    """Each channel normalised over the batch: (N, C, D, H, W) -> (N, C, D, H, W)."""

def LayerNorm(
    *,
    eps: float = ...,
    elementwise_affine: bool = ...,
    bias: bool = ...,
    normalized_shape: int | Sequence[int] | None = ...,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """Normalised over the last axis, or those whose sizes `normalized_shape` lists: (*) -> (*)."""

def GroupNorm(
    *,
    num_groups: int,
    eps: float = ...,
    affine: bool = ...,
    bias: bool = ...,
    num_channels: int = ...,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """Each group of channels normalised: (N, C, *) -> (N, C, *)."""

def MaxPool1d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = ...,
    padding: int | Sequence[int] = ...,
    dilation: int | Sequence[int] = ...,
    ceil_mode: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """The largest of each window: (N, C, L) -> (N, C, L')."""

def MaxPool2d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = ...,
    padding: int | Sequence[int] = ...,
    dilation: int | Sequence[int] = ...,
    ceil_mode: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """The largest of each window: (N, C, H, W) -> (N, C, H', W')."""

def MaxPool3d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = ...,
    padding: int | Sequence[int] = ...,
    dilation: int | Sequence[int] = ...,
    ceil_mode: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """The largest of each window: (N, C, D, H, W) -> (N, C, D', H', W')."""

def AvgPool1d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = ...,
    padding: int | Sequence[int] = ...,
    ceil_mode: bool = ...,
    count_include_pad: bool = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
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
    take: str | int = ...,
) -> _Layer:
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
    take: str | int = ...,
) -> _Layer:
    """The mean of each window: (N, C, D, H, W) -> (N, C, D', H', W')."""

def AdaptiveAvgPool1d(
    output_size: int | Sequence[int],
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """Means over windows such that `output_size` are left: (N, C, L) -> (N, C, output_size)."""

def AdaptiveAvgPool2d(
    output_size: int | Sequence[int | None],
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """Means over windows such that `output_size` are left, null for as many as there are."""

def AdaptiveAvgPool3d(
    output_size: int | Sequence[int | None],
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """Means over windows such that `output_size` are left, null for as many as there are."""

def Rearrange(
    pattern: str,
    sizes: Mapping[str, Size] = ...,
    *,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """Axes split, moved and joined as einops writes it: "n c h w -> n (h w) c"."""

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
    take: str | int = ...,
) -> _Layer:
    """A plain recurrent network: (N, T, input_size) -> (N, T, D * hidden_size)."""

def GRU(
    hidden_size: Size,
    num_layers: int = ...,
    bias: bool = ...,
    dropout: float = ...,
    bidirectional: bool = ...,
    *,
    input_size: int = ...,
    activation: _Activation = ...,
    take: str | int = ...,
) -> _Layer:
    """Gated recurrent units: (N, T, input_size) -> (N, T, D * hidden_size)."""

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
    take: str | int = ...,
) -> _Layer:
    """Long short-term memory: (N, T, input_size) -> (N, T, D * hidden_size)."""

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
    take: str | int = ...,
) -> _Layer:
    """A learned vector for each number: (*) -> (*, embedding_dim)."""
