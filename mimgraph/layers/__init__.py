"""The layers of the catalogue: a function each, in a file for each family, imported when it is used.

A check of a small spec uses few of them, and all take as long to import as it does.
"""

# What is imported for use here has an underscore: the names without one are ops.
from mimgraph.catalogue import Op as _Op
from mimgraph.catalogue import find as _find
from mimgraph.catalogue import names as _names
from mimgraph.catalogue import place as _place

_FAMILIES = {
    "activation": (
        "CELU ELU GELU GLU SELU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU "
        "LogSigmoid LogSoftmax Mish PReLU ReLU ReLU6 RReLU Sigmoid SiLU Softmax Softmax2d "
        "Softmin Softplus Softshrink Softsign Tanh Tanhshrink Threshold"
    ),
    "adaptive_pooling": (
        "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d "
        "AdaptiveMaxPool2d AdaptiveMaxPool3d FractionalMaxPool2d FractionalMaxPool3d"
    ),
    "attention": "MultiheadAttention",
    "cell": "GRUCell LSTMCell RNNCell",
    "conv": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d",
    "distance": "CosineSimilarity PairwiseDistance",
    "dropout": "AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout",
    "elementwise": "Cast Clamp Detach DropPath LogicalNot Normalize OneHot",
    "flatten": "Flatten Unflatten",
    "fold": "Fold Unfold",
    "linear": "Bilinear Identity Linear",
    "masks": "CausalMask",
    "missing": "Fill",
    "normalization": (
        "BatchNorm1d BatchNorm2d BatchNorm3d CrossMapLRN2d GroupNorm InstanceNorm1d "
        "InstanceNorm2d InstanceNorm3d LayerNorm LocalResponseNorm RMSNorm SyncBatchNorm"
    ),
    "padding": (
        "CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d "
        "ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d "
        "ReplicationPad3d ZeroPad1d ZeroPad2d ZeroPad3d"
    ),
    "pooling": (
        "AvgPool1d AvgPool2d AvgPool3d LPPool1d LPPool2d LPPool3d MaxPool1d MaxPool2d MaxPool3d"
    ),
    "rearrange": "Rearrange Reduce",
    "reduction": "ArgMax ArgMin CumSum LogSumExp Max Mean Min Norm Prod Std Sum TopK Var",
    "reshape": "Expand Flip Permute Repeat Reshape Roll Squeeze Transpose Unsqueeze",
    "resize": "Interpolate Pad",
    "rnn": "GRU LSTM RNN",
    "shuffle": "ChannelShuffle PixelShuffle PixelUnshuffle",
    "slicing": "Chunk Select Slice Split Unbind",
    "sparse": "Embedding EmbeddingBag",
    "transformer": (
        "Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder "
        "TransformerEncoderLayer"
    ),
    "unpooling": "MaxUnpool1d MaxUnpool2d MaxUnpool3d",
    "upsampling": "Upsample UpsamplingBilinear2d UpsamplingNearest2d",
}

__all__ = sorted(_place("layer", __name__, _FAMILIES))  # noqa: PLE0605 - a list, of what the table names
_place("tensor", __name__, {"parameter": "parameter buffer arange"})


def __getattr__(name: str) -> _Op:
    """A layer of the catalogue, or one that `mg.register` added."""
    op = _find("layer", name)
    if op is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return op


def __dir__() -> list[str]:
    return sorted(_names("layer"))
