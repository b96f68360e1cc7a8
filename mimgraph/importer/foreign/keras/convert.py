"""Turn a model into the nodes of a body: each call of a layer by its rule, after what it reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mimgraph.importer.foreign.keras import rules
from mimgraph.importer.foreign.keras.axes import wanted_channel
from mimgraph.importer.foreign.keras.body import Body, Shared
from mimgraph.importer.foreign.keras.companion import opaque
from mimgraph.importer.foreign.keras.config import MODELS, Call, Model, Ref, flat, parse_model
from mimgraph.importer.foreign.keras.options import Layer
from mimgraph.importer.foreign.keras.rules import Unsupported, Use, values_in
from mimgraph.importer.foreign.keras.spec import as_block
from mimgraph.importer.foreign.keras.value import Value

Key = tuple[str, int]  # a call of a layer


class Item(NamedTuple):
    """A call of a layer, by its number."""

    layer: Layer
    number: int
    call: Call

    @property
    def key(self) -> Key:
        """The name of the layer and the number of the call."""
        return self.layer.name, self.number


def convert(model: Model, body: Body, path: str, given: Mapping[str, Value]) -> list[Value]:
    """Add the nodes of a model to a body, and return the values of its outputs, in order.

    `path` is that of the model in the file of weights, `given` has the values of its input layers.
    """
    paths, shapes = weight_paths(model, path), _shapes_read(model)
    found: dict[Key, tuple[Value, ...]] = {}
    weighted: dict[str, list[str]] = {}
    for item in _in_order(model):
        layer = item.layer
        if layer.kind == "InputLayer":
            if layer.name not in given:
                layer.refuse("unused-input", "it is not among the inputs of its model")
            found[item.key] = (given[layer.name],)
            continue
        several = len(model.calls[layer.name]) > 1
        args, kwargs = (_filled(part, found, layer) for part in item.call)
        if several:
            args, kwargs = (_plain(part, body) for part in (args, kwargs))
        use = Use(layer, paths[layer.name], tuple(args), kwargs, body, shapes.get(item.key, ()))
        before = len(body.nodes)
        body.shares = iter(weighted[layer.name]) if layer.name in weighted else None
        found[item.key] = result(use)
        body.shares = None
        new = list(body.nodes.values())[before:] if several else []
        weighted.setdefault(layer.name, [node.name for node in new if node.weights])
    outputs = flat(model.outputs)
    for ref in outputs:
        if ref.layer not in model.calls:
            message = f"no layer is called {ref.layer!r}, which an output names"
            model.config.refuse("unknown-source", message)
    return [_filled(ref, found, model.by_name[ref.layer]) for ref in outputs]


def result(use: Use) -> tuple[Value, ...]:
    """Return the results of a call: by the rule of the layer, of a model in the model, or opaque."""
    try:
        if use.layer.kind in MODELS and use.layer.is_keras and "layers" in use.layer.options:
            model = parse_model(use.layer.entry, use.layer.file, use.path.count("/layers/") + 1)
            return nested(use, model, f"{use.path}/", use.args)
        rule = rules.find(use.layer)
        if rule is None:
            raise Unsupported("")
        result = rule(use)
    except Unsupported as why:
        return opaque(use, str(why))
    return result if isinstance(result, tuple) and not isinstance(result, Value) else (result,)


def nested(use: Use, model: Model, path: str, args: Any) -> tuple[Value, ...]:
    """Add a model as a node that uses a block, and return its results."""
    inner = inner_body(use, model.names)
    refs = flat(model.inputs)
    given, fed = {}, {}
    for ref, value in zip(refs, _by_input(use, model, args, len(refs)), strict=True):
        if value.mask:
            use.note("mask", f"{use.layer.name} does not skip the masked steps of its input")
        value = use.body.at(value, wanted_channel(model, ref.layer, value.rank))
        name = inner.add_input(ref.layer, {})
        given[ref.layer] = value._replace(source=name, mask=None)
        fed[name] = value.source
    results = convert(model, inner, path, given)
    if not inner.nodes:
        return tuple(value._replace(source=fed[value.source]) for value in results)
    ports, block, written = as_block(inner, results)
    is_shared = use.body.shares is not None and bool(written.weights)
    block_name = "" if is_shared else use.body.shared.block(use.layer.name, block)
    node = use.add(
        {"block": block_name}, fed if len(fed) > 1 else list(fed.values()), written.weights
    )
    if not is_shared:
        use.body.notes += [note._replace(node=_inside(node, note.node)) for note in written.notes]
    return tuple(
        value._replace(source=f"{node}.{port}" if len(results) > 1 else node)
        for port, value in zip(ports, results, strict=True)
    )


def inner_body(use: Use, names: dict[str, Any]) -> Body:
    """Return a body for the inside of a layer; a call that shares weights leaves no new blocks."""
    shared = use.body.shared
    if use.body.shares is not None:
        shared = Shared(shared.config, dict(shared.blocks))
    return Body(shared, names)


def _inside(node: str, inner: str) -> str:
    return f"{node}.{inner}" if inner else ""


def _by_input(use: Use, model: Model, args: Any, count: int) -> list[Value]:
    """Return the value for each input of a model that is called: by name, else by position."""
    (structure, *more) = args or [None]
    by_name = isinstance(structure, dict) and isinstance(model.inputs, dict) and not more
    if by_name and model.inputs.keys() <= structure.keys():
        structure = [structure[name] for name in model.inputs]
    values = values_in([structure, *more])
    if len(values) != count:
        use.layer.refuse("wrong-arity", f"it has {count} inputs and is given {len(values)}")
    return values


def weight_paths(model: Model, path: str) -> dict[str, str]:
    """Return the path of each layer in the file of weights: Keras counts the layers of each class."""
    used: dict[str, int] = {}
    found = {}
    for layer in model.layers:
        name = _snake(layer.kind)
        if layer.is_operation:
            found[layer.name] = ""
            continue
        used[name] = used.get(name, -1) + 1
        number = f"_{used[name]}" if used[name] else ""
        found[layer.name] = f"{path}layers/{name}{number}"
    return found


def _snake(name: str) -> str:
    """Return `max_pooling2d` for `MaxPooling2D`, as Keras does."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _in_order(model: Model) -> Iterator[Item]:
    """Yield the calls in the order of the file, but each after those whose results it reads."""
    done: set[Key] = set()
    waiting: dict[Key, list[Item]] = {}
    for layer in model.layers:
        for number, call in enumerate(model.calls[layer.name] or [Call((), {})]):
            ready = [Item(layer, number, call)]
            while ready:
                item = ready.pop()
                reads = ((ref.layer, ref.call) for ref in flat([item.call.args, item.call.kwargs]))
                missing = next((key for key in reads if key not in done), None)
                if missing is not None:
                    waiting.setdefault(missing, []).append(item)
                    continue
                yield item
                done.add(item.key)
                ready.extend(reversed(waiting.pop(item.key, [])))
    for (name, _), items in waiting.items():
        items[0].layer.refuse(
            "unknown-source", f"it reads {name!r}, which no layer before it gives"
        )


def _filled(part: Any, found: Mapping[Key, tuple[Value, ...]], layer: Layer) -> Any:
    """Return arguments with values in place of refs."""
    if isinstance(part, Ref):
        results = found.get((part.layer, part.call), ())
        if not 0 <= part.port < len(results):
            layer.refuse("unknown-port", f"{part.layer} has no result {part.port}")
        return results[part.port]
    if isinstance(part, dict):
        return {name: _filled(item, found, layer) for name, item in part.items()}
    if isinstance(part, list | tuple):
        return [_filled(item, found, layer) for item in part]
    return part


def _plain(part: Any, body: Body) -> Any:
    """Return arguments whose flat values have Keras' order, as calls that share weights need."""
    if isinstance(part, Value):
        return body.plain(part)
    if isinstance(part, dict):
        return {name: _plain(item, body) for name, item in part.items()}
    return [_plain(item, body) for item in part] if isinstance(part, list) else part


def _shapes_read(model: Model) -> dict[Key, tuple[tuple[int | None, ...] | None, ...]]:
    """Return the shapes of results by call, as the layers that read them say."""
    found: dict[Key, dict[int, tuple[int | None, ...]]] = {}
    for calls in model.calls.values():
        for ref in flat([part for call in calls for part in (call.args, call.kwargs)]):
            if ref.shape is not None:
                found.setdefault((ref.layer, ref.call), {})[ref.port] = ref.shape
    return {
        key: tuple(shapes.get(port) for port in range(max(shapes) + 1))
        for key, shapes in found.items()
        if 0 <= max(shapes) < 1000
    }
