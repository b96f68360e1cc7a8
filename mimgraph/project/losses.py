"""Guess a loss for each output of a graph from its shape and the layer that makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mimgraph.graph import Graph
from mimgraph.ir.typed_graph import Body, TypedNode, Value
from mimgraph.ir.typed_operations import Leaf, unwrap
from mimgraph.ir.types import COMPLEX, TensorType
from mimgraph.project.samples import integers, is_of_samples, normal

if TYPE_CHECKING:
    from mimgraph.project.plan import Sizes

CONVOLUTIONS = ("Conv", "LazyConv")  # begin the names of layers with the channels first
FEATURES = {  # layers whose results are no scores of classes
    *("LayerNorm", "RMSNorm", "BatchNorm1d", "GroupNorm", "Normalize", "Tanh", "ReLU"),
    *("LSTM", "GRU", "RNN", "Embedding", "add", "concat"),
}


class Loss(NamedTuple):
    """The loss of an output as code, the code of its made-up target, and why it was guessed.

    There is no code if the output has no loss, and no target if the loss needs none.
    """

    output: str
    shape: str
    why: str
    code: str | None = None
    target: str | None = None
    training_only: bool = False


class Guess(NamedTuple):
    """What an output seems to be: the function of its loss, its target, and that in words.

    `{o}` stands for the output in the code, `{t}` for the target.
    """

    why: str
    code: str | None = None
    target: str | None = None


def losses(graph: Graph, sizes: Sizes) -> list[Loss]:
    """Return the loss of each output; an output that others are computed from needs none."""
    body = graph.typed.body
    learned = {name for name, type_ in body.output_types.items() if not _is_discrete(type_)}
    made_from: dict[Value, str] = {}
    for name in learned:
        for source in sources_of(body, body.outputs[name]):
            made_from.setdefault(source, name)
    found = []
    for name, type_ in body.output_types.items():
        value = body.outputs[name]
        later = made_from.get(value)
        if later and name in learned:
            guess = Guess(f"learns by the loss of {later}, which is computed from it")
        else:
            guess = _guess(type_, last_layer(body, value), sizes)
        found.append(_loss(name, type_, guess, name in body.training))
    return found


def _loss(name: str, type_: TensorType, guess: Guess, training_only: bool) -> Loss:
    output, target = f'outputs["{name}"]', f'targets["{name}"]'
    code = guess.code and guess.code.replace("{o}", output).replace("{t}", target)
    return Loss(name, str(type_.shape), guess.why, code, guess.target, training_only)


def _is_discrete(type_: TensorType) -> bool:
    return type_.is_integer or type_.dtype == "bool"


def _guess(type_: TensorType, last: str, sizes: Sizes) -> Guess:
    """Return what an output of this type seems to be, made by the layer `last`."""
    if _is_discrete(type_):
        return Guess(f"{type_.dtype}, which cannot learn")
    shape = [*type_.shape]
    if len(shape) == 2 and type_.batch_axes == (0, 1) and shape[0] == shape[1]:
        why = "every sample with every other: the right one is on the diagonal"
        return Guess(why, "diagonal({o})")
    if last == "LogSoftmax" and len(shape) == 3 and type_.batch_axes == (1,):
        return _ctc(sizes.code(shape[2]))
    if not is_of_samples(type_) or type_.dtype in COMPLEX:
        return Guess("no usual loss has this shape: WRITE YOURS", "{o}.abs().square().mean()")
    return _guess_of_samples(type_, last, sizes)


def _ctc(classes: str) -> Guess:
    why = "logarithms of the probabilities of labels at each step, 0 for none: CTC"
    return Guess(why, "ctc({o}, {t})", integers(f"1, {classes}", ["1"]))


def _guess_of_samples(type_: TensorType, last: str, sizes: Sizes) -> Guess:
    """Return what an output with a part for each sample seems to be."""
    dims, dtype = [sizes.code(dim) for dim in type_.dims], type_.dtype
    numbers = Guess("numbers", "F.mse_loss({o}, {t})", normal(dims, dtype))
    axes = [size for size in dims if size != "1"]
    many = f"each of {' x '.join(axes)}" if axes else "it"
    yes_or_no = f"{integers('2', dims)}.to(torch.{dtype})"
    if last == "Sigmoid":
        return Guess(
            f"probabilities: {many} is a yes or no", "F.binary_cross_entropy({o}, {t})", yes_or_no
        )
    if not dims or dims == ["1"]:
        why = "a number; of a yes or no it is F.binary_cross_entropy_with_logits"
        return numbers._replace(why=why)
    axis = _axis_of_classes(type_, last)
    if last in FEATURES or axis is None:
        return numbers
    classes = dims.pop(axis)
    if classes == "1":
        code = "F.binary_cross_entropy_with_logits({o}, {t})"
        return Guess(f"scores: {many} is a yes or no", code, yes_or_no)
    return _classes(classes, dims, axis, last)


def _axis_of_classes(type_: TensorType, last: str) -> int | None:
    """Return the axis that seems to be that of classes, without the batch: the channels of an image
    or of a convolution, else the last; None if its size is no number."""
    is_first = last.startswith(CONVOLUTIONS) or len(type_.dims) > 2
    axis = 0 if is_first and last != "Linear" else len(type_.dims) - 1
    return axis if isinstance(type_.dims[axis], int) else None


def _classes(classes: str, dims: list[str], axis: int, last: str) -> Guess:
    """Return the guess of scores of classes, for each of the other axes."""
    each = f" for each of {' x '.join(dims)}" if dims else ""
    flat = ("{o}.flatten(0, -2)", "{t}.flatten()") if axis and dims else ("{o}", "{t}")
    function, kind, output = "cross_entropy", "scores", flat[0]
    if last in ("LogSoftmax", "Softmax"):
        function, kind = "nll_loss", "probabilities"
        if last == "Softmax":
            output = f"{output}.clamp_min(1e-9).log()"
        else:
            kind = "logarithms of the probabilities"
    code = f"F.{function}({output}, {flat[1]})"
    return Guess(f"{kind} of {classes} classes{each}", code, integers(classes, dims))


# layers that hand on what they are given, or a part of it
TRANSPARENT = {"Dropout", "Identity", "Cast", "Select", "Slice", "Squeeze", "Contiguous"}


def last_layer(body: Body, value: Value) -> str:
    """Return the name of the layer, merge or activation that makes a result; "" for an input."""
    name, _, item = value.name.partition(".")
    node = body.by_name.get(name)
    if node is None:
        return ""
    if item and (branch := node.operation.branch(item)) is not None:
        node = branch
    return _last(body, node, value.port)


def _last(body: Body, node: TypedNode, port: str) -> str:
    operation = unwrap(node.operation)
    if isinstance(operation, Leaf):
        if operation.activation_name:
            return operation.activation_name
        sources = [*node.arguments.values()]
        if operation.name in TRANSPARENT and sources:
            return last_layer(body, sources[0]) or operation.name
        return operation.name
    if operation.steps:
        made = [one for one in operation.steps if one.op_name not in TRANSPARENT]
        return _last(body, (made or [*operation.steps])[-1], "")
    if activation := getattr(operation, "activation_name", ""):
        return str(activation)
    if operation.bodies:
        inner = operation.bodies[-1]
        found = inner.outputs.get(port) or next(iter(inner.outputs.values()))
        return last_layer(inner, found)
    return ""


def sources_of(body: Body, value: Value) -> set[Value]:
    """Return all results that a result is computed from, itself left out."""
    found: set[Value] = set()
    waiting = [value]
    while waiting:
        node = body.by_name.get(waiting.pop().name.partition(".")[0])
        for source in node.arguments.values() if node is not None else ():
            if source not in found:
                found.add(source)
                waiting.append(source)
    return found
