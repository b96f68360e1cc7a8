"""Link the names that torch and other libraries have for an op to their documentation."""

from __future__ import annotations

from mimgraph.ops.op import Op
from mimgraph.ops.spelling import names_of

_TORCH = "https://docs.pytorch.org/docs/stable/generated"
# what the tensors of a model are in torch
TENSORS = {
    "parameter": "nn.parameter.Parameter",
    "buffer": "nn.parameter.Buffer",
    "arange": "torch.arange",
    "ones": "torch.ones torch.ones_like",
    "zeros": "torch.zeros torch.zeros_like",
    "random": "torch.randn_like torch.rand_like",
}
# what has no page of its own
_ELSEWHERE = {
    "nn.Transformer.generate_square_subsequent_mask": f"{_TORCH}/torch.nn.Transformer.html",
    "nn.CrossMapLRN2d": "https://github.com/pytorch/pytorch/blob/main/torch/nn/modules/normalization.py",
    "torch.masked_fill": f"{_TORCH}/torch.Tensor.masked_fill.html",
}
_ROOTS = {"nn": "torch.nn", "F": "torch.nn.functional"}


def torch_names(op: Op) -> list[str]:
    """Return torch's names of an op, each with a link."""
    names = TENSORS.get(op.name, "") if op.kind == "tensor" else names_of(op).torch or ""
    return [f"[{name}]({address(name)})" for name in names.split()]


def keras_names(op: Op) -> list[str]:
    """Return the names of Keras for an op."""
    return names_of(op).keras.split()


def address(name: str) -> str:
    """Return the page of a name as we write it: `nn.Linear`, `F.linear`, `torch.cat`, `einops.reduce`."""
    if name in _ELSEWHERE:
        return _ELSEWHERE[name]
    root, _, rest = name.partition(".")
    if root == "einops":
        return f"https://einops.rocks/api/{rest}/"
    if root == "torchvision":
        return f"https://docs.pytorch.org/vision/stable/generated/{name}.html"
    return f"{_TORCH}/{_ROOTS.get(root, root)}.{rest}.html"
