"""List which file defines each layer, so that a file is imported when one of its layers is first used.

A check of a small spec uses few of them, and importing all takes as long as the check.
"""

FILES = {
    "pointwise.activation": (
        "CELU ELU GELU GLU SELU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid "
        "LogSoftmax Mish PReLU ReLU ReLU6 RReLU Sigmoid SiLU Softmax Softmax2d Softmin Softplus "
        "Softshrink Softsign Tanh Tanhshrink Threshold"
    ),
    "spatial.adaptive_pooling": (
        "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d "
        "AdaptiveMaxPool2d AdaptiveMaxPool3d FractionalMaxPool2d FractionalMaxPool3d"
    ),
    "sequence.attention": "MultiheadAttention",
    "sequence.cell": "GRUCell LSTMCell RNNCell",
    "spatial.conv": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d",
    "pointwise.distance": "CosineSimilarity PairwiseDistance",
    "pointwise.dropout": "AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout",
    "pointwise.elementwise": "Cast Clamp Detach DropPath LogicalNot Normalize OneHot",
    "shape.flatten": "Flatten Unflatten",
    "spatial.fold": "Fold Unfold",
    "spatial.fourier": (
        "FFT FFT2 IFFT IFFT2 IRFFT IRFFT2 Imag RFFT RFFT2 Real ViewAsComplex ViewAsReal"
    ),
    "spatial.grid": "AffineGrid GridSample",
    "pointwise.linear": "Bilinear Identity Linear",
    "sequence.masks": "CausalMask",
    "tensors.missing": "Fill",
    "pointwise.normalization": (
        "BatchNorm1d BatchNorm2d BatchNorm3d CrossMapLRN2d GroupNorm InstanceNorm1d "
        "InstanceNorm2d InstanceNorm3d LayerNorm LocalResponseNorm RMSNorm SyncBatchNorm"
    ),
    "spatial.padding": (
        "CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d "
        "ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d "
        "ReplicationPad3d ZeroPad1d ZeroPad2d ZeroPad3d"
    ),
    "spatial.pooling": (
        "AvgPool1d AvgPool2d AvgPool3d LPPool1d LPPool2d LPPool3d MaxPool1d MaxPool2d MaxPool3d"
    ),
    "spatial.regions": (
        "BoxConvert BoxIoU DeformConv2d FrozenBatchNorm2d PSRoIAlign PSRoIPool RoIAlign RoIPool"
    ),
    "shape.rearrange": "Rearrange Reduce",
    "shape.reduction": "ArgMax ArgMin CumProd CumSum LogSumExp Max Mean Min Norm Prod Sort Std Sum TopK Var",
    "shape.reshape": "Expand Flip Permute Repeat Reshape Roll Squeeze Transpose Unsqueeze",
    "spatial.resize": "Interpolate Pad",
    "sequence.rnn": "GRU LSTM RNN",
    "spatial.shuffle": "ChannelShuffle PixelShuffle PixelUnshuffle",
    "shape.slicing": "Chunk Select Slice Split Unbind",
    "sequence.embedding": "Embedding EmbeddingBag",
    "sequence.transformer": (
        "Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder "
        "TransformerEncoderLayer"
    ),
    "spatial.unpooling": "MaxUnpool1d MaxUnpool2d MaxUnpool3d",
    "spatial.upsampling": "Upsample UpsamplingBilinear2d UpsamplingNearest2d",
}

TENSORS = {  # of the model itself
    "tensors.parameter": "parameter buffer",
    "tensors.constants": "arange ones random zeros",
}
