"""Lift MultiheadAttention and the transformers of torch.nn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

import torch.nn.functional as F
from torch import nn

from mimgraph.importer.draft import Op, Port
from mimgraph.importer.lift.batch_axis import batch_first, bind_sequence
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.fixed import is_causal_mask
from mimgraph.importer.lift.leaves.attributes import layer_options
from mimgraph.importer.lift.leaves.table import (
    arguments,
    layer_name,
    lifts_class,
    refuse_arguments,
)
from mimgraph.importer.lift.options import is_default
from mimgraph.importer.trace.records import Call

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter

ACTIVATIONS = {F.relu: "relu", F.gelu: "gelu"}


@lifts_class("MultiheadAttention")
def multihead_attention(body: BodyLifter, call: Call) -> None:
    module: Any = call.module
    given = arguments(call)
    averaged = given.pop("average_attn_weights", True)
    given.pop("need_weights", None)
    options = layer_options(module, "MultiheadAttention")
    options |= {"bias": False} if module.in_proj_bias is None else {}
    options |= {"add_bias_kv": True} if module.bias_k is not None else {}
    query, key, value = (given.pop(name) for name in ("query", "key", "value"))
    sources = {"query": query}
    if key is not query or value is not query:
        sources["key"] = key
    if value is not key:
        sources["value"] = value
    read = {n: batch_first(body, call, v, module.batch_first) for n, v in sources.items()}
    read |= _masks(body, call, given, {"attn_mask": "is_causal"}, options)
    output, *weights = call.results
    if weights and body.lifter.uses[id(weights[0])] and not averaged:
        options["average_attn_weights"] = False
    node = _add(body, call, Op("layer", "MultiheadAttention", options), read)
    bind_sequence(body, call, output, node, module.batch_first)
    for value in weights:
        body.bind(value, node._replace(name="weights"))


def _add(body: BodyLifter, call: Call, op: Op, read: Mapping[str, Port]) -> Port:
    """Add the node of a layer, and return its first result."""
    return Port(body.module_node(call, op, [*read.values()] if len(read) == 1 else read))


def _masks(
    body: BodyLifter,
    call: Call,
    given: dict[str, Any],
    hints: Mapping[str, str],
    options: dict[str, Any],
) -> dict[str, Port]:
    """Take the masks out of the arguments that are left, and return their ports.

    A causal mask becomes the option that says so; `hints` has the names of both.
    """
    read = dict[str, Port]()
    for name, hint in hints.items():
        mask, causal = given.pop(name, None), given.pop(hint, None)
        if mask is not None and is_causal_mask(mask):
            options[hint] = True
        elif mask is not None and (causal or mask.rank != 2 or mask.is_batched):
            message = f"{layer_name(call.module)} is given {name} that is not one for all samples"
            raise CannotLift("arguments", message, call, call.place)
        elif mask is not None:
            read[name] = body.source(mask)
    for name in [name for name in given if name.endswith("key_padding_mask")]:
        read[name] = body.source(given.pop(name))
    refuse_arguments(call, given)
    return read


# --- transformers ---------------------------------------------------------------------------------


@lifts_class("TransformerEncoderLayer")
def encoder_layer(body: BodyLifter, call: Call) -> None:
    options = _layer_options([call.module])
    _transformer(body, call, ["src"], {"src_mask": "is_causal"}, options)


@lifts_class("TransformerDecoderLayer")
def decoder_layer(body: BodyLifter, call: Call) -> None:
    options = _layer_options([call.module])
    _transformer(body, call, ["tgt", "memory"], _DECODER_HINTS, options)


@lifts_class("TransformerEncoder")
def encoder(body: BodyLifter, call: Call) -> None:
    options = _stack_options(call.module, nn.TransformerEncoderLayer)
    for name in ("enable_nested_tensor", "mask_check"):
        options |= {} if getattr(call.module, name) else {name: False}
    _transformer(body, call, ["src"], {"mask": "is_causal"}, options)


@lifts_class("TransformerDecoder")
def decoder(body: BodyLifter, call: Call) -> None:
    options = _stack_options(call.module, nn.TransformerDecoderLayer)
    _transformer(body, call, ["tgt", "memory"], _DECODER_HINTS, options)


@lifts_class("Transformer")
def transformer(body: BodyLifter, call: Call) -> None:
    module = call.module
    stacks = {"encoder": nn.TransformerEncoderLayer, "decoder": nn.TransformerDecoderLayer}
    counts, kinds = dict[str, int](), list[dict[str, Any]]()
    for name, cls in stacks.items():
        options = _stack_options(getattr(module, name), cls)
        if options.pop("norm", None) is None:
            raise CannotLift("option", f"a Transformer with an {name} of no norm", call)
        counts[f"num_{name}_layers"] = options.pop("num_layers")
        kinds.append(options)
    if kinds[0] != kinds[1]:
        raise CannotLift("option", "a Transformer with unlike encoder and decoder", call)
    counts = {n: v for n, v in counts.items() if not is_default("Transformer", n, v)}
    nhead = {"nhead": kinds[0].pop("nhead", 8)}
    nhead = {n: v for n, v in nhead.items() if not is_default("Transformer", n, v)}
    _transformer(body, call, ["src", "tgt"], _HINTS, {**nhead, **counts, **kinds[0]})


_DECODER_HINTS = {"tgt_mask": "tgt_is_causal", "memory_mask": "memory_is_causal"}
_HINTS = {"src_mask": "src_is_causal", **_DECODER_HINTS}


def _transformer(
    body: BodyLifter,
    call: Call,
    sequences: Iterable[str],
    hints: Mapping[str, str],
    options: dict[str, Any],
) -> None:
    """Add a transformer, or a part of one, with its masks."""
    given = arguments(call)
    is_first = next(one.batch_first for one in call.module.modules() if _is_attention(one))
    read = {name: batch_first(body, call, given.pop(name), is_first) for name in sequences}
    read |= _masks(body, call, given, hints, options)
    node = _add(body, call, Op("layer", layer_name(call.module), options), read)
    (output,) = call.results
    bind_sequence(body, call, output, node, is_first)


def _is_attention(module: nn.Module) -> TypeGuard[nn.MultiheadAttention]:
    return isinstance(module, nn.MultiheadAttention)


def _stack_options(stack: Any, cls: type[nn.Module]) -> dict[str, Any]:
    """Return the options of a stack of layers of this class."""
    layers = [*stack.layers]
    if not layers or any(type(one).forward is not cls.forward for one in layers):
        raise CannotLift("option", f"a stack of other layers than {cls.__name__}")
    options = _layer_options(layers)
    options["num_layers"] = len(layers)
    if stack.norm is not None:
        eps = options.get("layer_norm_eps", 1e-5)
        bias = options.get("bias", True)
        norm = stack.norm
        if type(norm) is not nn.LayerNorm or norm.eps != eps or (norm.bias is not None) != bias:
            raise CannotLift("option", "a stack whose norm is unlike those of its layers")
        options["norm"] = "LayerNorm"
    return options


def _layer_options(layers: list[nn.Module]) -> dict[str, Any]:
    """Return the options of layers of a transformer, which must be alike."""
    first, *others = map(_config, layers)
    if any(one != first for one in others):
        raise CannotLift("option", "a stack of unlike layers")
    name = layer_name(layers[0])
    return {option: value for option, value in first.items() if not is_default(name, option, value)}


def _config(layer: Any) -> dict[str, Any]:
    """Return the options that a layer was made with."""
    rates = {one.p for one in layer.modules() if isinstance(one, nn.Dropout)}
    rates |= {one.dropout for one in layer.modules() if isinstance(one, nn.MultiheadAttention)}
    epsilons = {one.eps for one in layer.modules() if isinstance(one, nn.LayerNorm)}
    activation = layer.activation
    if (
        type(activation) in (nn.ReLU, nn.GELU)
        and getattr(activation, "approximate", "none") == "none"
    ):
        activation = {nn.ReLU: F.relu, nn.GELU: F.gelu}[type(activation)]
    if activation not in ACTIVATIONS or len(rates) != 1 or len(epsilons) != 1:
        raise CannotLift("option", "a layer of a transformer with other parts than torch's own")
    return {
        "nhead": layer.self_attn.num_heads,
        "dim_feedforward": layer.linear1.out_features,
        "dropout": rates.pop(),
        "activation": ACTIVATIONS[activation],
        "layer_norm_eps": epsilons.pop(),
        "norm_first": layer.norm_first,
        "bias": layer.linear1.bias is not None,
    }
