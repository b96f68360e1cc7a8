"""Models of transformers, made from small configs with random weights: transformers.yaml has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers
import yaml
from torch import nn

from tests.importer.zoo.model import Model

TABLE: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("transformers.yaml").read_text())


def _model(name: str, row: dict[str, Any]) -> Model:
    """Return the model of a class of transformers; its config has the name of the class."""
    options = TABLE["shared"].get(row.get("of"), {}) | row.get("options", {})
    inputs = row["inputs"]
    if isinstance(inputs, str):
        inputs = TABLE["inputs"][inputs]

    def make() -> nn.Module:
        cls = getattr(transformers, row["class"])
        module: nn.Module = cls(cls.config_class(**options))
        return module

    shapes = {key: tuple(one) if isinstance(one, list) else one for key, one in inputs.items()}
    return Model(name, make, shapes, "transformers", row.get("gallery", ""))


MODELS = [_model(name, row) for name, row in TABLE["models"].items()]
