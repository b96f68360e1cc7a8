import mimgraph as mg
from mimgraph import layers, merges

image = mg.Input("image", (3, 32, 32))
numeric = mg.Input("numeric", (5,))
image_vec = mg.Sequential(
    layers.Conv2d(16, kernel_size=3), layers.ReLU(), layers.MaxPool2d(2), layers.Flatten()
)(image, name="image_vec")
numeric_vec = layers.Linear(64, activation="ReLU")(numeric, name="numeric_vec")
fused = merges.concat(image_vec, numeric_vec, name="fused")
graph = mg.Graph(layers.Linear(1)(fused, name="score"), name="ImageNumerical")

fused.shape  # (N, 3664), while you build; a bad call raises at its line
model = graph.compile()  # an nn.Module: model(image=..., numeric=...)
graph.dump("model.yaml")  # and mg.load("model.yaml") == graph
