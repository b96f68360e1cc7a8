"""Trains an image and numbers with each missing half of the time, and tests what that is worth.

    pip install -e . scikit-learn
    python examples/missing_modality.py

Both inputs are optional. In a batch `has_image` and `has_numbers` tell, sample by sample, what is there;
whole inputs may be left out of a call. What is missing is filled, by zeros or by something learned.
"""

import torch
from digits import Samples, accuracy, digits, train
from torch import Tensor, nn

import mimgraph as mg

SPEC = """
name: MissingModality
params: {fill: learned}
inputs:
  image: {shape: [1, 8, 8], optional: true}
  numbers: {shape: [21], optional: true}
  has_image: {shape: [], dtype: bool}
  has_numbers: {shape: [], dtype: bool}
nodes:
  image_vec:
    from: image
    seq: [{Conv2d: {out_channels: 32, kernel_size: 3}}, BatchNorm2d, ReLU, {MaxPool2d: 2}, Flatten, {Linear: 48}, ReLU]
  numbers_vec: {layer: Linear, from: numbers, out_features: 48, activation: ReLU}
  image_there: {layer: Fill, from: {input: image_vec, present: has_image}, value: $fill}
  numbers_there: {layer: Fill, from: {input: numbers_vec, present: has_numbers}, value: $fill}
  fused: {merge: concat, from: [image_there, numbers_there]}
  logits: {from: fused, seq: [{Linear: 48}, ReLU, {Linear: 10}]}
outputs: logits
"""
MODALITIES = ("image", "numbers")
TESTS = {"both": MODALITIES, "image": ("image",), "numbers": ("numbers",), "neither": ()}


class Forgetful(nn.Module):
    """The model in training: of each sample at most one modality is missing, each with this chance."""

    def __init__(self, model: nn.Module, chance: float) -> None:
        super().__init__()
        self.model, self.chance = model, chance

    def forward(self, **inputs: Tensor) -> Tensor:
        samples = len(inputs["image"])
        is_missing = torch.rand(samples) < self.chance
        is_image = torch.rand(samples) < 0.5
        present = {"has_image": ~(is_missing & is_image), "has_numbers": ~(is_missing & ~is_image)}
        return self.model(**inputs, **present)


def only(samples: Samples, given: tuple[str, ...]) -> Samples:
    """The samples with the other modalities left out."""
    inputs, labels = samples
    flags = {f"has_{n}": torch.full((len(labels),), n in given) for n in MODALITIES}
    return {**{name: inputs[name] for name in given}, **flags}, labels


if __name__ == "__main__":
    ours, theirs = digits()
    print("accuracy on the held-out digits, given", *(f"{test:>9}" for test in TESTS))
    for fill, chance in (("zeros", 0.0), ("zeros", 0.5), ("learned", 0.5)):
        torch.manual_seed(0)
        model = mg.loads(SPEC, params={"fill": fill}).compile()
        train(Forgetful(model, chance), ours, epochs=15)
        title = f"missing in training: {chance:.0%}, fill: {fill}"
        print(f"{title:38}", *(f"{accuracy(model, only(theirs, g)):9.3f}" for g in TESTS.values()))
