"""Write configs of models as Keras does, of layers given as plain data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mimgraph.importer.foreign.keras import read_keras
from mimgraph.importer.foreign.model import ForeignModel


def layer(
    kind: str, name: str = "", module: str = "keras.layers", **options: Any
) -> dict[str, Any]:
    """Return the entry of a layer."""
    name = name or kind.lower()
    return {
        "module": module,
        "class_name": kind,
        "name": name,
        "config": {"name": name, **options},
        "inbound_nodes": [],
    }


def sequential(shape: list[int | None], *layers: dict[str, Any]) -> dict[str, Any]:
    """Return a sequential model of an input without the batch, and layers."""
    start = layer("InputLayer", "x", batch_shape=[None, *shape], dtype="float32")
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "sequential", "layers": [start, *layers]},
    }


def functional(
    inputs: dict[str, list[int | None]], outputs: list[str], *layers: dict[str, Any]
) -> dict[str, Any]:
    """Return a functional model; `call` gives the layers what they read."""
    starts = [
        layer("InputLayer", name, batch_shape=[None, *shape], dtype="float32")
        for name, shape in inputs.items()
    ]
    config = {
        "name": "model",
        "layers": [*starts, *layers],
        "input_layers": [[name, 0, 0] for name in inputs],
        "output_layers": [[name, 0, 0] for name in outputs],
    }
    return {"module": "keras", "class_name": "Functional", "config": config}


def call(entry: dict[str, Any], *sources: str, **kwargs: Any) -> dict[str, Any]:
    """Return the layer with one more call, on the results of other layers."""
    args = [tensor(source) for source in sources]
    node = {"args": [args] if len(args) > 1 else args, "kwargs": kwargs}
    return {**entry, "inbound_nodes": [*entry["inbound_nodes"], node]}


def tensor(source: str) -> dict[str, Any]:
    """Return the tensor that is the result of a layer."""
    config = {"shape": None, "dtype": "float32", "keras_history": [source, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": config}


def read(config: Any, folder: Path) -> ForeignModel:
    """Return the imported model of a config."""
    path = folder / "model.json"
    path.write_text(config if isinstance(config, str) else json.dumps(config, indent=1))
    return read_keras(path)
