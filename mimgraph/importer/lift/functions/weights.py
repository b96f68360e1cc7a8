"""Lift functions of weights, such as `F.linear`: to the layer that owns the weights, else to merges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

from mimgraph.importer.draft import Op, Port, Share
from mimgraph.importer.lift.collapse import COUNT, own_keys, owner
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.formula import add_formula, broadcast, formula
from mimgraph.importer.lift.functions.table import lifts
from mimgraph.importer.lift.options import is_default
from mimgraph.importer.trace.records import Step, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter

_LETTERS = "nabcdefg"


def add_layer(
    body: BodyLifter,
    step: Step,
    layer: str,
    inputs: list[Value],
    weights: dict[str, Value | None],
    options: dict[str, Any],
) -> bool:
    """Add the layer whose weights these are; return False if no module has just these."""
    given = {name: one for name, one in weights.items() if one is not None}
    path = _owner(body, given)
    if path is None:
        return False
    op = Op("layer", layer, _changed(layer, options))
    prefix = f"{body.call.path}." if body.call.path else ""
    attribute = path[len(prefix) :]
    first = body.nodes_by_path.get(path)
    if first is not None and first.operation != op:
        return False
    if first is None and path in body.lifter.layers:
        return False  # another body has it
    sources: list[Value | Port] = [*inputs]
    node = body.checked(step, op, sources, attribute.replace(".", "_"))
    if first is not None:
        node.operation = Share(first)
    else:
        node.attribute, node.path = attribute, path
        body.nodes_by_path[path] = node
    body.result(step, Port(node))
    return True


def _owner(body: BodyLifter, weights: dict[str, Value]) -> str | None:
    """Return the path of the module that has these weights by these names, and no others."""
    prefix = f"{body.call.path}." if body.call.path else ""
    path = next((one.path.rpartition(".")[0] for one in weights.values()), "")
    if any(not one.is_weight or one.path != f"{path}.{name}" for name, one in weights.items()):
        return None
    if not path.startswith(prefix) or path == body.call.path:
        return None
    module = body.lifter.model.get_submodule(path)
    return path if owner([*weights.values()], module, path) else None


def _changed(layer: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options without their defaults; one number for several equal ones."""
    found = dict[str, Any]()
    for name, value in options.items():
        if isinstance(value, tuple | list):
            value = value[0] if all(one == value[0] for one in value) else [*value]
        if not is_default(layer, name, value):
            found[name] = value
    return found


def _refuse(step: Step) -> None:
    message = f"{step.function} of weights that no layer of a spec has"
    raise CannotLift("weight", message, place=step.place)


@lifts("linear")
def linear(
    body: BodyLifter, step: Step, input: Value, weight: Value, bias: Value | None = None
) -> None:
    """Add a Linear, or the product with any tensor."""
    options = {"out_features": weight.shape[0], "bias": bias is not None}
    if weight.rank == 2 and add_layer(
        body, step, "Linear", [input], {"weight": weight, "bias": bias}, options
    ):
        return
    if weight.rank != 2 or weight.is_batched:
        _refuse(step)
    lead = " ".join(_LETTERS[: input.rank - 1])
    op = Op("merge", "einsum", {"equation": f"{lead} x, y x -> {lead} y"})
    port = body.intermediate(step, op, [input, weight], body.name_of(step, "product"))
    if bias is None:
        body.result(step, port)
    else:
        body.merge(step, "add", [port, bias], "sum", broadcast=True)


@lifts("bilinear")
def bilinear(
    body: BodyLifter,
    step: Step,
    input1: Value,
    input2: Value,
    weight: Value,
    bias: Value | None = None,
) -> None:
    options = {"out_features": weight.shape[0], "bias": bias is not None}
    weights = {"weight": weight, "bias": bias}
    if not add_layer(body, step, "Bilinear", [input1, input2], weights, options):
        _refuse(step)


@lifts("conv1d", "conv2d", "conv3d")
def conv(
    body: BodyLifter,
    step: Step,
    input: Value,
    weight: Value,
    bias: Value | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> None:
    options = {
        "out_channels": weight.shape[0],
        "kernel_size": weight.shape[2:],
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
        "bias": bias is not None,
    }
    layer = step.function.capitalize()
    weights = {"weight": weight, "bias": bias}
    if input.rank != weight.rank or not add_layer(body, step, layer, [input], weights, options):
        _refuse(step)


@lifts("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def conv_transpose(
    body: BodyLifter,
    step: Step,
    input: Value,
    weight: Value,
    bias: Value | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> None:
    options = {
        "out_channels": weight.shape[1] * groups,
        "kernel_size": weight.shape[2:],
        "stride": stride,
        "padding": padding,
        "output_padding": output_padding,
        "groups": groups,
        "bias": bias is not None,
        "dilation": dilation,
    }
    layer = f"ConvTranspose{step.function[-2:]}"
    weights = {"weight": weight, "bias": bias}
    if input.rank != weight.rank or not add_layer(body, step, layer, [input], weights, options):
        _refuse(step)


@lifts("layer_norm", "rms_norm")
def norm(
    body: BodyLifter,
    step: Step,
    input: Value,
    normalized_shape: Any,
    weight: Value | None = None,
    bias: Any = None,
    eps: Any = 1e-5,
    cudnn_enable: bool = True,
) -> None:
    """Add a norm over the last axes; weights of other names scale and shift it in a formula."""
    is_rms = step.function == "rms_norm"
    if is_rms and not isinstance(bias, Value):  # rms_norm(input, shape, weight, eps)
        bias, eps = None, bias if bias is not None else None if eps == 1e-5 else eps
    layer = "RMSNorm" if is_rms else "LayerNorm"
    shape = [*normalized_shape]
    options: dict[str, Any] = {"eps": eps}
    if len(shape) > 1:
        options["normalized_shape"] = shape
    if not is_rms and weight is not None and bias is None:
        options["bias"] = False
    weights: dict[str, Value | None] = {"weight": weight, "bias": bias}
    if weight is not None and add_layer(body, step, layer, [input], weights, options):
        return
    options = _changed(layer, options) | {"elementwise_affine": False}
    options.pop("bias", None)
    _scaled(body, step, Op("layer", layer, options), input, weight, bias)


def _scaled(
    body: BodyLifter, step: Step, op: Op, input: Value, weight: Value | None, bias: Value | None
) -> None:
    """Add a norm without weights, and the formula that scales and shifts its result."""
    port = body.intermediate(step, op, [input], "normed")
    if weight is None and bias is None:
        return body.result(step, port)
    text = "a" if weight is None else "a * w"
    text = text if bias is None else f"{text} + b"
    given: dict[str, Any] = {"a": port, "w": weight, "b": bias}
    add_formula(body, step, text, "", **{k: one for k, one in given.items() if one is not None})


@lifts("group_norm")
def group_norm(
    body: BodyLifter,
    step: Step,
    input: Value,
    num_groups: int,
    weight: Value | None = None,
    bias: Value | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> None:
    options = {"num_groups": num_groups, "eps": eps}
    if weight is None and bias is None:
        body.layer(
            step, "GroupNorm", input, "normed", **_changed("GroupNorm", options), affine=False
        )
    elif not add_layer(body, step, "GroupNorm", [input], {"weight": weight, "bias": bias}, options):
        _refuse(step)


@lifts("batch_norm", "instance_norm")
def batch_norm(
    body: BodyLifter,
    step: Step,
    input: Value,
    running_mean: Value | None = None,
    running_var: Value | None = None,
    weight: Value | None = None,
    bias: Value | None = None,
    training: bool = False,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
    use_input_stats: bool = True,
    cudnn_enabled: bool = True,
) -> None:
    """Add a norm of the dimensions of its input; it computes what it does in training by itself."""
    axes = max(input.rank - 2, 1)
    is_instance = step.function.startswith("instance")
    layer = f"{'Instance' if is_instance else 'Batch'}Norm{axes}d"
    tracked = running_mean is not None
    options = {
        "eps": eps,
        "momentum": momentum,
        "affine": weight is not None,
        "track_running_stats": tracked,
    }
    weights = {
        "running_mean": running_mean,
        "running_var": running_var,
        "weight": weight,
        "bias": bias,
    }
    if weight is None and bias is None and not tracked:
        body.layer(step, layer, input, "normed", **_changed(layer, options))
        return
    if training and tracked and not is_instance:
        raise CannotLift("weight", "batch_norm that never uses its statistics", place=step.place)
    if _lacks_count(body, running_mean) or not add_layer(
        body, step, layer, [input], weights, options
    ):
        _refuse(step)


def _lacks_count(body: BodyLifter, statistics: Value | None) -> bool:
    """Return whether running statistics belong to a module that does not count its batches."""
    if statistics is None:
        return False
    module: nn.Module = body.lifter.model.get_submodule(statistics.path.rpartition(".")[0])
    return COUNT not in own_keys(module)


@lifts("embedding")
def embedding(
    body: BodyLifter,
    step: Step,
    input: Value,
    weight: Value,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> None:
    """Add an Embedding, or take rows of any table."""
    options = {
        "num_embeddings": weight.shape[0],
        "embedding_dim": weight.shape[1],
        "padding_idx": padding_idx if padding_idx != -1 else None,
        "max_norm": max_norm,
        "norm_type": norm_type,
        "scale_grad_by_freq": scale_grad_by_freq,
        "sparse": sparse,
    }
    if add_layer(body, step, "Embedding", [input], {"weight": weight}, options):
        return
    if max_norm is not None:
        _refuse(step)
    sources = {"input": weight, "index": input}
    if padding_idx is None or options["padding_idx"] is None:
        body.merge(step, "take", sources, "taken")
    else:
        taken = body.intermediate(step, Op("merge", "take"), sources, "taken")
        _without_padding(body, step, input, taken, padding_idx % weight.shape[0])


def _without_padding(
    body: BodyLifter, step: Step, input: Value, taken: Port, padding_idx: int
) -> None:
    """Add what stops the gradients of the rows that were taken for the padding."""
    found = formula(body, step, "index == number", "is_padding", index=input, number=padding_idx)
    is_padding = body.intermediate(step, Op("layer", "Unsqueeze", {"dim": input.rank}), [found])
    fixed = body.intermediate(step, Op("layer", "Detach"), [taken], "fixed")
    sources = {"condition": is_padding, "input": fixed, "other": taken}
    body.merge(step, "where", sources, "chosen", **broadcast(body, is_padding, taken))


@lifts("prelu")
def prelu(body: BodyLifter, step: Step, input: Value, weight: Value) -> None:
    count = weight.shape[0] if weight.rank else 1
    if not add_layer(body, step, "PReLU", [input], {"weight": weight}, {"num_parameters": count}):
        _refuse(step)
