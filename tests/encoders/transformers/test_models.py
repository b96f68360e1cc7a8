"""Each model of the table computes what transformers computes, in the shapes that its config says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

import mimgraph as mg
from mimgraph import layers
from mimgraph.encoders.transformers.configs import FAMILIES, checked
from mimgraph.encoders.transformers.table_models import TableModel
from mimgraph.ir.typed_operations import Leaf
from tests.conftest import sampled
from tests.encoders.transformers.small import config

transformers = pytest.importorskip("transformers")
N, T = 3, 7


def _tensors(model: str) -> dict[str, Tensor]:
    """Return a batch of the sources that a small model takes, padded texts or images."""
    torch.manual_seed(0)
    if FAMILIES[model].reads == "pixel_values":
        return {"pixel_values": torch.rand(N, 3, 16, 16)}
    ids = torch.randint(3, 50, (N, T))
    lengths = torch.tensor([[T], [T - 2], [2]])
    ids[:, 1] = 2  # CLIP's end of a text
    sources = {"input_ids": ids, "attention_mask": torch.arange(T) < lengths}
    takes = TableModel(checked(model, config(model))).takes
    if "token_type_ids" in takes:
        sources["token_type_ids"] = torch.randint(0, 2, (N, T))
    return {key: sources[key] for key in takes}


def _graph(model: str, sources: Mapping[str, Tensor], ports: Sequence[str]) -> mg.Graph:
    """Return a graph of the model alone, with these ports as outputs."""
    inputs = {
        name: mg.Input(
            name, ("T",) if tensor.dim() == 2 else tuple(tensor.shape[1:]), _dtype(tensor)
        )
        for name, tensor in sources.items()
    }
    layer = getattr(layers.transformers, model)(config=config(model), features=[0, 2])
    words = layer(**inputs, name="words")
    return mg.Graph(outputs={port: words[port] for port in ports})


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


@pytest.mark.parametrize("model", sampled(FAMILIES, 8))
def test_a_model_computes_what_transformers_computes(model: str) -> None:
    sources = _tensors(model)
    # a mask of numbers, as the tokenizers make
    numbers = {k: v.long() if v.dtype == torch.bool else v for k, v in sources.items()}
    cls = getattr(transformers, model)
    theirs = cls(cls.config_class(**config(model))).eval()
    with torch.no_grad():
        result = theirs(**numbers, output_hidden_states=True)
    wanted = {name: one for name, one in result.items() if isinstance(one, Tensor)}
    wanted |= {f"hidden_states_{layer}": result.hidden_states[layer] for layer in (0, 2)}
    graph = _graph(model, sources, [*wanted])
    ours = graph.compile().eval()
    ours.words.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        assert_close(ours(**sources), wanted)
    (node,) = graph.typed.body.nodes
    assert isinstance(node.operation, Leaf)
    lowering = node.operation.lowering
    assert {*lowering.ports} == {*wanted}
    shapes = {name: tuple(weight.shape) for name, weight in theirs.named_parameters()}
    assert lowering.module is not None
    assert dict(lowering.module.weights) == shapes
