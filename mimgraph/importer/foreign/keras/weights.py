"""Read arrays from the HDF5 file of a `.keras` archive, which may not point anywhere else."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from mimgraph.importer.foreign.keras.faults import Config
from mimgraph.importer.foreign.keras.value import Array, Weight

_DAMAGED = "the weights cannot be read"


def read_state(
    data: bytes, weights: Mapping[str, Weight], config: Config
) -> dict[str, Array] | None:
    """Return the tensors of our state_dict; None if h5py is not installed."""
    try:
        import h5py
    except ImportError:
        return None
    state = {}
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            for key, weight in weights.items():
                arrays = [_array(file, path, config, len(data)) for path in weight.paths]
                state[key] = _made(weight, arrays, config)
    except (OSError, RuntimeError, KeyError, TypeError) as error:
        config.refuse("wrong-type", f"{_DAMAGED}: {error}")
    return state


def _made(weight: Weight, arrays: list[Array], config: Config) -> Array:
    import numpy as np

    try:
        made = np.ascontiguousarray(weight.make(*arrays))
    except (ValueError, IndexError) as error:  # axes or sizes that the config does not say
        config.refuse("shape-mismatch", f"{_DAMAGED}: {', '.join(weight.paths)}: {error}")
    return made if weight.paths else made.copy()


def _array(file: Any, path: str, config: Config, most: int) -> Array:
    """Return an array that lies in the file itself, as Keras writes it: whole, and as large as it says."""
    import h5py
    import numpy as np

    place = file
    for name in path.split("/"):
        link = place.get(name, getlink=True) if isinstance(place, h5py.Group) else None
        if link is None:
            config.refuse("missing-key", f"the file of weights has no {path}")
        if not isinstance(link, h5py.HardLink):
            config.refuse("wrong-type", f"{path} points out of the file of weights")
        place = place[name]
    if not isinstance(place, h5py.Dataset) or place.dtype.kind not in "fiubV":
        config.refuse("wrong-type", f"{path} in the file of weights is not an array of numbers")
    plan = place.id.get_create_plist()
    if place.external or place.is_virtual or plan.get_nfilters() or place.nbytes > most:
        config.refuse("too-large", f"{path} is not stored as Keras stores weights")
    found: Array = np.asarray(place[()])
    if (
        found.dtype.itemsize == 2 and found.dtype.kind == "V"
    ):  # bfloat16: the upper half of a float32
        found = (found.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return found
