"""Two numeric vectors, each through a hidden layer, concatenated; specs/simple_numerical.yaml in Python."""

import mimgraph as mg
from mimgraph import layers, merges

input1 = mg.Input("input1", (5,))
input2 = mg.Input("input2", (10,))
fc1 = layers.Linear(32, activation="ReLU")(input1, name="fc1")
fc2 = layers.Linear(32, activation="ReLU")(input2, name="fc2")
combined = merges.concat(fc1, fc2, name="combined")
graph = mg.Graph(layers.Linear(1)(combined, name="fc3"), name="SimpleNumerical")

if __name__ == "__main__":
    import torch

    print(graph.summary())
    model = graph.compile()
    print(model(input1=torch.randn(2, 5), input2=torch.randn(2, 10)))
