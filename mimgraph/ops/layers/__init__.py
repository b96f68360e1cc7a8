"""List which file defines each layer, so that a file is imported when one of its layers is first used.

A check of a small spec uses few of them, and importing all takes as long as the check.
"""

FILES = (  # in the order in which the schema lists the ops
    (
        "activation",
        (
            "CELU ELU GELU GLU SELU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU "
            "LogSigmoid LogSoftmax Mish PReLU ReLU ReLU6 RReLU Sigmoid SiLU Softmax Softmax2d "
            "Softmin Softplus Softshrink Softsign Tanh Tanhshrink Threshold"
        ),
    ),
    (
        "pooling",
        (
            "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d "
            "AdaptiveMaxPool2d AdaptiveMaxPool3d FractionalMaxPool2d FractionalMaxPool3d"
        ),
    ),
    ("attention", "MultiheadAttention"),
    ("rnn", "GRUCell LSTMCell RNNCell"),
    ("conv", "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d"),
    ("elementwise", "CosineSimilarity PairwiseDistance"),
    ("normalization", "AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout"),
    ("elementwise", "Cast Clamp Detach DropPath LogicalNot Normalize"),
    ("embedding", "OneHot"),
    ("reshape", "Flatten Unflatten"),
    ("conv", "Fold Unfold"),
    ("fourier", "FFT FFT2 IFFT IFFT2 IRFFT IRFFT2 Imag RFFT RFFT2 Real ViewAsComplex ViewAsReal"),
    ("regions", "AffineGrid GridSample"),
    ("elementwise", "Bilinear"),
    ("linear", "Identity Linear"),
    ("attention", "CausalMask"),
    ("tensors", "Fill"),
    (
        "normalization",
        (
            "BatchNorm1d BatchNorm2d BatchNorm3d CrossMapLRN2d GroupNorm InstanceNorm1d "
            "InstanceNorm2d InstanceNorm3d LayerNorm LocalResponseNorm RMSNorm SyncBatchNorm"
        ),
    ),
    (
        "resize",
        (
            "CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d "
            "ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d "
            "ReplicationPad3d ZeroPad1d ZeroPad2d ZeroPad3d"
        ),
    ),
    (
        "pooling",
        ("AvgPool1d AvgPool2d AvgPool3d LPPool1d LPPool2d LPPool3d MaxPool1d MaxPool2d MaxPool3d"),
    ),
    (
        "regions",
        ("BoxConvert BoxIoU DeformConv2d FrozenBatchNorm2d PSRoIAlign PSRoIPool RoIAlign RoIPool"),
    ),
    ("rearrange", "Rearrange Reduce"),
    (
        "reduction",
        ("ArgMax ArgMin CumProd CumSum LogSumExp Max Mean Min Norm Prod Sort Std Sum TopK Var"),
    ),
    ("reshape", "Expand Flip Permute Repeat Reshape Roll Squeeze Transpose Unsqueeze"),
    ("resize", "Interpolate Pad"),
    ("rnn", "GRU LSTM RNN"),
    ("resize", "ChannelShuffle PixelShuffle PixelUnshuffle"),
    ("reshape", "Chunk Select Slice Split Unbind"),
    ("embedding", "Embedding EmbeddingBag"),
    (
        "transformer",
        (
            "Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder "
            "TransformerEncoderLayer"
        ),
    ),
    ("pooling", "MaxUnpool1d MaxUnpool2d MaxUnpool3d"),
    ("resize", "Upsample UpsamplingBilinear2d UpsamplingNearest2d"),
)

TENSORS = (  # of the model itself
    ("tensors", "parameter buffer arange ones random zeros"),
)
