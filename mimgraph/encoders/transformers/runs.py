"""Make any model of transformers from a config alone, and run it for its tensors; imports both libraries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import huggingface_hub.constants
import torch
import transformers
from torch import Tensor, nn

from mimgraph.diagnostics.nearest import nearest
from mimgraph.diagnostics.text import did_you_mean
from mimgraph.ops.op import OpFault


def table_model(model: str, config: str, values: Mapping[str, Any]) -> nn.Module:
    """Return a model of a class and a config by their names, all of its tensors on the meta device."""
    with torch.device("meta"):
        made: nn.Module = getattr(transformers, model)(getattr(transformers, config)(**values))
    return made


def auto_model(model_type: str, values: Mapping[str, Any]) -> nn.Module:
    """Return the model that AutoModel makes of a config, all of its tensors on the meta device; raise the
    fault of a type that it has not."""
    types = transformers.AutoConfig.for_model
    known = list(transformers.models.auto.configuration_auto.CONFIG_MAPPING)
    if model_type not in known:
        near = nearest(model_type, known)
        help = did_you_mean(near) if near else ""
        message = f"transformers {transformers.__version__} has no model type {model_type!r}"
        raise OpFault("bad-option", message, option="config", help=help)
    with _offline(), torch.device("meta"):
        config = types(model_type, **values)
        model: nn.Module = transformers.AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    return model


@contextmanager
def _offline() -> Iterator[None]:
    """Keep the hub's library from its network: some configs name a second model to load."""
    before = huggingface_hub.constants.HF_HUB_OFFLINE
    huggingface_hub.constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        huggingface_hub.constants.HF_HUB_OFFLINE = before


def tensors_of(model: Any, main: str, layers: Sequence[int]) -> nn.Module:
    """Return a module that runs the model on its one needed source and returns the tensors by name."""
    if model.main_input_name != main:
        message = f"{type(model).__name__} reads {model.main_input_name}, and this source is {main}"
        raise OpFault("wrong-arity", message, at_node=True)
    return _Tensors(model, layers)


class _Tensors(nn.Module):
    """Returns the tensors among the outputs of a model, and the hidden states of some layers."""

    def __init__(self, model: Any, layers: Sequence[int]) -> None:
        super().__init__()
        self.model = model
        self.layers = layers

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        asked = {"output_hidden_states": True} if self.layers else {}
        found = self.model(**{self.model.main_input_name: x}, **asked)
        outputs = {name: value for name, value in found.items() if isinstance(value, Tensor)}
        for index, layer in enumerate(self.layers):
            outputs[f"state_{index}"] = found.hidden_states[layer]
        return outputs
