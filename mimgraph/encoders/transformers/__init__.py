"""Know the models of transformers as layers: `transformers.AutoModel`, `transformers.BertModel`."""

from __future__ import annotations

from mimgraph.encoders.encoder import Encoder
from mimgraph.encoders.transformers.configs import FAMILIES
from mimgraph.encoders.transformers.layer import AUTO, TransformerModel


def encoder(model: str) -> Encoder | None:
    """Return a model of transformers as a layer; None if mimgraph knows none with this name."""
    return TransformerModel(model) if model in names() else None


def names() -> list[str]:
    """Return the names of the models."""
    return [AUTO, *FAMILIES]
