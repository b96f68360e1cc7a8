"""Declare the model in Ludwig's YAML, and build it from a few made-up rows, which Ludwig needs to see."""

from __future__ import annotations

import logging
import sys
import tempfile
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import yaml
from PIL import Image

try:
    import torchaudio
except (ImportError, OSError):  # PyPI's needs CUDA; no sound is read here
    torchaudio = sys.modules["torchaudio"] = ModuleType("torchaudio")
    torchaudio.__spec__, torchaudio.__version__ = ModuleSpec("torchaudio", None), "2.11.0"

from ludwig.api import LudwigModel

# begin model
MODEL = """\
input_features:
  - name: image
    type: image
    preprocessing: {height: 32, width: 32, num_channels: 3}
    encoder:
      type: stacked_cnn
      conv_layers: [{num_filters: 16, filter_size: 3, padding: valid, pool_size: 2}]
      num_fc_layers: 1
  - name: numbers
    type: vector
    preprocessing: {vector_size: 5}
    encoder: {type: dense, num_layers: 1, output_size: 64}
combiner: {type: concat}
output_features:
  - {name: score, type: number}
"""
# end model


def _build(text: str) -> Any:
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for number in range(20):
            path = Path(folder) / f"{number}.png"
            Image.fromarray(random.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(path)
            numbers = " ".join(f"{value:.3f}" for value in random.random(5))
            rows.append({"image": str(path), "numbers": numbers, "score": random.random()})
        ludwig = LudwigModel(yaml.safe_load(text), logging_level=logging.ERROR, backend="local")
        data = ludwig.preprocess(pd.DataFrame(rows))
        ludwig.config_obj.to_dict()
        from ludwig.api import update_config_with_metadata

        update_config_with_metadata(ludwig.config_obj, data.training_set_metadata)
        return ludwig.create_model(ludwig.config_obj)


def build() -> Any:
    return _build(MODEL)


def misspelt() -> Any:
    return _build(MODEL.replace("filter_size: 3", "filter_size: 3, stirde: 2"))


def call(model: Any, image: Any, numbers: Any) -> Any:
    outputs = model({"image": image, "numbers": numbers})
    return next(value for key, value in outputs.items() if key.endswith("logits"))
