"""Parse the config of a functional or sequential model into layers, their calls and tensors."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import Any, NamedTuple

from mimgraph.importer.foreign.keras.body import identifier
from mimgraph.importer.foreign.keras.faults import Config
from mimgraph.importer.foreign.keras.options import Layer

MODELS = ("Functional", "Model", "Sequential")
MAX_DEPTH = 30  # models inside models
MAX_LAYERS = 100_000


class Ref(NamedTuple):
    """A tensor: result `port` of call `call` of a layer, with the shape that Keras computed."""

    layer: str
    call: int
    port: int
    shape: tuple[int | None, ...] | None = None
    dtype: str = "float32"


class Call(NamedTuple):
    """The arguments of one call of a layer; tensors are `Ref`s."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Model(NamedTuple):
    """A model: its layers in the order of the file, the calls of each, and its ends.

    `inputs` and `outputs` are a `Ref`, a list of them, or a dict of them by name.
    """

    name: str
    config: Config
    layers: tuple[Layer, ...]
    calls: dict[str, tuple[Call, ...]]
    inputs: Any
    outputs: Any

    by_name: dict[str, Layer]
    readers: dict[str, list[Layer]]  # the layers that read each layer

    @property
    def names(self) -> dict[str, Any]:
        """The names of its layers, as a spec may have them."""
        return dict.fromkeys(identifier(name) for name in self.by_name)


def _model(
    name: str,
    config: Config,
    layers: tuple[Layer, ...],
    calls: dict[str, tuple[Call, ...]],
    inputs: Any,
    outputs: Any,
) -> Model:
    by_name = {layer.name: layer for layer in layers}
    readers: dict[str, list[Layer]] = {}
    for reader, given in calls.items():
        for ref in flat([(call.args, call.kwargs) for call in given]):
            readers.setdefault(ref.layer, []).append(by_name[reader])
    return Model(name, config, layers, calls, inputs, outputs, by_name, readers)


def parse_model(data: Any, config: Config, depth: int = 0) -> Model:
    """Return the model of a config; refuse one that is neither functional nor sequential."""
    kind = data.get("class_name") if isinstance(data, dict) else None
    inner = data.get("config") if isinstance(data, dict) else None
    if kind not in MODELS or not isinstance(inner, dict) or "layers" not in inner:
        help = "a subclass of keras.Model has no config of its layers: rebuild it as a functional model"
        what = f"this is a {kind}" if isinstance(kind, str) else "this is no model of Keras"
        config.refuse(
            "wrong-type", f"{what}, not a functional or sequential model of Keras 3", help=help
        )
    if depth > MAX_DEPTH:
        config.refuse("too-large", f"more than {MAX_DEPTH} models are nested in each other")
    entries = inner["layers"]
    if not isinstance(entries, list) or len(entries) > MAX_LAYERS or not entries:
        config.refuse("wrong-type", "`layers` must be a list of layers")
    name = inner.get("name") if isinstance(inner.get("name"), str) else "model"
    layers = tuple(_layer(entry, config) for entry in entries)
    names = [layer.name for layer in layers]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        config.refuse("duplicate-name", f"two layers are called {twice!r}", twice)
    if kind == "Sequential":
        return _sequential(str(name), config, layers, inner)
    calls = {
        layer.name: tuple(_calls(layer, entry))
        for layer, entry in zip(layers, entries, strict=True)
    }
    inputs = _ends(inner.get("input_layers"), config, "input_layers")
    outputs = _ends(inner.get("output_layers"), config, "output_layers")
    models = {one.name for one in layers if one.kind in ("Functional", "Model")}
    return _model(str(name), config, layers, calls, inputs, _counted(outputs, models))


def _counted(ends: Any, models: Collection[str]) -> Any:
    """Return the outputs with all calls counted from 0; Keras counts a functional model's from 1 here."""
    if isinstance(ends, Ref):
        return ends._replace(call=ends.call - 1) if ends.layer in models else ends
    if isinstance(ends, dict):
        return {name: _counted(item, models) for name, item in ends.items()}
    return [_counted(item, models) for item in ends]


def _layer(entry: Any, config: Config) -> Layer:
    """Return the layer of an entry of `layers`, or of the layer that a wrapper holds."""
    if not isinstance(entry, dict) or not isinstance(entry.get("class_name"), str):
        config.refuse("wrong-type", "an entry of `layers` is not a layer of Keras 3")
    options = entry.get("config")
    if not isinstance(options, dict):
        options = {}
    name = entry.get("name", options.get("name"))
    module = entry.get("module")
    built = entry.get("build_config")
    if not isinstance(name, str):
        config.refuse("missing-key", f"a {entry['class_name']} has no name")
    return Layer(
        name,
        entry["class_name"],
        module if isinstance(module, str) else "",
        options,
        built if isinstance(built, dict) else {},
        entry,
        config,
    )


def wrapped(layer: Layer, key: str) -> Layer:
    """Return the layer that a wrapper holds under this key of its config."""
    return _layer(layer.options.get(key), layer.file)


def _calls(layer: Layer, entry: dict[str, Any]) -> list[Call]:
    nodes = entry.get("inbound_nodes", [])
    if not isinstance(nodes, list):
        layer.refuse("wrong-type", "`inbound_nodes` must be a list")
    found = []
    for node in nodes:
        if not isinstance(node, dict) or not isinstance(node.get("args"), list):
            help = "load the model with Keras 3 and save it again"
            layer.refuse("wrong-type", "the calls are not those of Keras 3", help=help)
        kwargs = node.get("kwargs")
        kwargs = kwargs if isinstance(kwargs, dict) else {}
        found.append(
            Call(
                tuple(_argument(item, layer) for item in node["args"]),
                {str(key): _argument(item, layer) for key, item in kwargs.items()},
            )
        )
    return found


def _argument(item: Any, layer: Layer) -> Any:
    """Return an argument of a call with `Ref`s in place of tensors."""
    if isinstance(item, list):
        return [_argument(inner, layer) for inner in item]
    if not isinstance(item, dict):
        return item
    if item.get("class_name") != "__keras_tensor__":
        if set(item) & {"class_name", "module"}:
            return item  # a constant, a dtype or a slice, for the rule to read
        return {str(key): _argument(inner, layer) for key, inner in item.items()}
    config = item.get("config")
    history = config.get("keras_history") if isinstance(config, dict) else None
    ref = _ref(history)
    if ref is None or not isinstance(config, dict):
        layer.refuse("wrong-type", "a tensor of a call has no keras_history")
    shape, dtype = config.get("shape"), config.get("dtype")
    dims = tuple(shape) if isinstance(shape, list) else None
    if dims is not None and not all(size is None or type(size) is int for size in dims):
        dims = None
    return ref._replace(shape=dims, dtype=dtype if isinstance(dtype, str) else "float32")


def _ref(history: Any) -> Ref | None:
    if isinstance(history, list) and [type(part) for part in history] == [str, int, int]:
        return Ref(*history)
    return None


def _ends(given: Any, config: Config, key: str) -> Any:
    """Return the inputs or outputs of a model: a ref, a list or a dict."""
    ref = _ref(given)
    if ref is not None:
        return ref
    if isinstance(given, list) and given:
        return [_ends(item, config, key) for item in given]
    if isinstance(given, dict) and given:
        return {str(name): _ends(item, config, key) for name, item in given.items()}
    config.refuse("wrong-type", f"`{key}` must list tensors of layers")


def _sequential(
    name: str, config: Config, layers: tuple[Layer, ...], options: dict[str, Any]
) -> Model:
    """Return the model of a chain of layers, with an input layer if the file has none."""
    if layers[0].kind != "InputLayer":
        shape = options.get("build_input_shape") or layers[0].built.get("input_shape")
        start = "input" if all(layer.name != "input" for layer in layers) else f"{name}_input"
        entry = {"batch_shape": shape, "name": start, "dtype": "float32"}
        first = Layer(start, "InputLayer", "keras.layers", entry, {}, entry, config)
        layers = (first, *layers)
    refs = [Ref(layer.name, 0, 0) for layer in layers]
    calls: dict[str, tuple[Call, ...]] = {refs[0].layer: (Call((), {}),)}
    for before, ref in pairwise(refs):
        calls[ref.layer] = (Call((before,), {}),)
    return _model(name, config, layers, calls, refs[0], refs[-1])


def flat(structure: Any) -> list[Ref]:
    """Return the refs in an argument or in the ends of a model, in order."""
    if isinstance(structure, Ref):
        return [structure]
    if isinstance(structure, dict):
        return [ref for item in structure.values() for ref in flat(item)]
    if isinstance(structure, list | tuple):
        return [ref for item in structure for ref in flat(item)]
    return []
