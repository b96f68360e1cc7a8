"""LSTM, GRU and SimpleRNN, alone or in both directions."""

from __future__ import annotations

from functools import partial
from typing import Any

from mimgraph.importer.foreign.keras import arrays
from mimgraph.importer.foreign.keras.config import wrapped
from mimgraph.importer.foreign.keras.options import Layer
from mimgraph.importer.foreign.keras.rules import Unsupported, Use, layer, mask_of, values_in
from mimgraph.importer.foreign.keras.value import Array, Value, Weight

_OURS = {"LSTM": "LSTM", "GRU": "GRU", "SimpleRNN": "RNN"}


@layer("LSTM", "GRU", "SimpleRNN")
def _recurrent(use: Use) -> Value | tuple[Value, ...]:
    own, value = use.layer, use.body.at(use.value, None)
    entry = _entry(own, value)
    if own.flag("go_backwards"):
        flip = {"layer": "Flip", "dims": 1}
        value = value._replace(source=use.body.helper(value, "reversed", flip), mask=None)
    sources: dict[str, str] | list[str] = [value.source]
    initial = [*use.values[1:], *values_in(use.kwargs.get("initial_state"))]
    fed = {"input": value.source, **_states(use, own, initial), **_lengths(use, value)}
    if len(fed) > 1:
        sources = fed
    node = use.add(entry, sources, _weights(use, own, "cell", "l0"))
    return _results(use, own, value, node, entry["hidden_size"])


def _results(
    use: Use, own: Layer, value: Value, node: str, units: int
) -> Value | tuple[Value, ...]:
    """Return the tensors that the layer returns: all steps or the last, and its states if asked."""
    last = Value(f"{node}.last", (units,))
    steps = Value(node, (value.shape[0], units), mask=value.mask)
    result = steps if own.flag("return_sequences") else last
    if not own.flag("return_state"):
        if result is last:
            use.body.nodes[node].entry["take"] = "last"
            result = last._replace(source=node)
        return result
    if own.kind != "LSTM":
        return result, last
    cells = Value(f"{node}.cell", (1, units))
    cell = use.body.helper(
        cells, "state", {"layer": "Select", "dim": 1, "index": 0}, [cells.source]
    )
    return result, last, Value(cell, (units,))


def _entry(own: Layer, value: Value) -> dict[str, Any]:
    """Return the options of the node; refuse what torch's layer does not compute."""
    if value.rank != 3:
        own.refuse("rank-mismatch", f"it takes 3 axes and is given {value.rank}")
    entry: dict[str, Any] = {"layer": _OURS[own.kind], "hidden_size": own.integer("units")}
    if not own.flag("use_bias", True):
        entry["bias"] = False
    wanted = own.options.get("activation", "tanh")
    if own.kind == "SimpleRNN" and wanted == "relu":
        entry["nonlinearity"] = "relu"
    elif wanted != "tanh":
        raise Unsupported(f"its activation is {wanted!r}, torch's is tanh")
    gates = own.options.get("recurrent_activation", "sigmoid")
    if own.kind != "SimpleRNN" and gates != "sigmoid":
        raise Unsupported(f"its recurrent_activation is {gates!r}, torch's is sigmoid")
    if own.kind == "GRU" and not own.flag("reset_after", True):
        raise Unsupported("it has reset_after=False; torch resets after the product")
    if own.flag("stateful"):
        raise Unsupported("it is stateful, and keeps its state from batch to batch")
    return entry


def _weights(use: Use, own: Layer, cell: str, suffix: str) -> dict[str, Weight]:
    """Return the weights of one direction; torch has two biases, of which Keras' LSTM has one."""
    dropped = own.number("dropout", 0.0) or own.number("recurrent_dropout", 0.0)
    if dropped:
        use.note("dropout", f"{use.layer.name} has dropout in its steps, which is left out")
    order = partial(_gates, kind=own.kind)
    kernel = use.weight(f"{cell}/vars/0", lambda array: order(array).T)
    recurrent = use.weight(f"{cell}/vars/1", lambda array: order(array).T)
    weights = {f"weight_ih_{suffix}": kernel, f"weight_hh_{suffix}": recurrent}
    if own.flag("use_bias", True):
        bias = f"{cell}/vars/2"
        both = own.kind == "GRU"
        weights[f"bias_ih_{suffix}"] = use.weight(
            bias, lambda array: order(array[0] if both else array)
        )
        second = use.weight(bias, lambda array: order(array[1]) if both else arrays.zeros(array))
        weights[f"bias_hh_{suffix}"] = second._replace(is_theirs=both)
    return weights


def _gates(array: Array, kind: str) -> Array:
    """Return the last axis with torch's order of the gates: a GRU's reset gate comes first."""
    if kind != "GRU":
        return array
    import numpy as np

    update, reset, new = np.split(array, 3, -1)
    return np.concatenate([reset, update, new], -1)


def _states(use: Use, own: Layer, initial: list[Value]) -> dict[str, str]:
    """Return the sources of the initial states."""
    if not initial:
        return {}
    names = ["hidden", "cell"] if own.kind == "LSTM" else ["state"]
    if len(initial) != len(names):
        own.refuse("wrong-arity", f"it has {len(names)} initial states and is given {len(initial)}")
    return {name: use.body.plain(value).source for name, value in zip(names, initial, strict=True)}


def _lengths(use: Use, value: Value) -> dict[str, str]:
    """Return the source of the lengths, where a mask says which steps count."""
    mask = mask_of(use, value)
    if mask is None:
        return {}
    message = (
        f"{use.layer.name} skips masked steps; the spec does so at the end of a text only, as "
        "pad_sequences(padding='post') pads, and not in a text without any step"
    )
    use.note("mask", message)
    masked = Value(mask, value.shape[:1], "bool")
    return {"lengths": use.body.helper(masked, "lengths", {"layer": "Sum", "dim": 1}, [mask])}


@layer("Bidirectional")
def _bidirectional(use: Use) -> Value | tuple[Value, ...]:
    own = wrapped(use.layer, "layer")
    if own.kind not in _OURS or not own.is_keras or own.flag("return_state") or len(use.values) > 1:
        raise Unsupported("it is not of one LSTM, GRU or SimpleRNN, or gives or takes its states")
    back = own
    if isinstance(use.layer.options.get("backward_layer"), dict):
        back = wrapped(use.layer, "backward_layer")
    same = ("units", "activation", "recurrent_activation", "use_bias", "reset_after")
    if back.kind != own.kind or any(back.options.get(k) != own.options.get(k) for k in same):
        raise Unsupported("its backward_layer has other options than its layer")
    value = use.body.at(use.value, None)
    mode = use.layer.options.get("merge_mode", "concat")
    entry = {**_entry(own, value), "bidirectional": True}
    sequences = own.flag("return_sequences")
    if not sequences:
        entry["take"] = "last"
    weights = _weights(use, own, "forward_layer/cell", "l0")
    weights |= _weights(use, back, "backward_layer/cell", "l0_reverse")
    lengths = _lengths(use, value)
    sources: Any = {"input": value.source, **lengths} if lengths else [value.source]
    units = entry["hidden_size"]
    steps = value.shape[:1] if sequences else ()
    if mode == "concat":
        both = use.add(entry, sources, weights)
        return Value(both, (*steps, 2 * units), mask=value.mask if sequences else None)
    both = use.add(entry, sources, weights, "_both")
    return _merged(use, both, mode, (*steps, units))


def _merged(use: Use, both: str, mode: Any, shape: tuple[Any, ...]) -> Value | tuple[Value, ...]:
    """Return the two directions joined: their sum, product or mean, or both."""
    halves = use.add({"layer": "Chunk", "chunks": 2, "dim": -1}, [both], suffix="_halves")
    sources = [f"{halves}.0", f"{halves}.1"]
    if mode is None:
        return Value(sources[0], shape), Value(sources[1], shape)
    merges = {"sum": "add", "mul": "multiply", "ave": "average"}
    if not isinstance(mode, str) or mode not in merges:
        use.layer.refuse("bad-option", f"merge_mode {mode!r} is not one of Keras'")
    return Value(use.add({"merge": merges[mode]}, sources), shape)
