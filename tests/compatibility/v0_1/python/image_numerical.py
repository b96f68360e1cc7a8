"""An image through a small CNN, flattened, joined with numbers; specs/image_numerical.yaml in Python."""

import mimgraph as mg
from mimgraph import layers, merges

image = mg.Input("image_input", (3, 32, 32))
numbers = mg.Input("numerical_input", (5,))
x = layers.Conv2d(16, kernel_size=3, padding=1, activation="ReLU")(image, name="conv1")
x = layers.MaxPool2d(2)(x, name="pool1")
x = layers.Conv2d(32, kernel_size=3, padding=1, activation="ReLU")(x, name="conv2")
x = layers.MaxPool2d(2)(x, name="pool2")
x = layers.Flatten()(x, name="flatten")
fc_numerical = layers.Linear(64, activation="ReLU")(numbers, name="fc_numerical")
combined = merges.concat(x, fc_numerical, name="combined")
x = layers.Linear(64, activation="ReLU")(combined, name="fc_combined")
graph = mg.Graph(layers.Linear(1)(x, name="fc_out"), name="ImageNumerical")

if __name__ == "__main__":
    import torch

    print(graph.summary())
    model = graph.compile()
    print(model(image_input=torch.randn(2, 3, 32, 32), numerical_input=torch.randn(2, 5)))
