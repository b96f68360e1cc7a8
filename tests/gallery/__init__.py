"""Helpers that compare the specs of the gallery with reference models."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

import mimgraph as mg
from tests.conftest import ROOT
from tests.gallery import agreement

# params that make the large specs run in a fraction of a second
SMALL: dict[str, dict[str, int]] = {
    "bert_base": {"vocab": 100, "width": 64, "heads": 4, "depth": 2},
    "clip": {"depth": 2, "vocab": 1000},
    "conformer": {"vocab": 20, "width": 32, "heads": 4, "depth": 2},
    "detr": {"width": 32, "heads": 4, "ff": 48, "depth": 2, "queries": 7, "stem": 8},
    "gpt2": {"vocab": 100, "width": 64, "heads": 4, "depth": 2},
    "llama": {"vocab": 100, "width": 64, "feed": 96, "heads": 8, "groups": 2, "depth": 2},
    "llava": {
        "vocab": 100,
        "width": 64,
        "feed": 96,
        "heads": 4,
        "depth": 2,
        "side": 3,
        "vision": 64,
        "vision_depth": 2,
    },
    "mbt": {"width": 64, "heads": 4, "apart": 1, "together": 2},
    "perceiver": {"num_latents": 16, "width": 64, "depth": 2},
    "seq2seq_attention": {"width": 64, "depth": 2, "vocab": 100},
    "swin_t": {"width": 32, "middle": 2},
    "t5": {"vocab": 100, "width": 64, "heads": 4, "depth": 2},
    "t5_encoder": {"vocab": 100, "width": 64, "heads": 4, "depth": 2},
    "t5_like": {"vocab": 100, "width": 64, "heads": 4, "depth": 2},
    "tft": {"dim": 16, "past": 12, "days": 16},
    "unet_attention": {"width": 8},
    "vit_b16": {"width": 64, "heads": 4, "depth": 2},
    "whisper": {"vocab": 100, "width": 64, "heads": 4, "depth": 2, "steps": 50},
}
# the specs whose weights take more memory than a machine for tests has
HUGE = ("llama", "llava")


def gallery(name: str, **params: Any) -> mg.Graph:
    """Return the graph of a spec in specs/, with other values for these params."""
    graph = mg.load(ROOT / "specs" / f"{name}.yaml", params)
    agreement.SIZES[graph] = params
    return graph


def transformers_for_torch() -> Any:
    """Return transformers; skip the test if it is missing, or takes no torch as old as this."""
    transformers = pytest.importorskip("transformers")
    if not transformers.is_torch_available():
        pytest.skip("transformers takes no torch as old as this", allow_module_level=True)
    return transformers


def count(model: nn.Module) -> int:
    """Return the number of learned scalars; tied weights count once."""
    return sum(parameter.numel() for parameter in model.parameters())


def on_meta(graph: mg.Graph) -> nn.Module:
    """Return the module on the meta device, to count its weights."""
    with torch.device("meta"):
        return graph.compile()


def randomise(model: nn.Module, seed: int = 0) -> None:
    """Give every float of the state a random value: no zero bias, no unit scale."""
    generator = torch.Generator().manual_seed(seed)
    for key, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            continue
        if tensor.dim() > 1:  # keeps the scale of activations
            tensor.normal_(std=tensor[0].numel() ** -0.5, generator=generator)
        elif key.endswith(("weight", "running_var")):
            tensor.uniform_(0.5, 1.5, generator=generator)
        else:
            tensor.normal_(std=0.2, generator=generator)


def assert_same_model(graph: mg.Graph, reference: nn.Module, **inputs: Tensor) -> nn.Module:
    """Check that the model of a spec equals the reference in its weights and outputs, and return it.

    The reference takes inputs by position and returns outputs in the order of the spec. Its outputs
    must differ between samples, else the comparison proves nothing.
    """
    randomise(reference)
    _settle(reference, *inputs.values())
    ours = on_meta(graph).to_empty(device="cpu").eval()  # every tensor is copied below
    graph.load_state(ours, reference.state_dict())
    assert count(ours) == count(reference)
    with torch.no_grad():
        expected, actual = reference.eval()(*inputs.values()), ours(**inputs)
    for theirs, mine in zip(agreement.tensors(expected), agreement.tensors(actual), strict=True):
        scale = theirs.abs().max().item()
        assert theirs.std(0).max() > 1e-3 * scale
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4 * scale)
    agreement.hold(graph, actual, expected)
    return ours


@torch.no_grad()
def _settle(model: nn.Module, *inputs: Tensor) -> None:
    """Set BatchNorms to the statistics of these inputs, so that outputs of a deep random model differ between samples."""
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    for norm in norms:
        norm.momentum = 1.0
    if norms:
        model.train()(*inputs)
