"""Read a Keras 3 model from a `.keras` archive or its JSON; nothing in the file is run or imported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from mimgraph.importer.foreign.keras.archive import CONFIG, WEIGHTS, Archive, read_archive
from mimgraph.importer.foreign.keras.axes import wanted_channel
from mimgraph.importer.foreign.keras.body import Body, Shared, free, identifier
from mimgraph.importer.foreign.keras.companion import companion
from mimgraph.importer.foreign.keras.config import Model, Ref, flat, parse_model
from mimgraph.importer.foreign.keras.convert import convert
from mimgraph.importer.foreign.keras.faults import Config
from mimgraph.importer.foreign.keras.options import Layer
from mimgraph.importer.foreign.keras.spec import as_spec
from mimgraph.importer.foreign.keras.value import Array, Length, Size, Value, Weight, size
from mimgraph.importer.foreign.keras.weights import read_state
from mimgraph.importer.foreign.model import ForeignModel, Note
from mimgraph.ir.names import class_fault

_DEFAULT_NAME = re.compile(r"(functional|sequential|model)(_\d+)?")
_DTYPES = {"int8", "uint8", "int16", "int32", "int64", "bool", "float16", "bfloat16", "float64"}


def read_keras(path: str | PathLike[str]) -> ForeignModel:
    """Return the spec and the weights of a Keras 3 functional or sequential model.

        foreign = read_keras("model.keras")      # or the file with the text of model.to_json()
        model = mg.from_dict(foreign.spec).compile()

    The channels of images come first, as in torch: an input of Keras' shape `(N, H, W, C)` is
    `(N, C, H, W)`, and the weights are converted. The weights need the package h5py.
    """
    archive = read_archive(Path(path))
    try:
        return _read(archive, Path(path).stem)
    except RecursionError:
        archive.config.refuse("too-large", "the config is nested too deeply")


def _read(archive: Archive, stem: str) -> ForeignModel:
    """Return the model of an archive; `stem` names it if Keras has no name for it but its own."""
    model = parse_model(archive.data, archive.config)
    shared = Shared(archive.config)
    body = Body(shared, model.names)
    given = {ref.layer: _input(model, ref, body) for ref in flat(model.inputs)}
    found = convert(model, body, "", given)
    names = _public(model.outputs)
    results = {name: body.plain(value) for name, value in zip(names, found, strict=True)}
    _note_dtypes(model, body)
    own = _DEFAULT_NAME.fullmatch(model.name) is None
    name = _class_name(model.name if own else stem)
    spec, written = as_spec(name, body, results)
    keys = {
        key: ", ".join(weight.paths)
        for key, weight in written.weights.items()
        if weight.paths and weight.is_theirs
    }
    state, missing = _state(archive, written.weights)
    notes = (*written.notes, *missing)
    return ForeignModel(spec, state, keys, notes, companion(shared.opaque))


def _state(
    archive: Archive, weights: Mapping[str, Weight]
) -> tuple[dict[str, Array] | None, list[Note]]:
    """Return the tensors of the file; without them, a note that says why."""
    state, why = None, "the file has none"
    if archive.weights is not None:
        name = archive.config.file.name.replace(CONFIG, WEIGHTS)
        state = read_state(archive.weights, weights, Config(name, ""))
        why = "pip install h5py to read them"
    if state is not None:
        return state, []
    return None, [Note("left-out", "weights", f"the weights are left out: {why}", "")]


def _note_dtypes(model: Model, body: Body) -> None:
    """Note that the spec computes in float32 where a layer of the model does not."""
    names = {}
    for layer in model.layers:
        policy = layer.options.get("dtype")
        inner = policy.get("config") if isinstance(policy, dict) else None
        name = inner.get("name") if isinstance(inner, dict) else None
        if isinstance(name, str) and name != "float32":
            names[name] = layer.name
    for name, where in names.items():
        message = f"{where} computes in {name}, its node in the dtype of the model, float32"
        body.note("left-out", "dtype", message, where)


def _input(model: Model, ref: Ref, body: Body) -> Value:
    """Add an input of the model to the body, and return its value."""
    layer = model.by_name.get(ref.layer)
    if layer is None or layer.kind != "InputLayer":
        model.config.refuse(
            "unknown-source", f"the input {ref.layer!r} is no InputLayer", ref.layer
        )
    shape = layer.options.get("batch_shape")
    if not isinstance(shape, list) or not all(
        n is None or type(n) is int and n > 0 for n in shape[1:]
    ):
        help = "build the model, by an Input or a first call, and save it again"
        layer.refuse("missing-key", "the model has no input shape", help)
    sizes: tuple[Size, ...] = tuple(Length() if one is None else one for one in shape[1:])
    dtype = layer.options.get("dtype", "float32")
    value = Value("", sizes, dtype if isinstance(dtype, str) and dtype in _DTYPES else "float32")
    value = value._replace(channel=wanted_channel(model, layer.name, value.rank))
    entry, value = _declared(model, layer, value)
    return value._replace(source=body.add_input(layer.name, entry))


def _declared(model: Model, layer: Layer, value: Value) -> tuple[dict[str, Any], Value]:
    """Return the entry of an input, and its value with the dtype that it has in the spec."""
    entry: dict[str, Any] = {"shape": value.ours}
    tables = _tables(model, layer)
    if tables:
        value = value._replace(dtype="int64")
        entry |= {"vocab": tables[0]} if len({*tables}) == 1 else {"dtype": "int64"}
    elif value.dtype != "float32":
        entry["dtype"] = value.dtype
    if value.channel is not None:
        sizes = ["N", *("?" if isinstance(size(one), Length) else one for one in value.shape)]
        entry["doc"] = f"Channels first; in Keras ({', '.join(map(str, sizes))})"
    return entry, value


def _tables(model: Model, layer: Layer) -> list[int]:
    """Return the numbers of rows of the embeddings that read an input, if nothing else reads it."""
    found = []
    for reader in model.readers.get(layer.name, []):
        if reader.kind == "NotEqual" and reader.is_operation:
            continue  # the mask of an embedding
        if reader.kind != "Embedding" or not reader.is_keras:
            return []
        found.append(reader.integer("input_dim"))
    return found


def _public(outputs: Any) -> list[str]:
    """Return the public names of the outputs: the keys of a dict, else the names of the layers."""
    wanted = [ref.layer for ref in flat(outputs)]
    if isinstance(outputs, dict):
        wanted = [key for key, item in outputs.items() for _ in flat(item)]
    names: dict[str, None] = {}
    for name in wanted:
        names[free(identifier(name), names)] = None
    return list(names)


def _class_name(name: str) -> str:
    """Return the name of the model in the style of a class, `TextNumbers` for `text_numbers`."""
    words = [word for word in identifier(name).split("_") if word]
    found = "".join(word[0].upper() + word[1:] for word in words)
    return f"{found}Model" if class_fault(found) else found
