"""Run models of Keras, which is the oracle, on random weights and inputs.

python -m tests.importer.foreign.keras.oracle    # writes the files of the small models anew
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is first imported

FILES = Path(__file__).parent / "files"


def randomize(model: Any) -> None:
    """Give every weight random values, also those that begin as zeros or ones."""
    rng = np.random.default_rng(0)
    for weight in model.weights:
        array, name = weight.numpy(), weight.path.rpartition("/")[2]
        if array.dtype.kind == "f" and array.ndim < 3:
            noise = rng.normal(size=array.shape) * (0.1 if array.ndim < 2 else 0.3)
            weight.assign(np.abs(array + noise) + 0.1 if "variance" in name else array + noise)


def random_inputs(model: Any) -> dict[str, Any]:
    """Return random inputs by name, three samples of six steps; texts end in zeros."""
    rng = np.random.default_rng(1)
    tables = [layer for layer in model.layers if type(layer).__name__ == "Embedding"]
    rows = {_name(layer.input): layer for layer in tables}
    found = {}
    for tensor in model.inputs:
        shape = [3, *(6 if size is None else size for size in tensor.shape[1:])]
        name = _name(tensor)
        if name in rows:
            words = rng.integers(1, rows[name].input_dim, shape)
            words[0, 4:] = 0
            found[name] = words
        else:
            found[name] = rng.normal(size=shape).astype("float32")
    return found


def _name(tensor: Any) -> str:
    """Return the name of the input layer that a tensor comes from."""
    return str(tensor._keras_history.operation.name)


def run(model: Any, inputs: dict[str, Any]) -> list[Any]:
    """Return the outputs of the model."""
    import keras

    given = (
        inputs
        if isinstance(getattr(model, "input", None), dict)
        else [inputs[_name(one)] for one in model.inputs]
    )
    single = isinstance(given, list) and len(given) == 1
    found = model(given[0] if single else given, training=False)
    return [keras.ops.convert_to_numpy(one) for one in keras.tree.flatten(found)]


def made(name: str) -> tuple[Any, dict[str, Any], list[Any]]:
    """Return a model by name with random weights, inputs, and its outputs for them."""
    import keras

    from tests.importer.foreign.keras.models import MODELS

    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    randomize(model)
    inputs = random_inputs(model)
    return model, inputs, run(model, inputs)


def write() -> None:
    """Write each small model with its inputs and outputs to `files`."""
    from tests.importer.foreign.keras.models import SMALL

    for name in SMALL:
        model, inputs, found = made(name)
        model.save(FILES / f"{name}.keras")
        named = {f"input.{key}": array for key, array in inputs.items()}
        named |= {f"output.{number}": array for number, array in enumerate(found)}
        np.savez_compressed(FILES / f"{name}.npz", **named)


if __name__ == "__main__":
    write()
