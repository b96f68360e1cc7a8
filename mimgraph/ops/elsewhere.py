"""List what torch, Keras and people call each op: the names under which they look for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from mimgraph.ops.op import Op
from mimgraph.ops.registry import is_model


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


# List what people call ops that are named otherwise, or that are a special case of one: `fully
# connected`.


# by the name of the op; the first op with a name is the one that is meant most often
COLLOQUIAL: Mapping[str, tuple[str, ...]] = {
    # layers with weights
    "Linear": ("fully connected layer", "dense layer", "FC layer", "projection", "affine layer"),
    "Conv1d": ("temporal convolution", "depthwise convolution"),
    "Conv2d": (
        "convolutional layer",
        "depthwise convolution",
        "pointwise convolution",
        "1x1 convolution",
        "grouped convolution",
        "dilated convolution",
        "atrous convolution",
        "patch embedding",
    ),
    "Conv3d": ("volumetric convolution", "video convolution"),
    "ConvTranspose2d": ("deconvolution", "upconvolution", "fractionally strided convolution"),
    "DeformConv2d": ("deformable convolution",),
    "Embedding": ("lookup table", "word vectors", "categorical feature", "embedding layer"),
    "EmbeddingBag": ("bag of words", "multi-hot", "pooled embedding"),
    "MultiheadAttention": ("self-attention", "multi-head attention", "MHA", "attention layer"),
    "LSTM": ("long short-term memory", "recurrent network", "BiLSTM", "sequence encoder"),
    "GRU": ("gated recurrent unit", "BiGRU"),
    "RNN": ("vanilla RNN", "simple RNN", "recurrent neural network"),
    "TransformerEncoderLayer": ("transformer block", "encoder block", "self-attention block"),
    "TransformerEncoder": ("transformer encoder", "BERT encoder"),
    "TransformerDecoderLayer": ("decoder block",),
    "TransformerDecoder": ("transformer decoder",),
    "Transformer": ("encoder-decoder", "sequence to sequence"),
    # normalization, dropout
    "BatchNorm1d": ("batch normalization", "BN"),
    "BatchNorm2d": ("batch normalization", "BN"),
    "BatchNorm3d": ("batch normalization", "BN"),
    "FrozenBatchNorm2d": ("frozen batch norm",),
    "SyncBatchNorm": ("synchronized batch norm",),
    "LayerNorm": ("layer normalization", "LN"),
    "GroupNorm": ("group normalization", "GN"),
    "InstanceNorm2d": ("instance normalization", "contrast normalization"),
    "RMSNorm": ("root mean square normalization",),
    "LocalResponseNorm": ("LRN", "local response normalization"),
    "Normalize": ("L2 normalization", "unit length", "unit norm"),
    "Dropout": ("regularization",),
    "Dropout2d": ("spatial dropout", "channel dropout"),
    "DropPath": ("stochastic depth",),
    # pooling, sizes
    "AdaptiveAvgPool2d": ("global average pooling", "GAP"),
    "AdaptiveAvgPool1d": ("global average pooling",),
    "AdaptiveMaxPool2d": ("global max pooling",),
    "AvgPool2d": ("mean pooling", "downsampling"),
    "MaxPool2d": ("max pooling", "downsampling", "subsampling"),
    "Upsample": ("upsampling", "nearest neighbour", "bilinear upsampling"),
    "Interpolate": ("resize", "rescale"),
    "PixelShuffle": ("sub-pixel convolution", "depth to space", "super-resolution"),
    "PixelUnshuffle": ("space to depth",),
    "Unfold": ("im2col", "sliding windows", "extract patches"),
    "Fold": ("col2im", "overlap-add"),
    "ZeroPad2d": ("zero padding",),
    "RoIAlign": ("region of interest",),
    "BoxIoU": ("Jaccard index", "overlap of boxes"),
    # shapes
    "Flatten": ("to a vector",),
    "Reshape": ("view",),
    "Permute": ("reorder axes", "channels last", "dimshuffle"),
    "Transpose": ("swap axes",),
    "Unsqueeze": ("expand dims", "newaxis", "add an axis"),
    "Squeeze": ("remove an axis",),
    "Expand": ("broadcast to",),
    "Repeat": ("tile",),
    "Rearrange": ("einops",),
    "Select": ("index", "CLS token", "first token", "last step"),
    "Slice": ("crop", "narrow", "index range"),
    "Chunk": ("split in equal parts",),
    "Unbind": ("unstack",),
    # values
    "OneHot": ("one-hot encoding", "dummy variables", "categorical encoding"),
    "Identity": ("no-op", "pass-through", "linear activation"),
    "SiLU": ("swish",),
    "Sigmoid": ("logistic function",),
    "Softmax": ("normalized exponential",),
    "Softplus": ("smooth ReLU",),
    "GLU": ("gated linear unit",),
    "Clamp": ("clip",),
    "Cast": ("convert dtype", "to float", "astype"),
    "Detach": ("stop gradient",),
    "CausalMask": ("look-ahead mask", "autoregressive mask", "subsequent mask", "triangular mask"),
    "LogicalNot": ("invert a mask",),
    "Mean": ("average over an axis", "global average pooling", "mean pooling"),
    "Max": ("max over an axis", "max over time"),
    "Fill": ("missing modality", "impute", "modality dropout"),
    # merges
    "concat": ("early fusion", "join", "late fusion"),
    "add": ("skip connection", "residual connection", "shortcut", "elementwise sum"),
    "multiply": ("Hadamard product", "gating", "elementwise product"),
    "average": ("ensemble", "late fusion"),
    "weighted_sum": ("scalar mix", "weighted average", "learned average"),
    "gated": ("gated multimodal unit", "GMU", "gated fusion"),
    "film": ("FiLM", "conditioning", "feature-wise modulation"),
    "moe": ("mixture of experts",),
    "mmoe": ("multi-task experts",),
    "bilinear": ("bilinear pooling",),
    "tensor": ("tensor fusion network", "TFN"),
    "low_rank": ("low-rank multimodal fusion", "LMF"),
    "cross_attention": ("cross-attention block", "encoder-decoder attention"),
    "co_attention": ("ViLBERT",),
    "bottleneck": ("multimodal bottleneck", "MBT"),
    "perceiver": ("latent array",),
    "transformer": ("multimodal transformer", "token fusion"),
    "attention": ("scaled dot-product attention", "SDPA"),
    "attention_pool": ("attention pooling", "weighted pooling"),
    "mean_pool": ("masked mean", "mean pooling", "average over real steps"),
    "max_pool": ("masked max", "max over time"),
    "last_pool": ("last step", "last token"),
    "sequence_mask": ("padding mask", "lengths to mask"),
    "factorization": ("factorization machine", "FM"),
    "dot_interaction": ("DLRM interaction", "feature interaction"),
    "cross": ("deep and cross network", "DCN", "feature crossing"),
    "cin": ("xDeepFM",),
    "squeeze_excite": ("MMTM",),
    "cosine": ("cosine similarity",),
    "distance": ("Euclidean distance", "L2 distance"),
    "dot": ("inner product", "dot-product similarity"),
    "matmul": ("matrix multiplication",),
    "einsum": ("Einstein summation", "tensor contraction"),
    "where": ("conditional",),
    "take": ("index select", "lookup by index"),
    "formula": ("arithmetic", "expression", "lambda"),
    "pad_like": ("crop to match",),
    "resize_like": ("upsample to match", "feature pyramid"),
    # tensors
    "parameter": ("learned token", "CLS token", "position embedding", "query tokens"),
    "buffer": ("constant", "sinusoidal positions", "positional encoding"),
    "arange": ("positions", "position ids"),
    "random": ("noise", "reparameterization", "Gaussian noise"),
}


def said(op: Op) -> tuple[str, ...]:
    """Return what people call an op, beside its name here, in torch and in Keras."""
    return COLLOQUIAL.get(op.name, ()) if op.function.__module__.startswith("mimgraph.") else ()
