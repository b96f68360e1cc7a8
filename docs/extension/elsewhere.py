"""Link the names that torch and other libraries have for an op to their documentation."""

from __future__ import annotations

from mimgraph.ops.elsewhere import names_of
from mimgraph.ops.op import Op

_TORCH = "https://docs.pytorch.org/docs/stable/generated"
_ROOTS = {"nn": "torch.nn", "F": "torch.nn.functional"}


def torch_names(op: Op) -> list[str]:
    """Return torch's names of an op, each with a link."""
    return [f"[{name}]({address(name)})" for name in (names_of(op).torch or "").split()]


def keras_names(op: Op) -> list[str]:
    """Return the names of Keras for an op."""
    return names_of(op).keras.split()


def address(name: str) -> str:
    """Return the page of a name as we write it: `nn.Linear`, `F.linear`, `torch.cat`, `einops.reduce`."""
    root, _, rest = name.partition(".")
    if root == "einops":
        return f"https://einops.rocks/api/{rest}/"
    if root == "torchvision":
        return f"https://docs.pytorch.org/vision/stable/generated/{name}.html"
    if name == "nn.Transformer.generate_square_subsequent_mask":
        rest = "Transformer"
    return f"{_TORCH}/{_ROOTS.get(root, root)}.{rest}.html"
