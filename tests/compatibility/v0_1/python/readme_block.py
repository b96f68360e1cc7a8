import mimgraph as mg
from mimgraph import layers, merges


@mg.block
def residual(x: mg.Tensor, *, kernel_size: int = 3) -> mg.Tensor:
    channels, height, width = x.dims  # the sizes of this use
    y = layers.Conv2d(channels, kernel_size=kernel_size, padding="same")(x, name="conv")
    return merges.add(x, y, activation="ReLU", name="sum")


image = mg.Input("image", (8, 32, 32))
text = mg.Input("text", ("T",), vocab=1000)  # ids, of a length known at run time
stage = residual(repeat=3)(image, name="stage")
lstm = layers.LSTM(64)(layers.Embedding(32)(text), name="lstm")
pooled = mg.Sequential(layers.AdaptiveAvgPool2d(1), layers.Flatten())(stage)
graph = mg.Graph(merges.gated(pooled, lstm["last"], out_features=64, name="fused"))
