"""Written from the registry by `pytest tests/test_stubs.py --rewrite`."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from mimgraph.builder.tensor import Tensor
from mimgraph.ir.dim import Size
from mimgraph.ops.layer_call import Activation, LayerCall
from mimgraph.ops.registry import Library

torchvision: Library
timm: Library
transformers: Library
sentence_transformers: Library

def AdaptiveAvgPool1d(
    output_size: int | Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The means of `output_size` windows: (N, C, L) -> (N, C, output_size).

    Example:
        signal = mg.Input("signal", (8, 50))
        y = layers.AdaptiveAvgPool1d(5)(signal)
    """

def AdaptiveAvgPool2d(
    output_size: int | Sequence[int | None],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The means of `output_size` windows: (N, C, H, W) -> (N, C, *output_size).

    With size 1 it is global average pooling (Lin et al. 2014). A size that is null stays as it is.

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.AdaptiveAvgPool2d(1)(image)
    """

def AdaptiveAvgPool3d(
    output_size: int | Sequence[int | None],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The means of `output_size` windows: (N, C, D, H, W) -> same rank.

    A size that is null stays as it is.

    Example:
        volume = mg.Input("volume", (3, 8, 16, 16))
        y = layers.AdaptiveAvgPool3d([None, 4, 4])(volume)
    """

def AdaptiveMaxPool1d(
    output_size: int | Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The maxima of `output_size` windows: (N, C, L) -> (N, C, output_size).

    Example:
        signal = mg.Input("signal", (8, 50))
        y = layers.AdaptiveMaxPool1d(5)(signal)
    """

def AdaptiveMaxPool2d(
    output_size: int | Sequence[int | None],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The maxima of `output_size` windows: (N, C, H, W) -> (N, C, *output_size).

    A size that is null stays as it is.

    Example:
        image = mg.Input("image", (8, 32, 32))
        y = layers.AdaptiveMaxPool2d([4, None])(image)
    """

def AdaptiveMaxPool3d(
    output_size: int | Sequence[int | None],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The maxima of `output_size` windows: (N, C, D, H, W) -> (N, C, *output_size).

    A size that is null stays as it is.

    Example:
        volume = mg.Input("volume", (8, 8, 16, 16))
        y = layers.AdaptiveMaxPool3d([1, 4, 4])(volume)
    """

def AffineGrid(
    size: Sequence[Size],
    align_corners: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The grid of an affine map, for GridSample: (N, 2, 3) -> (N, H, W, 2) for size [H, W].

    Jaderberg et al. 2015. `size` is that of the sampled image, or [D, H, W] of a volume, whose map
    is (N, 3, 4). torch.nn.functional.affine_grid.

    Example:
        theta = mg.Input("theta", (2, 3))
        y = layers.AffineGrid([28, 28], align_corners=True)(theta)
    """

def AlphaDropout(
    p: float = 0.5,
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Dropout that keeps mean and variance, to go with SELU: (*) -> (*).

    Klambauer et al. 2017.

    Example:
        x = mg.Input("x", (20, 64))
        y = layers.AlphaDropout(0.1)(x)
    """

def ArgMax(
    dim: int,
    keepdim: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The index of the largest value along an axis, int64: (N, T, D) -> (N, D).

    Example:
        logits = mg.Input("logits", (10,))
        y = layers.ArgMax(dim=1)(logits)
    """

def ArgMin(
    dim: int,
    keepdim: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The index of the smallest value along an axis, int64: (N, T, D) -> (N, D).

    Example:
        distances = mg.Input("distances", (10,))
        y = layers.ArgMin(dim=1)(distances)
    """

def AvgPool1d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The mean of each window: (N, C, L) -> (N, C, L').

    Example:
        signal = mg.Input("signal", (8, 50))
        y = layers.AvgPool1d(2)(signal)
    """

def AvgPool2d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The mean of each window: (N, C, H, W) -> (N, C, H', W').

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.AvgPool2d(2)(image)
    """

def AvgPool3d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The mean of each window: (N, C, D, H, W) -> (N, C, D', H', W').

    Example:
        volume = mg.Input("volume", (3, 8, 16, 16))
        y = layers.AvgPool3d(2)(volume)
    """

def BatchNorm1d(
    *,
    eps: float = 1e-05,
    momentum: float | None = 0.1,
    affine: bool = True,
    track_running_stats: bool = True,
    bias: bool = True,
    num_features: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Each channel normalised over the batch: (N, C) or (N, C, L) -> the same.

    Ioffe and Szegedy 2015.

    Inferred from the sources: num_features.

    Example:
        signal = mg.Input("signal", (8, 50))
        y = layers.BatchNorm1d()(signal)
    """

def BatchNorm2d(
    *,
    eps: float = 1e-05,
    momentum: float | None = 0.1,
    affine: bool = True,
    track_running_stats: bool = True,
    bias: bool = True,
    num_features: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Each channel normalised over the batch: (N, C, H, W) -> (N, C, H, W).

    Ioffe and Szegedy 2015.

    Inferred from the sources: num_features.

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.BatchNorm2d()(image)
    """

def BatchNorm3d(
    *,
    eps: float = 1e-05,
    momentum: float | None = 0.1,
    affine: bool = True,
    track_running_stats: bool = True,
    bias: bool = True,
    num_features: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Each channel normalised over the batch: (N, C, D, H, W) -> (N, C, D, H, W).

    Ioffe and Szegedy 2015.

    Inferred from the sources: num_features.

    Example:
        volume = mg.Input("volume", (3, 8, 16, 16))
        y = layers.BatchNorm3d()(volume)
    """

def Bilinear(
    out_features: Size,
    *,
    bias: bool = True,
    weight_norm: bool | Mapping[str, float] = False,
    spectral_norm: bool | Mapping[str, float] = False,
    in1_features: int | None = None,
    in2_features: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """`x1 A x2 + b`: (*, in1_features), (*, in2_features) -> (*, out_features).

    Sources: input1, input2.

    Inferred from the sources: in1_features, in2_features.

    Example:
        user = mg.Input("user", (16,))
        item = mg.Input("item", (32,))
        y = layers.Bilinear(8)(user, item)
    """

def BoxConvert(
    in_fmt: Literal["xyxy", "xywh", "cxcywh"],
    out_fmt: Literal["xyxy", "xywh", "cxcywh"],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Boxes in another format, corners (xyxy), or a corner or centre and a size: (N, *, 4) -> (N, *, 4).

    torchvision.ops.box_convert.

    Example:
        boxes = mg.Input("boxes", (100, 4))
        y = layers.BoxConvert(in_fmt="cxcywh", out_fmt="xyxy")(boxes)
    """

def BoxIoU(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Intersection over union of all pairs of boxes: (N, R, 4), (N, S, 4) -> (N, R, S).

    A box is (x1, y1, x2, y2). torchvision.ops.box_iou.

    Sources: boxes1, boxes2.

    Example:
        boxes = mg.Input("boxes", (5, 4))
        targets = mg.Input("targets", (3, 4))
        y = layers.BoxIoU()(boxes1=boxes, boxes2=targets)
    """

def CELU(
    alpha: float = 1.0,
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x where x > 0, else `alpha * (exp(x / alpha) - 1)`: (*) -> (*).

    Barron 2017.

    Example:
        x = mg.Input("x", (64,))
        y = layers.CELU()(x)
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
    | None = None,
    *,
    like: Tensor | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The same values in another dtype, `dtype` or that of `like`: (*) -> (*).

    float32 stands for the dtype of the model: after `model.to(torch.bfloat16)` or `model.double()`
    it is cast to that one. Other dtypes are cast to as written. `like` is a second source, whose
    dtype is read when the model runs: `{layer: Cast, from: mask, like: x}`.

    Sources: input, like (optional).

    Example:
        pixels = mg.Input("pixels", (3, 32, 32), dtype="uint8")
        y = layers.Cast("float32")(pixels)
    """

def CausalMask(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """True where a step may not attend to a later one: (N, T, *) -> (T, T), bool.

    It has no batch, as torch's `attn_mask`. `LogicalNot` inverts it for `attention`, whose mask is
    true where attention is allowed; `logical_or` joins it with a padding mask of each sample.

    Example:
        tokens = mg.Input("tokens", ("T", 16))
        y = layers.CausalMask()(tokens)
    """

def ChannelShuffle(
    groups: int,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Channels interleaved between `groups`: (N, C, *) -> (N, C, *).

    Zhang et al. 2018, ShuffleNet.

    Example:
        image = mg.Input("image", (8, 16, 16))
        y = layers.ChannelShuffle(2)(image)
    """

def Chunk(
    chunks: int,
    dim: int = 1,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """At most `chunks` pieces of one size (the last may be smaller), as in torch: ports 0, 1, ...

    An axis whose length is known only at run time must be a multiple of `chunks`.

    Example:
        x = mg.Input("x", (8, 4))
        y = layers.Chunk(2, dim=1)(x)
    """

def CircularPad1d(
    padding: int | Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Padded by the values of the opposite end around the last axis: (N, C, L) -> (N, C, L').

    `padding` is one number, or [left, right].

    Example:
        x = mg.Input("x", (4, 9))
        y = layers.CircularPad1d(1)(x)
    """

def CircularPad2d(
    padding: int | Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Padded by the values of the opposite end around the last two axes: (N, C, H, W) -> (N, C, H', W').

    `padding` is one number, or [left, right, top, bottom].

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.CircularPad2d(1)(image)
    """

def CircularPad3d(
    padding: int | Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Padded by the values of the opposite end around the last three axes: (N, C, D, H, W) -> the same, longer.

    `padding` is one number, or [left, right, top, bottom, front, back].

    Example:
        volume = mg.Input("volume", (3, 8, 16, 16))
        y = layers.CircularPad3d(1)(volume)
    """

def Clamp(
    min: float | None = None,
    max: float | None = None,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x clamped to the range from `min` to `max`, one of which may be left out: (*) -> (*).

    A float limit makes integers float32.

    Example:
        x = mg.Input("x", (8,))
        y = layers.Clamp(min=0, max=1)(x)
    """

def ConstantPad1d(
    padding: int | Sequence[int],
    value: float,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Padded by `value` around the last axis: (N, *, L) -> (N, *, L').

    `padding` is one number, or [left, right].

    Example:
        x = mg.Input("x", (4, 9))
        y = layers.ConstantPad1d(1, value=0.5)(x)
    """

def ConstantPad2d(
    padding: int | Sequence[int],
    value: float,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Padded by `value` around the last two axes: (N, *, H, W) -> (N, *, H', W').

    `padding` is one number, or [left, right, top, bottom].

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.ConstantPad2d(1, value=0.5)(image)
    """

def ConstantPad3d(
    padding: int | Sequence[int],
    value: float,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Padded by `value` around the last three axes: (N, *, D, H, W) -> the same, longer.

    `padding` is one number, or [left, right, top, bottom, front, back].

    Example:
        volume = mg.Input("volume", (3, 8, 16, 16))
        y = layers.ConstantPad3d(1, value=0.5)(volume)
    """

def Conv1d(
    out_channels: Size,
    kernel_size: int | Sequence[int],
    *,
    stride: int | Sequence[int] = 1,
    padding: Literal["same", "valid"] | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    bias: bool = True,
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros",
    weight_norm: bool | Mapping[str, float] = False,
    spectral_norm: bool | Mapping[str, float] = False,
    in_channels: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Convolution over one axis: (N, C, L) -> (N, out_channels, L').

    `padding` is one number, a list of one an axis, `same` (sizes stay, needs stride 1) or `valid` (0).

    Inferred from the sources: in_channels.

    Example:
        signal = mg.Input("signal", (8, 50))
        y = layers.Conv1d(16, kernel_size=3, padding="same")(signal)
    """

def Conv2d(
    out_channels: Size,
    kernel_size: int | Sequence[int],
    *,
    stride: int | Sequence[int] = 1,
    padding: Literal["same", "valid"] | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    bias: bool = True,
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros",
    weight_norm: bool | Mapping[str, float] = False,
    spectral_norm: bool | Mapping[str, float] = False,
    in_channels: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Convolution over two axes: (N, C, H, W) -> (N, out_channels, H', W').

    `padding` is one number, a list of one an axis, `same` (sizes stay, needs stride 1) or `valid` (0).

    Inferred from the sources: in_channels.

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.Conv2d(16, kernel_size=3, padding=1)(image)
    """

def Conv3d(
    out_channels: Size,
    kernel_size: int | Sequence[int],
    *,
    stride: int | Sequence[int] = 1,
    padding: Literal["same", "valid"] | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    bias: bool = True,
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros",
    weight_norm: bool | Mapping[str, float] = False,
    spectral_norm: bool | Mapping[str, float] = False,
    in_channels: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Convolution over three axes: (N, C, D, H, W) -> (N, out_channels, D', H', W').

    `padding` is one number, a list of one an axis, `same` (sizes stay, needs stride 1) or `valid` (0).

    Inferred from the sources: in_channels.

    Example:
        volume = mg.Input("volume", (3, 8, 16, 16))
        y = layers.Conv3d(16, kernel_size=3, padding=1)(volume)
    """

def ConvTranspose1d(
    out_channels: Size,
    kernel_size: int | Sequence[int],
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    bias: bool = True,
    dilation: int | Sequence[int] = 1,
    padding_mode: Literal["zeros"] = "zeros",
    weight_norm: bool | Mapping[str, float] = False,
    spectral_norm: bool | Mapping[str, float] = False,
    in_channels: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The transpose of a convolution over one axis: (N, C, L) -> (N, out_channels, L').

    Zeiler et al. 2010. A strided convolution maps several sizes to one; this gives the smallest of
    them, plus `output_padding`.

    Inferred from the sources: in_channels.

    Example:
        signal = mg.Input("signal", (8, 50))
        y = layers.ConvTranspose1d(4, kernel_size=3, stride=2)(signal)
    """

def ConvTranspose2d(
    out_channels: Size,
    kernel_size: int | Sequence[int],
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    bias: bool = True,
    dilation: int | Sequence[int] = 1,
    padding_mode: Literal["zeros"] = "zeros",
    weight_norm: bool | Mapping[str, float] = False,
    spectral_norm: bool | Mapping[str, float] = False,
    in_channels: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The transpose of a convolution over two axes: (N, C, H, W) -> (N, out_channels, H', W').

    Zeiler et al. 2010. A strided convolution maps several sizes to one; this gives the smallest of
    them, plus `output_padding`.

    Inferred from the sources: in_channels.

    Example:
        image = mg.Input("image", (8, 16, 16))
        y = layers.ConvTranspose2d(4, kernel_size=3, stride=2, output_padding=1)(image)
    """

def ConvTranspose3d(
    out_channels: Size,
    kernel_size: int | Sequence[int],
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    bias: bool = True,
    dilation: int | Sequence[int] = 1,
    padding_mode: Literal["zeros"] = "zeros",
    weight_norm: bool | Mapping[str, float] = False,
    spectral_norm: bool | Mapping[str, float] = False,
    in_channels: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The transpose of a convolution over three axes: (N, C, D, H, W) -> (N, out_channels, D', H', W').

    Zeiler et al. 2010. A strided convolution maps several sizes to one; this gives the smallest of
    them, plus `output_padding`.

    Inferred from the sources: in_channels.

    Example:
        volume = mg.Input("volume", (8, 4, 8, 8))
        y = layers.ConvTranspose3d(4, kernel_size=3, stride=2)(volume)
    """

def CosineSimilarity(
    dim: int = 1,
    eps: float = 1e-08,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The cosine of the angle between vectors along `dim`: (N, D), (N, D) -> (N,).

    Sources: x1, x2.

    Example:
        user = mg.Input("user", (64,))
        item = mg.Input("item", (64,))
        y = layers.CosineSimilarity()(user, item)
    """

def CrossMapLRN2d(
    size: int,
    alpha: float = 0.0001,
    beta: float = 0.75,
    k: float = 1.0,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """LocalResponseNorm as in Lua Torch: (N, C, H, W) -> (N, C, H, W).

    Example:
        image = mg.Input("image", (8, 16, 16))
        y = layers.CrossMapLRN2d(5)(image)
    """

def CumProd(
    dim: int,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The cumulative product along an axis, int64 for integers: (*) -> (*).

    Example:
        transparency = mg.Input("transparency", ("T", 1))
        y = layers.CumProd(dim=1)(transparency)
    """

def CumSum(
    dim: int,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The cumulative sum along an axis, int64 for integers: (*) -> (*).

    Example:
        steps = mg.Input("steps", ("T", 2))
        y = layers.CumSum(dim=1)(steps)
    """

def DeformConv2d(
    out_channels: Size,
    kernel_size: int | Sequence[int],
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    bias: bool = True,
    in_channels: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Convolution at places moved by an offset: (N, C, H, W), (N, 2*k*k, H', W') -> (N, out_channels, H', W').

    `mask`, (N, k*k, H', W'), weighs each place. torchvision.ops.DeformConv2d, Dai et al. 2017 and,
    with a mask, Zhu et al. 2018.

    Sources: input, offset, mask (optional).

    Inferred from the sources: in_channels.

    Example:
        image = mg.Input("image", (8, 16, 16))
        offset = mg.Input("offset", (18, 14, 14))
        y = layers.DeformConv2d(4, kernel_size=3)(input=image, offset=offset)
    """

def Detach(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The same values, through which no gradient flows: (*) -> (*).

    Example:
        x = mg.Input("x", (8,))
        y = layers.Detach()(x)
    """

def DropPath(
    p: float,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """In training, each sample is zero with probability `p`, else x / (1 - p): (N, *) -> (N, *).

    Stochastic depth (Huang et al. 2016), for a residual branch: `x * dropout(ones, p)` with one
    value a sample. In eval it changes nothing.

    Example:
        branch = mg.Input("branch", (16, 8, 8))
        y = layers.DropPath(0.1)(branch)
    """

def Dropout(
    p: float = 0.5,
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """In training, each element is zero with probability `p`: (*) -> (*).

    Srivastava et al. 2014.

    Example:
        x = mg.Input("x", (20, 64))
        y = layers.Dropout(0.1)(x)
    """

def Dropout1d(
    p: float = 0.5,
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """In training, each channel is zero with probability `p`: (N, C, L) -> (N, C, L).

    Tompson et al. 2015.

    Example:
        signal = mg.Input("signal", (8, 50))
        y = layers.Dropout1d(0.1)(signal)
    """

def Dropout2d(
    p: float = 0.5,
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """In training, each channel is zero with probability `p`: (N, C, H, W) -> (N, C, H, W).

    Tompson et al. 2015.

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.Dropout2d(0.1)(image)
    """

def Dropout3d(
    p: float = 0.5,
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """In training, each channel is zero with probability `p`: (N, C, D, H, W) -> same.

    Tompson et al. 2015.

    Example:
        volume = mg.Input("volume", (3, 8, 16, 16))
        y = layers.Dropout3d(0.1)(volume)
    """

def ELU(
    alpha: float = 1.0,
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x where x > 0, else `alpha * (exp(x) - 1)`: (*) -> (*).

    Clevert et al. 2016.

    Example:
        x = mg.Input("x", (64,))
        y = layers.ELU()(x)
    """

def Embedding(
    embedding_dim: Size,
    *,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
    num_embeddings: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """A learned vector for each number: (*) -> (*, embedding_dim).

    `num_embeddings` is the input's `vocab`, and must be given if the input has none.

    Inferred from the sources: num_embeddings.

    Example:
        city = mg.Input("city", vocab=1000)
        y = layers.Embedding(8)(city)
    """

def EmbeddingBag(
    embedding_dim: Size,
    *,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: Literal["sum", "mean", "max"] = "mean",
    sparse: bool = False,
    padding_idx: int | None = None,
    num_embeddings: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The sum, mean or maximum of learned vectors, one a number: (N, L) -> (N, embedding_dim).

    `per_sample_weights` (N, L) scale the vectors of a sum. Bags of unequal size are padded with
    `padding_idx`, which is skipped.

    Sources: input, per_sample_weights (optional).

    Inferred from the sources: num_embeddings.

    Example:
        tags = mg.Input("tags", (5,), vocab=100)
        weights = mg.Input("weights", (5,))
        y = layers.EmbeddingBag(8, mode="sum")(tags, weights)
    """

def Expand(
    size: Sequence[Size],
    *,
    batched: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Axes of size 1 expanded without a copy: (N, 1, D) -> (N, T, D).

    `size` leaves the batch out; -1 keeps a size. A tensor without a batch may get new axes in front;
    with `batched: true` it gets the batch in front of them, (D,) -> (N, D) for size [-1].

    Example:
        query = mg.Input("query", (1, 64))
        y = layers.Expand([4, -1])(query)
    """

def FFT(
    n: Size | None = None,
    dim: int = -1,
    norm: Literal["forward", "backward", "ortho"] = "backward",
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The discrete Fourier transform over an axis, torch.fft.fft: (N, L) -> (N, L), complex.

    The axis is cut or filled with zeros to size `n` first.

    Example:
        signal = mg.Input("signal", (2, 64))
        y = layers.FFT()(signal)
    """

def FFT2(
    s: Sequence[Size] | None = None,
    dim: Sequence[int] = (-2, -1),
    norm: Literal["forward", "backward", "ortho"] = "backward",
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """FFT over two axes, torch.fft.fft2: (N, H, W) -> (N, H, W), complex.

    The axes are cut or filled with zeros to the sizes `s` first.

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.FFT2()(image)
    """

def FeatureAlphaDropout(
    p: float = 0.5,
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """AlphaDropout of whole channels: (N, C, *) -> (N, C, *).

    Klambauer et al. 2017.

    Example:
        image = mg.Input("image", (3, 16, 16))
        y = layers.FeatureAlphaDropout(0.1)(image)
    """

def Fill(
    value: Literal["zeros", "learned"],
    *,
    init: Any = "zeros",
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Zeros, or a learned tensor, in place of a missing source: (N, *) -> (N, *).

    A source is missing if it depends on an optional input that is left out; with `present`, a bool
    (N,), also in each sample where that is false, whatever its values. The learned tensor has the
    shape of the source without the batch; `init`, as of a parameter, gives its first values.

    Sources: input, present (optional).

    Example:
        audio = mg.Input("audio", (16,))
        has_audio = mg.Input("has_audio", (), dtype="bool")
        y = layers.Fill("learned")(input=audio, present=has_audio)
    """

def Flatten(
    start_dim: int = 1,
    end_dim: int = -1,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Axes `start_dim` to `end_dim` as one: (N, *) -> (N, D).

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.Flatten()(image)
    """

def Flip(
    dims: int | Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Values in reverse order along axes: (*) -> (*).

    Example:
        tokens = mg.Input("tokens", ("T", 64))
        y = layers.Flip(dims=1)(tokens)
    """

def Fold(
    output_size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Columns added up at the windows that they come from: (N, C * kernel, windows) -> (N, C, *output_size).

    It is the inverse of an `Unfold` with the same windows, but sums where windows overlap.

    Example:
        columns = mg.Input("columns", (192, 16))
        y = layers.Fold(32, kernel_size=8, stride=8)(columns)
    """

def FractionalMaxPool2d(
    kernel_size: int | Sequence[int],
    output_size: int | Sequence[int] | None = None,
    output_ratio: float | Sequence[float] | None = None,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The maxima of windows at random steps, also in eval: (N, C, H, W) -> (N, C, H', W').

    Graham 2015. Give either `output_size` or `output_ratio`, a fraction of the input's size.

    Example:
        image = mg.Input("image", (8, 32, 32))
        y = layers.FractionalMaxPool2d(2, output_ratio=0.7)(image)
    """

def FractionalMaxPool3d(
    kernel_size: int | Sequence[int],
    output_size: int | Sequence[int] | None = None,
    output_ratio: float | Sequence[float] | None = None,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The maxima of windows at random steps, also in eval: (N, C, D, H, W) -> (N, C, D', H', W').

    Graham 2015. Give either `output_size` or `output_ratio`, a fraction of the input's size.

    Example:
        volume = mg.Input("volume", (8, 8, 16, 16))
        y = layers.FractionalMaxPool3d(2, output_size=[4, 8, 8])(volume)
    """

def FrozenBatchNorm2d(
    *,
    eps: float = 1e-05,
    num_features: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """BatchNorm2d whose statistics and weights are fixed: (N, C, H, W) -> (N, C, H, W).

    torchvision.ops.FrozenBatchNorm2d, as detectors use a pretrained backbone.

    Inferred from the sources: num_features.

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.FrozenBatchNorm2d()(image)
    """

def GELU(
    approximate: Literal["none", "tanh"] = "none",
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x times the cumulative normal distribution at x: (*) -> (*).

    Hendrycks and Gimpel 2016; `approximate: tanh` is a faster formula.

    Example:
        x = mg.Input("x", (64,))
        y = layers.GELU()(x)
    """

def GLU(
    dim: int = -1,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The first half along `dim` times the sigmoid of the second: (*, 2 * D) -> (*, D).

    Dauphin et al. 2017.

    Example:
        x = mg.Input("x", (64,))
        y = layers.GLU()(x)
    """

def GRU(
    hidden_size: Size,
    *,
    num_layers: int = 1,
    bias: bool = True,
    dropout: float = 0.0,
    bidirectional: bool = False,
    input_size: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Gated recurrent units: (N, T, input_size) -> (N, T, D * hidden_size).

    Cho et al. 2014. Ports: `output`, of every step; `last`, the final state of the last layer,
    directions joined; `hidden`, the final states, batch first; `state`, the same for the `state` of
    another layer. With `lengths`, padding is skipped.

    Sources: input, lengths (optional), state (optional).

    Inferred from the sources: input_size.

    Example:
        words = mg.Input("words", ("T", 16))
        length = mg.Input("length", (), dtype="int64")
        y = layers.GRU(32, bidirectional=True)(input=words, lengths=length)
    """

def GRUCell(
    hidden_size: Size,
    *,
    bias: bool = True,
    input_size: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """One step of a GRU: (N, input_size), hidden (N, hidden_size) -> (N, hidden_size).

    Cho et al. 2014. Without `hidden` it starts from zeros.

    Sources: input, hidden (optional).

    Inferred from the sources: input_size.

    Example:
        x = mg.Input("x", (8,))
        h = mg.Input("h", (16,))
        y = layers.GRUCell(16)(x, h)
    """

def GridSample(
    mode: Literal["bilinear", "nearest", "bicubic"] = "bilinear",
    padding_mode: Literal["zeros", "border", "reflection"] = "zeros",
    align_corners: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Pixels read at the places of a grid: (N, C, H, W), (N, H', W', 2) -> (N, C, H', W').

    Jaderberg et al. 2015. A place is (x, y), from -1 at the left and top to 1. A volume (N, C, D,
    H, W) takes a grid (N, D', H', W', 3). torch.nn.functional.grid_sample.

    Sources: input, grid.

    Example:
        image = mg.Input("image", (3, 16, 16))
        grid = mg.Input("grid", (8, 8, 2))
        y = layers.GridSample(align_corners=True)(input=image, grid=grid)
    """

def GroupNorm(
    num_groups: int,
    *,
    eps: float = 1e-05,
    affine: bool = True,
    bias: bool = True,
    num_channels: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Each group of channels normalised: (N, C, *) -> (N, C, *).

    Wu and He 2018. One group normalises each sample as a whole, as many groups as channels each
    channel alone.

    Inferred from the sources: num_channels.

    Example:
        image = mg.Input("image", (8, 16, 16))
        y = layers.GroupNorm(4)(image)
    """

def Hardshrink(
    lambd: float = 0.5,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x where |x| > lambd, else 0: (*) -> (*).

    Example:
        x = mg.Input("x", (64,))
        y = layers.Hardshrink()(x)
    """

def Hardsigmoid(
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """relu6(x + 3) / 6: (*) -> (*).

    Example:
        x = mg.Input("x", (64,))
        y = layers.Hardsigmoid()(x)
    """

def Hardswish(
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x * relu6(x + 3) / 6: (*) -> (*).

    Howard et al. 2019, MobileNetV3.

    Example:
        x = mg.Input("x", (64,))
        y = layers.Hardswish()(x)
    """

def Hardtanh(
    min_val: float = -1.0,
    max_val: float = 1.0,
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x clamped to the range from `min_val` to `max_val`: (*) -> (*).

    Example:
        x = mg.Input("x", (64,))
        y = layers.Hardtanh()(x)
    """

def IFFT(
    n: Size | None = None,
    dim: int = -1,
    norm: Literal["forward", "backward", "ortho"] = "backward",
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The inverse of FFT over an axis, torch.fft.ifft: (N, L) -> (N, L), complex.

    Example:
        spectrum = mg.Input("spectrum", (2, 64), dtype="complex64")
        y = layers.IFFT()(spectrum)
    """

def IFFT2(
    s: Sequence[Size] | None = None,
    dim: Sequence[int] = (-2, -1),
    norm: Literal["forward", "backward", "ortho"] = "backward",
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The inverse of FFT2, torch.fft.ifft2: (N, H, W) -> (N, H, W), complex.

    Example:
        spectrum = mg.Input("spectrum", (3, 32, 32), dtype="complex64")
        y = layers.IFFT2()(spectrum)
    """

def IRFFT(
    n: Size | None = None,
    dim: int = -1,
    norm: Literal["forward", "backward", "ortho"] = "backward",
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The inverse of RFFT, torch.fft.irfft: (N, M) -> (N, n), real; n is 2*(M - 1) by default.

    Give `n` where the size before RFFT was odd.

    Example:
        spectrum = mg.Input("spectrum", (2, 33), dtype="complex64")
        y = layers.IRFFT(64)(spectrum)
    """

def IRFFT2(
    s: Sequence[Size] | None = None,
    dim: Sequence[int] = (-2, -1),
    norm: Literal["forward", "backward", "ortho"] = "backward",
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The inverse of RFFT2, torch.fft.irfft2: (N, H, M) -> (N, H, 2*(M - 1)), real.

    Give `s` where the last size before RFFT2 was odd.

    Example:
        spectrum = mg.Input("spectrum", (3, 32, 17), dtype="complex64")
        y = layers.IRFFT2([32, 32])(spectrum)
    """

def Identity(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The input, unchanged: (*) -> (*).

    Example:
        x = mg.Input("x", (20, 64))
        y = layers.Identity()(x)
    """

def Imag(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The imaginary parts of complex numbers: (*) -> (*).

    Example:
        spectrum = mg.Input("spectrum", (64,), dtype="complex64")
        y = layers.Imag()(spectrum)
    """

def InstanceNorm1d(
    *,
    eps: float = 1e-05,
    momentum: float | None = 0.1,
    affine: bool = False,
    track_running_stats: bool = False,
    bias: bool = True,
    num_features: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Each channel of each sample normalised: (N, C, L) -> (N, C, L).

    Ulyanov et al. 2016.

    Inferred from the sources: num_features.

    Example:
        signal = mg.Input("signal", (8, 50))
        y = layers.InstanceNorm1d()(signal)
    """

def InstanceNorm2d(
    *,
    eps: float = 1e-05,
    momentum: float | None = 0.1,
    affine: bool = False,
    track_running_stats: bool = False,
    bias: bool = True,
    num_features: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Each channel of each sample normalised: (N, C, H, W) -> (N, C, H, W).

    Ulyanov et al. 2016.

    Inferred from the sources: num_features.

    Example:
        image = mg.Input("image", (8, 16, 16))
        y = layers.InstanceNorm2d(affine=True)(image)
    """

def InstanceNorm3d(
    *,
    eps: float = 1e-05,
    momentum: float | None = 0.1,
    affine: bool = False,
    track_running_stats: bool = False,
    bias: bool = True,
    num_features: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Each channel of each sample normalised: (N, C, D, H, W) -> (N, C, D, H, W).

    Ulyanov et al. 2016.

    Inferred from the sources: num_features.

    Example:
        volume = mg.Input("volume", (8, 4, 8, 8))
        y = layers.InstanceNorm3d()(volume)
    """

def Interpolate(
    *,
    size: Size | Sequence[Size] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: Literal[
        "nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact"
    ] = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Interpolated on all axes behind the channels, to a size or by a factor: (N, C, *) -> same.

    As Upsample, but a function: `size` may contain names, and `antialias` helps when shrinking.

    Example:
        image = mg.Input("image", (3, 16, 16))
        y = layers.Interpolate(size=[24, 32], mode="bilinear")(image)
    """

def LPPool1d(
    norm_type: float,
    kernel_size: int,
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The `norm_type`-norm of each window: (N, C, L) -> (N, C, L').

    `norm_type: 1` is the sum, `.inf` the largest absolute value.

    Example:
        signal = mg.Input("signal", (8, 50))
        y = layers.LPPool1d(2, kernel_size=2)(signal)
    """

def LPPool2d(
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The `norm_type`-norm of each window: (N, C, H, W) -> (N, C, H', W').

    `norm_type: 1` is the sum, `.inf` the largest absolute value.

    Example:
        image = mg.Input("image", (8, 32, 32))
        y = layers.LPPool2d(2, kernel_size=2)(image)
    """

def LPPool3d(
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The `norm_type`-norm of each window: (N, C, D, H, W) -> (N, C, D', H', W').

    `norm_type: 1` is the sum, `.inf` the largest absolute value.

    Example:
        volume = mg.Input("volume", (8, 8, 16, 16))
        y = layers.LPPool3d(2, kernel_size=2)(volume)
    """

def LSTM(
    hidden_size: Size,
    *,
    num_layers: int = 1,
    bias: bool = True,
    dropout: float = 0.0,
    bidirectional: bool = False,
    proj_size: int = 0,
    input_size: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Long short-term memory: (N, T, input_size) -> (N, T, D * hidden_size).

    Hochreiter and Schmidhuber 1997. Ports: `output`, of every step; `last`, the final state of the
    last layer, directions joined; `hidden` and `cell`, the final states, batch first; `state`, both
    for the `state` of another LSTM. With `lengths`, padding is skipped.

    Sources: input, lengths (optional), state (optional), hidden (optional), cell (optional).

    Inferred from the sources: input_size.

    Example:
        words = mg.Input("words", ("T", 16))
        length = mg.Input("length", (), dtype="int64")
        y = layers.LSTM(32, bidirectional=True)(input=words, lengths=length)
    """

def LSTMCell(
    hidden_size: Size,
    *,
    bias: bool = True,
    input_size: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """One step of an LSTM: (N, input_size), hidden and cell (N, hidden_size) -> the same two.

    Hochreiter and Schmidhuber 1997. Without `hidden` and `cell` it starts from zeros.

    Sources: input, hidden (optional), cell (optional).

    Inferred from the sources: input_size.

    Example:
        x = mg.Input("x", (8,))
        h = mg.Input("h", (16,))
        c = mg.Input("c", (16,))
        y = layers.LSTMCell(16)(x, h, c)
    """

def LayerNorm(
    *,
    eps: float = 1e-05,
    elementwise_affine: bool = True,
    bias: bool = True,
    normalized_shape: int | Sequence[int] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x normalised over the last axis, or the last ones of sizes `normalized_shape`: (*) -> (*).

    Ba et al. 2016.

    Inferred from the sources: normalized_shape.

    Example:
        x = mg.Input("x", (20, 64))
        y = layers.LayerNorm()(x)
    """

def LeakyReLU(
    negative_slope: float = 0.01,
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x where x > 0, else `negative_slope * x`: (*) -> (*).

    Example:
        x = mg.Input("x", (64,))
        y = layers.LeakyReLU()(x)
    """

def Linear(
    out_features: Size,
    *,
    bias: bool = True,
    weight_norm: bool | Mapping[str, float] = False,
    spectral_norm: bool | Mapping[str, float] = False,
    in_features: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Affine map of the last axis: (*, in_features) -> (*, out_features).

    Inferred from the sources: in_features.

    Example:
        x = mg.Input("x", (64,))
        y = layers.Linear(10)(x)
    """

def LocalResponseNorm(
    size: int,
    alpha: float = 0.0001,
    beta: float = 0.75,
    k: float = 1.0,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x scaled down by the `size` channels around it at each position: (N, C, *) -> (N, C, *).

    `x / (k + alpha * mean of squares) ** beta` (Krizhevsky et al. 2012).

    Example:
        image = mg.Input("image", (8, 16, 16))
        y = layers.LocalResponseNorm(5)(image)
    """

def LogSigmoid(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """log(sigmoid(x)): (*) -> (*).

    Example:
        x = mg.Input("x", (64,))
        y = layers.LogSigmoid()(x)
    """

def LogSoftmax(
    dim: int,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The logarithm of the softmax along `dim`: (*) -> (*).

    Example:
        x = mg.Input("x", (10,))
        y = layers.LogSoftmax(dim=-1)(x)
    """

def LogSumExp(
    dim: int | Sequence[int],
    keepdim: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """log(sum(exp(x))) over axes, without overflow: (N, T, D) -> (N, D).

    Example:
        scores = mg.Input("scores", ("T", 8))
        y = layers.LogSumExp(dim=1)(scores)
    """

def LogicalNot(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """True where x is false or 0, which inverts a mask: (*) -> (*), bool.

    Example:
        mask = mg.Input("mask", ("T",), dtype="bool")
        y = layers.LogicalNot()(mask)
    """

def Max(
    dim: int | Sequence[int],
    keepdim: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The largest value over one axis or several, torch's `amax`: (N, T, D) -> (N, D).

    Example:
        image = mg.Input("image", (16, 8, 8))
        y = layers.Max(dim=[2, 3])(image)
    """

def MaxPool1d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The largest value of each window: (N, C, L) -> (N, C, L').

    The port `indices` has the index of each value in its channel, for a MaxUnpool1d.

    Example:
        signal = mg.Input("signal", (8, 50))
        y = layers.MaxPool1d(2)(signal)
    """

def MaxPool2d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The largest value of each window: (N, C, H, W) -> (N, C, H', W').

    The port `indices` has the index of each value in its channel, for a MaxUnpool2d.

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.MaxPool2d(2)(image)
    """

def MaxPool3d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The largest value of each window: (N, C, D, H, W) -> (N, C, D', H', W').

    The port `indices` has the index of each value in its channel, for a MaxUnpool3d.

    Example:
        volume = mg.Input("volume", (3, 8, 16, 16))
        y = layers.MaxPool3d(2)(volume)
    """

def MaxUnpool1d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    *,
    output_size: Sequence[Size] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Each value at the index where MaxPool1d found it, the rest 0: (N, C, L) -> (N, C, L').

    `indices` is a port of the pooling; `output_size` selects one of several possible lengths.

    Sources: input, indices.

    Example:
        x = mg.Input("x", (4, 6))
        indices = mg.Input("indices", (4, 6), dtype="int64")
        y = layers.MaxUnpool1d(2)(x, indices)
    """

def MaxUnpool2d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    *,
    output_size: Sequence[Size] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Each value at the index where MaxPool2d found it, the rest 0: (N, C, H, W) -> (N, C, H', W').

    `indices` is a port of the pooling; `output_size` selects one of several possible sizes.

    Sources: input, indices.

    Example:
        x = mg.Input("x", (4, 6, 6))
        indices = mg.Input("indices", (4, 6, 6), dtype="int64")
        y = layers.MaxUnpool2d(2, output_size=[13, 12])(x, indices)
    """

def MaxUnpool3d(
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    *,
    output_size: Sequence[Size] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Each value at the index where MaxPool3d found it, the rest 0: (N, C, *) -> (N, C, *).

    `indices` is a port of the pooling; `output_size` selects one of several possible sizes.

    Sources: input, indices.

    Example:
        x = mg.Input("x", (4, 6, 6, 6))
        indices = mg.Input("indices", (4, 6, 6, 6), dtype="int64")
        y = layers.MaxUnpool3d(2)(x, indices)
    """

def Mean(
    dim: int | Sequence[int],
    keepdim: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The mean over one axis or several; `keepdim` keeps them with size 1: (N, T, D) -> (N, D).

    Example:
        tokens = mg.Input("tokens", ("T", 64))
        y = layers.Mean(dim=1)(tokens)
    """

def Min(
    dim: int | Sequence[int],
    keepdim: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The smallest value over one axis or several, torch's `amin`: (N, T, D) -> (N, D).

    Example:
        tokens = mg.Input("tokens", ("T", 64))
        y = layers.Min(dim=1)(tokens)
    """

def Mish(
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x * tanh(softplus(x)): (*) -> (*).

    Misra 2020.

    Example:
        x = mg.Input("x", (64,))
        y = layers.Mish()(x)
    """

def MultiheadAttention(
    num_heads: int,
    *,
    dropout: float = 0.0,
    bias: bool = True,
    add_bias_kv: bool = False,
    add_zero_attn: bool = False,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    kdim: int | None = None,
    vdim: int | None = None,
    embed_dim: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Attention in several heads; a `query` alone attends to itself: (N, L, E) -> (N, L, E).

    Vaswani et al. 2017. Without `value` the key is the value too. Masks are as in torch:
    `key_padding_mask` (N, S) and `attn_mask` (L, S), true where attention is not allowed. `is_causal`
    hides later steps; without `attn_mask` the causal mask is made. The port `weights` is the mean
    over the heads, or with `average_attn_weights: false` (N, num_heads, L, S).

    Sources: query, key (optional), value (optional), key_padding_mask (optional), attn_mask (optional).

    Inferred from the sources: kdim, vdim, embed_dim.

    Example:
        tokens = mg.Input("tokens", (10, 16))
        padding = mg.Input("padding", (10,), dtype="bool")
        y = layers.MultiheadAttention(4)(query=tokens, key_padding_mask=padding)
    """

def Norm(
    dim: int | Sequence[int],
    ord: float = 2.0,
    keepdim: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The norm of order `ord` over axes, torch.linalg.vector_norm: (N, T, D) -> (N, T) for dim -1.

    Example:
        x = mg.Input("x", (5, 8))
        y = layers.Norm(dim=-1)(x)
    """

def Normalize(
    dim: int | Sequence[int],
    p: float = 2.0,
    eps: float = 1e-12,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x divided by its p-norm along `dim`, or by `eps` if that is larger: (*) -> (*).

    Example:
        embedding = mg.Input("embedding", (64,))
        y = layers.Normalize(dim=1)(embedding)
    """

def OneHot(
    num_classes: int | None = None,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """1 at the index that each number gives, else 0: (*) -> (*, num_classes), int64.

    Numbers are from 0 to num_classes - 1; an input with a vocab needs no `num_classes`.

    Example:
        color = mg.Input("color", vocab=5)
        y = layers.OneHot()(color)
    """

def PReLU(
    num_parameters: int = 1,
    init: float = 0.25,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x where x > 0, else x times a learned slope, one for all or one a channel: (*) -> (*).

    He et al. 2015.

    Example:
        x = mg.Input("x", (64,))
        y = layers.PReLU()(x)
    """

def PSRoIAlign(
    output_size: int,
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """RoIAlign with channels of its own for each place: (N, C*k*k, H, W), (N, R, 4) -> (N, R, C, k, k).

    torchvision.ops.ps_roi_align, Li et al. 2018.

    Sources: input, boxes.

    Example:
        image = mg.Input("image", (36, 32, 32))
        boxes = mg.Input("boxes", (5, 4))
        y = layers.PSRoIAlign(3)(input=image, boxes=boxes)
    """

def PSRoIPool(
    output_size: int,
    spatial_scale: float = 1.0,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """RoIPool by means, with channels of its own for each place: as PSRoIAlign.

    (N, C*k*k, H, W), (N, R, 4) -> (N, R, C, k, k). torchvision.ops.ps_roi_pool, Dai et al. 2016.

    Sources: input, boxes.

    Example:
        image = mg.Input("image", (36, 32, 32))
        boxes = mg.Input("boxes", (5, 4))
        y = layers.PSRoIPool(3)(input=image, boxes=boxes)
    """

def Pad(
    pad: Sequence[int],
    mode: Literal["constant", "reflect", "replicate", "circular"] = "constant",
    value: float | None = None,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Axes padded at both ends, or cut by negative numbers: (N, C, L) -> (N, C, L').

    `pad` lists the sizes before and after the last axis, then those of the axis before it, and so on.
    Modes other than `constant` pad one to three axes, with one or two axes before them.

    Example:
        x = mg.Input("x", (4, 9))
        y = layers.Pad([1, 2], value=0.5)(x)
    """

def PairwiseDistance(
    p: float = 2.0,
    eps: float = 1e-06,
    keepdim: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The p-norm of `x1 - x2 + eps` over the last axis: (N, *, D), (N, *, D) -> (N, *).

    Sources: x1, x2.

    Example:
        user = mg.Input("user", (64,))
        item = mg.Input("item", (64,))
        y = layers.PairwiseDistance(1)(user, item)
    """

def Permute(
    dims: Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The axes in the order `dims`: (N, A, B) -> (N, B, A), or (A, B, N) if `dims` starts with 1.

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.Permute(dims=[0, 2, 3, 1])(image)
    """

def PixelShuffle(
    upscale_factor: int,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Channels to a finer grid, r = upscale_factor: (*, C * r**2, H, W) -> (*, C, H * r, W * r).

    Shi et al. 2016, sub-pixel convolution.

    Example:
        image = mg.Input("image", (12, 16, 16))
        y = layers.PixelShuffle(2)(image)
    """

def PixelUnshuffle(
    downscale_factor: int,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Each r x r square to channels, r = downscale_factor: (*, C, H * r, W * r) -> (*, C * r**2, H, W).

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.PixelUnshuffle(2)(image)
    """

def Prod(
    dim: int,
    keepdim: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The product over an axis, int64 for integers: (N, T, D) -> (N, D).

    Example:
        odds = mg.Input("odds", (3, 8))
        y = layers.Prod(dim=1)(odds)
    """

def RFFT(
    n: Size | None = None,
    dim: int = -1,
    norm: Literal["forward", "backward", "ortho"] = "backward",
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """FFT of real numbers without the mirrored half, torch.fft.rfft: (N, L) -> (N, L//2 + 1).

    Example:
        signal = mg.Input("signal", (2, 64))
        y = layers.RFFT()(signal)
    """

def RFFT2(
    s: Sequence[Size] | None = None,
    dim: Sequence[int] = (-2, -1),
    norm: Literal["forward", "backward", "ortho"] = "backward",
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """FFT2 of real numbers without the mirrored half, torch.fft.rfft2: (N, H, W) -> (N, H, W//2 + 1).

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.RFFT2()(image)
    """

def RMSNorm(
    *,
    eps: float | None = None,
    elementwise_affine: bool = True,
    normalized_shape: int | Sequence[int] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x divided by its root mean square over the last axis, or several: (*) -> (*).

    Zhang and Sennrich 2019. `normalized_shape` lists the sizes of the last axes, if several. With
    `eps: null` it is the machine epsilon of the dtype.

    Inferred from the sources: normalized_shape.

    Example:
        x = mg.Input("x", (20, 64))
        y = layers.RMSNorm()(x)
    """

def RNN(
    hidden_size: Size,
    *,
    num_layers: int = 1,
    nonlinearity: Literal["tanh", "relu"] = "tanh",
    bias: bool = True,
    dropout: float = 0.0,
    bidirectional: bool = False,
    input_size: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """An Elman recurrent network: (N, T, input_size) -> (N, T, D * hidden_size).

    Elman 1990. Ports: `output`, of every step; `last`, the final state of the last layer,
    directions joined; `hidden`, the final states, batch first; `state`, the same for the `state` of
    another layer. With `lengths`, padding is skipped.

    Sources: input, lengths (optional), state (optional).

    Inferred from the sources: input_size.

    Example:
        words = mg.Input("words", ("T", 16))
        length = mg.Input("length", (), dtype="int64")
        y = layers.RNN(32, bidirectional=True)(input=words, lengths=length)
    """

def RNNCell(
    hidden_size: Size,
    *,
    bias: bool = True,
    nonlinearity: Literal["tanh", "relu"] = "tanh",
    input_size: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """One step of an RNN: (N, input_size), hidden (N, hidden_size) -> (N, hidden_size).

    Elman 1990. Without `hidden` it starts from zeros.

    Sources: input, hidden (optional).

    Inferred from the sources: input_size.

    Example:
        x = mg.Input("x", (8,))
        h = mg.Input("h", (16,))
        y = layers.RNNCell(16)(x, h)
    """

def RReLU(
    lower: float = 0.125,
    upper: float = 0.3333333333333333,
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x where x > 0, else x times a slope that is random in training: (*) -> (*).

    Xu et al. 2015. In eval the slope is the mean of `lower` and `upper`.

    Example:
        x = mg.Input("x", (64,))
        y = layers.RReLU()(x)
    """

def ReLU(
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """max(0, x): (*) -> (*).

    Example:
        x = mg.Input("x", (64,))
        y = layers.ReLU()(x)
    """

def ReLU6(
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """min(max(0, x), 6): (*) -> (*).

    Example:
        x = mg.Input("x", (64,))
        y = layers.ReLU6()(x)
    """

def Real(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The real parts of complex numbers; real numbers unchanged: (*) -> (*).

    Example:
        spectrum = mg.Input("spectrum", (64,), dtype="complex64")
        y = layers.Real()(spectrum)
    """

def Rearrange(
    pattern: str,
    sizes: Mapping[str, Size] = {},
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Axes split, moved and joined in einops' notation: "n c h w -> n (h w) c".

    Rogozhnikov 2022. `sizes` gives the sizes that the pattern leaves open; `...` is any number of
    axes, `1` an axis of size 1.

    Example:
        tokens = mg.Input("tokens", ("T", 64))
        y = layers.Rearrange("n t (h c) -> n h t c", sizes={"h": 4})(tokens)
    """

def Reduce(
    pattern: str,
    reduction: Literal["mean", "sum", "max", "min", "prod"],
    sizes: Mapping[str, Size] = {},
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """As Rearrange, and reduces the axes that only the left side has: "n c h w -> n c".

    Rogozhnikov 2022. Instead of a name such an axis may have its size, a number.

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.Reduce("n c (h 2) (w 2) -> n c h w", reduction="max")(image)
    """

def ReflectionPad1d(
    padding: int | Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Padded by reflection around the last axis: (N, C, L) -> (N, C, L').

    `padding` is one number, or [left, right].

    Example:
        x = mg.Input("x", (4, 9))
        y = layers.ReflectionPad1d(1)(x)
    """

def ReflectionPad2d(
    padding: int | Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Padded by reflection around the last two axes: (N, C, H, W) -> (N, C, H', W').

    `padding` is one number, or [left, right, top, bottom].

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.ReflectionPad2d(1)(image)
    """

def ReflectionPad3d(
    padding: int | Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Padded by reflection around the last three axes: (N, C, D, H, W) -> the same, longer.

    `padding` is one number, or [left, right, top, bottom, front, back].

    Example:
        volume = mg.Input("volume", (3, 8, 16, 16))
        y = layers.ReflectionPad3d(1)(volume)
    """

def Repeat(
    repeats: Sequence[Size],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Each axis repeated, the batch 1 time, as torch's `repeat`: (N, T) -> (N, 2 * T).

    Example:
        x = mg.Input("x", (3, 8))
        y = layers.Repeat([1, 1, 4])(x)
    """

def ReplicationPad1d(
    padding: int | Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Padded by repeating the border around the last axis: (N, C, L) -> (N, C, L').

    `padding` is one number, or [left, right].

    Example:
        x = mg.Input("x", (4, 9))
        y = layers.ReplicationPad1d(1)(x)
    """

def ReplicationPad2d(
    padding: int | Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Padded by repeating the border around the last two axes: (N, C, H, W) -> (N, C, H', W').

    `padding` is one number, or [left, right, top, bottom].

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.ReplicationPad2d(1)(image)
    """

def ReplicationPad3d(
    padding: int | Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Padded by repeating the border around the last three axes: (N, C, D, H, W) -> the same, longer.

    `padding` is one number, or [left, right, top, bottom, front, back].

    Example:
        volume = mg.Input("volume", (3, 8, 16, 16))
        y = layers.ReplicationPad3d(1)(volume)
    """

def Reshape(
    shape: Sequence[Size],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The same elements in other sizes, one of which may be -1: (N, *) -> (N, *shape).

    `shape` leaves the batch out.

    Example:
        x = mg.Input("x", (12, 4))
        y = layers.Reshape([3, 4, -1])(x)
    """

def RoIAlign(
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Regions of an image, interpolated to one size: (N, C, H, W), (N, R, 4) -> (N, R, C, h, w).

    A box is (x1, y1, x2, y2) in pixels of the image, of which the input is `spatial_scale` times the
    size. torchvision.ops.roi_align, He et al. 2017.

    Sources: input, boxes.

    Example:
        image = mg.Input("image", (16, 32, 32))
        boxes = mg.Input("boxes", (5, 4))
        y = layers.RoIAlign(7, spatial_scale=0.25)(input=image, boxes=boxes)
    """

def RoIPool(
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The largest values of a grid in each region: (N, C, H, W), (N, R, 4) -> (N, R, C, h, w).

    torchvision.ops.roi_pool, Girshick 2015.

    Sources: input, boxes.

    Example:
        image = mg.Input("image", (16, 32, 32))
        boxes = mg.Input("boxes", (5, 4))
        y = layers.RoIPool(7, spatial_scale=0.25)(input=image, boxes=boxes)
    """

def Roll(
    shifts: int | Sequence[int],
    dims: int | Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Values shifted along axes; those that leave at the end enter at the start: (*) -> (*).

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.Roll([4, 4], dims=[2, 3])(image)
    """

def SELU(
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """A scaled ELU that keeps mean 0 and variance 1: (*) -> (*).

    Klambauer et al. 2017.

    Example:
        x = mg.Input("x", (64,))
        y = layers.SELU()(x)
    """

def Select(
    dim: int,
    index: int,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """One index of an axis, which is dropped: (N, T, *) -> (N, *) for dim 1.

    Example:
        tokens = mg.Input("tokens", ("T", 64))
        y = layers.Select(dim=1, index=0)(tokens)
    """

def SiLU(
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x * sigmoid(x), also known as swish: (*) -> (*).

    Elfwing et al. 2018.

    Example:
        x = mg.Input("x", (64,))
        y = layers.SiLU()(x)
    """

def Sigmoid(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """1 / (1 + exp(-x)): (*) -> (*).

    Example:
        x = mg.Input("x", (64,))
        y = layers.Sigmoid()(x)
    """

def Slice(
    dim: int,
    start: Size | None = None,
    end: Size | None = None,
    step: int = 1,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Indices from `start` up to, not including, `end`: (N, T, *) -> (N, T', *) for dim 1.

    Negative ones count from the end; `$T` is a length known at run time. Unlike in Python, `start`
    and `end` may not be past the end of the axis.

    Example:
        tokens = mg.Input("tokens", ("T", 64))
        y = layers.Slice(dim=1, start=1, end=5)(tokens)
    """

def Softmax(
    dim: int,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """exp(x), divided by its sum along `dim`: (*) -> (*).

    Example:
        x = mg.Input("x", (10,))
        y = layers.Softmax(dim=-1)(x)
    """

def Softmax2d(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The softmax over the channels at each position: (N, C, H, W) -> (N, C, H, W).

    Example:
        image = mg.Input("image", (3, 16, 16))
        y = layers.Softmax2d()(image)
    """

def Softmin(
    dim: int,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The softmax of -x along `dim`: (*) -> (*).

    Example:
        x = mg.Input("x", (10,))
        y = layers.Softmin(dim=-1)(x)
    """

def Softplus(
    beta: float = 1.0,
    threshold: float = 20.0,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """log(1 + exp(beta * x)) / beta, linear above `threshold`: (*) -> (*).

    Example:
        x = mg.Input("x", (64,))
        y = layers.Softplus()(x)
    """

def Softshrink(
    lambd: float = 0.5,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x moved towards 0 by `lambd`, 0 where it is nearer: (*) -> (*).

    Example:
        x = mg.Input("x", (64,))
        y = layers.Softshrink()(x)
    """

def Softsign(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x / (1 + |x|): (*) -> (*).

    Example:
        x = mg.Input("x", (64,))
        y = layers.Softsign()(x)
    """

def Sort(
    dim: int = -1,
    descending: bool = False,
    *,
    stable: bool = False,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The values in order along an axis, and their indices: (*) -> (*).

    Example:
        scores = mg.Input("scores", ("T", 8))
        y = layers.Sort(dim=1, descending=True)(scores)
    """

def Split(
    split_size_or_sections: Size | Sequence[Size],
    dim: int = 1,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Pieces of one size (the last may be smaller), or of the sizes listed: ports 0, 1, ...

    Example:
        x = mg.Input("x", (6, 4))
        y = layers.Split([1, 2, 3], dim=1)(x)
    """

def Squeeze(
    dim: int | Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x without axes of size 1; as in torch, others stay: (N, 1, *) -> (N, *) for dim 1.

    Example:
        grey = mg.Input("grey", (1, 32, 32))
        y = layers.Squeeze(dim=1)(grey)
    """

def Std(
    dim: int | Sequence[int],
    correction: int = 1,
    keepdim: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The standard deviation over axes, with divisor T - correction: (N, T, D) -> (N, D).

    Example:
        frames = mg.Input("frames", ("T", 64))
        y = layers.Std(dim=1, correction=0)(frames)
    """

def Sum(
    dim: int | Sequence[int],
    keepdim: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The sum over one axis or several, int64 for integers: (N, T, D) -> (N, D).

    Example:
        tokens = mg.Input("tokens", ("T", 64))
        y = layers.Sum(dim=1)(tokens)
    """

def SyncBatchNorm(
    *,
    eps: float = 1e-05,
    momentum: float | None = 0.1,
    affine: bool = True,
    track_running_stats: bool = True,
    bias: bool = True,
    num_features: int | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Each channel normalised over the batches of all processes: (N, C, *) -> (N, C, *).

    Ioffe and Szegedy 2015. In a single process it is a batch norm; with several, torch runs it on
    GPUs only.

    Inferred from the sources: num_features.

    Example:
        image = mg.Input("image", (8, 16, 16))
        y = layers.SyncBatchNorm()(image)
    """

def Tanh(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The hyperbolic tangent: (*) -> (*).

    Example:
        x = mg.Input("x", (64,))
        y = layers.Tanh()(x)
    """

def Tanhshrink(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x - tanh(x): (*) -> (*).

    Example:
        x = mg.Input("x", (64,))
        y = layers.Tanhshrink()(x)
    """

def Threshold(
    threshold: float,
    value: float,
    inplace: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """x where x > threshold, else `value`: (*) -> (*).

    Example:
        x = mg.Input("x", (64,))
        y = layers.Threshold(0.1, value=0)(x)
    """

def TopK(
    k: Size,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The `k` largest values along an axis, and their indices: (N, T, D) -> (N, k, D).

    `k: $S` is a length known at run time.

    Example:
        scores = mg.Input("scores", ("T", 8))
        y = layers.TopK(3, dim=1)(scores)
    """

def Transformer(
    *,
    nhead: int = 8,
    num_encoder_layers: int = 6,
    num_decoder_layers: int = 6,
    dim_feedforward: Size = 2048,
    dropout: float = 0.1,
    activation: Literal["relu", "gelu"] = "relu",
    layer_norm_eps: float = 1e-05,
    norm_first: bool = False,
    bias: bool = True,
    src_is_causal: bool = False,
    tgt_is_causal: bool = False,
    memory_is_causal: bool = False,
    d_model: int | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """An encoder of `src` and a decoder of `tgt`: (N, S, E), (N, T, E) -> (N, T, E).

    Vaswani et al. 2017. Masks are as in torch: `src_mask` (S, S), `tgt_mask` (T, T), `memory_mask`
    (T, S), and beside each a `..._key_padding_mask`, (N, S) or (N, T), true where attention is not
    allowed. `tgt_is_causal` hides later steps; without `tgt_mask` the causal mask is made.

    Sources: src, tgt, src_mask (optional), tgt_mask (optional), memory_mask (optional), src_key_padding_mask (optional), tgt_key_padding_mask (optional), memory_key_padding_mask (optional).

    Inferred from the sources: d_model.

    Example:
        source = mg.Input("source", (12, 16))
        target = mg.Input("target", (10, 16))
        y = layers.Transformer(nhead=4, tgt_is_causal=True)(source, target)
    """

def TransformerDecoder(
    nhead: int,
    num_layers: int,
    *,
    dim_feedforward: Size = 2048,
    dropout: float = 0.1,
    activation: Literal["relu", "gelu"] = "relu",
    layer_norm_eps: float = 1e-05,
    norm_first: bool = False,
    bias: bool = True,
    norm: Literal["LayerNorm"] | None = None,
    tgt_is_causal: bool = False,
    memory_is_causal: bool = False,
    d_model: int | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """A stack of `num_layers` TransformerDecoderLayers: (N, T, E), (N, S, E) -> (N, T, E).

    Vaswani et al. 2017. The options of the layers come first, then torch's for the stack;
    `norm: LayerNorm` adds one at its end. Masks and `tgt_is_causal` are as in a TransformerDecoderLayer.

    Sources: tgt, memory, tgt_mask (optional), memory_mask (optional), tgt_key_padding_mask (optional), memory_key_padding_mask (optional).

    Inferred from the sources: d_model.

    Example:
        caption = mg.Input("caption", (10, 16))
        patches = mg.Input("patches", (49, 16))
        y = layers.TransformerDecoder(4, num_layers=2)(caption, patches)
    """

def TransformerDecoderLayer(
    nhead: int,
    *,
    dim_feedforward: Size = 2048,
    dropout: float = 0.1,
    activation: Literal["relu", "gelu"] = "relu",
    layer_norm_eps: float = 1e-05,
    norm_first: bool = False,
    bias: bool = True,
    tgt_is_causal: bool = False,
    memory_is_causal: bool = False,
    d_model: int | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Attention of `tgt` to itself, then to `memory`: (N, T, E), (N, S, E) -> (N, T, E).

    Vaswani et al. 2017. Masks are as in torch: `tgt_mask` (T, T), `memory_mask` (T, S),
    `tgt_key_padding_mask` (N, T) and `memory_key_padding_mask` (N, S), true where attention is not
    allowed. `tgt_is_causal` hides later steps; without `tgt_mask` the causal mask is made.

    Sources: tgt, memory, tgt_mask (optional), memory_mask (optional), tgt_key_padding_mask (optional), memory_key_padding_mask (optional).

    Inferred from the sources: d_model.

    Example:
        caption = mg.Input("caption", (10, 16))
        patches = mg.Input("patches", (49, 16))
        y = layers.TransformerDecoderLayer(4, tgt_is_causal=True)(caption, patches)
    """

def TransformerEncoder(
    nhead: int,
    num_layers: int,
    *,
    dim_feedforward: Size = 2048,
    dropout: float = 0.1,
    activation: Literal["relu", "gelu"] = "relu",
    layer_norm_eps: float = 1e-05,
    norm_first: bool = False,
    bias: bool = True,
    norm: Literal["LayerNorm"] | None = None,
    enable_nested_tensor: bool = True,
    mask_check: bool = True,
    is_causal: bool = False,
    d_model: int | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """A stack of `num_layers` TransformerEncoderLayers: (N, S, E) -> (N, S, E).

    Vaswani et al. 2017. The options of the layers come first, then torch's for the stack;
    `norm: LayerNorm` adds one at its end. Masks are as in torch: `mask` (S, S) and `src_key_padding_mask`
    (N, S), true where attention is not allowed. `is_causal` hides later steps; without `mask` the
    causal mask is made.

    Sources: src, mask (optional), src_key_padding_mask (optional).

    Inferred from the sources: d_model.

    Example:
        x = mg.Input("x", (10, 16))
        pad = mg.Input("pad", (10,), dtype="bool")
        y = layers.TransformerEncoder(4, num_layers=2)(src=x, src_key_padding_mask=pad)
    """

def TransformerEncoderLayer(
    nhead: int,
    *,
    dim_feedforward: Size = 2048,
    dropout: float = 0.1,
    activation: Literal["relu", "gelu"] = "relu",
    layer_norm_eps: float = 1e-05,
    norm_first: bool = False,
    bias: bool = True,
    is_causal: bool = False,
    d_model: int | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Self-attention, then a feed-forward network, each with a residual: (N, S, E) -> (N, S, E).

    Vaswani et al. 2017. Masks are as in torch: `src_mask` (S, S) and `src_key_padding_mask` (N, S),
    true where attention is not allowed. `is_causal` hides later steps; without `src_mask` the
    causal mask is made.

    Sources: src, src_mask (optional), src_key_padding_mask (optional).

    Inferred from the sources: d_model.

    Example:
        tokens = mg.Input("tokens", (10, 16))
        y = layers.TransformerEncoderLayer(4, dim_feedforward=32)(tokens)
    """

def Transpose(
    dim0: int,
    dim1: int,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Two axes swapped: (N, A, B) -> (N, B, A).

    Example:
        tokens = mg.Input("tokens", ("T", 64))
        y = layers.Transpose(dim0=1, dim1=2)(tokens)
    """

def Unbind(
    dim: int = 1,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Every index of an axis, which is dropped: ports 0, 1, ...

    Example:
        pair = mg.Input("pair", (2, 8))
        y = layers.Unbind(dim=1)(pair)
    """

def Unflatten(
    dim: int,
    unflattened_size: Sequence[int | Literal[-1]],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """One axis as several, the size of one may be -1: (N, A * B) -> (N, A, B) for dim 1.

    Example:
        x = mg.Input("x", (48,))
        y = layers.Unflatten(dim=1, unflattened_size=[3, 4, 4])(x)
    """

def Unfold(
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Each window as a column, im2col: (N, C, H, W) -> (N, C * kernel, windows).

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.Unfold(8, stride=8)(image)
    """

def Unsqueeze(
    dim: int,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """A new axis of size 1: (N, *) -> (N, 1, *) for dim 1.

    Example:
        grey = mg.Input("grey", (32, 32))
        y = layers.Unsqueeze(dim=1)(grey)
    """

def Upsample(
    *,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: Literal[
        "nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact"
    ] = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Interpolated to `size`, or by `scale_factor`: (N, C, *) -> (N, C, *).

    Mode `linear` is for one axis, `bilinear` and `bicubic` for two, `trilinear` for three, the others
    for one to three. An axis whose size is a name needs an exact factor: 2, 0.5, 1.25.

    Example:
        image = mg.Input("image", (3, 16, 16))
        y = layers.Upsample(scale_factor=2, mode="bilinear")(image)
    """

def UpsamplingBilinear2d(
    *,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Interpolated linearly in two axes, corners aligned: (N, C, H, W) -> (N, C, H', W').

    Deprecated, as in torch: write `{layer: Upsample, mode: bilinear, align_corners: true, ...}`.

    Example:
        image = mg.Input("image", (3, 16, 16))
        y = layers.UpsamplingBilinear2d(size=[24, 32])(image)
    """

def UpsamplingNearest2d(
    *,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Interpolated by the nearest value: (N, C, H, W) -> (N, C, H', W').

    Deprecated, as in torch: write `{layer: Upsample, mode: nearest, ...}`.

    Example:
        image = mg.Input("image", (3, 16, 16))
        y = layers.UpsamplingNearest2d(scale_factor=2)(image)
    """

def Var(
    dim: int | Sequence[int],
    correction: int = 1,
    keepdim: bool = False,
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """The variance over axes, with divisor T - correction: (N, T, D) -> (N, D).

    Example:
        frames = mg.Input("frames", ("T", 64))
        y = layers.Var(dim=1)(frames)
    """

def ViewAsComplex(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Pairs of real and imaginary parts as complex numbers: (N, *, 2) -> (N, *), complex.

    Example:
        pairs = mg.Input("pairs", (64, 2))
        y = layers.ViewAsComplex()(pairs)
    """

def ViewAsReal(
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Complex numbers as pairs of real and imaginary parts: (N, *) -> (N, *, 2).

    Example:
        spectrum = mg.Input("spectrum", (64,), dtype="complex64")
        y = layers.ViewAsReal()(spectrum)
    """

def ZeroPad1d(
    padding: int | Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Padded by zeros around the last axis: (N, *, L) -> (N, *, L').

    `padding` is one number, or [left, right].

    Example:
        x = mg.Input("x", (4, 9))
        y = layers.ZeroPad1d([2, 1])(x)
    """

def ZeroPad2d(
    padding: int | Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Padded by zeros around the last two axes: (N, *, H, W) -> (N, *, H', W').

    `padding` is one number, or [left, right, top, bottom].

    Example:
        image = mg.Input("image", (3, 32, 32))
        y = layers.ZeroPad2d([1, 2, 1, 2])(image)
    """

def ZeroPad3d(
    padding: int | Sequence[int],
    *,
    activation: Activation | None = None,
    over: int | None = None,
    freeze: bool | str = False,
    lr: float | str | None = None,
    weight_decay: float | None = None,
    lora: Mapping[str, object] | None = None,
    take: str | int | None = None,
) -> LayerCall:
    """Padded by zeros around the last three axes: (N, *, D, H, W) -> the same, longer.

    `padding` is one number, or [left, right, top, bottom, front, back].

    Example:
        volume = mg.Input("volume", (3, 8, 16, 16))
        y = layers.ZeroPad3d(1)(volume)
    """
