"""List what torch and Keras call each layer and merge: the names under which people look for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from mimgraph.ops.libraries import is_model
from mimgraph.ops.op import Op


class Names(NamedTuple):
    """The names of an op elsewhere, each with spaces between them.

    Without `torch`, a layer is the class of torch.nn with its own name; "" says that torch has none.
    """

    torch: str | None = None
    keras: str = ""


_SIZES = {1: "1d", 2: "2d", 3: "3d"}  # the ending of torch's classes by the number of axes


def _each(ours: str, keras: str) -> dict[str, Names]:
    """Return the classes for one, two and three axes: `AvgPool` for `AveragePooling#D`."""
    return {f"{ours}{end}": Names(keras=keras.replace("#", str(n))) for n, end in _SIZES.items()}


# an op comes before others that share one of its names
ELSEWHERE: Mapping[str, Names] = {
    # layers with weights
    "Linear": Names("nn.Linear F.linear", "Dense"),
    "Conv1d": Names("nn.Conv1d F.conv1d", "Conv1D DepthwiseConv1D"),
    "Conv2d": Names("nn.Conv2d F.conv2d", "Conv2D DepthwiseConv2D"),
    "Conv3d": Names("nn.Conv3d F.conv3d", "Conv3D"),
    **_each("ConvTranspose", "Conv#DTranspose"),
    "Embedding": Names("nn.Embedding F.embedding", "Embedding"),
    "MultiheadAttention": Names(keras="MultiHeadAttention"),
    "LSTM": Names(keras="LSTM"),
    "GRU": Names(keras="GRU"),
    "RNN": Names(keras="SimpleRNN"),
    "LSTMCell": Names(keras="LSTMCell"),
    "GRUCell": Names(keras="GRUCell"),
    "RNNCell": Names(keras="SimpleRNNCell"),
    "BatchNorm2d": Names(keras="BatchNormalization"),
    "BatchNorm1d": Names(keras="BatchNormalization"),
    "BatchNorm3d": Names(keras="BatchNormalization"),
    "LayerNorm": Names("nn.LayerNorm F.layer_norm", "LayerNormalization"),
    "GroupNorm": Names("nn.GroupNorm F.group_norm", "GroupNormalization"),
    "RMSNorm": Names("nn.RMSNorm F.rms_norm", "RMSNormalization"),
    # layers without
    **_each("MaxPool", "MaxPooling#D"),
    **_each("AvgPool", "AveragePooling#D"),
    **_each("AdaptiveAvgPool", "GlobalAveragePooling#D"),
    **_each("AdaptiveMaxPool", "GlobalMaxPooling#D"),
    **_each("ZeroPad", "ZeroPadding#D"),
    **_each("Dropout", "SpatialDropout#D"),
    "Dropout": Names("nn.Dropout F.dropout", "Dropout"),
    "AlphaDropout": Names(keras="AlphaDropout"),
    "DropPath": Names("torchvision.ops.StochasticDepth", "StochasticDepth"),
    "Identity": Names(keras="Identity"),
    "Upsample": Names("nn.Upsample", "UpSampling2D UpSampling1D UpSampling3D"),
    "Interpolate": Names("F.interpolate", "Resizing"),
    "Pad": Names("F.pad"),
    "AffineGrid": Names("F.affine_grid"),
    "GridSample": Names("F.grid_sample"),
    # activations
    "ReLU": Names("nn.ReLU F.relu", "ReLU"),
    "ReLU6": Names("nn.ReLU6 F.relu6", "Relu6"),
    "LeakyReLU": Names("nn.LeakyReLU F.leaky_relu", "LeakyReLU"),
    "PReLU": Names(keras="PReLU"),
    "ELU": Names("nn.ELU F.elu", "ELU"),
    "SELU": Names("nn.SELU F.selu", "Selu"),
    "GELU": Names("nn.GELU F.gelu", "Gelu"),
    "SiLU": Names("nn.SiLU F.silu", "Silu Swish"),
    "Hardswish": Names("nn.Hardswish F.hardswish", "HardSilu HardSwish"),
    "Hardsigmoid": Names("nn.Hardsigmoid F.hardsigmoid", "HardSigmoid"),
    "Sigmoid": Names("nn.Sigmoid torch.sigmoid", "Sigmoid"),
    "Tanh": Names("nn.Tanh torch.tanh", "Tanh"),
    "Softmax": Names("nn.Softmax F.softmax", "Softmax"),
    "LogSoftmax": Names("nn.LogSoftmax F.log_softmax", "LogSoftmax"),
    # shapes
    "Flatten": Names("nn.Flatten torch.flatten", "Flatten"),
    "Reshape": Names("torch.reshape torch.Tensor.view", "Reshape"),
    "Permute": Names("torch.permute", "Permute"),
    "Transpose": Names("torch.transpose", "Transpose"),
    "Squeeze": Names("torch.squeeze", "Squeeze"),
    "Unsqueeze": Names("torch.unsqueeze", "ExpandDims"),
    "Expand": Names("torch.Tensor.expand torch.broadcast_to"),
    "Repeat": Names("torch.Tensor.repeat torch.tile"),
    "Flip": Names("torch.flip"),
    "Roll": Names("torch.roll"),
    "Rearrange": Names("einops.rearrange"),
    "Reduce": Names("einops.reduce"),
    "Chunk": Names("torch.chunk"),
    "Split": Names("torch.split"),
    "Unbind": Names("torch.unbind"),
    "Select": Names("torch.select", "GetItem"),
    "Slice": Names("torch.narrow"),
    # values
    "Mean": Names("torch.mean", "Mean"),
    "Sum": Names("torch.sum", "Sum"),
    "Prod": Names("torch.prod", "Prod"),
    "Max": Names("torch.max torch.amax", "Max Amax"),
    "Min": Names("torch.min torch.amin", "Min Amin"),
    "ArgMax": Names("torch.argmax"),
    "ArgMin": Names("torch.argmin"),
    "CumSum": Names("torch.cumsum"),
    "CumProd": Names("torch.cumprod"),
    "LogSumExp": Names("torch.logsumexp"),
    "Norm": Names("torch.linalg.vector_norm torch.norm"),
    "Sort": Names("torch.sort"),
    "Std": Names("torch.std"),
    "Var": Names("torch.var"),
    "TopK": Names("torch.topk"),
    "Cast": Names("torch.Tensor.to", "Cast"),
    "Clamp": Names("torch.clamp torch.clip", "Clip"),
    "Detach": Names("torch.Tensor.detach"),
    "LogicalNot": Names("torch.logical_not"),
    "Normalize": Names("F.normalize", "UnitNormalization"),
    "OneHot": Names("F.one_hot"),
    "CausalMask": Names("nn.Transformer.generate_square_subsequent_mask"),
    "Fill": Names(""),
    # Fourier transforms
    **{name: Names(f"torch.fft.{name.lower()}") for name in ("FFT", "FFT2", "IFFT", "IFFT2")},
    **{name: Names(f"torch.fft.{name.lower()}") for name in ("RFFT", "RFFT2", "IRFFT", "IRFFT2")},
    "Real": Names("torch.real"),
    "Imag": Names("torch.imag"),
    "ViewAsComplex": Names("torch.view_as_complex"),
    "ViewAsReal": Names("torch.view_as_real"),
    # detection
    "BoxConvert": Names("torchvision.ops.box_convert"),
    "BoxIoU": Names("torchvision.ops.box_iou"),
    **{
        name: Names(f"torchvision.ops.{name}")
        for name in (
            *(
                "DeformConv2d",
                "FrozenBatchNorm2d",
                "PSRoIAlign",
                "PSRoIPool",
                "RoIAlign",
                "RoIPool",
            ),
        )
    },
    # merges
    "concat": Names("torch.cat torch.concatenate torch.hstack", "Concatenate"),
    "stack": Names("torch.stack", "Stack"),
    "add": Names("torch.add", "Add"),
    "subtract": Names("torch.subtract torch.sub", "Subtract"),
    "multiply": Names("torch.multiply torch.mul", "Multiply"),
    "divide": Names("torch.divide torch.div", "Divide TrueDivide"),
    "average": Names("", "Average"),
    "maximum": Names("torch.maximum", "Maximum"),
    "minimum": Names("torch.minimum", "Minimum"),
    "logical_and": Names("torch.logical_and"),
    "logical_or": Names("torch.logical_or"),
    "where": Names("torch.where"),
    "dot": Names("torch.linalg.vecdot", "Dot"),
    "matmul": Names("torch.matmul torch.bmm torch.mm", "Matmul"),
    "outer": Names("torch.outer"),
    "einsum": Names("torch.einsum"),
    "cosine": Names("F.cosine_similarity"),
    "attention": Names("F.scaled_dot_product_attention", "Attention"),
    "bilinear": Names("F.bilinear"),
    "gather": Names("torch.gather"),
    "scatter_add": Names("torch.scatter_add"),
    "masked_fill": Names("torch.masked_fill"),
    "formula": Names(
        "torch.exp torch.log torch.sqrt torch.abs torch.neg torch.pow torch.square torch.reciprocal "
        "torch.sign torch.round torch.floor torch.ceil torch.sin torch.cos torch.erf torch.eq torch.ne "
        "torch.gt torch.ge torch.lt torch.le",
        "Exp Log Sqrt Rsqrt Abs Absolute Negative Power Square Reciprocal Sign Floor Ceil Sin Cos Erf "
        "Equal NotEqual Greater GreaterEqual Less LessEqual Rescaling",
    ),
}


def names_of(op: Op) -> Names:
    """Return what torch and Keras call an op; a model of a library or a module that the user
    registered has no other names."""
    if is_model(op.name) or not op.function.__module__.startswith("mimgraph."):
        return Names("")
    names = ELSEWHERE.get(op.name, Names())
    own = f"nn.{op.name}" if op.kind == "layer" else ""
    return names if names.torch is not None else names._replace(torch=own)


@cache
def ours() -> Mapping[str, str]:
    """Return the name of the op for each name elsewhere, in small letters without `_`."""
    found: dict[str, str] = {}
    for name, names in ELSEWHERE.items():
        for text in f"{names.torch or ''} {names.keras}".split():
            found.setdefault(plain(text.rpartition(".")[2]), name)
    return found


def plain(name: str) -> str:
    """Return a name in small letters without `_`."""
    return name.replace("_", "").lower()
