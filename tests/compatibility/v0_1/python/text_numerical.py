"""A text (embedding, the LSTM's last state) joined with numbers; specs/text_numerical.yaml in Python."""

import mimgraph as mg
from mimgraph import layers, merges

text = mg.Input("text_input", (20,), vocab=1000)
numbers = mg.Input("numerical_input", (5,))
embedding = layers.Embedding(100)(text, name="embedding")
lstm = layers.LSTM(64)(embedding, name="lstm")
fc_numerical = layers.Linear(64, activation="ReLU")(numbers, name="fc_numerical")
combined = merges.concat(lstm["last"], fc_numerical, name="combined")
x = layers.Linear(64, activation="ReLU")(combined, name="fc_combined")
graph = mg.Graph(layers.Linear(1)(x, name="fc_out"), name="TextNumerical")

if __name__ == "__main__":
    import torch

    print(graph.summary())
    model = graph.compile()
    print(model(text_input=torch.randint(1000, (2, 20)), numerical_input=torch.randn(2, 5)))
